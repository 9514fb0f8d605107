//! Boolean search: the rows in which an AND of ORs (or any nesting of them) holds, each with the
//! tightest stretch that holds it; exact, or estimated from a sample on request.

use rayon::prelude::*;

use super::locate::{each_row, sorted_positions};
use super::sample::priority;
use crate::error::{Error, Result};
use crate::index::{Index, PartRef, Segment};
use crate::interrupt::Monitor;
use crate::symbol::{Patterns, Position, Ranks};

/// What finding an occurrence through the suffix array costs, and looking at one more row and at
/// one more symbol of it: nanoseconds, of which only the ratios matter.
const COST_OCCURRENCE: f64 = 15.0;
const COST_ROW: f64 = 100.0;
const COST_SYMBOL: f64 = 0.2;

/// Rows whose stretches are looked for side by side before the next look at the limit.
const BLOCK: usize = 1 << 14;

/// Positions sampled from at once.
const SAMPLED: u64 = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Term(usize),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// A combination of texts by AND and OR.
#[derive(Clone, Debug)]
pub struct Expression {
    pub(super) root: Node,
    pub(super) terms: Patterns,
}

impl Expression {
    /// An AND of ORs: clause `c` is an OR of the next `clauses[c]` terms.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there are no clauses, or one has no terms.
    pub fn all_of_any(terms: Patterns, clauses: &[usize]) -> Result<Self> {
        if clauses.is_empty() || clauses.contains(&0) {
            return Err(Error::InvalidInput(
                "query has no texts, or a clause without texts; give at least one in each".into(),
            ));
        }
        let mut next = 0..;
        let ors = clauses
            .iter()
            .map(|&size| Node::Or(next.by_ref().take(size).map(Node::Term).collect()))
            .collect();
        Ok(Self { root: Node::And(ors), terms })
    }
}

/// How to search.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchOptions {
    /// Longest stretch that may hold the combination, in symbols.
    pub within: Option<u64>,
    /// Most rows to give.
    pub limit: Option<usize>,
    /// About how many occurrences to look at, where exactness is not asked.
    pub max_matches: Option<u64>,
    /// Seed of the sample.
    pub seed: u64,
}

/// The rows found; one item of each list a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The query's place in its column.
    pub query: Vec<u64>,
    /// The row.
    pub row: Vec<u64>,
    /// Where its tightest stretch starts, in symbols from the row's start.
    pub start: Vec<u64>,
    /// Behind where it stops.
    pub stop: Vec<u64>,
    /// How many rows it stands for.
    pub weight: Vec<f64>,
    /// Whether the weights are an estimate.
    pub approximate: Vec<bool>,
}

/// A row of a segment, and the stretch of it found.
struct Hit {
    row: usize,
    start: u64,
    stop: u64,
    weight: f64,
}

impl Index {
    /// The rows in which each expression holds (none for `None`), ordered by query and row, with
    /// the tightest stretch that holds it, the leftmost of equals.
    ///
    /// Exact, unless `max_matches` is given and more occurrences than that lead to the rows. Then
    /// each occurrence is drawn with one probability, and a row found weighs the inverse of its
    /// expected number of draws (Horvitz and Thompson 1952): weights add up, without bias, to the
    /// number of rows.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text, or `max_matches` with a `limit`;
    /// [`Error::UnsupportedType`] for text asked of tokens; [`Error::Interrupted`].
    pub fn search(
        &self,
        expressions: &[Option<Expression>],
        options: SearchOptions,
        monitor: &Monitor,
    ) -> Result<Found> {
        if let (Some(limit), Some(max)) = (options.limit, options.max_matches) {
            return Err(Error::InvalidInput(format!(
                "limit {limit} and max_matches {max} exclude each other: rows cut off would be \
                 missing from the estimate; give one of them"
            )));
        }
        if options.max_matches == Some(0) {
            return Err(Error::InvalidInput("max_matches is 0; give at least 1".into()));
        }
        let one = |expression: &Option<Expression>| match expression {
            None => Ok((vec![], false)),
            Some(expression) => self.search_one(expression, options, monitor),
        };
        let answers: Vec<_> = expressions.par_iter().map(one).collect::<Result<_>>()?;
        let mut found = Found::default();
        for (query, (hits, approximate)) in (0..).zip(answers) {
            for (first_row, hit) in hits {
                found.query.push(query);
                found.row.push(first_row + hit.row as u64);
                found.start.push(hit.start);
                found.stop.push(hit.stop);
                found.weight.push(hit.weight);
                found.approximate.push(approximate);
            }
        }
        Ok(found)
    }

