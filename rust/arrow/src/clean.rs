//! Arrow tables of what cleaning finds.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, LargeListArray, LargeStringArray, RecordBatch, StringArray, UInt32Array,
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use bowstring::Result;
use bowstring::clean::find::Held;
use bowstring::clean::link::evidence::{Agreement, Level};
use bowstring::clean::link::{Explanation, Pairs};
use bowstring::clean::number::Numbers;
use bowstring::clean::overlap::Found;

use crate::results::{broken, nullable_table, numbers, table, validity};

fn floats(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

fn texts(values: impl IntoIterator<Item = impl AsRef<str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// `left, right, score, margin, rank`, and `bits` where there is evidence in bits.
///
/// # Errors
/// None that a caller can cause.
pub fn pairs(pairs: Pairs, bits: Option<Vec<f64>>) -> Result<RecordBatch> {
    let mut columns = vec![
        ("left", numbers(pairs.left)),
        ("right", numbers(pairs.right)),
        ("score", floats(pairs.score)),
        ("margin", floats(pairs.margin)),
        ("rank", numbers(pairs.rank)),
    ];
    columns.extend(bits.map(|bits| ("bits", floats(bits))));
    table(None, columns)
}

/// `left, right, similarity, bits, score`, a row a piece.
///
/// # Errors
/// None that a caller can cause.
pub fn explanation(found: &Explanation) -> Result<RecordBatch> {
    let pieces = &found.pieces;
    table(
        None,
        vec![
            ("left", texts(pieces.iter().map(|piece| &piece.left))),
            ("right", texts(pieces.iter().map(|piece| &piece.right))),
            ("similarity", floats(pieces.iter().map(|piece| piece.similarity).collect())),
            ("bits", floats(pieces.iter().map(|piece| piece.bits).collect())),
            ("score", floats(pieces.iter().map(|piece| piece.score).collect())),
        ],
    )
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Equal => "equal",
        Level::Close => "close",
        Level::Similar => "similar",
        Level::Different => "different",
        Level::Missing => "missing",
    }
}

/// `column, agreement, bits`, a row a column, numbered from 0.
///
/// # Errors
/// None that a caller can cause.
pub fn evidence(found: &[(Level, f64)]) -> Result<RecordBatch> {
    table(
        None,
        vec![
            ("column", Arc::new(UInt32Array::from_iter_values(0..found.len() as u32)) as ArrayRef),
            ("agreement", texts(found.iter().map(|found| level(found.0)))),
            ("bits", floats(found.iter().map(|found| found.1).collect())),
        ],
    )
}

/// `column, agreement, same, chance`, a row a column and level.
///
/// # Errors
/// None that a caller can cause.
pub fn agreements(found: &[Agreement]) -> Result<RecordBatch> {
    let levels = [Level::Equal, Level::Close, Level::Similar, Level::Different];
    let places = (0..found.len() as u32).flat_map(|at| [at; 4]);
    let names = found.iter().flat_map(|_| levels.map(level));
    table(
        None,
        vec![
            ("column", Arc::new(UInt32Array::from_iter_values(places)) as ArrayRef),
            ("agreement", texts(names)),
            ("same", floats(found.iter().flat_map(|found| found.same).collect())),
            ("chance", floats(found.iter().flat_map(|found| found.chance).collect())),
        ],
    )
}

/// `key, support, rows`, a row a key.
///
/// # Errors
/// None that a caller can cause.
pub fn keys(found: Found) -> Result<RecordBatch> {
    let ends = std::iter::once(0).chain(found.ends.iter().map(|&end| end as i64));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends.collect::<Vec<i64>>()));
    let texts = LargeStringArray::try_new(offsets, found.texts.into(), None).map_err(broken)?;
    let support = numbers(found.support);
    let rows = numbers(found.rows);
    table(None, vec![("key", Arc::new(texts) as ArrayRef), ("support", support), ("rows", rows)])
}

/// Lists of the numbers of texts that each value holds, `large_list<uint32>`; null where the value is.
///
/// # Errors
/// None that a caller can cause.
pub fn held(found: Held) -> Result<ArrayRef> {
    let nulls = validity(found.ends.len(), &found.nulls);
    let ends = std::iter::once(0).chain(found.ends.iter().map(|&end| end as i64));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends.collect::<Vec<i64>>()));
    let item = Arc::new(Field::new("item", DataType::UInt32, false));
    let texts = Arc::new(UInt32Array::from(found.texts));
    Ok(Arc::new(LargeListArray::try_new(item, offsets, texts, nulls).map_err(broken)?))
}

/// `row, start, stop, value, text, unit`, a row a number; the unit is null where there is none.
///
/// # Errors
/// None that a caller can cause.
pub fn extracted(found: Numbers) -> Result<RecordBatch> {
    let (start, stop): (Vec<u64>, Vec<u64>) = found.span.into_iter().unzip();
    let unit = Arc::new(LargeStringArray::from_iter(found.unit)) as ArrayRef;
    nullable_table(
        None,
        vec![
            ("row", numbers(found.row)),
            ("start", numbers(start)),
            ("stop", numbers(stop)),
            ("value", floats(found.value)),
            ("text", Arc::new(LargeStringArray::from_iter_values(found.text)) as ArrayRef),
            ("unit", unit),
        ],
        &["unit"],
    )
}
