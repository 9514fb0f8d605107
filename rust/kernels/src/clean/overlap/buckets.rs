//! Suffixes of the values by their first bytes.

use super::BLOCK;
use super::values::{SEPARATOR, Values, continues};
use crate::error::Result;
use crate::interrupt::Monitor;

/// Buckets, as a power of two.
const BUCKETS: u32 = 16;

/// A suffix, its value, and the bytes that come next, as a number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Suffix {
    pub key: u64,
    pub start: u32,
    pub value: u32,
}

/// The eight bytes from a place on as a number, in whose order they are; what stands behind a
/// separator is as if there were more of them.
pub fn key(text: &[u8], at: usize) -> u64 {
    let Some(head) = text.get(at..).and_then(<[u8]>::first_chunk) else { return u64::MAX };
    let bytes = u64::from_le_bytes(*head);
    // Only separators begin with five ones.
    let ones = bytes & bytes << 1 & bytes << 2 & bytes << 3 & bytes << 4;
    let separators = ones & 0x8080_8080_8080_8080;
    let behind = u64::MAX.checked_shl(separators.trailing_zeros()).unwrap_or(0);
    (bytes | behind).swap_bytes()
}

/// Suffixes by their first bytes.
pub struct Buckets {
    /// Ascending in each bucket, with the bytes behind those that it shares.
    pub suffixes: Vec<Suffix>,
    /// Where each bucket ends, in the order of the bytes.
    pub ends: Vec<u32>,
    /// How many bytes those of a bucket share.
    pub depth: usize,
}

/// First bytes of suffixes as numbers, in their order.
struct Codes {
    /// Of each byte that occurs.
    numbers: [u32; 256],
    bits: u32,
    depth: usize,
}

impl Buckets {
    /// The suffixes of so many bytes that begin a character.
    pub fn of(values: &Values, least: usize, monitor: &Monitor) -> Result<Self> {
        let codes = Codes::of(values, least, monitor)?;
        let Codes { bits, depth, .. } = codes;
        let mut ends = vec![0_u32; (1 << (bits * depth as u32)) + 1];
        codes.each(values, least, monitor, |_, _, bucket| ends[bucket + 1] += 1)?;
        for bucket in 1..ends.len() {
            ends[bucket] += ends[bucket - 1];
        }
        let mut suffixes = vec![Suffix::default(); ends[ends.len() - 1] as usize];
        codes.each(values, least, monitor, |start, value, bucket| {
            let next = &mut ends[bucket];
            let key = key(&values.bytes, start + depth);
            suffixes[*next as usize] = Suffix { key, start: start as u32, value };
            *next += 1;
        })?;
        // Each is now where the next one began.
        ends.pop();
        Ok(Self { suffixes, ends, depth })
    }
}

impl Codes {
    fn of(values: &Values, least: usize, monitor: &Monitor) -> Result<Self> {
        let mut occur = [false; 256];
        for piece in values.bytes.chunks(BLOCK) {
            monitor.check()?;
            for &byte in piece {
                occur[usize::from(byte)] = true;
            }
        }
        occur[usize::from(SEPARATOR)] = false;
        let mut distinct = 0_u32;
        let numbers = occur.map(|occurs| {
            distinct += u32::from(occurs);
            distinct.saturating_sub(1)
        });
        let bits = (u32::BITS - distinct.saturating_sub(1).leading_zeros()).max(1);
        Ok(Self { numbers, bits, depth: least.min((BUCKETS / bits) as usize) })
    }

    /// Gives the suffixes of [`Buckets`] in the order of the text: where each starts, its value and
    /// its bucket.
    fn each(
        &self,
        values: &Values,
        least: usize,
        monitor: &Monitor,
        mut give: impl FnMut(usize, u32, usize),
    ) -> Result<()> {
        let text = &values.bytes[..];
        let mask = (1 << (self.bits * self.depth as u32)) - 1;
        let mut looked = 0;
        for (value, (start, end)) in (0..).zip(values.spans()) {
            looked += end - start;
            if looked > BLOCK {
                monitor.check()?;
                looked = 0;
            }
            if end - start < least {
                continue;
            }
            let mut code = 0;
            for (nth, &byte) in text[start..end - least + self.depth].iter().enumerate() {
                code = (code << self.bits | self.numbers[usize::from(byte)]) & mask;
                let Some(nth) = (nth + 1).checked_sub(self.depth) else { continue };
                if !continues(text[start + nth]) {
                    give(start + nth, value, code as usize);
                }
            }
        }
        Ok(())
    }
}
