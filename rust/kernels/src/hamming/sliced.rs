//! Bit-sliced counting: 256 windows in the lanes of a 256-bit word, whose counters are bit planes.
//!
//! A piece of the text is cut into 256 segments, the lanes. For a symbol c and an offset u one word
//! says in which lanes c stands at offset u; the matches of the windows at offset t of every lane
//! are the sum, over positions j of the pattern, of the words of (P[j], t + j). Words are summed by
//! carry-save adders (Harley and Seal; Warren, *Hacker's Delight*, 5-2): 2 instructions for a word
//! with AVX-512's ternary logic, 5 with AVX2, for 256 pairs of symbols.
//!
//! Offsets u are visited along diagonals: a ring holds the words of the last [`RING`] offsets, and
//! while it holds u to u + [`TIMES`] + [`SPAN`], every block of [`TIMES`] windows meets the
//! [`SPAN`] positions of the pattern that fall there. So each word is made once, and read from a
//! near cache as often as the pattern is long.

#![allow(clippy::multiple_unsafe_ops_per_block, reason = "each word is an instruction")]

use super::simd::Simd;
use super::{Count, each_chunk};
use crate::error::Result;
use crate::interrupt::Monitor;

/// Windows side by side.
const LANES: usize = 256;
/// Offsets of one block of windows.
const TIMES: usize = 32;
/// Positions of a pattern that a block of windows meets at once.
const SPAN: usize = 64;
/// Offsets whose words are held.
const RING: usize = 128;
/// Words that are summed before their carry is.
const GROUP: usize = 16;
/// Offsets of a lane in one piece of work, at most.
pub(crate) const DEPTH: usize = 4096;
/// Bit planes, at most: a pattern has less than 2^32 positions.
const PLANES: usize = 32;

const _: () = assert!(RING >= TIMES + SPAN && RING.is_power_of_two() && SPAN.is_multiple_of(TIMES));

/// 256 bits, a lane each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(32))]
struct Lanes([u64; 4]);

/// The positions of a pattern that are counted, in spans.
#[derive(Clone, Debug)]
pub(crate) struct Slices {
    /// The byte of each row of words.
    symbols: Vec<u8>,
    /// For each span of positions, where its words are in the ring, in bytes behind the words of
    /// the span's first offset; filled up to whole groups with the row that is always zero.
    spans: Vec<Vec<u32>>,
    planes: usize,
}

impl Slices {
    /// Of symbols, each with its ascending positions.
    pub fn new<'a>(symbols: impl Iterator<Item = (u8, &'a [u32])>) -> Self {
        let symbols: Vec<_> = symbols.collect();
        let last = symbols.iter().filter_map(|(_, at)| at.last()).max();
        let mut spans = vec![vec![]; last.map_or(0, |&last| last as usize / SPAN + 1)];
        let mut total = 0;
        for (row, (_, positions)) in symbols.iter().enumerate() {
            for &at in *positions {
                let (span, within) = (at as usize / SPAN, at as usize % SPAN);
                spans[span].push(((row * 2 * RING + within) * size_of::<Lanes>()) as u32);
            }
            total += positions.len();
        }
        let zeros = (symbols.len() * 2 * RING * size_of::<Lanes>()) as u32;
        for span in &mut spans {
            // Neighbours in the ring are neighbours in the list.
            span.sort_unstable_by_key(|at| at % (2 * RING * size_of::<Lanes>()) as u32);
            span.resize(span.len().next_multiple_of(GROUP), zeros);
        }
        Self {
            symbols: symbols.iter().map(|&(symbol, _)| symbol).collect(),
            spans,
            planes: (usize::BITS - total.leading_zeros()).max(8) as usize,
        }
    }

    /// The length of the pattern up to the last span.
    fn reach(&self) -> usize {
        self.spans.len() * SPAN
    }
}

/// The offsets of a lane in pieces of so many windows.
pub(crate) fn depth(windows: usize) -> usize {
    windows.div_ceil(LANES).next_multiple_of(TIMES).min(DEPTH)
}

