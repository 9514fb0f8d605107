//! Which of many texts occur in each value of a column: one pass of an automaton over it (Aho and
//! Corasick 1975), whatever the number of texts.

use aho_corasick::{AhoCorasick, MatchKind};
use rayon::prelude::*;

use super::text;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::Patterns;

/// Values between two looks at the monitor.
const BLOCK: usize = 1024;

/// Texts found in values: of each value, in order, the numbers of the texts it holds, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// Where each value's texts end.
    pub ends: Vec<u64>,
    /// The numbers of the texts.
    pub texts: Vec<u32>,
    /// Values that are null, which hold nothing.
    pub nulls: Vec<usize>,
}

/// Finds which of `texts` occur in each of `values`; ASCII letters of either case are the same if
/// `ignore_case`.
///
/// O(texts + values + occurrences) time.
///
/// # Errors
/// [`Error::InvalidInput`] if a text is null or empty; if someone asks to stop.
pub fn held(
    texts: &Patterns,
    values: &Patterns,
    ignore_case: bool,
    monitor: &Monitor,
) -> Result<Held> {
    let mut needles = Vec::with_capacity(texts.len());
    for at in 0..texts.len() {
        match text(texts, at)? {
            Some(needle) if !needle.is_empty() => needles.push(needle),
            _ => {
                return Err(Error::InvalidInput(format!(
                    "text {at} to look for is null or empty: leave it out"
                )));
            }
        }
    }
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(ignore_case)
        .build(&needles)
        .map_err(|error| Error::OutOfBudget(format!("the texts to look for: {error}")))?;
    let starts: Vec<usize> = (0..values.len()).step_by(BLOCK).collect();
    let blocks: Vec<(Vec<usize>, Vec<u32>)> = starts
        .into_par_iter()
        .map(|start| {
            monitor.check()?;
            let (mut counts, mut found, mut one) = (vec![], vec![], vec![]);
            for row in start..values.len().min(start + BLOCK) {
                one.clear();
                if let Some(value) = text(values, row)? {
                    one.extend(
                        automaton.find_overlapping_iter(value).map(|m| m.pattern().as_u32()),
                    );
                }
                one.sort_unstable();
                one.dedup();
                found.extend_from_slice(&one);
                counts.push(one.len());
            }
            Ok((counts, found))
        })
        .collect::<Result<_>>()?;
    let mut held = Held { nulls: values.nulls().to_vec(), ..Held::default() };
    let mut end = 0;
    for (counts, found) in blocks {
        for count in counts {
            end += count as u64;
            held.ends.push(end);
        }
        held.texts.extend(found);
    }
    Ok(held)
}
