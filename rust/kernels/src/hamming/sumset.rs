//! Sums of two collections of whole numbers: which there are, and how many pairs give each.
//!
//! The same question as Hamming distances: the matches of a pattern at shift i are the pairs of a
//! position in the text and one in the pattern whose difference is i and whose symbols agree.
//!
//! | engine | costs | for |
//! |---|---|---|
//! | `windows` | 1-2 ns a pair, and a step a number and window of sums | sums over a modest range |
//! | `bits` | a word of 64 sums a number | which sums there are, densely |
//! | `fft` | two transforms of the range | far more pairs than sums |
//! | `sort` | 25 ns a pair | sums spread over a huge range |

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// Sums that are counted at once.
const WINDOW: usize = 1 << 17;

/// Pairs that are sorted at once.
const SORTED: usize = 1 << 23;

/// The largest transform.
const LARGEST: u64 = 1 << 28;

/// How sums are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Counters of a window of sums after the other.
    Windows,
    /// A bit a sum; for which sums there are.
    Bits,
    /// One convolution.
    Fft,
    /// Pairs, sorted.
    Sort,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Windows, Self::Bits, Self::Fft, Self::Sort];

    /// The name that users give and read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Bits => "bits",
            Self::Fft => "fft",
            Self::Sort => "sort",
        }
    }

    /// The engine of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }
}

/// Sums in ascending order, and how many pairs give each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The sums.
    pub values: Vec<i64>,
    /// The pairs of each; empty where they were not asked for.
    pub counts: Vec<u64>,
}

impl Sums {
    fn push(&mut self, value: i64, count: u64, counted: bool) {
        self.values.push(value);
        if counted {
            self.counts.push(count);
        }
    }
}

/// Distinct numbers in ascending order, and how often each is there.
struct Numbers {
    values: Vec<i64>,
    weights: Vec<u64>,
    simple: bool,
    total: u64,
}

impl Numbers {
    fn new(numbers: &[i64]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable();
        let (mut values, mut weights) = (vec![], vec![]);
        for run in sorted.chunk_by(|a, b| a == b) {
            values.push(run[0]);
            weights.push(run.len() as u64);
        }
        let simple = values.len() == numbers.len();
        Self { values, weights, simple, total: numbers.len() as u64 }
    }

    fn ends(&self) -> Option<(i64, i64)> {
        Some((*self.values.first()?, *self.values.last()?))
    }
}

/// The smallest and the largest sum, where there is any.
fn ends(a: &Numbers, b: &Numbers) -> Result<Option<(i64, i64)>> {
    let (Some((a_low, a_high)), Some((b_low, b_high))) = (a.ends(), b.ends()) else {
        return Ok(None);
    };
    match (a_low.checked_add(b_low), a_high.checked_add(b_high)) {
        (Some(low), Some(high)) => Ok(Some((low, high))),
        _ => Err(Error::InvalidInput(format!(
            "the sums of numbers from {a_low} to {a_high} and from {b_low} to {b_high} do not fit \
             64 bits; subtract an offset from the numbers, and add it to the sums"
        ))),
    }
}

/// Nanoseconds that each engine is predicted to take.
fn costs(a: &Numbers, b: &Numbers, range: u128, counted: bool) -> [(Engine, f64); 4] {
    let (few, many) = (a.values.len().min(b.values.len()), a.values.len().max(b.values.len()));
    let pairs = few as f64 * many as f64;
    let range = range as f64;
    let windows = range / WINDOW as f64;
    let spread = if pairs > range { 1.0 } else { 2.5 };
    let transform = range.max(1.0).log2().ceil().exp2();
    let norm = (a.weights.iter().chain(&b.weights)).map(|&weight| (weight * weight) as f64).sum();
    let exact = error_bound(transform, norm) < 0.5;
    let fits = transform <= LARGEST as f64 && exact;
    let bits = if counted || range > 1e11 {
        f64::INFINITY
    } else {
        few as f64 * range / 64.0 * 0.15 + range * 0.3
    };
    [
        (Engine::Windows, pairs * spread + windows * (few as f64 * 2.5 + WINDOW as f64 * 0.15)),
        (Engine::Bits, bits),
        (
            Engine::Fft,
            if fits { transform * (2.0 * 0.45 * transform.log2() + 6.0) } else { f64::INFINITY },
        ),
        (Engine::Sort, pairs * 25.0 + many as f64 * 20.0),
    ]
}

