//! The names of two columns, their words and their character 3-grams, weighed by how informative
//! each is in these columns.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::budget::Budget;
use crate::clean::text;
use crate::error::Result;
use crate::interrupt::Monitor;
use crate::symbol::Patterns;

/// A row without a name: null, or empty once normalised.
pub const NO_NAME: u32 = u32::MAX;

/// Characters of the grams that names are scored by.
const SHORT: usize = 3;

/// Characters of the grams that candidates are found by among many names.
const LONG: usize = 5;

/// Names above which there are many.
const MANY: usize = 50_000;

/// Rows between two looks at the monitor.
const BLOCK: usize = 4096;

/// Bytes that a row takes, in normalised columns and as its name's number, its letters aside.
const ROW: usize = 32;

/// Copies of the letters of all rows: normalised, being normalised, and as they are read.
const COPIES: usize = 3;

/// Bytes that a distinct text takes in a table and beside it, its letters aside.
const TEXT: usize = 160;

/// Bytes of a distinct word, about.
const WORD: usize = 160;

/// Bytes of a distinct gram in a table.
const FEATURE: usize = 64;

/// Sparse vectors of unit length, end to end.
#[derive(Debug, Default)]
pub struct Vectors {
    ends: Vec<usize>,
    features: Vec<u32>,
    weights: Vec<f32>,
    lengths: Vec<f32>,
}

impl Vectors {
    /// Vectors.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The features of a vector, ascending, and the weight of each.
    #[inline]
    pub fn get(&self, at: usize) -> (&[u32], &[f32]) {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        (&self.features[start..self.ends[at]], &self.weights[start..self.ends[at]])
    }

    /// One vector more: features ascending, weights scaled to unit length.
    pub fn push(&mut self, vector: &[(u32, f32)]) {
        let start = self.features.len();
        self.features.extend(vector.iter().map(|one| one.0));
        self.weights.extend(vector.iter().map(|one| one.1));
        let norm = length(&self.weights[start..]);
        for weight in &mut self.weights[start..] {
            *weight = (f64::from(*weight) / norm) as f32;
        }
        self.ends.push(self.features.len());
        self.lengths.push(norm as f32);
    }

    /// None yet, with room for so many of so many features together.
    pub fn with_capacity(vectors: usize, features: usize) -> Self {
        Self {
            ends: Vec::with_capacity(vectors),
            features: Vec::with_capacity(features),
            weights: Vec::with_capacity(features),
            lengths: Vec::with_capacity(vectors),
        }
    }

    /// Multiplies each weight by that of its feature, and scales the vectors to unit length.
    fn weigh(&mut self, by: &[f32]) {
        self.features.shrink_to_fit();
        self.weights.shrink_to_fit();
        let mut start = 0;
        for &end in &self.ends {
            let weights = &mut self.weights[start..end];
            for (weight, &feature) in weights.iter_mut().zip(&self.features[start..end]) {
                *weight *= by[feature as usize];
            }
            let norm = length(weights);
            for weight in weights {
                *weight = (f64::from(*weight) / norm) as f32;
            }
            self.lengths.push(norm as f32);
            start = end;
        }
    }

    /// Numbers the features anew, those that fewer vectors have before others.
    ///
    /// # Errors
    /// If someone asks to stop.
    pub fn rarest_first(&mut self, features: usize, monitor: &Monitor) -> Result<()> {
        let mut holders = vec![0_u32; features];
        for &feature in &self.features {
            holders[feature as usize] += 1;
        }
        let mut order: Vec<u32> = (0..features as u32).collect();
        order.sort_unstable_by_key(|&feature| (holders[feature as usize], feature));
        let mut ranks = holders;
        for (rank, &feature) in (0..).zip(&order) {
            ranks[feature as usize] = rank;
        }
        let mut vector: Vec<(u32, f32)> = vec![];
        let mut start = 0;
        for (at, &end) in self.ends.iter().enumerate() {
            if at % BLOCK == 0 {
                monitor.check()?;
            }
            let (names, weights) = (&mut self.features[start..end], &mut self.weights[start..end]);
            vector.clear();
            let ranked = names.iter().map(|&feature| ranks[feature as usize]);
            vector.extend(ranked.zip(weights.iter().copied()));
            vector.sort_unstable_by_key(|one| one.0);
            for ((name, weight), one) in names.iter_mut().zip(weights).zip(&vector) {
                (*name, *weight) = *one;
            }
            start = end;
        }
        Ok(())
    }

    /// The length of a vector before it was scaled.
    pub fn length(&self, at: usize) -> f32 {
        self.lengths[at]
    }

    /// The inner product of two vectors, summed in the order of the features.
    pub fn product(&self, a: usize, b: usize) -> f32 {
        let ((left, x), (right, y)) = (self.get(a), self.get(b));
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        while i < left.len() && j < right.len() {
            match left[i].cmp(&right[j]) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    sum += x[i] * y[j];
                    (i, j) = (i + 1, j + 1);
                }
            }
        }
        sum
    }

    /// The share of the first vector's squared length that lies in features of the second.
    pub fn covered(&self, a: usize, b: usize) -> f32 {
        let ((left, x), (right, _)) = (self.get(a), self.get(b));
        let (mut j, mut sum) = (0, 0.0);
        for (feature, weight) in left.iter().zip(x) {
            while j < right.len() && right[j] < *feature {
                j += 1;
            }
            if right.get(j) == Some(feature) {
                sum += weight * weight;
            }
        }
        sum
    }
}

