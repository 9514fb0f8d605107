//! Longest common prefixes of neighbours in a suffix array, in the order of the text (Kärkkäinen,
//! Manzini and Puglisi 2009), and what follows of them: how long a text from each place on occurs
//! so many times, or has occurred before (Crochemore and Ilie 2008).
//!
//! All of it counts symbols whatever they are: a prefix may run on behind the end of a row.

use std::collections::VecDeque;

use rayon::prelude::*;

use super::search::out_of_text;
use crate::container::Block;
use crate::error::Result;
use crate::interrupt::Monitor;
use crate::symbol::{Symbol, common_prefix};

/// Symbols whose prefixes are found by one thread at once: the first of them is looked at from its
/// beginning.
const PIECE: usize = 1 << 22;

/// Ranks between two looks at the monitor.
const STRIDE: usize = 1 << 20;

/// How many places ahead a suffix is read for nothing but to have it in cache.
const AHEAD: usize = 32;

/// No suffix stands before the first one.
const NONE: u32 = u32::MAX;

/// How many symbols each suffix has in common with the one before it in order.
///
/// O(n) time, 4 bytes a symbol.
///
/// # Errors
/// [`crate::Error::Corrupt`] if the array points outside the text; [`crate::Error::Interrupted`];
/// [`crate::Error::OutOfBudget`].
pub fn common_prefixes<S: Symbol>(
    text: &[S],
    suffixes: &[u32],
    monitor: &Monitor,
) -> Result<Block<u32>> {
    let mut prefixes = Block::<u32>::zeros(text.len())?;
    let before = prefixes.items_mut();
    let mut last = NONE;
    for ranks in suffixes.chunks(STRIDE) {
        monitor.check()?;
        for &position in ranks {
            *before.get_mut(position as usize).ok_or_else(out_of_text)? = last;
            last = position;
        }
    }
    before.par_chunks_mut(PIECE).enumerate().try_for_each(|(nth, piece)| {
        let first = nth * PIECE;
        let mut length = 0_usize;
        for at in 0..piece.len() {
            if at % STRIDE == 0 {
                monitor.check()?;
            }
            if let Some(&ahead) = piece.get(at + AHEAD) {
                std::hint::black_box(text.get(ahead as usize + length.saturating_sub(AHEAD)));
            }
            length = match piece[at] {
                NONE => 0,
                other => {
                    let (here, there) = (first + at + length, other as usize + length);
                    length
                        + common_prefix(
                            text.get(here..).unwrap_or_default(),
                            text.get(there..).unwrap_or_default(),
                        )
                }
            };
            piece[at] = length as u32;
            length = length.saturating_sub(1);
        }
        Ok(())
    })?;
    Ok(prefixes)
}