/// Takes the matches of the positions in `slices` off `distances`, whose item `i` is about the
/// window that starts at `text[i]`.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(crate) fn subtract<T: Count>(
    text: &[u8],
    slices: &Slices,
    distances: &mut [T],
    simd: Simd,
    monitor: &Monitor,
) -> Result<()> {
    if slices.spans.is_empty() {
        return Ok(());
    }
    // A piece for each thread where there are few of them.
    let threads = rayon::current_num_threads().max(1);
    let depth = depth(distances.len().div_ceil(threads));
    each_chunk(distances, depth * LANES, monitor, |first, distances| {
        // The words past the text are those of windows that are none, and are not read.
        let whole = depth * LANES + slices.reach() + TIMES + SPAN;
        let mut padded = vec![];
        let text = match text.get(first..first + whole) {
            Some(text) => text,
            None => {
                padded.extend_from_slice(&text[first..]);
                padded.resize(whole, 0);
                &padded
            }
        };
        let work = Work { text, slices, depth, monitor };
        match simd.available() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` names AVX-512 only where the processor has it.
            Simd::Avx512 => unsafe { avx512(&work, distances) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` names AVX2 only where the processor has it.
            Simd::Avx2 => unsafe { avx2(&work, distances) },
            // SAFETY: the portable words need nothing.
            _ => unsafe { count::<Lanes, T>(&work, distances) },
        }
    })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<T: Count>(work: &Work<'_>, distances: &mut [T]) -> Result<()> {
    // SAFETY: this function has what the words need.
    unsafe { count::<x86::Avx2, T>(work, distances) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn avx512<T: Count>(work: &Work<'_>, distances: &mut [T]) -> Result<()> {
    // SAFETY: this function has what the words need.
    unsafe { count::<x86::Avx512, T>(work, distances) }
}

struct Work<'a> {
    /// Every lane's offsets, and those its last windows reach to.
    text: &'a [u8],
    slices: &'a Slices,
    /// Windows of a lane, a multiple of [`TIMES`].
    depth: usize,
    monitor: &'a Monitor,
}

/// A word of lanes in a register.
///
/// # Safety
/// All methods need a processor with the instructions that the type is named for, and are inlined
/// into functions that enable them.
trait Word: Copy {
    unsafe fn load(lanes: &Lanes) -> Self;
    unsafe fn store(self, lanes: &mut Lanes);
    /// The sum of three bits in every lane: its low and its high bit.
    unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self);
    /// The sum of two bits in every lane.
    unsafe fn half(a: Self, b: Self) -> (Self, Self);
    unsafe fn is_zero(self) -> bool;
    /// In which lanes a byte is the symbol.
    unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes;
    /// The number in each lane whose bits are up to 8 planes.
    unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]);
}

