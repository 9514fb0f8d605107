//! The graph of each row's most similar rows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::rows::{Matrix, Sparse};
use super::similar::{Measure, Part, Similarities};
use super::{Scratch, refused};
use crate::error::Result;
use crate::interrupt::Monitor;

/// A similarity and a row, the less similar one less, of equal ones the later one.
#[derive(Clone, Copy, Debug)]
struct Near(f64, u32);

impl Ord for Near {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then_with(|| other.1.cmp(&self.1))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Near {}

/// Rows of which a thread finds the neighbours at a time.
const BLOCK: usize = 16;

/// Of each row the `k` most similar rows, itself among them, and how similar they are; of equally
/// similar ones the first. Rows that are not similar at all are none of them.
///
/// Time of all similarities, once; memory of the graph and of one row's similarities a thread.
///
/// # Errors
/// [`crate::Error::InvalidInput`] for 0 neighbours; [`crate::Error::Interrupted`].
pub fn neighbours(data: Matrix, measure: Measure, k: usize, monitor: &Monitor) -> Result<Sparse> {
    if k == 0 {
        return Err(refused("neighbours is 0; give 1 or more"));
    }
    let all = data.rows();
    let similar = Similarities::new(data, measure);
    let rows: Vec<u32> = (0..all as u32).collect();
    let found: Vec<Vec<Vec<(u32, f64)>>> = rows
        .par_chunks(BLOCK)
        .map_init(Scratch::default, |scratch, rows| {
            monitor.check()?;
            let mut nearest: Vec<BinaryHeap<Reverse<Near>>> = vec![BinaryHeap::new(); rows.len()];
            similar.each(rows, scratch, |at, part| {
                let heap = &mut nearest[at];
                // What is no better than the k-th is most of all, and passed by one comparison.
                let mut least =
                    if heap.len() < k { 0.0 } else { heap.peek().map_or(0.0, |top| top.0.0) };
                let mut look = |row: u32, value: f64| {
                    if value < least || value <= 0.0 {
                        return;
                    }
                    let near = Near(value, row);
                    if heap.len() < k {
                        heap.push(Reverse(near));
                    } else if let Some(mut top) = heap.peek_mut()
                        && near > top.0
                    {
                        *top = Reverse(near);
                    }
                    if heap.len() == k {
                        least = heap.peek().map_or(0.0, |top| top.0.0);
                    }
                };
                match part {
                    Part::From(start, values) => {
                        for (row, &value) in (start as u32..).zip(values) {
                            look(row, value);
                        }
                    }
                    Part::Of(rows, values) => {
                        for (&row, &value) in rows.iter().zip(values) {
                            look(row, value);
                        }
                    }
                }
            });
            monitor.advance(rows.len() as u64);
            Ok(nearest
                .into_iter()
                .map(|heap| {
                    let mut row: Vec<(u32, f64)> =
                        heap.into_iter().map(|Reverse(Near(value, row))| (row, value)).collect();
                    row.sort_unstable_by_key(|&(row, _)| row);
                    row
                })
                .collect())
        })
        .collect::<Result<_>>()?;
    Ok(Sparse::of(found.into_iter().flatten(), all))
}

/// A graph that has each edge both ways, of two the greater.
pub fn symmetric(graph: &Sparse) -> Sparse {
    let back = graph.transposed();
    let rows = (0..graph.rows()).map(|row| {
        let ((left, mine), (right, other)) = (graph.row(row), back.row(row));
        let (mut at, mut by) = (0, 0);
        let mut both = Vec::with_capacity(left.len().max(right.len()));
        while at < left.len() || by < right.len() {
            let next = left.get(at).into_iter().chain(right.get(by)).min().copied().unwrap_or(0);
            let mut value = f64::NEG_INFINITY;
            if left.get(at) == Some(&next) {
                value = value.max(mine[at]);
                at += 1;
            }
            if right.get(by) == Some(&next) {
                value = value.max(other[by]);
                by += 1;
            }
            both.push((next, value));
        }
        both
    });
    Sparse::of(rows, graph.width())
}
