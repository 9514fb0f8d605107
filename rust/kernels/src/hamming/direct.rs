//! Counts matches position by position of the pattern, 256 shifts at a time in byte counters.
//!
//! The kernel of short patterns: a load, a comparison and a subtraction for 32 or 64 pairs.

use super::simd::Simd;
use super::{Count, each_chunk};
use crate::error::Result;
use crate::interrupt::Monitor;

/// Shifts that are counted at once.
const BLOCK: usize = 256;

/// Shifts that meet the same positions one after the other.
const TILE: usize = 1 << 12;

/// Shifts of one piece of work.
const CHUNK: usize = 1 << 16;

/// Pairs between two looks at the monitor.
const PAIRS: usize = 1 << 28;

/// Positions that a byte counts.
const MOST: usize = 255;

/// Positions of a pattern in ascending order, each with the byte that stands there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sites(Vec<(u32, u8)>);

impl Sites {
    pub fn new(mut sites: Vec<(u32, u8)>) -> Self {
        sites.sort_unstable();
        Self(sites)
    }
}

type Kernel = fn(&[u8], &[(u32, u8)], &mut [u8; BLOCK]);

/// Takes the matches of the sites off `distances`, whose item `i` is about the window that starts at `text[i]`; with `base`, off that
/// number instead of what is there.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(crate) fn subtract<T: Count>(
    text: &[u8],
    sites: &Sites,
    base: Option<usize>,
    distances: &mut [T],
    simd: Simd,
    monitor: &Monitor,
) -> Result<()> {
    let kernel = kernel(simd);
    let positions = &sites.0;
    let chunk = CHUNK.min((PAIRS / positions.len().max(1)).next_multiple_of(BLOCK));
    each_chunk(distances, chunk, monitor, |first, distances| {
        let mut matches = [0; BLOCK];
        if positions.is_empty()
            && let Some(base) = base
        {
            distances.fill(T::of(base));
        }
        // Some windows and some positions at a time, whose text stays in the nearest cache.
        for (number, tile) in distances.chunks_mut(TILE).enumerate() {
            let first = first + number * TILE;
            for (number, positions) in positions.chunks(MOST).enumerate() {
                let base = base.filter(|_| number == 0);
                let last = positions.last().map_or(0, |&(at, _)| at as usize);
                for (number, distances) in tile.chunks_mut(BLOCK).enumerate() {
                    let text = &text[first + number * BLOCK..];
                    if text.len() >= last + BLOCK {
                        kernel(text, positions, &mut matches);
                    } else {
                        // The windows at the text's end, where a whole block would read past it.
                        matches = [0; BLOCK];
                        for &(at, symbol) in positions {
                            let windows = text[at as usize..].iter().zip(&mut matches);
                            for (&other, matches) in windows {
                                *matches += u8::from(other == symbol);
                            }
                        }
                    }
                    match base {
                        Some(base) => {
                            let base = T::of(base);
                            for (distance, &matches) in distances.iter_mut().zip(&matches) {
                                *distance = base.minus(matches.into());
                            }
                        }
                        None => {
                            for (distance, &matches) in distances.iter_mut().zip(&matches) {
                                *distance = distance.minus(matches.into());
                            }
                        }
                    }
                }
            }
        }
        monitor.advance(distances.len() as u64);
        Ok(())
    })
}

fn kernel(simd: Simd) -> Kernel {
    match simd.available() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `available` names AVX-512 only where the processor has it.
        Simd::Avx512 => |text, positions, matches| unsafe {
            x86::avx512(text, positions, matches);
        },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `available` names AVX2 only where the processor has it.
        Simd::Avx2 => |text, positions, matches| unsafe { x86::avx2(text, positions, matches) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: `available` names NEON only where the processor has it.
        Simd::Neon => |text, positions, matches| unsafe { neon::count(text, positions, matches) },
        _ => portable,
    }
}