fn length(weights: &[f32]) -> f64 {
    weights.iter().map(|&weight| f64::from(weight).powi(2)).sum::<f64>().sqrt()
}

/// One word of the columns.
#[derive(Debug)]
pub struct Word {
    /// Its characters.
    pub letters: Box<[char]>,
    /// A bit for each character that it holds, several sharing one.
    pub mask: u64,
    /// ln((1 + names) / (1 + names with this word)) + 1.
    pub weight: f64,
}

impl Word {
    /// How many grams of `length` characters it has.
    fn grams(&self, length: usize) -> usize {
        (self.letters.len() + 3).saturating_sub(length).max(1)
    }
}

/// The distinct names of two columns, and which of them each row holds.
#[derive(Debug)]
pub struct Names {
    /// The name of each row on the left.
    pub left: Vec<u32>,
    /// The name of each row on the right.
    pub right: Vec<u32>,
    /// The distinct names.
    pub texts: Vec<Box<str>>,
    /// The distinct words.
    pub words: Vec<Word>,
    spelled_ends: Vec<u32>,
    spelled: Vec<u32>,
    /// The weighed 3-grams of each name, padded with a space at both ends of each word.
    pub grams: Vectors,
    /// How many features `grams` has.
    pub features: usize,
}

impl Names {
    /// Reads two columns of names; words are what spaces part. None for the right column is a
    /// column to be compared with itself.
    ///
    /// O(characters) time and memory.
    ///
    /// # Errors
    /// If the columns hold no text, or someone asks to stop; [`crate::Error::OutOfBudget`].
    pub fn new(
        left: &Patterns,
        right: Option<&Patterns>,
        budget: &mut Budget,
        monitor: &Monitor,
    ) -> Result<Self> {
        let rows = left.len() + right.map_or(0, Patterns::len);
        budget.take(ROW * rows, "the rows")?;
        for column in std::iter::once(left).chain(right) {
            let mut bytes = 0;
            for row in 0..column.len() {
                if row % BLOCK == 0 {
                    monitor.check()?;
                }
                bytes += text(column, row)?.map_or(0, str::len);
            }
            budget.take(COPIES * bytes, "the rows")?;
        }
        let mut ids: HashMap<Box<str>, u32> = HashMap::new();
        let mut texts: Vec<Box<str>> = vec![];
        let mut read = |column: &Patterns| -> Result<Vec<u32>> {
            (0..column.len())
                .map(|row| {
                    if row % BLOCK == 0 {
                        monitor.check()?;
                    }
                    let Some(text) = text(column, row)? else { return Ok(NO_NAME) };
                    let text = text.trim();
                    if text.is_empty() {
                        return Ok(NO_NAME);
                    }
                    if let Some(&id) = ids.get(text) {
                        return Ok(id);
                    }
                    let id = texts.len() as u32;
                    texts.push(text.into());
                    ids.insert(text.into(), id);
                    Ok(id)
                })
                .collect()
        };
        let left = read(left)?;
        let right = right.map_or_else(|| Ok(left.clone()), &mut read)?;
        // Each text stands in the table and beside it.
        let characters: usize = texts.iter().map(|text| text.len()).sum();
        budget.take(2 * characters + TEXT * texts.len(), "the distinct names")?;
        drop(ids);
        budget.give(characters + TEXT / 2 * texts.len());
        let mut names = Self {
            left,
            right,
            texts,
            words: vec![],
            spelled_ends: vec![],
            spelled: vec![],
            grams: Vectors::default(),
            features: 0,
        };
        names.read_words(monitor)?;
        budget.take(4 * names.spelled.len() + WORD * names.words.len(), "their words")?;
        (names.grams, names.features) = names.weighed(SHORT, budget, monitor)?;
        Ok(names)
    }

    /// How many grams the names of all rows have; of the left rows where they are `alone`.
    pub fn grams_of_rows(&self, alone: bool) -> usize {
        let others = if alone { &[] } else { &self.right[..] };
        let named = self.left.iter().chain(others).filter(|&&name| name != NO_NAME);
        named.map(|&name| self.grams.get(name as usize).0.len()).sum()
    }

