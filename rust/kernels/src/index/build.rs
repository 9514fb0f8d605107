//! Builds, extends and compacts an index: rows are gathered into segments that fit the memory
//! given, sorted side by side, and published as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rayon::ThreadPool;

use super::segment::Segment;
use super::{Index, Metadata, fm, suffix};
use crate::container::{Directory, Manifest, SegmentEntry, Writer};
use crate::corpus::{Column, Corpus, CorpusBuilder, MAX_SYMBOLS, Rows};
use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};
use crate::kind::Kind;
use crate::pool::pool;

/// The part of the memory given that segments may fill; the rest is for batches of input, tables
/// and the process itself.
const SHARE: f64 = 0.8;

/// Bytes a symbol of the suffix array and its keys.
const SUFFIX_BYTES: f64 = 4.0 + 9.0 / crate::suffix::keys::STRIDE as f64;

/// How often the wait for a sorting thread looks at the monitor.
const TICK: Duration = Duration::from_millis(20);

/// Bytes a symbol of so many bytes that making a segment needs beside its text.
fn bytes_beside(kind: Kind, width: f64) -> f64 {
    match kind {
        Kind::Suffix | Kind::InfiniGram => SUFFIX_BYTES,
        // The suffix array, what replaces it, and the marks on the way.
        Kind::Fm(_) => 4.5 + width,
    }
}

/// Bytes a symbol that an index in memory keeps, at most.
fn bytes_kept(kind: Kind, width: f64) -> f64 {
    match kind {
        Kind::Suffix | Kind::InfiniGram => width + SUFFIX_BYTES,
        Kind::Fm(_) => 1.5 * width,
    }
}

/// How an index is built.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What segments are made of.
    pub kind: Kind,
    /// Bytes to stay within; three quarters of what is available by default.
    pub memory: Option<u64>,
    /// Segments sorted side by side; all cores by default.
    pub threads: Option<usize>,
    /// Most symbols a segment, unless one row alone has more.
    pub segment_symbols: Option<usize>,
    /// Rows expected, in symbols, for progress.
    pub expected: Option<u64>,
}

#[derive(Debug)]
enum Finished {
    Memory(Arc<dyn Segment>),
    Disk(SegmentEntry),
}

type Delivery = (usize, u64, Result<Finished>);

/// Takes rows and makes an index of them.
#[derive(Debug)]
pub struct Builder {
    corpus: CorpusBuilder,
    kind: Kind,
    writer: Option<Arc<Writer>>,
    pool: Arc<ThreadPool>,
    threads: usize,
    memory: f64,
    segment_symbols: Option<usize>,
    monitor: Arc<Monitor>,
    next_row: u64,
    /// What rides along with the rows kept, and then with those pushed.
    metadata: Vec<Metadata>,
    attached: Option<(u64, Option<PathBuf>)>,
    resident: f64,
    pieces: BTreeMap<usize, Finished>,
    started: usize,
    under_way: usize,
    sorted: u64,
    total: u64,
    deliver: Sender<Delivery>,
    deliveries: Receiver<Delivery>,
}

/// What a build may assume where the system does not tell.
const UNKNOWN_MEMORY: u64 = 4 << 30;

fn available_memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else {
        return UNKNOWN_MEMORY;
    };
    system.refresh_memory();
    let machine = system.available_memory();
    system.cgroup_limits().map_or(machine, |limits| machine.min(limits.free_memory))
}

impl Builder {
    /// Starts a new index over a column of that kind: in memory, or in the directory `path`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is an index and `overwrite` is false, if another writer
    /// is at work, or for impossible options; [`Error::Io`].
    pub fn new(
        column: Column,
        path: Option<&Path>,
        overwrite: bool,
        options: Options,
        monitor: Arc<Monitor>,
    ) -> Result<Self> {
        let writer = path.map(|path| -> Result<_> {
            let directory = Directory::new(path)?;
            if !overwrite && directory.has_manifest()? {
                return Err(Error::InvalidInput(format!(
                    "path {} holds an index already; open it, append to it, give another path, or \
                     pass overwrite=True",
                    directory.path().display()
                )));
            }
            directory.lock()
        });
        Self::with_writer(column, writer.transpose()?, options, monitor)
    }

