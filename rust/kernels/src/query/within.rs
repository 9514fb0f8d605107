//! Occurrences of a pattern with at most `k` symbols changed.
//!
//! Of `k + 1` pieces of the pattern one occurs unchanged in every such occurrence (the pigeonhole
//! filter; Navarro, "A guided tour to approximate string matching", 2001, section 8.2.1). The index
//! finds the pieces; what stands around each is read and counted. Pieces that occur often are cut
//! anew, so that together they occur least; where they occur more often than reading everything
//! would cost, everything is read.

use std::ops::Range;

use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::hamming::{Equality, Hamming, Options, WithinOptions};
use crate::index::{Index, PartRef, TOGETHER};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, Position, Ranks, starts_character};

/// Occurrences of pieces up to which they are cut evenly.
const FEW: u64 = 256;

/// Places between which pieces are cut anew, beside one for each piece.
const CUTS: usize = 12;

/// Where pieces occur at more than one in so many places, the text is read instead.
const READ: u64 = 256;

/// Where patterns occur within a distance; one item of each list an occurrence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Near {
    /// The query's place in its column.
    pub query: Vec<u64>,
    /// The row.
    pub row: Vec<u64>,
    /// The first symbol, counted from the row's start.
    pub start: Vec<u64>,
    /// Behind the last symbol.
    pub stop: Vec<u64>,
    /// Symbols that differ.
    pub distance: Vec<u32>,
}

/// A window: its row, start and distance.
type Window = (u64, u64, u32);

impl Index {
    /// Where each pattern occurs with at most `k` symbols changed, ordered by query, row and start.
    /// Of a string column only windows that cut no character.
    ///
    /// O(k m log n) to find pieces, then O(m) each of their occurrences.
    ///
    /// # Errors
    /// As [`Index::count`]; [`Error::InvalidInput`] if a pattern has no more than `k` symbols.
    pub fn search_within(&self, patterns: &Patterns, k: usize, monitor: &Monitor) -> Result<Near> {
        self.check_patterns(patterns)?;
        let valid: Vec<_> = patterns.valid().collect();
        if let Some((at, pattern)) = valid.iter().find(|(_, pattern)| pattern.len() <= k) {
            let which = if patterns.len() > 1 { format!("query {at}") } else { "query".into() };
            return Err(Error::InvalidInput(format!(
                "{which} has {} symbols and k is {k}, so that any text would do: give a smaller k",
                pattern.len()
            )));
        }
        let found = in_blocks(&valid, 1, monitor, |one| {
            let (at, pattern) = one[0];
            Ok((at, pattern.len() as u64, self.windows_within(pattern, k, monitor)?))
        })?;
        let mut near = Near::default();
        for (query, length, windows) in found {
            near.query.resize(near.query.len() + windows.len(), query as u64);
            near.row.extend(windows.iter().map(|&(row, _, _)| row));
            near.start.extend(windows.iter().map(|&(_, start, _)| start));
            near.stop.extend(windows.iter().map(|&(_, start, _)| start + length));
            near.distance.extend(windows.iter().map(|&(_, _, distance)| distance));
        }
        Ok(near)
    }

    fn windows_within(
        &self,
        pattern: Pattern<'_>,
        k: usize,
        monitor: &Monitor,
    ) -> Result<Vec<Window>> {
        let mut found = vec![];
        for part in self.parts() {
            monitor.check()?;
            let pieces = cut(part, pattern, k + 1)?;
            let occurrences = Ranks::total(pieces.iter().map(|(_, ranks)| ranks));
            if occurrences > part.segment.symbols() as u64 / READ + FEW {
                self.read_within(part, pattern, k, monitor, &mut found)?;
                continue;
            }
            let mut starts: Vec<Position> = vec![];
            let mut positions = vec![];
            for &(offset, ranks) in &pieces {
                positions.clear();
                part.segment.positions(&[ranks], &mut positions)?;
                starts.extend(positions.iter().filter_map(|at| at.checked_sub(offset as u64)));
            }
            starts.sort_unstable();
            starts.dedup();
            self.verify_within(part, pattern, k, &starts, monitor, &mut found)?;
        }
        Ok(found)
    }

