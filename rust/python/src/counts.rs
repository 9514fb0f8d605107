//! What `bowstring.counts` asks: rows into tokens, tokens into counts.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{UInt8Type, UInt32Type};
use arrow_array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, LargeBinaryArray, LargeStringArray,
    RecordBatch, UInt8Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{Buffer, ScalarBuffer};
use bowstring::counts as kernel;
use bowstring::counts::{
    Analyzer, Hash, HashedShard, Matrix, Orders, Sequence, Shard, Spelling, Tokeniser,
};
use bowstring::{Error, Monitor, Result, default_threads, pool};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::detached::{run, run_reporting, run_short};
use crate::error::to_python;

/// Which characters are of words, which are white space, and what lower case makes of each.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Characters(pub Arc<kernel::Characters>);

#[pymethods]
impl Characters {
    #[staticmethod]
    fn of(
        py: Python<'_>,
        word: Vec<(u32, u32)>,
        space: Vec<(u32, u32)>,
        cased: Vec<(u32, u32)>,
        ignorable: Vec<(u32, u32)>,
        lower: HashMap<u32, String>,
    ) -> PyResult<Self> {
        let ranges = |pairs: Vec<(u32, u32)>| -> Vec<Range<u32>> {
            pairs.into_iter().map(|(start, stop)| start..stop).collect()
        };
        let (word, space) = (ranges(word), ranges(space));
        let (cased, ignorable) = (ranges(cased), ranges(ignorable));
        run_short(py, move || kernel::Characters::new(&word, &space, &cased, &ignorable, lower))
            .map(|table| Self(Arc::new(table)))
    }

