//! Which rows to choose: those most like a target, those that stand for the others, those that help.

pub mod compression;
pub mod coverage;
pub mod order;
pub mod resampling;
