//! Suffixes that share a prefix, by the symbol they go on with: they lie side by side, in its order.

use std::cmp::Ordering;

use crate::error::Result;
use crate::symbol::{Position, Rank, Ranks};

/// The most suffixes looked at together.
const MOST_ABREAST: usize = 15;

/// Suffixes in the order of their symbols.
pub trait Sorted {
    /// Suffixes worth looking at together, where one after the other would do with fewer: many
    /// where reads are of memory, whose misses then overlap; one where each takes work.
    const ABREAST: usize = MOST_ABREAST;

    /// A symbol, ordered as in the array.
    type Symbol: Copy + Ord;

    /// Where a suffix stands in the text.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] if there is none of that rank.
    fn position(&self, rank: Rank) -> Result<Position>;

    /// The symbol at a position.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] if it is not in the text.
    fn symbol(&self, position: Position) -> Result<Self::Symbol>;
}

/// A rank, and the symbol that its suffix goes on with.
type End<A> = (Rank, <A as Sorted>::Symbol);

/// Of suffixes that share their first `depth` symbols, those that go on with `symbol`.
///
/// O(log k) for k suffixes.
///
/// # Errors
/// [`crate::Error::Corrupt`] if the array points outside the text.
pub fn following<A: Sorted>(
    array: &A,
    ranks: Ranks,
    depth: usize,
    symbol: A::Symbol,
) -> Result<Ranks> {
    let mut probes = [(0, 0); MOST_ABREAST];
    // Between which ranks the first one lies, and the first one behind them.
    let (mut lower, mut upper) = (ranks, ranks);
    loop {
        let within = if lower.is_empty() { upper } else { lower };
        if within.is_empty() {
            return Ok(Ranks { start: lower.start, end: upper.start.max(lower.start) });
        }
        let count = within.len().min(A::ABREAST.min(MOST_ABREAST) as u64);
        let probes = &mut probes[..count as usize];
        // Independent reads first: their misses overlap.
        for (nth, probe) in (1..).zip(&mut *probes) {
            let rank = within.start + within.len() * nth / (count + 1);
            *probe = (rank, array.position(rank)? + depth as Position);
        }
        for &mut (rank, position) in probes {
            let order = array.symbol(position)?.cmp(&symbol);
            let after = rank + 1;
            match order {
                Ordering::Less => lower.start = lower.start.max(after),
                _ => lower.end = lower.end.min(rank),
            }
            match order {
                Ordering::Greater => upper.end = upper.end.min(rank),
                _ => upper.start = upper.start.max(after),
            }
        }
    }
}

/// Gives the symbols that suffixes go on with that share their first `depth` ones, in order, and
/// how many do.
///
/// O(d log k) for d distinct symbols behind k suffixes: whatever lies between two suffixes that
/// go on alike does so too, and is not looked at. All that is halved is so in step, so that
/// cache misses overlap.
///
/// # Errors
/// As [`following`].
pub fn runs<A: Sorted>(
    array: &A,
    ranks: Ranks,
    depth: usize,
    mut give: impl FnMut(A::Symbol, u64),
) -> Result<()> {
    if ranks.is_empty() {
        return Ok(());
    }
    let symbol = |rank| array.symbol(array.position(rank)? + depth as Position);
    let (first, last) = (ranks.start, ranks.end - 1);
    let mut begins = vec![(first, symbol(first)?)];
    let mut gaps = vec![(begins[0], (last, symbol(last)?))];
    let (mut narrower, mut positions) = (vec![], vec![]);
    while !gaps.is_empty() {
        gaps.retain(|&((low, before), (high, after))| {
            if high - low == 1 && before != after {
                begins.push((high, after));
            }
            high - low > 1 && before != after
        });
        let middle = |gap: &(End<A>, End<A>)| gap.0.0.midpoint(gap.1.0);
        // Independent reads first: their misses overlap.
        positions.clear();
        for gap in &gaps {
            positions.push(array.position(middle(gap))? + depth as Position);
        }
        for (gap, &position) in gaps.iter().zip(&positions) {
            let middle = (middle(gap), array.symbol(position)?);
            narrower.extend([(gap.0, middle), (middle, gap.1)]);
        }
        gaps.clear();
        std::mem::swap(&mut gaps, &mut narrower);
    }
    begins.sort_unstable_by_key(|&(rank, _)| rank);
    let ends = begins.iter().skip(1).map(|&(rank, _)| rank).chain([ranks.end]);
    for (&(rank, symbol), end) in begins.iter().zip(ends) {
        give(symbol, end - rank);
    }
    Ok(())
}
