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

use std::collections::{HashMap, HashSet};

use super::text;
use crate::corpus::MAX_SYMBOLS;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::suffix;
use crate::symbol::Patterns;

/// Which substrings are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The maximal shared substrings of the column.
    Maximal,
    /// The union of those of each value.
    PerValue,
}

/// Ends each value: no byte of UTF-8.
const SEPARATOR: u8 = u8::MAX;

/// Positions between two looks at the monitor.
const BLOCK: usize = 1 << 16;

/// A stretch of a value that is shared and can be made no longer where it stands.
struct Stretch {
    length: u32,
    rank: u32,
    value: u32,
}

/// The keys of a column, and how many distinct values hold each: the longest first, then in the
/// order of their bytes.
///
/// Keys have `min_length` characters or more. Equal values are one. O(bytes) time and memory beside
/// the sorting of suffixes and what the keys occur.
///
/// # Errors
/// [`Error::InvalidInput`] if `min_length` is 0, or the distinct values hold 2³¹ bytes or more; if
/// someone asks to stop.
pub fn keys(
    values: &Patterns,
    min_length: usize,
    which: Keys,
    monitor: &Monitor,
) -> Result<Vec<(String, u64)>> {
    if min_length == 0 {
        return Err(Error::InvalidInput("min_length is 0: give 1 or more characters".into()));
    }
    let mut seen = HashSet::new();
    let mut bytes: Vec<u8> = vec![];
    let mut ends: Vec<u32> = vec![];
    for row in 0..values.len() {
        if let Some(value) = text(values, row)?
            && !value.is_empty()
            && seen.insert(value)
        {
            if bytes.len() + value.len() >= MAX_SYMBOLS {
                return Err(Error::InvalidInput(format!(
                    "the distinct values hold more than {MAX_SYMBOLS} bytes; give fewer of them"
                )));
            }
            bytes.extend_from_slice(value.as_bytes());
            ends.push(bytes.len() as u32);
            bytes.push(SEPARATOR);
        }
    }
    drop(seen);
    if ends.len() < 2 {
        return Ok(vec![]);
    }
    let suffixes = suffix::sort(&mut bytes)?;
    let mut owners = vec![0_u32; bytes.len()];
    let mut start = 0;
    for (value, &end) in ends.iter().enumerate() {
        owners[start..=end as usize].fill(value as u32);
        start = end as usize + 1;
    }
    monitor.check()?;
    let common = common_prefixes(&bytes, &suffixes, monitor)?;
    let reach = reaches(&bytes, &suffixes, &common, &owners, &ends);
    let mut stretches = stretches(&bytes, &suffixes, &reach, &owners, min_length, monitor)?;
    // Those of one substring stand together.
    stretches.sort_unstable_by_key(|one| (one.length, one.rank));
    let mut found = vec![];
    let mut at = 0;
    let mut owned: HashMap<u32, (usize, usize)> = HashMap::new();
    while at < stretches.len() {
        if at % BLOCK == 0 {
            monitor.check()?;
        }
        let (length, rank) = (stretches[at].length, stretches[at].rank as usize);
        let mut low = rank;
        while common[low] >= length {
            low -= 1;
        }
        let mut high = rank + 1;
        while high < suffixes.len() && common[high] >= length {
            high += 1;
        }
        let first = at;
        while at < stretches.len()
            && stretches[at].length == length
            && (stretches[at].rank as usize) < high
        {
            at += 1;
        }
        owned.clear();
        for &suffix in &suffixes[low..high] {
            owned.entry(owners[suffix as usize]).or_default().0 += 1;
        }
        for one in &stretches[first..at] {
            owned.entry(one.value).or_default().1 += 1;
        }
        let whole = |&(occurrences, maximal): &(usize, usize)| occurrences == maximal;
        let key = match which {
            Keys::Maximal => owned.values().all(whole),
            Keys::PerValue => owned.values().any(whole),
        };
        if key {
            let start = suffixes[rank] as usize;
            let key = &bytes[start..start + length as usize];
            found.push((String::from_utf8_lossy(key).into_owned(), owned.len() as u64));
        }
    }
    found.sort_by_cached_key(|(key, _)| (std::cmp::Reverse(key.chars().count()), key.clone()));
    Ok(found)
}

