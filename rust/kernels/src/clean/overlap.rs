//! What the distinct values of a column share: substrings of at least two of them that are part
//! of no longer one.
//!
//! A substring is *shared* if it occurs in two distinct values or more. The keys of a column are
//! its inclusion-maximal shared substrings; those of a value, the inclusion-maximal ones among the
//! shared substrings of that value, so that what it shares is not hidden by a longer key elsewhere.
//!
//! Both fall out of the suffix array of the values laid end to end. Let `reach(p)` be the length of
//! the longest substring at `p` that another value holds too, which two sweeps over the longest
//! common prefixes tell (Chang and Lawler 1994; Gusfield 1997, 7.4). A shared substring can be made
//! longer somewhere exactly if at one of its occurrences the reach is longer, or that of the
//! character before.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::text;
use crate::container::Block;
use crate::corpus::MAX_SYMBOLS;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::suffix::{lcp, sort};
use crate::symbol::Patterns;

/// Which substrings are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The maximal shared substrings of the column.
    Maximal,
    /// The union of those of each value.
    PerValue,
    /// Whole values that another one holds.
    Whole,
}

/// A key, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The substring.
    pub text: String,
    /// The distinct values that hold it.
    pub support: u64,
    /// The rows that do.
    pub rows: u64,
}

/// Ends each value: no byte of UTF-8.
const SEPARATOR: u8 = u8::MAX;

/// Positions between two looks at the monitor.
const BLOCK: usize = 1 << 16;

/// Suffixes whose places are read at once.
const STRIDE: usize = 1 << 10;

/// No rank.
const NONE: u32 = u32::MAX;

/// The distinct values of a column end to end, a separator after each.
struct Values {
    /// In huge pages: they are read here and there.
    bytes: Block<u8>,
    /// Where each ends: its separator.
    ends: Vec<u32>,
    /// The rows that each stands in.
    rows: Vec<u64>,
}

/// A place of a value: how much the suffix here has in common with the one before it in order,
/// and the value; both in one number, for they are read together, here and there.
struct Place {
    length: u32,
    value: u32,
}

impl Place {
    fn packed(self) -> u64 {
        u64::from(self.length) << 32 | u64::from(self.value)
    }

    fn of(packed: u64) -> Self {
        Self { length: (packed >> 32) as u32, value: packed as u32 }
    }
}

/// The suffixes in order: what each has in common with the one before it, and whose it is.
struct Ranked {
    common: Block<u32>,
    values: Block<u32>,
}

/// A stretch of a value that is shared and can be made no longer where it stands, and the ranks of
/// all suffixes that begin with it.
struct Stretch {
    length: u32,
    rank: u32,
    value: u32,
    low: u32,
    high: u32,
    /// The rows of those suffixes, one counted for each.
    rows: u64,
}

/// A suffix that has something in common with another one of its value.
struct Again {
    rank: u32,
    /// The nearest one before it.
    before: u32,
    length: u32,
    rows: u64,
}

