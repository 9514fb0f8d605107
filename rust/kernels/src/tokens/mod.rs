//! Tokens split at random into tokens of the same bytes, and tokens merged into bytes: `StochasTok`
//! (Sims et al. 2025).
//!
//! A token splits into every pair of tokens whose bytes, one behind the other, are its own. Of a row
//! of `n` tokens, `n * proportion` times a place of the row as it then is is drawn, and what stands
//! there replaced by one of its pairs, if it has any. To draw a place is to draw one of the pieces
//! whatever their order, so pieces are kept in the order in which they came to be, each with the one
//! behind it; a split is two writes, and one pass at the end puts pieces in order.

use std::collections::HashMap;

use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::interrupt::{Monitor, Phase};
use crate::pool::in_blocks;
use crate::query::Symbols;
use crate::random::Random;
use crate::symbol::{Pattern, Patterns};

#[cfg(test)]
mod tests;

/// Rows that a thread splits at a time.
const BLOCK: usize = 64;

/// Draws, or tokens of a vocabulary, between two looks at whether to stop.
const STRIDE: usize = 1 << 12;

/// No piece.
const NONE: u32 = u32::MAX;

/// What tokens are made of, and what they split into.
#[derive(Debug)]
pub struct Vocabulary {
    /// The bytes of each token by its number; null where no token has it.
    tokens: Patterns,
    /// Where the pairs of each token start, and where the last one's end.
    starts: Vec<u32>,
    pairs: Vec<(u32, u32)>,
}

/// How rows are split.
#[derive(Clone, Copy, Debug)]
pub struct Splitting {
    /// Draws for each token of a row; their number is rounded down.
    pub proportion: f64,
    /// The most splits of a row.
    pub most: u64,
    /// The draw.
    pub seed: u64,
    /// The number of the first row, which the draw of each depends on.
    pub first_row: u64,
}

impl Vocabulary {
    /// The vocabulary of tokens by their numbers, null where there is none; what `whole` is true for
    /// neither splits nor is a part of what does. Of several tokens of the same bytes the first is
    /// the part.
    ///
    /// O(bytes of all tokens · lengths that tokens have) time, 8 bytes a pair.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there are no tokens, or one is empty; [`Error::UnsupportedType`] if
    /// they are not of bytes; [`Error::OutOfBudget`] for more than 2^32 pairs;
    /// [`Error::Interrupted`].
    pub fn new(tokens: Patterns, whole: &[bool], monitor: &Monitor) -> Result<Self> {
        let whole = |at: usize| whole.get(at).copied().unwrap_or(false);
        let mut numbers: HashMap<&[u8], u32> = HashMap::with_capacity(tokens.len());
        let mut lengths = vec![];
        for (at, token) in tokens.valid() {
            let Pattern::Bytes(bytes) = token else {
                return Err(Error::UnsupportedType("vocabulary holds lists; give bytes".into()));
            };
            if whole(at) {
                continue;
            }
            if bytes.is_empty() {
                return Err(Error::InvalidInput(format!(
                    "vocabulary has token {at} without bytes: leave it out, or make it special"
                )));
            }
            numbers.entry(bytes).or_insert(at as u32);
            lengths.push(bytes.len());
        }
        if tokens.valid().next().is_none() {
            return Err(Error::InvalidInput("vocabulary is empty: give tokens".into()));
        }
        lengths.sort_unstable();
        lengths.dedup();
        let longest = lengths.last().copied().unwrap_or(0);
        let mut has = vec![false; longest + 1];
        lengths.iter().for_each(|&length| has[length] = true);
        let mut starts = Vec::with_capacity(tokens.len() + 1);
        starts.push(0);
        let mut pairs = vec![];
        for at in 0..tokens.len() {
            if at % STRIDE == 0 {
                monitor.check()?;
            }
            if let Some(Pattern::Bytes(bytes)) = tokens.get(at).filter(|_| !whole(at)) {
                // Only where both parts are as long as some token: a token of a megabyte would
                // otherwise be hashed a million times.
                for &cut in lengths.iter().take_while(|&&cut| cut < bytes.len()) {
                    if !has[bytes.len() - cut] {
                        continue;
                    }
                    let (left, right) = bytes.split_at(cut);
                    if let (Some(&left), Some(&right)) = (numbers.get(left), numbers.get(right)) {
                        pairs.push((left, right));
                    }
                }
            }
            starts.push(u32::try_from(pairs.len()).map_err(|_| {
                Error::OutOfBudget("vocabulary has tokens that split in 2^32 ways".into())
            })?);
        }
        Ok(Self { tokens, starts, pairs })
    }

