//! Phrases: n-grams whose tokens stand together more often than by chance, and rows cut into them.

use rayon::prelude::*;

use super::ngrams::{NONE, Numbered, Orders, number};
use super::tokenise::{END, Sequence};
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// How an n-gram is scored, of count `c` among `N` tokens, of which `N_l` places hold `l` tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Association {
    /// Student's t of `p = c / N_l` against the product of the tokens' shares `p'`:
    /// `(p - p') / sqrt(p (1 - p) / N_l)`, as ERNIE-Gram takes it (Xiao et al. 2021).
    T,
    /// Pointwise mutual information: `ln(c / N) - sum of ln(c_i / N)`.
    Pmi,
    /// The same by `-(l - 1) ln(c / N)`, at most 1 (Bouma 2009).
    Npmi,
    /// Log-likelihood ratio of the last token and what is before it (Dunning 1993).
    LogLikelihood,
    /// `(c - least) / (c_before c_last)` times the distinct n-grams of up to `l` tokens: gensim's
    /// default, of Mikolov et al. 2013.
    Mikolov,
}

/// Scored n-grams in the order of lengths, and of each length the best first.
#[derive(Debug)]
pub struct Phrases {
    /// The n-grams as they are in [`Vocabulary`]: sorted.
    pub vocabulary: Vocabulary,
    /// Of each of them, tokens.
    pub length: Vec<u32>,
    /// Occurrences.
    pub count: Vec<u64>,
    /// The score.
    pub score: Vec<f64>,
}

/// What is asked of phrases.
#[derive(Clone, Copy, Debug)]
pub struct PhraseOptions {
    /// The most tokens; the least is 2.
    pub most: usize,
    /// The score.
    pub association: Association,
    /// The fewest occurrences.
    pub least_count: u64,
    /// The most phrases of each length.
    pub top: Option<usize>,
    /// The least score.
    pub threshold: Option<f64>,
}

/// Finds the phrases of a column.
///
/// # Errors
/// [`Error::InvalidInput`] for fewer than 2 tokens; [`Error::OutOfBudget`]; [`Error::Interrupted`].
pub fn phrases(sequence: &Sequence, options: &PhraseOptions, monitor: &Monitor) -> Result<Phrases> {
    let most = options.most;
    if most < 2 {
        return Err(Error::InvalidInput(format!(
            "max_length is {most}; a phrase has 2 tokens or more"
        )));
    }
    let orders = Orders::new(1, most, false)?;
    let numbered = number(sequence, orders, monitor)?;
    let counts = numbered.counts();
    let Numbered { starts, lengths, .. } = &numbered;
    let mut distinct = vec![0u64; most + 1];
    let mut places = vec![0u64; most + 1];
    for (&length, &count) in lengths.iter().zip(&counts) {
        distinct[usize::from(length)] += 1;
        places[usize::from(length)] += u64::from(count);
    }
    for length in 1..=most {
        distinct[length] += distinct[length - 1];
    }
    monitor.check()?;
    let tokens = places[1] as f64;
    let single = |place: usize| f64::from(counts[numbered.at(place, 1) as usize]);
    let mut path = vec![NONE; most + 1];
    let mut found: Vec<(u32, f64)> = vec![];
    for (id, (&start, &length)) in (0u32..).zip(starts.iter().zip(lengths)) {
        let length = usize::from(length);
        path[length] = id;
        let count = counts[id as usize];
        if length < 2 || u64::from(count) < options.least_count.max(1) {
            continue;
        }
        let start = start as usize;
        let count = f64::from(count);
        let before = f64::from(counts[path[length - 1] as usize]);
        let last = single(start + length - 1);
        let apart = || (start..start + length).map(|place| (single(place) / tokens).ln());
        let score = match options.association {
            Association::T => {
                let places = places[length] as f64;
                let p = count / places;
                let by_chance: f64 =
                    (start..start + length).map(|place| single(place) / tokens).product();
                let spread = (p * (1.0 - p) / places).sqrt();
                if spread > 0.0 { (p - by_chance) / spread } else { f64::INFINITY }
            }
            Association::Pmi => (count / tokens).ln() - apart().sum::<f64>(),
            Association::Npmi => {
                let whole = (count / tokens).ln();
                (whole - apart().sum::<f64>()) / (-(length as f64 - 1.0) * whole)
            }
            Association::LogLikelihood => log_likelihood(count, before, last, tokens),
            Association::Mikolov => {
                (count - options.least_count as f64) / (before * last) * distinct[length] as f64
            }
        };
        if options.threshold.is_none_or(|least| score >= least) {
            found.push((id, score));
        }
    }
    if let Some(top) = options.top {
        let mut kept = vec![];
        for length in 2..=most {
            let mut own: Vec<(u32, f64)> = found
                .iter()
                .copied()
                .filter(|&(id, _)| usize::from(lengths[id as usize]) == length)
                .collect();
            let order = |left: &(u32, f64), right: &(u32, f64)| {
                right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
            };
            if own.len() > top && top > 0 {
                own.select_nth_unstable_by(top - 1, order);
            }
            own.truncate(top);
            kept.extend(own);
        }
        kept.sort_unstable_by_key(|&(id, _)| id);
        found = kept;
    }
    let gram = |id: u32| {
        let start = starts[id as usize] as usize;
        &sequence.symbols[start..start + usize::from(lengths[id as usize])]
    };
    let grams = found.iter().map(|&(id, _)| gram(id));
    Ok(Phrases {
        vocabulary: Vocabulary::new(orders, &sequence.words, grams),
        length: found.iter().map(|&(id, _)| lengths[id as usize].into()).collect(),
        count: found.iter().map(|&(id, _)| counts[id as usize].into()).collect(),
        score: found.iter().map(|&(_, score)| score).collect(),
    })
}

