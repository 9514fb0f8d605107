//! Searches a suffix array: the range of ranks of a pattern, for one pattern or many in step.

use std::cmp::Ordering;

use super::STRIDE;
use crate::error::{Error, Result};
use crate::symbol::{Rank, Ranks, Symbol};

/// Patterns searched in step, so that their cache misses overlap.
const GROUP: usize = 32;

/// Pivots compared at once by a single search, so that its cache misses overlap.
const PIVOTS: usize = 15;

const CACHE_LINE: usize = 64;

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
        let (lower, upper) = self.brackets(pattern, &mut 0);
        let low = self.narrow(pattern, lower, Ordering::Less)?;
        self.upper_bound(pattern, low, upper)
    }

    /// Where, by the keys alone, the first suffix not below the pattern is, and the first one
    /// above all that start with it. `hint` is the first sample not below the pattern before, and
    /// becomes this one's: near it where patterns come in order.
    fn brackets(&self, pattern: &[S], hint: &mut usize) -> (Bracket, Bracket) {
        let (floor, ceiling) = (S::key(pattern), S::key_ceiling(pattern));
        let ordered = *hint > 0 && self.keys[*hint - 1] < floor;
        let first = if ordered {
            *hint + gallop(&self.keys[*hint..], |key| key < floor)
        } else {
            boundary(self.keys, |key| key < floor)
        };
        *hint = first;
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

    /// The first rank within the bracket whose suffix compares with the pattern as more than
    /// `last`; the end of the bracket if none does.
    fn narrow(&self, pattern: &[S], mut at: Bracket, last: Ordering) -> Result<Rank> {
        let mut pivots = [0; PIVOTS];
        while at.low < at.high {
            let width = (at.high - at.low) as usize;
            let count = width.min(PIVOTS);
            let step = if width <= PIVOTS { 1 } else { width / (PIVOTS + 1) };
            let first = at.low + step as Rank - Rank::from(step == 1);
            for (nth, pivot) in pivots[..count].iter_mut().enumerate() {
                *pivot = first + (nth * step) as Rank;
            }
            self.split(pattern, &pivots[..count], &mut at, last)?;
        }
        Ok(at.low)
    }

    /// Narrows the bracket to between two of the pivots, which ascend within it; at least one of
    /// them leaves it.
    fn split(
        &self,
        pattern: &[S],
        pivots: &[Rank],
        at: &mut Bracket,
        last: Ordering,
    ) -> Result<()> {
        let shared = at.low_shared.min(at.high_shared).min(pattern.len());
        let rest = &pattern[shared..];
        let (floor, ceiling) = (S::key(rest), S::key_ceiling(rest));
        // Independent reads first, decisions after: the misses then overlap.
        let mut positions = [0_usize; PIVOTS];
        for (position, &pivot) in positions.iter_mut().zip(pivots) {
            *position = self.suffixes[pivot as usize] as usize + shared;
        }
        let mut heads = [0_u64; PIVOTS];
        for (head, &position) in heads.iter_mut().zip(&positions[..pivots.len()]) {
            let suffix = self.text.get(position..).ok_or_else(out_of_text)?;
            *head = S::key(suffix);
            touch(suffix, rest.len());
        }
        let heads = &heads[..pivots.len()];
        // The pivots before `from` do not exceed `last`, those from `to` on do; where keys tie,
        // the rest of the suffix decides.
        let mut from = heads.iter().take_while(|&&head| head < floor).count();
        let mut to = heads.iter().take_while(|&&head| head <= ceiling).count();
        let by_key = |nth: usize| shared + same_symbols::<S>(heads[nth], floor, rest.len());
        let mut low_shared = from.checked_sub(1).map(by_key);
        let mut high_shared = (to < pivots.len()).then(|| by_key(to));
        while from < to {
            let nth = from.midpoint(to);
            let (order, length) = Self::compare(self.suffix(pivots[nth])?, pattern, shared)?;
            if order <= last {
                (from, low_shared) = (nth + 1, Some(length));
            } else {
                (to, high_shared) = (nth, Some(length));
            }
        }
        if let Some(length) = high_shared {
            (at.high, at.high_shared) = (pivots[to], length);
        }
        if let Some(length) = low_shared {
            (at.low, at.low_shared) = (pivots[from - 1] + 1, length);
        }
        Ok(())
    }

    /// The ranks from `low` on whose suffixes start with the pattern, given that `low` is the
    /// first one not below it and that the last one lies before the end of the bracket.
    fn upper_bound(&self, pattern: &[S], low: Rank, within: Bracket) -> Result<Ranks> {
        let mut at = Bracket { low: low.max(within.low), ..within };
        if at.low == low && low < at.high {
            // Most patterns are rare: look near the first occurrence before dividing what is left.
            let mut pivots = [0; PIVOTS];
            let mut count = 0;
            for (nth, pivot) in pivots.iter_mut().enumerate() {
                let probe = at.low.saturating_add((1 << nth) - 1);
                if probe < at.high {
                    *pivot = probe;
                    count += 1;
                }
            }
            self.split(pattern, &pivots[..count], &mut at, Ordering::Equal)?;
        }
        let high = self.narrow(pattern, at, Ordering::Equal)?;
        Ok(low..high.max(low))
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
        let mut patterns = patterns.fuse();
        let mut hint = 0;
        let mut flights: Vec<Flight<'p, S>> = Vec::with_capacity(GROUP);
        let mut positions = [0_usize; GROUP];
        let mut heads = [Head::default(); GROUP];
        loop {
            while flights.len() < GROUP {
                let Some((pattern, ranks)) = patterns.next() else {
                    break;
                };
                let mut flight = Flight::new(pattern, ranks, self.brackets(pattern, &mut hint));
                if !flight.settle() {
                    flights.push(flight);
                }
            }
            if flights.is_empty() {
                return Ok(());
            }
            // Independent reads first, decisions after: the misses then overlap.
            for (position, flight) in positions.iter_mut().zip(&flights) {
                *position = self.suffixes[flight.walk.probe() as usize] as usize;
            }
            for (head, &position) in heads.iter_mut().zip(&positions[..flights.len()]) {
                *head = Head::of(self.text.get(position..).ok_or_else(out_of_text)?, 0);
            }
            for nth in (0..flights.len()).rev() {
                let flight = &mut flights[nth];
                let mut before = flight.is_before(heads[nth]);
                if flight.long && heads[nth] == flight.bound {
                    let suffix = &self.text[positions[nth]..];
                    before = Self::compare(suffix, flight.pattern, 0)?.0 <= flight.last;
                }
                flight.walk.step(before);
                if flight.settle() {
                    flights.swap_remove(nth);
                }
            }
        }
    }
}