    /// `text` in lower case.
    fn lower(&self, text: &str) -> String {
        let mut out = vec![];
        self.0.lower(text, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

/// How rows become tokens; `None` for rows that are lists of strings already.
pub fn tokeniser(
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
) -> Result<Option<Arc<Tokeniser>>> {
    let analyzer = match analyzer {
        "word" => Analyzer::Words { least: 2 },
        "word1" => Analyzer::Words { least: 1 },
        "marks" => Analyzer::WordsAndMarks { runs: true },
        "mark" => Analyzer::WordsAndMarks { runs: false },
        "whitespace" => Analyzer::Pieces,
        "char" => Analyzer::Characters,
        "char_wb" => Analyzer::CharactersInWords,
        "token" => Analyzer::Numbers,
        "given" => return Ok(None),
        other => {
            return Err(Error::InvalidInput(format!(
                "analyzer is {other:?}; give \"word\", \"char\", \"char_wb\", \"whitespace\" or \
                 \"token\""
            )));
        }
    };
    Ok(Some(Arc::new(Tokeniser {
        analyzer,
        lowercase,
        characters: Arc::clone(&characters.0),
        stop_words: Arc::new(stop_words.into_iter().map(String::into_bytes).collect()),
    })))
}

/// Reads a column into a sequence, in the pool that the caller is in.
pub fn read(
    column: Column,
    tokeniser: Option<Arc<Tokeniser>>,
    threads: usize,
    monitor: &Monitor,
) -> Result<Sequence> {
    monitor.enter(bowstring::Phase::Reading, 0, None);
    if let Some(tokeniser) = tokeniser {
        let mut shards: Vec<Shard> =
            (0..threads).map(|_| Shard::new(Arc::clone(&tokeniser))).collect();
        arrow::read_rows(column.chunks(), &mut shards, monitor)?;
        return Ok(kernel::join(shards));
    }
    let tokeniser = Tokeniser {
        analyzer: Analyzer::Pieces,
        lowercase: false,
        characters: Arc::new(
            kernel::Characters::new(&[], &[], &[], &[], HashMap::new())
                .unwrap_or_else(|_| kernel::Characters::unicode()),
        ),
        stop_words: Arc::default(),
    };
    let mut shard = Shard::new(Arc::new(tokeniser));
    arrow::read_given(column.chunks(), &mut shard, monitor)?;
    Ok(kernel::join(vec![shard]))
}

/// Runs a kernel over what a column is read into.
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn run_read<T: Send + 'static>(
    py: Python<'_>,
    column: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    kernel: impl FnOnce(Sequence, &Monitor) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let tokeniser = tokeniser(analyzer, characters, lowercase, stop_words)
        .map_err(|error| to_python(py, &error))?;
    run_reporting(py, progress, move |monitor| {
        let pool = pool(threads)?;
        pool.install(|| {
            let threads = threads.unwrap_or_else(default_threads);
            let sequence = read(column, tokeniser, threads, &monitor)?;
            kernel(sequence, &monitor)
        })
    })
}

/// Where rows start, columns, and numbers, as SciPy takes them: 32 bits where they fit.
pub fn csr(matrix: Matrix) -> (Array, Array, Array) {
    let narrow = matrix.columns.len() <= i32::MAX as usize && matrix.width() <= i32::MAX as usize;
    let (starts, columns): (ArrayRef, ArrayRef) = if narrow {
        let starts: Vec<i32> = matrix.row_starts.iter().map(|&start| start as i32).collect();
        // The same bytes, of another type.
        let columns = ScalarBuffer::<i32>::from(Buffer::from_vec(matrix.columns));
        (Arc::new(Int32Array::from(starts)), Arc::new(Int32Array::new(columns, None)))
    } else {
        let starts: Vec<i64> = matrix.row_starts.iter().map(|&start| start as i64).collect();
        let columns: Vec<i64> = matrix.columns.into_iter().map(i64::from).collect();
        (Arc::new(Int64Array::from(starts)), Arc::new(Int64Array::from(columns)))
    };
    (Array(starts), Array(columns), Array(Arc::new(Int64Array::from(matrix.data))))
}

/// Columns of the n-grams that `kept` is true for.
fn columns_of(kept: Option<Column>) -> Result<Option<Vec<u32>>> {
    let Some(kept) = kept else { return Ok(None) };
    let kept = arrow::read_booleans("kept", kept.chunks())?;
    let mut next = 0;
    let columns = kept.into_iter().map(|kept| {
        next += u32::from(kept);
        if kept { next - 1 } else { u32::MAX }
    });
    Ok(Some(columns.collect()))
}

pub fn taken() -> Error {
    Error::InvalidInput("the counts were taken before; count again".into())
}

/// The n-grams of a column, counted.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Counted(Arc<Mutex<Option<kernel::Counted>>>);

impl Counted {
    fn ask<T: Send + 'static>(
        &self,
        py: Python<'_>,
        threads: Option<usize>,
        ask: impl FnOnce(&mut kernel::Counted, &Monitor) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let counted = Arc::clone(&self.0);
        run(py, threads, move |monitor| {
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            ask(counted.as_mut().ok_or_else(taken)?, monitor)
        })
    }
}

#[pymethods]
impl Counted {
    /// Rows and distinct n-grams.
    fn shape(&self, py: Python<'_>) -> PyResult<(usize, usize)> {
        self.ask(py, Some(1), |counted, _| Ok((counted.rows(), counted.distinct())))
    }

    /// `count, rows` of each n-gram.
    fn frequencies(&self, py: Python<'_>) -> PyResult<Table> {
        self.ask(py, Some(1), |counted, monitor| frequencies(counted.frequencies(monitor)?))
            .map(Table)
    }

    /// Where rows start, columns, counts; once.
    fn matrix(
        &self,
        py: Python<'_>,
        kept: Option<Column>,
        binary: bool,
        threads: Option<usize>,
    ) -> PyResult<(Array, Array, Array)> {
        self.ask(py, threads, move |counted, monitor| {
            let columns = columns_of(kept)?;
            counted.matrix(columns.as_deref(), binary, false, monitor).map(csr)
        })
    }

