//! All n-grams of a model, where they are looked up: each with those that are one token longer at
//! its left.
//!
//! A token is looked up with ever more of what it follows, and what is asked of memory is no more
//! than what is there and the first that is not. What an n-gram leads to lies together, so that all
//! of it is mostly in one page, and often in one line.

use super::super::ngrams::NONE;
use super::{Gram, lengths};
use crate::bits::prefetch;
use crate::container::Block;
use crate::error::{Error, Result};

/// Numbers of a token: probability, back-off, and where its longer n-grams lie, and how.
const SINGLE: usize = 4;
/// Numbers of a slot: the token at the left, and the same.
const SLOT: usize = 5;
/// Numbers of a slot of the longest n-grams: the token at the left, and the probability.
const LAST: usize = 2;
/// So many slots are looked at one after another, and none of them is free.
const LINEAR: u32 = 6;
/// Numbers in a line of memory.
const LINE: usize = 16;
/// N-grams that memory is asked for ahead.
const AHEAD: usize = 16;

/// What is known of an n-gram: base-10 logarithms, and where those lie that are one token longer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Node {
    pub(super) probability: f32,
    pub(super) backoff: f32,
    start: u32,
    slots: Slots,
}

impl Node {
    /// Whether an n-gram may be there that is longer by a token at the left: no is always right.
    #[inline]
    pub(super) fn may_lead(self, left: u32) -> bool {
        self.slots.may_hold(left)
    }
}

/// How the n-grams lie that are longer than one: how many slots, and if they are few, a mark of
/// each token that is at the left of one.
#[derive(Clone, Copy, Debug, Default)]
struct Slots(u32);

impl Slots {
    /// Bits that tell how many; more of them than [`LINEAR`] can be told elsewhere.
    const BITS: u32 = 3;
    const MANY: u32 = (1 << Self::BITS) - 1;

    fn new(longer: &[(u32, u32)]) -> Self {
        let number = longer.len() as u32;
        if number > LINEAR {
            // At most two of three are taken, so that to find nothing takes few looks.
            return Self((number + number / 2) << Self::BITS | Self::MANY);
        }
        Self(longer.iter().fold(number, |all, &(_, left)| all | Self::mark(left)))
    }

    #[inline]
    fn mark(left: u32) -> u32 {
        1 << (Self::BITS + scaled(left, u32::BITS - Self::BITS))
    }

    #[inline]
    fn is_hashed(self) -> bool {
        self.0 & Self::MANY == Self::MANY
    }

    #[inline]
    fn number(self) -> u32 {
        if self.is_hashed() { self.0 >> Self::BITS } else { self.0 & Self::MANY }
    }

    #[inline]
    fn may_hold(self, left: u32) -> bool {
        self.is_hashed() || self.0 & Self::mark(left) != 0
    }

    /// The slot where a token is looked for first.
    #[inline]
    fn first(self, left: u32) -> usize {
        if self.is_hashed() { scaled(left, self.0 >> Self::BITS) as usize } else { 0 }
    }
}

/// A token mixed to a number below `limit`.
#[inline]
fn scaled(token: u32, limit: u32) -> u32 {
    ((u64::from(token.wrapping_mul(0x9E37_79B1)) * u64::from(limit)) >> 32) as u32
}

/// The n-grams of a model, in huge pages.
#[derive(Debug)]
pub(super) struct Table {
    numbers: Block<u32>,
}

/// The n-grams of one length, those together that are the same but for their first token.
struct Level {
    /// N-grams with their first tokens.
    members: Vec<(u32, u32)>,
    /// Of each n-gram that is one shorter where its longer ones start, and where the last one's end.
    starts: Vec<u32>,
    /// Numbers of a slot.
    width: usize,
    /// Of each n-gram that is one shorter the numbers that all take that end with it.
    rooms: Vec<u32>,
}

impl Level {
    fn longer(&self, than: usize) -> std::ops::Range<usize> {
        self.starts[than] as usize..self.starts[than + 1] as usize
    }

