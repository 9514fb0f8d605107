//! The most similar vectors: exact top k of sparse products, never all pairs.
//!
//! Term at a time over inverted lists of some tens of thousands of items at once, so that the sums
//! stay in a core's own cache, rarest feature first. All vectors are of unit length, so what two of
//! them share from some feature on is at most the product of what is left of each there (Cauchy and
//! Schwarz; Anastasiu and Karypis 2014, of the prefix filters of Bayardo, Ma and Srikant 2007). Each
//! list is ordered by what is left of its vectors, so that the ones that can still reach the least
//! similarity asked for, or the k-th best so far, stand at its head; the rest of a list only adds to
//! candidates that are known, and is not read at all where it is cheaper to score the candidates
//! whole. Lists hold rounded weights; whatever is found is scored by the vectors themselves.

use std::ops::Range;

use rayon::prelude::*;

use super::names::Vectors;
use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};

/// Queries between two looks at the monitor.
const BLOCK: usize = 16;

/// Items that are listed at once, at most: a place is 16 bits.
const TILE: usize = 1 << 16;

/// Entries that are listed at once, at most, unless one vector has more.
const ENTRIES: usize = 1 << 22;

/// Items that are listed at once, at least, where memory is scarce.
const SMALL: usize = 1 << 10;

/// Passes over the queries that scarce memory may cost where there are few items.
const PASSES: usize = 64;

/// Features at which it is kept what is left of each vector.
const LEVELS: usize = 16;

/// Parts of one that weights, and what is left, are counted in.
const PARTS: f32 = u16::MAX as f32;

/// The most frequent features, of which each place has a list: a number is 16 bits.
const COMMON: usize = 1 << 16;

/// To look up what a place has of a query costs as much as to read so many entries of lists, and
/// one more a feature.
const LOOK: usize = 40;

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
    /// All vectors: fast if the features of the least numbers are the rarest.
    pub vectors: &'a Vectors,
    /// The numbers of those that may be found.
    pub items: &'a [u32],
    /// How many features there are.
    pub features: usize,
}

/// The `k` places in the space's items most similar to each query, at least `least` so, best first
/// and then in the order of the items; `skip` names the place, at most one, that is no answer to a
/// query. The lists take no more than `memory` bytes, whence there may be more passes.
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
    let order = Order::of(space, queries, monitor)?;
    let tiles = tiles(space, &order, memory)?;
    monitor.enter(Phase::Querying, 0, Some((queries.len() * tiles.len()) as u64));
    let mut found = vec![vec![]; queries.len()];
    for tile in tiles {
        let tile = Tile::new(space, tile, &order, monitor)?;
        tile.nearest(queries, k, least, &skip, &mut found, monitor)?;
    }
    Ok(found)
}

/// The items that are listed at once, so that the lists fit.
fn tiles(space: &Space<'_>, order: &Order, memory: Option<u64>) -> Result<Vec<Range<usize>>> {
    let threads = rayon::current_num_threads();
    let smallest = (space.items.len() / PASSES).clamp(1, SMALL);
    let mut size = TILE;
    loop {
        let (tiles, entries) = cut(space, size);
        let Some(memory) = memory else { return Ok(tiles) };
        // What is kept of each feature stays whatever the tiles are. An entry is listed twice for a
        // while, once with all that its list is ordered by.
        let needed = 4 * space.features
            + order.features * (24 + 4 * threads)
            + entries * 18
            + size.min(space.items.len()) * (LEVELS + 4 + 28 * threads)
            + 4 * COMMON.min(order.features) * threads;
        if needed as u64 <= memory {
            return Ok(tiles);
        }
        if size <= smallest {
            return Err(Error::OutOfBudget(format!(
                "memory leaves {memory} bytes to compare with, and {needed} are needed at least: \
                 give more, or link fewer rows at a time"
            )));
        }
        size = (size / 2).max(smallest);
    }
}

/// Items in parts of `size` at most, and the most entries of one part.
fn cut(space: &Space<'_>, size: usize) -> (Vec<Range<usize>>, usize) {
    let (mut tiles, mut most) = (vec![], 0);
    let (mut start, mut entries) = (0, 0);
    for (at, &item) in space.items.iter().enumerate() {
        let more = space.vectors.get(item as usize).0.len();
        if at - start == size || (at > start && entries + more > ENTRIES) {
            tiles.push(start..at);
            (start, entries) = (at, 0);
        }
        entries += more;
        most = most.max(entries);
    }
    if start < space.items.len() {
        tiles.push(start..space.items.len());
    }
    (tiles, most)
}

