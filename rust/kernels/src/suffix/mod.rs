//! Suffix arrays: every suffix of a text in sorted order, so that the suffixes that start with a
//! pattern are one range of ranks (Manber and Myers 1993).
//!
//! Beside the array stand the [`keys`]: a tree over every [`STRIDE`](keys::STRIDE)-th suffix,
//! small enough to stay in cache. A search starts there, and only its last steps touch the array
//! and the text, each a cache miss.

mod branches;
mod build;
pub mod copies;
pub mod keys;
pub mod lcp;
mod search;

pub use branches::{Sorted, following, runs};
pub use build::sort;
pub use search::SuffixArray;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;
