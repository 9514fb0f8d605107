//! Locates occurrences: their rows and spans, or the distinct rows and how often each holds one.

use std::collections::BinaryHeap;

use super::sample::priority;
use crate::error::Result;
use crate::index::{Index, PartRef, Segment};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, Position, Ranks};

/// From one occurrence in so many symbols on, positions are sorted by marking them in a bitmap.
const DENSE: usize = 64;

/// Occurrences between two looks at the monitor.
const BLOCK: usize = 1 << 20;

/// How many occurrences to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// All.
    All,
    /// The first ones in the order of rows.
    First(usize),
    /// A uniform sample drawn with a seed.
    Sample(usize, u64),
}

/// Where occurrences stand; one item of each list an occurrence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// The query's place in its column.
    pub query: Vec<u64>,
    /// The row.
    pub row: Vec<u64>,
    /// The first symbol, counted from the row's start.
    pub start: Vec<u64>,
    /// Behind the last symbol.
    pub stop: Vec<u64>,
}

/// The rows that hold a query; one item of each list a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// The query's place in its column.
    pub query: Vec<u64>,
    /// The row.
    pub row: Vec<u64>,
    /// How often it holds the query.
    pub count: Vec<u64>,
}

impl Index {
    /// Where each pattern occurs, ordered by query, row and start.
    ///
    /// O(m + log n + k log k) a query with k occurrences.
    ///
    /// # Errors
    /// As [`Index::count`]; [`crate::Error::Interrupted`].
    pub fn locate(&self, patterns: &Patterns, limit: Limit, monitor: &Monitor) -> Result<Spans> {
        let located = self.each(patterns, monitor, |pattern| {
            let mut found = vec![];
            self.occurrences(pattern, limit, monitor, |part, positions| {
                let rows = part.segment.rows();
                let mut row = 0;
                for &position in positions {
                    row = rows.row_of(position, row)?;
                    found.push((part.first_row + row as u64, rows.offset(row, position)?));
                }
                Ok(())
            })?;
            Ok(found)
        })?;
        let mut spans = Spans::default();
        for (query, length, found) in located {
            spans.query.resize(spans.query.len() + found.len(), query);
            spans.row.extend(found.iter().map(|&(row, _)| row));
            spans.start.extend(found.iter().map(|&(_, start)| start));
            spans.stop.extend(found.iter().map(|&(_, start)| start + length));
        }
        Ok(spans)
    }

    /// The distinct rows that hold each pattern, at most `limit` of them, ordered by query and row.
    ///
    /// O(m + log n + k log k) a query with k occurrences.
    ///
    /// # Errors
    /// As [`Index::locate`].
    pub fn matching_rows(
        &self,
        patterns: &Patterns,
        limit: Option<usize>,
        monitor: &Monitor,
    ) -> Result<RowCounts> {
        let located = self.each(patterns, monitor, |pattern| {
            let mut found: Vec<(u64, u64)> = vec![];
            self.occurrences(pattern, Limit::All, monitor, |part, positions| {
                let room = limit.map_or(usize::MAX, |limit| limit - found.len());
                each_row(part.segment, positions, room, |row, count| {
                    found.push((part.first_row + row as u64, count));
                })
            })?;
            Ok(found)
        })?;
        let mut rows = RowCounts::default();
        for (query, _, found) in located {
            rows.query.resize(rows.query.len() + found.len(), query);
            rows.row.extend(found.iter().map(|&(row, _)| row));
            rows.count.extend(found.iter().map(|&(_, count)| count));
        }
        Ok(rows)
    }

