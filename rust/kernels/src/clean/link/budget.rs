//! How much memory a linkage may take.

use crate::error::{Error, Result};

/// A number of bytes, and how many of them are taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    memory: Option<u64>,
    taken: u64,
}

impl Budget {
    /// So many bytes, or any number of them.
    pub fn new(memory: Option<u64>) -> Self {
        Self { memory, taken: 0 }
    }

    /// Takes bytes for what is named.
    ///
    /// # Errors
    /// [`Error::OutOfBudget`] if they are not left.
    pub fn take(&mut self, bytes: usize, what: &str) -> Result<()> {
        self.taken = self.taken.saturating_add(bytes as u64);
        match self.memory {
            Some(memory) if self.taken > memory => Err(Error::OutOfBudget(format!(
                "memory is {memory} bytes, and with {what} {} are needed: give more, or link \
                 fewer rows at a time",
                self.taken
            ))),
            _ => Ok(()),
        }
    }

    /// Gives bytes back.
    pub fn give(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_sub(bytes as u64);
    }

    /// The bytes left; None if they are not counted.
    pub fn left(&self) -> Option<u64> {
        self.memory.map(|memory| memory.saturating_sub(self.taken))
    }
}
