//! The compiled core of the Python package: thin bindings over `bowstring` and `bowstring-arrow`.

mod capsule;
mod categories;
mod detached;
mod error;
mod index;
mod infini_gram;
mod language;
mod link;
mod matches;

use pyo3::pymodule;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::capsule::{Array, Table};
    #[pymodule_export]
    use super::categories::{extract_numbers, held_texts, overlap_keys};
    #[pymodule_export]
    use super::index::Index;
    #[pymodule_export]
    use super::infini_gram::{
        open_infini_gram, segment_continuations, segment_positions, segment_ranks, segment_row,
        segment_stretches,
    };
    #[pymodule_export]
    use super::language::{
        distributions, generate, interpolated, order_counts, predict, predict_one, score,
        stupid_backoff,
    };
    #[pymodule_export]
    use super::link::{Evidence, Linkage, link, link_columns};
    #[pymodule_export]
    use super::matches::matches;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// So that a report of a slow call tells a debug build.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const build_profile: &str = if cfg!(debug_assertions) { "debug" } else { "release" };
}
