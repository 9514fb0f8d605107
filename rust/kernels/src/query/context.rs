//! Keyword in context: each occurrence with what stands before and after it in its row.

use std::ops::Range;

use super::locate::{Limit, Spans};
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::index::{Index, Segment};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, Position, Row, starts_character};

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

    /// Adds a span of a segment's text as a row.
    pub(super) fn push(&mut self, segment: &dyn Segment, span: Range<Position>) -> Result<()> {
        if self.column == Column::Tokens {
            segment.read_tokens(span, &mut self.tokens)?;
        } else {
            segment.read_bytes(span, &mut self.bytes)?;
        }
        self.ends.push(self.symbols());
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
    /// Each occurrence with up to `width` characters of its row on either side; bytes of a binary
    /// column, tokens of a token column.
    ///
    /// O(m + log n + k (log k + width)) a query with k occurrences.
    ///
    /// # Errors
    /// As [`Index::locate`].
    pub fn context(
        &self,
        patterns: &Patterns,
        width: usize,
        limit: Limit,
        monitor: &Monitor,
    ) -> Result<Contexts> {
        let spans = self.locate(patterns, limit, monitor)?;
        let width = width as u64;
        let places: Vec<usize> = (0..spans.row.len()).collect();
        let pieces = in_blocks(&places, BLOCK, monitor, |places| {
            let mut sides = [(); 3].map(|()| Symbols::new(self.column()));
            for &at in places {
                let (row, start, stop) = (spans.row[at], spans.start[at], spans.stop[at]);
                self.side(Row(row), start..stop, width, &mut sides)?;
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

    fn side(
        &self,
        row: Row,
        span: Range<u64>,
        width: u64,
        [left, matched, right]: &mut [Symbols; 3],
    ) -> Result<()> {
        let (segment, local) =
            self.part_of(row).ok_or_else(|| Error::corrupt("a row is not in the index"))?;
        let whole = segment.rows().span(local)?;
        let (start, stop) = (whole.start + span.start, whole.start + span.end);
        if start > stop || stop > whole.end {
            return Err(Error::corrupt("an occurrence lies outside its row"));
        }
        let mut from = start.saturating_sub(width).max(whole.start);
        // Of characters one more, which says that the last one wanted is whole.
        let wanted = width.saturating_add(u64::from(self.column() == Column::String));
        let mut to = stop.saturating_add(wanted).min(whole.end);
        // A compressed segment looks for where a span starts: one is read, and then cut in three.
        if self.column() == Column::Tokens {
            let mut tokens = vec![];
            segment.read_tokens(from..to, &mut tokens)?;
            let (before, rest) = tokens.split_at((start - from) as usize);
            let (within, after) = rest.split_at((stop - start) as usize);
            for (side, tokens) in [(left, before), (matched, within), (right, after)] {
                side.push_pattern(Pattern::Tokens(tokens));
            }
            return Ok(());
        }
        let mut bytes = vec![];
        segment.read_bytes(from..to, &mut bytes)?;
        if self.column() == Column::String {
            // As many bytes more as characters are missing: most characters are one byte.
            while from > whole.start
                && let missing @ 1.. = width - characters(&bytes[..(start - from) as usize])
            {
                let mut more = vec![];
                let closer = from.saturating_sub(missing).max(whole.start);
                segment.read_bytes(closer..from, &mut more)?;
                more.append(&mut bytes);
                (from, bytes) = (closer, more);
            }
            while to < whole.end
                && let missing @ 1.. = wanted - characters(&bytes[(stop - from) as usize..])
            {
                let further = to.saturating_add(missing).min(whole.end);
                segment.read_bytes(to..further, &mut bytes)?;
                to = further;
            }
        }
        let (mut before, rest) = bytes.split_at((start - from) as usize);
        let (within, mut after) = rest.split_at((stop - start) as usize);
        if self.column() == Column::String {
            before = &before[before.len() - last_characters(before, width)..];
            after = &after[..first_characters(after, width)];
        }
        for (side, bytes) in [(left, before), (matched, within), (right, after)] {
            side.push_pattern(Pattern::Bytes(bytes));
        }
        Ok(())
    }
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
