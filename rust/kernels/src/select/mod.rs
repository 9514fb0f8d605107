//! Which rows to choose: those most like a target, those that inform most, those that help.

pub mod compression;
pub mod coverage;
pub mod importance;
pub mod order;
pub mod resampling;
pub mod submodular;
