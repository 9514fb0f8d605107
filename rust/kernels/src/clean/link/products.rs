//! The most similar vectors: exact top k of sparse products, never all pairs.
//!
//! Term at a time over an inverted list, rarest feature first. All vectors are of unit length, so
//! what two of them share from some feature on is at most the product of what is left of each
//! there (Cauchy and Schwarz; Anastasiu and Karypis 2014, of the prefix filters of Bayardo, Ma and
//! Srikant 2007). Each list is ordered by what is left of its vectors, so that the ones that can
//! still reach the least similarity asked for, or the k-th best so far, stand at its head; the rest
//! of a list only adds to candidates that are known, and is not read at all where it is cheaper to
//! score the candidates whole.

use std::ops::Range;

use rayon::prelude::*;

use super::names::Vectors;
use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};

/// What rounding may take from a bound.
const SLACK: f32 = 1e-4;

/// Queries between two looks at the monitor.
const BLOCK: usize = 64;

/// List lengths at which it is kept what is left of each vector: powers of two.
const LEVELS: usize = 16;

/// Parts that the vectors are listed in, one after the other, at most.
const PARTS: usize = 64;

/// A vector found, and its similarity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its number among those indexed.
    pub item: u32,
    /// The inner product.
    pub similarity: f32,
}

/// The vectors to look among.
#[derive(Clone, Copy, Debug)]
pub struct Space<'a> {
    /// All vectors.
    pub vectors: &'a Vectors,
    /// The numbers of those that may be found.
    pub items: &'a [u32],
    /// How many features there are.
    pub features: usize,
}

/// The `k` places in the space's items most similar to each query, at least `least` so, best first
/// and then in the order of the items; `skip` names the place, at most one, that is no answer to a
/// query. The lists take no more than `memory` bytes, whence there may be several passes.
///
/// # Errors
/// [`Error::OutOfBudget`] if the memory is too little by far; if someone asks to stop.
pub fn nearest(
    space: &Space<'_>,
    queries: &[u32],
    k: usize,
    least: f32,
    skip: impl Fn(u32, u32) -> bool + Sync,
    memory: Option<u64>,
    monitor: &Monitor,
) -> Result<Vec<Vec<Neighbour>>> {
    let parts = parts(space, memory)?;
    let size = space.items.len().div_ceil(parts).max(1);
    monitor.enter(Phase::Querying, 0, Some((queries.len() * parts) as u64));
    let mut found = vec![vec![]; queries.len()];
    for (part, items) in space.items.chunks(size).enumerate() {
        let first = (part * size) as u32;
        let inverted = Inverted::new(&Space { items, ..*space }, monitor)?;
        let skip = |query: u32, place: u32| skip(query, first + place);
        inverted.nearest(queries, k, least, skip, &mut found, first, monitor)?;
    }
    Ok(found)
}

/// How many parts of the items make lists that fit.
fn parts(space: &Space<'_>, memory: Option<u64>) -> Result<usize> {
    let Some(memory) = memory else { return Ok(1) };
    let entries: usize =
        space.items.iter().map(|&item| space.vectors.get(item as usize).0.len()).sum();
    let threads = rayon::current_num_threads();
    // What is kept of each feature stays whatever the parts are.
    let fixed = space.features * (12 + 4 * threads);
    let grows = entries * 12 + space.items.len() * (LEVELS + 8 * threads);
    let room = usize::try_from(memory).unwrap_or(usize::MAX).saturating_sub(fixed);
    let parts = grows.div_ceil(room.max(1)).max(1);
    if parts > PARTS {
        return Err(Error::OutOfBudget(format!(
            "memory leaves {memory} bytes to compare with, and {} are needed at least: give more, \
             or link fewer rows at a time",
            fixed + grows / PARTS
        )));
    }
    Ok(parts)
}

/// An inverted list of some of the vectors.
#[derive(Debug)]
pub struct Inverted<'a> {
    vectors: &'a Vectors,
    items: &'a [u32],
    /// The list of each feature: the rarer, the earlier.
    ranks: Vec<u32>,
    ends: Vec<usize>,
    /// Of each list the places that hold it, those of the greatest rest first, and its weight there.
    postings: Vec<(u32, f32)>,
    /// The length of what is left of that vector: from this feature on.
    rests: Vec<f32>,
    /// What is left of each place from the first list on of each level, in parts of 255.
    left: Vec<[u8; LEVELS]>,
    /// The first list of each level.
    levels: [u32; LEVELS],
}

