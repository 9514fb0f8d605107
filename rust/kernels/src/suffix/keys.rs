//! The keys: a small tree over every [`STRIDE`]-th suffix, searched before the suffix array.
//!
//! The sampled suffixes, in order, are the items of level 0; every [`FANOUT`]-th item of a level is
//! an item of the next, until one node of at most [`FANOUT`] items remains. A node is a run of
//! [`FANOUT`] items, and lies between its own first item and the first one of the next node: all
//! suffixes between those two share their common prefix, the node's *skip*. An item is one key,
//! the first eight bytes of its suffix behind the skip. So keys tell suffixes apart however long
//! the prefixes are that the text repeats, without reading the text: a prefix B-tree (Bayer and
//! Unterauer 1977) whose separators are packed into machine words.

use std::ops::Range;

use crate::error::Result;
use crate::symbol::{Symbol, common_prefix};

/// Suffixes for each key.
pub const STRIDE: usize = 96;

/// Keys a node.
pub const FANOUT: usize = 16;

/// The level of the nodes at which the way down may start: patterns in order mostly lie in the one
/// that the pattern before lies in.
const HOME: usize = 1;

/// Where a boundary between suffixes lies: not before rank `low`, not behind rank `high`.
pub(super) type Between = (u32, u32);

/// One level of the tree: where its keys and skips start, its items, and the suffixes between two.
#[derive(Clone, Copy, Debug)]
struct Level {
    keys: usize,
    skips: usize,
    items: usize,
    unit: usize,
}

/// The shape of the tree over so many suffixes, level 0 first.
#[derive(Clone, Debug)]
pub struct Shape {
    levels: Vec<Level>,
    suffixes: usize,
}

impl Shape {
    /// The shape over so many suffixes.
    pub fn new(suffixes: usize) -> Self {
        let mut level = Level { keys: 0, skips: 0, items: suffixes.div_ceil(STRIDE), unit: STRIDE };
        let mut levels = vec![level];
        while level.items > FANOUT {
            let nodes = level.items.div_ceil(FANOUT);
            level = Level {
                keys: level.keys + level.items,
                skips: level.skips + nodes,
                items: nodes,
                unit: level.unit * FANOUT,
            };
            levels.push(level);
        }
        Self { levels, suffixes }
    }

    /// Numbers of keys and of skips.
    pub fn lengths(&self) -> (usize, usize) {
        let last = self.levels[self.levels.len() - 1];
        (last.keys + last.items, last.skips + last.items.div_ceil(FANOUT))
    }
}

/// Makes the keys and skips of a suffix array, level 0 first.
pub fn build<S: Symbol>(text: &[S], suffixes: &[u32], shape: &Shape) -> (Vec<u64>, Vec<u16>) {
    let (keys, skips) = shape.lengths();
    let (mut keys, mut skips) = (Vec::with_capacity(keys), Vec::with_capacity(skips));
    let suffix = |rank: usize| {
        suffixes.get(rank).and_then(|&position| text.get(position as usize..)).unwrap_or_default()
    };
    for &Level { items, unit, .. } in &shape.levels {
        for node in (0..items).step_by(FANOUT) {
            let next = node + FANOUT;
            let skip = if next < items {
                let left = suffix(node * unit);
                let most = left.len().min(usize::from(u16::MAX));
                common_prefix(&left[..most], suffix(next * unit))
            } else {
                0
            };
            skips.push(skip as u16);
            keys.extend((node..next.min(items)).map(|item| S::key(&suffix(item * unit)[skip..])));
        }
    }
    (keys, skips)
}

/// The keys of a suffix array, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys<'a> {
    keys: &'a [u64],
    skips: &'a [u16],
    shape: &'a Shape,
}

/// A node on the way down: the number of its level and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    level: usize,
    node: usize,
}

impl<'a> Keys<'a> {
    /// The keys of a tree of that shape; `None` if that is not how many there are.
    pub(super) fn new(keys: &'a [u64], skips: &'a [u16], shape: &'a Shape) -> Option<Self> {
        (shape.lengths() == (keys.len(), skips.len())).then_some(Self { keys, skips, shape })
    }

    /// Suffixes below the tree.
    pub(super) fn suffixes(&self) -> usize {
        self.shape.suffixes
    }

