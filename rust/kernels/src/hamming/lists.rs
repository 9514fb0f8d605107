//! Counts matches of rare symbols from lists of where they occur: Abrahamson's light symbols.
//!
//! Every pair of an occurrence in the text and one in the pattern is a match of one window. Pairs
//! are visited in pieces of [`CHUNK`] windows whose counters stay in a near cache: for each
//! occurrence in the pattern, the run of occurrences in the text that fall into the piece, or the
//! reverse, whichever lists are fewer.

use super::prepare::Haystack;
use super::{Count, each_chunk};
use crate::error::Result;
use crate::interrupt::Monitor;

/// Counters that are held at once; as 16 bits they fill the nearest cache.
const COUNTERS: usize = 1 << 14;

/// Counters on either side that are nobody's: runs of occurrences begin and end there, so that
/// positions of the pattern this near each other share one run, of one length.
const SLACK: usize = 1 << 10;

/// The most that a counter holds.
const MOST: usize = u16::MAX as usize;

/// Windows whose counters are held at once.
pub(crate) const CHUNK: usize = COUNTERS - 2 * SLACK;

/// The most symbols for which it is noted how many occurrences lie before each chunk.
const NOTED: usize = 1 << 10;

/// Symbols of the text between two looks at the monitor.
const BLOCK: usize = 1 << 22;

/// Where some symbols occur in a text.
#[derive(Debug)]
pub(crate) struct Occurrences<'p> {
    /// For each of them, its positions in the pattern.
    needle: Vec<&'p [u32]>,
    /// Where each one's positions in the text start, and the last one's end.
    starts: Vec<usize>,
    positions: Vec<u32>,
    /// How many of each one's are before each chunk of the text, chunk by chunk; where there are
    /// few symbols.
    before: Vec<u32>,
}

impl<'p> Occurrences<'p> {
    /// Finds the occurrences of codes, each given with its positions in the pattern.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn new(
        text: &Haystack<'_>,
        symbols: &[(u32, &'p [u32])],
        monitor: &Monitor,
    ) -> Result<Self> {
        let most = symbols.iter().map(|(code, _)| *code).max().map_or(255, |code| code.max(255));
        const NONE: u32 = u32::MAX;
        let mut list = vec![NONE; most as usize + 1];
        for ((code, _), number) in symbols.iter().zip(0..) {
            list[*code as usize] = number;
        }
        // Of other patterns there may be larger codes.
        let list = |code: u32| list.get(code as usize).copied().unwrap_or(NONE);
        let mut starts = vec![0; symbols.len() + 1];
        let noted = symbols.len() <= NOTED;
        let mut before = vec![];
        for from in (0..text.len()).step_by(CHUNK) {
            monitor.check()?;
            if noted {
                before.extend(starts[1..].iter().map(|&count| count as u32));
            }
            text.each(from..text.len().min(from + CHUNK), |_, code| {
                let list = list(code);
                if list != NONE {
                    starts[list as usize + 1] += 1;
                }
            });
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut positions = vec![0; starts[symbols.len()]];
        let mut next = starts.clone();
        for from in (0..text.len()).step_by(BLOCK) {
            monitor.check()?;
            text.each(from..text.len().min(from + BLOCK), |at, code| {
                let list = list(code);
                if list != NONE {
                    let next = &mut next[list as usize];
                    positions[*next] = at as u32;
                    *next += 1;
                }
            });
        }
        let needle = symbols.iter().map(|(_, positions)| *positions).collect();
        Ok(Self { needle, starts, positions, before })
    }

    /// Takes the matches off `distances`, whose item `i` is about the window that starts at `i`.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn subtract<T: Count>(&self, distances: &mut [T], monitor: &Monitor) -> Result<()> {
        each_chunk(distances, CHUNK, monitor, |first, distances| {
            let counters = &mut [0_u16; COUNTERS];
            // Positions whose matches the counters have, which hold one of each.
            let mut counted = 0;
            let last = first + distances.len();
            for (symbol, needle) in self.needle.iter().enumerate() {
                for needle in needle.chunks(MOST) {
                    if counted + needle.len() > MOST {
                        take(counters, distances);
                        counted = 0;
                    }
                    counted += needle.len();
                    let reach = needle.last().map_or(0, |&at| at as usize);
                    let text = self.between(symbol, first, last + reach + SLACK);
                    if text.len() >= needle.len() {
                        pair(text, needle, first, last, counters);
                    } else {
                        pair_by_text(text, needle, first, last, counters);
                    }
                    if needle.len() > 1 << 12 {
                        monitor.check()?;
                    }
                }
            }
            take(counters, distances);
            monitor.advance(distances.len() as u64);
            Ok(())
        })
    }

    /// A symbol's occurrences from `first`, where a chunk starts, to about `last`.
    fn between(&self, symbol: usize, first: usize, last: usize) -> &[u32] {
        let all = &self.positions[self.starts[symbol]..self.starts[symbol + 1]];
        let place = |at: usize| match self.before.get(at / CHUNK * self.needle.len() + symbol) {
            Some(&before) => before as usize,
            None if self.before.is_empty() => all.partition_point(|&other| (other as usize) < at),
            None => all.len(),
        };
        &all[place(first)..place(last.next_multiple_of(CHUNK))]
    }
}

/// Takes what was counted off distances, and counts from zero again.
fn take<T: Count>(counters: &mut [u16; COUNTERS], distances: &mut [T]) {
    for (distance, counter) in distances.iter_mut().zip(&counters[SLACK..]) {
        *distance = distance.minus((*counter).into());
    }
    counters.fill(0);
}

/// For each position in the pattern, the run of positions in the text.
fn pair(text: &[u32], needle: &[u32], first: usize, last: usize, counters: &mut [u16; COUNTERS]) {
    let (mut from, mut to) = (0, 0);
    let mut rest = needle;
    while let Some(&least) = rest.first() {
        let near = rest.iter().take_while(|&&at| at - least < SLACK as u32).count();
        let (group, after) = rest.split_at(near);
        rest = after;
        // What falls in a window of any position of the group: of the others some too little, or
        // too much, which the slack takes.
        let (low, high) = (first + least as usize, last + group[near - 1] as usize);
        while from < text.len() && (text[from] as usize) < low {
            from += 1;
        }
        to = to.max(from);
        while to < text.len() && (text[to] as usize) < high {
            to += 1;
        }
        let run = &text[from..to];
        for &at in group {
            let low = (first + at as usize) as u32;
            for &other in run {
                // Within the counters already: what the mask takes away is a check of bounds.
                let place = other.wrapping_sub(low).wrapping_add(SLACK as u32) as usize;
                counters[place % COUNTERS] += 1;
            }
        }
    }
}

/// For each position in the text, the run of positions in the pattern.
fn pair_by_text(
    text: &[u32],
    needle: &[u32],
    first: usize,
    last: usize,
    counters: &mut [u16; COUNTERS],
) {
    let (mut from, mut to) = (0, 0);
    for &at in text {
        let at = at as usize;
        // The window at - other is in first..last.
        while from < needle.len() && at >= last + needle[from] as usize {
            from += 1;
        }
        to = to.max(from);
        while to < needle.len() && at >= first + needle[to] as usize {
            to += 1;
        }
        for &other in &needle[from..to] {
            let place = (at - first).wrapping_sub(other as usize).wrapping_add(SLACK);
            counters[place % COUNTERS] += 1;
        }
    }
}
