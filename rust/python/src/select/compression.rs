//! What `bowstring.select` asks of compressors.

use bowstring::select::compression::{Compressor, align as align_rows, distance_matrix, distances};
use bowstring::select::order::best;
use bowstring::{Error, Pattern, Patterns, Result, pool};
use bowstring_arrow::select::{floats, matrix, ranked};
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::detached::run_reporting;
use crate::duplicates::read;

/// A name and a level.
type Named = (String, Option<u32>);

/// All texts of a column as one.
fn joined(texts: &Patterns) -> Result<Patterns> {
    let mut all = vec![];
    for (_, text) in texts.valid() {
        match text {
            Pattern::Bytes(bytes) => all.extend_from_slice(bytes),
            Pattern::Tokens(_) => {
                return Err(Error::UnsupportedType(
                    "target is a column of tokens, which compressors do not know: give text or \
                     bytes"
                        .into(),
                ));
            }
        }
    }
    Ok(if texts.valid().next().is_none() {
        Patterns::bytes()
    } else {
        Patterns::one(Pattern::Bytes(&all))
    })
}

/// `row, score, rank` of the rows that align best with a target.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (candidates, target, k, compressor, concatenate, threads, progress))]
pub fn align(
    py: Python<'_>,
    candidates: Column,
    target: Column,
    k: Option<usize>,
    compressor: Named,
    concatenate: bool,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    run_reporting(py, progress, move |monitor| {
        let compressor = Compressor::named(&compressor.0, compressor.1)?;
        let (candidates, mut target) = (read(candidates)?, read(target)?);
        if concatenate {
            target = joined(&target)?;
        }
        let scores =
            pool(threads)?.install(|| align_rows(&candidates, &target, compressor, &monitor))?;
        ranked(best(&scores, &scores, k)?, "score")
    })
    .map(Table)
}

/// Distances of every row of one column to every row of another, a list a row; or of pairs.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (a, b, pairs, compressor, threads, progress))]
pub fn ncd(
    py: Python<'_>,
    a: Column,
    b: Column,
    pairs: bool,
    compressor: Named,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Array> {
    run_reporting(py, progress, move |monitor| {
        let compressor = Compressor::named(&compressor.0, compressor.1)?;
        let (a, b) = (read(a)?, read(b)?);
        pool(threads)?.install(|| {
            if pairs {
                return distances(&a, &b, compressor, &monitor).map(floats);
            }
            let found = distance_matrix(&a, &b, compressor, &monitor)?;
            matrix(found, a.len(), b.len(), a.nulls())
        })
    })
    .map(Array)
}
