//! Passages that occur more than once in a column, and what to take out of it so that they do not.
//!
//! One suffix array of all rows and its common prefixes tell of each place how long a text from
//! there on occurs elsewhere (Lee et al. 2022 look at windows of one length), or stands earlier.
//! No passage runs over the end of a row, and none of a string column cuts a character.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use rayon::prelude::*;

use super::context::Symbols;
use crate::container::Block;
use crate::corpus::{Column, Corpus, CorpusBuilder, MAX_SYMBOLS, Rows, Text};
use crate::error::{Error, Result};
use crate::index::{Index, SortedText};
use crate::interrupt::{Monitor, Phase};
use crate::suffix::{lcp, sort};
use crate::symbol::{Pattern, Patterns, Symbol, starts_character};

/// Rows looked at by one thread at once.
const BLOCK: usize = 256;

/// Which of several copies of a passage stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// None of them.
    None,
    /// The one in the lowest row, and there the first.
    #[default]
    First,
    /// The one in the longest row; of rows as long, in the lowest.
    Longest,
}

/// Which passages count as duplicates.
#[derive(Clone, Copy, Debug)]
pub struct DuplicateOptions {
    /// The shortest, in symbols; 1 at least.
    pub min_length: usize,
    /// How often they occur at least; 2 at least.
    pub min_count: u64,
}

/// Passages that occur several times; one item of each list a passage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Its row.
    pub row: Vec<u64>,
    /// The first symbol.
    pub start: Vec<u64>,
    /// Behind the last one.
    pub stop: Vec<u64>,
    /// How often it occurs in all rows.
    pub count: Vec<u64>,
    /// The same number for the same passage, from 0 on in the order in which they first appear.
    pub group: Vec<u64>,
}

/// Spans to take out; one item of each list a span. Spans of a row do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// Its row.
    pub row: Vec<u64>,
    /// The first symbol.
    pub start: Vec<u64>,
    /// Behind the last one.
    pub stop: Vec<u64>,
    /// The first row, or the longest if that is kept, with a copy of the shortest passage that the
    /// span begins with.
    pub copy_row: Vec<u64>,
    /// Where in it the copy starts.
    pub copy_start: Vec<u64>,
}

/// Gathers rows that are to be sorted together.
#[derive(Debug)]
pub struct Gathered(CorpusBuilder);

impl Gathered {
    /// No rows yet.
    pub fn new(column: Column) -> Self {
        Self(CorpusBuilder::new(column, 0))
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// Adds the rows of an index.
    ///
    /// # Errors
    /// [`Error::OutOfBudget`] if they are too many; [`Error::UnsupportedType`] if they are of
    /// another kind; [`Error::Corrupt`].
    pub fn push_index(&mut self, index: &Index) -> Result<()> {
        if index.column() != self.0.column() {
            return Err(Error::UnsupportedType(format!(
                "against is over a {} column, and data is a {} column; give two of one kind",
                index.column().name(),
                self.0.column().name()
            )));
        }
        index.parts().try_for_each(|part| part.segment.read_rows(index.column(), self))
    }

    fn make_room(&self, symbols: usize) -> Result<()> {
        if self.0.symbols() + symbols >= MAX_SYMBOLS {
            return Err(Error::OutOfBudget(format!(
                "the rows up to row {} have more than {MAX_SYMBOLS} symbols, which are all that are \
                 sorted at once; ask for fewer rows at a time",
                self.0.rows()
            )));
        }
        Ok(())
    }
}

impl Rows for Gathered {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        self.make_room(row.map_or(0, <[u8]>::len))?;
        self.0.push_bytes(row)
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        self.make_room(row.map_or(0, <[u32]>::len))?;
        self.0.push_tokens(row)
    }
}

/// Rows, sorted: the text, its suffix array, and where rows end.
#[derive(Debug)]
pub struct SortedRows<'a> {
    column: Column,
    held: Held<'a>,
}

