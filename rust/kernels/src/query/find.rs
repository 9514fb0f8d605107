//! Where patterns stand in the order of suffixes: what their places are then read from.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, Ranks};

/// Patterns looked for in step, and handed to a thread at once.
const BLOCK: usize = 1024;

/// Occurrences whose places are read together, and handed to a thread at once; a pattern with more
/// comes alone.
const TOGETHER: u64 = 1024;

/// The ranks in each segment of the suffixes that start with patterns.
#[derive(Clone, Debug)]
pub struct PatternRanks {
    /// Of each pattern that is not null its place in the column, and its length.
    patterns: Vec<(u64, u64)>,
    /// Those of one pattern after those of another, of each segment.
    ranks: Vec<Ranks>,
    segments: usize,
}

impl PatternRanks {
    /// How often the patterns occur, all together.
    pub fn occurrences(&self) -> u64 {
        Ranks::total(&self.ranks)
    }

    /// Refuses an index of other segments than those that the ranks are of.
    pub(super) fn check(&self, index: &Index) -> Result<()> {
        let segments = index.parts().count();
        if segments == self.segments {
            return Ok(());
        }
        Err(Error::InvalidInput(format!(
            "found is of an index of {} segments, and this one has {segments}: look for the patterns \
             in the index that is asked",
            self.segments
        )))
    }

    /// A pattern's place in the column, and its length.
    pub(super) fn pattern(&self, nth: usize) -> (u64, u64) {
        self.patterns[nth]
    }

    /// A pattern's ranks in each segment.
    pub(super) fn of(&self, nth: usize) -> &[Ranks] {
        &self.ranks[nth * self.segments..(nth + 1) * self.segments]
    }

    /// Patterns whose places are read together.
    pub(super) fn blocks(&self) -> Vec<Range<usize>> {
        let mut blocks: Vec<Range<usize>> = vec![];
        let mut sum = TOGETHER;
        for nth in 0..self.patterns.len() {
            sum = sum.saturating_add(Ranks::total(self.of(nth)).max(1));
            match blocks.last_mut() {
                Some(block) if sum <= TOGETHER => block.end = nth + 1,
                _ => {
                    sum = Ranks::total(self.of(nth)).max(1);
                    blocks.push(nth..nth + 1);
                }
            }
        }
        blocks
    }
}

impl Index {
    /// Looks for patterns.
    ///
    /// O(m + log n) a pattern and segment.
    ///
    /// # Errors
    /// As [`Index::count`]; [`crate::Error::Interrupted`].
    pub fn find(&self, patterns: &Patterns, monitor: &Monitor) -> Result<PatternRanks> {
        self.check_patterns(patterns)?;
        self.pattern_ranks(patterns, monitor)
    }

    /// [`Index::find`], of empty patterns too.
    pub(super) fn pattern_ranks(
        &self,
        patterns: &Patterns,
        monitor: &Monitor,
    ) -> Result<PatternRanks> {
        let valid: Vec<_> = patterns.valid().collect();
        let ranks = in_blocks(&valid, BLOCK, monitor, |block| {
            let block: Vec<Pattern<'_>> = block.iter().map(|&(_, pattern)| pattern).collect();
            Ok(self.find_each(&block)?.concat())
        })?;
        Ok(PatternRanks {
            patterns: valid.iter().map(|(at, one)| (*at as u64, one.len() as u64)).collect(),
            ranks: ranks.concat(),
            segments: self.parts().count(),
        })
    }

    /// The ranks of each pattern in each segment.
    pub(super) fn find_each(&self, patterns: &[Pattern<'_>]) -> Result<Vec<Vec<Ranks>>> {
        let mut all = vec![vec![]; patterns.len()];
        let mut ranks = vec![Ranks::NONE; patterns.len()];
        for part in self.parts() {
            part.segment.find_many(patterns, &mut ranks)?;
            for (all, &ranks) in all.iter_mut().zip(&ranks) {
                all.push(ranks);
            }
        }
        Ok(all)
    }
}