/// The keys of a column: the longest first, then in the order of their bytes.
///
/// Keys have `min_length` characters or more. Equal values are one. O(n log n) time for n bytes,
/// nearly all of it linear, and O(n) memory, beside the keys themselves.
///
/// # Errors
/// [`Error::InvalidInput`] if `min_length` is 0, or the distinct values hold 2³¹ bytes or more; if
/// someone asks to stop.
pub fn keys(
    values: &Patterns,
    min_length: usize,
    which: Keys,
    monitor: &Monitor,
) -> Result<Vec<Key>> {
    if min_length == 0 {
        return Err(Error::InvalidInput("min_length is 0: give 1 or more characters".into()));
    }
    let mut values = Values::read(values, monitor)?;
    if values.ends.len() < 2 {
        return Ok(vec![]);
    }
    let suffixes = sort(values.bytes.items_mut())?;
    let prefixes = lcp::common_prefixes(&values.bytes, &suffixes, monitor)?;
    let places = values.places(&prefixes)?;
    drop(prefixes);
    let (ranked, mut reaches) = reach(places, &suffixes, monitor)?;
    let lengths = reaches.items_mut();
    values.keep_stretches(lengths, min_length, which == Keys::Whole, monitor)?;
    let (mut stretches, again) =
        stretches(lengths, &suffixes, &ranked, &values.rows, min_length, monitor)?;
    drop(reaches);
    close(&mut stretches, &ranked, &values.rows, monitor)?;
    drop(ranked);
    // Those of one substring stand together: they share a length and where their ranks begin.
    let stretches = by_length(stretches);
    let mut twice = Twice::new(&again);
    let mut found: Vec<(usize, u32, Key)> = vec![];
    for (nth, group) in
        stretches.chunk_by(|a, b| (a.length, a.low) == (b.length, b.low)).enumerate()
    {
        if nth % BLOCK == 0 {
            monitor.check()?;
        }
        let Stretch { length, low, high, rows, .. } = group[0];
        twice.lower(length);
        let held = u64::from(high - low);
        let key = match which {
            Keys::Maximal => group.len() as u64 == held,
            Keys::PerValue => twice.whole(group),
            Keys::Whole => true,
        };
        if key {
            let start = suffixes[low as usize] as usize;
            let text = &values.bytes[start..start + length as usize];
            let text = std::str::from_utf8(text)
                .map_err(|error| Error::InvalidInput(format!("a key cuts a character: {error}")))?;
            let (count, repeated) = twice.inside(low, high);
            let key = Key { text: text.into(), support: held - count, rows: rows - repeated };
            found.push((key.text.chars().count(), low, key));
        }
    }
    // Of keys of one length, none begins another: they are in the order of their suffixes.
    found.sort_unstable_by_key(|&(length, low, _)| (Reverse(length), low));
    Ok(found.into_iter().map(|found| found.2).collect())
}

impl Values {
    fn read(column: &Patterns, monitor: &Monitor) -> Result<Self> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let (mut bytes, mut ends, mut rows): (Vec<u8>, _, _) = (vec![], vec![], vec![]);
        for row in 0..column.len() {
            if row % BLOCK == 0 {
                monitor.check()?;
            }
            let Some(value) = text(column, row)?.filter(|value| !value.is_empty()) else {
                continue;
            };
            let next = ends.len();
            let number = *seen.entry(value).or_insert(next);
            if number < next {
                rows[number] += 1;
                continue;
            }
            if bytes.len() + value.len() >= MAX_SYMBOLS {
                return Err(Error::InvalidInput(format!(
                    "the distinct values hold more than {MAX_SYMBOLS} bytes; give fewer of them"
                )));
            }
            bytes.extend_from_slice(value.as_bytes());
            ends.push(bytes.len() as u32);
            rows.push(1);
            bytes.push(SEPARATOR);
        }
        drop(seen);
        let mut spread = Block::zeros(bytes.len())?;
        spread.items_mut().copy_from_slice(&bytes);
        Ok(Self { bytes: spread, ends, rows })
    }

    /// Whose each place is, and what its suffix has in common with the one before it in order,
    /// within the value.
    fn places(&self, prefixes: &[u32]) -> Result<Block<u64>> {
        let mut places = Block::zeros(prefixes.len())?;
        let to = places.items_mut();
        let mut start = 0;
        for (value, &end) in (0..).zip(&self.ends) {
            let span = start..end as usize + 1;
            let left = (0..span.len() as u32).rev();
            let within = prefixes[span.clone()].iter().zip(left);
            for (to, (&prefix, left)) in to[span.clone()].iter_mut().zip(within) {
                *to = Place { length: prefix.min(left), value }.packed();
            }
            start = span.end;
        }
        Ok(places)
    }

    /// Leaves of how far the places reach what can be made no longer where it stands, or is a whole
    /// value, and has enough characters; 0 elsewhere.
    fn keep_stretches(
        &self,
        reaches: &mut [u32],
        min_length: usize,
        whole: bool,
        monitor: &Monitor,
    ) -> Result<()> {
        let text = &self.bytes[..];
        let continues = |at: usize| text[at] & 0xC0 == 0x80;
        // Where the substring at the character before reaches.
        let mut reached = 0;
        for (at, place) in reaches.iter_mut().enumerate() {
            if at % BLOCK == 0 {
                monitor.check()?;
            }
            let reach = std::mem::take(place) as usize;
            if text[at] == SEPARATOR {
                reached = 0;
                continue;
            }
            if continues(at) {
                continue;
            }
            // The last character may be shared in part only.
            let mut stop = at + reach;
            while stop > at && text[stop] != SEPARATOR && continues(stop) {
                stop -= 1;
            }
            let all = (at == 0 || text[at - 1] == SEPARATOR) && text[stop] == SEPARATOR;
            if stop > reached && stop - at >= min_length && (all || !whole) {
                let characters = (at..stop).filter(|&at| !continues(at));
                if characters.take(min_length).count() == min_length {
                    *place = (stop - at) as u32;
                }
            }
            reached = stop;
        }
        Ok(())
    }
}

