//! Arrow tables of rows that were chosen.

use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, Float64Array, RecordBatch};
use arrow_schema::{DataType, Field};
use bowstring::select::order::Ranked;
use bowstring::{Error, Result};

use crate::results::{broken, numbers, table, validity};

/// `row, <score>, rank`, the best first.
///
/// # Errors
/// None that a caller can cause.
pub fn ranked(found: Ranked, score: &str) -> Result<RecordBatch> {
    let rank = (0..found.row.len() as u64).collect();
    table(
        None,
        vec![
            ("row", numbers(found.row)),
            (score, Arc::new(Float64Array::from(found.score)) as ArrayRef),
            ("rank", numbers(rank)),
        ],
    )
}

/// Numbers, some of which are missing.
pub fn floats(values: Vec<Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

/// Rows of `width` numbers each, some of which are missing; those at `nulls` are.
///
/// # Errors
/// [`Error::InvalidInput`] if rows have no width, or more than Arrow counts.
pub fn matrix(
    values: Vec<Option<f64>>,
    rows: usize,
    width: usize,
    nulls: &[usize],
) -> Result<ArrayRef> {
    let size = i32::try_from(width)
        .ok()
        .filter(|&size| size > 0)
        .ok_or_else(|| Error::InvalidInput(format!("b has {width} rows: give 1 to 2^31 - 1")))?;
    let values = Float64Array::from(values);
    debug_assert_eq!(values.len(), rows * width);
    let item = Arc::new(Field::new("item", DataType::Float64, true));
    FixedSizeListArray::try_new(item, size, Arc::new(values), validity(rows, nulls))
        .map(|rows| Arc::new(rows) as ArrayRef)
        .map_err(broken)
}