/// Bound of the error of a square of a sequence of that squared norm, in transforms of that size;
/// `fft` has its proof, of which this is the case of double precision.
fn error_bound(size: f64, square: f64) -> f64 {
    let u = f64::powi(2.0, -53);
    let l = size.log2();
    2.0 * square * (u * (3.0 * l + 5_f64.sqrt() * (3.0 * l + 1.0) + 3.0 * l)) * 1.01
}

/// The distinct sums of a number of `a` and one of `b`; with `counted`, how many pairs give each,
/// numbers that are there more than once counted as often.
///
/// Costs are in the module's documentation; the engine of the least predicted is chosen, or the one
/// that is given.
///
/// # Errors
/// [`Error::InvalidInput`] if a sum does not fit 64 bits, or the engine given cannot find them;
/// [`Error::Interrupted`].
pub fn sums(
    a: &[i64],
    b: &[i64],
    counted: bool,
    engine: Option<Engine>,
    monitor: &Monitor,
) -> Result<(Sums, Engine)> {
    let (a, b) = (Numbers::new(a), Numbers::new(b));
    let Some((low, high)) = ends(&a, &b)? else {
        return Ok((Sums::default(), engine.unwrap_or(Engine::Windows)));
    };
    // The loop over all numbers is the one over fewer.
    let (a, b) = if a.values.len() <= b.values.len() { (a, b) } else { (b, a) };
    let range = (i128::from(high) - i128::from(low)) as u128 + 1;
    let costs = costs(&a, &b, range, counted);
    let engine = match engine {
        Some(engine) => {
            if costs.iter().any(|&(other, cost)| other == engine && cost.is_infinite()) {
                return Err(Error::InvalidInput(format!(
                    "engine is {:?}, which cannot {} over {range} sums; leave it out, or take \
                     \"windows\" or \"sort\"",
                    engine.name(),
                    if counted { "count pairs" } else { "say which there are" },
                )));
            }
            engine
        }
        None => {
            let least = costs.iter().min_by(|a, b| a.1.total_cmp(&b.1));
            least.map_or(Engine::Sort, |&(engine, _)| engine)
        }
    };
    let found = match engine {
        Engine::Windows => by_windows(&a, &b, low, high, counted, monitor)?,
        Engine::Bits => by_bits(&a, &b, low, range as usize, monitor)?,
        Engine::Fft => by_fft(&a, &b, low, range as usize, counted, monitor)?,
        Engine::Sort => by_sorting(&a, &b, low, high, counted, monitor)?,
    };
    Ok((found, engine))
}

fn by_windows(
    a: &Numbers,
    b: &Numbers,
    low: i64,
    high: i64,
    counted: bool,
    monitor: &Monitor,
) -> Result<Sums> {
    let simple = a.simple && b.simple;
    let mut sums = Sums::default();
    let mut next = vec![0_usize; a.values.len()];
    let mut counters = vec![0_u64; WINDOW];
    let mut small = vec![0_u32; if simple { WINDOW } else { 0 }];
    let mut from = i128::from(low);
    monitor.expect((i128::from(high) - i128::from(low)) as u64 + 1);
    while from <= i128::from(high) {
        monitor.check()?;
        let end = from + WINDOW as i128;
        let mut nearest = i128::MAX;
        for (at, &value) in a.values.iter().enumerate() {
            // Sums of this window: the numbers of b from next[at] on, up to what reaches its end.
            let rest = &b.values[next[at]..];
            let shift = i128::from(value) - from;
            let reach = end - i128::from(value);
            let taken = if rest.last().is_some_and(|&last| i128::from(last) < reach) {
                rest.len()
            } else {
                // Found by doubling steps, for windows take few of many.
                let mut step = 1;
                while step < rest.len() && i128::from(rest[step]) < reach {
                    step *= 2;
                }
                let base = step / 2;
                let top = rest.len().min(step + 1);
                base + rest[base..top].partition_point(|&other| i128::from(other) < reach)
            };
            if simple {
                let counters = small.first_chunk_mut::<WINDOW>().expect("it is as long");
                let shift = shift as i64;
                for &other in &rest[..taken] {
                    // Within the window already: what the mask takes away is a check of bounds.
                    counters[(other.wrapping_add(shift) as usize) % WINDOW] += 1;
                }
            } else {
                let weight = a.weights[at];
                for (&other, &count) in rest[..taken].iter().zip(&b.weights[next[at]..]) {
                    counters[(i128::from(other) + shift) as usize] += weight * count;
                }
            }
            next[at] += taken;
            if let Some(&other) = b.values.get(next[at]) {
                nearest = nearest.min(i128::from(value) + i128::from(other));
            }
            if at % 4096 == 4095 {
                monitor.check()?;
            }
        }
        let mut emit = |at: usize, count: u64| {
            sums.push((from + at as i128) as i64, count, counted);
        };
        if simple {
            for (at, counter) in small.iter_mut().enumerate().filter(|(_, counter)| **counter > 0) {
                emit(at, (*counter).into());
                *counter = 0;
            }
        } else {
            for (at, counter) in counters.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
                emit(at, *counter);
                *counter = 0;
            }
        }
        // Windows without sums are skipped.
        let next = nearest.max(end);
        monitor.advance((next.min(i128::from(high) + 1) - from) as u64);
        from = next;
    }
    Ok(sums)
}

