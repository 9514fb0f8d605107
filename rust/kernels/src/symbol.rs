//! Symbols, the units of text, in three widths: `u8` for text, `u16` and `u32` for tokens; and the
//! patterns that are looked for among them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use bytemuck::Pod;
use libsais::SuffixArrayConstruction;

use crate::error::{Error, Result};

/// Where a row stands in its index, counted over every segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(pub u64);

/// Where a symbol stands in its segment.
pub type Position = u64;

/// Where a suffix stands in the sorted order of its segment.
pub type Rank = u64;

/// The suffixes that start with a pattern: a range of ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ranks {
    /// The first one.
    pub start: Rank,
    /// Behind the last one.
    pub end: Rank,
}

impl Ranks {
    /// No suffixes.
    pub const NONE: Self = Self { start: 0, end: 0 };

    /// Number of suffixes.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Number of suffixes in several ranges, those of each segment.
    pub fn total<'a>(all: impl IntoIterator<Item = &'a Self>) -> u64 {
        all.into_iter().map(|ranks| ranks.len()).sum()
    }
}

impl From<Range<u32>> for Ranks {
    fn from(ranks: Range<u32>) -> Self {
        Self { start: ranks.start.into(), end: ranks.end.into() }
    }
}

/// One unit of text.
///
/// The order of symbols is that of their numbers. Several of them pack into one `u64` *key*, big
/// end first, so that keys compare as the symbols do.
pub trait Symbol: Pod + Ord + Send + Sync + std::fmt::Debug + std::hash::Hash {
    /// Bytes a symbol.
    const WIDTH: usize = size_of::<Self>();
    /// Symbols a key.
    const KEY: usize = 8 / size_of::<Self>();
    /// The type's name in a file.
    const DTYPE: &'static str;

    /// The symbol as a number.
    fn number(self) -> u32;

    /// The number as a symbol, if it fits.
    fn from_number(number: u32) -> Option<Self>;

    /// The first [`Symbol::KEY`] symbols as one number; zeros where there are fewer.
    fn key(symbols: &[Self]) -> u64 {
        match symbols.get(..Self::KEY) {
            Some(whole) => whole.iter().copied().fold(0, push_symbol),
            None => key_of(symbols.iter().copied()),
        }
    }

    /// The largest key of any text that starts with `symbols`.
    fn key_ceiling(symbols: &[Self]) -> u64 {
        let used = symbols.len().min(Self::KEY) * Self::WIDTH * 8;
        Self::key(symbols) | u64::MAX.checked_shr(used as u32).unwrap_or(0)
    }

    /// The pattern in this width; `None` if it has a symbol that this width cannot hold, or the
    /// separator, and so occurs nowhere.
    fn narrow<'a>(pattern: Pattern<'a>, separator: Self) -> Option<Cow<'a, [Self]>> {
        let narrow = |number| Self::from_number(number).filter(|&symbol| symbol != separator);
        // Collecting options does not know how many there will be, and grows step by step.
        let mut narrowed = Vec::with_capacity(pattern.len());
        for at in 0..pattern.len() {
            narrowed.push(narrow(pattern.symbol(at))?);
        }
        Some(Cow::Owned(narrowed))
    }

    /// Sorts the suffixes of `text` into `suffixes`, which is as long. The text is left as it was.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the sorter refuses.
    fn sort_suffixes(text: &mut [Self], suffixes: &mut [i32]) -> Result<()>;

    /// Appends the places in `haystack` at which `needle` starts, overlapping ones included.
    fn scan(haystack: &[Self], needle: &[Self], places: &mut Vec<usize>) {
        places.extend(
            haystack
                .windows(needle.len().max(1))
                .enumerate()
                .filter(|(_, window)| *window == needle)
                .map(|(place, _)| place),
        );
    }
}

/// Appends the positions in `haystack`, which stands at position `at`, at which a pattern starts.
pub(crate) fn scan<S: Symbol>(
    haystack: &[S],
    at: Position,
    pattern: Pattern<'_>,
    separator: S,
    positions: &mut Vec<Position>,
) {
    if let Some(needle) = S::narrow(pattern, separator) {
        let mut places = vec![];
        S::scan(haystack, &needle, &mut places);
        positions.extend(places.into_iter().map(|place| at + place as Position));
    }
}

