//! Approximate distances, with the promise that was asked for.
//!
//! - *Additive*: a sample of s = ⌈ln(2n/δ) / (2ε²)⌉ positions, drawn without replacement, has at
//!   every one of n windows a share of mismatches within ε of the pattern's with probability 1 - δ
//!   (Hoeffding 1963, theorems 1 and 4, and the union bound). The cost does not depend on m.
//! - *Projected*: symbols become independent random signs r, so that r(a) r(b) is 1 on average
//!   where a = b and 0 elsewhere: the mean of R correlations of signs estimates the matches without
//!   bias (Karloff 1993). The variance of one is Σ over pairs of distinct symbols {a, b} of
//!   (N_ab + N_ba)², at most d², where N_ab counts the positions of a against b. A relative error
//!   of ε at every window with probability 1 - δ needs R = ⌈8 ln(2n/δ) / ε²⌉ of them in the worst
//!   case, which is more than exact distances cost on all but artificial alphabets; so the relative
//!   promise is kept by exact distances wherever those are predicted to be cheaper.
//! - Without a promise, a few projections; the nearest windows are then counted exactly, and the
//!   error is measured on a sample of windows.

use std::borrow::Cow;
use std::collections::BinaryHeap;

use super::distances::{Distances, Hamming, Options};
use super::fft::{self, Indicators, Layout};
use super::plan::{Method, Plan, transform_cost};
use super::prepare::{Haystack, Needle};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::Pattern;

/// Windows whose error is measured.
const MEASURED: usize = 512;

/// Nanoseconds of a trial, over the windows.
const TRIAL: f64 = 5.0;

/// Trials whose signs fit a byte that also says whether a symbol is the pattern's.
const TOGETHER: usize = 7;

/// What is promised of every window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// An error of at most εm.
    Additive,
    /// An error of at most ε times the distance.
    Relative,
    /// Nothing.
    None,
}

/// What to approximate, and how well.
#[derive(Clone, Copy, Debug)]
pub struct Approximate {
    /// What is promised with probability 1 - `delta`.
    pub guarantee: Guarantee,
    /// The error.
    pub epsilon: f64,
    /// The probability of a larger one.
    pub delta: f64,
    /// Projections where nothing is promised.
    pub trials: usize,
    /// Windows to count exactly where nothing is promised: the nearest ones.
    pub verify: usize,
    /// What signs and positions are drawn by.
    pub seed: u64,
    /// Approximate also where exact distances are predicted to cost less.
    pub always: bool,
}

/// Estimated distances, and how they came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Approximation {
    /// The estimate for each window.
    pub distances: Vec<f32>,
    /// `"exact"`, `"sampling"` or `"projection"`.
    pub method: &'static str,
    /// Positions looked at; 0 unless sampling.
    pub positions: usize,
    /// Projections; 0 unless projecting.
    pub trials: usize,
    /// The 99th percentile of the relative error, measured on a sample of windows that an exact
    /// count was made for; 0 of exact distances.
    pub error: f64,
    /// Start and exact distance of the nearest windows that were verified, nearest first.
    pub verified: Vec<(u64, u32)>,
}

/// A uniform number of a seed and a place: the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) fn random(seed: u64, place: u64) -> u64 {
    let mix = |value: u64| {
        let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    };
    mix(mix(seed).wrapping_add(place))
}

impl Approximate {
    fn check(&self) -> Result<()> {
        let epsilon = self.epsilon;
        if self.guarantee != Guarantee::None && !(epsilon > 0.0 && epsilon < 1.0) {
            return Err(Error::InvalidInput(format!(
                "epsilon is {epsilon}: give a number between 0 and 1, such as 0.05"
            )));
        }
        if self.guarantee != Guarantee::None && !(self.delta > 0.0 && self.delta < 1.0) {
            return Err(Error::InvalidInput(format!(
                "delta is {}: give a probability between 0 and 1, such as 0.001",
                self.delta
            )));
        }
        if self.guarantee == Guarantee::None && !(1..=1024).contains(&self.trials) {
            return Err(Error::InvalidInput(format!("trials is {}: give 1 to 1024", self.trials)));
        }
        Ok(())
    }

    /// Positions that keep the additive promise.
    pub fn positions(&self, windows: usize) -> f64 {
        (2.0 * windows as f64 / self.delta).ln() / (2.0 * self.epsilon * self.epsilon)
    }

    /// Projections that keep the relative promise.
    fn projections(&self, windows: usize) -> f64 {
        8.0 * (2.0 * windows as f64 / self.delta).ln() / (self.epsilon * self.epsilon)
    }
}

