//! Models of fixed n: counts of many orders for many continuations at once, as Superposed Decoding
//! asks for them (Shen et al. 2024), stupid backoff (Brants et al. 2007) and linear interpolation
//! (Jelinek and Mercer 1980).

use super::language::{Asked, Next, joined};
use super::suffixes::Context;
use crate::error::{Error, Result};
use crate::index::{Index, Segment};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, Ranks};

/// Contexts handed to a thread at once.
const BLOCK: usize = 64;

/// Lists of symbols that might come next, `None` among them for the end of a row.
#[derive(Clone, Debug)]
pub enum Candidates {
    /// One list for every context.
    Same(Vec<Option<u32>>),
    /// A list for each context: all symbols, where each list ends among them, and which lists are
    /// null, in order. [`Candidates::each`] makes it.
    Each(Vec<Option<u32>>, Vec<usize>, Vec<usize>),
}

impl Candidates {
    /// A list for each context: all symbols, and how many each list has of them; `None` for a null
    /// one, which has none.
    pub fn each(symbols: Vec<Option<u32>>, lengths: &[Option<u64>]) -> Self {
        let mut end = 0;
        let mut ends = Vec::with_capacity(lengths.len());
        for length in lengths {
            end += length.unwrap_or(0) as usize;
            ends.push(end.min(symbols.len()));
        }
        let nulls = (0..lengths.len()).filter(|&at| lengths[at].is_none()).collect();
        Self::Each(symbols, ends, nulls)
    }

    fn get(&self, at: usize) -> Option<&[Option<u32>]> {
        match self {
            Self::Same(symbols) => Some(symbols),
            Self::Each(symbols, ends, nulls) => {
                let start = if at == 0 { 0 } else { ends[at - 1] };
                nulls.binary_search(&at).is_err().then(|| &symbols[start..ends[at]])
            }
        }
    }
}

/// How often contexts of each order occur, and go on with each candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderCounts {
    /// How often each context goes on so: contexts, orders and candidates, one within another.
    pub numerators: Vec<u64>,
    /// Where the numerators of each context and order end.
    pub ends: Vec<usize>,
    /// How often each context occurs: contexts, and orders within.
    pub denominators: Vec<u64>,
    /// The contexts that are null, or of which the candidates are.
    pub nulls: Vec<usize>,
    /// The places among the denominators of those, and of contexts shorter than the order asks for.
    pub unknown: Vec<usize>,
}

/// How the counts of several orders become one score.
#[derive(Clone, Debug)]
pub enum Smoothing {
    /// The share at the highest order, up to that, at which it is not 0, times the factor for each
    /// order in between.
    StupidBackoff(usize, f64),
    /// The mean of the shares at some orders, which have weights, of those at which the context
    /// occurs.
    Interpolated(Vec<(usize, f64)>),
}

impl Smoothing {
    fn check(&self) -> Result<()> {
        match self {
            Self::StupidBackoff(order, alpha) => {
                check_order("order", *order)?;
                if !(0.0..=1.0).contains(alpha) {
                    return Err(Error::InvalidInput(format!(
                        "alpha is {alpha}; give a number from 0 to 1"
                    )));
                }
            }
            Self::Interpolated(weights) => {
                for &(order, weight) in weights {
                    check_order("weights", order)?;
                    if !(weight >= 0.0 && weight.is_finite()) {
                        return Err(Error::InvalidInput(format!(
                            "weights has {weight} for order {order}; give 0 or more"
                        )));
                    }
                }
                let total = weights.iter().fold(0.0, |total, &(_, weight)| total + weight);
                if total == 0.0 || total.is_infinite() {
                    return Err(Error::InvalidInput(format!(
                        "weights add up to {total}; give a number above 0 for one order at least"
                    )));
                }
            }
        }
        Ok(())
    }
}

fn check_order(name: &str, order: usize) -> Result<()> {
    if order == 0 {
        return Err(Error::InvalidInput(format!(
            "{name}: order 0 has no symbol; give 1 for a model without context, or more"
        )));
    }
    Ok(())
}

