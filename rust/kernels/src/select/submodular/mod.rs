//! Subsets of rows that inform most: submodular functions, maximised greedily.
//!
//! Four functions of sets of rows share one maximiser. Each is an [`Objective`]: it keeps what was
//! added so far and says what one more row would add, which never grows as rows are added
//! (submodularity). That is what lets [`greedy()`] leave most rows alone: a gain from before bounds
//! the gain of now (Minoux 1978).
//!
//! | function | of rows | an evaluation costs |
//! |---|---|---|
//! | [`FacilityLocation`] | how well each row is represented by its most similar selected one | the row's similarities |
//! | [`GraphCut`] | how similar to all rows, how dissimilar among themselves | the row's entries |
//! | [`FeatureBased`] | how much of each column, with diminishing returns | the row's entries |
//! | [`MaxCoverage`] | how many columns occur at all | the row's entries |
//!
//! Similarities are computed while they are needed and never held: not n by n of them.

mod features;
mod graph_cut;
mod greedy;
mod location;
mod medoids;
mod neighbours;
mod rows;
mod sample;
mod select;
mod sieve;
mod similar;
#[cfg(test)]
mod tests;

pub use features::{Concave, FeatureBased, MaxCoverage};
pub use graph_cut::GraphCut;
pub use greedy::{Costs, Method, Options, Selection, greedy};
pub use location::FacilityLocation;
pub use medoids::{Distance, Medoids, k_medoids};
pub use neighbours::{neighbours, symmetric};
pub use rows::{Dense, Matrix, Sparse};
pub use sample::taylor_softmax;
pub use select::{Function, Problem, select};
pub use sieve::{Sieve, Sought};
pub use similar::{Measure, Similarities};

use crate::error::Error;

/// A monotone or non-monotone submodular function of sets of rows, and the set it stands at.
pub trait Objective: Send + Sync {
    /// Rows that can be added.
    fn rows(&self) -> usize;

    /// What each of `rows` would add to what was added so far, into `gains`.
    fn gains(&self, rows: &[u32], gains: &mut [f64], scratch: &mut Scratch);

    /// Adds a row.
    fn add(&mut self, row: u32, scratch: &mut Scratch);

    /// Takes out all that was added.
    fn reset(&mut self);

    /// No less than what a row adds to the empty set.
    fn bound(&self, _row: u32) -> f64 {
        f64::INFINITY
    }

    /// By how much of itself a gain may seem to grow, by rounding, as rows are added.
    fn slack(&self) -> f64 {
        0.0
    }

    /// About how many operations a gain takes: what is cheap is not worth another thread.
    fn effort(&self) -> usize;

    /// How many gains cost little more than one.
    fn side_by_side(&self) -> usize {
        1
    }
}

/// Memory of one thread's evaluations, kept for the next.
#[derive(Debug, Default)]
pub struct Scratch {
    sums: Vec<f64>,
    rows: Vec<u32>,
    values: Vec<f64>,
}

fn refused(message: impl Into<String>) -> Error {
    Error::InvalidInput(message.into())
}

/// A uniform number of a seed and a place: the finaliser of SplitMix64 (Steele, Lea and Flood
/// 2014), twice so that neighbouring seeds share nothing.
fn random(seed: u64, place: u64) -> u64 {
    let mix = |value: u64| {
        let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    };
    mix(mix(seed).wrapping_add(place))
}

/// A uniform number below `limit` (Lemire's multiplication, whose bias is below 2^-32 here).
fn below(random: u64, limit: usize) -> usize {
    ((u128::from(random) * limit as u128) >> 64) as usize
}
