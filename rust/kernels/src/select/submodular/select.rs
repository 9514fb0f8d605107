//! A selection from beginning to end: what of, by which function, whole or in parts.

use rayon::prelude::*;

use super::features::{Concave, FeatureBased, MaxCoverage};
use super::graph_cut::GraphCut;
use super::greedy::{Method, Options, Selection, greedy};
use super::location::FacilityLocation;
use super::neighbours::{neighbours, symmetric};
use super::rows::{Matrix, Sparse};
use super::similar::{Measure, Similarities, check_square};
use super::{Objective, Scratch, random, refused};
use crate::error::Result;
use crate::interrupt::{Monitor, Phase};

/// Which function is maximised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// [`FacilityLocation`].
    FacilityLocation,
    /// [`GraphCut`].
    GraphCut {
        /// How much similarity among the selected rows counts against them.
        lambda: f64,
    },
    /// [`FeatureBased`].
    FeatureBased(Concave),
    /// [`MaxCoverage`].
    MaxCoverage,
}

/// A function of rows.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Which function.
    pub function: Function,
    /// The rows, or a graph.
    pub data: Matrix,
    /// How similar rows are; `None` if the data are a graph.
    pub measure: Option<Measure>,
    /// How many of the most similar rows count; all by default.
    pub neighbours: Option<usize>,
    /// Weights of columns, or of represented rows.
    pub weights: Option<Vec<f64>>,
}

impl Problem {
    /// The same function of a graph of neighbours, if there is one to be made.
    fn with_graph(self, monitor: &Monitor) -> Result<Self> {
        let (Some(k), Some(measure)) = (self.neighbours, self.measure) else { return Ok(self) };
        let graph = symmetric(&neighbours(self.data, measure, k, monitor)?);
        Ok(Self { data: Matrix::Sparse(graph), measure: None, neighbours: None, ..self })
    }

    fn objective(self, monitor: &Monitor) -> Result<Box<dyn Objective>> {
        let Self { function, data, measure, weights, .. } = self.with_graph(monitor)?;
        Ok(match (function, measure) {
            (Function::FacilityLocation, Some(measure)) => {
                Box::new(FacilityLocation::new(Similarities::new(data, measure), weights)?)
            }
            (Function::FacilityLocation, None) => {
                let given = match data {
                    Matrix::Wide(table) => Similarities::Table(table),
                    other => Similarities::Graph(sparse(other)),
                };
                Box::new(FacilityLocation::new(given, weights)?)
            }
            (Function::GraphCut { lambda }, Some(measure)) => {
                Box::new(GraphCut::of_rows(data, measure, lambda, monitor)?)
            }
            (Function::GraphCut { lambda }, None) => {
                Box::new(GraphCut::of_graph(sparse(data), lambda, monitor)?)
            }
            (Function::FeatureBased(concave), _) => {
                Box::new(FeatureBased::new(data, concave, weights)?)
            }
            (Function::MaxCoverage, _) => Box::new(MaxCoverage::new(data, weights)?),
        })
    }

    /// The function of some of the rows, ascending, as if there were no others.
    fn restricted(&self, rows: &[u32]) -> Self {
        let by_row = matches!(self.function, Function::FacilityLocation);
        let square = self.data.rows() == self.data.width();
        let (data, apart) = match (&self.data, self.measure) {
            (Matrix::Sparse(graph), None) if self.is_of_pairs() && square => {
                (Matrix::Sparse(graph.take_square(rows)), true)
            }
            (data, None) => (data.take(rows), false),
            (data, Some(_)) => (data.take(rows), true),
        };
        let weights = self.weights.as_ref().map(|weights| {
            if by_row && apart {
                rows.iter().filter_map(|&row| weights.get(row as usize).copied()).collect()
            } else {
                weights.clone()
            }
        });
        Self { data, weights, ..*self }
    }

    fn is_of_pairs(&self) -> bool {
        matches!(self.function, Function::FacilityLocation | Function::GraphCut { .. })
    }
}

/// A graph in dense rows is one in sparse rows that leave nothing out.
fn sparse(data: Matrix) -> Sparse {
    match data {
        Matrix::Sparse(data) => data,
        dense => {
            let row = |row| {
                let mut entries = vec![];
                dense.each(row, |column, value| entries.push((column as u32, value)));
                entries
            };
            Sparse::of((0..dense.rows()).map(row), dense.width())
        }
    }
}

