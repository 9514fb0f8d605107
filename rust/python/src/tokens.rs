//! What `bowstring.tokens` asks of the kernels.

use std::sync::Arc;

use arrow_array::UInt32Array;
use bowstring::tokens::{Splitting, Vocabulary};
use bowstring::{Error, pool};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column};
use crate::detached::{run, run_reporting};
use crate::duplicates::read;

/// What tokens are made of, and what they split into.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Splits(Arc<Vocabulary>);

#[pymethods]
impl Splits {
    /// Of the bytes of each token by its number, null where there is none, and which never split.
    #[staticmethod]
    fn of(py: Python<'_>, tokens: Column, whole: Column) -> PyResult<Self> {
        run(py, Some(1), move |monitor| {
            let tokens = read(tokens)?;
            let whole = arrow::read_booleans("whole", whole.chunks())?;
            Vocabulary::new(tokens, &whole, monitor).map(Arc::new)
        })
        .map(Self)
    }

    /// Numbers of tokens.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// `token, left, right` of every pair.
    fn pairs(&self) -> (Array, Array, Array) {
        let mut columns: [Vec<u32>; 3] = Default::default();
        for (token, left, right) in self.0.all_pairs() {
            for (column, value) in columns.iter_mut().zip([token, left, right]) {
                column.push(value);
            }
        }
        let [token, left, right] = columns.map(|column| Array(Arc::new(UInt32Array::from(column))));
        (token, left, right)
    }

    /// Lists of tokens, split at random.
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    #[pyo3(signature = (rows, proportion, most, seed, first_row, threads, progress))]
    fn split(
        &self,
        py: Python<'_>,
        rows: Column,
        proportion: f64,
        most: Option<u64>,
        seed: u64,
        first_row: u64,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Array> {
        let vocabulary = Arc::clone(&self.0);
        run_reporting(py, progress, move |monitor| {
            let most = most.unwrap_or(u64::MAX);
            let splitting = Splitting { proportion, most, seed, first_row };
            let rows = read_tokens(rows)?;
            let found = pool(threads)?.install(|| vocabulary.split(&rows, splitting, &monitor))?;
            arrow::symbols(found)
        })
        .map(Array)
    }

    /// The bytes of each row of tokens.
    #[pyo3(signature = (rows, threads, progress))]
    fn merge(
        &self,
        py: Python<'_>,
        rows: Column,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Array> {
        let vocabulary = Arc::clone(&self.0);
        run_reporting(py, progress, move |monitor| {
            let rows = read_tokens(rows)?;
            let found = pool(threads)?.install(|| vocabulary.merge(&rows, &monitor))?;
            arrow::symbols(found)
        })
        .map(Array)
    }
}

fn read_tokens(rows: Column) -> bowstring::Result<bowstring::Patterns> {
    match arrow::column_of(&rows.data_type)? {
        bowstring::Column::Tokens => read(rows),
        _ => Err(Error::UnsupportedType(format!(
            "tokens is a column of {}: give lists of token numbers",
            rows.data_type
        ))),
    }
}
