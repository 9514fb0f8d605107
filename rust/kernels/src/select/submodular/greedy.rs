//! Greedy maximisation: the row that adds most, again and again.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::{Objective, Scratch, below, random, refused};
use crate::error::Result;
use crate::interrupt::Monitor;

/// How the row that adds most is found. Of equal ones it is the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// By what rows added before, which bounds what they add now (Minoux 1978): only rows whose
    /// bound exceeds the best gain are looked at. The same rows as `Naive` takes.
    Lazy,
    /// By the gains of all rows.
    Naive,
    /// Among a sample of `n / k · ln(1 / epsilon)` rows, drawn anew for every step (Mirzasoleiman
    /// et al. 2015).
    Stochastic {
        /// By how much of the optimum the promise is lowered.
        epsilon: f64,
        /// Of the samples.
        seed: u64,
    },
}

/// What rows cost, and what all may cost together.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// Of each row.
    pub costs: Vec<f64>,
    /// Of all selected rows, those that were there from the start left out.
    pub budget: f64,
}

/// What to select.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most rows.
    pub k: usize,
    /// What rows cost.
    pub costs: Option<Costs>,
    /// Rows that are selected already; they are not given back.
    pub initial: Vec<u32>,
    /// How the best row is found.
    pub method: Method,
    /// Ends before a row that adds less.
    pub least: Option<f64>,
}

/// Rows in the order they were selected, and what each added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// The rows.
    pub rows: Vec<u32>,
    /// What each added when it was added.
    pub gains: Vec<f64>,
}

impl Selection {
    /// What all added.
    pub fn value(&self) -> f64 {
        self.gains.iter().sum()
    }
}

/// Operations that are worth handing to another thread.
const WORTH: usize = 1 << 17;

/// Rows whose gains a thread computes at a time, and the operations they take at most.
const BLOCK: usize = 64;
const OPERATIONS: usize = 1 << 18;

/// Selects up to `k` rows of `candidates` (of all, where it is `None`), each the one that adds most.
///
/// With costs: the rows that add most for what they cost, and the rows that add most, whichever
/// adds more (Leskovec et al. 2007); rows that add nothing are left.
///
/// # Errors
/// [`crate::Error::InvalidInput`] if a gain is not finite; [`crate::Error::Interrupted`].
pub fn greedy(
    objective: &mut dyn Objective,
    candidates: Option<&[u32]>,
    options: &Options,
    monitor: &Monitor,
) -> Result<Selection> {
    let by_cost = Run::new(objective, candidates, options, true, monitor)?.all()?;
    if options.costs.is_none() {
        return Ok(by_cost);
    }
    let by_gain = Run::new(objective, candidates, options, false, monitor)?.all()?;
    Ok(if by_gain.value() > by_cost.value() { by_gain } else { by_cost })
}

/// A row, and no less than what it is worth.
#[derive(Clone, Copy, Debug)]
struct Bound {
    worth: f64,
    row: u32,
}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> Ordering {
        self.worth.total_cmp(&other.worth).then_with(|| Reverse(self.row).cmp(&Reverse(other.row)))
    }
}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Bound {}

struct Run<'r> {
    objective: &'r mut dyn Objective,
    options: &'r Options,
    /// Costs, if rows are compared by what they add for what they cost.
    divide: bool,
    monitor: &'r Monitor,
    scratch: Scratch,
    left: Vec<u32>,
    spent: f64,
    gains: Vec<f64>,
    threads: usize,
}

impl<'r> Run<'r> {
    fn new(
        objective: &'r mut dyn Objective,
        candidates: Option<&[u32]>,
        options: &'r Options,
        divide: bool,
        monitor: &'r Monitor,
    ) -> Result<Self> {
        let mut scratch = Scratch::default();
        objective.reset();
        let mut taken = vec![false; objective.rows()];
        for &row in &options.initial {
            monitor.check()?;
            if !std::mem::replace(&mut taken[row as usize], true) {
                objective.add(row, &mut scratch);
            }
        }
        let mut left: Vec<u32> = match candidates {
            Some(rows) => rows.to_vec(),
            None => (0..objective.rows() as u32).collect(),
        };
        left.retain(|&row| !taken[row as usize]);
        left.sort_unstable();
        let threads = rayon::current_num_threads();
        let divide = divide && options.costs.is_some();
        let gains = vec![];
        Ok(Self { objective, options, divide, monitor, scratch, left, spent: 0.0, gains, threads })
    }

