//! The compiled core of the Python package: thin bindings over `bowstring` and `bowstring-arrow`.

mod capsule;
mod categories;
mod contamination;
mod counts;
mod detached;
mod duplicates;
mod error;
mod hamming;
mod index;
mod infini_gram;
mod kneser_ney;
mod language;
mod lexicon;
mod link;
mod matches;
mod membership;
mod rank;
mod repetition;
mod select;
mod tokens;
mod vectors;

use pyo3::pymodule;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::capsule::{Array, Table};
    #[pymodule_export]
    use super::categories::{extract_numbers, held_texts, overlap_keys};
    #[pymodule_export]
    use super::contamination::contamination;
    #[pymodule_export]
    use super::counts::{
        Characters, Counted, Run, Vocabulary, count_hashed, count_ngrams, merge_runs,
        vocabulary_of_terms,
    };
    #[pymodule_export]
    use super::duplicates::{Piece, cut, duplicates, removals, row_removals};
    #[pymodule_export]
    use super::hamming::{
        hamming_approximate, hamming_count_pairs, hamming_distances, hamming_nearest, hamming_plan,
        hamming_search, hamming_sums, hamming_within,
    };
    #[pymodule_export]
    use super::index::Index;
    #[pymodule_export]
    use super::infini_gram::{
        open_infini_gram, segment_continuations, segment_positions, segment_ranks, segment_row,
        segment_stretches,
    };
    #[pymodule_export]
    use super::kneser_ney::KneserNey;
    #[pymodule_export]
    use super::language::{
        distributions, generate, interpolated, order_counts, predict, predict_one, score,
        stupid_backoff,
    };
    #[pymodule_export]
    use super::lexicon::{find_phrases, segment};
    #[pymodule_export]
    use super::link::{Evidence, Linkage, link, link_columns};
    #[pymodule_export]
    use super::matches::{coverage, matches};
    #[pymodule_export]
    use super::membership::shared;
    #[pymodule_export]
    use super::rank::{Postings, Weights};
    #[pymodule_export]
    use super::repetition::{loops, repetition};
    #[pymodule_export]
    use super::select::importance::Retrievals;
    #[pymodule_export]
    use super::select::submodular::{
        Sieve, select_distances, select_medoids, select_neighbours, select_rows, select_sample,
    };
    #[pymodule_export]
    use super::select::{align, cover, ncd, resample};
    #[pymodule_export]
    use super::tokens::Splits;
    #[pymodule_export]
    use super::vectors::{cipher_vectors, cooccurrence, nearest};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// So that a report of a slow call tells a debug build.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const build_profile: &str = if cfg!(debug_assertions) { "debug" } else { "release" };
}
