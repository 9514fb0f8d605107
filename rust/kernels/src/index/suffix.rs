//! The `suffix` kind of segment: the text, its suffix array and keys, side by side.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rows::RowTable;
use super::segment::Segment;
use crate::container::{Block, BlockToWrite, SegmentEntry, SegmentFile, write_segment_file};
use crate::corpus::{Column, Corpus, MAX_SYMBOLS, Text};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::kind::Kind;
use crate::suffix::{Sorted as _, SuffixArray, following, keys, runs, sort};
use crate::symbol::{Pattern, Position, Rank, Ranks, Symbol, extend_left, scan};

/// Fewer patterns are faster one by one than in step.
const STEP: usize = 4;

#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    column: Column,
    rows: u64,
    separator: u32,
    symbols: u64,
    width: usize,
}

/// A segment of symbols of one width.
#[derive(Debug)]
pub struct SuffixSegment<S: Symbol> {
    text: Block<S>,
    suffixes: Block<u32>,
    keys: Block<u64>,
    skips: Block<u16>,
    shape: keys::Shape,
    rows: RowTable,
    separator: S,
    file: Option<SegmentFile>,
}

/// Sorts a corpus into a segment in memory.
pub(super) fn build(corpus: Corpus) -> Result<Arc<dyn Segment>> {
    let rows = RowTable::new(corpus.row_ends.into(), corpus.validity.map(Block::from));
    let separator = corpus.separator;
    Ok(match corpus.text {
        Text::U8(text) => Arc::new(SuffixSegment::build(text, rows, separator)?),
        Text::U16(text) => Arc::new(SuffixSegment::build(text, rows, separator)?),
        Text::U32(text) => Arc::new(SuffixSegment::build(text, rows, separator)?),
    })
}

/// Opens a mapped segment file that the manifest's `entry` names.
pub(super) fn open(
    file: SegmentFile,
    entry: &SegmentEntry,
    column: Column,
) -> Result<Arc<dyn Segment>> {
    let damaged = |what: &str| Error::corrupt_file(file.path(), what);
    let meta: Meta = serde_json::from_value(file.meta().clone())
        .map_err(|error| damaged(&format!("the header lacks what it needs: {error}")))?;
    if (meta.column, meta.rows, meta.symbols) != (column, entry.rows, entry.symbols) {
        return Err(damaged("the header and the manifest disagree"));
    }
    if meta.symbols > MAX_SYMBOLS as u64 || meta.rows > meta.symbols {
        return Err(damaged("the header names more rows or symbols than a segment holds"));
    }
    match meta.width {
        1 => SuffixSegment::<u8>::open(file, &meta),
        2 => SuffixSegment::<u16>::open(file, &meta),
        4 => SuffixSegment::<u32>::open(file, &meta),
        _ => Err(damaged("the header names a width other than 1, 2 and 4")),
    }
}

impl<S: Symbol> SuffixSegment<S> {
    fn build(text: Vec<S>, rows: RowTable, separator: u32) -> Result<Self> {
        let mut text = Block::from(text);
        let suffixes = sort(text.items_mut())?;
        let shape = keys::Shape::new(text.len());
        let (keys, skips) = keys::build(&text, &suffixes, &shape);
        let (keys, skips) = (keys.into(), skips.into());
        let separator = symbol(separator)?;
        Ok(Self { text, suffixes, keys, skips, shape, rows, separator, file: None })
    }

    fn open(file: SegmentFile, meta: &Meta) -> Result<Arc<dyn Segment>> {
        let (symbols, rows) = (meta.symbols as usize, meta.rows as usize);
        let shape = keys::Shape::new(symbols);
        let (keys, skips) = shape.lengths();
        Ok(Arc::new(Self {
            text: file.block("text", S::DTYPE, symbols)?,
            suffixes: file.block("suffix_array", "u32", symbols)?,
            keys: file.block("keys", "u64", keys)?,
            skips: file.block("skips", "u16", skips)?,
            shape,
            rows: RowTable::open(&file, rows)?,
            separator: symbol(meta.separator).map_err(|error| error.at(file.path()))?,
            file: Some(file),
        }))
    }

    fn array(&self) -> Result<SuffixArray<'_, S>> {
        SuffixArray::new(&self.text, &self.suffixes, &self.keys, &self.skips, &self.shape)
    }

    fn slice(&self, span: Range<Position>) -> Result<&[S]> {
        self.text
            .get(span.start as usize..span.end as usize)
            .ok_or_else(|| Error::corrupt("a row lies outside the text"))
    }

    /// Names the file that damage was found in.
    fn located<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match &self.file {
            Some(file) => error.at(file.path()),
            None => error,
        })
    }
}

fn symbol<S: Symbol>(number: u32) -> Result<S> {
    S::from_number(number).ok_or_else(|| Error::corrupt("the separator is wider than a symbol"))
}

impl<S: Symbol> Segment for SuffixSegment<S> {
    fn kind(&self) -> Kind {
        Kind::Suffix
    }

    fn rows(&self) -> &RowTable {
        &self.rows
    }

    fn symbols(&self) -> usize {
        self.text.len()
    }

    fn width(&self) -> usize {
        S::WIDTH
    }

    fn bytes(&self) -> u64 {
        self.file.as_ref().map_or_else(
            || {
                let rows = self.rows.len() * 4 + self.rows.validity().map_or(0, <[u8]>::len);
                let keys = self.keys.len() * 8 + self.skips.len() * 2;
                (self.text.len() * (S::WIDTH + 4) + keys + rows) as u64
            },
            |file| file.written().0,
        )
    }

