//! Greedy k-medoids with exchange: rows to which others are near.

use rayon::prelude::*;

use super::greedy::{Method, Options, greedy};
use super::rows::{Dense, Matrix, Real};
use super::similar::dots;
use super::{Objective, Scratch, refused};
use crate::error::Result;
use crate::interrupt::{Monitor, Phase};

/// How far two rows of numbers are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// The Euclidean distance.
    Euclidean,
    /// Its square.
    SquaredEuclidean,
    /// 1 - the cosine; 1 from and to a row of zeros.
    Cosine,
}

impl Distance {
    /// The distances of rows to others, row by row.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for rows of another width; [`crate::Error::Interrupted`].
    pub fn between(self, rows: &Matrix, others: &Matrix, monitor: &Monitor) -> Result<Dense<f64>> {
        if rows.width() != others.width() {
            return Err(refused(format!(
                "candidates has {} columns and validation has {}; give the same",
                rows.width(),
                others.width()
            )));
        }
        let width = others.rows();
        let mut out = vec![0.0; rows.rows() * width];
        if width == 0 {
            return Err(refused("validation has no rows; give one or more"));
        }
        let norms = |of: &Matrix| -> Vec<f64> {
            (0..of.rows()).into_par_iter().map(|row| own(of, row)).collect()
        };
        let (mine, theirs) = (norms(rows), norms(others));
        let finish = |row: usize, out: &mut [f64]| {
            for (out, &norm) in out.iter_mut().zip(&theirs) {
                let product = *out;
                *out = match self {
                    Self::Cosine => {
                        let norms = (mine[row] * norm).sqrt();
                        if norms > 0.0 { (1.0 - product / norms).max(0.0) } else { 1.0 }
                    }
                    _ => {
                        let square = ((mine[row] + norm) - 2.0 * product).max(0.0);
                        if self == Self::Euclidean { square.sqrt() } else { square }
                    }
                };
            }
        };
        let rows_of = || out_rows(rows.rows());
        match (rows, others) {
            (Matrix::Narrow(left), Matrix::Narrow(right)) => {
                products(left, right, &mut out, finish, monitor)?;
            }
            (Matrix::Wide(left), Matrix::Wide(right)) => {
                products(left, right, &mut out, finish, monitor)?;
            }
            _ => {
                // Columns of the others, to be met by the entries of each row.
                let columns = columns_of(others);
                out.par_chunks_mut(width).zip(rows_of()).try_for_each(|(out, row)| {
                    monitor.check()?;
                    rows.each(row, |column, value| {
                        for &(other, number) in &columns[column] {
                            out[other as usize] += value * number;
                        }
                    });
                    finish(row, out);
                    Ok(())
                })?;
            }
        }
        Dense::new(out, width)
    }
}

fn out_rows(rows: usize) -> impl IndexedParallelIterator<Item = usize> {
    (0..rows).into_par_iter()
}

fn own(of: &Matrix, row: usize) -> f64 {
    match of {
        Matrix::Narrow(data) => square(data.row(row)),
        Matrix::Wide(data) => square(data.row(row)),
        Matrix::Sparse(data) => {
            let mut sum = 0.0;
            data.row(row).1.iter().for_each(|value| sum += value * value);
            sum
        }
    }
}

fn square<T: Real>(row: &[T]) -> f64 {
    let mut out = [T::default()];
    dots(row, [row], &mut out);
    out[0].into()
}

fn columns_of(rows: &Matrix) -> Vec<Vec<(u32, f64)>> {
    let mut columns = vec![vec![]; rows.width()];
    for row in 0..rows.rows() {
        rows.each(row, |column, value| columns[column].push((row as u32, value)));
    }
    columns
}

fn products<T: Real>(
    left: &Dense<T>,
    right: &Dense<T>,
    out: &mut [f64],
    finish: impl Fn(usize, &mut [f64]) + Sync,
    monitor: &Monitor,
) -> Result<()> {
    out.par_chunks_mut(right.rows()).enumerate().try_for_each(|(row, out)| {
        monitor.check()?;
        let mut found = [T::default()];
        for (other, out) in out.iter_mut().enumerate() {
            dots(right.row(other), [left.row(row)], &mut found);
            *out = found[0].into();
        }
        finish(row, out);
        Ok(())
    })
}

/// Rows that others are near to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Medoids {
    /// The rows, each the one that then brings others nearest.
    pub rows: Vec<u32>,
    /// By how much each lowers the sum of distances; the first one, from the greatest of each.
    pub gains: Vec<f64>,
    /// The sum of the distances to the nearest one.
    pub cost: f64,
    /// Rows that were exchanged.
    pub exchanges: usize,
}

/// The sum of how much nearer than their farthest candidate others are to their nearest.
struct Nearness<'c> {
    costs: &'c Dense<f64>,
    farthest: Vec<f64>,
    nearest: Vec<f64>,
}

impl<'c> Nearness<'c> {
    fn new(costs: &'c Dense<f64>) -> Self {
        let mut farthest = vec![0.0f64; costs.width()];
        for row in 0..costs.rows() {
            for (farthest, &cost) in farthest.iter_mut().zip(costs.row(row)) {
                *farthest = farthest.max(cost);
            }
        }
        Self { costs, nearest: farthest.clone(), farthest }
    }
}

