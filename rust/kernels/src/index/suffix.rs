//! The `suffix` kind of segment: the text, its suffix array and keys, side by side.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::rows::RowTable;
use super::segment::{Header, Segment, SortedText, located, push_bytes, read_meta, separator};
use crate::container::{Block, BlockToWrite, SegmentEntry, SegmentFile, write_segment_file};
use crate::corpus::{Column, Corpus, Text};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::kind::Kind;
use crate::suffix::{Sorted as _, SuffixArray, following, keys, runs, sort};
use crate::symbol::{Pattern, Position, Rank, Ranks, Symbol, extend_left, scan};

/// Fewer patterns are faster one by one than in step.
const STEP: usize = 4;

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
    let rows = RowTable::of_corpus(corpus.row_ends, corpus.validity);
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
    let header: Header = read_meta(&file)?;
    header.check(&file, entry, column)?;
    match header.width {
        1 => SuffixSegment::<u8>::open(file, &header),
        2 => SuffixSegment::<u16>::open(file, &header),
        _ => SuffixSegment::<u32>::open(file, &header),
    }
}

impl<S: Symbol> SuffixSegment<S> {
    fn build(text: Vec<S>, rows: RowTable, separator: u32) -> Result<Self> {
        let mut text = Block::from(text);
        let suffixes = sort(text.items_mut())?;
        let shape = keys::Shape::new(text.len());
        let (keys, skips) = keys::build(&text, &suffixes, &shape);
        let (keys, skips) = (keys.into(), skips.into());
        let separator = self::separator(separator)?;
        Ok(Self { text, suffixes, keys, skips, shape, rows, separator, file: None })
    }

    fn open(file: SegmentFile, header: &Header) -> Result<Arc<dyn Segment>> {
        let (symbols, rows) = (header.symbols as usize, header.rows as usize);
        let shape = keys::Shape::new(symbols);
        let (keys, skips) = shape.lengths();
        Ok(Arc::new(Self {
            text: file.block("text", S::DTYPE, symbols)?,
            suffixes: file.block("suffix_array", "u32", symbols)?,
            keys: file.block("keys", "u64", keys)?,
            skips: file.block("skips", "u16", skips)?,
            shape,
            rows: RowTable::open(&file, rows)?,
            separator: located(Some(&file), separator(header.separator))?,
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
        located(self.file.as_ref(), result)
    }
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
                let keys = self.keys.len() * 8 + self.skips.len() * 2;
                (self.text.len() * (S::WIDTH + 4) + keys + self.rows.bytes()) as u64
            },
            |file| file.written().0,
        )
    }

    fn write(&self, column: Column, path: &Path, monitor: &Monitor) -> Result<(u64, u32)> {
        let meta = serde_json::json!(Header::new(self, column, self.separator));
        let mut blocks = vec![BlockToWrite::new("text", S::DTYPE, &self.text)];
        blocks.extend(self.rows.blocks());
        blocks.push(BlockToWrite::new("keys", "u64", &self.keys));
        blocks.push(BlockToWrite::new("skips", "u16", &self.skips));
        blocks.push(BlockToWrite::new("suffix_array", "u32", &self.suffixes));
        write_segment_file(path, Kind::Suffix.name(), &meta, &blocks, monitor)
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

    fn positions(&self, ranks: &[Ranks], positions: &mut Vec<Position>) -> Result<()> {
        for ranks in ranks {
            let found = self.suffixes.get(ranks.start as usize..ranks.end as usize);
            let found = found.unwrap_or_default();
            positions.extend(found.iter().map(|&position| Position::from(position)));
            if found.iter().any(|&position| position as usize >= self.text.len()) {
                let outside = Error::corrupt("the suffix array points outside the text");
                return self.located(Err(outside));
            }
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
        self.positions(&[ranks], &mut positions)?;
        extend_left(&self.text, &positions, before, self.separator, extended);
        Ok(())
    }

    fn sorted_text(&self) -> Option<SortedText<'_>> {
        Some(match S::WIDTH {
            1 => SortedText::U8(bytemuck::cast_slice(&self.text), &self.suffixes),
            2 => SortedText::U16(bytemuck::cast_slice(&self.text), &self.suffixes),
            _ => SortedText::U32(bytemuck::cast_slice(&self.text), &self.suffixes),
        })
    }

    fn symbol_at(&self, position: Position) -> Result<Option<u32>> {
        let symbol = self.text.get(position as usize);
        let symbol = symbol.ok_or_else(|| Error::corrupt("a suffix ends behind the text"));
        let symbol = *self.located(symbol)?;
        Ok((symbol != self.separator).then(|| symbol.number()))
    }

    fn read_bytes(&self, spans: &[Range<Position>], bytes: &mut Vec<u8>) -> Result<()> {
        let mut read = spans.iter().map(|span| self.located(self.slice(span.clone())));
        read.try_for_each(|symbols| push_bytes(symbols?, bytes))
    }

    fn read_tokens(&self, spans: &[Range<Position>], tokens: &mut Vec<u32>) -> Result<()> {
        for span in spans {
            let symbols = self.located(self.slice(span.clone()))?;
            tokens.extend(symbols.iter().map(|symbol| symbol.number()));
        }
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
