//! Rows of text into sequences of token numbers: one pass, no string made but for new tokens.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::characters::{Characters, SPACE, WORD, is_space, is_word};
use super::intern::{Interner, MAX_STRINGS, PADDING, StringList, Strings};
use crate::corpus::Rows;
use crate::error::{Error, Result};

/// What the tokens of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Analyzer {
    /// Runs of word characters, of `least` at least: 2 is scikit-learn's `(?u)\b\w\w+\b`.
    Words {
        /// The fewest characters of a word.
        least: usize,
    },
    /// What white space separates: Python's `str.split()`.
    Pieces,
    /// Words, and what is neither word nor white space: `\w+|[^\w\s]`, or `[^\w\s]+` in runs.
    WordsAndMarks {
        /// Whether marks side by side are one token.
        runs: bool,
    },
    /// Characters; runs of white space become one blank.
    Characters,
    /// Characters of each piece with a blank on both sides: scikit-learn's `char_wb`.
    CharactersInWords,
    /// Rows of token numbers.
    Numbers,
}

impl Analyzer {
    /// Whether tokens are characters, which are joined without a blank.
    pub fn is_characters(self) -> bool {
        matches!(self, Self::Characters | Self::CharactersInWords)
    }
}

/// How rows become tokens.
#[derive(Clone, Debug)]
pub struct Tokeniser {
    /// What the tokens are.
    pub analyzer: Analyzer,
    /// Whether text is lowered first.
    pub lowercase: bool,
    /// What letters and white space are.
    pub characters: Arc<Characters>,
    /// Tokens to leave out.
    pub stop_words: Arc<HashSet<Vec<u8>>>,
}

/// Reused memory of one row's text, padded, and which of its bytes are of words.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) text: Vec<u8>,
    mask: Vec<u64>,
}

const BLOCK: usize = 64;

/// One bit a byte: whether `holds` for it.
#[inline]
fn ascii_mask(block: &[u8; BLOCK], holds: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0u8; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(holds(byte));
    }
    let mut mask = 0;
    for (at, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        // Each of the products' bits lands alone; the eight that are wanted in the top byte.
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= bits << (8 * at);
    }
    mask
}

impl Tokeniser {
    /// Lowers a row into the scratch and pads it; gives its length.
    fn prepare(&self, row: &str, scratch: &mut Scratch) -> usize {
        scratch.text.clear();
        if self.lowercase {
            self.characters.lower(row, &mut scratch.text);
        } else {
            scratch.text.extend_from_slice(row.as_bytes());
        }
        let length = scratch.text.len();
        scratch.text.resize(length.next_multiple_of(BLOCK) + PADDING, 0);
        length
    }

    /// Calls `each` with the padded text, and the start and stop in it, of every token of a row.
    ///
    /// Tokens of characters are no strings: see [`Tokeniser::characters_of`].
    pub(crate) fn tokens(
        &self,
        row: &str,
        scratch: &mut Scratch,
        mut each: impl FnMut(&[u8], usize, usize),
    ) {
        let length = self.prepare(row, scratch);
        match self.analyzer {
            Analyzer::Words { least } => self.words(length, least, scratch, each),
            Analyzer::WordsAndMarks { runs } => {
                let class = |flags: u8| match flags {
                    flags if flags & WORD != 0 => 1,
                    flags if flags & SPACE != 0 => 0,
                    _ if runs => 2,
                    _ => 3,
                };
                self.runs(&scratch.text, length, class, |start, stop| {
                    each(&scratch.text, start, stop);
                });
            }
            _ => {
                if let Some(separators) = self.characters.separators() {
                    self.pieces(length, separators, scratch, each);
                    return;
                }
                let class = |flags: u8| u8::from(flags & SPACE == 0);
                self.runs(&scratch.text, length, class, |start, stop| {
                    each(&scratch.text, start, stop);
                });
            }
        }
    }

