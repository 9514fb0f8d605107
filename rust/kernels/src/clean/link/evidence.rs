//! Rows of several columns, linked by the evidence of each: weights of agreement that add up, in
//! bits (Fellegi and Sunter 1969), learned without labels by expectation maximisation (Winkler
//! 1988), where to agree on a rare value says more than on a frequent one (Winkler 2000).

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::budget::Budget;
use super::compare::{Comparer, edit_distance, words};
use super::names::{NO_NAME, Names, Vectors};
use super::products::{self, Space};
use super::{Options, Pairs, Relation};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::Patterns;

/// How two values of a column agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// They are equal.
    Equal,
    /// At least [`CLOSE`] alike.
    Close,
    /// At least [`SIMILAR`] alike.
    Similar,
    /// Less than that.
    Different,
    /// One of them is missing, which says nothing.
    Missing,
}

/// Levels that say something.
const LEVELS: usize = 4;

/// The least similarity of close values.
pub const CLOSE: f64 = 0.85;

/// The least similarity of similar values.
pub const SIMILAR: f64 = 0.65;

/// Pairs drawn to see how values agree by chance.
const DRAWN: usize = 50_000;

/// How often the same rows agree so, before anything was seen.
const PRIOR: [f64; LEVELS] = [0.85, 0.08, 0.04, 0.03];

/// That counts as one pair, and so many more for each that is found to be the same.
const BELIEF: f64 = 0.3;

/// Rounds after which the estimate stands.
const ROUNDS: usize = 100;

/// Above it a probability is a match, where no threshold is given.
const PROBABLE: f64 = 0.5;

/// Values longer than this are compared word by word alone.
const LONG: usize = 48;

/// How a column agrees among the same rows and by chance.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// The share of each level among pairs of the same: equal, close, similar, different.
    pub same: [f64; LEVELS],
    /// The share of each among pairs of any rows.
    pub chance: [f64; LEVELS],
}

/// Two tables, linked.
#[derive(Debug)]
pub struct Evidence {
    /// The pairs; the score is the probability that they are the same.
    pub pairs: Pairs,
    /// The evidence for each pair, in bits.
    pub bits: Vec<f64>,
    /// How each column agrees.
    pub agreements: Vec<Agreement>,
    /// The share of all pairs that are the same.
    pub prior: f64,
    /// The least score of a pair.
    pub threshold: f64,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    names: Names,
    /// The share of rows that hold each name, the greater one of the two sides.
    shares: Vec<f64>,
}

#[derive(Clone, Copy)]
struct Candidate {
    left: u32,
    right: u32,
    probability: f64,
    bits: f64,
}

impl Evidence {
    /// Links rows by the columns of two tables, normalised before; those of one table if `right`
    /// is None, when each pair is given once.
    ///
    /// O(rows · candidates · columns) comparisons beside the products.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for options that cannot be meant; [`Error::OutOfBudget`]; if someone
    /// asks to stop.
    pub fn new(
        left: &[Patterns],
        right: Option<&[Patterns]>,
        options: &Options,
        monitor: &Monitor,
    ) -> Result<Self> {
        options.check()?;
        let mut budget = Budget::new(options.memory);
        let columns = left
            .iter()
            .enumerate()
            .map(|(at, left)| {
                Column::new(left, right.map(|right| &right[at]), &mut budget, monitor)
            })
            .collect::<Result<Vec<_>>>()?;
        let Some(first) = columns.first() else {
            return Err(Error::InvalidInput("on names no column: give one or more".into()));
        };
        let alone = right.is_none();
        let rows = (first.names.left.len(), first.names.right.len());
        let (mut found, levels) = candidates(&columns, rows, alone, options, &mut budget, monitor)?;
        let mut evidence = Self {
            pairs: Pairs::default(),
            bits: vec![],
            agreements: columns.iter().map(|column| column.by_chance(alone)).collect(),
            prior: 0.0,
            threshold: options.threshold.unwrap_or(PROBABLE),
            columns,
        };
        evidence.learn(&mut found, &levels, rows, alone, monitor)?;
        drop(levels);
        evidence.choose(found, options.relation, alone);
        Ok(evidence)
    }

    /// What each column says of two rows: how they agree, and the bits of that.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is no such row.
    pub fn explain(&self, left: u64, right: u64) -> Result<Vec<(Level, f64)>> {
        let rows = self.columns.first().map_or((0, 0), |column| {
            (column.names.left.len() as u64, column.names.right.len() as u64)
        });
        for (row, rows, side) in [(left, rows.0, "left"), (right, rows.1, "right")] {
            if row >= rows {
                return Err(Error::InvalidInput(format!(
                    "{side} is {row}: there are {rows} rows, numbered from 0"
                )));
            }
        }
        let mut comparer = Comparer::default();
        let weigh = |(column, agreement): (&Column, &Agreement)| {
            let level = column.level(left as usize, right as usize, &mut comparer);
            (level, column.weight(left as usize, level, agreement))
        };
        Ok(self.columns.iter().zip(&self.agreements).map(weigh).collect())
    }

