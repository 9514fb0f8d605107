//! Which names of two columns mean the same, by what makes names the same: the words and 3-grams
//! that they share, each weighed by how informative it is in these columns.
//!
//! Candidates are the exact top k of the cosine of gram vectors ([`products`]), of 3-grams or, among
//! many names, of 5-grams; each is then compared word by word ([`compare`]). Rows of several
//! columns are weighed by the evidence of each ([`evidence`]). The threshold, where none is given,
//! is estimated without labels ([`threshold`]).

pub mod budget;
pub mod compare;
pub mod evidence;
pub mod names;
pub mod products;
pub mod threshold;

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::Patterns;
use budget::Budget;
use compare::{Comparer, Piece};
use names::{NO_NAME, Names};
use products::Space;

/// How many answers a row may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The best one of each row on the left.
    Best,
    /// At most one, on both sides: the best pairs first, a stable matching.
    OneToOne,
    /// All of them.
    Many,
}

/// What is asked of a linkage.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many answers a row may have.
    pub relation: Relation,
    /// Distinct names that are compared with each.
    pub candidates: usize,
    /// The least cosine of grams of a candidate.
    pub least: f32,
    /// The least score; None to estimate it.
    pub threshold: Option<f64>,
    /// Whether what the right name has more counts against it.
    pub symmetric: bool,
    /// The bytes to take at most, beside the columns and the pairs; None for any number.
    pub memory: Option<u64>,
}

impl Options {
    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// [`Error::InvalidInput`].
    pub fn check(&self) -> Result<()> {
        if self.candidates == 0 {
            return Err(Error::InvalidInput("candidates is 0: give 1 or more".into()));
        }
        if let Some(threshold) = self.threshold
            && !(0.0..=1.0).contains(&threshold)
        {
            return Err(Error::InvalidInput(format!(
                "threshold is {threshold}: give a number from 0 to 1, or \"auto\""
            )));
        }
        if !(0.0..=1.0).contains(&self.least) {
            return Err(Error::InvalidInput(format!(
                "min_cosine is {}: give a number from 0 to 1",
                self.least
            )));
        }
        Ok(())
    }
}

/// Pairs of rows, ordered by the left row and then by rank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// The row on the left.
    pub left: Vec<u64>,
    /// The row on the right.
    pub right: Vec<u64>,
    /// How alike they are, from 0 to 1.
    pub score: Vec<f64>,
    /// By how much that is above the best other answer to the left row; negative where it is below.
    pub margin: Vec<f64>,
    /// 1 for the best answer to the left row, equal names having one rank.
    pub rank: Vec<u64>,
}

impl Pairs {
    pub(crate) fn push(&mut self, pair: (u64, u64), score: f64, margin: f64, rank: u64) {
        self.left.push(pair.0);
        self.right.push(pair.1);
        self.score.push(score);
        self.margin.push(margin);
        self.rank.push(rank);
    }

    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.left.len()).collect();
        order.sort_unstable_by_key(|&at| (self.left[at], self.rank[at], self.right[at]));
        *self = Self {
            left: order.iter().map(|&at| self.left[at]).collect(),
            right: order.iter().map(|&at| self.right[at]).collect(),
            score: order.iter().map(|&at| self.score[at]).collect(),
            margin: order.iter().map(|&at| self.margin[at]).collect(),
            rank: order.iter().map(|&at| self.rank[at]).collect(),
        };
    }
}

/// An answer to a name, and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The name found.
    pub name: u32,
    /// From 0 to 1.
    pub score: f64,
}

/// The rows that hold each of some names.
struct Holders {
    /// The names, in the order of their first rows.
    names: Vec<u32>,
    /// Where the rows of each name end.
    ends: Vec<usize>,
    rows: Vec<u64>,
}

impl Holders {
    /// Of a column of `count` names.
    fn of(column: &[u32], count: usize) -> Self {
        let named = || column.iter().enumerate().filter(|&(_, &name)| name != NO_NAME);
        let mut ends = vec![0; count + 1];
        named().for_each(|(_, &name)| ends[name as usize + 1] += 1);
        let mut all = 0;
        for end in &mut ends {
            all += *end;
            *end = all;
        }
        let mut next = ends.clone();
        let (mut names, mut rows) = (vec![], vec![0; all]);
        for (row, &name) in named() {
            let at = &mut next[name as usize];
            if *at == ends[name as usize] {
                names.push(name);
            }
            rows[*at] = row as u64;
            *at += 1;
        }
        Self { names, ends, rows }
    }

    /// The bytes that it takes, and once more those of the ends while it is made.
    fn bytes(rows: usize, count: usize) -> usize {
        12 * rows + 16 * count
    }

    fn rows(&self, name: u32) -> &[u64] {
        &self.rows[self.ends[name as usize]..self.ends[name as usize + 1]]
    }
}

