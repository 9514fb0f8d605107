//! Early exit, rarest symbols first.
//!
//! 256 windows at a time, in byte counters of mismatches that stop at 255: once none of them is
//! within `k`, the rest of the pattern is not looked at. Windows of other text differ nearly
//! everywhere, most of all in the pattern's rarest symbols, so that little more than `k` positions
//! are looked at whatever the pattern's length.

use std::ops::Range;

use rayon::prelude::*;

use super::prepare::{Haystack, Needle};
use super::simd::Simd;
use crate::error::Result;
use crate::interrupt::Monitor;

/// Windows that are looked at together.
pub(super) const BLOCK: usize = 256;

/// Blocks between two looks at the monitor.
pub(super) const BLOCKS: usize = 256;

/// Windows that are verified one by one, if no more are left of a block.
const FEW: u32 = 8;

/// Positions between two looks at whether any window is left.
const STRIDE: usize = 8;

/// What it costs to look at a block again, in positions of it.
const AGAIN: f64 = 24.0;

/// Matches whose probability is reckoned.
const MATCHES: usize = 64;

/// Symbols of a text that are looked at to know which are rare, in so many stretches.
const SAMPLE: usize = 1 << 14;
const STRETCHES: usize = 64;

/// A pattern to look for in a text.
pub(super) struct Probe<'a> {
    text: &'a [u8],
    /// Positions, those of the rarest symbols first, each with its byte.
    order: Vec<(u32, u8)>,
    /// How many of them are looked at before it is asked whether any window is left.
    first: usize,
    /// The last position.
    last: usize,
    length: usize,
    k: usize,
    kernels: Kernels,
}

/// Windows of a block: their mismatches, counted to 255 at most, and a bit for each that is within
/// the bound.
#[derive(Clone, Debug)]
struct Block {
    counts: [u8; BLOCK],
    left: [u64; BLOCK / 64],
}

impl Default for Block {
    fn default() -> Self {
        Self { counts: [0; BLOCK], left: [!0; BLOCK / 64] }
    }
}

impl Block {
    /// How many windows are left.
    fn left(&self) -> u32 {
        self.left.iter().map(|bits| bits.count_ones()).sum()
    }

    /// Calls `each` with the place and the mismatches of each window that is left.
    fn each(&self, mut each: impl FnMut(usize, usize)) {
        for (word, &bits) in self.left.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let at = word * 64 + bits.trailing_zeros() as usize;
                each(at, self.counts[at].into());
                bits &= bits - 1;
            }
        }
    }
}

/// How mismatches are counted.
#[derive(Clone, Copy)]
struct Kernels {
    /// Of blocks of a text, one after the other from the given one, counts those at some positions
    /// until a window of one is within the bound; gives that one, and the last one behind all.
    skip: Skip,
    /// Adds those at more positions.
    more: More,
}

type Skip = fn(&[u8], &[(u32, u8)], Range<usize>, &mut Block, u8) -> usize;
type More = fn(&[u8], &[(u32, u8)], &mut Block, u8);

impl Kernels {
    fn new(simd: Simd) -> Self {
        match simd.available() {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => Self {
                // SAFETY: `available` names these instructions only where the processor has them; that
                // blocks are within the text is what `Probe` sees to.
                skip: |text, order, blocks, block, k| unsafe {
                    x86::skip_avx512(text, order, blocks, block, k)
                },
                // SAFETY: the same.
                more: |text, order, block, k| unsafe { x86::avx512(text, order, block, k) },
            },
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => Self {
                // SAFETY: as above.
                skip: |text, order, blocks, block, k| unsafe {
                    x86::skip_avx2(text, order, blocks, block, k)
                },
                // SAFETY: the same.
                more: |text, order, block, k| unsafe { x86::avx2(text, order, block, k) },
            },
            #[cfg(target_arch = "aarch64")]
            Simd::Neon => Self {
                // SAFETY: as above.
                skip: |text, order, blocks, block, k| unsafe {
                    neon::skip(text, order, blocks, block, k)
                },
                // SAFETY: the same.
                more: |text, order, block, k| unsafe { neon::more(text, order, block, k) },
            },
            _ => Self { skip: skip_portable, more: portable },
        }
    }
}

