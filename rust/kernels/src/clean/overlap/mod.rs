//! What the distinct values of a column share: substrings of at least two of them that are part
//! of no longer one.
//!
//! A substring is *shared* if it occurs in two distinct values or more. The keys of a column are
//! its inclusion-maximal shared substrings; those of a value, the inclusion-maximal ones among the
//! shared substrings of that value, so that what it shares is not hidden by a longer key elsewhere.
//!
//! Both fall out of the suffixes of the values in order. Let `reach(p)` be the length of the longest
//! substring at `p` that another value holds too, which two sweeps over the longest common prefixes
//! tell (Chang and Lawler 1994; Gusfield 1997, 7.4). A shared substring can be made longer somewhere
//! exactly if at one of its occurrences the reach is longer, or that of the character before.
//!
//! Only suffixes that share so many bytes with another one count, and those that do stand together in
//! runs, each of which is looked at alone: what it takes stays in cache, however long the column is,
//! and threads share the runs.

mod buckets;
mod runs;
mod stretches;
mod values;

use std::sync::atomic::AtomicU32;

use rayon::prelude::*;

use self::runs::{PATIENCE, Runs};
use self::stretches::{Cut, Desk};
use self::values::Values;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
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

/// Keys, the longest first, then in the order of their bytes; and who holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Their texts, end to end.
    pub texts: Vec<u8>,
    /// Where each one's text ends.
    pub ends: Vec<u64>,
    /// The distinct values that hold each.
    pub support: Vec<u64>,
    /// The rows that do.
    pub rows: Vec<u64>,
}

/// Bytes or suffixes between two looks at the monitor.
const BLOCK: usize = 1 << 16;

/// No length.
const NONE: u32 = u32::MAX;

/// The keys of a column: the longest first, then in the order of their bytes.
///
/// Keys have `min_length` characters or more. Equal values are one. O(n log n) time for n bytes,
/// nearly all of it linear, and O(n) memory, beside the keys themselves.
///
/// # Errors
/// [`Error::InvalidInput`] if `min_length` is 0, or the distinct values hold 2³¹ bytes or more; if
/// someone asks to stop.
pub fn keys(values: &Patterns, min_length: usize, which: Keys, monitor: &Monitor) -> Result<Found> {
    patiently(values, min_length, which, PATIENCE, monitor)
}

/// [`keys`], sorting suffixes by their bytes with so much patience.
fn patiently(
    values: &Patterns,
    min_length: usize,
    which: Keys,
    patience: u64,
    monitor: &Monitor,
) -> Result<Found> {
    if min_length == 0 {
        return Err(Error::InvalidInput("min_length is 0: give 1 or more characters".into()));
    }
    let mut values = Values::read(values, monitor)?;
    if values.ends.len() < 2 {
        return Ok(Found::default());
    }
    let reaches: Vec<AtomicU32> = values.bytes.iter().map(|_| AtomicU32::new(0)).collect();
    let runs = Runs::of(&mut values, min_length, patience, &reaches, monitor)?;
    let kept = values.keep_stretches(reaches, min_length, which == Keys::Whole, monitor)?;
    let found: Vec<Vec<Cut>> = runs
        .parts
        .par_iter()
        .map_init(
            || Desk::of(&runs, &values),
            |desk, part| monitor.check().map(|()| desk.keys(part.clone(), &kept, which)),
        )
        .collect::<Result<_>>()?;
    drop((kept, runs));
    Ok(cut_out(&values, &found))
}

