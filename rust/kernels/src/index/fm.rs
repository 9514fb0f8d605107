//! The `fm` kind of segment: an FM-index, from which the text is read too.

use std::ops::Range;
use std::path::Path;
use std::slice;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rows::RowTable;
use super::segment::{Header, Segment, located, push_bytes, read_meta, separator};
use crate::bits::{BitVector, Hybrid, Plain};
use crate::container::{BlockToWrite, SegmentEntry, SegmentFile, write_segment_file};
use crate::corpus::{Column, Corpus, Text};
use crate::error::Result;
use crate::fm::{FmIndex, GROUP, Rates};
use crate::interrupt::Monitor;
use crate::kind::{Kind, Profile};
use crate::suffix::{Sorted as _, following, runs, sort};
use crate::symbol::{Pattern, Position, Rank, Ranks, Symbol, scan};

#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    #[serde(flatten)]
    header: Header,
    primary: u64,
    profile: Profile,
    rates: Rates,
}

/// How large blocks are and how often ranks are kept.
fn rates(profile: Profile) -> Rates {
    match profile {
        Profile::Fast => Rates { block: 16, sample: 32, inverse: 96 },
        Profile::Compact => Rates { block: 17, sample: 64, inverse: 160 },
    }
}

/// A segment of symbols of one width, its transform in one form of bits.
#[derive(Debug)]
pub struct FmSegment<S: Symbol, B> {
    index: FmIndex<S, B>,
    rows: RowTable,
    separator: S,
    profile: Profile,
    file: Option<SegmentFile>,
}

/// Makes a corpus into a segment in memory.
pub(super) fn build(corpus: Corpus, profile: Profile) -> Result<Arc<dyn Segment>> {
    match profile {
        Profile::Fast => build_in::<Plain>(corpus, profile),
        Profile::Compact => build_in::<Hybrid>(corpus, profile),
    }
}

fn build_in<B: BitVector + 'static>(corpus: Corpus, profile: Profile) -> Result<Arc<dyn Segment>> {
    let rows = RowTable::of_corpus(corpus.row_ends, corpus.validity);
    let separator = corpus.separator;
    Ok(match corpus.text {
        Text::U8(text) => Arc::new(FmSegment::<u8, B>::build(text, rows, separator, profile)?),
        Text::U16(text) => Arc::new(FmSegment::<u16, B>::build(text, rows, separator, profile)?),
        Text::U32(text) => Arc::new(FmSegment::<u32, B>::build(text, rows, separator, profile)?),
    })
}

/// Opens a mapped segment file that the manifest's `entry` names.
pub(super) fn open(
    file: SegmentFile,
    entry: &SegmentEntry,
    column: Column,
) -> Result<Arc<dyn Segment>> {
    let meta: Meta = read_meta(&file)?;
    meta.header.check(&file, entry, column)?;
    match (meta.header.width, meta.profile) {
        (1, Profile::Fast) => FmSegment::<u8, Plain>::open(file, &meta),
        (2, Profile::Fast) => FmSegment::<u16, Plain>::open(file, &meta),
        (_, Profile::Fast) => FmSegment::<u32, Plain>::open(file, &meta),
        (1, Profile::Compact) => FmSegment::<u8, Hybrid>::open(file, &meta),
        (2, Profile::Compact) => FmSegment::<u16, Hybrid>::open(file, &meta),
        (_, Profile::Compact) => FmSegment::<u32, Hybrid>::open(file, &meta),
    }
}

