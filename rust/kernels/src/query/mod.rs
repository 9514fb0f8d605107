//! The questions that an index answers. Each is asked inside the pool whose threads it may use.

mod boolean;
mod context;
mod count;
mod coverage;
mod duplicates;
mod find;
mod generate;
mod infini_gram;
mod language;
mod locate;
mod matches;
mod parse;
mod pieces;
mod sample;
mod smooth;
mod statistics;
mod suffixes;
mod text;
mod within;

pub use boolean::{Expression, Found, SearchOptions};
pub use context::{Contexts, Symbols};
pub use coverage::Coverage;
pub use duplicates::{
    DuplicateOptions, Duplicates, Gathered, Keep, Occurrence, Removals, SortedRows, cut,
    longest_first, removals, whole_rows,
};
pub use find::PatternRanks;
pub use generate::GenerateOptions;
pub use language::{DistributionOptions, Distributions, Next, Predictions};
pub use locate::{Limit, RowCounts, Spans};
pub use matches::{Boundary, MatchOptions, Matches};
pub use parse::parse;
pub use pieces::Piece;
pub use smooth::{Candidates, OrderCounts, Smoothing};
pub use statistics::Reach;
pub use within::Near;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;
