//! N-gram models with modified Kneser-Ney smoothing (Chen and Goodman 1998), interpolated, as
//! lmplz estimates them (Heafield et al. 2013): unpruned, one start and one end a row.
//!
//! One sort of windows numbers all n-grams of all orders. How many distinct tokens stand before an
//! n-gram is counted by going over the n-grams that are one longer, once each: the number of what
//! is left without the first token lies where that one starts, one place on.

use std::io::{BufRead, Write};

use rayon::prelude::*;

use super::intern::{Interner, Strings};
use super::ngrams::{NONE, Numbered, Orders, number};
use super::tokenise::{END, Sequence};
use crate::container::Block;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// The tokens that no row has: what is unknown, and where rows start and end.
const SPECIAL: [&str; 3] = ["<unk>", "<s>", "</s>"];
const UNKNOWN: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
/// The longest n-grams of a model.
pub const MAX_MODEL_ORDER: usize = 16;
/// Where the counts of counts give no discounts.
const FALLBACK: [f64; 4] = [0.0, 0.5, 1.0, 1.5];

/// An n-gram model with back-off.
#[derive(Debug)]
pub struct Model {
    order: usize,
    /// `<unk>`, `<s>`, `</s>`, and then the tokens, sorted.
    words: Strings,
    /// Of each token the n-gram that it is.
    singles: Vec<u32>,
    grams: Vec<Gram>,
    /// N-grams of each order.
    counts: Vec<usize>,
    discounts: Vec<[f64; 4]>,
    fallen_back: Vec<bool>,
    table: Table,
}

/// One n-gram: what it is without its last token, and that one; base-10 logarithms.
#[derive(Clone, Copy, Debug)]
struct Gram {
    context: u32,
    word: u32,
    probability: f32,
    backoff: f32,
}

/// N-grams by their context's number and their last token, in huge pages: each look-up is at a
/// place of its own.
#[derive(Debug)]
struct Table {
    entries: Block<Entry>,
}

/// A key, of which 0 is none, and of the n-gram the number and what is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Entry {
    key: u64,
    id: u32,
    probability: f32,
}

// SAFETY: any bytes are a value of each field, there is no padding, and the layout is C's.
unsafe impl bytemuck::Zeroable for Entry {}
// SAFETY: as above.
unsafe impl bytemuck::Pod for Entry {}

impl Table {
    fn new(grams: &[Gram]) -> Result<Self> {
        let longer = grams.iter().filter(|gram| gram.context != NONE).count();
        let mut block: Block<Entry> = Block::zeros((longer * 3 / 2).next_power_of_two().max(16))?;
        let entries = block.items_mut();
        let mask = entries.len() - 1;
        for (id, gram) in (0u32..).zip(grams).filter(|(_, gram)| gram.context != NONE) {
            let key = key(gram.context, gram.word);
            let mut at = place(key) & mask;
            while entries[at].key != 0 {
                at = (at + 1) & mask;
            }
            entries[at] = Entry { key, id, probability: gram.probability };
        }
        Ok(Self { entries: block })
    }

    #[inline]
    fn find(entries: &[Entry], context: u32, word: u32) -> Option<Entry> {
        let key = key(context, word);
        let mask = entries.len() - 1;
        let mut at = place(key) & mask;
        loop {
            let entry = entries[at];
            if entry.key == key {
                return Some(entry);
            }
            if entry.key == 0 {
                return None;
            }
            at = (at + 1) & mask;
        }
    }
}

/// Never 0: tokens are numbered from 1 on.
fn key(context: u32, word: u32) -> u64 {
    u64::from(context) << 32 | u64::from(word)
}

#[inline]
fn place(key: u64) -> usize {
    let product = u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_0C63_1B57_9A2D);
    (product >> 64) as usize
}

/// What a model says of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Base-10 logarithm of the row's probability.
    pub log10: f64,
    /// The same without tokens that the model does not know.
    pub known_log10: f64,
    /// Tokens, the end included if it was asked for.
    pub tokens: u64,
    /// Tokens that the model does not know.
    pub unknown: u64,
}

