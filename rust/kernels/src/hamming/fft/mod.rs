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
//! - The products of K signals and of P pieces of the pattern are added before the transform back:
//!   those of the pieces of a signal as real numbers, in sums of P and one more, and these one
//!   signal after the other. That is √2 (P + 2) + K rounding errors at most, those of the products
//!   among them, relative to the sum of the magnitudes, which Cauchy and Schwarz bound by |x| |y|
//!   for each piece, the norms over all signals; |y| is the sum of the pieces'.
//! - x is two blocks, so |x|² is twice the largest squared norm of a block, which is counted.
//!
//! [`error_bound`] is that, and a tenth more. [`Layout::choose`] transforms back sums of so few
//! pieces of the pattern that it stays below 1/2; or takes double precision, where that costs less. The largest distance of any sum to the whole number it is rounded to, the
//! *residue*, comes back with the answer: tests assert that it is far below, and a residue above
//! 1/4 is refused.

mod layout;
mod signals;

#[cfg(test)]
pub(crate) use layout::error_bound;
pub(crate) use layout::{Layout, Precision, Turns};
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

/// Points of spectra that are multiplied, of all blocks of a turn, before the next ones are.
const TILE: usize = 1 << 9;

/// Makes the addition of products for AVX2: of a register of complex numbers, their parts times the
/// real part of each other, and times the imaginary one, whose parts are crossed at the end.
#[cfg(target_arch = "x86_64")]
macro_rules! products_avx2 {
    ($type:ty, $zero:ident, $load:ident, $store:ident, $fused:ident, $add:ident, $addsub:ident,
        $real:expr, $imaginary:expr, $cross:expr) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn add_products_avx2(pairs: &Pairs<'_, $type>, sums: &mut [Complex<$type>]) {
            use std::arch::x86_64::*;
            /// Registers of a sum, and what a register holds.
            const REGISTERS: usize = 4;
            const PARTS: usize = 32 / size_of::<$type>();
            const STEP: usize = REGISTERS * PARTS / 2;
            let (real, imaginary, cross) = ($real, $imaginary, $cross);
            let whole = sums.len() / STEP * STEP;
            for first in (0..whole).step_by(STEP) {
                let mut straight = [$zero(); REGISTERS];
                let mut crossed = [$zero(); REGISTERS];
                for (one, other) in pairs {
                    for at in 0..REGISTERS {
                        let place = first + at * PARTS / 2;
                        // SAFETY: spectra are as long as the sums, as the caller promises, and
                        // complex numbers their two parts.
                        let (a, b) = unsafe {
                            (
                                $load(one.as_ptr().add(place).cast()),
                                $load(other.as_ptr().add(place).cast()),
                            )
                        };
                        straight[at] = $fused(a, real(b), straight[at]);
                        crossed[at] = $fused(a, imaginary(b), crossed[at]);
                    }
                }
                for at in 0..REGISTERS {
                    // SAFETY: within the sums.
                    unsafe {
                        let place: *mut $type =
                            sums.as_mut_ptr().add(first + at * PARTS / 2).cast();
                        let sum = $addsub(straight[at], cross(crossed[at]));
                        $store(place, $add($load(place), sum));
                    }
                }
            }
            for at in whole..sums.len() {
                for (one, other) in pairs {
                    sums[at] += one[at] * other[at];
                }
            }
        }
    };
}
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
    /// Adds the products of pairs of spectra to a sum.
    ///
    /// # Safety
    /// The processor has AVX2 and FMA, and the spectra are as long as the sum.
    #[cfg(target_arch = "x86_64")]
    unsafe fn add_products_avx2(pairs: &Pairs<'_, Self>, sums: &mut [Complex<Self>]);
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

    #[cfg(target_arch = "x86_64")]
    products_avx2!(
        f32,
        _mm256_setzero_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_addsub_ps,
        |b| _mm256_moveldup_ps(b),
        |b| _mm256_movehdup_ps(b),
        |sum| _mm256_permute_ps::<0b1011_0001>(sum)
    );
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

    #[cfg(target_arch = "x86_64")]
    products_avx2!(
        f64,
        _mm256_setzero_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_fmadd_pd,
        _mm256_add_pd,
        _mm256_addsub_pd,
        |b| _mm256_movedup_pd(b),
        |b| _mm256_permute_pd::<0b1111>(b),
        |sum| _mm256_permute_pd::<0b0101>(sum)
    );
}

