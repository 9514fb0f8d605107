//! Keyword in context: each occurrence with what stands before and after it in its row.

use std::borrow::Cow;
use std::ops::Range;
use std::slice;

use super::find::PatternRanks;
use super::locate::{Limit, Spans};
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::index::{Index, Segment, TOGETHER};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Position, Row, starts_character};

/// Occurrences handed to a thread at once.
const BLOCK: usize = 1024;

/// Rows of symbols on their way out: bytes, or tokens as 32-bit numbers whatever their width was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbols {
    /// The bytes of all rows, end to end; empty for tokens.
    pub bytes: Vec<u8>,
    /// The tokens of all rows, end to end; empty for bytes.
    pub tokens: Vec<u32>,
    /// Where each row ends.
    pub ends: Vec<usize>,
    /// The null rows, in order.
    pub nulls: Vec<usize>,
    column: Column,
}

impl Symbols {
    /// No rows yet, of that kind of column.
    pub fn new(column: Column) -> Self {
        Self { bytes: vec![], tokens: vec![], ends: vec![], nulls: vec![], column }
    }

    /// What the rows hold.
    pub fn column(&self) -> Column {
        self.column
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn symbols(&self) -> usize {
        if self.column == Column::Tokens { self.tokens.len() } else { self.bytes.len() }
    }

    /// A row.
    pub(super) fn get(&self, row: usize) -> Pattern<'_> {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        if self.column == Column::Tokens {
            Pattern::Tokens(&self.tokens[start..self.ends[row]])
        } else {
            Pattern::Bytes(&self.bytes[start..self.ends[row]])
        }
    }

    /// Adds spans of a segment's text as a row each.
    fn read(&mut self, segment: &dyn Segment, spans: &[Range<Position>]) -> Result<()> {
        let mut end = self.symbols();
        if self.column == Column::Tokens {
            segment.read_tokens(spans, &mut self.tokens)?;
        } else {
            segment.read_bytes(spans, &mut self.bytes)?;
        }
        self.ends.extend(spans.iter().map(|span| {
            end += (span.end - span.start) as usize;
            end
        }));
        Ok(())
    }

    /// Adds a text as a row, of the same kind.
    pub(super) fn push_pattern(&mut self, text: Pattern<'_>) {
        match text {
            Pattern::Bytes(bytes) => self.bytes.extend(bytes),
            Pattern::Tokens(tokens) => self.tokens.extend(tokens),
        }
        self.ends.push(self.symbols());
    }

    /// Adds the pieces of a text, end to end, as a row.
    pub(super) fn push_joined(&mut self, pieces: &[Pattern<'_>]) {
        for piece in pieces {
            match piece {
                Pattern::Bytes(bytes) => self.bytes.extend(*bytes),
                Pattern::Tokens(tokens) => self.tokens.extend(*tokens),
            }
        }
        self.ends.push(self.symbols());
    }

    pub(super) fn push_null(&mut self) -> Result<()> {
        self.nulls.push(self.len());
        self.ends.push(self.symbols());
        Ok(())
    }

    /// Adds the rows of another.
    pub(super) fn append(&mut self, other: &Self) {
        let (rows, symbols) = (self.len(), self.symbols());
        self.bytes.extend(&other.bytes);
        self.tokens.extend(&other.tokens);
        self.ends.extend(other.ends.iter().map(|end| symbols + end));
        self.nulls.extend(other.nulls.iter().map(|row| rows + row));
    }
}

/// Occurrences in their context; one item of each list an occurrence.
#[derive(Clone, Debug)]
pub struct Contexts {
    /// Where they stand.
    pub spans: Spans,
    /// What stands before each.
    pub left: Symbols,
    /// The occurrences.
    pub matched: Symbols,
    /// What stands after each.
    pub right: Symbols,
}

impl Index {
    /// Each occurrence of patterns that were looked for, with up to `width` characters of its row on
    /// either side; bytes of a binary column, tokens of a token column.
    ///
    /// O(k (log k + width)) a pattern with k occurrences.
    ///
    /// # Errors
    /// As [`Index::locate`].
    pub fn context(
        &self,
        found: &PatternRanks,
        width: usize,
        limit: Limit,
        monitor: &Monitor,
    ) -> Result<Contexts> {
        let spans = self.locate(found, limit, monitor)?;
        let width = width as u64;
        let places: Vec<usize> = (0..spans.row.len()).collect();
        let pieces = in_blocks(&places, BLOCK, monitor, |places| {
            let mut sides = [(); 3].map(|()| Symbols::new(self.column()));
            for places in places.chunks(TOGETHER) {
                let stand = places.iter().map(|&at| {
                    let span = spans.start[at]..spans.stop[at];
                    self.stand(Row(spans.row[at]), span, width)
                });
                let stand: Vec<Stand<'_>> = stand.collect::<Result<_>>()?;
                let near = self.read(stand.iter().map(|one| (one.segment, one.near.clone())))?;
                for (nth, stand) in stand.into_iter().enumerate() {
                    stand.cut(near.get(nth), width, self.column(), &mut sides)?;
                }
            }
            Ok(sides)
        })?;
        let [mut left, mut matched, mut right] = [(); 3].map(|()| Symbols::new(self.column()));
        for [before, within, after] in &pieces {
            left.append(before);
            matched.append(within);
            right.append(after);
        }
        Ok(Contexts { spans, left, matched, right })
    }

