//! Makes Arrow arrays and tables of answers, without copying the numbers.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, FixedSizeListArray, Float64Array, LargeBinaryArray,
    LargeListArray, LargeStringArray, RecordBatch, StructArray, UInt32Array, UInt64Array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use bowstring::contamination::Evidence;
use bowstring::pairs::Shared;
use bowstring::query::{
    Contexts, Coverage, Distributions, Duplicates, Found, Matches, Occurrence, OrderCounts,
    Predictions, Reach, Removals, RowCounts, Spans, Symbols,
};
use bowstring::repetition::{Loops, ORDERS, Repetition, THRESHOLDS};
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

/// `row, start, stop, count, group`.
///
/// # Errors
/// None that a caller can cause.
pub fn duplicates(found: Duplicates) -> Result<RecordBatch> {
    table(
        None,
        vec![
            ("row", numbers(found.row)),
            ("start", numbers(found.start)),
            ("stop", numbers(found.stop)),
            ("count", numbers(found.count)),
            ("group", numbers(found.group)),
        ],
    )
}

/// `row, start, stop`.
///
/// # Errors
/// None that a caller can cause.
pub fn passages(found: &[(u64, u64, u64)]) -> Result<RecordBatch> {
    let of = |take: fn(&(u64, u64, u64)) -> u64| numbers(found.iter().map(take).collect());
    let columns = [of(|it| it.0), of(|it| it.1), of(|it| it.2)];
    table(None, ["row", "start", "stop"].into_iter().zip(columns).collect())
}

/// `count, row, start`, where each text first stands: null where it does nowhere.
///
/// # Errors
/// None that a caller can cause.
pub fn occurrences(found: &[Occurrence]) -> Result<RecordBatch> {
    let count = numbers(found.iter().map(|it| it.0).collect());
    let row = optional(found.iter().map(|it| it.1.map(|place| place.0)).collect());
    let start = optional(found.iter().map(|it| it.1.map(|place| place.1)).collect());
    nullable_table(None, vec![("count", count), ("row", row), ("start", start)], &["row", "start"])
}

/// `row, start, stop, period: uint64, times: double`.
///
/// # Errors
/// None that a caller can cause.
pub fn loops(found: Loops) -> Result<RecordBatch> {
    let ends = found.start.iter().zip(&found.stop).zip(&found.period);
    let times = ends.map(|((start, stop), period)| (stop - start) as f64 / *period as f64);
    let times: Float64Array = times.collect::<Vec<f64>>().into();
    table(
        None,
        vec![
            ("row", numbers(found.row)),
            ("start", numbers(found.start)),
            ("stop", numbers(found.stop)),
            ("period", numbers(found.period)),
            ("times", Arc::new(times)),
        ],
    )
}

/// `row, start, stop, copy_row, copy_start`.
///
/// # Errors
/// None that a caller can cause.
pub fn removals(found: Removals) -> Result<RecordBatch> {
    table(
        None,
        vec![
            ("row", numbers(found.row)),
            ("start", numbers(found.start)),
            ("stop", numbers(found.stop)),
            ("copy_row", numbers(found.copy_row)),
            ("copy_start", numbers(found.copy_start)),
        ],
    )
}

