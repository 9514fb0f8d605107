//! Counts occurrences.

use rayon::prelude::*;

use crate::error::Result;
use crate::index::Index;
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};

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
            count += part.segment.find(pattern)?.len() as u64;
        }
        Ok(count)
    }

    /// How often each pattern occurs; 0 for null ones.
    ///
    /// # Errors
    /// As [`Index::count`]; [`crate::Error::Interrupted`].
    pub fn count_many(&self, patterns: &Patterns, monitor: &Monitor) -> Result<Vec<u64>> {
        let mut counts = vec![0; patterns.len()];
        counts.par_chunks_mut(BLOCK).enumerate().try_for_each(|(block, counts)| {
            monitor.check()?;
            let range = block * BLOCK..block * BLOCK + counts.len();
            self.check_patterns(patterns, range.clone())?;
            let mut ranks = vec![0..0; counts.len()];
            for part in self.parts() {
                part.segment.find_many(patterns, range.clone(), &mut ranks)?;
                for (count, ranks) in counts.iter_mut().zip(&ranks) {
                    *count += ranks.len() as u64;
                }
            }
            Ok(())
        })?;
        Ok(counts)
    }
}
