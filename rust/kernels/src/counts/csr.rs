//! Counts of a row's n-grams as sparse rows.

use rayon::prelude::*;

use super::ngrams::{MAX_ORDER, NONE, Numbered, Orders, number};
use super::tokenise::{END, Sequence};
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::interrupt::Monitor;

/// Numbers that a thread takes at a time.
const PIECE: usize = 1 << 16;

/// Sparse rows: of row `r` the entries `row_starts[r]..row_starts[r + 1]`, columns ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix<D = i64> {
    /// Where the entries of each row start, and where the last one's end.
    pub row_starts: Vec<usize>,
    /// The columns of the entries.
    pub columns: Vec<u32>,
    /// What stands there.
    pub data: Vec<D>,
}

/// How often each n-gram occurs, and in how many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frequencies {
    /// Occurrences.
    pub count: Vec<u64>,
    /// Rows that have it.
    pub rows: Vec<u64>,
}

/// The n-grams of some rows, numbered and sorted within each row.
#[derive(Debug)]
pub struct Counted {
    sequence: Sequence,
    orders: Orders,
    /// The numbers of every row, sorted; [`NONE`] behind them.
    ids: Vec<u32>,
    /// Numbers a symbol.
    width: usize,
    /// Where each n-gram first occurs and its tokens; empty if an n-gram is a token.
    starts: Vec<u32>,
    lengths: Vec<u8>,
}

impl Counted {
    /// Counts the n-grams of a sequence.
    ///
    /// # Errors
    /// [`crate::Error::OutOfBudget`] for more than 2^32 tokens or n-grams;
    /// [`crate::Error::Interrupted`].
    pub fn new(mut sequence: Sequence, orders: Orders, monitor: &Monitor) -> Result<Self> {
        let numbered = if orders.most == 1 {
            let ids = std::mem::take(&mut sequence.symbols);
            Numbered { ids, starts: vec![], lengths: vec![] }
        } else {
            number(&sequence, orders, monitor)?
        };
        Self::of(sequence, orders, numbered, monitor)
    }

    /// Counts n-grams that have their numbers.
    pub(crate) fn of(
        sequence: Sequence,
        orders: Orders,
        numbered: Numbered,
        monitor: &Monitor,
    ) -> Result<Self> {
        let Numbered { mut ids, starts, lengths } = numbered;
        let single = orders.most == 1;
        let width = orders.width();
        let pieces = pieces_of(&sequence.row_ends);
        let mut rest = &mut ids[..];
        let mut tasks = vec![];
        for (rows, symbols) in &pieces {
            let (mine, others) = rest.split_at_mut(symbols.len() * width);
            tasks.push((rows.clone(), symbols.start, mine));
            rest = others;
        }
        let row_ends = &sequence.row_ends;
        tasks.into_par_iter().try_for_each(|(rows, start, ids)| {
            monitor.check()?;
            if single {
                // From here on numbers are columns.
                for id in &mut *ids {
                    *id = if *id == END { NONE } else { *id - 1 };
                }
            }
            let mut from = 0;
            let mut memory = Sorting::default();
            for row in rows {
                let to = (row_ends[row] - start) * width;
                memory.sort(&mut ids[from..to], width);
                from = to;
            }
            Ok(())
        })?;
        Ok(Self { sequence, orders, ids, width, starts, lengths })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.sequence.rows()
    }

    /// Distinct n-grams.
    pub fn distinct(&self) -> usize {
        if self.orders.most == 1 { self.sequence.distinct() } else { self.starts.len() }
    }

    fn row(&self, row: usize) -> &[u32] {
        let start = row.checked_sub(1).map_or(0, |before| self.sequence.row_ends[before]);
        &self.ids[start * self.width..self.sequence.row_ends[row] * self.width]
    }

    /// The n-grams of a row with their counts, ascending.
    fn entries(&self, row: usize, entries: &mut Vec<(u32, u32)>) {
        entries.clear();
        let width = self.width;
        if width == 1 {
            for run in self.row(row).chunk_by(|left, right| left == right) {
                if run[0] != NONE {
                    entries.push((run[0], run.len() as u32));
                }
            }
            return;
        }
        // Of each order, where the n-gram is that the window before has.
        let mut open = [usize::MAX; MAX_ORDER];
        for window in self.row(row).chunks_exact(width) {
            for (&id, open) in window.iter().zip(&mut open) {
                if id == NONE {
                    break;
                }
                match entries.get_mut(*open) {
                    Some((last, count)) if *last == id => *count += 1,
                    _ => {
                        *open = entries.len();
                        entries.push((id, 1));
                    }
                }
            }
        }
    }

