//! Searches a suffix array: the range of ranks of a pattern, for one pattern or many in step.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::branches::Sorted;
use super::keys::{Brackets, FANOUT, Keys, Place, Shape, Tied};
use crate::error::{Error, Result};
use crate::symbol::{Position, Rank, Ranks, Symbol, common_prefix};

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
    keys: Keys<'a>,
}

/// A range of ranks with the length of the prefix that its pattern shares with the suffixes just
/// outside of it: every suffix within shares at least the smaller one.
#[derive(Clone, Copy, Debug)]
struct Bracket {
    low: u32,
    high: u32,
    low_shared: usize,
    high_shared: usize,
}

impl<'a, S: Symbol> SuffixArray<'a, S> {
    /// The parts of one suffix array.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if their lengths do not belong together.
    pub fn new(
        text: &'a [S],
        suffixes: &'a [u32],
        keys: &'a [u64],
        skips: &'a [u16],
        shape: &'a Shape,
    ) -> Result<Self> {
        let keys = Keys::new(keys, skips, shape).filter(|keys| keys.suffixes() == suffixes.len());
        match keys {
            Some(keys) if text.len() == suffixes.len() => Ok(Self { text, suffixes, keys }),
            _ => Err(Error::corrupt("text, suffix array and keys differ in length")),
        }
    }

    fn suffix(&self, rank: u32) -> Result<&'a [S]> {
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
        let bracket = |(low, high)| Bracket { low, high, low_shared: 0, high_shared: 0 };
        let found = self.brackets(pattern, None)?;
        let low = self.narrow(pattern, bracket(found.lower), Ordering::Less)?;
        self.upper_bound(pattern, low, bracket(found.upper))
    }

    /// Where, by the keys, the first suffix not below the pattern is, and the first one above all
    /// that start with it; both are known to lie in the node `from`.
    fn brackets(&self, pattern: &[S], from: Option<Place>) -> Result<Brackets> {
        self.keys.brackets(pattern, from, |tied| self.tell(pattern, tied))
    }

    /// How many of suffixes with one key lie below the pattern, and how many not above all that
    /// start with it.
    fn tell(&self, pattern: &[S], tied: Tied) -> Result<(usize, usize)> {
        let Tied { first, unit, count, shared } = tied;
        // Independent reads first: their misses then overlap.
        let mut suffixes = [&self.text[..0]; FANOUT];
        for (nth, suffix) in suffixes[..count].iter_mut().enumerate() {
            *suffix = self.suffix((first + nth * unit) as u32)?;
        }
        let suffixes = &suffixes[..count];
        suffixes.iter().for_each(|suffix| touch(suffix, shared));
        let before = |last: Ordering, from: usize| {
            let (mut from, mut to) = (from, count);
            while from < to {
                let nth = from.midpoint(to);
                if Self::compare(suffixes[nth], pattern, shared)?.0 <= last {
                    from = nth + 1;
                } else {
                    to = nth;
                }
            }
            Ok(from)
        };
        let below = before(Ordering::Less, 0)?;
        Ok((below, before(Ordering::Equal, below)?))
    }

    /// A node of the keys with the suffixes at its ends.
    fn home(&self, place: Place) -> Result<Home> {
        let Range { start, end } = self.keys.ends(place);
        let first = Head::of(self.suffix(start as u32)?);
        let next = if end < self.suffixes.len() {
            Head::of(self.suffix(end as u32)?)
        } else {
            Head([u64::MAX; 3])
        };
        Ok(Home { place, first, next })
    }

    /// How `suffix` compares with the pattern, `Equal` where it starts with it, and how many
    /// symbols they share, of which the first `shared` are known.
    fn compare(suffix: &[S], pattern: &[S], shared: usize) -> Result<(Ordering, usize)> {
        let left = suffix.get(shared..).ok_or_else(out_of_text)?;
        let right = pattern.get(shared..).unwrap_or_default();
        let more = common_prefix(left, right);
        let order = match (left.get(more), right.get(more)) {
            (_, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        };
        Ok((order, shared + more))
    }

    /// The first rank within the bracket whose suffix compares with the pattern as more than
    /// `last`; the end of the bracket if none does.
    fn narrow(&self, pattern: &[S], mut at: Bracket, last: Ordering) -> Result<u32> {
        let mut pivots = [0; PIVOTS];
        while at.low < at.high {
            let width = (at.high - at.low) as usize;
            let count = width.min(PIVOTS);
            let step = if width <= PIVOTS { 1 } else { width / (PIVOTS + 1) };
            let first = at.low + step as u32 - u32::from(step == 1);
            for (nth, pivot) in pivots[..count].iter_mut().enumerate() {
                *pivot = first + (nth * step) as u32;
            }
            self.split(pattern, &pivots[..count], &mut at, last)?;
        }
        Ok(at.low)
    }

    /// Narrows the bracket to between two of the pivots, which ascend within it; at least one of
    /// them leaves it.
    fn split(&self, pattern: &[S], pivots: &[u32], at: &mut Bracket, last: Ordering) -> Result<()> {
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
    fn upper_bound(&self, pattern: &[S], low: u32, within: Bracket) -> Result<Ranks> {
        let mut at = Bracket { low: low.max(within.low), ..within };
        if at.low == low {
            // Most patterns are rare, and the search for the first occurrence has just read its
            // neighbours: look there, then further in strides that double.
            let near: [u32; 3] = [0, 1, 2].map(|step| low.saturating_add(step));
            let count = near.iter().filter(|&&pivot| pivot < at.high).count();
            self.split(pattern, &near[..count], &mut at, Ordering::Equal)?;
            if count == near.len() && at.low == near[2] + 1 && at.low < at.high {
                let mut far = [0; PIVOTS];
                for (nth, pivot) in far.iter_mut().enumerate() {
                    *pivot = at.low.saturating_add((1 << nth) - 1);
                }
                let count = far.iter().filter(|&&pivot| pivot < at.high).count();
                self.split(pattern, &far[..count], &mut at, Ordering::Equal)?;
            }
        }
        let high = self.narrow(pattern, at, Ordering::Equal)?;
        Ok((low..high.max(low)).into())
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
        patterns: impl Iterator<Item = (Cow<'p, [S]>, &'p mut Ranks)>,
    ) -> Result<()> {
        let mut patterns = patterns.fuse();
        let mut flights: Vec<Flight<'p, S>> = Vec::with_capacity(GROUP);
        let mut positions = [0_usize; GROUP];
        let (mut home, mut last) = (None::<Home>, None);
        loop {
            while flights.len() < GROUP {
                let Some((pattern, ranks)) = patterns.next() else {
                    break;
                };
                let mut flight = Flight::new(pattern, ranks);
                let from = home.filter(|home| home.holds(&flight)).map(|home| home.place);
                let found = self.brackets(&flight.pattern, from)?;
                if from.is_none() {
                    // Only where patterns come in order does it pay to know the node's ends.
                    if let Some(place) = found.home.filter(|_| found.home == last) {
                        home = Some(self.home(place)?);
                    }
                    last = found.home;
                }
                flight.lower = found.lower.0..found.lower.1;
                flight.upper = found.upper.0..found.upper.1;
                if !flight.settle() {
                    flights.push(flight);
                }
            }
            if flights.is_empty() {
                return Ok(());
            }
            for (position, flight) in positions.iter_mut().zip(&flights) {
                *position = self.suffixes[flight.probe() as usize] as usize;
            }
            for &position in &positions[..flights.len()] {
                touch(self.text.get(position..).ok_or_else(out_of_text)?, Head::symbols::<S>());
            }
            let mut nth = 0;
            while let Some(flight) = flights.get_mut(nth) {
                let suffix = &self.text[positions[nth]..];
                let (mut below, mut equal) = flight.compare(Head::of(suffix));
                if equal && flight.is_long() {
                    let (order, _) = Self::compare(suffix, &flight.pattern, Head::symbols::<S>())?;
                    (below, equal) = (order.is_lt(), order.is_eq());
                }
                flight.step(below, equal);
                if flight.settle() {
                    flights.swap_remove(nth);
                    positions[nth] = positions[flights.len()];
                } else {
                    nth += 1;
                }
            }
        }
    }
}

impl<S: Symbol> Sorted for SuffixArray<'_, S> {
    type Symbol = S;

    fn position(&self, rank: Rank) -> Result<Position> {
        self.suffixes.get(rank as usize).map(|&position| position.into()).ok_or_else(out_of_text)
    }

    fn symbol(&self, position: Position) -> Result<S> {
        self.text.get(position as usize).copied().ok_or_else(out_of_text)
    }
}