#[derive(Debug)]
enum Held<'a> {
    /// What a segment holds.
    Segment(SortedText<'a>, &'a [u32]),
    /// What was sorted for the purpose.
    Own(Corpus, Block<u32>),
}

/// Does the same with a text of symbols of any width.
macro_rules! with_text {
    ($sorted:expr, |$text:ident| $do:expr) => {
        match $sorted.text() {
            SortedText::U8($text, _) => $do,
            SortedText::U16($text, _) => $do,
            SortedText::U32($text, _) => $do,
        }
    };
}

impl<'a> SortedRows<'a> {
    /// Sorts rows.
    ///
    /// # Errors
    /// [`Error::OutOfBudget`]; [`Error::Interrupted`].
    pub fn sort(rows: Gathered, monitor: &Monitor) -> Result<Self> {
        Self::sort_corpus(rows.0.finish(), monitor)
    }

    fn sort_corpus(mut corpus: Corpus, monitor: &Monitor) -> Result<Self> {
        monitor.check()?;
        monitor.enter(Phase::Sorting, 0, None);
        let suffixes = match &mut corpus.text {
            Text::U8(text) => sort(text),
            Text::U16(text) => sort(text),
            Text::U32(text) => sort(text),
        }?;
        monitor.check()?;
        monitor.enter(Phase::Querying, 0, None);
        Ok(Self { column: corpus.column, held: Held::Own(corpus, suffixes) })
    }

    /// The rows of an index: as its one segment holds them, else read and sorted together, so that
    /// the answer does not depend on segments.
    ///
    /// # Errors
    /// As [`Gathered::push_index`] and [`SortedRows::sort`].
    pub fn of_index(index: &'a Index, monitor: &Monitor) -> Result<Self> {
        let mut parts = index.parts();
        if let (Some(part), None) = (parts.next(), parts.next())
            && let Some(text) = part.segment.sorted_text()
            && let Some(ends) = part.segment.rows().ends()
        {
            return Ok(Self { column: index.column(), held: Held::Segment(text, ends) });
        }
        let mut rows = Gathered::new(index.column());
        rows.push_index(index)?;
        Self::sort(rows, monitor)
    }

