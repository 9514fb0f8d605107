//! Rows of numbers, sparse or dense.

use rayon::prelude::*;

use super::refused;
use crate::error::Result;

/// Sparse rows of numbers: of row `r` the entries `starts[r]..starts[r + 1]`, columns ascending,
/// none of them 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sparse {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    width: usize,
}

impl Sparse {
    /// Takes rows as they are, their columns ascending; zeros are left out.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] if the parts contradict each other, columns do not ascend, or
    /// a value is not finite.
    pub fn new(
        starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f64>,
        width: usize,
    ) -> Result<Self> {
        let whole = starts.first() == Some(&0)
            && starts.is_sorted()
            && starts.last() == Some(&columns.len())
            && columns.len() == values.len();
        if !whole {
            return Err(refused(
                "data is a sparse matrix whose parts contradict each other; build it again",
            ));
        }
        if starts.len() - 1 > u32::MAX as usize || width > u32::MAX as usize {
            return Err(refused("data has more than 2^32 - 1 rows or columns; split it"));
        }
        let mut found = Self { starts, columns, values, width };
        for row in 0..found.rows() {
            let (columns, values) = found.row(row);
            if !columns.is_sorted_by(|a, b| a < b) {
                return Err(refused(format!(
                    "data has a column twice, or out of order, in row {row}; sum duplicates and \
                     sort indices"
                )));
            }
            if columns.last().is_some_and(|&last| last as usize >= width) {
                return Err(refused(format!(
                    "data has a column of {width} or beyond in row {row}; it has {width} columns"
                )));
            }
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                return Err(refused(format!(
                    "data is {} in row {row}, column {}; give finite numbers",
                    values[at], columns[at]
                )));
            }
        }
        if found.values.contains(&0.0) {
            found = found.where_not(|_, value| value == 0.0);
        }
        Ok(found)
    }

    fn where_not(&self, out: impl Fn(u32, f64) -> bool) -> Self {
        let mut kept = Self { starts: vec![0], width: self.width, ..Self::default() };
        for row in 0..self.rows() {
            let (columns, values) = self.row(row);
            let entries =
                columns.iter().zip(values).filter(|&(&column, &value)| !out(column, value));
            for (&column, &value) in entries {
                kept.columns.push(column);
                kept.values.push(value);
            }
            kept.starts.push(kept.columns.len());
        }
        kept
    }

    /// Rows of entries that come one by one, known to be in order.
    pub(super) fn of(rows: impl Iterator<Item = Vec<(u32, f64)>>, width: usize) -> Self {
        let mut found = Self { starts: vec![0], width, ..Self::default() };
        for row in rows {
            found.columns.extend(row.iter().map(|&(column, _)| column));
            found.values.extend(row.iter().map(|&(_, value)| value));
            found.starts.push(found.columns.len());
        }
        found
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The columns and values of a row.
    pub fn row(&self, row: usize) -> (&[u32], &[f64]) {
        let span = self.starts[row]..self.starts[row + 1];
        (&self.columns[span.clone()], &self.values[span])
    }

    /// Each row divided by a number that is made of its values.
    #[must_use]
    pub fn divided(mut self, by: impl Fn(&[f64]) -> f64) -> Self {
        for row in 0..self.rows() {
            let by = by(self.row(row).1);
            self.values_mut(row).iter_mut().for_each(|value| *value /= by);
        }
        self
    }

    /// Where rows start, columns and values.
    pub fn into_parts(self) -> (Vec<usize>, Vec<u32>, Vec<f64>) {
        (self.starts, self.columns, self.values)
    }

    /// Entries.
    pub fn entries(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn values_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[self.starts[row]..self.starts[row + 1]]
    }

    /// Columns as rows, by counting.
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0; self.width + 1];
        for &column in &self.columns {
            starts[column as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut fill = starts.clone();
        let mut columns = vec![0; self.columns.len()];
        let mut values = vec![0.0; self.columns.len()];
        for row in 0..self.rows() {
            let (own, numbers) = self.row(row);
            for (&column, &value) in own.iter().zip(numbers) {
                let at = &mut fill[column as usize];
                columns[*at] = row as u32;
                values[*at] = value;
                *at += 1;
            }
        }
        Self { starts, columns, values, width: self.rows() }
    }

    /// Some of the rows.
    pub(super) fn take(&self, rows: &[u32]) -> Self {
        let entries = |&row: &u32| {
            let (columns, values) = self.row(row as usize);
            columns.iter().copied().zip(values.iter().copied()).collect()
        };
        Self::of(rows.iter().map(entries), self.width)
    }

    /// Some of the rows, ascending, and of them the columns of the same numbers.
    pub(super) fn take_square(&self, rows: &[u32]) -> Self {
        let mut place = vec![u32::MAX; self.width];
        for (at, &row) in (0..).zip(rows) {
            place[row as usize] = at;
        }
        let entries = |&row: &u32| {
            let (columns, values) = self.row(row as usize);
            let kept =
                columns.iter().zip(values).map(|(&column, &value)| (place[column as usize], value));
            kept.filter(|&(column, _)| column != u32::MAX).collect()
        };
        Self::of(rows.iter().map(entries), rows.len())
    }
}

