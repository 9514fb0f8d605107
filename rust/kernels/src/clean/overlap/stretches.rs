//! Stretches of values that are shared and can be made no longer where they stand, and the keys that
//! they are.

use std::cmp::Reverse;
use std::ops::Range;

use super::buckets::Suffix;
use super::runs::{Runs, shared};
use super::values::{Kept, Values, characters};
use super::{Keys, NONE};

/// A stretch, and the ranks of all suffixes that begin with it.
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

/// A key, where one of its occurrences stands.
pub struct Cut {
    pub start: u32,
    pub length: u32,
    pub characters: u32,
    pub support: u32,
    pub rows: u64,
}

/// What a thread works with; numbers of suffixes are those of all runs.
pub struct Desk<'a> {
    runs: &'a Runs,
    values: &'a Values,
    /// One more than the last suffix of each value so far.
    last: Vec<u32>,
    /// Of each suffix what it has in common with the one before it; 0 where a run begins.
    common: Vec<u32>,
    /// Of each suffix how long the stretch is that it begins with; 0 where there is none.
    lengths: Vec<u32>,
    /// One more than the suffix of its value before it, of whatever run.
    others: Vec<u32>,
    /// The rows of its value.
    rows: Vec<u64>,
    smaller: Smaller,
    stretches: Vec<Stretch>,
    again: Vec<Again>,
    keys: Vec<(u32, Cut)>,
}

/// Suffixes that begin with the same bytes, as many as are asked for, in order.
struct Run<'a> {
    suffixes: &'a [Suffix],
    /// The suffix that the part begins with which the run is of.
    part: usize,
    /// Which of the part's suffixes they are.
    span: Range<usize>,
}

impl<'a> Desk<'a> {
    pub fn of(runs: &'a Runs, values: &'a Values) -> Self {
        Self {
            runs,
            values,
            last: vec![0; values.ends.len()],
            common: vec![],
            lengths: vec![],
            others: vec![],
            rows: vec![],
            smaller: Smaller::default(),
            stretches: vec![],
            again: vec![],
            keys: vec![],
        }
    }

    /// The keys that suffixes of some runs begin with, in the order of their bytes.
    pub fn keys(&mut self, part: Range<usize>, kept: &Kept, which: Keys) -> Vec<Cut> {
        let suffixes = &self.runs.suffixes[part.clone()];
        self.common.clear();
        self.common.extend(suffixes.iter().map(|suffix| shared(suffix).0));
        // Nothing waits for what is read here: many reads are on their way at once.
        self.lengths.clear();
        self.lengths.extend(suffixes.iter().map(|one| kept.length(one.start, shared(one).1)));
        self.others.clear();
        self.others.extend(
            (part.start as u32 + 1..).zip(suffixes).map(|(next, suffix)| {
                std::mem::replace(&mut self.last[suffix.value as usize], next)
            }),
        );
        self.rows.clear();
        if self.values.repeated {
            let rows = |suffix: &Suffix| self.values.rows[suffix.value as usize];
            self.rows.extend(suffixes.iter().map(rows));
        } else {
            self.rows.resize(suffixes.len(), 1);
        }
        let mut found = vec![];
        let mut first = 0;
        for end in 1..=suffixes.len() {
            if self.common.get(end).is_some_and(|&common| common > 0) {
                continue;
            }
            let span = std::mem::replace(&mut first, end)..end;
            if self.lengths[span.clone()].iter().all(|&length| length == 0) {
                continue;
            }
            self.of_run(
                &Run { suffixes: &suffixes[span.clone()], part: part.start, span },
                which,
                &mut found,
            );
        }
        for key in &mut found {
            key.characters = match self.values.ascii {
                true => key.length,
                false => {
                    characters(&self.values.bytes[key.start as usize..][..key.length as usize])
                        as u32
                }
            };
        }
        found
    }

    fn of_run(&mut self, run: &Run<'_>, which: Keys, found: &mut Vec<Cut>) {
        self.open(run);
        self.close(run);
        // Those of one substring stand together: they share a length and where their ranks begin.
        self.stretches.sort_unstable_by_key(|one| (Reverse(one.length), one.low, one.rank));
        let mut twice = Twice::new(&self.again);
        for group in self.stretches.chunk_by(|a, b| (a.length, a.low) == (b.length, b.low)) {
            let Stretch { length, low, high, rows, .. } = group[0];
            twice.lower(length);
            let held = high - low;
            let key = match which {
                Keys::Maximal => group.len() == held as usize,
                Keys::PerValue => twice.whole(group),
                Keys::Whole => true,
            };
            if key {
                let start = run.suffixes[low as usize].start;
                let (count, repeated) = twice.inside(low, high);
                let (support, rows) = (held - count as u32, rows - repeated);
                self.keys.push((low, Cut { start, length, characters: 0, support, rows }));
            }
        }
        // Of keys of one length, none begins another: they are in the order of their suffixes.
        self.keys.sort_unstable_by_key(|&(low, ref key)| (low, key.length));
        found.extend(self.keys.drain(..).map(|(_, key)| key));
    }

    /// Finds the stretches in the order of their suffixes, and where those that begin with each
    /// start; and the suffixes that have as much in common with another one of their value.
    fn open(&mut self, run: &Run<'_>) {
        self.smaller.0.clear();
        self.stretches.clear();
        self.again.clear();
        let mut before = 0;
        let start = (run.part + run.span.start) as u32 + 1;
        for (rank, at) in (0_u32..).zip(run.span.clone()) {
            let (rows, length) = (self.rows[at], self.lengths[at]);
            self.smaller.push(self.common[at], rank, before);
            if (start..start + rank).contains(&self.others[at]) {
                let other = self.others[at] - start;
                // The least since the other one stands first of those behind it.
                let at = self.smaller.0.partition_point(|&(_, rank, _)| rank <= other);
                let length = self.smaller.0[at].0;
                self.again.push(Again { rank, before: other, length, rows });
            }
            if length > 0 {
                let (_, low, behind) = self.smaller.0[self.smaller.last(length).unwrap_or(0)];
                let (value, rows) = (run.suffixes[rank as usize].value, before - behind);
                self.stretches.push(Stretch { length, rank, value, low, high: 0, rows });
            }
            before += rows;
        }
    }

    /// Finds where the suffixes that begin with each stretch end.
    fn close(&mut self, run: &Run<'_>) {
        self.smaller.0.clear();
        let mut behind = 0;
        let mut waiting = self.stretches.iter_mut().rev().peekable();
        for at in run.span.clone().rev() {
            behind += self.rows[at];
            let rank = (at - run.span.start) as u32;
            if let Some(stretch) = waiting.next_if(|stretch| stretch.rank == rank) {
                let (high, after) = match self.smaller.last(stretch.length) {
                    Some(at) => (self.smaller.0[at].1, self.smaller.0[at].2),
                    None => (run.span.len() as u32, 0),
                };
                stretch.high = high;
                stretch.rows += behind - after;
            }
            self.smaller.push(self.common[at], rank, behind);
        }
    }
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
