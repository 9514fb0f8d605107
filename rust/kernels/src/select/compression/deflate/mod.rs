//! How many bytes zlib makes of a text, and of a text and another behind it, without making them.
//!
//! Of zlib's work only what decides on lengths is done: which strings are written as pairs of a
//! length and a distance, where blocks end, and how long each is by the codes it would get. The
//! lengths are those of zlib's `deflate` with all of a text at once and gzip's memory (a window of
//! 32 kB and `memLevel` 8, as Python's `gzip` and `zlib` have it), to the bit.
//!
//! A text that others follow is kept as far as they cannot change it: up to the first place where
//! a string is the same up to its end, or to its last few bytes. What another adds is taken out again
//! behind it.
//!
//! Deutsch (1996), RFC 1951, for the format; `deflate.c` and `trees.c` of zlib 1.3 for its choices.

mod block;
mod matches;

#[cfg(test)]
mod tests;

use self::block::{Block, Tree};
use self::matches::{AHEAD, Found, HASHED, Look, Match, Matcher, SHORTEST, Saved, WINDOW};
use crate::error::Result;
use crate::interrupt::Monitor;

/// Bytes of a text that stay open, at least: hashes of all places before them can be made.
const OPEN: usize = 2 * HASHED;

/// Distances from which on three bytes are not worth a pair, where zlib looks for better ones.
const TOO_FAR: usize = 4096;

/// How far into its memory zlib gets before it moves what is there down.
const FULL: usize = 2 * WINDOW - AHEAD;

/// Places between two looks at whether to stop: some 10 ms where zlib would be slowest.
const PLACES: usize = 1 << 10;

/// What zlib does at a level.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// Bytes of a string from which on it looks at a quarter of the strings for a longer one.
    good: usize,
    /// Bytes of a string from which on it looks for no longer one at the next place; where it never
    /// does, up to which it adds the places within.
    lazy: usize,
    nice: usize,
    chain: u32,
    /// Whether it takes the first string rather than looking for a longer one at the next place.
    first: bool,
}

impl Effort {
    fn of(level: u32) -> Self {
        let (good, lazy, nice, chain) = match level {
            1 => (4, 4, 8, 4),
            2 => (4, 5, 16, 8),
            3 => (4, 6, 32, 32),
            4 => (4, 4, 16, 16),
            5 => (8, 16, 32, 32),
            6 => (8, 16, 128, 128),
            7 => (8, 32, 128, 256),
            8 => (32, 128, 258, 1024),
            _ => (32, 258, 258, 4096),
        };
        Self { good, lazy, nice, chain, first: level < 4 }
    }

    fn look(&self, least: usize, base: usize) -> Look {
        let few = !self.first && least >= self.good;
        Look { chain: if few { self.chain >> 2 } else { self.chain }, nice: self.nice, base }
    }
}

/// How far a text is compressed.
#[derive(Clone, Debug)]
struct State {
    /// The place that is next.
    at: usize,
    /// The string of the place before, which a longer one here would replace.
    held: Match,
    /// Whether the byte before is in no pair yet.
    waiting: bool,
    /// The first byte that zlib has in memory.
    base: usize,
    /// Where the block begins.
    start: usize,
    block: Block,
    /// Bits of the blocks before.
    written: u64,
}

impl State {
    fn new() -> Self {
        let block = Block::default();
        let (held, waiting) = (Match::NONE, false);
        Self { at: 0, held, waiting, base: 0, start: 0, block, written: 0 }
    }

    /// Ends the block before a place.
    fn end_block(&mut self, stop: usize, tree: &mut Tree) {
        let stored = (self.start >= self.base).then(|| stop - self.start);
        self.written = self.block.written(self.written, stored, tree);
        self.block = Block::default();
        self.start = stop;
    }

    /// Moves zlib's memory on if it is full here; false if that depends on what follows the text.
    fn slide<const MORE: bool>(&mut self, end: usize) -> bool {
        let filled = self.at - self.base;
        if filled > FULL || (filled == FULL && end - self.at < AHEAD) {
            if MORE && filled == FULL {
                return false;
            }
            self.base += WINDOW;
        }
        true
    }
}

/// A compressor of one level that counts what it would make: raw deflate, without a header.
pub(super) struct Deflate {
    effort: Effort,
    /// Texts that it is for have fewer bytes.
    limit: Option<usize>,
    matcher: Matcher,
    tree: Tree,
    /// What the matcher was after the text that others follow, if that was saved, and its links.
    saved: Saved,
    is_saved: Option<bool>,
    /// The text that others follow, and the one that does.
    text: Vec<u8>,
    /// The bytes of the text that others follow.
    length: usize,
    /// How far it is compressed, whatever follows.
    kept: State,
}

impl Deflate {
    /// A compressor of a level from 1 to 9.
    pub fn new(level: u32) -> Self {
        Self::of(level, None, Matcher::new())
    }

    /// A compressor with less memory, for texts of fewer bytes than `Self::few`.
    pub fn small(level: u32) -> Self {
        let places = Self::few(level);
        Self::of(level, Some(places), Matcher::small(places))
    }

    /// Bytes of texts of which zlib looks at all strings.
    pub fn few(level: u32) -> usize {
        Effort::of(level).chain as usize >> 2
    }

