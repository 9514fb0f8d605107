//! What `bowstring.interop.infini_gram` asks of an index.

use std::path::PathBuf;

use bowstring::{Index as Kernel, Ranks};
use pyo3::prelude::*;

use crate::detached::{run, run_short};
use crate::index::Index;

/// An index that infini-gram wrote.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub fn open_infini_gram(
    py: Python<'_>,
    directories: Vec<PathBuf>,
    width: Option<usize>,
) -> PyResult<Index> {
    run_short(py, || Kernel::open_infini_gram(&directories, width)).map(Index::new)
}

/// `(start, end)` of the ranks of a text in each segment.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub fn segment_ranks(py: Python<'_>, index: &Index, text: Vec<u32>) -> PyResult<Vec<(u64, u64)>> {
    let index = index.kernel();
    let ranks = run_short(py, || index.segment_ranks(&text))?;
    Ok(ranks.into_iter().map(|ranks| (ranks.start, ranks.end)).collect())
}

/// The positions of suffixes of a segment, in the order of their ranks.
#[pyfunction]
pub fn segment_positions(
    py: Python<'_>,
    index: &Index,
    segment: usize,
    start: u64,
    end: u64,
) -> PyResult<Vec<u64>> {
    let index = index.kernel();
    run_short(py, || index.segment_positions(segment, Ranks { start, end }))
}

/// What follows a text in a segment, and how often; None for the end of a row.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub fn segment_continuations(
    py: Python<'_>,
    index: &Index,
    segment: usize,
    text: Vec<u32>,
) -> PyResult<Vec<(Option<u32>, u64)>> {
    let index = index.kernel();
    run_short(py, || index.segment_continuations(segment, &text))
}

/// The row at a position of a segment, and `(start, stop)` of its symbols there.
#[pyfunction]
pub fn segment_row(
    py: Python<'_>,
    index: &Index,
    segment: usize,
    position: u64,
) -> PyResult<(u64, u64, u64)> {
    let index = index.kernel();
    let (row, span) = run_short(py, || index.segment_row(segment, position))?;
    Ok((row.0, span.start, span.end))
}

/// The first positions in each segment of the stretches that hold a text of each clause.
#[pyfunction]
pub fn segment_stretches(
    py: Python<'_>,
    index: &Index,
    clauses: Vec<Vec<Vec<u32>>>,
    reach: u64,
) -> PyResult<Vec<Vec<u64>>> {
    let index = index.kernel();
    run(py, None, move |monitor| index.segment_stretches(&clauses, reach, monitor))
}
