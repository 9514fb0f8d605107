//! The index as `bowstring.index` builds on it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bowstring::{
    Builder, Error, Expression, Index as Kernel, Kind, Limit, Monitor, Options, Pattern,
    PatternRanks, Patterns, Result, SearchOptions,
};
use bowstring_arrow as arrow;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::capsule::{Array, Column, Table};
use crate::detached::{run, run_reporting, run_short, run_sized};
use crate::error::to_python;

/// Occurrences up to which an answer is made on the calling thread.
const SHORT: u64 = 10_000;

/// Rows up to which their text is read on the calling thread.
const SHORT_ROWS: usize = 64;

/// One query, or a column of them.
pub(crate) enum Queries {
    One(Patterns),
    Many(Column),
}

impl<'py> FromPyObject<'_, 'py> for Queries {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match term(&object)? {
            Some(one) => Ok(Self::One(one)),
            None => object.extract().map(Self::Many),
        }
    }
}

impl Queries {
    pub(crate) fn many(&self) -> bool {
        matches!(self, Self::Many(_))
    }

    pub(crate) fn read(self) -> Result<Patterns> {
        match self {
            Self::One(patterns) => Ok(patterns),
            Self::Many(column) => {
                let data_type = column.data_type.clone();
                arrow::read_patterns(&data_type, column.chunks())
            }
        }
    }
}

/// A string's UTF-8.
fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    text.to_str().map_err(|error| {
        let what = format!("query is not text: {error}; take the lone surrogates out");
        to_python(text.py(), &Error::InvalidInput(what))
    })
}

/// One text or list of tokens; `None` if the object is neither.
pub(crate) fn term(object: &Bound<'_, PyAny>) -> PyResult<Option<Patterns>> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Some(Patterns::one(Pattern::Bytes(utf8(text)?.as_bytes()))));
    }
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Some(Patterns::one(Pattern::Bytes(bytes.as_bytes()))));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        return Ok(Some(Patterns::one(Pattern::Tokens(&tokens(object)?))));
    }
    Ok(None)
}

fn tokens(object: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    if let Ok(list) = object.cast::<PyList>() {
        return list.iter().enumerate().map(|(at, token)| number(at, &token)).collect();
    }
    object.try_iter()?.enumerate().map(|(at, token)| number(at, &token?)).collect()
}

fn number(at: usize, token: &Bound<'_, PyAny>) -> PyResult<u32> {
    if !token.is_instance_of::<PyBool>()
        && let Ok(number) = token.extract::<u32>()
    {
        return Ok(number);
    }
    let shown = token.repr().map_or_else(|_| "?".into(), |shown| shown.to_string());
    let error = if token.is_instance_of::<PyInt>() && !token.is_instance_of::<PyBool>() {
        Error::InvalidInput(format!(
            "query holds {shown}; tokens are whole numbers from 0 to {}",
            u32::MAX - 1
        ))
    } else {
        Error::UnsupportedType(format!(
            "query has {shown} ({}) at position {at}: tokens are whole numbers",
            token.get_type().name()?
        ))
    };
    Err(to_python(token.py(), &error))
}

/// An expression, or a column of them to parse.
enum Searches {
    One(Expression),
    Many(Column),
}

impl<'py> FromPyObject<'_, 'py> for Searches {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if let Ok(query) = object.cast::<PyString>() {
            let parsed = bowstring::parse(utf8(&query)?);
            return parsed.map(Self::One).map_err(|error| to_python(py, &error));
        }
        let Ok(clauses) = object.cast::<PyList>() else {
            return object.extract().map(Self::Many);
        };
        let mut terms: Option<Patterns> = None;
        let mut sizes = vec![];
        for clause in clauses.iter() {
            let mut size = 0;
            for text in clause.try_iter()? {
                let text = text?;
                let Some(one) = term(&text)? else {
                    return Err(to_python(
                        py,
                        &Error::UnsupportedType(format!(
                            "query holds a {}; give str, bytes or a list of tokens",
                            text.get_type().name()?
                        )),
                    ));
                };
                match &mut terms {
                    None => terms = Some(one),
                    Some(terms) => {
                        terms.extend(&one).map_err(|error| to_python(py, &error))?;
                    }
                }
                size += 1;
            }
            sizes.push(size);
        }
        Expression::all_of_any(terms.unwrap_or_else(Patterns::bytes), &sizes)
            .map(Self::One)
            .map_err(|error| to_python(py, &error))
    }
}