/// Features as they are numbered.
#[derive(Debug)]
struct Order {
    /// The first one that both a query and an item have.
    first: u32,
    /// How many there are from it on.
    features: usize,
    /// Those between which equal shares of the entries of all items lie.
    levels: [u32; LEVELS],
}

impl Order {
    fn of(space: &Space<'_>, queries: &[u32], monitor: &Monitor) -> Result<Self> {
        let mut asked = vec![false; space.features];
        for queries in queries.chunks(TILE) {
            monitor.check()?;
            for &query in queries {
                for &feature in space.vectors.get(query as usize).0 {
                    asked[feature as usize] = true;
                }
            }
        }
        let mut holders = vec![0_u32; space.features];
        for items in space.items.chunks(TILE) {
            monitor.check()?;
            for &item in items {
                for &feature in space.vectors.get(item as usize).0 {
                    holders[feature as usize] += 1;
                }
            }
        }
        let shared = holders.iter().zip(&asked).position(|(&holders, &asked)| holders > 0 && asked);
        let first = shared.unwrap_or(space.features);
        let all: u64 = holders[first..].iter().map(|&holders| u64::from(holders)).sum();
        let (mut levels, mut level, mut before) = ([space.features as u32; LEVELS], 0, 0);
        for (feature, &holders) in (first as u32..).zip(&holders[first..]) {
            while level < LEVELS && before * (LEVELS as u64 + 1) >= all * (level as u64 + 1) {
                levels[level] = feature;
                level += 1;
            }
            before += u64::from(holders);
        }
        Ok(Self { first: first as u32, features: space.features - first, levels })
    }

    /// The features of a vector that are not before the first, counted from it, and their weights.
    fn of_vector<'a>(
        &self,
        vectors: &'a Vectors,
        at: u32,
    ) -> impl DoubleEndedIterator<Item = (usize, f32)> + use<'a> {
        let (features, weights) = vectors.get(at as usize);
        let start = features.partition_point(|&feature| feature < self.first);
        let first = self.first;
        let shared = features[start..].iter().zip(&weights[start..]);
        shared.map(move |(&feature, &weight)| ((feature - first) as usize, weight))
    }
}

/// Inverted lists of some of the items.
#[derive(Debug)]
struct Tile<'a> {
    vectors: &'a Vectors,
    items: &'a [u32],
    /// The number of the first one.
    first: u32,
    order: &'a Order,
    /// Where the list of each feature ends.
    ends: Vec<u32>,
    /// Of each list the places that hold it, those of the greatest rest first.
    entries: Vec<Entry>,
    /// The length of what is left of that vector, from this feature on, in parts rounded up.
    rests: Vec<u16>,
    /// Of each level what is left of each place from there on, in parts of 255, rounded up.
    left: Vec<u8>,
    /// The first of the frequent features, counted as terms are.
    common: usize,
    /// Where those of each place end.
    common_ends: Vec<u32>,
    /// Frequent features that a place has, counted from that one, and the weight of each.
    commons: Vec<Entry>,
}

/// A place, or a feature, in a list: the upper half its number, the lower its weight in parts.
#[derive(Clone, Copy, Debug)]
struct Entry(u32);

impl Entry {
    fn new(number: usize, weight: f32) -> Self {
        Self((number as u32) << 16 | u32::from(parts(weight).max(1)))
    }

    #[inline]
    fn number(self) -> usize {
        (self.0 >> 16) as usize
    }

    #[inline]
    fn weight(self) -> f32 {
        f32::from(self.0 as u16)
    }
}

/// In parts, to the nearest.
fn parts(of: f32) -> u16 {
    (of * PARTS).round() as u16
}

/// A feature of a query that there is a list of.
struct Term {
    /// Counted from the first that is shared.
    feature: usize,
    /// Its weight, for entries counted in parts.
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
    /// Of places read what is known of their similarity; 0 of others.
    sums: Vec<f32>,
    touched: Vec<u32>,
    candidates: Vec<Candidate>,
    leaders: Vec<(f32, u32)>,
    terms: Vec<Term>,
    /// The query's weights.
    query: Vec<f32>,
    /// Those of frequent features that are looked up, for entries counted in parts.
    common: Vec<f32>,
}

/// What is known of a place that was scored: it is never looked at again.
const SCORED: f32 = f32::NEG_INFINITY;

