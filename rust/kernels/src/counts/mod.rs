//! Sparse counts of n-grams, and what is made of them.
//!
//! Rows are cut into tokens once (`tokenise`), tokens numbered in the order of their strings, and
//! n-grams by sorting windows of numbers (`ngrams`); everything else counts numbers.

mod characters;
pub mod cooccurrence;
mod csr;
mod hashed;
mod intern;
pub mod kneser_ney;
pub mod lexicon;
mod ngrams;
pub mod rank;
mod run;
mod tokenise;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use characters::{Characters, Ranges};
pub use csr::{Counted, Frequencies, Matrix};
pub use hashed::{Grams, Hash, HashedShard, join_hashed, murmur3};
pub use ngrams::{MAX_ORDER, Orders};
pub use run::{Run, merge_runs};
pub use tokenise::{Analyzer, Reader, Sequence, Shard, Tokeniser, each, join};
pub use vocabulary::{Spelling, Vocabulary};
