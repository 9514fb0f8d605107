//! The unbounded n-gram model (Liu et al. 2024): how often a context goes on with a symbol, backing
//! off to the longest suffix of the context that occurs. The end of a row is a continuation too.

use rayon::prelude::*;

use super::statistics::{Reach, Wanted};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns};

/// Prompts handed to a thread at once.
const BLOCK: usize = 1024;

/// Occurrences among which the ones that go on as asked are looked for, rather than in all the text.
const FEW: u64 = 1024;

/// Prompts whose counts are looked for in order, which takes a copy of them.
const SORTED: usize = 1 << 18;

/// What is asked to come next.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// A text for each prompt.
    Text(&'a Patterns),
    /// The end of the row.
    End,
}

/// The place of a question, its prompt, and what is to come next; `None` for the end of the row.
pub(super) type Asked<'a> = (usize, Pattern<'a>, Option<Pattern<'a>>);

/// The length of a context, how often it occurs, and how often it goes on as asked.
type Prediction = (usize, u64, u64);

/// How often each prompt, or the longest suffix of it that occurs, goes on as asked; one item of
/// each list a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predictions {
    /// Symbols of the suffix.
    pub suffix_length: Vec<u64>,
    /// How often it occurs; 0 for null prompts.
    pub prompt_count: Vec<u64>,
    /// How often it goes on as asked.
    pub count: Vec<u64>,
    /// Prompts that are null, or of which what is asked to come next is.
    pub nulls: Vec<usize>,
}

/// What comes next after each prompt; one item of each list a continuation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distributions {
    /// The prompt's place in its column.
    pub query: Vec<u64>,
    /// The symbol; `None` for the end of a row.
    pub token: Vec<Option<u32>>,
    /// How often the suffix goes on with it.
    pub count: Vec<u64>,
    /// How often the suffix occurs.
    pub prompt_count: Vec<u64>,
    /// Symbols of the suffix.
    pub suffix_length: Vec<u64>,
    /// Whether the counts are estimates.
    pub approximate: Vec<bool>,
}

/// How a distribution is found.
#[derive(Clone, Copy, Debug, Default)]
pub struct DistributionOptions {
    /// Whether to back off to the longest suffix that occurs.
    pub backoff: bool,
    /// The occurrences to look at, where there are more, and the seed that draws them.
    pub max_support: Option<(usize, u64)>,
}

impl Index {
    /// How often each prompt goes on as asked; one prompt stands for many, and one text. With
    /// `backoff` the longest suffix of each that occurs does; the empty one occurs at every symbol
    /// and end of a row.
    ///
    /// O(m + log n) a prompt, O(log m) times that with `backoff`.
    ///
    /// # Errors
    /// [`crate::Error::UnsupportedType`] if a prompt cannot be asked of this index;
    /// [`crate::Error::Corrupt`]; [`crate::Error::Interrupted`].
    pub fn predict(
        &self,
        prompts: &Patterns,
        next: Next<'_>,
        backoff: bool,
        monitor: &Monitor,
    ) -> Result<Predictions> {
        let (length, asked) = self.asked(prompts, next)?;
        let answered: Vec<Vec<Prediction>> = if prompts.len() == 1 {
            let nexts: Vec<_> = asked.iter().map(|&(_, _, next)| next).collect();
            match prompts.get(0) {
                Some(prompt) => vec![self.predict_all(prompt, &nexts, backoff, monitor)?],
                None => vec![],
            }
        } else if backoff || matches!(next, Next::End) {
            in_blocks(&asked, BLOCK, monitor, |block| self.predict_block(block, backoff))?
        } else {
            let pieces = asked.chunks(SORTED).map(|piece| self.predict_whole(piece, monitor));
            pieces.collect::<Result<_>>()?
        };
        let mut predictions = Predictions {
            suffix_length: vec![0; length],
            prompt_count: vec![0; length],
            count: vec![0; length],
            nulls: vec![],
        };
        let mut known = 0;
        for (&(at, ..), (suffix, prompt_count, count)) in asked.iter().zip(answered.concat()) {
            predictions.nulls.extend(known..at);
            known = at + 1;
            predictions.suffix_length[at] = suffix as u64;
            predictions.prompt_count[at] = prompt_count;
            predictions.count[at] = count;
        }
        predictions.nulls.extend(known..length);
        Ok(predictions)
    }

