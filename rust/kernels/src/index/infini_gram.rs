//! The `infini-gram` kind of segment: a shard of an index that infini-gram (Liu et al. 2024) wrote,
//! read as it is.
//!
//! A shard is `tokenized.N`, its tokens, little endian, with a separator of ones before each row;
//! `table.N`, its suffix array: byte offsets of as many bytes each as the longest one needs, in the
//! order of the suffixes' bytes, which is not that of their tokens; and `offset.N`, the byte of each
//! row's separator as 64-bit numbers. No file says so much as the width of a token.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{self, AtomicUsize};

use rayon::prelude::*;

use super::rows::RowTable;
use super::segment::Segment;
use super::{Index, everything};
use crate::container::{Block, map_numbers};
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::kind::Kind;
use crate::suffix::{Sorted, following, runs};
use crate::symbol::{Pattern, Position, Rank, Ranks, Symbol, common_prefix, extend_left, scan};

/// Rows that are looked at to tell the width of a token.
const PROBED: usize = 1024;

/// Suffixes checked at once.
const BLOCK: usize = 1 << 16;

/// One shard, of tokens of one width.
#[derive(Debug)]
struct Shard<S: Symbol> {
    text: Block<S>,
    table: Block<u8>,
    /// Bytes of an offset in the table.
    pointer: usize,
    rows: RowTable,
    path: PathBuf,
}

impl Index {
    /// Opens an index that infini-gram wrote: all shards of these directories, in the order of
    /// their names, as it numbers them. `width` is the number of bytes of a token; read off the
    /// separators by default.
    ///
    /// O(1): files are mapped. They must not change while the index is in use.
    ///
    /// # Errors
    /// [`Error::Io`] if a directory cannot be read; [`Error::Format`] if one holds no such index;
    /// [`Error::Corrupt`] if the lengths of its files do not belong together.
    pub fn open_infini_gram(directories: &[PathBuf], width: Option<usize>) -> Result<Self> {
        let mut segments = vec![];
        for directory in directories {
            let mut paths = vec![];
            let entries = std::fs::read_dir(directory).map_err(Error::io(directory))?;
            for entry in entries {
                let path = entry.map_err(Error::io(directory))?.path();
                if shard_name(&path).is_some() {
                    paths.push(path);
                }
            }
            if paths.is_empty() {
                return Err(Error::format(
                    directory,
                    "no index of infini-gram: it would hold a file tokenized.0",
                ));
            }
            paths.sort();
            for path in paths {
                segments.push((open_shard(&path, width)?, None));
            }
        }
        Ok(Self::new(Column::Tokens, Kind::InfiniGram, segments, vec![], None))
    }
}

/// What follows `tokenized` in a shard's file name: nothing, or a dot and a number.
fn shard_name(path: &Path) -> Option<&str> {
    let name = path.file_name().and_then(OsStr::to_str)?.strip_prefix("tokenized")?;
    let number = name.strip_prefix('.').unwrap_or("0");
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

fn open_shard(path: &Path, width: Option<usize>) -> Result<Arc<dyn Segment>> {
    let name = shard_name(path).unwrap_or_default();
    let beside = |kind: &str| path.with_file_name(format!("{kind}{name}"));
    let separators = map_numbers(&beside("offset"))?;
    let widths: &[usize] = width.as_ref().map_or(&[4, 2, 1], std::slice::from_ref);
    let text = map_numbers(path)?;
    let width = widths.iter().find(|&&width| is_separated(&text, &separators, width));
    let width = *width.ok_or_else(|| {
        let names: Vec<_> = widths.iter().map(|width| format!("u{}", 8 * width)).collect();
        let what = format!(
            "no separator of {} is where the offsets say; give the token_dtype that it was written \
             with, or none",
            names.join(" or ")
        );
        Error::corrupt_file(path, what)
    })?;
    let table = (beside("table"), map_numbers(&beside("table"))?);
    match width {
        1 => Shard::<u8>::open(path, table, separators),
        2 => Shard::<u16>::open(path, table, separators),
        4 => Shard::<u32>::open(path, table, separators),
        other => Err(Error::InvalidInput(format!(
            "a token of infini-gram has 1, 2 or 4 bytes, not {other}"
        ))),
    }
}

/// Whether separators of a width stand wherever the first offsets say.
///
/// The widest that do are the text's own: no token has a separator's value, so that a wider one
/// would have to be followed by another, which cannot be before a row that is not empty.
fn is_separated(text: &[u8], separators: &[u64], width: usize) -> bool {
    text.len().is_multiple_of(width)
        && separators.iter().take(PROBED).all(|&at| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            let separator = text.get(at..).and_then(|rest| rest.get(..width));
            at.is_multiple_of(width)
                && separator.is_some_and(|bytes| bytes.iter().all(|&byte| byte == u8::MAX))
        })
}

