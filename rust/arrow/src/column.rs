//! Reads Arrow arrays of text and tokens, whatever their layout.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowNativeTypeOp, BinaryArray, LargeBinaryArray, PrimitiveArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use bowstring::{Column, Error, Patterns, Result, Rows};

const TEXT: &str = "strings, binary, dictionaries of those, or lists of integers (tokens)";

/// What kind of column an Arrow type is.
///
/// # Errors
/// [`Error::UnsupportedType`] if it holds neither text nor tokens.
pub fn column_of(data_type: &DataType) -> Result<Column> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            Ok(Column::String)
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Ok(Column::Binary),
        DataType::Dictionary(_, values) => match column_of(values)? {
            Column::Tokens => Err(unsupported(data_type)),
            column => Ok(column),
        },
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
            if item.data_type().is_integer() =>
        {
            Ok(Column::Tokens)
        }
        other => Err(unsupported(other)),
    }
}

fn unsupported(data_type: &DataType) -> Error {
    Error::UnsupportedType(format!("the column is of Arrow type {data_type}; give {TEXT}"))
}

/// Gives every row of an array to a sink; `first_row` is the first one's number, for messages.
///
/// # Errors
/// [`Error::UnsupportedType`]; [`Error::InvalidInput`] for tokens that are negative or too large;
/// what the sink fails with.
pub fn push_array(array: &dyn Array, first_row: u64, rows: &mut dyn Rows) -> Result<()> {
    match array.data_type() {
        DataType::Null => (0..array.len()).try_for_each(|_| rows.push_bytes(None)),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
            push_lists(array, first_row, rows)
        }
        DataType::Dictionary(..) => push_dictionary(array, first_row, rows),
        _ => with_bytes(array, |value| {
            (0..array.len())
                .try_for_each(|row| rows.push_bytes(array.is_valid(row).then(|| value(row))))
        }),
    }
}

fn push_dictionary(array: &dyn Array, first_row: u64, rows: &mut dyn Rows) -> Result<()> {
    let dictionary = array.as_any_dictionary();
    let (keys, values) = (dictionary.keys(), dictionary.values().as_ref());
    let keys: Vec<Option<usize>> = match keys.data_type() {
        DataType::Int8 => places(keys.as_primitive::<Int8Type>()),
        DataType::Int16 => places(keys.as_primitive::<Int16Type>()),
        DataType::Int32 => places(keys.as_primitive::<Int32Type>()),
        DataType::Int64 => places(keys.as_primitive::<Int64Type>()),
        DataType::UInt8 => places(keys.as_primitive::<UInt8Type>()),
        DataType::UInt16 => places(keys.as_primitive::<UInt16Type>()),
        DataType::UInt32 => places(keys.as_primitive::<UInt32Type>()),
        DataType::UInt64 => places(keys.as_primitive::<UInt64Type>()),
        other => return Err(unsupported(other)),
    };
    with_bytes(values, |value| {
        for (row, key) in (first_row..).zip(keys) {
            match key {
                Some(key) if key >= values.len() => {
                    return Err(Error::InvalidInput(format!(
                        "row {row} of the dictionary column points outside of its {} values",
                        values.len()
                    )));
                }
                Some(key) if values.is_valid(key) => rows.push_bytes(Some(value(key)))?,
                _ => rows.push_bytes(None)?,
            }
        }
        Ok(())
    })
}

/// Keys as places among the values; past all of them where a key is negative.
fn places<T>(keys: &PrimitiveArray<T>) -> Vec<Option<usize>>
where
    T: ArrowPrimitiveType,
    T::Native: TryInto<usize>,
{
    keys.iter().map(|key| key.map(|key| key.try_into().unwrap_or(usize::MAX))).collect()
}

/// Calls `take` with access to the bytes of each valid item.
///
/// Strings are read as bytes: that they are UTF-8 is the producer's claim, which the kernel checks.
fn with_bytes<'a>(
    array: &'a dyn Array,
    take: impl FnOnce(&dyn Fn(usize) -> &'a [u8]) -> Result<()>,
) -> Result<()> {
    match array.data_type() {
        DataType::Utf8 => {
            let strings = array.as_string::<i32>();
            let (offsets, data) = (strings.value_offsets(), strings.value_data());
            take(&|at| &data[offsets[at] as usize..offsets[at + 1] as usize])
        }
        DataType::LargeUtf8 => {
            let strings = array.as_string::<i64>();
            let (offsets, data) = (strings.value_offsets(), strings.value_data());
            take(&|at| &data[offsets[at] as usize..offsets[at + 1] as usize])
        }
        DataType::Utf8View => {
            let strings = array.as_string_view();
            take(&|at| strings.value(at).as_bytes())
        }
        DataType::Binary => {
            let bytes: &BinaryArray = array.as_binary();
            take(&|at| bytes.value(at))
        }
        DataType::LargeBinary => {
            let bytes: &LargeBinaryArray = array.as_binary();
            take(&|at| bytes.value(at))
        }
        DataType::BinaryView => {
            let bytes = array.as_binary_view();
            take(&|at| bytes.value(at))
        }
        DataType::FixedSizeBinary(_) => {
            let bytes = array.as_fixed_size_binary();
            take(&|at| bytes.value(at))
        }
        DataType::Null => take(&|_| &[]),
        other => Err(unsupported(other)),
    }
}