/// The first symbols of a text as three keys, so that two texts compare without branches.
#[derive(Clone, Copy, Debug, Default)]
struct Head([u64; 3]);

impl Head {
    /// Symbols a head.
    const fn symbols<S: Symbol>() -> usize {
        3 * S::KEY
    }

    /// The head of a text; zeros in place of what it is short.
    fn of<S: Symbol>(text: &[S]) -> Self {
        text.get(..Self::symbols::<S>()).map_or_else(|| Self::padded(text), Self::whole)
    }

    fn whole<S: Symbol>(text: &[S]) -> Self {
        let mut head = Self::default();
        for (key, symbols) in head.0.iter_mut().zip(text.chunks_exact(S::KEY)) {
            *key = S::key(symbols);
        }
        head
    }

    /// Apart from the common case, which is then three loads and not a call.
    #[cold]
    #[inline(never)]
    fn padded<S: Symbol>(text: &[S]) -> Self {
        let mut head = Self::default();
        for (key, symbols) in head.0.iter_mut().zip(text.chunks(S::KEY)) {
            *key = S::key(symbols);
        }
        head
    }

    /// Ones where a text of so many symbols has bits, zeros behind it.
    fn mask<S: Symbol>(length: usize) -> Self {
        let mut head = Self::default();
        for (nth, key) in head.0.iter_mut().enumerate() {
            let used = length.saturating_sub(nth * S::KEY).min(S::KEY) * S::WIDTH * 8;
            *key = !u64::MAX.checked_shr(used as u32).unwrap_or(0);
        }
        head
    }

