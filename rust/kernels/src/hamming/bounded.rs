//! The windows within `k` mismatches: early exit, rarest symbols first.
//!
//! 256 windows at a time, in byte counters of mismatches that stop at 255: once none of them is
//! within `k`, the rest of the pattern is not looked at. Windows of other text differ nearly
//! everywhere, most of all in the pattern's rarest symbols, so that little more than `k` positions
//! are looked at whatever the pattern's length. Where many windows survive (periods, `k` near the
//! length), exact distances of all windows cost less, and a sample of the blocks says so first.

use rayon::prelude::*;

use super::distances::{Distances, Hamming, Options};
use super::plan::Plan;
use super::prepare::{Haystack, Needle, is_narrow};
use super::simd::Simd;
use crate::error::Result;
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns, starts_character};

/// Windows that are looked at together.
const BLOCK: usize = 256;

/// Blocks between two looks at the monitor.
const BLOCKS: usize = 256;

/// Windows that are verified one by one, if no more are left of a block.
const FEW: u32 = 4;

/// Positions between two looks at whether any window is left.
const STRIDE: usize = 8;

/// Blocks of a text that are tried, of each so many.
const TRIED: usize = 101;

/// Nanoseconds of a position of a block, over the windows of a block.
const POSITION: f64 = 0.011;

/// Which of the windows to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithinOptions {
    /// The most mismatches.
    pub k: usize,
    /// Only windows of the least distance that the pattern has in the text.
    pub best: bool,
    /// No windows that overlap, of a pattern in a text: the nearest first, then the leftmost.
    pub disjoint: bool,
    /// Only windows that cut no character of UTF-8.
    pub characters: bool,
    /// How distances are counted, where all are.
    pub options: Options,
}

/// Windows within a distance; one item of each list a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// The text's place in its column.
    pub text: Vec<u64>,
    /// The pattern's place in its column.
    pub pattern: Vec<u64>,
    /// The window's first symbol.
    pub start: Vec<u64>,
    /// Its distance.
    pub distance: Vec<u32>,
}

impl Windows {
    /// Adds windows of a pattern in a text, each a start and a distance.
    pub fn extend(&mut self, text: u64, pattern: usize, found: &[(usize, usize)]) {
        self.text.resize(self.text.len() + found.len(), text);
        self.pattern.resize(self.pattern.len() + found.len(), pattern as u64);
        self.start.extend(found.iter().map(|&(start, _)| start as u64));
        self.distance.extend(found.iter().map(|&(_, distance)| distance as u32));
    }
}

/// Start and distance of the `top` windows of the least distances, the leftmost first among equals.
pub fn nearest(distances: &Distances, top: usize) -> Vec<(usize, usize)> {
    // What is no nearer than the last of those kept so far is not looked at again.
    let mut kept = std::collections::BinaryHeap::new();
    let mut most = usize::MAX;
    if top == 0 {
        return vec![];
    }
    distances.each(|start, distance| {
        if distance < most {
            kept.push((distance, start));
            if kept.len() > top {
                kept.pop();
            }
            if kept.len() == top {
                most = kept.peek().map_or(most, |&(distance, _)| distance);
            }
        }
    });
    kept.into_sorted_vec().into_iter().map(|(distance, start)| (start, distance)).collect()
}

