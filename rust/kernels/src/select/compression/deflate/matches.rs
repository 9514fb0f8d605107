//! The longest string before a place that begins like the one there, of those that zlib looks at.
//!
//! zlib looks at the strings whose first three bytes have the same hash, the nearest first, a limited
//! number of them. Here each knows how many of its hash there were before it, which tells whether
//! zlib would have come so far; and they are linked by hashes of more bytes too, so that once a
//! string is found, those that cannot be longer are passed over.

/// How far back deflate sees.
pub(super) const WINDOW: usize = 1 << 15;

/// Bytes that zlib keeps ahead of the place it is at; strings further back than what is left of the
/// window it does not use.
pub(super) const AHEAD: usize = 262;
const FARTHEST: usize = WINDOW - AHEAD;

/// Bytes of the longest string.
pub(super) const LONGEST: usize = 258;

/// Bytes of the shortest.
pub(super) const SHORTEST: usize = 3;

/// Bytes of which there are hashes.
const SPANS: [usize; 2] = [SHORTEST, 5];

/// Bytes from a place on that its hashes are made of, at most.
pub(super) const HASHED: usize = 8;

/// Numbers of places from which on they are counted from 0 again.
const HIGHEST: u32 = 1 << 31;

/// How far from a place the one before it of the same hash is, for each of `SPANS`; 0 if that is
/// further than matters, or there is none.
type Steps = [u16; SPANS.len()];

/// The step of a place that was not added.
const SKIPPED: u16 = u16::MAX;

/// Places that stay when numbers are counted anew: more than any string or step reaches back.
const KEPT: usize = 4 * WINDOW;

/// Where strings like the one at a place are.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    steps: Steps,
    /// How many of the same first hash were before it, but for what all of them have more.
    rank: u16,
}

/// A string that was seen before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    pub length: usize,
    pub distance: usize,
}

impl Match {
    /// None that is worth a pair.
    pub const NONE: Self = Self { length: SHORTEST - 1, distance: 0 };
}

/// How hard to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Strings to look at, at most.
    pub chain: u32,
    /// Bytes from which on a string is long enough to look no further.
    pub nice: usize,
    /// The first byte of the text that zlib has in memory; the string there it cannot tell from none.
    pub base: usize,
}

/// Whether more text could change what was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    Sure(Match),
    /// A string was the same up to the end.
    Open(Match),
}

/// The places of a text, by what stands there.
///
/// Places have numbers that go on from text to text, so that nothing is cleared between them: what
/// is of another text is further away than any string may be.
#[derive(Debug)]
pub(super) struct Matcher {
    /// For each of `SPANS` and each hash the last place.
    heads: Box<[u32]>,
    hash_bits: u32,
    links: Box<[Link]>,
    /// The number of the text's first byte, modulo 2^64 where it was counted anew.
    first: usize,
    highest: u32,
}

/// What a matcher was.
#[derive(Debug, Default)]
pub(super) struct Saved {
    heads: Vec<u32>,
    links: Vec<Link>,
    first: usize,
}

impl Matcher {
    /// For texts of any length.
    pub fn new() -> Self {
        // zlib's first hash has 15 bits, and tells which strings it looks at.
        Self::of(15, 2 * WINDOW)
    }

    /// For texts of fewer bytes than `places`, of which zlib looks at all strings.
    pub fn small(places: usize) -> Self {
        let places = places.next_power_of_two();
        Self::of(places.ilog2() + 1, places)
    }

    fn of(hash_bits: u32, places: usize) -> Self {
        let heads = vec![0; SPANS.len() << hash_bits].into_boxed_slice();
        let links = vec![Link::default(); places].into_boxed_slice();
        Self { heads, hash_bits, links, first: 1, highest: HIGHEST }
    }

    #[cfg(test)]
    pub fn count_to(&mut self, highest: u32) {
        self.highest = highest;
    }

