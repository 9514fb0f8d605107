//! What `bowstring.repetition` asks of rows.

use bowstring::repetition::{
    Definition, GivenWords, loops as loops_of, repetition as repetition_of,
};
use bowstring::{Error, pool};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Column, Table};
use crate::detached::run_reporting;
use crate::duplicates::read;

/// A table of a row a row.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (column, words, lengths, definition, filter, threads, progress))]
pub fn repetition(
    py: Python<'_>,
    column: Column,
    words: Option<Column>,
    lengths: Option<Column>,
    definition: String,
    filter: bool,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    run_reporting(py, progress, move |monitor| {
        let definition = match definition.as_str() {
            "datatrove" => Definition::Datatrove,
            "dolma" => Definition::Dolma,
            "nemo" => Definition::Nemo,
            other => {
                return Err(Error::InvalidInput(format!(
                    "definition is {other:?}: give \"datatrove\", \"dolma\" or \"nemo\""
                )));
            }
        };
        let rows = read(column)?;
        let given = match (words, lengths) {
            (Some(words), Some(lengths)) => {
                let words = read(words)?;
                let mut end = 0;
                let lengths = arrow::read_numbers("words", lengths.chunks())?;
                let ends = lengths.into_iter().map(|length| {
                    end += length.unwrap_or(0) as usize;
                    end
                });
                Some(GivenWords { words, ends: ends.collect() })
            }
            _ => None,
        };
        pool(threads)?.install(|| {
            let found = repetition_of(&rows, given.as_ref(), definition, !filter, &monitor)?;
            arrow::repetition(&found, filter)
        })
    })
    .map(Table)
}

/// A table of a row a loop.
#[pyfunction]
#[pyo3(signature = (column, min_length, min_times, threads, progress))]
pub fn loops(
    py: Python<'_>,
    column: Column,
    min_length: u64,
    min_times: f64,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    run_reporting(py, progress, move |monitor| {
        let rows = read(column)?;
        pool(threads)?.install(|| arrow::loops(loops_of(&rows, min_length, min_times, &monitor)?))
    })
    .map(Table)
}
