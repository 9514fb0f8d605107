//! Thread pools, one for each number of threads and each process: a forked child inherits a pool
//! without threads, on which it would wait for ever.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};
use crate::interrupt::Monitor;

type Pools = Mutex<HashMap<(u32, usize), Arc<ThreadPool>>>;

/// More than any machine has cores; a larger number is a mistake, and would exhaust the system.
const MAX_THREADS: usize = 4096;

/// The threads that a call uses when it does not say: those the process may run on.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A pool of `threads` threads, or of [`default_threads`]; kept for the next call.
///
/// # Errors
/// [`Error::InvalidInput`] for 0 threads, or more than the system gives.
pub fn pool(threads: Option<usize>) -> Result<Arc<ThreadPool>> {
    static POOLS: OnceLock<Pools> = OnceLock::new();
    let threads = threads.unwrap_or_else(default_threads);
    if !(1..=MAX_THREADS).contains(&threads) {
        return Err(Error::InvalidInput(format!(
            "threads is {threads}; give 1 to {MAX_THREADS}, or leave it out to use all cores"
        )));
    }
    let pools = POOLS.get_or_init(Pools::default);
    let mut pools = pools.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&(std::process::id(), threads)) {
        return Ok(Arc::clone(pool));
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|worker| format!("bowstring-{worker}"))
        .build()
        .map_err(|error| {
            Error::InvalidInput(format!("threads is {threads}, which the system refuses: {error}"))
        })?;
    let pool = Arc::new(pool);
    pools.insert((std::process::id(), threads), Arc::clone(&pool));
    Ok(pool)
}

/// Answers items in blocks of at most `size`, side by side; a single block where the caller is, for
/// to wake a thread takes longer than most questions.
///
/// # Errors
/// What `answer` fails with; [`Error::Interrupted`].
pub fn in_blocks<T: Sync, A: Send>(
    items: &[T],
    size: usize,
    monitor: &Monitor,
    answer: impl Fn(&[T]) -> Result<A> + Sync,
) -> Result<Vec<A>> {
    let checked = |block: &[T]| monitor.check().and_then(|()| answer(block));
    if items.len() <= size {
        return items.chunks(size).map(checked).collect();
    }
    items.par_chunks(size).map(checked).collect()
}