    /// Another text comes, instead of one of so many bytes.
    pub fn start(&mut self, length: usize) {
        self.first = self.first.wrapping_add(length + 1);
        // Places of the text before it may be numbered higher than its own first.
        if self.first > self.highest as usize {
            self.heads.fill(0);
            self.first = 1;
        }
    }

    /// Whether places from one on, up to the end of a text, can be added and removed again.
    pub fn can_remove(&self, at: usize, length: usize) -> bool {
        length < self.links.len() || length - at <= self.links.len().saturating_sub(WINDOW)
    }

    /// Whether removing so many places would take longer than to restore what was.
    pub fn are_many(&self, places: usize) -> bool {
        16 * places > self.heads.len()
    }

    /// Keeps what is; without links where what is added can be removed.
    pub fn save(&self, saved: &mut Saved, links: bool) {
        saved.heads.clear();
        saved.heads.extend_from_slice(&self.heads);
        saved.links.clear();
        if links {
            saved.links.extend_from_slice(&self.links);
        }
        saved.first = self.first;
    }

    /// Makes it what it was when it was saved.
    pub fn restore(&mut self, saved: &Saved) {
        self.heads.copy_from_slice(&saved.heads);
        if !saved.links.is_empty() {
            self.links.copy_from_slice(&saved.links);
        }
        self.first = saved.first;
    }

    #[inline]
    fn number(&self, at: usize) -> u32 {
        self.first.wrapping_add(at) as u32
    }

    #[inline]
    fn link(&self, number: u32) -> &Link {
        &self.links[number as usize & (self.links.len() - 1)]
    }

    #[inline]
    fn link_mut(&mut self, number: u32) -> &mut Link {
        let mask = self.links.len() - 1;
        &mut self.links[number as usize & mask]
    }

    /// Where the heads of the hashes at a place are, of those that have their bytes.
    #[inline]
    fn heads_at(&self, text: &[u8], at: usize) -> ([usize; SPANS.len()], usize) {
        let left = &text[at..];
        let (bytes, spans) = match left.first_chunk::<HASHED>() {
            Some(bytes) => (u64::from_le_bytes(*bytes), SPANS.len()),
            None => {
                let mut bytes = [0; HASHED];
                bytes[..left.len()].copy_from_slice(left);
                let spans = SPANS.iter().filter(|&&span| span <= left.len()).count();
                (u64::from_le_bytes(bytes), spans)
            }
        };
        let bits = self.hash_bits;
        // zlib's, folded where it need not be its own.
        let rolled = ((bytes & 0xFF) << 10) ^ ((bytes >> 8 & 0xFF) << 5) ^ (bytes >> 16 & 0xFF);
        let rolled = (rolled & 0x7FFF) as usize;
        let mut heads = [0; SPANS.len()];
        heads[0] = (rolled ^ (rolled >> bits)) & ((1 << bits) - 1);
        for (order, head) in heads.iter_mut().enumerate().skip(1) {
            let hash = (bytes << (64 - 8 * SPANS[order])).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            *head = (order << bits) + (hash >> (64 - bits)) as usize;
        }
        (heads, spans)
    }

    /// Adds a place that has three bytes.
    #[inline]
    pub fn insert(&mut self, text: &[u8], at: usize) {
        let (heads, spans) = self.heads_at(text, at);
        let number = self.number(at);
        let mut steps = Steps::default();
        for (step, &head) in steps.iter_mut().zip(&heads).take(spans) {
            let distance = number - std::mem::replace(&mut self.heads[head], number);
            *step = if distance < SKIPPED.into() { distance as u16 } else { 0 };
        }
        let rank = self.link(number - u32::from(steps[0])).rank.wrapping_add(1);
        *self.link_mut(number) = Link { steps, rank };
    }

    /// Notes that a place was not added.
    #[inline]
    pub fn skip(&mut self, at: usize) {
        let number = self.number(at);
        self.link_mut(number).steps[0] = SKIPPED;
    }

