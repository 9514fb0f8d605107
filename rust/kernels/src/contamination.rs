//! Which texts of a benchmark stand in a corpus: their n-grams, the matches that these are seeds of,
//! and whole texts.
//!
//! The benchmark's n-grams are the dictionary, and the corpus goes past it once, row by row, so that
//! neither has to be sorted. Every published definition follows from what is found here.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};
use crate::words::{self, Fast, is_space};

/// Rows looked at by one thread at once.
const BLOCK: usize = 16;

/// A unit that no text of the benchmark has.
const UNKNOWN: u32 = u32::MAX;

/// Units of the longest seed of a text that is looked for as a whole.
const SEED: usize = 16;

/// Bits of a filter a n-gram, so that most that are not there need no look at a table.
const FILTER: usize = 16;

/// What a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Words between whitespace.
    Words {
        /// Whether upper case is as lower case.
        lowercase: bool,
        /// Whether the punctuation of ASCII is taken out.
        punctuation: bool,
    },
    /// Characters.
    Characters {
        /// Whether only letters and digits are.
        alphanumeric: bool,
    },
    /// Tokens, of token columns.
    Tokens,
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// What texts are made of.
    pub units: Units,
    /// Units of a n-gram.
    pub n: usize,
    /// Whether n-grams start only where words do.
    pub word_starts: bool,
    /// Whether a text shorter than that is one n-gram as a whole; else it has none.
    pub short: bool,
    /// Whether every text is looked for as a whole.
    pub whole: bool,
    /// Units that may differ in a match, none of them in its seed.
    pub skips: usize,
    /// Whether units may also be more or fewer: skips are then edits.
    pub edits: bool,
    /// Whether a match reaches to the left of its seed too.
    pub left: bool,
}

/// Where a match stands: units of the text, and symbols of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// The text's first unit.
    pub start: usize,
    /// Behind its last one.
    pub stop: usize,
    /// The row of the corpus.
    pub row: u64,
    /// The first symbol there.
    pub row_start: u64,
    /// Behind the last one.
    pub row_stop: u64,
}

/// What was found of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Where each unit starts and stops in the text, in symbols.
    pub units: Vec<(usize, usize)>,
    /// Where n-grams start and stop, in units, and how often each occurs in the corpus.
    pub grams: Vec<(usize, usize, u64)>,
    /// The matches that reach furthest, none within another, in the order of their starts, each where
    /// it first stands.
    pub matches: Vec<Match>,
}

/// Texts of a benchmark, which a corpus goes past.
#[derive(Debug)]
pub struct Benchmark {
    seeds: Seeds,
    texts: Vec<Text>,
    /// The item that each text belongs to, and how many each item has.
    items: Vec<u32>,
    fields: Vec<u32>,
    vocabulary: HashMap<Box<[u8]>, u32, Fast>,
    /// The units of one byte, which need no look at the vocabulary.
    bytes: Vec<u32>,
    tables: Vec<Table>,
    grams: Vec<Gram>,
    best: Vec<Vec<Match>>,
    item_rows: Vec<Option<u64>>,
    rows: u64,
}

#[derive(Debug, Default)]
struct Text {
    ids: Vec<u32>,
    spans: Vec<(usize, usize)>,
    grams: Vec<(usize, usize, u32)>,
}

/// The n-grams of one length.
#[derive(Debug, Default)]
struct Table {
    n: usize,
    by_hash: HashMap<u64, Vec<u32>, Fast>,
    filter: Vec<u64>,
    power: u64,
}

/// A n-gram: its first place, all of its places, and how many units are compared.
#[derive(Debug)]
struct Gram {
    length: usize,
    places: Vec<(u32, u32)>,
    count: AtomicU64,
}

/// A row of the corpus as units, and where each stands.
#[derive(Debug, Default)]
struct Row {
    ids: Vec<u32>,
    spans: Vec<(usize, usize)>,
}