    /// Occurrences of each n-gram, and rows that have it.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn frequencies(&self, monitor: &Monitor) -> Result<Frequencies> {
        let mut found =
            Frequencies { count: vec![0; self.distinct()], rows: vec![0; self.distinct()] };
        let mut entries = vec![];
        for row in 0..self.rows() {
            if row % 1024 == 0 {
                monitor.check()?;
            }
            self.entries(row, &mut entries);
            for &(id, count) in &entries {
                found.count[id as usize] += u64::from(count);
                found.rows[id as usize] += 1;
            }
        }
        Ok(found)
    }

    /// The counts as a sparse matrix; column `columns[id]` of the n-gram `id`, none if that is
    /// `u32::MAX`. The columns of n-grams that stay must ascend, or `sort` be asked for.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn matrix(
        &self,
        columns: Option<&[u32]>,
        binary: bool,
        sort: bool,
        monitor: &Monitor,
    ) -> Result<Matrix> {
        let column = |id: u32| columns.map_or(id, |columns| columns[id as usize]);
        let pieces = pieces_of(&self.sequence.row_ends);
        let lengths: Vec<Vec<usize>> = pieces
            .par_iter()
            .map(|(rows, _)| {
                monitor.check()?;
                let mut entries = vec![];
                let length = |row| {
                    self.entries(row, &mut entries);
                    entries.iter().filter(|&&(id, _)| column(id) != NONE).count()
                };
                Ok(rows.clone().map(length).collect())
            })
            .collect::<Result<_>>()?;
        let mut row_starts = Vec::with_capacity(self.rows() + 1);
        row_starts.push(0);
        let mut sum = 0;
        for length in lengths.iter().flatten() {
            sum += length;
            row_starts.push(sum);
        }
        let mut matrix = Matrix { row_starts, columns: vec![0; sum], data: vec![0; sum] };
        let (mut columns_left, mut data_left) = (&mut matrix.columns[..], &mut matrix.data[..]);
        let mut tasks = vec![];
        for ((rows, _), lengths) in pieces.into_iter().zip(&lengths) {
            let total = lengths.iter().sum();
            let (columns, others) = columns_left.split_at_mut(total);
            columns_left = others;
            let (data, others) = data_left.split_at_mut(total);
            data_left = others;
            tasks.push((rows, columns, data));
        }
        tasks.into_par_iter().try_for_each(|(rows, columns, data)| {
            monitor.check()?;
            let mut at = 0;
            let mut entries = vec![];
            for row in rows {
                self.entries(row, &mut entries);
                for (id, _) in &mut entries {
                    *id = column(*id);
                }
                if sort {
                    entries.sort_unstable();
                }
                for &(id, count) in entries.iter().filter(|&&(id, _)| id != NONE) {
                    columns[at] = id;
                    data[at] = if binary { 1 } else { i64::from(count) };
                    at += 1;
                }
            }
            Ok(())
        })?;
        Ok(matrix)
    }

    /// The n-grams themselves, those only for which `kept` has a column.
    pub fn vocabulary(self, kept: Option<&[u32]>) -> Vocabulary {
        let kept = |id: usize| kept.is_none_or(|kept| kept[id] != NONE);
        let Self { sequence, orders, starts, lengths, ids, .. } = self;
        drop(ids);
        if orders.most == 1 {
            let grams = (0..sequence.distinct()).filter(|&id| kept(id));
            return Vocabulary::new(orders, &sequence.words, grams.map(|id| [id as u32 + 1]));
        }
        let grams = starts.iter().zip(&lengths).enumerate().filter(|(id, _)| kept(*id));
        let grams = grams.map(|(_, (&start, &length))| {
            &sequence.symbols[start as usize..start as usize + usize::from(length)]
        });
        Vocabulary::new(orders, &sequence.words, grams)
    }
}

/// Reused memory of sorting a row's windows.
#[derive(Default)]
struct Sorting {
    keys: Vec<u64>,
    windows: Vec<u32>,
}

impl Sorting {
    /// Sorts windows of n-grams by the longest of each, which is the order of all of them: an
    /// n-gram is numbered before those that it begins.
    fn sort(&mut self, ids: &mut [u32], width: usize) {
        if width == 1 {
            ids.sort_unstable();
            return;
        }
        let Self { keys, windows } = self;
        keys.clear();
        for (at, window) in (0u64..).zip(ids.chunks_exact(width)) {
            let longest = window.iter().rev().find(|&&id| id != NONE).unwrap_or(&NONE);
            keys.push(u64::from(*longest) << 32 | at);
        }
        keys.sort_unstable();
        windows.clear();
        windows.extend_from_slice(ids);
        for (window, key) in ids.chunks_exact_mut(width).zip(keys) {
            let at = (*key & u64::from(u32::MAX)) as usize * width;
            window.copy_from_slice(&windows[at..at + width]);
        }
    }
}

/// Rows cut into pieces of about as many symbols, with the symbols of each.
type Pieces = Vec<(std::ops::Range<usize>, std::ops::Range<usize>)>;

fn pieces_of(row_ends: &[usize]) -> Pieces {
    let mut pieces = vec![];
    let (mut row, mut start) = (0, 0);
    for (at, &end) in row_ends.iter().enumerate() {
        if end - start >= PIECE || at + 1 - row >= PIECE || at + 1 == row_ends.len() {
            pieces.push((row..at + 1, start..end));
            (row, start) = (at + 1, end);
        }
    }
    pieces
}
