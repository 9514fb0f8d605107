//! Cleaning columns: what messy categories share, the numbers in them, and names that mean the
//! same.

pub mod find;
pub mod link;
pub mod number;
pub mod overlap;

use crate::error::{Error, Result};
use crate::symbol::{Pattern, Patterns};

/// The text of a row; None for null.
fn text(column: &Patterns, row: usize) -> Result<Option<&str>> {
    match column.get(row) {
        None => Ok(None),
        Some(Pattern::Bytes(bytes)) => std::str::from_utf8(bytes).map(Some).map_err(|error| {
            Error::InvalidInput(format!(
                "row {row} is not UTF-8: {error}; cast the column to text, or repair it"
            ))
        }),
        Some(_) => Err(Error::UnsupportedType("this reads text, and tokens were given".into())),
    }
}