/// Symbols before a place that mostly tell it from other ones.
const NEAR: usize = 16;

/// Whether a byte of UTF-8 starts a character, or is the rest of one.
pub(crate) fn starts_character(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// Appends each position with the number of symbols of `before`, from its end on, that stand before
/// it in its row.
pub(crate) fn extend_left<S: Symbol>(
    text: &[S],
    positions: &[Position],
    before: Pattern<'_>,
    separator: S,
    extended: &mut Vec<(Position, usize)>,
) {
    // Nothing stands before a separator, nor what no symbol of this width is.
    let is_known = |number| S::from_number(number).is_some_and(|symbol| symbol != separator);
    // Few symbols mostly tell all of them apart, and what lies before is not made ready in vain.
    let (first, near) = (extended.len(), before.last(NEAR));
    for before in [near, before] {
        let known = (0..before.len()).rev().take_while(|&at| is_known(before.symbol(at))).count();
        let known = S::narrow(before.last(known), separator).unwrap_or_default();
        extended.truncate(first);
        extended.extend(positions.iter().map(|&position| {
            let text = text.get(..position as usize).unwrap_or_default();
            (position, common_suffix(text, &known))
        }));
        if extended[first..].iter().all(|&(_, more)| more < near.len()) {
            break;
        }
    }
}

/// How many leading symbols two texts share.
pub(crate) fn common_prefix<S: Symbol>(left: &[S], right: &[S]) -> usize {
    let length = left.len().min(right.len());
    let (left, right) = (&left[..length], &right[..length]);
    let mut at = 0;
    for (a, b) in left.chunks_exact(S::KEY).zip(right.chunks_exact(S::KEY)) {
        if a != b {
            break;
        }
        at += S::KEY;
    }
    at + left[at..].iter().zip(&right[at..]).take_while(|(a, b)| a == b).count()
}

/// How many trailing symbols two texts share.
fn common_suffix<S: Symbol>(left: &[S], right: &[S]) -> usize {
    let length = left.len().min(right.len());
    let (left, right) = (&left[left.len() - length..], &right[right.len() - length..]);
    let whole = left.rchunks_exact(S::KEY).zip(right.rchunks_exact(S::KEY));
    let at = whole.take_while(|(a, b)| a == b).count() * S::KEY;
    let rest = left[..length - at].iter().rev().zip(right[..length - at].iter().rev());
    at + rest.take_while(|(a, b)| a == b).count()
}

fn refused(error: libsais::LibsaisError) -> Error {
    Error::InvalidInput(format!("the suffix sorter refused the text: {error:?}"))
}

impl Symbol for u8 {
    const DTYPE: &'static str = "u8";

    fn number(self) -> u32 {
        u32::from(self)
    }

    fn from_number(number: u32) -> Option<Self> {
        number.try_into().ok()
    }

    #[inline]
    fn key(symbols: &[Self]) -> u64 {
        if let Some(head) = symbols.first_chunk::<8>() {
            return u64::from_be_bytes(*head);
        }
        let mut head = [0; 8];
        head[..symbols.len()].copy_from_slice(symbols);
        u64::from_be_bytes(head)
    }

    fn narrow<'a>(pattern: Pattern<'a>, separator: Self) -> Option<Cow<'a, [Self]>> {
        match pattern {
            Pattern::Bytes(bytes) => {
                memchr::memchr(separator, bytes).is_none().then_some(Cow::Borrowed(bytes))
            }
            Pattern::Tokens(tokens) => tokens
                .iter()
                .map(|&token| Self::from_number(token).filter(|&symbol| symbol != separator))
                .collect::<Option<Vec<_>>>()
                .map(Cow::Owned),
        }
    }

    fn sort_suffixes(text: &mut [Self], suffixes: &mut [i32]) -> Result<()> {
        SuffixArrayConstruction::for_text(text)
            .in_borrowed_buffer(suffixes)
            .single_threaded()
            .run()
            .map(drop)
            .map_err(refused)
    }

    fn scan(haystack: &[Self], needle: &[Self], places: &mut Vec<usize>) {
        let finder = memchr::memmem::Finder::new(needle);
        let mut from = 0;
        while let Some(place) = haystack.get(from..).and_then(|rest| finder.find(rest)) {
            places.push(from + place);
            from += place + 1;
        }
    }
}