/// A feature of a query that there is a list of.
struct Term {
    rank: u32,
    weight: f32,
    list: Range<usize>,
    /// What is left of the query from it on.
    rest: f32,
}

/// A vector that may be an answer: what is known of its similarity, and the most that it may be.
struct Candidate {
    sum: f32,
    bound: f32,
    place: u32,
}

/// What a thread keeps from query to query.
struct Scratch {
    sums: Vec<f32>,
    touched: Vec<u32>,
    candidates: Vec<Candidate>,
    query: Vec<f32>,
    terms: Vec<Term>,
    partial: Vec<(f32, u32)>,
}

impl<'a> Inverted<'a> {
    /// Lists vectors.
    ///
    /// # Errors
    /// If someone asks to stop.
    pub fn new(space: &Space<'a>, monitor: &Monitor) -> Result<Self> {
        let &Space { vectors, items, features } = space;
        let mut holders = vec![0_u32; features];
        for &item in items {
            for &feature in vectors.get(item as usize).0 {
                holders[feature as usize] += 1;
            }
        }
        monitor.check()?;
        let mut order: Vec<u32> = (0..features as u32).collect();
        order.sort_unstable_by_key(|&feature| (holders[feature as usize], feature));
        let mut ranks = vec![0_u32; features];
        let mut ends = vec![0_usize; features + 1];
        for (rank, &feature) in order.iter().enumerate() {
            ranks[feature as usize] = rank as u32;
            ends[rank + 1] = ends[rank] + holders[feature as usize] as usize;
        }
        let levels = std::array::from_fn(|level| {
            let length = items.len() >> (LEVELS - level);
            order.partition_point(|&feature| (holders[feature as usize] as usize) <= length) as u32
        });
        drop(order);
        let mut next = ends.clone();
        let mut postings = vec![(0, 0.0); ends[features]];
        let mut rests = vec![0.0; ends[features]];
        let mut left = vec![[0; LEVELS]; items.len()];
        let mut terms: Vec<(u32, f32)> = vec![];
        for (place, &item) in items.iter().enumerate() {
            if place % (BLOCK * BLOCK) == 0 {
                monitor.check()?;
            }
            let (names, weights) = vectors.get(item as usize);
            terms.clear();
            let listed = names.iter().zip(weights);
            terms.extend(listed.map(|(&feature, &weight)| (ranks[feature as usize], weight)));
            terms.sort_unstable_by_key(|term| term.0);
            let mut rest = 0.0_f64;
            let mut level = LEVELS;
            for &(rank, weight) in terms.iter().rev() {
                // Of levels that begin behind this feature all that is left has been seen.
                while level > 0 && levels[level - 1] > rank {
                    level -= 1;
                    left[place][level] = share(rest.sqrt());
                }
                rest += f64::from(weight).powi(2);
                let at = next[rank as usize];
                next[rank as usize] += 1;
                postings[at] = (place as u32, weight);
                rests[at] = rest.sqrt() as f32;
            }
            left[place][..level].fill(share(rest.sqrt()));
        }
        sort_lists(&ends, &mut postings, &mut rests);
        monitor.check()?;
        Ok(Self { vectors, items, ranks, ends, postings, rests, left, levels })
    }

    /// Adds to what was `found` of each query what is here, the first item having the number
    /// `first`.
    #[allow(clippy::too_many_arguments, reason = "what is asked, and what is known")]
    fn nearest(
        &self,
        queries: &[u32],
        k: usize,
        least: f32,
        skip: impl Fn(u32, u32) -> bool + Sync,
        found: &mut [Vec<Neighbour>],
        first: u32,
        monitor: &Monitor,
    ) -> Result<()> {
        queries.par_chunks(BLOCK).zip(found.par_chunks_mut(BLOCK)).try_for_each_init(
            || Scratch {
                sums: vec![0.0; self.items.len()],
                touched: vec![],
                candidates: vec![],
                query: vec![0.0; self.ranks.len()],
                terms: vec![],
                partial: vec![],
            },
            |scratch, (queries, found)| {
                monitor.check()?;
                for (&query, found) in queries.iter().zip(found) {
                    self.one(query, k, least, &skip, scratch, found, first);
                }
                monitor.advance(queries.len() as u64);
                Ok(())
            },
        )
    }

