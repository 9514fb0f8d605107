//! Graph cut: rows similar to all rows, and not to each other.

use rayon::prelude::*;

use super::rows::{Matrix, Sparse};
use super::similar::{Measure, Part, Similarities, check_square};
use super::{Objective, Scratch, refused};
use crate::error::Result;
use crate::interrupt::Monitor;

/// `f(S) = Σ_{i in V, j in S} s_ij - λ Σ_{i, j in S} s_ij`.
///
/// Of products of rows that have no negative number, sums of similarities are products with sums of
/// rows: a gain costs the row's entries. Otherwise a row's similarities are computed when it is
/// added, and all of them once.
#[derive(Debug)]
pub struct GraphCut {
    lambda: f64,
    /// Of each row, its similarity to all rows and to itself.
    total: Vec<f64>,
    own: Vec<f64>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The sum of the selected rows.
    Linear { rows: Matrix, sum: Vec<f64> },
    /// Of each row, its similarity to the selected ones.
    Each { similar: Box<Similarities>, transposed: Option<Sparse>, chosen: Vec<f64> },
}

impl GraphCut {
    /// The function of rows, by a measure.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for a λ below 0; [`crate::Error::Interrupted`].
    pub fn of_rows(data: Matrix, measure: Measure, lambda: f64, monitor: &Monitor) -> Result<Self> {
        check_lambda(lambda)?;
        if measure == Measure::Euclidean || data.negative().is_some() {
            return Self::of(Similarities::new(data, measure), None, lambda, monitor);
        }
        let data = if measure == Measure::Cosine { normal(data) } else { data };
        let mut all = vec![0.0; data.width()];
        for row in 0..data.rows() {
            data.each(row, |column, value| all[column] += value);
        }
        let rows = || (0..data.rows()).into_par_iter();
        let total = rows().map(|row| product(&data, row, &all)).collect();
        let own = rows()
            .map(|row| {
                let mut sum = 0.0;
                data.each(row, |_, value| sum += value * value);
                sum
            })
            .collect();
        let sum = vec![0.0; data.width()];
        Ok(Self { lambda, total, own, kind: Kind::Linear { rows: data, sum } })
    }

    /// The function of a graph: of each row its neighbours, and how similar they are.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] for a λ below 0, a graph that is not square, or a negative
    /// similarity; [`crate::Error::Interrupted`].
    pub fn of_graph(graph: Sparse, lambda: f64, monitor: &Monitor) -> Result<Self> {
        check_lambda(lambda)?;
        check_square(&graph)?;
        let matrix = Matrix::Sparse(graph);
        if let Some((row, column)) = matrix.negative() {
            return Err(refused(format!(
                "data is negative in row {row}, column {column}; graph_cut takes similarities \
                 from 0 on"
            )));
        }
        let Matrix::Sparse(graph) = matrix else { unreachable!("it was sparse just now") };
        let transposed = graph.transposed();
        let transposed = (transposed != graph).then_some(transposed);
        Self::of(Similarities::Graph(graph), transposed, lambda, monitor)
    }

    fn of(
        similar: Similarities,
        transposed: Option<Sparse>,
        lambda: f64,
        monitor: &Monitor,
    ) -> Result<Self> {
        let rows: Vec<u32> = (0..similar.rows() as u32).collect();
        let block = 16;
        let found: Vec<Vec<(f64, f64)>> = rows
            .par_chunks(block)
            .map_init(Scratch::default, |scratch, rows| {
                monitor.check()?;
                let mut found = vec![(0.0, 0.0); rows.len()];
                similar.each(rows, scratch, |at, part| {
                    let (total, own) = &mut found[at];
                    let row = rows[at];
                    match part {
                        Part::From(start, values) => {
                            *total += values.iter().map(|value| value.max(0.0)).sum::<f64>();
                            let place = (row as usize).checked_sub(start);
                            if let Some(&value) = place.and_then(|at| values.get(at)) {
                                *own = value.max(0.0);
                            }
                        }
                        Part::Of(columns, values) => {
                            *total += values.iter().map(|value| value.max(0.0)).sum::<f64>();
                            if let Some(at) = columns.iter().position(|&column| column == row) {
                                *own = values[at].max(0.0);
                            }
                        }
                    }
                });
                Ok(found)
            })
            .collect::<Result<_>>()?;
        let (total, own) = found.into_iter().flatten().unzip();
        let chosen = vec![0.0; similar.rows()];
        Ok(Self {
            lambda,
            total,
            own,
            kind: Kind::Each { similar: Box::new(similar), transposed, chosen },
        })
    }
}

