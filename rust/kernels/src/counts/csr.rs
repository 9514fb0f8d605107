//! Counts of a row's n-grams as sparse rows.

use rayon::prelude::*;

use super::ngrams::{NONE, Numbered, Orders, number};
use super::tokenise::{END, Sequence};
use super::vocabulary::Vocabulary;
use crate::container::Block;
use crate::error::{Error, Result};
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

impl<D> Matrix<D> {
    /// Columns up to the last one that has an entry.
    pub fn width(&self) -> usize {
        let pieces = self.columns.par_chunks(PIECE);
        let last = pieces.map(|columns| columns.iter().max().map_or(0, |&last| last as usize + 1));
        last.max().unwrap_or(0)
    }
}

/// How often each n-gram occurs, and in how many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frequencies {
    /// Occurrences.
    pub count: Vec<u64>,
    /// Rows that have it.
    pub rows: Vec<u64>,
}

/// The n-grams of some rows, numbered and counted within each row.
#[derive(Debug)]
pub struct Counted {
    sequence: Sequence,
    orders: Orders,
    /// Gone once they are a matrix.
    entries: Option<Vec<Piece>>,
    /// Where each n-gram first occurs and its tokens; empty if an n-gram is a token.
    starts: Vec<u32>,
    lengths: Vec<u8>,
}

/// Some rows, and what is counted in them.
#[derive(Debug, Default)]
struct Piece {
    /// N-grams of each row.
    lengths: Vec<u32>,
    /// The n-grams, ascending in each row: first as they come, and then apart from all other
    /// memory, so that the system has it back at once.
    coming: Vec<u32>,
    ids: Block<u32>,
    /// How often each occurs, up to [`MANY`], and those that occur so often with their places.
    counts: Vec<u8>,
    many: Vec<(usize, u32)>,
}

/// What a byte says of a count that does not fit it.
const MANY: u8 = u8::MAX;

impl Piece {
    /// Adds an n-gram of a row that [`Piece::end_row`] then ends.
    fn push(&mut self, id: u32, count: u32) {
        if count >= u32::from(MANY) {
            self.many.push((self.counts.len(), count));
        }
        self.coming.push(id);
        self.counts.push(count.min(MANY.into()) as u8);
    }

    /// Says how often the n-gram at a place occurs.
    fn set(&mut self, at: usize, count: u32) {
        if count >= u32::from(MANY) {
            self.many.push((at, count));
        }
        self.counts[at] = count.min(MANY.into()) as u8;
    }

    /// Ends a row whose n-grams are those from `from` on.
    fn end_row(&mut self, from: usize) {
        self.lengths.push((self.coming.len() - from) as u32);
    }

    /// Ends the piece.
    fn end(&mut self) -> Result<()> {
        self.many.sort_unstable();
        self.counts.shrink_to_fit();
        self.ids = Block::zeros(self.coming.len())?;
        self.ids.items_mut().copy_from_slice(&std::mem::take(&mut self.coming));
        Ok(())
    }

    /// Of each row where its n-grams are, from the start of the piece on.
    fn rows(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let mut from = 0;
        self.lengths.iter().map(move |&length| {
            let row = from..from + length as usize;
            from = row.end;
            row
        })
    }

    /// Calls `each` with every n-gram's place and count.
    fn each(&self, mut each: impl FnMut(usize, u32)) {
        let mut many = self.many.iter();
        for (at, &count) in self.counts.iter().enumerate() {
            let count = match count {
                MANY => many.next().map_or(0, |&(_, count)| count),
                count => count.into(),
            };
            each(at, count);
        }
    }
}

impl Counted {
    /// Counts the n-grams of a sequence.
    ///
    /// # Errors
    /// [`Error::OutOfBudget`] for more than 2^32 tokens or n-grams; [`Error::Interrupted`].
    pub fn new(mut sequence: Sequence, orders: Orders, monitor: &Monitor) -> Result<Self> {
        let numbered = if orders.most == 1 {
            Numbered { longest: std::mem::take(&mut sequence.symbols), ..Numbered::default() }
        } else {
            number(&sequence, orders, monitor)?
        };
        Self::of(sequence, orders, numbered, monitor)
    }

