//! How much rows repeat themselves: shares of n-grams, lines and paragraphs that occur twice, the
//! longest part that does, and loops.
//!
//! Needs no index: each row is looked at alone, side by side with others.

mod gopher;
mod loops;

use std::collections::HashMap;

use rayon::prelude::*;

pub use gopher::{Definition, Gopher, THRESHOLDS};
pub use loops::{Loop, Repeat};

use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};
use crate::words::{self, Fast, Words};

/// Rows looked at by one thread at once.
const BLOCK: usize = 64;

/// The longest n-grams whose distinct ones are counted.
pub const ORDERS: usize = 4;

/// What one row repeats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repetition {
    /// Words of text, or tokens.
    pub words: u64,
    /// N-grams of 1 to [`ORDERS`] words that are distinct, by their number; `None` where there are
    /// fewer words.
    pub distinct: [Option<f64>; ORDERS],
    /// The longest part that occurs twice.
    pub longest: Repeat,
    /// The longest loop.
    pub looped: Option<Loop>,
    /// How many rows are the same as this one, itself included.
    pub rows: u64,
    /// What the Gopher rules look at; `None` for tokens.
    pub gopher: Option<Gopher>,
}

/// Which words a row has, if it is not for whitespace to say.
#[derive(Clone, Debug)]
pub struct GivenWords {
    /// The words of all rows.
    pub words: Patterns,
    /// Where each row's end among them.
    pub ends: Vec<usize>,
}

/// What each row repeats; `None` for null rows. Without `whole` only what the Gopher rules look at.
///
/// O(n log n) time for n symbols of a row, at most; about 50 bytes a symbol of the rows that are
/// looked at at once.
///
/// # Errors
/// [`Error::InvalidInput`] if the words given are those of another number of rows;
/// [`Error::Interrupted`].
pub fn repetition(
    rows: &Patterns,
    given: Option<&GivenWords>,
    definition: Definition,
    whole: bool,
    monitor: &Monitor,
) -> Result<Vec<Option<Repetition>>> {
    if let Some(given) = given.filter(|given| given.ends.len() != rows.len()) {
        return Err(Error::InvalidInput(format!(
            "words has {} rows, and data has {}; give the words of each row",
            given.ends.len(),
            rows.len()
        )));
    }
    let mut counts: HashMap<Pattern<'_>, u64, Fast> = HashMap::default();
    if whole {
        for (_, row) in rows.valid() {
            *counts.entry(row).or_default() += 1;
        }
    }
    let places: Vec<usize> = (0..rows.len()).collect();
    let found = places.par_chunks(BLOCK).map(|places| {
        monitor.check()?;
        let of = |&row: &usize| {
            let text = rows.get(row)?;
            let mut found = one(text, given.map(|given| (given, row)), definition, whole);
            found.rows = counts.get(&text).copied().unwrap_or(0);
            Some(found)
        };
        Ok(places.iter().map(of).collect::<Vec<_>>())
    });
    Ok(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn one(
    row: Pattern<'_>,
    given: Option<(&GivenWords, usize)>,
    definition: Definition,
    whole: bool,
) -> Repetition {
    let mut found = Repetition::default();
    match row {
        Pattern::Bytes(text) => {
            let words = match given {
                Some((given, row)) => {
                    let start = row.checked_sub(1).map_or(0, |before| given.ends[before]);
                    let words = (start..given.ends[row]).filter_map(|at| given.words.get(at));
                    Words::new(words.filter_map(|word| match word {
                        Pattern::Bytes(word) => Some(word),
                        Pattern::Tokens(_) => None,
                    }))
                }
                None => Words::of(text),
            };
            found.words = words.ids.len() as u64;
            found.gopher = Some(Gopher::of(text, &words, definition, !whole));
            if whole {
                found.distinct = distinct(&words.ids);
                let mut symbols = text.to_vec();
                (found.longest, found.looped) = loops::of(&mut symbols, text, true);
            }
        }
        Pattern::Tokens(tokens) => {
            let ids = words::number(tokens);
            found.words = ids.len() as u64;
            found.distinct = distinct(&ids);
            if whole {
                let mut symbols = ids.clone();
                (found.longest, found.looped) = loops::of(&mut symbols, &ids, false);
            }
        }
    }
    found
}

fn distinct(ids: &[u32]) -> [Option<f64>; ORDERS] {
    std::array::from_fn(|at| {
        let all = (ids.len() + 1).saturating_sub(at + 1);
        (all > 0).then(|| words::counts(ids, at + 1).len() as f64 / all as f64)
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn slow_longest(text: &[u32]) -> u64 {
        let mut best = 0;
        for a in 0..text.len() {
            for b in a + 1..text.len() {
                let shared = text[a..].iter().zip(&text[b..]).take_while(|(a, b)| a == b).count();
                best = best.max(shared as u64);
            }
        }
        best
    }

    /// Of all maximal repetitions the longest, of those the first, of those the shortest period.
    fn slow_loop(text: &[u32]) -> Option<Loop> {
        let mut best: Option<Loop> = None;
        for period in 1..=text.len() / 2 {
            let mut start = 0;
            for at in 0..=text.len() - period {
                if at < text.len() - period && text[at] == text[at + period] {
                    continue;
                }
                let (from, to) = (start, at + period);
                start = at + 1;
                let length = (to - from) as u64;
                let found = Loop { start: from as u64, length, period: period as u64 };
                let better = best.is_none_or(|best| {
                    (length, std::cmp::Reverse(found.start), std::cmp::Reverse(found.period))
                        > (
                            best.length,
                            std::cmp::Reverse(best.start),
                            std::cmp::Reverse(best.period),
                        )
                });
                if to - from >= 2 * period && better {
                    best = Some(found);
                }
            }
        }
        best
    }

    proptest! {
        #[test]
        fn repeats_agree_with_the_definition(
            text in prop_oneof![
                vec(0_u32..2, 0..40),
                vec(0_u32..4, 0..40),
                (vec(0_u32..3, 1..5), 1_usize..40, vec(0_u32..3, 0..20)).prop_map(
                    |(unit, times, end)| [unit.repeat(times), end].concat()
                ),
            ],
        ) {
            let mut rows = Patterns::tokens();
            use crate::corpus::Rows;
            rows.push_tokens(Some(&text)).unwrap();
            let monitor = Monitor::default();
            let found = repetition(&rows, None, Definition::Datatrove, true, &monitor).unwrap();
            let found = found[0].as_ref().unwrap();
            prop_assert_eq!(found.longest.length, slow_longest(&text));
            prop_assert_eq!(found.looped, slow_loop(&text));
            for n in 1..=ORDERS {
                let grams: Vec<&[u32]> = text.windows(n).collect();
                let set: std::collections::HashSet<_> = grams.iter().collect();
                let expected = (!grams.is_empty()).then(|| set.len() as f64 / grams.len() as f64);
                prop_assert_eq!(found.distinct[n - 1], expected);
            }
        }
    }

    #[test]
    fn what_would_take_quadratic_time_does_not() {
        let run = vec![0_u32; 200_000];
        let text = [run.clone(), vec![1], run].concat();
        let mut symbols = text.clone();
        let (longest, looped) = loops::of(&mut symbols, &text, false);
        assert_eq!(longest.length, 200_000);
        assert_eq!(looped, Some(Loop { start: 0, length: 200_000, period: 1 }));
    }
}
