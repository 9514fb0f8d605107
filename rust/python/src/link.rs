//! What `bowstring.link` asks.

use bowstring::clean::link::evidence::Evidence as Weighed;
use bowstring::clean::link::{Linkage as Linked, Options, Relation};
use bowstring::{Error, Patterns, Result, pool};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Column, Table};
use crate::detached::{run_reporting, run_short};
use crate::error::to_python;

pub(crate) fn read(column: Column) -> Result<Patterns> {
    let data_type = column.data_type.clone();
    arrow::read_patterns(&data_type, column.chunks())
}

fn relation(name: &str) -> Result<Relation> {
    match name {
        "best" => Ok(Relation::Best),
        "one_to_one" => Ok(Relation::OneToOne),
        "many" => Ok(Relation::Many),
        other => Err(Error::InvalidInput(format!(
            "relation is '{other}': give 'best', 'one_to_one' or 'many'"
        ))),
    }
}

fn options(
    name: &str,
    candidates: usize,
    min_cosine: f64,
    threshold: Option<f64>,
    symmetric: bool,
    memory: Option<u64>,
) -> Result<Options> {
    let relation = relation(name)?;
    Ok(Options { relation, candidates, least: min_cosine as f32, threshold, symmetric, memory })
}

/// Two columns of names, linked.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Linkage(Linked);

#[pymethods]
impl Linkage {
    fn pairs(&self, py: Python<'_>) -> PyResult<Table> {
        run_short(py, || arrow::pairs(self.0.pairs.clone(), None)).map(Table)
    }

    fn threshold(&self) -> f64 {
        self.0.threshold
    }

    fn explain(&self, py: Python<'_>, left: u64, right: u64) -> PyResult<(f64, f64, Table)> {
        run_short(py, || {
            let found = self.0.explain(left, right)?;
            Ok((found.score, found.grams, Table(arrow::explanation(&found)?)))
        })
    }
}

/// The rows of two tables, linked by the evidence of their columns.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Evidence(Weighed);

#[pymethods]
impl Evidence {
    fn pairs(&self, py: Python<'_>) -> PyResult<Table> {
        let bits = Some(self.0.bits.clone());
        run_short(py, || arrow::pairs(self.0.pairs.clone(), bits)).map(Table)
    }

    fn threshold(&self) -> f64 {
        self.0.threshold
    }

    fn prior(&self) -> f64 {
        self.0.prior
    }

    fn agreements(&self, py: Python<'_>) -> PyResult<Table> {
        run_short(py, || arrow::agreements(&self.0.agreements)).map(Table)
    }

    fn explain(&self, py: Python<'_>, left: u64, right: u64) -> PyResult<Table> {
        run_short(py, || arrow::evidence(&self.0.explain(left, right)?)).map(Table)
    }
}

/// Links two columns, or one with itself.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn link(
    py: Python<'_>,
    left: Column,
    right: Option<Column>,
    relation: &str,
    candidates: usize,
    min_cosine: f64,
    threshold: Option<f64>,
    symmetric: bool,
    memory: Option<u64>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Linkage> {
    let options = options(relation, candidates, min_cosine, threshold, symmetric, memory)
        .map_err(|error| to_python(py, &error))?;
    run_reporting(py, progress, move |monitor| {
        let (left, right) = (read(left)?, right.map(read).transpose()?);
        pool(threads)?.install(|| Linked::new(&left, right.as_ref(), &options, &monitor))
    })
    .map(Linkage)
}

/// Links the rows of two tables, or of one with itself, by several columns.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn link_columns(
    py: Python<'_>,
    left: Vec<Column>,
    right: Option<Vec<Column>>,
    relation: &str,
    candidates: usize,
    min_cosine: f64,
    threshold: Option<f64>,
    memory: Option<u64>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Evidence> {
    let options = options(relation, candidates, min_cosine, threshold, true, memory)
        .map_err(|error| to_python(py, &error))?;
    run_reporting(py, progress, move |monitor| {
        let read_all = |columns: Vec<Column>| columns.into_iter().map(read).collect();
        let left: Vec<Patterns> = read_all(left)?;
        let right: Option<Vec<Patterns>> = right.map(read_all).transpose()?;
        pool(threads)?.install(|| Weighed::new(&left, right.as_deref(), &options, &monitor))
    })
    .map(Evidence)
}
