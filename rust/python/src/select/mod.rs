//! What `bowstring.select` asks.

pub mod importance;
pub mod submodular;