impl Symbol for u16 {
    const DTYPE: &'static str = "u16";

    fn number(self) -> u32 {
        u32::from(self)
    }

    fn from_number(number: u32) -> Option<Self> {
        number.try_into().ok()
    }

    fn sort_suffixes(text: &mut [Self], suffixes: &mut [i32]) -> Result<()> {
        SuffixArrayConstruction::for_text(text)
            .in_borrowed_buffer(suffixes)
            .single_threaded()
            .run()
            .map(drop)
            .map_err(refused)
    }
}

impl Symbol for u32 {
    const DTYPE: &'static str = "u32";

    fn number(self) -> u32 {
        self
    }

    fn from_number(number: u32) -> Option<Self> {
        Some(number)
    }

    fn narrow<'a>(pattern: Pattern<'a>, separator: Self) -> Option<Cow<'a, [Self]>> {
        match pattern {
            Pattern::Bytes(bytes) => Some(bytes.iter().map(|&byte| Self::from(byte)).collect()),
            Pattern::Tokens(tokens) => {
                (!tokens.contains(&separator)).then_some(Cow::Borrowed(tokens))
            }
        }
    }

    fn sort_suffixes(text: &mut [Self], suffixes: &mut [i32]) -> Result<()> {
        // The sorter's tables are as long as the alphabet: number the distinct symbols, in order.
        let alphabet = number_symbols(text);
        let sorted =
            SuffixArrayConstruction::for_text_mut(bytemuck::cast_slice_mut::<Self, i32>(text))
                .in_borrowed_buffer(suffixes)
                .single_threaded()
                .run()
                .map(drop)
                .map_err(refused);
        for symbol in text.iter_mut() {
            *symbol = alphabet[*symbol as usize];
        }
        sorted
    }
}

/// Replaces each symbol by its rank among the distinct ones, which are given back in order.
fn number_symbols(text: &mut [u32]) -> Vec<u32> {
    let separator = u32::MAX;
    let largest = text.iter().copied().filter(|&symbol| symbol != separator).max();
    let table = largest.map_or(0, |largest| largest as usize + 1);
    // Vocabularies are dense: a table of all numbers up to the largest is the fastest dictionary.
    // Numbers spread wider than the text is long go through a hash table.
    if table <= text.len().max(1 << 16) {
        let mut ranks = vec![0_u32; table];
        for &symbol in text.iter().filter(|&&symbol| symbol != separator) {
            ranks[symbol as usize] = 1;
        }
        let mut alphabet = vec![];
        for (symbol, rank) in (0..).zip(&mut ranks) {
            if *rank == 1 {
                *rank = alphabet.len() as u32;
                alphabet.push(symbol);
            }
        }
        for symbol in text.iter_mut() {
            *symbol = match *symbol {
                u32::MAX => alphabet.len() as u32,
                token => ranks[token as usize],
            };
        }
        alphabet.push(separator);
        return alphabet;
    }
    let mut alphabet: Vec<u32> = text.iter().copied().collect::<HashSet<_>>().into_iter().collect();
    alphabet.sort_unstable();
    let ranks: HashMap<u32, u32> = alphabet.iter().copied().zip(0..).collect();
    for symbol in text.iter_mut() {
        *symbol = ranks[symbol];
    }
    alphabet
}