impl<S: Symbol, B: BitVector + 'static> FmSegment<S, B> {
    fn build(mut text: Vec<S>, rows: RowTable, separator: u32, profile: Profile) -> Result<Self> {
        let suffixes = sort(&mut text)?;
        let index = FmIndex::new(&text, &suffixes, rates(profile));
        Ok(Self { index, rows, separator: self::separator(separator)?, profile, file: None })
    }

    fn open(file: SegmentFile, meta: &Meta) -> Result<Arc<dyn Segment>> {
        let (symbols, rows) = (meta.header.symbols as usize, meta.header.rows as usize);
        let primary = usize::try_from(meta.primary).unwrap_or(usize::MAX);
        Ok(Arc::new(Self {
            index: FmIndex::<S, B>::open(&file, symbols, primary, meta.rates)?,
            rows: RowTable::open(&file, rows)?,
            separator: located(Some(&file), separator(meta.header.separator))?,
            profile: meta.profile,
            file: Some(file),
        }))
    }

    /// Names the file that damage was found in.
    fn located<T>(&self, result: Result<T>) -> Result<T> {
        located(self.file.as_ref(), result)
    }

    /// Spans of the text, end to end.
    fn read(&self, spans: &[Range<Position>]) -> Result<Vec<S>> {
        let mut symbols = vec![];
        self.located(self.index.read(spans, &mut symbols))?;
        Ok(symbols)
    }

    /// Of suffixes that share their first `depth` symbols, those that go on with `symbol`: by a
    /// search for all of it, or among them, whichever takes fewer steps.
    fn next(&self, ranks: Ranks, depth: usize, symbol: S) -> Result<Ranks> {
        if ranks.is_empty() {
            return Ok(Ranks::NONE);
        }
        let halvings = 2 * (u64::BITS - ranks.len().leading_zeros()) as usize;
        if halvings * self.index.steps() < depth {
            return following(&self.index, ranks, depth, symbol);
        }
        let mut prefix = self.prefix(ranks, depth)?;
        prefix.push(symbol);
        self.index.find(&prefix)
    }

    /// What suffixes share that share their first `depth` symbols.
    fn prefix(&self, ranks: Ranks, depth: usize) -> Result<Vec<S>> {
        if depth == 0 {
            return Ok(vec![]);
        }
        let start = self.index.position(ranks.start)?;
        self.read(slice::from_ref(&(start..start + depth as Position)))
    }
}

