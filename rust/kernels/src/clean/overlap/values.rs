//! The distinct values of a column, end to end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rayon::prelude::*;

use super::BLOCK;
use crate::clean::text;
use crate::corpus::MAX_SYMBOLS;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::Patterns;
use crate::words::Fast;

/// Ends each value: no byte of UTF-8.
pub const SEPARATOR: u8 = u8::MAX;

/// Separators behind the last value, so that whole words may be read.
pub const PADDING: usize = size_of::<u64>();

/// Bytes of which the first one's value is noted: few enough that its neighbours are soon counted.
const NOTED: usize = 16;

/// Whether a byte of UTF-8 goes on with a character.
pub fn continues(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Characters of UTF-8.
pub fn characters(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| !continues(byte)).count()
}

/// The distinct values of a column end to end, a separator after each.
pub struct Values {
    pub bytes: Vec<u8>,
    /// Where each ends: its separator.
    pub ends: Vec<u32>,
    /// The rows that each stands in.
    pub rows: Vec<u64>,
    /// Whether some value stands in several rows.
    pub repeated: bool,
    /// Whether each character is one byte.
    pub ascii: bool,
    /// The value of each [`NOTED`]-th byte.
    noted: Vec<u32>,
}

impl Values {
    /// Reads a column, whose nulls and empty values share nothing.
    pub fn read(column: &Patterns, monitor: &Monitor) -> Result<Self> {
        let mut seen: HashMap<&[u8], usize, Fast> = HashMap::default();
        let (mut bytes, mut ends, mut rows): (Vec<u8>, _, _) = (vec![], vec![], vec![]);
        let mut ascii = true;
        for row in 0..column.len() {
            if row % BLOCK == 0 {
                monitor.check()?;
            }
            let Some(value) = text(column, row)?.filter(|value| !value.is_empty()) else {
                continue;
            };
            let next = ends.len();
            let number = *seen.entry(value.as_bytes()).or_insert(next);
            if number < next {
                rows[number] += 1;
                continue;
            }
            if bytes.len() + value.len() + PADDING >= MAX_SYMBOLS {
                return Err(Error::InvalidInput(format!(
                    "the distinct values hold more than {MAX_SYMBOLS} bytes; give fewer of them"
                )));
            }
            ascii &= value.is_ascii();
            bytes.extend_from_slice(value.as_bytes());
            ends.push(bytes.len() as u32);
            rows.push(1);
            bytes.push(SEPARATOR);
        }
        drop(seen);
        bytes.extend([SEPARATOR; PADDING]);
        let mut noted = Vec::with_capacity(bytes.len() / NOTED + 1);
        for (value, &end) in (0..).zip(&ends) {
            while noted.len() * NOTED <= end as usize {
                noted.push(value);
            }
        }
        let repeated = rows.iter().any(|&rows| rows > 1);
        Ok(Self { bytes, ends, rows, repeated, ascii, noted })
    }

    /// The value that a byte is of.
    pub fn of(&self, place: u32) -> u32 {
        let first = self.noted[place as usize / NOTED];
        let before = self.ends[first as usize..].iter().take_while(|&&end| end < place).count();
        first + before as u32
    }

    /// Where each value starts and ends.
    pub fn spans(&self) -> impl Iterator<Item = (usize, usize)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|&end| end as usize + 1));
        starts.zip(self.ends.iter().map(|&end| end as usize))
    }

    /// Of how far the places reach, what can be made no longer where it stands, or is a whole value,
    /// and has enough characters.
    pub fn keep_stretches(
        &self,
        mut reaches: Vec<AtomicU32>,
        min_length: usize,
        whole: bool,
        monitor: &Monitor,
    ) -> Result<Kept> {
        let places: Vec<AtomicU64> =
            (0..self.bytes.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let mut pieces = vec![];
        let (mut first, mut rest) = (0, &mut reaches[..]);
        for (_, end) in self.spans() {
            let behind = end + 1 - first;
            if behind >= BLOCK || end + 1 + PADDING == self.bytes.len() {
                let (piece, others) = rest.split_at_mut(behind);
                pieces.push((first, piece));
                (first, rest) = (end + 1, others);
            }
        }
        pieces.into_par_iter().try_for_each(|(first, piece)| {
            monitor.check()?;
            self.keep_of(first, piece, min_length, whole, &places);
            Ok::<_, Error>(())
        })?;
        // Characters of one byte are shared whole.
        let lengths = if self.ascii { vec![] } else { reaches };
        Ok(Kept { places, lengths })
    }

    /// [`Self::keep_stretches`] of some values in a row, the first of which starts there.
    fn keep_of(
        &self,
        first: usize,
        reaches: &mut [AtomicU32],
        min_length: usize,
        whole: bool,
        places: &[AtomicU64],
    ) {
        let text = &self.bytes[..];
        // Where the substring at the character before reaches.
        let mut reached = 0;
        for (at, place) in (first..).zip(reaches) {
            let reach = *place.get_mut() as usize;
            if text[at] == SEPARATOR {
                reached = 0;
                continue;
            }
            if continues(text[at]) {
                continue;
            }
            // The last character may be shared in part only.
            let mut stop = at + reach;
            while stop > at && continues(text[stop]) {
                stop -= 1;
            }
            let all = (at == 0 || text[at - 1] == SEPARATOR) && text[stop] == SEPARATOR;
            if stop > reached && stop - at >= min_length && (all || !whole) {
                let begins = text[at..stop].iter().filter(|&&byte| !continues(byte));
                if self.ascii || begins.take(min_length).count() == min_length {
                    *place.get_mut() = (stop - at) as u32;
                    places[at / 64].fetch_or(1 << (at % 64), Ordering::Relaxed);
                }
            }
            reached = stop;
        }
    }
}

/// Stretches that are shared and can be made no longer where they stand.
pub struct Kept {
    /// Where they begin, a bit each.
    places: Vec<AtomicU64>,
    /// How long they are, if not as far as they reach.
    lengths: Vec<AtomicU32>,
}

impl Kept {
    /// How long the one is that begins at a place which reaches so far; 0 if none does.
    pub fn length(&self, start: u32, reach: u32) -> u32 {
        let word = self.places[start as usize / 64].load(Ordering::Relaxed);
        if word >> (start % 64) & 1 == 0 {
            return 0;
        }
        self.lengths.get(start as usize).map_or(reach, |length| length.load(Ordering::Relaxed))
    }
}