/// One text to look for, in the units its caller has it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern<'a> {
    /// Bytes, of UTF-8 or of anything.
    Bytes(&'a [u8]),
    /// Token numbers.
    Tokens(&'a [u32]),
}

impl Pattern<'_> {
    /// Symbols in the pattern.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Tokens(tokens) => tokens.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Part of the pattern.
    ///
    /// # Panics
    /// If it is not within.
    #[must_use]
    pub fn slice(self, span: Range<usize>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(&bytes[span]),
            Self::Tokens(tokens) => Self::Tokens(&tokens[span]),
        }
    }

    /// The last symbols of the pattern, all if it has fewer.
    #[must_use]
    pub fn last(self, count: usize) -> Self {
        self.slice(self.len().saturating_sub(count)..self.len())
    }

    /// The symbol at a place, as a number.
    ///
    /// # Panics
    /// If the pattern ends before it.
    pub fn symbol(&self, at: usize) -> u32 {
        match self {
            Self::Bytes(bytes) => bytes[at].number(),
            Self::Tokens(tokens) => tokens[at],
        }
    }

    /// The [`Symbol::key`] of the pattern in its own units: patterns in order have keys in order.
    pub fn key(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u8::key(bytes),
            Self::Tokens(tokens) => u32::key(tokens),
        }
    }

    /// The last symbols in reverse, as [`Pattern::key`] has the first: patterns in the order of
    /// their reversals have keys in order.
    pub(crate) fn key_from_end(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => key_of(bytes.iter().rev().copied()),
            Self::Tokens(tokens) => key_of(tokens.iter().rev().copied()),
        }
    }
}

/// The first symbols as one number, as [`Symbol::key`] has them.
fn key_of<S: Symbol>(symbols: impl Iterator<Item = S>) -> u64 {
    symbols.chain(std::iter::repeat(S::zeroed())).take(S::KEY).fold(0, push_symbol)
}

/// A key with one more symbol at its little end.
fn push_symbol<S: Symbol>(key: u64, symbol: S) -> u64 {
    key << (S::WIDTH * 8) | u64::from(symbol.number())
}

/// The symbols of many patterns, end to end.
#[derive(Clone, Debug)]
enum PatternSymbols {
    Bytes(Vec<u8>),
    Tokens(Vec<u32>),
}

/// A column of patterns, some of which may be null.
#[derive(Clone, Debug)]
pub struct Patterns {
    symbols: PatternSymbols,
    ends: Vec<usize>,
    nulls: Vec<usize>,
}

impl Patterns {
    /// No patterns yet, of bytes.
    pub fn bytes() -> Self {
        Self { symbols: PatternSymbols::Bytes(vec![]), ends: vec![], nulls: vec![] }
    }

    /// No patterns yet, of tokens.
    pub fn tokens() -> Self {
        Self { symbols: PatternSymbols::Tokens(vec![]), ends: vec![], nulls: vec![] }
    }

    /// No patterns yet, of what that one is.
    pub fn like(pattern: Pattern<'_>) -> Self {
        match pattern {
            Pattern::Bytes(_) => Self::bytes(),
            Pattern::Tokens(_) => Self::tokens(),
        }
    }

    /// A column of one pattern.
    pub fn one(pattern: Pattern<'_>) -> Self {
        let mut patterns = Self::like(pattern);
        match (&mut patterns.symbols, pattern) {
            (PatternSymbols::Bytes(symbols), Pattern::Bytes(bytes)) => symbols.extend(bytes),
            (PatternSymbols::Tokens(symbols), Pattern::Tokens(tokens)) => symbols.extend(tokens),
            _ => {}
        }
        patterns.end_row(true);
        patterns
    }

    fn end_row(&mut self, valid: bool) {
        if !valid {
            self.nulls.push(self.ends.len());
        }
        self.ends.push(match &self.symbols {
            PatternSymbols::Bytes(symbols) => symbols.len(),
            PatternSymbols::Tokens(symbols) => symbols.len(),
        });
    }

    /// Adds the patterns of another column behind these.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] if one is of text and the other of tokens.
    pub fn extend(&mut self, other: &Self) -> Result<()> {
        use crate::corpus::Rows;
        for at in 0..other.len() {
            match other.get(at) {
                None => self.end_row(false),
                Some(Pattern::Bytes(bytes)) => self.push_bytes(Some(bytes))?,
                Some(Pattern::Tokens(tokens)) => self.push_tokens(Some(tokens))?,
            }
        }
        Ok(())
    }

    /// Number of patterns, null ones included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The patterns that are not null, each with its place.
    pub fn valid(&self) -> impl Iterator<Item = (usize, Pattern<'_>)> {
        (0..self.len()).filter_map(|at| Some((at, self.get(at)?)))
    }