impl Hamming<'_> {
    /// The windows of texts within `k` mismatches of each pattern, ordered by text, pattern and
    /// start. A text shorter than a pattern has none.
    ///
    /// About O(n k / (1 - p)) in steps of 256 windows, for texts of which a share p matches the
    /// positions looked at; at most what exact distances cost.
    ///
    /// # Errors
    /// As [`Hamming::distances`].
    pub fn within(
        &self,
        texts: &Patterns,
        options: WithinOptions,
        monitor: &Monitor,
    ) -> Result<Windows> {
        let all: Vec<_> = texts.valid().collect();
        let answer = |&(at, text): &(usize, Pattern<'_>)| -> Result<Windows> {
            monitor.check()?;
            let mut windows = Windows::default();
            let haystack = self.text(text)?;
            for pattern in 0..self.len() {
                let Some(needle) = self.needle(pattern) else { continue };
                let found = self.chosen(text, &haystack, needle, options, monitor)?;
                windows.extend(at as u64, pattern, &found);
            }
            Ok(windows)
        };
        let found: Vec<Windows> = if all.len() <= 1 {
            all.iter().map(answer).collect::<Result<_>>()?
        } else {
            all.par_iter().map(answer).collect::<Result<_>>()?
        };
        let mut windows = Windows::default();
        for mut one in found {
            windows.text.append(&mut one.text);
            windows.pattern.append(&mut one.pattern);
            windows.start.append(&mut one.start);
            windows.distance.append(&mut one.distance);
        }
        Ok(windows)
    }

    /// Start and distance of each window of one text within `k` of one pattern, in order.
    ///
    /// # Errors
    /// As [`Hamming::distances`].
    pub fn within_one(
        &self,
        text: Pattern<'_>,
        pattern: usize,
        options: WithinOptions,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, usize)>> {
        match self.needle(pattern) {
            Some(needle) => self.chosen(text, &self.text(text)?, needle, options, monitor),
            None => Ok(vec![]),
        }
    }

    fn chosen(
        &self,
        text: Pattern<'_>,
        haystack: &Haystack<'_>,
        needle: &Needle,
        options: WithinOptions,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, usize)>> {
        let mut found = self.bounded(haystack, needle, options, monitor)?;
        if let (true, Pattern::Bytes(bytes)) = (options.characters, text) {
            let whole = |at: usize| bytes.get(at).is_none_or(|&byte| starts_character(byte));
            found.retain(|&(at, _)| whole(at) && whole(at + needle.length));
        }
        choose(&mut found, needle.length, options);
        Ok(found)
    }

    /// Start and distance of each window within `k`, in order.
    fn bounded(
        &self,
        text: &Haystack<'_>,
        needle: &Needle,
        options: WithinOptions,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, usize)>> {
        let windows = (text.len() + 1).saturating_sub(needle.length);
        if windows == 0 {
            return Ok(vec![]);
        }
        let bytes = self.preparation.of_bytes();
        let narrow = needle.symbols.iter().all(|(code, _)| is_narrow(*code, bytes));
        let simd = options.options.simd();
        let counted =
            options.k < 255 && narrow && text.wild.is_empty() && options.options.method.is_none();
        if counted {
            let probe = Probe::new(text, needle, options.k, simd);
            let blocks = windows / BLOCK;
            if blocks < TRIED || {
                let tried = (0..blocks).step_by(TRIED);
                let looked: usize = tried
                    .clone()
                    .map(|block| probe.block(block * BLOCK, BLOCK, &mut |_, _| {}))
                    .sum();
                let cost = looked as f64 / tried.len() as f64 * POSITION;
                cost <= 1.0 || cost <= Plan::new(text, needle, bytes, None, simd).nanoseconds
            } {
                return probe.all(windows, monitor);
            }
        }
        let plan = Plan::new(text, needle, bytes, options.options.method, simd);
        let distances = Distances::counted(text, needle, &plan, monitor)?;
        let mut found = vec![];
        distances.each_within(options.k, |start, distance| found.push((start, distance)));
        Ok(found)
    }
}

/// Keeps the windows that the options ask for, in order.
fn choose(found: &mut Vec<(usize, usize)>, length: usize, options: WithinOptions) {
    if options.best
        && let Some(least) = found.iter().map(|&(_, distance)| distance).min()
    {
        found.retain(|&(_, distance)| distance == least);
    }
    if options.disjoint {
        found.sort_unstable_by_key(|&(start, distance)| (distance, start));
        let mut kept = std::collections::BTreeSet::new();
        found.retain(|&(start, _)| {
            let free =
                kept.range(start.saturating_sub(length - 1)..start + length).next().is_none();
            free && kept.insert(start)
        });
        found.sort_unstable();
    }
}

