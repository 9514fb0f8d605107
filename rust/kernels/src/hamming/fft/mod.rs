//! Counts matches of frequent symbols by fast Fourier transforms: the heavy symbols of Abrahamson
//! and of Fischer and Paterson.
//!
//! The matches of a symbol c at shift i are the correlation of two indicators, of c in the text and
//! of c in the pattern; those of a set of symbols are their sum, taken among the spectra, so that
//! one inverse transform serves them all. The text is read in blocks of N symbols that overlap
//! (overlap-save), two blocks at a time as the real and the imaginary part of one transform: the
//! pattern is real, so its correlation with each part stays in that part. Patterns that are asked
//! for together share the transforms of the text ([`signals`] says which there are).
//!
//! # Exactness
//!
//! Sums are whole numbers, rounded from floating point: right while the error is below 1/2. For
//! transforms of length N = 2^l with twiddle factors right to u, Brent, Percival and Zimmermann
//! ("Error bounds on complex floating-point multiplication", 2007, theorem 5.1) bound the error of
//! a correlation of x and y by |x| |y| ((1+u)^3l (1+u√5)^(3l+1) (1+u)^3l - 1), Euclidean norms and
//! u = 2^-24 in single precision and 2^-53 in double: for each of three transforms l additions, l
//! multiplications and l twiddle factors on the way to any output, and one multiplication between
//! them. What differs here:
//!
//! - The larger radices of `rustfft` are made of butterflies of 4 and 2 symbols with one
//!   multiplication between two of them, and 8 symbols are 4 times 2 at worst: at most
//!   ⌈2l/3⌉ + 1 multiplications, and no more additions.
//! - The pattern is transformed in double precision whatever the text is, and rounded once: 1 + u
//!   instead of a transform's.
//! - The transform back may be of double precision too, where its errors are lost beside the
//!   others': [`Precision::Mixed`].
//! - The spectra of K signals are added before the transform back, two at a time: ⌈K/2⌉ + 1
//!   rounding errors at most, relative to the sum of their magnitudes, which Cauchy and Schwarz
//!   bound by |x| |y|, the norms over all signals.
//! - x is two blocks, so |x|² is twice the largest squared norm of a block, which is counted.
//!
//! [`error_bound`] is that, and a tenth more. [`Layout::choose`] cuts the pattern in pieces, each
//! with its own transform back, so short that it stays below 1/2; or takes double precision, where
//! that costs less. The largest distance of any sum to the whole number it is rounded to, the
//! *residue*, comes back with the answer: tests assert that it is far below, and a residue above
//! 1/4 is refused.

mod layout;
mod signals;

pub(crate) use layout::{Layout, Precision, error_bound};
pub(crate) use signals::{Indicators, norms};

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftNum, FftPlanner};

use super::Count;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use signals::Signal;

/// Residues above this are refused.
const TRUSTED: f64 = 0.25;

/// Points of spectra that are multiplied by those of every piece before the next ones are.
const TILE: usize = 1 << 10;

/// A precision of transforms.
pub(crate) trait Real: FftNum + From<u8> + Default + PartialOrd {
    /// Added to a number and taken off again, it rounds to a whole one, ties to even; three times
    /// the largest power of two below which all whole numbers are there.
    const ROUND: Self;
    /// The nearest one.
    fn of(number: f64) -> Self;
    /// Nearly the number.
    fn double(self) -> f64;
    /// The whole number.
    fn whole(self) -> i32;
}

impl Real for f32 {
    const ROUND: Self = 12_582_912.0;

    #[inline(always)]
    fn of(number: f64) -> Self {
        number as Self
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self.into()
    }

    #[inline(always)]
    fn whole(self) -> i32 {
        self as i32
    }
}

impl Real for f64 {
    const ROUND: Self = 6_755_399_441_055_744.0;

    #[inline(always)]
    fn of(number: f64) -> Self {
        number
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self
    }

    #[inline(always)]
    fn whole(self) -> i32 {
        self as i32
    }
}