impl Model {
    /// Estimates a model of n-grams up to `order` from rows; null rows do not count.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an order beyond [`MAX_MODEL_ORDER`], no rows, or a token that is
    /// one of the model's own; [`Error::OutOfBudget`]; [`Error::Interrupted`].
    pub fn estimate(mut sequence: Sequence, order: usize, monitor: &Monitor) -> Result<Self> {
        if !(2..=MAX_MODEL_ORDER).contains(&order) {
            return Err(Error::InvalidInput(format!(
                "order is {order}; give a number from 2 to {MAX_MODEL_ORDER}"
            )));
        }
        if let Some(own) = SPECIAL.iter().find(|own| sequence.words.find(own.as_bytes()).is_ok()) {
            return Err(Error::InvalidInput(format!(
                "the rows hold the token {own}, which the model uses itself; replace it"
            )));
        }
        let mut words = Strings::default();
        SPECIAL.iter().for_each(|own| words.push(own.as_bytes()));
        (0..sequence.words.len()).for_each(|at| words.push(sequence.words.get(at)));
        let mut symbols = Vec::with_capacity(sequence.symbols.len() + sequence.rows());
        let shift = SPECIAL.len() as u32;
        for row in 0..sequence.rows() {
            let Some((_, tokens)) = sequence.row(row).split_last() else { continue };
            symbols.push(START);
            symbols.extend(tokens.iter().map(|&token| token + shift));
            symbols.extend([STOP, END]);
        }
        if symbols.is_empty() {
            return Err(Error::InvalidInput("there are no rows to estimate a model from".into()));
        }
        sequence = Sequence { row_ends: vec![symbols.len()], symbols, words };
        let orders = Orders::new(1, order, false)?;
        let Numbered { ids, starts, lengths } = number(&sequence, orders, monitor)?;
        let id = |place: usize, tokens: usize| ids[place * order + tokens - 1];
        // Occurrences; then for all but the longest, and those that start a row, what stands before.
        let mut counts = vec![0u32; starts.len()];
        for &id in ids.iter().filter(|&&id| id != NONE) {
            counts[id as usize] += 1;
        }
        monitor.check()?;
        let symbols = &sequence.symbols;
        for (gram, (&start, &length)) in starts.iter().zip(&lengths).enumerate() {
            if usize::from(length) < order && symbols[start as usize] != START {
                counts[gram] = 0;
            }
        }
        let shorter: Vec<u32> = starts
            .par_iter()
            .zip(&lengths)
            .map(|(&start, &length)| match usize::from(length) {
                1 => NONE,
                length => id(start as usize + 1, length - 1),
            })
            .collect();
        // What is left of an n-gram never starts a row, so that no count of those changes.
        for &shorter in shorter.iter().filter(|&&shorter| shorter != NONE) {
            counts[shorter as usize] += 1;
        }
        monitor.check()?;
        drop(ids);
        let mut grams: Vec<Gram> = Vec::with_capacity(starts.len() + 1);
        let mut path = [NONE; MAX_MODEL_ORDER + 1];
        for (id, (&start, &length)) in (0u32..).zip(starts.iter().zip(&lengths)) {
            let length = usize::from(length);
            path[length] = id;
            let word = symbols[start as usize + length - 1];
            let context = if length == 1 { NONE } else { path[length - 1] };
            grams.push(Gram { context, word, probability: 0.0, backoff: 0.0 });
        }
        drop(starts);
        smooth(sequence.words, order, grams, &lengths, &counts, &shorter, monitor)
    }

    /// The longest n-grams.
    pub fn order(&self) -> usize {
        self.order
    }

    /// N-grams of each order.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// Of each order what n-grams of count 1, 2, and 3 or more lose, and whether counts gave no
    /// discounts, so that they are 0.5, 1 and 1.5. None for a model that was read.
    pub fn discounts(&self) -> Vec<([f64; 3], bool)> {
        let discounts = self.discounts.iter().zip(&self.fallen_back);
        discounts.map(|(d, &fallen)| ([d[1], d[2], d[3]], fallen)).collect()
    }

