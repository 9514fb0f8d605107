//! What `bowstring.vectors` asks.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Float32Type;
use arrow_array::{
    ArrayRef, Float32Array, Float64Array, LargeStringArray, RecordBatch, UInt32Array, UInt64Array,
};
use bowstring::counts::cooccurrence::{self as kernel, Distance};
use bowstring::counts::{Matrix, Sequence};
use bowstring::{Error, Monitor, Result};
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::counts::{Characters, csr, run_read, write_token};
use crate::detached::run;

fn distance(name: &str) -> Distance {
    match name {
        "harmonic" => Distance::Harmonic,
        "linear" => Distance::Linear,
        _ => Distance::Flat,
    }
}

/// The tokens of a sequence, and how often each occurs.
fn tokens(sequence: &Sequence, analyzer: &str) -> Result<RecordBatch> {
    let names = sequence.names(|token| {
        let mut name = vec![];
        write_token(analyzer, token, &mut name);
        String::from_utf8(name).unwrap_or_default()
    });
    let columns: [(&str, ArrayRef); 2] = [
        ("token", Arc::new(LargeStringArray::from(names))),
        ("count", Arc::new(UInt64Array::from(kernel::occurrences(sequence)))),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Error::Source(Box::new(error)))
}

/// Tokens near tokens: `token, count`, and where rows start, columns, sums.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn cooccurrence(
    py: Python<'_>,
    column: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    least_count: u64,
    radius: usize,
    weight: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Table, Array, Array, Array)> {
    let weight = distance(weight);
    let name = analyzer.to_string();
    let count = move |sequence: Sequence, monitor: &Monitor| {
        let sequence = sequence.without_rare(least_count);
        let near = kernel::cooccurrence(&sequence, radius, weight, None, monitor)?;
        Ok((tokens(&sequence, &name)?, near))
    };
    let (table, near) = run_read(
        py, column, analyzer, characters, lowercase, stop_words, threads, progress, count,
    )?;
    let Matrix { row_starts, columns, data } = near;
    let (starts, columns, _) = csr(Matrix { row_starts, columns, data: vec![] });
    Ok((Table(table), starts, columns, Array(Arc::new(Float64Array::from(data)))))
}

/// Bit-cipher vectors: `token, count`, the codes, and the vectors end to end.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn cipher_vectors(
    py: Python<'_>,
    column: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    least_count: u64,
    radius: usize,
    bits: u32,
    concatenate: bool,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Table, Array, Array)> {
    let name = analyzer.to_string();
    let make = move |sequence: Sequence, monitor: &Monitor| {
        let sequence = sequence.without_rare(least_count);
        let codes = kernel::ciphers(&kernel::occurrences(&sequence), bits)?;
        let vectors = kernel::vectors(&sequence, &codes, bits, radius, concatenate, monitor)?;
        Ok((tokens(&sequence, &name)?, codes, vectors))
    };
    let (table, codes, vectors) =
        run_read(py, column, analyzer, characters, lowercase, stop_words, threads, progress, make)?;
    let codes = Array(Arc::new(UInt64Array::from(codes)));
    Ok((Table(table), codes, Array(Arc::new(Float32Array::from(vectors)))))
}

/// The vectors nearest to others by cosine: `query, row, score, rank`.
#[pyfunction]
pub fn nearest(
    py: Python<'_>,
    vectors: Column,
    queries: Column,
    width: usize,
    k: usize,
    threads: Option<usize>,
) -> PyResult<Table> {
    let read = |column: Column| -> Result<Vec<f32>> {
        let mut all = vec![];
        for chunk in column.chunks() {
            let chunk = chunk?;
            let numbers = chunk.as_primitive_opt::<Float32Type>().ok_or_else(|| {
                Error::UnsupportedType(format!("vectors are of {}", chunk.data_type()))
            })?;
            all.extend_from_slice(numbers.values());
        }
        Ok(all)
    };
    run(py, threads, move |monitor| {
        let (vectors, queries) = (read(vectors)?, read(queries)?);
        let found = kernel::nearest(&vectors, &queries, width, k, monitor)?;
        let (mut query, mut row, mut score, mut rank) = (vec![], vec![], vec![], vec![]);
        for (at, best) in (0u64..).zip(found) {
            for (place, (other, cosine)) in (1u32..).zip(best) {
                query.push(at);
                row.push(other);
                score.push(cosine);
                rank.push(place);
            }
        }
        let columns: [(&str, ArrayRef); 4] = [
            ("query", Arc::new(UInt64Array::from(query))),
            ("row", Arc::new(UInt32Array::from(row))),
            ("score", Arc::new(Float32Array::from(score))),
            ("rank", Arc::new(UInt32Array::from(rank))),
        ];
        RecordBatch::try_from_iter(columns).map_err(|error| Error::Source(Box::new(error)))
    })
    .map(Table)
}