/// A pattern to look for in a text.
struct Probe<'a> {
    text: &'a [u8],
    /// Positions, those of the rarest symbols first, each with its byte.
    order: Vec<(u32, u8)>,
    /// The last position.
    last: usize,
    length: usize,
    k: usize,
    kernel: Kernel,
}

/// Adds the mismatches of windows at positions to counters that stop at 255; gives how many are
/// at most `k`.
type Kernel = fn(&[u8], &[(u32, u8)], &mut [u8; BLOCK], u8) -> u32;

impl<'a> Probe<'a> {
    fn new(text: &'a Haystack<'_>, needle: &Needle, k: usize, simd: Simd) -> Self {
        let mut counts = [0_u32; 256];
        let step = text.len().div_ceil(1 << 16).max(1);
        for &byte in text.narrow.iter().step_by(step) {
            counts[usize::from(byte)] += 1;
        }
        let mut order: Vec<(u32, u8)> = needle
            .symbols
            .iter()
            .flat_map(|(code, positions)| positions.iter().map(|&at| (at, *code as u8)))
            .collect();
        order.sort_unstable_by_key(|&(at, byte)| (counts[usize::from(byte)], at));
        let last = order.iter().map(|&(at, _)| at as usize).max().unwrap_or(0);
        let kernel: Kernel = match simd.available() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` names AVX-512 only where the processor has it; windows that are
            // counted are within the text, which `Probe::block` sees to.
            Simd::Avx512 => |text, order, counts, k| unsafe { x86::avx512(text, order, counts, k) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the same of AVX2.
            Simd::Avx2 => |text, order, counts, k| unsafe { x86::avx2(text, order, counts, k) },
            _ => portable,
        };
        Self { text: &text.narrow, order, last, length: needle.length, k, kernel }
    }

    fn all(&self, windows: usize, monitor: &Monitor) -> Result<Vec<(usize, usize)>> {
        let size = BLOCK * BLOCKS;
        let chunk = |chunk: usize| -> Result<Vec<(usize, usize)>> {
            monitor.check()?;
            let mut found = vec![];
            let end = windows.min((chunk + 1) * size);
            for first in (chunk * size..end).step_by(BLOCK) {
                self.block(first, BLOCK.min(end - first), &mut |start, distance| {
                    found.push((start, distance));
                });
            }
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

    /// Gives the windows of a block within `k`; gives back how many positions were looked at.
    fn block(&self, first: usize, windows: usize, take: &mut dyn FnMut(usize, usize)) -> usize {
        let mut counts = [0_u8; BLOCK];
        let mut looked = 0;
        // A whole block must lie within the text, also where windows end.
        if windows == BLOCK && first + self.last + BLOCK <= self.text.len() {
            let text = &self.text[first..first + self.last + BLOCK];
            let mut next = self.k + 1 + self.k.div_ceil(8);
            loop {
                let to = (looked + next).min(self.order.len());
                let left = (self.kernel)(text, &self.order[looked..to], &mut counts, self.k as u8);
                looked = to;
                next = STRIDE;
                if left == 0 {
                    return looked;
                }
                if looked == self.order.len() {
                    break;
                }
                if left <= FEW {
                    break;
                }
            }
        }
        let rest = &self.order[looked..];
        let mut verified = 0;
        for (start, &count) in (first..).zip(&counts[..windows]) {
            let mut distance = usize::from(count);
            if distance > self.k {
                continue;
            }
            for &(at, symbol) in rest {
                verified += 1;
                distance += usize::from(self.text[start + at as usize] != symbol);
                if distance > self.k {
                    break;
                }
            }
            if distance <= self.k {
                debug_assert!(start + self.length <= self.text.len());
                take(start, distance);
            }
        }
        looked + verified / 32
    }
}

fn portable(text: &[u8], order: &[(u32, u8)], counts: &mut [u8; BLOCK], k: u8) -> u32 {
    for &(at, symbol) in order {
        let window = &text[at as usize..at as usize + BLOCK];
        for (count, &other) in counts.iter_mut().zip(window) {
            *count = count.saturating_add(u8::from(other != symbol));
        }
    }
    counts.iter().map(|&count| u32::from(count <= k)).sum()
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_add_epi8, _mm256_adds_epu8, _mm256_cmpeq_epi8, _mm256_loadu_si256,
        _mm256_min_epu8, _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_storeu_si256,
        _mm512_cmple_epu8_mask, _mm512_cmpneq_epi8_mask, _mm512_loadu_si512, _mm512_mask_adds_epu8,
        _mm512_set1_epi8, _mm512_storeu_si512,
    };

    use super::BLOCK;

    /// # Safety
    /// A block behind every position lies within the text.
    #[target_feature(enable = "avx2")]
    pub unsafe fn avx2(text: &[u8], order: &[(u32, u8)], counts: &mut [u8; BLOCK], k: u8) -> u32 {
        const PARTS: usize = BLOCK / 32;
        let one = _mm256_set1_epi8(1);
        let mut sums: [__m256i; PARTS] = std::array::from_fn(|part| {
            // SAFETY: the counters have 32 bytes there.
            unsafe { _mm256_loadu_si256(counts.as_ptr().add(part * 32).cast()) }
        });
        for &(at, symbol) in order {
            debug_assert!(at as usize + BLOCK <= text.len());
            let symbol = _mm256_set1_epi8(symbol.cast_signed());
            for (part, sum) in sums.iter_mut().enumerate() {
                // SAFETY: promised by the caller.
                let other = unsafe {
                    _mm256_loadu_si256(text.as_ptr().add(at as usize + part * 32).cast())
                };
                // Equal bytes are -1: one more is 0 for them, and 1 for the others.
                let differ = _mm256_add_epi8(_mm256_cmpeq_epi8(other, symbol), one);
                *sum = _mm256_adds_epu8(*sum, differ);
            }
        }
        let most = _mm256_set1_epi8(k.cast_signed());
        let mut left = 0;
        for (part, sum) in sums.iter().enumerate() {
            // SAFETY: the counters have 32 bytes there.
            unsafe { _mm256_storeu_si256(counts.as_mut_ptr().add(part * 32).cast(), *sum) };
            let within = _mm256_cmpeq_epi8(_mm256_min_epu8(*sum, most), *sum);
            left += _mm256_movemask_epi8(within).count_ones();
        }
        left
    }

    /// # Safety
    /// A block behind every position lies within the text.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
    pub unsafe fn avx512(text: &[u8], order: &[(u32, u8)], counts: &mut [u8; BLOCK], k: u8) -> u32 {
        const PARTS: usize = BLOCK / 64;
        let one = _mm512_set1_epi8(1);
        let mut sums: [__m512i; PARTS] = std::array::from_fn(|part| {
            // SAFETY: the counters have 64 bytes there.
            unsafe { _mm512_loadu_si512(counts.as_ptr().add(part * 64).cast()) }
        });
        for &(at, symbol) in order {
            debug_assert!(at as usize + BLOCK <= text.len());
            let symbol = _mm512_set1_epi8(symbol.cast_signed());
            for (part, sum) in sums.iter_mut().enumerate() {
                // SAFETY: promised by the caller.
                let other = unsafe {
                    _mm512_loadu_si512(text.as_ptr().add(at as usize + part * 64).cast())
                };
                let differ = _mm512_cmpneq_epi8_mask(other, symbol);
                *sum = _mm512_mask_adds_epu8(*sum, differ, *sum, one);
            }
        }
        let most = _mm512_set1_epi8(k.cast_signed());
        let mut left = 0;
        for (part, sum) in sums.iter().enumerate() {
            // SAFETY: the counters have 64 bytes there.
            unsafe { _mm512_storeu_si512(counts.as_mut_ptr().add(part * 64).cast(), *sum) };
            left += _mm512_cmple_epu8_mask(*sum, most).count_ones();
        }
        left
    }
}