    /// The questions of a column, of those not null, and how many they are with the null ones; one
    /// prompt stands for many, and one text.
    ///
    /// # Errors
    /// As [`Index::predict`].
    pub(super) fn asked<'a>(
        &self,
        prompts: &'a Patterns,
        next: Next<'a>,
    ) -> Result<(usize, Vec<Asked<'a>>)> {
        self.check_kinds("prompt", prompts)?;
        let length = match next {
            Next::Text(texts) => {
                self.check_kinds("token", texts)?;
                match (prompts.len(), texts.len()) {
                    (1, length) | (length, 1) => length,
                    (length, same) if length == same => length,
                    (length, other) => {
                        return Err(Error::InvalidInput(format!(
                            "token has {other} values and prompt has {length}: give as many of one \
                             as of the other, or one alone"
                        )));
                    }
                }
            }
            Next::End => prompts.len(),
        };
        let place = |patterns: &Patterns, at: usize| if patterns.len() == 1 { 0 } else { at };
        let asked: Vec<Asked<'a>> = (0..length)
            .filter_map(|at| {
                let prompt = prompts.get(place(prompts, at))?;
                match next {
                    Next::End => Some((at, prompt, None)),
                    Next::Text(texts) => Some((at, prompt, Some(texts.get(place(texts, at))?))),
                }
            })
            .collect();
        for &(at, _, next) in &asked {
            let at = (length > 1).then_some(at);
            next.map_or(Ok(()), |next| self.check_not_empty("token", next, at))?;
        }
        Ok((length, asked))
    }

    /// How often one prompt goes on as asked, for each of what is asked.
    fn predict_all(
        &self,
        prompt: Pattern<'_>,
        nexts: &[Option<Pattern<'_>>],
        backoff: bool,
        monitor: &Monitor,
    ) -> Result<Vec<Prediction>> {
        let context = &self.contexts(&[prompt], backoff)?[0];
        // Of one symbol a search among all the text is soon done; not so of each of many.
        let most = if nexts.len() > 1 { u64::MAX } else { FEW };
        let count = |next: Option<Pattern<'_>>| {
            let count = match (self.followed(context, next, most)?, next) {
                (Some(count), _) => count,
                (None, next) => {
                    let joined = joined([(context.text, next)].into_iter())?;
                    joined.map_or(Ok(vec![]), |joined| self.counts_of(&joined))?.iter().sum()
                }
            };
            Ok((context.text.len(), context.count, count))
        };
        if let [next] = *nexts {
            return Ok(vec![count(next)?]);
        }
        nexts.par_iter().map(|&next| monitor.check().and_then(|()| count(next))).collect()
    }

    /// How often prompts go on as asked.
    fn predict_block(&self, block: &[Asked<'_>], backoff: bool) -> Result<Vec<Prediction>> {
        let prompts: Vec<Pattern<'_>> = block.iter().map(|&(_, prompt, _)| prompt).collect();
        let contexts = self.contexts(&prompts, backoff)?;
        let mut found = Vec::with_capacity(block.len());
        let mut left = vec![];
        for (at, (&(_, _, next), context)) in block.iter().zip(&contexts).enumerate() {
            let count = self.followed(context, next, 0)?;
            if count.is_none() {
                left.push(at);
            }
            found.push((context.text.len(), context.count, count.unwrap_or(0)));
        }
        if let Some(joined) = joined(left.iter().map(|&at| (contexts[at].text, block[at].2)))? {
            for (at, count) in left.into_iter().zip(self.counts_of(&joined)?) {
                found[at].2 = count;
            }
        }
        Ok(found)
    }

    /// How often whole prompts go on as asked; all of them with a text.
    fn predict_whole(&self, asked: &[Asked<'_>], monitor: &Monitor) -> Result<Vec<Prediction>> {
        let mut patterns: Option<Patterns> = None;
        for &(_, prompt, next) in asked {
            // Side by side in order too: what is read for one is there for the other.
            let patterns = patterns.get_or_insert_with(|| Patterns::like(prompt));
            patterns.push(prompt)?;
            next.map_or(Ok(()), |next| patterns.push_joined(prompt, next))?;
        }
        let counts = patterns.map_or(Ok(vec![]), |all| self.sorted_counts(&all, monitor))?;
        let pairs = asked.iter().zip(counts.chunks_exact(2));
        Ok(pairs.map(|((_, prompt, _), pair)| (prompt.len(), pair[0], pair[1])).collect())
    }

    /// How often a row ends behind each context; ends are no text that could be looked for.
    pub(super) fn ends_of(&self, contexts: &[Pattern<'_>]) -> Result<Vec<u64>> {
        let ends = self.find_each(contexts)?.into_iter().zip(contexts).map(|(ranks, context)| {
            self.parts().zip(ranks).try_fold(0, |count, (part, ranks)| {
                Ok(count + part.segment.ending(ranks, context.len())?)
            })
        });
        ends.collect()
    }

    /// What comes next after each prompt, ordered by query and symbol, ends of rows last; nothing for
    /// null prompts, nor for absent ones without back-off.
    ///
    /// O(m + log n + d log k) for d distinct symbols behind k occurrences: exact without visiting
    /// each one.
    ///
    /// # Errors
    /// As [`Index::predict`].
    pub fn distributions(
        &self,
        prompts: &Patterns,
        options: DistributionOptions,
        monitor: &Monitor,
    ) -> Result<Distributions> {
        self.check_kinds("prompt", prompts)?;
        if let Some((0, _)) = options.max_support {
            return Err(Error::InvalidInput("max_support is 0; give 1 or more".into()));
        }
        let valid: Vec<_> = prompts.valid().collect();
        let all = in_blocks(&valid, 1, monitor, |one| {
            let (at, prompt) = one[0];
            self.distribution(at, prompt, options, monitor)
        })?;
        let mut joined = Distributions::default();
        for mut one in all {
            joined.query.append(&mut one.query);
            joined.token.append(&mut one.token);
            joined.count.append(&mut one.count);
            joined.prompt_count.append(&mut one.prompt_count);
            joined.suffix_length.append(&mut one.suffix_length);
            joined.approximate.append(&mut one.approximate);
        }
        Ok(joined)
    }

    fn distribution(
        &self,
        at: usize,
        prompt: Pattern<'_>,
        options: DistributionOptions,
        monitor: &Monitor,
    ) -> Result<Distributions> {
        let context = &self.contexts(&[prompt], options.backoff)?[0];
        let (length, occurs) = (context.text.len(), context.count);
        let sampled = options.max_support.filter(|&(size, _)| occurs > size as u64);
        let mut found = vec![];
        if let Some((size, seed)) = sampled {
            self.sampled_continuations(context.text, size, seed, monitor, &mut found)?;
        } else {
            self.continuations(context, &mut found)?;
        }
        // Ends of rows last.
        found.sort_unstable_by_key(|&(symbol, _)| (symbol.is_none(), symbol));
        let mut merged: Vec<(Option<u32>, u64)> = vec![];
        for (symbol, count) in found {
            match merged.last_mut() {
                Some((last, sum)) if *last == symbol => *sum += count,
                _ => merged.push((symbol, count)),
            }
        }
        if let Some((size, _)) = sampled {
            for (_, count) in &mut merged {
                *count = (*count as f64 * (occurs as f64 / size as f64)).round() as u64;
            }
        }
        Ok(Distributions {
            query: vec![at as u64; merged.len()],
            prompt_count: vec![occurs; merged.len()],
            suffix_length: vec![length as u64; merged.len()],
            approximate: vec![sampled.is_some(); merged.len()],
            token: merged.iter().map(|&(symbol, _)| symbol).collect(),
            count: merged.into_iter().map(|(_, count)| count).collect(),
        })
    }

    /// The symbols behind a uniform sample of a context's occurrences.
    fn sampled_continuations(
        &self,
        context: Pattern<'_>,
        size: usize,
        seed: u64,
        monitor: &Monitor,
        found: &mut Vec<(Option<u32>, u64)>,
    ) -> Result<()> {
        let ranks = self.pattern_ranks(&Patterns::one(context), monitor)?;
        let limit = super::Limit::Sample(size, seed);
        self.occurrences(&ranks, 0..1, limit, monitor, |_, part, positions| {
            for &position in positions {
                found.push((part.segment.symbol_at(position + context.len() as u64)?, 1));
            }
            Ok(())
        })
    }

    /// Scores every symbol of every row by what the index holds: the longest suffix of what comes
    /// before it in its row that occurs, how often, and how often the symbol comes next. With `ends`,
    /// the end of each row is scored as well. With `order`, contexts are shorter than that.
    ///
    /// One pass a row: a context grows by a symbol or gives up its first ones, and is looked for anew
    /// only then. Many rows go in step, so that their cache misses overlap.
    ///
    /// # Errors
    /// As [`Index::predict`].
    pub fn score(
        &self,
        rows: &Patterns,
        order: Option<usize>,
        ends: bool,
        monitor: &Monitor,
    ) -> Result<Vec<Vec<Reach>>> {
        self.check_kinds("data", rows)?;
        let longest = order.map_or(usize::MAX, |order| order.saturating_sub(1));
        self.reaches(rows, Wanted { longest, ends, sparse: true }, monitor)
    }
}

/// Contexts with what is to come next; `None` if that is the end of the row, or there are none.
pub(super) fn joined<'a>(
    pairs: impl Iterator<Item = (Pattern<'a>, Option<Pattern<'a>>)>,
) -> Result<Option<Patterns>> {
    let mut joined: Option<Patterns> = None;
    for (context, next) in pairs {
        let Some(next) = next else { return Ok(None) };
        joined.get_or_insert_with(|| Patterns::like(context)).push_joined(context, next)?;
    }
    Ok(joined)
}