    /// The frequencies alone; the counts are gone then.
    fn run(&self, py: Python<'_>, orders: (usize, usize, bool)) -> PyResult<Run> {
        let counted = Arc::clone(&self.0);
        run(py, Some(1), move |monitor| {
            let counted = counted.lock().unwrap_or_else(PoisonError::into_inner).take();
            let orders = Orders::new(orders.0, orders.1, orders.2)?;
            kernel::Run::new(counted.ok_or_else(taken)?, orders, monitor).map(Arc::new)
        })
        .map(Run)
    }

    /// The n-grams; the counts are gone then.
    #[pyo3(signature = (kept, analyzer, threads=None))]
    fn vocabulary(
        &self,
        py: Python<'_>,
        kept: Option<Column>,
        analyzer: String,
        threads: Option<usize>,
    ) -> PyResult<Vocabulary> {
        let counted = Arc::clone(&self.0);
        run(py, threads, move |_| {
            let counted = counted.lock().unwrap_or_else(PoisonError::into_inner).take();
            let columns = columns_of(kept)?;
            Ok(Arc::new(counted.ok_or_else(taken)?.vocabulary(columns.as_deref())))
        })
        .map(|inner| Vocabulary { inner, columns: None, analyzer })
    }
}

/// Frequencies of n-grams, to be merged with others'.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Run(Arc<kernel::Run>);

#[pymethods]
impl Run {
    /// Maps a run that was saved.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        path: String,
        least: usize,
        most: usize,
        whole: bool,
    ) -> PyResult<Self> {
        run(py, Some(1), move |monitor| {
            let orders = Orders::new(least, most, whole)?;
            kernel::Run::open(std::path::Path::new(&path), orders, monitor).map(Arc::new)
        })
        .map(Self)
    }

    fn save(&self, py: Python<'_>, path: String) -> PyResult<()> {
        let own = Arc::clone(&self.0);
        run(py, Some(1), move |monitor| own.save(std::path::Path::new(&path), monitor))
    }

    /// Rows, distinct n-grams and bytes.
    fn shape(&self) -> (u64, usize, usize) {
        (self.0.rows(), self.0.distinct(), self.0.bytes())
    }

    /// `count, rows` of each n-gram.
    fn frequencies(&self, py: Python<'_>) -> PyResult<Table> {
        run_short(py, || frequencies(self.0.frequencies())).map(Table)
    }

    /// The n-grams.
    fn vocabulary(
        &self,
        py: Python<'_>,
        kept: Option<Column>,
        analyzer: String,
    ) -> PyResult<Vocabulary> {
        let own = Arc::clone(&self.0);
        run(py, Some(1), move |_| {
            let columns = columns_of(kept)?;
            let kept = |id: usize| columns.as_ref().is_none_or(|columns| columns[id] != u32::MAX);
            Ok(Arc::new(own.vocabulary(kept)))
        })
        .map(|inner| Vocabulary { inner, columns: None, analyzer })
    }
}

/// One run of several, without what fewer or more rows have.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "Python's list becomes this")]
pub fn merge_runs(
    py: Python<'_>,
    runs: Vec<PyRef<'_, Run>>,
    orders: (usize, usize, bool),
    least: u64,
    most: u64,
) -> PyResult<Run> {
    let runs: Vec<Arc<kernel::Run>> = runs.iter().map(|run| Arc::clone(&run.0)).collect();
    run(py, Some(1), move |monitor| {
        let orders = Orders::new(orders.0, orders.1, orders.2)?;
        let runs: Vec<&kernel::Run> = runs.iter().map(Arc::as_ref).collect();
        kernel::merge_runs(orders, &runs, least, most, monitor).map(Arc::new)
    })
    .map(Run)
}

fn frequencies(found: kernel::Frequencies) -> Result<RecordBatch> {
    let columns: [(&str, ArrayRef); 2] = [
        ("count", Arc::new(UInt64Array::from(found.count))),
        ("rows", Arc::new(UInt64Array::from(found.rows))),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Error::Source(Box::new(error)))
}

