//! Distinct n-grams of a sequence, by sorting its windows.
//!
//! The windows of the longest order, in order, pass every n-gram of every order once, each before
//! those that it begins: so one sort numbers them all in the order of their strings, and no table
//! of n-grams is kept. Windows are grouped by their first token, so that each group sorts within
//! the caches and groups sort side by side.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::tokenise::{END, Sequence};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// No n-gram.
pub(crate) const NONE: u32 = u32::MAX;
/// The longest n-gram.
pub const MAX_ORDER: usize = 255;

/// Windows that are sorted together, if several tokens are needed to make up as many.
const GROUP: usize = 1 << 14;
/// Groups by two tokens, where there are at most so many pairs.
const MAX_PAIRS: usize = 1 << 21;

/// Which n-grams to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders {
    /// The fewest tokens.
    pub least: usize,
    /// The most tokens.
    pub most: usize,
    /// Whether a unit of fewer than `least` tokens counts as a whole.
    pub whole: bool,
}

impl Orders {
    /// Checks the range.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it is empty, or goes beyond [`MAX_ORDER`].
    pub fn new(least: usize, most: usize, whole: bool) -> Result<Self> {
        if least == 0 || least > most || most > MAX_ORDER {
            return Err(Error::InvalidInput(format!(
                "ngram_range is ({least}, {most}); give two numbers from 1 to {MAX_ORDER}, the \
                 smaller one first"
            )));
        }
        Ok(Self { least, most, whole })
    }

    /// N-grams that may start at one place.
    pub(crate) fn width(self) -> usize {
        self.most + 1 - self.least
    }
}

/// The distinct n-grams of a sequence in order, and which of them start at each place.
#[derive(Debug)]
pub(crate) struct Numbered {
    /// Of place `p` the n-grams `p * width ..`, shortest first; [`NONE`] where there is none.
    pub(crate) ids: Vec<u32>,
    /// Where each n-gram first starts.
    pub(crate) starts: Vec<u32>,
    /// How many tokens each has.
    pub(crate) lengths: Vec<u8>,
}

/// How many symbols of so many bits one key holds.
struct Keys<'a> {
    symbols: &'a [u32],
    bits: u32,
    held: usize,
    most: usize,
}

impl Keys<'_> {
    fn key(&self, at: usize) -> u64 {
        let mut key = 0;
        let mut ended = false;
        for place in at..at + self.held {
            let symbol = match self.symbols.get(place) {
                Some(&symbol) if !ended => symbol,
                _ => END,
            };
            ended |= symbol == END;
            key = key << self.bits | u64::from(symbol);
        }
        key
    }

    /// The leading symbols that two different keys share.
    fn shared(&self, left: u64, right: u64) -> usize {
        let unused = 64 - self.held as u32 * self.bits;
        (((left ^ right).leading_zeros() - unused) / self.bits) as usize
    }

    /// The symbols of a key before its end.
    fn length(&self, key: u64) -> usize {
        if key == 0 {
            return 0;
        }
        self.held - (key.trailing_zeros() / self.bits) as usize
    }
}

/// A group of windows on its way to be numbered.
struct Group<'a> {
    keys: &'a Keys<'a>,
    orders: Orders,
    ids: &'a [AtomicU32],
    path: Vec<u32>,
    starts: Vec<u32>,
    lengths: Vec<u8>,
    spare: Vec<(u64, u32)>,
}

