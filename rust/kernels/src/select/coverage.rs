//! Rows that together have as much of a target's n-grams as so many rows can.
//!
//! Facility location over shared n-grams, of which there are two. [`cover`] has the target's n-grams
//! `u` for clients: `f(S) = Σ_u w_u max_{j in S} s_uj`, of weights `w`, and whether row `j` has `u`,
//! which is weighted coverage. [`cover_each`] has the target's rows: what of each row's n-grams one
//! row of S has. Both are maximised by the [`greedy()`] of all such functions.

use crate::error::Result;
use crate::interrupt::{Monitor, Phase};
use crate::select::order::{Ranked, check_k};
use crate::select::submodular::{
    FacilityLocation, Matrix, MaxCoverage, Method, Objective, Options, Similarities, Sparse, greedy,
};

/// The first `k` rows, or all, that greedy coverage picks, with what each added; those only that
/// `allowed` is true for. Of each row the columns are the n-grams that it shares with the target.
///
/// O(entries) time and O(log rows) for each time that a row is weighed again.
///
/// # Errors
/// [`crate::Error::InvalidInput`] if fewer rows are allowed, or a weight is negative or no number;
/// [`crate::Error::Interrupted`].
pub fn cover(
    rows: Sparse,
    weights: Vec<f64>,
    allowed: &[bool],
    k: Option<usize>,
    monitor: &Monitor,
) -> Result<Ranked> {
    let covered = MaxCoverage::new(Matrix::Sparse(rows), Some(weights))?;
    pick(covered, allowed, k, monitor)
}

/// The first `k` rows, or all, that together have the most of each row of a target: of each the share
/// of its n-grams that one of the picks has. The columns are n-grams of the target, and the values of
/// a target's row the weights of its own.
///
/// O(entries) memory; a row is weighed in O(rows of the target that it shares n-grams with).
///
/// # Errors
/// [`crate::Error::InvalidInput`] if fewer rows are allowed, or rows and target have not the same
/// columns; [`crate::Error::Interrupted`].
pub fn cover_each(
    rows: Sparse,
    target: Sparse,
    allowed: &[bool],
    k: Option<usize>,
    monitor: &Monitor,
) -> Result<Ranked> {
    // A weight of 0 is none, so that a row with weights has a sum.
    let shares = target.divided(|weights| weights.iter().sum());
    pick(FacilityLocation::new(Similarities::between(rows, &shares)?, None)?, allowed, k, monitor)
}

fn pick(
    mut covered: impl Objective,
    allowed: &[bool],
    k: Option<usize>,
    monitor: &Monitor,
) -> Result<Ranked> {
    let is_allowed = |(row, &allowed): (u32, &bool)| allowed.then_some(row);
    let candidates: Vec<u32> = (0..).zip(allowed).filter_map(is_allowed).collect();
    let k = check_k(k, candidates.len())?;
    monitor.enter(Phase::Querying, 0, Some(k as u64));
    let options = Options { k, costs: None, initial: vec![], method: Method::Lazy, least: None };
    let found = greedy(&mut covered, Some(&candidates), &options, monitor)?;
    let row = found.rows.into_iter().map(u64::from).collect();
    Ok(Ranked { row, score: found.gains })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Sparse, cover, cover_each};
    use crate::error::Error;
    use crate::interrupt::Monitor;

    fn matrix(rows: &[Vec<u32>], width: usize) -> Sparse {
        let mut starts = vec![0];
        starts.extend(rows.iter().scan(0, |stop, row| {
            *stop += row.len();
            Some(*stop)
        }));
        let columns = rows.concat();
        let values = vec![1.0; columns.len()];
        Sparse::new(starts, columns, values, width).unwrap()
    }

    #[test]
    fn odd_weights_and_too_many_rows_are_refused() {
        let rows = || matrix(&[vec![0], vec![]], 1);
        let monitor = Monitor::default();
        for (weight, k) in [(-1.0, None), (f64::NAN, None), (1.0, Some(3))] {
            let found = cover(rows(), vec![weight], &[true, true], k, &monitor);
            assert!(matches!(found, Err(Error::InvalidInput(_))));
        }
        let found = cover(rows(), vec![2.0], &[false, true], None, &monitor).unwrap();
        assert_eq!((found.row, found.score), (vec![1], vec![0.0]));
    }

    proptest! {
        #[test]
        fn picks_are_those_of_weighing_every_row_each_time(
            rows in proptest::collection::vec(
                proptest::collection::btree_set(0u32..12, 0..6), 0..40),
            weights in proptest::collection::vec(0.0f64..3.0, 12),
            allowed in proptest::collection::vec(any::<bool>(), 40),
        ) {
            let rows: Vec<Vec<u32>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
            let allowed = &allowed[..rows.len()];
            let monitor = Monitor::default();
            let sparse = matrix(&rows, weights.len());
            let found = cover(sparse, weights.clone(), allowed, None, &monitor).unwrap();
            let mut left = weights.clone();
            let mut picked = vec![];
            while picked.len() < found.row.len() {
                let gain = |row: usize| -> f64 {
                    rows[row].iter().map(|&column| left[column as usize]).sum()
                };
                let free = (0..rows.len()).filter(|row| allowed[*row] && !picked.contains(row));
                let best = free
                    .reduce(|best, row| if gain(row) > gain(best) { row } else { best })
                    .unwrap();
                prop_assert_eq!(found.row[picked.len()], best as u64);
                prop_assert_eq!(found.score[picked.len()], gain(best));
                rows[best].iter().for_each(|&column| left[column as usize] = 0.0);
                picked.push(best);
            }
            prop_assert_eq!(picked.len(), allowed.iter().filter(|allowed| **allowed).count());
        }

        #[test]
        fn rows_of_a_target_are_covered_as_by_the_definition(
            rows in proptest::collection::vec(
                proptest::collection::btree_set(0u32..12, 0..6), 1..30),
            target in proptest::collection::vec(
                proptest::collection::btree_set(0u32..12, 0..6), 1..10),
        ) {
            let plain = |rows: &[std::collections::BTreeSet<u32>]| -> Vec<Vec<u32>> {
                rows.iter().map(|row| row.iter().copied().collect()).collect()
            };
            let (sparse, given) = (matrix(&plain(&rows), 12), matrix(&plain(&target), 12));
            let allowed = vec![true; rows.len()];
            let monitor = Monitor::default();
            let found = cover_each(sparse, given, &allowed, None, &monitor).unwrap();
            let value = |picked: &[u64]| -> f64 {
                let share = |one: &std::collections::BTreeSet<u32>| {
                    let best = picked.iter().map(|&row| rows[row as usize].intersection(one).count());
                    best.max().unwrap_or(0) as f64 / one.len().max(1) as f64
                };
                target.iter().map(share).sum()
            };
            let mut before = 0.0;
            for at in 0..rows.len() {
                let picked = &found.row[..=at];
                let now = value(picked);
                prop_assert!((now - before - found.score[at]).abs() < 1e-12);
                for other in (0..rows.len() as u64).filter(|row| !picked.contains(row)) {
                    let instead = [&found.row[..at], &[other]].concat();
                    prop_assert!(value(&instead) < now + 1e-12);
                }
                before = now;
            }
        }
    }
}