impl Hamming<'_> {
    /// Approximates the distance of a pattern to every window of a text; none if the text is
    /// shorter, or the pattern null. The same seed gives the same numbers.
    ///
    /// # Errors
    /// As [`Hamming::distances`]; [`Error::InvalidInput`] if `epsilon` or `delta` is not between 0
    /// and 1.
    pub fn approximate(
        &self,
        text: Pattern<'_>,
        pattern: usize,
        how: &Approximate,
        options: Options,
        monitor: &Monitor,
    ) -> Result<Approximation> {
        how.check()?;
        let text = &self.text(text)?;
        let exactly = |distances: &Distances, scale: f64| Approximation {
            distances: distances.scaled(scale),
            method: "exact",
            positions: 0,
            trials: 0,
            error: 0.0,
            verified: vec![],
        };
        let Some(needle) = self.needle(pattern) else {
            return Ok(exactly(&Distances::U8(vec![]), 1.0));
        };
        let bytes = self.preparation.of_bytes();
        let simd = options.simd();
        let exact = Plan::new(text, needle, bytes, options.method, simd);
        let cheaper = |cost: f64| how.always || cost < exact.nanoseconds;
        let windows = exact.windows;
        match how.guarantee {
            Guarantee::Additive => {
                let wanted = how.positions(windows.max(1)).ceil();
                if wanted < needle.care() as f64 {
                    let kept = sample(needle, wanted as usize, how.seed);
                    let sampled = needle.restricted(|at| kept[at as usize]);
                    let narrow = Plan::new(text, &sampled, bytes, Some(Method::Direct), simd);
                    let plan = Plan::new(text, &sampled, bytes, None, simd);
                    let plan = if plan.nanoseconds < narrow.nanoseconds { plan } else { narrow };
                    if cheaper(plan.nanoseconds) {
                        let found = Distances::counted(text, &sampled, &plan, monitor)?;
                        let scale = needle.care() as f64 / wanted;
                        let mut found = exactly(&found, scale);
                        found.method = "sampling";
                        found.positions = wanted as usize;
                        measure(&Exact::new(text, needle), how.seed, &mut found);
                        return Ok(found);
                    }
                }
            }
            Guarantee::Relative | Guarantee::None => {
                let trials = match how.guarantee {
                    Guarantee::None => how.trials as f64,
                    _ => how.projections(windows.max(1)).ceil(),
                };
                let feasible = trials <= f64::from(1 << 20) && text.wild.is_empty();
                if feasible && windows > 0 && cheaper(TRIAL * trials) {
                    return self.project(text, needle, trials as usize, how, monitor);
                }
            }
        }
        let distances = Distances::counted(text, needle, &exact, monitor)?;
        let mut found = exactly(&distances, 1.0);
        if how.guarantee == Guarantee::None {
            verify(&Exact::new(text, needle), how.verify, &mut found);
        }
        Ok(found)
    }

    fn project(
        &self,
        text: &Haystack<'_>,
        needle: &Needle,
        trials: usize,
        how: &Approximate,
        monitor: &Monitor,
    ) -> Result<Approximation> {
        let windows = text.len() + 1 - needle.length;
        let care = needle.care() as f32;
        let mut distances = vec![care; windows];
        monitor.expect((windows * trials.div_ceil(TOGETHER)) as u64);
        for first in (0..trials).step_by(TOGETHER) {
            let signals = TOGETHER.min(trials - first);
            let signs = |code: u32| -> u8 {
                let sign = |trial| random(how.seed, (trial as u64) << 32 | u64::from(code)) & 1;
                (0..signals).map(|at| (sign(first + at) as u8) << at).sum()
            };
            // Symbols that the pattern has not match nothing: no sign at all is what they count.
            let (text, symbols) = match &text.wide {
                None => {
                    let symbols = needle.symbols.iter();
                    let signed = symbols.map(|(code, at)| (*code as u8, at.clone(), signs(*code)));
                    (Cow::Borrowed(&*text.narrow), signed.collect())
                }
                Some(wide) => signed(wide, needle, signs),
            };
            let indicators = Indicators::signs(symbols, needle.length, signals, trials);
            // Rounding may be a thousandth of the pattern's length, which the estimates' own error
            // is far above; what is bounded by 1/2 is less by as much.
            let most = (needle.length as f64 / 1000.0).max(0.5);
            let share = signals as f64 * (0.5 / most).powi(2);
            let square = |piece: usize| (piece * signals) as f64 / (trials * trials) as f64;
            let cost = |layout: &Layout| transform_cost(layout, signals, windows, 1);
            let layout = Layout::choose(needle.length, signals, share, square, cost);
            let layout = layout.ok_or_else(|| {
                Error::InvalidInput(format!(
                    "the pattern has {} symbols, more than are projected: ask for exact distances",
                    needle.length
                ))
            })?;
            let slice = fft::Slice::F32(&mut distances);
            let task = fft::Task { indicators: &indicators, distances: slice };
            fft::subtract(&text, vec![task], layout, monitor)?;
        }
        distances.iter_mut().for_each(|distance| *distance = distance.clamp(0.0, care));
        let mut found = Approximation {
            distances,
            method: "projection",
            positions: 0,
            trials,
            error: 0.0,
            verified: vec![],
        };
        let exact = Exact::new(text, needle);
        if how.guarantee == Guarantee::None {
            verify(&exact, how.verify, &mut found);
        }
        measure(&exact, how.seed, &mut found);
        Ok(found)
    }
}

/// A byte of signs, where the pattern's symbols stand that have them, and the signs alone.
type Signed = (u8, Vec<u32>, u8);

