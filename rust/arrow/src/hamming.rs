//! Hamming distances, windows and sums as Arrow arrays and tables.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Float32Array, Int64Array, LargeListArray, RecordBatch, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::Field;
use bowstring::hamming::{Distances, Sums, Windows};
use bowstring::query::Near;
use bowstring::{Column, Error, Pattern, Patterns, Result, Rows};

use crate::column::{column_of, push_array};
use crate::results::table;

/// Symbols from which on a text is asked by itself, where it lies.
const LONG: usize = 1 << 18;

/// Symbols and rows of shorter texts that are gathered, to be asked side by side.
const GATHERED: usize = 1 << 22;
const ROWS: usize = 1 << 16;

/// Gives the texts of a column: long ones one by one without a copy, the others gathered.
struct Texts<'t> {
    column: Column,
    pending: Patterns,
    symbols: usize,
    first: u64,
    take: &'t mut dyn FnMut(u64, &Patterns) -> Result<()>,
    take_long: &'t mut dyn FnMut(u64, Pattern<'_>) -> Result<()>,
}

impl Texts<'_> {
    fn flush(&mut self) -> Result<()> {
        let empty = match self.column {
            Column::Tokens => Patterns::tokens(),
            _ => Patterns::bytes(),
        };
        let pending = std::mem::replace(&mut self.pending, empty);
        self.symbols = 0;
        if !pending.is_empty() {
            (self.take)(self.first, &pending)?;
            self.first += pending.len() as u64;
        }
        Ok(())
    }

    fn long(&mut self, text: Pattern<'_>) -> Result<()> {
        self.flush()?;
        (self.take_long)(self.first, text)?;
        self.first += 1;
        Ok(())
    }

    fn gathered(&mut self, symbols: usize) -> Result<()> {
        self.symbols += symbols;
        if self.symbols >= GATHERED || self.pending.len() >= ROWS { self.flush() } else { Ok(()) }
    }
}

impl Rows for Texts<'_> {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        if let Some(long) = row.filter(|row| row.len() >= LONG) {
            return self.long(Pattern::Bytes(long));
        }
        self.pending.push_bytes(row)?;
        self.gathered(row.map_or(0, <[u8]>::len))
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        if let Some(long) = row.filter(|row| row.len() >= LONG) {
            return self.long(Pattern::Tokens(long));
        }
        self.pending.push_tokens(row)?;
        self.gathered(row.map_or(0, <[u32]>::len))
    }
}