impl Searches {
    fn many(&self) -> bool {
        matches!(self, Self::Many(_))
    }

    fn read(self) -> Result<Vec<Option<Expression>>> {
        let column = match self {
            Self::One(expression) => return Ok(vec![Some(expression)]),
            Self::Many(column) => column,
        };
        let data_type = column.data_type.clone();
        let queries = arrow::read_patterns(&data_type, column.chunks())?;
        let parse = |at: usize| match queries.get(at) {
            None => Ok(None),
            Some(Pattern::Tokens(_)) => Err(Error::UnsupportedType(
                "a column of searches holds query strings; ask tokens as nested lists, one query \
                 at a time"
                    .into(),
            )),
            Some(Pattern::Bytes(bytes)) => {
                let text = std::str::from_utf8(bytes).map_err(|error| {
                    Error::InvalidInput(format!("query {at} is not UTF-8: {error}"))
                })?;
                let parsed = bowstring::parse(text).map_err(|error| match error {
                    Error::InvalidInput(what) => Error::InvalidInput(format!("{at}: {what}")),
                    other => other,
                });
                parsed.map(Some)
            }
        };
        (0..queries.len()).map(parse).collect()
    }
}

fn limited(limit: Option<usize>, seed: Option<u64>) -> Result<Limit> {
    match (limit, seed) {
        (None, None) => Ok(Limit::All),
        (Some(limit), None) => Ok(Limit::First(limit)),
        (Some(limit), Some(seed)) => Ok(Limit::Sample(limit, seed)),
        (None, Some(seed)) => Err(Error::InvalidInput(format!(
            "seed is {seed} without a limit; give the size of the sample as limit"
        ))),
    }
}

/// A full-text index: a snapshot that append and compact replace.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Index(Arc<Shared>);

struct Shared {
    snapshot: RwLock<Arc<Kernel>>,
    writing: Mutex<()>,
}

impl Shared {
    fn kernel(&self) -> Arc<Kernel> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the snapshot by what `change` makes of it, one change after the other.
    fn change(&self, change: impl FnOnce(&Kernel) -> Result<Kernel>) -> Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let kernel = Arc::new(change(&self.kernel())?);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = kernel;
        Ok(())
    }
}

impl Index {
    pub(crate) fn new(kernel: Kernel) -> Self {
        Self(Arc::new(Shared { snapshot: RwLock::new(Arc::new(kernel)), writing: Mutex::new(()) }))
    }

    pub(crate) fn kernel(&self) -> Arc<Kernel> {
        self.0.kernel()
    }

    /// Answers queries: few occurrences of one query here and now, more in the pool.
    fn answer<T: Send + 'static>(
        &self,
        py: Python<'_>,
        threads: Option<usize>,
        queries: Queries,
        kernel: impl FnOnce(&Kernel, &PatternRanks, &Monitor) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let index = self.kernel();
        let Queries::One(patterns) = &queries else {
            return run(py, threads, move |monitor| {
                kernel(&index, &index.find(&queries.read()?, monitor)?, monitor)
            });
        };
        let ranks = run_short(py, || index.find(patterns, &Monitor::default()))?;
        let short = ranks.occurrences() <= SHORT;
        run_sized(py, short, threads, move |monitor| kernel(&index, &ranks, monitor))
    }
}

/// How many rows what rides along is of, and its file where the index is on disk.
type Attached = Option<(u64, Option<PathBuf>)>;

fn fill(mut builder: Builder, column: Column, attached: Attached) -> Result<Kernel> {
    if let Some((rows, file)) = attached {
        builder = builder.attach(rows, file);
    }
    let mut row = 0;
    for chunk in column.chunks() {
        let chunk = chunk?;
        arrow::push_array(&chunk, row, &mut builder)?;
        row += arrow_array::Array::len(&chunk) as u64;
    }
    builder.finish()
}