/// The first four keys of a text, which order as the text does: compared at once, without branches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Head(u128, u128);

impl Head {
    /// The head of a text; bits `fill` in place of what it is short.
    fn of<S: Symbol>(text: &[S], fill: u64) -> Self {
        let key = |nth: usize| match text.get(nth * S::KEY..) {
            Some(rest) if fill == 0 => S::key(rest),
            Some(rest) => S::key_ceiling(rest),
            None => fill,
        };
        let pair = |nth: usize| u128::from(key(nth)) << 64 | u128::from(key(nth + 1));
        Self(pair(0), pair(2))
    }

    fn below(self, other: Self) -> bool {
        (self.0 < other.0) | ((self.0 == other.0) & (self.1 < other.1))
    }
}

/// One pattern on its way to its range of ranks: first to the lower bound, then to the upper one.
#[derive(Debug)]
struct Flight<'p, S> {
    pattern: &'p [S],
    /// Whether the pattern goes on behind its head.
    long: bool,
    /// The smallest head of a text that starts with the pattern; the largest on the way to the
    /// upper bound.
    bound: Head,
    walk: Walk,
    /// The order up to which suffixes lie before the boundary looked for.
    last: Ordering,
    upper: Bracket,
    ranks: &'p mut Ranks,
}

impl<'p, S: Symbol> Flight<'p, S> {
    fn new(pattern: &'p [S], ranks: &'p mut Ranks, (lower, upper): (Bracket, Bracket)) -> Self {
        Self {
            pattern,
            long: pattern.len() > 4 * S::KEY,
            bound: Head::of(pattern, 0),
            walk: Walk { low: lower.low, high: lower.high, stride: 0 },
            last: Ordering::Less,
            upper,
            ranks,
        }
    }

    /// Whether a suffix with that head lies before the boundary looked for.
    fn is_before(&self, head: Head) -> bool {
        let lower = self.last == Ordering::Less;
        (lower & head.below(self.bound)) | (!lower & !self.bound.below(head))
    }

    /// Turns from the lower bound, once found, to the upper one; says whether both are found.
    fn settle(&mut self) -> bool {
        if self.walk.low < self.walk.high {
            return false;
        }
        if self.last == Ordering::Less {
            self.last = Ordering::Equal;
            self.bound = Head::of(self.pattern, u64::MAX);
            self.ranks.start = self.walk.low;
            let low = self.walk.low.max(self.upper.low);
            // Most patterns are rare: look near the first occurrence before halving what is left.
            let stride = Rank::from(low == self.ranks.start);
            self.walk = Walk { low, high: self.upper.high, stride };
            if self.walk.low < self.walk.high {
                return false;
            }
        }
        self.ranks.end = self.walk.low.max(self.ranks.start);
        true
    }
}

/// A search for a boundary between `low` and `high`: in strides that double from `low` on while
/// `stride` is not 0, by halving afterwards.
#[derive(Clone, Copy, Debug, Default)]
struct Walk {
    low: Rank,
    high: Rank,
    stride: Rank,
}

impl Walk {
    fn probe(&self) -> Rank {
        let stride = self.low.saturating_add(self.stride.wrapping_sub(1)).min(self.high - 1);
        if self.stride == 0 { self.low.midpoint(self.high) } else { stride }
    }

    fn step(&mut self, boundary_is_behind: bool) {
        let probe = self.probe();
        self.low = if boundary_is_behind { probe + 1 } else { self.low };
        self.high = if boundary_is_behind { self.high } else { probe };
        self.stride = if boundary_is_behind { self.stride.saturating_mul(2) } else { 0 };
    }
}

fn out_of_text() -> Error {
    Error::corrupt("the suffix array points outside the text")
}

/// Reads where a comparison of so many symbols will end, so that a miss there does not wait for
/// the one at its start.
fn touch<S: Symbol>(suffix: &[S], length: usize) {
    let reach = length.min(CACHE_LINE / S::WIDTH).saturating_sub(1);
    std::hint::black_box(suffix.get(reach).copied());
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

/// As [`gallop`], wherever the boundary is: in steps of many independent reads, whose misses
/// overlap.
fn boundary<T: Copy>(items: &[T], holds: impl Fn(T) -> bool) -> usize {
    let (mut low, mut high) = (0, items.len());
    while high - low > PIVOTS {
        let step = (high - low) / (PIVOTS + 1);
        let pivots = &items[low + step..=low + step * PIVOTS];
        let below =
            pivots.iter().step_by(step).map(|&item| usize::from(holds(item))).sum::<usize>();
        if below < PIVOTS {
            high = low + step * (below + 1);
        }
        low += step * below + usize::from(below > 0);
    }
    low + items[low..high].iter().take_while(|&&item| holds(item)).count()
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