/// What each suffix has in common with the one before it, in order; and of each place how long the
/// longest substring is that another value holds.
fn reach(places: Block<u64>, suffixes: &[u32], monitor: &Monitor) -> Result<(Ranked, Block<u32>)> {
    let blocks = [(); 3].map(|()| Block::<u32>::zeros(suffixes.len()));
    let [common, values, shared] = blocks;
    let (mut common, mut values, mut shared) = (common?, values?, shared?);
    let (commons, owners, least_of) = (common.items_mut(), values.items_mut(), shared.items_mut());
    let mut gathered = vec![];
    let (mut least, mut last) = (0, NONE);
    for (nth, ranks) in suffixes.chunks(STRIDE).enumerate() {
        monitor.check()?;
        for (rank, &place) in (nth * STRIDE..).zip(gather(&places, ranks, &mut gathered)) {
            let Place { length, value } = Place::of(place);
            least = if value == last { least.min(length) } else { length };
            last = value;
            (commons[rank], owners[rank], least_of[rank]) = (length, value, least);
        }
    }
    drop(places);
    (least, last) = (0, NONE);
    // What the suffix has in common with the one behind it.
    let mut length = 0;
    for rank in (0..suffixes.len()).rev() {
        if rank % BLOCK == 0 {
            monitor.check()?;
        }
        let value = owners[rank];
        least = if value == last { least.min(length) } else { length };
        last = value;
        length = commons[rank];
        least_of[rank] = least.max(least_of[rank]);
    }
    let mut reaches = Block::<u32>::zeros(suffixes.len())?;
    let to = reaches.items_mut();
    for (&suffix, &shared) in suffixes.iter().zip(&*least_of) {
        to[suffix as usize] = shared;
    }
    Ok((Ranked { common, values }, reaches))
}

/// Reads what stands at some suffixes in a row, each likely far from the one before it: nothing
/// waits for one of them, so that many are on their way at once.
fn gather<'a, T: Copy>(of: &[T], suffixes: &[u32], to: &'a mut Vec<T>) -> &'a [T] {
    to.clear();
    to.extend(suffixes.iter().map(|&suffix| of[suffix as usize]));
    to
}

/// Ranks of which each has less in common with the one before it than all behind it so far: the
/// last one that has too little for a substring begins, or is the first behind, those that begin
/// with it.
#[derive(Default)]
struct Smaller(Vec<(u32, u32, u64)>);

impl Smaller {
    fn push(&mut self, common: u32, rank: u32, rows: u64) {
        while self.0.last().is_some_and(|&(other, ..)| other >= common) {
            self.0.pop();
        }
        self.0.push((common, rank, rows));
    }

    /// The last place of less than `length`.
    fn last(&self, length: u32) -> Option<usize> {
        self.0.partition_point(|&(common, ..)| common < length).checked_sub(1)
    }
}

/// The stretches in the order of their suffixes, and the suffixes that have as much as a stretch in
/// common with another one of their value.
fn stretches(
    lengths: &[u32],
    suffixes: &[u32],
    ranked: &Ranked,
    rows: &[u64],
    min_length: usize,
    monitor: &Monitor,
) -> Result<(Vec<Stretch>, Vec<Again>)> {
    let (mut found, mut again) = (vec![], vec![]);
    let mut smaller = Smaller::default();
    // One more than the last rank of each value, and its rows, which are read together.
    let mut last: Vec<(u32, u64)> = rows.iter().map(|&rows| (0, rows)).collect();
    let (mut before, mut start) = (0_u64, 0);
    let mut gathered: Vec<u32> = vec![];
    for rank in 0..suffixes.len() as u32 {
        let block = &suffixes[rank as usize..];
        if (rank as usize).is_multiple_of(STRIDE) {
            monitor.check()?;
            gather(lengths, &block[..block.len().min(STRIDE)], &mut gathered);
        }
        let (common, value) = (ranked.common[rank as usize], ranked.values[rank as usize]);
        smaller.push(common, rank, before);
        if (common as usize) < min_length {
            start = rank;
        }
        let (last, rows) = &mut last[value as usize];
        let rows = *rows;
        let other = std::mem::replace(last, rank + 1);
        if other > start {
            let other = other - 1;
            // The least since the other one stands first of those behind it.
            let at = smaller.0.partition_point(|&(_, rank, _)| rank <= other);
            let length = smaller.0[at].0;
            again.push(Again { rank, before: other, length, rows });
        }
        let length = gathered[rank as usize % STRIDE];
        if length > 0 {
            let (_, low, behind) = smaller.0[smaller.last(length).unwrap_or(0)];
            found.push(Stretch { length, rank, value, low, high: 0, rows: before - behind });
        }
        before += rows;
    }
    Ok((found, again))
}

