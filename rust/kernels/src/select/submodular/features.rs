//! Functions of columns: how much of each the rows have, with diminishing returns.

use super::rows::Matrix;
use super::{Objective, Scratch, refused};
use crate::error::Result;

/// What a column counts by the sum `x` of what the selected rows have of it. All are concave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Concave {
    /// `√x`.
    Sqrt,
    /// `ln(1 + x)`.
    Log,
    /// `x / (1 + x)`.
    Inverse,
    /// `min(x, most)`.
    Saturate {
        /// From where on more counts nothing.
        most: f64,
    },
}

impl Concave {
    /// `g(sum + value) - g(sum)`, in a form that does not grow with `sum` by rounding either.
    #[inline(always)]
    pub(super) fn step(self, sum: f64, value: f64) -> f64 {
        match self {
            Self::Sqrt => value / ((sum + value).sqrt() + sum.sqrt()),
            Self::Log => (value / (1.0 + sum)).ln_1p(),
            Self::Inverse => value / ((1.0 + (sum + value)) * (1.0 + sum)),
            Self::Saturate { most } => value.min((most - sum).max(0.0)),
        }
    }
}

/// `f(S) = Σ_u w_u g(Σ_{j in S} x_ju)`: columns `u`, of weights `w`, a concave `g` (Wei et al. 2014).
#[derive(Debug)]
pub struct FeatureBased {
    data: Matrix,
    concave: Concave,
    weights: Option<Vec<f64>>,
    sums: Vec<f64>,
    effort: usize,
}

pub(super) fn check_weights(weights: &Option<Vec<f64>>, of: usize, what: &str) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != of {
        return Err(refused(format!(
            "weights has {} values, and there are {of} {what}; give one for each",
            weights.len()
        )));
    }
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        Some(at) => Err(refused(format!(
            "weights is {} at position {at}; give finite numbers from 0 on",
            weights[at]
        ))),
        None => Ok(()),
    }
}

fn check_positive(data: &Matrix, function: &str) -> Result<()> {
    match data.negative() {
        Some((row, column)) => Err(refused(format!(
            "data is negative in row {row}, column {column}; {function} takes numbers from 0 on"
        ))),
        None => Ok(()),
    }
}

impl FeatureBased {
    /// The function of some rows.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for a negative number, weights that are not one a column, or
    /// a saturation that is not above 0.
    pub fn new(data: Matrix, concave: Concave, weights: Option<Vec<f64>>) -> Result<Self> {
        check_positive(&data, "feature_based")?;
        check_weights(&weights, data.width(), "columns")?;
        if let Concave::Saturate { most } = concave
            && !(most.is_finite() && most > 0.0)
        {
            return Err(refused(format!("saturation is {most}; give a number above 0")));
        }
        let effort = 8 * data.entries() / data.rows().max(1);
        Ok(Self { sums: vec![0.0; data.width()], data, concave, weights, effort })
    }

    #[inline(always)]
    fn gain(&self, row: usize, step: impl Fn(f64, f64) -> f64) -> f64 {
        let mut gain = 0.0;
        match &self.weights {
            None => self.data.each(row, |column, value| gain += step(self.sums[column], value)),
            Some(weights) => self.data.each(row, |column, value| {
                gain += weights[column] * step(self.sums[column], value);
            }),
        }
        gain
    }
}

impl Objective for FeatureBased {
    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn gains(&self, rows: &[u32], gains: &mut [f64], _scratch: &mut Scratch) {
        for (gain, &row) in gains.iter_mut().zip(rows) {
            let row = row as usize;
            *gain = match self.concave {
                Concave::Sqrt => self.gain(row, |sum, value| Concave::Sqrt.step(sum, value)),
                Concave::Log => self.gain(row, |sum, value| Concave::Log.step(sum, value)),
                other => self.gain(row, |sum, value| other.step(sum, value)),
            };
        }
    }

    fn add(&mut self, row: u32, _scratch: &mut Scratch) {
        let sums = &mut self.sums;
        self.data.each(row as usize, |column, value| sums[column] += value);
    }

    fn reset(&mut self) {
        self.sums.fill(0.0);
    }

    fn slack(&self) -> f64 {
        match self.concave {
            // A logarithm is right to the last bit but one, which need not fall where it should.
            Concave::Log => 8.0 * (self.data.width() + 2) as f64 * f64::EPSILON,
            _ => 0.0,
        }
    }

    fn effort(&self) -> usize {
        self.effort
    }
}

/// `f(S) = Σ_u w_u [some row of S has u]`: the columns that occur, of weights `w`.
#[derive(Debug)]
pub struct MaxCoverage {
    data: Matrix,
    weights: Option<Vec<f64>>,
    covered: Vec<bool>,
    effort: usize,
}

impl MaxCoverage {
    /// The function of some rows; whatever is not 0 occurs.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for weights that are not one a column.
    pub fn new(data: Matrix, weights: Option<Vec<f64>>) -> Result<Self> {
        check_weights(&weights, data.width(), "columns")?;
        let effort = 2 * data.entries() / data.rows().max(1);
        Ok(Self { covered: vec![false; data.width()], data, weights, effort })
    }
}

impl Objective for MaxCoverage {
    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn gains(&self, rows: &[u32], gains: &mut [f64], _scratch: &mut Scratch) {
        for (gain, &row) in gains.iter_mut().zip(rows) {
            let mut sum = 0.0;
            match &self.weights {
                None => self.data.each(row as usize, |column, _| {
                    sum += f64::from(u8::from(!self.covered[column]));
                }),
                Some(weights) => self.data.each(row as usize, |column, _| {
                    if !self.covered[column] {
                        sum += weights[column];
                    }
                }),
            }
            *gain = sum;
        }
    }

    fn add(&mut self, row: u32, _scratch: &mut Scratch) {
        let covered = &mut self.covered;
        self.data.each(row as usize, |column, _| covered[column] = true);
    }

    fn reset(&mut self) {
        self.covered.fill(false);
    }

    fn effort(&self) -> usize {
        self.effort
    }
}
