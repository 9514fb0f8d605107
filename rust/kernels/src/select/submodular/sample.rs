//! Samples of rows by what they add.

use rayon::prelude::*;

use super::{random, refused};
use crate::error::Result;

/// Draws `k` places without replacement, one by one with a probability in proportion to
/// `1 + g + g² / 2` of their gain `g` (the Taylor-softmax of INGENIOUS, Renduchintala et al. 2023),
/// in the order they are drawn.
///
/// The places of the `k` smallest of exponential numbers of these rates (Efraimidis and Spirakis
/// 2006); each depends on the seed and the place alone.
///
/// # Errors
/// [`crate::Error::InvalidInput`] if there are fewer, or a gain is not finite.
pub fn taylor_softmax(gains: &[f64], k: usize, seed: u64) -> Result<Vec<u64>> {
    if k > gains.len() {
        return Err(refused(format!("k is {k}, and there are {} gains; give fewer", gains.len())));
    }
    if let Some(at) = gains.iter().position(|gain| !gain.is_finite()) {
        return Err(refused(format!("gains is {} at position {at}; give numbers", gains[at])));
    }
    let key = |(at, gain): (usize, &f64)| {
        // Never 0, whose logarithm would be the last of all.
        let uniform = ((random(seed, at as u64) >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64);
        // 1 + g + g²/2 is at least 1/2. Halves and roots, so that no square of a gain overflows.
        let weight = 0.5 * ((gain + 1.0) * (gain + 1.0) + 1.0);
        let key = -uniform.ln() / weight;
        (key, at as u64)
    };
    let mut keys: Vec<(f64, u64)> = gains.par_iter().enumerate().map(key).collect();
    let order = |left: &(f64, u64), right: &(f64, u64)| {
        left.0.total_cmp(&right.0).then(left.1.cmp(&right.1))
    };
    if k < keys.len() && k > 0 {
        keys.select_nth_unstable_by(k - 1, order);
    }
    keys.truncate(k);
    keys.sort_unstable_by(order);
    Ok(keys.into_iter().map(|(_, at)| at).collect())
}
