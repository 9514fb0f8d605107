//! What rows are selected by, read from Arrow arrays, and rows that were chosen as Arrow tables.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field};
use bowstring::select::order::Ranked;
use bowstring::select::submodular::{Dense, Matrix, Sparse};
use bowstring::{Error, Result};

use crate::results::{broken, numbers, table, validity};

fn unsupported(name: &str, found: &DataType, wanted: &str) -> Error {
    Error::UnsupportedType(format!("{name} is of Arrow type {found}; give {wanted}"))
}

fn without_nulls(name: &str, chunk: &dyn Array) -> Result<()> {
    if chunk.null_count() > 0 {
        return Err(Error::InvalidInput(format!("{name} holds a null; drop or fill the nulls")));
    }
    Ok(())
}

/// Reads numbers of 64 bits.
///
/// # Errors
/// [`Error::UnsupportedType`] if they are others; [`Error::InvalidInput`] for a null.
pub fn read_floats(name: &str, chunks: impl Iterator<Item = Result<ArrayRef>>) -> Result<Vec<f64>> {
    let mut read = vec![];
    for chunk in chunks {
        let chunk = chunk?;
        let numbers = chunk.as_primitive_opt::<Float64Type>();
        let numbers = numbers.ok_or_else(|| unsupported(name, chunk.data_type(), "float64"))?;
        without_nulls(name, numbers)?;
        read.extend_from_slice(numbers.values());
    }
    Ok(read)
}

/// Reads whole numbers from 0 to 2^32 - 1.
///
/// # Errors
/// [`Error::UnsupportedType`] if they are of another type; [`Error::InvalidInput`] for a null, or a
/// number beyond.
pub fn read_places(name: &str, chunks: impl Iterator<Item = Result<ArrayRef>>) -> Result<Vec<u32>> {
    let mut read = vec![];
    for chunk in chunks {
        let chunk = chunk?;
        without_nulls(name, &*chunk)?;
        let place = |number: i64| {
            u32::try_from(number).map_err(|_| {
                Error::InvalidInput(format!("{name} holds {number}; give 0 to 2^32 - 1"))
            })
        };
        match chunk.data_type() {
            DataType::Int32 => {
                for &number in chunk.as_primitive::<Int32Type>().values() {
                    read.push(place(number.into())?);
                }
            }
            DataType::Int64 => {
                for &number in chunk.as_primitive::<Int64Type>().values() {
                    read.push(place(number)?);
                }
            }
            DataType::UInt32 => {
                read.extend_from_slice(chunk.as_primitive::<UInt32Type>().values());
            }
            other => return Err(unsupported(name, other, "int32, int64 or uint32")),
        }
    }
    Ok(read)
}

/// Reads where rows start.
///
/// # Errors
/// [`Error::UnsupportedType`] if they are not of 64 bits; [`Error::InvalidInput`] for a negative.
pub fn read_starts(
    name: &str,
    chunks: impl Iterator<Item = Result<ArrayRef>>,
) -> Result<Vec<usize>> {
    let mut read = vec![];
    for chunk in chunks {
        let chunk = chunk?;
        let numbers = chunk.as_primitive_opt::<Int64Type>();
        let numbers = numbers.ok_or_else(|| unsupported(name, chunk.data_type(), "int64"))?;
        for &number in numbers.values() {
            let start = usize::try_from(number);
            read.push(start.map_err(|_| {
                Error::InvalidInput(format!("{name} holds {number}; give numbers from 0 on"))
            })?);
        }
    }
    Ok(read)
}

/// Reads sparse rows: where they start, columns, values.
///
/// # Errors
/// What the parts are refused with.
pub fn read_sparse(
    starts: impl Iterator<Item = Result<ArrayRef>>,
    columns: impl Iterator<Item = Result<ArrayRef>>,
    values: impl Iterator<Item = Result<ArrayRef>>,
    width: usize,
) -> Result<Matrix> {
    let starts = read_starts("data", starts)?;
    let columns = read_places("data", columns)?;
    let values = read_floats("data", values)?;
    Ok(Matrix::Sparse(Sparse::new(starts, columns, values, width)?))
}

/// Reads dense rows of `width` numbers of 32 or 64 bits, end to end.
///
/// # Errors
/// [`Error::UnsupportedType`] for other numbers; [`Error::InvalidInput`] for a null, or one that is
/// not finite.
pub fn read_dense(values: impl Iterator<Item = Result<ArrayRef>>, width: usize) -> Result<Matrix> {
    let (mut narrow, mut wide) = (vec![], vec![]);
    for chunk in values {
        let chunk = chunk?;
        without_nulls("data", &*chunk)?;
        match chunk.data_type() {
            DataType::Float32 => {
                narrow.extend_from_slice(chunk.as_primitive::<Float32Type>().values());
            }
            DataType::Float64 => {
                wide.extend_from_slice(chunk.as_primitive::<Float64Type>().values());
            }
            other => return Err(unsupported("data", other, "float32 or float64")),
        }
    }
    if narrow.is_empty() {
        return Ok(Matrix::Wide(Dense::new(wide, width)?));
    }
    Ok(Matrix::Narrow(Dense::new(narrow, width)?))
}

/// Rows as they were selected: `row, gain, rank`, ranks from 1 on.
///
/// # Errors
/// None that are known.
pub fn selection(rows: impl ExactSizeIterator<Item = u64>, gains: Vec<f64>) -> Result<RecordBatch> {
    let ranks = UInt64Array::from_iter_values(1..=rows.len() as u64);
    let rows = UInt64Array::from_iter_values(rows);
    table(
        None,
        vec![
            ("row", Arc::new(rows)),
            ("gain", Arc::new(Float64Array::from(gains))),
            ("rank", Arc::new(ranks)),
        ],
    )
}

/// `row, <score>, rank`, the best first, ranks from 1 on.
///
/// # Errors
/// None that a caller can cause.
pub fn ranked(found: Ranked, score: &str) -> Result<RecordBatch> {
    let rank = (1..=found.row.len() as u64).collect();
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
