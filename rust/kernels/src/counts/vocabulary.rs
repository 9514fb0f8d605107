//! N-grams in the order of their strings, kept to count others' rows by.

use rayon::prelude::*;

use super::csr::{Counted, Matrix};
use super::intern::{Interner, StringList, Strings};
use super::ngrams::{MAX_ORDER, NONE, Orders, number};
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
    /// Tokens of each n-gram, and where every so manieth starts: a byte an n-gram.
    lengths: Vec<u8>,
    starts: Vec<usize>,
}

/// N-grams or tokens that a thread takes at a time.
const PIECE: usize = 1 << 15;
/// N-grams from one stated start to the next.
const STRIDE: usize = 32;

impl Vocabulary {
    /// The n-grams `grams`, sorted, over all of `words`, of which it keeps those that it needs.
    pub(crate) fn new<G: AsRef<[u32]>>(
        orders: Orders,
        words: &impl StringList,
        grams: impl Iterator<Item = G> + Clone,
    ) -> Self {
        // Counted first: memory that doubles as it grows would be the most of all.
        let (mut count, mut tokens) = (0, 0);
        for gram in grams.clone() {
            count += 1;
            tokens += gram.as_ref().len();
        }
        let mut vocabulary = Self {
            orders: Some(orders),
            words: Strings::default(),
            symbols: Vec::with_capacity(tokens),
            lengths: Vec::with_capacity(count),
            starts: Vec::with_capacity(count / STRIDE + 1),
        };
        for gram in grams {
            vocabulary.push(gram.as_ref());
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

    /// The n-grams of one token each, those only for which `kept` has a column.
    pub(crate) fn of_words(orders: Orders, words: Strings, kept: Option<&[u32]>) -> Self {
        if let Some(kept) = kept {
            let grams = (0..words.len()).filter(|&at| kept[at] != NONE);
            return Self::new(orders, &words, grams.map(|at| [at as u32 + 1]));
        }
        let symbols: Vec<u32> = (1..=words.len() as u32).collect();
        let starts = (0..words.len()).step_by(STRIDE).collect();
        let lengths = vec![1; words.len()];
        Self { orders: Some(orders), words, symbols, lengths, starts }
    }

    /// The n-grams that start at `starts` in a sequence, with so many tokens, sorted; those only
    /// for which `kept` has a column.
    pub(crate) fn of_windows(
        orders: Orders,
        sequence: Sequence,
        starts: &[u32],
        lengths: &[u8],
        kept: Option<&[u32]>,
    ) -> Self {
        let pieces: Vec<_> =
            (0..starts.len()).step_by(PIECE).map(|at| at..(at + PIECE).min(starts.len())).collect();
        let stays = |id: usize| kept.is_none_or(|kept| kept[id] != NONE);
        let sizes: Vec<(usize, usize)> = pieces
            .par_iter()
            .map(|piece| {
                let own = piece.clone().filter(|&id| stays(id));
                own.fold((0, 0), |sum, id| (sum.0 + 1, sum.1 + usize::from(lengths[id])))
            })
            .collect();
        // Counted first: memory that doubles as it grows would be the most of all.
        let mut vocabulary = Self {
            orders: Some(orders),
            words: Strings::default(),
            symbols: vec![0; sizes.iter().map(|size| size.1).sum()],
            lengths: vec![0; sizes.iter().map(|size| size.0).sum()],
            starts: vec![],
        };
        let mut tasks = vec![];
        let (mut symbols_left, mut lengths_left) =
            (&mut vocabulary.symbols[..], &mut vocabulary.lengths[..]);
        for (piece, (grams, tokens)) in pieces.into_iter().zip(sizes) {
            let (symbols, others) = symbols_left.split_at_mut(tokens);
            symbols_left = others;
            let (lengths, others) = lengths_left.split_at_mut(grams);
            lengths_left = others;
            tasks.push((piece, symbols, lengths));
        }
        let none = || vec![false; sequence.words.len() + 1];
        let used = tasks
            .into_par_iter()
            .fold(none, |mut used, (piece, mut symbols, own)| {
                for (own, id) in own.iter_mut().zip(piece.filter(|&id| stays(id))) {
                    *own = lengths[id];
                    let start = starts[id] as usize;
                    let gram = &sequence.symbols[start..start + usize::from(*own)];
                    let (mine, others) = symbols.split_at_mut(gram.len());
                    mine.copy_from_slice(gram);
                    symbols = others;
                    gram.iter().for_each(|&symbol| used[symbol as usize] = true);
                }
                used
            })
            .reduce(none, |mut used, other| {
                used.iter_mut().zip(other).for_each(|(used, other)| *used |= other);
                used
            });
        let mut sum = 0;
        for lengths in vocabulary.lengths.chunks(STRIDE) {
            vocabulary.starts.push(sum);
            sum += lengths.iter().map(|&length| usize::from(length)).sum::<usize>();
        }
        if used.iter().skip(1).all(|&used| used) {
            vocabulary.words = sequence.words;
            return vocabulary;
        }
        let mut places = vec![END; used.len()];
        for (symbol, _) in used.iter().enumerate().skip(1).filter(|(_, used)| **used) {
            vocabulary.words.push(sequence.words.get(symbol - 1));
            places[symbol] = vocabulary.words.len() as u32;
        }
        vocabulary.symbols.par_chunks_mut(PIECE).for_each(|symbols| {
            symbols.iter_mut().for_each(|symbol| *symbol = places[*symbol as usize]);
        });
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
        // Longer than any n-gram that is counted: a term that no row has.
        for gram in grams.iter_mut().filter(|gram| gram.len() > MAX_ORDER) {
            gram.clear();
        }
        columns.sort_by_key(|&term| &grams[term as usize]);
        let sorted = columns.iter().map(|&term| &grams[term as usize]);
        (Self::new(orders, &words, sorted), columns)
    }

    /// The tokens, and the numbers of the n-grams' tokens end to end with how many each has: all
    /// there is to it.
    pub fn parts(&self) -> (Vec<&[u8]>, &[u32], &[u8]) {
        let words = (0..self.words.len()).map(|at| self.words.get(at)).collect();
        (words, &self.symbols, &self.lengths)
    }

    pub(crate) fn words_ref(&self) -> &Strings {
        &self.words
    }

    /// The tokens, the n-grams' tokens, and how many each has.
    pub(crate) fn into_parts(self) -> (Strings, Vec<u32>, Vec<u8>) {
        (self.words, self.symbols, self.lengths)
    }

    /// What [`Vocabulary::parts`] gave.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] if parts contradict each other.
    pub fn of_parts<'a>(
        orders: Orders,
        words: impl Iterator<Item = &'a [u8]>,
        symbols: &[u32],
        lengths: &[u8],
    ) -> Result<Self> {
        let mut own = Strings::default();
        words.for_each(|word| own.push(word));
        let sorted = (1..own.len()).all(|at| own.get(at - 1) < own.get(at));
        let total: usize = lengths.iter().map(|&length| usize::from(length)).sum();
        let known = symbols.iter().all(|&symbol| symbol != END && symbol as usize <= own.len());
        if sorted && known && total == symbols.len() {
            let mut vocabulary = Self { orders: Some(orders), words: own, ..Self::default() };
            let mut rest = symbols;
            for &length in lengths {
                let (gram, others) = rest.split_at(usize::from(length));
                vocabulary.push(gram);
                rest = others;
            }
            let ascending = |at: usize| vocabulary.gram(at - 1) < vocabulary.gram(at);
            if (1..vocabulary.len()).all(ascending) {
                return Ok(vocabulary);
            }
        }
        Err(crate::Error::corrupt("the parts of a vocabulary contradict each other"))
    }

    fn push(&mut self, gram: &[u32]) {
        if self.lengths.len().is_multiple_of(STRIDE) {
            self.starts.push(self.symbols.len());
        }
        self.symbols.extend_from_slice(gram);
        self.lengths.push(gram.len() as u8);
    }

    /// N-grams.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    pub(crate) fn gram(&self, at: usize) -> &[u32] {
        let stated = at / STRIDE;
        let between = &self.lengths[stated * STRIDE..at];
        let between: usize = between.iter().map(|&length| usize::from(length)).sum();
        let start = self.starts[stated] + between;
        &self.symbols[start..start + usize::from(self.lengths[at])]
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
        let mut counted = match found {
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