impl<'a> Probe<'a> {
    pub fn new(text: &'a Haystack<'_>, needle: &Needle, k: usize, simd: Simd) -> Self {
        let mut counts = [0_u32; 256];
        let mut look = |part: &[u8]| part.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        if text.len() <= SAMPLE {
            look(&text.narrow);
        } else {
            let stretch = SAMPLE / STRETCHES;
            for number in 0..STRETCHES {
                let from = (text.len() - stretch) / (STRETCHES - 1) * number;
                look(&text.narrow[from..from + stretch]);
            }
        }
        let count = |code: u32| counts[usize::from(code as u8)];
        let mut symbols: Vec<&(u32, Vec<u32>)> = needle.symbols.iter().collect();
        symbols.sort_unstable_by_key(|(code, _)| (count(*code), *code));
        let order: Vec<(u32, u8)> = symbols
            .iter()
            .flat_map(|(code, positions)| positions.iter().map(|&at| (at, *code as u8)))
            .collect();
        let last = order.iter().map(|&(at, _)| at as usize).max().unwrap_or(0);
        let looked = counts.iter().sum::<u32>().max(1);
        let shares = order
            .iter()
            .map(|&(_, byte)| (f64::from(count(byte.into())) + 0.5) / f64::from(looked));
        let first = first(shares.map(|share| share.min(1.0)), k).min(order.len());
        let (length, kernels) = (needle.length, Kernels::new(simd));
        Self { text: &text.narrow, order, first, last, length, k, kernels }
    }

    /// Start and distance of each window within `k`, in order.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn all(&self, windows: usize, monitor: &Monitor) -> Result<Vec<(usize, usize)>> {
        monitor.expect(windows as u64);
        let size = BLOCK * BLOCKS;
        let chunk = |chunk: usize| -> Result<Vec<(usize, usize)>> {
            monitor.check()?;
            let mut found = vec![];
            let end = windows.min((chunk + 1) * size);
            self.span(chunk * size..end, &mut |start, distance| found.push((start, distance)));
            monitor.advance((end - chunk * size) as u64);
            Ok(found)
        };
        let chunks = windows.div_ceil(size);
        let found: Vec<Vec<_>> = if chunks == 1 {
            vec![chunk(0)?]
        } else {
            (0..chunks).into_par_iter().map(chunk).collect::<Result<_>>()?
        };
        Ok(found.concat())
    }

    /// Gives the windows of a span within `k`, in order; gives back how many positions of whole
    /// blocks were looked at.
    pub fn span(&self, windows: Range<usize>, take: &mut dyn FnMut(usize, usize)) -> usize {
        let text = &self.text[windows.start..];
        // Whole blocks must lie within the text at the last position, also where windows end.
        let blocks = (windows.len() / BLOCK).min((text.len() - self.last) / BLOCK);
        let mut block = Block::default();
        let mut looked = 0;
        let mut next = 0;
        while next < blocks {
            let order = &self.order[..self.first];
            let at = (self.kernels.skip)(text, order, next..blocks, &mut block, self.k as u8);
            looked += (at.min(blocks - 1) + 1 - next) * self.first;
            if at < blocks {
                looked += self.rest(windows.start + at * BLOCK, &mut block, take);
            }
            next = at + 1;
        }
        for start in windows.start + blocks * BLOCK..windows.end {
            self.verify(start, 0, &self.order, take);
        }
        looked
    }

    /// Gives the windows of a block that are left after the first positions, and within `k`; gives
    /// back how many more positions were looked at.
    fn rest(&self, first: usize, block: &mut Block, take: &mut dyn FnMut(usize, usize)) -> usize {
        let text = &self.text[first..];
        let mut looked = self.first;
        while looked < self.order.len() && block.left() > FEW {
            let to = (looked + STRIDE).min(self.order.len());
            (self.kernels.more)(text, &self.order[looked..to], block, self.k as u8);
            looked = to;
        }
        let rest = &self.order[looked..];
        let mut verified = 0;
        block.each(|at, distance| verified += self.verify(first + at, distance, rest, take));
        looked - self.first + verified / 32
    }

    /// Gives a window with so many mismatches besides those at some positions, if it is within `k`;
    /// gives back how many of the positions were looked at.
    fn verify(
        &self,
        start: usize,
        mut distance: usize,
        rest: &[(u32, u8)],
        take: &mut dyn FnMut(usize, usize),
    ) -> usize {
        for (looked, &(at, symbol)) in rest.iter().enumerate() {
            distance += usize::from(self.text[start + at as usize] != symbol);
            if distance > self.k {
                return looked + 1;
            }
        }
        if distance <= self.k {
            debug_assert!(start + self.length <= self.text.len());
            take(start, distance);
        }
        rest.len()
    }
}