/// Distances of successive windows, as wide as their pattern asks for.
#[derive(Debug)]
pub(crate) enum Slice<'d> {
    U8(&'d mut [u8]),
    U16(&'d mut [u16]),
    U32(&'d mut [u32]),
}

macro_rules! slice {
    ($type:ty, $variant:ident) => {
        impl<'d> From<&'d mut [$type]> for Slice<'d> {
            fn from(distances: &'d mut [$type]) -> Self {
                Self::$variant(distances)
            }
        }
    };
}

slice!(u8, U8);
slice!(u16, U16);
slice!(u32, U32);

impl Slice<'_> {
    fn len(&self) -> usize {
        match self {
            Self::U8(distances) => distances.len(),
            Self::U16(distances) => distances.len(),
            Self::U32(distances) => distances.len(),
        }
    }

    /// Takes rounded sums off a span of distances; gives the largest residue.
    fn take<F: Real>(
        &mut self,
        span: Range<usize>,
        sums: &[Complex<F>],
        imaginary: bool,
        more: F,
    ) -> f64 {
        match self {
            Self::U8(distances) => take_part(&mut distances[span], sums, imaginary, more),
            Self::U16(distances) => take_part(&mut distances[span], sums, imaginary, more),
            Self::U32(distances) => take_part(&mut distances[span], sums, imaginary, more),
        }
    }
}

fn take_part<F: Real, T: Count>(
    distances: &mut [T],
    sums: &[Complex<F>],
    imaginary: bool,
    more: F,
) -> f64 {
    if imaginary {
        take(distances, sums, more, |sum| sum.im)
    } else {
        take(distances, sums, more, |sum| sum.re)
    }
}

/// Takes rounded sums, each with `more` on top, off distances; gives the largest residue.
#[inline(always)]
fn take<F: Real, T: Count>(
    distances: &mut [T],
    sums: &[Complex<F>],
    more: F,
    part: impl Fn(&Complex<F>) -> F,
) -> f64 {
    let mut residue = F::default();
    for (distance, sum) in distances.iter_mut().zip(sums) {
        let sum = part(sum) + more;
        let whole = (sum + F::ROUND) - F::ROUND;
        let off = (sum - whole).abs();
        residue = if off > residue { off } else { residue };
        *distance = distance.minus_signed(whole.whole());
    }
    residue.double()
}

/// A pattern whose matches are counted, and where they are taken off: item `i` of the distances is
/// about the window that starts at `text[i]`.
pub(crate) struct Task<'a, 'd> {
    pub indicators: &'a Indicators,
    pub distances: Slice<'d>,
}

/// Takes the matches of the symbols of each task's indicators off its distances; all of them are
/// cut by one layout. Gives the largest residue.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Source`] if a residue is too large to be trusted, which the
/// bound excludes.
pub(crate) fn subtract(
    text: &[u8],
    tasks: Vec<Task<'_, '_>>,
    layout: Layout,
    monitor: &Monitor,
) -> Result<f64> {
    match layout.precision {
        Precision::Single => subtract_by::<f32, f32>(text, tasks, layout, monitor),
        Precision::Mixed => subtract_by::<f32, f64>(text, tasks, layout, monitor),
        Precision::Double => subtract_by::<f64, f64>(text, tasks, layout, monitor),
    }
}

/// A pattern's pieces.
struct Kernel<F> {
    /// Which signals of the text its own are.
    signals: Vec<usize>,
    pieces: Vec<Piece<F>>,
}

struct Piece<F> {
    /// The spectra of its signals, one after the other.
    spectra: Vec<Complex<F>>,
    /// What every sum is short of.
    more: f64,
}

