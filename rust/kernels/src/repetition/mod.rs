//! How much rows repeat themselves: shares of n-grams, lines and paragraphs that occur twice, the
//! longest part that does, and loops.
//!
//! Needs no index: each row is looked at alone, side by side with others.

mod extensions;
mod gopher;
mod grams;
mod loops;

use std::collections::HashMap;

use rayon::prelude::*;

pub use gopher::{Definition, Gopher, THRESHOLDS};
pub use loops::{Loop, Repeat};

use self::gopher::Scratch;
use self::grams::Grams;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};
use crate::words::{self, Fast};

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
    let found = in_blocks(rows, monitor, |memory, row, text| {
        let mut found = one(text, given.map(|given| (given, row)), definition, whole, memory)?;
        found.rows = counts.get(&text).copied().unwrap_or(0);
        Ok(found)
    })?;
    Ok(found)
}

/// Every loop of rows; one item of each list a loop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loops {
    /// Its row.
    pub row: Vec<u64>,
    /// The first symbol.
    pub start: Vec<u64>,
    /// Behind the last one.
    pub stop: Vec<u64>,
    /// Symbols of the shortest part that it repeats.
    pub period: Vec<u64>,
}

/// Every loop of rows that has so many symbols and repeats its part so many times, in the order of
/// rows, starts and periods. Loops of text have whole characters.
///
/// O(n) time for n symbols, and to order the loops; about 60 bytes a symbol of the rows that are
/// looked at at once.
///
/// # Errors
/// [`Error::InvalidInput`] if `times` is below 2; [`Error::Interrupted`].
pub fn loops(rows: &Patterns, length: u64, times: f64, monitor: &Monitor) -> Result<Loops> {
    if times.is_nan() || times < 2.0 {
        return Err(Error::InvalidInput(format!(
            "min_times is {times}: what is repeated less than twice is no loop; give 2 or more"
        )));
    }
    let found = in_blocks(rows, monitor, |memory, _, text| {
        let mut found = vec![];
        each_loop(text, memory, |one| {
            if one.length >= length && one.length as f64 >= times * one.period as f64 {
                found.push(one);
            }
        })?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    })?;
    let mut all = Loops::default();
    for (row, found) in found.into_iter().enumerate() {
        for one in found.into_iter().flatten() {
            all.row.push(row as u64);
            all.start.push(one.start);
            all.stop.push(one.start + one.length);
            all.period.push(one.period);
        }
    }
    Ok(all)
}

/// Memory of one row, reused for the next.
#[derive(Default)]
struct Memory {
    gopher: Scratch,
    bytes: (Vec<u8>, Vec<i32>),
    ids: (Vec<u32>, Vec<i32>),
    characters: Vec<u32>,
    starts: Vec<usize>,
}

