//! N-grams in the order of their strings, kept to count others' rows by.

use super::csr::{Counted, Matrix};
use super::intern::{Interner, Strings};
use super::ngrams::{NONE, Orders, number};
use super::tokenise::{END, Sequence};
use crate::error::Result;
use crate::interrupt::Monitor;

/// How a string spells an n-gram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// It is one token.
    Whole,
    /// Its tokens stand between blanks.
    Blanks,
    /// Its tokens are characters.
    Characters,
}

/// Distinct n-grams, sorted.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    orders: Option<Orders>,
    /// The tokens of the n-grams, sorted.
    words: Strings,
    /// N-grams as numbers of tokens from 1 on, end to end.
    symbols: Vec<u32>,
    ends: Vec<usize>,
}

impl Vocabulary {
    /// The n-grams `grams`, sorted, over all of `words`, of which it keeps those that it needs.
    pub(crate) fn new<G: AsRef<[u32]>>(
        orders: Orders,
        words: &Strings,
        grams: impl Iterator<Item = G>,
    ) -> Self {
        let mut vocabulary =
            Self { orders: Some(orders), words: Strings::default(), symbols: vec![], ends: vec![] };
        for gram in grams {
            vocabulary.symbols.extend_from_slice(gram.as_ref());
            vocabulary.ends.push(vocabulary.symbols.len());
        }
        let mut places = vec![0u32; words.len() + 1];
        for &symbol in &vocabulary.symbols {
            places[symbol as usize] = 1;
        }
        for (at, place) in places.iter_mut().enumerate().skip(1).filter(|(_, place)| **place > 0) {
            vocabulary.words.push(words.get(at - 1));
            *place = vocabulary.words.len() as u32;
        }
        for symbol in &mut vocabulary.symbols {
            *symbol = places[*symbol as usize];
        }
        vocabulary
    }

    /// The n-grams that strings spell, and of each which string it was: tokens of characters, or
    /// joined by blanks, or the whole string.
    pub fn of_terms(terms: &[String], orders: Orders, spelling: Spelling) -> (Self, Vec<u32>) {
        let mut interner = Interner::default();
        let mut grams: Vec<Vec<u32>> = terms
            .iter()
            .map(|term| match spelling {
                Spelling::Whole => vec![interner.intern_bytes(term.as_bytes())],
                Spelling::Blanks => {
                    term.split(' ').map(|word| interner.intern_bytes(word.as_bytes())).collect()
                }
                Spelling::Characters => term
                    .chars()
                    .map(|c| interner.intern_bytes(c.encode_utf8(&mut [0; 4]).as_bytes()))
                    .collect(),
            })
            .collect();
        let order = interner.strings().order();
        let mut places = vec![0; order.len()];
        let mut words = Strings::default();
        for id in order {
            words.push(interner.strings().get(id as usize));
            places[id as usize] = words.len() as u32;
        }
        for symbol in grams.iter_mut().flatten() {
            *symbol = places[*symbol as usize];
        }
        let mut columns: Vec<u32> = (0..terms.len() as u32).collect();
        columns.sort_by_key(|&term| &grams[term as usize]);
        let sorted = columns.iter().map(|&term| &grams[term as usize]);
        (Self::new(orders, &words, sorted), columns)
    }

    /// The tokens, and the numbers of the n-grams' tokens end to end with each one's end: all there
    /// is to it.
    pub fn parts(&self) -> (Vec<&[u8]>, &[u32], &[usize]) {
        let words = (0..self.words.len()).map(|at| self.words.get(at)).collect();
        (words, &self.symbols, &self.ends)
    }