fn check(problem: &Problem, options: &Options, parts: usize, merge: bool) -> Result<()> {
    let rows = problem.data.rows();
    if rows == 0 {
        return Err(refused("data has no rows; give one or more"));
    }
    if let Some(&row) = options.initial.iter().find(|&&row| row as usize >= rows) {
        return Err(refused(format!("initial has row {row}, and data has {rows} rows")));
    }
    if let Some(costs) = &options.costs {
        if costs.costs.len() != rows {
            return Err(refused(format!(
                "costs has {} values, and data has {rows} rows; give one for each",
                costs.costs.len()
            )));
        }
        let bad = costs.costs.iter().position(|cost| !(cost.is_finite() && *cost >= 0.0));
        if let Some(at) = bad {
            return Err(refused(format!(
                "costs is {} in row {at}; give finite numbers from 0 on",
                costs.costs[at]
            )));
        }
        if costs.budget.is_nan() || costs.budget < 0.0 {
            return Err(refused(format!("budget is {}; give a number from 0 on", costs.budget)));
        }
        if matches!(options.method, Method::Stochastic { .. }) {
            return Err(refused(
                "method is \"stochastic\", which promises nothing of costs; take \"lazy\"",
            ));
        }
        if !merge && parts > 1 {
            return Err(refused("merge is False, and a budget is for all parts; leave out one"));
        }
    }
    let mut initial = options.initial.clone();
    initial.sort_unstable();
    initial.dedup();
    if options.costs.is_none() && options.k > rows - initial.len() {
        let left = match initial.len() {
            0 => String::new(),
            taken => format!(", {taken} of them initial"),
        };
        return Err(refused(format!(
            "k is {}, and data has {rows} rows{left}; give fewer",
            options.k
        )));
    }
    if let Method::Stochastic { epsilon, .. } = options.method
        && !(epsilon > 0.0 && epsilon < 1.0)
    {
        return Err(refused(format!("epsilon is {epsilon}; give a number between 0 and 1")));
    }
    if options.least.is_some_and(f64::is_nan) {
        return Err(refused("min_gain is NaN; give a number"));
    }
    if parts == 0 || parts > rows {
        return Err(refused(format!("partitions is {parts}; give 1 to {rows}, the rows of data")));
    }
    Ok(())
}

/// Selects rows.
///
/// With several `parts`, rows are dealt to them by `seed`; each part selects by itself, side by
/// side. With `merge` each part selects as many as asked for, and from what they selected the same
/// many are selected again, by the function of all rows; the best part's rows, if they are worth
/// more. Without, each part selects its share, and what they selected is given by falling gain.
///
/// # Errors
/// [`crate::Error::InvalidInput`] for what cannot be meant; [`crate::Error::Interrupted`].
pub fn select(
    problem: Problem,
    options: &Options,
    parts: usize,
    merge: bool,
    seed: u64,
    monitor: &Monitor,
) -> Result<Selection> {
    check(&problem, options, parts, merge)?;
    let mut problem = problem;
    if problem.is_of_pairs() && problem.measure.is_none() {
        let cut = matches!(problem.function, Function::GraphCut { .. });
        if cut || parts > 1 {
            // Whose columns can be left out.
            problem.data = Matrix::Sparse(sparse(problem.data));
        }
        if let (true, Matrix::Sparse(graph)) = (cut, &problem.data) {
            check_square(graph)?;
        }
    }
    // Before the rows are in parts, so that a refusal names them as the caller knows them.
    problem.check_values()?;
    let rows = problem.data.rows();
    let total = |k: usize| Some(k.min(rows) as u64);
    if parts == 1 {
        if problem.neighbours.is_some() {
            monitor.enter(Phase::Reading, 0, Some(rows as u64));
        }
        let problem = problem.with_graph(monitor)?;
        monitor.enter(
            Phase::Querying,
            0,
            options.costs.is_none().then(|| total(options.k)).flatten(),
        );
        let mut objective = problem.objective(monitor)?;
        return greedy(&mut *objective, None, options, monitor);
    }
    let dealt = deal(rows, parts, &options.initial, seed);
    if merge {
        return merged(problem, options, &dealt, monitor);
    }
    let shares = shares(options.k, &dealt);
    monitor.enter(Phase::Querying, 0, total(options.k));
    let found = in_parts(&problem, options, &dealt, |part| shares[part], monitor)?;
    let mut pairs: Vec<(u32, f64)> =
        found.into_iter().flat_map(|found| found.rows.into_iter().zip(found.gains)).collect();
    pairs.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    let (rows, gains) = pairs.into_iter().unzip();
    Ok(Selection { rows, gains })
}

