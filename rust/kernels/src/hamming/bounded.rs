//! The windows within `k` mismatches: by early exit ([`Probe`]), or from all distances where that
//! costs less, which a sample of the text says first.

use rayon::prelude::*;

use super::distances::{Distances, Hamming, Options};
use super::plan::Plan;
use super::prepare::{Haystack, Needle, is_narrow};
use super::probe::{BLOCK, Probe};
use crate::error::Result;
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns, starts_character};

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
                    .map(|block| probe.span(block * BLOCK..(block + 1) * BLOCK, &mut |_, _| {}))
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