impl Group<'_> {
    /// Sorts windows whose first `offset` symbols are the same; `before` is what the first of them
    /// shares with the window before it.
    fn sort(&mut self, windows: &mut [(u64, u32)], offset: usize, before: usize) {
        for (key, at) in &mut *windows {
            *key = self.keys.key(*at as usize + offset);
        }
        let keys = self.keys;
        let left = (keys.most - offset).min(keys.held) as u32;
        // What is beyond the longest n-gram does not tell windows apart.
        let beyond = (keys.held as u32 - left) * keys.bits;
        for (key, _) in &mut *windows {
            *key = *key >> beyond << beyond;
        }
        sort_by_key(windows, &mut self.spare, keys.held as u32 * keys.bits);
        let mut last: Option<u64> = None;
        let mut rest = windows;
        while let Some(&(key, at)) = rest.first() {
            let run = rest.iter().take_while(|(other, _)| *other == key).count();
            let (same, others) = rest.split_at_mut(run);
            let shared = last.map_or(before, |last| offset + keys.shared(last, key));
            let length = keys.length(key).min(left as usize);
            let more = length == keys.held && offset + keys.held < keys.most;
            if more && run > 1 {
                self.sort(same, offset + keys.held, shared);
            } else {
                let mut length = offset + length;
                if more {
                    let rest = &keys.symbols[at as usize + length..];
                    let rest = &rest[..rest.len().min(keys.most - length)];
                    length += rest.iter().take_while(|&&symbol| symbol != END).count();
                }
                self.number(same, shared, length);
            }
            last = Some(key);
            rest = others;
        }
    }

    fn next(&mut self, at: u32, length: usize) -> u32 {
        self.starts.push(at);
        self.lengths.push(length as u8);
        self.starts.len() as u32 - 1
    }

    /// Numbers the n-grams of windows that are the same, of `length` symbols.
    fn number(&mut self, same: &[(u64, u32)], shared: usize, length: usize) {
        let Orders { least, whole, .. } = self.orders;
        let width = self.orders.width();
        let Some(&(_, first)) = same.first() else { return };
        if length < least {
            if whole {
                let symbols = self.keys.symbols;
                let starts_unit = |at: u32| at == 0 || symbols[at as usize - 1] == END;
                let mut id = None;
                for &(_, at) in same.iter().filter(|(_, at)| length > 0 && starts_unit(*at)) {
                    let id = *id.get_or_insert_with(|| self.next(at, length));
                    self.ids[at as usize * width].store(id, Ordering::Relaxed);
                }
            }
            return;
        }
        for order in (shared + 1).max(least)..=length {
            self.path[order] = self.next(first, order);
        }
        let path = &self.path[least..=length];
        for &(_, at) in same {
            let ids = &self.ids[at as usize * width..];
            for (slot, &id) in ids.iter().zip(path) {
                slot.store(id, Ordering::Relaxed);
            }
        }
    }
}

/// Sorts by the keys' low `bits` and then by place: in passes over digits where there are many.
fn sort_by_key(windows: &mut [(u64, u32)], spare: &mut Vec<(u64, u32)>, bits: u32) {
    const DIGIT: u32 = 8;
    if windows.len() < 1024 {
        windows.sort_unstable();
        return;
    }
    let first = windows[0].0;
    let differing = windows.iter().fold(0, |all, (key, _)| all | (key ^ first));
    spare.clear();
    spare.resize(windows.len(), (0, 0));
    // Places ascend as they come, and each pass keeps the order of what is equal.
    let (mut from, mut to) = (&mut *windows, &mut spare[..]);
    let mut swapped = false;
    for shift in (0..bits).step_by(DIGIT as usize) {
        if differing >> shift & 0xFF == 0 {
            continue;
        }
        let mut places = [0u32; 256];
        for (key, _) in from.iter() {
            places[(key >> shift & 0xFF) as usize] += 1;
        }
        let mut sum = 0;
        for place in &mut places {
            sum += std::mem::replace(place, sum);
        }
        for window in from.iter() {
            let place = &mut places[(window.0 >> shift & 0xFF) as usize];
            to[*place as usize] = *window;
            *place += 1;
        }
        std::mem::swap(&mut from, &mut to);
        swapped = !swapped;
    }
    if swapped {
        to.copy_from_slice(from);
    }
}

/// Which group the window at each place is of.
struct Groups {
    of: Vec<u32>,
    pairs: usize,
}

impl Groups {
    fn of(&self, symbols: &[u32], at: usize) -> usize {
        let first = symbols[at] as usize;
        if self.pairs == 0 {
            return self.of[first] as usize;
        }
        let second = if first == END as usize { END } else { symbols[at + 1] };
        self.of[first * self.pairs + second as usize] as usize
    }
}

