//! How much of texts stands in an index: n-grams of each length that occur, and what they cover, as
//! the creativity index (Lu et al. 2025) sums it.

use std::collections::HashSet;
use std::ops::Range;

use super::matches::{Boundary, MatchOptions};
use super::statistics::Wanted;
use crate::corpus::Column;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, starts_character};

/// Texts handed to a thread at once.
const BLOCK: usize = 64;

/// How much of texts occurs; one item of each list a text and a length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The text's place in its column.
    pub query: Vec<u64>,
    /// Units of a n-gram.
    pub n: Vec<u64>,
    /// Units of the text.
    pub units: Vec<u64>,
    /// N-grams of the text, and those that occur.
    pub grams: Vec<u64>,
    /// Those that occur.
    pub found: Vec<u64>,
    /// Units in one that does, which are those in any longer one that does too.
    pub covered: Vec<u64>,
}

impl Index {
    /// How much of each text that is not null occurs, in n-grams of each length; of words if `words`,
    /// else of characters, or of symbols where there are none.
    ///
    /// One pass of matching statistics a text, O(log n) a symbol; O(matches) a length.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if a length is 0, or words are asked of tokens;
    /// [`Error::UnsupportedType`] if a text cannot be asked of this index; [`Error::Corrupt`];
    /// [`Error::Interrupted`].
    pub fn coverage(
        &self,
        texts: &Patterns,
        lengths: &[u64],
        words: bool,
        monitor: &Monitor,
    ) -> Result<Coverage> {
        if lengths.contains(&0) {
            return Err(Error::InvalidInput("n is 0: give 1 or more".into()));
        }
        if words && self.column() == Column::Tokens {
            return Err(Error::InvalidInput(
                "unit is \"word\", and this index is over tokens; leave unit out".into(),
            ));
        }
        self.check_kinds("texts", texts)?;
        self.check_utf8("texts", texts)?;
        let wanted = Wanted { longest: usize::MAX, ends: true, sparse: false };
        let reaches = self.reaches(texts, wanted, monitor)?;
        let options = MatchOptions {
            min_length: 1,
            max_count: None,
            boundary: if words { Boundary::Word } else { Boundary::Symbol },
            delimiters: HashSet::new(),
            density: None,
        };
        let places: Vec<usize> = (0..texts.len()).collect();
        let found = in_blocks(&places, BLOCK, monitor, |places| {
            let mut found = Coverage::default();
            for &at in places {
                let Some(text) = texts.get(at) else { continue };
                let before = self.units_before(text, words);
                let units = before[text.len()];
                let spans = self.spans(text, &reaches[at], &options);
                let spans: Vec<Range<u64>> =
                    spans.into_iter().map(|(a, b)| before[a]..before[b]).collect();
                for &n in lengths {
                    let long = || spans.iter().filter(|span| span.end - span.start >= n);
                    found.query.push(at as u64);
                    found.n.push(n);
                    found.units.push(units);
                    found.grams.push((units + 1).saturating_sub(n));
                    found.found.push(united(long().map(|it| it.start..it.end - n + 1)));
                    found.covered.push(united(long().cloned()));
                }
            }
            Ok(found)
        })?;
        let mut all = Coverage::default();
        for found in found {
            all.query.extend(found.query);
            all.n.extend(found.n);
            all.units.extend(found.units);
            all.grams.extend(found.grams);
            all.found.extend(found.found);
            all.covered.extend(found.covered);
        }
        Ok(all)
    }

    /// How many units start before each place of a text.
    fn units_before(&self, text: Pattern<'_>, words: bool) -> Vec<u64> {
        let mut starts = vec![true; text.len()];
        if let Pattern::Bytes(bytes) = text {
            if words {
                starts.fill(false);
                let (mut at, mut inside) = (0, false);
                for chunk in bytes.utf8_chunks() {
                    for character in chunk.valid().chars() {
                        let word = character.is_alphanumeric() || character == '_';
                        starts[at] = word && !inside;
                        inside = word;
                        at += character.len_utf8();
                    }
                    if !chunk.invalid().is_empty() {
                        inside = false;
                        at += chunk.invalid().len();
                    }
                }
            } else if self.column() == Column::String {
                for (start, &byte) in starts.iter_mut().zip(bytes) {
                    *start = starts_character(byte);
                }
            }
        }
        let mut before = Vec::with_capacity(text.len() + 1);
        let mut units = 0;
        before.push(units);
        for start in starts {
            units += u64::from(start);
            before.push(units);
        }
        before
    }
}

/// How many places ranges hold together, which come in the order of their starts.
fn united(ranges: impl Iterator<Item = Range<u64>>) -> u64 {
    let (mut total, mut end) = (0, 0);
    for range in ranges {
        total += range.end.saturating_sub(range.start.max(end));
        end = end.max(range.end);
    }
    total
}