    /// How the longer n-grams of one lie.
    fn slots(&self, of: usize) -> Slots {
        Slots::new(&self.members[self.longer(of)])
    }
}

impl Table {
    /// The table of n-grams, each behind what it is without its last token, over `words` tokens;
    /// `left` is what each is without its first one.
    pub(super) fn new(grams: &[Gram], left: &[u32], words: usize, order: usize) -> Result<Self> {
        if grams.len() * SLOT * 3 / 2 + (words + 1) * SINGLE >= u32::MAX as usize {
            return Err(Error::OutOfBudget(format!(
                "{} n-grams are more than one model holds; give a lower order, or fewer rows",
                grams.len()
            )));
        }
        let mut levels = levels(grams, left, words, order);
        for at in (0..levels.len()).rev() {
            let (above, below) = levels.split_at_mut(at + 1);
            let (level, below) = (&mut above[at], below.first());
            level.rooms = (0..level.starts.len() - 1)
                .map(|of| {
                    let own = level.slots(of).number() * level.width as u32;
                    own + below.map_or(0, |below| below.rooms[level.longer(of)].iter().sum())
                })
                .collect();
        }
        let mut room = (words + 1) * SINGLE;
        let mut places: Vec<u32> = Vec::with_capacity(words + 1);
        if let Some(level) = levels.first() {
            for &own in &level.rooms {
                places.push(room as u32);
                room += own as usize;
            }
        }
        let mut numbers = Block::zeros(room)?;
        let items: &mut [u32] = numbers.items_mut();
        for gram in grams.iter().filter(|gram| gram.context == NONE) {
            let at = gram.word as usize;
            let slots = levels.first().map_or(0, |level| level.slots(at).0);
            let start = places.get(at).copied().unwrap_or(0);
            let single = [gram.probability.to_bits(), gram.backoff.to_bits(), start, slots];
            items[at * SINGLE..][..SINGLE].copy_from_slice(&single);
        }
        for (level, at) in levels.iter().zip(1..) {
            places = put(level, levels.get(at), &places, grams, items);
        }
        Ok(Self { numbers })
    }

    /// What is known of a token.
    #[inline]
    pub(super) fn single(&self, word: u32) -> Node {
        let of = &self.numbers[word as usize * SINGLE..][..SINGLE];
        let [probability, backoff] = [of[0], of[1]].map(f32::from_bits);
        Node { probability, backoff, start: of[2], slots: Slots(of[3]) }
    }

    /// Asks memory for a token.
    #[inline]
    pub(super) fn ask_single(&self, word: u32) {
        prefetch(&self.numbers, word as usize * SINGLE);
    }

    /// Where to look for an n-gram first that is longer by the token at the left.
    #[inline]
    pub(super) fn place(node: Node, left: u32, is_last: bool) -> usize {
        node.start as usize + node.slots.first(left) * if is_last { LAST } else { SLOT }
    }

    /// Asks memory for a place.
    #[inline]
    pub(super) fn ask(&self, place: usize) {
        prefetch(&self.numbers, place);
        if place % LINE > LINE - SLOT {
            prefetch(&self.numbers, place + SLOT);
        }
    }

    /// The n-gram that is longer than `node` by the token at the left, looked for from `place` on,
    /// and where it is.
    #[inline]
    pub(super) fn find(
        &self,
        node: Node,
        place: usize,
        left: u32,
        is_last: bool,
    ) -> Option<(Node, usize)> {
        let numbers = &self.numbers[..];
        let width = if is_last { LAST } else { SLOT };
        let end = node.start as usize + node.slots.number() as usize * width;
        let mut at = place;
        loop {
            let found = numbers[at];
            if found == left {
                break;
            }
            if found == 0 {
                return None;
            }
            at += width;
            if at >= end {
                if !node.slots.is_hashed() {
                    return None;
                }
                at = node.start as usize;
            }
        }
        let probability = f32::from_bits(numbers[at + 1]);
        let node = if is_last {
            Node { probability, ..Node::default() }
        } else {
            let of = &numbers[at + 2..at + SLOT];
            Node { probability, backoff: f32::from_bits(of[0]), start: of[1], slots: Slots(of[2]) }
        };
        Some((node, at))
    }
}