    /// What [`Vocabulary::parts`] gave.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] if parts contradict each other.
    pub fn of_parts<'a>(
        orders: Orders,
        words: impl Iterator<Item = &'a [u8]>,
        symbols: Vec<u32>,
        ends: Vec<usize>,
    ) -> Result<Self> {
        let mut own = Strings::default();
        words.for_each(|word| own.push(word));
        let sorted = (1..own.len()).all(|at| own.get(at - 1) < own.get(at));
        let whole = ends.is_sorted() && ends.last().copied().unwrap_or(0) == symbols.len();
        let known = symbols.iter().all(|&symbol| symbol != END && symbol as usize <= own.len());
        let vocabulary = Self { orders: Some(orders), words: own, symbols, ends };
        let ascending = |at: usize| vocabulary.gram(at - 1) < vocabulary.gram(at);
        if sorted && whole && known && (1..vocabulary.len()).all(ascending) {
            return Ok(vocabulary);
        }
        Err(crate::Error::corrupt("the parts of a vocabulary contradict each other"))
    }

    /// N-grams.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) fn gram(&self, at: usize) -> &[u32] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.symbols[start..self.ends[at]]
    }

    /// The n-grams as strings end to end, and where each ends; tokens joined by `joint`.
    pub fn names(&self, joint: &str, write: impl Fn(&[u8], &mut Vec<u8>)) -> (Vec<u8>, Vec<i64>) {
        let (mut bytes, mut ends) = (vec![], Vec::with_capacity(self.len() + 1));
        ends.push(0);
        for at in 0..self.len() {
            for (place, &symbol) in self.gram(at).iter().enumerate() {
                if place > 0 {
                    bytes.extend_from_slice(joint.as_bytes());
                }
                write(self.words.get(symbol as usize - 1), &mut bytes);
            }
            ends.push(bytes.len() as i64);
        }
        (bytes, ends)
    }

    /// Counts this vocabulary's n-grams in other rows. The n-gram `n` is column `columns[n]`, or
    /// `n` itself.
    ///
    /// # Errors
    /// [`crate::Error::OutOfBudget`] for more than 2^32 tokens; [`crate::Error::Interrupted`].
    pub fn count(
        &self,
        mut sequence: Sequence,
        columns: Option<&[u32]>,
        binary: bool,
        monitor: &Monitor,
    ) -> Result<Matrix> {
        let Some(orders) = self.orders else { return Ok(Matrix::default()) };
        // To the vocabulary's numbers; what it does not know is above them all, and stays apart so
        // that units keep their lengths.
        let unknown = self.words.len() as u32 + 1;
        let mut places = vec![END];
        let mut from = 0;
        for at in 0..sequence.words.len() {
            let word = sequence.words.get(at);
            // Sorted as well: each is at or behind the one before.
            let found = gallop(from, self.words.len(), |at| self.words.get(at) < word);
            let known = found < self.words.len() && self.words.get(found) == word;
            places.push(if known { found as u32 + 1 } else { unknown });
            from = found;
        }
        for symbol in &mut sequence.symbols {
            *symbol = places[*symbol as usize];
        }
        sequence.words = self.words.clone();
        sequence.words.push(b"");
        let found = if orders.most == 1 { None } else { Some(number(&sequence, orders, monitor)?) };
        let mut from = 0;
        let mut column = |gram: &[u32]| {
            from = gallop(from, self.len(), |at| self.gram(at) < gram);
            let known = from < self.len() && self.gram(from) == gram;
            if !known {
                return NONE;
            }
            columns.map_or(from as u32, |columns| columns[from])
        };
        let map: Vec<u32> = match &found {
            None => (1..=unknown).map(|symbol| column(&[symbol])).collect(),
            Some(found) => found
                .starts
                .iter()
                .zip(&found.lengths)
                .map(|(&at, &length)| {
                    column(&sequence.symbols[at as usize..at as usize + usize::from(length)])
                })
                .collect(),
        };
        let counted = match found {
            None => Counted::new(sequence, orders, monitor)?,
            Some(found) => Counted::of(sequence, orders, found, monitor)?,
        };
        counted.matrix(Some(&map), binary, columns.is_some(), monitor)
    }
}

/// The first place from `from` on, at most `length`, where `before` no longer holds.
pub(crate) fn gallop(from: usize, length: usize, before: impl Fn(usize) -> bool) -> usize {
    let mut step = 1;
    let (mut low, mut high) = (from, from);
    while high < length && before(high) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = high.min(length);
    while low < high {
        let middle = low.midpoint(high);
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
