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
/// Places that a thread takes at a time.
const STRETCH: usize = 1 << 16;
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
}

/// The distinct n-grams of a sequence in order, and which of them start at each place.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    /// Of each place the longest n-gram that starts there, [`NONE`] where there is none. All others
    /// that start there are what it begins with.
    pub(crate) longest: Vec<u32>,
    /// Each n-gram without its last token; [`NONE`] where that is too short to count.
    pub(crate) shorter: Vec<u32>,
    /// Where each n-gram first starts.
    pub(crate) starts: Vec<u32>,
    /// How many tokens each has.
    pub(crate) lengths: Vec<u8>,
}

impl Numbered {
    /// Occurrences of each n-gram.
    pub(crate) fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0u32; self.starts.len()];
        for &id in self.longest.iter().filter(|&&id| id != NONE) {
            counts[id as usize] += 1;
        }
        // Each comes behind what it begins with.
        for (id, &shorter) in self.shorter.iter().enumerate().rev() {
            if shorter != NONE {
                counts[shorter as usize] += counts[id];
            }
        }
        counts
    }

    /// The n-gram of `length` tokens that starts at a place where one of so many starts.
    pub(crate) fn at(&self, place: usize, length: usize) -> u32 {
        let mut id = self.longest[place];
        while usize::from(self.lengths[id as usize]) > length {
            id = self.shorter[id as usize];
        }
        id
    }
}

/// How many symbols of so many bits one key holds.
struct Keys<'a> {
    symbols: &'a [u32],
    bits: u32,
    held: usize,
    most: usize,
    /// The top bit of each symbol's place in a key, and all below them.
    tops: u64,
    rests: u64,
}

impl<'a> Keys<'a> {
    fn new(symbols: &'a [u32], distinct: usize, most: usize) -> Self {
        let bits = (usize::BITS - distinct.leading_zeros()).max(1);
        let held = ((64 / bits) as usize).min(most);
        let field = |field: u64| (0..held as u32).fold(0, |all, at| all | field << (at * bits));
        let top = 1 << (bits - 1);
        Self { symbols, bits, held, most, tops: field(top), rests: field(top - 1) }
    }

