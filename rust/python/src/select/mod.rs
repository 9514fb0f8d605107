//! What `bowstring.select` asks of the kernels.

mod compression;
mod resampling;

pub use compression::{align, ncd};
pub use resampling::{cover, resample};
