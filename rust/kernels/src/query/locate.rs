//! Locates occurrences: their rows and spans, or the distinct rows and how often each holds one.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::find::PatternRanks;
use super::sample::priority;
use crate::error::Result;
use crate::index::{Index, PartRef, Segment};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Position, Ranks};

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
    /// Where each pattern that was looked for occurs, ordered by query, row and start.
    ///
    /// O(k log k) a pattern with k occurrences.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] if they were looked for in another index;
    /// [`crate::Error::Corrupt`]; [`crate::Error::Interrupted`].
    ///
    /// # Examples
    /// ```
    /// use bowstring::{Builder, Column, Limit, Monitor, Options, Pattern, Patterns, Rows};
    /// let mut rows = Builder::new(Column::String, None, false, Options::default(), Default::default())?;
    /// rows.push_bytes(Some(b"banana"))?;
    /// let (index, monitor) = (rows.finish()?, Monitor::default());
    /// let found = index.find(&Patterns::one(Pattern::Bytes(b"ana")), &monitor)?;
    /// assert_eq!(index.locate(&found, Limit::All, &monitor)?.start, [1, 3]);
    /// # Ok::<_, bowstring::Error>(())
    /// ```
    pub fn locate(&self, found: &PatternRanks, limit: Limit, monitor: &Monitor) -> Result<Spans> {
        let blocks = in_blocks(&found.blocks(), 1, monitor, |block| {
            let mut spans = Spans::default();
            self.occurrences(found, block[0].clone(), limit, monitor, |nth, part, positions| {
                let (query, length) = found.pattern(nth);
                let rows = part.segment.rows();
                let mut row = 0;
                for &position in positions {
                    row = rows.row_of(position, row)?;
                    let start = rows.offset(row, position)?;
                    spans.query.push(query);
                    spans.row.push(part.first_row + row as u64);
                    spans.start.push(start);
                    spans.stop.push(start + length);
                }
                Ok(())
            })?;
            Ok(spans)
        })?;
        let mut spans = Spans::default();
        for mut block in blocks {
            spans.query.append(&mut block.query);
            spans.row.append(&mut block.row);
            spans.start.append(&mut block.start);
            spans.stop.append(&mut block.stop);
        }
        Ok(spans)
    }

    /// The distinct rows that hold each pattern that was looked for, at most `limit` of them, ordered
    /// by query and row.
    ///
    /// O(k log k) a pattern with k occurrences.
    ///
    /// # Errors
    /// As [`Index::locate`].
    pub fn matching_rows(
        &self,
        found: &PatternRanks,
        limit: Option<usize>,
        monitor: &Monitor,
    ) -> Result<RowCounts> {
        let blocks = in_blocks(&found.blocks(), 1, monitor, |block| {
            let mut rows = RowCounts::default();
            let (mut last, mut taken) = (None, 0);
            self.occurrences(
                found,
                block[0].clone(),
                Limit::All,
                monitor,
                |nth, part, positions| {
                    if last.replace(nth) != Some(nth) {
                        taken = 0;
                    }
                    let room = limit.map_or(usize::MAX, |limit| limit - taken);
                    each_row(part.segment, positions, room, |row, count| {
                        rows.query.push(found.pattern(nth).0);
                        rows.row.push(part.first_row + row as u64);
                        rows.count.push(count);
                        taken += 1;
                    })
                },
            )?;
            Ok(rows)
        })?;
        let mut rows = RowCounts::default();
        for mut block in blocks {
            rows.query.append(&mut block.query);
            rows.row.append(&mut block.row);
            rows.count.append(&mut block.count);
        }
        Ok(rows)
    }

    /// Gives the sorted positions of each pattern's occurrences, segment by segment: those of several
    /// patterns are read together, so that their cache misses overlap.
    pub(super) fn occurrences<'a>(
        &'a self,
        found: &PatternRanks,
        patterns: Range<usize>,
        limit: Limit,
        monitor: &Monitor,
        mut take: impl FnMut(usize, PartRef<'a>, &[Position]) -> Result<()>,
    ) -> Result<()> {
        found.check(self)?;
        let first = match limit {
            Limit::All => usize::MAX,
            Limit::First(limit) => limit,
            Limit::Sample(size, seed) => {
                for nth in patterns {
                    let sample = self.sample(found.of(nth), size, seed, monitor)?;
                    let mut rest = &sample[..];
                    for part in self.parts() {
                        let end = part.first_symbol + part.segment.symbols() as u64;
                        let (here, after) = rest.split_at(rest.partition_point(|&at| at < end));
                        let here: Vec<_> = here.iter().map(|&at| at - part.first_symbol).collect();
                        take(nth, part, &here)?;
                        rest = after;
                    }
                }
                return Ok(());
            }
        };
        if let [nth] = patterns.clone().collect::<Vec<_>>()[..] {
            let mut room = first;
            for (part, &ranks) in self.parts().zip(found.of(nth)) {
                if room == 0 {
                    break;
                }
                monitor.check()?;
                let positions = sorted_positions(part.segment, ranks, room)?;
                room -= positions.len();
                take(nth, part, &positions)?;
            }
            return Ok(());
        }
        let read = self.parts().enumerate().map(|(at, part)| {
            monitor.check()?;
            let ranks: Vec<Ranks> = patterns.clone().map(|nth| found.of(nth)[at]).collect();
            let mut positions = Vec::with_capacity(Ranks::total(&ranks) as usize);
            part.segment.positions(&ranks, &mut positions)?;
            Ok((part, positions, 0))
        });
        let mut read: Vec<(PartRef<'a>, Vec<Position>, usize)> = read.collect::<Result<_>>()?;
        for nth in patterns {
            let mut room = first;
            for ((part, positions, from), ranks) in read.iter_mut().zip(found.of(nth)) {
                let own = &mut positions[*from..*from + ranks.len() as usize];
                *from += own.len();
                own.sort_unstable();
                let own = &own[..own.len().min(room)];
                room -= own.len();
                take(nth, *part, own)?;
            }
        }
        Ok(())
    }

    /// The positions, counted over all segments, of `size` occurrences drawn uniformly: those of
    /// the smallest priorities.
    fn sample(
        &self,
        ranks: &[Ranks],
        size: usize,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        let mut drawn = BinaryHeap::new();
        let mut positions = vec![];
        for (part, ranks) in self.parts().zip(ranks) {
            for start in (ranks.start..ranks.end).step_by(BLOCK) {
                monitor.check()?;
                positions.clear();
                let end = ranks.end.min(start + BLOCK as u64);
                part.segment.positions(&[Ranks { start, end }], &mut positions)?;
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
    segment.positions(&[ranks], &mut positions)?;
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