    fn weigh(&self, left: u32, levels: &[Level]) -> f64 {
        let weight = |((column, agreement), &level): ((&Column, &Agreement), &Level)| {
            column.weight(left as usize, level, agreement)
        };
        self.columns.iter().zip(&self.agreements).zip(levels).map(weight).sum()
    }

    /// Expectation maximisation of what the same rows agree on; what they agree on by chance is
    /// known, for nearly all pairs are by chance.
    fn learn(
        &mut self,
        found: &mut [Candidate],
        levels: &[Level],
        rows: (usize, usize),
        alone: bool,
        monitor: &Monitor,
    ) -> Result<()> {
        let all = if alone {
            rows.0 as f64 * (rows.0 as f64 - 1.0) / 2.0
        } else {
            rows.0 as f64 * rows.1 as f64
        };
        let all = all.max(1.0);
        self.prior = (0.5 * rows.0.min(rows.1) as f64 / all).min(0.5);
        for _ in 0..ROUNDS {
            monitor.check()?;
            let odds = self.prior / (1.0 - self.prior);
            let width = self.columns.len();
            found.par_iter_mut().zip(levels.par_chunks(width)).for_each(|(candidate, levels)| {
                candidate.bits = self.weigh(candidate.left, levels);
                candidate.probability = probability(odds, candidate.bits);
            });
            if !alone {
                // Of rows on the right, one at most is the same as a row on the left: neighbours of
                // which many are somewhat alike must not be taken for what the same rows look like.
                found.par_chunk_by_mut(|a, b| a.left == b.left).for_each(|row| {
                    let all: f64 = row.iter().map(|one| likely(odds, one.bits)).sum();
                    for one in row {
                        one.probability = likely(odds, one.bits) / (1.0 + all);
                    }
                });
            }
            let same: f64 = found.iter().map(|candidate| candidate.probability).sum();
            let believed = 1.0 + BELIEF * same;
            let mut change = 0.0_f64;
            for (at, agreement) in self.agreements.iter_mut().enumerate() {
                let mut same = PRIOR.map(|share| share * believed);
                for (candidate, levels) in found.iter().zip(levels.chunks(width)) {
                    let level = levels[at];
                    if level != Level::Missing {
                        same[level as usize] += candidate.probability;
                    }
                }
                let total: f64 = same.iter().sum();
                for (new, old) in same.iter_mut().zip(&agreement.same) {
                    *new /= total;
                    change = change.max((*new - old).abs());
                }
                agreement.same = same;
            }
            self.prior = ((same + 0.5) / all).min(0.5);
            if change < 1e-6 {
                break;
            }
        }
        let odds = self.prior / (1.0 - self.prior);
        let width = self.columns.len();
        found.par_iter_mut().zip(levels.par_chunks(width)).for_each(|(candidate, levels)| {
            candidate.bits = self.weigh(candidate.left, levels);
            candidate.probability = probability(odds, candidate.bits);
        });
        Ok(())
    }

    fn choose(&mut self, mut found: Vec<Candidate>, relation: Relation, alone: bool) {
        let order = |a: &Candidate, b: &Candidate| {
            b.bits.total_cmp(&a.bits).then((a.left, a.right).cmp(&(b.left, b.right)))
        };
        found.sort_unstable_by(|a, b| a.left.cmp(&b.left).then_with(|| order(a, b)));
        let mut ranked: Vec<(u64, f64, Candidate)> = vec![];
        for block in found.chunk_by(|a, b| a.left == b.left) {
            let second = block.get(1).map_or(0.0, |second| second.probability);
            let first = block[0].probability;
            for (at, one) in block.iter().enumerate() {
                let rank = block[..at].iter().filter(|other| other.bits > one.bits).count() + 1;
                let margin = one.probability - if at == 0 { second } else { first };
                if one.probability >= self.threshold {
                    ranked.push((rank as u64, margin, *one));
                }
                if relation == Relation::Best && !alone {
                    break;
                }
            }
        }
        if relation == Relation::OneToOne && !alone {
            ranked.sort_by(|a, b| order(&a.2, &b.2));
            let (mut lefts, mut rights) = (HashSet::new(), HashSet::new());
            ranked.retain(|(_, _, one)| {
                let free = !lefts.contains(&one.left) && !rights.contains(&one.right);
                if free {
                    lefts.insert(one.left);
                    rights.insert(one.right);
                }
                free
            });
            ranked.sort_unstable_by_key(|(_, _, one)| one.left);
        }
        for (rank, margin, one) in ranked {
            let pair = (u64::from(one.left), u64::from(one.right));
            self.pairs.push(pair, one.probability, margin, rank);
            self.bits.push(one.bits);
        }
    }
}