    #[inline]
    fn key(&self, at: usize) -> u64 {
        let key = |symbols: &[u32]| {
            symbols.iter().fold(0, |key, &symbol| key << self.bits | u64::from(symbol))
        };
        let (key, room) = match self.symbols.get(at..at + self.held) {
            Some(symbols) => (key(symbols), self.held),
            None => (key(&self.symbols[at..]), self.symbols.len() - at),
        };
        let key = key << ((self.held - room) as u32 * self.bits);
        // The top bit of each field, set where the field is 0: none of the sums carries over.
        let ends = !(((key & !self.tops) + self.rests) | key) & self.tops;
        if ends == 0 {
            return key;
        }
        // What is behind the first end does not count.
        let kept = ends.leading_zeros();
        if kept == 0 { 0 } else { key >> (64 - kept) << (64 - kept) }
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

/// The n-grams of a group, numbered from 0 on.
#[derive(Default)]
struct Found {
    shorter: Vec<u32>,
    starts: Vec<u32>,
    lengths: Vec<u8>,
}

/// A group of windows on its way to be numbered.
struct Group<'a> {
    keys: &'a Keys<'a>,
    orders: Orders,
    longest: &'a [AtomicU32],
    path: Vec<u32>,
    found: Found,
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

    fn next(&mut self, at: u32, length: usize, shorter: u32) -> u32 {
        self.found.shorter.push(shorter);
        self.found.starts.push(at);
        self.found.lengths.push(length as u8);
        self.found.starts.len() as u32 - 1
    }

    /// Numbers the n-grams of windows that are the same, of `length` symbols.
    fn number(&mut self, same: &[(u64, u32)], shared: usize, length: usize) {
        let Orders { least, whole, .. } = self.orders;
        let Some(&(_, first)) = same.first() else { return };
        if length < least {
            if whole {
                let symbols = self.keys.symbols;
                let starts_unit = |at: u32| at == 0 || symbols[at as usize - 1] == END;
                let mut id = None;
                for &(_, at) in same.iter().filter(|(_, at)| length > 0 && starts_unit(*at)) {
                    let id = *id.get_or_insert_with(|| self.next(at, length, NONE));
                    self.longest[at as usize].store(id, Ordering::Relaxed);
                }
            }
            return;
        }
        for order in (shared + 1).max(least)..=length {
            let shorter = if order > least { self.path[order - 1] } else { NONE };
            self.path[order] = self.next(first, order, shorter);
        }
        let id = self.path[length];
        for &(_, at) in same {
            self.longest[at as usize].store(id, Ordering::Relaxed);
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
/// O(tokens · orders) time but for sorting within groups; 8 bytes a token and 13 an n-gram.
pub(crate) fn number(sequence: &Sequence, orders: Orders, monitor: &Monitor) -> Result<Numbered> {
    let symbols = &sequence.symbols[..];
    if symbols.len() >= u32::MAX as usize {
        return Err(Error::OutOfBudget(format!(
            "{} tokens are too many to count at once; give memory, or count them in parts",
            symbols.len()
        )));
    }
    let distinct = sequence.distinct();
    let keys = Keys::new(symbols, distinct, orders.most);
    let pairs = distinct + 1;
    let by_pairs = orders.least > 1 && pairs * pairs <= MAX_PAIRS;
    let pairs = if by_pairs { pairs } else { 0 };
    let mut groups = Groups { of: (0..).take((distinct + 1) * pairs.max(1)).collect(), pairs };
    // Stretches of places, each counted and then filled in by one thread.
    let stretch = symbols.len().div_ceil(rayon::current_num_threads()).max(1);
    let stretches = symbols.len().div_ceil(stretch);
    let span = |at: usize| at * stretch..((at + 1) * stretch).min(symbols.len());
    let sizes: Vec<Vec<u32>> = (0..stretches)
        .into_par_iter()
        .map(|at| {
            let mut sizes = vec![0u32; groups.of.len()];
            span(at).for_each(|at| sizes[groups.of(symbols, at)] += 1);
            sizes
        })
        .collect();
    monitor.check()?;
    // Group 0 is of what ends units.
    let mut group = 0;
    let mut held_now = 0;
    let ends = if by_pairs { pairs } else { 1 };
    // Of each group how many places each stretch has, and then where it puts them.
    let mut fills = vec![vec![0u32; stretches]];
    for at in 0..groups.of.len() {
        let size: usize = sizes.iter().map(|sizes| sizes[at] as usize).sum();
        if at >= ends && (group == 0 || held_now + size > GROUP) {
            group += 1;
            held_now = 0;
            fills.push(vec![0; stretches]);
        }
        groups.of[at] = group;
        held_now += size;
        for (fill, sizes) in fills[group as usize].iter_mut().zip(&sizes) {
            *fill += sizes[at];
        }
    }
    drop(sizes);
    let mut sum = 0;
    let mut ranges = vec![];
    for fills in &mut fills {
        ranges.push(sum as usize);
        for fill in fills {
            sum += std::mem::replace(fill, sum);
        }
    }
    ranges.push(sum as usize);
    let places: Vec<AtomicU32> =
        (0..symbols.len()).into_par_iter().map(|_| AtomicU32::new(0)).collect();
    (0..stretches).into_par_iter().for_each(|at| {
        let mut fill: Vec<u32> = fills.iter().map(|fills| fills[at]).collect();
        for at in span(at) {
            let place = &mut fill[groups.of(symbols, at)];
            places[*place as usize].store(at as u32, Ordering::Relaxed);
            *place += 1;
        }
    });
    drop(fills);
    monitor.check()?;
    let longest: Vec<AtomicU32> = (0..symbols.len())
        .into_par_iter()
        .with_min_len(STRETCH)
        .map(|_| AtomicU32::new(NONE))
        .collect();
    let tasks: Vec<&[AtomicU32]> =
        ranges.windows(2).skip(1).map(|ends| &places[ends[0]..ends[1]]).collect();
    let found: Vec<Found> = tasks
        .into_par_iter()
        .map_init(
            || (vec![], vec![]),
            |(windows, spare), places| {
                monitor.check()?;
                windows.clear();
                windows.extend(places.iter().map(|at| (0, at.load(Ordering::Relaxed))));
                let mut group = Group {
                    keys: &keys,
                    orders,
                    longest: &longest,
                    path: vec![NONE; orders.most + 1],
                    found: Found::default(),
                    spare: std::mem::take(spare),
                };
                group.sort(windows, 0, 0);
                *spare = group.spare;
                let mut found = group.found;
                found.shorter.shrink_to_fit();
                found.starts.shrink_to_fit();
                found.lengths.shrink_to_fit();
                Ok(found)
            },
        )
        .collect::<Result<_>>()?;
    drop(places);
    let mut bases = vec![0u32];
    let mut total = 0;
    for found in &found {
        bases.push(total as u32);
        total += found.starts.len();
    }
    if total >= NONE as usize {
        return Err(Error::OutOfBudget(format!(
            "{total} distinct n-grams are too many to count at once; give memory, or a narrower \
             ngram_range"
        )));
    }
    let mut longest: Vec<u32> = longest.into_iter().map(AtomicU32::into_inner).collect();
    let based = |id: u32, base: u32| if id == NONE { NONE } else { id + base };
    longest.par_chunks_mut(STRETCH).enumerate().for_each(|(stretch, longest)| {
        for (at, id) in (stretch * STRETCH..).zip(longest) {
            *id = based(*id, bases[groups.of(symbols, at)]);
        }
    });
    let mut numbered = Numbered {
        longest,
        shorter: vec![0; total],
        starts: vec![0; total],
        lengths: vec![0; total],
    };
    let Numbered { shorter, starts, lengths, .. } = &mut numbered;
    let mut left = (&mut shorter[..], &mut starts[..], &mut lengths[..]);
    let mut tasks = vec![];
    for (found, &base) in found.into_iter().zip(&bases[1..]) {
        let (shorter, starts, lengths) = (
            left.0.split_at_mut(found.starts.len()),
            left.1.split_at_mut(found.starts.len()),
            left.2.split_at_mut(found.starts.len()),
        );
        tasks.push((found, base, shorter.0, starts.0, lengths.0));
        left = (shorter.1, starts.1, lengths.1);
    }
    tasks.into_par_iter().for_each(|(found, base, shorter, starts, lengths)| {
        for (shorter, id) in shorter.iter_mut().zip(found.shorter) {
            *shorter = based(id, base);
        }
        starts.copy_from_slice(&found.starts);
        lengths.copy_from_slice(&found.lengths);
    });
    Ok(numbered)
}