fn by_bits(a: &Numbers, b: &Numbers, low: i64, range: usize, monitor: &Monitor) -> Result<Sums> {
    let first = b.values[0];
    let own = b.values.last().map_or(0, |&last| last.abs_diff(first) as usize) + 1;
    let mut marks = vec![0_u64; own.div_ceil(64) + 1];
    for &value in &b.values {
        let at = value.abs_diff(first) as usize;
        marks[at / 64] |= 1 << (at % 64);
    }
    let mut found = vec![0_u64; range.div_ceil(64) + 2];
    for &value in &a.values {
        monitor.check()?;
        // low is the least of a and the least of b together.
        let shift = (i128::from(value) + i128::from(first) - i128::from(low)) as usize;
        let (word, bit) = (shift / 64, shift % 64);
        let found = &mut found[word..word + marks.len()];
        if bit == 0 {
            found.iter_mut().zip(&marks).for_each(|(found, mark)| *found |= mark);
        } else {
            let mut carry = 0;
            for (found, &mark) in found.iter_mut().zip(&marks) {
                *found |= mark << bit | carry;
                carry = mark >> (64 - bit);
            }
        }
    }
    let mut sums = Sums::default();
    for (word, &mark) in found.iter().enumerate() {
        let mut mark = mark;
        while mark != 0 {
            let at = word * 64 + mark.trailing_zeros() as usize;
            sums.values.push((i128::from(low) + at as i128) as i64);
            mark &= mark - 1;
        }
    }
    Ok(sums)
}

fn by_fft(
    a: &Numbers,
    b: &Numbers,
    low: i64,
    range: usize,
    counted: bool,
    monitor: &Monitor,
) -> Result<Sums> {
    let size = range.next_power_of_two();
    let mut planner = FftPlanner::<f64>::new();
    // The square of a + ib has twice the product of a and b as its imaginary part.
    let mut values = vec![Complex64::default(); size];
    for (&value, &weight) in a.values.iter().zip(&a.weights) {
        values[value.abs_diff(a.values[0]) as usize].re = weight as f64;
    }
    for (&value, &weight) in b.values.iter().zip(&b.weights) {
        values[value.abs_diff(b.values[0]) as usize].im = weight as f64;
    }
    planner.plan_fft_forward(size).process(&mut values);
    monitor.check()?;
    let scale = 0.5 / size as f64;
    values.iter_mut().for_each(|value| *value = *value * *value * scale);
    planner.plan_fft_inverse(size).process(&mut values);
    monitor.check()?;
    let mut sums = Sums::default();
    let mut residue = 0_f64;
    let mut total = 0_u64;
    for (at, value) in values[..range].iter().enumerate() {
        let whole = value.im.round_ties_even();
        residue = residue.max((value.im - whole).abs());
        if whole >= 1.0 {
            total = total.wrapping_add(whole as u64);
            sums.push((i128::from(low) + at as i128) as i64, whole as u64, counted);
        }
    }
    // The bound excludes it; and all pairs have a sum.
    if residue > 0.25 || total != a.total.wrapping_mul(b.total) {
        return Err(Error::Source(
            format!(
                "a transform of {size} sums rounds by {residue}; please report this, and take \
                 another engine meanwhile"
            )
            .into(),
        ));
    }
    Ok(sums)
}