/// The rows of a table in the order of their names, each behind its name's rank; rows without a name
/// first.
fn in_order(rows: &[u32], ranks: &[u32]) -> Vec<(u32, usize)> {
    let rank = |&name: &u32| if name == NO_NAME { 0 } else { ranks[name as usize] };
    let mut order: Vec<(u32, usize)> =
        rows.iter().enumerate().map(|(row, name)| (rank(name), row)).collect();
    order.sort_unstable();
    order
}

impl Column {
    fn new(
        left: &Patterns,
        right: Option<&Patterns>,
        budget: &mut Budget,
        monitor: &Monitor,
    ) -> Result<Self> {
        let names = Names::new(left, right, budget, monitor)?;
        budget.take(8 * names.texts.len(), "how frequent they are")?;
        let mut shares = vec![0.0_f64; names.texts.len()];
        for side in [&names.left, &names.right] {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            for &name in side.iter().filter(|&&name| name != NO_NAME) {
                *counts.entry(name).or_default() += 1;
            }
            let all: usize = counts.values().sum();
            for (name, count) in counts {
                let share = &mut shares[name as usize];
                *share = share.max(count as f64 / all as f64);
            }
        }
        Ok(Self { names, shares })
    }

    fn level(&self, left: usize, right: usize, comparer: &mut Comparer) -> Level {
        let (left, right) = (self.names.left[left], self.names.right[right]);
        if left == NO_NAME || right == NO_NAME {
            return Level::Missing;
        }
        if left == right {
            return Level::Equal;
        }
        let spelled = (self.names.words_of(left as usize), self.names.words_of(right as usize));
        let alike = if let (&[a], &[b]) = spelled {
            words(&self.names.words[a as usize], &self.names.words[b as usize])
        } else {
            let alike = comparer.score(&self.names, left, right, true);
            if alike < CLOSE { alike.max(self.spelled(left, right)) } else { alike }
        };
        if alike >= CLOSE {
            Level::Close
        } else if alike >= SIMILAR {
            Level::Similar
        } else {
            Level::Different
        }
    }

    /// How alike two short values are, letter by letter.
    fn spelled(&self, left: u32, right: u32) -> f64 {
        let (left, right) = (&self.names.texts[left as usize], &self.names.texts[right as usize]);
        if left.len().max(right.len()) > LONG {
            return 0.0;
        }
        let (a, b): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
        let longer = a.len().max(b.len());
        if (a.len().min(b.len()) as f64) < SIMILAR * longer as f64 {
            return 0.0;
        }
        1.0 - edit_distance(&a, &b) as f64 / longer as f64
    }