    fn with_writer(
        column: Column,
        writer: Option<Writer>,
        options: Options,
        monitor: Arc<Monitor>,
    ) -> Result<Self> {
        if let Some(most) = options.segment_symbols.filter(|most| !(1..=MAX_SYMBOLS).contains(most))
        {
            return Err(Error::InvalidInput(format!(
                "segment_symbols is {most}; give 1 to {MAX_SYMBOLS}"
            )));
        }
        let pool = pool(options.threads)?;
        let memory = options.memory.unwrap_or_else(|| available_memory() / 4 * 3);
        let (deliver, deliveries) = channel();
        monitor.enter(Phase::Reading, 0, options.expected);
        Ok(Self {
            corpus: CorpusBuilder::new(column, 0),
            kind: options.kind,
            writer: writer.map(Arc::new),
            threads: pool.current_num_threads(),
            pool,
            memory: memory as f64,
            segment_symbols: options.segment_symbols,
            monitor,
            next_row: 0,
            metadata: vec![],
            attached: None,
            resident: 0.0,
            pieces: BTreeMap::new(),
            started: 0,
            under_way: 0,
            sorted: 0,
            total: 0,
            deliver,
            deliveries,
        })
    }

    /// What the column holds.
    pub fn column(&self) -> Column {
        self.corpus.column()
    }

    /// Lets something ride along with the rows that are pushed, which is of so many: a file that an
    /// index on disk takes a copy of. One in memory only keeps count.
    #[must_use]
    pub fn attach(mut self, rows: u64, file: Option<PathBuf>) -> Self {
        self.attached = Some((rows, file));
        self
    }

    /// Refuses metadata of some rows.
    fn check_attached(&self) -> Result<()> {
        let kept: u64 = self.metadata.iter().map(|metadata| metadata.rows).sum();
        let described = kept + self.attached.as_ref().map_or(0, |&(rows, _)| rows);
        if described == self.next_row || (described == 0 && self.attached.is_none()) {
            return Ok(());
        }
        Err(Error::InvalidInput(format!(
            "metadata has {described} rows, and the index {}; give metadata of every row, or of none",
            self.next_row
        )))
    }

    /// Most symbols of that width in a segment, so that as many as there are threads can be
    /// sorted while the next one is read.
    fn capacity(&self, width: usize) -> usize {
        let width = width as f64;
        let bytes = self.threads as f64 * (width + bytes_beside(self.kind, width)) + width;
        ((self.memory * SHARE / bytes) as usize).min(MAX_SYMBOLS)
    }

    fn make_room(&mut self, symbols: usize) -> Result<()> {
        self.monitor.check()?;
        self.monitor.advance(symbols as u64);
        let capacity = self.capacity(self.corpus.width());
        let limit = self.segment_symbols.unwrap_or(MAX_SYMBOLS).min(capacity);
        if self.corpus.rows() > 0 && self.corpus.symbols() + symbols + 1 > limit {
            self.seal()?;
        }
        if symbols >= capacity && symbols < MAX_SYMBOLS {
            return Err(Error::OutOfBudget(format!(
                "row {} has {symbols} symbols; a segment of {capacity} is the largest that memory \
                 of {:.0} bytes allows with {} threads: give more memory, or fewer threads",
                self.next_row, self.memory, self.threads
            )));
        }
        self.next_row += 1;
        Ok(())
    }

