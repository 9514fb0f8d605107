//! What `bowstring.select` asks about n-grams that a target has.

use std::collections::HashSet;
use std::sync::Arc;

use bowstring::counts::{Hash, Orders};
use bowstring::select::coverage;
use bowstring::select::resampling::{Features, Hashed, Take, Tally, Weighing, draw, log_ratios};
use bowstring::select::submodular::{Matrix, Sparse};
use bowstring::{Error, Monitor, Phase, Result, default_threads, pool};
use bowstring_arrow::select::{ranked, read_floats};
use bowstring_arrow::{read_booleans, read_rows};
use pyo3::prelude::*;

use crate::capsule::{Column, Table};
use crate::counts::{Characters, tokeniser};
use crate::detached::run_reporting;
use crate::error::to_python;
use crate::select::submodular::{Rows, matrix};

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

fn contradiction() -> Error {
    Error::InvalidInput("the counts contradict each other".into())
}

fn sparse(rows: Rows) -> Result<Sparse> {
    match matrix(rows)? {
        Matrix::Sparse(rows) => Ok(rows),
        _ => Err(contradiction()),
    }
}

/// `row, gain, rank` of the rows that together cover the most weight, of n-grams or, if they are
/// given, of a target's rows; rows are sparse.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (rows, weights, target, allowed, k, threads, progress))]
pub fn cover(
    py: Python<'_>,
    rows: Rows,
    weights: Column,
    target: Option<Rows>,
    allowed: Column,
    k: Option<usize>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    run_reporting(py, progress, move |monitor| {
        let allowed = read_booleans("allowed", allowed.chunks())?;
        let weights = read_floats("weights", weights.chunks())?;
        let (rows, target) = (sparse(rows)?, target.map(sparse).transpose()?);
        if rows.rows() != allowed.len() {
            return Err(contradiction());
        }
        let found = pool(threads)?.install(|| match target {
            None => coverage::cover(rows, weights, &allowed, k, &monitor),
            Some(target) => coverage::cover_each(rows, target, &allowed, k, &monitor),
        })?;
        ranked(found, "gain")
    })
    .map(Table)
}
