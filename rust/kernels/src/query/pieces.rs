//! Passages that occur often in rows too many to sort at once: pieces of them are compared two by two.

use rayon::prelude::*;

use super::duplicates::{Gathered, Occurrence, SortedRows};
use crate::container::Block;
use crate::error::Result;
use crate::interrupt::Monitor;
use crate::symbol::Pattern;

/// Places whose lengths are merged by one thread at once.
const STRETCH: usize = 1 << 16;

/// Some of the rows, and how long the texts are that start at each place and occur elsewhere: in all
/// the pieces that this one has met, the longest first.
#[derive(Debug)]
pub struct Piece {
    rows: SortedRows<'static>,
    lengths: Vec<Block<u32>>,
}

impl Piece {
    /// Sorts rows, to be asked for [`Piece::occurrences`].
    ///
    /// # Errors
    /// As [`SortedRows::sort`].
    pub fn sorted(rows: Gathered, monitor: &Monitor) -> Result<Self> {
        Ok(Self { rows: SortedRows::sort(rows, monitor)?, lengths: vec![] })
    }

    /// Takes rows that are to meet others: texts in them have occurred nowhere yet, and `times` places
    /// count.
    ///
    /// # Errors
    /// [`crate::Error::OutOfBudget`].
    pub fn alone(rows: Gathered, times: u64) -> Result<Self> {
        let rows = SortedRows::unsorted(rows);
        let none = |_| Block::<u32>::zeros(rows.symbols());
        let lengths = (0..times).map(none).collect::<Result<Vec<_>>>()?;
        Ok(Self { rows, lengths })
    }

    /// Takes rows whose texts occur in themselves too, beside their own place.
    ///
    /// # Errors
    /// As [`SortedRows::duplicates`].
    pub fn within(rows: Gathered, times: u64, monitor: &Monitor) -> Result<Self> {
        let rows = SortedRows::sort(rows, monitor)?;
        let lengths = rows.lengths(None, times, monitor)?;
        Ok(Self { rows, lengths })
    }

    /// Takes in what occurs in another piece, whose rows stand before these in `both`, up to
    /// `boundary`.
    ///
    /// O(n) time for n symbols of both, beside sorting them, for each of the times.
    ///
    /// # Errors
    /// As [`SortedRows::duplicates`].
    pub fn meet(&mut self, both: Gathered, boundary: usize, monitor: &Monitor) -> Result<()> {
        let both = SortedRows::sort(both, monitor)?;
        let others = both.lengths(Some(boundary), self.lengths.len() as u64, monitor)?;
        drop(both);
        monitor.check()?;
        let stretches = |all: &mut Block<u32>| -> usize { all.len().div_ceil(STRETCH) };
        let count = self.lengths.first_mut().map_or(0, stretches);
        // One stretch of every list at a time, so that threads share none.
        let mut own: Vec<Vec<&mut [u32]>> = (0..count).map(|_| vec![]).collect();
        for lengths in &mut self.lengths {
            for (stretch, part) in own.iter_mut().zip(lengths.items_mut().chunks_mut(STRETCH)) {
                stretch.push(part);
            }
        }
        own.par_iter_mut().enumerate().for_each(|(nth, own)| {
            let from = nth * STRETCH;
            let mut merged = vec![0; own.len()];
            for at in 0..own.first().map_or(0, |own| own.len()) {
                let (mut left, mut right) = (0, 0);
                for merged in &mut merged {
                    let (a, b) = (own[left][at], others[right][from + at]);
                    *merged = a.max(b);
                    if a >= b { left += 1 } else { right += 1 }
                }
                for (own, merged) in own.iter_mut().zip(&merged) {
                    own[at] = *merged;
                }
            }
        });
        Ok(())
    }

    /// The longest passages of at least so many symbols that occur at as many places as count, none
    /// within another of its row: the row, and where they start and stop in it.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn passages(&self, least: usize, monitor: &Monitor) -> Result<Vec<(u64, u64, u64)>> {
        let Some(lengths) = self.lengths.last() else { return Ok(vec![]) };
        let found = self.rows.passages(lengths, 0, least, monitor)?;
        let place = |(row, span): (usize, std::ops::Range<u32>)| {
            let start = self.rows.start(row);
            (row as u64, u64::from(span.start - start), u64::from(span.end - start))
        };
        Ok(found.into_iter().map(place).collect())
    }

    /// How often each text occurs in sorted rows, and the row and place where it first does.
    ///
    /// # Errors
    /// As [`SortedRows::occurrences`].
    pub fn occurrences(&self, texts: &[Pattern<'_>], monitor: &Monitor) -> Result<Vec<Occurrence>> {
        self.rows.occurrences(texts, monitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::duplicates::DuplicateOptions;
    use super::*;
    use crate::corpus::{Column, Rows};

    fn gathered(rows: &[&[Vec<u8>]]) -> Gathered {
        let mut gathered = Gathered::new(Column::String);
        for row in rows.iter().copied().flatten() {
            gathered.push_bytes(Some(row)).unwrap();
        }
        gathered
    }

    proptest! {
        #[test]
        fn pieces_find_what_the_whole_does(
            rows in vec(vec(97_u8..100, 0..20), 1..9),
            least in 1_usize..5,
            count in 2_u64..5,
            size in 1_usize..4,
            other in vec(vec(97_u8..100, 0..20), 1..5),
        ) {
            let monitor = Monitor::default();
            let options = DuplicateOptions { min_length: least, min_count: count };
            let whole = SortedRows::sort(gathered(&[&rows]), &monitor).unwrap();
            let whole = whole.duplicates(options, None, &monitor).unwrap();
            let mut found = vec![];
            for (nth, own) in rows.chunks(size).enumerate() {
                let mut piece = Piece::within(gathered(&[own]), count - 1, &monitor).unwrap();
                for (_, others) in rows.chunks(size).enumerate().filter(|(at, _)| *at != nth) {
                    piece.meet(gathered(&[others, own]), others.len(), &monitor).unwrap();
                }
                let first = (nth * size) as u64;
                let spans = piece.passages(least, &monitor).unwrap();
                found.extend(spans.into_iter().map(|(row, a, b)| (row + first, a, b)));
            }
            let expected: Vec<_> = (0..whole.row.len())
                .map(|at| (whole.row[at], whole.start[at], whole.stop[at]))
                .collect();
            prop_assert_eq!(found, expected);

            let options = DuplicateOptions { min_length: least, min_count: count - 1 };
            let both = SortedRows::sort(gathered(&[&other, &rows]), &monitor).unwrap();
            let whole = both.duplicates(options, Some(other.len()), &monitor).unwrap();
            let mut piece = Piece::alone(gathered(&[&rows]), count - 1).unwrap();
            for others in other.chunks(size) {
                piece.meet(gathered(&[others, &rows]), others.len(), &monitor).unwrap();
            }
            let expected: Vec<_> = (0..whole.row.len())
                .map(|at| (whole.row[at], whole.start[at], whole.stop[at]))
                .collect();
            prop_assert_eq!(piece.passages(least, &monitor).unwrap(), expected);
            for at in 0..whole.row.len() {
                let text = &rows[whole.row[at] as usize];
                let text = &text[whole.start[at] as usize..whole.stop[at] as usize];
                let occurs = |row: &Vec<u8>| row.windows(text.len()).filter(|it| *it == text).count();
                let count: usize = other.iter().map(occurs).sum();
                prop_assert_eq!(whole.count[at], count as u64);
            }
        }
    }
}