    /// Hands the rows gathered so far to a sorting thread; waits for one if all are busy.
    fn seal(&mut self) -> Result<()> {
        let fresh = CorpusBuilder::new(self.corpus.column(), self.next_row);
        let corpus = std::mem::replace(&mut self.corpus, fresh).finish();
        if corpus.row_ends.is_empty() {
            return Ok(());
        }
        let symbols = corpus.symbols() as u64;
        self.total += symbols;
        if self.writer.is_none() {
            let width = if let crate::corpus::Text::U8(_) = corpus.text { 1.0 } else { 4.0 };
            self.resident += corpus.symbols() as f64 * bytes_kept(self.kind, width);
            if self.resident > self.memory {
                return Err(Error::OutOfBudget(format!(
                    "an index in memory of the first {} rows needs {:.0} bytes, more than memory \
                     of {:.0}: give more memory, or a path to build it on disk",
                    self.next_row, self.resident, self.memory
                )));
            }
        }
        while self.under_way >= self.threads {
            self.receive()?;
        }
        let slot = self.started;
        self.started += 1;
        self.under_way += 1;
        let place = self.writer.as_ref().map(|writer| (Arc::downgrade(writer), writer.number()));
        let monitor = Arc::clone(&self.monitor);
        let kind = self.kind;
        let deliver = self.deliver.clone();
        self.pool.spawn(move || {
            let finished = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                make_segment(corpus, kind, place.as_ref(), &monitor)
            }));
            let finished = finished.unwrap_or_else(|_| {
                Err(Error::corrupt("sorting failed unexpectedly, which is a defect of bowstring"))
            });
            // Nobody listens any more when the build was given up.
            let _ = deliver.send((slot, symbols, finished));
        });
        Ok(())
    }

    /// Waits for a sorted segment; the sorter itself cannot be stopped, but the wait for it can.
    fn receive(&mut self) -> Result<()> {
        self.monitor.check()?;
        if let Ok((slot, symbols, finished)) = self.deliveries.recv_timeout(TICK) {
            self.under_way -= 1;
            self.sorted += symbols;
            if self.monitor.progress().0 == Phase::Sorting {
                self.monitor.advance(symbols);
            }
            self.pieces.insert(slot, finished?);
        }
        Ok(())
    }

    /// Takes a finished segment as it is, behind the rows so far.
    fn keep(&mut self, rows: usize, piece: Finished) -> Result<()> {
        self.seal()?;
        self.pieces.insert(self.started, piece);
        self.started += 1;
        self.next_row += rows as u64;
        self.corpus = CorpusBuilder::new(self.corpus.column(), self.next_row);
        Ok(())
    }

    /// Sorts what is left and gives the index of all rows; on disk, publishes it.
    ///
    /// # Errors
    /// As sorting and writing fail; the index on disk is then the one that was there before.
    pub fn finish(mut self) -> Result<Index> {
        let column = self.corpus.column();
        self.check_attached()?;
        self.seal()?;
        self.monitor.enter(Phase::Sorting, self.sorted, Some(self.total));
        while self.under_way > 0 {
            self.receive()?;
        }
        self.monitor.check()?;
        let pieces = std::mem::take(&mut self.pieces).into_values();
        let mut metadata = std::mem::take(&mut self.metadata);
        if let Some((rows, file)) = self.attached.take() {
            let entry = match (&self.writer, file) {
                (Some(writer), Some(file)) => {
                    Some(writer.write_metadata(&file, rows, &self.monitor)?)
                }
                _ => None,
            };
            metadata.push(Metadata { rows, entry });
        }
        let Some(writer) = self.writer.take() else {
            let segments = pieces.filter_map(|piece| match piece {
                Finished::Memory(segment) => Some((segment, None)),
                Finished::Disk(_) => None,
            });
            return Ok(Index::new(column, self.kind, segments, metadata, None));
        };
        let entries = pieces
            .filter_map(|piece| match piece {
                Finished::Disk(entry) => Some(entry),
                Finished::Memory(_) => None,
            })
            .collect();
        let metadata = metadata.into_iter().filter_map(|metadata| metadata.entry).collect();
        writer.publish(&Manifest::new(column, self.kind, entries, metadata))?;
        Index::open_directory(writer.directory().clone())
    }
}

fn make_segment(
    corpus: Corpus,
    kind: Kind,
    place: Option<&(Weak<Writer>, u64)>,
    monitor: &Monitor,
) -> Result<Finished> {
    monitor.check()?;
    let (column, rows) = (corpus.column, corpus.row_ends.len() as u64);
    let segment = match kind {
        Kind::Suffix => suffix::build(corpus)?,
        Kind::Fm(profile) => fm::build(corpus, profile)?,
        Kind::InfiniGram => {
            return Err(Error::UnsupportedType(
                "an index of infini-gram cannot be written; convert it to kind \"suffix\" or \"fm\""
                    .into(),
            ));
        }
    };
    let Some((writer, number)) = place else {
        return Ok(Finished::Memory(segment));
    };
    let symbols = segment.symbols() as u64;
    // A build that was given up meanwhile has let go of the directory.
    let writer = writer.upgrade().ok_or(Error::Interrupted)?;
    writer
        .write_segment(*number, rows, symbols, |path| segment.write(column, path, monitor))
        .map(Finished::Disk)
}