    /// Counts n-grams that have their numbers; those of single tokens are one less than theirs.
    pub(crate) fn of(
        sequence: Sequence,
        orders: Orders,
        numbered: Numbered,
        monitor: &Monitor,
    ) -> Result<Self> {
        let Numbered { mut longest, shorter, starts, lengths } = numbered;
        let distinct = if orders.most == 1 { sequence.distinct() } else { starts.len() };
        let mut rest = &mut longest[..];
        let mut tasks = vec![];
        for (rows, symbols) in pieces_of(&sequence.row_ends) {
            let (mine, others) = rest.split_at_mut(symbols.len());
            tasks.push((rows, symbols.start, mine));
            rest = others;
        }
        let row_ends = &sequence.row_ends;
        let entries = tasks
            .into_par_iter()
            .map(|(rows, start, longest)| {
                monitor.check()?;
                let width = orders.most + 1 - orders.least;
                let mut piece = Piece {
                    coming: Vec::with_capacity(longest.len() * width),
                    counts: Vec::with_capacity(longest.len() * width),
                    ..Piece::default()
                };
                let shorter = (orders.most > 1).then_some(&shorter[..]);
                let mut counting = Counting::new(distinct, shorter, width);
                let mut rest = longest;
                let mut from = start;
                for row in rows {
                    let (own, others) = rest.split_at_mut(row_ends[row] - from);
                    rest = others;
                    from = row_ends[row];
                    counting.row(own, &mut piece);
                }
                piece.end()?;
                Ok(piece)
            })
            .collect::<Result<_>>()?;
        Ok(Self { sequence, orders, entries: Some(entries), starts, lengths })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.sequence.rows()
    }

    /// Distinct n-grams.
    pub fn distinct(&self) -> usize {
        if self.orders.most == 1 { self.sequence.distinct() } else { self.starts.len() }
    }

    /// Occurrences of each n-gram, and rows that have it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] once [`Counted::matrix`] was asked for; [`Error::Interrupted`].
    pub fn frequencies(&self, monitor: &Monitor) -> Result<Frequencies> {
        let mut found =
            Frequencies { count: vec![0; self.distinct()], rows: vec![0; self.distinct()] };
        for piece in self.entries.as_ref().ok_or_else(taken)? {
            monitor.check()?;
            piece.each(|at, count| {
                found.count[piece.ids[at] as usize] += u64::from(count);
                found.rows[piece.ids[at] as usize] += 1;
            });
        }
        Ok(found)
    }

    /// The counts as a sparse matrix, once; column `columns[id]` of the n-gram `id`, none if that
    /// is `u32::MAX`. The columns of n-grams that stay must ascend, or `sort` be asked for.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the second time; [`Error::Interrupted`].
    pub fn matrix(
        &mut self,
        columns: Option<&[u32]>,
        binary: bool,
        sort: bool,
        monitor: &Monitor,
    ) -> Result<Matrix> {
        let mut pieces = self.entries.take().ok_or_else(taken)?;
        if let Some(columns) = columns {
            pieces.par_iter_mut().try_for_each(|piece| {
                monitor.check()?;
                *piece = piece.kept(columns, sort)?;
                Ok(())
            })?;
        }
        let total: usize = pieces.iter().map(|piece| piece.ids.len()).sum();
        let mut matrix = Matrix { row_starts: vec![0], columns: vec![0; total], data: vec![] };
        let mut sum = 0;
        for &length in pieces.iter().flat_map(|piece| &piece.lengths) {
            sum += length as usize;
            matrix.row_starts.push(sum);
        }
        let mut rest = &mut matrix.columns[..];
        let mut tasks = vec![];
        for piece in &mut pieces {
            let (mine, others) = rest.split_at_mut(piece.ids.len());
            rest = others;
            tasks.push((mine, piece));
        }
        tasks.into_par_iter().for_each(|(columns, piece)| {
            // Gone once they are copied: the counts will take twice as much.
            columns.copy_from_slice(&std::mem::take(&mut piece.ids));
        });
        monitor.check()?;
        matrix.data = vec![0; total];
        let mut rest = &mut matrix.data[..];
        let mut tasks = vec![];
        for piece in pieces {
            let (mine, others) = rest.split_at_mut(piece.counts.len());
            rest = others;
            tasks.push((mine, piece));
        }
        tasks.into_par_iter().for_each(|(data, piece)| {
            if binary {
                data.fill(1);
            } else {
                piece.each(|at, count| data[at] = count.into());
            }
        });
        Ok(matrix)
    }

    /// The n-grams themselves, those only for which `kept` has a column.
    pub fn vocabulary(self, kept: Option<&[u32]>) -> Vocabulary {
        let Self { sequence, orders, starts, lengths, entries } = self;
        drop(entries);
        if orders.most == 1 {
            return Vocabulary::of_words(orders, sequence.words, kept);
        }
        Vocabulary::of_windows(orders, sequence, &starts, &lengths, kept)
    }
}