    fn text(&self) -> SortedText<'_> {
        match &self.held {
            Held::Segment(text, _) => *text,
            Held::Own(corpus, suffixes) => match &corpus.text {
                Text::U8(text) => SortedText::U8(text, suffixes),
                Text::U16(text) => SortedText::U16(text, suffixes),
                Text::U32(text) => SortedText::U32(text, suffixes),
            },
        }
    }

    fn suffixes(&self) -> &[u32] {
        match self.text() {
            SortedText::U8(_, suffixes)
            | SortedText::U16(_, suffixes)
            | SortedText::U32(_, suffixes) => suffixes,
        }
    }

    fn ends(&self) -> &[u32] {
        match &self.held {
            Held::Segment(_, ends) => ends,
            Held::Own(corpus, _) => &corpus.row_ends,
        }
    }

    fn start(&self, row: usize) -> u32 {
        row.checked_sub(1).map_or(0, |before| self.ends()[before] + 1)
    }

    /// The row of a position, and how far it stands from the row's start.
    fn place(&self, position: u32) -> (u64, u64) {
        let row = self.ends().partition_point(|&end| end < position);
        (row as u64, u64::from(position - self.start(row)))
    }

    fn prefixes(&self, monitor: &Monitor) -> Result<Block<u32>> {
        with_text!(self, |text| lcp::common_prefixes(text, self.suffixes(), monitor))
    }

    /// Every passage that occurs often enough, and is part of none in its row that does, ordered by
    /// row and start.
    ///
    /// O(n log n) time, 12 bytes a symbol beside the suffix array.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::OutOfBudget`]; [`Error::Corrupt`].
    pub fn duplicates(&self, options: DuplicateOptions, monitor: &Monitor) -> Result<Duplicates> {
        options.check()?;
        let prefixes = self.prefixes(monitor)?;
        let mut lengths = Block::<u32>::zeros(prefixes.len())?;
        lengths.items_mut().copy_from_slice(&prefixes);
        let suffixes = self.suffixes();
        lcp::recurring(suffixes, lengths.items_mut(), options.min_count, monitor)?;
        let spans = self.passages(&lengths, 0, options.min_length, monitor)?;
        let places = lengths.items_mut();
        places.fill(0);
        let mut sizes = Vec::with_capacity(spans.len());
        for (number, (_, span)) in spans.iter().enumerate() {
            places[span.start as usize] = number as u32 + 1;
            sizes.push(span.end - span.start);
        }
        let ranks = lcp::intervals(suffixes, &prefixes, places, &sizes, monitor)?;
        let mut found = Duplicates::default();
        let mut groups = HashMap::new();
        for (((row, span), size), (low, high)) in spans.into_iter().zip(sizes).zip(ranks) {
            let next = groups.len() as u64;
            found.row.push(row as u64);
            found.start.push(u64::from(span.start - self.start(row)));
            found.stop.push(u64::from(span.end - self.start(row)));
            found.count.push(u64::from(high - low));
            found.group.push(*groups.entry((low, size)).or_insert(next));
        }
        Ok(found)
    }

    /// The spans of rows from `boundary` on that hold a passage of enough symbols that is also in a
    /// row before; of all rows, if `boundary` is 0, those that hold a copy which `keep` does not.
    ///
    /// O(n) time, 4 bytes a symbol beside the suffix array; 8 if `min_count` is above 2 or there
    /// is a boundary.
    ///
    /// # Errors
    /// As [`SortedRows::duplicates`].
    fn removals(
        &self,
        options: DuplicateOptions,
        keep: Keep,
        boundary: Option<usize>,
        monitor: &Monitor,
    ) -> Result<Removals> {
        let mut lengths = self.prefixes(monitor)?;
        let suffixes = self.suffixes();
        if let Some(boundary) = boundary {
            let first = self.start(boundary) as usize;
            lengths = lcp::across(suffixes, &lengths, first, monitor)?;
        } else if keep == Keep::None {
            lcp::recurring(suffixes, lengths.items_mut(), options.min_count, monitor)?;
        } else if options.min_count > 2 {
            let mut often = Block::<u32>::zeros(lengths.len())?;
            often.items_mut().copy_from_slice(&lengths);
            lcp::recurring(suffixes, often.items_mut(), options.min_count, monitor)?;
            lcp::previous(suffixes, lengths.items_mut(), monitor)?;
            for (length, &often) in lengths.items_mut().iter_mut().zip(&*often) {
                *length = often.min(*length);
            }
        } else {
            lcp::previous(suffixes, lengths.items_mut(), monitor)?;
        }
        let boundary = boundary.unwrap_or(0);
        let spans = self.unions(&lengths, boundary, options.min_length, monitor)?;
        drop(lengths);
        self.explained(spans, boundary, monitor)
    }

    /// Adds where else the passage that each span begins with, of the length given, occurs first.
    fn explained(
        &self,
        spans: Vec<(usize, Range<u32>, u32)>,
        boundary: usize,
        monitor: &Monitor,
    ) -> Result<Removals> {
        let suffixes = self.suffixes();
        let ranks = spans.par_chunks(BLOCK).map(|spans| {
            monitor.check()?;
            let ranks = spans.iter().map(|(_, span, length)| {
                with_text!(self, |text| ranks_of(text, suffixes, span.start, *length))
            });
            Ok(ranks.collect::<Vec<_>>())
        });
        let ranks = ranks.collect::<Result<Vec<_>>>()?.concat();
        let mut known: HashMap<Range<usize>, (u32, u32)> = HashMap::new();
        let mut found = Removals::default();
        for ((row, span, _), ranks) in spans.into_iter().zip(ranks) {
            let (least, second) = match known.entry(ranks.clone()) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    monitor.check()?;
                    *entry.insert(two_least(&suffixes[ranks]))
                }
            };
            let copy = if least == span.start { second } else { least };
            let (copy_row, copy_start) = self.place(copy);
            found.row.push((row - boundary) as u64);
            found.start.push(u64::from(span.start - self.start(row)));
            found.stop.push(u64::from(span.end - self.start(row)));
            found.copy_row.push(copy_row);
            found.copy_start.push(copy_start);
        }
        Ok(found)
    }

    /// The longest passages that the lengths at each place allow, none within another; lengths are
    /// those of places from row `boundary` on.
    fn passages(
        &self,
        lengths: &[u32],
        boundary: usize,
        least: usize,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, Range<u32>)>> {
        self.by_row(boundary, monitor, |row, found| {
            let mut last = 0;
            self.passages_of(row, lengths, self.start(boundary), least, |start, stop| {
                if stop > last {
                    last = stop;
                    found.push((row, start..stop));
                }
            });
        })
    }

    /// What the passages cover, each stretch with the length of the shortest one that it begins with.
    fn unions(
        &self,
        lengths: &[u32],
        boundary: usize,
        least: usize,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, Range<u32>, u32)>> {
        self.by_row(boundary, monitor, |row, found: &mut Vec<(usize, Range<u32>, u32)>| {
            let from = found.len();
            self.passages_of(row, lengths, self.start(boundary), least, |start, stop| match found
                [from..]
                .last_mut()
            {
                Some((_, span, _)) if start <= span.end => span.end = span.end.max(stop),
                _ => {
                    let mut head = least as u32;
                    while self.is_inside(start + head, stop) {
                        head += 1;
                    }
                    found.push((row, start..stop, head));
                }
            });
        })
    }

    fn by_row<T: Send>(
        &self,
        boundary: usize,
        monitor: &Monitor,
        take: impl Fn(usize, &mut Vec<T>) + Sync,
    ) -> Result<Vec<T>> {
        let rows: Vec<usize> = (boundary..self.ends().len()).collect();
        let found = rows.par_chunks(BLOCK).map(|rows| {
            monitor.check()?;
            let mut found = vec![];
            rows.iter().for_each(|&row| take(row, &mut found));
            Ok(found)
        });
        Ok(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Whether a place before `end` is within a character.
    fn is_inside(&self, at: u32, end: u32) -> bool {
        self.column == Column::String
            && at < end
            && matches!(self.text(), SortedText::U8(text, _) if !starts_character(text[at as usize]))
    }

    /// Gives from each place of a row the longest passage that its length allows.
    fn passages_of(
        &self,
        row: usize,
        lengths: &[u32],
        origin: u32,
        least: usize,
        mut give: impl FnMut(u32, u32),
    ) {
        let (start, end) = (self.start(row), self.ends()[row]);
        let inside = |at: u32| self.is_inside(at, end);
        for at in start..end {
            let length = lengths[(at - origin) as usize].min(end - at);
            if (length as usize) < least || inside(at) {
                continue;
            }
            let mut stop = at + length;
            while inside(stop) {
                stop -= 1;
            }
            if (stop - at) as usize >= least {
                give(at, stop);
            }
        }
    }
}

impl DuplicateOptions {
    fn check(self) -> Result<()> {
        if self.min_length == 0 {
            return Err(Error::InvalidInput("min_length is 0: give 1 or more".into()));
        }
        if self.min_count < 2 {
            return Err(Error::InvalidInput(format!(
                "min_count is {}: a passage occurs twice or more to be a duplicate",
                self.min_count
            )));
        }
        Ok(())
    }
}

/// What to take out of rows so that only the copies of passages stay that `keep` says; with a
/// `boundary`, out of the rows from that one on what is in the rows before, and `keep` counts not.
///
/// A span is taken out if each of its symbols lies in a passage of `min_length` symbols or more that
/// is a copy. O(n) time, 9 bytes a symbol. To keep the longest, give the rows in the order that
/// [`longest_first`] gathers them in, and that order.
///
/// # Errors
/// As [`SortedRows::duplicates`]; [`Error::InvalidInput`] for a `min_count` above 2 and `against`.
pub fn removals(
    rows: Gathered,
    boundary: Option<usize>,
    order: Option<&[usize]>,
    options: DuplicateOptions,
    keep: Keep,
    monitor: &Monitor,
) -> Result<Removals> {
    options.check()?;
    if boundary.is_some() && options.min_count > 2 {
        return Err(Error::InvalidInput(format!(
            "min_count is {} and against is given: what occurs there once is taken out",
            options.min_count
        )));
    }
    let mut found = SortedRows::sort(rows, monitor)?.removals(options, keep, boundary, monitor)?;
    if let Some(order) = order {
        for row in found.row.iter_mut().chain(&mut found.copy_row) {
            *row = order[*row as usize] as u64;
        }
        found.sort();
    }
    Ok(found)
}

/// Gathers rows, the longest first, of rows as long those that stand first; and which row each is.
///
/// # Errors
/// As [`Gathered`]'s own.
pub fn longest_first(rows: &Patterns, column: Column) -> Result<(Gathered, Vec<usize>)> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&row| std::cmp::Reverse(rows.get(row).map_or(0, |row| row.len())));
    let mut gathered = Gathered::new(column);
    for &row in &order {
        match rows.get(row) {
            Some(Pattern::Bytes(bytes)) => gathered.push_bytes(Some(bytes))?,
            Some(Pattern::Tokens(tokens)) => gathered.push_tokens(Some(tokens))?,
            None if column == Column::Tokens => gathered.push_tokens(None)?,
            None => gathered.push_bytes(None)?,
        }
    }
    Ok((gathered, order))
}