/// Counts one piece.
///
/// # Safety
/// As [`Word`].
#[inline(always)]
unsafe fn count<W: Word, T: Count>(work: &Work<'_>, distances: &mut [T]) -> Result<()> {
    let Work { text, slices, depth, monitor } = *work;
    let rows = slices.symbols.len();
    let planes = slices.planes;
    let mut ring = vec![Lanes::default(); rows * 2 * RING + RING + TIMES];
    let mut counters = vec![Lanes::default(); depth * planes];
    let mut bytes = vec![[0_u8; LANES]; TIMES];
    let spans = slices.spans.len();
    let mut made = 0;
    for diagonal in (0..depth + (spans - 1) * SPAN).step_by(TIMES) {
        while made < diagonal + TIMES + SPAN {
            across(text, depth, made, &mut bytes);
            for (row, &symbol) in slices.symbols.iter().enumerate() {
                let words = &mut ring[row * 2 * RING..][..2 * RING];
                for (time, bytes) in bytes.iter().enumerate() {
                    let at = (made + time) % RING;
                    // SAFETY: promised by the caller.
                    let word = unsafe { W::equal(bytes, symbol) };
                    words[at] = word;
                    words[at + RING] = word;
                }
            }
            made += TIMES;
        }
        monitor.check()?;
        let least = (diagonal + TIMES).saturating_sub(depth).div_ceil(SPAN);
        for span in least..spans.min(diagonal / SPAN + 1) {
            let time = diagonal - span * SPAN;
            let counters = &mut counters[time * planes..][..TIMES * planes];
            // SAFETY: promised by the caller; offsets are within the ring's rows.
            unsafe { meet::<W>(&ring[diagonal % RING..], &slices.spans[span], counters, planes) };
        }
    }
    let mut numbers = [[[0_u8; LANES]; 16]; PLANES / 8];
    for first in (0..depth).step_by(16) {
        for time in 0..16 {
            let planes = &counters[(first + time) * planes..][..planes];
            for (planes, numbers) in planes.chunks(8).zip(&mut numbers) {
                // SAFETY: promised by the caller.
                unsafe { W::numbers(planes, &mut numbers[time]) };
            }
        }
        for lanes in (0..LANES).step_by(16) {
            let parts: [[[u8; 16]; 16]; PLANES / 8] = std::array::from_fn(|part| {
                if part * 8 >= planes {
                    return [[0; 16]; 16];
                }
                transposed(std::array::from_fn(|time| {
                    std::array::from_fn(|lane| numbers[part][time][lanes + lane])
                }))
            });
            #[allow(clippy::needless_range_loop, reason = "of four squares, the same row")]
            for lane in 0..16 {
                let from = ((lanes + lane) * depth + first).min(distances.len());
                let to = (from + 16).min(distances.len());
                for (time, distance) in distances[from..to].iter_mut().enumerate() {
                    let mut matches = usize::from(parts[0][lane][time]);
                    if planes > 8 {
                        matches |= usize::from(parts[1][lane][time]) << 8;
                    }
                    if planes > 16 {
                        matches |= usize::from(parts[2][lane][time]) << 16;
                        matches |= usize::from(parts[3][lane][time]) << 24;
                    }
                    *distance = distance.minus(matches);
                }
            }
        }
    }
    Ok(())
}

/// Adds the words of a span of positions to the counters of [`TIMES`] windows a lane.
///
/// # Safety
/// As [`Word`]; every offset of `span` is at least [`TIMES`] words before the end of `ring`.
#[inline(always)]
unsafe fn meet<W: Word>(ring: &[Lanes], span: &[u32], counters: &mut [Lanes], planes: usize) {
    let ring = ring.as_ptr();
    for (time, counters) in counters.chunks_exact_mut(planes).enumerate() {
        let word = |at: u32| {
            // SAFETY: promised by the caller.
            let lanes = unsafe { &*ring.byte_add(at as usize).add(time) };
            // SAFETY: promised by the caller.
            unsafe { W::load(lanes) }
        };
        // SAFETY: promised by the caller, of all of this block.
        unsafe {
            let mut low: [W; 4] = std::array::from_fn(|plane| W::load(&counters[plane]));
            let mut fifth = W::load(&counters[4]);
            let mut sixth = W::load(&counters[5]);
            // One carry into the planes above for every 64 words, whose way is always the same
            // length: where it ends early is what no processor predicts.
            let (groups, last) = span.as_chunks::<{ 4 * GROUP }>();
            for group in groups {
                let parts = group.as_chunks::<GROUP>().0;
                let a = sixteen::<W>(&mut low, |i| word(parts[0][i]));
                let b = sixteen::<W>(&mut low, |i| word(parts[1][i]));
                let (sum, first) = W::full(fifth, a, b);
                let a = sixteen::<W>(&mut low, |i| word(parts[2][i]));
                let b = sixteen::<W>(&mut low, |i| word(parts[3][i]));
                let (sum, second) = W::full(sum, a, b);
                fifth = sum;
                let (sum, carry) = W::full(sixth, first, second);
                sixth = sum;
                ripple(carry, &mut counters[6..]);
            }
            for group in last.as_chunks::<GROUP>().0 {
                let carry = sixteen::<W>(&mut low, |i| word(group[i]));
                let (sum, carry) = W::half(fifth, carry);
                fifth = sum;
                let (sum, carry) = W::half(sixth, carry);
                sixth = sum;
                if !carry.is_zero() {
                    ripple(carry, &mut counters[6..]);
                }
            }
            for (plane, low) in low.into_iter().enumerate() {
                low.store(&mut counters[plane]);
            }
            fifth.store(&mut counters[4]);
            sixth.store(&mut counters[5]);
        }
    }
}