/// How many positions to look at before it is asked whether a window of a block is left, of
/// positions that match with these probabilities: as many as cost least, with what it costs to look
/// at a block again.
fn first(shares: impl Iterator<Item = f64>, k: usize) -> usize {
    // Of a window and j, that more than j - 1 positions match.
    let mut tails = [0.0; MATCHES];
    tails[0] = 1.0;
    let mut best = (f64::INFINITY, k + 1);
    for (share, looked) in shares.zip(1..) {
        for at in (1..MATCHES).rev() {
            tails[at] += (tails[at - 1] - tails[at]) * share;
        }
        // A window is left if no more than k of the positions differ.
        let Some(matches) = usize::checked_sub(looked, k).filter(|&least| least > 0) else {
            continue;
        };
        let Some(&left) = tails.get(matches) else { break };
        let again = 1.0 - (1.0 - left).powi(BLOCK as i32);
        let cost = looked as f64 + again * AGAIN;
        if cost < best.0 {
            best = (cost, looked);
        } else if looked as f64 > best.0 {
            break;
        }
    }
    best.1
}

fn skip_portable(
    text: &[u8],
    order: &[(u32, u8)],
    blocks: Range<usize>,
    block: &mut Block,
    k: u8,
) -> usize {
    let end = blocks.end;
    for at in blocks {
        block.counts = [0; BLOCK];
        portable(&text[at * BLOCK..], order, block, k);
        if block.left() > 0 {
            return at;
        }
    }
    end
}

