//! A corpus: the symbols of many rows laid end to end, one separator after each.
//!
//! The separator is a symbol that occurs in no row, so no match ever crosses from one row to the
//! next: 0xFF for UTF-8, an unused byte for binary, the largest number of the width for tokens.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The most symbols a corpus holds, separators included: suffix pointers are 32 bits, of which
/// the sorter uses 31.
pub const MAX_SYMBOLS: usize = i32::MAX as usize;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Column {
    /// UTF-8 text; spans keep to character boundaries.
    String,
    /// Bytes.
    Binary,
    /// Token numbers.
    Tokens,
}

impl Column {
    /// The column's kind as users read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Binary => "binary",
            Self::Tokens => "tokens",
        }
    }
}

/// A sink of rows: what a column is read into.
pub trait Rows {
    /// Takes one row of bytes; `None` for null.
    ///
    /// # Errors
    /// If the sink refuses the row.
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()>;

    /// Takes one row of tokens; `None` for null.
    ///
    /// # Errors
    /// If the sink refuses the row.
    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()>;
}

/// The symbols of a corpus, in the narrowest width that holds them and a separator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// One byte a symbol.
    U8(Vec<u8>),
    /// Two bytes a symbol.
    U16(Vec<u16>),
    /// Four bytes a symbol.
    U32(Vec<u32>),
}

impl Text {
    fn len(&self) -> usize {
        match self {
            Self::U8(text) => text.len(),
            Self::U16(text) => text.len(),
            Self::U32(text) => text.len(),
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::U8(_) => 1,
            Self::U16(_) => 2,
            Self::U32(_) => 4,
        }
    }
}

/// The symbols of many rows, and where each row ends.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// What the column holds.
    pub column: Column,
    /// The rows end to end, a separator after each.
    pub text: Text,
    /// The symbol that ends each row.
    pub separator: u32,
    /// The position of each row's separator.
    pub row_ends: Vec<u32>,
    /// One bit a row, least significant first, set where the row is not null; `None` if none is.
    pub validity: Option<Vec<u8>>,
}

impl Corpus {
    /// Symbols, separators included.
    pub fn symbols(&self) -> usize {
        self.text.len()
    }
}

/// Gathers rows into a [`Corpus`].
#[derive(Debug)]
pub struct CorpusBuilder {
    column: Column,
    text: Text,
    row_ends: Vec<u32>,
    validity: Option<Vec<u8>>,
    seen: [bool; 256],
    first_row: u64,
}

impl CorpusBuilder {
    /// A corpus without rows, the first of which will be row `first_row` of its index.
    pub fn new(column: Column, first_row: u64) -> Self {
        Self {
            column,
            text: Text::U8(vec![]),
            row_ends: vec![],
            validity: None,
            seen: [false; 256],
            first_row,
        }
    }

    /// What the column holds.
    pub fn column(&self) -> Column {
        self.column
    }

    /// Symbols so far, separators included.
    pub fn symbols(&self) -> usize {
        self.text.len()
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.row_ends.len()
    }

    /// Bytes a symbol, so far.
    pub fn width(&self) -> usize {
        self.text.width()
    }

    /// Ends a row whose symbols have been pushed, and pushes its separator's place.
    fn end_row(&mut self, valid: bool) -> Result<()> {
        let row = self.row_ends.len();
        if self.text.len() >= MAX_SYMBOLS {
            return Err(Error::InvalidInput(format!(
                "row {} has {} symbols, and a segment holds {} at most; split the row",
                self.first_row + row as u64,
                self.text.len() - self.row_ends.last().map_or(0, |&end| end as usize + 1),
                MAX_SYMBOLS - 1
            )));
        }
        if !valid && self.validity.is_none() {
            let mut validity = vec![u8::MAX; row / 8];
            if !row.is_multiple_of(8) {
                validity.push((1 << (row % 8)) - 1);
            }
            self.validity = Some(validity);
        }
        if let Some(validity) = &mut self.validity {
            if row.is_multiple_of(8) {
                validity.push(0);
            }
            if let Some(last) = validity.last_mut() {
                *last |= u8::from(valid) << (row % 8);
            }
        }
        self.row_ends.push(self.text.len() as u32);
        match &mut self.text {
            Text::U8(text) => text.push(u8::MAX),
            Text::U16(text) => text.push(u16::MAX),
            Text::U32(text) => text.push(u32::MAX),
        }
        Ok(())
    }