impl Removals {
    /// Puts spans in the order of rows and starts.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.row.len()).collect();
        order.sort_by_key(|&at| (self.row[at], self.start[at]));
        for list in [
            &mut self.row,
            &mut self.start,
            &mut self.stop,
            &mut self.copy_row,
            &mut self.copy_start,
        ] {
            *list = order.iter().map(|&at| list[at]).collect();
        }
    }
}

/// Rows that are the same as a whole as others are, as spans of all they hold; of rows in `against`,
/// if there are, else of each other. Rows without symbols, and null ones, are no duplicates.
///
/// Without a `keep` all of them, in `duplicates`' order; O(n) time.
///
/// # Errors
/// As [`removals`].
pub fn whole_rows(
    rows: &Patterns,
    against: Option<&Patterns>,
    min_count: u64,
    keep: Keep,
    monitor: &Monitor,
) -> Result<Removals> {
    let (mut known, mut counts) = (HashMap::new(), vec![]);
    let mut firsts = vec![];
    for (row, text) in against.unwrap_or(rows).valid() {
        if row % BLOCK == 0 {
            monitor.check()?;
        }
        let group = *known.entry(text).or_insert(counts.len());
        if group == counts.len() {
            counts.push(0_u64);
            firsts.push([row, row]);
        } else if counts[group] == 1 {
            firsts[group][1] = row;
        }
        counts[group] += 1;
    }
    let least = if against.is_some() { 1 } else { min_count.max(2) };
    let mut found = Removals::default();
    for (row, text) in rows.valid() {
        if text.is_empty() {
            continue;
        }
        let Some(&group) = known.get(&text).filter(|&&group| counts[group] >= least) else {
            continue;
        };
        let [first, second] = firsts[group];
        if against.is_none() && first == row && keep != Keep::None {
            continue;
        }
        let itself = against.is_none() && first == row;
        found.row.push(row as u64);
        found.start.push(0);
        found.stop.push(text.len() as u64);
        found.copy_row.push(if itself { second } else { first } as u64);
        found.copy_start.push(0);
    }
    Ok(found)
}