impl Benchmark {
    /// Takes the texts of a benchmark, and the item that each belongs to, in order.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if `n` is 0; [`Error::UnsupportedType`] if texts are not of the units.
    pub fn new(texts: &Patterns, items: &[u32], seeds: Seeds) -> Result<Self> {
        if seeds.n == 0 {
            return Err(Error::InvalidInput("n is 0: give 1 or more".into()));
        }
        if items.len() != texts.len() {
            return Err(Error::InvalidInput(format!(
                "there are {} texts, and the items of {}; give the item of each",
                texts.len(),
                items.len()
            )));
        }
        let count = items.iter().max().map_or(0, |&last| last as usize + 1);
        let mut new = Self {
            seeds,
            texts: vec![],
            items: items.to_vec(),
            fields: vec![0; count],
            vocabulary: HashMap::default(),
            bytes: vec![],
            tables: vec![],
            grams: vec![],
            best: vec![vec![]; texts.len()],
            item_rows: vec![None; count],
            rows: 0,
        };
        let mut vocabulary = HashMap::default();
        for (at, &item) in items.iter().enumerate() {
            let Some(text) = texts.get(at) else {
                new.texts.push(Text::default());
                continue;
            };
            if matches!(text, Pattern::Tokens(_)) != (seeds.units == Units::Tokens) {
                return Err(Error::UnsupportedType(
                    "items are text and the method is one of tokens, or the reverse".into(),
                ));
            }
            let mut row = Row::default();
            seeds.units.split(text, &mut row, &mut |unit| {
                let next = vocabulary.len() as u32;
                match vocabulary.entry(unit.into()) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => *entry.insert(next),
                }
            });
            if !row.ids.is_empty() {
                new.fields[item as usize] += 1;
            }
            new.add(at as u32, text, row);
        }
        new.bytes = (0..=u8::MAX)
            .map(|byte| vocabulary.get([byte].as_slice()).copied().unwrap_or(UNKNOWN))
            .collect();
        new.vocabulary = vocabulary;
        for table in &mut new.tables {
            table.fill_filter();
        }
        Ok(new)
    }

    /// Takes in the n-grams of a text.
    fn add(&mut self, number: u32, text: Pattern<'_>, row: Row) {
        let length = row.ids.len();
        let mut found = Text { ids: row.ids, spans: row.spans, grams: vec![] };
        let whole = self.seeds.whole || (self.seeds.short && length < self.seeds.n);
        let places: Vec<(usize, usize)> = if whole {
            (length > 0).then_some((0, length)).into_iter().collect()
        } else {
            (0..(length + 1).saturating_sub(self.seeds.n)).map(|at| (at, self.seeds.n)).collect()
        };
        for (at, length) in places {
            if self.seeds.word_starts && !starts_word(text, found.spans[at].0) {
                continue;
            }
            let gram = self.gram(&found.ids, at, length, number);
            found.grams.push((at, at + length, gram));
        }
        self.texts.push(found);
    }

    /// The number of a n-gram, which has one more place now.
    fn gram(&mut self, ids: &[u32], at: usize, length: usize, text: u32) -> u32 {
        let whole = self.seeds.whole || length < self.seeds.n;
        let n = if whole { length.min(SEED) } else { length };
        let table = match self.tables.iter().position(|table| table.n == n) {
            Some(table) => table,
            None => {
                self.tables.push(Table { n, power: power(n), ..Table::default() });
                self.tables.len() - 1
            }
        };
        let hash = ids[at..at + n].iter().fold(0, |hash, &id| push(hash, id));
        let same = self.tables[table].by_hash.entry(hash).or_default();
        let known = same.iter().copied().find(|&gram| {
            let (other, place) = self.grams[gram as usize].places[0];
            let other = self.texts.get(other as usize).map_or(ids, |text| &text.ids);
            self.grams[gram as usize].length == length
                && other[place as usize..].get(..length) == Some(&ids[at..at + length])
        });
        let place = (text, at as u32);
        if let Some(gram) = known {
            self.grams[gram as usize].places.push(place);
            return gram;
        }
        let gram = self.grams.len() as u32;
        same.push(gram);
        self.grams.push(Gram { length, places: vec![place], count: AtomicU64::new(0) });
        gram
    }

    /// Looks at the next rows of the corpus.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] if they are not of the benchmark's kind; [`Error::Interrupted`].
    pub fn scan(&mut self, rows: &Patterns, monitor: &Monitor) -> Result<()> {
        let tokens = self.seeds.units == Units::Tokens;
        if rows.valid().next().is_some_and(|(_, row)| matches!(row, Pattern::Tokens(_)) != tokens) {
            return Err(Error::UnsupportedType(
                "items are of text and the corpus is of tokens, or the reverse; give two of one kind"
                    .into(),
            ));
        }
        let places: Vec<usize> = (0..rows.len()).collect();
        let first = self.rows;
        let found = places.par_chunks(BLOCK).map(|places| {
            monitor.check()?;
            let mut scan = Scan::new(self);
            for &at in places {
                if let Some(text) = rows.get(at) {
                    scan.row(text, first + at as u64);
                }
            }
            monitor.advance(places.len() as u64);
            Ok((scan.matches, scan.items))
        });
        for (matches, items) in found.collect::<Result<Vec<_>>>()? {
            for ((text, _, _), found) in matches {
                self.best[text as usize].push(found);
            }
            for (item, row) in items {
                self.item_rows[item as usize].get_or_insert(row);
            }
        }
        for best in &mut self.best {
            furthest(best);
        }
        self.rows += rows.len() as u64;
        Ok(())
    }

    /// What was found of each text, and the first row that holds all texts of each item, if they were
    /// looked for as a whole.
    pub fn finish(self) -> (Vec<Evidence>, Vec<Option<u64>>) {
        let count = |gram: u32| self.grams[gram as usize].count.load(Ordering::Relaxed);
        let texts = self.texts.iter().zip(self.best).map(|(text, matches)| Evidence {
            units: text.spans.clone(),
            grams: text.grams.iter().map(|&(at, end, gram)| (at, end, count(gram))).collect(),
            matches,
        });
        (texts.collect(), self.item_rows)
    }
}

