//! What retrieved rows are worth: gradients of the multilinear extension of a utility.
//!
//! Each query has ranked sources, and each of them a utility if it is among the first `K` that are
//! there. Were every source `i` there with a probability `w_i` of its own, the expected mean utility
//! is a polynomial in `w`, linear in each (Lyu et al. 2023). Its gradient says what a source is
//! worth, and following it which sources to have.
//!
//! With `B_j(i)` the probability that exactly `j` of the sources before `i` are there, and `V_r(i)`
//! the expected utility of the `r`-th source that is there from `i` on (0 if there is none), one
//! source more pushes the `(K - j)`-th behind it out of the first `K`:
//!
//! `∂f/∂w_i = 1/(K N) Σ_{j < K} B_j(i) (u_i - V_{K - j}(i + 1))`
//!
//! Both obey recurrences of one step, so that a query of `M` sources takes O(M K) time, whatever the
//! utilities are.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};

/// Ranked sources of queries, and what each is worth to its query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retrievals {
    starts: Vec<usize>,
    sources: Vec<u32>,
    utilities: Vec<f64>,
    /// Of each source its places among all, ascending.
    place_starts: Vec<usize>,
    places: Vec<u64>,
}

impl Retrievals {
    /// Takes the sources of query `q`, best first, from `starts[q]` to `starts[q + 1]`; sources are
    /// numbers below `count`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for no queries, a source that a query has twice, or a utility that is
    /// not finite.
    pub fn new(
        starts: Vec<usize>,
        sources: Vec<u32>,
        utilities: Vec<f64>,
        count: usize,
    ) -> Result<Self> {
        let whole = starts.first() == Some(&0)
            && starts.is_sorted()
            && starts.last() == Some(&sources.len())
            && sources.len() == utilities.len()
            && sources.iter().all(|&source| (source as usize) < count);
        if !whole {
            return Err(Error::InvalidInput(
                "retrievals contradict themselves; give a source and a utility for each rank"
                    .into(),
            ));
        }
        if starts.len() == 1 {
            return Err(Error::InvalidInput("retrievals has no queries; give one or more".into()));
        }
        if let Some(at) = utilities.iter().position(|utility| !utility.is_finite()) {
            return Err(Error::InvalidInput(format!(
                "utility is {} at position {at}; give finite numbers",
                utilities[at]
            )));
        }
        let mut last = vec![usize::MAX; count];
        let mut place_starts = vec![0; count + 1];
        for (query, span) in starts.windows(2).enumerate() {
            for &source in &sources[span[0]..span[1]] {
                if std::mem::replace(&mut last[source as usize], query) == query {
                    return Err(Error::InvalidInput(format!(
                        "retrievals has a source twice for query {query}; keep its best rank, or \
                         name the parts apart and their source in groups"
                    )));
                }
                place_starts[source as usize + 1] += 1;
            }
        }
        for at in 1..place_starts.len() {
            place_starts[at] += place_starts[at - 1];
        }
        let mut fill = place_starts.clone();
        let mut places = vec![0; sources.len()];
        for (place, &source) in (0..).zip(&sources) {
            places[fill[source as usize]] = place;
            fill[source as usize] += 1;
        }
        Ok(Self { starts, sources, utilities, place_starts, places })
    }

    /// Queries.
    pub fn queries(&self) -> usize {
        self.starts.len() - 1
    }

    /// Sources.
    pub fn sources(&self) -> usize {
        self.place_starts.len() - 1
    }

    fn query(&self, query: usize) -> (&[u32], &[f64]) {
        let span = self.starts[query]..self.starts[query + 1];
        (&self.sources[span.clone()], &self.utilities[span])
    }
}

/// Memory of one thread's queries.
#[derive(Default)]
struct Tables {
    before: Vec<f64>,
    behind: Vec<f64>,
    chances: Vec<f64>,
}

/// Queries that a thread takes at a time.
const BLOCK: usize = 32;

