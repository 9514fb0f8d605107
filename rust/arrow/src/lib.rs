//! Arrow arrays into rows of symbols, and answers into Arrow tables. Knows no Python.

mod clean;
mod column;
mod counts;
pub mod hamming;
mod results;
pub mod select;

pub use clean::{agreements, evidence, explanation, extracted, held, keys, pairs};
pub use column::{column_of, push_array, read_numbers, read_patterns};
pub use counts::{read_booleans, read_given, read_rows};
pub use results::{
    contamination, contexts, counts, coverage, distributions, duplicates, found, matches, optional,
    order_counts, predictions, probabilities, removals, repetition, row_counts, scores, shared,
    spans, symbols,
};
