//! How similar rows are to a row: given, or computed from the rows when it is asked.

use rayon::prelude::*;

use super::rows::{Dense, Matrix, Real, Sparse};
use super::{Scratch, refused};
use crate::error::Result;

/// How similar two rows of numbers are. Below 0 is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The cosine of their angle; 0 of a row of zeros.
    Cosine,
    /// Their inner product.
    Dot,
    /// `1 / (1 + d)` of their Euclidean distance `d`.
    Euclidean,
}

/// Rows of which the similarities are looked up or computed.
#[derive(Debug)]
pub enum Similarities {
    /// Given: of each row, those that it represents, and how well.
    Graph(Sparse),
    /// Given, all of them.
    Table(Dense<f64>),
    /// Of sparse rows, through the columns that they share.
    Sparse(Inverted),
    /// Of dense rows of 32 bits.
    Narrow(Vectors<f32>),
    /// Of dense rows of 64 bits.
    Wide(Vectors<f64>),
}

/// Some similarities of one row.
pub enum Part<'a> {
    /// To the rows from a place on.
    From(usize, &'a [f64]),
    /// To the rows of these numbers.
    Of(&'a [u32], &'a [f64]),
}

impl Similarities {
    /// Those of rows, by a measure.
    pub fn new(data: Matrix, measure: Measure) -> Self {
        match data {
            Matrix::Sparse(data) => Self::Sparse(Inverted::new(data, measure)),
            Matrix::Narrow(data) => Self::Narrow(Vectors::new(data, measure)),
            Matrix::Wide(data) => Self::Wide(Vectors::new(data, measure)),
        }
    }

    /// The inner products of sparse rows with others of the same columns, which they represent.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] if the others have not as many columns.
    pub fn between(rows: Sparse, represented: &Sparse) -> Result<Self> {
        if rows.width() != represented.width() {
            return Err(refused(format!(
                "rows have {} columns, and those that they represent {}; give both the same",
                rows.width(),
                represented.width()
            )));
        }
        let lists = represented.transposed();
        Ok(Self::Sparse(Inverted::of(rows, lists, Measure::Dot, vec![])))
    }

    /// Rows that can represent.
    pub fn rows(&self) -> usize {
        match self {
            Self::Graph(graph) => graph.rows(),
            Self::Table(table) => table.rows(),
            Self::Sparse(rows) => rows.data.rows(),
            Self::Narrow(rows) => rows.data.rows(),
            Self::Wide(rows) => rows.data.rows(),
        }
    }

    /// Rows that are represented.
    pub fn represented(&self) -> usize {
        match self {
            Self::Graph(graph) => graph.width(),
            Self::Table(table) => table.width(),
            Self::Sparse(rows) => rows.lists.width(),
            Self::Narrow(_) | Self::Wide(_) => self.rows(),
        }
    }

    /// About how many operations a row's similarities take.
    pub fn effort(&self) -> usize {
        match self {
            Self::Table(table) => table.width(),
            Self::Graph(graph) => 2 * graph.entries() / graph.rows().max(1),
            Self::Sparse(rows) => rows.effort,
            Self::Narrow(rows) => rows.data.rows() * (rows.data.width() / 8 + 2),
            Self::Wide(rows) => rows.data.rows() * (rows.data.width() / 4 + 2),
        }
    }

    /// How many rows' similarities cost little more than one's.
    pub fn side_by_side(&self) -> usize {
        match self {
            Self::Graph(_) | Self::Table(_) | Self::Sparse(_) => 1,
            _ => GROUP,
        }
    }

    /// Gives the similarities of each of `rows`, with its place among them, part by part and always
    /// in the same order.
    pub(super) fn each(
        &self,
        rows: &[u32],
        scratch: &mut Scratch,
        mut give: impl FnMut(usize, Part<'_>),
    ) {
        match self {
            Self::Graph(graph) => {
                for (at, &row) in rows.iter().enumerate() {
                    let (columns, values) = graph.row(row as usize);
                    give(at, Part::Of(columns, values));
                }
            }
            Self::Table(table) => {
                for (at, &row) in rows.iter().enumerate() {
                    give(at, Part::From(0, table.row(row as usize)));
                }
            }
            Self::Sparse(inverted) => {
                for (at, &row) in rows.iter().enumerate() {
                    inverted.similarities(row as usize, scratch, |part| give(at, part));
                }
            }
            Self::Narrow(vectors) => vectors.each(rows, scratch, &mut give),
            Self::Wide(vectors) => vectors.each(rows, scratch, &mut give),
        }
    }
}

/// Sparse rows, and of each column the rows that have it and are represented: the same, or others.
#[derive(Debug)]
pub struct Inverted {
    data: Sparse,
    /// Of each column the represented rows.
    lists: Sparse,
    /// Of frequent columns, where among `dense` their values by row start.
    dense_at: Vec<u32>,
    dense: Vec<f64>,
    measure: Measure,
    norms: Vec<f64>,
    /// Whether no value is negative.
    pub(super) positive: bool,
    effort: usize,
}

const NOT_DENSE: u32 = u32::MAX;

/// A column in this part of all rows is held by row: adding it up is then a walk without jumps.
const DENSE: usize = 10;

/// A row that meets this part of all rows is given row by row, and others by the rows they meet.
const SCATTERED: usize = 4;

impl Inverted {
    fn new(mut data: Sparse, measure: Measure) -> Self {
        let mut norms = vec![];
        for row in 0..data.rows() {
            let square: f64 = data.row(row).1.iter().map(|value| value * value).sum();
            match measure {
                Measure::Cosine if square > 0.0 => {
                    let norm = square.sqrt();
                    data.values_mut(row).iter_mut().for_each(|value| *value /= norm);
                }
                Measure::Euclidean => norms.push(square),
                _ => {}
            }
        }
        let lists = data.transposed();
        Self::of(data, lists, measure, norms)
    }