/// Numbers the n-grams of `sequence`.
///
/// O(tokens · orders) time but for sorting within groups; 8 bytes a token, 4 more an order.
pub(crate) fn number(sequence: &Sequence, orders: Orders, monitor: &Monitor) -> Result<Numbered> {
    let symbols = &sequence.symbols[..];
    if symbols.len() >= u32::MAX as usize {
        return Err(Error::OutOfBudget(format!(
            "{} tokens are too many to count at once; give memory, or count them in parts",
            symbols.len()
        )));
    }
    let distinct = sequence.distinct();
    let bits = (usize::BITS - distinct.leading_zeros()).max(1);
    let held = ((64 / bits) as usize).min(orders.most);
    let keys = Keys { symbols, bits, held, most: orders.most };
    let pairs = distinct + 1;
    let by_pairs = orders.least > 1 && pairs * pairs <= MAX_PAIRS;
    let pairs = if by_pairs { pairs } else { 0 };
    let mut groups = Groups { of: (0..).take((distinct + 1) * pairs.max(1)).collect(), pairs };
    let mut sizes = vec![0u32; groups.of.len()];
    for at in 0..symbols.len() {
        sizes[groups.of(symbols, at)] += 1;
    }
    // Group 0 is of what ends units.
    let mut group = 0;
    let mut held_now = 0;
    let ends = if by_pairs { pairs } else { 1 };
    let mut ranges = vec![0u32];
    for (at, (of, size)) in groups.of.iter_mut().zip(&sizes).enumerate() {
        if at >= ends && (group == 0 || held_now + *size as usize > GROUP) {
            group += 1;
            held_now = 0;
            ranges.push(0);
        }
        *of = group;
        held_now += *size as usize;
        ranges[group as usize] += size;
    }
    drop(sizes);
    let mut sum = 0;
    for range in &mut ranges {
        sum += std::mem::replace(range, sum);
    }
    let mut fill = ranges.clone();
    let mut places = vec![0u32; symbols.len()];
    for at in 0..symbols.len() {
        let place = &mut fill[groups.of(symbols, at)];
        places[*place as usize] = at as u32;
        *place += 1;
    }
    let ids: Vec<AtomicU32> =
        (0..symbols.len() * orders.width()).map(|_| AtomicU32::new(NONE)).collect();
    let tasks: Vec<&[u32]> =
        (1..ranges.len()).map(|at| &places[ranges[at] as usize..fill[at] as usize]).collect();
    let found: Vec<(Vec<u32>, Vec<u8>)> = tasks
        .into_par_iter()
        .map_init(
            || (vec![], vec![]),
            |(windows, spare), places| {
                monitor.check()?;
                windows.clear();
                windows.extend(places.iter().map(|&at| (0, at)));
                let mut group = Group {
                    keys: &keys,
                    orders,
                    ids: &ids,
                    path: vec![NONE; orders.most + 1],
                    starts: vec![],
                    lengths: vec![],
                    spare: std::mem::take(spare),
                };
                group.sort(windows, 0, 0);
                *spare = group.spare;
                group.starts.shrink_to_fit();
                group.lengths.shrink_to_fit();
                Ok((group.starts, group.lengths))
            },
        )
        .collect::<Result<_>>()?;
    drop(places);
    let mut ids: Vec<u32> = ids.into_iter().map(AtomicU32::into_inner).collect();
    let mut bases = vec![0u32];
    let mut total = 0;
    for (starts, _) in &found {
        bases.push(total as u32);
        total += starts.len();
    }
    if total >= NONE as usize {
        return Err(Error::OutOfBudget(format!(
            "{total} distinct n-grams are too many to count at once; give memory, or a narrower \
             ngram_range"
        )));
    }
    let width = orders.width();
    const STRETCH: usize = 1 << 16;
    ids.par_chunks_mut(STRETCH * width).enumerate().for_each(|(stretch, ids)| {
        for (at, ids) in ids.chunks_exact_mut(width).enumerate() {
            let base = bases[groups.of(symbols, stretch * STRETCH + at)];
            for id in ids {
                *id = if *id == NONE { NONE } else { *id + base };
            }
        }
    });
    let mut starts = Vec::with_capacity(total);
    let mut lengths = Vec::with_capacity(total);
    for (some, long) in found {
        starts.extend_from_slice(&some);
        lengths.extend_from_slice(&long);
    }
    Ok(Numbered { ids, starts, lengths })
}