fn subtract_by<F: Real, I: Real>(
    text: &[u8],
    tasks: Vec<Task<'_, '_>>,
    layout: Layout,
    monitor: &Monitor,
) -> Result<f64> {
    let double = FftPlanner::<f64>::new().plan_fft_forward(layout.size);
    let mut signals: Vec<&Signal> = vec![];
    let mut kernels = vec![];
    let mut slices = vec![];
    for Task { indicators, distances } in tasks {
        let own = indicators.signals.iter().map(|signal| {
            signals.iter().position(|other| *other == signal).unwrap_or_else(|| {
                signals.push(signal);
                signals.len() - 1
            })
        });
        let own = own.collect();
        let pieces = (0..indicators.length.div_ceil(layout.piece))
            .map(|piece| {
                monitor.check()?;
                let span = piece * layout.piece..(piece + 1) * layout.piece;
                let spectra = indicators.spectra(layout.size, &span, &*double);
                Ok(Piece { spectra, more: indicators.more(&span) })
            })
            .collect::<Result<_>>()?;
        kernels.push(Kernel::<F> { signals: own, pieces });
        slices.push(distances);
    }
    let forward = FftPlanner::<F>::new().plan_fft_forward(layout.size);
    let inverse = FftPlanner::<I>::new().plan_fft_inverse(layout.size);
    let work = Work { text, signals: &signals, kernels: &kernels, layout, forward, inverse };
    // Long enough that the transforms a piece of work shares with the next weigh little.
    let threads = rayon::current_num_threads().max(1);
    let pair = 2 * layout.step();
    let halo = kernels.iter().map(|kernel| kernel.pieces.len()).max().unwrap_or(1) * layout.piece;
    let windows = slices.iter().map(Slice::len).max().unwrap_or(0);
    let chunk = windows.div_ceil(4 * threads).max(pair.max(8 * halo)).next_multiple_of(pair);
    let residue = AtomicU64::new(0);
    let run = |(first, mut slices): (usize, Vec<(usize, Slice<'_>)>)| {
        let found = work.count(first, &mut slices, monitor)?;
        // Residues are positive, and so ordered as their bits are.
        residue.fetch_max(found.to_bits(), Ordering::Relaxed);
        Ok(())
    };
    let parts = chunked(slices, chunk);
    if parts.len() <= 1 {
        parts.into_iter().try_for_each(run)?;
    } else {
        parts.into_par_iter().try_for_each(run)?;
    }
    let residue = f64::from_bits(residue.into_inner());
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

/// Cuts every slice in chunks of the same windows: where each begins, and the kernels' slices.
fn chunked(slices: Vec<Slice<'_>>, chunk: usize) -> Vec<(usize, Vec<(usize, Slice<'_>)>)> {
    let mut parts: Vec<(usize, Vec<_>)> = vec![];
    for (kernel, slice) in slices.into_iter().enumerate() {
        let slices: Vec<Slice<'_>> = match slice {
            Slice::U8(slice) => slice.chunks_mut(chunk).map(Slice::U8).collect(),
            Slice::U16(slice) => slice.chunks_mut(chunk).map(Slice::U16).collect(),
            Slice::U32(slice) => slice.chunks_mut(chunk).map(Slice::U32).collect(),
        };
        for (at, slice) in slices.into_iter().enumerate() {
            if parts.len() <= at {
                parts.push((at * chunk, vec![]));
            }
            parts[at].1.push((kernel, slice));
        }
    }
    parts
}

struct Work<'a, F: FftNum, I: FftNum> {
    text: &'a [u8],
    signals: &'a [&'a Signal],
    kernels: &'a [Kernel<F>],
    layout: Layout,
    forward: Arc<dyn Fft<F>>,
    inverse: Arc<dyn Fft<I>>,
}