    fn words(
        &self,
        length: usize,
        least: usize,
        scratch: &mut Scratch,
        mut each: impl FnMut(&[u8], usize, usize),
    ) {
        let Scratch { text, mask } = scratch;
        mask.clear();
        mask.extend(text.as_chunks().0.iter().map(|block| ascii_mask(block, is_word)));
        let ascii = text[..length].is_ascii();
        if !ascii {
            Self::mark(&text[..length], mask, |c| self.characters.is_word(c));
        }
        each_run(mask, |start, stop| {
            let short = stop - start < least
                || (!ascii && least > 1 && characters_in(&text[start..stop]) < least);
            if !short {
                each(text, start, stop);
            }
        });
    }

    fn pieces(
        &self,
        length: usize,
        separators: bool,
        scratch: &mut Scratch,
        mut each: impl FnMut(&[u8], usize, usize),
    ) {
        let Scratch { text, mask } = scratch;
        mask.clear();
        let space = |byte| is_space(byte, separators);
        mask.extend(text.as_chunks().0.iter().map(|block| ascii_mask(block, space)));
        if !text[..length].is_ascii() {
            Self::mark(&text[..length], mask, |c| self.characters.is_space(c));
        }
        for bits in &mut *mask {
            *bits = !*bits;
        }
        // What the text is padded with is no piece.
        mask[length / BLOCK] &= (1 << (length % BLOCK)) - 1;
        mask[length / BLOCK + 1..].fill(0);
        each_run(mask, |start, stop| each(text, start, stop));
    }

    /// Sets the bits of the characters beyond ASCII that `holds` is true for.
    fn mark(text: &[u8], mask: &mut [u64], holds: impl Fn(char) -> bool) {
        let text = std::str::from_utf8(text).unwrap_or_default();
        for (at, c) in text.char_indices().filter(|(_, c)| !c.is_ascii()) {
            if holds(c) {
                for byte in at..at + c.len_utf8() {
                    mask[byte / BLOCK] |= 1 << (byte % BLOCK);
                }
            }
        }
    }

    /// Calls `each` with every longest run of a class, alone if the class is 3, none if it is 0.
    fn runs(
        &self,
        text: &[u8],
        length: usize,
        class: impl Fn(u8) -> u8,
        mut each: impl FnMut(usize, usize),
    ) {
        let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
        let (mut start, mut open) = (0, 0);
        if text.is_ascii() {
            let mut classes = [0; 128];
            for (class_of, code) in classes.iter_mut().zip(0..) {
                *class_of = class(self.characters.flags(code));
            }
            for (at, &byte) in text.as_bytes().iter().enumerate() {
                let next = classes[usize::from(byte & 127)];
                if next != open || next == 3 {
                    if open != 0 {
                        each(start, at);
                    }
                    (start, open) = (at, next);
                }
            }
            if open != 0 {
                each(start, length);
            }
            return;
        }
        for (at, c) in text.char_indices() {
            let next = class(self.characters.flags(c.into()));
            if next != open || next == 3 {
                if open != 0 {
                    each(start, at);
                }
                (start, open) = (at, next);
            }
        }
        if open != 0 {
            each(start, length);
        }
    }

    /// Calls `each` with every character of a row, and with `None` behind each unit of them.
    pub(crate) fn characters_of(
        &self,
        row: &str,
        scratch: &mut Scratch,
        mut each: impl FnMut(Option<char>),
    ) {
        let length = self.prepare(row, scratch);
        let text = std::str::from_utf8(&scratch.text[..length]).unwrap_or_default();
        if self.analyzer == Analyzer::CharactersInWords {
            let mut open = false;
            for c in text.chars() {
                if self.characters.is_space(c) {
                    if open {
                        each(Some(' '));
                        each(None);
                    }
                    open = false;
                } else {
                    if !open {
                        each(Some(' '));
                    }
                    each(Some(c));
                    open = true;
                }
            }
            if open {
                each(Some(' '));
                each(None);
            }
            return;
        }
        let mut space = None;
        let mut several = false;
        for c in text.chars() {
            if self.characters.is_space(c) {
                several = space.is_some();
                space = space.or(Some(c));
                continue;
            }
            if let Some(only) = space.take() {
                each(Some(if several { ' ' } else { only }));
                several = false;
            }
            each(Some(c));
        }
        if let Some(only) = space {
            each(Some(if several { ' ' } else { only }));
        }
        each(None);
    }
}

