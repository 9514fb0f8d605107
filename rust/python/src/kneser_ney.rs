//! What `bowstring.counts.KneserNey` asks.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt64Array};
use bowstring::counts::Sequence;
use bowstring::counts::kneser_ney::{Model, Score, Scorer, join_scores};
use bowstring::{Error, Monitor, default_threads, pool};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Column, Table};
use crate::counts::{Characters, run_read, taken, tokeniser, write_token};
use crate::detached::{run, run_reporting};
use crate::error::to_python;

/// An n-gram model with modified Kneser-Ney smoothing.
#[pyclass(frozen, module = "bowstring._core")]
pub struct KneserNey(Arc<Model>);

fn io(path: &str) -> impl FnOnce(std::io::Error) -> Error {
    let path = PathBuf::from(path);
    move |source| Error::Io { path, source }
}

#[pymethods]
impl KneserNey {
    /// Estimates a model from a column.
    #[staticmethod]
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn estimate(
        py: Python<'_>,
        column: Column,
        analyzer: &str,
        characters: &Characters,
        lowercase: bool,
        stop_words: HashSet<String>,
        order: usize,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let name = analyzer.to_string();
        let estimate = move |sequence: Sequence, monitor: &Monitor| {
            let spell = |token: &[u8], out: &mut Vec<u8>| write_token(&name, token, out);
            Model::estimate(sequence, order, spell, monitor).map(Arc::new)
        };
        run_read(
            py, column, analyzer, characters, lowercase, stop_words, threads, progress, estimate,
        )
        .map(Self)
    }

    #[staticmethod]
    fn read_arpa(py: Python<'_>, path: String) -> PyResult<Self> {
        run(py, Some(1), move |monitor| {
            let file = File::open(&path).map_err(io(&path))?;
            Model::read_arpa(&mut BufReader::with_capacity(1 << 20, file), monitor).map(Arc::new)
        })
        .map(Self)
    }

    fn write_arpa(&self, py: Python<'_>, path: String) -> PyResult<()> {
        let model = Arc::clone(&self.0);
        run(py, Some(1), move |monitor| {
            let partial = format!("{path}.{}.partial", std::process::id());
            let write = || {
                let file = File::create(&partial).map_err(io(&partial))?;
                let mut out = BufWriter::with_capacity(1 << 16, file);
                model.write_arpa(&mut out, monitor)?;
                out.flush().map_err(io(&partial))?;
                std::fs::rename(&partial, &path).map_err(io(&path))
            };
            let written = write();
            if written.is_err() {
                let _ = std::fs::remove_file(&partial);
            }
            written
        })
    }

    /// N-grams of each order, and of each order the discounts and whether they are the fall-back.
    #[allow(clippy::type_complexity, reason = "a tuple for Python")]
    fn describe(&self) -> (Vec<usize>, Vec<([f64; 3], bool)>) {
        (self.0.counts().to_vec(), self.0.discounts())
    }

    /// `log10, known_log10, tokens, unknown` of each row, null where the row is.
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn score(
        &self,
        py: Python<'_>,
        column: Column,
        analyzer: &str,
        characters: &Characters,
        lowercase: bool,
        stop_words: HashSet<String>,
        start: bool,
        stop: bool,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Table> {
        let model = Arc::clone(&self.0);
        let given = analyzer == "given";
        let analyzer = if given { "whitespace" } else { analyzer };
        let tokeniser = tokeniser(analyzer, characters, lowercase, stop_words)
            .and_then(|tokeniser| tokeniser.ok_or_else(taken))
            .map_err(|error| to_python(py, &error))?;
        run_reporting(py, progress, move |monitor| {
            let pool = pool(threads)?;
            pool.install(|| {
                monitor.enter(bowstring::Phase::Reading, 0, None);
                let threads = if given { 1 } else { threads.unwrap_or_else(default_threads) };
                let reader =
                    || Scorer::new(Arc::clone(&model), Arc::clone(&tokeniser), start, stop);
                let mut readers: Vec<Scorer> = (0..threads).map(|_| reader()).collect();
                if given {
                    arrow::read_given(column.chunks(), &mut readers[0], &monitor)?;
                } else {
                    arrow::read_rows(column.chunks(), &mut readers, &monitor)?;
                }
                table(&join_scores(readers))
            })
        })
        .map(Table)
    }
}

fn table(scores: &[Option<Score>]) -> bowstring::Result<RecordBatch> {
    let float = |of: fn(&Score) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter(scores.iter().map(|score| score.as_ref().map(of))))
    };
    let whole = |of: fn(&Score) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter(scores.iter().map(|score| score.as_ref().map(of))))
    };
    RecordBatch::try_from_iter_with_nullable([
        ("log10", float(|score| score.log10), true),
        ("known_log10", float(|score| score.known_log10), true),
        ("tokens", whole(|score| score.tokens), true),
        ("unknown", whole(|score| score.unknown), true),
    ])
    .map_err(|error| Error::Source(Box::new(error)))
}
