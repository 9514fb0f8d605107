//! An index: an ordered list of segments, in memory or in a directory. Every question is defined
//! here, over all segments; counts add and spans follow one another.

mod build;
mod fm;
mod infini_gram;
mod rows;
mod segment;
mod suffix;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::container::{Directory, Manifest, MetadataEntry, SegmentEntry};
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};
use crate::kind::Kind;
use crate::symbol::{Pattern, Patterns, Ranks, Row};

pub use build::{Builder, Options};
pub use fm::FmSegment;
pub use rows::RowTable;
pub(crate) use rows::TOGETHER;
pub use segment::{Segment, SortedText};
pub use suffix::SuffixSegment;

/// How often an open starts over because a writer replaced the segments it was about to map.
const OPEN_TRIES: usize = 16;

#[derive(Clone, Debug)]
struct Part {
    segment: Arc<dyn Segment>,
    entry: Option<SegmentEntry>,
    first_row: u64,
    first_symbol: u64,
}

/// What rides along with so many rows: a file on disk; in memory whoever made the index has it.
#[derive(Clone, Debug)]
struct Metadata {
    rows: u64,
    entry: Option<MetadataEntry>,
}

/// One snapshot of an index: it stays as it is while others append or compact.
#[derive(Clone, Debug)]
pub struct Index {
    column: Column,
    kind: Kind,
    parts: Vec<Part>,
    metadata: Vec<Metadata>,
    directory: Option<Directory>,
}

impl Index {
    fn new(
        column: Column,
        kind: Kind,
        segments: impl IntoIterator<Item = (Arc<dyn Segment>, Option<SegmentEntry>)>,
        metadata: Vec<Metadata>,
        directory: Option<Directory>,
    ) -> Self {
        let (mut first_row, mut first_symbol) = (0, 0);
        let mut parts = vec![];
        for (segment, entry) in segments {
            let (rows, symbols) = (segment.rows().len() as u64, segment.symbols() as u64);
            parts.push(Part { segment, entry, first_row, first_symbol });
            first_row += rows;
            first_symbol += symbols;
        }
        Self { column, kind, parts, metadata, directory }
    }

