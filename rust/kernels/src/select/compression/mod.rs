//! Distances between texts by how well each compresses the other, and rows aligned with a target:
//! `ZIP-FIT` (Obbad et al. 2024).
//!
//! The normalised compression distance of x and y (Li et al. 2004) is `(C(xy) - min(C(x), C(y))) /
//! max(C(x), C(y))`, of the lengths C that a compressor makes. The alignment of a text with a target
//! is the mean of 1 minus its distance to each row of it.
//!
//! zlib's lengths are told by a kernel that writes nothing, and compresses a text once
//! for all the others that follow it; libdeflate and LZ4 compress each pair.

mod deflate;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use libdeflater::{CompressionLvl, Compressor as Libdeflate};
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use self::deflate::Deflate;
use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns};

/// Bytes of gzip's header and checksum.
const AROUND_GZIP: u64 = 18;

/// Targets whose distances one thread takes, so that one text and many targets are shared out too.
const TARGETS: usize = 256;

/// Pairs that a thread takes at a time, at least: fewer would not be worth waking it.
const PAIRS: usize = 64;

/// What tells how long a text is when it is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compressor {
    format: Format,
    level: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// Deflate, with so many bytes of header and checksum around it.
    Deflate { around: u64 },
    /// As gzip, but what libdeflate makes of a text.
    Libdeflate,
    /// A block of LZ4.
    Lz4,
}

impl Compressor {
    /// The compressor of a name, `"gzip"`, `"zlib"`, `"deflate"`, `"libdeflate"` or `"lz4"`, and a
    /// level; 9 if it is left out.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for another name, or a level that it has not; for level 0, which only
    /// stores.
    pub fn named(name: &str, level: Option<u32>) -> Result<Self> {
        let (format, most) = match name {
            "gzip" => (Format::Deflate { around: AROUND_GZIP }, 9),
            "zlib" => (Format::Deflate { around: 6 }, 9),
            "deflate" => (Format::Deflate { around: 0 }, 9),
            "libdeflate" => (Format::Libdeflate, 12),
            "lz4" => {
                return match level {
                    None => Ok(Self { format: Format::Lz4, level: 0 }),
                    Some(level) => Err(Error::InvalidInput(format!(
                        "level is {level}, and lz4 has none: leave it out"
                    ))),
                };
            }
            other => {
                return Err(Error::InvalidInput(format!(
                    "compressor is {other:?}: give \"gzip\", \"zlib\", \"deflate\", \"libdeflate\" or \
                     \"lz4\""
                )));
            }
        };
        match level.unwrap_or(9) {
            0 => Err(Error::InvalidInput(format!(
                "level is 0, at which {name} stores texts as they are, so that distances would tell \
                 their lengths alone: give 1 to {most}"
            ))),
            level if level > most => {
                Err(Error::InvalidInput(format!("level is {level}: {name} has 1 to {most}")))
            }
            level => Ok(Self { format, level }),
        }
    }

    /// How many bytes a text becomes.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn length(self, text: &[u8], monitor: &Monitor) -> Result<u64> {
        Codec::new(self).length(text, monitor)
    }
}

/// The memory of one thread that compresses.
struct Codec {
    compressor: Compressor,
    small: Option<State>,
    whole: Option<State>,
    libdeflate: Option<Libdeflate>,
    /// LZ4's tables for short and long texts; they make other bytes.
    tables: [Option<CompressTable>; 2],
    joined: Vec<u8>,
    sink: Vec<u8>,
}

/// A compressor, and whether it has been fed the text that others follow.
struct State {
    deflate: Deflate,
    fed: bool,
}

impl Codec {
    fn new(compressor: Compressor) -> Self {
        let (small, whole, libdeflate, tables) = (None, None, None, [None, None]);
        let (joined, sink) = (vec![], vec![]);
        Self { compressor, small, whole, libdeflate, tables, joined, sink }
    }

    fn length(&mut self, text: &[u8], monitor: &Monitor) -> Result<u64> {
        self.forget();
        self.length_after(text, &[], monitor)
    }

    /// Another text comes first.
    fn forget(&mut self) {
        for state in [&mut self.small, &mut self.whole].into_iter().flatten() {
            state.fed = false;
        }
    }

    /// How many bytes two texts become, end to end; the first is that of the call before unless
    /// `forget` was called.
    fn length_after(&mut self, first: &[u8], second: &[u8], monitor: &Monitor) -> Result<u64> {
        let around = match self.compressor.format {
            Format::Deflate { around } => around,
            Format::Libdeflate => return self.libdeflate(first, second),
            Format::Lz4 => return Ok(self.lz4(first, second)),
        };
        let level = self.compressor.level;
        let is_small = first.len() + second.len() < Deflate::few(level);
        let state = if is_small { &mut self.small } else { &mut self.whole };
        let state = state.get_or_insert_with(|| State {
            deflate: if is_small { Deflate::small(level) } else { Deflate::new(level) },
            fed: false,
        });
        if !state.fed {
            state.deflate.start(first, monitor)?;
            state.fed = true;
        }
        let length = state.deflate.length_with(second, monitor)?;
        Ok(length + around)
    }