    /// Adds those of the sorted starts at which the pattern occurs within `k`.
    fn verify_within(
        &self,
        part: PartRef<'_>,
        pattern: Pattern<'_>,
        k: usize,
        starts: &[Position],
        monitor: &Monitor,
        found: &mut Vec<Window>,
    ) -> Result<()> {
        let rows = part.segment.rows();
        let length = pattern.len() as u64;
        let is_text = self.column() == Column::String;
        let mut row = 0;
        let mut windows: Vec<(u64, Position, Range<Position>)> = vec![];
        for starts in starts.chunks(TOGETHER) {
            monitor.check()?;
            windows.clear();
            for &start in starts {
                row = rows.row_of(start, row)?;
                let span = rows.span(row)?;
                // A piece may occur so near an end of a row that the rest of the pattern does not
                // fit; between rows stands a separator, which starts nothing.
                if start >= span.start && start + length <= span.end {
                    // Of text one more, which tells whether the window ends within a character.
                    let stop = (start + length + u64::from(is_text)).min(span.end);
                    windows.push((part.first_row + row as u64, start - span.start, start..stop));
                }
            }
            let read = windows.iter().map(|(.., span)| (part.segment, span.clone()));
            let read = self.read(read)?;
            for (nth, &(row, start, _)) in windows.iter().enumerate() {
                let distance = match (pattern, read.get(nth)) {
                    (Pattern::Bytes(pattern), Pattern::Bytes(bytes)) => {
                        let cut = |at: usize| bytes.get(at).is_some_and(|&b| !starts_character(b));
                        if is_text && (cut(0) || cut(pattern.len())) {
                            continue;
                        }
                        differing(pattern, bytes, k)
                    }
                    (Pattern::Tokens(pattern), Pattern::Tokens(tokens)) => {
                        differing(pattern, tokens, k)
                    }
                    _ => None,
                };
                found.extend(distance.map(|distance| (row, start, distance as u32)));
            }
        }
        Ok(())
    }

    /// Adds the windows within `k` of all rows, which are read.
    fn read_within(
        &self,
        part: PartRef<'_>,
        pattern: Pattern<'_>,
        k: usize,
        monitor: &Monitor,
        found: &mut Vec<Window>,
    ) -> Result<()> {
        let equality = Equality::default();
        let hamming = Hamming::new(&Patterns::one(pattern), &equality)?;
        let options = WithinOptions {
            k,
            best: false,
            disjoint: false,
            characters: self.column() == Column::String,
            options: Options::default(),
        };
        let rows = part.segment.rows();
        let mut first = 0;
        while first < rows.len() {
            let spans = rows.spans_together(first)?;
            let read = self.read(spans.iter().map(|span| (part.segment, span.clone())))?;
            for nth in 0..spans.len() {
                let text = read.get(nth);
                if text.len() < pattern.len() {
                    continue;
                }
                let row = part.first_row + (first + nth) as u64;
                let windows = hamming.within_one(text, 0, options, monitor)?;
                found.extend(windows.iter().map(|&(start, d)| (row, start as u64, d as u32)));
            }
            first += spans.len();
        }
        Ok(())
    }
}

/// The distance of two texts, if it is at most `k`.
fn differing<S: PartialEq>(a: &[S], b: &[S], k: usize) -> Option<usize> {
    let mut distance = 0;
    // In blocks, which compilers compare at once.
    for (a, b) in a.chunks(64).zip(b.chunks(64)) {
        distance += a.iter().zip(b).filter(|(a, b)| a != b).count();
        if distance > k {
            return None;
        }
    }
    Some(distance)
}

/// Cuts a pattern in so many pieces; gives each one's offset and where it occurs.
fn cut(part: PartRef<'_>, pattern: Pattern<'_>, pieces: usize) -> Result<Vec<(usize, Ranks)>> {
    let length = pattern.len();
    let find = |from: usize, to: usize| part.segment.find(pattern.slice(from..to));
    let even: Vec<(usize, Ranks)> = (0..pieces)
        .map(|piece| {
            let (from, to) = (piece * length / pieces, (piece + 1) * length / pieces);
            Ok((from, find(from, to)?))
        })
        .collect::<Result<_>>()?;
    let places = length.min(CUTS + pieces);
    let total = Ranks::total(even.iter().map(|(_, ranks)| ranks));
    if total <= FEW.max((places * places) as u64) || places <= pieces || places > 256 {
        return Ok(even);
    }
    let at = |place: usize| place * length / places;
    let mut ranks = vec![Ranks::NONE; (places + 1) * (places + 1)];
    for from in 0..places {
        for to in from + 1..=places {
            // What leaves too few places for the other pieces is no piece.
            if from + (places - to) + 1 >= pieces {
                ranks[from * (places + 1) + to] = find(at(from), at(to))?;
            }
        }
    }
    // least[p][to]: the fewest occurrences of p pieces up to a place, and where the last begins.
    let mut least = vec![vec![(u64::MAX, 0_usize); places + 1]; pieces + 1];
    least[0][0].0 = 0;
    for piece in 1..=pieces {
        for to in piece..=places - (pieces - piece) {
            for from in piece - 1..to {
                let before = least[piece - 1][from].0;
                if before < u64::MAX {
                    let cost = before + ranks[from * (places + 1) + to].len();
                    if cost < least[piece][to].0 {
                        least[piece][to] = (cost, from);
                    }
                }
            }
        }
    }
    let mut chosen = vec![];
    let mut to = places;
    for piece in (1..=pieces).rev() {
        let from = least[piece][to].1;
        chosen.push((at(from), ranks[from * (places + 1) + to]));
        to = from;
    }
    Ok(chosen)
}