/// How much each suffix has in common with the one before it in order; 0 for the first. By way of
/// the text's own order (Kärkkäinen, Manzini and Puglisi 2009), O(n) time.
fn common_prefixes(text: &[u8], suffixes: &[u32], monitor: &Monitor) -> Result<Vec<u32>> {
    let mut before = vec![u32::MAX; text.len()];
    for pair in suffixes.windows(2) {
        before[pair[1] as usize] = pair[0];
    }
    let mut shared = 0;
    for at in 0..text.len() {
        if at % BLOCK == 0 {
            monitor.check()?;
        }
        let other = before[at];
        if other == u32::MAX {
            before[at] = 0;
            shared = 0;
            continue;
        }
        let other = other as usize;
        while at.max(other) + shared < text.len() && text[at + shared] == text[other + shared] {
            shared += 1;
        }
        before[at] = shared as u32;
        shared = shared.saturating_sub(1);
    }
    Ok(suffixes.iter().map(|&suffix| before[suffix as usize]).collect())
}

/// How long the longest substring at each position is that another value holds, in whole
/// characters.
fn reaches(
    text: &[u8],
    suffixes: &[u32],
    common: &[u32],
    owners: &[u32],
    ends: &[u32],
) -> Vec<u32> {
    let mut reach = vec![0_u32; text.len()];
    let owner = |rank: usize| owners[suffixes[rank] as usize];
    let mut least = 0;
    for rank in 1..suffixes.len() {
        least = if owner(rank - 1) == owner(rank) { least.min(common[rank]) } else { common[rank] };
        reach[suffixes[rank] as usize] = least;
    }
    least = 0;
    for rank in (1..suffixes.len()).rev() {
        least = if owner(rank - 1) == owner(rank) { least.min(common[rank]) } else { common[rank] };
        let here = &mut reach[suffixes[rank - 1] as usize];
        *here = (*here).max(least);
    }
    for (at, here) in reach.iter_mut().enumerate() {
        let end = ends[owners[at] as usize] as usize;
        let mut stop = end.min(at + *here as usize);
        // The last character may be shared in part only.
        while stop > at && stop < end && text[stop] & 0xC0 == 0x80 {
            stop -= 1;
        }
        *here = stop.saturating_sub(at) as u32;
    }
    reach
}

fn stretches(
    text: &[u8],
    suffixes: &[u32],
    reach: &[u32],
    owners: &[u32],
    min_length: usize,
    monitor: &Monitor,
) -> Result<Vec<Stretch>> {
    let mut ranks = vec![0_u32; text.len()];
    for (rank, &suffix) in suffixes.iter().enumerate() {
        ranks[suffix as usize] = rank as u32;
    }
    let mut found = vec![];
    // Where the substring at the character before reaches.
    let mut reached = 0;
    for (at, &byte) in text.iter().enumerate() {
        if at % BLOCK == 0 {
            monitor.check()?;
        }
        if byte == SEPARATOR {
            reached = 0;
            continue;
        }
        if byte & 0xC0 == 0x80 {
            continue;
        }
        let stop = at + reach[at] as usize;
        if stop > reached && reach[at] as usize >= min_length {
            let starts = text[at..stop].iter().filter(|&&byte| byte & 0xC0 != 0x80);
            if starts.count() >= min_length {
                let (length, rank) = (reach[at], ranks[at]);
                found.push(Stretch { length, rank, value: owners[at] });
            }
        }
        reached = stop;
    }
    Ok(found)
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
            values in prop::collection::vec("[abé𝄞]{0,7}", 0..9),
            min_length in 1_usize..4,
        ) {
            for which in [Keys::Maximal, Keys::PerValue] {
                let found = keys(&column(&values), min_length, which, &Monitor::default()).unwrap();
                let sizes: Vec<usize> = found.iter().map(|key| key.0.chars().count()).collect();
                prop_assert!(sizes.is_sorted_by(|a, b| a >= b));
                let found: BTreeMap<_, _> = found.into_iter().collect();
                prop_assert_eq!(found, naive(&values, min_length, which));
            }
        }
    }

    #[test]
    fn what_a_value_shares_is_not_hidden() {
        let values = ["Cisco Systems", "Cisco SPVTG", "Cisco-Linksys"].map(String::from);
        let of = |which| {
            let found = keys(&column(&values), 4, which, &Monitor::default()).unwrap();
            found.into_iter().map(|key| key.0).collect::<Vec<_>>()
        };
        assert_eq!(of(Keys::Maximal), ["Cisco S"]);
        assert_eq!(of(Keys::PerValue), ["Cisco S", "Cisco"]);
    }
}
