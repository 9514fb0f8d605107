//! Suffixes of the values in order, as far as they share something.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rayon::prelude::*;

use super::BLOCK;
use super::buckets::{Buckets, Suffix, key};
use super::values::{SEPARATOR, Values, continues};
use crate::error::Result;
use crate::interrupt::Monitor;
use crate::suffix::{lcp, sort};

/// Suffixes that one thread puts in order at once, so that they stay in cache.
const TASK: usize = 1 << 14;

/// More suffixes are parted by their next byte before they are compared.
const MANY: usize = 1 << 14;

/// How often each suffix may be looked at, on average, before the suffix array is asked instead.
pub const PATIENCE: u64 = 16;

/// Runs of suffixes that begin with the same bytes, as many as are asked for or more.
pub struct Runs {
    /// In order; their keys are what [`shared`] reads.
    pub suffixes: Vec<Suffix>,
    /// Parts of these with whole runs, in order; nothing stands between them.
    pub parts: Vec<Range<usize>>,
}

/// What a suffix of a run has in common with the one before it, 0 for the first; and with one of
/// another value at most.
pub fn shared(suffix: &Suffix) -> (u32, u32) {
    ((suffix.key >> 32) as u32, suffix.key as u32)
}

/// How long the longest text is at each place that another value holds too, written by many threads,
/// one of them each.
pub type Reaches = [AtomicU32];

/// What a thread works with.
#[derive(Default)]
struct Desk {
    /// What each suffix has in common with the one before it.
    common: Vec<u32>,
    /// Those that have the same bytes so far, and are to be told apart.
    groups: Vec<Range<usize>>,
    narrower: Vec<Range<usize>>,
    space: Vec<Suffix>,
}

/// How much was looked at, of how much may be.
struct Effort {
    spent: AtomicU64,
    most: u64,
}

impl Effort {
    /// Whether so much more is too much.
    fn exceeded(&self, more: usize) -> bool {
        self.spent.fetch_add(more as u64, Ordering::Relaxed) + more as u64 > self.most
    }
}

/// How many bytes of a key stand before a separator.
fn before_end(key: u64) -> usize {
    size_of::<u64>() - key.trailing_ones() as usize / 8
}

impl Runs {
    /// The runs of suffixes that share `least` bytes, one or more; what they reach is written where
    /// it is so much.
    ///
    /// Buckets by their first bytes are sorted by eight bytes at a time, in cache; if that takes
    /// longer than `patience` looks at each suffix, as it does where values are long copies of one
    /// another, by the suffix array, in linear time.
    pub fn of(
        values: &mut Values,
        least: usize,
        patience: u64,
        reaches: &Reaches,
        monitor: &Monitor,
    ) -> Result<Self> {
        match Self::by_keys(values, least, patience, reaches, monitor)? {
            Some(runs) => Ok(runs),
            None => Self::by_array(values, least, reaches, monitor),
        }
    }

    fn by_keys(
        values: &Values,
        least: usize,
        patience: u64,
        reaches: &Reaches,
        monitor: &Monitor,
    ) -> Result<Option<Self>> {
        let Buckets { mut suffixes, ends, depth } = Buckets::of(values, least, monitor)?;
        let most = (suffixes.len() as u64).saturating_mul(patience);
        let effort = Effort { spent: AtomicU64::new(0), most };
        let mut tasks = vec![];
        let mut left = &mut suffixes[..];
        let (mut taken, mut first) = (0, 0);
        for (next, &end) in (1..).zip(&ends) {
            let length = end as usize - taken;
            if length >= TASK || length == left.len() {
                let part = left.split_off_mut(..length).unwrap_or_default();
                tasks.push((taken, &ends[first..next], part));
                (taken, first) = (end as usize, next);
            }
            if left.is_empty() {
                break;
            }
        }
        let parts = tasks
            .into_par_iter()
            .map_init(Desk::default, |desk, (taken, ends, part)| {
                desk.lay_out(part.len(), taken, ends);
                if !desk.sort(part, &values.bytes, depth, &effort, monitor)? {
                    return Ok(None);
                }
                let length = settle(part, &mut desk.common, least, reaches);
                Ok(Some(taken..taken + length))
            })
            .collect::<Result<Option<Vec<_>>>>()?;
        Ok(parts.map(|parts| Self { suffixes, parts }))
    }

    fn by_array(
        values: &mut Values,
        least: usize,
        reaches: &Reaches,
        monitor: &Monitor,
    ) -> Result<Self> {
        let suffixes = sort(&mut values.bytes)?;
        let prefixes = lcp::common_prefixes(&values.bytes, &suffixes, monitor)?;
        let mut found: Vec<Suffix> = vec![];
        let (mut parts, mut common) = (vec![], vec![]);
        let mut first = 0;
        // What the suffix has in common with the last one that was not left out.
        let mut shared = 0;
        for (rank, &start) in suffixes.iter().enumerate() {
            if rank % BLOCK == 0 {
                monitor.check()?;
            }
            shared = prefixes[start as usize].min(shared);
            let byte = values.bytes[start as usize];
            if byte == SEPARATOR || continues(byte) {
                continue;
            }
            let value = values.of(start);
            let left = values.ends[value as usize] - start;
            if (left as usize) < least {
                continue;
            }
            let length = shared.min(left);
            shared = u32::MAX;
            if (length as usize) < least && common.len() >= TASK {
                let length = settle(&mut found[first..], &mut common, least, reaches);
                parts.push(first..first + length);
                found.truncate(first + length);
                first = found.len();
                common.clear();
            }
            found.push(Suffix { key: 0, start, value });
            common.push(length);
        }
        let length = settle(&mut found[first..], &mut common, least, reaches);
        parts.push(first..first + length);
        Ok(Self { suffixes: found, parts })
    }
}

