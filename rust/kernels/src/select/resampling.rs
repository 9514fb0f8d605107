//! Rows drawn by how much likelier their n-grams are in a target: DSIR (Xie et al. 2023, Data
//! Selection for Language Models via Importance Resampling).
//!
//! N-grams are hashed into buckets. A row's weight is the sum, over its n-grams, of the logarithm of
//! how much likelier their bucket is among the target's n-grams than among all candidates'. Rows are
//! drawn without replacement, each in proportion to the exponential of its weight, by adding Gumbel
//! noise and taking the highest.
//!
//! Rows are read twice, and nothing is kept of them but their weights.

use std::sync::Arc;

use crate::corpus::Rows;
use crate::counts::{Grams, Hash, Orders, Reader, Tokeniser};
use crate::error::{Error, Result};
use crate::random::Random;
use crate::select::order::{Ranked, best};

/// What is added to probabilities before their logarithm, as DSIR's authors do.
const LEAST: f64 = 1e-8;

/// How rows become buckets.
#[derive(Clone, Debug)]
pub struct Features {
    /// How rows become tokens.
    pub tokeniser: Arc<Tokeniser>,
    /// The lengths of n-grams.
    pub orders: Orders,
    /// Which hash.
    pub hash: Hash,
    /// How many buckets.
    pub buckets: u32,
}

/// What is made of the buckets of each row.
pub trait Take: Send {
    /// Takes one n-gram's bucket.
    fn gram(&mut self, bucket: u32);
    /// Ends a row of so many tokens; a null row has none, and no number.
    fn end_row(&mut self, tokens: Option<usize>);
    /// Ends a stretch of rows that another thread goes on from.
    fn cut(&mut self) {}
}

/// Reads rows, and gives their buckets to what takes them.
#[derive(Debug)]
pub struct Hashed<T> {
    grams: Grams,
    features: Features,
    taken: T,
}

impl<T: Take> Hashed<T> {
    /// Nothing read yet.
    pub fn new(features: &Features, taken: T) -> Self {
        let grams = Grams::new(Arc::clone(&features.tokeniser), features.orders);
        Self { grams, features: features.clone(), taken }
    }

    /// What took the buckets.
    pub fn into_taken(self) -> T {
        self.taken
    }
}

impl<T: Take> Rows for Hashed<T> {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        let Self { grams, features, taken } = self;
        let put = |gram: &[u8]| taken.gram(features.hash.bucket(gram, features.buckets).0);
        let tokens = grams.of_bytes(row, put)?;
        taken.end_row(row.map(|_| tokens));
        Ok(())
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        let Self { grams, features, taken } = self;
        let valid = row.is_some();
        let put = |gram: &[u8]| taken.gram(features.hash.bucket(gram, features.buckets).0);
        let tokens = grams.of_tokens(row, put)?;
        taken.end_row(valid.then_some(tokens));
        Ok(())
    }
}

impl<T: Take> Reader for Hashed<T> {
    fn set_row(&mut self, row: u64) {
        self.grams.set_row(row);
    }

    fn cut(&mut self) {
        self.taken.cut();
    }

    fn push_given(&mut self, grams: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        let mut count = 0;
        for gram in grams {
            self.taken.gram(self.features.hash.bucket(gram, self.features.buckets).0);
            count += 1;
        }
        self.taken.end_row(Some(count));
        Ok(())
    }
}

/// How many n-grams of all rows fall into each bucket.
#[derive(Clone, Debug)]
pub struct Tally(Vec<u64>);

impl Tally {
    /// No n-grams yet.
    pub fn new(buckets: u32) -> Self {
        Self(vec![0; buckets as usize])
    }

    /// The sum of tallies.
    pub fn sum(tallies: impl IntoIterator<Item = Self>) -> Vec<u64> {
        tallies
            .into_iter()
            .map(|tally| tally.0)
            .reduce(|mut sum, other| {
                sum.iter_mut().zip(other).for_each(|(sum, count)| *sum += count);
                sum
            })
            .unwrap_or_default()
    }
}

impl Take for Tally {
    fn gram(&mut self, bucket: u32) {
        self.0[bucket as usize] += 1;
    }

    fn end_row(&mut self, _: Option<usize>) {}
}

/// By how much the logarithm of each bucket's probability in the target exceeds that among all;
/// `smoothing` is added to each of the target's counts.
///
/// # Errors
/// [`Error::InvalidInput`] if either has no n-grams, or `smoothing` is negative or no number.
pub fn log_ratios(target: &[u64], all: &[u64], smoothing: f64) -> Result<Vec<f64>> {
    if !(smoothing >= 0.0 && smoothing.is_finite()) {
        return Err(Error::InvalidInput(format!(
            "smoothing is {smoothing}: give a number from 0 on"
        )));
    }
    let sum = |name: &str, counts: &[u64]| match counts.iter().sum::<u64>() {
        0 => Err(Error::InvalidInput(format!(
            "{name} has no n-grams: give rows with words, or a smaller ngram_range"
        ))),
        sum => Ok(sum as f64),
    };
    let in_target = sum("target", target)? + smoothing * target.len() as f64;
    let in_all = sum("candidates", all)?;
    let ratio = |(&target, &all): (&u64, &u64)| {
        ((target as f64 + smoothing) / in_target + LEAST).ln() - (all as f64 / in_all + LEAST).ln()
    };
    Ok(target.iter().zip(all).map(ratio).collect())
}