    /// Runs `answer` for every pattern that is not null; gives back each one's place in the
    /// column, its length and its answer, in the column's order.
    fn each<T: Send>(
        &self,
        patterns: &Patterns,
        monitor: &Monitor,
        answer: impl Fn(Pattern<'_>) -> Result<T> + Sync,
    ) -> Result<Vec<(u64, u64, T)>> {
        self.check_patterns(patterns)?;
        let valid: Vec<_> = patterns.valid().collect();
        in_blocks(&valid, 1, monitor, |one| {
            let (at, pattern) = one[0];
            Ok((at as u64, pattern.len() as u64, answer(pattern)?))
        })
    }

    /// Gives the sorted positions of a pattern's occurrences, segment by segment.
    pub(super) fn occurrences<'a>(
        &'a self,
        pattern: Pattern<'_>,
        limit: Limit,
        monitor: &Monitor,
        mut take: impl FnMut(PartRef<'a>, &[Position]) -> Result<()>,
    ) -> Result<()> {
        if let Limit::Sample(size, seed) = limit {
            let sample = self.sample(pattern, size, seed, monitor)?;
            let mut rest = &sample[..];
            for part in self.parts() {
                let end = part.first_symbol + part.segment.symbols() as u64;
                let (here, after) = rest.split_at(rest.partition_point(|&at| at < end));
                let here: Vec<_> = here.iter().map(|&at| at - part.first_symbol).collect();
                take(part, &here)?;
                rest = after;
            }
            return Ok(());
        }
        let mut room = if let Limit::First(limit) = limit { limit } else { usize::MAX };
        for part in self.parts() {
            if room == 0 {
                break;
            }
            monitor.check()?;
            let ranks = part.segment.find(pattern)?;
            let positions = sorted_positions(part.segment, ranks, room)?;
            room -= positions.len();
            take(part, &positions)?;
        }
        Ok(())
    }

    /// The positions, counted over all segments, of `size` occurrences drawn uniformly: those of
    /// the smallest priorities.
    fn sample(
        &self,
        pattern: Pattern<'_>,
        size: usize,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        let mut drawn = BinaryHeap::new();
        let mut positions = vec![];
        for part in self.parts() {
            let ranks = part.segment.find(pattern)?;
            for start in (ranks.start..ranks.end).step_by(BLOCK) {
                monitor.check()?;
                positions.clear();
                let end = ranks.end.min(start + BLOCK as u64);
                part.segment.positions(Ranks { start, end }, &mut positions)?;
                for &position in &positions {
                    let position = part.first_symbol + position;
                    let candidate = (priority(seed, position), position);
                    if drawn.len() < size {
                        drawn.push(candidate);
                    } else if let Some(mut last) =
                        drawn.peek_mut().filter(|last| candidate < **last)
                    {
                        *last = candidate;
                    }
                }
            }
        }
        let mut sample: Vec<u64> = drawn.into_iter().map(|(_, position)| position).collect();
        sample.sort_unstable();
        Ok(sample)
    }
}

/// The positions of a range of ranks in the text's order, the first `limit` of them.
pub(super) fn sorted_positions(
    segment: &dyn Segment,
    ranks: Ranks,
    limit: usize,
) -> Result<Vec<Position>> {
    let mut positions = Vec::with_capacity(ranks.len() as usize);
    segment.positions(ranks, &mut positions)?;
    if positions.len() > limit {
        positions.select_nth_unstable(limit);
        positions.truncate(limit);
    }
    if positions.len() > segment.symbols() / DENSE && positions.len() > 256 {
        let mut marks = vec![0_u64; segment.symbols().div_ceil(64)];
        for &position in &positions {
            marks[position as usize / 64] |= 1 << (position % 64);
        }
        positions.clear();
        for (word, &mark) in marks.iter().enumerate() {
            let mut mark = mark;
            while mark != 0 {
                positions.push(word as Position * 64 + Position::from(mark.trailing_zeros()));
                mark &= mark - 1;
            }
        }
    } else {
        positions.sort_unstable();
    }
    Ok(positions)
}

/// Gives the distinct rows of sorted positions, at most `limit`, and how many positions each has.
pub(super) fn each_row(
    segment: &dyn Segment,
    positions: &[Position],
    limit: usize,
    mut take: impl FnMut(usize, u64),
) -> Result<()> {
    let rows = segment.rows();
    let mut rest = positions;
    let mut row = 0;
    for _ in 0..limit {
        let Some(&position) = rest.first() else {
            break;
        };
        row = rows.row_of(position, row)?;
        let end = rows.span(row)?.end;
        let count = rest.iter().take_while(|&&position| position < end).count().max(1);
        take(row, count as u64);
        rest = &rest[count..];
    }
    Ok(())
}
