//! What `bowstring.duplicates` and `bowstring.deduplicate` ask of rows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowstring::query::{
    DuplicateOptions, Gathered, Keep, Piece as Pieced, SortedRows, cut as cut_spans, longest_first,
    removals as removals_of, whole_rows,
};
use bowstring::{Error, Index as Kernel, Patterns, Result, Rows, pool};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::detached::{run, run_reporting};
use crate::index::Index;

/// An index, or a column.
pub(crate) enum Data {
    Index(Arc<Kernel>),
    Column(Column),
}

impl<'py> FromPyObject<'_, 'py> for Data {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.cast::<Index>() {
            Ok(index) => Ok(Self::Index(index.get().kernel())),
            Err(_) => object.extract().map(Self::Column),
        }
    }
}

impl Data {
    pub(crate) fn kind(&self) -> Result<bowstring::Column> {
        match self {
            Self::Index(index) => Ok(index.column()),
            Self::Column(column) => arrow::column_of(&column.data_type),
        }
    }

    fn gather(self, rows: &mut Gathered) -> Result<()> {
        match self {
            Self::Index(index) => rows.push_index(&index),
            Self::Column(column) => push(column, rows),
        }
    }

    /// Gives every row to a sink.
    pub(crate) fn pass(self, rows: &mut dyn Rows) -> Result<()> {
        match self {
            Self::Column(column) => push(column, rows),
            Self::Index(index) => index
                .segments()
                .try_for_each(|(segment, _)| segment.read_rows(index.column(), rows)),
        }
    }

    /// The rows as patterns.
    pub(crate) fn read(self) -> Result<Patterns> {
        match self {
            Self::Column(column) => read(column),
            Self::Index(_) => {
                let mut rows = if self.kind()? == bowstring::Column::Tokens {
                    Patterns::tokens()
                } else {
                    Patterns::bytes()
                };
                self.pass(&mut rows)?;
                Ok(rows)
            }
        }
    }
}

pub(crate) fn read(column: Column) -> Result<Patterns> {
    let data_type = column.data_type.clone();
    arrow::read_patterns(&data_type, column.chunks())
}

fn push(column: Column, rows: &mut dyn Rows) -> Result<()> {
    let mut row = 0;
    for chunk in column.chunks() {
        let chunk = chunk?;
        arrow::push_array(&chunk, row, rows)?;
        row += arrow_array::Array::len(&chunk) as u64;
    }
    Ok(())
}

fn keep_of(name: &str) -> Result<Keep> {
    match name {
        "none" => Ok(Keep::None),
        "first" => Ok(Keep::First),
        "longest" => Ok(Keep::Longest),
        other => Err(Error::InvalidInput(format!(
            "keep is {other:?}: give \"none\", \"first\" or \"longest\""
        ))),
    }
}

/// A table of a row a passage; of those that occur in `against`, if that is given.
#[pyfunction]
#[pyo3(signature = (data, against, min_length, min_count, threads, progress))]
pub fn duplicates(
    py: Python<'_>,
    data: Data,
    against: Option<Data>,
    min_length: usize,
    min_count: u64,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    let options = DuplicateOptions { min_length, min_count };
    run_reporting(py, progress, move |monitor| {
        pool(threads)?.install(|| {
            let found = match (data, against) {
                (Data::Index(index), None) => {
                    SortedRows::of_index(&index, &monitor)?.duplicates(options, None, &monitor)?
                }
                (data, against) => {
                    let mut rows = Gathered::new(data.kind()?);
                    let mut boundary = None;
                    if let Some(against) = against {
                        against.gather(&mut rows)?;
                        boundary = Some(rows.rows());
                    }
                    data.gather(&mut rows)?;
                    SortedRows::sort(rows, &monitor)?.duplicates(options, boundary, &monitor)?
                }
            };
            arrow::duplicates(found)
        })
    })
    .map(Table)
}

/// Some of the rows, which meet the others piece by piece.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Piece(Arc<Mutex<Pieced>>);

impl Piece {
    fn take(&self) -> Arc<Mutex<Pieced>> {
        Arc::clone(&self.0)
    }
}