impl Objective for Nearness<'_> {
    fn rows(&self) -> usize {
        self.costs.rows()
    }

    fn gains(&self, rows: &[u32], gains: &mut [f64], _scratch: &mut Scratch) {
        for (gain, &row) in gains.iter_mut().zip(rows) {
            let costs = self.costs.row(row as usize);
            *gain = self.nearest.iter().zip(costs).map(|(near, cost)| (near - cost).max(0.0)).sum();
        }
    }

    fn add(&mut self, row: u32, _scratch: &mut Scratch) {
        for (near, &cost) in self.nearest.iter_mut().zip(self.costs.row(row as usize)) {
            *near = near.min(cost);
        }
    }

    fn reset(&mut self) {
        self.nearest.clone_from(&self.farthest);
    }

    fn effort(&self) -> usize {
        self.costs.width()
    }
}

/// The nearest and the second nearest of the medoids to each other row.
struct Two {
    which: Vec<usize>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Two {
    fn of(costs: &Dense<f64>, medoids: &[u32]) -> Self {
        let width = costs.width();
        let mut found = Self {
            which: vec![0; width],
            first: vec![f64::INFINITY; width],
            second: vec![f64::INFINITY; width],
        };
        for (at, &medoid) in medoids.iter().enumerate() {
            for (other, &cost) in costs.row(medoid as usize).iter().enumerate() {
                if cost < found.first[other] {
                    found.second[other] = found.first[other];
                    (found.first[other], found.which[other]) = (cost, at);
                } else if cost < found.second[other] {
                    found.second[other] = cost;
                }
            }
        }
        found
    }
}

/// Selects the `k` candidates that make the sum of distances to the nearest small: greedily, then
/// exchanging one selected for one other as long as that lowers it, the best such pair each time
/// (Schubert and Rousseeuw 2019), at most `exchanges` times.
///
/// `costs` has a row a candidate and a column a row to be near to. An exchange takes time of all
/// costs.
///
/// # Errors
/// [`crate::Error::InvalidInput`] for more rows than candidates, or a negative cost;
/// [`crate::Error::Interrupted`].
pub fn k_medoids(
    costs: &Dense<f64>,
    k: usize,
    exchanges: usize,
    monitor: &Monitor,
) -> Result<Medoids> {
    if k == 0 || k > costs.rows() {
        return Err(refused(format!(
            "k is {k}, and there are {} candidates; give 1 to as many",
            costs.rows()
        )));
    }
    for row in 0..costs.rows() {
        if let Some(at) = costs.row(row).iter().position(|&cost| cost < 0.0) {
            return Err(refused(format!(
                "candidates has the negative distance {} in row {row}, column {at}; give distances \
                 from 0 on",
                costs.row(row)[at]
            )));
        }
    }
    monitor.enter(Phase::Querying, 0, Some(k as u64));
    let options =
        |k| Options { k, costs: None, initial: vec![], method: Method::Lazy, least: None };
    let mut objective = Nearness::new(costs);
    let mut rows = greedy(&mut objective, None, &options(k), monitor)?.rows;
    let mut done = 0;
    while done < exchanges {
        let Some((out, candidate)) = best_exchange(costs, &rows, monitor)? else { break };
        rows[out] = candidate;
        done += 1;
    }
    let found = greedy(&mut objective, Some(&rows), &options(k), monitor)?;
    let cost = Two::of(costs, &found.rows).first.iter().sum();
    Ok(Medoids { rows: found.rows, gains: found.gains, cost, exchanges: done })
}

/// The place of a medoid and the candidate to have instead, which lower the sum of distances most.
fn best_exchange(
    costs: &Dense<f64>,
    medoids: &[u32],
    monitor: &Monitor,
) -> Result<Option<(usize, u32)>> {
    let two = Two::of(costs, medoids);
    let second = |other: usize| if medoids.len() == 1 { 0.0 } else { two.second[other] };
    let mut loss = vec![0.0; medoids.len()];
    for (other, &medoid) in two.which.iter().enumerate() {
        loss[medoid] += second(other) - two.first[other];
    }
    let mut held = vec![false; costs.rows()];
    medoids.iter().for_each(|&row| held[row as usize] = true);
    let changes: Vec<(f64, usize)> = (0..costs.rows())
        .into_par_iter()
        .with_min_len(16)
        .map(|row| {
            monitor.check()?;
            if held[row] {
                return Ok((0.0, 0));
            }
            let mut change = loss.clone();
            let mut shared = 0.0;
            for (other, &cost) in costs.row(row).iter().enumerate() {
                let (first, second, medoid) = (two.first[other], second(other), two.which[other]);
                if medoids.len() == 1 {
                    change[0] += cost;
                } else if cost < first {
                    shared += cost - first;
                    change[medoid] += first - second;
                } else if cost < second {
                    change[medoid] += cost - second;
                }
            }
            let all = change.into_iter().enumerate().map(|(at, change)| (change + shared, at));
            let least = all.min_by(|left, right| left.0.total_cmp(&right.0));
            Ok(least.unwrap_or((0.0, 0)))
        })
        .collect::<Result<_>>()?;
    let best = changes.iter().enumerate().min_by(|left, right| left.1.0.total_cmp(&right.1.0));
    // What is less than rounding may be nothing, and go on for ever.
    let least = 1e-12 * two.first.iter().sum::<f64>();
    Ok(best.filter(|(_, (change, _))| *change < -least).map(|(row, &(_, out))| (out, row as u32)))
}