/// Turns common prefixes into how long the longest text is that starts at each place and occurs at
/// least `least` times.
///
/// O(n) time, in place; memory of `least` items at most.
///
/// # Errors
/// [`crate::Error::Interrupted`].
///
/// # Panics
/// If the suffixes are none of that many, as [`common_prefixes`] has found that they are.
pub fn recurring(
    suffixes: &[u32],
    prefixes: &mut [u32],
    least: u64,
    monitor: &Monitor,
) -> Result<()> {
    if least == 2 {
        return twice(suffixes, prefixes, monitor);
    }
    let Some(beside) = usize::try_from(least).ok().filter(|&least| least <= suffixes.len()) else {
        prefixes.fill(0);
        return Ok(());
    };
    if beside < 2 {
        for (position, prefix) in prefixes.iter_mut().enumerate() {
            *prefix = (suffixes.len() - position) as u32;
        }
        return Ok(());
    }
    // Any `beside` suffixes side by side share what the least of the prefixes between them is; each
    // suffix is in `beside` such groups, of which the one that shares most counts.
    let (mut least_of, mut most_of) = (VecDeque::new(), VecDeque::new());
    let settle = |rank: usize, most_of: &mut VecDeque<(usize, u32)>, prefixes: &mut [u32]| {
        while most_of.front().is_some_and(|&(group, _)| group + beside <= rank) {
            most_of.pop_front();
        }
        prefixes[suffixes[rank] as usize] = most_of.front().map_or(0, |&(_, shared)| shared);
    };
    for rank in 1..suffixes.len() {
        if rank % STRIDE == 0 {
            monitor.check()?;
        }
        let prefix = prefixes[suffixes[rank] as usize];
        while least_of.back().is_some_and(|&(_, other)| other >= prefix) {
            least_of.pop_back();
        }
        least_of.push_back((rank, prefix));
        let Some(group) = (rank + 1).checked_sub(beside) else { continue };
        while least_of.front().is_some_and(|&(at, _)| at <= group) {
            least_of.pop_front();
        }
        let shared = least_of.front().map_or(0, |&(_, shared)| shared);
        while most_of.back().is_some_and(|&(_, other)| other <= shared) {
            most_of.pop_back();
        }
        most_of.push_back((group, shared));
        // No later group holds this one's first suffix.
        settle(group, &mut most_of, prefixes);
    }
    for rank in suffixes.len() + 1 - beside..suffixes.len() {
        settle(rank, &mut most_of, prefixes);
    }
    Ok(())
}

/// [`recurring`] of two: what each suffix shares with the one before it, or the one behind it.
fn twice(suffixes: &[u32], prefixes: &mut [u32], monitor: &Monitor) -> Result<()> {
    let mut before = 0;
    for (nth, ranks) in suffixes.chunks(STRIDE).enumerate() {
        monitor.check()?;
        let next = suffixes.get((nth + 1) * STRIDE);
        for (&position, next) in ranks.iter().zip(ranks[1..].iter().map(Some).chain([next])) {
            let behind = next.map_or(0, |&next| prefixes[next as usize]);
            prefixes[position as usize] = before.max(behind);
            before = behind;
        }
    }
    Ok(())
}

/// Turns common prefixes into how long the longest text is that starts at each place and also at an
/// earlier one.
///
/// O(n) time, in place; the stack of suffixes that wait for an earlier one takes 8 bytes each.
///
/// # Errors
/// [`crate::Error::Interrupted`].
///
/// # Panics
/// As [`recurring`].
pub fn previous(suffixes: &[u32], prefixes: &mut [u32], monitor: &Monitor) -> Result<()> {
    // Suffixes that stand ever later, each with what it shares with the one below it.
    let mut waiting: Vec<(u32, u32)> = vec![];
    for ranks in suffixes.chunks(STRIDE) {
        monitor.check()?;
        for &position in ranks {
            let mut shared = prefixes[position as usize];
            while let Some(&(later, below)) = waiting.last().filter(|&&(other, _)| other > position)
            {
                prefixes[later as usize] = below.max(shared);
                shared = shared.min(below);
                waiting.pop();
            }
            waiting.push((position, shared));
        }
    }
    for (position, below) in waiting {
        prefixes[position as usize] = below;
    }
    Ok(())
}