impl Rows for Builder {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        self.make_room(row.map_or(0, <[u8]>::len))?;
        self.corpus.push_bytes(row)
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        self.make_room(row.map_or(0, <[u32]>::len))?;
        self.corpus.push_tokens(row)
    }
}

impl Index {
    /// Starts to add rows behind the last one; [`Builder::finish`] gives the index of all.
    ///
    /// On disk, rows that another process has added meanwhile are part of it.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn append(&self, options: Options, monitor: Arc<Monitor>) -> Result<Builder> {
        let (now, writer) = self.for_writing()?;
        let options = Options { kind: self.kind.of_new_segments(), ..options };
        let mut builder = Builder::with_writer(self.column, writer, options, monitor)?;
        builder.metadata.clone_from(&now.metadata);
        for part in &now.parts {
            builder.keep(part.segment.rows().len(), part.finished())?;
        }
        Ok(builder)
    }

    /// Merges segments, sorting them anew, into as few as the memory allows. Segments that find
    /// no neighbour to merge with stay as they are.
    ///
    /// # Errors
    /// As [`Builder::finish`].
    pub fn compact(&self, options: Options, monitor: Arc<Monitor>) -> Result<Self> {
        let (now, writer) = self.for_writing()?;
        let options = Options { kind: self.kind.of_new_segments(), ..options };
        let mut builder = Builder::with_writer(self.column, writer, options, monitor)?;
        builder.metadata.clone_from(&now.metadata);
        let mut groups: Vec<(Vec<&super::Part>, usize, usize)> = vec![];
        for part in &now.parts {
            let (width, symbols) = (part.segment.width(), part.segment.symbols());
            match groups.last_mut() {
                Some((parts, widest, size))
                    if *size + symbols <= builder.capacity((*widest).max(width)) =>
                {
                    parts.push(part);
                    *widest = (*widest).max(width);
                    *size += symbols;
                }
                _ => groups.push((vec![part], width, symbols)),
            }
        }
        let merged = groups.iter().filter(|group| group.0.len() > 1).map(|group| group.2 as u64);
        builder.monitor.enter(Phase::Reading, 0, Some(merged.sum()));
        for (parts, _, _) in groups {
            if let [part] = parts[..] {
                builder.keep(part.segment.rows().len(), part.finished())?;
                continue;
            }
            builder.seal()?;
            for part in parts {
                part.segment.read_rows(self.column, &mut builder)?;
            }
        }
        builder.finish()
    }

    /// The same rows as an index of another kind, or elsewhere: in memory, or in the directory `path`.
    /// What is `attached` rides along with them, as in [`Builder::attach`].
    ///
    /// # Errors
    /// As [`Builder::new`] and [`Builder::finish`].
    pub fn convert(
        &self,
        path: Option<&Path>,
        overwrite: bool,
        options: Options,
        attached: Option<(u64, Option<PathBuf>)>,
        monitor: Arc<Monitor>,
    ) -> Result<Self> {
        let symbols = self.parts.iter().map(|part| part.segment.symbols() as u64).sum();
        let options = Options { expected: Some(symbols), ..options };
        let mut builder = Builder::new(self.column, path, overwrite, options, monitor)?;
        builder.attached = attached;
        for part in &self.parts {
            part.segment.read_rows(self.column, &mut builder)?;
        }
        builder.finish()
    }

    /// The index as it is now on disk, and the right to change it; itself in memory.
    fn for_writing(&self) -> Result<(Self, Option<Writer>)> {
        let Some(directory) = &self.directory else {
            return Ok((self.clone(), None));
        };
        let writer = directory.lock()?;
        let now = Self::open_directory(directory.clone())?;
        if now.column != self.column {
            return Err(Error::InvalidInput(format!(
                "the index at {} was replaced by one over a {} column; open it again",
                directory.path().display(),
                now.column.name()
            )));
        }
        Ok((now, Some(writer)))
    }
}

impl Drop for Builder {
    /// Tells sorting threads that nobody waits for them any more.
    fn drop(&mut self) {
        if self.under_way > 0 {
            self.monitor.stop();
        }
    }
}

impl super::Part {
    fn finished(&self) -> Finished {
        match &self.entry {
            Some(entry) => Finished::Disk(entry.clone()),
            None => Finished::Memory(Arc::clone(&self.segment)),
        }
    }
}
