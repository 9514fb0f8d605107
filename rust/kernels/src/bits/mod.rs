//! Bit vectors with rank, and packed integers: what compressed indexes are made of. All of them are
//! flat numbers, so that they are asked where they lie in a file.
//!
//! Nothing read from a file is trusted: a place outside of what there is answers 0.

mod hybrid;
mod packed;
mod plain;

pub use hybrid::Hybrid;
pub use packed::{Packed, width_of};
pub use plain::Plain;

use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::Result;

#[cfg(test)]
mod tests;

/// Bits gathered one by one.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    length: usize,
}

impl Bits {
    /// Number of bits.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets all bits.
    pub fn clear(&mut self) {
        self.words.clear();
        self.length = 0;
    }

    /// Adds a bit.
    pub fn push(&mut self, bit: bool) {
        if self.length.is_multiple_of(64) {
            self.words.push(0);
        }
        if let Some(last) = self.words.last_mut() {
            *last |= u64::from(bit) << (self.length % 64);
        }
        self.length += 1;
    }

    /// Up to 64 bits from a place on, the first one lowest; zeros behind the last one.
    pub fn get(&self, at: usize, count: usize) -> u64 {
        bits_at(&self.words, at, count)
    }
}

/// `count` bits, 64 at most, of words from bit `at` on; zeros behind the last word.
fn bits_at(words: &[u64], at: usize, count: usize) -> u64 {
    let word = |nth: usize| words.get(nth).copied().unwrap_or(0);
    let (first, shift) = (at / 64, at % 64);
    let low = word(first) >> shift;
    let high = if shift == 0 { 0 } else { word(first + 1) << (64 - shift) };
    (low | high) & mask(count)
}

/// Asks memory for a place, and does not wait.
#[inline]
pub(crate) fn prefetch<T>(items: &[T], at: usize) {
    if let Some(item) = items.get(at) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 has the instruction, and it is a hint: nothing is read.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        std::hint::black_box(std::ptr::from_ref(item));
    }
}

/// The lowest `count` bits set.
#[inline]
fn mask(count: usize) -> u64 {
    1_u64.checked_shl(count as u32).map_or(u64::MAX, |bit| bit - 1)
}

/// Where a stream of bits starts within a [`BitVector`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// The number of its first head or line.
    pub head: u32,
    /// The number of its first eight bytes of what varies in size.
    pub tail: u32,
}

/// Bits a stream, at most.
pub const STREAM: usize = (1 << 24) - 1;

/// Streams of bits, each asked by itself: what is at a place, and how many ones are before it.
pub trait BitVector: Sized + Send + Sync + std::fmt::Debug {
    /// Takes streams, one after another.
    type Builder: Default;

    /// Adds a stream of [`STREAM`] bits at most; gives where it starts.
    fn push(builder: &mut Self::Builder, bits: &Bits) -> Stream;

    /// What was added.
    fn build(builder: Self::Builder) -> Self;

    /// A place, and where it is read.
    type Spot: Copy + Default;

    /// Where a place is read; asks memory for what says it.
    fn spot(&self, stream: Stream, at: usize) -> Self::Spot;

    /// Finds what [`BitVector::read`] will read, and asks memory for it. Between the three, what other
    /// places need can be asked for: their misses overlap.
    fn settle(&self, spot: &mut Self::Spot);

    /// Between which numbers the bits probably are that are set before a settled place: known before
    /// it is read.
    fn about(&self, spot: &Self::Spot) -> [usize; 2];

    /// Whether the bit there is set, and how many are before it.
    fn read(&self, spot: Self::Spot) -> (bool, usize);

    /// Whether the bit at a place is set, and how many are before it.
    #[inline]
    fn get(&self, stream: Stream, at: usize) -> (bool, usize) {
        let mut spot = self.spot(stream, at);
        self.settle(&mut spot);
        self.read(spot)
    }

    /// How many bits are set before a place.
    #[inline]
    fn rank(&self, stream: Stream, at: usize) -> usize {
        self.get(stream, at).1
    }

    /// Bytes it takes.
    fn bytes(&self) -> usize;

    /// What is to be written of it, the blocks' names starting with `name`.
    fn blocks(&self, name: &str) -> Vec<BlockToWrite<'_>>;

    /// What [`BitVector::blocks`] wrote.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] if the blocks are not there.
    fn open(file: &SegmentFile, name: &str) -> Result<Self>;
}

/// A block of the file of whatever length, as the file states it.
fn whole_block<T: bytemuck::Pod>(file: &SegmentFile, name: &str, dtype: &str) -> Result<Block<T>> {
    file.block(name, dtype, file.length(name) / size_of::<T>())
}