/// Rows without the spans, which come in the order of rows and starts and may overlap; a row that is
/// left with nothing becomes null if `null`.
///
/// O(n) time.
///
/// # Errors
/// [`Error::InvalidInput`] if a span is out of order, or not in its row.
pub fn cut(
    rows: &Patterns,
    column: Column,
    spans: &[(u64, u64, u64)],
    null: bool,
) -> Result<Symbols> {
    let mut left = Symbols::new(column);
    let mut spans = spans.iter().peekable();
    for row in 0..rows.len() {
        let Some(text) = rows.get(row) else {
            left.push_null()?;
            continue;
        };
        let (mut from, mut pieces, mut whole) = (0, vec![], true);
        while let Some(&&(at, start, stop)) = spans.peek().filter(|span| span.0 <= row as u64) {
            let length = text.len() as u64;
            if at < row as u64 || start > stop || stop > length {
                return Err(Error::InvalidInput(format!(
                    "the span {start} to {stop} of row {at} is not within it, or out of order"
                )));
            }
            spans.next();
            let (start, stop) = (start as usize, stop as usize);
            if start > from {
                pieces.push(text.slice(from..start));
            }
            from = from.max(stop);
            whole = false;
        }
        if from < text.len() || whole {
            pieces.push(text.slice(from..text.len()));
        }
        if pieces.is_empty() && null {
            left.push_null()?;
        } else {
            left.push_joined(&pieces);
        }
    }
    if let Some((row, ..)) = spans.next() {
        return Err(Error::InvalidInput(format!(
            "a span is of row {row}, and there are {} rows",
            rows.len()
        )));
    }
    Ok(left)
}