    /// Removes the place that was added last, unless it was skipped.
    #[inline]
    pub fn remove(&mut self, text: &[u8], at: usize) {
        let number = self.number(at);
        let steps = self.link(number).steps;
        if steps[0] == SKIPPED {
            return;
        }
        let (heads, spans) = self.heads_at(text, at);
        for (&head, &step) in heads.iter().zip(&steps).take(spans) {
            self.heads[head] = if step == 0 { 0 } else { number - u32::from(step) };
        }
    }

    /// Counts places from 0 again if their numbers become too high.
    pub fn count_anew(&mut self, at: usize) {
        let number = self.number(at);
        if number <= self.highest {
            return;
        }
        // What can be looked at or removed stays, and what a step may lead to; a link its place too.
        let less = (number as usize - KEPT) & !(self.links.len() - 1);
        let lower = |number: &mut u32| *number = number.saturating_sub(less as u32);
        self.heads.iter_mut().for_each(lower);
        self.first = self.first.wrapping_sub(less);
    }

    /// The longest string before a place that was added, of more than `least` bytes; none if there
    /// are no more than so many bytes.
    #[inline]
    pub fn longest(&self, text: &[u8], at: usize, least: usize, look: Look) -> Found {
        let left = text.len() - at;
        let most = left.min(LONGEST);
        let number = self.number(at);
        let steps = self.link(number).steps;
        let mut after = self.number(look.base.max(at.saturating_sub(FARTHEST)));
        let nearest = number - u32::from(steps[0]);
        // The nearest one may be a byte further away than the others.
        if at - look.base > FARTHEST && nearest == after {
            after -= 1;
        }
        if most <= least || nearest <= after || nearest == number {
            return Found::Sure(Match::NONE);
        }
        let rank = self.link(nearest).rank;
        let nice = look.nice.min(most);
        let mut best = Match { length: least, distance: 0 };
        let mut order = order_of(least + 1);
        let (mut before, mut step) = (number, steps[order]);
        loop {
            before -= u32::from(step);
            if step == 0 || before <= after {
                break;
            }
            let link = self.link(before);
            step = link.steps[order];
            let distance = (number - before) as usize;
            let place = at - distance;
            if u32::from(rank.wrapping_sub(link.rank)) >= look.chain {
                // One of the same first hash: zlib would not have come to it, nor any further.
                if text[place..place + SHORTEST] == text[at..at + SHORTEST] {
                    break;
                }
                continue;
            }
            if text[place + best.length] != text[at + best.length] {
                continue;
            }
            let length = common(text, place, at, most);
            if length <= best.length {
                continue;
            }
            best = Match { length, distance };
            if length >= nice {
                break;
            }
            let higher = order_of(length + 1);
            if higher != order {
                // Those of the hash of more bytes that are nearer are not like it.
                order = higher;
                let nearer = before;
                (before, step) = (number, steps[order]);
                while step != 0 && before - u32::from(step) >= nearer {
                    before -= u32::from(step);
                    step = self.link(before).steps[order];
                }
            }
        }
        if best.length == left && left < LONGEST {
            Found::Open(best)
        } else if best.distance == 0 {
            Found::Sure(Match::NONE)
        } else {
            Found::Sure(best)
        }
    }
}

/// The hash of the most bytes that all strings of a length share.
#[inline]
fn order_of(length: usize) -> usize {
    SPANS.iter().rposition(|&span| span <= length).unwrap_or(0)
}

/// How many bytes are equal from two places on, up to `most`.
#[inline]
fn common(text: &[u8], one: usize, other: usize, most: usize) -> usize {
    let (one, other) = (&text[one..one + most], &text[other..other + most]);
    let mut length = 0;
    for (a, b) in one.chunks_exact(8).zip(other.chunks_exact(8)) {
        let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |&bytes| u64::from_le_bytes(bytes));
        let differ = word(a) ^ word(b);
        if differ != 0 {
            return length + differ.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = one[length..].iter().zip(&other[length..]);
    length + rest.take_while(|(a, b)| a == b).count()
}