/// A query on its way.
struct Search<'a, F> {
    tile: &'a Tile<'a>,
    number: u32,
    k: usize,
    least: f32,
    skip: &'a F,
    found: &'a mut Vec<Neighbour>,
    /// The query's weights, once something was scored.
    query: &'a mut [f32],
    spread: bool,
    /// What an answer must reach.
    reached: f32,
}

impl<'a> Tile<'a> {
    fn new(
        space: &Space<'a>,
        tile: Range<usize>,
        order: &'a Order,
        monitor: &Monitor,
    ) -> Result<Self> {
        monitor.check()?;
        let vectors = space.vectors;
        let first = tile.start as u32;
        let items = &space.items[tile];
        let levels = order.levels.map(|level| (level - order.first) as usize);
        let mut ends = vec![0_u32; order.features + 1];
        for &item in items {
            for (feature, _) in order.of_vector(vectors, item) {
                ends[feature + 1] += 1;
            }
        }
        let mut all = 0;
        for end in &mut ends {
            all += *end;
            *end = all;
        }
        let mut next = ends.clone();
        let mut listed = vec![0_u64; all as usize];
        let mut left = vec![0; LEVELS * items.len()];
        let common = order.features.saturating_sub(COMMON);
        let mut common_ends = Vec::with_capacity(items.len());
        let mut commons = vec![];
        monitor.check()?;
        for (place, &item) in items.iter().enumerate() {
            let frequent = order.of_vector(vectors, item).filter(|one| one.0 >= common);
            commons.extend(frequent.map(|(feature, weight)| Entry::new(feature - common, weight)));
            common_ends.push(commons.len() as u32);
            let mut rest = 0.0_f64;
            let mut level = LEVELS;
            for (feature, weight) in order.of_vector(vectors, item).rev() {
                // Of levels that begin behind this feature all that is left has been seen.
                while level > 0 && levels[level - 1] > feature {
                    level -= 1;
                    left[level * items.len() + place] = share(rest.sqrt());
                }
                rest += f64::from(weight).powi(2);
                let at = &mut next[feature];
                let used = f64::from(PARTS) - (rest.sqrt() * f64::from(PARTS)).ceil();
                listed[*at as usize] =
                    (used.max(0.0) as u64) << 32 | u64::from(Entry::new(place, weight).0);
                *at += 1;
            }
            for level in 0..level {
                left[level * items.len() + place] = share(rest.sqrt());
            }
        }
        drop(next);
        monitor.check()?;
        sort_lists(&ends, &mut listed);
        monitor.check()?;
        let entries = listed.iter().map(|&entry| Entry(entry as u32)).collect();
        let rests = listed.iter().map(|&entry| u16::MAX - (entry >> 32) as u16).collect();
        Ok(Self {
            vectors,
            items,
            first,
            order,
            ends,
            entries,
            rests,
            left,
            common,
            common_ends,
            commons,
        })
    }

    /// Adds to what was `found` of each query what is here.
    fn nearest(
        &self,
        queries: &[u32],
        k: usize,
        least: f32,
        skip: &(impl Fn(u32, u32) -> bool + Sync),
        found: &mut [Vec<Neighbour>],
        monitor: &Monitor,
    ) -> Result<()> {
        queries.par_chunks(BLOCK).zip(found.par_chunks_mut(BLOCK)).try_for_each_init(
            || Scratch {
                sums: vec![0.0; self.items.len()],
                touched: vec![],
                candidates: vec![],
                leaders: vec![],
                terms: vec![],
                query: vec![0.0; self.order.features],
                common: vec![0.0; self.order.features - self.common],
            },
            |scratch, (queries, found)| {
                monitor.check()?;
                for (&number, found) in queries.iter().zip(found) {
                    self.one(number, k, least, skip, found, scratch);
                }
                monitor.advance(queries.len() as u64);
                Ok(())
            },
        )
    }