    fn of(data: Sparse, lists: Sparse, measure: Measure, norms: Vec<f64>) -> Self {
        let represented = lists.width();
        let mut numbers = vec![0_u32; data.width()];
        for row in 0..data.rows() {
            data.row(row).0.iter().for_each(|&column| numbers[column as usize] += 1);
        }
        let mut dense_at = vec![NOT_DENSE; data.width()];
        let mut dense = vec![];
        let mut touched = 0.0;
        for (column, dense_at) in dense_at.iter_mut().enumerate() {
            let (rows, values) = lists.row(column);
            touched += rows.len() as f64 * f64::from(numbers[column]);
            // As much again as the entries take is what it may cost.
            let place = dense.len() / represented.max(1);
            let is_dense = !rows.is_empty() && rows.len() * DENSE >= represented;
            if is_dense && place < NOT_DENSE as usize {
                let start = dense.len();
                dense.resize(start + represented, 0.0);
                for (&row, &value) in rows.iter().zip(values) {
                    dense[start + row as usize] = value;
                }
                *dense_at = place as u32;
            }
        }
        let of_rows = |rows: &Sparse| {
            (0..rows.rows()).all(|row| rows.row(row).1.iter().all(|value| *value > 0.0))
        };
        let positive = of_rows(&data) && of_rows(&lists);
        let effort = (touched / data.rows().max(1) as f64) as usize + represented / SCATTERED;
        Self { data, lists, dense_at, dense, measure, norms, positive, effort }
    }

    pub(super) fn data(&self) -> &Sparse {
        &self.data
    }

    /// Of each column the represented rows.
    pub(super) fn lists(&self) -> &Sparse {
        &self.lists
    }

    pub(super) fn measure(&self) -> Measure {
        self.measure
    }

    fn similarities(&self, row: usize, scratch: &mut Scratch, give: impl FnOnce(Part<'_>)) {
        let all = self.lists.width();
        let Scratch { sums, rows: met, values: found } = scratch;
        sums.resize(sums.len().max(all), 0.0);
        let sums = &mut sums[..all];
        let (columns, values) = self.data.row(row);
        let lengths = columns.iter().map(|&column| self.lists.row(column as usize).0.len());
        let few = lengths.sum::<usize>() * SCATTERED < all && self.measure != Measure::Euclidean;
        if few {
            met.clear();
            for (&column, &value) in columns.iter().zip(values) {
                let (rows, others) = self.lists.row(column as usize);
                for (&row, &other) in rows.iter().zip(others) {
                    let sum = &mut sums[row as usize];
                    // What adds up to 0 by the way is met again, and 0 then.
                    if *sum == 0.0 {
                        met.push(row);
                    }
                    *sum += value * other;
                }
            }
            found.clear();
            found.extend(met.iter().map(|&row| std::mem::take(&mut sums[row as usize])));
            return give(Part::Of(met, found));
        }
        for (&column, &value) in columns.iter().zip(values) {
            let place = self.dense_at[column as usize];
            if place != NOT_DENSE {
                let start = place as usize * all;
                for (sum, other) in sums.iter_mut().zip(&self.dense[start..start + all]) {
                    *sum += value * other;
                }
                continue;
            }
            let (rows, others) = self.lists.row(column as usize);
            for (&row, &other) in rows.iter().zip(others) {
                sums[row as usize] += value * other;
            }
        }
        if self.measure == Measure::Euclidean {
            let own = self.norms[row];
            for (sum, norm) in sums.iter_mut().zip(&self.norms) {
                *sum = near((own + norm) - 2.0 * *sum);
            }
        }
        give(Part::From(0, sums));
        sums.fill(0.0);
    }
}

fn near(square: f64) -> f64 {
    1.0 / (1.0 + square.max(0.0).sqrt())
}

/// Dense rows, and what their measure needs of them.
#[derive(Debug)]
pub struct Vectors<T> {
    data: Dense<T>,
    measure: Measure,
    norms: Vec<f64>,
}

/// Rows that are compared with a row at once, while it is in the registers.
const GROUP: usize = 4;

/// Rows that stay in the cache while groups are compared with them.
const TILE: usize = 64;

impl<T: Real> Vectors<T> {
    fn new(mut data: Dense<T>, measure: Measure) -> Self {
        let square = |row: &[T]| -> f64 {
            // As the product with itself comes out, so that its distance to itself is 0.
            let mut out = [T::default()];
            dots(row, [row], &mut out);
            out[0].into()
        };
        let mut norms = vec![];
        match measure {
            Measure::Cosine => data.rows_mut().for_each(|row| {
                let norm = row.iter().map(|&value| value.into() * value.into()).sum::<f64>().sqrt();
                if norm > 0.0 {
                    row.iter_mut().for_each(|value| *value = T::of((*value).into() / norm));
                }
            }),
            Measure::Euclidean => {
                norms = (0..data.rows()).into_par_iter().map(|row| square(data.row(row))).collect();
            }
            Measure::Dot => {}
        }
        Self { data, measure, norms }
    }