    /// Between which ranks the first suffix not below the pattern is, and the first one above all
    /// that start with it: at most a node of level 0 apart.
    ///
    /// The way down starts at the root, or at a node in which both are known to lie. `tell` says of
    /// suffixes that keys cannot tell from the pattern how many are below it, and how many are not
    /// above all that start with it.
    pub(super) fn brackets<S: Symbol>(
        &self,
        pattern: &[S],
        from: Option<Place>,
        tell: impl Fn(Tied) -> Result<(usize, usize)>,
    ) -> Result<Brackets> {
        let mut found = Brackets::default();
        if self.shape.suffixes == 0 {
            return Ok(found);
        }
        let mut place = from.unwrap_or(Place { level: self.shape.levels.len() - 1, node: 0 });
        loop {
            if place.level == HOME {
                found.home = Some(place);
            }
            let (low, high) = self.count(place, pattern, &tell)?;
            match (self.child(place, low), self.child(place, high)) {
                (Child::Node(left), Child::Node(right)) if left.node == right.node => place = left,
                (left, right) => {
                    found.lower = self.descend(left, pattern, &tell, |counts| counts.0)?;
                    found.upper = self.descend(right, pattern, &tell, |counts| counts.1)?;
                    return Ok(found);
                }
            }
        }
    }

    /// The ranks of a node's own first item and of the next node's.
    pub(super) fn ends(&self, place: Place) -> Range<usize> {
        let unit = self.shape.levels[place.level].unit * FANOUT;
        place.node * unit..(place.node + 1) * unit
    }

    fn descend<S: Symbol>(
        &self,
        mut child: Child,
        pattern: &[S],
        tell: impl Fn(Tied) -> Result<(usize, usize)>,
        side: impl Fn((Counts, Counts)) -> Counts,
    ) -> Result<Between> {
        loop {
            match child {
                Child::Node(place) => {
                    child = self.child(place, side(self.count(place, pattern, &tell)?));
                }
                Child::Ranks(between) => return Ok(between),
            }
        }
    }

    /// How many of a node's items lie before each boundary.
    ///
    /// That the boundary lies in this node proves that the pattern shares its skip: what lies
    /// between two texts with a common prefix has it too.
    fn count<S: Symbol>(
        &self,
        place: Place,
        pattern: &[S],
        tell: impl Fn(Tied) -> Result<(usize, usize)>,
    ) -> Result<(Counts, Counts)> {
        let level = &self.shape.levels[place.level];
        let skip = usize::from(self.skips[level.skips + place.node]);
        let rest = pattern.get(skip..).unwrap_or_default();
        let (floor, ceiling) = (S::key(rest), S::key_ceiling(rest));
        let first = place.node * FANOUT;
        let last = level.items.min(first + FANOUT);
        let keys = &self.keys[level.keys + first..level.keys + last];
        let (mut below, mut not_above) = (0, 0);
        for &key in keys {
            below += usize::from(key < floor);
            not_above += usize::from(key <= ceiling);
        }
        if rest.len() > S::KEY && below < not_above {
            // Of items with the pattern's own key, symbols behind the key decide: of few suffixes
            // the search does, of many the tree does better with what they are.
            if place.level == 0 {
                let both = Counts { sure: below, possible: not_above };
                return Ok((both, both));
            }
            let (sure, possible) = tell(Tied {
                first: (first + below) * level.unit,
                unit: level.unit,
                count: not_above - below,
                shared: skip + S::KEY,
            })?;
            not_above = below + possible;
            below += sure;
        }
        let one = |count| Counts { sure: count, possible: count };
        Ok((one(below), one(not_above)))
    }

    /// The child in which a boundary lies; or between which ranks it does, if there is no child or
    /// the keys leave several.
    fn child(&self, place: Place, counts: Counts) -> Child {
        let first = place.node * FANOUT;
        let (sure, possible) = (first + counts.sure, first + counts.possible);
        if place.level > 0 && sure == possible && sure > 0 {
            return Child::Node(Place { level: place.level - 1, node: sure - 1 });
        }
        let unit = self.shape.levels[place.level].unit;
        let after = if sure == 0 { 0 } else { (sure - 1) * unit + 1 };
        let until = (possible * unit).min(self.shape.suffixes);
        Child::Ranks((after.min(until) as u32, until as u32))
    }
}

/// Where the boundaries of a pattern lie.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Brackets {
    pub(super) lower: Between,
    pub(super) upper: Between,
    /// The node of level [`HOME`] in which both lie.
    pub(super) home: Option<Place>,
}

/// What a node leads to: a node of the level below, or the ranks that keys leave.
#[derive(Clone, Copy, Debug)]
enum Child {
    Node(Place),
    Ranks(Between),
}

/// Suffixes whose keys equal the pattern's: `count` of them, `unit` ranks apart, which share with
/// it the `shared` symbols that it is longer than.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tied {
    pub(super) first: usize,
    pub(super) unit: usize,
    pub(super) count: usize,
    pub(super) shared: usize,
}

/// Items of a node that lie before a boundary: at least `sure`, at most `possible`.
#[derive(Clone, Copy, Debug)]
struct Counts {
    sure: usize,
    possible: usize,
}
