//! The one door through which calls leave Python: without the GIL, and for long ones on a thread
//! of their own, while this one watches for Ctrl-C and reports progress.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use bowstring::{Error, Monitor, Phase, Result, pool};
use pyo3::prelude::*;

use crate::error::to_python;

/// How often signals are looked at.
const TICK: Duration = Duration::from_millis(20);

/// How often progress is reported.
const REPORT: Duration = Duration::from_millis(100);

/// How long an interrupted call waits for its kernel to notice; a suffix sorter never does, and is
/// left to end by itself.
const PATIENCE: Duration = Duration::from_millis(40);

/// Runs a short kernel on this thread, without the GIL.
pub fn run_short<T: Send>(
    py: Python<'_>,
    kernel: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(kernel).map_err(|error| to_python(py, &error))
}

/// Runs a kernel that answers one question here and now, and one of many in the pool.
pub fn run_sized<T: Send + 'static>(
    py: Python<'_>,
    short: bool,
    threads: Option<usize>,
    kernel: impl FnOnce(&Monitor) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    if short { run_short(py, || kernel(&Monitor::default())) } else { run(py, threads, kernel) }
}

/// Runs a kernel in the pool of `threads` threads; Ctrl-C stops it.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    kernel: impl FnOnce(&Monitor) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    run_reporting(py, None, move |monitor| {
        let pool = pool(threads)?;
        pool.install(|| kernel(&monitor))
    })
}

/// Runs a kernel on a thread of its own, and calls `progress` with its phase, the units done in
/// it and their total; Ctrl-C and an exception in `progress` stop it.
pub fn run_reporting<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    kernel: impl FnOnce(Arc<Monitor>) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let monitor = Arc::new(Monitor::default());
    if let Some(progress) = progress {
        // Before anything is done, so that a callable that fails has nothing to undo.
        progress.call1((Phase::Reading.name(), 0, None::<u64>))?;
    }
    let (send, receive) = sync_channel(1);
    let worker = Arc::clone(&monitor);
    let handle = std::thread::Builder::new()
        .name("bowstring".into())
        .spawn(move || {
            // Nobody listens any more when the call was given up.
            let _ = send.send(kernel(worker));
        })
        .map_err(|error| pyo3::exceptions::PyOSError::new_err(error.to_string()))?;
    let mut receive = receive;
    let mut reported = Instant::now();
    loop {
        let (result, channel) = py.detach(move || (receive.recv_timeout(TICK), receive));
        receive = channel;
        let stopped = match result {
            Ok(result) => {
                if let (Ok(_), Some(progress)) = (&result, progress)
                    && let Err(error) = report(progress, &monitor)
                {
                    // The work is done, published perhaps: too late to fail.
                    error.write_unraisable(py, Some(progress));
                }
                return result.map_err(|error| to_python(py, &error));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(match handle.join() {
                    // A defect: it goes on as pyo3's PanicException.
                    Err(panic) => std::panic::resume_unwind(panic),
                    Ok(()) => to_python(py, &Error::Interrupted),
                });
            }
            Err(RecvTimeoutError::Timeout) => py.check_signals().and_then(|()| match progress {
                Some(progress) if reported.elapsed() >= REPORT => {
                    reported = Instant::now();
                    report(progress, &monitor)
                }
                _ => Ok(()),
            }),
        };
        if let Err(error) = stopped {
            monitor.stop();
            py.detach(move || drop(receive.recv_timeout(PATIENCE)));
            return Err(error);
        }
    }
}

fn report(progress: &Bound<'_, PyAny>, monitor: &Monitor) -> PyResult<()> {
    let (phase, done, total) = monitor.progress();
    progress.call1((phase.name(), done, total)).map(drop)
}