/// Two columns of names, linked.
#[derive(Debug)]
pub struct Linkage {
    /// Their names.
    pub names: Names,
    /// The pairs that mean the same.
    pub pairs: Pairs,
    /// The least score of a pair.
    pub threshold: f64,
    symmetric: bool,
}

impl Linkage {
    /// Links the rows of two columns, normalised before; of one with itself if `right` is None,
    /// when each pair of many is given once.
    ///
    /// O(rows · candidates · words²) time beside the products, O(characters + candidates) memory.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for options that cannot be meant; [`Error::OutOfBudget`]; if someone
    /// asks to stop.
    pub fn new(
        left: &Patterns,
        right: Option<&Patterns>,
        options: &Options,
        monitor: &Monitor,
    ) -> Result<Self> {
        options.check()?;
        let mut budget = Budget::new(options.memory);
        let names = Names::new(left, right, &mut budget, monitor)?;
        let alone = right.is_none();
        let count = names.texts.len();
        for side in [&names.left, &names.right] {
            budget.take(Holders::bytes(side.len(), count), "who holds them")?;
        }
        let lefts = Holders::of(&names.left, count);
        let rights = Holders::of(&names.right, count);
        let answers =
            answers(&names, &lefts.names, &rights.names, alone, options, &mut budget, monitor)?;
        let threshold = match options.threshold {
            Some(threshold) => threshold,
            None => {
                let (best, decoys) = observed(&names, &answers, options.symmetric);
                threshold::estimate(&best, &decoys)
            }
        };
        let mut pairs = match options.relation {
            Relation::OneToOne if !alone => {
                let all = answers.iter().flatten().filter(|answer| answer.score >= threshold);
                budget.take(40 * all.count(), "all pairs above the threshold")?;
                one_to_one(&lefts, &rights, &answers, threshold)
            }
            relation => each(&lefts, &rights, &answers, threshold, alone, relation),
        };
        pairs.sort();
        Ok(Self { names, pairs, threshold, symmetric: options.symmetric })
    }

    /// What carries the score of two rows: the pieces of their alignment, and the share of the
    /// 3-grams.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is no such row, or it has no name.
    pub fn explain(&self, left: u64, right: u64) -> Result<Explanation> {
        let name = |column: &[u32], row: u64, side: &str| match column.get(row as usize) {
            None => Err(Error::InvalidInput(format!(
                "{side} is {row}: there are {} rows, numbered from 0",
                column.len()
            ))),
            Some(&NO_NAME) => {
                Err(Error::InvalidInput(format!("{side} is {row}, which has no name")))
            }
            Some(&name) => Ok(name),
        };
        let left = name(&self.names.left, left, "left")?;
        let right = name(&self.names.right, right, "right")?;
        let mut pieces = vec![];
        let mut comparer = Comparer::default();
        let score =
            comparer.pieces(&self.names, left, right, self.symmetric, |piece| pieces.push(piece));
        pieces.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.left.cmp(&b.left)));
        let grams = (score - pieces.iter().map(|piece| piece.score).sum::<f64>()).max(0.0);
        let text = |span: (usize, usize), name: u32| {
            let words = &self.names.words_of(name as usize)[span.0..span.1];
            let words = words.iter().map(|&word| self.names.words[word as usize].letters.iter());
            words.map(Iterator::collect::<String>).collect::<Vec<_>>().join(" ")
        };
        let bits = |span: (usize, usize), name: u32| {
            let words = &self.names.words_of(name as usize)[span.0..span.1];
            let weight = |&word: &u32| self.names.words[word as usize].weight - 1.0;
            words.iter().map(weight).sum::<f64>() / std::f64::consts::LN_2
        };
        let shown = |piece: &Piece| Shown {
            left: text(piece.left, left),
            right: text(piece.right, right),
            similarity: piece.similarity,
            bits: bits(piece.left, left).min(bits(piece.right, right)),
            score: piece.score,
        };
        Ok(Explanation { score, grams, pieces: pieces.iter().map(shown).collect() })
    }
}

/// Two pieces of an explanation, one for the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The words on the left.
    pub left: String,
    /// The words on the right.
    pub right: String,
    /// How alike they are, from 0 to 1.
    pub similarity: f64,
    /// How informative they are: -log2 of the share of names that hold them.
    pub bits: f64,
    /// What they add to the score.
    pub score: f64,
}

/// Why two names are as alike as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// From 0 to 1.
    pub score: f64,
    /// What the 3-grams add to it.
    pub grams: f64,
    /// What words add to it, the most first.
    pub pieces: Vec<Shown>,
}