/// Dunning's -2 ln λ of a table of two by two, never below 0 but for rounding.
fn log_likelihood(both: f64, left: f64, right: f64, all: f64) -> f64 {
    let cells = [
        (both, left * right),
        (right - both, (all - left) * right),
        (left - both, left * (all - right)),
        (all - left - right + both, (all - left) * (all - right)),
    ];
    let part = |(seen, product): (f64, f64)| {
        // What fills the whole text leaves cells that nothing is expected in: they tell nothing.
        if seen > 0.0 && product > 0.0 { seen * (seen * all / product).ln() } else { 0.0 }
    };
    2.0 * cells.into_iter().map(part).sum::<f64>()
}

/// Pieces of rows: of tokens `start..stop` each, those of row `r` up to `row_ends[r]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    /// The first token.
    pub start: Vec<u32>,
    /// Behind the last token.
    pub stop: Vec<u32>,
    /// Pieces up to the end of each row.
    pub row_ends: Vec<usize>,
}

/// Cuts every row into the fewest pieces, each a phrase or one token; of several ways the one whose
/// first piece is longest, and so on. O(tokens · longest phrase · log phrases).
///
/// # Errors
/// [`Error::Interrupted`].
pub fn segment(phrases: &Vocabulary, sequence: &Sequence, monitor: &Monitor) -> Result<Pieces> {
    let words = phrases.words_ref();
    let places: Vec<u32> = (0..sequence.words.len())
        .map(|at| words.find(sequence.words.get(at)).map_or(END, |at| at as u32 + 1))
        .collect();
    let first = phrases.first_tokens();
    let rows: Vec<Vec<(u32, u32)>> = (0..sequence.rows())
        .into_par_iter()
        .with_min_len(64)
        .map_init(Vec::new, |symbols, row| {
            monitor.check()?;
            symbols.clear();
            let tokens = sequence.row(row).iter().filter(|&&symbol| symbol != END);
            symbols.extend(tokens.map(|&symbol| places[symbol as usize - 1]));
            Ok(fewest(phrases, &first, symbols))
        })
        .collect::<Result<_>>()?;
    let mut pieces = Pieces::default();
    for row in rows {
        pieces.start.extend(row.iter().map(|&(start, _)| start));
        pieces.stop.extend(row.iter().map(|&(_, stop)| stop));
        pieces.row_ends.push(pieces.start.len());
    }
    Ok(pieces)
}

fn fewest(phrases: &Vocabulary, first: &[u32], symbols: &[u32]) -> Vec<(u32, u32)> {
    // From the end on: the fewest pieces from each place, and where its first one stops.
    let mut best = vec![(0u32, 0u32); symbols.len() + 1];
    for start in (0..symbols.len()).rev() {
        let mut own = (best[start + 1].0 + 1, start as u32 + 1);
        phrases.each_prefix(first, &symbols[start..], |length| {
            let pieces = best[start + length].0 + 1;
            // As few with a longer first piece are better.
            if pieces <= own.0 {
                own = (pieces, (start + length) as u32);
            }
        });
        best[start] = own;
    }
    let mut pieces = vec![];
    let mut at = 0;
    while at < symbols.len() {
        let stop = best[at].1;
        pieces.push((at as u32, stop));
        at = stop as usize;
    }
    pieces
}

impl Vocabulary {
    /// Of each token the first n-gram that starts with it, and behind the last token all of them.
    pub(crate) fn first_tokens(&self) -> Vec<u32> {
        let mut first = vec![0u32; self.words_ref().len() + 2];
        for at in 0..self.len() {
            first[self.gram(at)[0] as usize + 1] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        first
    }

    /// Calls `each` with the length of every n-gram that `symbols` start with, shortest first.
    pub(crate) fn each_prefix(&self, first: &[u32], symbols: &[u32], mut each: impl FnMut(usize)) {
        let Some(&token) = symbols.first().filter(|&&token| token != END) else { return };
        let (mut low, mut high) =
            (first[token as usize] as usize, first[token as usize + 1] as usize);
        let mut length = 1;
        while low < high {
            // All of low..high start with the first `length` symbols; the shortest comes first.
            if self.gram(low).len() == length {
                each(length);
                low += 1;
            }
            let Some(&next) = symbols.get(length).filter(|&&next| next != END) else { return };
            let place = |bound: u32| {
                let (mut from, mut to) = (low, high);
                while from < to {
                    let middle = from.midpoint(to);
                    if self.gram(middle)[length] < bound { from = middle + 1 } else { to = middle }
                }
                from
            };
            (low, high) = (place(next), place(next + 1));
            length += 1;
        }
    }
}

/// The pieces as strings end to end, and where each ends; tokens joined by `joint`.
pub fn spell(
    sequence: &Sequence,
    pieces: &Pieces,
    joint: &str,
    write: impl Fn(&[u8], &mut Vec<u8>),
) -> (Vec<u8>, Vec<i64>) {
    let (mut bytes, mut ends) = (vec![], vec![0]);
    let mut from = 0;
    for (row, &to) in pieces.row_ends.iter().enumerate() {
        let symbols = sequence.row(row);
        for at in from..to {
            let span = pieces.start[at] as usize..pieces.stop[at] as usize;
            for (place, &symbol) in symbols[span].iter().enumerate() {
                if place > 0 {
                    bytes.extend_from_slice(joint.as_bytes());
                }
                write(sequence.words.get(symbol as usize - 1), &mut bytes);
            }
            ends.push(bytes.len() as i64);
        }
        from = to;
    }
    (bytes, ends)
}
