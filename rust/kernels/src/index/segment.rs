//! What every kind of segment answers.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::rows::RowTable;
use super::{fm, suffix};
use crate::container::{SegmentEntry, SegmentFile, read_segment_file};
use crate::corpus::{Column, MAX_SYMBOLS, Rows};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::kind::Kind;
use crate::symbol::{Pattern, Position, Rank, Ranks, Symbol};

/// A text of symbols of some width, and its suffix array.
#[derive(Clone, Copy, Debug)]
pub enum SortedText<'a> {
    /// One byte a symbol.
    U8(&'a [u8], &'a [u32]),
    /// Two bytes a symbol.
    U16(&'a [u16], &'a [u32]),
    /// Four bytes a symbol.
    U32(&'a [u32], &'a [u32]),
}

/// An immutable index over at most 2^31 - 1 symbols, or more of another program's.
pub trait Segment: Send + Sync + std::fmt::Debug {
    /// Which kind it is.
    fn kind(&self) -> Kind;

    /// The segment's rows.
    fn rows(&self) -> &RowTable;

    /// Symbols, one separator a row included.
    fn symbols(&self) -> usize;

    /// Bytes a symbol.
    fn width(&self) -> usize;

    /// Bytes the segment takes, on disk or in memory.
    fn bytes(&self) -> u64;

    /// Writes the segment's file; gives its length and header checksum.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Interrupted`]; [`Error::UnsupportedType`] of another program's.
    fn write(&self, column: Column, path: &Path, monitor: &Monitor) -> Result<(u64, u32)>;

    /// The ranks of the suffixes that start with a pattern.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    fn find(&self, pattern: Pattern<'_>) -> Result<Ranks>;

    /// The ranks of each pattern; `ranks` is as long as `patterns`. Faster where neighbours are near
    /// each other in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    fn find_many(&self, patterns: &[Pattern<'_>], ranks: &mut [Ranks]) -> Result<()>;

    /// Of suffixes that share their first `depth` symbols, those that go on with `symbol`.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    fn following(&self, ranks: Ranks, depth: usize, symbol: u32) -> Result<Ranks>;

    /// How many of suffixes that share their first `depth` symbols are at the end of a row there.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    fn ending(&self, ranks: Ranks, depth: usize) -> Result<u64>;

    /// The symbol that a suffix goes on with behind its first `depth` ones; `None` for the end of a
    /// row.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    fn continuation(&self, rank: Rank, depth: usize) -> Result<Option<u32>>;

    /// Appends the symbols that suffixes go on with that share their first `depth` ones, in order,
    /// each with how many do; `None`, the last one, for the end of a row.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    fn continuations(
        &self,
        ranks: Ranks,
        depth: usize,
        continuations: &mut Vec<(Option<u32>, u64)>,
    ) -> Result<()>;

    /// Appends the position of each suffix in ranges of ranks, of one range after the other.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one lies outside the text.
    fn positions(&self, ranks: &[Ranks], positions: &mut Vec<Position>) -> Result<()>;

    /// The text and its suffix array, of a segment that holds them side by side.
    fn sorted_text(&self) -> Option<SortedText<'_>> {
        None
    }

    /// The symbol at a position; `None` at the end of a row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is not in the text.
    fn symbol_at(&self, position: Position) -> Result<Option<u32>>;

    /// Appends each suffix's position, and how many symbols of `before`, from its end on, stand
    /// before it in its row.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    fn extend_left(
        &self,
        ranks: Ranks,
        before: Pattern<'_>,
        extended: &mut Vec<(Position, usize)>,
    ) -> Result<()>;

    /// Appends spans of the text as bytes, end to end.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one is not in the text, or holds numbers above 255.
    fn read_bytes(&self, spans: &[Range<Position>], bytes: &mut Vec<u8>) -> Result<()>;

    /// Appends spans of the text as numbers, end to end.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one is not in the text.
    fn read_tokens(&self, spans: &[Range<Position>], tokens: &mut Vec<u32>) -> Result<()>;

    /// Appends every position in a span of the text at which a pattern starts, and ends, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the span is not in the text.
    fn scan(
        &self,
        span: Range<Position>,
        pattern: Pattern<'_>,
        positions: &mut Vec<Position>,
    ) -> Result<()>;

    /// Gives every row, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`], or what the sink fails with.
    fn read_rows(&self, column: Column, rows: &mut dyn Rows) -> Result<()> {
        let (mut bytes, mut tokens) = (vec![], vec![]);
        let mut first = 0;
        while first < self.rows().len() {
            let spans = self.rows().spans_together(first)?;
            let mut end = 0;
            let own = spans.iter().zip(first..).map(|(span, row)| {
                let start = end;
                end += (span.end - span.start) as usize;
                (!self.rows().is_null(row), start..end)
            });
            if column == Column::Tokens {
                tokens.clear();
                self.read_tokens(&spans, &mut tokens)?;
                for (valid, own) in own {
                    rows.push_tokens(valid.then_some(&tokens[own]))?;
                }
            } else {
                bytes.clear();
                self.read_bytes(&spans, &mut bytes)?;
                for (valid, own) in own {
                    rows.push_bytes(valid.then_some(&bytes[own]))?;
                }
            }
            first += spans.len();
        }
        Ok(())
    }

    /// Reads everything and checks it.
    ///
    /// # Errors
    /// [`Error::Corrupt`]; [`Error::Interrupted`].
    fn verify(&self, monitor: &Monitor) -> Result<()>;
}

