//! What `bowstring.select.submodular` asks.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Float64Array, Int64Array, UInt32Array, UInt64Array};
use bowstring::select::submodular as kernel;
use bowstring::select::submodular::{
    Concave, Costs, Distance, Function, Matrix, Measure, Method, Options, Problem, Sought,
};
use bowstring::{Error, Monitor, Phase, Result, pool};
use bowstring_arrow::select as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::detached::{run, run_reporting};

/// Where rows start, columns, values and width of sparse rows; without the first two of dense ones.
pub type Rows = (Option<Column>, Option<Column>, Column, usize);

pub fn matrix((starts, columns, values, width): Rows) -> Result<Matrix> {
    match (starts, columns) {
        (Some(starts), Some(columns)) => {
            arrow::read_sparse(starts.chunks(), columns.chunks(), values.chunks(), width)
        }
        _ => arrow::read_dense(values.chunks(), width),
    }
}

fn measure(name: &str) -> Option<Measure> {
    match name {
        "cosine" => Some(Measure::Cosine),
        "dot" => Some(Measure::Dot),
        "euclidean" => Some(Measure::Euclidean),
        _ => None,
    }
}

pub fn floats(name: &str, column: Option<Column>) -> Result<Option<Vec<f64>>> {
    column.map(|column| arrow::read_floats(name, column.chunks())).transpose()
}

/// Function, its shape and parameter, as Python names them.
type Asked = (String, String, f64);

fn function((name, shape, parameter): &Asked) -> Result<Function> {
    Ok(match name.as_str() {
        "facility_location" => Function::FacilityLocation,
        "graph_cut" => Function::GraphCut { lambda: *parameter },
        "max_coverage" => Function::MaxCoverage,
        _ => Function::FeatureBased(concave(shape, *parameter)?),
    })
}

fn concave(shape: &str, parameter: f64) -> Result<Concave> {
    Ok(match shape {
        "sqrt" => Concave::Sqrt,
        "log" => Concave::Log,
        "inverse" => Concave::Inverse,
        "saturate" => Concave::Saturate { most: parameter },
        other => {
            return Err(Error::InvalidInput(format!(
                "concave is {other:?}; give \"sqrt\", \"log\", \"inverse\" or \"saturate\""
            )));
        }
    })
}

/// How the best row is found: the method, and what stochastic greedy needs.
fn method(name: &str, epsilon: f64, seed: u64) -> Result<Method> {
    Ok(match name {
        "lazy" => Method::Lazy,
        "naive" => Method::Naive,
        "stochastic" => Method::Stochastic { epsilon, seed },
        other => {
            return Err(Error::InvalidInput(format!(
                "method is {other:?}; give \"lazy\", \"stochastic\" or \"naive\""
            )));
        }
    })
}

/// Rows that maximise a function: `row, gain, rank`.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (data, function, similarity, neighbours, weights, k, costs, budget, initial, method, epsilon, seed, min_gain, partitions, merge, threads, progress))]
pub fn select_rows(
    py: Python<'_>,
    data: Rows,
    function: Asked,
    similarity: String,
    neighbours: Option<usize>,
    weights: Option<Column>,
    k: Option<usize>,
    costs: Option<Column>,
    budget: Option<f64>,
    initial: Column,
    method: String,
    epsilon: f64,
    seed: u64,
    min_gain: Option<f64>,
    partitions: usize,
    merge: bool,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    run_reporting(py, progress, move |monitor| {
        monitor.enter(Phase::Reading, 0, None);
        let problem = Problem {
            function: self::function(&function)?,
            data: matrix(data)?,
            measure: measure(&similarity),
            neighbours,
            weights: floats("weights", weights)?,
        };
        let costs = floats("costs", costs)?.zip(budget);
        let options = Options {
            k: k.unwrap_or(usize::MAX),
            costs: costs.map(|(costs, budget)| Costs { costs, budget }),
            initial: arrow::read_places("initial", initial.chunks())?,
            method: self::method(&method, epsilon, seed)?,
            least: min_gain,
        };
        pool(threads)?.install(|| {
            let found = kernel::select(problem, &options, partitions, merge, seed, &monitor)?;
            arrow::selection(found.rows.iter().map(|&row| row.into()), found.gains)
        })
    })
    .map(Table)
}

/// The graph of each row's most similar rows: where rows start, columns, similarities.
#[pyfunction]
#[pyo3(signature = (data, similarity, k, symmetric, threads, progress))]
pub fn select_neighbours(
    py: Python<'_>,
    data: Rows,
    similarity: &str,
    k: usize,
    symmetric: bool,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Array, Array, Array)> {
    let measure = measure(similarity).unwrap_or(Measure::Cosine);
    run_reporting(py, progress, move |monitor| {
        let data = matrix(data)?;
        monitor.enter(Phase::Querying, 0, Some(data.rows() as u64));
        pool(threads)?.install(|| {
            let graph = kernel::neighbours(data, measure, k, &monitor)?;
            let graph = if symmetric { kernel::symmetric(&graph) } else { graph };
            let (starts, columns, values) = graph.into_parts();
            let starts: Vec<i64> = starts.into_iter().map(|start| start as i64).collect();
            Ok((starts, columns, values))
        })
    })
    .map(|(starts, columns, values)| {
        (
            Array(Arc::new(Int64Array::from(starts))),
            Array(Arc::new(UInt32Array::from(columns))),
            Array(Arc::new(Float64Array::from(values))),
        )
    })
}