/// Adds a carry to the planes above it.
///
/// # Safety
/// As [`Word`].
#[inline(always)]
unsafe fn ripple<W: Word>(mut carry: W, planes: &mut [Lanes]) {
    for plane in planes {
        // SAFETY: promised by the caller, of all of this block.
        unsafe {
            let (sum, next) = W::half(W::load(plane), carry);
            sum.store(plane);
            carry = next;
        }
    }
}

/// Adds sixteen words to the four lowest planes; gives the carry into the fifth.
///
/// # Safety
/// As [`Word`].
#[inline(always)]
unsafe fn sixteen<W: Word>(low: &mut [W; 4], word: impl Fn(usize) -> W) -> W {
    let mut eights = [low[3]; 2];
    for (half, eight) in eights.iter_mut().enumerate() {
        let mut fours = [low[2]; 2];
        for (quarter, four) in fours.iter_mut().enumerate() {
            let first = half * 8 + quarter * 4;
            // SAFETY: promised by the caller, of all of this block.
            unsafe {
                let (ones, two) = W::full(low[0], word(first), word(first + 1));
                let (ones, other) = W::full(ones, word(first + 2), word(first + 3));
                low[0] = ones;
                (low[1], *four) = W::full(low[1], two, other);
            }
        }
        // SAFETY: promised by the caller.
        (low[2], *eight) = unsafe { W::full(low[2], fours[0], fours[1]) };
    }
    // SAFETY: promised by the caller.
    let (eight, carry) = unsafe { W::full(low[3], eights[0], eights[1]) };
    low[3] = eight;
    carry
}

/// Gathers what all lanes have at the [`TIMES`] offsets from `first` on.
fn across(text: &[u8], depth: usize, first: usize, bytes: &mut [[u8; LANES]]) {
    for lanes in (0..LANES).step_by(16) {
        for times in (0..TIMES).step_by(16) {
            let square = transposed(std::array::from_fn(|lane| {
                let from = (lanes + lane) * depth + first + times;
                text[from..].first_chunk().copied().unwrap_or_default()
            }));
            for (time, row) in square.iter().enumerate() {
                bytes[times + time][lanes..lanes + 16].copy_from_slice(row);
            }
        }
    }
}

/// A square's rows as its columns: four perfect shuffles, which compilers know as unpacking.
#[inline(always)]
fn transposed(mut square: [[u8; 16]; 16]) -> [[u8; 16]; 16] {
    for _ in 0..4 {
        let mut next = [[0; 16]; 16];
        for row in 0..8 {
            let (a, b) = (square[row], square[row + 8]);
            for at in 0..8 {
                next[2 * row][2 * at] = a[at];
                next[2 * row][2 * at + 1] = b[at];
                next[2 * row + 1][2 * at] = a[at + 8];
                next[2 * row + 1][2 * at + 1] = b[at + 8];
            }
        }
        square = next;
    }
    square
}

impl Word for Lanes {
    #[inline(always)]
    unsafe fn load(lanes: &Lanes) -> Self {
        *lanes
    }

    #[inline(always)]
    unsafe fn store(self, lanes: &mut Lanes) {
        *lanes = self;
    }