/// What the headers of our own segment files say alike.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub column: Column,
    pub rows: u64,
    pub separator: u32,
    pub symbols: u64,
    pub width: usize,
}

impl Header {
    /// The header of a segment that is to be written.
    pub fn new<S: Symbol>(segment: &dyn Segment, column: Column, separator: S) -> Self {
        Self {
            column,
            rows: segment.rows().len() as u64,
            separator: separator.number(),
            symbols: segment.symbols() as u64,
            width: S::WIDTH,
        }
    }

    /// Checks it against the manifest, and the numbers for what a segment can hold.
    pub fn check(&self, file: &SegmentFile, entry: &SegmentEntry, column: Column) -> Result<()> {
        let damaged = |what: &str| Err(Error::corrupt_file(file.path(), what));
        if (self.column, self.rows, self.symbols) != (column, entry.rows, entry.symbols) {
            return damaged("the header and the manifest disagree");
        }
        if self.symbols > MAX_SYMBOLS as u64 || self.rows > self.symbols {
            return damaged("the header names more rows or symbols than a segment holds");
        }
        if !matches!(self.width, 1 | 2 | 4) {
            return damaged("the header names a width other than 1, 2 and 4");
        }
        Ok(())
    }
}

/// A segment's own part of a file's header.
///
/// # Errors
/// [`Error::Corrupt`] if something is missing.
pub(super) fn read_meta<M: DeserializeOwned>(file: &SegmentFile) -> Result<M> {
    serde_json::from_value(file.meta().clone()).map_err(|error| {
        let what = format!("the header lacks what it needs: {error}");
        Error::corrupt_file(file.path(), what)
    })
}

/// The separator of a text of symbols of that width.
pub(super) fn separator<S: Symbol>(number: u32) -> Result<S> {
    S::from_number(number).ok_or_else(|| Error::corrupt("the separator is wider than a symbol"))
}

/// Names the file that damage was found in, if the segment is one.
pub(super) fn located<T>(file: Option<&SegmentFile>, result: Result<T>) -> Result<T> {
    result.map_err(|error| match file {
        Some(file) => error.at(file.path()),
        None => error,
    })
}

/// Appends symbols that are bytes.
pub(super) fn push_bytes<S: Symbol>(symbols: &[S], bytes: &mut Vec<u8>) -> Result<()> {
    for symbol in symbols {
        bytes.push(
            u8::try_from(symbol.number())
                .map_err(|_| Error::corrupt("a row of bytes holds a symbol above 255"))?,
        );
    }
    Ok(())
}

/// Opens the segment file that a manifest names.
///
/// # Errors
/// [`Error::Corrupt`] if it is not the one the manifest means; as [`read_segment_file`].
pub(super) fn open(path: &Path, entry: &SegmentEntry, column: Column) -> Result<Arc<dyn Segment>> {
    let file = read_segment_file(path).map_err(|error| match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Error::corrupt_file(path, "the manifest names this file, and it is missing")
        }
        other => other,
    })?;
    if file.written() != (entry.length, entry.crc32) {
        return Err(Error::corrupt_file(path, "not the segment that the manifest names"));
    }
    match file.kind() {
        "suffix" => suffix::open(file, entry, column),
        "fm" => fm::open(file, entry, column),
        other => Err(Error::format(
            path,
            format!("a segment of kind {other:?}, which this version of bowstring does not read"),
        )),
    }
}