/// The ranks of the suffixes that start with so many symbols as stand at a position.
fn ranks_of<S: Symbol>(text: &[S], suffixes: &[u32], position: u32, length: u32) -> Range<usize> {
    let head = |at: u32| {
        let rest = text.get(at as usize..).unwrap_or_default();
        &rest[..rest.len().min(length as usize)]
    };
    let wanted = head(position);
    let low = suffixes.partition_point(|&at| head(at) < wanted);
    let high = low + suffixes[low..].partition_point(|&at| head(at) == wanted);
    low..high
}

/// The two lowest positions.
fn two_least(positions: &[u32]) -> (u32, u32) {
    positions.iter().fold((u32::MAX, u32::MAX), |(least, second), &at| {
        if at < least { (at, least) } else { (least, second.min(at)) }
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type Span = (u64, u64, u64);

    fn patterns(rows: &[Vec<u8>]) -> Patterns {
        let mut patterns = Patterns::bytes();
        for row in rows {
            patterns.push_bytes(Some(row)).unwrap();
        }
        patterns
    }

    fn gathered(columns: &[&[Vec<u8>]]) -> Gathered {
        let mut gathered = Gathered::new(Column::Binary);
        for row in columns.iter().copied().flatten() {
            gathered.push_bytes(Some(row)).unwrap();
        }
        gathered
    }

    fn windows(rows: &[Vec<u8>], length: usize) -> Vec<(usize, usize, &[u8])> {
        let of = |(row, text): (usize, &'_ Vec<u8>)| -> Vec<_> {
            (0..(text.len() + 1).saturating_sub(length)).map(|at| (row, at)).collect()
        };
        let places = rows.iter().enumerate().flat_map(of);
        places.map(|(row, at)| (row, at, &rows[row][at..at + length])).collect()
    }

    /// What copies of windows of one length cover, by definition.
    fn covered(
        rows: &[Vec<u8>],
        length: usize,
        copy: impl Fn(&(usize, usize, &[u8])) -> bool,
    ) -> Vec<Span> {
        let mut spans: Vec<Span> = vec![];
        for window in windows(rows, length).into_iter().filter(copy) {
            let (row, start) = (window.0 as u64, window.1 as u64);
            let stop = start + length as u64;
            match spans.last_mut().filter(|last| last.0 == row && start <= last.2) {
                Some(last) => last.2 = stop,
                None => spans.push((row, start, stop)),
            }
        }
        spans
    }

    fn spans(found: &Removals) -> Vec<Span> {
        let places = found.row.iter().zip(&found.start).zip(&found.stop);
        places.map(|((&row, &start), &stop)| (row, start, stop)).collect()
    }

    proptest! {
        #[test]
        fn removals_agree_with_the_definition(
            rows in vec(vec(97_u8..100, 0..30), 0..8),
            other in vec(vec(97_u8..100, 0..30), 1..4),
            length in 1_usize..6,
            least in 2_u64..5,
        ) {
            let monitor = Monitor::default();
            let options = DuplicateOptions { min_length: length, min_count: least };
            let column = patterns(&rows);
            let all = windows(&rows, length);
            let count = |text: &[u8]| all.iter().filter(|other| other.2 == text).count() as u64;
            let run = |keep| {
                let (gathered, order) = match keep {
                    Keep::Longest => {
                        let (gathered, order) = longest_first(&column, Column::Binary).unwrap();
                        (gathered, Some(order))
                    }
                    _ => (gathered(&[&rows]), None),
                };
                let order = order.as_deref();
                let found = removals(gathered, None, order, options, keep, &monitor).unwrap();
                for n in 0..found.row.len() {
                    let copy = &rows[found.copy_row[n] as usize][found.copy_start[n] as usize..];
                    let span = &rows[found.row[n] as usize][found.start[n] as usize..];
                    assert_eq!(copy[..length], span[..length]);
                }
                spans(&found)
            };
            let expected = covered(&rows, length, |window| count(window.2) >= least);
            prop_assert_eq!(run(Keep::None), expected);
            let expected = covered(&rows, length, |window| {
                let first = all.iter().find(|other| other.2 == window.2).unwrap();
                count(window.2) >= least && (first.0, first.1) != (window.0, window.1)
            });
            prop_assert_eq!(run(Keep::First), expected);
            let rank = |row: usize| (std::cmp::Reverse(rows[row].len()), row);
            let expected = covered(&rows, length, |window| {
                let copies = all.iter().filter(|other| other.2 == window.2);
                let kept = copies.min_by_key(|other| (rank(other.0), other.1)).unwrap();
                count(window.2) >= least && (kept.0, kept.1) != (window.0, window.1)
            });
            prop_assert_eq!(run(Keep::Longest), expected);
            let there = windows(&other, length);
            let expected = covered(&rows, length, |window| {
                there.iter().any(|other| other.2 == window.2)
            });
            let both = gathered(&[&other, &rows]);
            let options = DuplicateOptions { min_length: length, min_count: 2 };
            let boundary = Some(other.len());
            let found = removals(both, boundary, None, options, Keep::First, &monitor).unwrap();
            prop_assert_eq!(spans(&found), expected);
        }

        #[test]
        fn passages_agree_with_the_definition(
            rows in vec(vec(97_u8..100, 0..30), 0..8),
            length in 1_usize..6,
            least in 2_u64..5,
        ) {
            let monitor = Monitor::default();
            let options = DuplicateOptions { min_length: length, min_count: least };
            let sorted = SortedRows::sort(gathered(&[&rows]), &monitor).unwrap();
            let found = sorted.duplicates(options, &monitor).unwrap();
            let count = |text: &[u8]| {
                windows(&rows, text.len()).iter().filter(|other| other.2 == text).count() as u64
            };
            let mut expected = vec![];
            for (row, text) in rows.iter().enumerate() {
                let mut last = 0;
                for start in 0..text.len() {
                    let stop = (start + length..=text.len())
                        .rev()
                        .find(|&stop| count(&text[start..stop]) >= least);
                    if let Some(stop) = stop.filter(|&stop| stop > last) {
                        last = stop;
                        expected.push((row, start, stop));
                    }
                }
            }
            let mut groups: HashMap<&[u8], u64> = HashMap::new();
            prop_assert_eq!(found.row.len(), expected.len());
            for (n, (row, start, stop)) in expected.into_iter().enumerate() {
                let text = &rows[row][start..stop];
                let next = groups.len() as u64;
                let group = *groups.entry(text).or_insert(next);
                prop_assert_eq!(
                    (found.row[n], found.start[n], found.stop[n], found.count[n], found.group[n]),
                    (row as u64, start as u64, stop as u64, count(text), group)
                );
            }
        }
    }
}
