//! Suffixes that share a prefix, by the symbol they go on with: they lie side by side, in its order.

use std::cmp::Ordering;

use crate::error::Result;
use crate::symbol::{Position, Rank, Ranks};

/// Suffixes in the order of their symbols.
pub trait Sorted {
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
    let boundary = |mut within: Ranks, last: Ordering| {
        while within.start < within.end {
            let rank = within.start.midpoint(within.end);
            let position = array.position(rank)? + depth as Position;
            if array.symbol(position)?.cmp(&symbol) <= last {
                within.start = rank + 1;
            } else {
                within.end = rank;
            }
        }
        Ok(within.start)
    };
    let start = boundary(ranks, Ordering::Less)?;
    Ok(Ranks { start, end: boundary(Ranks { start, ..ranks }, Ordering::Equal)? })
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
