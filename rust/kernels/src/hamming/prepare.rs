//! Makes a text and its patterns what the counting kernels take: bytes, and for each symbol where
//! it stands in a pattern.
//!
//! Only the symbols of a pattern can match, so text over any alphabet becomes *codes*: one for each
//! distinct symbol of the patterns, the most frequent first. The first 255 of them fit one byte,
//! which is what all kernels but the occurrence lists read; text of bytes is its own code.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::symbol::Pattern;

/// The code of every symbol that none of the kernels on bytes looks for.
const OTHER: u32 = 255;

/// Which symbols count as equal.
#[derive(Clone, Debug, Default)]
pub struct Equality {
    /// Symbols that match anything, in the text and in the patterns.
    pub wildcards: Vec<u32>,
    /// Symbols that stand for others: each of the first counts as the second.
    pub map: HashMap<u32, u32>,
}

impl Equality {
    fn mapped(&self, symbol: u32) -> u32 {
        self.map.get(&symbol).copied().unwrap_or(symbol)
    }

    /// All symbols that match anything: the wildcards, and what stands for one.
    fn wild(&self) -> HashSet<u32> {
        let listed: HashSet<u32> = self.wildcards.iter().copied().collect();
        let standing = self.map.iter().filter(|(_, to)| listed.contains(to)).map(|(&from, _)| from);
        standing.chain(listed.iter().copied()).collect()
    }
}

/// A pattern as positions of symbols, without its wildcards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needle {
    /// Symbols, wildcards included.
    pub length: usize,
    /// Code and ascending positions of each distinct symbol; the most frequent first.
    pub symbols: Vec<(u32, Vec<u32>)>,
    /// Positions of wildcards, ascending.
    pub wild: Vec<u32>,
}

impl Needle {
    /// How many positions can mismatch.
    pub fn care(&self) -> usize {
        self.length - self.wild.len()
    }

    /// The same with every position that is not kept a wildcard.
    pub fn restricted(&self, keep: impl Fn(u32) -> bool) -> Self {
        let symbols = self.symbols.iter().map(|(code, positions)| {
            (*code, positions.iter().copied().filter(|&at| keep(at)).collect::<Vec<_>>())
        });
        let mut symbols: Vec<_> = symbols.filter(|(_, positions)| !positions.is_empty()).collect();
        by_frequency(&mut symbols);
        let mut cares = vec![false; self.length];
        for &at in symbols.iter().flat_map(|(_, positions)| positions) {
            cares[at as usize] = true;
        }
        let wild = (0..).zip(cares).filter(|(_, cares)| !cares).map(|(at, _)| at).collect();
        Self { length: self.length, symbols, wild }
    }

    /// The code at each position; `None` for wildcards.
    pub fn codes(&self) -> Vec<Option<u32>> {
        let mut codes = vec![None; self.length];
        for (code, positions) in &self.symbols {
            for &at in positions {
                codes[at as usize] = Some(*code);
            }
        }
        codes
    }
}

/// A text as codes.
#[derive(Clone, Debug)]
pub(crate) struct Haystack<'a> {
    /// A byte a symbol.
    pub narrow: Cow<'a, [u8]>,
    /// All codes, where there are more than bytes tell apart.
    pub wide: Option<Vec<u32>>,
    /// Positions of wildcards, ascending.
    pub wild: Vec<u32>,
}

impl Haystack<'_> {
    pub fn len(&self) -> usize {
        self.narrow.len()
    }

    /// The code at a position; `None` for wildcards.
    pub fn code(&self, at: usize) -> Option<u32> {
        if !self.wild.is_empty() && self.wild.binary_search(&(at as u32)).is_ok() {
            return None;
        }
        Some(self.wide.as_ref().map_or_else(|| self.narrow[at].into(), |wide| wide[at]))
    }

    /// The distance of one window, if it is at most `most`; O(length).
    pub fn distance(&self, start: usize, pattern: &[Option<u32>], most: usize) -> Option<usize> {
        let mut distance = 0;
        for (at, code) in (start..).zip(pattern) {
            if let (Some(code), Some(other)) = (code, self.code(at))
                && *code != other
            {
                distance += 1;
                if distance > most {
                    return None;
                }
            }
        }
        Some(distance)
    }

    /// Calls `take` with the position and code of each symbol of a span.
    pub fn each(&self, span: std::ops::Range<usize>, mut take: impl FnMut(usize, u32)) {
        match &self.wide {
            Some(wide) => wide[span.clone()].iter().zip(span).for_each(|(&c, at)| take(at, c)),
            None => {
                let codes = self.narrow[span.clone()].iter();
                codes.zip(span).for_each(|(&code, at)| take(at, code.into()));
            }
        }
    }
}

