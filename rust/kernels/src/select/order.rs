//! Rows in the order of their scores.

use std::cmp::Ordering;

use crate::error::{Error, Result};

/// Rows, the best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranked {
    /// The rows.
    pub row: Vec<u64>,
    /// The score of each.
    pub score: Vec<f64>,
}

/// The `k` rows of the highest `keys`, or all, with their scores; of equal ones the first. Rows
/// without a key are not among them.
///
/// O(n + k log k) time.
///
/// # Errors
/// [`Error::InvalidInput`] if there are fewer.
pub fn best(keys: &[Option<f64>], scores: &[Option<f64>], k: Option<usize>) -> Result<Ranked> {
    let mut rows: Vec<usize> = (0..keys.len()).filter(|&row| keys[row].is_some()).collect();
    let k = check_k(k, rows.len())?;
    let order = |&one: &usize, &other: &usize| -> Ordering {
        let key = |row: usize| keys[row].unwrap_or(f64::NEG_INFINITY);
        key(other).total_cmp(&key(one)).then(one.cmp(&other))
    };
    if k < rows.len() {
        rows.select_nth_unstable_by(k, order);
        rows.truncate(k);
    }
    rows.sort_unstable_by(order);
    Ok(Ranked {
        score: rows.iter().map(|&row| scores[row].unwrap_or(f64::NAN)).collect(),
        row: rows.into_iter().map(|row| row as u64).collect(),
    })
}

/// `k`, or how many there are.
pub(super) fn check_k(k: Option<usize>, rows: usize) -> Result<usize> {
    match k {
        Some(k) if k > rows => Err(Error::InvalidInput(format!(
            "k is {k}, and there are {rows} candidates to choose from: give a smaller k, or leave \
             it out to have all of them in order"
        ))),
        k => Ok(k.unwrap_or(rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::best;
    use crate::error::Error;

    #[test]
    fn the_best_come_first_and_of_equals_the_first() {
        let scores = [Some(1.0), None, Some(3.0), Some(1.0), Some(-2.0)];
        let all = best(&scores, &scores, None).unwrap();
        assert_eq!(all.row, [2, 0, 3, 4]);
        assert_eq!(all.score, [3.0, 1.0, 1.0, -2.0]);
        for k in 0..=4 {
            assert_eq!(best(&scores, &scores, Some(k)).unwrap().row, all.row[..k]);
        }
        assert!(matches!(best(&scores, &scores, Some(5)), Err(Error::InvalidInput(_))));
    }
}
