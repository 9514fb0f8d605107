//! Counts matches of frequent symbols by fast Fourier transforms: the heavy symbols of Abrahamson
//! and of Fischer and Paterson.
//!
//! The matches of a symbol c at shift i are the correlation of two indicators, of c in the text and
//! of c in the pattern; those of a set of symbols are their sum, taken among the spectra, so that
//! one inverse transform serves them all. The text is read in blocks of N symbols that overlap
//! (overlap-save), two blocks at a time as the real and the imaginary part of one transform: the
//! pattern is real, so its correlation with each part stays in that part.
//!
//! If the text is made of the set's symbols alone, one of them needs no transform: its indicator is
//! one minus the others', so its pattern is taken off theirs, and its count is added to all.
//!
//! # Exactness
//!
//! Sums are whole numbers, rounded from floating point: right while the error is below 1/2. For
//! transforms of length N = 2^l with twiddle factors right to u, Brent, Percival and Zimmermann
//! ("Error bounds on complex floating-point multiplication", 2007, theorem 5.1) bound the error of
//! a correlation of x and y by |x| |y| ((1+u)^3l (1+u√5)^(3l+1) (1+u)^3l - 1), Euclidean norms and
//! u = 2^-24 in single precision and 2^-53 in double. It is proved for radix 2; on the way to any output larger radices
//! do as many additions and no more multiplications. The spectra of K symbols are added before the
//! inverse, with rounding errors of at most K u relative to the sum of their magnitudes, which
//! Cauchy and Schwarz bound by |x| |y|, the norms over all symbols. The squared norm of x is the
//! number of places of a block that hold one of the symbols, which is counted.
//!
//! So [`error_bound`] is |x| |y| (… + K u) and a tenth more, and [`Layout::choose`] cuts the pattern in pieces, each
//! with its own inverse, so short that it stays below 1/2; or takes double precision, of which whole
//! patterns are, where that costs less. The largest distance of any sum to the
//! whole number it is rounded to, the *residue*, comes back with the answer: tests assert that it is
//! far below, and a residue above 1/4 is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftNum, FftPlanner};

use super::{Count, each_chunk};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// The smallest and largest transforms, as powers of two.
const SIZES: std::ops::RangeInclusive<u32> = 10..=18;
const DOUBLE_SIZES: std::ops::RangeInclusive<u32> = 12..=21;

/// Pieces of a pattern, at most.
const MOST_PIECES: usize = 256;

/// Residues above this are refused.
const TRUSTED: f32 = 0.25;

/// How a text and a pattern are cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    /// Symbols of a transform, a power of two.
    pub size: usize,
    /// Symbols of a piece of the pattern.
    pub piece: usize,
    /// Pieces of the pattern.
    pub pieces: usize,
    /// Bound of the rounding error.
    pub error: f64,
    /// Whether transforms are of double precision.
    pub double: bool,
}

/// A precision of transforms.
pub(crate) trait Real: FftNum + From<u8> + Default {
    /// Added to a number and taken off again, it rounds to a whole one, ties to even; three times
    /// the largest power of two below which all whole numbers are there.
    const ROUND: Self;
    /// Of a number that is there in single precision.
    fn of(number: f32) -> Self;
    /// Nearly the number.
    fn single(self) -> f32;
    /// The whole number.
    fn whole(self) -> i32;
}

impl Real for f32 {
    const ROUND: Self = 12_582_912.0;

    #[inline(always)]
    fn of(number: f32) -> Self {
        number
    }

    #[inline(always)]
    fn single(self) -> f32 {
        self
    }

    #[inline(always)]
    fn whole(self) -> i32 {
        self as i32
    }
}

impl Real for f64 {
    const ROUND: Self = 6_755_399_441_055_744.0;

    #[inline(always)]
    fn of(number: f32) -> Self {
        number.into()
    }

    #[inline(always)]
    fn single(self) -> f32 {
        self as f32
    }

    #[inline(always)]
    fn whole(self) -> i32 {
        self as i32
    }
}

impl Layout {
    /// Windows that a transform gives.
    pub fn step(&self) -> usize {
        self.size - self.piece + 1
    }