fn push_lists(array: &dyn Array, first_row: u64, rows: &mut dyn Rows) -> Result<()> {
    match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets();
            let span = |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
            push_items(list.values(), list.nulls(), list.len(), &span, first_row, rows)
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.value_offsets();
            let span = |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
            push_items(list.values(), list.nulls(), list.len(), &span, first_row, rows)
        }
        _ => {
            let list = array.as_fixed_size_list();
            let size = list.value_length() as usize;
            let span = |row: usize| row * size..(row + 1) * size;
            push_items(list.values(), list.nulls(), list.len(), &span, first_row, rows)
        }
    }
}

fn push_items(
    items: &ArrayRef,
    nulls: Option<&NullBuffer>,
    length: usize,
    span: &dyn Fn(usize) -> std::ops::Range<usize>,
    first_row: u64,
    rows: &mut dyn Rows,
) -> Result<()> {
    macro_rules! push {
        ($type:ty) => {
            push_typed::<$type>(items, nulls, length, span, first_row, rows)
        };
    }
    match items.data_type() {
        DataType::UInt8 => push!(UInt8Type),
        DataType::UInt16 => push!(UInt16Type),
        DataType::UInt32 => push!(UInt32Type),
        DataType::UInt64 => push!(UInt64Type),
        DataType::Int8 => push!(Int8Type),
        DataType::Int16 => push!(Int16Type),
        DataType::Int32 => push!(Int32Type),
        DataType::Int64 => push!(Int64Type),
        other => Err(unsupported(other)),
    }
}

fn push_typed<T>(
    items: &ArrayRef,
    nulls: Option<&NullBuffer>,
    length: usize,
    span: &dyn Fn(usize) -> std::ops::Range<usize>,
    first_row: u64,
    rows: &mut dyn Rows,
) -> Result<()>
where
    T: ArrowPrimitiveType,
    T::Native: TryInto<u32> + ArrowNativeTypeOp,
{
    let items = items.as_primitive::<T>();
    let mut numbers = vec![];
    for row in 0..length {
        // A null row's items may be anything, nulls included.
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            rows.push_tokens(None)?;
            continue;
        }
        let span = span(row);
        let number = first_row + row as u64;
        let null = items.nulls().and_then(|nulls| span.clone().find(|&at| nulls.is_null(at)));
        if let Some(null) = null {
            return Err(Error::InvalidInput(format!(
                "row {number} holds a null in place of token {}; drop it, or make the row null",
                null - span.start
            )));
        }
        let tokens = &items.values()[span];
        // One check for the whole row keeps the loop that copies it free of errors.
        if let Some(bad) = tokens.iter().find(|&&token| TryInto::<u32>::try_into(token).is_err()) {
            return Err(Error::InvalidInput(format!(
                "row {number} holds token {bad:?}; tokens are from 0 to {}",
                u32::MAX - 1
            )));
        }
        numbers.clear();
        numbers.extend(tokens.iter().map(|&token| token.try_into().unwrap_or(u32::MAX)));
        rows.push_tokens(Some(&numbers))?;
    }
    Ok(())
}

/// Reads a column of queries.
///
/// # Errors
/// As [`push_array`], or what the producer of the chunks fails with.
pub fn read_patterns(
    data_type: &DataType,
    chunks: impl Iterator<Item = Result<ArrayRef>>,
) -> Result<Patterns> {
    let mut patterns = match column_of(data_type)? {
        Column::Tokens => Patterns::tokens(),
        _ => Patterns::bytes(),
    };
    for chunk in chunks {
        push_array(&chunk?, patterns.len() as u64, &mut patterns)?;
    }
    Ok(patterns)
}

/// Reads a column of whole numbers; `name` is the argument's, for messages.
///
/// # Errors
/// [`Error::UnsupportedType`] if it is not one; [`Error::InvalidInput`] for negative numbers.
pub fn read_numbers(
    name: &str,
    chunks: impl Iterator<Item = Result<ArrayRef>>,
) -> Result<Vec<Option<u64>>> {
    let mut numbers = vec![];
    for chunk in chunks {
        let chunk = chunk?;
        match chunk.data_type() {
            DataType::UInt64 => numbers.extend(chunk.as_primitive::<UInt64Type>()),
            DataType::Int64 => {
                for number in chunk.as_primitive::<Int64Type>() {
                    numbers.push(number.map(u64::try_from).transpose().map_err(|_| {
                        Error::InvalidInput(format!(
                            "{name} holds {}; give numbers from 0 on",
                            number.unwrap_or_default()
                        ))
                    })?);
                }
            }
            DataType::Null => numbers.resize(numbers.len() + chunk.len(), None),
            other => {
                return Err(Error::UnsupportedType(format!(
                    "{name} is of Arrow type {other}; give int64 or uint64"
                )));
            }
        }
    }
    Ok(numbers)
}