/// N-grams to count other rows by.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Vocabulary {
    pub inner: Arc<kernel::Vocabulary>,
    columns: Option<Arc<Vec<u32>>>,
    analyzer: String,
}

/// Writes a token as a term has it.
pub fn write_token(analyzer: &str, token: &[u8], out: &mut Vec<u8>) {
    match <[u8; 4]>::try_from(token) {
        Ok(number) if analyzer == "token" => {
            out.extend_from_slice(u32::from_be_bytes(number).to_string().as_bytes());
        }
        _ => out.extend_from_slice(token),
    }
}

impl Vocabulary {
    /// N-grams in their own order.
    pub fn sorted(inner: Arc<kernel::Vocabulary>, analyzer: &str) -> Self {
        Self { inner, columns: None, analyzer: analyzer.to_string() }
    }
}

#[pymethods]
impl Vocabulary {
    fn __len__(&self) -> usize {
        self.inner.len()
    }

    /// The n-grams as strings, in order.
    fn names(&self, py: Python<'_>) -> PyResult<Array> {
        let vocabulary = Arc::clone(&self.inner);
        let analyzer = self.analyzer.clone();
        run(py, Some(1), move |_| {
            let joint = if analyzer.starts_with("char") { "" } else { " " };
            let (bytes, ends) =
                vocabulary.names(joint, |token, out| write_token(&analyzer, token, out));
            let offsets = arrow_buffer::OffsetBuffer::new(ends.into());
            LargeStringArray::try_new(offsets, bytes.into(), None)
                .map_err(|error| Error::Source(Box::new(error)))
        })
        .map(|names| Array(Arc::new(names)))
    }

    /// Counts the n-grams in other rows.
    #[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
    fn count(
        &self,
        py: Python<'_>,
        column: Column,
        characters: &Characters,
        lowercase: bool,
        stop_words: HashSet<String>,
        binary: bool,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Array, Array, Array)> {
        let vocabulary = Arc::clone(&self.inner);
        let columns = self.columns.clone();
        let kernel = move |sequence, monitor: &Monitor| {
            let columns = columns.as_ref().map(|columns| &columns[..]);
            vocabulary.count(sequence, columns, binary, monitor).map(csr)
        };
        let analyzer = &self.analyzer;
        run_read(py, column, analyzer, characters, lowercase, stop_words, threads, progress, kernel)
    }

    /// Tokens, and the numbers of each n-gram's end to end with how many it has: to be kept.
    fn parts(&self) -> (Array, Array, Array) {
        let (words, symbols, lengths) = self.inner.parts();
        (
            Array(Arc::new(LargeBinaryArray::from_iter_values(words))),
            Array(Arc::new(UInt32Array::from(symbols.to_vec()))),
            Array(Arc::new(UInt8Array::from(lengths.to_vec()))),
        )
    }

    /// What `parts` gave.
    #[staticmethod]
    fn of_parts(
        py: Python<'_>,
        words: Column,
        symbols: Column,
        lengths: Column,
        analyzer: String,
        least: usize,
        most: usize,
    ) -> PyResult<Self> {
        let whole = analyzer == "char_wb";
        run(py, Some(1), move |_| {
            let read = |column: Column| column.chunks().collect::<Result<Vec<ArrayRef>>>();
            let refused = || Error::corrupt("the parts of a vocabulary are of other types");
            let mut own: Vec<Vec<u8>> = vec![];
            for chunk in read(words)? {
                let words = chunk.as_binary_opt::<i64>().ok_or_else(refused)?;
                own.extend(words.iter().flatten().map(<[u8]>::to_vec));
            }
            let mut numbers: Vec<u32> = vec![];
            for chunk in read(symbols)? {
                let chunk = chunk.as_primitive_opt::<UInt32Type>().ok_or_else(refused)?;
                numbers.extend_from_slice(chunk.values());
            }
            let mut long: Vec<u8> = vec![];
            for chunk in read(lengths)? {
                let chunk = chunk.as_primitive_opt::<UInt8Type>().ok_or_else(refused)?;
                long.extend_from_slice(chunk.values());
            }
            let orders = Orders::new(least, most, whole)?;
            let words = own.iter().map(Vec::as_slice);
            kernel::Vocabulary::of_parts(orders, words, &numbers, &long).map(Arc::new)
        })
        .map(|inner| Self { inner, columns: None, analyzer })
    }
}

