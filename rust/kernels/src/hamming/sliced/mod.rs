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

mod words;

use words::{Lanes, Word};

use super::simd::Simd;
use super::{Count, each_chunk};
use crate::error::Result;
use crate::interrupt::Monitor;

/// Windows side by side.
const LANES: usize = 256;
/// Offsets of one block of windows.
const TIMES: usize = 32;
/// Positions of a pattern that a block of windows meets at once.
pub(crate) const SPAN: usize = 64;
/// Offsets whose words are held.
const RING: usize = 128;
/// Words that are summed before their carry is.
const GROUP: usize = 16;
/// Words of a span that are summed together, at least.
pub(crate) const FEW: usize = 4;
/// Offsets of a lane in one piece of work, at most.
pub(crate) const DEPTH: usize = 4096;
/// Bit planes, at most: a pattern has less than 2^32 positions.
const PLANES: usize = 32;

const _: () = assert!(RING >= TIMES + SPAN && RING.is_power_of_two() && SPAN.is_multiple_of(TIMES));

/// The positions of a pattern that are counted, in spans.
#[derive(Clone, Debug)]
pub(crate) struct Slices {
    /// The byte of each row of words.
    symbols: Vec<u8>,
    /// For each span of positions, where its words are in the ring, in bytes behind the words of
    /// the span's first offset; filled up to whole fours with the row that is always zero.
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
            span.resize(span.len().next_multiple_of(FEW), zeros);
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
            #[cfg(target_arch = "aarch64")]
            // SAFETY: `available` names NEON only where the processor has it.
            Simd::Neon => unsafe { neon(&work, distances) },
            // SAFETY: the portable words need nothing.
            _ => unsafe { count::<Lanes, T>(&work, distances) },
        }
    })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<T: Count>(work: &Work<'_>, distances: &mut [T]) -> Result<()> {
    // SAFETY: this function has what the words need.
    unsafe { count::<words::Avx2, T>(work, distances) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn avx512<T: Count>(work: &Work<'_>, distances: &mut [T]) -> Result<()> {
    // SAFETY: this function has what the words need.
    unsafe { count::<words::Avx512, T>(work, distances) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon<T: Count>(work: &Work<'_>, distances: &mut [T]) -> Result<()> {
    // SAFETY: this function has what the words need.
    unsafe { count::<words::Neon, T>(work, distances) }
}

struct Work<'a> {
    /// Every lane's offsets, and those its last windows reach to.
    text: &'a [u8],
    slices: &'a Slices,
    /// Windows of a lane, a multiple of [`TIMES`].
    depth: usize,
    monitor: &'a Monitor,
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
            for (from, numbers) in (0..planes).step_by(8).zip(&mut numbers) {
                let some = (planes - from).min(8);
                let mut lanes = [Lanes::default(); 8];
                for (plane, lanes) in lanes[..some].iter_mut().enumerate() {
                    *lanes = counters[place(first + time, from + plane, planes)];
                }
                // SAFETY: promised by the caller.
                unsafe { W::numbers(&lanes[..some], &mut numbers[time]) };
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
    monitor.advance(distances.len() as u64);
    Ok(())
}

/// Where the counters of a piece have a plane of the windows at an offset: two neighbouring offsets
/// stand side by side, which registers of 512 bits take together.
#[inline(always)]
fn place(time: usize, plane: usize, planes: usize) -> usize {
    (time / 2 * planes + plane) * 2 + time % 2
}

/// Adds the words of a span of positions to the counters of [`TIMES`] windows a lane.
///
/// # Safety
/// As [`Word`]; every offset of `span` is at least [`TIMES`] words before the end of `ring`.
#[inline(always)]
unsafe fn meet<W: Word>(ring: &[Lanes], span: &[u32], counters: &mut [Lanes], planes: usize) {
    assert!(planes >= 8 && counters.len() == TIMES * planes);
    let ring = ring.as_ptr();
    for time in (0..TIMES).step_by(W::TIMES) {
        // SAFETY: promised by the caller: a load takes the words of the next offsets as well.
        let word = |at: u32| unsafe { W::load(ring.byte_add(at as usize).add(time)) };
        // SAFETY: the planes of all offsets are there, as asserted above, those of an even one and
        // the next side by side.
        let plane = unsafe { counters.as_mut_ptr().add(place(time, 0, planes)) };
        // SAFETY: promised by the caller, of all of this block; two words on is the next plane.
        unsafe {
            let mut low: [W; 4] = std::array::from_fn(|at| W::load(plane.add(2 * at)));
            let mut fifth = W::load(plane.add(8));
            let mut sixth = W::load(plane.add(10));
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
                ripple(carry, plane, planes);
            }
            let (groups, last) = last.as_chunks::<GROUP>();
            for group in groups {
                let carry = sixteen::<W>(&mut low, |i| word(group[i]));
                let (sum, carry) = W::half(fifth, carry);
                fifth = sum;
                let (sum, carry) = W::half(sixth, carry);
                sixth = sum;
                if !carry.is_zero() {
                    ripple(carry, plane, planes);
                }
            }
            for few in last.as_chunks::<FEW>().0 {
                let four = four::<W>(&mut low, |i| word(few[i]));
                let (sum, eight) = W::half(low[2], four);
                low[2] = sum;
                let (sum, carry) = W::half(low[3], eight);
                low[3] = sum;
                let (sum, carry) = W::half(fifth, carry);
                fifth = sum;
                let (sum, carry) = W::half(sixth, carry);
                sixth = sum;
                if !carry.is_zero() {
                    ripple(carry, plane, planes);
                }
            }
            for (at, low) in low.into_iter().enumerate() {
                low.store(plane.add(2 * at));
            }
            fifth.store(plane.add(8));
            sixth.store(plane.add(10));
        }
    }
}

/// Adds a carry to the planes from the seventh on.
///
/// # Safety
/// As [`Word`]; `planes` of them stand two words apart.
#[inline(always)]
unsafe fn ripple<W: Word>(mut carry: W, plane: *mut Lanes, planes: usize) {
    for at in 6..planes {
        // SAFETY: promised by the caller, of all of this block.
        unsafe {
            let plane = plane.add(2 * at);
            let (sum, next) = W::half(W::load(plane), carry);
            sum.store(plane);
            carry = next;
        }
    }
}

/// Adds four words to the two lowest planes; gives the carry into the third.
///
/// # Safety
/// As [`Word`].
#[inline(always)]
unsafe fn four<W: Word>(low: &mut [W; 4], word: impl Fn(usize) -> W) -> W {
    // SAFETY: promised by the caller, of all of this block.
    unsafe {
        let (ones, two) = W::full(low[0], word(0), word(1));
        let (ones, other) = W::full(ones, word(2), word(3));
        low[0] = ones;
        let (twos, four) = W::full(low[1], two, other);
        low[1] = twos;
        four
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
            // SAFETY: promised by the caller.
            *four = unsafe { self::four::<W>(low, |at| word(first + at)) };
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
