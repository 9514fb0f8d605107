//! Every question answered by the definition, over rows as they were given.

use std::collections::BTreeMap;

use super::boolean::Node;

pub(super) type Rows<'a> = &'a [Option<Vec<u32>>];

/// `(row, start)` of every occurrence.
pub(super) fn locate(rows: Rows<'_>, pattern: &[u32]) -> Vec<(u64, u64)> {
    let mut found = vec![];
    for (number, row) in (0..).zip(rows) {
        let row = row.as_deref().unwrap_or_default();
        for (start, window) in (0..).zip(row.windows(pattern.len())) {
            if window == pattern {
                found.push((number, start));
            }
        }
    }
    found
}

/// What comes next after a context, ends of rows (`None`) included, and how often.
pub(super) fn following(rows: Rows<'_>, context: &[u32]) -> BTreeMap<Option<u32>, u64> {
    let mut found = BTreeMap::new();
    for row in rows {
        let row = row.as_deref().unwrap_or_default();
        for start in 0..=row.len() {
            if row[start..].starts_with(context) {
                *found.entry(row.get(start + context.len()).copied()).or_default() += 1;
            }
        }
    }
    found
}

/// The context that a model of an order has of a prompt.
pub(super) fn of_order(prompt: &[u32], order: usize) -> Option<&[u32]> {
    (prompt.len() >= order - 1).then(|| &prompt[prompt.len() - (order - 1)..])
}

/// Stupid backoff, as it is defined: by recursion.
pub(super) fn stupid_backoff(
    rows: Rows<'_>,
    context: &[u32],
    next: Option<u32>,
    alpha: f64,
) -> Option<f64> {
    let found = following(rows, context);
    match found.get(&next) {
        Some(&count) => Some(count as f64 / found.values().sum::<u64>() as f64),
        None if context.is_empty() => (!found.is_empty()).then_some(0.0),
        None => Some(alpha * stupid_backoff(rows, &context[1..], next, alpha)?),
    }
}

/// The weighted mean of the shares at those orders whose context occurs.
pub(super) fn interpolated(
    rows: Rows<'_>,
    prompt: &[u32],
    next: Option<u32>,
    weights: &[(usize, f64)],
) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for &(order, weight) in weights {
        let found =
            of_order(prompt, order).map_or_else(BTreeMap::new, |context| following(rows, context));
        if !found.is_empty() {
            let count = found.get(&next).copied().unwrap_or(0);
            sum += weight * (count as f64 / found.values().sum::<u64>() as f64);
            total += weight;
        }
    }
    (total > 0.0).then(|| sum / total)
}

/// The longest suffix that occurs of a context of at most `longest` symbols.
pub(super) fn longest_suffix<'a>(rows: Rows<'_>, context: &'a [u32], longest: usize) -> &'a [u32] {
    (context.len().saturating_sub(longest)..=context.len())
        .map(|start| &context[start..])
        .find(|suffix| suffix.is_empty() || !following(rows, suffix).is_empty())
        .unwrap_or_default()
}

/// `(start, stop, count)` of the matches of a text, start by start: the longest that occurs, up to
/// and with its first delimiter, up to the last place allowed, longer than no match before ends.
pub(super) fn matches(
    rows: Rows<'_>,
    text: &[u32],
    allowed: impl Fn(usize) -> bool,
    delimiters: &[u32],
    (min_length, max_count): (usize, u64),
) -> Vec<(u64, u64, u64)> {
    let count = |start: usize, stop: usize| locate(rows, &text[start..stop]).len() as u64;
    let mut found: Vec<(u64, u64, u64)> = vec![];
    for start in (0..text.len()).filter(|&at| allowed(at)) {
        let longest = (start + 1..=text.len()).rev().find(|&stop| count(start, stop) > 0);
        let Some(longest) = longest else { continue };
        let delimiter = (start..longest).find(|&at| delimiters.contains(&text[at]));
        let reach = delimiter.map_or(longest, |at| at + 1);
        let Some(stop) = (start + 1..=reach).rev().find(|&at| allowed(at)) else { continue };
        let occurs = count(start, stop);
        let new = found.last().is_none_or(|last| stop as u64 > last.1);
        if stop - start >= min_length && occurs <= max_count && new {
            found.push((start as u64, stop as u64, occurs));
        }
    }
    found
}

/// Whether the expression holds in a row from `from` on up to `to`.
fn holds(node: &Node, terms: &[Vec<u32>], row: &[u32]) -> bool {
    match node {
        Node::Term(term) => row.windows(terms[*term].len()).any(|window| window == terms[*term]),
        Node::And(nodes) => nodes.iter().all(|node| holds(node, terms, row)),
        Node::Or(nodes) => nodes.iter().any(|node| holds(node, terms, row)),
    }
}

/// `(row, start, stop)` of the tightest stretch of each row in which the expression holds.
pub(super) fn search(
    rows: Rows<'_>,
    node: &Node,
    terms: &[Vec<u32>],
    within: Option<u64>,
) -> Vec<(u64, u64, u64)> {
    let mut found = vec![];
    for (number, row) in (0..).zip(rows) {
        let row = row.as_deref().unwrap_or_default();
        let stretch = (1..=row.len()).find_map(|length| {
            let start = row.windows(length).position(|window| holds(node, terms, window))?;
            Some((number, start as u64, (start + length) as u64))
        });
        found.extend(
            stretch.filter(|(_, start, stop)| within.is_none_or(|within| stop - start <= within)),
        );
    }
    found
}