/// Distances of successive windows, as wide as their pattern asks for; or estimates, which need not
/// be whole.
#[derive(Debug)]
pub(crate) enum Slice<'d> {
    F32(&'d mut [f32]),
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
            Self::F32(estimates) => estimates.len(),
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
            Self::F32(estimates) => {
                for (estimate, sum) in estimates[span].iter_mut().zip(sums) {
                    let sum = if imaginary { sum.im } else { sum.re };
                    *estimate -= (sum + more).double() as f32;
                }
                0.0
            }
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
    /// The spectra of its signals, [`apart`].
    spectra: Vec<Complex<F>>,
    /// What every sum is short of.
    more: f64,
}

/// Numbers from one spectrum to the next: so that the same tile of many of them lies in different
/// sets of a cache, which spectra of powers of two would share.
fn apart(size: usize) -> usize {
    size + TILE + 32
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
                let spectra = indicators.spectra(layout.size, apart(layout.size), &span, &*double);
                Ok(Piece { spectra, more: indicators.more(&span) })
            })
            .collect::<Result<_>>()?;
        kernels.push(Kernel::<F> { signals: own, pieces });
        slices.push(distances);
    }
    let forward = FftPlanner::<F>::new().plan_fft_forward(layout.size);
    let inverse = FftPlanner::<I>::new().plan_fft_inverse(layout.size);
    let reach = kernels.iter().map(|kernel| kernel.pieces.len()).max().unwrap_or(1);
    let sums = kernels.iter().map(|kernel| kernel.pieces.len().div_ceil(layout.group)).sum();
    let turns = Layout { pieces: reach, ..layout }.turns(signals.len(), sums);
    let work =
        Work { text, signals: &signals, kernels: &kernels, layout, reach, turns, forward, inverse };
    let threads = rayon::current_num_threads().max(1);
    let pair = 2 * layout.step;
    let windows = slices.iter().map(Slice::len).max().unwrap_or(0);
    // What a piece of work transforms behind its windows, for the pieces of the pattern, is little
    // beside a thread's share.
    let parts = if reach > 1 { threads } else { 4 * threads };
    let chunk = windows.div_ceil(parts).max(1).next_multiple_of(pair);
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
            Slice::F32(slice) => slice.chunks_mut(chunk).map(Slice::F32).collect(),
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
    /// Pieces of the pattern that has most.
    reach: usize,
    turns: Turns,
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
        let Layout { size, step, group, .. } = self.layout;
        let Turns { together, kept } = self.turns;
        let apart = apart(size);
        let text = &self.text[first..];
        let windows = slices.iter().map(|(_, slice)| slice.len()).max().unwrap_or(0);
        // The first half of the windows are those of the real parts, the others of the imaginary.
        let half = windows.div_ceil(2).next_multiple_of(step);
        let blocks = half / step;
        let needed = |signal: usize| {
            slices.iter().any(|(kernel, _)| self.kernels[*kernel].signals.contains(&signal))
        };
        let needed: Vec<usize> = (0..self.signals.len()).filter(|&at| needed(at)).collect();
        // For each slice, where the sums of its groups are among those of a block.
        let mut places = vec![];
        let mut groups = 0;
        for (kernel, _) in &*slices {
            places.push(groups);
            groups += self.kernels[*kernel].pieces.len().div_ceil(group);
        }
        let zero = Complex::<F>::default();
        let mut scratch = vec![zero; self.forward.get_inplace_scratch_len()];
        let mut back = vec![Complex::<I>::default(); size];
        let mut scratch_back =
            vec![Complex::<I>::default(); self.inverse.get_inplace_scratch_len()];
        let held = together + self.reach - 1;
        let rings = if kept { needed.len() } else { 1 };
        let mut rings = vec![vec![zero; held * apart]; rings];
        let mut sums = vec![zero; together.min(blocks) * groups * apart];
        let mut residue = 0_f64;
        for start in (0..blocks).step_by(together) {
            let turn = start..blocks.min(start + together);
            sums.fill(zero);
            for (number, &signal) in needed.iter().enumerate() {
                let ring = &mut rings[if kept { number } else { 0 }];
                // What an earlier turn has left.
                let made = if kept && start > 0 { start + self.reach - 1 } else { start };
                for block in made..turn.end + self.reach - 1 {
                    monitor.check()?;
                    let place = |at: usize| text.get(at..).unwrap_or_default();
                    let at = block * step;
                    let block = &mut ring[block % held * apart..][..size];
                    self.signals[signal].indicate(place(at), place(half + at), block);
                    self.forward.process_with_scratch(block, &mut scratch);
                }
                let mut products = vec![];
                for tile in (0..size).step_by(TILE) {
                    let spectrum = |block: usize| &ring[block % held * apart + tile..][..TILE];
                    for block in turn.clone() {
                        for (&(kernel, _), place) in slices.iter().zip(&places) {
                            let Kernel { signals, pieces } = &self.kernels[kernel];
                            // Two of a pattern's own may be alike: signs of few symbols are.
                            let own = signals.iter().enumerate().filter(|(_, own)| **own == signal);
                            for (own, _) in own {
                                for (number, some) in pieces.chunks(group).enumerate() {
                                    let first = block + number * group;
                                    products.clear();
                                    products.extend(some.iter().zip(first..).map(
                                        |(piece, block)| {
                                            (
                                                spectrum(block),
                                                &piece.spectra[own * apart + tile..][..TILE],
                                            )
                                        },
                                    ));
                                    let at = (block - start) * groups + place + number;
                                    add_products(&products, &mut sums[at * apart + tile..][..TILE]);
                                }
                            }
                        }
                    }
                }
            }
            for block in turn.clone() {
                for ((kernel, slice), place) in slices.iter_mut().zip(&places) {
                    let windows = slice.len();
                    let begins = [block * step, half + block * step];
                    if begins[0] >= windows {
                        continue;
                    }
                    let groups = (block - start) * groups + place..;
                    for (some, at) in self.kernels[*kernel].pieces.chunks(group).zip(groups) {
                        monitor.check()?;
                        for (back, sum) in back.iter_mut().zip(&sums[at * apart..]) {
                            *back = Complex::new(I::of(sum.re.double()), I::of(sum.im.double()));
                        }
                        self.inverse.process_with_scratch(&mut back, &mut scratch_back);
                        let more = I::of(some.iter().map(|piece| piece.more).sum());
                        for (begin, imaginary) in begins.into_iter().zip([false, true]) {
                            let span = begin..windows.min(begin + step);
                            if !span.is_empty() {
                                residue = residue.max(slice.take(span, &back, imaginary, more));
                            }
                        }
                    }
                }
            }
            for (_, slice) in &*slices {
                let done = (2 * step * start).min(slice.len());
                monitor.advance((2 * step * turn.len()).min(slice.len() - done) as u64);
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

/// Pairs of spectra of one length, whose products are added.
type Pairs<'a, F> = [(&'a [Complex<F>], &'a [Complex<F>])];

/// Adds the products of pairs of spectra to a sum; all are as long.
fn add_products<F: Real>(pairs: &Pairs<'_, F>, sums: &mut [Complex<F>]) {
    assert!(pairs.iter().all(|(a, b)| (a.len(), b.len()) == (sums.len(), sums.len())));
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both; the lengths are asserted above.
        return unsafe { F::add_products_avx2(pairs, sums) };
    }
    for (at, sum) in sums.iter_mut().enumerate() {
        for (one, other) in pairs {
            *sum = *sum + one[at] * other[at];
        }
    }
}
