//! The longest part of a row that occurs twice in it, and its longest loop.
//!
//! Each maximal repetition has a longest Lyndon word of its period in one of two orders of symbols
//! (Bannai et al. 2017), which the next smaller suffix ends: so each place has but two candidates.

use crate::symbol::{Symbol, starts_character};

/// Symbols that are compared one by one before hashes are.
const NEAR: usize = 32;

/// The longest part that occurs twice; its occurrences may overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeat {
    /// Its symbols; 0 if no symbol occurs twice.
    pub length: u64,
    /// Where it first occurs.
    pub start: u64,
}

/// A part that repeats a shorter one end to end, twice at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Where it starts.
    pub start: u64,
    /// Its symbols.
    pub length: u64,
    /// Symbols of the shortest part that it repeats.
    pub period: u64,
}

/// The longest repeat and the longest loop; of loops as long the first, of those that with the
/// shortest period. `symbols` are those of `text`, and are changed.
///
/// O(n log n) time.
pub fn of<S: Symbol>(symbols: &mut [S], text: &[S], characters: bool) -> (Repeat, Option<Loop>) {
    let mut suffixes = vec![0_i32; text.len()];
    if text.len() < 2 || S::sort_suffixes(symbols, &mut suffixes).is_err() {
        return (Repeat::default(), None);
    }
    let mut ranks = invert(&suffixes);
    let repeat = longest(text, &suffixes, &ranks, characters);
    let mut best = None;
    let hashes = std::cell::OnceCell::new();
    candidates(text, &ranks, &hashes, &mut best);
    let most = text.iter().copied().max().map_or(0, Symbol::number);
    for (symbol, own) in symbols.iter_mut().zip(text) {
        *symbol = S::from_number(most - own.number()).unwrap_or(*own);
    }
    if S::sort_suffixes(symbols, &mut suffixes).is_ok() {
        ranks = invert(&suffixes);
        candidates(text, &ranks, &hashes, &mut best);
    }
    (repeat, best)
}

fn invert(suffixes: &[i32]) -> Vec<u32> {
    let mut ranks = vec![0; suffixes.len()];
    for (rank, &position) in (0..).zip(suffixes) {
        ranks[position as usize] = rank;
    }
    ranks
}

fn longest<S: Symbol>(text: &[S], suffixes: &[i32], ranks: &[u32], characters: bool) -> Repeat {
    let inside = |at: usize| {
        characters
            && text.get(at).is_some_and(|symbol| {
                u8::try_from(symbol.number()).is_ok_and(|byte| !starts_character(byte))
            })
    };
    let mut best = Repeat::default();
    let mut shared = 0_usize;
    for (at, &rank) in ranks.iter().enumerate() {
        let rank = rank as usize;
        let Some(other) = rank.checked_sub(1).map(|before| suffixes[before] as usize) else {
            shared = 0;
            continue;
        };
        while text.get(at + shared).is_some_and(|own| text.get(other + shared) == Some(own)) {
            shared += 1;
        }
        if !inside(at) && shared as u64 > best.length {
            let mut length = shared;
            // What follows differs, and may do so within a character.
            while length > 0 && inside(at + length) {
                length -= 1;
            }
            if length as u64 > best.length {
                best = Repeat { length: length as u64, start: at.min(other) as u64 };
            }
        }
        shared = shared.saturating_sub(1);
    }
    if best.length > 0 {
        // The first of all its occurrences: those stand side by side in order.
        let (at, length) = (best.start as usize, best.length as usize);
        let part = &text[at..at + length];
        let same = |rank: &usize| text[suffixes[*rank] as usize..].starts_with(part);
        let rank = ranks[at] as usize;
        let around =
            (0..rank).rev().take_while(same).chain((rank..suffixes.len()).take_while(same));
        best.start = around.map(|rank| suffixes[rank] as u64).min().unwrap_or(best.start);
    }
    best
}

/// Prefix hashes modulo 2^61 - 1, and the powers of their base.
struct Hashes(Vec<(u64, u64)>);