/// Counts in an array that compilers make vector registers of.
fn portable(text: &[u8], positions: &[(u32, u8)], matches: &mut [u8; BLOCK]) {
    *matches = [0; BLOCK];
    for (part, matches) in matches.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        let mut counts = [0_u8; 64];
        for &(at, symbol) in positions {
            let from = at as usize + part * 64;
            let window = &text[from..from + 64];
            for (count, &other) in counts.iter_mut().zip(window) {
                *count += u8::from(other == symbol);
            }
        }
        *matches = counts;
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm256_storeu_si256, _mm256_sub_epi8, _mm512_cmpeq_epi8_mask,
        _mm512_loadu_si512, _mm512_mask_sub_epi8, _mm512_set1_epi8, _mm512_setzero_si512,
        _mm512_storeu_si512,
    };

    use super::BLOCK;

    /// Whether a block of windows at these ascending positions lies within the text.
    fn within(text: &[u8], positions: &[(u32, u8)]) -> bool {
        let last = positions.last().map_or(0, |&(at, _)| at as usize);
        text.len() >= last + BLOCK && positions.is_sorted_by_key(|&(at, _)| at)
    }

    // Two halves of 128 shifts, each in four registers, so that counters never leave them.
    #[target_feature(enable = "avx2")]
    pub fn avx2(text: &[u8], positions: &[(u32, u8)], matches: &mut [u8; BLOCK]) {
        debug_assert!(within(text, positions));
        assert!(text.len() >= BLOCK + positions.last().map_or(0, |&(at, _)| at as usize));
        const PARTS: usize = BLOCK / 32;
        let mut counts = [_mm256_setzero_si256(); PARTS];
        for &(at, symbol) in positions {
            let symbol = _mm256_set1_epi8(symbol.cast_signed());
            for (part, count) in counts.iter_mut().enumerate() {
                // SAFETY: positions ascend, for only `subtract` calls this, with slices of `Sites`,
                // which sorts them; and a block behind the last one is within the text, which is
                // asserted above.
                let other = unsafe {
                    _mm256_loadu_si256(text.as_ptr().add(at as usize + part * 32).cast::<__m256i>())
                };
                // Equal bytes are -1.
                *count = _mm256_sub_epi8(*count, _mm256_cmpeq_epi8(other, symbol));
            }
        }
        for (count, matches) in counts.iter().zip(matches.as_chunks_mut::<32>().0) {
            // SAFETY: the chunk has the 32 bytes that are written.
            unsafe { _mm256_storeu_si256(matches.as_mut_ptr().cast::<__m256i>(), *count) };
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub fn avx512(text: &[u8], positions: &[(u32, u8)], matches: &mut [u8; BLOCK]) {
        debug_assert!(within(text, positions));
        assert!(text.len() >= BLOCK + positions.last().map_or(0, |&(at, _)| at as usize));
        const PARTS: usize = BLOCK / 64;
        let mut counts = [_mm512_setzero_si512(); PARTS];
        let less = _mm512_set1_epi8(-1);
        for &(at, symbol) in positions {
            let symbol = _mm512_set1_epi8(symbol.cast_signed());
            for (part, count) in counts.iter_mut().enumerate() {
                // SAFETY: as in `avx2`.
                let other = unsafe {
                    _mm512_loadu_si512(text.as_ptr().add(at as usize + part * 64).cast::<__m512i>())
                };
                let equal = _mm512_cmpeq_epi8_mask(other, symbol);
                *count = _mm512_mask_sub_epi8(*count, equal, *count, less);
            }
        }
        for (count, matches) in counts.iter().zip(matches.as_chunks_mut::<64>().0) {
            // SAFETY: the chunk has the 64 bytes that are written.
            unsafe { _mm512_storeu_si512(matches.as_mut_ptr().cast::<__m512i>(), *count) };
        }
    }
}

#[cfg(target_arch = "aarch64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod neon {
    use std::arch::aarch64::{vceqq_u8, vdupq_n_u8, vld1q_u8, vst1q_u8, vsubq_u8};

    use super::BLOCK;

    #[target_feature(enable = "neon")]
    pub fn count(text: &[u8], positions: &[(u32, u8)], matches: &mut [u8; BLOCK]) {
        debug_assert!(positions.is_sorted_by_key(|&(at, _)| at));
        assert!(text.len() >= BLOCK + positions.last().map_or(0, |&(at, _)| at as usize));
        const PARTS: usize = BLOCK / 16;
        let mut counts = [vdupq_n_u8(0); PARTS];
        for &(at, symbol) in positions {
            let symbol = vdupq_n_u8(symbol);
            for (part, count) in counts.iter_mut().enumerate() {
                // SAFETY: positions ascend, for only `subtract` calls this, with slices of `Sites`,
                // which sorts them; and a block behind the last one is within the text, which is
                // asserted above.
                let other = unsafe { vld1q_u8(text.as_ptr().add(at as usize + part * 16)) };
                // Equal bytes are -1.
                *count = vsubq_u8(*count, vceqq_u8(other, symbol));
            }
        }
        for (count, matches) in counts.iter().zip(matches.as_chunks_mut::<16>().0) {
            // SAFETY: the chunk has the 16 bytes that are written.
            unsafe { vst1q_u8(matches.as_mut_ptr(), *count) };
        }
    }
}