/// Keeps the matches that none other holds, each where it first stands.
fn furthest(matches: &mut Vec<Match>) {
    matches.sort_unstable_by_key(|it| (it.start, std::cmp::Reverse(it.stop), it.row, it.row_start));
    let mut stop = 0;
    matches.retain(|it| {
        let further = it.stop > stop;
        stop = stop.max(it.stop);
        further
    });
}

/// One thread's way through rows.
struct Scan<'a> {
    benchmark: &'a Benchmark,
    row: Row,
    matches: HashMap<(u32, usize, usize), Match, Fast>,
    /// Which texts of an item are in the row as a whole.
    whole: HashMap<u32, Vec<u32>, Fast>,
    items: Vec<(u32, u64)>,
    right: Reaches,
    left: Reaches,
}

impl<'a> Scan<'a> {
    fn new(benchmark: &'a Benchmark) -> Self {
        Self {
            benchmark,
            row: Row::default(),
            matches: HashMap::default(),
            whole: HashMap::default(),
            items: vec![],
            right: Reaches::default(),
            left: Reaches::default(),
        }
    }

    fn row(&mut self, text: Pattern<'_>, number: u64) {
        let benchmark = self.benchmark;
        self.row.ids.clear();
        self.row.spans.clear();
        benchmark.seeds.units.split(text, &mut self.row, &mut |unit| match unit {
            [byte] => benchmark.bytes[usize::from(*byte)],
            unit => benchmark.vocabulary.get(unit).copied().unwrap_or(UNKNOWN),
        });
        for table in &benchmark.tables {
            let (mut hash, mut run) = (0_u64, 0);
            for at in 0..self.row.ids.len() {
                let id = self.row.ids[at];
                if id == UNKNOWN {
                    (hash, run) = (0, 0);
                    continue;
                }
                if run >= table.n {
                    let gone = self.row.ids[at - table.n];
                    hash = hash.wrapping_sub(mixed(gone).wrapping_mul(table.power));
                }
                hash = push(hash, id);
                run += 1;
                if run >= table.n && table.may_hold(hash) {
                    self.found(table, hash, at + 1 - table.n, number);
                }
            }
        }
        for (item, texts) in self.whole.drain() {
            if texts.len() as u32 == benchmark.fields[item as usize] {
                self.items.push((item, number));
            }
        }
    }