    /// Scores rows; null rows have none.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn score(
        &self,
        sequence: &Sequence,
        start: bool,
        stop: bool,
        monitor: &Monitor,
    ) -> Result<Vec<Option<Score>>> {
        let known: Vec<u32> = (0..sequence.words.len())
            .map(|at| self.find(sequence.words.get(at)).unwrap_or(UNKNOWN))
            .collect();
        (0..sequence.rows())
            .into_par_iter()
            .with_min_len(64)
            .map(|row| {
                if row % 64 == 0 {
                    monitor.check()?;
                }
                let Some((_, tokens)) = sequence.row(row).split_last() else { return Ok(None) };
                let mut score = Score::default();
                let mut state = State::default();
                if start {
                    state.ids[1] = self.singles[START as usize];
                    state.length = 1;
                }
                let tokens = tokens.iter().map(|&token| known[token as usize - 1]);
                for word in tokens.chain(stop.then_some(STOP)) {
                    let log10 = f64::from(self.next(&self.table.entries, &mut state, word));
                    score.log10 += log10;
                    score.tokens += 1;
                    if word == UNKNOWN {
                        score.unknown += 1;
                    } else {
                        score.known_log10 += log10;
                    }
                }
                Ok(Some(score))
            })
            .collect()
    }

    /// The logarithm of a token's probability behind a state, which goes on.
    #[inline]
    fn next(&self, entries: &[Entry], state: &mut State, word: u32) -> f32 {
        let mut next = State::default();
        let single = self.singles[word as usize];
        let mut probability = self.grams[single as usize].probability;
        let mut matched = 1;
        next.ids[1] = single;
        for length in 1..=state.length {
            let Some(entry) = Table::find(entries, state.ids[length], word) else { break };
            probability = entry.probability;
            matched = length + 1;
            next.ids[matched] = entry.id;
        }
        for length in matched..=state.length {
            probability += self.grams[state.ids[length] as usize].backoff;
        }
        next.length = if word == UNKNOWN { 0 } else { matched.min(self.order - 1) };
        *state = next;
        probability
    }

    fn find(&self, word: &[u8]) -> Option<u32> {
        if let Some(own) = SPECIAL.iter().position(|own| own.as_bytes() == word) {
            return Some(own as u32 + 1);
        }
        let (mut low, mut high) = (SPECIAL.len(), self.words.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.words.get(middle).cmp(word) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle as u32 + 1),
            }
        }
        None
    }

    /// Writes the model in the ARPA format.
    ///
    /// # Errors
    /// [`Error::Source`] with what `out` fails with; [`Error::Interrupted`].
    pub fn write_arpa(&self, out: &mut dyn Write, monitor: &Monitor) -> Result<()> {
        self.write(out, monitor).map_err(|error| match error {
            Stopped::Io(error) => Error::Source(Box::new(error)),
            Stopped::Kernel(error) => error,
        })
    }

    fn write(&self, out: &mut dyn Write, monitor: &Monitor) -> std::result::Result<(), Stopped> {
        writeln!(out, "\\data\\")?;
        for (at, count) in self.counts.iter().enumerate() {
            writeln!(out, "ngram {}={count}", at + 1)?;
        }
        let lengths = self.lengths();
        let mut line = vec![];
        for order in 1..=self.order {
            writeln!(out, "\n\\{order}-grams:")?;
            for (at, gram) in self.grams.iter().enumerate() {
                if at % (1 << 14) == 0 {
                    monitor.check()?;
                }
                if usize::from(lengths[at]) != order {
                    continue;
                }
                line.clear();
                write!(line, "{}\t", gram.probability)?;
                self.spell(*gram, &mut line);
                if order < self.order {
                    write!(line, "\t{}", gram.backoff)?;
                }
                line.push(b'\n');
                out.write_all(&line)?;
            }
        }
        writeln!(out, "\n\\end\\")?;
        Ok(())
    }

    fn spell(&self, gram: Gram, line: &mut Vec<u8>) {
        let mut words = vec![gram.word];
        let mut context = gram.context;
        while context != NONE {
            words.push(self.grams[context as usize].word);
            context = self.grams[context as usize].context;
        }
        for (at, &word) in words.iter().rev().enumerate() {
            if at > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(self.words.get(word as usize - 1));
        }
    }

    fn lengths(&self) -> Vec<u8> {
        let mut lengths: Vec<u8> = Vec::with_capacity(self.grams.len());
        for gram in &self.grams {
            // A context comes before what continues it.
            lengths.push(if gram.context == NONE { 1 } else { lengths[gram.context as usize] + 1 });
        }
        lengths
    }

    /// Reads a model in the ARPA format.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for text that is none, naming the line; [`Error::Interrupted`].
    pub fn read_arpa(text: &mut dyn BufRead, monitor: &Monitor) -> Result<Self> {
        let mut lines = Lines { text, line: vec![], number: 0 };
        while lines.next()?.is_some_and(|line| line != "\\data\\") {}
        let mut counts: Vec<usize> = vec![];
        let mut entries: Vec<Vec<(Vec<u32>, f32, f32)>> = vec![];
        let mut words = Interner::default();
        for own in SPECIAL {
            words.intern_bytes(own.as_bytes());
        }
        let mut order = 0;
        loop {
            let number = lines.number;
            let Some(line) = lines.next()? else {
                return Err(broken(number, "it ends before \\end\\"));
            };
            if number.is_multiple_of(4096) {
                monitor.check()?;
            }
            if line.is_empty() {
                continue;
            }
            if line == "\\end\\" {
                break;
            }
            if let Some(count) = line.strip_prefix("ngram ") {
                let count = count.split_once('=').and_then(|(_, count)| count.trim().parse().ok());
                counts.push(count.ok_or_else(|| broken(number, "no count of n-grams"))?);
            } else if line.starts_with('\\') {
                order += 1;
                if line != format!("\\{order}-grams:") || order > MAX_MODEL_ORDER {
                    return Err(broken(number, "no heading of the next n-grams"));
                }
                entries.push(vec![]);
            } else {
                let entry = entry(line, order, &mut words);
                let entry = entry.ok_or_else(|| broken(number, "no n-gram of its order"))?;
                match entries.last_mut() {
                    Some(entries) => entries.push(entry),
                    None => return Err(broken(number, "no heading")),
                }
            }
        }
        let found: Vec<usize> = entries.iter().map(Vec::len).collect();
        if found != counts || order < 1 {
            return Err(broken(lines.number, &format!("{found:?} n-grams, and says {counts:?}")));
        }
        assemble(words.strings(), entries)
    }
}