fn by_sorting(
    a: &Numbers,
    b: &Numbers,
    low: i64,
    high: i64,
    counted: bool,
    monitor: &Monitor,
) -> Result<Sums> {
    let mut sums = Sums::default();
    let mut pairs: Vec<(i64, u64)> = vec![];
    let mut next = vec![0_usize; a.values.len()];
    let before = |bound: i128| -> u128 {
        let below =
            |value: i64| b.values.partition_point(|&b| i128::from(value) + i128::from(b) < bound);
        a.values.iter().map(|&value| below(value) as u128).sum()
    };
    let (mut from, high) = (i128::from(low), i128::from(high));
    let mut done = 0;
    monitor.expect(a.values.len() as u64 * b.values.len() as u64);
    while from <= high {
        monitor.check()?;
        // The largest range of sums that holds no more pairs than are sorted at once; at least one.
        let (mut least, mut most) = (from + 1, high + 1);
        if before(most) - done > SORTED as u128 {
            while least < most {
                let middle = least + (most - least + 1) / 2;
                if before(middle) - done <= SORTED as u128 {
                    least = middle;
                } else {
                    most = middle - 1;
                }
                monitor.check()?;
            }
        } else {
            least = most;
        }
        let end = least;
        pairs.clear();
        let mut single = 0;
        for (at, &value) in a.values.iter().enumerate() {
            let start = next[at];
            while let Some(&other) = b.values.get(next[at])
                && i128::from(value) + i128::from(other) < end
            {
                next[at] += 1;
            }
            let weights = b.weights[start..next[at]].iter().map(|&weight| weight * a.weights[at]);
            let taken = b.values[start..next[at]].iter().map(|&other| value + other);
            if end == from + 1 {
                // One sum may have more pairs than are held.
                single += weights.sum::<u64>();
            } else {
                pairs.extend(taken.zip(weights));
            }
        }
        if end == from + 1 {
            if single > 0 {
                sums.push(from as i64, single, counted);
            }
        } else {
            pairs.sort_unstable();
            for run in pairs.chunk_by(|a, b| a.0 == b.0) {
                sums.push(run[0].0, run.iter().map(|&(_, count)| count).sum(), counted);
            }
        }
        let below = before(end);
        monitor.advance((below - done) as u64);
        done = below;
        from = end;
    }
    Ok(sums)
}

/// For each target, how many pairs of a number of `a` and one of `b` have it as their sum.
///
/// O(|a| + |b|) a target, or all sums at once where that costs less.
///
/// # Errors
/// As [`sums`].
pub fn count_pairs(a: &[i64], b: &[i64], targets: &[i64], monitor: &Monitor) -> Result<Vec<u64>> {
    let (first, second) = (Numbers::new(a), Numbers::new(b));
    let Some((low, high)) = ends(&first, &second)? else {
        return Ok(vec![0; targets.len()]);
    };
    let range = (i128::from(high) - i128::from(low)) as u128 + 1;
    let one = (first.values.len() + second.values.len()) as f64 * 1.5;
    let all = costs(&first, &second, range, true);
    let all = all.iter().map(|&(_, cost)| cost).fold(f64::INFINITY, f64::min);
    if one * targets.len() as f64 > all {
        let (sums, _) = sums(a, b, true, None, monitor)?;
        return Ok(targets
            .iter()
            .map(|target| sums.values.binary_search(target).map_or(0, |at| sums.counts[at]))
            .collect());
    }
    let mut counts = vec![0; targets.len()];
    super::each_chunk(&mut counts, 64, monitor, |start, counts| {
        for (&target, count) in targets[start..].iter().zip(counts) {
            monitor.check()?;
            let mut last = second.values.len();
            for (&value, &weight) in first.values.iter().zip(&first.weights) {
                let Some(rest) = target.checked_sub(value) else { continue };
                while last > 0 && second.values[last - 1] > rest {
                    last -= 1;
                }
                if last > 0 && second.values[last - 1] == rest {
                    *count += weight * second.weights[last - 1];
                }
            }
        }
        Ok(())
    })?;
    Ok(counts)
}