/// Calls `each` with the start and stop of every longest run of bits; the last bit is none.
#[inline]
fn each_run(mask: &[u64], mut each: impl FnMut(usize, usize)) {
    let mut open = None;
    let mut before = 0;
    for (block, &bits) in mask.iter().enumerate() {
        // A bit wherever a run starts or has ended.
        let mut edges = bits ^ (bits << 1 | before);
        before = bits >> 63;
        while edges != 0 {
            let at = block * BLOCK + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            match open.take() {
                None => open = Some(at),
                Some(start) => each(start, at),
            }
        }
    }
}

fn characters_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| crate::symbol::starts_character(byte)).count()
}

/// Ends a unit in a sequence: no n-gram spans it.
pub(crate) const END: u32 = 0;

/// Token numbers of many rows: 1 and up, in the order of their strings; 0 behind each unit.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    /// The numbers.
    pub symbols: Vec<u32>,
    /// Where each row ends.
    pub row_ends: Vec<usize>,
    /// The string of number `n` at `n - 1`, sorted.
    pub(crate) words: Strings,
}

impl Sequence {
    /// Rows.
    pub fn rows(&self) -> usize {
        self.row_ends.len()
    }

    /// The symbols of one row.
    pub(crate) fn row(&self, row: usize) -> &[u32] {
        let start = row.checked_sub(1).map_or(0, |before| self.row_ends[before]);
        &self.symbols[start..self.row_ends[row]]
    }

    /// The strings of all tokens, in order.
    pub fn names(&self, write: impl Fn(&[u8]) -> String) -> Vec<String> {
        (0..self.words.len()).map(|at| write(self.words.get(at))).collect()
    }

    /// The rows without tokens that occur fewer than `least` times: what stood beside them is then
    /// side by side.
    pub fn without_rare(mut self, least: u64) -> Self {
        let mut counts = vec![0u64; self.words.len() + 1];
        for &symbol in &self.symbols {
            counts[symbol as usize] += 1;
        }
        let mut places = vec![END; counts.len()];
        let mut words = Strings::default();
        for at in (1..counts.len()).filter(|&at| counts[at] >= least) {
            words.push(self.words.get(at - 1));
            places[at] = words.len() as u32;
        }
        let mut symbols = Vec::with_capacity(self.symbols.len());
        let mut from = 0;
        for end in &mut self.row_ends {
            let row = &self.symbols[from..*end];
            from = *end;
            let kept = |symbol: &u32| *symbol == END || places[*symbol as usize] != END;
            symbols.extend(row.iter().filter(|&symbol| kept(symbol)).map(|&s| places[s as usize]));
            *end = symbols.len();
        }
        Self { symbols, row_ends: self.row_ends, words }
    }

    /// Tokens of all rows.
    pub fn tokens(&self) -> usize {
        self.symbols.iter().filter(|&&symbol| symbol != END).count()
    }

    /// Distinct tokens.
    pub fn distinct(&self) -> usize {
        self.words.len()
    }
}

/// A sink of rows that reads some of a column's stretches, others reading those between.
pub trait Reader: Rows + Send {
    /// The next row's number, for messages.
    fn set_row(&mut self, row: u64);

    /// Ends a stretch of rows.
    fn cut(&mut self);

    /// Takes a row whose n-grams are known.
    ///
    /// # Errors
    /// As [`Rows::push_bytes`].
    fn push_given(&mut self, grams: &mut dyn Iterator<Item = &[u8]>) -> Result<()>;
}

impl Reader for Shard {
    fn set_row(&mut self, row: u64) {
        self.row = row;
    }