    /// Moves to the next width; separators become that width's largest number.
    fn widen(&mut self) {
        let ends = &self.row_ends;
        let mut wide = match &self.text {
            Text::U8(text) => Text::U16(text.iter().map(|&symbol| u16::from(symbol)).collect()),
            Text::U16(text) => Text::U32(text.iter().map(|&symbol| u32::from(symbol)).collect()),
            Text::U32(_) => return,
        };
        for &end in ends {
            match &mut wide {
                Text::U16(text) => text[end as usize] = u16::MAX,
                Text::U32(text) => text[end as usize] = u32::MAX,
                Text::U8(_) => {}
            }
        }
        self.text = wide;
    }

    fn push_token(&mut self, token: u32) -> Result<()> {
        loop {
            match &mut self.text {
                Text::U8(text) => match u8::try_from(token) {
                    Ok(symbol) if symbol != u8::MAX => {
                        text.push(symbol);
                        return Ok(());
                    }
                    _ => {}
                },
                Text::U16(text) => match u16::try_from(token) {
                    Ok(symbol) if symbol != u16::MAX => {
                        text.push(symbol);
                        return Ok(());
                    }
                    _ => {}
                },
                Text::U32(text) if token != u32::MAX => {
                    text.push(token);
                    return Ok(());
                }
                Text::U32(_) => {
                    return Err(Error::InvalidInput(format!(
                        "row {} holds token {token}; the largest token that can be indexed is {}",
                        self.first_row + self.row_ends.len() as u64,
                        u32::MAX - 1
                    )));
                }
            }
            self.widen();
        }
    }

    /// The rows so far as a corpus.
    pub fn finish(mut self) -> Corpus {
        let mut separator = u32::from(u8::MAX);
        if self.column == Column::Binary && self.seen[usize::from(u8::MAX)] {
            if let Some(unused) = (0..=u8::MAX).rev().find(|&byte| !self.seen[usize::from(byte)]) {
                separator = u32::from(unused);
                if let Text::U8(text) = &mut self.text {
                    for &end in &self.row_ends {
                        text[end as usize] = unused;
                    }
                }
            } else {
                self.widen();
            }
        }
        let separator = match self.text {
            Text::U8(_) => separator,
            Text::U16(_) => u32::from(u16::MAX),
            Text::U32(_) => u32::MAX,
        };
        self.row_ends.shrink_to_fit();
        Corpus {
            column: self.column,
            text: self.text,
            separator,
            row_ends: self.row_ends,
            validity: self.validity,
        }
    }
}

impl Rows for CorpusBuilder {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        let bytes = row.unwrap_or_default();
        match self.column {
            Column::String => {
                if let Err(error) = std::str::from_utf8(bytes) {
                    return Err(Error::InvalidInput(format!(
                        "row {} of the string column is not UTF-8: {error}; cast the column to \
                         binary, or repair it",
                        self.first_row + self.row_ends.len() as u64
                    )));
                }
            }
            Column::Binary => {
                for &byte in bytes {
                    self.seen[usize::from(byte)] = true;
                }
            }
            Column::Tokens => {
                return Err(Error::UnsupportedType("text was given to a token column".into()));
            }
        }
        if let Text::U8(text) = &mut self.text {
            text.extend_from_slice(bytes);
        }
        self.end_row(row.is_some())
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        if self.column != Column::Tokens {
            return Err(Error::UnsupportedType(format!(
                "tokens were given to a {} column",
                self.column.name()
            )));
        }
        let valid = row.is_some();
        if let Some(row) = row {
            for &token in row {
                self.push_token(token)?;
            }
        }
        self.end_row(valid)
    }
}