    fn join(&mut self, first: &[u8], second: &[u8]) {
        self.joined.clear();
        self.joined.extend_from_slice(first);
        self.joined.extend_from_slice(second);
    }

    fn libdeflate(&mut self, first: &[u8], second: &[u8]) -> Result<u64> {
        self.join(first, second);
        let Self { compressor, libdeflate, joined, sink, .. } = self;
        let refused = |what: String| {
            Error::InvalidInput(format!("libdeflate refuses level {}: {what}", compressor.level))
        };
        let libdeflate = match libdeflate {
            Some(libdeflate) => libdeflate,
            None => {
                let level = CompressionLvl::new(compressor.level as i32);
                let level = level.map_err(|error| refused(format!("{error:?}")))?;
                libdeflate.insert(Libdeflate::new(level))
            }
        };
        sink.resize(libdeflate.deflate_compress_bound(joined.len()), 0);
        let length = libdeflate.deflate_compress(joined, sink);
        Ok(length.map_err(|error| refused(error.to_string()))? as u64 + AROUND_GZIP)
    }

    fn lz4(&mut self, first: &[u8], second: &[u8]) -> u64 {
        self.join(first, second);
        let Self { tables, joined, sink, .. } = self;
        sink.resize(get_maximum_output_size(joined.len()), 0);
        let table = if joined.len() < usize::from(u16::MAX) {
            tables[0].get_or_insert_with(CompressTable::small)
        } else {
            tables[1].get_or_insert_with(CompressTable::large)
        };
        // What is written fits what was asked how much it can be.
        compress_into_with_table(joined, sink, table).map_or(u64::MAX, |length| length as u64)
    }
}

/// Two columns of texts, their lengths compressed, and what compresses them.
struct Scan<'a> {
    compressor: Compressor,
    first: &'a Patterns,
    second: &'a Patterns,
    /// Of the second column; none where it is null.
    lengths: Vec<Option<u64>>,
    codecs: Mutex<Vec<Codec>>,
    monitor: &'a Monitor,
}

fn bytes<'a>(texts: &'a Patterns, at: usize, name: &str) -> Result<Option<&'a [u8]>> {
    match texts.get(at) {
        Some(Pattern::Tokens(_)) => Err(Error::UnsupportedType(format!(
            "{name} is a column of tokens, which compressors do not know: give text or bytes"
        ))),
        Some(Pattern::Bytes(bytes)) => Ok(Some(bytes)),
        None => Ok(None),
    }
}

impl<'a> Scan<'a> {
    fn new(
        first: &'a Patterns,
        second: &'a Patterns,
        compressor: Compressor,
        monitor: &'a Monitor,
    ) -> Result<Self> {
        let codecs = Mutex::default();
        let mut scan = Self { compressor, first, second, lengths: vec![], codecs, monitor };
        let all: Vec<usize> = (0..second.len()).collect();
        let lengths = in_blocks(&all, PAIRS, monitor, |block| {
            scan.with_codec(|codec| {
                let length = |&at: &usize| match bytes(second, at, "target")? {
                    Some(text) => codec.length(text, monitor).map(Some),
                    None => Ok(None),
                };
                block.iter().map(length).collect::<Result<Vec<_>>>()
            })
        })?;
        scan.lengths = lengths.concat();
        Ok(scan)
    }

    fn with_codec<A>(&self, work: impl FnOnce(&mut Codec) -> Result<A>) -> Result<A> {
        let pooled = || self.codecs.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = pooled().pop();
        let mut codec = kept.unwrap_or_else(|| Codec::new(self.compressor));
        let answer = work(&mut codec)?;
        pooled().push(codec);
        Ok(answer)
    }

    /// Calls `take` with the distance of a row of the first column to some of the second.
    fn distances(
        &self,
        codec: &mut Codec,
        row: usize,
        targets: impl Iterator<Item = usize>,
        mut take: impl FnMut(Option<f64>),
    ) -> Result<()> {
        let Some(text) = bytes(self.first, row, "candidates")? else {
            targets.for_each(|_| take(None));
            return Ok(());
        };
        // What is fed for its own length is the beginning of every pair.
        let own = codec.length(text, self.monitor)?;
        for target in targets {
            let (Some(other), Some(length)) =
                (bytes(self.second, target, "target")?, self.lengths[target])
            else {
                take(None);
                continue;
            };
            self.monitor.check()?;
            let both = codec.length_after(text, other, self.monitor)? as f64;
            take(Some((both - own.min(length) as f64) / own.max(length) as f64));
        }
        Ok(())
    }
}

