//! Rows that come once, one after another: sieves of growing thresholds.

use std::collections::BTreeMap;

use super::features::{Concave, check_weights};
use super::medoids::Distance;
use super::rows::Matrix;
use super::similar::Measure;
use super::{refused, rows};
use crate::error::Result;
use crate::interrupt::Monitor;

/// What a sieve maximises.
#[derive(Clone, Debug)]
pub enum Sought {
    /// As [`super::FeatureBased`], with weights of columns.
    Features(Concave, Option<Vec<f64>>),
    /// As [`super::MaxCoverage`], with weights of columns.
    Coverage(Option<Vec<f64>>),
    /// As [`super::FacilityLocation`] of the rows of a reference, with their weights.
    Location {
        /// The rows that are represented.
        reference: Matrix,
        /// How similar rows are to them: by cosine or distance.
        measure: Measure,
        /// What each of them counts.
        weights: Option<Vec<f64>>,
    },
}

/// One threshold, and what passed it.
#[derive(Clone, Debug, Default)]
struct Kept {
    /// What the rows come to, by column or represented row; empty if there are none.
    state: Vec<f64>,
    rows: Vec<u64>,
    gains: Vec<f64>,
    value: f64,
}

/// `k` rows of a stream, each seen once: Sieve-Streaming++ (Kazemi et al. 2019), at least
/// `1/2 - epsilon` of the best possible.
///
/// For each threshold `(1 + epsilon)^i` from half of what a row of the best set is known to be worth
/// on average up to what one row is worth at most, it keeps the rows that add as much to those that
/// it keeps. O(log(k) / epsilon) looks at a row, each of the row's entries; as many states of a
/// number a column.
#[derive(Clone, Debug)]
pub struct Sieve {
    sought: Sought,
    k: usize,
    epsilon: f64,
    width: Option<usize>,
    seen: u64,
    /// The most that one row is worth, and all rows of a sieve.
    one: f64,
    all: f64,
    kept: BTreeMap<i32, Kept>,
}

/// Rows whose similarities are held at a time.
const BLOCK: usize = 256;

impl Sieve {
    /// A sieve that has seen nothing.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for a `k` of 0, an epsilon that is not from 0.001 to below 1, or
    /// weights that are none.
    pub fn new(sought: Sought, k: usize, epsilon: f64) -> Result<Self> {
        if k == 0 {
            return Err(refused("k is 0; give 1 or more"));
        }
        // The number of sieves is in proportion to its inverse.
        if !(1e-3..1.0).contains(&epsilon) {
            return Err(refused(format!("epsilon is {epsilon}; give 0.001 to below 1")));
        }
        match &sought {
            Sought::Features(_, Some(weights)) | Sought::Coverage(Some(weights)) => {
                let own = Some(weights.clone());
                check_weights(&own, weights.len(), "columns")?;
            }
            Sought::Location { reference, weights, .. } => {
                check_weights(weights, reference.rows(), "rows of the reference")?;
            }
            _ => {}
        }
        let width = match &sought {
            Sought::Features(_, weights) | Sought::Coverage(weights) => {
                weights.as_ref().map(Vec::len)
            }
            Sought::Location { reference, .. } => Some(reference.width()),
        };
        let (seen, one, all) = (0, 0.0, 0.0);
        Ok(Self { sought, k, epsilon, width, seen, one, all, kept: BTreeMap::new() })
    }

    /// Looks at more rows, which count on from those before.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for rows of another width or with negative numbers, after
    /// which nothing has changed; [`crate::Error::Interrupted`], after which those before it have
    /// been seen.
    pub fn add(&mut self, batch: &Matrix, monitor: &Monitor) -> Result<()> {
        let width = *self.width.get_or_insert(batch.width());
        if width != batch.width() {
            return Err(refused(format!(
                "data has {} columns, and what came before has {width}; give the same",
                batch.width()
            )));
        }
        if let (Sought::Features(..), Some((row, column))) = (&self.sought, batch.negative()) {
            return Err(refused(format!(
                "data is negative in row {row}, column {column}; feature_based takes numbers from \
                 0 on"
            )));
        }
        let mut entries = vec![];
        let rows: Vec<u32> = (0..batch.rows() as u32).collect();
        for block in rows.chunks(BLOCK) {
            let similar = match &self.sought {
                Sought::Location { reference, measure, .. } => {
                    Some(similar(&batch.take(block), reference, *measure, monitor)?)
                }
                _ => None,
            };
            for (at, &row) in block.iter().enumerate() {
                monitor.check()?;
                entries.clear();
                match &similar {
                    Some(similar) => {
                        let found = similar.row(at).iter().enumerate();
                        entries.extend(found.map(|(to, &value)| (to, value)));
                    }
                    None => batch.each(row as usize, |column, value| entries.push((column, value))),
                }
                self.see(&entries)?;
                monitor.advance(1);
            }
        }
        Ok(())
    }