/// The vocabulary of the terms that a caller gives, each one's column its place.
#[pyfunction]
pub fn vocabulary_of_terms(
    py: Python<'_>,
    terms: Vec<String>,
    analyzer: String,
    least: usize,
    most: usize,
) -> PyResult<Vocabulary> {
    let spelling = match &*analyzer {
        "given" => Spelling::Whole,
        "char" | "char_wb" => Spelling::Characters,
        _ => Spelling::Blanks,
    };
    let whole = analyzer == "char_wb";
    let (inner, columns) = run(py, Some(1), move |_| {
        let orders = Orders::new(least, most, whole)?;
        Ok(kernel::Vocabulary::of_terms(&terms, orders, spelling))
    })?;
    Ok(Vocabulary { inner: Arc::new(inner), columns: Some(Arc::new(columns)), analyzer })
}

/// Counts the n-grams of a column.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn count_ngrams(
    py: Python<'_>,
    column: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    least: usize,
    most: usize,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Counted> {
    let whole = analyzer == "char_wb";
    let kernel = move |sequence, monitor: &Monitor| {
        kernel::Counted::new(sequence, Orders::new(least, most, whole)?, monitor)
    };
    run_read(py, column, analyzer, characters, lowercase, stop_words, threads, progress, kernel)
        .map(|counted| Counted(Arc::new(Mutex::new(Some(counted)))))
}

/// Counts the n-grams of a column by buckets: where rows start, columns, numbers.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn count_hashed(
    py: Python<'_>,
    column: Column,
    analyzer: &str,
    characters: &Characters,
    lowercase: bool,
    stop_words: HashSet<String>,
    least: usize,
    most: usize,
    hash: &str,
    buckets: u32,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Array, Array, Array)> {
    let whole = analyzer == "char_wb";
    let given = analyzer == "given";
    let analyzer = if given { "whitespace" } else { analyzer };
    let tokeniser = tokeniser(analyzer, characters, lowercase, stop_words)
        .and_then(|tokeniser| tokeniser.ok_or_else(taken))
        .map_err(|error| to_python(py, &error))?;
    let hash = match hash {
        "sha256" => Hash::Sha256,
        hash => Hash::Murmur { alternate_sign: hash == "murmur3_signed" },
    };
    let matrix = run_reporting(py, progress, move |monitor| {
        let orders = Orders::new(least, most, whole)?;
        let pool = pool(threads)?;
        pool.install(|| {
            monitor.enter(bowstring::Phase::Reading, 0, None);
            let threads = if given { 1 } else { threads.unwrap_or_else(default_threads) };
            let shard = || HashedShard::new(Arc::clone(&tokeniser), orders, hash, buckets);
            let mut shards: Vec<HashedShard> = (0..threads).map(|_| shard()).collect();
            if given {
                arrow::read_given(column.chunks(), &mut shards[0], &monitor)?;
            } else {
                arrow::read_rows(column.chunks(), &mut shards, &monitor)?;
            }
            Ok(kernel::join_hashed(shards))
        })
    })?;
    let Matrix { row_starts, columns, data } = matrix;
    let (starts, columns, _) = csr(Matrix { row_starts, columns, data: vec![] });
    Ok((starts, columns, Array(Arc::new(Float64Array::from(data)))))
}