/// What each row repeats: a wide table of a row a row, null where the row is; or, with `filter`,
/// `keep: bool, reason: string`.
///
/// # Errors
/// None that a caller can cause.
pub fn repetition(found: &[Option<Repetition>], filter: bool) -> Result<RecordBatch> {
    let count = |of: &dyn Fn(&Repetition) -> Option<u64>| -> ArrayRef {
        let items = found.iter().map(|row| row.as_ref().and_then(of));
        Arc::new(items.collect::<UInt64Array>())
    };
    let share = |of: &dyn Fn(&Repetition) -> Option<f64>| -> ArrayRef {
        let items = found.iter().map(|row| row.as_ref().and_then(of));
        Arc::new(items.collect::<Float64Array>())
    };
    let mut columns: Vec<(String, ArrayRef)> = vec![];
    if filter {
        let broken = |row: &Repetition| row.gopher.as_ref().and_then(|gopher| gopher.broken);
        let keep = found.iter().map(|row| row.as_ref().map(|row| broken(row).is_none()));
        columns.push(("keep".into(), Arc::new(keep.collect::<BooleanArray>())));
        let reason = found.iter().map(|row| {
            let rule = row.as_ref().and_then(broken)?;
            Some(THRESHOLDS.get(rule).map_or("empty", |(name, _)| *name))
        });
        columns.push(("reason".into(), Arc::new(reason.collect::<LargeStringArray>())));
    } else {
        columns.push(("words".into(), count(&|row| Some(row.words))));
        columns.push(("row_count".into(), count(&|row| (row.rows > 0).then_some(row.rows))));
        for n in 0..ORDERS {
            columns.push((format!("distinct_{}", n + 1), share(&|row| row.distinct[n])));
        }
        for n in 0..ORDERS {
            let rep = |row: &Repetition| row.distinct[n].map(|distinct| 1.0 - distinct);
            columns.push((format!("rep_{}", n + 1), share(&rep)));
        }
        let diversity = |row: &Repetition| row.distinct[1..].iter().copied().product();
        columns.push(("diversity".into(), share(&diversity)));
        columns.push(("longest_repeat".into(), count(&|row| Some(row.longest.length))));
        let start = |row: &Repetition| (row.longest.length > 0).then_some(row.longest.start);
        columns.push(("longest_repeat_start".into(), count(&start)));
        columns.push(("loop_start".into(), count(&|row| row.looped.map(|it| it.start))));
        columns.push(("loop_length".into(), count(&|row| row.looped.map(|it| it.length))));
        columns.push(("loop_period".into(), count(&|row| row.looped.map(|it| it.period))));
        let times = |row: &Repetition| row.looped.map(|it| it.length as f64 / it.period as f64);
        columns.push(("loop_times".into(), share(&times)));
        for (at, (name, _)) in THRESHOLDS.iter().enumerate() {
            let of = |row: &Repetition| row.gopher.as_ref().and_then(|it| it.shares[at]);
            columns.push(((*name).into(), share(&of)));
        }
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let table = columns.iter().map(|(name, array)| (name.as_str(), Arc::clone(array))).collect();
    nullable_table(None, table, &names)
}

/// What was found of texts of a benchmark, a row a text: `units, grams, found, covered, extended,
/// longest, start, stop, row, row_start, row_stop: uint64, matches: large_list<struct>`; a n-gram is
/// found that occurs from `least` to `most` times, a match counts of `length` units or more.
///
/// # Errors
/// None that a caller can cause.
pub fn contamination(
    found: &[Evidence],
    least: u64,
    most: u64,
    length: usize,
) -> Result<RecordBatch> {
    const LONGEST: [&str; 6] = ["longest", "start", "stop", "row", "row_start", "row_stop"];
    const MATCH: [&str; 5] = ["start", "stop", "row", "row_start", "row_stop"];
    let mut sums: [Vec<u64>; 5] = Default::default();
    let mut longest: [Vec<Option<u64>>; 6] = Default::default();
    let mut matches: [Vec<u64>; 5] = Default::default();
    let mut ends = vec![0_i64];
    for text in found {
        let grams = text.grams.iter().filter(|gram| (least..=most).contains(&gram.2));
        let grams: Vec<(usize, usize)> = grams.map(|gram| (gram.0, gram.1)).collect();
        let long: Vec<_> = text.matches.iter().filter(|it| it.stop - it.start >= length).collect();
        let spans: Vec<(usize, usize)> = long.iter().map(|it| (it.start, it.stop)).collect();
        let numbers =
            [text.units.len(), text.grams.len(), grams.len(), covered(&grams), covered(&spans)];
        for (sum, number) in sums.iter_mut().zip(numbers) {
            sum.push(number as u64);
        }
        let place = |start: usize, stop: usize| {
            let symbols = (text.units.get(start), text.units.get(stop.wrapping_sub(1)));
            (symbols.0.map_or(0, |unit| unit.0), symbols.1.map_or(0, |unit| unit.1))
        };
        // Of several the first: `max_by_key` would give the last.
        let best = long.iter().rev().max_by_key(|it| it.stop - it.start);
        let values = best.map(|it| {
            let (start, stop) = place(it.start, it.stop);
            let length = it.stop - it.start;
            [length as u64, start as u64, stop as u64, it.row, it.row_start, it.row_stop]
        });
        for (at, column) in longest.iter_mut().enumerate() {
            column.push(values.map(|values| values[at]).or((at == 0).then_some(0)));
        }
        for it in &long {
            let (start, stop) = place(it.start, it.stop);
            let values = [start as u64, stop as u64, it.row, it.row_start, it.row_stop];
            for (column, value) in matches.iter_mut().zip(values) {
                column.push(value);
            }
        }
        ends.push(matches[0].len() as i64);
    }
    let names = ["units", "grams", "found", "covered", "extended"];
    let mut columns: Vec<(&str, ArrayRef)> = names.into_iter().zip(sums.map(numbers)).collect();
    for (name, values) in LONGEST.into_iter().zip(longest) {
        columns.push((name, Arc::new(UInt64Array::from(values))));
    }
    let fields = MATCH.map(|name| Arc::new(Field::new(name, DataType::UInt64, false)));
    let spans =
        StructArray::try_new(fields.into_iter().collect(), matches.map(numbers).into(), None);
    let spans = spans.map_err(broken)?;
    let item = Arc::new(Field::new("item", spans.data_type().clone(), false));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    let lists = LargeListArray::try_new(item, offsets, Arc::new(spans), None).map_err(broken)?;
    columns.push(("matches", Arc::new(lists)));
    nullable_table(None, columns, &LONGEST)
}

/// `query?, n, units, grams, found, covered`.
///
/// # Errors
/// None that a caller can cause.
pub fn coverage(found: Coverage, many: bool) -> Result<RecordBatch> {
    table(
        many.then_some(found.query),
        vec![
            ("n", numbers(found.n)),
            ("units", numbers(found.units)),
            ("grams", numbers(found.grams)),
            ("found", numbers(found.found)),
            ("covered", numbers(found.covered)),
        ],
    )
}

/// `units, partner_units, longest: uint64` and `covered_<length>: uint64` for each length.
///
/// # Errors
/// None that a caller can cause.
pub fn shared(found: &[Option<Shared>], lengths: &[u64]) -> Result<RecordBatch> {
    let column = |of: &dyn Fn(&Shared) -> u64| {
        optional(found.iter().map(|pair| pair.as_ref().map(of)).collect())
    };
    let mut names: Vec<String> = ["units", "partner_units", "longest"].map(String::from).to_vec();
    let mut arrays =
        vec![column(&|it| it.units), column(&|it| it.partner_units), column(&|it| it.longest)];
    for (at, length) in lengths.iter().enumerate() {
        names.push(format!("covered_{length}"));
        arrays.push(column(&|it| it.covered[at]));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nullable_table(None, names.iter().copied().zip(arrays).collect(), &names)
}

/// How many places spans cover, which come in the order of their starts.
fn covered(spans: &[(usize, usize)]) -> usize {
    let mut end = 0;
    let mut covered = 0;
    for &(start, stop) in spans {
        covered += stop.saturating_sub(start.max(end));
        end = end.max(stop);
    }
    covered
}

/// Numbers, some of which are missing.
pub fn optional(values: Vec<Option<u64>>) -> ArrayRef {
    Arc::new(UInt64Array::from(values))
}