    /// Numbers of tokens, those that no token has included.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are none; no vocabulary is.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The pairs that a token splits into, the shortest left part first; none for no token.
    pub fn pairs(&self, token: u32) -> &[(u32, u32)] {
        let at = token as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&start), Some(&stop)) => &self.pairs[start as usize..stop as usize],
            _ => &[],
        }
    }

    /// All pairs: token, left, right.
    pub fn all_pairs(&self) -> impl Iterator<Item = (u32, u32, u32)> {
        (0..self.len() as u32)
            .flat_map(|token| self.pairs(token).iter().map(move |pair| (token, pair.0, pair.1)))
    }

    /// Splits tokens of rows at random; a row's result depends on the seed and its number alone.
    ///
    /// O(tokens · (1 + proportion)) time, and 8 bytes a token.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if a row holds a number that no token has, or `proportion` is
    /// negative or no number; [`Error::UnsupportedType`] if rows hold no tokens;
    /// [`Error::OutOfBudget`] for a row of more than 2^32 tokens; [`Error::Interrupted`].
    pub fn split(
        &self,
        rows: &Patterns,
        splitting: Splitting,
        monitor: &Monitor,
    ) -> Result<Symbols> {
        let proportion = splitting.proportion;
        if !(proportion >= 0.0 && proportion.is_finite()) {
            return Err(Error::InvalidInput(format!(
                "proportion is {proportion}: give a number from 0 on, such as 0.1"
            )));
        }
        self.each(rows, Column::Tokens, monitor, |pieces, row, tokens, found| {
            let mut random = Random::of(splitting.seed, splitting.first_row.wrapping_add(row));
            // Rounded down as Python's int() does, the product in 64 bits.
            let draws = (tokens.len() as f64 * proportion) as u64;
            pieces.split(self, tokens, draws, splitting.most, &mut random, monitor)?;
            pieces.write(tokens.len(), &mut found.tokens);
            found.ends.push(found.tokens.len());
            Ok(())
        })
    }

    /// The bytes of the tokens of each row, end to end.
    ///
    /// # Errors
    /// As [`Vocabulary::split`].
    pub fn merge(&self, rows: &Patterns, monitor: &Monitor) -> Result<Symbols> {
        self.each(rows, Column::Binary, monitor, |_, _, tokens, found| {
            for &token in tokens {
                if let Some(Pattern::Bytes(bytes)) = self.tokens.get(token as usize) {
                    found.bytes.extend_from_slice(bytes);
                }
            }
            found.ends.push(found.bytes.len());
            Ok(())
        })
    }

    fn each(
        &self,
        rows: &Patterns,
        column: Column,
        monitor: &Monitor,
        answer: impl Fn(&mut Pieces, u64, &[u32], &mut Symbols) -> Result<()> + Sync,
    ) -> Result<Symbols> {
        monitor.enter(Phase::Querying, 0, Some(rows.len() as u64));
        let all: Vec<usize> = (0..rows.len()).collect();
        let parts = in_blocks(&all, BLOCK, monitor, |block| {
            let mut found = Symbols::new(column);
            let mut pieces = Pieces::default();
            for &row in block {
                match rows.get(row) {
                    None => found.ends.push(found.bytes.len().max(found.tokens.len())),
                    Some(Pattern::Tokens(tokens)) => {
                        self.check(row, tokens)?;
                        answer(&mut pieces, row as u64, tokens, &mut found)?;
                    }
                    Some(Pattern::Bytes(_)) => {
                        return Err(Error::UnsupportedType(
                            "tokens is a column of text: give lists of token numbers".into(),
                        ));
                    }
                }
            }
            monitor.advance(block.len() as u64);
            Ok(found)
        })?;
        let mut found = Symbols::new(column);
        found.tokens.reserve_exact(parts.iter().map(|part| part.tokens.len()).sum());
        found.bytes.reserve_exact(parts.iter().map(|part| part.bytes.len()).sum());
        found.ends.reserve_exact(rows.len());
        for part in parts {
            let end = found.ends.last().copied().unwrap_or(0);
            found.ends.extend(part.ends.iter().map(|stop| stop + end));
            found.tokens.extend_from_slice(&part.tokens);
            found.bytes.extend_from_slice(&part.bytes);
        }
        found.nulls = rows.nulls().to_vec();
        Ok(found)
    }

    fn check(&self, row: usize, tokens: &[u32]) -> Result<()> {
        let gaps = !self.tokens.nulls().is_empty();
        let unknown = |&&token: &&u32| {
            let at = token as usize;
            at >= self.len() || (gaps && self.tokens.get(at).is_none())
        };
        match tokens.iter().find(unknown) {
            None => Ok(()),
            Some(token) => Err(Error::InvalidInput(format!(
                "row {row} of tokens holds {token}, which the vocabulary has no token for (its \
                 numbers are below {}): give the vocabulary of the tokenizer that made the tokens",
                self.len()
            ))),
        }
    }
}