fn taken() -> Error {
    Error::InvalidInput("the counts were taken before; count again".into())
}

impl Piece {
    /// The same with n-grams that are columns, without those that have none.
    fn kept(&self, columns: &[u32], sort: bool) -> Result<Self> {
        let mut all = Vec::with_capacity(self.counts.len());
        self.each(|_, count| all.push(count));
        let mut kept = Self::default();
        let mut entries = vec![];
        for row in self.rows() {
            entries.clear();
            let found = row.map(|at| (columns[self.ids[at] as usize], all[at]));
            entries.extend(found.filter(|&(column, _)| column != NONE));
            if sort {
                entries.sort_unstable();
            }
            let from = kept.coming.len();
            entries.iter().for_each(|&(column, count)| kept.push(column, count));
            kept.end_row(from);
        }
        kept.end()?;
        Ok(kept)
    }
}

/// Counts the n-grams of one row at a time.
struct Counting<'a> {
    distinct: usize,
    /// Of each n-gram what it is without its last token; `None` if n-grams are tokens.
    shorter: Option<&'a [u32]>,
    spare: Vec<u32>,
    path: Vec<u32>,
    open: Vec<Open>,
}

/// An n-gram that what comes next may begin with.
#[derive(Clone, Copy)]
struct Open {
    id: u32,
    /// Occurrences so far, and where they are told.
    count: u32,
    at: usize,
}

impl<'a> Counting<'a> {
    fn new(distinct: usize, shorter: Option<&'a [u32]>, width: usize) -> Self {
        let (path, open) = (Vec::with_capacity(width), Vec::with_capacity(width));
        Self { distinct, shorter, spare: vec![], path, open }
    }

    /// Adds a row, of which `longest` are the longest n-grams that start at each place.
    fn row(&mut self, longest: &mut [u32], piece: &mut Piece) {
        let Self { distinct, shorter, spare, path, open } = self;
        let from = piece.coming.len();
        sort(longest, spare, *distinct);
        let runs = longest.chunk_by(|left, right| left == right);
        let Some(shorter) = shorter else {
            for run in runs.filter(|run| run[0] != END) {
                piece.push(run[0] - 1, run.len() as u32);
            }
            piece.end_row(from);
            return;
        };
        // An n-gram is numbered before those that it begins: what is open is what the last one
        // begins with, shortest first.
        for run in runs.take_while(|run| run[0] != NONE) {
            let count = run.len() as u32;
            path.clear();
            let mut id = run[0];
            while id != NONE {
                path.push(id);
                id = shorter[id as usize];
            }
            let same = path.iter().rev().zip(&*open).take_while(|(id, open)| **id == open.id);
            let shared = same.count();
            for done in open.drain(shared..) {
                piece.set(done.at, done.count);
            }
            for open in &mut *open {
                open.count += count;
            }
            for &id in path.iter().rev().skip(shared) {
                open.push(Open { id, count, at: piece.coming.len() });
                piece.push(id, 0);
            }
        }
        for done in open.drain(..) {
            piece.set(done.at, done.count);
        }
        piece.end_row(from);
    }
}

/// Sorts numbers below `distinct`, and [`NONE`] behind them: in passes over digits where there are
/// many.
fn sort(numbers: &mut [u32], spare: &mut Vec<u32>, distinct: usize) {
    const DIGIT: u32 = 8;
    if numbers.len() < 256 {
        numbers.sort_unstable();
        return;
    }
    spare.clear();
    spare.resize(numbers.len(), 0);
    let (mut from, mut to) = (&mut *numbers, &mut spare[..]);
    let mut swapped = false;
    // The bits of what is none tell it from all others too.
    for shift in (0..usize::BITS - distinct.leading_zeros()).step_by(DIGIT as usize) {
        let mut places = [0u32; 1 << DIGIT];
        for number in from.iter() {
            places[(number >> shift & 0xFF) as usize] += 1;
        }
        let mut sum = 0;
        for place in &mut places {
            sum += std::mem::replace(place, sum);
        }
        for &number in from.iter() {
            let place = &mut places[(number >> shift & 0xFF) as usize];
            to[*place as usize] = number;
            *place += 1;
        }
        std::mem::swap(&mut from, &mut to);
        swapped = !swapped;
    }
    if swapped {
        to.copy_from_slice(from);
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