/// A text and a pattern of many symbols as bytes of their signs; 0 of the text's other symbols.
fn signed<'a>(
    text: &[u32],
    needle: &Needle,
    signs: impl Fn(u32) -> u8,
) -> (Cow<'a, [u8]>, Vec<Signed>) {
    const KNOWN: u8 = 1 << TOGETHER;
    let most = needle.symbols.iter().map(|(code, _)| *code as usize).max().unwrap_or(0);
    let mut bytes = vec![0; most + 1];
    let mut positions = vec![vec![]; 2 * usize::from(KNOWN)];
    for (code, at) in &needle.symbols {
        let byte = KNOWN | signs(*code);
        bytes[*code as usize] = byte;
        positions[usize::from(byte)].extend(at);
    }
    let text = text.iter().map(|&code| bytes.get(code as usize).copied().unwrap_or(0));
    let symbols = positions.into_iter().enumerate().filter(|(_, at)| !at.is_empty());
    let sorted = |(byte, mut positions): (usize, Vec<u32>)| {
        positions.sort_unstable();
        (byte as u8, positions, byte as u8 & (KNOWN - 1))
    };
    (text.collect(), symbols.map(sorted).collect())
}

/// Measures the error on a sample of windows.
fn measure(exact: &Exact<'_, '_>, seed: u64, found: &mut Approximation) {
    let windows = found.distances.len() as u64;
    if windows == 0 {
        return;
    }
    let error = |nth| {
        let at = (random(!seed, nth) % windows) as usize;
        let exact = exact.distance(at) as f64;
        let off = (f64::from(found.distances[at]) - exact).abs();
        if off == 0.0 { 0.0 } else { off / exact.max(1.0) }
    };
    let mut errors: Vec<f64> = (0..MEASURED as u64).map(error).collect();
    errors.sort_unstable_by(f64::total_cmp);
    found.error = errors[(errors.len() * 99).div_ceil(100) - 1];
}

/// Which positions are drawn: so many of those that are no wildcards.
fn sample(needle: &Needle, size: usize, seed: u64) -> Vec<bool> {
    let mut order: Vec<(u64, u32)> = needle
        .symbols
        .iter()
        .flat_map(|(_, positions)| positions)
        .map(|&at| (random(seed, at.into()), at))
        .collect();
    let mut kept = vec![false; needle.length];
    if size < order.len() {
        order.select_nth_unstable(size);
        order.truncate(size);
    }
    order.iter().for_each(|&(_, at)| kept[at as usize] = true);
    kept
}

/// Counts the windows of the smallest estimates exactly, and puts their distances in place.
fn verify(exact: &Exact<'_, '_>, most: usize, found: &mut Approximation) {
    // Estimates are not negative, and so ordered as their bits are.
    let mut kept = BinaryHeap::new();
    let mut bound = u32::MAX;
    if most > 0 {
        for (at, estimate) in found.distances.iter().enumerate() {
            let estimate = estimate.to_bits();
            if estimate < bound {
                kept.push((estimate, at));
                if kept.len() > most {
                    kept.pop();
                }
                if kept.len() == most {
                    bound = kept.peek().map_or(bound, |&(estimate, _)| estimate);
                }
            }
        }
    }
    let mut verified: Vec<(u64, u32)> =
        kept.into_iter().map(|(_, at)| (at as u64, exact.distance(at) as u32)).collect();
    verified.sort_unstable_by_key(|&(at, distance)| (distance, at));
    for &(at, distance) in &verified {
        found.distances[at as usize] = distance as f32;
    }
    found.verified = verified;
}

/// Counts single windows, the symbols of one after the other.
struct Exact<'h, 't> {
    text: &'h Haystack<'t>,
    codes: Vec<Option<u32>>,
    /// The pattern's bytes, and 255 where it has no wildcard; where bytes tell its symbols apart.
    bytes: Option<(Vec<u8>, Vec<u8>)>,
}

impl<'h, 't> Exact<'h, 't> {
    fn new(text: &'h Haystack<'t>, needle: &Needle) -> Self {
        let codes = needle.codes();
        let bytes = (text.wide.is_none() && text.wild.is_empty()).then(|| {
            let bytes = codes.iter().map(|code| code.map_or(0, |code| code as u8)).collect();
            let care = codes.iter().map(|code| if code.is_some() { u8::MAX } else { 0 }).collect();
            (bytes, care)
        });
        Self { text, codes, bytes }
    }

    fn distance(&self, start: usize) -> usize {
        let Some((bytes, care)) = &self.bytes else {
            return self.text.distance(start, &self.codes, usize::MAX).unwrap_or(0);
        };
        const LANES: usize = 128;
        let window = &self.text.narrow[start..start + bytes.len()];
        let parts = window.chunks(LANES).zip(bytes.chunks(LANES)).zip(care.chunks(LANES));
        parts
            .map(|((window, bytes), care)| {
                // As many as a byte counts, in lanes of bytes.
                let differ = window.iter().zip(bytes).zip(care);
                let count = |((a, b), care): ((&u8, &u8), &u8)| u8::from((a ^ b) & care != 0);
                usize::from(differ.map(count).sum::<u8>())
            })
            .sum()
    }
}