    fn write(&self, column: Column, path: &Path, monitor: &Monitor) -> Result<(u64, u32)> {
        let meta = Meta {
            column,
            rows: self.rows.len() as u64,
            separator: self.separator.number(),
            symbols: self.text.len() as u64,
            width: S::WIDTH,
        };
        let mut blocks = vec![BlockToWrite::new("text", S::DTYPE, &self.text)];
        blocks.extend(self.rows.blocks());
        blocks.push(BlockToWrite::new("keys", "u64", &self.keys));
        blocks.push(BlockToWrite::new("skips", "u16", &self.skips));
        blocks.push(BlockToWrite::new("suffix_array", "u32", &self.suffixes));
        write_segment_file(path, Kind::Suffix.name(), &serde_json::json!(meta), &blocks, monitor)
    }

    fn find(&self, pattern: Pattern<'_>) -> Result<Ranks> {
        match S::narrow(pattern, self.separator) {
            Some(pattern) => self.located(self.array()?.find(&pattern)),
            None => Ok(Ranks::NONE),
        }
    }

    fn find_many(&self, patterns: &[Pattern<'_>], ranks: &mut [Ranks]) -> Result<()> {
        if patterns.len() < STEP {
            for (pattern, ranks) in patterns.iter().zip(ranks) {
                *ranks = self.find(*pattern)?;
            }
            return Ok(());
        }
        ranks.fill(Ranks::NONE);
        let searches = patterns
            .iter()
            .zip(ranks)
            .filter_map(|(&pattern, ranks)| Some((S::narrow(pattern, self.separator)?, ranks)));
        self.located(self.array()?.find_many(searches))
    }

    fn following(&self, ranks: Ranks, depth: usize, symbol: u32) -> Result<Ranks> {
        match S::from_number(symbol).filter(|&own| own != self.separator) {
            Some(symbol) => self.located(following(&self.array()?, ranks, depth, symbol)),
            None => Ok(Ranks::NONE),
        }
    }

    fn ending(&self, ranks: Ranks, depth: usize) -> Result<u64> {
        let ends = following(&self.array()?, ranks, depth, self.separator);
        Ok(self.located(ends)?.len())
    }

    fn continuation(&self, rank: Rank, depth: usize) -> Result<Option<u32>> {
        let position = self.located(self.array()?.position(rank))?;
        self.symbol_at(position + depth as Position)
    }

    fn continuations(
        &self,
        ranks: Ranks,
        depth: usize,
        continuations: &mut Vec<(Option<u32>, u64)>,
    ) -> Result<()> {
        let mut end = None;
        self.located(runs(&self.array()?, ranks, depth, |symbol: S, count| {
            if symbol == self.separator {
                end = Some((None, count));
            } else {
                continuations.push((Some(symbol.number()), count));
            }
        }))?;
        continuations.extend(end);
        Ok(())
    }

    fn positions(&self, ranks: Ranks, positions: &mut Vec<Position>) -> Result<()> {
        let found = self.suffixes.get(ranks.start as usize..ranks.end as usize).unwrap_or_default();
        positions.extend(found.iter().map(|&position| Position::from(position)));
        if found.iter().any(|&position| position as usize >= self.text.len()) {
            return self.located(Err(Error::corrupt("the suffix array points outside the text")));
        }
        Ok(())
    }

    fn extend_left(
        &self,
        ranks: Ranks,
        before: Pattern<'_>,
        extended: &mut Vec<(Position, usize)>,
    ) -> Result<()> {
        let mut positions = vec![];
        self.positions(ranks, &mut positions)?;
        extend_left(&self.text, &positions, before, self.separator, extended);
        Ok(())
    }

    fn symbol_at(&self, position: Position) -> Result<Option<u32>> {
        let symbol = self.text.get(position as usize);
        let symbol = symbol.ok_or_else(|| Error::corrupt("a suffix ends behind the text"));
        let symbol = *self.located(symbol)?;
        Ok((symbol != self.separator).then(|| symbol.number()))
    }

    fn read_bytes(&self, span: Range<Position>, bytes: &mut Vec<u8>) -> Result<()> {
        for symbol in self.located(self.slice(span))? {
            bytes.push(
                u8::try_from(symbol.number())
                    .map_err(|_| Error::corrupt("a row of bytes holds a symbol above 255"))?,
            );
        }
        Ok(())
    }

    fn read_tokens(&self, span: Range<Position>, tokens: &mut Vec<u32>) -> Result<()> {
        tokens.extend(self.located(self.slice(span))?.iter().map(|symbol| symbol.number()));
        Ok(())
    }

    fn scan(
        &self,
        span: Range<Position>,
        pattern: Pattern<'_>,
        positions: &mut Vec<Position>,
    ) -> Result<()> {
        let haystack = self.located(self.slice(span.clone()))?;
        scan(haystack, span.start, pattern, self.separator, positions);
        Ok(())
    }

    fn verify(&self, monitor: &Monitor) -> Result<()> {
        if let Some(file) = &self.file {
            file.verify(monitor)?;
        }
        self.located(self.rows.verify(self.text.len()))?;
        let separated = self
            .rows
            .ends()
            .unwrap_or_default()
            .iter()
            .all(|&end| self.text.get(end as usize) == Some(&self.separator));
        if separated {
            Ok(())
        } else {
            self.located(Err(Error::corrupt("a row does not end in a separator")))
        }
    }
}
