//! What `bowstring.matches` asks of an index.

use std::collections::HashSet;

use bowstring::{Boundary, MatchOptions, Monitor, Patterns};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::Table;
use crate::detached::{run, run_short};
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
    let ask = move |texts: &Patterns, monitor: &Monitor| {
        arrow::matches(index.matches(texts, &options, monitor)?, many)
    };
    match texts {
        Queries::One(text) if text.get(0).is_none_or(|text| text.len() <= SHORT) => {
            run_short(py, || ask(&text, &Monitor::default()))
        }
        texts => run(py, threads, move |monitor| ask(&texts.read()?, monitor)),
    }
    .map(Table)
}
