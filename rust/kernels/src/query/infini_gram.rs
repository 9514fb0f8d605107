//! Questions in infini-gram's own terms, of one segment, which it calls a shard, at a time: so that
//! what is written for its engine can be answered.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::index::{Index, PartRef};
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Position, Ranks, Row};

/// Windows of text between two looks at the monitor.
const BLOCK: usize = 1 << 16;

/// Texts of which one is to occur.
pub type Clause = Vec<Vec<u32>>;

impl Index {
    /// The ranks of a text in each segment; all for an empty one.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] if the index is not over tokens; [`Error::Corrupt`].
    pub fn segment_ranks(&self, text: &[u32]) -> Result<Vec<Ranks>> {
        let pattern = Pattern::Tokens(text);
        self.check_kind("input_ids", pattern, None)?;
        self.parts().map(|part| part.segment.find(pattern)).collect()
    }

    /// The positions of suffixes of a segment, in the order of their ranks.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is no such segment or rank; [`Error::Corrupt`].
    pub fn segment_positions(&self, segment: usize, ranks: Ranks) -> Result<Vec<Position>> {
        let part = self.part(segment)?;
        if ranks.start > ranks.end || ranks.end > part.segment.symbols() as u64 {
            return Err(Error::InvalidInput(format!(
                "ranks {} to {} are not in a segment of {} symbols",
                ranks.start,
                ranks.end,
                part.segment.symbols()
            )));
        }
        let mut positions = vec![];
        part.segment.positions(&[ranks], &mut positions)?;
        Ok(positions)
    }

    /// What follows a text in a segment, in order, and how often; `None`, the last one, for the end of
    /// a row.
    ///
    /// # Errors
    /// As [`Index::segment_ranks`] and [`Index::segment_positions`].
    pub fn segment_continuations(
        &self,
        segment: usize,
        text: &[u32],
    ) -> Result<Vec<(Option<u32>, u64)>> {
        let pattern = Pattern::Tokens(text);
        self.check_kind("input_ids", pattern, None)?;
        let segment = self.part(segment)?.segment;
        let mut continuations = vec![];
        segment.continuations(segment.find(pattern)?, text.len(), &mut continuations)?;
        Ok(continuations)
    }

    /// The row that holds a position of a segment, or that the separator there belongs to, and where
    /// in the segment its symbols are.
    ///
    /// # Errors
    /// As [`Index::segment_positions`].
    pub fn segment_row(
        &self,
        segment: usize,
        position: Position,
    ) -> Result<(Row, Range<Position>)> {
        let part = self.part(segment)?;
        let symbols = part.segment.symbols() as u64;
        if position >= symbols {
            return Err(Error::InvalidInput(format!(
                "position {position} is not in a segment of {symbols} symbols"
            )));
        }
        let rows = part.segment.rows();
        let before = rows.ends().is_none() && part.segment.symbol_at(position)?.is_none();
        let row = rows.row_of(position + u64::from(before), 0)?;
        Ok((Row(part.first_row + row as u64), rows.span(row)?))
    }

    fn part(&self, segment: usize) -> Result<PartRef<'_>> {
        self.parts().nth(segment).ok_or_else(|| {
            Error::InvalidInput(format!(
                "segment {segment} is not in an index of {}",
                self.parts().count()
            ))
        })
    }

    /// Where a conjunction of clauses holds in each segment: for each occurrence of its rarest
    /// clause, the stretch to the nearest occurrences of the others that start at most `reach`
    /// symbols before or behind it, by their first positions; a stretch with one on both sides of it
    /// reaches to both. Those of more than one row are none.
    ///
    /// O(k log k) for k occurrences.
    ///
    /// # Errors
    /// As [`Index::segment_ranks`]; [`Error::Interrupted`].
    pub fn segment_stretches(
        &self,
        clauses: &[Clause],
        reach: u64,
        monitor: &Monitor,
    ) -> Result<Vec<Vec<Position>>> {
        for text in clauses.iter().flatten() {
            self.check_pattern(Pattern::Tokens(text), None)?;
        }
        let parts: Vec<_> = self.parts().collect();
        parts.into_par_iter().map(|part| stretches(part, clauses, reach, monitor)).collect()
    }
}

fn stretches(
    part: PartRef<'_>,
    clauses: &[Clause],
    reach: u64,
    monitor: &Monitor,
) -> Result<Vec<Position>> {
    let mut found = vec![];
    for clause in clauses {
        let ranks = clause.iter().map(|text| part.segment.find(Pattern::Tokens(text)));
        found.push(ranks.collect::<Result<Vec<_>>>()?);
    }
    found.sort_by_key(|ranks| Ranks::total(ranks));
    let mut stretches: Vec<(Position, Position)> = vec![];
    for (nth, ranks) in found.into_iter().enumerate() {
        monitor.check()?;
        let mut places = vec![];
        part.segment.positions(&ranks, &mut places)?;
        if nth == 0 {
            stretches = places.into_iter().map(|place| (place, place)).collect();
            continue;
        }
        places.sort_unstable();
        let mut wider = vec![];
        for block in stretches.chunks(BLOCK) {
            monitor.check()?;
            for &(first, last) in block {
                let before = places[..places.partition_point(|&place| place < last)].last();
                let behind = places.get(places.partition_point(|&place| place < first));
                let left = before.map(|&place| first.min(place));
                let left = left.filter(|left| first - left <= reach);
                let right = behind.map(|&place| last.max(place));
                let right = right.filter(|right| right - last <= reach);
                match (left, right) {
                    (Some(left), Some(right)) => wider.push((left, right)),
                    (Some(left), None) => wider.push((left, last)),
                    (None, Some(right)) => wider.push((first, right)),
                    (None, None) => {}
                }
            }
        }
        stretches = wider;
    }
    let rows = part.segment.rows();
    let mut firsts = vec![];
    for (first, last) in stretches {
        if last < rows.span(rows.row_of(first, 0)?)?.end {
            firsts.push(first);
        }
    }
    Ok(firsts)
}