    /// The cheapest by `cost` of those whose error bound is below 1/2, for a pattern of `length`
    /// symbols, of which a text has that `share`; `square` bounds the squared norm of any `piece` symbols of its transformed patterns.
    pub fn choose(
        length: usize,
        transforms: usize,
        share: f64,
        square: impl Fn(usize) -> f64,
        cost: impl Fn(&Self) -> f64,
    ) -> Option<Self> {
        let mut best: Option<(f64, Self)> = None;
        for log in SIZES {
            let size = 1_usize << log;
            let least = length.div_ceil(size * 3 / 4).max(1);
            let mut pieces = least;
            while pieces <= MOST_PIECES && pieces <= length {
                let piece = length.div_ceil(pieces);
                let error = error_bound(size, share, square(piece).sqrt(), transforms, false);
                if error < 0.5 {
                    let layout =
                        Self { size, piece, pieces: length.div_ceil(piece), error, double: false };
                    let cost = cost(&layout);
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, layout));
                    }
                    if pieces >= least * 2 {
                        break;
                    }
                }
                pieces += pieces.div_ceil(4);
            }
        }
        for log in DOUBLE_SIZES {
            let size = 1_usize << log;
            let error = error_bound(size, share, square(length).sqrt(), transforms, true);
            if length <= size * 3 / 4 && error < 0.5 {
                let layout = Self { size, piece: length, pieces: 1, error, double: true };
                let cost = cost(&layout);
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, layout));
                }
            }
        }
        best.map(|(_, layout)| layout)
    }
}

/// Bound of the rounding error of correlations with patterns of a norm, in transforms of a size, of
/// blocks a share of whose places holds one of the symbols.
pub(crate) fn error_bound(
    size: usize,
    share: f64,
    norm: f64,
    transforms: usize,
    double: bool,
) -> f64 {
    let u = f64::powi(2.0, if double { -53 } else { -24 });
    let l = f64::from(size.ilog2());
    // The product less one, by logarithms, which keep what is far smaller than one.
    let logarithm = 6.0 * l * u.ln_1p() + (3.0 * l + 1.0) * (u * 5_f64.sqrt()).ln_1p();
    let growth = logarithm.exp_m1();
    1.1 * (size as f64 * share).sqrt() * norm * (growth + transforms as f64 * u)
}

/// What stands in a pattern for each transform of the text.
#[derive(Clone, Debug)]
pub(crate) struct Indicators {
    /// The byte whose indicator in the text is transformed.
    pub symbols: Vec<u8>,
    /// For each, its positions in the pattern, ascending.
    positions: Vec<Vec<u32>>,
    /// Positions of the symbol that needs no transform.
    implied: Vec<u32>,
    length: usize,
}

impl Indicators {
    /// Of symbols, each with its ascending positions; `closed` if the text has no others, of which
    /// the last then needs no transform.
    pub fn new<'a>(
        symbols: impl Iterator<Item = (u8, &'a [u32])>,
        length: usize,
        closed: bool,
    ) -> Self {
        let mut all: Vec<(u8, Vec<u32>)> =
            symbols.map(|(symbol, positions)| (symbol, positions.to_vec())).collect();
        let implied = if closed { all.pop() } else { None };
        let (symbols, positions) = all.into_iter().unzip();
        Self { symbols, positions, implied: implied.unwrap_or_default().1, length }
    }

    /// The largest squared norm, over all symbols, of any piece of so many positions.
    pub fn square(&self, piece: usize) -> f64 {
        let mut most = 0;
        let within = |positions: &[u32], from: usize| {
            let low = positions.partition_point(|&at| (at as usize) < from);
            let high = positions.partition_point(|&at| (at as usize) < from + piece);
            high - low
        };
        for from in (0..self.length.max(1)).step_by(piece.max(1)) {
            let own: usize = self.positions.iter().map(|positions| within(positions, from)).sum();
            most = most.max(own + self.symbols.len() * within(&self.implied, from));
        }
        most as f64
    }

    /// Bounds the share of its symbols in any `size` places of a text.
    pub fn share(&self, text: &[u8], size: usize) -> f64 {
        let mut known = [0_u8; 256];
        self.symbols.iter().for_each(|&symbol| known[usize::from(symbol)] = 1);
        // Any block lies within one more of these parts than it fills.
        let part = (size / 16).max(1);
        let count =
            |part: &[u8]| part.iter().map(|&byte| usize::from(known[usize::from(byte)])).sum();
        let counts: Vec<usize> = text.chunks(part).map(count).collect();
        let most =
            counts.windows(17.min(counts.len().max(1))).map(|parts| parts.iter().sum::<usize>());
        (most.max().unwrap_or(size) as f64 / size as f64).min(1.0)
    }