fn portable(text: &[u8], order: &[(u32, u8)], block: &mut Block, k: u8) {
    for &(at, symbol) in order {
        let window = &text[at as usize..at as usize + BLOCK];
        for (count, &other) in block.counts.iter_mut().zip(window) {
            *count = count.saturating_add(u8::from(other != symbol));
        }
    }
    for (left, counts) in block.left.iter_mut().zip(block.counts.as_chunks::<64>().0) {
        *left = 0;
        for (at, &count) in counts.iter().enumerate() {
            *left |= u64::from(count <= k) << at;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_add_epi8, _mm256_adds_epu8, _mm256_cmpeq_epi8, _mm256_loadu_si256,
        _mm256_min_epu8, _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_storeu_si256, _mm512_cmple_epu8_mask, _mm512_cmpneq_epi8_mask, _mm512_loadu_si512,
        _mm512_mask_adds_epu8, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_storeu_si512,
    };

    use super::{BLOCK, Block, Range};

    const PARTS: usize = BLOCK / 32;
    const WIDE: usize = BLOCK / 64;

    /// # Safety
    /// A block behind every position lies within the text.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn add_avx2(text: *const u8, order: &[(u32, u8)], sums: &mut [__m256i; PARTS]) {
        let one = _mm256_set1_epi8(1);
        for &(at, symbol) in order {
            let symbol = _mm256_set1_epi8(symbol.cast_signed());
            for (part, sum) in sums.iter_mut().enumerate() {
                // SAFETY: promised by the caller.
                let other = unsafe { _mm256_loadu_si256(text.add(at as usize + part * 32).cast()) };
                // Equal bytes are -1: one more is 0 for them, and 1 for the others.
                let differ = _mm256_add_epi8(_mm256_cmpeq_epi8(other, symbol), one);
                *sum = _mm256_adds_epu8(*sum, differ);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn left_avx2(sums: &[__m256i; PARTS], k: u8) -> [u64; BLOCK / 64] {
        let most = _mm256_set1_epi8(k.cast_signed());
        let mut left = [0; BLOCK / 64];
        for (part, &sum) in sums.iter().enumerate() {
            let within = _mm256_cmpeq_epi8(_mm256_min_epu8(sum, most), sum);
            let bits = u64::from(_mm256_movemask_epi8(within).cast_unsigned());
            left[part / 2] |= bits << (part % 2 * 32);
        }
        left
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store_avx2(sums: &[__m256i; PARTS], counts: &mut [u8; BLOCK]) {
        for (sum, counts) in sums.iter().zip(counts.as_chunks_mut::<32>().0) {
            // SAFETY: the chunk has 32 bytes.
            unsafe { _mm256_storeu_si256(counts.as_mut_ptr().cast(), *sum) };
        }
    }

    /// # Safety
    /// In every block, one behind every position lies within the text.
    #[target_feature(enable = "avx2")]
    pub unsafe fn skip_avx2(
        text: &[u8],
        order: &[(u32, u8)],
        blocks: Range<usize>,
        block: &mut Block,
        k: u8,
    ) -> usize {
        let end = blocks.end;
        for at in blocks {
            let mut sums = [_mm256_setzero_si256(); PARTS];
            // SAFETY: promised by the caller.
            unsafe { add_avx2(text.as_ptr().add(at * BLOCK), order, &mut sums) };
            let left = left_avx2(&sums, k);
            if left != [0; BLOCK / 64] {
                block.left = left;
                store_avx2(&sums, &mut block.counts);
                return at;
            }
        }
        end
    }

    /// # Safety
    /// A block behind every position lies within the text.
    #[target_feature(enable = "avx2")]
    pub unsafe fn avx2(text: &[u8], order: &[(u32, u8)], block: &mut Block, k: u8) {
        let counts = block.counts.as_chunks::<32>().0;
        // SAFETY: each chunk has 32 bytes.
        let mut sums =
            std::array::from_fn(|part| unsafe { _mm256_loadu_si256(counts[part].as_ptr().cast()) });
        // SAFETY: promised by the caller.
        unsafe { add_avx2(text.as_ptr(), order, &mut sums) };
        block.left = left_avx2(&sums, k);
        store_avx2(&sums, &mut block.counts);
    }

    /// # Safety
    /// A block behind every position lies within the text.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn add_avx512(text: *const u8, order: &[(u32, u8)], sums: &mut [__m512i; WIDE]) {
        let one = _mm512_set1_epi8(1);
        for &(at, symbol) in order {
            let symbol = _mm512_set1_epi8(symbol.cast_signed());
            for (part, sum) in sums.iter_mut().enumerate() {
                // SAFETY: promised by the caller.
                let other = unsafe { _mm512_loadu_si512(text.add(at as usize + part * 64).cast()) };
                let differ = _mm512_cmpneq_epi8_mask(other, symbol);
                *sum = _mm512_mask_adds_epu8(*sum, differ, *sum, one);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn left_avx512(sums: &[__m512i; WIDE], k: u8) -> [u64; WIDE] {
        let most = _mm512_set1_epi8(k.cast_signed());
        std::array::from_fn(|part| _mm512_cmple_epu8_mask(sums[part], most))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn store_avx512(sums: &[__m512i; WIDE], counts: &mut [u8; BLOCK]) {
        for (sum, counts) in sums.iter().zip(counts.as_chunks_mut::<64>().0) {
            // SAFETY: the chunk has 64 bytes.
            unsafe { _mm512_storeu_si512(counts.as_mut_ptr().cast(), *sum) };
        }
    }

    /// # Safety
    /// In every block, one behind every position lies within the text.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub unsafe fn skip_avx512(
        text: &[u8],
        order: &[(u32, u8)],
        blocks: Range<usize>,
        block: &mut Block,
        k: u8,
    ) -> usize {
        let end = blocks.end;
        for at in blocks {
            let mut sums = [_mm512_setzero_si512(); WIDE];
            // SAFETY: promised by the caller.
            unsafe { add_avx512(text.as_ptr().add(at * BLOCK), order, &mut sums) };
            let left = left_avx512(&sums, k);
            if left != [0; WIDE] {
                block.left = left;
                store_avx512(&sums, &mut block.counts);
                return at;
            }
        }
        end
    }

    /// # Safety
    /// A block behind every position lies within the text.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub unsafe fn avx512(text: &[u8], order: &[(u32, u8)], block: &mut Block, k: u8) {
        let counts = block.counts.as_chunks::<64>().0;
        // SAFETY: each chunk has 64 bytes.
        let mut sums =
            std::array::from_fn(|part| unsafe { _mm512_loadu_si512(counts[part].as_ptr().cast()) });
        // SAFETY: promised by the caller.
        unsafe { add_avx512(text.as_ptr(), order, &mut sums) };
        block.left = left_avx512(&sums, k);
        store_avx512(&sums, &mut block.counts);
    }
}

#[cfg(target_arch = "aarch64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod neon {
    use std::arch::aarch64::{
        uint8x16_t, vaddq_u8, vceqq_u8, vcleq_u8, vdupq_n_u8, vld1q_u8, vqaddq_u8, vst1q_u8,
    };

    use super::super::simd::neon_mask;
    use super::{BLOCK, Block, Range};

    const PARTS: usize = BLOCK / 16;

    /// # Safety
    /// A block behind every position lies within the text.
    #[target_feature(enable = "neon")]
    unsafe fn add(text: *const u8, order: &[(u32, u8)], sums: &mut [uint8x16_t; PARTS]) {
        let one = vdupq_n_u8(1);
        for &(at, symbol) in order {
            let symbol = vdupq_n_u8(symbol);
            for (part, sum) in sums.iter_mut().enumerate() {
                // SAFETY: promised by the caller.
                let other = unsafe { vld1q_u8(text.add(at as usize + part * 16)) };
                // Equal bytes are -1: one more is 0 for them, and 1 for the others.
                *sum = vqaddq_u8(*sum, vaddq_u8(vceqq_u8(other, symbol), one));
            }
        }
    }

    #[target_feature(enable = "neon")]
    fn left(sums: &[uint8x16_t; PARTS], k: u8) -> [u64; BLOCK / 64] {
        let most = vdupq_n_u8(k);
        std::array::from_fn(|word| {
            neon_mask(std::array::from_fn(|part| vcleq_u8(sums[word * 4 + part], most)))
        })
    }

    #[target_feature(enable = "neon")]
    fn store(sums: &[uint8x16_t; PARTS], counts: &mut [u8; BLOCK]) {
        for (sum, counts) in sums.iter().zip(counts.as_chunks_mut::<16>().0) {
            // SAFETY: the chunk has 16 bytes.
            unsafe { vst1q_u8(counts.as_mut_ptr(), *sum) };
        }
    }

    /// # Safety
    /// In every block, one behind every position lies within the text.
    #[target_feature(enable = "neon")]
    pub unsafe fn skip(
        text: &[u8],
        order: &[(u32, u8)],
        blocks: Range<usize>,
        block: &mut Block,
        k: u8,
    ) -> usize {
        let end = blocks.end;
        for at in blocks {
            let mut sums = [vdupq_n_u8(0); PARTS];
            // SAFETY: promised by the caller.
            unsafe { add(text.as_ptr().add(at * BLOCK), order, &mut sums) };
            let left = left(&sums, k);
            if left != [0; BLOCK / 64] {
                block.left = left;
                store(&sums, &mut block.counts);
                return at;
            }
        }
        end
    }

    /// # Safety
    /// A block behind every position lies within the text.
    #[target_feature(enable = "neon")]
    pub unsafe fn more(text: &[u8], order: &[(u32, u8)], block: &mut Block, k: u8) {
        let counts = block.counts.as_chunks::<16>().0;
        // SAFETY: each chunk has 16 bytes.
        let mut sums = std::array::from_fn(|part| unsafe { vld1q_u8(counts[part].as_ptr()) });
        // SAFETY: promised by the caller.
        unsafe { add(text.as_ptr(), order, &mut sums) };
        block.left = left(&sums, k);
        store(&sums, &mut block.counts);
    }
}