/// Whether two places are in one line of memory.
#[inline]
pub(super) fn is_near(one: usize, other: usize) -> bool {
    one / LINE == other / LINE
}

/// The n-grams of each length from 2 on.
fn levels(grams: &[Gram], left: &[u32], words: usize, order: usize) -> Vec<Level> {
    let lengths = lengths(grams);
    let longest = lengths.iter().copied().max().unwrap_or(1);
    let mut firsts: Vec<u32> = Vec::with_capacity(grams.len());
    // Of each n-gram the place among those of its length.
    let mut ranks = vec![0; grams.len()];
    for (rank, gram) in ranks.iter_mut().zip(grams) {
        let is_single = gram.context == NONE;
        firsts.push(if is_single { gram.word } else { firsts[gram.context as usize] });
        *rank = if is_single { gram.word } else { NONE };
    }
    let mut shorter = words + 1;
    let mut levels = vec![];
    for length in 2..=longest {
        let own = lengths.iter().zip(0..).filter(|(own, _)| **own == length);
        let own: Vec<u32> = own.map(|(_, id)| id).collect();
        let mut behind: Vec<u32> = Vec::with_capacity(own.len());
        for (at, &id) in own.iter().enumerate() {
            if let Some(&coming) = own.get(at + AHEAD) {
                prefetch(&ranks, left[coming as usize] as usize);
            }
            behind.push(ranks[left[id as usize] as usize]);
        }
        // Counted two places on, so that to fill in moves each to its start.
        let mut starts = vec![0u32; shorter + 2];
        for (at, &of) in behind.iter().enumerate() {
            prefetch(&starts, behind.get(at + AHEAD).map_or(0, |&of| of as usize + 2));
            starts[of as usize + 2] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut members = vec![(0, 0); own.len()];
        for (at, (&id, &of)) in own.iter().zip(&behind).enumerate() {
            prefetch(&starts, behind.get(at + AHEAD).map_or(0, |&of| of as usize + 1));
            let place = &mut starts[of as usize + 1];
            members[*place as usize] = (id, firsts[id as usize]);
            ranks[id as usize] = *place;
            *place += 1;
        }
        starts.pop();
        shorter = members.len();
        let width = if usize::from(length) == order { LAST } else { SLOT };
        levels.push(Level { members, starts, width, rooms: vec![] });
    }
    levels
}

/// Puts the n-grams of a level where the shorter ones say; gives where their own longer ones lie.
fn put(
    level: &Level,
    below: Option<&Level>,
    places: &[u32],
    grams: &[Gram],
    items: &mut [u32],
) -> Vec<u32> {
    let mut starts = vec![0u32; level.members.len()];
    for (of, &place) in places.iter().enumerate() {
        let (slots, longer) = (level.slots(of), level.longer(of));
        let block = place as usize..place as usize + slots.number() as usize * level.width;
        let mut start = block.end as u32;
        for at in longer.clone() {
            let (id, first) = level.members[at];
            if let Some(&(coming, _)) = level.members.get(at + AHEAD) {
                prefetch(grams, coming as usize);
            }
            let gram = grams[id as usize];
            let mut into = block.start + (at - longer.start) * level.width;
            if slots.is_hashed() {
                into = block.start + slots.first(first) * level.width;
                while items[into] != 0 {
                    into += level.width;
                    if into == block.end {
                        into = block.start;
                    }
                }
            }
            items[into..into + LAST].copy_from_slice(&[first, gram.probability.to_bits()]);
            if level.width == SLOT {
                let slots = below.map_or(0, |below| below.slots(at).0);
                let more = [gram.backoff.to_bits(), start, slots];
                items[into + LAST..into + SLOT].copy_from_slice(&more);
            }
            starts[at] = start;
            start += below.map_or(0, |below| below.rooms[at]);
        }
    }
    starts
}