/// Finds where the suffixes that begin with each stretch end.
fn close(
    stretches: &mut [Stretch],
    ranked: &Ranked,
    rows: &[u64],
    monitor: &Monitor,
) -> Result<()> {
    let mut smaller = Smaller::default();
    let mut behind = 0_u64;
    let mut waiting = stretches.iter_mut().rev().peekable();
    for rank in (0..ranked.common.len()).rev() {
        if rank % BLOCK == 0 {
            monitor.check()?;
        }
        behind += rows[ranked.values[rank] as usize];
        if let Some(stretch) = waiting.next_if(|stretch| stretch.rank as usize == rank) {
            let (high, after) = match smaller.last(stretch.length) {
                Some(at) => (smaller.0[at].1, smaller.0[at].2),
                None => (ranked.common.len() as u32, 0),
            };
            stretch.high = high;
            stretch.rows += behind - after;
        }
        smaller.push(ranked.common[rank], rank as u32, behind);
    }
    Ok(())
}

/// The longest stretches first, those of one length in the order of their suffixes.
fn by_length(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    // Stable: those that are equal are in order already.
    stretches.sort_by_key(|stretch| Reverse(stretch.length));
    stretches
}

/// Suffixes with as much in common with another one of their value as is asked at a time, counted.
struct Twice<'a> {
    again: &'a [Again],
    /// By what they have in common, the most last.
    waiting: Vec<u32>,
    /// By the suffix before them.
    befores: Vec<u32>,
    /// Of those that have enough: sums of counts and rows over blocks of powers of two (Fenwick
    /// 1994).
    sums: Vec<(u64, u64)>,
    length: u32,
}

impl<'a> Twice<'a> {
    fn new(again: &'a [Again]) -> Self {
        let order = |key: fn(&Again) -> u32| {
            let mut order: Vec<u32> = (0..again.len() as u32).collect();
            order.sort_unstable_by_key(|&at| key(&again[at as usize]));
            order
        };
        Self {
            again,
            waiting: order(|one| one.length),
            befores: order(|one| one.before),
            sums: vec![(0, 0); again.len() + 1],
            length: NONE,
        }
    }

    /// Asks for so much, never more than before.
    fn lower(&mut self, length: u32) {
        self.length = length;
        while let Some(&at) =
            self.waiting.last().filter(|&&at| self.again[at as usize].length >= length)
        {
            self.waiting.pop();
            let mut block = at as usize + 1;
            while block < self.sums.len() {
                self.sums[block].0 += 1;
                self.sums[block].1 += self.again[at as usize].rows;
                block += block & block.wrapping_neg();
            }
        }
    }

    /// How many suffixes of these ranks have one of their value before them there, and their rows.
    fn inside(&self, low: u32, high: u32) -> (u64, u64) {
        let below = |rank: u32| {
            let mut block = self.again.partition_point(|one| one.rank < rank);
            let mut sum = (0, 0);
            while block > 0 {
                sum = (sum.0 + self.sums[block].0, sum.1 + self.sums[block].1);
                block -= block & block.wrapping_neg();
            }
            sum
        };
        if self.again.is_empty() {
            return (0, 0);
        }
        // The first suffix has none before it that has as much in common.
        let (all, before) = (below(high), below(low + 1));
        (all.0 - before.0, all.1 - before.1)
    }