/// Does the same with every row that is not null, side by side.
fn in_blocks<T: Send>(
    rows: &Patterns,
    monitor: &Monitor,
    take: impl Fn(&mut Memory, usize, Pattern<'_>) -> Result<T> + Sync,
) -> Result<Vec<Option<T>>> {
    let places: Vec<usize> = (0..rows.len()).collect();
    let found = places.par_chunks(BLOCK).map_init(Memory::default, |memory, places| {
        monitor.check()?;
        let of = |&row: &usize| rows.get(row).map(|text| take(memory, row, text)).transpose();
        places.iter().map(of).collect::<Result<Vec<_>>>()
    });
    Ok(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn one(
    row: Pattern<'_>,
    given: Option<(&GivenWords, usize)>,
    definition: Definition,
    whole: bool,
    memory: &mut Memory,
) -> Result<Repetition> {
    let mut found = Repetition::default();
    let scratch = &mut memory.gopher;
    match row {
        Pattern::Bytes(text) => {
            match given {
                Some((given, row)) => {
                    let start = row.checked_sub(1).map_or(0, |before| given.ends[before]);
                    let words = (start..given.ends[row]).filter_map(|at| given.words.get(at));
                    let words = words.filter_map(|word| match word {
                        Pattern::Bytes(word) => Some(word),
                        Pattern::Tokens(_) => None,
                    });
                    scratch.words.take(words, &mut scratch.numbers);
                }
                None => scratch.words.split(text, &mut scratch.numbers),
            }
            found.gopher = Some(Gopher::of(text, scratch, definition, !whole));
            if whole {
                found.longest = loops::longest(text, true, &mut memory.bytes)?;
            }
        }
        Pattern::Tokens(tokens) => {
            let ids = words::number(tokens, &mut scratch.numbers);
            if whole {
                found.longest = loops::longest(&ids, false, &mut memory.ids)?;
            }
            scratch.words.ids = ids;
        }
    }
    let ids = &scratch.words.ids;
    found.words = ids.len() as u64;
    if whole {
        found.distinct = distinct(ids, &mut scratch.grams, &mut scratch.numbers);
        let better = |best: Option<Loop>, one: Loop| match best {
            Some(best) if best.order() >= one.order() => best,
            _ => one,
        };
        let mut looped = None;
        each_loop(row, memory, |one| looped = Some(better(looped, one)))?;
        found.looped = looped;
    }
    Ok(found)
}

/// Calls `each` with the loops of a row, some of them several times; of text those of characters.
fn each_loop(row: Pattern<'_>, memory: &mut Memory, mut each: impl FnMut(Loop)) -> Result<()> {
    match row {
        Pattern::Tokens(tokens) => loops::each_loop(tokens, each),
        Pattern::Bytes(text) => match std::str::from_utf8(text) {
            Ok(whole) if !text.is_ascii() => {
                let Memory { characters, starts, .. } = memory;
                characters.clear();
                characters.extend(whole.chars().map(u32::from));
                starts.clear();
                starts.extend(whole.char_indices().map(|(at, _)| at));
                starts.push(text.len());
                loops::each_loop(characters, |one| {
                    let start = starts[one.start as usize] as u64;
                    let behind = |units: u64| starts[(one.start + units) as usize] as u64;
                    each(Loop {
                        start,
                        period: behind(one.period) - start,
                        length: behind(one.length) - start,
                    });
                })
            }
            _ => loops::each_loop(text, each),
        },
    }
}

fn distinct(ids: &[u32], grams: &mut Grams, numbers: &mut words::Numbers) -> [Option<f64>; ORDERS] {
    grams.begin(ids);
    std::array::from_fn(|at| {
        if at > 0 {
            grams.longer(ids, numbers);
        }
        let all = grams.numbers().len();
        (all > 0).then(|| grams.counts.len() as f64 / all as f64)
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

    /// All maximal repetitions, each with its shortest period.
    fn slow_loops(text: &[u32]) -> Vec<Loop> {
        let mut all: Vec<Loop> = vec![];
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
                let known = all.iter().any(|it| (it.start, it.length) == (found.start, length));
                if to - from >= 2 * period && !known {
                    all.push(found);
                }
            }
        }
        all.sort_unstable();
        all
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
            let all = slow_loops(&text);
            prop_assert_eq!(found.looped, all.iter().copied().max_by_key(|it| it.order()));
            let table = loops(&rows, 4, 2.5, &monitor).unwrap();
            let long = |it: &&Loop| it.length >= 4 && 2 * it.length >= 5 * it.period;
            let expected: Vec<&Loop> = all.iter().filter(long).collect();
            prop_assert_eq!(&table.start, &expected.iter().map(|it| it.start).collect::<Vec<_>>());
            prop_assert_eq!(&table.period, &expected.iter().map(|it| it.period).collect::<Vec<_>>());
            let stops: Vec<u64> = expected.iter().map(|it| it.start + it.length).collect();
            prop_assert_eq!(&table.stop, &stops);
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
        let longest = loops::longest(&text, false, &mut Default::default()).unwrap();
        assert_eq!(longest, Repeat { length: 200_000, start: 0 });
        let found = [0, 200_001].map(|start| Loop { start, period: 1, length: 200_000 });
        let mut all = vec![];
        loops::each_loop(&text, |one| all.push(one)).unwrap();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all, found);
    }
}
