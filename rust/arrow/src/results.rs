//! Makes Arrow arrays and tables of answers, without copying the numbers.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, LargeBinaryArray, LargeListArray, LargeStringArray,
    RecordBatch, UInt32Array, UInt64Array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use bowstring::query::{Contexts, Found, RowCounts, Spans, Symbols};
use bowstring::{Column, Error, Result};

fn broken(error: ArrowError) -> Error {
    match error {
        // What was valid when it was indexed is so no more.
        ArrowError::InvalidArgumentError(what) => Error::corrupt(what),
        other => Error::Source(Box::new(other)),
    }
}

/// A table with a leading `query` column if there are many queries.
fn table(query: Option<Vec<u64>>, columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let query = query.map(|query| ("query", numbers(query)));
    let columns: Vec<_> = query.into_iter().chain(columns).collect();
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), false))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(broken)
}

fn numbers(numbers: Vec<u64>) -> ArrayRef {
    Arc::new(UInt64Array::from(numbers))
}

fn validity(length: usize, nulls: &[usize]) -> Option<NullBuffer> {
    if nulls.is_empty() {
        return None;
    }
    let mut valid = vec![true; length];
    for &null in nulls {
        valid[null] = false;
    }
    Some(NullBuffer::from(valid))
}

/// Counts, null where the query was.
pub fn counts(counts: Vec<u64>, nulls: &[usize]) -> ArrayRef {
    let validity = validity(counts.len(), nulls);
    Arc::new(UInt64Array::new(ScalarBuffer::from(counts), validity))
}

/// `query?, row, start, stop`.
///
/// # Errors
/// None that a caller can cause.
pub fn spans(spans: Spans, many: bool) -> Result<RecordBatch> {
    table(
        many.then_some(spans.query),
        vec![
            ("row", numbers(spans.row)),
            ("start", numbers(spans.start)),
            ("stop", numbers(spans.stop)),
        ],
    )
}

/// `query?, row, count`.
///
/// # Errors
/// None that a caller can cause.
pub fn row_counts(rows: RowCounts, many: bool) -> Result<RecordBatch> {
    table(
        many.then_some(rows.query),
        vec![("row", numbers(rows.row)), ("count", numbers(rows.count))],
    )
}

/// `query?, row, start, left, match, right`.
///
/// # Errors
/// [`Error::Corrupt`] if a string index holds what is not UTF-8.
pub fn contexts(contexts: Contexts, many: bool) -> Result<RecordBatch> {
    table(
        many.then_some(contexts.spans.query),
        vec![
            ("row", numbers(contexts.spans.row)),
            ("start", numbers(contexts.spans.start)),
            ("left", symbols(contexts.left)?),
            ("match", symbols(contexts.matched)?),
            ("right", symbols(contexts.right)?),
        ],
    )
}

/// `query?, row, start, stop`, and of an estimate `weight, approximate`.
///
/// # Errors
/// None that a caller can cause.
pub fn found(found: Found, many: bool, estimated: bool) -> Result<RecordBatch> {
    let mut columns = vec![
        ("row", numbers(found.row)),
        ("start", numbers(found.start)),
        ("stop", numbers(found.stop)),
    ];
    if estimated {
        columns.push(("weight", Arc::new(Float64Array::from(found.weight))));
        columns.push(("approximate", Arc::new(BooleanArray::from(found.approximate))));
    }
    table(many.then_some(found.query), columns)
}

/// Rows of text as `large_string`, of bytes as `large_binary`, of tokens as `large_list<uint32>`.
///
/// # Errors
/// [`Error::Corrupt`] if rows of text are not UTF-8.
pub fn symbols(rows: Symbols) -> Result<ArrayRef> {
    let validity = validity(rows.len(), &rows.nulls);
    let column = rows.column();
    let ends = std::iter::once(0).chain(rows.ends.iter().map(|&end| end as i64));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends.collect::<Vec<i64>>()));
    let bytes = Buffer::from_vec(rows.bytes);
    Ok(match column {
        Column::String => {
            Arc::new(LargeStringArray::try_new(offsets, bytes, validity).map_err(broken)?)
        }
        Column::Binary => {
            Arc::new(LargeBinaryArray::try_new(offsets, bytes, validity).map_err(broken)?)
        }
        Column::Tokens => {
            let item = Arc::new(Field::new("item", DataType::UInt32, false));
            let tokens = Arc::new(UInt32Array::from(rows.tokens));
            Arc::new(LargeListArray::try_new(item, offsets, tokens, validity).map_err(broken)?)
        }
    })
}
