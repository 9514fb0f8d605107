//! Suffix arrays: every suffix of a text in sorted order, so that the suffixes that start with a
//! pattern are one range of ranks (Manber and Myers 1993).
//!
//! Beside the array stand the *keys*: the first eight bytes of every [`STRIDE`]-th suffix in
//! order, small enough to stay in cache. A search starts among them, and only its last steps
//! touch the array and the text, each a cache miss.

mod build;
mod search;

pub use build::{keys, sort};
pub use search::SuffixArray;

/// Suffixes for each key.
pub const STRIDE: usize = 128;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;
