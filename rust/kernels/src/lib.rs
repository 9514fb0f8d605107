//! Exact answers about the strings of a column: the kernels of bowstring, which know neither Arrow
//! nor Python.
//!
//! Rows of symbols are laid end to end in a [`Corpus`] and sorted into segments, which an
//! [`Index`] asks as one:
//!
//! ```
//! use bowstring::{Builder, Column, Limit, Monitor, Options, Pattern, Patterns, Rows};
//!
//! let mut rows = Builder::new(Column::String, None, false, Options::default(), Default::default())?;
//! rows.push_bytes(Some(b"to be, or not to be"))?;
//! rows.push_bytes(None)?;
//! let index = rows.finish()?;
//! assert_eq!(index.count(Pattern::Bytes(b"to be"))?, 2);
//!
//! let patterns = Patterns::one(Pattern::Bytes(b"not"));
//! let monitor = Monitor::default();
//! let spans = index.locate(&index.find(&patterns, &monitor)?, Limit::All, &monitor)?;
//! assert_eq!((spans.row, spans.start), (vec![0], vec![10]));
//! # Ok::<_, bowstring::Error>(())
//! ```

pub mod bits;
pub mod clean;
pub mod container;
pub mod contamination;
pub mod corpus;
pub mod counts;
mod error;
pub mod fm;
pub mod hamming;
pub mod index;
mod interrupt;
mod kind;
pub mod pairs;
mod pool;
pub mod query;
pub mod random;
pub mod repetition;
pub mod select;
pub mod suffix;
pub mod symbol;
pub mod tokens;
mod words;

pub use corpus::{Column, Corpus, Rows};
pub use error::{Error, Result};
pub use index::{Builder, Index, Options};
pub use interrupt::{Monitor, Phase};
pub use kind::{Kind, Profile};
pub use pool::{default_threads, in_blocks, pool};
pub use query::{
    Boundary, Candidates, DistributionOptions, Expression, GenerateOptions, Limit, MatchOptions,
    Next, PatternRanks, SearchOptions, Smoothing, parse,
};
pub use repetition::Definition;
pub use symbol::{Pattern, Patterns, Ranks, Row};