    fn of(level: u32, limit: Option<usize>, matcher: Matcher) -> Self {
        Self {
            effort: Effort::of(level),
            limit,
            matcher,
            tree: Tree::default(),
            saved: Saved::default(),
            is_saved: None,
            text: vec![],
            length: 0,
            kept: State::new(),
        }
    }

    /// Compresses a text that others may follow, instead of the one before.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn start(&mut self, text: &[u8], monitor: &Monitor) -> Result<()> {
        self.matcher.start(self.length);
        self.text.clear();
        self.text.extend_from_slice(text);
        self.length = text.len();
        self.is_saved = None;
        let mut state = State::new();
        self.run::<true>(&mut state, monitor)?;
        self.kept = state;
        Ok(())
    }

    /// How many bytes the text that was started and these bytes become, end to end.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`], after which it is of no use.
    pub fn length_with(&mut self, more: &[u8], monitor: &Monitor) -> Result<u64> {
        self.text.extend_from_slice(more);
        debug_assert!(self.limit.is_none_or(|limit| self.text.len() < limit));
        let (from, end) = (self.kept.at, self.text.len());
        let links = !self.matcher.can_remove(from, end);
        let restored = links || self.matcher.are_many(end - from);
        if restored && self.is_saved.is_none_or(|saved| links && !saved) {
            self.matcher.save(&mut self.saved, links);
            self.is_saved = Some(links);
        }
        let mut state = self.kept.clone();
        self.run::<false>(&mut state, monitor)?;
        if state.waiting {
            state.block.literal(self.text[state.at - 1]);
        }
        state.end_block(state.at, &mut self.tree);
        if restored {
            self.matcher.restore(&self.saved);
        } else {
            for at in (from..(end + 1).saturating_sub(SHORTEST)).rev() {
                self.matcher.remove(&self.text, at);
            }
        }
        self.text.truncate(self.length);
        Ok(state.written.div_ceil(8))
    }

    /// Compresses the text to its end; if more may follow, as far as that changes nothing.
    fn run<const MORE: bool>(&mut self, state: &mut State, monitor: &Monitor) -> Result<()> {
        loop {
            monitor.check()?;
            self.matcher.count_anew(state.at);
            let goes_on = if self.effort.first {
                self.take_first::<MORE>(state)
            } else {
                self.take_longest::<MORE>(state)
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Some places of a text where each string that is found is taken; false at its end.
    fn take_first<const MORE: bool>(&mut self, state: &mut State) -> bool {
        let Self { effort, matcher, text, tree, .. } = self;
        let end = text.len();
        for _ in 0..PLACES {
            let at = state.at;
            if at + if MORE { OPEN } else { 1 } > end || !state.slide::<MORE>(end) {
                return false;
            }
            let mut found = Match::NONE;
            if at + SHORTEST <= end {
                matcher.insert(text, at);
                let least = Match::NONE.length;
                let longest = matcher.longest(text, at, least, effort.look(least, state.base));
                found = match longest {
                    Found::Sure(found) if !MORE || at + found.length + OPEN <= end => found,
                    Found::Open(found) if !MORE => found,
                    _ => {
                        matcher.remove(text, at);
                        return false;
                    }
                };
            }
            let is_full = if found.length >= SHORTEST {
                let stop = at + found.length;
                if found.length <= effort.lazy && stop + SHORTEST <= end {
                    (at + 1..stop).for_each(|at| matcher.insert(text, at));
                } else {
                    (at + 1..stop).for_each(|at| matcher.skip(at));
                }
                state.at = stop;
                state.block.pair(found.length, found.distance)
            } else {
                state.at += 1;
                state.block.literal(text[at])
            };
            if is_full {
                state.end_block(state.at, tree);
            }
        }
        true
    }

    /// Some places of a text where a string is taken unless there is a longer one at the next place;
    /// false at its end.
    fn take_longest<const MORE: bool>(&mut self, state: &mut State) -> bool {
        let Self { effort, matcher, text, tree, .. } = self;
        let end = text.len();
        for _ in 0..PLACES {
            let (at, held) = (state.at, state.held);
            let open = if MORE { held.length + OPEN } else { 1 };
            if at + open > end || !state.slide::<MORE>(end) {
                return false;
            }
            let mut found = Match::NONE;
            if at + SHORTEST <= end {
                matcher.insert(text, at);
                if held.length < effort.lazy {
                    let look = effort.look(held.length, state.base);
                    found = match matcher.longest(text, at, held.length, look) {
                        Found::Sure(found) => found,
                        Found::Open(found) if !MORE => found,
                        Found::Open(_) => {
                            matcher.remove(text, at);
                            return false;
                        }
                    };
                    if found.length == SHORTEST && found.distance > TOO_FAR {
                        found = Match::NONE;
                    }
                }
            }
            if held.length >= SHORTEST && found.length <= held.length {
                let stop = at - 1 + held.length;
                for within in at + 1..stop.min((end + 1).saturating_sub(SHORTEST)) {
                    matcher.insert(text, within);
                }
                (state.at, state.held, state.waiting) = (stop, Match::NONE, false);
                if state.block.pair(held.length, held.distance) {
                    state.end_block(stop, tree);
                }
            } else {
                if state.waiting && state.block.literal(text[at - 1]) {
                    state.end_block(at, tree);
                }
                (state.at, state.held, state.waiting) = (at + 1, found, true);
            }
        }
        true
    }
}