    /// The conjugate spectra of a piece, one after the other, scaled for the inverse transform.
    fn spectra<F: Real>(&self, layout: &Layout, piece: usize, fft: &dyn Fft<F>) -> Vec<Complex<F>> {
        let size = layout.size;
        let span = piece * layout.piece..(piece + 1) * layout.piece;
        // A power of two, which single precision has.
        let scale = F::of(1.0 / size as f32);
        let within = |positions: &[u32]| {
            let low = positions.partition_point(|&at| (at as usize) < span.start);
            let high = positions.partition_point(|&at| (at as usize) < span.end);
            low..high
        };
        let mut spectra = vec![Complex::<F>::default(); size * self.symbols.len()];
        for (positions, spectrum) in self.positions.iter().zip(spectra.chunks_exact_mut(size)) {
            for &at in &positions[within(positions)] {
                spectrum[at as usize - span.start].re = scale;
            }
            for &at in &self.implied[within(&self.implied)] {
                let value = &mut spectrum[at as usize - span.start].re;
                *value = *value - scale;
            }
            fft.process(spectrum);
            for value in spectrum {
                *value = value.conj();
            }
        }
        spectra
    }
}

/// One pattern of those that share the text's transforms.
struct Kernel<F> {
    layout: Layout,
    implied: usize,
    /// For each piece, its spectra.
    pieces: Vec<Vec<Complex<F>>>,
}

/// Takes the matches of the symbols of `indicators` off `distances`, whose item `i` is about the
/// window that starts at `text[i]`; gives the largest residue.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Source`] if a residue is too large to be trusted, which the
/// bound excludes.
pub(crate) fn subtract<T: Count>(
    text: &[u8],
    indicators: &Indicators,
    layout: Layout,
    distances: &mut [T],
    monitor: &Monitor,
) -> Result<f32> {
    if layout.double {
        subtract_by::<f64, T>(text, indicators, layout, distances, monitor)
    } else {
        subtract_by::<f32, T>(text, indicators, layout, distances, monitor)
    }
}

fn subtract_by<F: Real, T: Count>(
    text: &[u8],
    indicators: &Indicators,
    layout: Layout,
    distances: &mut [T],
    monitor: &Monitor,
) -> Result<f32> {
    let mut planner = FftPlanner::<F>::new();
    let forward = planner.plan_fft_forward(layout.size);
    let inverse = planner.plan_fft_inverse(layout.size);
    let mut pieces = vec![];
    for piece in 0..layout.pieces {
        monitor.check()?;
        pieces.push(indicators.spectra(&layout, piece, &*forward));
    }
    let kernel = Kernel { layout, implied: indicators.implied.len(), pieces };
    let residue = AtomicU32::new(0);
    // Long enough that the transforms a piece of work shares with the next weigh little.
    let threads = rayon::current_num_threads().max(1);
    let pair = 2 * layout.step();
    let halo = layout.pieces * layout.piece;
    let least = pair.max(8 * halo);
    let chunk = distances.len().div_ceil(4 * threads).max(least).next_multiple_of(pair);
    each_chunk(distances, chunk, monitor, |first, distances| {
        let work = Work { text: &text[first..], symbols: &indicators.symbols, kernel: &kernel };
        let found = work.count(&forward, &inverse, distances, monitor)?;
        // Residues are positive, and so ordered as their bits are.
        residue.fetch_max(found.to_bits(), Ordering::Relaxed);
        Ok(())
    })?;
    let residue = f32::from_bits(residue.into_inner());
    if residue > TRUSTED {
        return Err(Error::Source(
            format!(
                "a transform of {} symbols rounds by {residue}; please report this, and take \
                 another method meanwhile",
                layout.size
            )
            .into(),
        ));
    }
    Ok(residue)
}

struct Work<'a, F> {
    text: &'a [u8],
    symbols: &'a [u8],
    kernel: &'a Kernel<F>,
}

