//! Models as text in the ARPA format, which SRILM, KenLM and others read and write.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{BufRead, Write};

use super::super::intern::Interner;
use super::super::ngrams::NONE;
use super::score::Table;
use super::{Gram, MAX_MODEL_ORDER, Model, SPECIAL, START, STOP, UNKNOWN, lengths};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

impl Model {
    /// Writes the model in the ARPA format.
    ///
    /// # Errors
    /// [`Error::Source`] with what `out` fails with; [`Error::InvalidInput`] for a token that such
    /// text cannot hold; [`Error::Interrupted`].
    pub fn write_arpa(&self, out: &mut dyn Write, monitor: &Monitor) -> Result<()> {
        let words = self.words.strings();
        let cut = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        for word in (0..words.len()).map(|at| words.get(at)) {
            if word.is_empty() || word.iter().any(cut) {
                return Err(Error::InvalidInput(format!(
                    "the model has the token {:?}: an ARPA file has white space between tokens and \
                     not in them",
                    String::from_utf8_lossy(word)
                )));
            }
        }
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
        let lengths = lengths(&self.grams);
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
            line.extend_from_slice(self.words.strings().get(word as usize - 1));
        }
    }

    /// Reads a model in the ARPA format.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for text that is none, naming the line; [`Error::Interrupted`].
    pub fn read_arpa(text: &mut dyn BufRead, monitor: &Monitor) -> Result<Self> {
        let mut lines = Lines { text, line: vec![], number: 0 };
        while lines.next()?.is_some_and(|line| line != "\\data\\") {}
        let mut counts: Vec<usize> = vec![];
        let mut levels: Vec<Level> = vec![];
        let mut words = Interner::default();
        for own in SPECIAL {
            words.intern_bytes(own.as_bytes());
        }
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
                levels.push(Level::default());
                let order = levels.len();
                if line != format!("\\{order}-grams:") || order > MAX_MODEL_ORDER {
                    return Err(broken(number, "no heading of the next n-grams"));
                }
            } else {
                let order = levels.len();
                let level = levels.last_mut().ok_or_else(|| broken(number, "no heading"))?;
                level
                    .read(line, order, &mut words)
                    .ok_or_else(|| broken(number, "no n-gram of its order"))?;
            }
        }
        let found: Vec<usize> = levels.iter().map(|level| level.weights.len()).collect();
        if found != counts || levels.is_empty() {
            return Err(broken(lines.number, &format!("{found:?} n-grams, and says {counts:?}")));
        }
        assemble(words, &levels, monitor)
    }
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

/// The n-grams of one order as they are listed: their tokens end to end, probability and back-off.
#[derive(Default)]
struct Level {
    tokens: Vec<u32>,
    weights: Vec<(f32, f32)>,
}

impl Level {
    fn read(&mut self, line: &str, order: usize, words: &mut Interner) -> Option<()> {
        let mut parts = line.split(['\t', ' ']).filter(|part| !part.is_empty());
        let probability: f32 = parts.next()?.parse().ok()?;
        for _ in 0..order {
            self.tokens.push(words.intern_bytes(parts.next()?.as_bytes()) + 1);
        }
        let backoff: f32 = parts.next().map_or(Ok(0.0), str::parse).ok()?;
        self.weights.push((probability, backoff));
        let sane = !probability.is_nan() && !backoff.is_nan();
        (sane && parts.next().is_none()).then_some(())
    }
}

/// Mixes keys that are numbers.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 << 8 | u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    }
}

/// N-grams as they are found, each behind what it is without its last token.
struct Assembly {
    grams: Vec<Gram>,
    singles: Vec<u32>,
    found: HashMap<u64, u32, BuildHasherDefault<Mixed>>,
    counts: Vec<usize>,
}

impl Assembly {
    fn find(&self, tokens: &[u32]) -> Option<u32> {
        let (&first, rest) = tokens.split_first()?;
        let single = Some(self.singles[first as usize]).filter(|&id| id != NONE);
        rest.iter().fold(single, |context, &word| {
            self.found.get(&(u64::from(context?) << 32 | u64::from(word))).copied()
        })
    }

    fn add(&mut self, tokens: &[u32], context: u32, (probability, backoff): (f32, f32)) {
        let id = self.grams.len() as u32;
        let word = tokens[tokens.len() - 1];
        if tokens.len() == 1 {
            self.singles[word as usize] = id;
        } else {
            self.found.insert(u64::from(context) << 32 | u64::from(word), id);
        }
        self.grams.push(Gram { context, word, probability, backoff });
    }

    /// The n-gram of `tokens`; where it is not listed, with the probability that back-off gives it.
    /// Models that were pruned have n-grams without those that they end with.
    fn needed(&mut self, tokens: &[u32]) -> Option<u32> {
        if let Some(id) = self.find(tokens) {
            return Some(id);
        }
        if tokens.len() < 2 {
            return None;
        }
        let context = self.needed(&tokens[..tokens.len() - 1])?;
        let shorter = self.needed(&tokens[1..])?;
        let probability =
            self.grams[context as usize].backoff + self.grams[shorter as usize].probability;
        self.add(tokens, context, (probability, 0.0));
        self.counts[tokens.len() - 1] += 1;
        Some(self.grams.len() as u32 - 1)
    }
}

/// Makes a model of the n-grams of an ARPA file, order by order.
fn assemble(words: Interner, levels: &[Level], monitor: &Monitor) -> Result<Model> {
    let lost = |what: &str| Error::InvalidInput(format!("the model has an n-gram whose {what}"));
    let mut all = Assembly {
        grams: vec![],
        singles: vec![NONE; words.len() + 1],
        found: HashMap::default(),
        counts: levels.iter().map(|level| level.weights.len()).collect(),
    };
    for (level, order) in levels.iter().zip(1..) {
        for (at, (tokens, &weights)) in
            level.tokens.chunks_exact(order).zip(&level.weights).enumerate()
        {
            if at % (1 << 14) == 0 {
                monitor.check()?;
            }
            let mut context = NONE;
            if order > 1 {
                let before = all.find(&tokens[..order - 1]);
                context = before.ok_or_else(|| lost("context it does not have"))?;
                all.needed(&tokens[1..]).ok_or_else(|| lost("last token it does not have"))?;
            }
            if all.find(tokens).is_some() {
                return Err(Error::InvalidInput("the model lists an n-gram twice".into()));
            }
            all.add(tokens, context, weights);
        }
        if order == 1 {
            for word in [UNKNOWN, START, STOP] {
                if all.singles[word as usize] == NONE {
                    // Of what it does not list, a model says that it cannot be.
                    all.add(&[word], NONE, (-100.0, 0.0));
                    all.counts[0] += 1;
                }
            }
        }
    }
    if let Some(bare) = (1..all.singles.len()).find(|&word| all.singles[word] == NONE) {
        return Err(Error::InvalidInput(format!(
            "the model has n-grams of {:?}, which is not among its 1-grams",
            String::from_utf8_lossy(words.strings().get(bare - 1))
        )));
    }
    let Assembly { grams, counts, .. } = all;
    let table = Table::new(&grams, words.len())?;
    let (discounts, fallen_back) = (vec![], vec![]);
    Ok(Model { order: levels.len(), words, grams, counts, discounts, fallen_back, table })
}