/// What a source is worth to each of its queries, place by place.
fn shares(
    sources: &[u32],
    utilities: &[f64],
    weights: &[f64],
    k: usize,
    tables: &mut Tables,
    out: &mut [f64],
) {
    let length = sources.len();
    let scale = 1.0 / k as f64;
    if k >= length {
        // All are among the first.
        out.iter_mut().zip(utilities).for_each(|(out, utility)| *out = scale * utility);
        return;
    }
    let Tables { before, behind, chances } = tables;
    chances.clear();
    chances.extend(sources.iter().map(|&source| weights[source as usize]));
    // Row `i` has, at `j`, the expected utility of the (k - j)-th that is there from `i` on.
    behind.clear();
    behind.resize((length + 1) * k, 0.0);
    for at in (0..length).rev() {
        let chance = chances[at];
        let (head, tail) = behind.split_at_mut((at + 1) * k);
        let (new, old) = (&mut head[at * k..], &tail[..k]);
        // The r-th from here on is the r-th behind, or the (r - 1)-th if this one is there.
        for ((new, old), nearer) in new.iter_mut().zip(old).zip(&old[1..]) {
            *new = old + chance * (nearer - old);
        }
        new[k - 1] = old[k - 1] + chance * (utilities[at] - old[k - 1]);
    }
    // At `j`, the probability that j are there before.
    before.clear();
    before.resize(k, 0.0);
    before[0] = 1.0;
    for at in 0..length {
        let next = &behind[(at + 1) * k..(at + 2) * k];
        out[at] = scale * pushed(before, next, utilities[at]);
        pass(before, chances[at]);
    }
}

/// The sum of what a source is worth more than what it pushes out, by how many are there before.
fn pushed(before: &[f64], next: &[f64], utility: f64) -> f64 {
    let mut sums = [0.0; 4];
    let (before, before_rest) = before.as_chunks::<4>();
    let (next, next_rest) = next.as_chunks::<4>();
    for (before, next) in before.iter().zip(next) {
        for lane in 0..4 {
            sums[lane] += before[lane] * (utility - next[lane]);
        }
    }
    let rest = before_rest.iter().zip(next_rest).map(|(before, next)| before * (utility - next));
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest.sum::<f64>()
}

/// How many are there before, one source further.
fn pass(before: &mut [f64], chance: f64) {
    let mut fewer = 0.0;
    for before in before {
        let own = *before;
        *before = own + chance * (fewer - own);
        fewer = own;
    }
}

fn check(retrievals: &Retrievals, weights: &[f64], k: usize) -> Result<()> {
    if k == 0 {
        return Err(Error::InvalidInput("k is 0; give 1 or more".into()));
    }
    if weights.len() != retrievals.sources() {
        return Err(Error::InvalidInput(format!(
            "weights has {} values, and there are {} sources; give one for each",
            weights.len(),
            retrievals.sources()
        )));
    }
    match weights.iter().position(|weight| !(0.0..=1.0).contains(weight)) {
        Some(at) => Err(Error::InvalidInput(format!(
            "weights is {} at position {at}; give probabilities from 0 to 1",
            weights[at]
        ))),
        None => Ok(()),
    }
}

/// The gradient of the expected mean utility of the first `k` by the probability of each source.
///
/// O(M k) time a query of M sources; 8 bytes a retrieved row of memory, and 8 k M a thread.
///
/// # Errors
/// [`Error::InvalidInput`] for a `k` of 0, or weights that are not one a source, from 0 to 1;
/// [`Error::Interrupted`].
pub fn gradient(
    retrievals: &Retrievals,
    weights: &[f64],
    k: usize,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    check(retrievals, weights, k)?;
    let mut found = vec![0.0; retrievals.sources.len()];
    let mut out = vec![0.0; retrievals.sources()];
    gradient_into(retrievals, weights, k, &mut found, &mut out, monitor)?;
    Ok(out)
}

fn gradient_into(
    retrievals: &Retrievals,
    weights: &[f64],
    k: usize,
    found: &mut [f64],
    out: &mut [f64],
    monitor: &Monitor,
) -> Result<()> {
    let mut tasks = vec![];
    let mut rest = &mut found[..];
    for first in (0..retrievals.queries()).step_by(BLOCK) {
        let last = (first + BLOCK).min(retrievals.queries());
        let size = retrievals.starts[last] - retrievals.starts[first];
        let (mine, others) = rest.split_at_mut(size);
        tasks.push((first..last, mine));
        rest = others;
    }
    tasks.into_par_iter().try_for_each_init(Tables::default, |tables, (queries, mut out)| {
        monitor.check()?;
        for query in queries {
            let (sources, utilities) = retrievals.query(query);
            let (own, others) = out.split_at_mut(sources.len());
            shares(sources, utilities, weights, k, tables, own);
            out = others;
        }
        Ok(())
    })?;
    let found = &*found;
    let queries = retrievals.queries() as f64;
    // In the order of places, so that the sums are the same whatever the threads are.
    out.par_iter_mut().enumerate().with_min_len(1024).for_each(|(source, out)| {
        let span = retrievals.place_starts[source]..retrievals.place_starts[source + 1];
        let sum: f64 = retrievals.places[span].iter().map(|&place| found[place as usize]).sum();
        *out = sum / queries;
    });
    Ok(())
}