/// Puts keys, which are in the order of their bytes, in that of their lengths, the longest first.
fn cut_out(values: &Values, found: &[Vec<Cut>]) -> Found {
    let longest = found.iter().flatten().map(|key| key.characters).max().unwrap_or(0);
    let mut next = vec![0_usize; longest as usize + 2];
    for key in found.iter().flatten() {
        next[(longest - key.characters) as usize + 1] += 1;
    }
    for length in 1..next.len() {
        next[length] += next[length - 1];
    }
    let mut keys: Vec<Option<&Cut>> = vec![None; next[next.len() - 1]];
    for key in found.iter().flatten() {
        let next = &mut next[(longest - key.characters) as usize];
        keys[*next] = Some(key);
        *next += 1;
    }
    let mut cut = Found::default();
    for key in keys.into_iter().flatten() {
        let text = &values.bytes[key.start as usize..][..key.length as usize];
        cut.texts.extend_from_slice(text);
        cut.ends.push(cut.texts.len() as u64);
        cut.support.push(u64::from(key.support));
        cut.rows.push(key.rows);
    }
    cut
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
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

    /// Keys, how many values hold each, and how many rows.
    fn found(values: &[String], min_length: usize, which: Keys) -> Vec<(String, u64, u64)> {
        let column = column(values);
        let monitor = Monitor::default();
        let by_keys = patiently(&column, min_length, which, u64::MAX, &monitor).unwrap();
        assert_eq!(patiently(&column, min_length, which, 0, &monitor).unwrap(), by_keys);
        let text = |from: u64, to: u64| by_keys.texts[from as usize..to as usize].to_vec();
        let starts = std::iter::once(0).chain(by_keys.ends.iter().copied());
        let texts = starts.zip(&by_keys.ends).map(|(from, &to)| text(from, to));
        let held = by_keys.support.iter().zip(&by_keys.rows);
        texts
            .zip(held)
            .map(|(text, (&support, &rows))| (String::from_utf8(text).unwrap(), support, rows))
            .collect()
    }

    proptest! {
        #[test]
        fn keys_agree_with_the_definition(
            values in prop::collection::vec("[abé𝄞]{0,9}|[ab]{0,12}|a{0,30}b?", 0..9),
            min_length in 1_usize..4,
        ) {
            for which in [Keys::Maximal, Keys::PerValue, Keys::Whole] {
                let found = found(&values, min_length, which);
                let order = |key: &(String, u64, u64)| (Reverse(key.0.chars().count()), key.0.clone());
                prop_assert!(found.iter().map(order).is_sorted());
                for (key, _, count) in &found {
                    let rows = values.iter().filter(|value| value.contains(&**key)).count();
                    prop_assert_eq!(*count, rows as u64);
                }
                let found: BTreeMap<_, _> =
                    found.into_iter().map(|(key, support, _)| (key, support)).collect();
                prop_assert_eq!(found, naive(&values, min_length, which));
            }
        }
    }

    #[test]
    fn what_a_value_shares_is_not_hidden() {
        let values = ["Cisco Systems", "Cisco SPVTG", "Cisco-Linksys"].map(String::from);
        let of = |which| found(&values, 4, which).into_iter().map(|key| key.0).collect::<Vec<_>>();
        assert_eq!(of(Keys::Maximal), ["Cisco S"]);
        assert_eq!(of(Keys::PerValue), ["Cisco S", "Cisco"]);
    }

    #[test]
    fn many_values_and_long_copies_are_in_order() {
        // More suffixes in a bucket than are compared at once, and copies of one another.
        let mut numbers = crate::random::Random::of(1, 0);
        let values: Vec<String> = (0..4000)
            .map(|_| (0..12).map(|_| if numbers.below(2) == 0 { 'a' } else { 'b' }).collect())
            .chain((0..3).map(|nth| "abc".repeat(500) + &"d".repeat(nth)))
            .collect();
        for which in [Keys::Maximal, Keys::PerValue, Keys::Whole] {
            let found = found(&values, 8, which);
            assert!(found.iter().is_sorted_by_key(|key| (Reverse(key.0.len()), &key.0)));
            for (key, support, rows) in found.iter().step_by(97) {
                let held = values.iter().filter(|value| value.contains(&**key));
                assert_eq!(*rows, held.clone().count() as u64);
                assert_eq!(*support, held.collect::<BTreeSet<_>>().len() as u64);
            }
        }
    }
}