    /// Takes in the n-grams of that hash, if they are those at a place of the row.
    fn found(&mut self, table: &Table, hash: u64, at: usize, number: u64) {
        let benchmark = self.benchmark;
        for &gram in table.by_hash.get(&hash).into_iter().flatten() {
            let gram = &benchmark.grams[gram as usize];
            let (text, place) = gram.places[0];
            let ids = &benchmark.texts[text as usize].ids[place as usize..][..gram.length];
            if self.row.ids.get(at..at + gram.length) != Some(ids) {
                continue;
            }
            gram.count.fetch_add(1, Ordering::Relaxed);
            for &(text, place) in &gram.places {
                if benchmark.seeds.whole {
                    let texts = self.whole.entry(benchmark.items[text as usize]).or_default();
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
                self.extend(text, place as usize, at, gram.length, number);
            }
        }
    }

    /// Takes in the matches that a seed is in.
    fn extend(&mut self, text: u32, place: usize, at: usize, length: usize, number: u64) {
        let seeds = &self.benchmark.seeds;
        let ids = &self.benchmark.texts[text as usize].ids;
        let row = &self.row.ids;
        let before = place > 0 && at > 0 && ids[place - 1] == row[at - 1];
        let full = length == seeds.n && !seeds.whole;
        if full && before && !seeds.word_starts && !seeds.edits {
            // The n-gram before is there too, and its matches hold these. Not so with units inserted
            // or deleted: those before a seed may be shifted against the run that it is in.
            return;
        }
        let (stop, end) = (place + length, at + length);
        let (rest, behind) = (&ids[stop..], &row[end..]);
        let right = |a: usize, b: usize| rest[a] == behind[b];
        self.right.find(rest.len(), behind.len(), seeds, right);
        if seeds.left {
            let left = |a: usize, b: usize| ids[place - 1 - a] == row[at - 1 - b];
            self.left.find(place, at, seeds, left);
        } else {
            self.left.none(seeds.skips);
        }
        for skips in 0..=seeds.skips {
            let (left, right) = (self.left.found[seeds.skips - skips], self.right.found[skips]);
            let found = Match {
                start: place - left.0,
                stop: stop + right.0,
                row: number,
                row_start: self.row.spans[at - left.1].0 as u64,
                row_stop: self.row.spans[end + right.1 - 1].1 as u64,
            };
            let known = self.matches.entry((text, found.start, found.stop)).or_insert(found);
            // A seed further on may be that of a match which starts before those found so far.
            let place = |it: &Match| (it.row, it.row_start, it.row_stop);
            if place(&found) < place(known) {
                *known = found;
            }
        }
    }
}

/// How far text and row go on from a seed: units of each, with 0, 1, … differences.
#[derive(Debug, Default)]
struct Reaches {
    found: Vec<(usize, usize)>,
    furthest: Vec<Option<usize>>,
    before: Vec<Option<usize>>,
}

impl Reaches {
    /// No unit, whatever the differences.
    fn none(&mut self, skips: usize) {
        self.found.clear();
        self.found.resize(skips + 1, (0, 0));
    }

    /// Looks at so many units of the text and the row, of which `same` says whether two are; a
    /// stretch ends where they are.
    fn find(
        &mut self,
        text: usize,
        row: usize,
        seeds: &Seeds,
        same: impl Fn(usize, usize) -> bool,
    ) {
        if seeds.edits {
            self.edited(text, row, seeds.skips, same);
        } else {
            self.found.clear();
            self.replaced(text.min(row), seeds.skips, same);
        }
    }

    /// With units replaced.
    fn replaced(&mut self, most: usize, skips: usize, same: impl Fn(usize, usize) -> bool) {
        let mut last = (0, 0);
        for at in 0..most {
            if same(at, at) {
                last = (at + 1, at + 1);
            } else {
                self.found.push(last);
                if self.found.len() > skips {
                    return;
                }
            }
        }
        self.found.resize(skips + 1, last);
    }