/// The pieces of a row: its tokens, and behind them what split off, in the order in which it did.
#[derive(Debug, Default)]
struct Pieces {
    tokens: Vec<u32>,
    /// The piece behind each, of what was one token; [`NONE`] behind the last.
    behind: Vec<u32>,
}

impl Pieces {
    fn split(
        &mut self,
        vocabulary: &Vocabulary,
        tokens: &[u32],
        draws: u64,
        most: u64,
        random: &mut Random,
        monitor: &Monitor,
    ) -> Result<()> {
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
        self.behind.clear();
        self.behind.resize(tokens.len(), NONE);
        let splits = |token: u32| usize::from(!vocabulary.pairs(token).is_empty());
        // Draws that cannot split anything change nothing. To count what can costs more than the
        // draws themselves, unless they are many.
        let mut left = None;
        let mut done = 0;
        for draw in 0..draws {
            if done == most || left == Some(0) {
                break;
            }
            if draw % STRIDE as u64 == STRIDE as u64 - 1 {
                monitor.check()?;
            }
            if left.is_none() && draw as usize >= tokens.len() {
                left = Some(self.tokens.iter().map(|&token| splits(token)).sum());
            }
            let at = random.below(self.tokens.len() as u64) as usize;
            let token = self.tokens[at];
            let pairs = vocabulary.pairs(token);
            if pairs.is_empty() {
                continue;
            }
            if self.tokens.len() >= NONE as usize {
                return Err(Error::OutOfBudget(
                    "a row has 2^32 tokens or more when split: cut it, or give a smaller proportion"
                        .into(),
                ));
            }
            let pair = if pairs.len() == 1 { 0 } else { random.below(pairs.len() as u64) as usize };
            let (first, second) = pairs[pair];
            left = left.map(|left| left + splits(first) + splits(second) - 1);
            self.tokens[at] = first;
            self.behind.push(self.behind[at]);
            self.behind[at] = self.tokens.len() as u32;
            self.tokens.push(second);
            done += 1;
        }
        Ok(())
    }

    /// Appends the pieces in order; the first `length` are those that were there before.
    fn write(&self, length: usize, out: &mut Vec<u32>) {
        if self.tokens.len() == length {
            out.extend_from_slice(&self.tokens);
            return;
        }
        out.reserve(self.tokens.len());
        for (&token, &behind) in self.tokens.iter().zip(&self.behind).take(length) {
            out.push(token);
            let mut at = behind;
            while at != NONE {
                out.push(self.tokens[at as usize]);
                at = self.behind[at as usize];
            }
        }
    }
}
