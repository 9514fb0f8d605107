//! What `bowstring.matches` asks of an index.

use std::collections::HashSet;

use bowstring::{Boundary, MatchOptions, Patterns};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::Table;
use crate::detached::{run, run_sized};
use crate::index::{Index, Queries};

/// Symbols of a text whose matches are found on the calling thread.
const SHORT: usize = 4096;

/// A table of a row a match. Words bound them if `words`, tokens that begin one if those are given.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn matches(
    py: Python<'_>,
    index: &Index,
    texts: Queries,
    min_length: usize,
    max_count: Option<u64>,
    words: bool,
    word_starts: Option<HashSet<u32>>,
    delimiters: HashSet<u32>,
    density: Option<f64>,
    threads: Option<usize>,
) -> PyResult<Table> {
    let boundary = match word_starts {
        Some(starts) => Boundary::Tokens(starts),
        None if words => Boundary::Word,
        None => Boundary::Symbol,
    };
    let options = MatchOptions { min_length, max_count, boundary, delimiters, density };
    let index = index.kernel();
    let many = texts.many();
    let length = |texts: &Patterns| texts.get(0).map_or(0, |text| text.len());
    let short = matches!(&texts, Queries::One(text) if length(text) <= SHORT);
    run_sized(py, short, threads, move |monitor| {
        arrow::matches(index.matches(&texts.read()?, &options, monitor)?, many)
    })
    .map(Table)
}

/// A table of a row a text and length.
#[pyfunction]
pub fn coverage(
    py: Python<'_>,
    index: &Index,
    texts: Queries,
    lengths: Vec<u64>,
    words: bool,
    threads: Option<usize>,
) -> PyResult<Table> {
    let index = index.kernel();
    let many = texts.many();
    run(py, threads, move |monitor| {
        arrow::coverage(index.coverage(&texts.read()?, &lengths, words, monitor)?, many)
    })
    .map(Table)
}