/// The state behind some tokens: of each length the n-gram that they end with.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    ids: [u32; MAX_MODEL_ORDER + 1],
    length: usize,
}

enum Stopped {
    Io(std::io::Error),
    Kernel(Error),
}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Kernel(error)
    }
}

struct Lines<'a> {
    text: &'a mut dyn BufRead,
    line: Vec<u8>,
    number: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<&str>> {
        self.line.clear();
        self.number += 1;
        let read = self.text.read_until(b'\n', &mut self.line);
        if read.map_err(|error| Error::Source(Box::new(error)))? == 0 {
            return Ok(None);
        }
        let line = std::str::from_utf8(&self.line).map_err(|_| broken(self.number, "no UTF-8"))?;
        Ok(Some(line.trim_end_matches(['\r', '\n'])))
    }
}

fn broken(line: usize, what: &str) -> Error {
    Error::InvalidInput(format!("the model is no ARPA file: line {} has {what}", line + 1))
}

fn entry(line: &str, order: usize, words: &mut Interner) -> Option<(Vec<u32>, f32, f32)> {
    let mut parts = line.split(['\t', ' ']).filter(|part| !part.is_empty());
    let probability: f32 = parts.next()?.parse().ok()?;
    let mut gram = vec![];
    for _ in 0..order {
        gram.push(words.intern_bytes(parts.next()?.as_bytes()) + 1);
    }
    let backoff = parts.next().map_or(Ok(0.0), str::parse).ok()?;
    (parts.next().is_none() && !gram.is_empty()).then_some((gram, probability, backoff))
}

/// Makes a model of the n-grams of an ARPA file, order by order.
fn assemble(names: &Strings, entries: Vec<Vec<(Vec<u32>, f32, f32)>>) -> Result<Model> {
    let mut sorted: Vec<u32> = (SPECIAL.len() as u32..names.len() as u32).collect();
    sorted.sort_by_key(|&id| names.get(id as usize));
    let mut words = Strings::default();
    let mut places = vec![0u32; names.len() + 1];
    for id in (0..SPECIAL.len() as u32).chain(sorted) {
        words.push(names.get(id as usize));
        places[id as usize + 1] = words.len() as u32;
    }
    let order = entries.len();
    let counts = entries.iter().map(Vec::len).collect();
    let mut singles = vec![NONE; words.len() + 1];
    let mut grams: Vec<Gram> = vec![];
    let mut found = std::collections::HashMap::new();
    for (gram, probability, backoff) in entries.into_iter().flatten() {
        let mut context = NONE;
        let mut rest = gram.iter().map(|&word| places[word as usize]).peekable();
        while let Some(word) = rest.next() {
            if rest.peek().is_none() {
                let id = grams.len() as u32;
                if gram.len() == 1 {
                    singles[word as usize] = id;
                } else {
                    found.insert(key(context, word), id);
                }
                grams.push(Gram { context, word, probability, backoff });
            } else {
                let next = if context == NONE {
                    Some(singles[word as usize]).filter(|&id| id != NONE)
                } else {
                    found.get(&key(context, word)).copied()
                };
                context = next.ok_or_else(|| {
                    Error::InvalidInput(
                        "the model has an n-gram whose context it does not have".into(),
                    )
                })?;
            }
        }
    }
    for word in [UNKNOWN, START, STOP] {
        if singles[word as usize] == NONE {
            // Of what it does not list, a model says that it cannot be.
            singles[word as usize] = grams.len() as u32;
            grams.push(Gram { context: NONE, word, probability: -100.0, backoff: 0.0 });
        }
    }
    if let Some(bare) = (1..singles.len()).find(|&word| singles[word] == NONE) {
        return Err(Error::InvalidInput(format!(
            "the model has n-grams of {:?}, which is not among its 1-grams",
            String::from_utf8_lossy(words.get(bare - 1))
        )));
    }
    let table = Table::new(&grams)?;
    let (discounts, fallen_back) = (vec![], vec![]);
    Ok(Model { order, words, singles, grams, counts, discounts, fallen_back, table })
}

