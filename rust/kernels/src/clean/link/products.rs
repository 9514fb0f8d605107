//! The most similar vectors: exact top k of sparse products, never all pairs.
//!
//! Term at a time over an inverted list, heaviest feature first. A vector that shares none of the
//! features seen can reach no more than the length of what is left of the query (Cauchy and
//! Schwarz), so once that is below the least similarity asked for, or the k-th best so far, no new
//! candidate is admitted (Turtle and Flood 1995; Bayardo, Ma and Srikant 2007). The candidates left
//! are then scored whole.

use rayon::prelude::*;

use super::names::Vectors;
use crate::error::Result;
use crate::interrupt::Monitor;

/// What rounding may take from a bound.
const SLACK: f32 = 1e-4;

/// Queries between two looks at the monitor.
const BLOCK: usize = 64;

/// A vector found, and its similarity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its number among those indexed.
    pub item: u32,
    /// The inner product.
    pub similarity: f32,
}

/// An inverted list of some of the vectors.
#[derive(Debug)]
pub struct Inverted<'a> {
    vectors: &'a Vectors,
    items: &'a [u32],
    ends: Vec<usize>,
    postings: Vec<(u32, f32)>,
}

/// What a thread keeps from query to query.
struct Scratch {
    sums: Vec<f32>,
    touched: Vec<u32>,
    candidates: Vec<(f32, u32)>,
    query: Vec<f32>,
    terms: Vec<(u32, f32)>,
    partial: Vec<f32>,
}

impl<'a> Inverted<'a> {
    /// Lists the vectors numbered in `items`, of `features` features.
    pub fn new(vectors: &'a Vectors, items: &'a [u32], features: usize) -> Self {
        let mut ends = vec![0; features + 1];
        for &item in items {
            for &feature in vectors.get(item as usize).0 {
                ends[feature as usize + 1] += 1;
            }
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut next = ends.clone();
        let mut postings = vec![(0, 0.0); ends[features]];
        for (place, &item) in items.iter().enumerate() {
            let (names, weights) = vectors.get(item as usize);
            for (&feature, &weight) in names.iter().zip(weights) {
                postings[next[feature as usize]] = (place as u32, weight);
                next[feature as usize] += 1;
            }
        }
        Self { vectors, items, ends, postings }
    }

    /// The `k` places in `items` most similar to each query, at least `least` so, best first and
    /// then in the order of `items`; `skip` names the place, at most one, that is no answer to a
    /// query.
    ///
    /// # Errors
    /// If someone asks to stop.
    pub fn nearest(
        &self,
        queries: &[u32],
        k: usize,
        least: f32,
        skip: impl Fn(u32, u32) -> bool + Sync,
        monitor: &Monitor,
    ) -> Result<Vec<Vec<Neighbour>>> {
        let blocks: Vec<Vec<Vec<Neighbour>>> = queries
            .par_chunks(BLOCK)
            .map_init(
                || Scratch {
                    sums: vec![0.0; self.items.len()],
                    touched: vec![],
                    candidates: vec![],
                    query: vec![0.0; self.ends.len()],
                    terms: vec![],
                    partial: vec![],
                },
                |scratch, block| {
                    monitor.check()?;
                    let found =
                        block.iter().map(|&query| self.one(query, k, least, &skip, scratch));
                    let found = found.collect();
                    monitor.advance(block.len() as u64);
                    Ok(found)
                },
            )
            .collect::<Result<_>>()?;
        Ok(blocks.into_iter().flatten().collect())
    }

    fn one(
        &self,
        query: u32,
        k: usize,
        least: f32,
        skip: &impl Fn(u32, u32) -> bool,
        scratch: &mut Scratch,
    ) -> Vec<Neighbour> {
        let Scratch { sums, touched, candidates, query: dense, terms, partial } = scratch;
        let (features, weights) = self.vectors.get(query as usize);
        terms.clear();
        terms.extend(features.iter().copied().zip(weights.iter().copied()));
        for &(feature, weight) in terms.iter() {
            dense[feature as usize] = weight;
        }
        terms.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let list = |feature: u32| self.ends[feature as usize]..self.ends[feature as usize + 1];
        let mut unread: usize = terms.iter().map(|term| list(term.0).len()).sum();
        let mut left: f32 = terms.iter().map(|term| term.1 * term.1).sum();
        let mut reached = least;
        let mut read = 0;
        let mut open = true;
        for &(feature, weight) in terms.iter() {
            let rest = left.max(0.0).sqrt() + SLACK;
            if read > 2 * touched.len() && unread > touched.len() {
                reached = reached.max(kth(touched, sums, k, partial).unwrap_or(0.0) - SLACK);
                read = 0;
                let hopeful = |&&place: &&u32| sums[place as usize] + rest >= reached;
                // To score a candidate whole reads its vector, here and there.
                if rest < reached
                    && touched.iter().filter(hopeful).count() * 2 * terms.len() < unread
                {
                    break;
                }
            }
            open &= rest >= reached;
            let list = list(feature);
            read += list.len();
            unread -= list.len();
            for &(place, other) in &self.postings[list] {
                let sum = &mut sums[place as usize];
                if *sum > 0.0 {
                    *sum += weight * other;
                } else if open {
                    touched.push(place);
                    *sum = weight * other;
                }
            }
            left -= weight * weight;
        }
        let rest = if unread == 0 { SLACK } else { left.max(0.0).sqrt() + SLACK };
        reached = reached.max(kth(touched, sums, k, partial).unwrap_or(0.0) - SLACK);
        candidates.clear();
        candidates.extend(
            touched
                .iter()
                .map(|&place| (sums[place as usize], place))
                .filter(|&(sum, _)| sum + rest >= reached),
        );
        for &place in touched.iter() {
            sums[place as usize] = 0.0;
        }
        touched.clear();
        candidates.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut found: Vec<Neighbour> = Vec::with_capacity(k.min(candidates.len()) + 1);
        for &(sum, place) in candidates.iter() {
            if sum + rest < reached {
                break;
            }
            if skip(query, place) {
                continue;
            }
            let (features, weights) = self.vectors.get(self.items[place as usize] as usize);
            let products = features.iter().zip(weights);
            let similarity: f32 =
                products.map(|(&feature, weight)| dense[feature as usize] * weight).sum();
            if similarity < least {
                continue;
            }
            let at = found.partition_point(|other| {
                other.similarity > similarity
                    || (other.similarity == similarity && other.item < place)
            });
            found.insert(at, Neighbour { item: place, similarity });
            found.truncate(k);
            if found.len() == k {
                reached = reached.max(found[k - 1].similarity - SLACK);
            }
        }
        for &(feature, _) in terms.iter() {
            dense[feature as usize] = 0.0;
        }
        found
    }
}

/// The (k + 1)-th largest sum so far, for one of those may be no answer; None if there are fewer.
fn kth(touched: &[u32], sums: &[f32], k: usize, partial: &mut Vec<f32>) -> Option<f32> {
    let at = touched.len().checked_sub(k + 1)?;
    partial.clear();
    partial.extend(touched.iter().map(|&place| sums[place as usize]));
    Some(*partial.select_nth_unstable_by(at, f32::total_cmp).1)
}
