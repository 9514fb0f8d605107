//! One segment file: a checksummed JSON header, then aligned blocks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use super::FORMAT;
use super::map::{Block, map_file};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

const MAGIC: [u8; 8] = *b"BOWSEG\r\n";
const ALIGNMENT: usize = 64;
const PREFIX: usize = 24;
/// More than any header needs; a larger number is damage.
const MAX_HEADER: u64 = 1 << 24;

/// Bytes written at once. Larger writes were measured to cost several times the CPU: systems then
/// look for large runs of free memory to cache them in.
const PIECE: usize = 1 << 16;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct BlockEntry {
    crc32: u32,
    dtype: String,
    length: u64,
    offset: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    blocks: BTreeMap<String, BlockEntry>,
    format: u64,
    kind: String,
    length: u64,
    meta: serde_json::Value,
}

/// One block on its way to a file.
#[derive(Clone, Debug)]
pub struct BlockToWrite<'a> {
    /// Its name in the header.
    pub name: Cow<'static, str>,
    /// The type of its numbers: `u8`, `u16`, `u32` or `u64`.
    pub dtype: &'static str,
    /// The numbers, little endian.
    pub bytes: &'a [u8],
}

impl<'a> BlockToWrite<'a> {
    /// The block `name` of `items`.
    pub fn new<T: Pod>(
        name: impl Into<Cow<'static, str>>,
        dtype: &'static str,
        items: &'a [T],
    ) -> Self {
        Self { name: name.into(), dtype, bytes: bytemuck::cast_slice(items) }
    }
}

/// An open segment file, mapped, its header checked.
#[derive(Debug)]
pub struct SegmentFile {
    path: PathBuf,
    map: Arc<Mmap>,
    header: Header,
    header_crc32: u32,
}

/// What the manifest keeps of a written file: its length and the checksum of its header.
pub(crate) type Written = (u64, u32);

fn aligned(offset: usize) -> usize {
    offset.next_multiple_of(ALIGNMENT)
}

/// Writes and syncs a segment file of `kind` with `blocks` at `path`, which must not be in use.
///
/// # Errors
/// [`Error::Io`], or [`Error::Interrupted`].
pub fn write_segment_file(
    path: &Path,
    kind: &str,
    meta: &serde_json::Value,
    blocks: &[BlockToWrite<'_>],
    monitor: &Monitor,
) -> Result<Written> {
    const { assert!(cfg!(target_endian = "little"), "blocks are written as they lie in memory") };
    let mut header = Header {
        blocks: BTreeMap::new(),
        format: FORMAT,
        kind: kind.into(),
        length: 0,
        meta: meta.clone(),
    };
    for block in blocks {
        monitor.check()?;
        header.blocks.insert(
            block.name.to_string(),
            BlockEntry {
                crc32: crc32fast::hash(block.bytes),
                dtype: block.dtype.into(),
                length: block.bytes.len() as u64,
                offset: 0,
            },
        );
    }
    // Offsets are part of the header that they follow: place the blocks behind room for the
    // longest numbers, which the padding then fills.
    let room = aligned(PREFIX + serialise(&header).len() + 24 * (blocks.len() + 1));
    let mut end = room;
    for block in blocks {
        if let Some(entry) = header.blocks.get_mut(&*block.name) {
            entry.offset = end as u64;
        }
        end = aligned(end + block.bytes.len());
    }
    header.length = end as u64;
    let mut text = serialise(&header).into_bytes();
    text.resize(room - PREFIX, b' ');
    let crc32 = crc32fast::hash(&text);

    let file = File::create(path).map_err(Error::io(path))?;
    let mut sink = BufWriter::with_capacity(PIECE, file);
    let mut write = |bytes: &[u8]| sink.write_all(bytes).map_err(Error::io(path));
    write(&MAGIC)?;
    write(&(text.len() as u64).to_le_bytes())?;
    write(&crc32.to_le_bytes())?;
    write(&[0; 4])?;
    write(&text)?;
    for block in blocks {
        for piece in block.bytes.chunks(PIECE) {
            monitor.check()?;
            write(piece)?;
        }
        write(&[0; ALIGNMENT][..aligned(block.bytes.len()) - block.bytes.len()])?;
    }
    let file = sink.into_inner().map_err(|error| Error::io(path)(error.into_error()))?;
    file.sync_all().map_err(Error::io(path))?;
    Ok((end as u64, crc32))
}

fn serialise(header: &Header) -> String {
    serde_json::to_string(header).unwrap_or_default()
}

/// Opens a segment file: reads its header and checks it against the file's length and bounds.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Format`] for a foreign or newer file, or [`Error::Io`].
pub fn read_segment_file(path: &Path) -> Result<SegmentFile> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    let mut prefix = [0; PREFIX];
    if length < PREFIX as u64 {
        return Err(Error::corrupt_file(path, format!("the file has {length} bytes, no header")));
    }
    file.read_exact(&mut prefix).map_err(Error::io(path))?;
    if prefix[..8] != MAGIC {
        return Err(Error::format(path, "not a bowstring segment: its first bytes are others"));
    }
    let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| prefix[at + byte]));
    let header_length = u64::from(number(8)) | u64::from(number(12)) << 32;
    let header_crc32 = number(16);
    if number(20) != 0 || header_length > MAX_HEADER || PREFIX as u64 + header_length > length {
        return Err(Error::corrupt_file(path, "the header does not fit the file"));
    }
    let mut text = vec![0; header_length as usize];
    file.read_exact(&mut text).map_err(Error::io(path))?;
    if crc32fast::hash(&text) != header_crc32 {
        return Err(Error::corrupt_file(path, "the header does not match its checksum"));
    }
    let damaged = |what: String| Error::corrupt_file(path, what);
    let value: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| damaged(format!("the header is not JSON: {error}")))?;
    super::manifest::check_format(path, &value)?;
    let header: Header = serde_json::from_value(value)
        .map_err(|error| damaged(format!("the header lacks what it needs: {error}")))?;
    if header.length != length {
        return Err(damaged(format!(
            "the file has {length} bytes, its header says {}",
            header.length
        )));
    }
    let map = Arc::new(map_file(&file, path)?);
    Ok(SegmentFile { path: path.to_owned(), map, header, header_crc32 })
}