    fn all(mut self) -> Result<Selection> {
        let selected = match self.options.method {
            Method::Lazy => self.lazy(),
            Method::Naive => self.naive(),
            Method::Stochastic { epsilon, seed } => self.stochastic(epsilon, seed),
        }?;
        Ok(selected)
    }

    /// What rows are compared by.
    fn worth(&self, row: u32, gain: f64) -> f64 {
        match &self.options.costs {
            Some(costs) if self.divide => match costs.costs[row as usize] {
                0.0 if gain > 0.0 => f64::INFINITY,
                0.0 if gain == 0.0 => 0.0,
                0.0 => f64::NEG_INFINITY,
                cost => gain / cost,
            },
            _ => gain,
        }
    }

    fn affordable(&self, row: u32) -> bool {
        let costs = self.options.costs.as_ref();
        costs.is_none_or(|costs| self.spent + costs.costs[row as usize] <= costs.budget)
    }

    /// Computes the gains of rows into `self.gains`, side by side where that is worth it.
    fn evaluate(&mut self, rows: &[u32]) -> Result<()> {
        let objective = &*self.objective;
        let (gains, monitor) = (&mut self.gains, self.monitor);
        gains.clear();
        gains.resize(rows.len(), 0.0);
        let side = objective.side_by_side();
        let effort = objective.effort().max(1);
        let block = if side > 1 { BLOCK } else { (OPERATIONS / effort).clamp(1, 1 << 12) };
        if self.threads == 1 || rows.len() <= side || rows.len().saturating_mul(effort) < WORTH {
            for (rows, gains) in rows.chunks(block).zip(gains.chunks_mut(block)) {
                monitor.check()?;
                objective.gains(rows, gains, &mut self.scratch);
            }
        } else {
            let share = rows.len().div_ceil(self.threads).next_multiple_of(side);
            let block = block.min(share);
            let blocks = rows.par_chunks(block).zip(gains.par_chunks_mut(block));
            blocks.try_for_each_init(Scratch::default, |scratch, (rows, gains)| {
                monitor.check()?;
                objective.gains(rows, gains, scratch);
                Ok(())
            })?;
        }
        // An empty sum is -0, which is less than 0 where all are ordered.
        gains.iter_mut().for_each(|gain| *gain += 0.0);
        match gains.iter().position(|gain| !gain.is_finite()) {
            None => Ok(()),
            Some(at) => Err(refused(format!(
                "data adds up to {} in row {}; scale it down",
                gains[at], rows[at]
            ))),
        }
    }

    /// Takes a row; false if it ends the selection instead.
    fn take(&mut self, row: u32, gain: f64, selected: &mut Selection) -> bool {
        if self.options.least.is_some_and(|least| gain < least) {
            return false;
        }
        if let Some(costs) = &self.options.costs {
            if gain <= 0.0 {
                return false;
            }
            self.spent += costs.costs[row as usize];
        }
        self.objective.add(row, &mut self.scratch);
        selected.rows.push(row);
        selected.gains.push(gain);
        self.monitor.advance(1);
        true
    }

    /// Rows that are evaluated at once: more than one can only be worth it where one is long work.
    fn batch(&self) -> usize {
        let side = self.objective.side_by_side();
        if self.threads > 1 && self.objective.effort() * side * 2 > WORTH {
            side * self.threads
        } else {
            side
        }
    }

    fn lazy(&mut self) -> Result<Selection> {
        let mut selected = Selection::default();
        let mut heap = self.first_bounds()?;
        let batch = self.batch();
        let slack = self.objective.slack();
        let (mut rows, mut looked_at) = (vec![], vec![]);
        while selected.rows.len() < self.options.k {
            self.monitor.check()?;
            let mut best: Option<(Bound, f64)> = None;
            loop {
                rows.clear();
                while rows.len() < batch
                    && let Some(top) = heap.peek()
                    && best.is_none_or(|(best, _)| *top > best)
                {
                    if self.affordable(top.row) {
                        rows.push(top.row);
                    }
                    heap.pop();
                }
                if rows.is_empty() {
                    break;
                }
                self.evaluate(&rows)?;
                for (&row, &gain) in rows.iter().zip(&self.gains) {
                    let found = Bound { worth: self.worth(row, gain), row };
                    if best.is_none_or(|(best, _)| found > best) {
                        best = Some((found, gain));
                    }
                    looked_at.push(found);
                }
            }
            let Some((best, gain)) = best else { break };
            if !self.take(best.row, gain, &mut selected) {
                break;
            }
            for mut found in looked_at.drain(..) {
                if found.row != best.row {
                    found.worth += found.worth.abs() * slack;
                    heap.push(found);
                }
            }
        }
        Ok(selected)
    }

