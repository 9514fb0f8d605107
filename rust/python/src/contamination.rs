//! What `bowstring.contamination` asks of a corpus.

use bowstring::contamination::{Benchmark, Seeds, Units};
use bowstring::{Error, Monitor, Patterns, Phase, Result, Rows, pool};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::detached::run_reporting;
use crate::duplicates::{Data, read};

/// Symbols of the corpus that are held at a time.
const HELD: usize = 1 << 25;

/// Rows on their way past a benchmark.
struct Passing<'a> {
    benchmark: &'a mut Benchmark,
    rows: Patterns,
    symbols: usize,
    tokens: bool,
    monitor: &'a Monitor,
}

fn no_rows(tokens: bool) -> Patterns {
    if tokens { Patterns::tokens() } else { Patterns::bytes() }
}

impl Passing<'_> {
    fn flush(&mut self) -> Result<()> {
        let rows = std::mem::replace(&mut self.rows, no_rows(self.tokens));
        self.symbols = 0;
        self.benchmark.scan(&rows, self.monitor)
    }

    fn make_room(&mut self, symbols: usize) -> Result<()> {
        self.symbols += symbols + 1;
        if self.symbols > HELD { self.flush() } else { Ok(()) }
    }
}

impl Rows for Passing<'_> {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        self.make_room(row.map_or(0, <[u8]>::len))?;
        self.rows.push_bytes(row)
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        self.make_room(row.map_or(0, <[u32]>::len))?;
        self.rows.push_tokens(row)
    }
}

/// A table of a row a text, and for each item the first row that holds all of its texts.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
#[pyo3(signature = (
    corpus, texts, items, units, n, word_starts, short, whole, skips, left, counts, min_match,
    threads, progress,
))]
pub fn contamination(
    py: Python<'_>,
    corpus: Data,
    texts: Column,
    items: Column,
    units: String,
    n: usize,
    word_starts: bool,
    short: bool,
    whole: bool,
    skips: usize,
    left: bool,
    counts: (u64, Option<u64>),
    min_match: usize,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Table, Array)> {
    run_reporting(py, progress, move |monitor| {
        let units = match units.as_str() {
            "words" => Units::Words { lowercase: false, punctuation: false },
            "normalised" => Units::Words { lowercase: true, punctuation: true },
            "characters" => Units::Characters { alphanumeric: false },
            "alphanumeric" => Units::Characters { alphanumeric: true },
            "tokens" => Units::Tokens,
            other => return Err(Error::InvalidInput(format!("units are {other:?}"))),
        };
        let seeds = Seeds { units, n, word_starts, short, whole, skips, left };
        let numbers = arrow::read_numbers("items", items.chunks())?;
        let numbers = numbers.into_iter().map(|item| item.unwrap_or(0) as u32);
        pool(threads)?.install(|| {
            let mut benchmark = Benchmark::new(&read(texts)?, &numbers.collect::<Vec<_>>(), seeds)?;
            monitor.enter(Phase::Querying, 0, None);
            let tokens = corpus.kind()? == bowstring::Column::Tokens;
            let mut passing = Passing {
                benchmark: &mut benchmark,
                rows: no_rows(tokens),
                symbols: 0,
                tokens,
                monitor: &monitor,
            };
            corpus.pass(&mut passing)?;
            passing.flush()?;
            let (found, rows) = benchmark.finish();
            let most = counts.1.unwrap_or(u64::MAX);
            let table = arrow::contamination(&found, counts.0, most, min_match)?;
            Ok((table, arrow::optional(rows)))
        })
    })
    .map(|(table, rows)| (Table(table), Array(rows)))
}