/// Turns counts into probabilities: each order interpolated with the one below.
fn smooth(
    words: Strings,
    order: usize,
    mut grams: Vec<Gram>,
    lengths: &[u8],
    counts: &[u32],
    shorter: &[u32],
    monitor: &Monitor,
) -> Result<Model> {
    let mut totals = vec![0usize; order];
    // How many n-grams of each order have the counts 1 to 4.
    let mut having = vec![[0u64; 5]; order];
    for (gram, (&length, &count)) in grams.iter().zip(lengths.iter().zip(counts)) {
        let of = usize::from(length) - 1;
        totals[of] += 1;
        if (1..=4).contains(&count) && !(of == 0 && gram.word == START) {
            having[of][count as usize] += 1;
        }
    }
    let found: Vec<Option<[f64; 4]>> = having.iter().map(discounts_of).collect();
    let fallen_back: Vec<bool> = found.iter().map(Option::is_none).collect();
    let discounts: Vec<[f64; 4]> = found.into_iter().map(|d| d.unwrap_or(FALLBACK)).collect();
    // Of each context: the counts behind it, and what discounts take from them.
    let mut behind = vec![0u64; grams.len()];
    let mut taken = vec![0f64; grams.len()];
    let (mut all, mut all_taken) = (0u64, 0.0);
    for ((gram, &length), &count) in grams.iter().zip(lengths).zip(counts) {
        let discount = discounts[usize::from(length) - 1][count.min(3) as usize];
        if gram.context != NONE {
            behind[gram.context as usize] += u64::from(count);
            taken[gram.context as usize] += discount;
        } else if gram.word != START {
            all += u64::from(count);
            all_taken += discount;
        }
    }
    monitor.check()?;
    // Unknown tokens and the end of a row are drawn from too; its start is not.
    let kinds = (words.len() - 1) as f64;
    let uniform = all_taken / all as f64 / kinds;
    let mut probability = vec![0f64; grams.len()];
    for tokens in 1..=order {
        monitor.check()?;
        let discounts = discounts[tokens - 1];
        for (at, gram) in grams.iter().enumerate() {
            if usize::from(lengths[at]) != tokens {
                continue;
            }
            let own = f64::from(counts[at]) - discounts[counts[at].min(3) as usize];
            probability[at] = if tokens == 1 {
                if gram.word == START { 1.0 } else { own / all as f64 + uniform }
            } else {
                let context = gram.context as usize;
                let total = behind[context] as f64;
                let lower = probability[shorter[at] as usize];
                own / total + taken[context] / total * lower
            };
        }
    }
    let mut singles = vec![NONE; words.len() + 1];
    for (at, gram) in grams.iter_mut().enumerate() {
        gram.probability = probability[at].log10() as f32;
        if behind[at] > 0 {
            gram.backoff = (taken[at] / behind[at] as f64).log10() as f32;
        }
        if gram.context == NONE {
            singles[gram.word as usize] = at as u32;
        }
    }
    singles[UNKNOWN as usize] = grams.len() as u32;
    let unknown = uniform.log10() as f32;
    grams.push(Gram { context: NONE, word: UNKNOWN, probability: unknown, backoff: 0.0 });
    totals[0] += 1;
    let table = Table::new(&grams)?;
    Ok(Model { order, words, singles, grams, counts: totals, discounts, fallen_back, table })
}

/// Chen and Goodman's discounts of the counts 1, 2, and 3 or more; `None` where counts of counts
/// give none.
fn discounts_of(having: &[u64; 5]) -> Option<[f64; 4]> {
    let t = having.map(|number| number as f64);
    if having[1..].contains(&0) {
        return None;
    }
    let y = t[1] / (t[1] + 2.0 * t[2]);
    let mut discounts = [0.0; 4];
    for k in 1..=3 {
        let discount = k as f64 - (k as f64 + 1.0) * y * t[k + 1] / t[k];
        if !(0.0..=k as f64).contains(&discount) {
            return None;
        }
        discounts[k] = discount;
    }
    Some(discounts)
}