    fn cut(&mut self) {
        self.cuts.push(self.row_ends.len());
    }

    fn push_given(&mut self, grams: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        for gram in grams {
            let id = self.interner.intern_bytes(gram);
            self.symbols.push(id + 1);
        }
        self.symbols.push(END);
        self.end_row()
    }
}

/// What one thread reads: rows with token numbers of its own.
#[derive(Debug)]
pub struct Shard {
    tokeniser: Arc<Tokeniser>,
    interner: Interner,
    symbols: Vec<u32>,
    row_ends: Vec<usize>,
    /// Rows, at the end of each stretch of rows that another shard goes on from.
    cuts: Vec<usize>,
    row: u64,
    stop: Vec<bool>,
    scratch: Scratch,
}

impl Shard {
    /// Without rows.
    pub fn new(tokeniser: Arc<Tokeniser>) -> Self {
        Self {
            tokeniser,
            interner: Interner::default(),
            symbols: vec![],
            row_ends: vec![],
            cuts: vec![],
            row: 0,
            stop: vec![],
            scratch: Scratch::default(),
        }
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.interner.memory() + self.symbols.capacity() * 4 + self.row_ends.capacity() * 8
    }

    fn push_text(&mut self, row: &str) {
        let Self { tokeniser, interner, symbols, scratch, stop, .. } = self;
        if tokeniser.analyzer.is_characters() {
            tokeniser.characters_of(row, scratch, |c| {
                symbols.push(c.map_or(END, |c| u32::from(c) + 1));
            });
            return;
        }
        if tokeniser.stop_words.is_empty() {
            tokeniser.tokens(row, scratch, |text, start, stop| {
                symbols.push(interner.intern(text, start, stop) + 1);
            });
        } else {
            tokeniser.tokens(row, scratch, |text, start, end| {
                let id = interner.intern(text, start, end);
                if id as usize == stop.len() {
                    stop.push(tokeniser.stop_words.contains(&text[start..end]));
                }
                if !stop[id as usize] {
                    symbols.push(id + 1);
                }
            });
        }
        symbols.push(END);
    }

    fn end_row(&mut self) -> Result<()> {
        self.row_ends.push(self.symbols.len());
        self.row += 1;
        if self.symbols.len() >= u32::MAX as usize || self.interner.len() >= MAX_STRINGS {
            return Err(Error::OutOfBudget(format!(
                "the rows up to {} have more than 2^32 tokens, which are too many to count at \
                 once; count them in parts, or give memory",
                self.row
            )));
        }
        Ok(())
    }
}

impl Rows for Shard {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        if self.tokeniser.analyzer == Analyzer::Numbers {
            return Err(Error::UnsupportedType(
                "the column holds text, which analyzer=\"token\" does not cut; give lists of \
                 tokens, or another analyzer"
                    .into(),
            ));
        }
        if let Some(row) = row {
            let text = std::str::from_utf8(row).map_err(|error| {
                Error::InvalidInput(format!(
                    "row {} is not UTF-8: {error}; repair it, or make it null",
                    self.row
                ))
            })?;
            self.push_text(text);
        }
        self.end_row()
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        if self.tokeniser.analyzer != Analyzer::Numbers {
            return Err(Error::UnsupportedType(
                "the column holds lists of tokens; give analyzer=\"token\" to count those".into(),
            ));
        }
        if let Some(row) = row {
            for token in row {
                // Big end first, so that the order of bytes is that of numbers.
                let id = self.interner.intern_bytes(&token.to_be_bytes());
                self.symbols.push(id + 1);
            }
            self.symbols.push(END);
        }
        self.end_row()
    }
}

/// Calls `work` for every shard and its place, side by side in the pool that the caller is in.
///
/// # Errors
/// What `work` fails with.
pub fn each<R: Reader>(
    shards: &mut [R],
    work: impl Fn(usize, &mut R) -> Result<()> + Sync,
) -> Result<()> {
    shards.par_iter_mut().enumerate().try_for_each(|(at, shard)| work(at, shard))
}