    /// How values agree by chance: equal ones counted, others seen in pairs spread over all.
    fn by_chance(&self, alone: bool) -> Agreement {
        let Names { left, right, .. } = &self.names;
        let mut counts: HashMap<u32, (f64, f64)> = HashMap::new();
        for &name in left.iter().filter(|&&name| name != NO_NAME) {
            counts.entry(name).or_default().0 += 1.0;
        }
        for &name in right.iter().filter(|&&name| name != NO_NAME) {
            counts.entry(name).or_default().1 += 1.0;
        }
        let totals =
            counts.values().fold((0.0, 0.0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        let equal: f64 = counts.values().map(|count| count.0 * count.1).sum();
        let (equal, pairs) = if alone {
            (equal - totals.0, totals.0 * (totals.0 - 1.0))
        } else {
            (equal, totals.0 * totals.1)
        };
        let equal = ((equal + 0.5) / (pairs + 1.0)).min(0.999);
        // In the order of names, the shorter table first: the same pairs however the rows are ordered,
        // and whichever table is left.
        let ranks = self.names.ranks();
        let (lefts, rights) = (in_order(left, &ranks), in_order(right, &ranks));
        let names = |rows: &[(u32, usize)]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
        let turned =
            rights.len().cmp(&lefts.len()).then_with(|| names(&rights).cmp(&names(&lefts)));
        let turned = turned.is_lt();
        let (few, many) = if turned { (&rights, &lefts) } else { (&lefts, &rights) };
        let all = few.len().saturating_mul(many.len());
        let drawn = all.min(DRAWN);
        let pair = |at: usize| {
            let (i, j) = if all == drawn {
                (at / many.len(), at % many.len())
            } else {
                let spread = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                (at * few.len() / drawn, spread as usize % many.len())
            };
            let (i, j) = (few[i].1, many[j].1);
            if turned { (j, i) } else { (i, j) }
        };
        let seen = (0..drawn)
            .into_par_iter()
            .map_init(Comparer::default, |comparer, at| {
                let (i, j) = pair(at);
                let mut seen = [0_usize; LEVELS];
                match self.level(i, j, comparer) {
                    Level::Missing | Level::Equal => {}
                    level => seen[level as usize] = 1,
                }
                seen
            })
            .reduce(|| [0; LEVELS], |a, b| std::array::from_fn(|level| a[level] + b[level]));
        let unequal: f64 = seen.iter().map(|&seen| seen as f64 + 0.5).sum::<f64>() - 0.5;
        let chance = std::array::from_fn(|level| {
            if level == 0 { equal } else { (1.0 - equal) * (seen[level] as f64 + 0.5) / unequal }
        });
        Agreement { same: PRIOR, chance }
    }

    /// The bits of agreeing so; on equal values by how frequent this one is.
    fn weight(&self, left: usize, level: Level, agreement: &Agreement) -> f64 {
        let chance = match level {
            Level::Missing => return 0.0,
            Level::Equal => self.shares[self.names.left[left] as usize],
            level => agreement.chance[level as usize],
        };
        (agreement.same[level as usize] / chance).log2()
    }
}

/// The odds of a match after evidence in bits; as large as can be added up.
fn likely(odds: f64, bits: f64) -> f64 {
    (odds * bits.exp2()).min(1e300)
}

fn probability(odds: f64, bits: f64) -> f64 {
    let odds = likely(odds, bits);
    odds / (1.0 + odds)
}

/// The pairs of rows whose 3-grams, those of each column apart, are nearest.
fn candidates(
    columns: &[Column],
    rows: (usize, usize),
    alone: bool,
    options: &Options,
    budget: &mut Budget,
    monitor: &Monitor,
) -> Result<(Vec<Candidate>, Vec<Level>)> {
    let both = if alone { rows.0 } else { rows.0 + rows.1 };
    let most = columns.iter().map(|column| column.names.grams_of_rows(alone)).sum();
    budget.take(8 * most + 12 * both, "the grams of the rows")?;
    let pair = 2 * size_of::<(u32, u32)>() + size_of::<Candidate>() + columns.len();
    budget.take(rows.0 * (24 + options.candidates * pair), "the candidates")?;
    let mut vectors = Vectors::with_capacity(both, most);
    let mut one = vec![];
    let mut gather = |side: fn(&Names) -> &[u32], rows: usize| -> Result<()> {
        for row in 0..rows {
            if row % 4096 == 0 {
                monitor.check()?;
            }
            one.clear();
            let mut first = 0;
            for column in columns {
                let name = side(&column.names)[row];
                if name != NO_NAME {
                    let (features, weights) = column.names.grams.get(name as usize);
                    let length = column.names.grams.length(name as usize);
                    let scaled = features.iter().zip(weights);
                    one.extend(scaled.map(|(feature, weight)| (first + feature, weight * length)));
                }
                first += column.names.features as u32;
            }
            vectors.push(&one);
        }
        Ok(())
    };
    gather(|names| &names.left, rows.0)?;
    if !alone {
        gather(|names| &names.right, rows.1)?;
    }
    let first = if alone { 0 } else { rows.0 as u32 };
    let features = columns.iter().map(|column| column.names.features).sum();
    vectors.rarest_first(features, monitor)?;
    let queries: Vec<u32> = (0..rows.0 as u32).collect();
    let items: Vec<u32> = (first..first + rows.1 as u32).collect();
    let space = Space { vectors: &vectors, items: &items, features };
    let skip = |query: u32, place: u32| alone && query == place;
    let near = products::nearest(
        &space,
        &queries,
        options.candidates,
        options.least,
        skip,
        budget.left(),
        monitor,
    )?;
    let mut pairs: Vec<(u32, u32)> = vec![];
    for (left, near) in (0..).zip(&near) {
        pairs.extend(near.iter().map(|found| match alone {
            true => (found.item.min(left), found.item.max(left)),
            false => (left, found.item),
        }));
    }
    pairs.sort_unstable();
    pairs.dedup();
    drop(near);
    drop(vectors);
    let mut levels = vec![Level::Missing; pairs.len() * columns.len()];
    pairs.par_iter().zip(levels.par_chunks_mut(columns.len())).try_for_each_init(
        Comparer::default,
        |comparer, (&(left, right), levels)| {
            monitor.check()?;
            for (column, level) in columns.iter().zip(levels) {
                *level = column.level(left as usize, right as usize, comparer);
            }
            Ok(())
        },
    )?;
    let found = |(left, right)| Candidate { left, right, probability: 0.0, bits: 0.0 };
    Ok((pairs.into_iter().map(found).collect(), levels))
}