/// Leaves in front the runs of suffixes that more than one value has, says how many they are, and
/// notes how far they reach.
fn settle(suffixes: &mut [Suffix], common: &mut [u32], least: usize, reaches: &Reaches) -> usize {
    let (mut first, mut kept) = (0, 0);
    for end in 1..=common.len() {
        if common.get(end).is_some_and(|&common| common as usize >= least) {
            continue;
        }
        let run = std::mem::replace(&mut first, end)..end;
        let of_run = &mut suffixes[run.clone()];
        if of_run.iter().all(|suffix| suffix.value == of_run[0].value) {
            continue;
        }
        let common = &mut common[run.clone()];
        common[0] = 0;
        reach(of_run, common, reaches);
        suffixes.copy_within(run.clone(), kept);
        kept += run.len();
    }
    kept
}

/// Of each suffix of a run what it has in common with one of another value at most, which two
/// sweeps over the common prefixes tell.
fn reach(suffixes: &mut [Suffix], common: &[u32], reaches: &Reaches) {
    let (mut shared, mut last) = (0, None);
    for (suffix, &common) in suffixes.iter_mut().zip(common) {
        shared = if last == Some(suffix.value) { common.min(shared) } else { common };
        last = Some(suffix.value);
        suffix.key = u64::from(shared);
    }
    // What the suffix has in common with the one behind it.
    let mut behind = 0;
    last = None;
    for (suffix, &common) in suffixes.iter_mut().zip(common).rev() {
        shared = if last == Some(suffix.value) { behind.min(shared) } else { behind };
        last = Some(suffix.value);
        behind = common;
        let reach = shared.max(suffix.key as u32);
        suffix.key = u64::from(common) << 32 | u64::from(reach);
        reaches[suffix.start as usize].store(reach, Ordering::Relaxed);
    }
}

impl Desk {
    /// Makes groups of the buckets of so many suffixes, behind so many others.
    fn lay_out(&mut self, length: usize, first: usize, ends: &[u32]) {
        self.common.clear();
        self.common.resize(length, 0);
        self.groups.clear();
        let mut start = 0;
        for &end in ends {
            let end = end as usize - first;
            if end - start > 1 {
                self.groups.push(start..end);
            }
            start = end;
        }
    }

    /// Puts suffixes, whose groups share their first `depth` bytes and whose keys come behind those,
    /// in order, and finds what each has in common with the one before it; false if that is too much
    /// effort.
    fn sort(
        &mut self,
        suffixes: &mut [Suffix],
        text: &[u8],
        mut depth: usize,
        effort: &Effort,
        monitor: &Monitor,
    ) -> Result<bool> {
        while !self.groups.is_empty() {
            monitor.check()?;
            if effort.exceeded(self.groups.iter().map(ExactSizeIterator::len).sum()) {
                return Ok(false);
            }
            for group in &self.groups {
                let (suffixes, common) =
                    (&mut suffixes[group.clone()], &mut self.common[group.clone()]);
                arrange(suffixes, &mut self.space);
                narrow(suffixes, common, depth, group.start, &mut self.narrower);
            }
            self.groups.clear();
            std::mem::swap(&mut self.groups, &mut self.narrower);
            depth += size_of::<u64>();
            // Nothing waits for what is read here: many reads are on their way at once.
            for group in &self.groups {
                for suffix in &mut suffixes[group.clone()] {
                    suffix.key = key(text, suffix.start as usize + depth);
                }
            }
        }
        Ok(true)
    }
}

/// Finds what suffixes in the order of their keys have in common, and the groups of them whose keys
/// are the same and not at an end.
fn narrow(
    suffixes: &[Suffix],
    common: &mut [u32],
    depth: usize,
    start: usize,
    groups: &mut Vec<Range<usize>>,
) {
    let mut first = 0;
    for at in 1..=suffixes.len() {
        let last = suffixes[at - 1].key;
        let next = suffixes.get(at).map(|suffix| suffix.key);
        if let Some(key) = next {
            let same = (key ^ last).leading_zeros() as usize / 8;
            common[at] = (depth + same.min(before_end(key))) as u32;
        }
        if next != Some(last) {
            if at - first > 1 && before_end(last) == size_of::<u64>() {
                groups.push(start + first..start + at);
            }
            first = at;
        }
    }
}

/// Sorts by keys: many by their first byte that is not the same in all, in space for as many, few by
/// comparing them.
fn arrange(suffixes: &mut [Suffix], space: &mut Vec<Suffix>) {
    if let [a, b] = suffixes {
        if a.key > b.key {
            std::mem::swap(a, b);
        }
        return;
    }
    if suffixes.len() <= MANY {
        suffixes.sort_unstable_by_key(|suffix| suffix.key);
        return;
    }
    let first = suffixes[0].key;
    let differing = suffixes.iter().fold(0, |all, suffix| all | (suffix.key ^ first));
    let Some(bit) = differing.checked_ilog2() else { return };
    let shift = bit / 8 * 8;
    let byte = |suffix: &Suffix| usize::from((suffix.key >> shift) as u8);
    let mut counts = [0; 256];
    for suffix in &*suffixes {
        counts[byte(suffix)] += 1;
    }
    let mut sum = 0;
    let mut next = counts.map(|count: usize| {
        sum += count;
        sum - count
    });
    if space.len() < suffixes.len() {
        space.resize(suffixes.len(), Suffix::default());
    }
    for suffix in &*suffixes {
        let next = &mut next[byte(suffix)];
        space[*next] = *suffix;
        *next += 1;
    }
    suffixes.copy_from_slice(&space[..suffixes.len()]);
    let mut start = 0;
    for end in next {
        arrange(&mut suffixes[start..end], space);
        start = end;
    }
}
