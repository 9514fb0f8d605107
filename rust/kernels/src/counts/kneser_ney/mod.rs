//! N-gram models with modified Kneser-Ney smoothing (Chen and Goodman 1998), interpolated, as
//! lmplz estimates them (Heafield et al. 2013): unpruned, one start and one end a row.
//!
//! One sort of windows numbers all n-grams of all orders. How many distinct tokens stand before an
//! n-gram is counted by going over the n-grams that are one longer, once each: the number of what
//! is left without the first token lies where that one starts, one place on.

mod arpa;
mod score;

use rayon::prelude::*;

use super::intern::Interner;
use super::ngrams::{NONE, Numbered, Orders, number};
use super::tokenise::{END, Sequence};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

use score::Table;
pub use score::{Score, Scorer, join_scores};

/// The tokens that no row has: what is unknown, and where rows start and end.
const SPECIAL: [&str; 3] = ["<unk>", "<s>", "</s>"];
const UNKNOWN: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
/// The longest n-grams of a model.
pub const MAX_MODEL_ORDER: usize = 16;
/// Where the counts of counts give no discounts.
const FALLBACK: [f64; 4] = [0.0, 0.5, 1.0, 1.5];

/// An n-gram model with back-off.
#[derive(Debug)]
pub struct Model {
    order: usize,
    /// `<unk>`, `<s>`, `</s>`, and then the others; a token's number is its place from 1 on.
    words: Interner,
    /// Each n-gram behind what it is without its last token.
    grams: Vec<Gram>,
    /// N-grams of each order.
    counts: Vec<usize>,
    discounts: Vec<[f64; 4]>,
    fallen_back: Vec<bool>,
    table: Table,
}

/// One n-gram: what it is without its last token, and that one; base-10 logarithms.
#[derive(Clone, Copy, Debug)]
struct Gram {
    context: u32,
    word: u32,
    probability: f32,
    backoff: f32,
}

impl Model {
    /// Estimates a model of n-grams up to `order` from rows; null rows do not count. The model
    /// spells tokens as `spell` does.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an order beyond [`MAX_MODEL_ORDER`], no rows, or a token that is
    /// one of the model's own; [`Error::OutOfBudget`]; [`Error::Interrupted`].
    pub fn estimate(
        mut sequence: Sequence,
        order: usize,
        spell: impl Fn(&[u8], &mut Vec<u8>),
        monitor: &Monitor,
    ) -> Result<Self> {
        if !(2..=MAX_MODEL_ORDER).contains(&order) {
            return Err(Error::InvalidInput(format!(
                "order is {order}; give a number from 2 to {MAX_MODEL_ORDER}"
            )));
        }
        if let Some(own) = SPECIAL.iter().find(|own| sequence.words.find(own.as_bytes()).is_ok()) {
            return Err(Error::InvalidInput(format!(
                "the rows hold the token {own}, which the model uses itself; replace it"
            )));
        }
        let mut words = Interner::default();
        for own in SPECIAL {
            words.intern_bytes(own.as_bytes());
        }
        let mut spelt = vec![];
        for at in 0..sequence.words.len() {
            spelt.clear();
            spell(sequence.words.get(at), &mut spelt);
            words.intern_bytes(&spelt);
        }
        let mut symbols = Vec::with_capacity(sequence.symbols.len() + sequence.rows());
        let shift = SPECIAL.len() as u32;
        for row in 0..sequence.rows() {
            let Some((_, tokens)) = sequence.row(row).split_last() else { continue };
            symbols.push(START);
            symbols.extend(tokens.iter().map(|&token| token + shift));
            symbols.extend([STOP, END]);
        }
        if symbols.is_empty() {
            return Err(Error::InvalidInput("there are no rows to estimate a model from".into()));
        }
        let strings = words.strings().clone();
        sequence = Sequence { row_ends: vec![symbols.len()], symbols, words: strings };
        let orders = Orders::new(1, order, false)?;
        let numbered = number(&sequence, orders, monitor)?;
        // Occurrences; then for all but the longest, and those that start a row, what stands before.
        let mut counts = numbered.counts();
        let Numbered { starts, lengths, .. } = &numbered;
        monitor.check()?;
        let symbols = &sequence.symbols;
        for (gram, (&start, &length)) in starts.iter().zip(lengths).enumerate() {
            if usize::from(length) < order && symbols[start as usize] != START {
                counts[gram] = 0;
            }
        }
        let behind: Vec<u32> = starts
            .par_iter()
            .zip(lengths)
            .map(|(&start, &length)| match usize::from(length) {
                1 => NONE,
                length => numbered.at(start as usize + 1, length - 1),
            })
            .collect();
        // What is left of an n-gram never starts a row, so that no count of those changes.
        for &behind in behind.iter().filter(|&&behind| behind != NONE) {
            counts[behind as usize] += 1;
        }
        monitor.check()?;
        let Numbered { shorter, starts, lengths, .. } = numbered;
        let mut grams: Vec<Gram> = Vec::with_capacity(starts.len() + 1);
        for ((context, &start), &length) in shorter.into_iter().zip(&starts).zip(&lengths) {
            let word = symbols[start as usize + usize::from(length) - 1];
            grams.push(Gram { context, word, probability: 0.0, backoff: 0.0 });
        }
        drop(starts);
        smooth(words, order, grams, &lengths, &counts, &behind, monitor)
    }

