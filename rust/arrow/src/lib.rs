//! Arrow arrays into rows of symbols, and answers into Arrow tables. Knows no Python.

mod column;
pub mod hamming;
mod results;

pub use column::{column_of, push_array, read_numbers, read_patterns};
pub use results::{
    contexts, counts, distributions, found, matches, order_counts, predictions, probabilities,
    row_counts, scores, spans, symbols,
};