/// Whether a code is among those that the kernels on bytes can look for.
pub(crate) fn is_narrow(code: u32, bytes: bool) -> bool {
    bytes || code < OTHER
}

/// Patterns that texts can be prepared for, one after the other.
#[derive(Debug)]
pub(crate) struct Preparation<'e> {
    equality: &'e Equality,
    pub needles: Vec<Needle>,
    /// Codes of tokens; none for bytes, which are their own.
    codes: Option<HashMap<u32, u32, Mix>>,
    /// Codes of the tokens below a bound, for patterns over a dense vocabulary.
    table: Vec<u32>,
    bytes: Option<Box<[u8; 256]>>,
    wild: HashSet<u32>,
}

/// What a token hashes to: a multiplication, which is enough against chance, and no hostile text
/// makes the tables of a pattern's own symbols.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mix(u64);

impl std::hash::Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(byte.into());
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl std::hash::BuildHasher for Mix {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

/// The largest token that is looked up in a table.
const TABLE: u32 = 1 << 20;

impl<'e> Preparation<'e> {
    /// Reads patterns.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if one is longer than positions are wide.
    pub fn new(patterns: &[Pattern<'_>], equality: &'e Equality) -> Result<Self> {
        for pattern in patterns {
            if u32::try_from(pattern.len()).is_err() {
                return Err(Error::InvalidInput(format!(
                    "a pattern has {} symbols; give at most {}",
                    pattern.len(),
                    u32::MAX
                )));
            }
        }
        let tokens = matches!(patterns.first(), Some(Pattern::Tokens(_)));
        let wild = equality.wild();
        let mapped = |symbol: u32| equality.mapped(symbol);
        let mut needles: Vec<Needle> = patterns
            .iter()
            .map(|pattern| match pattern {
                Pattern::Bytes(bytes) => needle_of_bytes(bytes, |symbol| {
                    (!wild.contains(&symbol)).then(|| mapped(symbol))
                }),
                Pattern::Tokens(tokens) => {
                    let mut places: HashMap<u32, Vec<u32>> = HashMap::new();
                    let mut needle = Needle { length: tokens.len(), ..Needle::default() };
                    for (&symbol, at) in tokens.iter().zip(0..) {
                        if wild.contains(&symbol) {
                            needle.wild.push(at);
                        } else {
                            places.entry(mapped(symbol)).or_default().push(at);
                        }
                    }
                    needle.symbols = places.into_iter().collect();
                    needle
                }
            })
            .collect();
        let mut codes = None;
        let mut table = vec![];
        if tokens {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            for (symbol, positions) in needles.iter().flat_map(|needle| &needle.symbols) {
                *counts.entry(*symbol).or_default() += positions.len();
            }
            let mut order: Vec<(u32, usize)> = counts.into_iter().collect();
            order.sort_unstable_by_key(|&(symbol, count)| (std::cmp::Reverse(count), symbol));
            // The byte of all other symbols is no code.
            let code = |rank: u32| rank + u32::from(rank >= OTHER);
            let map: HashMap<u32, u32, Mix> =
                order.iter().zip(0..).map(|(&(symbol, _), rank)| (symbol, code(rank))).collect();
            for (symbol, _) in needles.iter_mut().flat_map(|needle| &mut needle.symbols) {
                *symbol = map[symbol];
            }
            // Symbols that stand for others are looked up as themselves.
            let mut all = map.clone();
            for (&from, &to) in &equality.map {
                match map.get(&to).filter(|_| !wild.contains(&from)) {
                    Some(&code) => drop(all.insert(from, code)),
                    None => drop(all.remove(&from)),
                }
            }
            if let Some(&most) = all.keys().max().filter(|&&most| most < TABLE) {
                table = vec![OTHER; most as usize + 1];
                for (&symbol, &code) in &all {
                    table[symbol as usize] = code;
                }
            }
            codes = Some(all);
        }
        for needle in &mut needles {
            by_frequency(&mut needle.symbols);
        }
        let bytes = (!tokens && !equality.map.is_empty()).then(|| {
            let mut table = Box::new([0; 256]);
            for (symbol, to) in (0_u32..).zip(table.iter_mut()) {
                *to = mapped(symbol) as u8;
            }
            table
        });
        Ok(Self { equality, needles, codes, table, bytes, wild })
    }

    /// Whether codes are the bytes of the text.
    pub fn of_bytes(&self) -> bool {
        self.codes.is_none()
    }

    /// Makes a text codes.
    pub fn text<'a>(&self, text: Pattern<'a>) -> Haystack<'a> {
        let mut wild = vec![];
        if !self.wild.is_empty() {
            let all = (0..text.len()).filter(|&at| self.wild.contains(&text.symbol(at)));
            wild.extend(all.map(|at| at as u32));
        }
        match text {
            Pattern::Bytes(bytes) => {
                let narrow = match &self.bytes {
                    None => Cow::Borrowed(bytes),
                    Some(table) => bytes.iter().map(|&byte| table[usize::from(byte)]).collect(),
                };
                // The wildcards' symbols are no pattern's: nothing else counts them as matches.
                let narrow = match (narrow, self.equality.wildcards.first()) {
                    (Cow::Owned(mut narrow), Some(&none)) => {
                        wild.iter().for_each(|&at| narrow[at as usize] = none as u8);
                        Cow::Owned(narrow)
                    }
                    (narrow, _) => narrow,
                };
                Haystack { narrow, wide: None, wild }
            }
            Pattern::Tokens(tokens) => {
                let empty = HashMap::default();
                let codes = self.codes.as_ref().unwrap_or(&empty);
                let code = |token: u32| match self.table.get(token as usize) {
                    Some(&code) => code,
                    None if self.table.is_empty() => codes.get(&token).copied().unwrap_or(OTHER),
                    None => OTHER,
                };
                let most = self
                    .needles
                    .iter()
                    .flat_map(|needle| needle.symbols.iter().map(|(code, _)| *code))
                    .max();
                if most.is_none_or(|most| most < OTHER) {
                    let narrow = tokens.iter().map(|&token| code(token) as u8).collect();
                    return Haystack { narrow, wide: None, wild };
                }
                let wide: Vec<u32> = tokens.iter().map(|&token| code(token)).collect();
                let narrow = wide.iter().map(|&code| code.min(OTHER) as u8).collect();
                Haystack { narrow, wide: Some(wide), wild }
            }
        }
    }
}

/// A needle of bytes, by what each of them counts as; `None` for wildcards.
fn needle_of_bytes(bytes: &[u8], counts_as: impl Fn(u32) -> Option<u32>) -> Needle {
    let mut needle = Needle { length: bytes.len(), ..Needle::default() };
    let places: [Option<usize>; 256] = std::array::from_fn(|byte| {
        let code = counts_as(byte as u32)?;
        let known = needle.symbols.iter().position(|(other, _)| *other == code);
        Some(known.unwrap_or_else(|| {
            needle.symbols.push((code, vec![]));
            needle.symbols.len() - 1
        }))
    });
    for (&byte, at) in bytes.iter().zip(0..) {
        match places[usize::from(byte)] {
            Some(place) => needle.symbols[place].1.push(at),
            None => needle.wild.push(at),
        }
    }
    needle.symbols.retain(|(_, positions)| !positions.is_empty());
    needle
}

fn by_frequency(symbols: &mut [(u32, Vec<u32>)]) {
    symbols.sort_unstable_by_key(|(code, at)| (std::cmp::Reverse(at.len()), *code));
}