    fn search_one(
        &self,
        expression: &Expression,
        options: SearchOptions,
        monitor: &Monitor,
    ) -> Result<(Vec<(u64, Hit)>, bool)> {
        self.check_patterns(&expression.terms)?;
        let searches: Vec<_> = self
            .parts()
            .map(|part| Search::new(part, expression, monitor))
            .collect::<Result<_>>()?;
        let mut totals = vec![0_u64; expression.terms.len()];
        for search in &searches {
            for (total, ranks) in totals.iter_mut().zip(&search.ranks) {
                *total += ranks.len();
            }
        }
        let drivers = drivers(&expression.root, &totals);
        let leads: u64 = drivers.iter().map(|&term| totals[term]).sum();
        let sample = options.max_matches.filter(|&max| leads > max);
        let mut found = vec![];
        for search in &searches {
            let room = options.limit.map_or(usize::MAX, |limit| limit - found.len());
            let hits = match sample {
                Some(max) => {
                    let rate = max as f64 / leads as f64;
                    search.estimate(&drivers, rate, options.seed, options.within)?
                }
                None => search.exact(options.within, room)?,
            };
            found.extend(hits.into_iter().map(|hit| (search.part.first_row, hit)));
        }
        Ok((found, sample.is_some()))
    }
}

/// The terms of which a row must hold at least one for the expression to hold in it, chosen so
/// that they occur as rarely as may be.
fn drivers(node: &Node, totals: &[u64]) -> Vec<usize> {
    match node {
        Node::Term(term) => vec![*term],
        Node::Or(nodes) => nodes.iter().flat_map(|node| drivers(node, totals)).collect(),
        Node::And(nodes) => nodes
            .iter()
            .map(|node| drivers(node, totals))
            .min_by_key(|terms| terms.iter().map(|&term| totals[term]).sum::<u64>())
            .unwrap_or_default(),
    }
}

/// One expression asked of one segment.
struct Search<'a> {
    part: PartRef<'a>,
    segment: &'a dyn Segment,
    expression: &'a Expression,
    ranks: Vec<Ranks>,
    monitor: &'a Monitor,
}

/// The sorted positions of the terms that were enumerated; the others are looked for in rows.
type Enumerated = Vec<Option<Vec<Position>>>;

impl<'a> Search<'a> {
    fn new(part: PartRef<'a>, expression: &'a Expression, monitor: &'a Monitor) -> Result<Self> {
        let terms = &expression.terms;
        let mut ranks = vec![Ranks::NONE; terms.len()];
        let patterns: Vec<_> = terms.valid().map(|(_, pattern)| pattern).collect();
        part.segment.find_many(&patterns, &mut ranks)?;
        Ok(Self { part, segment: part.segment, expression, ranks, monitor })
    }

    fn exact(&self, within: Option<u64>, limit: usize) -> Result<Vec<Hit>> {
        let mut enumerated = vec![None; self.ranks.len()];
        let rows = self.rows(&self.expression.root, None, &mut enumerated)?;
        let mut hits = vec![];
        for rows in rows.chunks(BLOCK) {
            let found: Vec<_> = rows
                .par_iter()
                .with_min_len(64)
                .map(|&row| {
                    let places = self.places(row, &enumerated)?;
                    Ok(self.stretch(&places, within).map(|(start, stop)| Hit {
                        row,
                        start,
                        stop,
                        weight: 1.0,
                    }))
                })
                .collect::<Result<_>>()?;
            hits.extend(found.into_iter().flatten());
            if hits.len() >= limit {
                break;
            }
        }
        hits.truncate(limit);
        Ok(hits)
    }