    /// Spans of segments' texts, a row each.
    pub(super) fn read<'a>(
        &self,
        spans: impl Iterator<Item = (&'a dyn Segment, Range<Position>)>,
    ) -> Result<Symbols> {
        let mut read = Symbols::new(self.column());
        let (segments, spans): (Vec<&dyn Segment>, Vec<Range<Position>>) = spans.unzip();
        let mut spans = &spans[..];
        for same in segments.chunk_by(|one, next| std::ptr::addr_eq(*one, *next)) {
            let (own, rest) = spans.split_at(same.len());
            read.read(same[0], own)?;
            spans = rest;
        }
        Ok(read)
    }

    /// Where an occurrence stands, and what is to be read of its row: as many symbols on either side
    /// as characters are wanted.
    fn stand(&self, row: Row, span: Range<u64>, width: u64) -> Result<Stand<'_>> {
        let (segment, local) =
            self.part_of(row).ok_or_else(|| Error::corrupt("a row is not in the index"))?;
        let whole = segment.rows().span(local)?;
        let (start, stop) = (whole.start + span.start, whole.start + span.end);
        if start > stop || stop > whole.end {
            return Err(Error::corrupt("an occurrence lies outside its row"));
        }
        let from = start.saturating_sub(width).max(whole.start);
        let to = stop.saturating_add(wanted(width, self.column())).min(whole.end);
        Ok(Stand { segment, whole, span: start..stop, near: from..to })
    }
}

/// An occurrence in its row.
#[derive(Debug)]
struct Stand<'a> {
    segment: &'a dyn Segment,
    /// Its row.
    whole: Range<Position>,
    span: Range<Position>,
    /// What is read.
    near: Range<Position>,
}

impl Stand<'_> {
    /// Cuts what was read in three: a compressed segment looks for where a span starts, and so reads
    /// one rather than three.
    fn cut(
        self,
        near: Pattern<'_>,
        width: u64,
        column: Column,
        sides: &mut [Symbols; 3],
    ) -> Result<()> {
        let Self { segment, whole, span, near: Range { start: mut from, end: mut to } } = self;
        let length = (span.end - span.start) as usize;
        let mut push = |all: Pattern<'_>, before: usize, kept: Range<usize>| {
            let cuts = [kept.start..before, before..before + length, before + length..kept.end];
            for (side, cut) in sides.iter_mut().zip(cuts) {
                side.push_pattern(all.slice(cut));
            }
        };
        let bytes = match near {
            Pattern::Bytes(bytes) if column == Column::String => bytes,
            all => {
                push(all, (span.start - from) as usize, 0..all.len());
                return Ok(());
            }
        };
        let wanted = wanted(width, column);
        let mut bytes = Cow::Borrowed(bytes);
        // As many bytes more as characters are missing: most characters are one byte.
        while from > whole.start
            && let missing @ 1.. = width - characters(&bytes[..(span.start - from) as usize])
        {
            let mut more = vec![];
            let closer = from.saturating_sub(missing).max(whole.start);
            segment.read_bytes(slice::from_ref(&(closer..from)), &mut more)?;
            more.extend_from_slice(&bytes);
            (from, bytes) = (closer, Cow::Owned(more));
        }
        while to < whole.end
            && let missing @ 1.. = wanted - characters(&bytes[(span.end - from) as usize..])
        {
            let further = to.saturating_add(missing).min(whole.end);
            segment.read_bytes(slice::from_ref(&(to..further)), bytes.to_mut())?;
            to = further;
        }
        let before = (span.start - from) as usize;
        let first = before - last_characters(&bytes[..before], width);
        let last = before + length + first_characters(&bytes[before + length..], width);
        push(Pattern::Bytes(&bytes), before, first..last);
        Ok(())
    }
}

/// Symbols to read behind an occurrence: of characters one more, which says that the last one wanted
/// is whole.
fn wanted(width: u64, column: Column) -> u64 {
    width.saturating_add(u64::from(column == Column::String))
}

fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| starts_character(byte)).count() as u64
}

/// Bytes of the last `count` characters.
fn last_characters(bytes: &[u8], count: u64) -> usize {
    let mut starts = bytes.iter().rev().enumerate().filter(|(_, byte)| starts_character(**byte));
    match count.checked_sub(1) {
        None => 0,
        Some(before) => starts.nth(before as usize).map_or(bytes.len(), |(back, _)| back + 1),
    }
}

/// Bytes of the first `count` characters.
fn first_characters(bytes: &[u8], count: u64) -> usize {
    let mut starts = bytes.iter().enumerate().filter(|(_, byte)| starts_character(**byte));
    starts.nth(count as usize).map_or(bytes.len(), |(place, _)| place)
}