    /// The longest n-grams.
    pub fn order(&self) -> usize {
        self.order
    }

    /// N-grams of each order.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// Of each order what n-grams of count 1, 2, and 3 or more lose, and whether counts gave no
    /// discounts, so that they are 0.5, 1 and 1.5. None for a model that was read.
    pub fn discounts(&self) -> Vec<([f64; 3], bool)> {
        let discounts = self.discounts.iter().zip(&self.fallen_back);
        discounts.map(|(d, &fallen)| ([d[1], d[2], d[3]], fallen)).collect()
    }
}

/// The tokens of each n-gram.
fn lengths(grams: &[Gram]) -> Vec<u8> {
    let mut lengths: Vec<u8> = Vec::with_capacity(grams.len());
    for gram in grams {
        lengths.push(if gram.context == NONE { 1 } else { lengths[gram.context as usize] + 1 });
    }
    lengths
}

/// Turns counts into probabilities: each order interpolated with the one below, where `left` is
/// what each n-gram is without its first token.
fn smooth(
    words: Interner,
    order: usize,
    mut grams: Vec<Gram>,
    lengths: &[u8],
    counts: &[u32],
    left: &[u32],
    monitor: &Monitor,
) -> Result<Model> {
    let mut totals = vec![0usize; order];
    // How many n-grams of each order have the counts 1 to 4.
    let mut having = vec![[0u64; 5]; order];
    for (gram, (&length, &count)) in grams.iter().zip(lengths.iter().zip(counts)) {
        let of = usize::from(length) - 1;
        totals[of] += 1;
        if (1..=4).contains(&count) && !(of == 0 && gram.word == START) {
            having[of][count as usize] += 1;
        }
    }
    let found: Vec<Option<[f64; 4]>> = having.iter().map(discounts_of).collect();
    let fallen_back: Vec<bool> = found.iter().map(Option::is_none).collect();
    let discounts: Vec<[f64; 4]> = found.into_iter().map(|d| d.unwrap_or(FALLBACK)).collect();
    // Of each context: the counts behind it, and what discounts take from them.
    let mut behind = vec![0u64; grams.len()];
    let mut taken = vec![0f64; grams.len()];
    let (mut all, mut all_taken) = (0u64, 0.0);
    for ((gram, &length), &count) in grams.iter().zip(lengths).zip(counts) {
        let discount = discounts[usize::from(length) - 1][count.min(3) as usize];
        if gram.context != NONE {
            behind[gram.context as usize] += u64::from(count);
            taken[gram.context as usize] += discount;
        } else if gram.word != START {
            all += u64::from(count);
            all_taken += discount;
        }
    }
    monitor.check()?;
    // Unknown tokens and the end of a row are drawn from too; its start is not.
    let kinds = (words.len() - 1) as f64;
    let uniform = all_taken / all as f64 / kinds;
    let mut probability = vec![0f64; grams.len()];
    for tokens in 1..=order {
        monitor.check()?;
        let discounts = discounts[tokens - 1];
        for (at, gram) in grams.iter().enumerate() {
            if usize::from(lengths[at]) != tokens {
                continue;
            }
            let own = f64::from(counts[at]) - discounts[counts[at].min(3) as usize];
            probability[at] = if tokens == 1 {
                if gram.word == START { 1.0 } else { own / all as f64 + uniform }
            } else {
                let context = gram.context as usize;
                let total = behind[context] as f64;
                let lower = probability[left[at] as usize];
                own / total + taken[context] / total * lower
            };
        }
    }
    for (at, gram) in grams.iter_mut().enumerate() {
        gram.probability = probability[at].log10() as f32;
        if behind[at] > 0 {
            gram.backoff = (taken[at] / behind[at] as f64).log10() as f32;
        }
    }
    let unknown = uniform.log10() as f32;
    grams.push(Gram { context: NONE, word: UNKNOWN, probability: unknown, backoff: 0.0 });
    totals[0] += 1;
    let table = Table::new(&grams, words.len())?;
    Ok(Model { order, words, grams, counts: totals, discounts, fallen_back, table })
}

/// Chen and Goodman's discounts of the counts 1, 2, and 3 or more; `None` where counts of counts
/// give none.
fn discounts_of(having: &[u64; 5]) -> Option<[f64; 4]> {
    let t = having.map(|number| number as f64);
    if having[1..].contains(&0) {
        return None;
    }
    let y = t[1] / (t[1] + 2.0 * t[2]);
    let mut discounts = [0.0; 4];
    for k in 1..=3 {
        let discount = k as f64 - (k as f64 + 1.0) * y * t[k + 1] / t[k];
        if !(0.0..=k as f64).contains(&discount) {
            return None;
        }
        discounts[k] = discount;
    }
    Some(discounts)
}