impl SegmentFile {
    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kind of segment.
    pub fn kind(&self) -> &str {
        &self.header.kind
    }

    /// The segment's own part of the header.
    pub fn meta(&self) -> &serde_json::Value {
        &self.header.meta
    }

    /// Bytes of the file, and the checksum of its header.
    pub(crate) fn written(&self) -> Written {
        (self.header.length, self.header_crc32)
    }

    /// Whether the file has a block of that name.
    pub fn has(&self, name: &str) -> bool {
        self.header.blocks.contains_key(name)
    }

    /// Bytes of the block `name`; 0 if there is none.
    pub fn length(&self, name: &str) -> usize {
        self.header.blocks.get(name).map_or(0, |entry| entry.length as usize)
    }

    /// The block `name`, which must hold `length` numbers of type `dtype`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it does not, or does not lie aligned within the file.
    pub fn block<T: Pod>(&self, name: &str, dtype: &str, length: usize) -> Result<Block<T>> {
        let damaged = |what: String| Error::corrupt_file(&self.path, what);
        let entry = self
            .header
            .blocks
            .get(name)
            .ok_or_else(|| damaged(format!("block {name:?} is missing")))?;
        let bytes = length.checked_mul(size_of::<T>()).map(|bytes| bytes as u64);
        if entry.dtype != dtype || Some(entry.length) != bytes {
            return Err(damaged(format!(
                "block {name:?} holds {} bytes of {}, where {length} numbers of {dtype} belong",
                entry.length, entry.dtype
            )));
        }
        self.span(entry)
            .and_then(|span| Block::mapped(&self.map, span))
            .ok_or_else(|| damaged(format!("block {name:?} does not lie within the file")))
    }

    fn span(&self, entry: &BlockEntry) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(entry.offset).ok()?;
        let end = start.checked_add(usize::try_from(entry.length).ok()?)?;
        (start % ALIGNMENT == 0 && end <= self.map.len()).then_some(start..end)
    }

    /// Reads every byte: each block against its checksum, each gap for zeros.
    ///
    /// # Errors
    /// [`Error::Corrupt`], naming the block; [`Error::Interrupted`].
    pub fn verify(&self, monitor: &Monitor) -> Result<()> {
        let damaged = |what: String| Error::corrupt_file(&self.path, what);
        let mut spans = vec![];
        for (name, entry) in &self.header.blocks {
            let span = self
                .span(entry)
                .ok_or_else(|| damaged(format!("block {name:?} does not lie within the file")))?;
            let mut hasher = crc32fast::Hasher::new();
            for piece in self.map[span.clone()].chunks(PIECE) {
                monitor.check()?;
                hasher.update(piece);
                monitor.advance(piece.len() as u64);
            }
            if hasher.finalize() != entry.crc32 {
                return Err(damaged(format!("block {name:?} does not match its checksum")));
            }
            spans.push(span);
        }
        spans.sort_by_key(|span| (span.start, span.end));
        let mut end = PREFIX + header_length(&self.map);
        for span in spans.iter().cloned().chain(std::iter::once(self.map.len()..self.map.len())) {
            let gap =
                self.map.get(end..span.start).ok_or_else(|| damaged("blocks overlap".into()))?;
            if gap.len() >= ALIGNMENT || gap.iter().any(|&byte| byte != 0) {
                return Err(damaged("the padding between blocks is not empty".into()));
            }
            end = span.end;
        }
        Ok(())
    }
}

/// The header's length as the file states it, checked when it was opened.
fn header_length(map: &Mmap) -> usize {
    map.get(8..16)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, |bytes| u64::from_le_bytes(bytes) as usize)
}
