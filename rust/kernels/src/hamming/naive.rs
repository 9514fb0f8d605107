//! The definition, as oracle.

use super::Equality;

/// The distance of each window, symbols as numbers.
pub fn distances(text: &[u32], pattern: &[u32], equality: &Equality) -> Vec<usize> {
    let mapped = |symbol: u32| equality.map.get(&symbol).copied().unwrap_or(symbol);
    let listed = |symbol: u32| equality.wildcards.contains(&symbol);
    let wild = |symbol: u32| listed(symbol) || listed(mapped(symbol));
    let differ = |a: u32, b: u32| !wild(a) && !wild(b) && mapped(a) != mapped(b);
    text.windows(pattern.len())
        .map(|window| window.iter().zip(pattern).filter(|&(&a, &b)| differ(a, b)).count())
        .collect()
}
