//! Facility location: every row as well represented as its most similar selected row does it.

use super::features::check_weights;
use super::similar::{Measure, Part, Similarities};
use super::{Objective, Scratch};
use crate::error::Result;

/// `f(S) = Σ_i w_i max(0, max_{j in S} s_ij)`: rows `i`, of weights `w`, and their similarities.
///
/// A gain costs a row's similarities: of a graph its edges, of sparse rows the entries of the
/// columns that it has, of dense rows the whole matrix.
#[derive(Debug)]
pub struct FacilityLocation {
    similar: Similarities,
    weights: Option<Vec<f64>>,
    /// How well each row is represented.
    best: Vec<f64>,
    /// No less than what each row adds first; empty where that is not known without similarities.
    bounds: Vec<f64>,
}

impl FacilityLocation {
    /// The function of rows and their similarities.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for weights that are not one a represented row.
    pub fn new(similar: Similarities, weights: Option<Vec<f64>>) -> Result<Self> {
        check_weights(&weights, similar.represented(), "rows to represent")?;
        let bounds = bounds(&similar, weights.as_deref());
        Ok(Self { best: vec![0.0; similar.represented()], similar, weights, bounds })
    }
}

/// The similarities of a row to all it represents add up to its product with their sum, where none of
/// them is below 0.
fn bounds(similar: &Similarities, weights: Option<&[f64]>) -> Vec<f64> {
    let Similarities::Sparse(rows) = similar else { return vec![] };
    if !rows.positive || rows.measure() == Measure::Euclidean {
        return vec![];
    }
    let (data, lists) = (rows.data(), rows.lists());
    let total: Vec<f64> = (0..data.width())
        .map(|column| {
            let (represented, values) = lists.row(column);
            let weight = |row: u32| weights.map_or(1.0, |weights| weights[row as usize]);
            let products = represented.iter().zip(values).map(|(&row, value)| weight(row) * value);
            products.sum()
        })
        .collect();
    // What both ways of adding up may differ by, and more.
    let slack = 1.0 + 8.0 * (lists.width() + data.width() + 2) as f64 * f64::EPSILON;
    (0..data.rows())
        .map(|row| {
            let (columns, values) = data.row(row);
            let products =
                columns.iter().zip(values).map(|(&column, value)| total[column as usize] * value);
            products.sum::<f64>() * slack
        })
        .collect()
}

const LANES: usize = 8;

/// The sum of what similarities exceed the best by, in an order that depends on their number alone.
#[inline(always)]
fn excess(found: &[f64], best: &[f64], weights: Option<&[f64]>) -> f64 {
    let mut sums = [0.0; LANES];
    let (found, rest) = found.as_chunks::<LANES>();
    let (best, best_rest) = best.as_chunks::<LANES>();
    let mut sum = 0.0;
    match weights {
        None => {
            for (found, best) in found.iter().zip(best) {
                for lane in 0..LANES {
                    sums[lane] += (found[lane] - best[lane]).max(0.0);
                }
            }
            for (found, best) in rest.iter().zip(best_rest) {
                sum += (found - best).max(0.0);
            }
        }
        Some(weights) => {
            let (weights, weights_rest) = weights.as_chunks::<LANES>();
            for ((found, best), weight) in found.iter().zip(best).zip(weights) {
                for lane in 0..LANES {
                    sums[lane] += weight[lane] * (found[lane] - best[lane]).max(0.0);
                }
            }
            for ((found, best), weight) in rest.iter().zip(best_rest).zip(weights_rest) {
                sum += weight * (found - best).max(0.0);
            }
        }
    }
    sums.iter().sum::<f64>() + sum
}

fn excess_of(rows: &[u32], found: &[f64], best: &[f64], weights: Option<&[f64]>) -> f64 {
    let pairs = rows.iter().zip(found);
    match weights {
        None => pairs.map(|(&row, found)| (found - best[row as usize]).max(0.0)).sum(),
        Some(weights) => pairs
            .map(|(&row, found)| weights[row as usize] * (found - best[row as usize]).max(0.0))
            .sum(),
    }
}

impl Objective for FacilityLocation {
    fn rows(&self) -> usize {
        self.similar.rows()
    }

    fn gains(&self, rows: &[u32], gains: &mut [f64], scratch: &mut Scratch) {
        gains.fill(0.0);
        let weights = self.weights.as_deref();
        self.similar.each(rows, scratch, |at, part| {
            gains[at] += match part {
                Part::From(start, found) => {
                    let span = start..start + found.len();
                    let weights = weights.map(|weights| &weights[span.clone()]);
                    excess(found, &self.best[span], weights)
                }
                Part::Of(rows, found) => excess_of(rows, found, &self.best, weights),
            };
        });
    }

    fn add(&mut self, row: u32, scratch: &mut Scratch) {
        let best = &mut self.best;
        self.similar.each(&[row], scratch, |_, part| match part {
            Part::From(start, found) => {
                for (best, &found) in best[start..].iter_mut().zip(found) {
                    *best = best.max(found);
                }
            }
            Part::Of(rows, found) => {
                for (&row, &found) in rows.iter().zip(found) {
                    let best = &mut best[row as usize];
                    *best = best.max(found);
                }
            }
        });
    }

    fn reset(&mut self) {
        self.best.fill(0.0);
    }

    fn bound(&self, row: u32) -> f64 {
        self.bounds.get(row as usize).copied().unwrap_or(f64::INFINITY)
    }

    fn effort(&self) -> usize {
        self.similar.effort() + self.similar.represented() / LANES
    }

    fn side_by_side(&self) -> usize {
        self.similar.side_by_side()
    }
}