    /// Opens the index in a directory: maps its segments and reads their headers.
    ///
    /// # Errors
    /// [`Error::Io`] with `NotFound` where there is no index; [`Error::Corrupt`] and
    /// [`Error::Format`] where a header, length or bound is not what it should be.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_directory(Directory::new(path)?)
    }

    fn open_directory(directory: Directory) -> Result<Self> {
        let mut manifest = directory.manifest()?;
        for _ in 0..OPEN_TRIES {
            match open_segments(&directory, &manifest) {
                Ok(segments) => {
                    let segments =
                        segments.into_iter().zip(manifest.segments.iter().cloned().map(Some));
                    let metadata = manifest
                        .metadata
                        .iter()
                        .map(|entry| Metadata { rows: entry.rows, entry: Some(entry.clone()) });
                    return Ok(Self::new(
                        manifest.column,
                        manifest.kind,
                        segments,
                        metadata.collect(),
                        Some(directory),
                    ));
                }
                Err(error) => {
                    let now = directory.manifest()?;
                    if now == manifest {
                        return Err(error);
                    }
                    manifest = now;
                }
            }
        }
        Err(Error::InvalidInput(format!(
            "the index at {} changes too fast to be opened; try again",
            directory.path().display()
        )))
    }

    /// What the column holds.
    pub fn column(&self) -> Column {
        self.column
    }

    /// The index's directory; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        self.directory.as_ref().map(Directory::path)
    }

    /// Rows, null rows included.
    pub fn rows(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.first_row + part.segment.rows().len() as u64)
    }

    /// The kind of its segments.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The segments in the order of their rows, each with its file's name if it has one.
    pub fn segments(&self) -> impl Iterator<Item = (&dyn Segment, Option<&str>)> {
        self.parts
            .iter()
            .map(|part| (&*part.segment, part.entry.as_ref().map(|entry| entry.file.as_str())))
    }

    /// The files that ride along with its rows, in their order, each with the number of its rows;
    /// none in memory.
    pub fn metadata(&self) -> impl Iterator<Item = (PathBuf, u64)> {
        let directory = self.directory.as_ref();
        let entries = self.metadata.iter().filter_map(|metadata| metadata.entry.as_ref());
        entries.filter_map(move |entry| Some((directory?.file(&entry.file), entry.rows)))
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = PartRef<'_>> {
        self.parts.iter().map(|part| PartRef {
            segment: &*part.segment,
            first_row: part.first_row,
            first_symbol: part.first_symbol,
        })
    }

    /// The segment that holds a row, and the row's number in it.
    pub(crate) fn part_of(&self, row: Row) -> Option<(&dyn Segment, usize)> {
        let after = self.parts.partition_point(|part| part.first_row <= row.0);
        let part = &self.parts[after.checked_sub(1)?];
        let row = usize::try_from(row.0 - part.first_row).ok()?;
        (row < part.segment.rows().len()).then_some((&*part.segment, row))
    }

    /// Reads everything and checks it: files against their checksums, tables against each other.
    ///
    /// # Errors
    /// [`Error::Corrupt`]; [`Error::Interrupted`].
    pub fn verify(&self, monitor: &Monitor) -> Result<()> {
        use rayon::prelude::*;
        let bytes = self.parts.iter().map(|part| part.segment.bytes()).sum();
        monitor.enter(Phase::Verifying, 0, Some(bytes));
        if let Some(directory) = &self.directory {
            directory.manifest()?;
            for entry in self.metadata.iter().filter_map(|metadata| metadata.entry.as_ref()) {
                directory.verify_metadata(entry, monitor)?;
            }
        }
        self.parts.par_iter().try_for_each(|part| part.segment.verify(monitor))
    }

    /// Checks that a pattern can be asked of this index; `at` is its place in a column of them.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for text asked of tokens or the reverse;
    /// [`Error::InvalidInput`] if it is empty, or cuts characters of a string column.
    pub(crate) fn check_pattern(&self, pattern: Pattern<'_>, at: Option<usize>) -> Result<()> {
        self.check_kind("query", pattern, at)?;
        self.check_characters("query", pattern, at)?;
        self.check_not_empty("query", pattern, at)
    }

    /// Checks that a pattern is UTF-8 if the index is over a string column.
    fn check_characters(&self, name: &str, pattern: Pattern<'_>, at: Option<usize>) -> Result<()> {
        match (self.column, pattern) {
            (Column::String, Pattern::Bytes(bytes)) => match std::str::from_utf8(bytes) {
                Ok(_) => Ok(()),
                Err(error) => Err(Error::InvalidInput(format!(
                    "{} is not UTF-8 ({error}), and this index is over a string column; index the \
                     column as binary to look for any bytes",
                    numbered(name, at)
                ))),
            },
            _ => Ok(()),
        }
    }

    /// Checks that patterns are UTF-8 if the index is over a string column.
    pub(crate) fn check_utf8(&self, name: &str, patterns: &Patterns) -> Result<()> {
        if !self.may_cut_characters(patterns) {
            return Ok(());
        }
        let many = patterns.len() > 1;
        patterns
            .valid()
            .try_for_each(|(at, pattern)| self.check_characters(name, pattern, many.then_some(at)))
    }

    /// Whether a pattern may be other than UTF-8 where it has to be that: found by one look at all.
    fn may_cut_characters(&self, patterns: &Patterns) -> bool {
        self.column == Column::String && !patterns.is_utf8()
    }

    /// Checks that a pattern is text if the index is over text, and tokens if it is over tokens.
    pub(crate) fn check_kind(
        &self,
        name: &str,
        pattern: Pattern<'_>,
        at: Option<usize>,
    ) -> Result<()> {
        match (self.column, pattern) {
            (Column::Tokens, Pattern::Bytes(_)) => Err(Error::UnsupportedType(format!(
                "{} is text, and this index is over tokens; give a list of integers",
                numbered(name, at)
            ))),
            (Column::String | Column::Binary, Pattern::Tokens(_)) => {
                Err(Error::UnsupportedType(format!(
                    "{} is a list of tokens, and this index is over a {} column; give str or bytes",
                    numbered(name, at),
                    self.column.name()
                )))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check_not_empty(
        &self,
        name: &str,
        pattern: Pattern<'_>,
        at: Option<usize>,
    ) -> Result<()> {
        if pattern.is_empty() {
            return Err(Error::InvalidInput(format!(
                "{} is empty, which would match everywhere; leave it out, or make it null",
                numbered(name, at)
            )));
        }
        Ok(())
    }

    /// Checks that patterns are text if the index is over text, and tokens if it is over tokens.
    pub(crate) fn check_kinds(&self, name: &str, patterns: &Patterns) -> Result<()> {
        let many = patterns.len() > 1;
        // All are of one kind, and the first of them is as good as any.
        patterns
            .valid()
            .next()
            .map_or(Ok(()), |(at, pattern)| self.check_kind(name, pattern, many.then_some(at)))
    }

    pub(crate) fn check_patterns(&self, patterns: &Patterns) -> Result<()> {
        self.check_kinds("query", patterns)?;
        if !patterns.has_empty() && !self.may_cut_characters(patterns) {
            return Ok(());
        }
        // One by one, to say which it is.
        let many = patterns.len() > 1;
        patterns
            .valid()
            .try_for_each(|(at, pattern)| self.check_pattern(pattern, many.then_some(at)))
    }
}

/// One segment and where it stands in its index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartRef<'a> {
    pub segment: &'a dyn Segment,
    pub first_row: u64,
    pub first_symbol: u64,
}

/// The ranks of all of a segment's suffixes.
pub(crate) fn everything(segment: &dyn Segment) -> Ranks {
    Ranks { start: 0, end: segment.symbols() as u64 }
}

fn numbered(name: &str, at: Option<usize>) -> String {
    at.map_or_else(|| name.to_owned(), |at| format!("{name} {at}"))
}

fn open_segments(directory: &Directory, manifest: &Manifest) -> Result<Vec<Arc<dyn Segment>>> {
    manifest.metadata.iter().try_for_each(|entry| directory.check_metadata(entry))?;
    manifest
        .segments
        .iter()
        .map(|entry| segment::open(&directory.file(&entry.file), entry, manifest.column))
        .collect()
}

#[cfg(test)]
mod tests;