    /// The first symbols only, where the mask has bits.
    fn masked(mut self, mask: Self) -> Self {
        for (key, mask) in self.0.iter_mut().zip(mask.0) {
            *key &= mask;
        }
        self
    }

    /// Whether it is below another one, and whether they are equal.
    fn compare(self, other: Self) -> (bool, bool) {
        let ([a, b], [c, d]) = (self.halves(), other.halves());
        ((a < c) | ((a == c) & (b < d)), (a == c) & (b == d))
    }

    fn halves(self) -> [u128; 2] {
        let [a, b, c] = self.0.map(u128::from);
        [a << 64 | b, c]
    }
}

/// A node of the keys, the head of its first suffix and that of the first one behind it.
#[derive(Clone, Copy, Debug)]
struct Home {
    place: Place,
    first: Head,
    next: Head,
}

impl Home {
    /// Whether the first suffix is surely below a pattern, and the next one above all that start
    /// with it: then both boundaries of the pattern lie in the node.
    fn holds<S: Symbol>(&self, flight: &Flight<'_, S>) -> bool {
        let next = self.next.masked(flight.mask);
        self.first.compare(flight.head).0 & flight.head.compare(next).0
    }
}

/// One pattern on its way to its range of ranks: first to the lower bound, then to the upper one.
#[derive(Debug)]
struct Flight<'p, S: Symbol> {
    pattern: Cow<'p, [S]>,
    /// The pattern's own head, and where it has bits.
    head: Head,
    mask: Head,
    /// Between which ranks the bounds lie. What is read on the way to the lower one narrows both.
    lower: Range<u32>,
    upper: Range<u32>,
    /// How far to look ahead for the upper bound; 0 while halving what is between.
    stride: u32,
    ranks: &'p mut Ranks,
}

impl<'p, S: Symbol> Flight<'p, S> {
    fn new(pattern: Cow<'p, [S]>, ranks: &'p mut Ranks) -> Self {
        Self {
            head: Head::of(&pattern),
            mask: Head::mask::<S>(pattern.len()),
            pattern,
            lower: 0..0,
            upper: 0..0,
            stride: 0,
            ranks,
        }
    }

    /// The rank to look at next.
    fn probe(&self) -> u32 {
        let Range { start, end } = if self.is_low() { &self.upper } else { &self.lower };
        let ahead = start.saturating_add(self.stride.wrapping_sub(1)).min(end - 1);
        if self.stride == 0 { start.midpoint(*end) } else { ahead }
    }

    /// Whether the lower bound is found.
    fn is_low(&self) -> bool {
        self.lower.start >= self.lower.end
    }

    /// Whether there is more of the pattern than its head.
    fn is_long(&self) -> bool {
        self.pattern.len() > Head::symbols::<S>()
    }

    /// Whether a suffix with that head lies below the pattern's head, and whether it starts with it.
    fn compare(&self, head: Head) -> (bool, bool) {
        head.masked(self.mask).compare(self.head)
    }

    /// Takes in how the suffix at the probed rank compares; without branches, for they would be
    /// guessed wrong every other time.
    fn step(&mut self, below: bool, starts: bool) {
        let probe = self.probe();
        let Self { lower, upper, stride, .. } = self;
        lower.start = if below { probe + 1 } else { lower.start };
        lower.end = if below { lower.end } else { lower.end.min(probe) };
        let before = below | starts;
        upper.start = if before { upper.start.max(probe + 1) } else { upper.start };
        upper.end = if before { upper.end } else { upper.end.min(probe) };
        *stride = if before { stride.saturating_mul(2) } else { 0 };
    }

    /// Turns from the lower bound, once found, to the upper one; says whether both are found.
    fn settle(&mut self) -> bool {
        if !self.is_low() {
            return false;
        }
        let low = self.lower.start;
        if self.upper.start <= low.saturating_add(1) {
            // Most patterns are rare: look near the first occurrence before halving what is left.
            self.upper.start = self.upper.start.max(low);
            self.stride = self.stride.max(1);
        }
        if self.upper.start < self.upper.end {
            return false;
        }
        *self.ranks = (low..self.upper.start.max(low)).into();
        true
    }
}

pub(super) fn out_of_text() -> Error {
    Error::corrupt("the suffix array points outside the text")
}

/// Reads the ends of what a comparison of so many symbols will read, for nothing but to have it in
/// cache: reads of several suffixes, if nothing waits for them, overlap.
fn touch<S: Symbol>(suffix: &[S], length: usize) {
    let reach = length.min(CACHE_LINE / S::WIDTH).saturating_sub(1);
    std::hint::black_box((suffix.first().copied(), suffix.get(reach).copied()));
}

/// How many leading symbols two keys share, of the `length` that were packed.
fn same_symbols<S: Symbol>(left: u64, right: u64, length: usize) -> usize {
    ((left ^ right).leading_zeros() as usize / (S::WIDTH * 8)).min(length).min(S::KEY)
}
