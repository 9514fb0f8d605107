//! Arrow arrays into rows of symbols, and answers into Arrow tables. Knows no Python.

mod column;
mod counts;
mod results;

pub use column::{column_of, push_array, read_numbers, read_patterns};
pub use counts::{read_booleans, read_given, read_rows};
pub use results::{
    contexts, counts, distributions, found, matches, order_counts, predictions, probabilities,
    row_counts, scores, spans, symbols,
};
