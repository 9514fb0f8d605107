//! What `bowstring.lexicon` asks.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt32Array, UInt64Array};
use bowstring::counts::Sequence;
use bowstring::counts::lexicon::{self as kernel, Association, PhraseOptions};
use bowstring::{Error, Monitor};
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::counts::{Characters, Vocabulary, run_read};

/// The phrases of a column: they, and `length, count, score` of each.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn find_phrases(
    py: Python<'_>,
    column: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    most: usize,
    association: &str,
    least_count: u64,
    top: Option<usize>,
    threshold: Option<f64>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Vocabulary, Table)> {
    let association = match association {
        "t" => Association::T,
        "pmi" => Association::Pmi,
        "npmi" => Association::Npmi,
        "log_likelihood" => Association::LogLikelihood,
        _ => Association::Mikolov,
    };
    let options = PhraseOptions { most, association, least_count, top, threshold };
    let find = move |sequence: Sequence, monitor: &Monitor| {
        let found = kernel::phrases(&sequence, &options, monitor)?;
        let columns: [(&str, ArrayRef); 3] = [
            ("length", Arc::new(UInt32Array::from(found.length))),
            ("count", Arc::new(UInt64Array::from(found.count))),
            ("score", Arc::new(Float64Array::from(found.score))),
        ];
        let table = RecordBatch::try_from_iter(columns);
        let table = table.map_err(|error| Error::Source(Box::new(error)))?;
        Ok((Arc::new(found.vocabulary), table))
    };
    let (inner, table) =
        run_read(py, column, analyzer, characters, lowercase, stop_words, threads, progress, find)?;
    Ok((Vocabulary::sorted(inner, analyzer), Table(table)))
}

/// Rows cut into the fewest pieces: the first token of each, the one behind its last, and where the
/// pieces of each row end.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn segment(
    py: Python<'_>,
    phrases: &Vocabulary,
    joint: String,
    column: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Array, Array, Array, Array)> {
    let phrases = Arc::clone(&phrases.inner);
    let name = analyzer.to_string();
    let cut = move |sequence: Sequence, monitor: &Monitor| {
        let pieces = kernel::segment(&phrases, &sequence, monitor)?;
        let (bytes, ends) = kernel::spell(&sequence, &pieces, &joint, |token, out| {
            crate::counts::write_token(&name, token, out);
        });
        let offsets = arrow_buffer::OffsetBuffer::new(ends.into());
        let texts = arrow_array::LargeStringArray::try_new(offsets, bytes.into(), None);
        Ok((pieces, texts.map_err(|error| Error::Source(Box::new(error)))?))
    };
    let (pieces, texts) =
        run_read(py, column, analyzer, characters, lowercase, stop_words, threads, progress, cut)?;
    let ends: Vec<u64> = pieces.row_ends.iter().map(|&end| end as u64).collect();
    Ok((
        Array(Arc::new(UInt32Array::from(pieces.start))),
        Array(Arc::new(UInt32Array::from(pieces.stop))),
        Array(Arc::new(texts)),
        Array(Arc::new(UInt64Array::from(ends))),
    ))
}