impl<F: Real, I: Real> Work<'_, F, I> {
    /// Counts the windows of some kernels' slices, which begin with the window at `first`.
    fn count(
        &self,
        first: usize,
        slices: &mut [(usize, Slice<'_>)],
        monitor: &Monitor,
    ) -> Result<f64> {
        let Layout { size, piece: length, .. } = self.layout;
        let step = self.layout.step();
        let text = &self.text[first..];
        let zero = Complex::<F>::default();
        let mut scratch = vec![zero; self.forward.get_inplace_scratch_len()];
        let mut back = vec![Complex::<I>::default(); size];
        let mut scratch_back =
            vec![Complex::<I>::default(); self.inverse.get_inplace_scratch_len()];
        let mut blocks = [vec![zero; size], vec![zero; size]];
        let mut sums: Vec<Vec<Vec<Complex<F>>>> = slices
            .iter()
            .map(|(kernel, _)| vec![vec![zero; size]; self.kernels[*kernel].pieces.len()])
            .collect();
        let mut residue = 0_f64;
        let end = slices
            .iter()
            .map(|(kernel, slice)| slice.len() + (self.kernels[*kernel].pieces.len() - 1) * length);
        let end = end.max().unwrap_or(0);
        let needed = |signal: usize| {
            slices.iter().any(|(kernel, _)| self.kernels[*kernel].signals.contains(&signal))
        };
        let needed: Vec<usize> = (0..self.signals.len()).filter(|&at| needed(at)).collect();
        for first in (0..end).step_by(2 * step) {
            // The pieces that windows of these two blocks belong to.
            let met = |piece: usize, windows: usize| {
                let shift = piece * length;
                first + 2 * step > shift && first < windows + shift
            };
            for sums in sums.iter_mut().flatten() {
                sums.fill(zero);
            }
            for pair in needed.chunks(2) {
                for (&signal, block) in pair.iter().zip(&mut blocks) {
                    monitor.check()?;
                    let place = |at: usize| text.get(at..).unwrap_or_default();
                    self.signals[signal].indicate(place(first), place(first + step), block);
                    self.forward.process_with_scratch(block, &mut scratch);
                }
                for tile in (0..size).step_by(TILE) {
                    let tile = tile..tile + TILE;
                    for ((kernel, slice), sums) in slices.iter().zip(&mut sums) {
                        let kernel = &self.kernels[*kernel];
                        let own = |at: usize| {
                            let signal = pair.get(at)?;
                            let at = kernel.signals.iter().position(|own| own == signal)?;
                            Some(at * size)
                        };
                        let (one, two) = (own(0), own(1));
                        for (number, (piece, sums)) in kernel.pieces.iter().zip(sums).enumerate() {
                            if !met(number, slice.len()) {
                                continue;
                            }
                            let sums = &mut sums[tile.clone()];
                            let spectrum = |at: usize| &piece.spectra[at..][tile.clone()];
                            let block = |at: usize| &blocks[at][tile.clone()];
                            match (one, two) {
                                (Some(a), Some(b)) => {
                                    multiply_both(
                                        block(0),
                                        spectrum(a),
                                        block(1),
                                        spectrum(b),
                                        sums,
                                    );
                                }
                                (Some(a), None) => multiply(block(0), spectrum(a), sums),
                                (None, Some(b)) => multiply(block(1), spectrum(b), sums),
                                (None, None) => {}
                            }
                        }
                    }
                }
            }
            for ((kernel, slice), sums) in slices.iter_mut().zip(&sums) {
                let windows = slice.len();
                for (number, (piece, sums)) in
                    self.kernels[*kernel].pieces.iter().zip(sums).enumerate()
                {
                    if !met(number, windows) {
                        continue;
                    }
                    monitor.check()?;
                    for (back, sum) in back.iter_mut().zip(sums) {
                        *back = Complex::new(I::of(sum.re.double()), I::of(sum.im.double()));
                    }
                    self.inverse.process_with_scratch(&mut back, &mut scratch_back);
                    let shift = number * length;
                    for (start, imaginary) in [(first, false), (first + step, true)] {
                        let from = start.max(shift);
                        let to = (start + step).min(windows + shift);
                        if from < to {
                            let sums = &back[from - start..to - start];
                            let span = from - shift..to - shift;
                            let more = I::of(piece.more);
                            residue = residue.max(slice.take(span, sums, imaginary, more));
                        }
                    }
                }
                monitor.advance((2 * step).min(windows.saturating_sub(first)) as u64);
            }
        }
        Ok(residue)
    }
}

/// Makes a function over slices two: as it is, and compiled for AVX2 where that is there.
macro_rules! dispatched {
    ($(#[$doc:meta])* $visible:vis fn $name:ident<F>($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$doc])*
        $visible fn $name<F: $crate::hamming::fft::Real>($($arg: $type),*) {
            #[inline(always)]
            fn portable<F: $crate::hamming::fft::Real>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<F: $crate::hamming::fft::Real>($($arg: $type),*) {
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
pub(crate) use dispatched;

dispatched! {
    /// Adds the product of two spectra to a sum.
    fn multiply<F>(block: &[Complex<F>], spectrum: &[Complex<F>], sums: &mut [Complex<F>]) {
        for ((a, b), sum) in block.iter().zip(spectrum).zip(sums) {
            *sum = *sum + a * b;
        }
    }
}

dispatched! {
    /// Adds the products of two pairs of spectra to a sum.
    fn multiply_both<F>(
        block: &[Complex<F>],
        spectrum: &[Complex<F>],
        other: &[Complex<F>],
        other_spectrum: &[Complex<F>],
        sums: &mut [Complex<F>],
    ) {
        let pairs = block.iter().zip(spectrum).zip(other.iter().zip(other_spectrum));
        for (((a, b), (c, d)), sum) in pairs.zip(sums) {
            *sum = *sum + (a * b + c * d);
        }
    }
}