#[pymethods]
impl Index {
    #[staticmethod]
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    #[pyo3(signature = (
        column, path, kind, profile, memory, threads, segment_symbols, overwrite, expected, metadata,
        progress,
    ))]
    fn build(
        py: Python<'_>,
        column: Column,
        path: Option<PathBuf>,
        kind: &str,
        profile: Option<&str>,
        memory: Option<u64>,
        threads: Option<usize>,
        segment_symbols: Option<usize>,
        overwrite: bool,
        expected: Option<u64>,
        metadata: Attached,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let kind = Kind::parse(kind, profile).map_err(|error| to_python(py, &error))?;
        let options = Options { kind, memory, threads, segment_symbols, expected };
        run_reporting(py, progress, move |monitor| {
            let kind = arrow::column_of(&column.data_type)?;
            let builder = Builder::new(kind, path.as_deref(), overwrite, options, monitor)?;
            fill(builder, column, metadata)
        })
        .map(Self::new)
    }

    #[staticmethod]
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        run_short(py, || Kernel::open(&path)).map(Self::new)
    }

    #[pyo3(signature = (column, memory, threads, segment_symbols, expected, metadata, progress))]
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn append(
        &self,
        py: Python<'_>,
        column: Column,
        memory: Option<u64>,
        threads: Option<usize>,
        segment_symbols: Option<usize>,
        expected: Option<u64>,
        metadata: Attached,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let options = Options { memory, threads, segment_symbols, expected, ..Options::default() };
        let shared = Arc::clone(&self.0);
        run_reporting(py, progress, move |monitor| {
            let kind = arrow::column_of(&column.data_type)?;
            shared.change(|index| {
                if kind != index.column() {
                    return Err(Error::UnsupportedType(format!(
                        "data is a {} column, and the index is over a {} column; cast one to the \
                         other",
                        kind.name(),
                        index.column().name()
                    )));
                }
                fill(index.append(options, monitor)?, column, metadata)
            })
        })
    }

    #[pyo3(signature = (memory, threads, progress))]
    fn compact(
        &self,
        py: Python<'_>,
        memory: Option<u64>,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let options = Options { memory, threads, ..Options::default() };
        let shared = Arc::clone(&self.0);
        run_reporting(py, progress, move |monitor| {
            shared.change(|index| index.compact(options, monitor))
        })
    }

    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    #[pyo3(signature = (
        kind, profile, path, memory, threads, segment_symbols, overwrite, metadata, progress,
    ))]
    fn convert(
        &self,
        py: Python<'_>,
        kind: &str,
        profile: Option<&str>,
        path: Option<PathBuf>,
        memory: Option<u64>,
        threads: Option<usize>,
        segment_symbols: Option<usize>,
        overwrite: bool,
        metadata: Attached,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let kind = Kind::parse(kind, profile).map_err(|error| to_python(py, &error))?;
        let options = Options { kind, memory, threads, segment_symbols, expected: None };
        let index = self.kernel();
        run_reporting(py, progress, move |monitor| {
            index.convert(path.as_deref(), overwrite, options, metadata, monitor)
        })
        .map(Self::new)
    }

    #[pyo3(signature = (threads, progress))]
    fn verify(
        &self,
        py: Python<'_>,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let index = self.kernel();
        run_reporting(py, progress, move |monitor| {
            bowstring::pool(threads)?.install(|| index.verify(&monitor))
        })
    }

    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let index = self.kernel();
        let info = PyDict::new(py);
        let segments = PyList::empty(py);
        let (mut symbols, mut bytes) = (0, 0);
        for (segment, file) in index.segments() {
            let entry = PyDict::new(py);
            entry.set_item("rows", segment.rows().len())?;
            entry.set_item("symbols", segment.symbols())?;
            entry.set_item("width", segment.width())?;
            entry.set_item("bytes", segment.bytes())?;
            entry.set_item("file", file)?;
            segments.append(entry)?;
            symbols += segment.symbols() - segment.rows().len();
            bytes += segment.bytes();
        }
        info.set_item("column", index.column().name())?;
        info.set_item("kind", index.kind().name())?;
        info.set_item("profile", index.kind().profile())?;
        info.set_item("rows", index.rows())?;
        info.set_item("symbols", symbols)?;
        info.set_item("bytes", bytes)?;
        info.set_item("path", index.path().map(|path| path.display().to_string()))?;
        info.set_item("format", bowstring::container::FORMAT)?;
        info.set_item("segments", segments)?;
        Ok(info)
    }

    /// The files that ride along with its rows, each with the number of its rows.
    fn metadata(&self) -> Vec<(PathBuf, u64)> {
        self.kernel().metadata().collect()
    }

    fn count(&self, py: Python<'_>, query: &Bound<'_, PyAny>) -> PyResult<u64> {
        let index = self.kernel();
        if let Ok(text) = query.cast::<PyString>() {
            let pattern = Pattern::Bytes(utf8(text)?.as_bytes());
            return run_short(py, || index.count(pattern));
        }
        if let Ok(bytes) = query.cast::<PyBytes>() {
            let pattern = Pattern::Bytes(bytes.as_bytes());
            return run_short(py, || index.count(pattern));
        }
        let tokens = tokens(query)?;
        run_short(py, || index.count(Pattern::Tokens(&tokens)))
    }

    #[pyo3(signature = (queries, threads))]
    fn count_many(
        &self,
        py: Python<'_>,
        queries: Column,
        threads: Option<usize>,
    ) -> PyResult<Array> {
        let index = self.kernel();
        let queries = Queries::Many(queries);
        run(py, threads, move |monitor| {
            let patterns = queries.read()?;
            Ok(arrow::counts(index.count_many(&patterns, monitor)?, patterns.nulls()))
        })
        .map(Array)
    }

    #[pyo3(signature = (queries, limit, seed, threads))]
    fn locate(
        &self,
        py: Python<'_>,
        queries: Queries,
        limit: Option<usize>,
        seed: Option<u64>,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let many = queries.many();
        self.answer(py, threads, queries, move |index, ranks, monitor| {
            arrow::spans(index.locate(ranks, limited(limit, seed)?, monitor)?, many)
        })
        .map(Table)
    }

    #[pyo3(signature = (queries, limit, threads))]
    fn rows(
        &self,
        py: Python<'_>,
        queries: Queries,
        limit: Option<usize>,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let many = queries.many();
        self.answer(py, threads, queries, move |index, ranks, monitor| {
            arrow::row_counts(index.matching_rows(ranks, limit, monitor)?, many)
        })
        .map(Table)
    }

    #[pyo3(signature = (queries, width, limit, seed, threads))]
    fn context(
        &self,
        py: Python<'_>,
        queries: Queries,
        width: usize,
        limit: Option<usize>,
        seed: Option<u64>,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let many = queries.many();
        self.answer(py, threads, queries, move |index, ranks, monitor| {
            arrow::contexts(index.context(ranks, width, limited(limit, seed)?, monitor)?, many)
        })
        .map(Table)
    }

    #[pyo3(signature = (rows, start, stop, threads))]
    fn text(
        &self,
        py: Python<'_>,
        rows: Column,
        start: Option<Column>,
        stop: Option<Column>,
        threads: Option<usize>,
    ) -> PyResult<Array> {
        let index = self.kernel();
        let requests = run_short(py, move || {
            let rows = arrow::read_numbers("rows", rows.chunks())?;
            let bound = |name, column: Option<Column>| match column {
                None => Ok(vec![None; rows.len()]),
                Some(column) => arrow::read_numbers(name, column.chunks()),
            };
            let (start, stop) = (bound("start", start)?, bound("stop", stop)?);
            let spans = rows.into_iter().zip(start).zip(stop);
            Ok(spans.map(|((row, start), stop)| (row, start, stop)).collect::<Vec<_>>())
        })?;
        let text = if requests.len() <= SHORT_ROWS {
            run_short(py, || index.text(&requests, &Monitor::default()))?
        } else {
            run(py, threads, move |monitor| index.text(&requests, monitor))?
        };
        run_short(py, || arrow::symbols(text)).map(Array)
    }

    #[pyo3(signature = (queries, within, limit, max_matches, seed, threads))]
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn search(
        &self,
        py: Python<'_>,
        queries: Searches,
        within: Option<u64>,
        limit: Option<usize>,
        max_matches: Option<u64>,
        seed: u64,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let index = self.kernel();
        let many = queries.many();
        let options = SearchOptions { within, limit, max_matches, seed };
        run(py, threads, move |monitor| {
            let found = index.search(&queries.read()?, options, monitor)?;
            arrow::found(found, many, max_matches.is_some())
        })
        .map(Table)
    }
}