impl<S: Symbol> Shard<S> {
    fn open(
        path: &Path,
        (table_path, table): (PathBuf, Block<u8>),
        separators: Block<u64>,
    ) -> Result<Arc<dyn Segment>> {
        let text: Block<S> = map_numbers(path)?;
        let pointer = if text.is_empty() { 1 } else { table.len() / text.len() };
        if table.len() != pointer * text.len() || !(1..=8).contains(&pointer) {
            return Err(Error::corrupt_file(
                &table_path,
                format!(
                    "{} bytes are no offsets, of 1 to 8 bytes each, of the {} tokens of {} bytes in \
                     {}",
                    table.len(),
                    text.len(),
                    S::WIDTH,
                    path.display()
                ),
            ));
        }
        // As many bytes as the longest offset takes: fewer are those of wider tokens.
        let most = u64::MAX >> (64 - 8 * pointer);
        if (text.len() * S::WIDTH) as u64 > most.saturating_add(1) {
            return Err(Error::corrupt_file(
                &table_path,
                format!(
                    "offsets of {pointer} bytes do not reach the end of {}; it is cut off, or its \
                     tokens are no u{}",
                    path.display(),
                    8 * S::WIDTH
                ),
            ));
        }
        if separators.len() > text.len() {
            return Err(Error::corrupt_file(path, "there are more rows than tokens"));
        }
        let rows = RowTable::from_starts(separators, S::WIDTH, text.len());
        Ok(Arc::new(Self { text, table, pointer, rows, path: table_path }))
    }

    fn separator() -> S {
        S::from_number((u64::MAX >> (64 - 8 * S::WIDTH)) as u32).unwrap_or_else(S::zeroed)
    }