    #[allow(clippy::too_many_arguments, reason = "what is asked, and what is known")]
    fn one(
        &self,
        query: u32,
        k: usize,
        least: f32,
        skip: &impl Fn(u32, u32) -> bool,
        scratch: &mut Scratch,
        found: &mut Vec<Neighbour>,
        first: u32,
    ) {
        let Scratch { sums, touched, candidates, query: dense, terms, partial } = scratch;
        self.read_terms(query, terms, dense);
        let mut reached = least;
        if found.len() == k {
            reached = reached.max(found[k - 1].similarity);
        }
        let mut unread: usize = terms.iter().map(|term| term.list.len()).sum();
        let mut read = 0;
        // Terms read, whatever else is known of the candidates told by the rest.
        let mut closed = terms.len();
        for (at, term) in terms.iter().enumerate() {
            // To score a candidate whole reads its vector, here and there.
            let whole = 2 * terms.len();
            if 2 * read > touched.len() + whole * k && unread > 2 * touched.len() + whole * k {
                read = 0;
                reached = reached.max(self.sure(query, k, skip, touched, sums, partial, dense));
                let level = self.level(term);
                let hopeful = |&&place: &&u32| self.bound(place, sums, term.rest, level) >= reached;
                let scored = touched.iter().filter(hopeful).count() * whole;
                if scored < unread {
                    let heads: usize =
                        terms[at..].iter().map(|term| self.head(term, reached)).sum();
                    if scored + heads * whole < unread {
                        closed = at;
                        break;
                    }
                }
            }
            let (head, tail) = self.postings[term.list.clone()].split_at(self.head(term, reached));
            for &(place, other) in head {
                let sum = &mut sums[place as usize];
                if *sum == 0.0 {
                    touched.push(place);
                }
                *sum += term.weight * other;
            }
            for &(place, other) in tail {
                let sum = &mut sums[place as usize];
                if *sum > 0.0 {
                    *sum += term.weight * other;
                }
            }
            read += term.list.len();
            unread -= term.list.len();
        }
        candidates.clear();
        if let Some(term) = terms.get(closed) {
            let level = self.level(term);
            candidates.extend(touched.iter().map(|&place| Candidate {
                sum: sums[place as usize],
                bound: self.bound(place, sums, term.rest, level),
                place,
            }));
            candidates.retain(|candidate| candidate.bound >= reached);
            for term in &terms[closed..] {
                let head = term.list.start..term.list.start + self.head(term, reached);
                for (&(place, other), left) in
                    self.postings[head.clone()].iter().zip(&self.rests[head])
                {
                    let sum = &mut sums[place as usize];
                    if *sum == 0.0 {
                        *sum = term.weight * other;
                        touched.push(place);
                        candidates.push(Candidate {
                            sum: *sum,
                            bound: term.rest * left + SLACK,
                            place,
                        });
                    }
                }
            }
        } else {
            if let Some(kth) = top(touched, sums, k + 1, partial) {
                reached = reached.max(kth - SLACK);
            }
            let sum = |&place: &u32| (sums[place as usize], place);
            candidates.extend(
                touched
                    .iter()
                    .map(sum)
                    .filter(|one| one.0 + SLACK >= reached)
                    .map(|(sum, place)| Candidate { sum, bound: sum + SLACK, place }),
            );
        }
        for &place in touched.iter() {
            sums[place as usize] = 0.0;
        }
        touched.clear();
        candidates.sort_unstable_by(|a, b| b.sum.total_cmp(&a.sum).then(a.place.cmp(&b.place)));
        for candidate in candidates.iter() {
            let item = first + candidate.place;
            if candidate.bound < reached || skip(query, candidate.place) {
                continue;
            }
            let similarity = self.similarity(candidate.place, dense);
            if similarity < least {
                continue;
            }
            let at = found.partition_point(|other| {
                other.similarity > similarity
                    || (other.similarity == similarity && other.item < item)
            });
            found.insert(at, Neighbour { item, similarity });
            found.truncate(k);
            if found.len() == k {
                reached = reached.max(found[k - 1].similarity);
            }
        }
        for &feature in self.vectors.get(query as usize).0 {
            dense[feature as usize] = 0.0;
        }
    }

