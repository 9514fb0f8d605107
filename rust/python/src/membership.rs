//! What `bowstring.membership` asks of pairs of texts.

use bowstring::pairs::{Unit, shared as shared_of};
use bowstring_arrow as arrow;
use pyo3::prelude::*;

use crate::capsule::{Column, Table};
use crate::detached::run;
use crate::duplicates::read;

/// A table of a row a text: what of it stands in its partner.
#[pyfunction]
#[pyo3(signature = (texts, partners, of, words, lengths, threads))]
pub fn shared(
    py: Python<'_>,
    texts: Column,
    partners: Column,
    of: Column,
    words: bool,
    lengths: Vec<u64>,
    threads: Option<usize>,
) -> PyResult<Table> {
    run(py, threads, move |monitor| {
        let unit = if words { Unit::Word } else { Unit::Character };
        let of = arrow::read_numbers("of", of.chunks())?;
        let of: Vec<usize> = of.into_iter().map(|at| at.unwrap_or(u64::MAX) as usize).collect();
        let (texts, partners) = (read(texts)?, read(partners)?);
        arrow::shared(&shared_of(&texts, &partners, &of, unit, &lengths, monitor)?, &lengths)
    })
    .map(Table)
}
