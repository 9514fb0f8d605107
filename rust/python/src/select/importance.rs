//! What `bowstring.select.importance` asks.

use std::sync::Arc;

use arrow_array::Float64Array;
use bowstring::pool;
use bowstring::select::importance as kernel;
use bowstring::select::importance::Learning;
use bowstring_arrow::select as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column};
use crate::detached::{run, run_reporting};

/// Ranked sources of queries, and what each is worth to its query.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Retrievals(Arc<kernel::Retrievals>);

fn array(numbers: Vec<f64>) -> Array {
    Array(Arc::new(Float64Array::from(numbers)))
}

#[pymethods]
impl Retrievals {
    #[staticmethod]
    fn of(
        py: Python<'_>,
        starts: Column,
        sources: Column,
        utilities: Column,
        count: usize,
    ) -> PyResult<Self> {
        run(py, Some(1), move |_| {
            let starts = arrow::read_starts("query", starts.chunks())?;
            let sources = arrow::read_places("source", sources.chunks())?;
            let utilities = arrow::read_floats("utility", utilities.chunks())?;
            kernel::Retrievals::new(starts, sources, utilities, count)
        })
        .map(|found| Self(Arc::new(found)))
    }

    /// What more of each source adds to the expected utility.
    fn gradient(
        &self,
        py: Python<'_>,
        weights: Column,
        k: usize,
        threads: Option<usize>,
    ) -> PyResult<Array> {
        let held = Arc::clone(&self.0);
        run(py, threads, move |monitor| {
            let weights = arrow::read_floats("weights", weights.chunks())?;
            kernel::gradient(&held, &weights, k, monitor)
        })
        .map(array)
    }

    /// The expected utility.
    fn utility(
        &self,
        py: Python<'_>,
        weights: Column,
        k: usize,
        threads: Option<usize>,
    ) -> PyResult<f64> {
        let held = Arc::clone(&self.0);
        run(py, threads, move |monitor| {
            let weights = arrow::read_floats("weights", weights.chunks())?;
            kernel::utility(&held, &weights, k, monitor)
        })
    }

    /// Weights that follow the gradient.
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    #[pyo3(signature = (weights, groups, k, steps, rate, threads, progress))]
    fn learn(
        &self,
        py: Python<'_>,
        weights: Column,
        groups: Option<Column>,
        k: usize,
        steps: usize,
        rate: f64,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Array> {
        let held = Arc::clone(&self.0);
        run_reporting(py, progress, move |monitor| {
            let weights = arrow::read_floats("weights", weights.chunks())?;
            let groups = groups.map(|groups| arrow::read_places("groups", groups.chunks()));
            let groups = groups.transpose()?;
            let learning = Learning { k, steps, rate };
            pool(threads)?
                .install(|| kernel::learn(&held, weights, groups.as_deref(), learning, &monitor))
        })
        .map(array)
    }

    /// The utility with all sources, and after each rank of them is dropped.
    fn drop_path(&self, py: Python<'_>, ranks: Column, k: usize) -> PyResult<Array> {
        let held = Arc::clone(&self.0);
        run(py, Some(1), move |monitor| {
            let ranks = arrow::read_places("ranks", ranks.chunks())?;
            kernel::drop_path(&held, &ranks, k, monitor)
        })
        .map(array)
    }
}