    fn see(&mut self, entries: &[(usize, f64)]) -> Result<()> {
        let row = self.seen;
        let alone = gain(&self.sought, &[], entries);
        if !alone.is_finite() {
            return Err(refused(format!("data adds up to {alone} in row {row}; scale it down")));
        }
        self.seen += 1;
        if alone > self.one {
            self.one = alone;
            self.narrow();
        }
        let before = self.all;
        let base = 1.0 + self.epsilon;
        let size = match &self.sought {
            Sought::Location { reference, .. } => reference.rows(),
            _ => self.width.unwrap_or(0),
        };
        for (&power, kept) in &mut self.kept {
            if kept.rows.len() == self.k {
                continue;
            }
            let gain = gain(&self.sought, &kept.state, entries);
            // What adds nothing passes no threshold, however small.
            if gain < base.powi(power) || gain <= 0.0 {
                continue;
            }
            kept.state.resize(size, 0.0);
            take(&self.sought, &mut kept.state, entries);
            kept.rows.push(row);
            kept.gains.push(gain);
            kept.value += gain;
            self.all = self.all.max(kept.value);
        }
        if self.all > before {
            self.narrow();
        }
        Ok(())
    }

    /// Ends the sieves of thresholds that are too low by now, and begins those that may be right.
    fn narrow(&mut self) {
        let base = 1.0 + self.epsilon;
        let least = self.all.max(self.one) / (2.0 * self.k as f64);
        let lowest = ((least / base).ln() / base.ln()).ceil() as i32;
        let highest = (self.one.ln() / base.ln()).floor() as i32;
        self.kept.retain(|&power, _| power >= lowest);
        for power in lowest..=highest.max(lowest) {
            self.kept.entry(power).or_default();
        }
    }

    /// Rows that were seen.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The best rows so far, in the order they came, and what each added.
    pub fn best(&self) -> (Vec<u64>, Vec<f64>) {
        // Of equally good ones the lowest threshold's.
        let mut best: Option<&Kept> = None;
        for kept in self.kept.values() {
            if best.is_none_or(|best| kept.value > best.value) {
                best = Some(kept);
            }
        }
        best.map_or_else(Default::default, |kept| (kept.rows.clone(), kept.gains.clone()))
    }
}

fn similar(
    batch: &Matrix,
    reference: &Matrix,
    measure: Measure,
    monitor: &Monitor,
) -> Result<rows::Dense<f64>> {
    let cosine = measure == Measure::Cosine;
    let distance = if cosine { Distance::Cosine } else { Distance::Euclidean };
    let apart = distance.between(batch, reference, monitor)?;
    let width = apart.width();
    let near = |apart: f64| if cosine { (1.0 - apart).max(0.0) } else { 1.0 / (1.0 + apart) };
    rows::Dense::new(apart.into_values().into_iter().map(near).collect(), width)
}

fn weight(weights: &Option<Vec<f64>>, at: usize) -> f64 {
    weights.as_ref().map_or(1.0, |weights| weights[at])
}

/// What a row adds to a state; that of no rows is empty.
fn gain(sought: &Sought, state: &[f64], entries: &[(usize, f64)]) -> f64 {
    let held = |at: usize| state.get(at).copied().unwrap_or(0.0);
    let mut sum = 0.0;
    match sought {
        Sought::Features(concave, weights) => {
            for &(column, value) in entries {
                sum += weight(weights, column) * concave.step(held(column), value);
            }
        }
        Sought::Coverage(weights) => {
            for &(column, _) in entries {
                if held(column) == 0.0 {
                    sum += weight(weights, column);
                }
            }
        }
        Sought::Location { weights, .. } => {
            for &(to, value) in entries {
                sum += weight(weights, to) * (value - held(to)).max(0.0);
            }
        }
    }
    sum
}

fn take(sought: &Sought, state: &mut [f64], entries: &[(usize, f64)]) {
    for &(at, value) in entries {
        state[at] = match sought {
            Sought::Features(..) => state[at] + value,
            Sought::Coverage(_) => 1.0,
            Sought::Location { .. } => state[at].max(value),
        };
    }
}
