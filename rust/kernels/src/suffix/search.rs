//! Searches a suffix array: the range of ranks of a pattern, for one pattern or many in step.

use std::cmp::Ordering;

use super::STRIDE;
use crate::error::{Error, Result};
use crate::symbol::{Rank, Ranks, Symbol};

/// Patterns searched in step, so that their cache misses overlap.
const GROUP: usize = 32;

/// Pivots compared at once by a single search, so that its cache misses overlap.
const PIVOTS: usize = 7;

/// A text, its sorted suffixes and their keys, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct SuffixArray<'a, S> {
    text: &'a [S],
    suffixes: &'a [u32],
    keys: &'a [u64],
}

/// A range of ranks with the length of the prefix that its pattern shares with the suffixes just
/// outside of it: every suffix within shares at least the smaller one.
#[derive(Clone, Copy, Debug)]
struct Bracket {
    low: Rank,
    high: Rank,
    low_shared: usize,
    high_shared: usize,
}

impl<'a, S: Symbol> SuffixArray<'a, S> {
    /// The parts of one suffix array.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if their lengths do not belong together.
    pub fn new(text: &'a [S], suffixes: &'a [u32], keys: &'a [u64]) -> Result<Self> {
        if text.len() != suffixes.len() || keys.len() != suffixes.len().div_ceil(STRIDE) {
            return Err(Error::corrupt("text, suffix array and keys differ in length"));
        }
        Ok(Self { text, suffixes, keys })
    }