/// How long the longest text is that starts at each place from `boundary` on and also at `least`
/// places before it.
///
/// O(n) time, 4 bytes for each place behind the boundary; 8 for each before it if `least` is above 1.
///
/// # Errors
/// As [`common_prefixes`].
///
/// # Panics
/// As [`recurring`]; if `least` is 0.
pub fn across(
    suffixes: &[u32],
    prefixes: &[u32],
    boundary: usize,
    least: u64,
    monitor: &Monitor,
) -> Result<Block<u32>> {
    let mut lengths = Block::<u32>::zeros(prefixes.len() - boundary)?;
    let least = usize::try_from(least).unwrap_or(usize::MAX);
    if least > boundary {
        return Ok(lengths);
    }
    let (groups, within) = groups(suffixes, prefixes, boundary, least, monitor)?;
    let found = lengths.items_mut();
    // Of the suffixes from before the boundary, how many there were, and what is shared with the
    // last of them; going down, and then up.
    let (mut seen, mut shared) = (0_usize, 0);
    for (rank, &position) in suffixes.iter().enumerate() {
        if rank % STRIDE == 0 {
            monitor.check()?;
        }
        shared = shared.min(prefixes[position as usize]);
        match (position as usize).checked_sub(boundary) {
            Some(at) => {
                let ends = seen.checked_sub(least).map_or(0, |first| groups.shared(first));
                found[at] = ends.min(shared).max(within.shared(seen));
            }
            None => (seen, shared) = (seen + 1, u32::MAX),
        }
    }
    shared = 0;
    for (rank, &position) in suffixes.iter().enumerate().rev() {
        if rank % STRIDE == 0 {
            monitor.check()?;
        }
        match (position as usize).checked_sub(boundary) {
            Some(at) => found[at] = found[at].max(groups.shared(seen).min(shared)),
            None => (seen, shared) = (seen - 1, u32::MAX),
        }
        shared = shared.min(prefixes[position as usize]);
    }
    Ok(lengths)
}

/// What suffixes share, for each of several stretches of them; of stretches of one all they have.
struct Shared(Option<Vec<u32>>);

impl Shared {
    fn shared(&self, at: usize) -> u32 {
        match &self.0 {
            Some(all) => all.get(at).copied().unwrap_or(0),
            None => u32::MAX,
        }
    }
}

/// Of the suffixes that start before the boundary, in order: what `least` of them from each one on
/// share, and what the most is that `least` of them share which stand on both sides of the place
/// before each one.
fn groups(
    suffixes: &[u32],
    prefixes: &[u32],
    boundary: usize,
    least: usize,
    monitor: &Monitor,
) -> Result<(Shared, Shared)> {
    if least == 1 {
        return Ok((Shared(None), Shared(Some(vec![]))));
    }
    // What each shares with the one before it.
    let mut gaps = Vec::with_capacity(boundary);
    let mut shared = u32::MAX;
    for ranks in suffixes.chunks(STRIDE) {
        monitor.check()?;
        for &position in ranks {
            shared = shared.min(prefixes[position as usize]);
            if (position as usize) < boundary {
                gaps.push(shared);
                shared = u32::MAX;
            }
        }
    }
    // The least of each `least - 1` gaps side by side, and then the most of each `least - 1` groups.
    let groups = extremes(&gaps[1..], least - 1, |a, b| a <= b, monitor)?;
    let mut padded = vec![0; least - 1];
    padded.extend_from_slice(&groups);
    padded.resize(groups.len() + 2 * (least - 1), 0);
    let within = extremes(&padded, least - 1, |a, b| a >= b, monitor)?;
    Ok((Shared(Some(groups)), Shared(Some(within))))
}

/// The first value in order of each `width` side by side.
fn extremes(
    values: &[u32],
    width: usize,
    before: impl Fn(u32, u32) -> bool,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    let mut found = Vec::with_capacity((values.len() + 1).saturating_sub(width));
    let mut waiting: VecDeque<(usize, u32)> = VecDeque::new();
    for (at, &value) in values.iter().enumerate() {
        if at % STRIDE == 0 {
            monitor.check()?;
        }
        while waiting.back().is_some_and(|&(_, other)| before(value, other)) {
            waiting.pop_back();
        }
        waiting.push_back((at, value));
        if waiting.front().is_some_and(|&(first, _)| first + width <= at) {
            waiting.pop_front();
        }
        if at + 1 >= width {
            found.extend(waiting.front().map(|&(_, first)| first));
        }
    }
    Ok(found)
}

