//! The directory of an index: one writer at a time, and readers who see the old index or the new
//! one, never a mix.
//!
//! A writer holds the lock file, writes segments beside the old ones, and swaps the manifest last.
//! A process that dies leaves files that no manifest names; the next writer removes them.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::manifest::{Manifest, MetadataEntry, SegmentEntry};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

const MANIFEST: &str = "manifest.json";
const LOCK: &str = "lock";
const PARTIAL: &str = ".partial";

/// How long a writer waits for another one that is about to end, such as a build given up.
const PATIENCE: Duration = Duration::from_millis(500);

/// How names of segment files end.
pub(super) const SEGMENT: &str = ".seg";

/// How names of files end that ride along with rows.
pub(super) const METADATA: &str = ".arrow";

/// Bytes of a file copied at once.
const PIECE: usize = 1 << 20;

/// The number in the name of a file that ends so.
pub(super) fn file_number(name: &str, end: &str) -> Option<u64> {
    let digits = name.strip_suffix(end)?;
    (digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// The directory of an index.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The directory at `path`, made absolute so that it stays the same when the process moves.
    ///
    /// # Errors
    /// [`Error::Io`] if the working directory cannot be read.
    pub fn new(path: &Path) -> Result<Self> {
        Ok(Self { path: std::path::absolute(path).map_err(Error::io(path))? })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads the manifest.
    ///
    /// # Errors
    /// [`Error::Io`] where there is none; [`Error::Corrupt`] or [`Error::Format`] where it is not
    /// a manifest that this library reads.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.file(MANIFEST);
        match fs::read(&path) {
            Ok(bytes) => Manifest::from_bytes(&path, &bytes),
            Err(error) => Err(Error::io(&path)(error)),
        }
    }

    /// Checks that a file that rides along is there, and as long as it was.
    ///
    /// # Errors
    /// [`Error::Corrupt`]; [`Error::Io`].
    pub fn check_metadata(&self, entry: &MetadataEntry) -> Result<()> {
        let path = self.file(&entry.file);
        let length = fs::metadata(&path).map_err(Error::io(&path))?.len();
        if length == entry.length {
            return Ok(());
        }
        let what = format!("{length} bytes long, where the manifest says {}", entry.length);
        Err(Error::corrupt_file(&path, what))
    }

    /// Reads a file that rides along and checks it against its checksum.
    ///
    /// # Errors
    /// As [`Directory::check_metadata`]; [`Error::Interrupted`].
    pub fn verify_metadata(&self, entry: &MetadataEntry, monitor: &Monitor) -> Result<()> {
        let path = self.file(&entry.file);
        if checksum(&path, monitor, |_| Ok(()))? == (entry.length, entry.crc32) {
            return Ok(());
        }
        Err(Error::corrupt_file(&path, "the file does not match its checksum"))
    }

    /// Whether there is a manifest, of whatever content.
    ///
    /// # Errors
    /// [`Error::Io`] if that cannot be told.
    pub fn has_manifest(&self) -> Result<bool> {
        self.file(MANIFEST).try_exists().map_err(Error::io(&self.path))
    }

    /// Takes the lock, making the directory if need be, and removes what a writer that died left.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if another writer is at work, or the directory holds files that
    /// are not an index's; [`Error::Io`].
    pub fn lock(&self) -> Result<Writer> {
        fs::create_dir_all(&self.path).map_err(Error::io(&self.path))?;
        for entry in fs::read_dir(&self.path).map_err(Error::io(&self.path))? {
            let name = entry.map_err(Error::io(&self.path))?.file_name();
            if !name.to_str().is_some_and(is_ours) {
                return Err(Error::InvalidInput(format!(
                    "path {} holds {}, which is not part of an index; give a directory of its own",
                    self.path.display(),
                    name.display()
                )));
            }
        }
        let path = self.file(LOCK);
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io(&path))?;
        let mut locked = lock.try_lock();
        let patience = Instant::now() + PATIENCE;
        while matches!(locked, Err(TryLockError::WouldBlock)) && Instant::now() < patience {
            std::thread::sleep(PATIENCE / 50);
            locked = lock.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InvalidInput(format!(
                    "the index at {} is being written by another process or an interrupted call; \
                     try again when it has ended",
                    self.path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io(&path)(error)),
        }
        let writer =
            Writer { directory: self.clone(), _lock: lock, next: AtomicU64::new(self.next()?) };
        writer.clean()?;
        Ok(writer)
    }

    fn names(&self) -> Result<Vec<String>> {
        let mut names = vec![];
        for entry in fs::read_dir(&self.path).map_err(Error::io(&self.path))? {
            let name = entry.map_err(Error::io(&self.path))?.file_name();
            names.extend(name.into_string());
        }
        Ok(names)
    }

    fn next(&self) -> Result<u64> {
        let names = self.names()?;
        let last = names
            .iter()
            .filter_map(|name| number(name.strip_suffix(PARTIAL).unwrap_or(name)))
            .max();
        Ok(last.map_or(1, |last| last + 1))
    }

    fn sync(&self) -> Result<()> {
        #[cfg(unix)]
        File::open(&self.path)
            .and_then(|directory| directory.sync_all())
            .map_err(Error::io(&self.path))?;
        Ok(())
    }
}

/// The length and checksum of a file, each piece of which is given to `take`.
fn checksum(
    path: &Path,
    monitor: &Monitor,
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<(u64, u32)> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let (mut piece, mut length, mut hasher) = (vec![0; PIECE], 0, crc32fast::Hasher::new());
    loop {
        monitor.check()?;
        let read = file.read(&mut piece).map_err(Error::io(path))?;
        if read == 0 {
            return Ok((length, hasher.finalize()));
        }
        hasher.update(&piece[..read]);
        take(&piece[..read])?;
        length += read as u64;
    }
}

fn number(name: &str) -> Option<u64> {
    file_number(name, SEGMENT).or_else(|| file_number(name, METADATA))
}

fn is_ours(name: &str) -> bool {
    let whole = name.strip_suffix(PARTIAL).unwrap_or(name);
    whole == LOCK || whole == MANIFEST || number(whole).is_some()
}

/// The one writer of a directory; others are refused while it lives.
#[derive(Debug)]
pub struct Writer {
    directory: Directory,
    _lock: File,
    next: AtomicU64,
}

impl Writer {
    /// The directory written to.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The number of the next file, taken.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes the segment file `number` by `write`, which gives back its length and header
    /// checksum, and puts it in its place, synced. No manifest names it yet.
    ///
    /// # Errors
    /// What `write` fails with, after removing the partial file; [`Error::Io`].
    pub fn write_segment(
        &self,
        number: u64,
        rows: u64,
        symbols: u64,
        write: impl FnOnce(&Path) -> Result<(u64, u32)>,
    ) -> Result<SegmentEntry> {
        let file = format!("{number:06}{SEGMENT}");
        let (length, crc32) = self.write_file(&file, write)?;
        Ok(SegmentEntry { crc32, file, length, rows, symbols })
    }

    /// Copies a file that rides along with so many rows to its place, synced. No manifest names it
    /// yet.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Interrupted`].
    pub fn write_metadata(
        &self,
        from: &Path,
        rows: u64,
        monitor: &Monitor,
    ) -> Result<MetadataEntry> {
        let file = format!("{:06}{METADATA}", self.number());
        let (length, crc32) = self.write_file(&file, |path| {
            let mut to = File::create(path).map_err(Error::io(path))?;
            let read =
                checksum(from, monitor, |piece| to.write_all(piece).map_err(Error::io(path)))?;
            to.sync_all().map_err(Error::io(path))?;
            Ok(read)
        })?;
        Ok(MetadataEntry { crc32, file, length, rows })
    }

    /// Writes a file by `write` and puts it in its place; nothing stays of one that failed.
    fn write_file<T>(&self, file: &str, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let partial = self.directory.file(&format!("{file}{PARTIAL}"));
        let path = self.directory.file(file);
        write(&partial)
            .and_then(|written| {
                fs::rename(&partial, &path).map_err(Error::io(&path)).map(|()| written)
            })
            .inspect_err(|_| drop(fs::remove_file(&partial)))
    }

    /// Makes `manifest` the index, at once and durably.
    ///
    /// # Errors
    /// [`Error::Io`]; the old index then still stands, unless only making the new one durable
    /// failed.
    pub fn publish(&self, manifest: &Manifest) -> Result<()> {
        let partial = self.directory.file(&format!("{MANIFEST}{PARTIAL}"));
        let path = self.directory.file(MANIFEST);
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&partial)?;
            file.write_all(&manifest.to_bytes())?;
            file.sync_all()
        };
        // The segments' names must be durable before a manifest that names them.
        self.directory.sync()?;
        write().map_err(Error::io(&partial))?;
        fs::rename(&partial, &path).map_err(Error::io(&path))?;
        self.directory.sync()
    }

    /// Removes what a writer that died left. A manifest that cannot be read may name any segment,
    /// so then all of them stay.
    fn clean(&self) -> Result<()> {
        if !self.directory.has_manifest()? {
            return self.sweep(&[]);
        }
        let manifest = self.directory.manifest();
        manifest.map_or(Ok(()), |manifest| self.sweep(&manifest.files().collect::<Vec<_>>()))
    }

    fn sweep(&self, files: &[&str]) -> Result<()> {
        for name in self.directory.names()? {
            let named = files.contains(&&*name);
            if name != LOCK && name != MANIFEST && !named && is_ours(&name) {
                let path = self.directory.file(&name);
                fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }
}

impl Drop for Writer {
    /// Leaves only what the index needs, whether this writer published or failed. What cannot be
    /// removed now, the next writer removes.
    fn drop(&mut self) {
        let _ = self.clean();
    }
}