impl<S: Symbol, B: BitVector + 'static> Segment for FmSegment<S, B> {
    fn kind(&self) -> Kind {
        Kind::Fm(self.profile)
    }

    fn rows(&self) -> &RowTable {
        &self.rows
    }

    fn symbols(&self) -> usize {
        self.index.len()
    }

    fn width(&self) -> usize {
        S::WIDTH
    }

    fn bytes(&self) -> u64 {
        let whole = |file: &SegmentFile| file.written().0;
        self.file.as_ref().map_or((self.index.bytes() + self.rows.bytes()) as u64, whole)
    }

    fn write(&self, column: Column, path: &Path, monitor: &Monitor) -> Result<(u64, u32)> {
        let meta = Meta {
            header: Header::new(self, column, self.separator),
            primary: self.index.primary() as u64,
            profile: self.profile,
            rates: self.index.rates(),
        };
        let mut blocks: Vec<BlockToWrite<'_>> = self.rows.blocks();
        blocks.extend(self.index.blocks());
        let kind = self.kind().name();
        write_segment_file(path, kind, &serde_json::json!(meta), &blocks, monitor)
    }

    fn find(&self, pattern: Pattern<'_>) -> Result<Ranks> {
        match S::narrow(pattern, self.separator) {
            Some(pattern) => self.located(self.index.find(&pattern)),
            None => Ok(Ranks::NONE),
        }
    }

    fn find_many(&self, patterns: &[Pattern<'_>], ranks: &mut [Ranks]) -> Result<()> {
        ranks.fill(Ranks::NONE);
        let part = patterns.len().div_ceil(GROUP).max(1);
        let parts = patterns.chunks(part).zip(ranks.chunks_mut(part)).map(|(patterns, ranks)| {
            let searches = patterns.iter().zip(ranks);
            searches
                .filter_map(|(&pattern, ranks)| Some((S::narrow(pattern, self.separator)?, ranks)))
        });
        self.located(self.index.find_many(parts))
    }

    fn following(&self, ranks: Ranks, depth: usize, symbol: u32) -> Result<Ranks> {
        match S::from_number(symbol).filter(|&own| own != self.separator) {
            Some(symbol) => self.located(self.next(ranks, depth, symbol)),
            None => Ok(Ranks::NONE),
        }
    }

    fn ending(&self, ranks: Ranks, depth: usize) -> Result<u64> {
        Ok(self.located(self.next(ranks, depth, self.separator))?.len())
    }

    fn continuation(&self, rank: Rank, depth: usize) -> Result<Option<u32>> {
        let position = self.located(self.index.position(rank))?;
        self.symbol_at(position + depth as Position)
    }

    /// A search for each symbol of the alphabet, or halvings among the suffixes, whichever surely
    /// takes fewer steps.
    fn continuations(
        &self,
        ranks: Ranks,
        depth: usize,
        continuations: &mut Vec<(Option<u32>, u64)>,
    ) -> Result<()> {
        if ranks.is_empty() {
            return Ok(());
        }
        let mut end = None;
        let mut give = |symbol: S, count: u64| {
            if symbol == self.separator {
                end = Some((None, count));
            } else {
                continuations.push((Some(symbol.number()), count));
            }
        };
        let alphabet = self.index.alphabet();
        let halvings = (u64::BITS - ranks.len().leading_zeros()) as usize;
        let distinct = alphabet.len().min(usize::try_from(ranks.len()).unwrap_or(usize::MAX));
        if alphabet.len() * (depth + 1) < distinct * halvings * self.index.steps() {
            let mut text = self.located(self.prefix(ranks, depth))?;
            for &symbol in alphabet {
                text.push(symbol);
                let found = self.located(self.index.find(&text))?;
                text.pop();
                if !found.is_empty() {
                    give(symbol, found.len());
                }
            }
        } else {
            self.located(runs(&self.index, ranks, depth, give))?;
        }
        continuations.extend(end);
        Ok(())
    }

    fn positions(&self, ranks: &[Ranks], positions: &mut Vec<Position>) -> Result<()> {
        self.located(self.index.positions(ranks, positions))
    }

    fn extend_left(
        &self,
        ranks: Ranks,
        before: Pattern<'_>,
        extended: &mut Vec<(Position, usize)>,
    ) -> Result<()> {
        let symbol = |at| S::from_number(before.symbol(at)).filter(|&own| own != self.separator);
        let before: Vec<Option<S>> = (0..before.len()).map(symbol).collect();
        let mut positions = vec![];
        self.positions(&[ranks], &mut positions)?;
        for (rank, position) in (ranks.start..ranks.end).zip(positions) {
            extended.push((position, self.located(self.index.shared_before(rank, &before))?));
        }
        Ok(())
    }

    fn symbol_at(&self, position: Position) -> Result<Option<u32>> {
        let symbol = self.located(self.index.symbol(position))?;
        Ok((symbol != self.separator).then(|| symbol.number()))
    }

    fn read_bytes(&self, spans: &[Range<Position>], bytes: &mut Vec<u8>) -> Result<()> {
        push_bytes(&self.read(spans)?, bytes)
    }

    fn read_tokens(&self, spans: &[Range<Position>], tokens: &mut Vec<u32>) -> Result<()> {
        tokens.extend(self.read(spans)?.into_iter().map(Symbol::number));
        Ok(())
    }

    fn scan(
        &self,
        span: Range<Position>,
        pattern: Pattern<'_>,
        positions: &mut Vec<Position>,
    ) -> Result<()> {
        let text = self.read(slice::from_ref(&span))?;
        scan(&text, span.start, pattern, self.separator, positions);
        Ok(())
    }

    fn verify(&self, monitor: &Monitor) -> Result<()> {
        if let Some(file) = &self.file {
            file.verify(monitor)?;
        }
        self.located(self.rows.verify(self.index.len()))
    }
}
