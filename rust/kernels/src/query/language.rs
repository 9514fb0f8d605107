//! The unbounded n-gram model (Liu et al. 2024): how often a context goes on with a symbol, backing
//! off to the longest suffix of the context that occurs. The end of a row is a continuation too.

use rayon::prelude::*;

use super::statistics::Reach;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns, Ranks};

/// Prompts handed to a thread at once.
const BLOCK: usize = 1024;

/// Occurrences among which the ones that go on as asked are looked for, rather than in all the text.
const FEW: u64 = 1024;

/// Where the search for the longest suffix that occurs starts; most are not much longer.
const GUESS: usize = 4;

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
    /// How often each prompt goes on as asked; one prompt stands for many, and one text. With `backoff`, it is the longest suffix of each that
    /// occurs which does; the empty one occurs at every symbol and end of a row.
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
        let answered: Vec<Vec<(usize, u64, u64)>> = if prompts.len() == 1 {
            let nexts: Vec<_> = asked.iter().map(|&(_, _, next)| next).collect();
            match prompts.get(0) {
                Some(prompt) => vec![self.predict_all(prompt, &nexts, backoff, monitor)?],
                None => vec![],
            }
        } else {
            asked
                .par_chunks(BLOCK)
                .map(|block| {
                    monitor.check()?;
                    self.predict_block(block, backoff)
                })
                .collect::<Result<_>>()?
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
    ) -> Result<Vec<(usize, u64, u64)>> {
        let length = if backoff { self.longest_suffixes(&[prompt])?[0].0 } else { prompt.len() };
        let context = prompt.slice(prompt.len() - length..prompt.len());
        let mut found = vec![];
        for part in self.parts() {
            found.push((part.segment, part.segment.find(context)?));
        }
        let occurs = found.iter().map(|(_, ranks)| ranks.len()).sum();
        let count = |next: Option<Pattern<'_>>| {
            let mut count = 0;
            for (segment, ranks) in &found {
                count += match next {
                    None => segment.ending(*ranks, length)?,
                    Some(next) if next.len() == 1 && (ranks.len() <= FEW || nexts.len() > 1) => {
                        segment.following(*ranks, length, next.symbol(0))?.len()
                    }
                    Some(next) => {
                        let mut joined = Patterns::like(prompt);
                        joined.push_joined(context, next)?;
                        joined
                            .get(0)
                            .map_or(Ok(0), |joined| segment.find(joined).map(Ranks::len))?
                    }
                };
            }
            Ok((length, occurs, count))
        };
        if let [next] = *nexts {
            return Ok(vec![count(next)?]);
        }
        nexts.par_iter().map(|&next| monitor.check().and_then(|()| count(next))).collect()
    }

    fn predict_block(&self, block: &[Asked<'_>], backoff: bool) -> Result<Vec<(usize, u64, u64)>> {
        let prompts: Vec<Pattern<'_>> = block.iter().map(|&(_, prompt, _)| prompt).collect();
        let contexts = self.contexts(&prompts, backoff)?;
        let mut joined = prompts.first().map_or_else(Patterns::bytes, |&one| Patterns::like(one));
        for (&(_, prompt, next), &(length, _)) in block.iter().zip(&contexts) {
            if let Some(next) = next {
                joined.push_joined(prompt.slice(prompt.len() - length..prompt.len()), next)?;
            }
        }
        let whole: Vec<Pattern<'_>> = (0..joined.len()).filter_map(|at| joined.get(at)).collect();
        let counts = if whole.is_empty() {
            let suffixes = block.iter().zip(&contexts);
            let suffixes: Vec<Pattern<'_>> = suffixes
                .map(|((_, prompt, _), &(length, _))| {
                    prompt.slice(prompt.len() - length..prompt.len())
                })
                .collect();
            self.ends_of(&suffixes)?
        } else {
            self.occurrences_of(&whole)?
        };
        Ok(contexts
            .into_iter()
            .zip(counts)
            .map(|((length, of), count)| (length, of, count))
            .collect())
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

    /// The symbols of each prompt that are its context, counted from its end, and how often that
    /// occurs.
    fn contexts(&self, prompts: &[Pattern<'_>], backoff: bool) -> Result<Vec<(usize, u64)>> {
        if backoff {
            return self.longest_suffixes(prompts);
        }
        let counts = self.occurrences_of(prompts)?;
        Ok(prompts.iter().map(Pattern::len).zip(counts).collect())
    }

    /// The length of the longest suffix of each pattern that occurs, and how often it does.
    ///
    /// What occurs, so do its own suffixes: lengths are doubled, then halved between.
    pub(super) fn longest_suffixes(&self, patterns: &[Pattern<'_>]) -> Result<Vec<(usize, u64)>> {
        let everywhere = self.parts().map(|part| part.segment.symbols() as u64).sum();
        // A length that occurs with its count, and one that does not, or is longer than there are.
        let mut known: Vec<(usize, u64, usize)> =
            patterns.iter().map(|pattern| (0, everywhere, pattern.len() + 1)).collect();
        loop {
            let mut asked = vec![];
            let mut suffixes = vec![];
            for (at, (pattern, &(low, _, high))) in patterns.iter().zip(&known).enumerate() {
                if low + 1 < high {
                    let length = if high > pattern.len() {
                        (2 * low).max(GUESS).min(pattern.len())
                    } else {
                        low.midpoint(high)
                    };
                    asked.push((at, length));
                    suffixes.push(pattern.slice(pattern.len() - length..pattern.len()));
                }
            }
            if asked.is_empty() {
                return Ok(known.into_iter().map(|(length, count, _)| (length, count)).collect());
            }
            for ((at, length), count) in asked.into_iter().zip(self.occurrences_of(&suffixes)?) {
                let (low, occurs, high) = &mut known[at];
                if count > 0 {
                    (*low, *occurs) = (length, count);
                } else {
                    *high = length;
                }
            }
        }
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
        let one = |at: usize| {
            let prompt = prompts.get(at)?;
            Some(monitor.check().and_then(|()| self.distribution(at, prompt, options, monitor)))
        };
        let all: Vec<Distributions> = if prompts.len() == 1 {
            one(0).into_iter().collect::<Result<_>>()?
        } else {
            (0..prompts.len()).into_par_iter().filter_map(one).collect::<Result<_>>()?
        };
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
        let (length, occurs) = self.contexts(&[prompt], options.backoff)?[0];
        let context = prompt.slice(prompt.len() - length..prompt.len());
        let sampled = options.max_support.filter(|&(size, _)| occurs > size as u64);
        let mut found = vec![];
        if let Some((size, seed)) = sampled {
            self.sampled_continuations(context, size, seed, monitor, &mut found)?;
        } else {
            for part in self.parts() {
                let ranks = part.segment.find(context)?;
                part.segment.continuations(ranks, length, &mut found)?;
            }
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
        self.occurrences(context, super::Limit::Sample(size, seed), monitor, |part, positions| {
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
        self.reaches(rows, order, ends, monitor)
    }
}