/// The distance of every row of a column to every row of another, row by row; none of null ones.
///
/// O(rows · rows) texts are compressed.
///
/// # Errors
/// [`Error::UnsupportedType`] for columns of tokens; [`Error::Interrupted`].
pub fn distance_matrix(
    first: &Patterns,
    second: &Patterns,
    compressor: Compressor,
    monitor: &Monitor,
) -> Result<Vec<Option<f64>>> {
    let found = each(first, second, compressor, monitor, |scan, codec, row, targets| {
        let mut distances = Vec::with_capacity(targets.len());
        scan.distances(codec, row, targets, |distance| distances.push(distance))?;
        Ok(distances)
    })?;
    Ok(found.into_iter().flat_map(|(_, distances)| distances).collect())
}

/// The distance of each row of a column to the row of another at the same place; none of null ones.
///
/// # Errors
/// [`Error::InvalidInput`] if one has more rows than the other; [`Error::UnsupportedType`] for
/// columns of tokens; [`Error::Interrupted`].
pub fn distances(
    first: &Patterns,
    second: &Patterns,
    compressor: Compressor,
    monitor: &Monitor,
) -> Result<Vec<Option<f64>>> {
    if first.len() != second.len() {
        return Err(Error::InvalidInput(format!(
            "a has {} rows and b has {}: give as many, or pairs=False for every pair of them",
            first.len(),
            second.len()
        )));
    }
    let scan = Scan::new(first, second, compressor, monitor)?;
    monitor.enter(Phase::Querying, 0, Some(first.len() as u64));
    let all: Vec<usize> = (0..first.len()).collect();
    let found = in_blocks(&all, PAIRS, monitor, |block| {
        let mut distances = Vec::with_capacity(block.len());
        scan.with_codec(|codec| {
            block.iter().try_for_each(|&row| {
                scan.distances(codec, row, std::iter::once(row), |one| distances.push(one))
            })
        })?;
        monitor.advance(block.len() as u64);
        Ok(distances)
    })?;
    Ok(found.concat())
}

/// The alignment of each candidate with a target: the mean of 1 minus its distance to each row of it
/// that is not null; none of null candidates.
///
/// O(candidates · target) texts are compressed.
///
/// # Errors
/// [`Error::InvalidInput`] if the target has no rows but null ones; [`Error::UnsupportedType`] for
/// columns of tokens; [`Error::Interrupted`].
pub fn align(
    candidates: &Patterns,
    target: &Patterns,
    compressor: Compressor,
    monitor: &Monitor,
) -> Result<Vec<Option<f64>>> {
    let rows = target.valid().count();
    if rows == 0 {
        return Err(Error::InvalidInput(
            "target has no rows that are not null: give the texts to align with".into(),
        ));
    }
    let found = each(candidates, target, compressor, monitor, |scan, codec, row, targets| {
        let mut sum = None;
        scan.distances(codec, row, targets, |distance| {
            if let Some(distance) = distance {
                *sum.get_or_insert(0.0) += 1.0 - distance;
            }
        })?;
        Ok(sum)
    })?;
    // Parts are added in their order, so that threads change nothing.
    let mut sums: Vec<Option<f64>> = vec![None; candidates.len()];
    for (row, sum) in found {
        if let Some(sum) = sum {
            *sums[row].get_or_insert(0.0) += sum;
        }
    }
    Ok(sums.into_iter().map(|sum| sum.map(|sum: f64| sum / rows as f64)).collect())
}

/// Rows of a column with parts of another, in order.
fn each<A: Send>(
    first: &Patterns,
    second: &Patterns,
    compressor: Compressor,
    monitor: &Monitor,
    answer: impl Fn(&Scan<'_>, &mut Codec, usize, std::ops::Range<usize>) -> Result<A> + Sync,
) -> Result<Vec<(usize, A)>> {
    let scan = Scan::new(first, second, compressor, monitor)?;
    let pairs = first.len() as u64 * second.len() as u64;
    monitor.enter(Phase::Querying, 0, Some(pairs));
    let parts = second.len().div_ceil(TARGETS).max(1);
    let tasks: Vec<(usize, usize)> =
        (0..first.len()).flat_map(|row| (0..parts).map(move |part| (row, part))).collect();
    let size = (PAIRS / second.len().clamp(1, PAIRS)).max(1);
    let found = in_blocks(&tasks, size, monitor, |block| {
        scan.with_codec(|codec| {
            let mut answers = Vec::with_capacity(block.len());
            for &(row, part) in block {
                let targets = part * TARGETS..((part + 1) * TARGETS).min(second.len());
                let pairs = targets.len() as u64;
                answers.push((row, answer(&scan, codec, row, targets)?));
                monitor.advance(pairs);
            }
            Ok(answers)
        })
    })?;
    Ok(found.into_iter().flatten().collect())
}
