//! How a caller watches and stops long work: one shared [`Monitor`] that kernels look at once per
//! block of work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};

/// What long work is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading rows.
    Reading,
    /// Sorting suffixes.
    Sorting,
    /// Checking checksums.
    Verifying,
    /// Answering queries.
    Querying,
}

impl Phase {
    /// The phase as users read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Sorting => "sorting",
            Self::Verifying => "verifying",
            Self::Querying => "querying",
        }
    }
}

/// The progress of one piece of work, and the request to stop it.
#[derive(Debug)]
pub struct Monitor {
    stopped: AtomicBool,
    done: AtomicU64,
    stage: Mutex<(Phase, Option<u64>)>,
}

impl Default for Monitor {
    fn default() -> Self {
        Self {
            stopped: AtomicBool::new(false),
            done: AtomicU64::new(0),
            stage: Mutex::new((Phase::Querying, None)),
        }
    }
}

impl Monitor {
    /// Asks the work to stop at its next [`Monitor::check`].
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Fails with [`Error::Interrupted`] once someone asked to stop.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Enters a phase of `total` units, of which `done` are done.
    pub fn enter(&self, phase: Phase, done: u64, total: Option<u64>) {
        let mut stage = self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *stage = (phase, total);
        self.done.store(done, Ordering::Relaxed);
    }

    /// Makes the total of the phase larger, or known.
    pub fn expect(&self, units: u64) {
        let mut stage = self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stage.1 = Some(stage.1.unwrap_or(0) + units);
    }

    /// Reports `units` more as done.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
    }

    /// The phase, the units done in it, and their total where it is known.
    pub fn progress(&self) -> (Phase, u64, Option<u64>) {
        let stage = self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (stage.0, self.done.load(Ordering::Relaxed), stage.1)
    }
}
