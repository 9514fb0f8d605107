//! Texts of one length that occur several times, from the order of suffixes alone: those that start
//! alike stand side by side.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::Result;
use crate::interrupt::Monitor;
use crate::symbol::{Symbol, starts_character};

/// Ranks looked at by one thread at once.
const PIECE: usize = 1 << 18;

/// How many ranks ahead a suffix is read for nothing but to have it in cache.
const AHEAD: usize = 24;

/// Symbols by which suffixes are told from each other first.
const HEAD: usize = 32;

/// Which places of a text that occurs several times are no copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Original {
    /// None of them.
    None,
    /// The lowest.
    Lowest,
    /// All that are below this place; only what occurs there has copies.
    Below(u32),
}

/// Places of a text, a bit each.
#[derive(Debug)]
pub struct Places(Vec<AtomicU64>);

impl Places {
    /// Whether a place is one of them.
    pub fn contains(&self, at: u32) -> bool {
        let word = self.0.get(at as usize / 64).map_or(0, |word| word.load(Ordering::Relaxed));
        word >> (at % 64) & 1 == 1
    }

    fn insert(&self, at: u32) {
        if let Some(word) = self.0.get(at as usize / 64) {
            word.fetch_or(1 << (at % 64), Ordering::Relaxed);
        }
    }
}

/// Where the last symbols of texts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Anywhere.
    Any,
    /// At the end of a character, which texts go on to if it is not there.
    GoingOn,
    /// At the end of a character; other texts have no copies.
    There,
}

/// The places at which copies start of texts of `length` symbols that occur `least` times at least,
/// below a place if that is so.
///
/// O(n · length) time at worst, and O(n) where texts are not mostly copies; one bit a symbol.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn copies<S: Symbol>(
    text: &[S],
    suffixes: &[u32],
    length: usize,
    end: End,
    least: u64,
    original: Original,
    monitor: &Monitor,
) -> Result<Places> {
    let found = Places((0..text.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
    let rest = |at: u32| text.get(at as usize..).unwrap_or_default();
    let inside = |symbol: Option<&S>| {
        symbol.is_some_and(|symbol| {
            u8::try_from(symbol.number()).is_ok_and(|byte| !starts_character(byte))
        })
    };
    let same = |rank: usize| {
        let (one, two) = (rest(suffixes[rank - 1]), rest(suffixes[rank]));
        let (a, b) = (one.first_chunk::<HEAD>(), two.first_chunk::<HEAD>());
        if length >= HEAD && (a != b || a.is_none()) {
            return false;
        }
        let (Some(a), Some(b)) = (one.get(..length), two.get(..length)) else { return false };
        if a != b {
            return false;
        }
        if end != End::GoingOn {
            return end == End::Any || !inside(one.get(length)) && !inside(two.get(length));
        }
        // What is left of a character that the length ends in.
        let mut at = length;
        while inside(one.get(at)) || inside(two.get(at)) {
            if one.get(at) != two.get(at) {
                return false;
            }
            at += 1;
        }
        true
    };
    let take = |group: &[u32]| match original {
        Original::None if group.len() as u64 >= least => {
            group.iter().for_each(|&at| found.insert(at));
        }
        Original::Lowest if group.len() as u64 >= least => {
            let lowest = group.iter().copied().min();
            group.iter().filter(|&&at| Some(at) != lowest).for_each(|&at| found.insert(at));
        }
        Original::Below(place) => {
            let below = group.iter().filter(|&&at| at < place).count();
            if below as u64 >= least {
                group.iter().filter(|&&at| at >= place).for_each(|&at| found.insert(at));
            }
        }
        _ => {}
    };
    (0..suffixes.len().div_ceil(PIECE)).into_par_iter().try_for_each(|nth| {
        monitor.check()?;
        let (mut rank, end) = (nth * PIECE, suffixes.len().min((nth + 1) * PIECE));
        // A group that begins in the piece before is that one's.
        while rank > 0 && rank < end && same(rank) {
            rank += 1;
        }
        while rank < end {
            let first = rank;
            rank += 1;
            loop {
                if let Some(&ahead) = suffixes.get(rank + AHEAD) {
                    std::hint::black_box(text.get(ahead as usize));
                }
                if rank == suffixes.len() || !same(rank) {
                    break;
                }
                rank += 1;
            }
            if rank - first > 1 {
                monitor.check()?;
                take(&suffixes[first..rank]);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::suffix::sort;

    proptest! {
        #[test]
        fn copies_agree_with_the_definition(
            unit in vec(0_u8..3, 0..80),
            times in 1_usize..3,
            length in prop_oneof![1_usize..6, 30_usize..40],
            least in 1_u64..5,
            place in 0_u32..100,
        ) {
            let mut text = unit.repeat(times);
            let suffixes = sort(&mut text).unwrap();
            for original in [Original::None, Original::Lowest, Original::Below(place)] {
                let found =
                    copies(&text, &suffixes, length, End::Any, least, original, &Monitor::default())
                        .unwrap();
                for at in 0..text.len() {
                    let own = text.get(at..at + length);
                    let places: Vec<usize> = (0..text.len())
                        .filter(|&other| own.is_some() && text.get(other..other + length) == own)
                        .collect();
                    let several = places.len() > 1 && places.len() as u64 >= least;
                    let expected = match original {
                        Original::None => several,
                        Original::Lowest => several && places[0] < at,
                        Original::Below(place) => {
                            let below = places.iter().filter(|&&at| (at as u32) < place).count();
                            at as u32 >= place && below as u64 >= least
                        }
                    };
                    prop_assert_eq!(found.contains(at as u32), expected, "at {}", at);
                }
            }
        }
    }
}
