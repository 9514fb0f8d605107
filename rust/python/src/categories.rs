//! What `bowstring.categories` asks.

use bowstring::clean::{find, number, overlap};
use bowstring::{Error, Result};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Array, Column, Table};
use crate::detached::run;
use crate::error::to_python;
use crate::link::read;

fn one_of<T: Copy>(name: &str, given: &str, known: &[(&str, T)]) -> Result<T> {
    let found = known.iter().find(|(word, _)| *word == given);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let words: Vec<String> = known.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        Error::InvalidInput(format!("{name} is \"{given}\": give {}", words.join(" or ")))
    })
}

/// A table of the substrings that distinct values share.
#[pyfunction]
pub fn overlap_keys(
    py: Python<'_>,
    values: Column,
    min_length: usize,
    keys: &str,
    threads: Option<usize>,
) -> PyResult<Table> {
    let known = [
        ("maximal", overlap::Keys::Maximal),
        ("per_value", overlap::Keys::PerValue),
        ("whole", overlap::Keys::Whole),
    ];
    let which = one_of("keys", keys, &known).map_err(|error| to_python(py, &error))?;
    run(py, threads, move |monitor| {
        arrow::keys(overlap::keys(&read(values)?, min_length, which, monitor)?)
    })
    .map(Table)
}

/// The numbers of the texts that each value holds.
#[pyfunction]
pub fn held_texts(
    py: Python<'_>,
    texts: Column,
    values: Column,
    ignore_case: bool,
    threads: Option<usize>,
) -> PyResult<Array> {
    run(py, threads, move |monitor| {
        let (texts, values) = (read(texts)?, read(values)?);
        arrow::held(find::held(&texts, &values, ignore_case, monitor)?)
    })
    .map(Array)
}

/// A table of the numbers in values.
#[pyfunction]
pub fn extract_numbers(
    py: Python<'_>,
    values: Column,
    style: &str,
    which: &str,
    threads: Option<usize>,
) -> PyResult<Table> {
    use number::{Style, Which};
    let styles = [("plain", Style::Plain), ("comma", Style::Comma), ("european", Style::European)];
    let whiches = [("first", Which::First), ("longest", Which::Longest), ("all", Which::All)];
    let style = one_of("style", style, &styles).map_err(|error| to_python(py, &error))?;
    let which = one_of("which", which, &whiches).map_err(|error| to_python(py, &error))?;
    run(py, threads, move |monitor| {
        arrow::extracted(number::extract(&read(values)?, style, which, monitor)?)
    })
    .map(Table)
}