    /// Where each name stands in the order of names, from 1 on.
    pub fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.texts.len() as u32).collect();
        order.sort_unstable_by_key(|&name| &self.texts[name as usize]);
        let mut ranks = vec![0; order.len()];
        for (rank, name) in (1..).zip(order) {
            ranks[name as usize] = rank;
        }
        ranks
    }

    /// The words of a name, in order.
    pub fn words_of(&self, name: usize) -> &[u32] {
        let start = if name == 0 { 0 } else { self.spelled_ends[name - 1] };
        &self.spelled[start as usize..self.spelled_ends[name] as usize]
    }

    fn read_words(&mut self, monitor: &Monitor) -> Result<()> {
        let mut ids: HashMap<&str, u32> = HashMap::new();
        let mut rows: Vec<u32> = vec![];
        let mut last: Vec<usize> = vec![];
        for (name, text) in self.texts.iter().enumerate() {
            if name % BLOCK == 0 {
                monitor.check()?;
            }
            for word in text.split_whitespace() {
                let id = *ids.entry(word).or_insert_with(|| {
                    let letters: Box<[char]> = word.chars().collect();
                    let mask = letters.iter().fold(0, |mask, &letter| mask | 1 << place(letter));
                    self.words.push(Word { letters, mask, weight: 0.0 });
                    rows.push(0);
                    last.push(usize::MAX);
                    (rows.len() - 1) as u32
                });
                let id_place = id as usize;
                if last[id_place] != name {
                    last[id_place] = name;
                    rows[id_place] += 1;
                }
                self.spelled.push(id);
            }
            self.spelled_ends.push(self.spelled.len() as u32);
        }
        let names = self.texts.len();
        for (word, &rows) in self.words.iter_mut().zip(&rows) {
            word.weight = rarity(names, rows as usize);
        }
        Ok(())
    }

    /// The weighed grams of each name, of `length` characters, and how many distinct ones there are.
    fn weighed(
        &self,
        length: usize,
        budget: &mut Budget,
        monitor: &Monitor,
    ) -> Result<(Vectors, usize)> {
        let most: usize =
            self.spelled.iter().map(|&word| self.words[word as usize].grams(length)).sum();
        budget.take(8 * most + 12 * self.texts.len(), "their grams")?;
        // Of each word once: many names share it.
        let mut ids: HashMap<u128, u32, BuildHasherDefault<Mix>> = HashMap::default();
        let mut of_words: Vec<u32> = vec![];
        let mut ends: Vec<usize> = Vec::with_capacity(self.words.len());
        for (at, word) in self.words.iter().enumerate() {
            if at % BLOCK == 0 {
                monitor.check()?;
            }
            grams(&word.letters, length, |gram| {
                let next = ids.len() as u32;
                of_words.push(*ids.entry(gram).or_insert(next));
            });
            ends.push(of_words.len());
        }
        let cached = 8 * (of_words.len() + ends.len());
        budget.take(FEATURE * ids.len() + cached, "the distinct grams")?;
        let mut rows = vec![0_u32; ids.len()];
        drop(ids);
        let mut vectors = Vectors::with_capacity(self.texts.len(), most);
        let mut found: Vec<u32> = vec![];
        for name in 0..self.texts.len() {
            if name % BLOCK == 0 {
                monitor.check()?;
            }
            found.clear();
            for &word in self.words_of(name) {
                let start = if word == 0 { 0 } else { ends[word as usize - 1] };
                found.extend(&of_words[start..ends[word as usize]]);
            }
            found.sort_unstable();
            for same in found.chunk_by(|a, b| a == b) {
                rows[same[0] as usize] += 1;
                vectors.features.push(same[0]);
                vectors.weights.push(same.len() as f32);
            }
            vectors.ends.push(vectors.features.len());
        }
        budget.give(8 * (most - vectors.features.len()) + cached);
        let names = self.texts.len();
        let weights: Vec<f32> =
            rows.iter().map(|&rows| rarity(names, rows as usize) as f32).collect();
        vectors.weigh(&weights);
        vectors.rarest_first(weights.len(), monitor)?;
        Ok((vectors, weights.len()))
    }

    /// The vectors to find candidates by, and how many features they have: 3-grams, or of many
    /// names 5-grams, each of which fewer names share.
    ///
    /// # Errors
    /// [`crate::Error::OutOfBudget`]; if someone asks to stop.
    pub fn blocks(
        &self,
        budget: &mut Budget,
        monitor: &Monitor,
    ) -> Result<Option<(Vectors, usize)>> {
        if self.texts.len() <= MANY {
            return Ok(None);
        }
        self.weighed(LONG, budget, monitor).map(Some)
    }
}

/// How informative it is to hold what `rows` of `all` names do, in nats.
fn rarity(all: usize, rows: usize) -> f64 {
    ((1 + all) as f64 / (1 + rows) as f64).ln() + 1.0
}

/// The bit of a character.
fn place(letter: char) -> u32 {
    u32::from(letter) & 63
}

/// Calls `take` with each gram of `length` characters of a word between two spaces, or with all of
/// it if it has fewer; 21 bits hold a character, so that 6 fit.
fn grams(word: &[char], length: usize, mut take: impl FnMut(u128)) {
    let at = |place: usize| match place.checked_sub(1).and_then(|place| word.get(place)) {
        Some(&letter) => u128::from(u32::from(letter)),
        None => u128::from(u32::from(' ')),
    };
    let padded = word.len() + 2;
    let length = length.min(padded);
    for start in 0..=padded - length {
        take((start..start + length).fold(0, |gram, place| gram << 21 | at(place)));
    }
}

/// Hashes a number by one multiplication: Python's users choose no gram to collide.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.write_u64((number >> 64) as u64);
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 32;
    }
}