    /// Bounds of all rows: known without a look, or what they add now.
    fn first_bounds(&mut self) -> Result<BinaryHeap<Bound>> {
        let left = std::mem::take(&mut self.left);
        let bounds = left.iter().map(|&row| self.objective.bound(row) + 0.0).collect::<Vec<_>>();
        let (mut known, unknown): (Vec<_>, Vec<_>) =
            left.into_iter().zip(bounds).partition(|(_, bound)| bound.is_finite());
        let unknown: Vec<u32> = unknown.into_iter().map(|(row, _)| row).collect();
        self.evaluate(&unknown)?;
        let slack = 1.0 + self.objective.slack();
        known.extend(
            unknown
                .iter()
                .zip(&self.gains)
                .map(|(&row, &gain)| (row, if gain > 0.0 { gain * slack } else { gain })),
        );
        let bound = |(row, gain)| Bound { worth: self.worth(row, gain), row };
        Ok(known.into_iter().map(bound).collect())
    }

    fn naive(&mut self) -> Result<Selection> {
        let mut selected = Selection::default();
        while selected.rows.len() < self.options.k {
            let mut left = std::mem::take(&mut self.left);
            left.retain(|&row| self.affordable(row));
            self.evaluate(&left)?;
            let found = left
                .iter()
                .zip(&self.gains)
                .map(|(&row, &gain)| (Bound { worth: self.worth(row, gain), row }, gain));
            let Some((best, gain)) = found.max_by(|left, right| left.0.cmp(&right.0)) else {
                break;
            };
            left.retain(|&row| row != best.row);
            self.left = left;
            if !self.take(best.row, gain, &mut selected) {
                break;
            }
        }
        Ok(selected)
    }

    fn stochastic(&mut self, epsilon: f64, seed: u64) -> Result<Selection> {
        let mut selected = Selection::default();
        let mut left = std::mem::take(&mut self.left);
        let steps = self.options.k.min(left.len());
        let share = left.len() as f64 / steps.max(1) as f64 * (1.0 / epsilon).ln();
        let size = (share.ceil() as usize).max(1);
        let slack = self.objective.slack();
        let batch = self.batch();
        let mut bounds: Vec<f64> =
            (0..self.objective.rows() as u32).map(|row| self.objective.bound(row) + 0.0).collect();
        let mut drawn = 0;
        for _ in 0..steps {
            self.monitor.check()?;
            let size = size.min(left.len());
            for at in 0..size {
                let other = at + below(random(seed, drawn), left.len() - at);
                left.swap(at, other);
                drawn += 1;
            }
            // Only what may be the best of the sample is looked at: the others could not be it.
            let mut sample: Vec<(Bound, usize)> = (0..size)
                .map(|at| (Bound { worth: bounds[left[at] as usize], row: left[at] }, at))
                .collect();
            sample.sort_unstable_by_key(|&(bound, _)| Reverse(bound));
            let mut best: Option<(Bound, usize)> = None;
            let mut rest = &sample[..];
            while !rest.is_empty() {
                let unknown =
                    rest.iter().take_while(|(bound, _)| bound.worth.is_infinite()).count();
                let stop = unknown.max(batch).min(rest.len());
                let rows: Vec<u32> = rest[..stop]
                    .iter()
                    .filter(|(bound, _)| best.is_none_or(|(best, _)| *bound > best))
                    .map(|(bound, _)| bound.row)
                    .collect();
                if rows.is_empty() {
                    break;
                }
                self.evaluate(&rows)?;
                for (&(bound, at), &gain) in rest[..rows.len()].iter().zip(&self.gains) {
                    bounds[bound.row as usize] = gain + gain.abs() * slack;
                    let found = Bound { worth: gain, row: bound.row };
                    if best.is_none_or(|(best, _)| found > best) {
                        best = Some((found, at));
                    }
                }
                rest = &rest[stop..];
            }
            let Some((best, at)) = best else { break };
            left.swap_remove(at);
            if !self.take(best.row, best.worth, &mut selected) {
                break;
            }
        }
        Ok(selected)
    }
}
