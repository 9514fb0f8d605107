//! Rows that together have as much of a target as so many rows can: weighted coverage, greedily.
//!
//! Each pick is the row that adds the most weight of columns that no pick before has; of equal ones
//! the first. No set of as many rows covers more than 1 / (1 - 1/e) times what these do (Nemhauser,
//! Wolsey and Fisher 1978). What a row adds only shrinks, so that a row is weighed again only when
//! what it added before is the most there is (Minoux 1978): the picks are those of weighing all.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::counts::Matrix;
use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};
use crate::pool::in_blocks;
use crate::select::order::{Ranked, check_k};

/// Rows that a thread weighs at a time.
const BLOCK: usize = 1024;

/// A row, and what it added when it was last weighed.
#[derive(Debug, PartialEq)]
struct Bound {
    gain: f64,
    row: Reverse<usize>,
}

impl Eq for Bound {}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(self.row.cmp(&other.row))
    }
}

/// The first `k` rows, or all, that greedy coverage picks, with what each added; those only that
/// `allowed` is true for.
///
/// O(entries) time and O(log rows) for each time that a row is weighed again; rows are weighed
/// side by side at first.
///
/// # Errors
/// [`Error::InvalidInput`] if fewer rows are allowed, or a weight is negative or no number;
/// [`Error::Interrupted`].
pub fn cover(
    rows: &Matrix,
    weights: &[f64],
    allowed: &[bool],
    k: Option<usize>,
    monitor: &Monitor,
) -> Result<Ranked> {
    if let Some(weight) = weights.iter().find(|weight| !(**weight >= 0.0 && weight.is_finite())) {
        return Err(Error::InvalidInput(format!("a weight is {weight}: give numbers from 0 on")));
    }
    let columns = |row: usize| &rows.columns[rows.row_starts[row]..rows.row_starts[row + 1]];
    let candidates: Vec<usize> = (0..allowed.len()).filter(|&row| allowed[row]).collect();
    let k = check_k(k, candidates.len())?;
    monitor.enter(Phase::Querying, 0, Some(k as u64));
    let mut left = weights.to_vec();
    // In the order of columns, so that a sum with less in it is never more.
    let gain = |left: &[f64], row: usize| -> f64 {
        columns(row).iter().fold(0.0, |sum, &column| sum + left[column as usize])
    };
    let bounds = in_blocks(&candidates, BLOCK, monitor, |block| {
        let bound = |&row: &usize| Bound { gain: gain(&left, row), row: Reverse(row) };
        Ok(block.iter().map(bound).collect::<Vec<_>>())
    })?;
    let mut heap: BinaryHeap<Bound> = bounds.into_iter().flatten().collect();
    let mut found = Ranked::default();
    let mut steps = 0_usize;
    while found.row.len() < k {
        let Some(mut top) = heap.peek_mut() else { break };
        steps += 1;
        if steps.is_multiple_of(BLOCK) {
            monitor.check()?;
        }
        let row = top.row.0;
        let now = gain(&left, row);
        if now < top.gain {
            // It sinks to its place as the borrow ends.
            top.gain = now;
            continue;
        }
        std::collections::binary_heap::PeekMut::pop(top);
        columns(row).iter().for_each(|&column| left[column as usize] = 0.0);
        found.row.push(row as u64);
        found.score.push(now);
        monitor.advance(1);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::cover;
    use crate::counts::Matrix;
    use crate::error::Error;
    use crate::interrupt::Monitor;

    fn matrix(rows: &[Vec<u32>]) -> Matrix {
        let mut matrix = Matrix { row_starts: vec![0], ..Matrix::default() };
        for row in rows {
            matrix.columns.extend(row);
            matrix.data.resize(matrix.columns.len(), 1);
            matrix.row_starts.push(matrix.columns.len());
        }
        matrix
    }

    #[test]
    fn odd_weights_and_too_many_rows_are_refused() {
        let rows = matrix(&[vec![0], vec![]]);
        let monitor = Monitor::default();
        for (weight, k) in [(-1.0, None), (f64::NAN, None), (1.0, Some(3))] {
            let found = cover(&rows, &[weight], &[true, true], k, &monitor);
            assert!(matches!(found, Err(Error::InvalidInput(_))));
        }
        let found = cover(&rows, &[2.0], &[false, true], None, &monitor).unwrap();
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
            let found = cover(&matrix(&rows), &weights, allowed, None, &monitor).unwrap();
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
    }
}
