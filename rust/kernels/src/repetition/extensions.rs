//! How far two places of a text go on alike, each answer in constant time: the least of the common
//! prefixes between two suffixes in order.

use std::cell::OnceCell;

use crate::error::Result;
use crate::symbol::Symbol;

/// Symbols that are compared one by one before suffixes are sorted for the answer.
const NEAR: usize = 32;

/// Values a block of [`Minima`].
const BLOCK: usize = 64;

/// How far places of one text go on alike, to the right and to the left.
pub(super) struct Extensions<'a, S> {
    text: &'a [S],
    after: OnceCell<Prefixes>,
    before: OnceCell<Prefixes>,
}

impl<'a, S: Symbol> Extensions<'a, S> {
    pub(super) fn of(text: &'a [S]) -> Self {
        Self { text, after: OnceCell::new(), before: OnceCell::new() }
    }

    /// How many symbols from two places on are the same, the second of which is further on.
    #[inline]
    pub(super) fn after(&self, at: usize, other: usize) -> Result<usize> {
        let most = self.text.len() - other;
        let limit = most.min(NEAR);
        let (left, right) = (&self.text[at..at + limit], &self.text[other..other + limit]);
        let mut near = 0;
        while near < limit && left[near] == right[near] {
            near += 1;
        }
        if near < limit || near == most {
            return Ok(near);
        }
        let prefixes = prepared(&self.after, || Prefixes::of(&mut self.text.to_vec()))?;
        Ok(prefixes.common(at, other))
    }

    /// How many symbols before two places are the same, the second of which is further on.
    #[inline]
    pub(super) fn before(&self, at: usize, other: usize) -> Result<usize> {
        let limit = at.min(NEAR);
        let (left, right) = (&self.text[at - limit..at], &self.text[other - limit..other]);
        let mut near = 0;
        while near < limit && left[limit - 1 - near] == right[limit - 1 - near] {
            near += 1;
        }
        if near < limit || near == at {
            return Ok(near);
        }
        let reversed = || Prefixes::of(&mut self.text.iter().rev().copied().collect::<Vec<_>>());
        let prefixes = prepared(&self.before, reversed)?;
        Ok(prefixes.common(self.text.len() - at, self.text.len() - other))
    }
}

