//! What `bowstring.select` asks about n-grams that a target has.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use bowstring::counts::{Hash, Matrix, Orders};
use bowstring::select::coverage::cover as cover_rows;
use bowstring::select::resampling::{Features, Hashed, Take, Tally, Weighing, draw, log_ratios};
use bowstring::{Error, Monitor, Phase, Result, default_threads, pool};
use bowstring_arrow::select::ranked;
use bowstring_arrow::{read_booleans, read_rows};
use pyo3::prelude::*;

use crate::capsule::{Column, Table};
use crate::counts::{Characters, tokeniser};
use crate::detached::run_reporting;
use crate::error::to_python;

/// What is made of each thread's share of a column.
fn pass<T: Take>(
    column: Column,
    features: &Features,
    threads: usize,
    taken: impl Fn() -> T,
    monitor: &Monitor,
) -> Result<Vec<T>> {
    monitor.enter(Phase::Reading, 0, None);
    let mut shards: Vec<Hashed<T>> = (0..threads).map(|_| Hashed::new(features, taken())).collect();
    read_rows(column.chunks(), &mut shards, monitor)?;
    Ok(shards.into_iter().map(Hashed::into_taken).collect())
}

/// `row, score, rank` of rows drawn by their importance; candidates are read twice.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (
    candidates, again, target, analyzer, characters, lowercase, stop_words, least, most, hash,
    buckets, smoothing, k, min_length, seed, threads, progress,
))]
pub fn resample(
    py: Python<'_>,
    candidates: Column,
    again: Column,
    target: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    least: usize,
    most: usize,
    hash: &str,
    buckets: u32,
    smoothing: f64,
    k: Option<usize>,
    min_length: usize,
    seed: Option<u64>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    let given = || Error::InvalidInput("token_pattern has no kernel".into());
    let tokeniser = tokeniser(analyzer, characters, lowercase, stop_words)
        .and_then(|tokeniser| tokeniser.ok_or_else(given))
        .map_err(|error| to_python(py, &error))?;
    let hash = match hash {
        "sha256" => Hash::Sha256,
        _ => Hash::Murmur { alternate_sign: false },
    };
    let whole = analyzer == "char_wb";
    run_reporting(py, progress, move |monitor| {
        let orders = Orders::new(least, most, whole)?;
        let features = Features { tokeniser, orders, hash, buckets };
        pool(threads)?.install(|| {
            let threads = threads.unwrap_or_else(default_threads);
            let tally = || Tally::new(buckets);
            let in_target = pass(target, &features, threads, tally, &monitor)?;
            let in_all = pass(candidates, &features, threads, tally, &monitor)?;
            let ratios = log_ratios(&Tally::sum(in_target), &Tally::sum(in_all), smoothing)?;
            let ratios: Arc<[f64]> = ratios.into();
            let weighing = || Weighing::new(Arc::clone(&ratios));
            let rows = Weighing::join(pass(again, &features, threads, weighing, &monitor)?);
            ranked(draw(&rows, k, min_length, seed)?, "score")
        })
    })
    .map(Table)
}

fn chunks(column: Column) -> Result<Vec<ArrayRef>> {
    column.chunks().collect()
}

fn refused(name: &str) -> impl Fn() -> Error {
    let name = name.to_string();
    move || Error::UnsupportedType(format!("{name} is of another type than counts are"))
}

/// `row, gain, rank` of the rows that together cover the most weight; rows are sparse.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (starts, columns, weights, allowed, k, threads, progress))]
pub fn cover(
    py: Python<'_>,
    starts: Column,
    columns: Column,
    weights: Column,
    allowed: Column,
    k: Option<usize>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    run_reporting(py, progress, move |monitor| {
        let allowed = read_booleans("allowed", allowed.chunks())?;
        let mut rows = Matrix::default();
        for chunk in chunks(starts)? {
            if let Some(starts) = chunk.as_primitive_opt::<Int32Type>() {
                rows.row_starts.extend(starts.values().iter().map(|&start| start as usize));
            } else {
                let starts = chunk.as_primitive_opt::<Int64Type>().ok_or_else(refused("starts"))?;
                rows.row_starts.extend(starts.values().iter().map(|&start| start as usize));
            }
        }
        for chunk in chunks(columns)? {
            if let Some(columns) = chunk.as_primitive_opt::<Int32Type>() {
                rows.columns.extend(columns.values().iter().map(|&column| column as u32));
            } else {
                let columns =
                    chunk.as_primitive_opt::<Int64Type>().ok_or_else(refused("columns"))?;
                rows.columns.extend(columns.values().iter().map(|&column| column as u32));
            }
        }
        let mut each: Vec<f64> = vec![];
        for chunk in chunks(weights)? {
            let chunk = chunk.as_primitive_opt::<Float64Type>().ok_or_else(refused("weights"))?;
            each.extend_from_slice(chunk.values());
        }
        let sane = rows.row_starts.len() == allowed.len() + 1
            && rows.row_starts.is_sorted()
            && rows.row_starts.first() == Some(&0)
            && rows.row_starts.last() == Some(&rows.columns.len())
            && rows.columns.iter().all(|&column| (column as usize) < each.len());
        if !sane {
            return Err(Error::InvalidInput("the counts contradict each other".into()));
        }
        let found = pool(threads)?.install(|| cover_rows(&rows, &each, &allowed, k, &monitor))?;
        ranked(found, "gain")
    })
    .map(Table)
}
