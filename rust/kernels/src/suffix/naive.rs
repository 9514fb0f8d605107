//! Suffix sorting and search by the definition.

use crate::symbol::{Ranks, Symbol};

pub(super) fn sort<S: Symbol>(text: &[S]) -> Vec<u32> {
    let mut suffixes: Vec<u32> = (0..text.len() as u32).collect();
    suffixes.sort_by_key(|&position| &text[position as usize..]);
    suffixes
}

pub(super) fn find<S: Symbol>(text: &[S], suffixes: &[u32], pattern: &[S]) -> Ranks {
    let suffix = |rank: usize| &text[suffixes[rank] as usize..];
    let below = (0..suffixes.len()).filter(|&rank| suffix(rank) < pattern);
    let low = below.count();
    let count = (0..suffixes.len()).filter(|&rank| suffix(rank).starts_with(pattern)).count();
    Ranks { start: low as u64, end: (low + count) as u64 }
}