    fn located<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.at(&self.path))
    }

    fn slice(&self, span: Range<Position>) -> Result<&[S]> {
        let span = span.start as usize..span.end as usize;
        self.located(self.text.get(span).ok_or_else(|| Error::corrupt("a row is not in the text")))
    }

    /// The first rank from `from` on whose suffix compares with the pattern, of which it is to
    /// start with no more than the length, as more than `last`.
    fn boundary(&self, pattern: &[u8], mut within: Ranks, last: Ordering) -> Result<Rank> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.text);
        while within.start < within.end {
            let rank = within.start.midpoint(within.end);
            let from = self.position(rank)? as usize * S::WIDTH;
            let suffix = &bytes[from..bytes.len().min(from + pattern.len())];
            if suffix.cmp(pattern) <= last {
                within.start = rank + 1;
            } else {
                within.end = rank;
            }
        }
        Ok(within.start)
    }

    fn find_bytes(&self, pattern: &[u8]) -> Result<Ranks> {
        let all = everything(self);
        let start = self.boundary(pattern, all, Ordering::Less)?;
        // Most patterns are rare: look near the first occurrence, then in strides that double.
        let mut within = Ranks { start, end: start };
        let mut stride = 1;
        while within.end == within.start && within.end < all.end {
            within.end = all.end.min(within.start + stride);
            within.start = self.boundary(pattern, within, Ordering::Equal)?;
            stride *= 8;
        }
        Ok(Ranks { start, end: within.start })
    }

    /// Checks that the table holds each position once; gives back the rank behind each, and 0 behind
    /// the text's end.
    fn invert<R: TryFrom<Rank> + Copy + Default + PartialEq>(
        &self,
        monitor: &Monitor,
    ) -> Result<Vec<R>> {
        let mut ranks = vec![R::default(); self.text.len() + 1];
        for rank in 0..self.text.len() as Rank {
            if rank.is_multiple_of(BLOCK as u64) {
                monitor.check()?;
            }
            let place = &mut ranks[self.position(rank)? as usize];
            if *place != R::default() {
                return Err(Error::corrupt("a position stands in the table twice"));
            }
            *place = R::try_from(rank + 1).unwrap_or_default();
        }
        Ok(ranks)
    }

    /// Checks that suffixes ascend: their first symbols do, and where two are equal, what follows
    /// them stands in the same order (Burkhardt and Kärkkäinen 2003).
    fn check_order<R: TryFrom<Rank> + Copy + Default + Ord + Send + Sync>(
        &self,
        monitor: &Monitor,
    ) -> Result<()> {
        let ranks: Vec<R> = self.invert(monitor)?;
        let all = everything(self);
        let blocks: Vec<Rank> = (all.start + 1..all.end).step_by(BLOCK).collect();
        // The least that a pair out of order is known to share: what shares more is no matter.
        let least = AtomicUsize::new(usize::MAX);
        // Of pairs out of order, the one that shares least: the table is sorted by as many symbols.
        let worst = blocks.into_par_iter().map(|from| {
            monitor.check()?;
            let mut worst: Option<(usize, Rank)> = None;
            let to = all.end.min(from + BLOCK as u64);
            for rank in from..to {
                let (before, here) = (self.position(rank - 1)?, self.position(rank)?);
                let behind = |position: Position| ranks[position as usize + 1];
                let order = self
                    .symbol(before)?
                    .cmp(&self.symbol(here)?)
                    .then_with(|| behind(before).cmp(&behind(here)));
                if order.is_gt() {
                    monitor.check()?;
                    let most = least.load(atomic::Ordering::Relaxed).saturating_add(1);
                    let first = |position: Position| {
                        let rest = &self.text[position as usize..];
                        &rest[..rest.len().min(most)]
                    };
                    let (left, right) = (first(before), first(here));
                    let shared = common_prefix(left, right);
                    let next = |text: &[S]| text.get(shared).copied().map(order_of);
                    if shared < most && next(left) > next(right) {
                        least.fetch_min(shared, atomic::Ordering::Relaxed);
                        worst = Some(worst.map_or((shared, rank), |one| one.min((shared, rank))));
                    }
                }
            }
            monitor.advance((to - from) * self.pointer as u64);
            Ok(worst)
        });
        let worst = worst.collect::<Result<Vec<_>>>()?.into_iter().flatten().min();
        worst.map_or(Ok(()), |(shared, rank)| {
            Err(Error::corrupt(format!(
                "no suffix array of the text: suffixes {} and {rank} share {shared} tokens and stand \
                 in the wrong order; queries of up to {shared} tokens are answered right, longer ones \
                 may not be",
                rank - 1
            )))
        })
    }
}

/// Where a token stands in the order of little-endian bytes.
fn order_of<S: Symbol>(symbol: S) -> u32 {
    symbol.number().swap_bytes() >> (32 - 8 * S::WIDTH)
}

impl<S: Symbol> Sorted for Shard<S> {
    /// The end of the text, which comes first, is none.
    type Symbol = Option<u32>;

    fn position(&self, rank: Rank) -> Result<Position> {
        let mut bytes = [0; 8];
        let from = rank as usize * self.pointer;
        let offset = self.table.get(from..from + self.pointer);
        bytes[..self.pointer].copy_from_slice(offset.unwrap_or(&[u8::MAX; 8][..self.pointer]));
        let byte = u64::from_le_bytes(bytes);
        let width = S::WIDTH as u64;
        if offset.is_none() || byte % width != 0 || byte / width >= self.text.len() as u64 {
            return Err(Error::corrupt("the table points outside the text, or into a token"));
        }
        Ok(byte / width)
    }

    fn symbol(&self, position: Position) -> Result<Option<u32>> {
        match self.text.get(position as usize) {
            None if position > self.text.len() as Position => {
                Err(Error::corrupt("a suffix ends behind the text"))
            }
            symbol => Ok(symbol.copied().map(order_of)),
        }
    }
}

impl<S: Symbol> Segment for Shard<S> {
    fn kind(&self) -> Kind {
        Kind::InfiniGram
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
        (self.text.len() * S::WIDTH + self.table.len() + self.rows.len() * 8) as u64
    }

    fn write(&self, _: Column, _: &Path, _: &Monitor) -> Result<(u64, u32)> {
        Err(Error::UnsupportedType("an index of infini-gram is not written by bowstring".into()))
    }

    fn find(&self, pattern: Pattern<'_>) -> Result<Ranks> {
        match S::narrow(pattern, Self::separator()) {
            Some(pattern) => self.located(self.find_bytes(bytemuck::cast_slice(&pattern))),
            None => Ok(Ranks::NONE),
        }
    }