    fn one(
        &self,
        number: u32,
        k: usize,
        least: f32,
        skip: &impl Fn(u32, u32) -> bool,
        found: &mut Vec<Neighbour>,
        scratch: &mut Scratch,
    ) {
        let Scratch { sums, touched, candidates, leaders, terms, query, common } = scratch;
        let (slack, mut unread) = self.read_terms(number, terms);
        let (tile, spread, reached) = (self, false, least);
        let mut search = Search { tile, number, k, least, skip, found, query, spread, reached };
        search.raise();
        if terms.first().is_none_or(|term| term.rest + slack < search.reached) {
            return;
        }
        let look = LOOK + terms.len();
        let mut read = 0;
        // Terms read; of the others is looked up what the candidates have.
        let mut closed = terms.len();
        for at in 0..terms.len() {
            let term = &terms[at];
            // To look at what is known costs as much as to read some entries.
            if term.feature >= self.common
                && read + term.list.len() > 2 * touched.len()
                && unread > touched.len() + look
            {
                read = 0;
                let left = self.left(term);
                let mut hopeful = 0;
                leaders.clear();
                for &place in touched.iter() {
                    let sum = sums[place as usize];
                    if sum >= search.reached {
                        leaders.push((sum, place));
                    }
                    hopeful += usize::from(bound(place, sum, term, left) + slack >= search.reached);
                }
                // They are answers so far: the more is reached, the less is to be read.
                leaders.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                for &(sum, place) in leaders.iter() {
                    if sum < search.reached {
                        break;
                    }
                    sums[place as usize] = SCORED;
                    search.score(place);
                }
                if hopeful * look < unread {
                    let heads = |term| self.head(term, search.reached - slack);
                    let heads: usize = terms[at..].iter().map(heads).sum();
                    if (hopeful + heads) * look < unread {
                        closed = at;
                        break;
                    }
                }
            }
            let head = self.head(term, search.reached - slack);
            let (head, tail) = self.entries[term.list.clone()].split_at(head);
            for &entry in head {
                let sum = &mut sums[entry.number()];
                if *sum == 0.0 {
                    touched.push(entry.number() as u32);
                }
                *sum += term.weight * entry.weight();
            }
            if !touched.is_empty() {
                for &entry in tail {
                    let sum = &mut sums[entry.number()];
                    if *sum > 0.0 {
                        *sum += term.weight * entry.weight();
                    }
                }
            }
            read += term.list.len();
            unread -= term.list.len();
        }
        candidates.clear();
        if let Some(term) = terms.get(closed) {
            let left = self.left(term);
            for term in &terms[closed..] {
                common[term.feature - self.common] = term.weight;
            }
            let candidate = |place: u32, sum: f32| {
                let sum = sum + self.look_up(place, common);
                let bound = sum + slack;
                (bound >= search.reached).then_some(Candidate { sum, bound, place })
            };
            let hopeful = |&&place: &&u32| {
                bound(place, sums[place as usize], term, left) + slack >= search.reached
            };
            let known = touched.iter().filter(hopeful);
            candidates.extend(known.filter_map(|&place| candidate(place, sums[place as usize])));
            for term in &terms[closed..] {
                let start = term.list.start;
                let head = start..start + self.head(term, search.reached - slack);
                for &entry in &self.entries[head] {
                    let sum = &mut sums[entry.number()];
                    if *sum == 0.0 {
                        *sum = SCORED;
                        let place = entry.number() as u32;
                        touched.push(place);
                        candidates.extend(candidate(place, 0.0));
                    }
                }
            }
            for term in &terms[closed..] {
                common[term.feature - self.common] = 0.0;
            }
        } else {
            let mut reached = search.reached;
            if search.found.len() < k
                && let Some(kth) = top(touched, sums, k + 1, leaders)
            {
                // One more, for one of them may be no answer.
                reached = reached.max(kth - slack);
            }
            candidates.extend(touched.iter().filter_map(|&place| {
                let sum = sums[place as usize];
                let bound = sum + slack;
                (bound >= reached).then_some(Candidate { sum, bound, place })
            }));
        }
        for &place in touched.iter() {
            sums[place as usize] = 0.0;
        }
        touched.clear();
        candidates.sort_unstable_by(|a, b| b.sum.total_cmp(&a.sum).then(a.place.cmp(&b.place)));
        for candidate in candidates.iter() {
            if candidate.bound >= search.reached {
                search.score(candidate.place);
            }
        }
        search.end();
    }

    /// The features of a query that there are lists of; what rounding may take from a sum of them,
    /// and how long the lists are.
    fn read_terms(&self, number: u32, terms: &mut Vec<Term>) -> (f32, usize) {
        terms.clear();
        for (feature, weight) in self.order.of_vector(self.vectors, number) {
            let list = self.ends[feature] as usize..self.ends[feature + 1] as usize;
            if !list.is_empty() {
                terms.push(Term { feature, weight, list, rest: 0.0 });
            }
        }
        let (mut rest, mut sum, mut entries) = (0.0_f32, 0.0, 0);
        for term in terms.iter_mut().rev() {
            rest += term.weight * term.weight;
            sum += term.weight;
            term.rest = rest.sqrt();
            entries += term.list.len();
            term.weight /= PARTS;
        }
        (1e-5 + sum / PARTS + terms.len() as f32 * 2e-7, entries)
    }

