//! Gives back rows, or spans of them, from the index.

use std::ops::Range;

use super::context::Symbols;
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::index::{Index, Segment, TOGETHER};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Position, Row, starts_character};

/// Rows handed to a thread at once.
const BLOCK: usize = 1024;

/// One span to read: a row, and where in it to start and stop; all of it by default.
pub type Request = (Option<u64>, Option<u64>, Option<u64>);

impl Index {
    /// The text of each requested span; null where the row is null or none is asked for.
    ///
    /// A stop behind the row's end is its end. O(length of the answer).
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if a row is not in the index, a span starts behind its stop, or
    /// one cuts a character of a string column; [`Error::Interrupted`].
    pub fn text(&self, requests: &[Request], monitor: &Monitor) -> Result<Symbols> {
        let block = |requests: &[Request]| {
            let mut out = Symbols::new(self.column());
            for requests in requests.chunks(TOGETHER) {
                self.read_requests(requests, &mut out)?;
            }
            Ok(out)
        };
        let pieces = in_blocks(requests, BLOCK, monitor, block)?;
        let mut out = Symbols::new(self.column());
        for piece in &pieces {
            out.append(piece);
        }
        Ok(out)
    }

    fn read_requests(&self, requests: &[Request], out: &mut Symbols) -> Result<()> {
        let asked = requests.iter().map(|&request| self.asked_text(request));
        let asked: Vec<Option<Asked<'_>>> = asked.collect::<Result<_>>()?;
        let spans = asked.iter().flatten().map(|asked| (asked.segment, asked.near.clone()));
        let read = self.read(spans)?;
        let mut nth = 0;
        for asked in &asked {
            let Some(asked) = asked else {
                out.push_null()?;
                continue;
            };
            out.push_pattern(asked.cut(read.get(nth), self.column())?);
            nth += 1;
        }
        Ok(())
    }

    /// What is to be read for a request; nothing for a null row, or none.
    fn asked_text(&self, (row, start, stop): Request) -> Result<Option<Asked<'_>>> {
        let Some(row) = row else {
            return Ok(None);
        };
        let (segment, local) = self.part_of(Row(row)).ok_or_else(|| {
            Error::InvalidInput(format!(
                "rows holds {row}, and the index has {} rows, counted from 0",
                self.rows()
            ))
        })?;
        if segment.rows().is_null(local) {
            return Ok(None);
        }
        let span = segment.rows().span(local)?;
        let length = span.end - span.start;
        let start = start.unwrap_or(0);
        if let Some(stop) = stop.filter(|&stop| start > stop) {
            return Err(Error::InvalidInput(format!(
                "row {row} is asked for from start {start} to stop {stop}; start must not lie \
                 behind stop"
            )));
        }
        let stop = stop.unwrap_or(length).min(length);
        let start = start.min(length);
        // With the byte behind it, which says whether a character is cut there.
        let behind = if self.column() == Column::String { length.min(stop + 1) } else { stop };
        let near = span.start + start..span.start + behind;
        Ok(Some(Asked { segment, row, span: start..stop, near }))
    }
}

/// A span of a row, and what of its segment is read for it.
#[derive(Debug)]
struct Asked<'a> {
    segment: &'a dyn Segment,
    row: u64,
    span: Range<u64>,
    near: Range<Position>,
}

impl Asked<'_> {
    /// The span, of what was read.
    fn cut<'t>(&self, near: Pattern<'t>, column: Column) -> Result<Pattern<'t>> {
        let Self { row, span: Range { start, end: stop }, .. } = self;
        let within = (stop - start) as usize;
        if let (Pattern::Bytes(bytes), Column::String) = (near, column) {
            for (name, at, place) in [("start", start, 0), ("stop", stop, within)] {
                if bytes.get(place).is_some_and(|&byte| !starts_character(byte)) {
                    return Err(Error::InvalidInput(format!(
                        "{name} {at} cuts a character of row {row}; spans of a string column count \
                         bytes of UTF-8 and keep to whole characters"
                    )));
                }
            }
        }
        Ok(near.slice(0..within))
    }
}