/// What a cell holds, made now if it is empty.
fn prepared<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(held) = cell.get() {
        return Ok(held);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

/// Common prefixes of all suffixes.
struct Prefixes {
    ranks: Vec<u32>,
    minima: Minima,
}

impl Prefixes {
    fn of<S: Symbol>(text: &mut [S]) -> Result<Self> {
        let mut suffixes = vec![0_i32; text.len()];
        if !text.is_empty() {
            S::sort_suffixes(text, &mut suffixes)?;
        }
        let ranks = invert(&suffixes);
        let mut prefixes = vec![0; text.len()];
        neighbours(text, &suffixes, &ranks, |rank, _, _, shared| prefixes[rank] = shared as u32);
        Ok(Self { ranks, minima: Minima::of(prefixes) })
    }

    /// Symbols that the suffixes at two places share.
    fn common(&self, at: usize, other: usize) -> usize {
        if at == self.ranks.len() || other == self.ranks.len() {
            return 0;
        }
        let (a, b) = (self.ranks[at] as usize, self.ranks[other] as usize);
        self.minima.least(a.min(b) + 1, a.max(b)) as usize
    }
}

/// The rank of the suffix at each place.
pub(super) fn invert(suffixes: &[i32]) -> Vec<u32> {
    let mut ranks = vec![0; suffixes.len()];
    for (rank, &position) in (0..).zip(suffixes) {
        ranks[position as usize] = rank;
    }
    ranks
}

/// Calls `each` with the rank of every suffix but the first one, its place, that of the suffix before
/// it in order, and how many symbols they share; in the order of places (Kasai et al. 2001).
pub(super) fn neighbours<S: Symbol>(
    text: &[S],
    suffixes: &[i32],
    ranks: &[u32],
    mut each: impl FnMut(usize, usize, usize, usize),
) {
    let mut shared = 0_usize;
    for (at, &rank) in ranks.iter().enumerate() {
        let rank = rank as usize;
        let Some(other) = rank.checked_sub(1).map(|before| suffixes[before] as usize) else {
            shared = 0;
            continue;
        };
        let (own, others) = (&text[at + shared..], &text[other + shared..]);
        shared += own.iter().zip(others).take_while(|(a, b)| a == b).count();
        each(rank, at, other, shared);
        shared = shared.saturating_sub(1);
    }
}

/// The least of any range of values: in a block by the stack of lesser values that it ends with, as
/// one bit each; over blocks by a table of those from each one on whose number is a power of two.
struct Minima {
    values: Vec<u32>,
    stacks: Vec<u64>,
    blocks: Vec<Vec<u32>>,
}

impl Minima {
    fn of(values: Vec<u32>) -> Self {
        let mut stacks = Vec::with_capacity(values.len());
        for block in values.chunks(BLOCK) {
            let mut stack = 0_u64;
            for (at, value) in block.iter().enumerate() {
                while stack != 0 && block[stack.ilog2() as usize] >= *value {
                    stack ^= 1 << stack.ilog2();
                }
                stack |= 1 << at;
                stacks.push(stack);
            }
        }
        let least = |block: &[u32]| block.iter().copied().min().unwrap_or(0);
        let mut blocks = vec![values.chunks(BLOCK).map(least).collect::<Vec<_>>()];
        loop {
            let width = 1 << (blocks.len() - 1);
            let last = &blocks[blocks.len() - 1];
            if last.len() <= width {
                break;
            }
            let next = last.iter().zip(&last[width..]).map(|(a, b)| *a.min(b)).collect();
            blocks.push(next);
        }
        Self { values, stacks, blocks }
    }

    /// The least value from `first` to `last`, both included.
    fn least(&self, first: usize, last: usize) -> u32 {
        let (from, to) = (first / BLOCK, last / BLOCK);
        let within = |first: usize, last: usize| {
            let stack = self.stacks[last] >> (first % BLOCK);
            self.values[first + stack.trailing_zeros() as usize]
        };
        if from == to {
            return within(first, last);
        }
        let mut least = within(first, from * BLOCK + BLOCK - 1).min(within(to * BLOCK, last));
        if to - from > 1 {
            let level = (to - from - 1).ilog2();
            let table = &self.blocks[level as usize];
            least = least.min(table[from + 1]).min(table[to - (1 << level)]);
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn minima_agree_with_the_definition(values in vec(0_u32..50, 1..700), seed in any::<u64>()) {
            let minima = Minima::of(values.clone());
            for turn in 0..40 {
                let place = |salt: u64| {
                    crate::words::mix(seed ^ salt ^ (turn * 77)) as usize % values.len()
                };
                let (a, b) = (place(1), place(2));
                let (a, b) = (a.min(b), a.max(b));
                prop_assert_eq!(minima.least(a, b), *values[a..=b].iter().min().unwrap());
            }
        }

        #[test]
        fn extensions_agree_with_the_definition(
            unit in vec(0_u8..2, 1..9), times in 1_usize..40, end in vec(0_u8..2, 0..50),
        ) {
            let text = [unit.repeat(times), end].concat();
            let extensions = Extensions::of(&text);
            for other in 0..=text.len() {
                for at in (0..other).step_by(3) {
                    let same = |(a, b): &(&u8, &u8)| a == b;
                    let after = text[at..].iter().zip(&text[other..]).take_while(same).count();
                    let (left, right) = (&text[..at], &text[..other]);
                    let before = left.iter().rev().zip(right.iter().rev()).take_while(same);
                    prop_assert_eq!(extensions.after(at, other).unwrap(), after);
                    prop_assert_eq!(extensions.before(at, other).unwrap(), before.count());
                }
            }
        }
    }
}
