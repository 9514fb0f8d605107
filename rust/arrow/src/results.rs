//! Makes Arrow arrays and tables of answers, without copying the numbers.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float64Array, LargeBinaryArray, LargeListArray,
    LargeStringArray, RecordBatch, UInt32Array, UInt64Array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use bowstring::query::{
    Contexts, Distributions, Found, Matches, OrderCounts, Predictions, Reach, RowCounts, Spans,
    Symbols,
};
use bowstring::{Column, Error, Patterns, Result};

pub(crate) fn broken(error: ArrowError) -> Error {
    match error {
        // What was valid when it was indexed is so no more.
        ArrowError::InvalidArgumentError(what) => Error::corrupt(what),
        other => Error::Source(Box::new(other)),
    }
}

/// A table with a leading `query` column if there are many queries.
pub(crate) fn table(
    query: Option<Vec<u64>>,
    columns: Vec<(&str, ArrayRef)>,
) -> Result<RecordBatch> {
    nullable_table(query, columns, &[])
}

/// A table of which some columns may hold nulls.
pub(crate) fn nullable_table(
    query: Option<Vec<u64>>,
    columns: Vec<(&str, ArrayRef)>,
    nullable: &[&str],
) -> Result<RecordBatch> {
    let query = query.map(|query| ("query", numbers(query)));
    let columns: Vec<_> = query.into_iter().chain(columns).collect();
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), nullable.contains(name)))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(broken)
}

pub(crate) fn numbers(numbers: Vec<u64>) -> ArrayRef {
    Arc::new(UInt64Array::from(numbers))
}

pub(crate) fn validity(length: usize, nulls: &[usize]) -> Option<NullBuffer> {
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

/// `query?, start, stop, count, unigram_logprob, match`.
///
/// # Errors
/// [`Error::Corrupt`] if a match of a string index is not UTF-8.
pub fn matches(matches: Matches, many: bool) -> Result<RecordBatch> {
    table(
        many.then_some(matches.query),
        vec![
            ("start", numbers(matches.start)),
            ("stop", numbers(matches.stop)),
            ("count", numbers(matches.count)),
            ("unigram_logprob", Arc::new(Float64Array::from(matches.unigram_logprob))),
            ("match", symbols(matches.matched)?),
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

/// The share that `count` is of `of`; null where that is 0.
fn share(count: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| count as f64 / of as f64)
}

/// `prob, count, prompt_count, suffix_length`, a row a prompt; null where the prompt is, `prob` also
/// where it is absent.
///
/// # Errors
/// None that a caller can cause.
pub fn predictions(predictions: Predictions) -> Result<RecordBatch> {
    let nulls = &predictions.nulls;
    let prob: Vec<Option<f64>> = predictions
        .count
        .iter()
        .zip(&predictions.prompt_count)
        .map(|(&a, &b)| share(a, b))
        .collect();
    let columns = vec![
        ("prob", Arc::new(nullif(prob, nulls)) as ArrayRef),
        ("count", counts(predictions.count, nulls)),
        ("prompt_count", counts(predictions.prompt_count, nulls)),
        ("suffix_length", counts(predictions.suffix_length, nulls)),
    ];
    nullable_table(None, columns, &["prob", "count", "prompt_count", "suffix_length"])
}

fn nullif(mut values: Vec<Option<f64>>, nulls: &[usize]) -> Float64Array {
    for &null in nulls {
        values[null] = None;
    }
    Float64Array::from(values)
}

/// `query?, token, count, prob`, `suffix_length` of prompts that back off, and `approximate` of
/// estimates; the token of a row's end is null.
///
/// # Errors
/// None that a caller can cause.
pub fn distributions(
    found: Distributions,
    many: bool,
    backoff: bool,
    estimated: bool,
) -> Result<RecordBatch> {
    let prob = found.count.iter().zip(&found.prompt_count).map(|(&a, &b)| share(a, b));
    let prob: Float64Array = prob.map(Option::unwrap_or_default).collect();
    let mut columns = vec![
        ("token", Arc::new(UInt32Array::from(found.token)) as ArrayRef),
        ("count", numbers(found.count)),
        ("prob", Arc::new(prob)),
    ];
    if backoff {
        columns.push(("suffix_length", numbers(found.suffix_length)));
    }
    if estimated {
        columns.push(("approximate", Arc::new(BooleanArray::from(found.approximate))));
    }
    nullable_table(many.then_some(found.query), columns, &["token"])
}

/// `numerators: fixed_size_list<large_list<uint64>>, denominators: fixed_size_list<uint64>`, a row a
/// context, whose lists have an item an order; null where the context is null or too short.
///
/// # Errors
/// None that a caller can cause.
pub fn order_counts(found: OrderCounts, orders: usize) -> Result<RecordBatch> {
    let unknown = &found.unknown;
    let contexts = found.denominators.len() / orders;
    let ends = std::iter::once(0).chain(found.ends.iter().map(|&end| end as i64));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends.collect::<Vec<i64>>()));
    let count = Arc::new(Field::new("item", DataType::UInt64, false));
    let known = validity(found.denominators.len(), unknown);
    let lists = LargeListArray::try_new(count, offsets, numbers(found.numerators), known)
        .map_err(broken)?;
    let denominators = counts(found.denominators, unknown);
    let by_order = |items: ArrayRef| -> Result<ArrayRef> {
        let item = Arc::new(Field::new("item", items.data_type().clone(), true));
        let known = validity(contexts, &found.nulls);
        let lists = FixedSizeListArray::try_new(item, orders as i32, items, known);
        Ok(Arc::new(lists.map_err(broken)?))
    };
    nullable_table(
        None,
        vec![("numerators", by_order(Arc::new(lists))?), ("denominators", by_order(denominators)?)],
        &["numerators", "denominators"],
    )
}

/// Probabilities, or scores like them, null where there is none.
pub fn probabilities(probabilities: Vec<Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from(probabilities))
}

/// `row, position, token, suffix_length, context_count, count, prob, sparse`, a row a symbol; the
/// token of a row's end is null, `prob` is where nothing was indexed.
///
/// # Errors
/// None that a caller can cause.
pub fn scores(rows: &Patterns, scores: &[Vec<Reach>]) -> Result<RecordBatch> {
    let length = scores.iter().map(Vec::len).sum();
    let mut row = Vec::with_capacity(length);
    let mut position = Vec::with_capacity(length);
    let mut token = Vec::with_capacity(length);
    let mut prob = Vec::with_capacity(length);
    for (at, scores) in scores.iter().enumerate() {
        row.resize(row.len() + scores.len(), at as u64);
        position.extend(0..scores.len() as u64);
        let text = rows.get(at);
        token.extend(
            (0..scores.len())
                .map(|at| text.filter(|text| at < text.len()).map(|text| text.symbol(at))),
        );
        prob.extend(scores.iter().map(|reach| share(reach.count, reach.context)));
    }
    let sparse: Vec<bool> = scores.iter().flatten().map(|reach| reach.sparse).collect();
    let column = |of: fn(&Reach) -> u64| numbers(scores.iter().flatten().map(of).collect());
    nullable_table(
        None,
        vec![
            ("row", numbers(row)),
            ("position", numbers(position)),
            ("token", Arc::new(UInt32Array::from(token))),
            ("suffix_length", column(|reach| reach.length)),
            ("context_count", column(|reach| reach.context)),
            ("count", column(|reach| reach.count)),
            ("prob", Arc::new(Float64Array::from(prob))),
            ("sparse", Arc::new(BooleanArray::from(sparse))),
        ],
        &["token", "prob"],
    )
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
