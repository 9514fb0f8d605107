//! Which rows are worth having: subsets that inform most, and what retrieved rows are worth.

pub mod importance;
pub mod submodular;