/// For texts that start at ranks, so long that no other suffix than theirs starts with them, the
/// ranks of all suffixes that do: `spans` has at each place of the text the text's number and one
/// more, or 0, and `lengths` how long each is.
///
/// O(n + k log n) time for k texts.
///
/// # Errors
/// [`crate::Error::Interrupted`].
///
/// # Panics
/// As [`recurring`].
pub fn intervals(
    suffixes: &[u32],
    prefixes: &[u32],
    spans: &[u32],
    lengths: &[u32],
    monitor: &Monitor,
) -> Result<Vec<(u32, u32)>> {
    let mut found = vec![(0, suffixes.len() as u32); lengths.len()];
    let span = |position: u32| (spans[position as usize] as usize).checked_sub(1);
    // Prefixes that are smaller than all those since: the last one that is too small for a text is
    // where the suffixes that start with it begin.
    let mut smaller: Vec<(u32, u32)> = vec![];
    let push = |smaller: &mut Vec<(u32, u32)>, prefix: u32, rank: usize| {
        while smaller.last().is_some_and(|&(other, _)| other >= prefix) {
            smaller.pop();
        }
        smaller.push((prefix, rank as u32));
    };
    let edge = |smaller: &[(u32, u32)], length: u32| {
        let after = smaller.partition_point(|&(prefix, _)| prefix < length);
        after.checked_sub(1).map(|at| smaller[at].1)
    };
    for (rank, &position) in suffixes.iter().enumerate() {
        if rank % STRIDE == 0 {
            monitor.check()?;
        }
        push(&mut smaller, prefixes[position as usize], rank);
        if let Some(span) = span(position) {
            found[span].0 = edge(&smaller, lengths[span]).unwrap_or(0);
        }
    }
    smaller.clear();
    for (rank, &position) in suffixes.iter().enumerate().rev() {
        if rank % STRIDE == 0 {
            monitor.check()?;
        }
        if let Some(span) = span(position) {
            found[span].1 = edge(&smaller, lengths[span]).unwrap_or(suffixes.len() as u32);
        }
        push(&mut smaller, prefixes[position as usize], rank);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::suffix::sort;

    fn shared(text: &[u8], a: usize, b: usize) -> u32 {
        text[a..].iter().zip(&text[b..]).take_while(|(a, b)| a == b).count() as u32
    }

    proptest! {
        #[test]
        fn prefixes_agree_with_the_definition(
            mut text in vec(0_u8..3, 0..80),
            least in 2_u64..6,
            boundary in 0_usize..80,
        ) {
            let monitor = Monitor::default();
            let suffixes = sort(&mut text).unwrap();
            let prefixes = common_prefixes(&text, &suffixes, &monitor).unwrap();
            for pair in suffixes.windows(2) {
                let (a, b) = (pair[0] as usize, pair[1] as usize);
                prop_assert_eq!(prefixes[b], shared(&text, a, b));
            }
            let places = 0..text.len();
            let mut lengths = prefixes.to_vec();
            recurring(&suffixes, &mut lengths, least, &monitor).unwrap();
            for at in places.clone() {
                let mut all: Vec<u32> = places.clone().map(|b| shared(&text, at, b)).collect();
                all.sort_unstable_by(|a, b| b.cmp(a));
                let expected = all.get(least as usize - 1).copied().unwrap_or(0);
                prop_assert_eq!(lengths[at], expected, "recurring at {}", at);
            }
            let mut lengths = prefixes.to_vec();
            previous(&suffixes, &mut lengths, &monitor).unwrap();
            for at in places.clone() {
                let expected = (0..at).map(|b| shared(&text, at, b)).max().unwrap_or(0);
                prop_assert_eq!(lengths[at], expected, "previous at {}", at);
            }
            let boundary = boundary.min(text.len());
            for least in 1..5 {
                let lengths = across(&suffixes, &prefixes, boundary, least, &monitor).unwrap();
                for at in boundary..text.len() {
                    let mut all: Vec<u32> = (0..boundary).map(|b| shared(&text, at, b)).collect();
                    all.sort_unstable_by(|a, b| b.cmp(a));
                    let expected = all.get(least as usize - 1).copied().unwrap_or(0);
                    prop_assert_eq!(lengths[at - boundary], expected, "across at {}", at);
                }
            }
        }
    }
}
