//! What `bowstring.language` asks of an index.

use bowstring::{
    Candidates, Column as Kind, DistributionOptions, Error, GenerateOptions, Index as Kernel,
    Monitor, Next, Patterns, Result, Rows as _, Smoothing,
};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::detached::{run, run_short, run_sized};
use crate::error::to_python;
use crate::index::{Index, Queries, term};

/// Refuses a number that no symbol of the index's kind has.
fn check_symbol(index: &Kernel, what: &str, number: Option<u64>) -> Result<()> {
    let tokens = index.column() == Kind::Tokens;
    let most = if tokens { u64::from(u32::MAX) - 1 } else { u64::from(u8::MAX) };
    match number.filter(|&number| number > most) {
        None => Ok(()),
        Some(number) => Err(Error::InvalidInput(format!(
            "{what} {number}; give whole numbers from 0 to {most}"
        ))),
    }
}

/// One symbol as a text of the index's kind.
fn symbols(index: &Kernel, numbers: &[Option<u64>]) -> Result<Patterns> {
    let tokens = index.column() == Kind::Tokens;
    let mut patterns = if tokens { Patterns::tokens() } else { Patterns::bytes() };
    for number in numbers {
        check_symbol(index, "token is", *number)?;
        if tokens {
            let row = number.map(|number| [number as u32]);
            patterns.push_tokens(row.as_ref().map(<[u32; 1]>::as_slice))?;
        } else {
            let row = number.map(|number| [number as u8]);
            patterns.push_bytes(row.as_ref().map(<[u8; 1]>::as_slice))?;
        }
    }
    Ok(patterns)
}

/// What one prompt is to be followed by: a number, a text, or the end of the row for `None`.
fn next_of(index: &Kernel, object: &Bound<'_, PyAny>) -> PyResult<Option<Patterns>> {
    if object.is_none() {
        return Ok(None);
    }
    if let Some(text) = term(object)? {
        return Ok(Some(text));
    }
    let found = object.extract::<u64>().map_or_else(
        |_| Err(Error::InvalidInput(format!("token is {object}; give a whole number from 0 on"))),
        |number| symbols(index, &[Some(number)]),
    );
    found.map(Some).map_err(|error| to_python(object.py(), &error))
}

/// What prompts are to be followed by: one thing, as `next_of` reads it, or a column.
enum Nexts {
    One(Option<Patterns>),
    Many(Column),
}

impl Nexts {
    fn of(index: &Kernel, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if object.hasattr("__arrow_c_array__")? || object.hasattr("__arrow_c_stream__")? {
            return Ok(Self::Many(object.extract()?));
        }
        next_of(index, object).map(Self::One)
    }

    fn read(self, index: &Kernel) -> Result<Option<Patterns>> {
        match self {
            Self::One(next) => Ok(next),
            Self::Many(next) if next.data_type.is_integer() => {
                symbols(index, &arrow::read_numbers("token", next.chunks())?).map(Some)
            }
            Self::Many(next) => Queries::Many(next).read().map(Some),
        }
    }
}

fn one(object: &Bound<'_, PyAny>) -> PyResult<Patterns> {
    term(object)?.ok_or_else(|| {
        let what = "prompt is neither text nor a list of tokens".into();
        to_python(object.py(), &Error::UnsupportedType(what))
    })
}

/// `(suffix_length, prompt_count, count)` of one prompt.
#[pyfunction]
pub fn predict_one(
    py: Python<'_>,
    index: &Index,
    prompt: &Bound<'_, PyAny>,
    next: &Bound<'_, PyAny>,
    backoff: bool,
) -> PyResult<(u64, u64, u64)> {
    let index = index.kernel();
    let (prompt, next) = (one(prompt)?, next_of(&index, next)?);
    run_short(py, || {
        let next = next.as_ref().map_or(Next::End, Next::Text);
        let found = index.predict(&prompt, next, backoff, &Monitor::default())?;
        Ok((found.suffix_length[0], found.prompt_count[0], found.count[0]))
    })
}

/// A table of a row a prompt. `next` is what `predict_one` takes, or a column; one of anything stands
/// for as many as there are of the other.
#[pyfunction]
pub fn predict(
    py: Python<'_>,
    index: &Index,
    prompts: Queries,
    next: &Bound<'_, PyAny>,
    backoff: bool,
    threads: Option<usize>,
) -> PyResult<Table> {
    let index = index.kernel();
    let next = Nexts::of(&index, next)?;
    run(py, threads, move |monitor| {
        let prompts = prompts.read()?;
        let next = next.read(&index)?;
        let next = next.as_ref().map_or(Next::End, Next::Text);
        arrow::predictions(index.predict(&prompts, next, backoff, monitor)?)
    })
    .map(Table)
}