    /// The most rows among which `node` can hold: the sum of what its rarest clauses occur.
    fn leads(&self, node: &Node) -> u64 {
        match node {
            Node::Term(term) => self.ranks[*term].len(),
            Node::And(nodes) => nodes.iter().map(|node| self.leads(node)).min().unwrap_or(0),
            Node::Or(nodes) => nodes.iter().map(|node| self.leads(node)).sum(),
        }
    }

    /// The rows in which `node` holds, among the candidates if there are any; sorted, distinct.
    fn rows(
        &self,
        node: &Node,
        candidates: Option<&[usize]>,
        enumerated: &mut Enumerated,
    ) -> Result<Vec<usize>> {
        self.monitor.check()?;
        match node {
            Node::Term(term) => self.rows_of_term(*term, candidates, enumerated),
            Node::Or(nodes) => {
                let mut rows = vec![];
                for node in nodes {
                    rows.append(&mut self.rows(node, candidates, enumerated)?);
                }
                rows.sort_unstable();
                rows.dedup();
                Ok(rows)
            }
            Node::And(nodes) => {
                let mut order: Vec<_> = nodes.iter().collect();
                order.sort_by_key(|node| self.leads(node));
                let mut rows: Option<Vec<usize>> = None;
                for node in order {
                    rows = Some(self.rows(node, rows.as_deref().or(candidates), enumerated)?);
                }
                Ok(rows.unwrap_or_default())
            }
        }
    }

    fn rows_of_term(
        &self,
        term: usize,
        candidates: Option<&[usize]>,
        enumerated: &mut Enumerated,
    ) -> Result<Vec<usize>> {
        let ranks = &self.ranks[term];
        if let Some(candidates) = candidates
            && enumerated[term].is_none()
            && !self.enumerating_pays(ranks.len(), candidates)?
        {
            let holds = |&row: &usize| match self.scan(term, row) {
                Ok(places) => (!places.is_empty()).then_some(Ok(row)),
                Err(error) => Some(Err(error)),
            };
            return candidates.par_iter().with_min_len(64).filter_map(holds).collect();
        }
        if enumerated[term].is_none() {
            enumerated[term] = Some(sorted_positions(self.segment, *ranks, usize::MAX)?);
        }
        let positions = enumerated[term].as_deref().unwrap_or_default();
        let mut rows = vec![];
        each_row(self.segment, positions, usize::MAX, |row, _| rows.push(row))?;
        if let Some(candidates) = candidates {
            rows.retain(|row| candidates.binary_search(row).is_ok());
        }
        Ok(rows)
    }