const MODULUS: u64 = (1 << 61) - 1;
const BASE: u64 = 0x1234_5678_9ABC_DEF1 % MODULUS;

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let folded = (product as u64 & MODULUS) + (product >> 61) as u64;
    if folded >= MODULUS { folded - MODULUS } else { folded }
}

impl Hashes {
    fn of<S: Symbol>(text: &[S]) -> Self {
        let (mut hash, mut power) = (0, 1);
        let mut all = Vec::with_capacity(text.len() + 1);
        all.push((hash, power));
        for symbol in text {
            hash = (times(hash, BASE) + u64::from(symbol.number()) + 1) % MODULUS;
            power = times(power, BASE);
            all.push((hash, power));
        }
        Self(all)
    }

    fn span(&self, start: usize, stop: usize) -> u64 {
        let (before, after) = (self.0[start].0, self.0[stop].0);
        (after + MODULUS - times(before, self.0[stop - start].1)) % MODULUS
    }

    /// The longest length up to `most` at which `same` holds, which does for all shorter ones too.
    fn longest(most: usize, same: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut step) = (0, NEAR);
        while low + step <= most && same(low + step) {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(most + 1);
        while low + 1 < high {
            let middle = low.midpoint(high);
            if same(middle) { low = middle } else { high = middle }
        }
        low
    }
}

/// Looks at the repetitions of which the longest Lyndon words are the roots.
fn candidates<S: Symbol>(
    text: &[S],
    ranks: &[u32],
    hashes: &std::cell::OnceCell<Hashes>,
    best: &mut Option<Loop>,
) {
    let mut next = vec![0_u32; text.len()];
    let mut smaller: Vec<u32> = vec![];
    for at in (0..text.len()).rev() {
        while smaller.last().is_some_and(|&other| ranks[other as usize] > ranks[at]) {
            smaller.pop();
        }
        next[at] = smaller.last().map_or(text.len() as u32, |&other| other);
        smaller.push(at as u32);
    }
    for (at, &other) in next.iter().enumerate() {
        let other = other as usize;
        let period = other - at;
        let after = extension(text, at, other, hashes);
        let before = extension_left(text, at, other, hashes);
        if after + before < period {
            continue;
        }
        let found = Loop {
            start: (at - before) as u64,
            length: (before + period + after) as u64,
            period: period as u64,
        };
        let order = |one: Loop| (one.length, u64::MAX - one.start, u64::MAX - one.period);
        if best.is_none_or(|best| order(found) > order(best)) && holds(text, found) {
            *best = Some(found);
        }
    }
}

/// Whether it is one: equal hashes make that likely only.
fn holds<S: Symbol>(text: &[S], found: Loop) -> bool {
    let (start, period) = (found.start as usize, found.period as usize);
    let stop = start + found.length as usize;
    text[start..stop - period] == text[start + period..stop]
}

/// How many symbols from two places on are the same.
fn extension<S: Symbol>(
    text: &[S],
    at: usize,
    other: usize,
    hashes: &std::cell::OnceCell<Hashes>,
) -> usize {
    let most = text.len() - other;
    let pairs = text[at..].iter().zip(&text[other..]);
    let near = pairs.take(NEAR).take_while(|(a, b)| a == b).count();
    if near < NEAR.min(most) || near == most {
        return near;
    }
    let hashes = hashes.get_or_init(|| Hashes::of(text));
    Hashes::longest(most, |length| {
        hashes.span(at, at + length) == hashes.span(other, other + length)
    })
}

/// How many symbols before two places are the same.
fn extension_left<S: Symbol>(
    text: &[S],
    at: usize,
    other: usize,
    hashes: &std::cell::OnceCell<Hashes>,
) -> usize {
    let pairs = text[..at].iter().rev().zip(text[..other].iter().rev());
    let near = pairs.take(NEAR).take_while(|(a, b)| a == b).count();
    if near < NEAR.min(at) || near == at {
        return near;
    }
    let hashes = hashes.get_or_init(|| Hashes::of(text));
    Hashes::longest(at, |length| hashes.span(at - length, at) == hashes.span(other - length, other))
}