/// A table of a row a continuation.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn distributions(
    py: Python<'_>,
    index: &Index,
    prompts: Queries,
    backoff: bool,
    max_support: Option<usize>,
    seed: u64,
    threads: Option<usize>,
) -> PyResult<Table> {
    let index = index.kernel();
    let options =
        DistributionOptions { backoff, max_support: max_support.map(|size| (size, seed)) };
    let many = prompts.many();
    run_sized(py, !many && max_support.is_none(), threads, move |monitor| {
        let found = index.distributions(&prompts.read()?, options, monitor)?;
        arrow::distributions(found, many, backoff, max_support.is_some())
    })
    .map(Table)
}

/// A table of a row a symbol.
#[pyfunction]
pub fn score(
    py: Python<'_>,
    index: &Index,
    rows: Column,
    order: Option<usize>,
    ends: bool,
    threads: Option<usize>,
) -> PyResult<Table> {
    let index = index.kernel();
    run(py, threads, move |monitor| {
        let rows = Queries::Many(rows).read()?;
        let scores = index.score(&rows, order, ends, monitor)?;
        arrow::scores(&rows, &scores)
    })
    .map(Table)
}

/// A table of a row a context, whose lists have an item an order. Candidates are all symbols, and
/// how many each context has of them; without that every context has all.
#[pyfunction]
pub fn order_counts(
    py: Python<'_>,
    index: &Index,
    contexts: Queries,
    orders: Vec<usize>,
    candidates: Column,
    lengths: Option<Column>,
    threads: Option<usize>,
) -> PyResult<Table> {
    let index = index.kernel();
    run_sized(py, !contexts.many(), threads, move |monitor| {
        let mut symbols = vec![];
        for number in arrow::read_numbers("candidates", candidates.chunks())? {
            check_symbol(&index, "candidates holds", number)?;
            symbols.push(number.map(|number| number as u32));
        }
        let candidates = match lengths {
            None => Candidates::Same(symbols),
            Some(lengths) => {
                let lengths = arrow::read_numbers("candidates", lengths.chunks())?;
                Candidates::each(symbols, &lengths)
            }
        };
        let found = index.order_counts(&contexts.read()?, &orders, &candidates, monitor)?;
        arrow::order_counts(found, orders.len())
    })
    .map(Table)
}

/// A score a prompt; `next` is what `predict` takes.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one keyword each in Python")]
pub fn stupid_backoff(
    py: Python<'_>,
    index: &Index,
    prompts: Queries,
    next: &Bound<'_, PyAny>,
    order: usize,
    alpha: f64,
    threads: Option<usize>,
) -> PyResult<Array> {
    smoothed(py, index, prompts, next, Smoothing::StupidBackoff(order, alpha), threads)
}

/// A score a prompt; `next` is what `predict` takes.
#[pyfunction]
pub fn interpolated(
    py: Python<'_>,
    index: &Index,
    prompts: Queries,
    next: &Bound<'_, PyAny>,
    weights: Vec<(usize, f64)>,
    threads: Option<usize>,
) -> PyResult<Array> {
    smoothed(py, index, prompts, next, Smoothing::Interpolated(weights), threads)
}

fn smoothed(
    py: Python<'_>,
    index: &Index,
    prompts: Queries,
    next: &Bound<'_, PyAny>,
    smoothing: Smoothing,
    threads: Option<usize>,
) -> PyResult<Array> {
    let index = index.kernel();
    let next = Nexts::of(&index, next)?;
    let one = !prompts.many() && matches!(next, Nexts::One(_));
    run_sized(py, one, threads, move |monitor| {
        let (prompts, next) = (prompts.read()?, next.read(&index)?);
        let next = next.as_ref().map_or(Next::End, Next::Text);
        Ok(arrow::probabilities(index.smoothed(&prompts, next, &smoothing, monitor)?))
    })
    .map(Array)
}

/// What follows each prompt, an array as long as `prompts`.
#[pyfunction]
pub fn generate(
    py: Python<'_>,
    index: &Index,
    prompts: Queries,
    length: usize,
    temperature: f64,
    seed: u64,
    threads: Option<usize>,
) -> PyResult<Array> {
    let index = index.kernel();
    let options = GenerateOptions { length, temperature, seed };
    run(py, threads, move |monitor| {
        arrow::symbols(index.generate(&prompts.read()?, options, monitor)?)
    })
    .map(Array)
}