    /// The features of a query that there are lists of, the rarest first.
    fn read_terms(&self, query: u32, terms: &mut Vec<Term>, dense: &mut [f32]) {
        let (features, weights) = self.vectors.get(query as usize);
        terms.clear();
        for (&feature, &weight) in features.iter().zip(weights) {
            dense[feature as usize] = weight;
            let rank = self.ranks[feature as usize];
            let list = self.ends[rank as usize]..self.ends[rank as usize + 1];
            if !list.is_empty() {
                terms.push(Term { rank, weight, list, rest: 0.0 });
            }
        }
        terms.sort_unstable_by_key(|term| term.rank);
        let mut rest = 0.0_f32;
        for term in terms.iter_mut().rev() {
            rest += term.weight * term.weight;
            term.rest = rest.sqrt();
        }
    }

    /// How many at the head of a list may reach so much, if no feature before it is theirs.
    fn head(&self, term: &Term, reached: f32) -> usize {
        let least = (reached - SLACK) / term.rest;
        let rests = &self.rests[term.list.clone()];
        if rests[0] < least {
            0
        } else if rests[rests.len() - 1] >= least {
            rests.len()
        } else {
            rests.partition_point(|&rest| rest >= least)
        }
    }

    /// The last level that begins at a term or before it.
    fn level(&self, term: &Term) -> Option<usize> {
        self.levels.partition_point(|&rank| rank <= term.rank).checked_sub(1)
    }

    /// The most that a candidate may reach with a query of which so much is left.
    fn bound(&self, place: u32, sums: &[f32], rest: f32, level: Option<usize>) -> f32 {
        let left = level.map_or(1.0, |level| f32::from(self.left[place as usize][level]) / 255.0);
        sums[place as usize] + rest * left + SLACK
    }

    fn similarity(&self, place: u32, dense: &[f32]) -> f32 {
        let (features, weights) = self.vectors.get(self.items[place as usize] as usize);
        features
            .iter()
            .zip(weights)
            .map(|(&feature, weight)| dense[feature as usize] * weight)
            .sum()
    }

    /// A similarity that at least k candidates have: the k-th of those that lead so far.
    #[allow(clippy::too_many_arguments, reason = "what is asked, and what is known")]
    fn sure(
        &self,
        query: u32,
        k: usize,
        skip: &impl Fn(u32, u32) -> bool,
        touched: &[u32],
        sums: &[f32],
        partial: &mut Vec<(f32, u32)>,
        dense: &[f32],
    ) -> f32 {
        // One more, for one of them may be no answer.
        if top(touched, sums, k + 1, partial).is_none() {
            return 0.0;
        }
        partial.drain(..partial.len() - k - 1);
        partial.retain(|leader| !skip(query, leader.1));
        for (sum, place) in partial.iter_mut() {
            *sum = self.similarity(*place, dense);
        }
        let at = partial.len() - k;
        partial.select_nth_unstable_by(at, |a, b| a.0.total_cmp(&b.0)).1.0
    }
}

/// A share in parts of 255, no less than it is.
fn share(of: f64) -> u8 {
    (of * 255.0).ceil().min(255.0) as u8
}

/// Orders each list by what is left of its vectors, the most first.
fn sort_lists(ends: &[usize], mut postings: &mut [(u32, f32)], mut rests: &mut [f32]) {
    let mut lists = vec![];
    for end in ends.windows(2) {
        let (list, behind) = postings.split_at_mut(end[1] - end[0]);
        let (left, behind_left) = rests.split_at_mut(end[1] - end[0]);
        if list.len() > 1 {
            lists.push((list, left));
        }
        (postings, rests) = (behind, behind_left);
    }
    lists.into_par_iter().with_min_len(64).for_each_init(Vec::new, |order, (list, left)| {
        order.clear();
        order.extend(left.iter().zip(list.iter()).map(|(&rest, &posting)| (rest, posting)));
        order.sort_unstable_by(|a: &(f32, (u32, f32)), b| {
            b.0.total_cmp(&a.0).then(a.1.0.cmp(&b.1.0))
        });
        for ((rest, posting), (to_rest, to)) in order.iter().zip(left.iter_mut().zip(list)) {
            (*to_rest, *to) = (*rest, *posting);
        }
    });
}

/// The n-th largest sum so far; None if there are fewer. It and larger ones are left at the end of
/// `partial`.
fn top(touched: &[u32], sums: &[f32], n: usize, partial: &mut Vec<(f32, u32)>) -> Option<f32> {
    let at = touched.len().checked_sub(n)?;
    partial.clear();
    partial.extend(touched.iter().map(|&place| (sums[place as usize], place)));
    Some(partial.select_nth_unstable_by(at, |a, b| a.0.total_cmp(&b.0)).1.0)
}