    /// How many at the head of a list may reach so much, if no feature before it is theirs.
    fn head(&self, term: &Term, reached: f32) -> usize {
        let least = reached / term.rest * PARTS;
        let rests = &self.rests[term.list.clone()];
        if f32::from(rests[0]) < least {
            0
        } else if f32::from(rests[rests.len() - 1]) >= least {
            rests.len()
        } else {
            rests.partition_point(|&rest| f32::from(rest) >= least)
        }
    }

    /// What a place has of frequent features of a query.
    #[inline]
    fn look_up(&self, place: u32, common: &[f32]) -> f32 {
        let place = place as usize;
        let start = if place == 0 { 0 } else { self.common_ends[place - 1] };
        let entries = &self.commons[start as usize..self.common_ends[place] as usize];
        entries.iter().map(|&entry| common[entry.number()] * entry.weight()).sum()
    }

    /// What is left of each place at the last level that begins at a term or before it; nothing if
    /// none does.
    fn left(&self, term: &Term) -> &[u8] {
        let feature = term.feature as u32 + self.order.first;
        match self.order.levels.partition_point(|&level| level <= feature).checked_sub(1) {
            Some(level) => &self.left[level * self.items.len()..][..self.items.len()],
            None => &[],
        }
    }
}

/// The most that a place may reach of which so much is known before a term.
#[inline]
fn bound(place: u32, sum: f32, term: &Term, left: &[u8]) -> f32 {
    sum + term.rest * left.get(place as usize).map_or(1.0, |&left| f32::from(left) / 255.0)
}

impl<F: Fn(u32, u32) -> bool> Search<'_, F> {
    fn raise(&mut self) {
        if self.found.len() == self.k {
            self.reached = self.reached.max(self.found[self.k - 1].similarity);
        }
    }

    /// Scores a place whole, and keeps it if it is an answer so far.
    fn score(&mut self, place: u32) {
        let item = self.tile.first + place;
        if (self.skip)(self.number, item) {
            return;
        }
        let &Tile { vectors, order, items, .. } = self.tile;
        if !std::mem::replace(&mut self.spread, true) {
            for (feature, weight) in order.of_vector(vectors, self.number) {
                self.query[feature] = weight;
            }
        }
        let other = order.of_vector(vectors, items[place as usize]);
        let similarity: f32 = other.map(|(feature, weight)| self.query[feature] * weight).sum();
        if similarity < self.least {
            return;
        }
        let at = self.found.partition_point(|other| {
            other.similarity > similarity || (other.similarity == similarity && other.item < item)
        });
        if at < self.k {
            self.found.insert(at, Neighbour { item, similarity });
            self.found.truncate(self.k);
            self.raise();
        }
    }

    fn end(self) {
        if self.spread {
            let Tile { vectors, order, .. } = self.tile;
            for (feature, _) in order.of_vector(vectors, self.number) {
                self.query[feature] = 0.0;
            }
        }
    }
}

/// A share in parts of 255, no less than it is.
fn share(of: f64) -> u8 {
    (of * 255.0).ceil().min(255.0) as u8
}

/// Orders each list.
fn sort_lists(ends: &[u32], mut listed: &mut [u64]) {
    let mut lists = vec![];
    for end in ends.windows(2) {
        let (list, behind) = listed.split_at_mut((end[1] - end[0]) as usize);
        if list.len() > 1 {
            lists.push(list);
        }
        listed = behind;
    }
    lists.into_par_iter().with_min_len(64).for_each(<[u64]>::sort_unstable);
}

/// The n-th largest sum so far; None if there are fewer.
fn top(touched: &[u32], sums: &[f32], n: usize, leaders: &mut Vec<(f32, u32)>) -> Option<f32> {
    let at = touched.len().checked_sub(n)?;
    leaders.clear();
    leaders.extend(touched.iter().map(|&place| (sums[place as usize], place)));
    Some(leaders.select_nth_unstable_by(at, |a, b| a.0.total_cmp(&b.0)).1.0)
}