impl Problem {
    fn check_values(&self) -> Result<()> {
        let function = match self.function {
            Function::FeatureBased(_) => "feature_based",
            Function::GraphCut { .. } if self.measure.is_none() => "graph_cut",
            _ => return Ok(()),
        };
        match self.data.negative() {
            Some((row, column)) => Err(refused(format!(
                "data is negative in row {row}, column {column}; {function} takes numbers from 0 on"
            ))),
            None => Ok(()),
        }
    }
}

/// Rows dealt at random to parts of about the same size, each ascending; none of `initial`.
fn deal(rows: usize, parts: usize, initial: &[u32], seed: u64) -> Vec<Vec<u32>> {
    let mut order: Vec<(u64, u32)> =
        (0..rows as u32).into_par_iter().map(|row| (random(seed, row.into()), row)).collect();
    order.par_sort_unstable();
    let mut held = vec![false; rows];
    initial.iter().for_each(|&row| held[row as usize] = true);
    order.retain(|&(_, row)| !held[row as usize]);
    let mut dealt = vec![vec![]; parts];
    for (at, (_, row)) in order.into_iter().enumerate() {
        dealt[at % parts].push(row);
    }
    dealt.iter_mut().for_each(|part: &mut Vec<u32>| part.sort_unstable());
    dealt
}

/// What of `k` falls to each part, by their rows, and what is left over to the first ones.
fn shares(k: usize, dealt: &[Vec<u32>]) -> Vec<usize> {
    let all: usize = dealt.iter().map(Vec::len).sum();
    let mut shares: Vec<usize> = dealt
        .iter()
        .map(|part| (k as u128 * part.len() as u128 / all.max(1) as u128) as usize)
        .collect();
    let mut left = k - shares.iter().sum::<usize>();
    while left > 0 {
        for (share, part) in shares.iter_mut().zip(dealt) {
            if left > 0 && *share < part.len() {
                *share += 1;
                left -= 1;
            }
        }
    }
    shares
}

/// Selects from each part, side by side, with the numbers that rows have in all.
fn in_parts(
    problem: &Problem,
    options: &Options,
    dealt: &[Vec<u32>],
    k: impl Fn(usize) -> usize + Sync,
    monitor: &Monitor,
) -> Result<Vec<Selection>> {
    dealt
        .par_iter()
        .enumerate()
        .map(|(part, rows)| {
            let mut rows = [&rows[..], &options.initial].concat();
            rows.sort_unstable();
            rows.dedup();
            let place = |row: &u32| rows.binary_search(row).map_or(0, |at| at as u32);
            let mut own = Options {
                k: k(part).min(rows.len()),
                initial: options.initial.iter().map(place).collect(),
                ..options.clone()
            };
            if let Some(costs) = &mut own.costs {
                costs.costs = rows.iter().map(|&row| costs.costs[row as usize]).collect();
            }
            let mut objective = problem.restricted(&rows).objective(monitor)?;
            let mut found = greedy(&mut *objective, None, &own, monitor)?;
            found.rows.iter_mut().for_each(|row| *row = rows[*row as usize]);
            Ok(found)
        })
        .collect()
}

fn merged(
    problem: Problem,
    options: &Options,
    dealt: &[Vec<u32>],
    monitor: &Monitor,
) -> Result<Selection> {
    let problem = problem.with_graph(monitor)?;
    let steps = options.k.min(problem.data.rows()) as u64;
    monitor.enter(Phase::Querying, 0, Some(steps * (dealt.len() as u64 + 1)));
    let found = in_parts(&problem, options, dealt, |_| options.k, monitor)?;
    let candidates: Vec<u32> = found.iter().flat_map(|found| found.rows.iter().copied()).collect();
    let mut objective = problem.objective(monitor)?;
    let mut best = greedy(&mut *objective, Some(&candidates), options, monitor)?;
    let mut scratch = Scratch::default();
    for part in found {
        monitor.check()?;
        objective.reset();
        options.initial.iter().for_each(|&row| objective.add(row, &mut scratch));
        let mut own = Selection { rows: part.rows, gains: vec![] };
        for &row in &own.rows {
            monitor.check()?;
            let mut gain = [0.0];
            objective.gains(&[row], &mut gain, &mut scratch);
            objective.add(row, &mut scratch);
            own.gains.push(gain[0]);
        }
        // Where rows may take away, fewer rows may be worth more, and are not what was asked for.
        let as_many = options.costs.is_some() || own.rows.len() == best.rows.len();
        if as_many && own.value() > best.value() {
            best = own;
        }
    }
    Ok(best)
}
