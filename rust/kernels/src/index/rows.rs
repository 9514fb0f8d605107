//! Where the rows of a segment end, and which of them are null.

use std::ops::Range;

use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::{Error, Result};
use crate::symbol::Position;

/// Spans of a text that are read together, so that the cache misses of those that must be looked for
/// overlap.
pub(crate) const TOGETHER: usize = 64;

/// Symbols of rows that are read together.
const MOST_TOGETHER: Position = 1 << 20;

/// The rows of a segment.
#[derive(Debug)]
pub struct RowTable {
    bounds: Bounds,
    validity: Option<Block<u8>>,
}

/// Where rows end, as the segment keeps it.
#[derive(Debug)]
enum Bounds {
    /// The position of each row's separator, which stands behind it.
    Ends(Block<u32>),
    /// The byte at which each row's separator is, which stands before it, in a text of so many
    /// symbols of so many bytes.
    Starts { separators: Block<u64>, width: u64, symbols: u64 },
}

impl RowTable {
    pub(crate) fn new(ends: Block<u32>, validity: Option<Block<u8>>) -> Self {
        Self { bounds: Bounds::Ends(ends), validity }
    }

    /// The rows of a segment file, of which there are so many.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if they are not there.
    pub(crate) fn open(file: &SegmentFile, rows: usize) -> Result<Self> {
        let validity = file
            .has("validity")
            .then(|| file.block("validity", "u8", rows.div_ceil(8)))
            .transpose()?;
        Ok(Self::new(file.block("row_ends", "u32", rows)?, validity))
    }

    /// The rows of a corpus.
    pub(crate) fn of_corpus(row_ends: Vec<u32>, validity: Option<Vec<u8>>) -> Self {
        Self::new(row_ends.into(), validity.map(Block::from))
    }

    /// Bytes of the table, where it is one of ends.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * 4 + self.validity().map_or(0, <[u8]>::len)
    }

    /// What is to be written, which [`RowTable::open`] reads.
    pub(crate) fn blocks(&self) -> Vec<BlockToWrite<'_>> {
        let ends = BlockToWrite::new("row_ends", "u32", self.ends().unwrap_or_default());
        let validity = self.validity().map(|bits| BlockToWrite::new("validity", "u8", bits));
        [ends].into_iter().chain(validity).collect()
    }

    /// Rows that separators stand before, at these bytes of a text of so many symbols.
    pub(crate) fn from_starts(separators: Block<u64>, width: usize, symbols: usize) -> Self {
        let (width, symbols) = (width as u64, symbols as u64);
        Self { bounds: Bounds::Starts { separators, width, symbols }, validity: None }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.bounds {
            Bounds::Ends(ends) => ends.len(),
            Bounds::Starts { separators, .. } => separators.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position of each row's separator, if separators stand behind rows.
    pub fn ends(&self) -> Option<&[u32]> {
        match &self.bounds {
            Bounds::Ends(ends) => Some(ends),
            Bounds::Starts { .. } => None,
        }
    }

    /// Behind a row's last symbol; `None` if there is no such row.
    fn end(&self, row: usize) -> Option<Position> {
        match &self.bounds {
            Bounds::Ends(ends) => ends.get(row).map(|&end| end.into()),
            Bounds::Starts { separators, width, symbols } => {
                let next = separators.get(row + 1).map(|&byte| byte / width);
                next.or_else(|| (row + 1 == separators.len()).then_some(*symbols))
            }
        }
    }

    /// A row's first symbol; `None` if there is no such row.
    fn start(&self, row: usize) -> Option<Position> {
        match &self.bounds {
            Bounds::Ends(_) => {
                row.checked_sub(1).map_or(Some(0), |before| Some(self.end(before)? + 1))
            }
            Bounds::Starts { separators, width, .. } => {
                separators.get(row).and_then(|&byte| (byte / width).checked_add(1))
            }
        }
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
        match (self.start(row), self.end(row)) {
            (Some(start), Some(end)) if start <= end => Ok(start..end),
            _ => Err(damaged()),
        }
    }

    /// The symbols of each row from `first` on, of as many rows as are best read together: at least
    /// one.
    ///
    /// # Errors
    /// As [`RowTable::span`].
    pub(crate) fn spans_together(&self, first: usize) -> Result<Vec<Range<Position>>> {
        let mut spans = vec![];
        let mut symbols = 0;
        for row in first..self.len().min(first + TOGETHER) {
            let span = self.span(row)?;
            symbols += span.end - span.start;
            if symbols > MOST_TOGETHER && row > first {
                break;
            }
            spans.push(span);
        }
        Ok(spans)
    }

    /// How far a position stands from its row's start.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it stands before it.
    pub fn offset(&self, row: usize, position: Position) -> Result<u64> {
        position.checked_sub(self.span(row)?.start).ok_or_else(damaged)
    }

    /// The row that holds a position, searched for from row `from` on, which is not behind it;
    /// fast where it is near.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if no row does.
    pub fn row_of(&self, position: Position, from: usize) -> Result<usize> {
        let before = |row: usize| self.end(row).is_some_and(|end| end < position);
        let mut step = 1;
        while before(from + step - 1) {
            step *= 2;
        }
        let (mut low, mut high) = (from + step / 2, (from + step - 1).min(self.len()));
        while low < high {
            let row = low.midpoint(high);
            (low, high) = if before(row) { (row + 1, high) } else { (low, row) };
        }
        if low < self.len() { Ok(low) } else { Err(damaged()) }
    }

    /// Checks that rows follow one another up to the last of `symbols` symbols.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if they do not.
    pub(crate) fn verify(&self, symbols: usize) -> Result<()> {
        let whole = match &self.bounds {
            Bounds::Ends(ends) => {
                ends.last().map_or(0, |&end| end as usize + 1) == symbols
                    && ends.windows(2).all(|pair| pair[0] < pair[1])
            }
            Bounds::Starts { separators, width, symbols } => {
                separators.first().copied().unwrap_or(*symbols) == 0
                    && separators.last().is_none_or(|&last| last < symbols * width)
                    && separators.windows(2).all(|pair| pair[0] < pair[1])
                    && separators.iter().all(|byte| byte % width == 0)
            }
        };
        if whole { Ok(()) } else { Err(damaged()) }
    }
}

fn damaged() -> Error {
    Error::corrupt("the table of rows contradicts the text")
}
