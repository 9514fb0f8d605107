//! Text drawn from the unbounded n-gram model, symbol by symbol.

use rayon::prelude::*;

use super::context::Symbols;
use super::language::DistributionOptions;
use super::sample::priority;
use crate::corpus::{Column, Rows as _};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns, starts_character};

/// How text is drawn.
#[derive(Clone, Copy, Debug)]
pub struct GenerateOptions {
    /// The most symbols to draw.
    pub length: usize,
    /// Counts weigh as their power of one over this: 1 draws as often as the index has it, 0 takes
    /// the most frequent symbol.
    pub temperature: f64,
    /// The draw.
    pub seed: u64,
}

impl Index {
    /// What follows each prompt, drawn from the distribution behind the longest suffix that occurs,
    /// until the end of a row is drawn; null for null prompts.
    ///
    /// O(log m (m + log n) + d log k) a symbol, as [`Index::distributions`]; m is how much of the
    /// text so far occurs.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a temperature below 0; as [`Index::distributions`].
    pub fn generate(
        &self,
        prompts: &Patterns,
        options: GenerateOptions,
        monitor: &Monitor,
    ) -> Result<Symbols> {
        self.check_kinds("prompt", prompts)?;
        let temperature = options.temperature;
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return Err(Error::InvalidInput(format!(
                "temperature is {temperature}; give 0 for the most frequent symbol, or more"
            )));
        }
        let drawn: Vec<Option<Vec<u32>>> = (0..prompts.len())
            .into_par_iter()
            .map(|at| {
                prompts.get(at).map(|prompt| self.continued(prompt, options, monitor)).transpose()
            })
            .collect::<Result<_>>()?;
        let mut texts = Symbols::new(self.column());
        for drawn in drawn {
            match (self.column(), drawn) {
                (_, None) => texts.push_null()?,
                (Column::Tokens, Some(tokens)) => texts.push_pattern(Pattern::Tokens(&tokens)),
                (column, Some(numbers)) => {
                    let bytes: Vec<u8> = numbers.iter().map(|&number| number as u8).collect();
                    if column == Column::String {
                        texts.push_pattern(Pattern::Bytes(whole_characters(&bytes).as_bytes()));
                    } else {
                        texts.push_pattern(Pattern::Bytes(&bytes));
                    }
                }
            }
        }
        Ok(texts)
    }

    fn continued(
        &self,
        prompt: Pattern<'_>,
        options: GenerateOptions,
        monitor: &Monitor,
    ) -> Result<Vec<u32>> {
        let mut text: Vec<u32> = (0..prompt.len()).map(|at| prompt.symbol(at)).collect();
        let backoff = DistributionOptions { backoff: true, max_support: None };
        let mut reach = text.len();
        for step in 0..options.length {
            // What occurs grows by no more than a symbol.
            let mut context = Patterns::like(prompt);
            let tail = &text[text.len() - reach.min(text.len())..];
            if matches!(prompt, Pattern::Tokens(_)) {
                context.push_tokens(Some(tail))?;
            } else {
                let bytes: Vec<u8> = tail.iter().map(|&symbol| symbol as u8).collect();
                context.push_bytes(Some(&bytes))?;
            }
            let next = self.distributions(&context, backoff, monitor)?;
            reach = next.suffix_length.first().map_or(0, |&length| length as usize) + 1;
            let mut nexts: Vec<_> = next.token.into_iter().zip(next.count).collect();
            if self.column() == Column::String {
                let begun = unfinished(&text);
                nexts.retain(|&(next, _)| goes_on(&begun, next));
            }
            match draw(&nexts, options, step) {
                Some(symbol) => text.push(symbol),
                None => break,
            }
        }
        Ok(text.split_off(prompt.len()))
    }
}

/// One of the symbols; `None` if that is what is drawn, or there are none.
fn draw(nexts: &[(Option<u32>, u64)], options: GenerateOptions, step: usize) -> Option<u32> {
    let most = nexts.iter().map(|&(_, count)| count).max()?;
    if options.temperature == 0.0 {
        return nexts.iter().find(|&&(_, count)| count == most)?.0;
    }
    let weight =
        |&(_, count): &(_, u64)| (count as f64 / most as f64).powf(1.0 / options.temperature);
    let total: f64 = nexts.iter().map(weight).sum();
    let mut left = priority(options.seed, step as u64) as f64 / 2_f64.powi(64) * total;
    for next in nexts {
        left -= weight(next);
        if left < 0.0 {
            return next.0;
        }
    }
    nexts.last()?.0
}

/// The bytes of a character that a text ends in the midst of.
fn unfinished(text: &[u32]) -> Vec<u8> {
    let tail: Vec<u8> = text[text.len().saturating_sub(3)..].iter().map(|&one| one as u8).collect();
    let starts = (0..tail.len()).rev().find(|&at| starts_character(tail[at]));
    let begun = starts.map_or(&[][..], |at| &tail[at..]);
    match std::str::from_utf8(begun) {
        Err(error) if error.error_len().is_none() => begun.to_vec(),
        _ => vec![],
    }
}

/// Whether a character that has begun goes on so.
fn goes_on(begun: &[u8], next: Option<u32>) -> bool {
    let Some(next) = next else { return begun.is_empty() };
    let mut bytes = begun.to_vec();
    bytes.push(next as u8);
    std::str::from_utf8(&bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Text without the beginning of a character that it may end in.
fn whole_characters(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() && chunks.peek().is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}
