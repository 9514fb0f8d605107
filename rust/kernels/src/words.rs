//! Words of a row, numbered, and counts of their n-grams.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A hasher that is fast on short keys; maps compare the keys themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixer(u64);

/// Makes [`Mixer`]s.
pub type Fast = BuildHasherDefault<Mixer>;

impl Mixer {
    fn mix(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(chunk.try_into().map_or(0, u64::from_le_bytes));
        }
        let mut last = [0; 8];
        last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
        self.mix(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The words of a row.
#[derive(Debug, Default)]
pub struct Words {
    /// A number for each word, the same for the same one.
    pub ids: Vec<u32>,
    /// All words with a space between two, and where each starts and ends.
    pub spaced: Vec<u8>,
    pub spans: Vec<(usize, usize)>,
    /// All words without anything between them, and where each ends.
    pub packed: Vec<u8>,
    pub ends: Vec<usize>,
    /// Characters of all words up to each.
    pub characters: Vec<usize>,
}

impl Words {
    /// What whitespace separates, as Python's `str.split` does.
    pub fn of(text: &[u8]) -> Self {
        // Rows of a binary column may be no text: each invalid byte is a character of a word.
        let mut words = vec![];
        let (mut start, mut at) = (None, 0);
        for chunk in text.utf8_chunks() {
            for character in chunk.valid().chars() {
                if is_space(character) {
                    words.extend(start.take().map(|start| &text[start..at]));
                } else {
                    start.get_or_insert(at);
                }
                at += character.len_utf8();
            }
            if !chunk.invalid().is_empty() {
                start.get_or_insert(at);
                at += chunk.invalid().len();
            }
        }
        words.extend(start.map(|start| &text[start..]));
        Self::new(words.into_iter())
    }

    /// Words that someone else has found.
    pub fn new<'a>(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut known: HashMap<&[u8], u32, Fast> = HashMap::default();
        let mut found = Self::default();
        let mut characters = 0;
        for word in words {
            let next = known.len() as u32;
            found.ids.push(*known.entry(word).or_insert(next));
            if !found.spans.is_empty() {
                found.spaced.push(b' ');
            }
            let start = found.spaced.len();
            found.spaced.extend(word);
            found.spans.push((start, found.spaced.len()));
            found.packed.extend(word);
            found.ends.push(found.packed.len());
            characters += length(word);
            found.characters.push(characters);
        }
        found
    }

    /// Characters of so many words from one on, without spaces.
    pub fn characters(&self, from: usize, words: usize) -> usize {
        let before = from.checked_sub(1).map_or(0, |before| self.characters[before]);
        self.characters[from + words - 1] - before
    }

    /// So many words from one on, with spaces.
    pub fn spaced(&self, from: usize, words: usize) -> &[u8] {
        &self.spaced[self.spans[from].0..self.spans[from + words - 1].1]
    }

    /// So many words from one on, without spaces.
    pub fn packed(&self, from: usize, words: usize) -> &[u8] {
        let start = from.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.packed[start..self.ends[from + words - 1]]
    }

    /// The places at which n-grams start.
    pub fn places(&self, n: usize) -> std::ops::Range<usize> {
        0..(self.ids.len() + 1).saturating_sub(n)
    }
}

/// What Python calls a space.
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Characters of a text; bytes of what is none count one by one.
pub fn length(text: &[u8]) -> usize {
    match std::str::from_utf8(text) {
        Ok(text) => text.chars().count(),
        Err(_) => text
            .utf8_chunks()
            .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
            .sum(),
    }
}

/// Numbers tokens in their order, from 0 on.
pub fn number(tokens: &[u32]) -> Vec<u32> {
    let mut sorted = tokens.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    tokens.iter().map(|token| sorted.partition_point(|other| other < token) as u32).collect()
}

/// How often each n-gram occurs, in the order in which they first do, with where they first do.
pub fn counts<T: Hash + Eq>(items: &[T], n: usize) -> Vec<(usize, u64)> {
    counts_of((0..(items.len() + 1).saturating_sub(n)).map(|at| &items[at..at + n]))
}

/// How often each of some things occurs, in the order in which they first do, with where they do.
pub fn counts_of<K: Hash + Eq>(things: impl Iterator<Item = K>) -> Vec<(usize, u64)> {
    // Room for all of them: to grow step by step would take longer than to count.
    let room = things.size_hint().0;
    let mut known: HashMap<K, usize, Fast> =
        HashMap::with_capacity_and_hasher(room, Fast::default());
    let mut counts: Vec<(usize, u64)> = Vec::with_capacity(room);
    for (at, thing) in things.enumerate() {
        let next = counts.len();
        let number = *known.entry(thing).or_insert(next);
        if number == next {
            counts.push((at, 0));
        }
        counts[number].1 += 1;
    }
    counts
}