impl<F: Real> Work<'_, F> {
    fn count<T: Count>(
        &self,
        forward: &Arc<dyn Fft<F>>,
        inverse: &Arc<dyn Fft<F>>,
        distances: &mut [T],
        monitor: &Monitor,
    ) -> Result<f32> {
        let Layout { size, piece: length, pieces, .. } = self.kernel.layout;
        let step = self.kernel.layout.step();
        let zero = Complex::<F>::default();
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let mut scratch = vec![zero; scratch];
        let mut block = vec![zero; size];
        let mut sums = vec![vec![zero; size]; pieces];
        let mut residue = 0_f32;
        for distance in distances.iter_mut() {
            *distance = distance.minus(self.kernel.implied);
        }
        let windows = distances.len();
        let end = windows + (pieces - 1) * length;
        for first in (0..end).step_by(2 * step) {
            // The pieces that windows of these two blocks belong to.
            let met = |piece: usize| {
                let shift = piece * length;
                first + 2 * step > shift && first < windows + shift
            };
            for (symbol, &byte) in self.symbols.iter().enumerate() {
                monitor.check()?;
                let place = |at: usize| self.text.get(at..).unwrap_or_default();
                indicate(place(first), place(first + step), byte, &mut block);
                forward.process_with_scratch(&mut block, &mut scratch);
                for piece in (0..pieces).filter(|&piece| met(piece)) {
                    let spectrum = &self.kernel.pieces[piece][symbol * size..][..size];
                    multiply(&block, spectrum, &mut sums[piece], symbol == 0);
                }
            }
            for piece in (0..pieces).filter(|&piece| met(piece)) {
                let sums = &mut sums[piece];
                if self.symbols.is_empty() {
                    continue;
                }
                inverse.process_with_scratch(sums, &mut scratch);
                let shift = piece * length;
                for (start, part) in [(first, 0), (first + step, 1)] {
                    let from = start.max(shift);
                    let to = (start + step).min(windows + shift);
                    if from >= to {
                        continue;
                    }
                    let sums = &sums[from - start..to - start];
                    let distances = &mut distances[from - shift..to - shift];
                    let found = if part == 0 {
                        take(distances, sums, |sum| sum.re)
                    } else {
                        take(distances, sums, |sum| sum.im)
                    };
                    residue = residue.max(found);
                }
            }
        }
        Ok(residue)
    }
}

/// Makes a function over slices two: as it is, and compiled for AVX2 where that is there.
macro_rules! dispatched {
    ($(#[$doc:meta])* fn $name:ident<F>($($arg:ident: $type:ty),*) $body:block) => {
        $(#[$doc])*
        fn $name<F: Real>($($arg: $type),*) {
            #[inline(always)]
            fn portable<F: Real>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<F: Real>($($arg: $type),*) {
                portable($($arg),*);
            }

            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: the processor has both.
                return unsafe { avx2($($arg),*) };
            }
            portable($($arg),*)
        }
    };
}

dispatched! {
    /// Where a byte stands in two blocks of text, as the two parts of numbers.
    fn indicate_both<F>(first: &[u8], second: &[u8], byte: u8, block: &mut [Complex<F>]) {
        for ((&a, &b), value) in first.iter().zip(second).zip(block) {
            value.re = F::from(u8::from(a == byte));
            value.im = F::from(u8::from(b == byte));
        }
    }
}

/// The same of blocks that may end early.
fn indicate<F: Real>(first: &[u8], second: &[u8], byte: u8, block: &mut [Complex<F>]) {
    let both = first.len().min(second.len()).min(block.len());
    indicate_both(&first[..both], &second[..both], byte, &mut block[..both]);
    for (at, value) in block.iter_mut().enumerate().skip(both) {
        let of = |other: u8| F::from(u8::from(other == byte));
        let part = |text: &[u8]| text.get(at).map_or(F::default(), |&other| of(other));
        *value = Complex::new(part(first), part(second));
    }
}

dispatched! {
    /// Adds the product of two spectra to a sum, or starts it.
    fn multiply<F>(
        block: &[Complex<F>],
        spectrum: &[Complex<F>],
        sums: &mut [Complex<F>],
        start: bool
    ) {
        let pairs = block.iter().zip(spectrum).zip(sums);
        if start {
            pairs.for_each(|((a, b), sum)| *sum = a * b);
        } else {
            pairs.for_each(|((a, b), sum)| *sum = *sum + a * b);
        }
    }
}

/// Takes rounded sums off distances; gives the largest residue.
fn take<F: Real, T: Count>(
    distances: &mut [T],
    sums: &[Complex<F>],
    part: impl Fn(&Complex<F>) -> F,
) -> f32 {
    let mut residue = 0_f32;
    for (distance, sum) in distances.iter_mut().zip(sums) {
        let sum = part(sum);
        let whole = (sum + F::ROUND) - F::ROUND;
        residue = residue.max((sum - whole).abs().single());
        *distance = distance.minus_signed(whole.whole());
    }
    residue
}