/// The candidates of each name, compared: best first, then in the order of the right column.
fn answers(
    names: &Names,
    lefts: &[u32],
    rights: &[u32],
    alone: bool,
    options: &Options,
    budget: &mut Budget,
    monitor: &Monitor,
) -> Result<Vec<Vec<Answer>>> {
    let room = lefts.len() * (2 * size_of::<Vec<Answer>>() + 24 * options.candidates);
    budget.take(room, "the candidates")?;
    let blocks = names.blocks(budget, monitor)?;
    let (vectors, features) = match &blocks {
        Some((vectors, features)) => (vectors, *features),
        None => (&names.grams, names.features),
    };
    let space = Space { vectors, items: rights, features };
    let skip = |query: u32, place: u32| alone && rights[place as usize] == query;
    let near = products::nearest(
        &space,
        lefts,
        options.candidates,
        options.least,
        skip,
        budget.left(),
        monitor,
    )?;
    drop(blocks);
    lefts
        .par_iter()
        .zip(near)
        .map_init(Comparer::default, |comparer, (&left, near)| {
            monitor.check()?;
            let mut scored: Vec<(f64, u32)> = near
                .iter()
                .map(|found| {
                    let right = rights[found.item as usize];
                    (comparer.score(names, left, right, options.symmetric), found.item)
                })
                .collect();
            scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            Ok(scored
                .into_iter()
                .map(|(score, place)| Answer { name: rights[place as usize], score })
                .collect())
        })
        .collect()
}

/// The best score of each name, and decoys: of names with a sure answer, the score of the best one
/// that is another name than it, which is what a best score looks like where it means nothing.
fn observed(names: &Names, answers: &[Vec<Answer>], symmetric: bool) -> (Vec<f64>, Vec<f64>) {
    let best = answers.iter().map(|found| found.first().map_or(0.0, |best| best.score)).collect();
    let decoys = answers
        .par_iter()
        .map_init(Comparer::default, |comparer, found| {
            let (first, others) = found.split_first()?;
            if first.score < threshold::SURE {
                return None;
            }
            let other = others.iter().find(|other| {
                comparer.score(names, first.name, other.name, symmetric) < threshold::SAME
            });
            Some(other.map_or(0.0, |other| other.score))
        })
        .flatten()
        .collect();
    (best, decoys)
}

/// The score of an answer, above the best of the others.
fn margin(found: &[Answer], at: usize) -> f64 {
    let other = if at == 0 { found.get(1) } else { found.first() };
    found[at].score - other.map_or(0.0, |other| other.score)
}

fn each(
    lefts: &Holders,
    rights: &Holders,
    answers: &[Vec<Answer>],
    threshold: f64,
    alone: bool,
    relation: Relation,
) -> Pairs {
    let best = relation == Relation::Best && !alone;
    let mut pairs = Pairs::default();
    for (&name, found) in lefts.names.iter().zip(answers) {
        if alone {
            // Equal names are the same without having been compared.
            let rows = lefts.rows(name);
            let margin = 1.0 - found.first().map_or(0.0, |best| best.score);
            for (at, &row) in rows.iter().enumerate() {
                rows[..at].iter().for_each(|&other| pairs.push((other, row), 1.0, margin, 1));
            }
        }
        let mut rank = 0;
        for (at, answer) in found.iter().enumerate() {
            if answer.score < threshold || (best && at > 0) {
                break;
            }
            if at == 0 || answer.score < found[at - 1].score {
                rank = at as u64 + 1;
            }
            let others = rights.rows(answer.name);
            let others = if best { &others[..1] } else { others };
            for &left in lefts.rows(name) {
                for &right in others.iter().filter(|&&right| !alone || left < right) {
                    pairs.push((left, right), answer.score, margin(found, at), rank);
                }
            }
        }
    }
    pairs
}

fn one_to_one(lefts: &Holders, rights: &Holders, answers: &[Vec<Answer>], threshold: f64) -> Pairs {
    let mut all: Vec<(f64, u64, u64, usize, usize)> = vec![];
    for (place, (&name, found)) in lefts.names.iter().zip(answers).enumerate() {
        for (at, answer) in found.iter().enumerate() {
            if answer.score >= threshold {
                let (left, right) = (lefts.rows(name)[0], rights.rows(answer.name)[0]);
                all.push((answer.score, left, right, place, at));
            }
        }
    }
    all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    // How many rows of each name are taken.
    let mut taken_left = vec![0; lefts.ends.len()];
    let mut taken_right = vec![0; rights.ends.len()];
    let mut pairs = Pairs::default();
    for (score, _, _, place, at) in all {
        let (name, found) = (lefts.names[place], &answers[place]);
        let rank = found.iter().filter(|other| other.score > score).count() as u64 + 1;
        let other = found[at].name;
        let rows = &lefts.rows(name)[taken_left[name as usize]..];
        let others = &rights.rows(other)[taken_right[other as usize]..];
        let taken = rows.len().min(others.len());
        for (&left, &right) in rows.iter().zip(others.iter()) {
            pairs.push((left, right), score, margin(found, at), rank);
        }
        taken_left[name as usize] += taken;
        taken_right[other as usize] += taken;
    }
    pairs
}