/// Calls `take_long` with the number and symbols of each long text of a column, and `take` with the
/// others, many at once, and the number of the first; in their order.
///
/// # Errors
/// As [`push_array`], or what the producer of the chunks or a call fails with.
pub fn each_text(
    data_type: &arrow_schema::DataType,
    chunks: impl Iterator<Item = Result<ArrayRef>>,
    take: &mut dyn FnMut(u64, &Patterns) -> Result<()>,
    take_long: &mut dyn FnMut(u64, Pattern<'_>) -> Result<()>,
) -> Result<()> {
    let column = column_of(data_type)?;
    let pending = match column {
        Column::Tokens => Patterns::tokens(),
        _ => Patterns::bytes(),
    };
    let mut texts = Texts { column, pending, symbols: 0, first: 0, take, take_long };
    let mut row = 0;
    for chunk in chunks {
        let chunk = chunk?;
        push_array(&chunk, row, &mut texts)?;
        row += chunk.len() as u64;
    }
    texts.flush()
}

/// The distances of one pattern in one text, as wide as they are.
pub fn distances(distances: Distances) -> ArrayRef {
    match distances {
        Distances::U8(distances) => Arc::new(UInt8Array::from(distances)),
        Distances::U16(distances) => Arc::new(UInt16Array::from(distances)),
        Distances::U32(distances) => Arc::new(UInt32Array::from(distances)),
    }
}

/// A list of distances for each text or pattern, as wide as the widest; null where `None`.
///
/// # Errors
/// [`Error::Source`] if a list has more items than Arrow counts.
pub fn distance_lists(lists: Vec<Option<Distances>>) -> Result<ArrayRef> {
    let length = lists.iter().flatten().map(Distances::len).sum();
    let mut ends = vec![0_i64];
    for list in &lists {
        let end = ends[ends.len() - 1] + list.as_ref().map_or(0, Distances::len) as i64;
        ends.push(end);
    }
    let valid: NullBuffer = lists.iter().map(Option::is_some).collect();
    let valid = (valid.null_count() > 0).then_some(valid);
    let widest = lists.iter().flatten().map(|list| match list {
        Distances::U8(_) => 1,
        Distances::U16(_) => 2,
        Distances::U32(_) => 4,
    });
    let items: ArrayRef = match widest.max().unwrap_or(1) {
        1 => {
            let mut items: Vec<u8> = Vec::with_capacity(length);
            for list in lists.into_iter().flatten() {
                if let Distances::U8(list) = list {
                    items.extend(list);
                }
            }
            Arc::new(UInt8Array::from(items))
        }
        2 => {
            let mut items: Vec<u16> = Vec::with_capacity(length);
            for list in lists.into_iter().flatten() {
                match list {
                    Distances::U8(list) => items.extend(list.into_iter().map(u16::from)),
                    Distances::U16(list) => items.extend(list),
                    Distances::U32(_) => {}
                }
            }
            Arc::new(UInt16Array::from(items))
        }
        _ => {
            let mut items: Vec<u32> = Vec::with_capacity(length);
            for list in lists.into_iter().flatten() {
                match list {
                    Distances::U8(list) => items.extend(list.into_iter().map(u32::from)),
                    Distances::U16(list) => items.extend(list.into_iter().map(u32::from)),
                    Distances::U32(list) => items.extend(list),
                }
            }
            Arc::new(UInt32Array::from(items))
        }
    };
    let item = Arc::new(Field::new("item", items.data_type().clone(), false));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    LargeListArray::try_new(item, offsets, items, valid)
        .map(|lists| Arc::new(lists) as ArrayRef)
        .map_err(|error| Error::Source(Box::new(error)))
}

/// `text?, pattern?, start, distance`.
///
/// # Errors
/// None that a caller can cause.
pub fn windows(found: Windows, texts: bool, patterns: bool) -> Result<RecordBatch> {
    let number = |numbers: Vec<u64>| Arc::new(UInt64Array::from(numbers)) as ArrayRef;
    let mut columns = vec![];
    if texts {
        columns.push(("text", number(found.text)));
    }
    if patterns {
        columns.push(("pattern", number(found.pattern)));
    }
    columns.push(("start", number(found.start)));
    columns.push(("distance", Arc::new(UInt32Array::from(found.distance))));
    table(None, columns)
}

/// `query?, row, start, stop, distance`.
///
/// # Errors
/// None that a caller can cause.
pub fn near(found: Near, many: bool) -> Result<RecordBatch> {
    let number = |numbers: Vec<u64>| Arc::new(UInt64Array::from(numbers)) as ArrayRef;
    table(
        many.then_some(found.query),
        vec![
            ("row", number(found.row)),
            ("start", number(found.start)),
            ("stop", number(found.stop)),
            ("distance", Arc::new(UInt32Array::from(found.distance))),
        ],
    )
}

/// Estimates.
pub fn estimates(estimates: Vec<f32>) -> ArrayRef {
    Arc::new(Float32Array::from(estimates))
}

/// `start, distance`.
///
/// # Errors
/// None that a caller can cause.
pub fn verified(verified: &[(u64, u32)]) -> Result<RecordBatch> {
    let starts = verified.iter().map(|&(start, _)| start);
    let distances = verified.iter().map(|&(_, distance)| distance);
    table(
        None,
        vec![
            ("start", Arc::new(UInt64Array::from_iter_values(starts)) as ArrayRef),
            ("distance", Arc::new(UInt32Array::from_iter_values(distances))),
        ],
    )
}

/// `value, count?`.
///
/// # Errors
/// None that a caller can cause.
pub fn sums(sums: Sums, counted: bool) -> Result<RecordBatch> {
    let mut columns = vec![("value", Arc::new(Int64Array::from(sums.values)) as ArrayRef)];
    if counted {
        columns.push(("count", Arc::new(UInt64Array::from(sums.counts))));
    }
    table(None, columns)
}

/// Whole numbers of either sign, without nulls; `name` is the argument's, for messages.
///
/// # Errors
/// [`Error::UnsupportedType`] if the chunks hold anything else; [`Error::InvalidInput`] for nulls.
pub fn read_integers(
    name: &str,
    chunks: impl Iterator<Item = Result<ArrayRef>>,
) -> Result<Vec<i64>> {
    let mut numbers = vec![];
    for chunk in chunks {
        let chunk = chunk?;
        let Some(integers) = chunk.as_any().downcast_ref::<Int64Array>() else {
            return Err(Error::UnsupportedType(format!(
                "{name} is of Arrow type {}; give int64",
                chunk.data_type()
            )));
        };
        if integers.null_count() > 0 {
            return Err(Error::InvalidInput(format!("{name} holds a null; drop the nulls")));
        }
        numbers.extend_from_slice(integers.values());
    }
    Ok(numbers)
}