/// Joins shards into one sequence with the numbers of all their tokens.
pub fn join(mut shards: Vec<Shard>) -> Sequence {
    for shard in &mut shards {
        if shard.cuts.last() != Some(&shard.row_ends.len()) {
            shard.cut();
        }
    }
    let characters = shards.first().is_some_and(|shard| shard.tokeniser.analyzer.is_characters());
    let stops = shards.first().is_some_and(|shard| !shard.tokeniser.stop_words.is_empty());
    let (words, places) = if characters { densify(&shards) } else { number(&mut shards) };
    let place = |shard: usize, symbol: u32| places[shard.min(places.len() - 1)][symbol as usize];
    let mut sequence = match <[Shard; 1]>::try_from(shards) {
        Ok([mut shard]) => {
            shard.symbols.par_chunks_mut(PIECE).for_each(|symbols| {
                symbols.iter_mut().for_each(|symbol| *symbol = place(0, *symbol));
            });
            Sequence { symbols: shard.symbols, row_ends: shard.row_ends, ..Sequence::default() }
        }
        Err(shards) => interleave(&shards, place),
    };
    sequence.words = words;
    // Stop words have numbers, and stand nowhere.
    if stops { sequence.without_rare(1) } else { sequence }
}

/// Symbols that a thread takes at a time.
const PIECE: usize = 1 << 16;

/// Of each symbol of a shard what it becomes; one list for all shards, or one for each.
type Places = Vec<Vec<u32>>;

/// Gives every character of the shards its place in their alphabet.
fn densify(shards: &[Shard]) -> (Strings, Places) {
    let none = || vec![false; 0x11_0001];
    let seen = shards
        .par_iter()
        .flat_map(|shard| shard.symbols.par_chunks(PIECE))
        .fold(none, |mut seen, symbols| {
            symbols.iter().for_each(|&symbol| seen[symbol as usize] = true);
            seen
        })
        .reduce(none, |mut seen, other| {
            seen.iter_mut().zip(other).for_each(|(seen, other)| *seen |= other);
            seen
        });
    let mut alphabet = Strings::default();
    let mut places = vec![0u32; seen.len()];
    for (code, (place, _)) in (0..).zip(places.iter_mut().zip(seen).skip(1)).filter(|one| one.1.1) {
        if let Some(c) = char::from_u32(code) {
            alphabet.push(c.encode_utf8(&mut [0; 4]).as_bytes());
            *place = alphabet.len() as u32;
        }
    }
    (alphabet, vec![places])
}

/// Strings that a thread merges at a time.
const MERGED: usize = 1 << 13;

