//! Hamming distances of a pattern to every window of a text: exact, bounded and approximate.
//!
//! For a text T of n symbols and a pattern P of m, the distance at shift i is the number of
//! positions j with `T[i + j] ≠ P[j]`. A window mismatches where it does not match, and matches add
//! up over the symbols of the pattern; so each symbol is counted by the kernel that costs least for
//! it ([`Plan`]), and their matches are taken off m:
//!
//! | kernel | a window costs | for |
//! |---|---|---|
//! | `direct` | a byte lane of an instruction a position | short patterns |
//! | `sliced` | a bit lane of a few instructions a position | middle lengths |
//! | `fft` | a transform a symbol, whatever the length | frequent symbols of long patterns |
//! | `lists` | a pair of occurrences in text and pattern | rare symbols |
//!
//! Transforms of the symbols that occur more than about √m times and lists of the others give the
//! O(n √(m log m)) of Abrahamson (1987) and of Fischer and Paterson (1974).

mod approximate;
mod bounded;
mod direct;
mod distances;
mod fft;
mod lists;
mod plan;
mod prepare;
mod probe;
mod simd;
mod sliced;
mod sumset;

pub use approximate::{Approximate, Approximation, Guarantee};
pub use bounded::{Windows, WithinOptions, nearest};
pub use distances::{Distances, Hamming, Options};
pub use plan::{Method, Plan, Step};
pub use prepare::Equality;
pub use simd::Simd;
pub use sumset::{Engine, Sums, count_pairs, sums};

use rayon::prelude::*;

use crate::error::Result;
use crate::interrupt::Monitor;

/// A number of symbols, as wide as the pattern needs.
pub trait Count: Copy + Send + Sync + Default + std::fmt::Debug {
    /// The number, which fits.
    fn of(number: usize) -> Self;
    /// The number.
    fn number(self) -> usize;
    /// Less by so many. What is right at the end may be below zero on the way, and wraps.
    #[must_use]
    fn minus(self, less: usize) -> Self;
    /// Less by a number that may be negative.
    #[must_use]
    fn minus_signed(self, less: i32) -> Self;
}

macro_rules! count {
    ($type:ty) => {
        impl Count for $type {
            #[inline(always)]
            fn of(number: usize) -> Self {
                number as Self
            }

            #[inline(always)]
            fn number(self) -> usize {
                self as usize
            }

            #[inline(always)]
            fn minus(self, less: usize) -> Self {
                self.wrapping_sub(less as Self)
            }

            #[inline(always)]
            fn minus_signed(self, less: i32) -> Self {
                self.wrapping_sub(less as Self)
            }
        }
    };
}

count!(u8);
count!(u16);
count!(u32);

/// Works on a slice in chunks side by side, each told where it starts; on one where the caller is.
fn each_chunk<T: Send>(
    items: &mut [T],
    size: usize,
    monitor: &Monitor,
    work: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    let checked = |(number, chunk): (usize, &mut [T])| {
        monitor.check().and_then(|()| work(number * size, chunk))
    };
    if items.len() <= size {
        return items.chunks_mut(size).enumerate().try_for_each(checked);
    }
    items.par_chunks_mut(size).enumerate().try_for_each(checked)
}

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;