/// The context that an order has of a prompt; `None` if that is too short.
fn context(prompt: Pattern<'_>, order: usize) -> Option<Pattern<'_>> {
    (prompt.len() >= order - 1).then(|| prompt.last(order - 1))
}

/// Adds how often suffixes that share their first `depth` symbols go on with each of some symbols.
fn add_continuations(
    segment: &dyn Segment,
    ranks: Ranks,
    depth: usize,
    symbols: &[Option<u32>],
    counts: &mut [u64],
) -> Result<()> {
    if ranks.len() >= symbols.len() as u64 {
        for (count, &symbol) in counts.iter_mut().zip(symbols) {
            *count += match symbol {
                Some(symbol) => segment.following(ranks, depth, symbol)?.len(),
                None => segment.ending(ranks, depth)?,
            };
        }
        return Ok(());
    }
    // Fewer suffixes than symbols go on with fewer symbols still.
    let mut found = vec![];
    segment.continuations(ranks, depth, &mut found)?;
    let key = |symbol: Option<u32>| (symbol.is_none(), symbol);
    for (count, &symbol) in counts.iter_mut().zip(symbols) {
        if let Ok(place) = found.binary_search_by_key(&key(symbol), |&(other, _)| key(other)) {
            *count += found[place].1;
        }
    }
    Ok(())
}

fn share(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

impl Index {
    /// How often each context goes on with each candidate, by the last `n - 1` symbols of it for
    /// each order `n`, and how often those occur.
    ///
    /// O(n + log N) an order, and O(log k) a candidate, for k occurrences; a context that occurs
    /// less often than there are candidates costs what its distinct symbols do.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an order of 0, no orders, or other than a list of candidates a
    /// context; [`Error::UnsupportedType`] if a context cannot be asked of this index;
    /// [`Error::Corrupt`]; [`Error::Interrupted`].
    pub fn order_counts(
        &self,
        contexts: &Patterns,
        orders: &[usize],
        candidates: &Candidates,
        monitor: &Monitor,
    ) -> Result<OrderCounts> {
        self.check_kinds("contexts", contexts)?;
        orders.iter().try_for_each(|&order| check_order("orders", order))?;
        if orders.is_empty() {
            return Err(Error::InvalidInput("orders is empty; give one order at least".into()));
        }
        if let Candidates::Each(_, ends, _) = candidates
            && ends.len() != contexts.len()
        {
            return Err(Error::InvalidInput(format!(
                "candidates has {} lists and contexts has {}: give a list for each, or one list \
                 of symbols for all",
                ends.len(),
                contexts.len()
            )));
        }
        let places: Vec<usize> = (0..contexts.len()).collect();
        let found = in_blocks(&places, BLOCK, monitor, |places| {
            self.order_counts_of(contexts, places, orders, candidates, monitor)
        })?;
        let mut joined = OrderCounts::default();
        for mut found in found {
            let (before, first) = (joined.numerators.len(), joined.denominators.len());
            joined.ends.extend(found.ends.iter().map(|end| before + end));
            joined.unknown.extend(found.unknown.iter().map(|place| first + place));
            joined.nulls.append(&mut found.nulls);
            joined.numerators.append(&mut found.numerators);
            joined.denominators.append(&mut found.denominators);
        }
        Ok(joined)
    }

    fn order_counts_of(
        &self,
        contexts: &Patterns,
        places: &[usize],
        orders: &[usize],
        candidates: &Candidates,
        monitor: &Monitor,
    ) -> Result<OrderCounts> {
        let prompt = |at: usize| candidates.get(at).and_then(|_| contexts.get(at));
        let suffixes: Vec<Option<Pattern<'_>>> = places
            .iter()
            .flat_map(|&at| orders.iter().map(move |&order| context(prompt(at)?, order)))
            .collect();
        let asked: Vec<Pattern<'_>> = suffixes.iter().copied().flatten().collect();
        let mut found = self.find_each(&asked)?.into_iter();
        let mut suffixes = suffixes.into_iter();
        let mut counts = OrderCounts::default();
        for &at in places {
            monitor.check()?;
            if prompt(at).is_none() {
                counts.nulls.push(at);
            }
            // Zeros where there is nothing to count: the lists of equal ones stay equally long.
            let symbols = candidates.get(at).unwrap_or_default();
            for suffix in suffixes.by_ref().take(orders.len()) {
                let from = counts.numerators.len();
                counts.numerators.resize(from + symbols.len(), 0);
                counts.ends.push(counts.numerators.len());
                let Some((suffix, ranks)) = suffix.zip(suffix.and_then(|_| found.next())) else {
                    counts.unknown.push(counts.denominators.len());
                    counts.denominators.push(0);
                    continue;
                };
                let numerators = &mut counts.numerators[from..];
                for (part, &ranks) in self.parts().zip(&ranks) {
                    add_continuations(part.segment, ranks, suffix.len(), symbols, numerators)?;
                }
                counts.denominators.push(Ranks::total(&ranks));
            }
        }
        Ok(counts)
    }

    /// The score of each prompt being followed as asked, by a model of several orders; one prompt
    /// stands for many, and one text. `None` where one of them is null, or no context occurs.
    ///
    /// O(log n) searches a prompt for stupid backoff of order n, two an order for interpolation.
    ///
    /// # Errors
    /// As [`Index::predict`]; [`Error::InvalidInput`] if a text is not of one symbol, for an order
    /// of 0, a factor outside of [0, 1], a negative weight, or no weight above 0.
    pub fn smoothed(
        &self,
        prompts: &Patterns,
        next: Next<'_>,
        smoothing: &Smoothing,
        monitor: &Monitor,
    ) -> Result<Vec<Option<f64>>> {
        smoothing.check()?;
        let (length, asked) = self.asked(prompts, next)?;
        for &(at, _, next) in &asked {
            if let Some(next) = next.filter(|next| next.len() > 1) {
                let token = if length > 1 { format!("token {at}") } else { "token".into() };
                return Err(Error::InvalidInput(format!(
                    "{token} is {} symbols long; give one symbol",
                    next.len()
                )));
            }
        }
        let found = in_blocks(&asked, BLOCK, monitor, |block| match smoothing {
            Smoothing::StupidBackoff(order, alpha) => self.stupid_backoff(block, *order, *alpha),
            Smoothing::Interpolated(weights) => self.interpolated(block, weights),
        })?;
        let mut scores = vec![None; length];
        for ((at, ..), score) in asked.into_iter().zip(found.into_iter().flatten()) {
            scores[at] = score;
        }
        Ok(scores)
    }

    fn stupid_backoff(
        &self,
        block: &[Asked<'_>],
        order: usize,
        alpha: f64,
    ) -> Result<Vec<Option<f64>>> {
        let tails: Vec<Pattern<'_>> =
            block.iter().map(|(_, prompt, _)| prompt.last(order - 1)).collect();
        // The contexts that go on as asked, and how often they do.
        let found = match joined(block.iter().zip(&tails).map(|(one, &tail)| (tail, one.2)))? {
            Some(joined) => {
                let whole: Vec<Pattern<'_>> = joined.valid().map(|(_, one)| one).collect();
                // Where the longest suffix that occurs is empty, the symbol does not.
                let counted = |one: &Context<'_>| match one.text.len() {
                    0 => (0, 0),
                    length => (length - 1, one.count),
                };
                self.longest_suffixes(&whole)?.iter().map(counted).collect()
            }
            None => {
                tails.iter().map(|&tail| self.longest_ended(tail)).collect::<Result<Vec<_>>>()?
            }
        };
        let contexts: Vec<Pattern<'_>> =
            tails.iter().zip(&found).map(|(tail, &(length, _))| tail.last(length)).collect();
        let occurs = self.occurrences_of(&contexts)?;
        Ok(tails
            .iter()
            .zip(found)
            .zip(occurs)
            .map(|((tail, (length, count)), of)| {
                let steps = (tail.len() - length) as f64;
                (of > 0).then(|| alpha.powf(steps) * share(count, of))
            })
            .collect())
    }

    /// The length of the longest suffix at which a row ends somewhere, and how many do.
    fn longest_ended(&self, tail: Pattern<'_>) -> Result<(usize, u64)> {
        let longest = self.longest_suffixes(&[tail])?[0].text.len();
        let ends = |length| Ok::<_, Error>(self.ends_of(&[tail.last(length)])?[0]);
        // Where a row ends behind a text, one does behind its suffixes.
        let (mut low, mut high, mut count) = (0, longest + 1, ends(0)?);
        while low + 1 < high {
            let length = low.midpoint(high);
            match ends(length)? {
                0 => high = length,
                more => (low, count) = (length, more),
            }
        }
        Ok((low, count))
    }

    fn interpolated(
        &self,
        block: &[Asked<'_>],
        weights: &[(usize, f64)],
    ) -> Result<Vec<Option<f64>>> {
        let (mut asked, mut contexts) = (vec![], vec![]);
        for (nth, &(_, prompt, next)) in block.iter().enumerate() {
            for &(order, weight) in weights {
                if let Some(context) = context(prompt, order) {
                    asked.push((nth, weight));
                    contexts.push((context, next));
                }
            }
        }
        let suffixes: Vec<Pattern<'_>> = contexts.iter().map(|&(context, _)| context).collect();
        let counts = match joined(contexts.into_iter())? {
            Some(joined) => self.counts_of(&joined)?,
            None => self.ends_of(&suffixes)?,
        };
        let mut sums = vec![(0.0, 0.0); block.len()];
        for (((nth, weight), count), of) in
            asked.into_iter().zip(counts).zip(self.occurrences_of(&suffixes)?)
        {
            if of > 0 {
                sums[nth].0 += weight * share(count, of);
                sums[nth].1 += weight;
            }
        }
        Ok(sums.into_iter().map(|(sum, weight)| (weight > 0.0).then(|| sum / weight)).collect())
    }
}
