//! Integers of a fixed number of bits, side by side.

use super::{bits_at, mask, whole_block};
use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::Result;

/// Bits that numbers up to `most` take.
pub fn width_of(most: u64) -> usize {
    (u64::BITS - most.leading_zeros()) as usize
}

/// Integers of `width` bits.
#[derive(Debug)]
pub struct Packed {
    words: Block<u64>,
    width: usize,
}

impl Packed {
    /// `length` zeros.
    pub fn zeros(length: usize, width: usize) -> Self {
        Self { words: vec![0; (length * width).div_ceil(64)].into(), width }
    }

    /// These numbers.
    pub fn new(numbers: &[u32], width: usize) -> Self {
        let mut packed = Self::zeros(numbers.len(), width);
        for (at, &number) in numbers.iter().enumerate() {
            packed.set(at, number.into());
        }
        packed
    }

    /// Writes a number where a 0 is.
    pub fn set(&mut self, at: usize, number: u64) {
        let (first, shift) = (at * self.width / 64, at * self.width % 64);
        let number = number & mask(self.width);
        let words = self.words.items_mut();
        // Of no width there are no words, and no number but 0.
        if let Some(word) = words.get_mut(first) {
            *word |= number << shift;
        }
        if shift + self.width > 64 {
            words[first + 1] |= number >> (64 - shift);
        }
    }

    /// The number at a place; 0 outside.
    #[inline]
    pub fn get(&self, at: usize) -> u64 {
        at.checked_mul(self.width).map_or(0, |bit| bits_at(&self.words, bit, self.width))
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    /// What is to be written.
    pub fn block(&self, name: &str) -> BlockToWrite<'_> {
        BlockToWrite::new(name.to_owned(), "u64", &self.words)
    }

    /// What [`Packed::block`] wrote, of `length` numbers of `width` bits.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] if the block is not there.
    pub fn open(file: &SegmentFile, name: &str, width: usize) -> Result<Self> {
        Ok(Self { words: whole_block(file, name, "u64")?, width: width.min(64) })
    }
}
