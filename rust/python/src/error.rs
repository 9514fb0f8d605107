//! Kernel errors as the Python exceptions of `bowstring.errors`.

use bowstring::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError};
use pyo3::prelude::*;

/// The Python exception that stands for a kernel's error.
pub fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::InvalidInput(_) => "InvalidInput",
        Error::UnsupportedType(_) => "UnsupportedType",
        Error::Corrupt { .. } => "CorruptIndex",
        Error::Format { .. } => "IndexFormatError",
        Error::OutOfBudget(_) => "OutOfBudget",
        Error::Interrupted => return PyKeyboardInterrupt::new_err(()),
        Error::Io { path, source } => {
            // Python picks FileNotFoundError and its kin by the number.
            return match source.raw_os_error() {
                Some(number) => {
                    PyOSError::new_err((number, source.to_string(), path.display().to_string()))
                }
                None => PyOSError::new_err(error.to_string()),
            };
        }
        _ => "BowstringError",
    };
    named(py, class, &error.to_string())
}

fn named(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let raise = || py.import("bowstring.errors")?.getattr(class)?.call1((message,));
    match raise() {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
