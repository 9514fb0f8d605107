//! The one error of the kernels. Messages name the value and the limit, and what to do.

use std::path::{Path, PathBuf};

/// What can go wrong in a kernel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument has a value that cannot be answered.
    #[error("{0}")]
    InvalidInput(String),
    /// An argument, or a column, is of a type that the call does not take.
    #[error("{0}")]
    UnsupportedType(String),
    /// A file of an index, or an index in memory, contradicts itself.
    #[error("{}{what}; restore the index from a copy or build it again", prefix(.path))]
    Corrupt {
        /// The damaged file, where it is known.
        path: Option<PathBuf>,
        /// What contradicts what.
        what: String,
    },
    /// A file is foreign, or of a version that this library does not read.
    #[error("{}: {what}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// The work does not fit the memory that it was given.
    #[error("{0}")]
    OutOfBudget(String),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The operating system refused a file operation.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
    /// The producer of the rows failed.
    #[error("{0}")]
    Source(Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a kernel.
pub type Result<T> = std::result::Result<T, Error>;

fn prefix(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or_else(String::new, |path| format!("{}: ", path.display()))
}

impl Error {
    /// Data that contradicts itself, found far from the file it came from.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { path: None, what: what.into() }
    }

    pub(crate) fn corrupt_file(path: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt { path: Some(path.to_owned()), what: what.into() }
    }

    pub(crate) fn format(path: &Path, what: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), what: what.into() }
    }

    /// Names the file that an operation failed on.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Names the file of damage that was found without knowing it.
    pub(crate) fn at(self, file: &Path) -> Self {
        match self {
            Self::Corrupt { path: None, what } => {
                Self::Corrupt { path: Some(file.to_owned()), what }
            }
            other => other,
        }
    }
}