fn held(piece: &Mutex<Pieced>) -> MutexGuard<'_, Pieced> {
    piece.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Piece {
    /// Takes rows, and how many places count at which texts occur; those in the rows too if
    /// `within`. Of no places the rows are sorted only, to be asked for occurrences.
    #[staticmethod]
    #[pyo3(signature = (rows, times, within, threads, progress))]
    fn of(
        py: Python<'_>,
        rows: Data,
        times: u64,
        within: bool,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        run_reporting(py, progress, move |monitor| {
            pool(threads)?.install(|| {
                let mut gathered = Gathered::new(rows.kind()?);
                rows.gather(&mut gathered)?;
                if times == 0 {
                    Pieced::sorted(gathered, &monitor)
                } else if within {
                    Pieced::within(gathered, times, &monitor)
                } else {
                    Pieced::alone(gathered, times)
                }
            })
        })
        .map(|piece| Self(Arc::new(Mutex::new(piece))))
    }

    /// Takes in what occurs in other rows; its own are given once more.
    #[pyo3(signature = (others, own, threads, progress))]
    fn meet(
        &self,
        py: Python<'_>,
        others: Data,
        own: Data,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let piece = self.take();
        run_reporting(py, progress, move |monitor| {
            pool(threads)?.install(|| {
                let mut both = Gathered::new(own.kind()?);
                others.gather(&mut both)?;
                let boundary = both.rows();
                own.gather(&mut both)?;
                held(&piece).meet(both, boundary, &monitor)
            })
        })
    }

    /// A table of a row a passage.
    fn passages(
        &self,
        py: Python<'_>,
        min_length: usize,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let piece = self.take();
        run(py, threads, move |monitor| {
            arrow::passages(&held(&piece).passages(min_length, monitor)?)
        })
        .map(Table)
    }

    /// A table of a row a span of other rows: how often its text occurs, and where first.
    fn occurrences(
        &self,
        py: Python<'_>,
        rows: Data,
        row: Column,
        start: Column,
        stop: Column,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let piece = self.take();
        run(py, threads, move |monitor| {
            let spans = spans_of(row, start, stop)?;
            let rows = rows.read()?;
            let text = |&(row, start, stop): &(u64, u64, u64)| {
                let text = rows.get(row as usize)?;
                let span = start as usize..stop as usize;
                (span.start <= span.end && span.end <= text.len()).then(|| text.slice(span))
            };
            let texts: Option<Vec<_>> = spans.iter().map(text).collect();
            let texts = texts.ok_or_else(|| Error::InvalidInput("a span is in no row".into()))?;
            arrow::occurrences(&held(&piece).occurrences(&texts, monitor)?)
        })
        .map(Table)
    }
}

fn spans_of(row: Column, start: Column, stop: Column) -> Result<Vec<(u64, u64, u64)>> {
    let row = arrow::read_numbers("row", row.chunks())?;
    let start = arrow::read_numbers("start", start.chunks())?;
    let stop = arrow::read_numbers("stop", stop.chunks())?;
    let all = row.into_iter().zip(start).zip(stop);
    Ok(all.filter_map(|((row, start), stop)| Some((row?, start?, stop?))).collect())
}

/// A table of a row a span to take out.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (column, against, min_length, min_count, keep, threads, progress))]
pub fn removals(
    py: Python<'_>,
    column: Column,
    against: Option<Data>,
    min_length: usize,
    min_count: u64,
    keep: String,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    let options = DuplicateOptions { min_length, min_count };
    run_reporting(py, progress, move |monitor| {
        pool(threads)?.install(|| {
            let keep = keep_of(&keep)?;
            let kind = arrow::column_of(&column.data_type)?;
            let mut rows = Gathered::new(kind);
            let mut boundary = None;
            let mut order = None;
            if let Some(against) = against {
                against.gather(&mut rows)?;
                boundary = Some(rows.rows());
            }
            if keep == Keep::Longest && boundary.is_none() {
                let (gathered, rows_in_order) = longest_first(&read(column)?, kind)?;
                (rows, order) = (gathered, Some(rows_in_order));
            } else {
                push(column, &mut rows)?;
            }
            let found = removals_of(rows, boundary, order.as_deref(), options, keep, &monitor)?;
            arrow::removals(found)
        })
    })
    .map(Table)
}

/// A table of a row a row to take out.
#[pyfunction]
pub fn row_removals(
    py: Python<'_>,
    column: Column,
    against: Option<Data>,
    min_count: u64,
    keep: String,
    threads: Option<usize>,
) -> PyResult<Table> {
    run(py, threads, move |monitor| {
        let keep = keep_of(&keep)?;
        let kind = arrow::column_of(&column.data_type)?;
        if let Some(other) = against.as_ref().map(Data::kind).transpose()?
            && (other == bowstring::Column::Tokens) != (kind == bowstring::Column::Tokens)
        {
            return Err(Error::UnsupportedType(format!(
                "against is a {} column, and data is a {} column; give two of one kind",
                other.name(),
                kind.name()
            )));
        }
        let against = against.map(Data::read).transpose()?;
        arrow::removals(whole_rows(&read(column)?, against.as_ref(), min_count, keep, monitor)?)
    })
    .map(Table)
}

/// A column without spans.
#[pyfunction]
pub fn cut(
    py: Python<'_>,
    column: Column,
    row: Column,
    start: Column,
    stop: Column,
    null: bool,
    threads: Option<usize>,
) -> PyResult<Array> {
    run(py, threads, move |_| {
        let spans = spans_of(row, start, stop)?;
        let kind = arrow::column_of(&column.data_type)?;
        arrow::symbols(cut_spans(&read(column)?, kind, &spans, null)?)
    })
    .map(Array)
}
