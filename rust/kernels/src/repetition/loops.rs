//! Loops of a row, which are its maximal repetitions or runs, and the longest part that occurs twice.
//!
//! Each run has the longest Lyndon word of its period in one of two orders of symbols, which the next
//! smaller suffix ends (Bannai et al. 2017): so each place begins two candidates at most, and how far
//! one goes on is known in constant time.

use std::cmp::Reverse;

use super::extensions::{Extensions, invert, neighbours};
use crate::error::Result;
use crate::symbol::{Symbol, starts_character};

/// The longest part that occurs twice; its occurrences may overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeat {
    /// Its symbols; 0 if no symbol occurs twice.
    pub length: u64,
    /// Where it first occurs.
    pub start: u64,
}

/// A part that repeats a shorter one end to end, twice at least, and would not if it were longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loop {
    /// Where it starts.
    pub start: u64,
    /// Symbols of the shortest part that it repeats.
    pub period: u64,
    /// Its symbols.
    pub length: u64,
}

impl Loop {
    /// Of several the longest, of those as long the first, of those that with the shortest period.
    pub(super) fn order(self) -> (u64, Reverse<u64>, Reverse<u64>) {
        (self.length, Reverse(self.start), Reverse(self.period))
    }
}

/// The longest part of a text that occurs twice; of those as long one that stands first. Of
/// `characters` it is a whole number.
///
/// O(n) time for a text of n symbols.
pub(super) fn longest<S: Symbol>(
    text: &[S],
    characters: bool,
    scratch: &mut (Vec<S>, Vec<i32>),
) -> Result<Repeat> {
    if text.len() < 2 {
        return Ok(Repeat::default());
    }
    let (symbols, suffixes) = scratch;
    symbols.clear();
    symbols.extend_from_slice(text);
    suffixes.resize(text.len(), 0);
    S::sort_suffixes(symbols, suffixes)?;
    let suffixes = &suffixes[..text.len()];
    let inside = |at: usize| {
        characters
            && text.get(at).is_some_and(|symbol| {
                u8::try_from(symbol.number()).is_ok_and(|byte| !starts_character(byte))
            })
    };
    let ranks = invert(suffixes);
    let mut best = Repeat::default();
    neighbours(text, suffixes, &ranks, |_, at, other, shared| {
        if shared as u64 > best.length && !inside(at) {
            let mut length = shared;
            // What follows differs, and may do so within a character.
            while length > 0 && inside(at + length) {
                length -= 1;
            }
            if length as u64 > best.length {
                best = Repeat { length: length as u64, start: at.min(other) as u64 };
            }
        }
    });
    if best.length > 0 {
        // The first of all its occurrences: those stand side by side in order.
        let (at, length) = (best.start as usize, best.length as usize);
        let part = &text[at..at + length];
        let same = |rank: &usize| text[suffixes[*rank] as usize..].starts_with(part);
        let rank = ranks[at] as usize;
        let around =
            (0..rank).rev().take_while(same).chain((rank..suffixes.len()).take_while(same));
        best.start = around.map(|rank| suffixes[rank] as u64).min().unwrap_or(best.start);
    }
    Ok(best)
}

/// Calls `each` with the loops of a text, some of them several times.
///
/// O(n) time for a text of n symbols, and no suffix sorted unless more than a few symbols of two
/// places are alike.
pub(super) fn each_loop<S: Symbol>(text: &[S], mut each: impl FnMut(Loop)) -> Result<()> {
    let extensions = Extensions::of(text);
    let mut next = vec![0_u32; text.len()];
    for reversed in [false, true] {
        for at in (0..text.len()).rev() {
            let mut other = at + 1;
            let mut after = 0;
            while other < text.len() {
                after = extensions.after(at, other)?;
                let smaller = match text.get(other + after) {
                    None => true,
                    Some(symbol) => (*symbol < text[at + after]) != reversed,
                };
                if smaller {
                    break;
                }
                (other, after) = (next[other] as usize, 0);
            }
            next[at] = other as u32;
            let period = other - at;
            if after + at < period {
                continue;
            }
            let before = extensions.before(at, other)?;
            if after + before >= period {
                each(Loop {
                    start: (at - before) as u64,
                    period: period as u64,
                    length: (before + period + after) as u64,
                });
            }
        }
    }
    Ok(())
}