/// A number of 32 or 64 bits.
pub trait Real: Copy + Send + Sync + Default + PartialEq + Into<f64> + 'static {
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// From 64 bits.
    fn of(value: f64) -> Self;
    /// `self · other + sum`, rounded once if `FUSED`.
    fn fma<const FUSED: bool>(self, other: Self, sum: Self) -> Self;
    /// The sum of two.
    fn plus(self, other: Self) -> Self;
    /// How many the sum of a product is kept in.
    const LANES: usize;
}

macro_rules! real {
    ($type:ty, $lanes:literal) => {
        impl Real for $type {
            const LANES: usize = $lanes;
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn fma<const FUSED: bool>(self, other: Self, sum: Self) -> Self {
                if FUSED { self.mul_add(other, sum) } else { self * other + sum }
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
        }
    };
}

real!(f32, 16);
real!(f64, 8);

/// Dense rows of numbers, end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dense<T> {
    values: Vec<T>,
    width: usize,
}

impl<T: Real> Dense<T> {
    /// Takes rows of `width` numbers.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] if they do not come out even, or one is not finite.
    pub fn new(values: Vec<T>, width: usize) -> Result<Self> {
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(refused(format!(
                "data has {} numbers, and rows of {width}; give a matrix of one column or more",
                values.len()
            )));
        }
        if values.len() / width > u32::MAX as usize {
            return Err(refused("data has more than 2^32 - 1 rows; split it"));
        }
        if let Some(at) = values.par_iter().position_first(|value| !value.is_finite()) {
            return Err(refused(format!(
                "data is {} in row {}, column {}; give finite numbers",
                values[at].into(),
                at / width,
                at % width
            )));
        }
        Ok(Self { values, width })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The numbers of a row.
    #[inline]
    pub fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// All numbers, row by row.
    pub fn into_values(self) -> Vec<T> {
        self.values
    }

    pub(super) fn rows_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [T]> {
        self.values.par_chunks_mut(self.width)
    }

    pub(super) fn take(&self, rows: &[u32]) -> Self {
        let mut values = Vec::with_capacity(rows.len() * self.width);
        for &row in rows {
            values.extend_from_slice(self.row(row as usize));
        }
        Self { values, width: self.width }
    }
}

/// Rows of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix {
    /// Sparse.
    Sparse(Sparse),
    /// Dense, of 32 bits.
    Narrow(Dense<f32>),
    /// Dense, of 64 bits.
    Wide(Dense<f64>),
}

impl Matrix {
    /// Rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Sparse(data) => data.rows(),
            Self::Narrow(data) => data.rows(),
            Self::Wide(data) => data.rows(),
        }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        match self {
            Self::Sparse(data) => data.width(),
            Self::Narrow(data) => data.width(),
            Self::Wide(data) => data.width(),
        }
    }

    /// Entries, zeros of dense rows among them.
    pub fn entries(&self) -> usize {
        match self {
            Self::Sparse(data) => data.entries(),
            _ => self.rows() * self.width(),
        }
    }

    /// Gives the entries of a row, but for zeros.
    #[inline]
    pub fn each(&self, row: usize, mut give: impl FnMut(usize, f64)) {
        match self {
            Self::Sparse(data) => {
                let (columns, values) = data.row(row);
                for (&column, &value) in columns.iter().zip(values) {
                    give(column as usize, value);
                }
            }
            Self::Narrow(data) => each(data.row(row), give),
            Self::Wide(data) => each(data.row(row), give),
        }
    }

    pub(super) fn take(&self, rows: &[u32]) -> Self {
        match self {
            Self::Sparse(data) => Self::Sparse(data.take(rows)),
            Self::Narrow(data) => Self::Narrow(data.take(rows)),
            Self::Wide(data) => Self::Wide(data.take(rows)),
        }
    }

    /// Row and column of a negative number, if there is one.
    pub fn negative(&self) -> Option<(usize, usize)> {
        (0..self.rows()).into_par_iter().find_map_first(|row| {
            let mut found = None;
            self.each(row, |column, value| {
                if value < 0.0 && found.is_none() {
                    found = Some((row, column));
                }
            });
            found
        })
    }
}

#[inline]
fn each<T: Real>(row: &[T], mut give: impl FnMut(usize, f64)) {
    for (column, &value) in row.iter().enumerate() {
        let value: f64 = value.into();
        if value != 0.0 {
            give(column, value);
        }
    }
}