    /// With units replaced, inserted and deleted, by the furthest place on each diagonal that so many
    /// edits reach (Ukkonen 1985): O(d²) places beside those that are alike, for d edits.
    fn edited(
        &mut self,
        text: usize,
        row: usize,
        edits: usize,
        same: impl Fn(usize, usize) -> bool,
    ) {
        self.none(edits);
        let (text, row, edits) = (text as isize, row as isize, edits as isize);
        let width = 2 * edits as usize + 3;
        self.furthest.clear();
        self.furthest.resize(width, None);
        let mut best = (0, 0);
        for edit in 0..=edits {
            self.before.clone_from(&self.furthest);
            for diagonal in -edit..=edit {
                // The text is so many units further on than the row.
                let at = (diagonal + edits + 1) as usize;
                let steps = [
                    self.before[at].map(|x| x + 1),
                    self.before[at - 1].map(|x| x + 1),
                    self.before[at + 1],
                    (edit == 0).then_some(0),
                ];
                let most = text.min(row + diagonal);
                let Some(from) = steps.into_iter().flatten().max().map(|x| x as isize) else {
                    continue;
                };
                if most < diagonal.max(0) {
                    continue;
                }
                let mut x = from.min(most).max(diagonal.max(0));
                let like = |x: isize| same(x as usize, (x - diagonal) as usize);
                while x < most && like(x) {
                    x += 1;
                }
                // No place on a diagonal needs more edits than those behind it.
                let low = self.before[at].map_or(diagonal.max(0), |x| x as isize);
                let last = (low..x).rev().find(|&x| like(x)).map(|x| x + 1);
                if let Some(last) = last.filter(|&last| last as usize > best.0) {
                    best = (last as usize, (last - diagonal) as usize);
                }
                self.furthest[at] = Some(x as usize);
            }
            self.found[edit as usize] = best;
        }
    }
}

impl Table {
    fn fill_filter(&mut self) {
        let bits = (self.by_hash.len() * FILTER).next_power_of_two().max(64);
        self.filter = vec![0; bits / 64];
        for hash in self.by_hash.keys() {
            let bit = spread(*hash) as usize & (bits - 1);
            self.filter[bit / 64] |= 1 << (bit % 64);
        }
    }