    /// Whether all are UTF-8, as far as one look at all of them together tells.
    pub(crate) fn is_utf8(&self) -> bool {
        match &self.symbols {
            PatternSymbols::Bytes(symbols) => std::str::from_utf8(symbols)
                .is_ok_and(|text| self.ends.iter().all(|&end| text.is_char_boundary(end))),
            PatternSymbols::Tokens(_) => false,
        }
    }

    /// Whether one is empty, and not null.
    pub(crate) fn has_empty(&self) -> bool {
        let mut start = 0;
        self.ends.iter().enumerate().any(|(at, &end)| {
            let empty = end == start && self.nulls.binary_search(&at).is_err();
            start = end;
            empty
        })
    }

    /// The positions of the null patterns, in order.
    pub fn nulls(&self) -> &[usize] {
        &self.nulls
    }

    /// Adds a pattern.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] if it is of text and those before are of tokens, or the reverse.
    pub(crate) fn push(&mut self, pattern: Pattern<'_>) -> Result<()> {
        self.push_joined(pattern, pattern.slice(0..0))
    }

    /// Adds a pattern of two parts.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] if one of them is of text and the other of tokens.
    pub(crate) fn push_joined(&mut self, first: Pattern<'_>, second: Pattern<'_>) -> Result<()> {
        for part in [first, second] {
            match (&mut self.symbols, part) {
                (PatternSymbols::Bytes(symbols), Pattern::Bytes(bytes)) => symbols.extend(bytes),
                (PatternSymbols::Tokens(symbols), Pattern::Tokens(tokens)) => {
                    symbols.extend(tokens);
                }
                _ => return Err(mixed()),
            }
        }
        self.end_row(true);
        Ok(())
    }

    /// Some of the patterns, in that order.
    pub(crate) fn select(&self, which: impl ExactSizeIterator<Item = usize>) -> Self {
        let mut nulls = vec![];
        let mut spans = Vec::with_capacity(which.len());
        let mut ends = Vec::with_capacity(which.len());
        let mut end = 0;
        for (nth, at) in which.enumerate() {
            let span = self.span(at);
            if span.is_empty() && self.get(at).is_none() {
                nulls.push(nth);
            }
            end += span.len();
            ends.push(end);
            spans.push(span);
        }
        let symbols = match &self.symbols {
            PatternSymbols::Bytes(symbols) => PatternSymbols::Bytes(gather(symbols, &spans)),
            PatternSymbols::Tokens(symbols) => PatternSymbols::Tokens(gather(symbols, &spans)),
        };
        Self { symbols, ends, nulls }
    }

    fn span(&self, at: usize) -> Range<usize> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        start..self.ends[at]
    }

    /// The pattern at `at`; `None` where it is null.
    pub fn get(&self, at: usize) -> Option<Pattern<'_>> {
        let span = self.span(at);
        if span.is_empty() && self.nulls.binary_search(&at).is_ok() {
            return None;
        }
        Some(match &self.symbols {
            PatternSymbols::Bytes(symbols) => Pattern::Bytes(&symbols[span]),
            PatternSymbols::Tokens(symbols) => Pattern::Tokens(&symbols[span]),
        })
    }
}

/// The spans' symbols, end to end.
fn gather<S: Symbol>(symbols: &[S], spans: &[Range<usize>]) -> Vec<S> {
    let mut gathered = Vec::with_capacity(spans.iter().map(Range::len).sum());
    for spans in spans.chunks(64) {
        // Reads for nothing but their cache misses, which overlap if nothing waits for them.
        for span in spans {
            std::hint::black_box(symbols.get(span.start).copied());
        }
        for span in spans {
            gathered.extend_from_slice(&symbols[span.clone()]);
        }
    }
    gathered
}

impl crate::corpus::Rows for Patterns {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        let PatternSymbols::Bytes(symbols) = &mut self.symbols else {
            return Err(mixed());
        };
        symbols.extend(row.unwrap_or_default());
        self.end_row(row.is_some());
        Ok(())
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        let PatternSymbols::Tokens(symbols) = &mut self.symbols else {
            return Err(mixed());
        };
        symbols.extend_from_slice(row.unwrap_or_default());
        self.end_row(row.is_some());
        Ok(())
    }
}

fn mixed() -> Error {
    Error::UnsupportedType("a column holds text or tokens, not both".into())
}
