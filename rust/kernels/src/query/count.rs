//! Counts occurrences.

use rayon::prelude::*;

use crate::error::Result;
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::kind::Kind;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, Ranks};

/// Patterns handed to a thread at once.
const BLOCK: usize = 4096;

impl Index {
    /// How often a pattern occurs, overlapping occurrences included.
    ///
    /// O(m + log n) a segment.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] or [`crate::Error::UnsupportedType`] if the pattern cannot
    /// be asked of this index; [`crate::Error::Corrupt`].
    ///
    /// # Examples
    /// ```
    /// use bowstring::{Builder, Column, Options, Pattern, Rows};
    /// let mut rows = Builder::new(Column::String, None, false, Options::default(), Default::default())?;
    /// rows.push_bytes(Some(b"banana"))?;
    /// assert_eq!(rows.finish()?.count(Pattern::Bytes(b"ana"))?, 2);
    /// # Ok::<_, bowstring::Error>(())
    /// ```
    pub fn count(&self, pattern: Pattern<'_>) -> Result<u64> {
        self.check_pattern(pattern, None)?;
        let mut count = 0;
        for part in self.parts() {
            count += part.segment.find(pattern)?.len();
        }
        Ok(count)
    }

    /// How often each pattern occurs; 0 for null ones.
    ///
    /// # Errors
    /// As [`Index::count`]; [`crate::Error::Interrupted`].
    pub fn count_many(&self, patterns: &Patterns, monitor: &Monitor) -> Result<Vec<u64>> {
        self.check_patterns(patterns)?;
        monitor.check()?;
        self.sorted_counts(patterns, monitor)
    }

    /// [`Index::count_many`], of empty patterns too, which occur at every symbol and end of a row.
    pub(super) fn sorted_counts(&self, patterns: &Patterns, monitor: &Monitor) -> Result<Vec<u64>> {
        // Neighbours in order share most of their path through the index, and so its cache lines; an
        // FM-index is searched from the patterns' ends.
        let key = match self.kind() {
            Kind::Fm(_) => Pattern::key_from_end,
            Kind::Suffix | Kind::InfiniGram => |pattern: &Pattern<'_>| pattern.key(),
        };
        let all = (0..patterns.len()).into_par_iter().with_min_len(BLOCK);
        let mut order: Vec<(u64, usize)> =
            all.map(|at| (patterns.get(at).map_or(0, |pattern| key(&pattern)), at)).collect();
        order.retain(|&(key, at)| key != 0 || patterns.get(at).is_some());
        if rayon::current_num_threads() == 1 {
            // Half the time of the parallel one.
            order.sort_unstable_by_key(|&(key, _)| key);
        } else {
            order.par_sort_unstable_by_key(|&(key, _)| key);
        }
        let found = in_blocks(&order, BLOCK, monitor, |block| self.count_block(patterns, block))?;
        let mut counts = vec![0; patterns.len()];
        for (&(_, at), &count) in order.iter().zip(found.iter().flatten()) {
            counts[at] = count;
        }
        Ok(counts)
    }

    /// [`Index::occurrences_of`] a column without nulls.
    pub(super) fn counts_of(&self, patterns: &Patterns) -> Result<Vec<u64>> {
        let patterns: Vec<Pattern<'_>> = patterns.valid().map(|(_, pattern)| pattern).collect();
        self.occurrences_of(&patterns)
    }

    /// How often each pattern occurs; an empty one does at every symbol and every end of a row.
    pub(super) fn occurrences_of(&self, patterns: &[Pattern<'_>]) -> Result<Vec<u64>> {
        let mut ranks = vec![Ranks::NONE; patterns.len()];
        let mut counts = vec![0; patterns.len()];
        for part in self.parts() {
            part.segment.find_many(patterns, &mut ranks)?;
            for (count, ranks) in counts.iter_mut().zip(&ranks) {
                *count += ranks.len();
            }
        }
        Ok(counts)
    }

    /// Counts patterns that are given in the order of their keys.
    fn count_block(&self, patterns: &Patterns, block: &[(u64, usize)]) -> Result<Vec<u64>> {
        // Side by side they stay in cache; where they come from they may lie far apart.
        let patterns = patterns.select(block.iter().map(|&(_, at)| at));
        let mut order: Vec<(Pattern<'_>, usize)> = Vec::with_capacity(block.len());
        order.extend(patterns.valid().map(|(at, pattern)| (pattern, at)));
        for same in order.chunk_by_mut(|a, b| block[a.1].0 == block[b.1].0) {
            same.sort_unstable();
        }
        // Columns repeat themselves: each pattern is looked for once.
        let mut distinct: Vec<Pattern<'_>> = Vec::with_capacity(order.len());
        let mut places = Vec::with_capacity(order.len());
        let mut last = None;
        for (pattern, at) in order {
            let same = last == Some(block[at].0) && distinct.last() == Some(&pattern);
            if !same {
                distinct.push(pattern);
            }
            last = Some(block[at].0);
            places.push((at, distinct.len() - 1));
        }
        let found = self.occurrences_of(&distinct)?;
        let mut counts = vec![0; block.len()];
        for (at, nth) in places {
            counts[at] = found[nth];
        }
        Ok(counts)
    }
}