/// The expected mean utility: over queries, of `1 / k` of the utilities of the first `k` that are
/// there.
///
/// # Errors
/// As [`gradient`].
pub fn utility(
    retrievals: &Retrievals,
    weights: &[f64],
    k: usize,
    monitor: &Monitor,
) -> Result<f64> {
    check(retrievals, weights, k)?;
    let queries: Vec<usize> = (0..retrievals.queries()).collect();
    let sums: Vec<f64> = queries
        .par_chunks(BLOCK)
        .map_init(Vec::new, |before: &mut Vec<f64>, queries| {
            monitor.check()?;
            let mut sum = 0.0;
            for &query in queries {
                let (sources, utilities) = retrievals.query(query);
                before.clear();
                before.resize(k.min(sources.len()).max(1), 0.0);
                before[0] = 1.0;
                for (&source, utility) in sources.iter().zip(utilities) {
                    let chance = weights[source as usize];
                    sum += chance * utility * before.iter().sum::<f64>();
                    pass(before, chance);
                }
            }
            Ok(sum)
        })
        .collect::<Result<_>>()?;
    Ok(sums.iter().sum::<f64>() / (k as f64 * retrievals.queries() as f64))
}

/// How weights are learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learning {
    /// How many sources of a query count.
    pub k: usize,
    /// How often the gradient is followed.
    pub steps: usize,
    /// How far, in gradients.
    pub rate: f64,
}

/// Follows the gradient from `weights` on. After each step weights are brought into `0..=1`, and
/// those of a group to their mean.
///
/// # Errors
/// As [`gradient`]; also for a rate that is not a number, or groups that are not one a source.
pub fn learn(
    retrievals: &Retrievals,
    mut weights: Vec<f64>,
    groups: Option<&[u32]>,
    learning: Learning,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let Learning { k, steps, rate } = learning;
    check(retrievals, &weights, k)?;
    if !rate.is_finite() {
        return Err(Error::InvalidInput(format!("learning_rate is {rate}; give a finite number")));
    }
    if let Some(groups) = groups.filter(|groups| groups.len() != weights.len()) {
        return Err(Error::InvalidInput(format!(
            "groups has {} values, and there are {} sources; give one for each",
            groups.len(),
            weights.len()
        )));
    }
    let project = Projection::new(groups);
    monitor.enter(Phase::Querying, 0, Some(steps as u64));
    let mut found = vec![0.0; retrievals.sources.len()];
    let mut gradient = vec![0.0; weights.len()];
    project.apply(&mut weights);
    for _ in 0..steps {
        gradient_into(retrievals, &weights, k, &mut found, &mut gradient, monitor)?;
        for (weight, gradient) in weights.iter_mut().zip(&gradient) {
            *weight = (*weight + rate * gradient).clamp(0.0, 1.0);
        }
        project.apply(&mut weights);
        monitor.advance(1);
    }
    Ok(weights)
}

/// Members of groups, end to end.
struct Projection {
    starts: Vec<usize>,
    members: Vec<u32>,
}

impl Projection {
    fn new(groups: Option<&[u32]>) -> Self {
        let groups = groups.unwrap_or_default();
        let mut members: Vec<u32> = (0..groups.len() as u32).collect();
        members.sort_by_key(|&source| groups[source as usize]);
        let mut starts = vec![0];
        for run in members.chunk_by(|&a, &b| groups[a as usize] == groups[b as usize]) {
            starts.push(starts.last().map_or(0, |last| last + run.len()));
        }
        Self { starts, members }
    }

    fn apply(&self, weights: &mut [f64]) {
        for span in self.starts.windows(2).filter(|span| span[1] - span[0] > 1) {
            let members = &self.members[span[0]..span[1]];
            let sum: f64 = members.iter().map(|&source| weights[source as usize]).sum();
            let mean = sum / members.len() as f64;
            members.iter().for_each(|&source| weights[source as usize] = mean);
        }
    }
}

