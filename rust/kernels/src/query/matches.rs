//! Maximal matches: the parts of a text that occur in the index and would not if they were longer.
//! With boundaries and delimiters, the spans of `OLMoTrace` (Liu et al. 2025).

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::context::Symbols;
use super::statistics::{Reach, Wanted};
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, starts_character};

/// Texts handed to a thread at once.
const BLOCK: usize = 64;

/// Spans counted at once.
const SPANS: usize = 1024;

/// Where a span may start and end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Boundary {
    /// Anywhere; in a string column, between two characters.
    #[default]
    Symbol,
    /// Where a word of text does: letters, digits and underscores of Unicode are within one.
    Word,
    /// Before one of these tokens, and at the end.
    Tokens(HashSet<u32>),
}

/// Which matches to give.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatchOptions {
    /// The shortest, in symbols; 1 at least.
    pub min_length: usize,
    /// Those that occur more often are left out.
    pub max_count: Option<u64>,
    /// Where they may start and end.
    pub boundary: Boundary,
    /// Each ends behind the first of these symbols in it, if not before.
    pub delimiters: HashSet<u32>,
    /// Give the least probable ones only, so many for each symbol of the text, rounded up.
    pub density: Option<f64>,
}

/// Spans of texts that occur in the index; one item of each list a span.
#[derive(Clone, Debug)]
pub struct Matches {
    /// The text's place in its column.
    pub query: Vec<u64>,
    /// The first symbol.
    pub start: Vec<u64>,
    /// Behind the last one.
    pub stop: Vec<u64>,
    /// How often the span occurs.
    pub count: Vec<u64>,
    /// The natural logarithm of the product of its symbols' shares of all symbols.
    pub unigram_logprob: Vec<f64>,
    /// The span itself.
    pub matched: Symbols,
}

#[derive(Clone, Copy, Debug)]
struct Match {
    start: usize,
    stop: usize,
    count: u64,
    logprob: f64,
}

impl Index {
    /// The matches of each text, ordered by text and start: none is part of another.
    ///
    /// One pass of matching statistics a text, O(log n) a symbol, and O(log n + length) a match.
    ///
    /// # Errors
    /// [`crate::Error::UnsupportedType`] if a text cannot be asked of this index;
    /// [`crate::Error::Corrupt`]; [`crate::Error::Interrupted`].
    pub fn matches(
        &self,
        texts: &Patterns,
        options: &MatchOptions,
        monitor: &Monitor,
    ) -> Result<Matches> {
        if options.boundary == Boundary::Word && self.column() == Column::Tokens {
            return Err(Error::InvalidInput(
                "boundary is \"word\", and this index is over tokens; give word_starts, the tokens \
                 that begin a word"
                    .into(),
            ));
        }
        if let Some(density) = options.density.filter(|density| !(0.0..=1.0).contains(density)) {
            return Err(Error::InvalidInput(format!(
                "density is {density}; give a number from 0 to 1"
            )));
        }
        if matches!(options.boundary, Boundary::Tokens(_)) && self.column() != Column::Tokens {
            return Err(Error::InvalidInput(format!(
                "word_starts are tokens, and this index is over a {} column; give \
                 boundary=\"word\"",
                self.column().name()
            )));
        }
        self.check_kinds("texts", texts)?;
        self.check_utf8("texts", texts)?;
        let wanted = Wanted { longest: usize::MAX, ends: true, sparse: false };
        let reaches = self.reaches(texts, wanted, monitor)?;
        let places: Vec<usize> = (0..texts.len()).collect();
        let found = in_blocks(&places, BLOCK, monitor, |places| {
            self.matches_of(texts, places, &reaches, options, monitor)
        })?;
        let mut matches = Matches {
            query: vec![],
            start: vec![],
            stop: vec![],
            count: vec![],
            unigram_logprob: vec![],
            matched: Symbols::new(self.column()),
        };
        for (at, found) in found.into_iter().flatten() {
            let Some(text) = texts.get(at) else { continue };
            for one in found {
                matches.query.push(at as u64);
                matches.start.push(one.start as u64);
                matches.stop.push(one.stop as u64);
                matches.count.push(one.count);
                matches.unigram_logprob.push(one.logprob);
                matches.matched.push_pattern(text.slice(one.start..one.stop));
            }
        }
        Ok(matches)
    }

    fn matches_of(
        &self,
        texts: &Patterns,
        places: &[usize],
        reaches: &[Vec<Reach>],
        options: &MatchOptions,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, Vec<Match>)>> {
        let most = options.max_count.unwrap_or(u64::MAX);
        let mut shares = HashMap::new();
        let mut found = vec![];
        for &at in places {
            let Some(text) = texts.get(at) else { continue };
            let spans = self.spans(text, &reaches[at], options);
            let mut matches = vec![];
            for spans in spans.chunks(SPANS) {
                monitor.check()?;
                let patterns: Vec<Pattern<'_>> =
                    spans.iter().map(|&(start, stop)| text.slice(start..stop)).collect();
                let counts = self.occurrences_of(&patterns)?;
                let counted = spans.iter().zip(counts).filter(|&(_, count)| count <= most);
                matches.extend(counted.map(|(&(start, stop), count)| (start, stop, count)));
            }
            if matches.is_empty() {
                continue;
            }
            let sums = self.unigram_logprobs(text, &mut shares)?;
            let mut matches: Vec<Match> = matches
                .into_iter()
                .map(|(start, stop, count)| Match {
                    start,
                    stop,
                    count,
                    logprob: sums[stop] - sums[start],
                })
                .collect();
            if let Some(density) = options.density {
                let keep = (density * text.len() as f64).ceil() as usize;
                matches.sort_by(|a, b| a.logprob.total_cmp(&b.logprob));
                matches.truncate(keep);
                matches.sort_by_key(|one| one.start);
            }
            found.push((at, matches));
        }
        Ok(found)
    }