    fn suffix(&self, rank: Rank) -> Result<&'a [S]> {
        let position = self.suffixes.get(rank as usize).copied().unwrap_or(u32::MAX);
        self.text.get(position as usize..).ok_or_else(out_of_text)
    }

    /// The ranks of the suffixes that start with `pattern`, which holds no separator; all ranks
    /// for an empty one.
    ///
    /// O(m + log n) expected time: steps share what they know of the common prefix.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the array points outside the text.
    pub fn find(&self, pattern: &[S]) -> Result<Ranks> {
        let (lower, upper) = self.brackets(pattern);
        let low = self.lower_bound(pattern, lower)?;
        self.upper_bound(pattern, low, upper)
    }

    /// Where, by the keys alone, the first suffix not below the pattern is, and the first one
    /// above all that start with it.
    fn brackets(&self, pattern: &[S]) -> (Bracket, Bracket) {
        let (floor, ceiling) = (S::key(pattern), S::key_ceiling(pattern));
        let first = self.keys.partition_point(|&key| key < floor);
        let beyond = first + gallop(&self.keys[first..], |key| key <= ceiling);
        let after = |sample: usize| if sample == 0 { 0 } else { (sample - 1) * STRIDE + 1 } as Rank;
        let until = |sample: usize| (sample * STRIDE).min(self.suffixes.len()) as Rank;
        let bracket = |low, high| Bracket { low, high, low_shared: 0, high_shared: 0 };
        if pattern.len() <= S::KEY {
            // A sample whose key lies between floor and ceiling starts with the pattern: where
            // zeros filled up its key the text ended, in a separator that no pattern holds.
            (bracket(after(first), until(first)), bracket(after(beyond), until(beyond)))
        } else {
            (bracket(after(first), until(beyond)), bracket(after(first), until(beyond)))
        }
    }

    /// How `suffix` compares with the pattern, `Equal` where it starts with it, and how many
    /// symbols they share, of which the first `shared` are known.
    fn compare(suffix: &[S], pattern: &[S], shared: usize) -> Result<(Ordering, usize)> {
        let left = suffix.get(shared..).ok_or_else(out_of_text)?;
        let right = pattern.get(shared..).unwrap_or_default();
        let more = mismatch(left, right);
        let order = match (left.get(more), right.get(more)) {
            (_, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        };
        Ok((order, shared + more))
    }

    /// The first rank within the bracket whose suffix is not below the pattern.
    fn lower_bound(&self, pattern: &[S], mut at: Bracket) -> Result<Rank> {
        while at.high - at.low > PIVOTS as Rank {
            let shared = at.low_shared.min(at.high_shared);
            let rest = &pattern[shared.min(pattern.len())..];
            let (floor, ceiling) = (S::key(rest), S::key_ceiling(rest));
            let step = (at.high - at.low) / (PIVOTS as Rank + 1);
            let pivot = |nth: usize| at.low + step * (nth as Rank + 1);
            // Independent reads first, decisions after: the misses then overlap.
            let mut positions = [0_usize; PIVOTS];
            for (nth, position) in positions.iter_mut().enumerate() {
                *position = self.suffixes[pivot(nth) as usize] as usize + shared;
            }
            let mut found = [0_u64; PIVOTS];
            for (key, &position) in found.iter_mut().zip(&positions) {
                *key = S::key(self.text.get(position..).ok_or_else(out_of_text)?);
            }
            let below = found.iter().take_while(|&&key| key < floor).count();
            let not_above = found.iter().take_while(|&&key| key <= ceiling).count();
            // Of the pivots whose keys tie, the rest of the suffix decides.
            let (mut from, mut to) = (below, not_above);
            let (mut from_shared, mut to_shared) = (None, None);
            while from < to {
                let nth = from.midpoint(to);
                let (order, length) = Self::compare(self.suffix(pivot(nth))?, pattern, shared)?;
                if order == Ordering::Less {
                    (from, from_shared) = (nth + 1, Some(length));
                } else {
                    (to, to_shared) = (nth, Some(length));
                }
            }
            let by_key = |nth: usize| shared + same_symbols::<S>(found[nth], floor, rest.len());
            if to < PIVOTS {
                at.high_shared = to_shared.unwrap_or_else(|| by_key(to));
                at.high = pivot(to);
            }
            if from > 0 {
                at.low_shared = from_shared.unwrap_or_else(|| by_key(from - 1));
                at.low = pivot(from - 1) + 1;
            }
        }
        self.bisect(pattern, at, |order| order == Ordering::Less)
    }

    /// The ranks from `low` on whose suffixes start with the pattern, given that `low` is the
    /// first one not below it and that the last one lies before the end of the bracket.
    fn upper_bound(&self, pattern: &[S], low: Rank, within: Bracket) -> Result<Ranks> {
        let mut at = Bracket { low: low.max(within.low), ..within };
        let starts = |rank: Rank| -> Result<bool> {
            Ok(Self::compare(self.suffix(rank)?, pattern, 0)?.0 == Ordering::Equal)
        };
        if at.low == low {
            // Most patterns are rare: look near the first occurrence before halving what is left.
            let mut step = 1;
            while at.low < at.high {
                let probe = at.low + (step - 1).min(at.high - at.low - 1);
                if starts(probe)? {
                    at.low = probe + 1;
                    step *= 2;
                } else {
                    at.high = probe;
                    break;
                }
            }
        }
        let high = self.bisect(pattern, at, |order| order != Ordering::Greater)?;
        Ok(low..high.max(low))
    }

    fn bisect(
        &self,
        pattern: &[S],
        mut at: Bracket,
        goes_on: impl Fn(Ordering) -> bool,
    ) -> Result<Rank> {
        while at.low < at.high {
            let middle = at.low.midpoint(at.high);
            let shared = at.low_shared.min(at.high_shared);
            let (order, length) = Self::compare(self.suffix(middle)?, pattern, shared)?;
            if goes_on(order) {
                at.low = middle + 1;
                at.low_shared = length;
            } else {
                at.high = middle;
                at.high_shared = length;
            }
        }
        Ok(at.low)
    }

    /// [`SuffixArray::find`] for many patterns, given with the place of each answer.
    ///
    /// Patterns go in step through the array, so that their cache misses overlap: several times
    /// the rate of single searches.
    ///
    /// # Errors
    /// As `find`.
    pub fn find_many<'p>(
        &self,
        patterns: impl Iterator<Item = (&'p [S], &'p mut Ranks)>,
    ) -> Result<()> {
        let mut group = Vec::with_capacity(GROUP);
        let mut patterns = patterns.fuse();
        loop {
            group.clear();
            group.extend(patterns.by_ref().take(GROUP));
            if group.is_empty() {
                return Ok(());
            }
            self.find_group(&mut group)?;
        }
    }

    fn find_group(&self, group: &mut [(&[S], &mut Ranks)]) -> Result<()> {
        let size = group.len();
        let mut low = [0_u32; GROUP];
        let mut high = [0_u32; GROUP];
        let mut uppers = [Bracket { low: 0, high: 0, low_shared: 0, high_shared: 0 }; GROUP];
        let mut floors = [0_u64; GROUP];
        let mut ceilings = [0_u64; GROUP];
        for (nth, (pattern, _)) in group.iter().enumerate() {
            let lower;
            (lower, uppers[nth]) = self.brackets(pattern);
            (low[nth], high[nth]) = (lower.low, lower.high);
            (floors[nth], ceilings[nth]) = (S::key(pattern), S::key_ceiling(pattern));
        }
        let mut heads = [0_u64; GROUP];
        let mut positions = [0_u32; GROUP];
        loop {
            let mut open = false;
            for nth in 0..size {
                if low[nth] < high[nth] {
                    open = true;
                    positions[nth] = self.suffixes[low[nth].midpoint(high[nth]) as usize];
                }
            }
            if !open {
                break;
            }
            for nth in 0..size {
                if low[nth] < high[nth] {
                    let suffix = self.text.get(positions[nth] as usize..);
                    heads[nth] = S::key(suffix.ok_or_else(out_of_text)?);
                }
            }
            for nth in 0..size {
                if low[nth] < high[nth] {
                    let below = if heads[nth] < floors[nth] {
                        true
                    } else if heads[nth] > ceilings[nth] {
                        false
                    } else {
                        let suffix = &self.text[positions[nth] as usize..];
                        Self::compare(suffix, group[nth].0, 0)?.0 == Ordering::Less
                    };
                    let middle = low[nth].midpoint(high[nth]);
                    if below {
                        low[nth] = middle + 1;
                    } else {
                        high[nth] = middle;
                    }
                }
            }
        }
        for (nth, (pattern, ranks)) in group.iter_mut().enumerate() {
            **ranks = self.upper_bound(pattern, low[nth], uppers[nth])?;
        }
        Ok(())
    }
}

fn out_of_text() -> Error {
    Error::corrupt("the suffix array points outside the text")
}

/// How many items from the start on satisfy the predicate, which none does after the first that
/// does not; fast where they are few.
fn gallop<T: Copy>(items: &[T], holds: impl Fn(T) -> bool) -> usize {
    let mut step = 1;
    while step <= items.len() && holds(items[step - 1]) {
        step *= 2;
    }
    let from = step / 2;
    let to = (step - 1).min(items.len()).max(from);
    from + items[from..to].partition_point(|&item| holds(item))
}

/// How many leading symbols two keys share, of the `length` that were packed.
fn same_symbols<S: Symbol>(left: u64, right: u64, length: usize) -> usize {
    ((left ^ right).leading_zeros() as usize / (S::WIDTH * 8)).min(length).min(S::KEY)
}

/// How many leading symbols two texts share.
fn mismatch<S: Symbol>(left: &[S], right: &[S]) -> usize {
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