    fn may_hold(&self, hash: u64) -> bool {
        let bit = spread(hash) as usize & (self.filter.len() * 64 - 1);
        self.filter[bit / 64] >> (bit % 64) & 1 == 1
    }
}

const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

fn mixed(id: u32) -> u64 {
    (u64::from(id) + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

fn push(hash: u64, id: u32) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(mixed(id))
}

fn power(n: usize) -> u64 {
    (1..n).fold(1, |power: u64, _| power.wrapping_mul(BASE))
}

fn spread(hash: u64) -> u64 {
    (hash ^ hash >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 16
}

fn starts_word(text: Pattern<'_>, at: usize) -> bool {
    let Pattern::Bytes(text) = text else { return true };
    let rest = String::from_utf8_lossy(&text[at..text.len().min(at + 4)]);
    let before = String::from_utf8_lossy(&text[at.saturating_sub(4)..at]);
    rest.chars().next().is_some_and(|first| !is_space(first))
        && before.chars().next_back().is_none_or(is_space)
}

impl Units {
    /// Splits a text into units; `number` names each.
    fn split(self, text: Pattern<'_>, row: &mut Row, number: &mut dyn FnMut(&[u8]) -> u32) {
        match (self, text) {
            (Self::Words { lowercase, punctuation }, Pattern::Bytes(text)) => {
                split_words(text, lowercase, punctuation, row, number);
            }
            (Self::Characters { alphanumeric }, Pattern::Bytes(text)) => {
                words::characters(text, |start, stop, character| {
                    if !alphanumeric || character.is_none_or(char::is_alphanumeric) {
                        row.ids.push(number(&text[start..stop]));
                        row.spans.push((start, stop));
                    }
                });
            }
            (_, Pattern::Tokens(tokens)) => {
                for (at, token) in tokens.iter().enumerate() {
                    row.ids.push(number(&token.to_le_bytes()));
                    row.spans.push((at, at + 1));
                }
            }
            (Self::Tokens, Pattern::Bytes(_)) => {}
        }
    }
}

fn split_words(
    text: &[u8],
    lowercase: bool,
    punctuation: bool,
    row: &mut Row,
    number: &mut dyn FnMut(&[u8]) -> u32,
) {
    let mut word = vec![];
    words::pieces(text, |start, stop| {
        let piece = &text[start..stop];
        let own = if lowercase || punctuation {
            word.clear();
            normalise(piece, lowercase, punctuation, &mut word);
            &word
        } else {
            piece
        };
        if !own.is_empty() {
            row.ids.push(number(own));
            row.spans.push((start, stop));
        }
    });
}

/// Appends a piece of text in lower case, without the punctuation of ASCII.
fn normalise(piece: &[u8], lowercase: bool, punctuation: bool, word: &mut Vec<u8>) {
    let lowered;
    let mut piece = piece;
    if lowercase && !piece.is_ascii() {
        // A capital sigma is lowered as those around it have it.
        let lower = |chunk: std::str::Utf8Chunk<'_>| {
            [chunk.valid().to_lowercase().as_bytes(), chunk.invalid()].concat()
        };
        lowered = piece.utf8_chunks().flat_map(lower).collect::<Vec<u8>>();
        piece = &lowered;
    }
    let kept = piece.iter().filter(|byte| !(punctuation && byte.is_ascii_punctuation()));
    word.extend(kept.map(|byte| if lowercase { byte.to_ascii_lowercase() } else { *byte }));
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::corpus::Rows;

    fn column(rows: &[Vec<u32>]) -> Patterns {
        let mut column = Patterns::tokens();
        for row in rows {
            column.push_tokens(Some(row)).unwrap();
        }
        column
    }

    /// Every stretch of text and row alike, but for so many units outside of a seed of n, that ends
    /// where they are; of those none within another.
    fn slow(text: &[u32], rows: &[Vec<u32>], n: usize, skips: usize, left: bool) -> Vec<Match> {
        let mut found = vec![];
        for (number, row) in rows.iter().enumerate() {
            for start in 0..text.len() {
                for at in 0..row.len() {
                    for length in n..=(text.len() - start).min(row.len() - at) {
                        let same: Vec<bool> =
                            (0..length).map(|k| text[start + k] == row[at + k]).collect();
                        let seeded = if left {
                            same.windows(n).any(|seed| seed.iter().all(|&same| same))
                        } else {
                            same[..n].iter().all(|&same| same)
                        };
                        let differ = same.iter().filter(|&&same| !same).count();
                        if seeded && differ <= skips && same[0] && same[length - 1] {
                            found.push(Match {
                                start,
                                stop: start + length,
                                row: number as u64,
                                row_start: at as u64,
                                row_stop: (at + length) as u64,
                            });
                        }
                    }
                }
            }
        }
        furthest(&mut found);
        found
    }

    /// Edits that make one of the other.
    fn distance(a: &[u32], b: &[u32]) -> usize {
        let mut costs: Vec<usize> = (0..=b.len()).collect();
        for (row, x) in a.iter().enumerate() {
            let mut corner = std::mem::replace(&mut costs[0], row + 1);
            for (at, y) in b.iter().enumerate() {
                let cost = (corner + usize::from(x != y)).min(costs[at] + 1).min(costs[at + 1] + 1);
                corner = std::mem::replace(&mut costs[at + 1], cost);
            }
        }
        costs[b.len()]
    }

    /// The most units of a part of the text that so many edits make a part of the row, around an
    /// exact seed and between two that are alike.
    fn slow_edited(text: &[u32], rows: &[Vec<u32>], n: usize, edits: usize) -> usize {
        let mut best = 0;
        for row in rows {
            for place in 0..(text.len() + 1).saturating_sub(n) {
                for at in 0..(row.len() + 1).saturating_sub(n) {
                    if text[place..place + n] != row[at..at + n] {
                        continue;
                    }
                    // How far each side goes with so many edits.
                    let side = |text: &[u32], row: &[u32]| -> Vec<usize> {
                        let mut reach = vec![0; edits + 1];
                        for x in 1..=text.len() {
                            for y in (1..=row.len()).filter(|&y| text[x - 1] == row[y - 1]) {
                                let cost = distance(&text[..x - 1], &row[..y - 1]);
                                for reach in reach.iter_mut().skip(cost) {
                                    *reach = x.max(*reach);
                                }
                            }
                        }
                        reach
                    };
                    let reversed = |part: &[u32]| part.iter().rev().copied().collect::<Vec<_>>();
                    let left = side(&reversed(&text[..place]), &reversed(&row[..at]));
                    let right = side(&text[place + n..], &row[at + n..]);
                    for used in 0..=edits {
                        best = best.max(left[used] + n + right[edits - used]);
                    }
                }
            }
        }
        best
    }

    proptest! {
        #[test]
        fn edited_matches_agree_with_the_definition(
            text in vec(0_u32..3, 0..14),
            rows in vec(vec(0_u32..3, 0..14), 1..4),
            n in 1_usize..4,
            skips in 0_usize..4,
        ) {
            let seeds = Seeds {
                units: Units::Tokens, n, word_starts: false, short: false, whole: false, skips,
                left: true, edits: true,
            };
            let mut benchmark = Benchmark::new(&column(std::slice::from_ref(&text)), &[0], seeds).unwrap();
            benchmark.scan(&column(&rows), &Monitor::default()).unwrap();
            let (found, _) = benchmark.finish();
            let longest = found[0].matches.iter().map(|it| it.stop - it.start).max().unwrap_or(0);
            prop_assert_eq!(longest, slow_edited(&text, &rows, n, skips));
            for it in &found[0].matches {
                let row = &rows[it.row as usize][it.row_start as usize..it.row_stop as usize];
                prop_assert!(distance(&text[it.start..it.stop], row) <= skips);
            }
        }
    }

    proptest! {
        #[test]
        fn evidence_agrees_with_the_definition(
            texts in vec(vec(0_u32..4, 0..12), 1..4),
            rows in vec(vec(0_u32..5, 0..14), 0..6),
            n in 1_usize..4,
            skips in 0_usize..3,
            left in any::<bool>(),
        ) {
            let seeds = Seeds {
                units: Units::Tokens, n, word_starts: false, short: false, whole: false, skips, left,
                edits: false,
            };
            let items: Vec<u32> = (0..texts.len() as u32).collect();
            let mut benchmark = Benchmark::new(&column(&texts), &items, seeds).unwrap();
            let monitor = Monitor::default();
            let half = rows.len() / 2;
            benchmark.scan(&column(&rows[..half]), &monitor).unwrap();
            benchmark.scan(&column(&rows[half..]), &monitor).unwrap();
            let (found, _) = benchmark.finish();
            for (text, found) in texts.iter().zip(found) {
                let counts: Vec<u64> = text
                    .windows(n)
                    .map(|gram| {
                        rows.iter()
                            .map(|row| row.windows(n).filter(|other| *other == gram).count() as u64)
                            .sum()
                    })
                    .collect();
                prop_assert_eq!(found.grams.iter().map(|gram| gram.2).collect::<Vec<_>>(), counts);
                prop_assert_eq!(found.matches, slow(text, &rows, n, skips, left));
            }
        }

        #[test]
        fn whole_items_agree_with_the_definition(
            texts in vec(vec(0_u32..3, 0..20), 2..6),
            rows in vec(vec(0_u32..3, 0..30), 0..6),
        ) {
            let seeds = Seeds {
                units: Units::Tokens, n: 3, word_starts: false, short: true, whole: true, skips: 0,
                left: false, edits: false,
            };
            let items: Vec<u32> = (0..texts.len() as u32).map(|at| at / 2).collect();
            let mut benchmark = Benchmark::new(&column(&texts), &items, seeds).unwrap();
            benchmark.scan(&column(&rows), &Monitor::default()).unwrap();
            let (_, found) = benchmark.finish();
            for (texts, found) in texts.chunks(2).zip(found) {
                let holds = |row: &Vec<u32>, text: &Vec<u32>| {
                    text.is_empty() || row.windows(text.len()).any(|part| part == text.as_slice())
                };
                let any = texts.iter().any(|text| !text.is_empty());
                let expected = rows
                    .iter()
                    .position(|row| any && texts.iter().all(|text| holds(row, text)));
                prop_assert_eq!(found, expected.map(|row| row as u64));
            }
        }
    }
}