    #[inline(always)]
    unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self) {
        let mut sum = (a, a);
        for at in 0..4 {
            let either = a.0[at] ^ b.0[at];
            sum.0.0[at] = either ^ c.0[at];
            sum.1.0[at] = (a.0[at] & b.0[at]) | (either & c.0[at]);
        }
        sum
    }

    #[inline(always)]
    unsafe fn half(a: Self, b: Self) -> (Self, Self) {
        let mut sum = (a, a);
        for at in 0..4 {
            sum.0.0[at] = a.0[at] ^ b.0[at];
            sum.1.0[at] = a.0[at] & b.0[at];
        }
        sum
    }

    #[inline(always)]
    unsafe fn is_zero(self) -> bool {
        self.0 == [0; 4]
    }

    #[inline(always)]
    unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes {
        let mut lanes = Self::default();
        for (word, bytes) in lanes.0.iter_mut().zip(bytes.as_chunks::<64>().0) {
            for (at, &byte) in bytes.iter().enumerate() {
                *word |= u64::from(byte == symbol) << at;
            }
        }
        lanes
    }

    #[inline(always)]
    unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]) {
        for (word, numbers) in numbers.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            for (eight, numbers) in numbers.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let mut bits = 0_u64;
                for (plane, lanes) in planes.iter().enumerate() {
                    bits |= u64::from((lanes.0[word] >> (eight * 8)) as u8) << (plane * 8);
                }
                // A transposition of 8 by 8 bits (Hacker's Delight, 7-3).
                for (shift, mask) in [
                    (7, 0x00aa_00aa_00aa_00aa),
                    (14, 0x0000_cccc_0000_cccc),
                    (28, 0x0000_0000_f0f0_f0f0),
                ] {
                    let swapped = (bits ^ (bits >> shift)) & mask;
                    bits ^= swapped ^ (swapped << shift);
                }
                *numbers = bits.to_le_bytes();
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_load_si256, _mm256_loadu_si256,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi32,
        _mm256_set1_epi64x, _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
        _mm256_store_si256, _mm256_storeu_si256, _mm256_ternarylogic_epi64, _mm256_testz_si256,
        _mm256_xor_si256, _mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_mask_add_epi8,
        _mm512_set1_epi8, _mm512_setzero_si512, _mm512_storeu_si512,
    };

    use super::{LANES, Lanes, Word};

    /// A register that has AVX2.
    #[derive(Clone, Copy)]
    pub struct Avx2(__m256i);

    /// A register that has AVX-512 VL.
    #[derive(Clone, Copy)]
    pub struct Avx512(__m256i);

    impl Word for Avx2 {
        #[inline(always)]
        unsafe fn load(lanes: &Lanes) -> Self {
            // SAFETY: lanes are 32 bytes, aligned to 32; the caller has AVX2.
            Self(unsafe { _mm256_load_si256(std::ptr::from_ref(lanes).cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, lanes: &mut Lanes) {
            // SAFETY: as in `load`.
            unsafe { _mm256_store_si256(std::ptr::from_mut(lanes).cast(), self.0) };
        }

        #[inline(always)]
        unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self) {
            // SAFETY: the caller has AVX2.
            unsafe {
                let either = _mm256_xor_si256(a.0, b.0);
                let sum = _mm256_xor_si256(either, c.0);
                let both = _mm256_and_si256(a.0, b.0);
                (Self(sum), Self(_mm256_or_si256(both, _mm256_and_si256(either, c.0))))
            }
        }

        #[inline(always)]
        unsafe fn half(a: Self, b: Self) -> (Self, Self) {
            // SAFETY: the caller has AVX2.
            unsafe { (Self(_mm256_xor_si256(a.0, b.0)), Self(_mm256_and_si256(a.0, b.0))) }
        }

        #[inline(always)]
        unsafe fn is_zero(self) -> bool {
            // SAFETY: the caller has AVX2.
            unsafe { _mm256_testz_si256(self.0, self.0) == 1 }
        }

        #[inline(always)]
        unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes {
            let mut lanes = Lanes::default();
            // SAFETY: each chunk has the 32 bytes that are read; the caller has AVX2.
            unsafe {
                let symbol = _mm256_set1_epi8(symbol.cast_signed());
                for (half, bytes) in bytes.as_chunks::<32>().0.iter().enumerate() {
                    let bytes = _mm256_loadu_si256(bytes.as_ptr().cast());
                    let equal = _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, symbol));
                    lanes.0[half / 2] |= u64::from(equal.cast_unsigned()) << (half % 2 * 32);
                }
            }
            lanes
        }

        #[inline(always)]
        unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]) {
            // SAFETY: each chunk has the 32 bytes that are written; the caller has AVX2.
            unsafe {
                // Byte i of a register looks at bit i % 8 of byte i / 8 of its 32 lanes.
                let spread = _mm256_setr_epi8(
                    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3,
                    3, 3, 3, 3, 3, 3,
                );
                let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
                for (half, numbers) in numbers.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                    let mut sum = _mm256_setzero_si256();
                    for (plane, lanes) in planes.iter().enumerate() {
                        let lanes = (lanes.0[half / 2] >> (half % 2 * 32)) as u32;
                        let bytes = _mm256_set1_epi32(lanes.cast_signed());
                        let bits = _mm256_and_si256(_mm256_shuffle_epi8(bytes, spread), bit);
                        let set = _mm256_cmpeq_epi8(bits, bit);
                        let value = _mm256_set1_epi8((1_u8 << plane).cast_signed());
                        sum = _mm256_or_si256(sum, _mm256_and_si256(set, value));
                    }
                    _mm256_storeu_si256(numbers.as_mut_ptr().cast(), sum);
                }
            }
        }
    }

    impl Word for Avx512 {
        #[inline(always)]
        unsafe fn load(lanes: &Lanes) -> Self {
            // SAFETY: lanes are 32 bytes, aligned to 32; the caller has AVX-512.
            Self(unsafe { _mm256_load_si256(std::ptr::from_ref(lanes).cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, lanes: &mut Lanes) {
            // SAFETY: as in `load`.
            unsafe { _mm256_store_si256(std::ptr::from_mut(lanes).cast(), self.0) };
        }

        #[inline(always)]
        unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self) {
            // The truth tables of "odd" and of "two or more".
            // SAFETY: the caller has AVX-512.
            unsafe {
                (
                    Self(_mm256_ternarylogic_epi64::<0x96>(a.0, b.0, c.0)),
                    Self(_mm256_ternarylogic_epi64::<0xe8>(a.0, b.0, c.0)),
                )
            }
        }

        #[inline(always)]
        unsafe fn half(a: Self, b: Self) -> (Self, Self) {
            // SAFETY: the caller has AVX-512, and so AVX2.
            unsafe { (Self(_mm256_xor_si256(a.0, b.0)), Self(_mm256_and_si256(a.0, b.0))) }
        }

        #[inline(always)]
        unsafe fn is_zero(self) -> bool {
            // SAFETY: the caller has AVX-512, and so AVX.
            unsafe { _mm256_testz_si256(self.0, self.0) == 1 }
        }

        #[inline(always)]
        unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes {
            let mut lanes = Lanes::default();
            // SAFETY: each chunk has the 64 bytes that are read; the caller has AVX-512.
            unsafe {
                let symbol = _mm512_set1_epi8(symbol.cast_signed());
                for (lanes, bytes) in lanes.0.iter_mut().zip(bytes.as_chunks::<64>().0) {
                    let bytes = _mm512_loadu_si512(bytes.as_ptr().cast());
                    *lanes = _mm512_cmpeq_epi8_mask(bytes, symbol);
                }
            }
            lanes
        }

        #[inline(always)]
        unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]) {
            // SAFETY: each chunk has the 64 bytes that are written; the caller has AVX-512.
            unsafe {
                for (word, numbers) in numbers.as_chunks_mut::<64>().0.iter_mut().enumerate() {
                    let mut sum = _mm512_setzero_si512();
                    for (plane, lanes) in planes.iter().enumerate() {
                        let value = _mm512_set1_epi8((1_u8 << plane).cast_signed());
                        sum = _mm512_mask_add_epi8(sum, lanes.0[word], sum, value);
                    }
                    _mm512_storeu_si512(numbers.as_mut_ptr().cast(), sum);
                }
            }
        }
    }
}
