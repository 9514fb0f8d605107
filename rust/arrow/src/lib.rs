//! Arrow arrays into rows of symbols, and answers into Arrow tables. Knows no Python.

mod clean;
mod column;
mod results;

pub use clean::{agreements, evidence, explanation, extracted, held, keys, pairs};
pub use column::{column_of, push_array, read_numbers, read_patterns};
pub use results::{
    contexts, counts, distributions, found, matches, order_counts, predictions, probabilities,
    row_counts, scores, spans, symbols,
};
