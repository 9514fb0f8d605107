//! Columns into token numbers, many threads reading.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use bowstring::counts::{Reader, each};
use bowstring::{Error, Monitor, Result};

use crate::column::push_array;

/// Bytes of a column that are read at a time for each thread.
const GROUP: usize = 32 << 20;
/// Pieces of a group that each thread gets, so that long rows spread.
const PIECES: usize = 8;
/// Rows between two looks at whether to stop.
const ROWS: usize = 256;

/// Reads a column into shards, side by side; what they hold joins to its rows in order.
///
/// # Errors
/// What a row is refused with, or what the producer of the chunks fails with.
pub fn read_rows<R: Reader>(
    chunks: impl Iterator<Item = Result<ArrayRef>>,
    shards: &mut [R],
    monitor: &Monitor,
) -> Result<()> {
    let mut group: Vec<ArrayRef> = vec![];
    let (mut bytes, mut row) = (0, 0);
    for chunk in chunks {
        let chunk = chunk?;
        monitor.check()?;
        bytes += chunk.get_buffer_memory_size() / 2;
        group.push(chunk);
        if bytes >= GROUP * shards.len() {
            row += read_group(&group, row, shards, monitor)?;
            group.clear();
            bytes = 0;
        }
    }
    read_group(&group, row, shards, monitor)?;
    Ok(())
}

fn read_group<R: Reader>(
    group: &[ArrayRef],
    first_row: u64,
    shards: &mut [R],
    monitor: &Monitor,
) -> Result<u64> {
    let rows: usize = group.iter().map(Array::len).sum();
    let pieces = if shards.len() == 1 { 1 } else { shards.len() * PIECES };
    let size = rows.div_ceil(pieces).max(1);
    let count = shards.len();
    let read = |at: usize, shard: &mut R| -> Result<()> {
        for piece in (at..pieces).step_by(count) {
            let span = (piece * size).min(rows)..((piece + 1) * size).min(rows);
            shard.set_row(first_row + span.start as u64);
            read_span(group, &span, first_row, shard, monitor)?;
            shard.cut();
        }
        Ok(())
    };
    each(shards, read)?;
    monitor.advance(rows as u64);
    Ok(rows as u64)
}

fn read_span<R: Reader>(
    group: &[ArrayRef],
    span: &Range<usize>,
    first_row: u64,
    shard: &mut R,
    monitor: &Monitor,
) -> Result<()> {
    let mut before = 0;
    for chunk in group {
        let start = span.start.max(before);
        let stop = span.end.min(before + chunk.len());
        for at in (start..stop.max(start)).step_by(ROWS) {
            monitor.check()?;
            let slice = chunk.slice(at - before, ROWS.min(stop - at));
            push_array(&slice, first_row + at as u64, shard)?;
        }
        before += chunk.len();
    }
    Ok(())
}

/// Reads a column of lists of strings: rows whose tokens are known.
///
/// # Errors
/// [`Error::UnsupportedType`] if it is none.
pub fn read_given<R: Reader>(
    chunks: impl Iterator<Item = Result<ArrayRef>>,
    shard: &mut R,
    monitor: &Monitor,
) -> Result<()> {
    for chunk in chunks {
        let chunk = chunk?;
        let lists = chunk.as_list_opt::<i64>();
        let strings = lists.and_then(|lists| lists.values().as_string_opt::<i64>());
        let (Some(lists), Some(strings)) = (lists, strings) else {
            return Err(Error::UnsupportedType(format!(
                "the tokens are of Arrow type {}; give large lists of large strings",
                chunk.data_type()
            )));
        };
        for row in 0..lists.len() {
            if row % ROWS == 0 {
                monitor.check()?;
            }
            if lists.is_null(row) {
                shard.push_bytes(None)?;
                continue;
            }
            let offsets = lists.value_offsets();
            let span = offsets[row] as usize..offsets[row + 1] as usize;
            shard.push_given(&mut span.map(|at| strings.value(at).as_bytes()))?;
        }
    }
    Ok(())
}

/// Reads a column of booleans; null is false.
///
/// # Errors
/// [`Error::UnsupportedType`] if it is none.
pub fn read_booleans(
    name: &str,
    chunks: impl Iterator<Item = Result<ArrayRef>>,
) -> Result<Vec<bool>> {
    let mut read = vec![];
    for chunk in chunks {
        let chunk = chunk?;
        match chunk.data_type() {
            DataType::Boolean => {
                read.extend(chunk.as_boolean().iter().map(|value| value == Some(true)));
            }
            DataType::Null => read.resize(read.len() + chunk.len(), false),
            other => {
                return Err(Error::UnsupportedType(format!(
                    "{name} is of Arrow type {other}; give booleans"
                )));
            }
        }
    }
    Ok(read)
}