    /// The spans that no other one holds, of those that options allow.
    ///
    /// O(length of the text).
    pub(super) fn spans(
        &self,
        text: Pattern<'_>,
        reaches: &[Reach],
        options: &MatchOptions,
    ) -> Vec<(usize, usize)> {
        let bounds = self.bounds(text, &options.boundary);
        let delimited = delimited(text, &options.delimiters);
        // Maximal matches end where the next symbol does not follow, and at the end.
        let mut maximal = reaches
            .iter()
            .enumerate()
            .filter(|(at, reach)| reach.length > 0 && (reach.count == 0 || *at == text.len()))
            .map(|(at, reach)| (at - reach.length as usize, at))
            .peekable();
        let mut spans: Vec<(usize, usize)> = vec![];
        let mut next = 0;
        while let Some((start, stop)) = maximal.next() {
            // The longest match from here on ends with this one, until the next one starts.
            let until = maximal.peek().map_or(stop, |&(start, _)| start.min(stop));
            for at in start.max(next)..until {
                next = at + 1;
                if bounds[at] != at {
                    continue;
                }
                let stop = bounds[delimited.get(at).map_or(stop, |&end| stop.min(end))];
                let new = spans.last().is_none_or(|&(_, last)| stop > last);
                if new && stop > at && stop - at >= options.min_length.max(1) {
                    spans.push((at, stop));
                }
            }
        }
        spans
    }

    /// For each place in a text, the last one up to it at which a span may start or end.
    fn bounds(&self, text: Pattern<'_>, boundary: &Boundary) -> Vec<usize> {
        let mut allowed = vec![true; text.len() + 1];
        match (boundary, text) {
            (Boundary::Tokens(starts), _) => {
                for (at, allowed) in allowed[..text.len()].iter_mut().enumerate() {
                    *allowed = starts.contains(&text.symbol(at));
                }
            }
            (Boundary::Word, Pattern::Bytes(bytes)) => between_words(bytes, &mut allowed),
            (_, Pattern::Bytes(bytes)) if self.column() == Column::String => {
                for (allowed, byte) in allowed.iter_mut().zip(bytes) {
                    *allowed = starts_character(*byte);
                }
            }
            _ => {}
        }
        // Before the first one there is none that a span could start at.
        let mut last = usize::MAX;
        let floor = allowed.into_iter().enumerate().map(|(at, allowed)| {
            last = if allowed { at } else { last };
            last
        });
        floor.collect()
    }

    /// For each place in a text, the logarithm of the product of the shares of all symbols that those
    /// before it have; those that the index lacks do not count. `shares` keeps what was asked before.
    fn unigram_logprobs(
        &self,
        text: Pattern<'_>,
        shares: &mut HashMap<u32, f64>,
    ) -> Result<Vec<f64>> {
        let rows: u64 = self.parts().map(|part| part.segment.rows().len() as u64).sum();
        let all: u64 = self.parts().map(|part| part.segment.symbols() as u64).sum();
        let mut unknown = Patterns::like(text);
        for at in 0..text.len() {
            if let Entry::Vacant(entry) = shares.entry(text.symbol(at)) {
                unknown.push(text.slice(at..at + 1))?;
                entry.insert(0.0);
            }
        }
        for (at, count) in self.counts_of(&unknown)?.into_iter().enumerate() {
            if let Some(symbol) = unknown.get(at).filter(|_| count > 0) {
                shares.insert(symbol.symbol(0), (count as f64 / (all - rows) as f64).ln());
            }
        }
        let mut sums = Vec::with_capacity(text.len() + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for at in 0..text.len() {
            sum += shares.get(&text.symbol(at)).copied().unwrap_or(0.0);
            sums.push(sum);
        }
        Ok(sums)
    }
}

/// For each place, behind the first delimiter from there on; empty if there are no delimiters.
fn delimited(text: Pattern<'_>, delimiters: &HashSet<u32>) -> Vec<usize> {
    if delimiters.is_empty() {
        return vec![];
    }
    let mut ends = vec![usize::MAX; text.len()];
    let mut end = usize::MAX;
    for at in (0..text.len()).rev() {
        end = if delimiters.contains(&text.symbol(at)) { at + 1 } else { end };
        ends[at] = end;
    }
    ends
}

/// Forbids the places within words, and within characters.
fn between_words(bytes: &[u8], allowed: &mut [bool]) {
    let mut at = 0;
    let mut before = false;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let word = character.is_alphanumeric() || character == '_';
            allowed[at] = !(before && word);
            allowed[at + 1..at + character.len_utf8()].fill(false);
            at += character.len_utf8();
            before = word;
        }
        if !chunk.invalid().is_empty() {
            at += chunk.invalid().len();
            before = false;
        }
    }
}