    fn enumerating_pays(&self, occurrences: u64, candidates: &[usize]) -> Result<bool> {
        let enumerating = occurrences as f64 * COST_OCCURRENCE;
        let mut scanning = 0.0;
        for &row in candidates {
            let span = self.segment.rows().span(row)?;
            scanning += COST_ROW + (span.end - span.start) as f64 * COST_SYMBOL;
            if scanning > enumerating {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn scan(&self, term: usize, row: usize) -> Result<Vec<Position>> {
        let mut places = vec![];
        if let Some(pattern) = self.expression.terms.get(term) {
            self.monitor.check()?;
            let span = self.segment.rows().span(row)?;
            self.segment.scan(span, pattern, &mut places)?;
        }
        Ok(places)
    }

    /// Where each term starts in a row.
    fn places(&self, row: usize, enumerated: &Enumerated) -> Result<Vec<Vec<u64>>> {
        let span = self.segment.rows().span(row)?;
        let from_start = |places: &[Position]| -> Vec<u64> {
            places.iter().map(|place| place - span.start).collect()
        };
        (0..self.ranks.len())
            .map(|term| match &enumerated[term] {
                _ if self.ranks[term].is_empty() => Ok(vec![]),
                None => Ok(from_start(&self.scan(term, row)?)),
                Some(all) => {
                    let from = all.partition_point(|&place| place < span.start);
                    let to = all.partition_point(|&place| place < span.end);
                    Ok(from_start(&all[from..to.max(from)]))
                }
            })
            .collect()
    }

    /// The tightest stretch that holds the expression, the leftmost of equals, if one of at most
    /// `within` symbols does.
    ///
    /// The tightest stretch starts where a text does. For each such start, every term's next
    /// occurrence says where a stretch must stop to hold it; AND takes the later stop, OR the
    /// earlier one. O(occurrences in the row x terms).
    fn stretch(&self, places: &[Vec<u64>], within: Option<u64>) -> Option<(u64, u64)> {
        let length = |term| self.expression.terms.get(term).map_or(0, |text| text.len() as u64);
        let mut next = vec![0; places.len()];
        let mut best: Option<(u64, u64)> = None;
        loop {
            let stops: Vec<Option<u64>> = (0..places.len())
                .map(|term| places[term].get(next[term]).map(|start| start + length(term)))
                .collect();
            let Some(stop) = earliest_stop(&self.expression.root, &stops) else {
                break;
            };
            let heads = || places.iter().zip(&next).filter_map(|(all, &at)| all.get(at).copied());
            let Some(start) = heads().min() else {
                break;
            };
            if best.is_none_or(|(from, to)| stop - start < to - from) {
                best = Some((start, stop));
            }
            for (all, at) in places.iter().zip(&mut next) {
                *at += usize::from(all.get(*at) == Some(&start));
            }
        }
        best.filter(|(start, stop)| within.is_none_or(|within| stop - start <= within))
    }

    /// Rows found from occurrences of the drivers drawn at `rate`, with their weights.
    fn estimate(
        &self,
        drivers: &[usize],
        rate: f64,
        seed: u64,
        within: Option<u64>,
    ) -> Result<Vec<Hit>> {
        // The rate as a share of all 64-bit priorities; the conversion saturates.
        let threshold = (rate * 2_f64.powi(64)) as u64;
        let (mut drawn, mut block) = (vec![], vec![]);
        for &term in drivers {
            let ranks = self.ranks[term];
            for from in (ranks.start..ranks.end).step_by(SAMPLED as usize) {
                self.monitor.check()?;
                block.clear();
                let to = ranks.end.min(from + SAMPLED);
                self.segment.positions(&[Ranks { start: from, end: to }], &mut block)?;
                drawn.extend(block.iter().filter(|&&position| {
                    priority(seed, self.part.first_symbol + position) < threshold
                }));
            }
        }
        drawn.sort_unstable();
        let mut rows = vec![];
        each_row(self.segment, &drawn, usize::MAX, |row, draws| rows.push((row, draws)))?;
        let none = vec![None; self.ranks.len()];
        let hit = |&(row, draws): &(usize, u64)| {
            let places = self.places(row, &none)?;
            let chances: usize = drivers.iter().map(|&term| places[term].len()).sum();
            Ok(self.stretch(&places, within).map(|(start, stop)| Hit {
                row,
                start,
                stop,
                weight: draws as f64 / (rate * chances as f64),
            }))
        };
        let hits: Vec<Option<Hit>> = rows.par_iter().map(hit).collect::<Result<_>>()?;
        Ok(hits.into_iter().flatten().collect())
    }
}

/// Where a stretch that holds the expression can stop first, given where one that holds each term
/// can.
fn earliest_stop(node: &Node, stops: &[Option<u64>]) -> Option<u64> {
    match node {
        Node::Term(term) => stops[*term],
        Node::Or(nodes) => nodes.iter().filter_map(|node| earliest_stop(node, stops)).min(),
        Node::And(nodes) => nodes
            .iter()
            .map(|node| earliest_stop(node, stops))
            .try_fold(0, |last, stop| stop.map(|stop| last.max(stop))),
    }
}
