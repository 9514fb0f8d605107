//! What `bowstring.rank` asks: postings, and the rows that score best.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch, UInt64Array};
use bowstring::counts::Sequence;
use bowstring::counts::rank::{
    self as kernel, Feedback, FeedbackOptions, Formula, Query, Ranking, Variant,
};
use bowstring::{Error, Monitor, Result};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Column, Table};
use crate::counts::{Characters, run_read};
use crate::detached::{run, run_short};

fn variant(name: &str, argument: &str) -> Result<Variant> {
    Ok(match name {
        "lucene" => Variant::Lucene,
        "robertson" => Variant::Robertson,
        "atire" => Variant::Atire,
        "bm25l" => Variant::Bm25L,
        "bm25+" => Variant::Bm25Plus,
        other => {
            return Err(Error::InvalidInput(format!(
                "{argument} is {other:?}; give \"lucene\", \"robertson\", \"atire\", \"bm25l\" or \
                 \"bm25+\""
            )));
        }
    })
}

/// The weights of postings in one formula.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Weights(Arc<kernel::Weights>);

/// The rows that have each token.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Postings(Arc<kernel::Postings>);

/// How queries are widened: method, its weights, rows, tokens, share, whether plain.
type Widening = (String, f64, f64, usize, usize, f64, bool);

fn options(widening: &Widening) -> FeedbackOptions {
    let &(ref method, one, other, _, tokens, most_rows, plain) = widening;
    let method = if method == "rm3" {
        Feedback::Rm3 { original: one }
    } else {
        Feedback::Rocchio { alpha: one, beta: other }
    };
    FeedbackOptions { method, tokens, most_rows, plain }
}

fn table(ranking: Ranking) -> Result<RecordBatch> {
    let columns: [(&str, ArrayRef); 4] = [
        ("query", Arc::new(UInt64Array::from(ranking.query))),
        ("row", Arc::new(UInt64Array::from(ranking.row))),
        ("score", Arc::new(Float32Array::from(ranking.score))),
        ("rank", Arc::new(UInt64Array::from(ranking.rank))),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Error::Source(Box::new(error)))
}

#[pymethods]
impl Postings {
    /// Reads a column.
    #[staticmethod]
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn build(
        py: Python<'_>,
        column: Column,
        analyzer: &str,
        characters: &Characters,
        lowercase: bool,
        stop_words: HashSet<String>,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let build = |sequence: Sequence, monitor: &Monitor| {
            kernel::Postings::new(sequence, monitor).map(Arc::new)
        };
        run_read(py, column, analyzer, characters, lowercase, stop_words, threads, progress, build)
            .map(Self)
    }

    /// Maps what was saved; with what was said of it.
    #[staticmethod]
    fn open(py: Python<'_>, path: String) -> PyResult<(Self, String)> {
        let (postings, options) = run(py, Some(1), move |monitor| {
            let (postings, options) = kernel::Postings::open(Path::new(&path), monitor)?;
            Ok((Arc::new(postings), options))
        })?;
        Ok((Self(postings), options))
    }

    fn save(&self, py: Python<'_>, path: String, options: String) -> PyResult<()> {
        let postings = Arc::clone(&self.0);
        run(py, Some(1), move |monitor| postings.save(Path::new(&path), &options, monitor))
    }

    /// Rows and distinct tokens.
    fn shape(&self) -> (usize, usize) {
        (self.0.rows(), self.0.distinct())
    }

    /// These rows and then the others.
    fn joined(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        run_short(py, || Ok(Self(Arc::new(self.0.joined(&other.0)))))
    }

    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn weights(
        &self,
        py: Python<'_>,
        method: &str,
        idf: &str,
        k1: f64,
        b: f64,
        delta: f64,
        threads: Option<usize>,
    ) -> PyResult<Weights> {
        let both = variant(method, "method").and_then(|method| Ok((method, variant(idf, "idf")?)));
        let (variant, idf) = run_short(py, || both)?;
        let postings = Arc::clone(&self.0);
        let formula = Formula { variant, idf, k1, b, delta };
        run(py, threads, move |monitor| {
            kernel::Weights::new(&postings, formula, monitor).map(Arc::new)
        })
        .map(Weights)
    }

    /// The rows that score best for each query: `query, row, score, rank`.
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn search(
        &self,
        py: Python<'_>,
        weights: &Weights,
        queries: Column,
        analyzer: &str,
        characters: &Characters,
        lowercase: bool,
        stop_words: HashSet<String>,
        k: usize,
        allowed: Option<Column>,
        widening: Option<Widening>,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let postings = Arc::clone(&self.0);
        let weights = Arc::clone(&weights.0);
        let search = move |sequence: Sequence, monitor: &Monitor| {
            let allowed = allowed
                .map(|allowed| arrow::read_booleans("where", allowed.chunks()))
                .transpose()?;
            let queries: Vec<Query> = postings.queries(&sequence);
            let search = |queries: &[Query], k| {
                kernel::search(&postings, &weights, queries, k, allowed.as_deref(), monitor)
            };
            let Some(widening) = widening else { return table(search(&queries, k)?) };
            let first = search(&queries, widening.3)?;
            table(search(&kernel::widen(&postings, &queries, &first, &options(&widening)), k)?)
        };
        run_read(py, queries, analyzer, characters, lowercase, stop_words, threads, None, search)
            .map(Table)
    }
}