    fn each(&self, rows: &[u32], scratch: &mut Scratch, give: &mut impl FnMut(usize, Part<'_>)) {
        let all = self.data.rows();
        let sums = &mut scratch.sums;
        sums.resize(sums.len().max(GROUP * TILE), 0.0);
        for start in (0..all).step_by(TILE) {
            let tile = TILE.min(all - start);
            for (group, rows) in rows.chunks(GROUP).enumerate() {
                if let &[a, b, c, d] = rows {
                    self.tile([a, b, c, d], start, tile, sums);
                } else {
                    for (at, &row) in rows.iter().enumerate() {
                        self.tile([row], start, tile, &mut sums[at * TILE..]);
                    }
                }
                for (at, &row) in rows.iter().enumerate() {
                    let part = &mut sums[at * TILE..at * TILE + tile];
                    if self.measure == Measure::Euclidean {
                        let own = self.norms[row as usize];
                        for (sum, norm) in part.iter_mut().zip(&self.norms[start..]) {
                            *sum = near((own + norm) - 2.0 * *sum);
                        }
                    }
                    give(group * GROUP + at, Part::From(start, part));
                }
            }
        }
    }

    /// Of each row the products with the rows of a tile, from a multiple of [`TILE`] on.
    fn tile<const N: usize>(&self, rows: [u32; N], start: usize, tile: usize, out: &mut [f64]) {
        let rows = rows.map(|row| self.data.row(row as usize));
        let mut found = [T::default(); N];
        for at in 0..tile {
            dots(self.data.row(start + at), rows, &mut found);
            for (which, &product) in found.iter().enumerate() {
                out[which * TILE + at] = product.into();
            }
        }
    }
}

/// The products of a row with others of its length, each the same whichever it is among.
pub(super) fn dots<T: Real, const N: usize>(row: &[T], others: [&[T]; N], out: &mut [T; N]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn wide<T: Real, const N: usize>(row: &[T], others: [&[T]; N], out: &mut [T; N]) {
            products::<T, N, true>(row, others, out);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has AVX2 and FMA, which was asked just now.
            return unsafe { wide(row, others, out) };
        }
    }
    products::<T, N, { cfg!(target_arch = "aarch64") }>(row, others, out);
}

#[inline(always)]
fn products<T: Real, const N: usize, const FUSED: bool>(
    row: &[T],
    others: [&[T]; N],
    out: &mut [T; N],
) {
    // As many lanes as the narrower type fills two registers with.
    let mut sums = [[T::default(); 16]; N];
    let lanes = T::LANES;
    let whole = row.len() / lanes * lanes;
    let others = others.map(|other| &other[..row.len()]);
    let mut at = 0;
    while at < whole {
        for (sums, other) in sums.iter_mut().zip(&others) {
            for lane in 0..lanes {
                sums[lane] = row[at + lane].fma::<FUSED>(other[at + lane], sums[lane]);
            }
        }
        at += lanes;
    }
    for ((out, sums), other) in out.iter_mut().zip(&sums).zip(&others) {
        let mut folded = *sums;
        let mut width = lanes;
        while width > 1 {
            width /= 2;
            for lane in 0..width {
                folded[lane] = folded[lane].plus(folded[lane + width]);
            }
        }
        let mut sum = folded[0];
        for at in whole..row.len() {
            sum = row[at].fma::<FUSED>(other[at], sum);
        }
        *out = sum;
    }
}

/// Fails where rows are given as a graph that is not square.
pub(super) fn check_square(graph: &Sparse) -> Result<()> {
    if graph.rows() == graph.width() {
        return Ok(());
    }
    Err(refused(format!(
        "data has {} rows and {} columns; a graph has as many columns as rows",
        graph.rows(),
        graph.width()
    )))
}