/// Places of gains, drawn by them.
#[pyfunction]
pub fn select_sample(
    py: Python<'_>,
    gains: Column,
    k: usize,
    seed: u64,
    threads: Option<usize>,
) -> PyResult<Array> {
    run(py, threads, move |_: &Monitor| {
        let gains = arrow::read_floats("gains", gains.chunks())?;
        kernel::taylor_softmax(&gains, k, seed)
    })
    .map(|places| Array(Arc::new(UInt64Array::from(places))))
}

fn distances(
    candidates: Rows,
    validation: Option<Rows>,
    distance: &str,
    monitor: &Monitor,
) -> Result<kernel::Dense<f64>> {
    let candidates = matrix(candidates)?;
    let Some(validation) = validation else {
        return match candidates {
            Matrix::Wide(costs) => Ok(costs),
            _ => Err(Error::UnsupportedType(
                "candidates is no dense matrix of float64, as distances are".into(),
            )),
        };
    };
    let distance = match distance {
        "sqeuclidean" => Distance::SquaredEuclidean,
        "cosine" => Distance::Cosine,
        _ => Distance::Euclidean,
    };
    distance.between(&candidates, &matrix(validation)?, monitor)
}

/// Candidates that others are near to: `row, gain, rank`, the sum of distances, and how many were
/// exchanged.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (candidates, validation, distance, k, exchanges, threads, progress))]
pub fn select_medoids(
    py: Python<'_>,
    candidates: Rows,
    validation: Option<Rows>,
    distance: String,
    k: usize,
    exchanges: usize,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Table, f64, usize)> {
    run_reporting(py, progress, move |monitor| {
        pool(threads)?.install(|| {
            let costs = distances(candidates, validation, &distance, &monitor)?;
            let found = kernel::k_medoids(&costs, k, exchanges, &monitor)?;
            let table = arrow::selection(found.rows.iter().map(|&row| row.into()), found.gains)?;
            Ok((Table(table), found.cost, found.exchanges))
        })
    })
}

/// The distances of candidates to others, row by row.
#[pyfunction]
pub fn select_distances(
    py: Python<'_>,
    candidates: Rows,
    validation: Rows,
    distance: String,
    threads: Option<usize>,
) -> PyResult<Array> {
    run(py, threads, move |monitor| {
        let costs = distances(candidates, Some(validation), &distance, monitor)?;
        Ok(costs.into_values())
    })
    .map(|costs| Array(Arc::new(Float64Array::from(costs))))
}

/// Rows of a stream, sieved.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Sieve(Arc<Mutex<kernel::Sieve>>);

#[pymethods]
impl Sieve {
    #[staticmethod]
    #[pyo3(signature = (function, reference, similarity, weights, k, epsilon))]
    fn of(
        py: Python<'_>,
        function: Asked,
        reference: Option<Rows>,
        similarity: String,
        weights: Option<Column>,
        k: usize,
        epsilon: f64,
    ) -> PyResult<Self> {
        run(py, Some(1), move |_| {
            let weights = floats("weights", weights)?;
            let sought = match (self::function(&function)?, reference) {
                (Function::FacilityLocation, Some(reference)) => Sought::Location {
                    reference: matrix(reference)?,
                    measure: measure(&similarity).unwrap_or(Measure::Cosine),
                    weights,
                },
                (Function::FeatureBased(concave), _) => Sought::Features(concave, weights),
                _ => Sought::Coverage(weights),
            };
            kernel::Sieve::new(sought, k, epsilon)
        })
        .map(|sieve| Self(Arc::new(Mutex::new(sieve))))
    }

    /// Looks at more rows.
    #[pyo3(signature = (data, threads, progress))]
    fn add(
        &self,
        py: Python<'_>,
        data: Rows,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let sieve = Arc::clone(&self.0);
        run_reporting(py, progress, move |monitor| {
            let data = matrix(data)?;
            monitor.enter(Phase::Querying, 0, Some(data.rows() as u64));
            // Held here and not in the pool, whose threads may take up another call that waits for it.
            let mut held = sieve.lock().unwrap_or_else(PoisonError::into_inner);
            let sieve: &mut kernel::Sieve = &mut held;
            pool(threads)?.install(|| sieve.add(&data, &monitor))
        })
    }

    /// How many rows were seen.
    fn seen(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seen()
    }

    /// The best rows so far: `row, gain, rank`.
    fn table(&self, py: Python<'_>) -> PyResult<Table> {
        let sieve = Arc::clone(&self.0);
        run(py, Some(1), move |_| {
            let (rows, gains) = sieve.lock().unwrap_or_else(PoisonError::into_inner).best();
            arrow::selection(rows.into_iter(), gains)
        })
        .map(Table)
    }
}