    fn find_many(&self, patterns: &[Pattern<'_>], ranks: &mut [Ranks]) -> Result<()> {
        for (&pattern, ranks) in patterns.iter().zip(ranks) {
            *ranks = self.find(pattern)?;
        }
        Ok(())
    }

    fn following(&self, ranks: Ranks, depth: usize, symbol: u32) -> Result<Ranks> {
        match S::from_number(symbol).filter(|&own| own != Self::separator()) {
            Some(symbol) => self.located(following(self, ranks, depth, Some(order_of(symbol)))),
            None => Ok(Ranks::NONE),
        }
    }

    fn ending(&self, ranks: Ranks, depth: usize) -> Result<u64> {
        let count = |symbol| Ok(self.located(following(self, ranks, depth, symbol))?.len());
        Ok(count(None)? + count(Some(order_of(Self::separator())))?)
    }

    fn continuation(&self, rank: Rank, depth: usize) -> Result<Option<u32>> {
        let position = self.located(self.position(rank))?;
        self.symbol_at(position + depth as Position)
    }

    fn continuations(
        &self,
        ranks: Ranks,
        depth: usize,
        continuations: &mut Vec<(Option<u32>, u64)>,
    ) -> Result<()> {
        let separator = order_of(Self::separator());
        let mut ends = 0;
        let from = continuations.len();
        self.located(runs(self, ranks, depth, |symbol, count| match symbol {
            Some(order) if order != separator => {
                continuations.push((Some(order.swap_bytes() >> (32 - 8 * S::WIDTH)), count));
            }
            _ => ends += count,
        }))?;
        continuations[from..].sort_unstable();
        continuations.extend((ends > 0).then_some((None, ends)));
        Ok(())
    }

    fn positions(&self, ranks: &[Ranks], positions: &mut Vec<Position>) -> Result<()> {
        for rank in ranks.iter().flat_map(|ranks| ranks.start..ranks.end) {
            positions.push(self.located(self.position(rank))?);
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
        extend_left(&self.text, &positions, before, Self::separator(), extended);
        Ok(())
    }

    fn symbol_at(&self, position: Position) -> Result<Option<u32>> {
        self.located(self.symbol(position))?;
        let symbol = self.text.get(position as usize).filter(|&&own| own != Self::separator());
        Ok(symbol.map(|symbol| symbol.number()))
    }

    fn read_bytes(&self, _: &[Range<Position>], _: &mut Vec<u8>) -> Result<()> {
        Err(Error::UnsupportedType("an index of infini-gram holds tokens, and no bytes".into()))
    }

    fn read_tokens(&self, spans: &[Range<Position>], tokens: &mut Vec<u32>) -> Result<()> {
        for span in spans {
            tokens.extend(self.slice(span.clone())?.iter().map(|symbol| symbol.number()));
        }
        Ok(())
    }

    fn scan(
        &self,
        span: Range<Position>,
        pattern: Pattern<'_>,
        positions: &mut Vec<Position>,
    ) -> Result<()> {
        let haystack = self.slice(span.clone())?;
        scan(haystack, span.start, pattern, Self::separator(), positions);
        Ok(())
    }

    /// O(n) time, and 4 bytes a token, or 8 of more than 2^32 - 2; of a table out of order also what
    /// each pair out of order shares, as far as the one that shares least.
    fn verify(&self, monitor: &Monitor) -> Result<()> {
        self.located(self.rows.verify(self.text.len()))?;
        let mut separators = 0;
        for block in self.text.chunks(BLOCK) {
            monitor.check()?;
            separators += block.iter().filter(|&&symbol| symbol == Self::separator()).count();
            monitor.advance((block.len() * S::WIDTH) as u64);
        }
        let before = |row| self.rows.span(row).map(|span| self.text[span.start as usize - 1]);
        let whole = (0..self.rows.len()).all(|row| before(row).ok() == Some(Self::separator()));
        if separators != self.rows.len() || !whole {
            return self.located(Err(Error::corrupt("separators are not where the offsets say")));
        }
        self.located(if u32::try_from(self.text.len() + 1).is_ok() {
            self.check_order::<u32>(monitor)
        } else {
            self.check_order::<u64>(monitor)
        })
    }
}
