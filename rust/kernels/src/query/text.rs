//! Gives back rows, or spans of them, from the index.

use super::context::Symbols;
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Row, starts_character};

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
            requests.iter().try_for_each(|request| self.read(*request, &mut out))?;
            Ok(out)
        };
        let pieces = in_blocks(requests, BLOCK, monitor, block)?;
        let mut out = Symbols::new(self.column());
        for piece in &pieces {
            out.append(piece);
        }
        Ok(out)
    }

    fn read(&self, (row, start, stop): Request, out: &mut Symbols) -> Result<()> {
        let Some(row) = row else {
            return out.push_null();
        };
        let (segment, local) = self.part_of(Row(row)).ok_or_else(|| {
            Error::InvalidInput(format!(
                "rows holds {row}, and the index has {} rows, counted from 0",
                self.rows()
            ))
        })?;
        if segment.rows().is_null(local) {
            return out.push_null();
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
        let from = span.start + start;
        if self.column() != Column::String {
            return out.push(segment, from..span.start + stop);
        }
        // With the byte behind it, which says whether a character is cut there.
        let mut bytes = vec![];
        segment.read_bytes(from..span.start + length.min(stop + 1), &mut bytes)?;
        let within = (stop - start) as usize;
        for (name, at, place) in [("start", start, 0), ("stop", stop, within)] {
            if bytes.get(place).is_some_and(|&byte| !starts_character(byte)) {
                return Err(Error::InvalidInput(format!(
                    "{name} {at} cuts a character of row {row}; spans of a string column count \
                     bytes of UTF-8 and keep to whole characters"
                )));
            }
        }
        out.push_pattern(Pattern::Bytes(&bytes[..within]));
        Ok(())
    }
}