/// Gives every token its place among the tokens of all shards.
fn number(shards: &mut [Shard]) -> (Strings, Places) {
    let orders: Vec<_> = shards.par_iter().map(|shard| shard.interner.strings().order()).collect();
    let lists: Vec<&Strings> = shards.iter().map(|shard| shard.interner.strings()).collect();
    // Ranges of strings that begin alike in all lists, by what stands at their borders in the
    // longest one.
    let longest = (0..lists.len()).max_by_key(|&list| lists[list].len()).unwrap_or(0);
    let at_borders = orders[longest].iter().skip(MERGED).step_by(MERGED);
    let borders: Vec<&[u8]> = at_borders.map(|&id| lists[longest].get(id as usize)).collect();
    let ranges: Vec<Vec<&[u32]>> = (0..=borders.len())
        .map(|range| {
            let place = |list: usize, border: Option<usize>, otherwise: usize| {
                border.and_then(|border| borders.get(border)).map_or(otherwise, |border| {
                    orders[list].partition_point(|&id| lists[list].get(id as usize) < *border)
                })
            };
            let part = |list: usize| {
                let from = place(list, range.checked_sub(1), 0);
                &orders[list][from..place(list, Some(range), orders[list].len())]
            };
            (0..lists.len()).map(part).collect()
        })
        .collect();
    let merged: Vec<(Strings, Places)> = ranges
        .par_iter()
        .map(|parts| {
            let mut words = Strings::default();
            let mut places: Places =
                parts.iter().map(|part| Vec::with_capacity(part.len())).collect();
            merge(&lists, parts, |list, _, string, new| {
                if new {
                    words.push(string);
                }
                places[list].push(words.len() as u32);
            });
            (words, places)
        })
        .collect();
    let mut words = Strings::default();
    let mut bases = vec![];
    for (part, _) in &merged {
        bases.push(words.len() as u32);
        let base = words.bytes.len();
        words.bytes.extend_from_slice(&part.bytes);
        words.ends.extend(part.ends.iter().map(|end| end + base));
    }
    let places = (0..lists.len())
        .into_par_iter()
        .map(|list| {
            let mut places = vec![0u32; lists[list].len() + 1];
            for ((parts, (_, found)), base) in ranges.iter().zip(&merged).zip(&bases) {
                for (&id, place) in parts[list].iter().zip(&found[list]) {
                    places[id as usize + 1] = place + base;
                }
            }
            places
        })
        .collect();
    for shard in shards {
        shard.interner = Interner::default();
    }
    (words, places)
}

/// Calls `each` with the strings of all lists in order: list, place, string, whether it is new.
pub(crate) fn merge<L: StringList, O: AsRef<[u32]>>(
    lists: &[&L],
    orders: &[O],
    mut each: impl FnMut(usize, u32, &[u8], bool),
) {
    let mut at = vec![0; lists.len()];
    loop {
        let head = |list: usize| {
            orders[list].as_ref().get(at[list]).map(|&at| lists[list].get(at as usize))
        };
        let Some(least) = (0..lists.len()).filter_map(head).min() else { return };
        let mut new = true;
        for list in 0..lists.len() {
            if let Some(&place) = orders[list].as_ref().get(at[list])
                && lists[list].get(place as usize) == least
            {
                each(list, place, least, new);
                new = false;
                at[list] += 1;
            }
        }
    }
}

/// The rows of shards in order, and what `place` makes of each symbol.
fn interleave(shards: &[Shard], place: impl Fn(usize, u32) -> u32 + Sync) -> Sequence {
    let symbols: usize = shards.iter().map(|shard| shard.symbols.len()).sum();
    let rows: usize = shards.iter().map(|shard| shard.row_ends.len()).sum();
    let mut sequence =
        Sequence { symbols: vec![0; symbols], row_ends: vec![0; rows], ..Sequence::default() };
    let (mut symbols, mut rows) = (&mut sequence.symbols[..], &mut sequence.row_ends[..]);
    let mut base = 0;
    let mut tasks = vec![];
    let stretches = shards.iter().map(|shard| shard.cuts.len()).max().unwrap_or(0);
    for stretch in 0..stretches {
        for (at, shard) in shards.iter().enumerate() {
            let Some(&stop) = shard.cuts.get(stretch) else { continue };
            let start = stretch.checked_sub(1).map_or(0, |before| shard.cuts[before]);
            let end = |row: usize| row.checked_sub(1).map_or(0, |last| shard.row_ends[last]);
            let (from, to) = (end(start), end(stop));
            let (own, others) = symbols.split_at_mut(to - from);
            symbols = others;
            let (own_rows, others) = rows.split_at_mut(stop - start);
            rows = others;
            tasks.push((at, from..to, own, &shard.row_ends[start..stop], own_rows, base));
            base += to - from;
        }
    }
    tasks.into_par_iter().for_each(|(at, span, symbols, row_ends, rows, base)| {
        for (symbol, &own) in symbols.iter_mut().zip(&shards[at].symbols[span.clone()]) {
            *symbol = place(at, own);
        }
        for (row, end) in rows.iter_mut().zip(row_ends) {
            *row = end - span.start + base;
        }
    });
    sequence
}