/// The weights of rows, and how many tokens they have.
#[derive(Clone, Debug)]
pub struct Weighing {
    ratios: Arc<[f64]>,
    sum: f64,
    /// None of null rows.
    rows: Vec<Option<(f64, usize)>>,
    cuts: Vec<usize>,
}

impl Weighing {
    /// No rows yet.
    pub fn new(ratios: Arc<[f64]>) -> Self {
        Self { ratios, sum: 0.0, rows: vec![], cuts: vec![] }
    }

    /// The rows of several threads in order.
    pub fn join(mut parts: Vec<Self>) -> Vec<Option<(f64, usize)>> {
        if let [only] = &mut parts[..] {
            return std::mem::take(&mut only.rows);
        }
        let mut joined = Vec::with_capacity(parts.iter().map(|part| part.rows.len()).sum());
        let stretches = parts.iter().map(|part| part.cuts.len()).max().unwrap_or(0);
        for stretch in 0..stretches {
            for part in &parts {
                let Some(&stop) = part.cuts.get(stretch) else { continue };
                let start = stretch.checked_sub(1).map_or(0, |before| part.cuts[before]);
                joined.extend_from_slice(&part.rows[start..stop]);
            }
        }
        joined
    }
}

impl Take for Weighing {
    fn gram(&mut self, bucket: u32) {
        self.sum += self.ratios[bucket as usize];
    }

    fn end_row(&mut self, tokens: Option<usize>) {
        self.rows.push(tokens.map(|tokens| (self.sum, tokens)));
        self.sum = 0.0;
    }

    fn cut(&mut self) {
        self.cuts.push(self.rows.len());
    }
}

/// `k` rows, or all, of `min_length` tokens or more: drawn with the seed, the first the one drawn
/// first, or those of the highest weights. A row's noise depends on the seed and its number alone.
///
/// # Errors
/// [`Error::InvalidInput`] if there are fewer.
pub fn draw(
    rows: &[Option<(f64, usize)>],
    k: Option<usize>,
    min_length: usize,
    seed: Option<u64>,
) -> Result<Ranked> {
    let weights: Vec<Option<f64>> = rows
        .iter()
        .map(|row| row.filter(|&(_, tokens)| tokens >= min_length).map(|(weight, _)| weight))
        .collect();
    let Some(seed) = seed else { return best(&weights, &weights, k) };
    let noisy = |(row, weight): (u64, &Option<f64>)| {
        weight.map(|weight| weight + Random::of(seed, row).gumbel())
    };
    let keys: Vec<Option<f64>> = (0..).zip(&weights).map(noisy).collect();
    best(&keys, &weights, k)
}

#[cfg(test)]
mod tests {
    use super::{draw, log_ratios};
    use crate::error::Error;

    #[test]
    fn ratios_are_those_of_the_formula() {
        let found = log_ratios(&[1, 3, 0], &[5, 5, 10], 0.0).unwrap();
        let by_hand = |target: f64, all: f64| (target + 1e-8).ln() - (all + 1e-8).ln();
        assert_eq!(found, [by_hand(0.25, 0.25), by_hand(0.75, 0.25), by_hand(0.0, 0.5)]);
        let smooth = log_ratios(&[1, 3, 0], &[5, 5, 10], 2.0).unwrap();
        assert_eq!(smooth, [by_hand(0.3, 0.25), by_hand(0.5, 0.25), by_hand(0.2, 0.5)]);
        for (target, all, smoothing) in [([0], [1], 0.0), ([1], [0], 0.0), ([1], [1], -1.0)] {
            assert!(matches!(log_ratios(&target, &all, smoothing), Err(Error::InvalidInput(_))));
        }
    }

    #[test]
    fn rows_are_drawn_in_proportion_to_the_exponential_of_their_weights() {
        let shares: [f64; 4] = [0.1, 0.2, 0.3, 0.4];
        let mut rows: Vec<Option<(f64, usize)>> =
            shares.iter().map(|share| Some((share.ln(), 5))).collect();
        rows.push(None);
        rows.push(Some((100.0, 4)));
        let times = 20_000;
        let mut first = [0.0; 6];
        let mut second = [0.0; 6];
        for seed in 0..times {
            let found = draw(&rows, Some(2), 5, Some(seed)).unwrap().row;
            first[found[0] as usize] += 1.0;
            if found[0] == 3 {
                second[found[1] as usize] += 1.0;
            }
        }
        let square = |counts: &[f64], shares: &[f64]| -> f64 {
            let total: f64 = counts.iter().sum();
            let expected = shares.iter().map(|share| share * total);
            counts.iter().zip(expected).map(|(count, it)| (count - it).powi(2) / it).sum()
        };
        // The 0.999 quantiles of the chi-square distributions with 3 and 2 degrees of freedom.
        assert!(square(&first[..4], &shares) < 16.3, "{first:?}");
        assert!(square(&second[..3], &[1.0 / 6.0, 2.0 / 6.0, 0.5]) < 13.9, "{second:?}");
        assert_eq!(first[4..], [0.0, 0.0]);
    }

    #[test]
    fn without_a_seed_the_heaviest_come_first() {
        let rows = [Some((1.0, 1)), None, Some((3.0, 9)), Some((2.0, 2))];
        assert_eq!(draw(&rows, None, 0, None).unwrap().row, [2, 3, 0]);
        assert_eq!(draw(&rows, Some(1), 2, None).unwrap().score, [3.0]);
        assert!(matches!(draw(&rows, Some(3), 2, None), Err(Error::InvalidInput(_))));
    }
}
