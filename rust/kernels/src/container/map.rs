//! Memory that kernels read: owned, or mapped from a file that is never modified in place.

use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::{Mmap, MmapMut};

use crate::error::{Error, Result};

/// Maps a file for reading at random places.
///
/// # Errors
/// [`Error::Io`] if the system refuses.
pub(super) fn map_file(file: &File, path: &Path) -> Result<Mmap> {
    // SAFETY: the contract of the file format is that a published file is never written to again,
    // only replaced by renaming or unlinked, and both keep the mapped inode as it is. Whatever the
    // bytes are, they are read as integers, which have no invalid values, and checked before use.
    let map = unsafe { Mmap::map(file) }.map_err(Error::io(path))?;
    #[cfg(unix)]
    map.advise(memmap2::Advice::Random).map_err(Error::io(path))?;
    Ok(map)
}

/// All of a file as numbers, little endian.
///
/// # Errors
/// [`Error::Io`]; [`Error::Corrupt`] if they are not whole.
pub fn map_numbers<T: Pod>(path: &Path) -> Result<Block<T>> {
    let file = File::open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    if length == 0 {
        return Ok(Block::from(vec![]));
    }
    let map = Arc::new(map_file(&file, path)?);
    let span = 0..map.len();
    Block::mapped(&map, span).ok_or_else(|| {
        let what = format!("{length} bytes are no numbers of {} bytes each", size_of::<T>());
        Error::corrupt_file(path, what)
    })
}

#[derive(Debug)]
enum Memory<T> {
    Owned(Vec<T>),
    Anonymous(MmapMut),
    Mapped(#[expect(dead_code, reason = "kept mapped")] Arc<Mmap>),
}

/// A slice of numbers, wherever it lies.
#[derive(Debug)]
pub struct Block<T> {
    /// Where they are in the memory. Kernels ask for single numbers: to find out each time what kind
    /// of memory it is, and that it is aligned, took a third of the time of a question.
    items: NonNull<[T]>,
    memory: Memory<T>,
}

// SAFETY: a block owns its numbers, or shares what nobody writes, as a vector and an `Arc` do.
unsafe impl<T: Send + Sync> Send for Block<T> {}
// SAFETY: as above; through a shared block nothing is written.
unsafe impl<T: Sync> Sync for Block<T> {}

impl<T: Pod> Block<T> {
    /// `length` zeros in huge pages where the system has them: random reads of a large block then
    /// miss far fewer translations.
    ///
    /// # Errors
    /// [`Error::OutOfBudget`] if the system has no memory left.
    pub fn zeros(length: usize) -> Result<Self> {
        let bytes = length * size_of::<T>();
        if bytes == 0 {
            return Ok(Self::from(vec![]));
        }
        let mut memory = MmapMut::map_anon(bytes).map_err(|error| {
            Error::OutOfBudget(format!("the system has no {bytes} bytes to give: {error}"))
        })?;
        // A hint: systems without huge pages refuse it, and all works as before.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        let items = NonNull::from(bytemuck::cast_slice_mut(&mut memory));
        Ok(Self { items, memory: Memory::Anonymous(memory) })
    }

    /// The numbers, to write; empty if the block is a mapped file.
    pub fn items_mut(&mut self) -> &mut [T] {
        let items = match &mut self.memory {
            Memory::Owned(items) => items.as_mut_slice(),
            Memory::Anonymous(memory) => bytemuck::cast_slice_mut(memory),
            Memory::Mapped(_) => return &mut [],
        };
        self.items = NonNull::from(items);
        // SAFETY: just made from the memory that the block owns, and borrowed as long as it is.
        unsafe { self.items.as_mut() }
    }

    /// The bytes `span` of a mapped file as numbers; `None` if they are not aligned, not whole
    /// numbers, or not in the file.
    pub(super) fn mapped(map: &Arc<Mmap>, span: Range<usize>) -> Option<Self> {
        let items = bytemuck::try_cast_slice::<u8, T>(map.get(span)?).ok()?;
        Some(Self { items: NonNull::from(items), memory: Memory::Mapped(Arc::clone(map)) })
    }
}

impl<T> Default for Block<T> {
    fn default() -> Self {
        Self::from(vec![])
    }
}

impl<T> From<Vec<T>> for Block<T> {
    fn from(mut items: Vec<T>) -> Self {
        Self { items: NonNull::from(items.as_mut_slice()), memory: Memory::Owned(items) }
    }
}

impl<T> Deref for Block<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the slice was made from `memory`, which the block keeps, and neither grows nor
        // moves what it holds; `items_mut`, the only way to write, takes the block for itself.
        unsafe { self.items.as_ref() }
    }
}
