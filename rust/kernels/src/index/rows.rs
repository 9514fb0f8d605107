//! Where the rows of a segment end, and which of them are null.

use std::ops::Range;

use crate::container::Block;
use crate::error::{Error, Result};
use crate::symbol::Position;

/// The rows of a segment.
#[derive(Debug)]
pub struct RowTable {
    ends: Block<u32>,
    validity: Option<Block<u8>>,
}

impl RowTable {
    pub(crate) fn new(ends: Block<u32>, validity: Option<Block<u8>>) -> Self {
        Self { ends, validity }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The position of each row's separator.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// One bit a row, set where it is not null; `None` if no row is null.
    pub fn validity(&self) -> Option<&[u8]> {
        self.validity.as_deref()
    }

    /// Whether a row is null.
    pub fn is_null(&self, row: usize) -> bool {
        self.validity
            .as_ref()
            .is_some_and(|bits| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 0))
    }

    /// The symbols of a row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if there is no such row, or it ends before it starts.
    pub fn span(&self, row: usize) -> Result<Range<Position>> {
        let start = match row.checked_sub(1) {
            None => Some(0),
            Some(before) => self.ends.get(before).and_then(|end| end.checked_add(1)),
        };
        match (start, self.ends.get(row)) {
            (Some(start), Some(&end)) if start <= end => Ok(start..end),
            _ => Err(damaged()),
        }
    }

    /// How far a position stands from its row's start.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it stands before it.
    pub fn offset(&self, row: usize, position: Position) -> Result<u64> {
        position.checked_sub(self.span(row)?.start).map(u64::from).ok_or_else(damaged)
    }

    /// The row that holds a position, searched for from row `from` on, which is not behind it;
    /// fast where it is near.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if no row does.
    pub fn row_of(&self, position: Position, from: usize) -> Result<usize> {
        let ends = self.ends.get(from..).unwrap_or_default();
        let mut step = 1;
        while step <= ends.len() && ends[step - 1] < position {
            step *= 2;
        }
        let (low, high) = (step / 2, step.min(ends.len()));
        let row = from + low + ends[low..high].partition_point(|&end| end < position);
        if row < self.ends.len() { Ok(row) } else { Err(damaged()) }
    }

    /// Checks that rows follow one another up to the last of `symbols` symbols.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if they do not.
    pub(crate) fn verify(&self, symbols: usize) -> Result<()> {
        let follow = self.ends.windows(2).all(|pair| pair[0] < pair[1]);
        let last = self.ends.last().map_or(0, |&end| end as usize + 1);
        if follow && last == symbols { Ok(()) } else { Err(damaged()) }
    }
}

fn damaged() -> Error {
    Error::corrupt("the table of rows contradicts the text")
}