    /// Whether some value holds the substring of a group in its stretches alone.
    fn whole(&self, group: &[Stretch]) -> bool {
        let alone = |stretch: &Stretch| {
            self.before(stretch.rank).is_none() && self.behind(stretch.rank).is_none()
        };
        if group.iter().any(alone) {
            return true;
        }
        let mut held: Vec<(u32, u32)> =
            group.iter().map(|stretch| (stretch.value, stretch.rank)).collect();
        held.sort_unstable();
        held.chunk_by(|a, b| a.0 == b.0).any(|held| {
            let joined = |pair: &[(u32, u32)]| self.before(pair[1].1) == Some(pair[0].1);
            self.before(held[0].1).is_none()
                && self.behind(held[held.len() - 1].1).is_none()
                && held.windows(2).all(joined)
        })
    }

    /// The suffix of the same value before this one that has enough in common with it.
    fn before(&self, rank: u32) -> Option<u32> {
        let at = self.again.binary_search_by_key(&rank, |one| one.rank).ok()?;
        Some(&self.again[at]).filter(|one| one.length >= self.length).map(|one| one.before)
    }

    /// The one behind it.
    fn behind(&self, rank: u32) -> Option<u32> {
        let again = |at: &u32| &self.again[*at as usize];
        let at = self.befores.binary_search_by_key(&rank, |at| again(at).before).ok()?;
        Some(again(&self.befores[at])).filter(|one| one.length >= self.length).map(|one| one.rank)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::corpus::Rows;

    fn column(values: &[String]) -> Patterns {
        let mut column = Patterns::bytes();
        for value in values {
            column.push_bytes(Some(value.as_bytes())).unwrap();
        }
        column
    }

    fn substrings(value: &str) -> BTreeSet<String> {
        let letters: Vec<char> = value.chars().collect();
        let mut found = BTreeSet::new();
        for start in 0..letters.len() {
            for stop in start + 1..=letters.len() {
                found.insert(letters[start..stop].iter().collect());
            }
        }
        found
    }

    fn longest(all: &BTreeSet<String>) -> BTreeSet<String> {
        let inside = |one: &String| all.iter().any(|other| other != one && other.contains(&**one));
        all.iter().filter(|one| !inside(one)).cloned().collect()
    }

    /// By the definition: all substrings, counted.
    fn naive(values: &[String], min_length: usize, which: Keys) -> BTreeMap<String, u64> {
        let distinct: BTreeSet<&String> = values.iter().collect();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for value in &distinct {
            for part in substrings(value) {
                *counts.entry(part).or_default() += 1;
            }
        }
        let shared: BTreeSet<String> = counts
            .iter()
            .filter(|(key, count)| **count > 1 && key.chars().count() >= min_length)
            .map(|(key, _)| key.clone())
            .collect();
        let keys = match which {
            Keys::Maximal => longest(&shared),
            Keys::Whole => shared.into_iter().filter(|key| distinct.contains(key)).collect(),
            Keys::PerValue => distinct
                .iter()
                .flat_map(|value| {
                    longest(&substrings(value).intersection(&shared).cloned().collect())
                })
                .collect(),
        };
        keys.into_iter().map(|key| (key.clone(), counts[&key])).collect()
    }

    proptest! {
        #[test]
        fn keys_agree_with_the_definition(
            values in prop::collection::vec("[abé𝄞]{0,9}|[ab]{0,12}", 0..9),
            min_length in 1_usize..4,
        ) {
            for which in [Keys::Maximal, Keys::PerValue, Keys::Whole] {
                let found = keys(&column(&values), min_length, which, &Monitor::default()).unwrap();
                let order = |key: &Key| (Reverse(key.text.chars().count()), key.text.clone());
                prop_assert!(found.iter().map(order).is_sorted());
                for key in &found {
                    let rows = values.iter().filter(|value| value.contains(&*key.text)).count();
                    prop_assert_eq!(key.rows, rows as u64);
                }
                let found: BTreeMap<_, _> =
                    found.into_iter().map(|key| (key.text, key.support)).collect();
                prop_assert_eq!(found, naive(&values, min_length, which));
            }
        }
    }

    #[test]
    fn what_a_value_shares_is_not_hidden() {
        let values = ["Cisco Systems", "Cisco SPVTG", "Cisco-Linksys"].map(String::from);
        let of = |which| {
            let found = keys(&column(&values), 4, which, &Monitor::default()).unwrap();
            found.into_iter().map(|key| key.text).collect::<Vec<_>>()
        };
        assert_eq!(of(Keys::Maximal), ["Cisco S"]);
        assert_eq!(of(Keys::PerValue), ["Cisco S", "Cisco"]);
    }
}
