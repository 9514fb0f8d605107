//! How an index lies on disk: immutable segment files of aligned little-endian blocks, and a
//! manifest that names them, swapped last. `docs/format.md` states it to the byte.

mod directory;
mod file;
mod manifest;
mod map;

pub use directory::{Directory, Writer};
pub use file::{BlockToWrite, SegmentFile, read_segment_file, write_segment_file};
pub use manifest::{Manifest, MetadataEntry, SegmentEntry};
pub use map::{Block, map_numbers};

/// The version of the file format that this library writes, and the newest that it reads.
pub const FORMAT: u64 = 1;

#[cfg(test)]
mod tests;