fn check_lambda(lambda: f64) -> Result<()> {
    if lambda.is_finite() && lambda >= 0.0 {
        return Ok(());
    }
    Err(refused(format!("penalty is {lambda}; give a finite number from 0 on")))
}

fn product(data: &Matrix, row: usize, with: &[f64]) -> f64 {
    let mut sum = 0.0;
    data.each(row, |column, value| sum += value * with[column]);
    sum
}

/// Rows of length 1.
fn normal(data: Matrix) -> Matrix {
    fn scale<T: super::rows::Real>(row: &mut [T]) {
        let norm = row.iter().map(|&value| value.into() * value.into()).sum::<f64>().sqrt();
        if norm > 0.0 {
            row.iter_mut().for_each(|value| *value = T::of((*value).into() / norm));
        }
    }
    match data {
        Matrix::Sparse(mut data) => {
            (0..data.rows()).for_each(|row| scale(data.values_mut(row)));
            Matrix::Sparse(data)
        }
        Matrix::Narrow(mut data) => {
            data.rows_mut().for_each(scale);
            Matrix::Narrow(data)
        }
        Matrix::Wide(mut data) => {
            data.rows_mut().for_each(scale);
            Matrix::Wide(data)
        }
    }
}

impl Objective for GraphCut {
    fn rows(&self) -> usize {
        self.total.len()
    }

    fn gains(&self, rows: &[u32], gains: &mut [f64], _scratch: &mut Scratch) {
        for (gain, &row) in gains.iter_mut().zip(rows) {
            let row = row as usize;
            let chosen = match &self.kind {
                Kind::Linear { rows, sum } => product(rows, row, sum),
                Kind::Each { chosen, .. } => chosen[row],
            };
            *gain = self.total[row] - self.lambda * (2.0 * chosen + self.own[row]);
        }
    }

    fn add(&mut self, row: u32, scratch: &mut Scratch) {
        match &mut self.kind {
            Kind::Linear { rows, sum } => {
                rows.each(row as usize, |column, value| sum[column] += value);
            }
            Kind::Each { similar, transposed, chosen } => {
                // An edge one way is half an edge both ways.
                let share = if transposed.is_some() { 0.5 } else { 1.0 };
                similar.each(&[row], scratch, |_, part| match part {
                    Part::From(start, found) => {
                        for (chosen, &found) in chosen[start..].iter_mut().zip(found) {
                            *chosen += share * found.max(0.0);
                        }
                    }
                    Part::Of(rows, found) => {
                        for (&row, &found) in rows.iter().zip(found) {
                            chosen[row as usize] += share * found.max(0.0);
                        }
                    }
                });
                if let Some(transposed) = transposed {
                    let (rows, found) = transposed.row(row as usize);
                    for (&row, &found) in rows.iter().zip(found) {
                        chosen[row as usize] += share * found;
                    }
                }
            }
        }
    }

    fn reset(&mut self) {
        match &mut self.kind {
            Kind::Linear { sum, .. } => sum.fill(0.0),
            Kind::Each { chosen, .. } => chosen.fill(0.0),
        }
    }

    fn effort(&self) -> usize {
        match &self.kind {
            Kind::Linear { rows, .. } => 2 * rows.entries() / rows.rows().max(1),
            Kind::Each { .. } => 2,
        }
    }
}
