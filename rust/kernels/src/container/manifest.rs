//! The manifest: the list of an index's segments, under a checksum of its own.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::FORMAT;
use super::directory::{METADATA, SEGMENT, file_number};
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::kind::Kind;

const MAGIC: &str = "bowstring";

/// One segment of an index on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// Checksum of the file's header, so that no other segment can stand in its place.
    pub crc32: u32,
    /// The file's name.
    pub file: String,
    /// The file's length in bytes.
    pub length: u64,
    /// Rows in the segment.
    pub rows: u64,
    /// Symbols in the segment, separators included.
    pub symbols: u64,
}

/// A file that rides along with rows: the index keeps it, and does not read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataEntry {
    /// Checksum of the file.
    pub crc32: u32,
    /// The file's name.
    pub file: String,
    /// The file's length in bytes.
    pub length: u64,
    /// Rows that it is of.
    pub rows: u64,
}

/// What an index on disk consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What the column holds.
    pub column: Column,
    format: u64,
    /// What its segments are made of.
    #[serde(default, skip_serializing_if = "Kind::is_default")]
    pub kind: Kind,
    magic: String,
    /// What rides along with the rows, in their order: of all of them, or of none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<MetadataEntry>,
    /// The segments, in the order of their rows.
    pub segments: Vec<SegmentEntry>,
}

/// Refuses files that are not ours or that a newer library wrote.
pub(super) fn check_format(path: &Path, value: &Value) -> Result<()> {
    match value.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => Ok(()),
        Some(format) => Err(Error::format(
            path,
            format!(
                "file format {format}, where this version of bowstring reads format {FORMAT}; \
                 install the version of bowstring that wrote it, or build the index again"
            ),
        )),
        None => Err(Error::format(path, "not a file of a bowstring index: it names no format")),
    }
}

impl Manifest {
    /// The manifest of an index of `segments`, and of what rides along with their rows.
    pub fn new(
        column: Column,
        kind: Kind,
        segments: Vec<SegmentEntry>,
        metadata: Vec<MetadataEntry>,
    ) -> Self {
        Self { column, format: FORMAT, kind, magic: MAGIC.into(), metadata, segments }
    }

    /// The names of the files that belong to the index.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let segments = self.segments.iter().map(|segment| &*segment.file);
        segments.chain(self.metadata.iter().map(|metadata| &*metadata.file))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let manifest = json!(self);
        let crc32 = crc32fast::hash(manifest.to_string().as_bytes());
        let mut text = json!({ "crc32": crc32, "manifest": manifest }).to_string().into_bytes();
        text.push(b'\n');
        text
    }

    pub(super) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: String| Error::corrupt_file(path, what);
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| damaged(format!("the manifest is not JSON: {error}")))?;
        let Some(manifest) = value.get("manifest") else {
            return Err(Error::format(path, "not the manifest of a bowstring index"));
        };
        if manifest.get("magic").and_then(Value::as_str) != Some(MAGIC) {
            return Err(Error::format(path, "not the manifest of a bowstring index"));
        }
        let crc32 = crc32fast::hash(manifest.to_string().as_bytes());
        if value.get("crc32").and_then(Value::as_u64) != Some(u64::from(crc32)) {
            return Err(damaged("the manifest does not match its checksum".into()));
        }
        check_format(path, manifest)?;
        let manifest: Self = serde_json::from_value(manifest.clone())
            .map_err(|error| damaged(format!("the manifest lacks what it needs: {error}")))?;
        for segment in &manifest.segments {
            if file_number(&segment.file, SEGMENT).is_none() {
                return Err(damaged(format!("{:?} is not the name of a segment", segment.file)));
            }
        }
        for metadata in &manifest.metadata {
            if file_number(&metadata.file, METADATA).is_none() {
                return Err(damaged(format!("{:?} is not the name of metadata", metadata.file)));
            }
        }
        let rows = manifest.segments.iter().map(|segment| u128::from(segment.rows));
        let described = manifest.metadata.iter().map(|metadata| u128::from(metadata.rows));
        if !manifest.metadata.is_empty() && described.sum::<u128>() != rows.sum() {
            return Err(damaged("its metadata is not of as many rows as its segments".into()));
        }
        // A second spelling of the same values would be a change that no checksum sees.
        if manifest.to_bytes() != bytes {
            return Err(damaged("the manifest is not written as bowstring writes it".into()));
        }
        Ok(manifest)
    }
}