/// What dropping sources comes to: the mean utility of the first `k` that are left, after each more
/// is dropped.
///
/// Sources go in the order of `ranks`: first those of rank 0, all at once, then of rank 1 and so on.
/// Gives the utility with all, and after each rank. O(retrieved rows) time in all, once sorted.
///
/// # Errors
/// [`Error::InvalidInput`] for a `k` of 0, or ranks that are not one a source;
/// [`Error::Interrupted`].
pub fn drop_path(
    retrievals: &Retrievals,
    ranks: &[u32],
    k: usize,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    if k == 0 || ranks.len() != retrievals.sources() {
        return Err(Error::InvalidInput(format!(
            "k is {k}, and there are {} ranks of {} sources; give a k from 1 on, a rank for each",
            ranks.len(),
            retrievals.sources()
        )));
    }
    let steps = ranks.iter().max().map_or(0, |&most| most as usize + 1);
    let scale = k as f64 * retrievals.queries() as f64;
    // A source stops counting when it is dropped, and starts when k are left before it, if then it
    // is still there.
    let mut changes = vec![0.0; steps + 1];
    for query in 0..retrievals.queries() {
        if query % 256 == 0 {
            monitor.check()?;
        }
        let (sources, utilities) = retrievals.query(query);
        // The k that are dropped last of those before, the first of these on top.
        let mut kept = std::collections::BinaryHeap::with_capacity(k.min(sources.len()) + 1);
        for (&source, &utility) in sources.iter().zip(utilities) {
            let own = ranks[source as usize];
            // Among the first k once fewer than k of those before are left.
            let begin = match kept.peek() {
                Some(&std::cmp::Reverse(rank)) if kept.len() == k => rank + 1,
                _ => 0,
            };
            if begin <= own {
                changes[begin as usize] += utility;
                changes[own as usize + 1] -= utility;
            }
            kept.push(std::cmp::Reverse(own));
            if kept.len() > k {
                kept.pop();
            }
        }
    }
    let mut sum = 0.0;
    Ok(changes
        .into_iter()
        .map(|change| {
            sum += change;
            sum / scale
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(utilities: &[f64]) -> Retrievals {
        let count = utilities.len();
        let sources = (0..count as u32).collect();
        Retrievals::new(vec![0, count], sources, utilities.to_vec(), count).unwrap()
    }

    fn learned(utilities: &[f64], groups: Option<&[u32]>, steps: usize, rate: f64) -> Vec<f64> {
        let start = vec![0.5; utilities.len()];
        let learning = Learning { k: 3, steps, rate };
        learn(&one(utilities), start, groups, learning, &Monitor::default()).unwrap()
    }

    #[test]
    fn golden_values_of_the_reference() {
        let found = learned(&[1.0, 0.3, 0.0, 1.0, 0.7, 0.0], None, 2, 0.1);
        let expected = [0.549_244_09, 0.502_308_69, 0.48219, 0.549_244_09, 0.531_709_94, 0.5];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-9), "{found:?}");
    }

    /// Utility of the first k of a set, over all sets.
    fn expected(utilities: &[f64], weights: &[f64], k: usize) -> f64 {
        (0u32..1 << utilities.len())
            .map(|set| {
                let there = |at: &usize| set >> at & 1 == 1;
                let all = 0..utilities.len();
                let chance: f64 = all
                    .clone()
                    .map(|at| if there(&at) { weights[at] } else { 1.0 - weights[at] })
                    .product();
                let sum: f64 = all.filter(there).take(k).map(|at| utilities[at]).sum();
                chance * sum / k as f64
            })
            .sum()
    }

    proptest! {
        #[test]
        fn gradients_are_those_of_all_subsets(
            rows in prop::collection::vec((-2.0..2.0f64, 0.0..=1.0f64), 1..10),
            k in 1..12usize,
        ) {
            let (utilities, weights): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
            let held = one(&utilities);
            let found = gradient(&held, &weights, k, &Monitor::default()).unwrap();
            for at in 0..weights.len() {
                let with = |weight| {
                    let mut weights = weights.clone();
                    weights[at] = weight;
                    expected(&utilities, &weights, k)
                };
                prop_assert!((found[at] - (with(1.0) - with(0.0))).abs() < 1e-12);
            }
            let sum = utility(&held, &weights, k, &Monitor::default()).unwrap();
            prop_assert!((sum - expected(&utilities, &weights, k)).abs() < 1e-12);
        }

        #[test]
        fn many_queries_and_dropped_sources(
            queries in prop::collection::vec(prop::collection::vec((0..8u32, -3..4i8), 0..8), 1..6),
            ranks in prop::collection::vec(0..5u32, 8),
            k in 1..5usize,
            weights in prop::collection::vec(0.0..=1.0f64, 8),
        ) {
            let (mut starts, mut sources, mut utilities) = (vec![0], vec![], vec![]);
            let mut own = vec![];
            for query in &queries {
                let mut seen = vec![];
                for &(source, utility) in query {
                    if !seen.contains(&source) {
                        seen.push(source);
                        sources.push(source);
                        utilities.push(f64::from(utility));
                    }
                }
                own.push((sources[starts[starts.len() - 1]..].to_vec(),
                    utilities[starts[starts.len() - 1]..].to_vec()));
                starts.push(sources.len());
            }
            let held = Retrievals::new(starts, sources, utilities, 8).unwrap();
            let found = gradient(&held, &weights, k, &Monitor::default()).unwrap();
            for source in 0..8u32 {
                let mut sum = 0.0;
                for (sources, utilities) in &own {
                    let Some(at) = sources.iter().position(|&one| one == source) else { continue };
                    let mine: Vec<f64> = sources.iter().map(|&one| weights[one as usize]).collect();
                    let with = |weight| {
                        let mut mine = mine.clone();
                        mine[at] = weight;
                        expected(utilities, &mine, k)
                    };
                    sum += with(1.0) - with(0.0);
                }
                prop_assert!((found[source as usize] - sum / own.len() as f64).abs() < 1e-12);
            }
            let path = drop_path(&held, &ranks, k, &Monitor::default()).unwrap();
            let steps = *ranks.iter().max().unwrap() as usize + 1;
            prop_assert_eq!(path.len(), steps + 1);
            for (dropped, found) in path.iter().enumerate() {
                let sum: f64 = own
                    .iter()
                    .map(|(sources, utilities)| {
                        let left = sources.iter().zip(utilities)
                            .filter(|(source, _)| ranks[**source as usize] as usize >= dropped);
                        left.take(k).map(|(_, utility)| utility).sum::<f64>()
                    })
                    .sum();
                prop_assert!((found - sum / (k * own.len()) as f64).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn groups_move_together() {
        let utilities = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0];
        let alone = learned(&utilities, None, 3, 0.1);
        let together = learned(&utilities, Some(&[0, 1, 2, 1, 0, 2]), 3, 0.1);
        assert!(together[0] == together[4] && together[1] == together[3]);
        assert!(together[2] == together[5] && together != alone);
        let each = learned(&utilities, Some(&[5, 4, 3, 2, 1, 0]), 3, 0.1);
        assert_eq!(each, alone);
    }

    #[test]
    fn many_threads_learn_the_same() {
        let (queries, length) = (300u32, 20u32);
        let starts = (0..=queries as usize).map(|query| query * length as usize).collect();
        let sources = (0..queries)
            .flat_map(|query| (0..length).map(move |at| (query * 7 + at * 13) % 500))
            .collect();
        let utilities = (0..queries * length).map(|at| f64::from(at * 31 % 17) / 16.0).collect();
        let held = Retrievals::new(starts, sources, utilities, 500).unwrap();
        let learning = Learning { k: 5, steps: 5, rate: 50.0 };
        let found = [1, 2, 4].map(|threads| {
            let pool = crate::pool(Some(threads)).unwrap();
            pool.install(|| {
                learn(&held, vec![0.5; 500], None, learning, &Monitor::default()).unwrap()
            })
        });
        assert_eq!(found[0], found[1]);
        assert_eq!(found[0], found[2]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(Retrievals::new(vec![0], vec![], vec![], 0).is_err());
        assert!(Retrievals::new(vec![0, 2], vec![1, 1], vec![0.0, 1.0], 2).is_err());
        assert!(Retrievals::new(vec![0, 1], vec![0], vec![f64::NAN], 1).is_err());
        let held = one(&[1.0]);
        assert!(gradient(&held, &[0.5], 0, &Monitor::default()).is_err());
        assert!(gradient(&held, &[1.5], 1, &Monitor::default()).is_err());
        assert!(gradient(&held, &[], 1, &Monitor::default()).is_err());
    }
}
