//! What `bowstring.select` asks of the kernels.

mod compression;
pub mod importance;
mod resampling;
pub mod submodular;

pub use compression::{align, ncd};
pub use resampling::{cover, resample};
