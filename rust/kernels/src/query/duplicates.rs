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
use crate::suffix::copies::{End, Original, Places, copies};
use crate::suffix::{lcp, sort};
use crate::symbol::{Pattern, Patterns, Symbol, starts_character};

/// Rows looked at by one thread at once.
const BLOCK: usize = 256;

/// The longest passages that are compared as they are where copies of them are looked for.
const DIRECT: usize = 1024;

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
    /// How often they occur at least; 2 at least, or 1 where they are looked for in other rows.
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

/// How often a text occurs, and the row and place where it first does.
pub type Occurrence = (u64, Option<(u64, u64)>);

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

    /// Rows as they are, of which nothing can be asked that needs their order.
    pub(super) fn unsorted(rows: Gathered) -> Self {
        let corpus = rows.0.finish();
        Self { column: corpus.column, held: Held::Own(corpus, vec![].into()) }
    }

    /// Symbols, separators included.
    pub(super) fn symbols(&self) -> usize {
        with_text!(self, |text| text.len())
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

    pub(super) fn start(&self, row: usize) -> u32 {
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
    /// row and start. With a boundary those of the rows from that one on, which occur in the rows
    /// before so often.
    ///
    /// O(n log n) time, 12 bytes a symbol beside the suffix array.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for options out of bounds; [`Error::Interrupted`];
    /// [`Error::OutOfBudget`]; [`Error::Corrupt`].
    pub fn duplicates(
        &self,
        options: DuplicateOptions,
        boundary: Option<usize>,
        monitor: &Monitor,
    ) -> Result<Duplicates> {
        options.check(boundary.is_some())?;
        let prefixes = self.prefixes(monitor)?;
        let lengths = self.lengths_of(&prefixes, boundary, options.min_count, monitor)?;
        let first_row = boundary.unwrap_or(0);
        let spans = self.passages(&lengths, first_row, options.min_length, monitor)?;
        drop(lengths);
        let mut places = Block::<u32>::zeros(prefixes.len())?;
        let mut sizes = Vec::with_capacity(spans.len());
        for (number, (_, span)) in spans.iter().enumerate() {
            places.items_mut()[span.start as usize] = number as u32 + 1;
            sizes.push(span.end - span.start);
        }
        let suffixes = self.suffixes();
        let ranks = lcp::intervals(suffixes, &prefixes, &places, &sizes, monitor)?;
        let first = boundary.map(|row| self.start(row));
        let before = first.map(|first| Before::of(suffixes, first, monitor)).transpose()?;
        let mut found = Duplicates::default();
        let mut groups = HashMap::new();
        for (((row, span), size), (low, high)) in spans.into_iter().zip(sizes).zip(ranks) {
            let next = groups.len() as u64;
            let count = match &before {
                Some(before) => before.count(high) - before.count(low),
                None => u64::from(high - low),
            };
            found.row.push((row - first_row) as u64);
            found.start.push(u64::from(span.start - self.start(row)));
            found.stop.push(u64::from(span.end - self.start(row)));
            found.count.push(count);
            found.group.push(*groups.entry((low, size)).or_insert(next));
        }
        Ok(found)
    }

    /// How long the longest text is that starts at each place and occurs so often; with a boundary,
    /// at each place from that row on, in the rows before.
    fn lengths_of(
        &self,
        prefixes: &[u32],
        boundary: Option<usize>,
        least: u64,
        monitor: &Monitor,
    ) -> Result<Block<u32>> {
        if let Some(boundary) = boundary {
            let first = self.start(boundary) as usize;
            return lcp::across(self.suffixes(), prefixes, first, least, monitor);
        }
        let mut lengths = Block::<u32>::zeros(prefixes.len())?;
        lengths.items_mut().copy_from_slice(prefixes);
        lcp::recurring(self.suffixes(), lengths.items_mut(), least, monitor)?;
        Ok(lengths)
    }

    /// [`SortedRows::lengths_of`] once, twice, and so on up to `times`; without a boundary once more
    /// than that, so that the text itself does not count.
    pub(super) fn lengths(
        &self,
        boundary: Option<usize>,
        times: u64,
        monitor: &Monitor,
    ) -> Result<Vec<Block<u32>>> {
        let prefixes = self.prefixes(monitor)?;
        let more = u64::from(boundary.is_none());
        let of = |times| self.lengths_of(&prefixes, boundary, times + more, monitor);
        (1..=times).map(of).collect()
    }

    /// How often each text occurs, and the row and place where it first does.
    ///
    /// O(m log n) time for m symbols of texts; those that occur at the same places are counted once.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn occurrences(&self, texts: &[Pattern<'_>], monitor: &Monitor) -> Result<Vec<Occurrence>> {
        let suffixes = self.suffixes();
        let separator = self.ends().first().map(|&end| {
            with_text!(self, |own| own.get(end as usize).map_or(u32::MAX, |symbol| symbol.number()))
        });
        let ranks = texts.par_chunks(BLOCK).map(|texts| {
            monitor.check()?;
            let of = |&text: &Pattern<'_>| {
                // What holds the separator of these rows stands in none of them.
                let strange = (0..text.len()).any(|at| Some(text.symbol(at)) == separator);
                if strange || separator.is_none() {
                    return 0..0;
                }
                with_text!(self, |own| ranks_with(own, suffixes, text))
            };
            Ok(texts.iter().map(of).collect::<Vec<_>>())
        });
        let ranks = ranks.collect::<Result<Vec<_>>>()?.concat();
        let mut firsts: HashMap<Range<usize>, u32> = HashMap::new();
        let mut found = Vec::with_capacity(texts.len());
        for ranks in ranks {
            if ranks.is_empty() {
                found.push((0, None));
                continue;
            }
            let count = ranks.len() as u64;
            let first = match firsts.entry(ranks.clone()) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    monitor.check()?;
                    *entry.insert(two_least(&suffixes[ranks]).0)
                }
            };
            found.push((count, Some(self.place(first))));
        }
        Ok(found)
    }

    /// The spans of rows from `boundary` on that hold a passage of enough symbols that is also in the
    /// rows before, often enough; of all rows, without a boundary, those that hold a copy which
    /// `keep` does not. Passages up to `direct` symbols are compared as they are, longer ones by
    /// common prefixes.
    ///
    /// O(n) time; a bit a symbol beside the suffix array, of longer passages 4 bytes, or 8 if
    /// `min_count` is above 2 or there is a boundary.
    ///
    /// # Errors
    /// As [`SortedRows::duplicates`].
    fn removals(
        &self,
        options: DuplicateOptions,
        keep: Keep,
        boundary: Option<usize>,
        direct: usize,
        monitor: &Monitor,
    ) -> Result<Removals> {
        let (least, first) = (options.min_length, boundary.unwrap_or(0));
        let spans = if least <= direct {
            let original = match (boundary, keep) {
                (Some(row), _) => Original::Below(self.start(row)),
                (None, Keep::None) => Original::None,
                (None, Keep::First | Keep::Longest) => Original::Lowest,
            };
            let places = self.copies(least, options.min_count, original, monitor)?;
            let end = self.symbols() as u32;
            let length = |at: u32| {
                let Some(more) = (0..places.len()).rev().find(|&more| places[more].contains(at))
                else {
                    return 0;
                };
                let mut length = (least + more) as u32;
                while self.is_inside(at + length, end) {
                    length += 1;
                }
                length
            };
            self.unions(length, first, least, monitor)?
        } else {
            let lengths = self.lengths_of_copies(options.min_count, keep, boundary, monitor)?;
            let origin = self.start(first);
            self.unions(|at| lengths[(at - origin) as usize], first, least, monitor)?
        };
        self.explained(spans, first, monitor)
    }

    /// The places where copies of so many symbols start, and of one, two and three more.
    ///
    /// What is as long as it must be from each place on covers all copies, but the last characters
    /// of those that begin with a character of several symbols: without that one they are too short.
    fn copies(
        &self,
        least: usize,
        times: u64,
        original: Original,
        monitor: &Monitor,
    ) -> Result<Vec<Places>> {
        let suffixes = self.suffixes();
        let find = |suffixes: &[u32], length: usize, end: End| {
            with_text!(self, |text| copies(text, suffixes, length, end, times, original, monitor))
        };
        if self.column != Column::String {
            return Ok(vec![find(suffixes, least, End::Any)?]);
        }
        let mut found = vec![find(suffixes, least, End::GoingOn)?];
        for (more, lead) in [(1, 0xC0), (2, 0xE0), (3, 0xF0)] {
            // Those stand behind all others in order.
            let from = with_text!(self, |text| suffixes.partition_point(|&at| {
                text.get(at as usize).is_some_and(|symbol| symbol.number() < lead)
            }));
            if from < suffixes.len() {
                found.push(find(&suffixes[from..], least + more, End::There)?);
            }
        }
        Ok(found)
    }

    /// How long the longest text is that starts at each place and is a copy; with a boundary, at each
    /// place from that row on.
    fn lengths_of_copies(
        &self,
        least: u64,
        keep: Keep,
        boundary: Option<usize>,
        monitor: &Monitor,
    ) -> Result<Block<u32>> {
        let mut lengths = self.prefixes(monitor)?;
        let suffixes = self.suffixes();
        if boundary.is_some() {
            return self.lengths_of(&lengths, boundary, least, monitor);
        }
        if keep == Keep::None {
            lcp::recurring(suffixes, lengths.items_mut(), least, monitor)?;
        } else if least > 2 {
            let often = self.lengths_of(&lengths, None, least, monitor)?;
            lcp::previous(suffixes, lengths.items_mut(), monitor)?;
            for (length, &often) in lengths.items_mut().iter_mut().zip(&*often) {
                *length = often.min(*length);
            }
        } else {
            lcp::previous(suffixes, lengths.items_mut(), monitor)?;
        }
        Ok(lengths)
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
    pub(super) fn passages(
        &self,
        lengths: &[u32],
        boundary: usize,
        least: usize,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, Range<u32>)>> {
        let origin = self.start(boundary);
        let length = |at: u32| lengths[(at - origin) as usize];
        self.by_row(boundary, monitor, |row, found| {
            let mut last = 0;
            self.passages_of(row, &length, least, |start, stop| {
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
        length: impl Fn(u32) -> u32 + Sync,
        boundary: usize,
        least: usize,
        monitor: &Monitor,
    ) -> Result<Vec<(usize, Range<u32>, u32)>> {
        self.by_row(boundary, monitor, |row, found: &mut Vec<(usize, Range<u32>, u32)>| {
            let from = found.len();
            self.passages_of(row, &length, least, |start, stop| match found[from..].last_mut() {
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
        length: &impl Fn(u32) -> u32,
        least: usize,
        mut give: impl FnMut(u32, u32),
    ) {
        let (start, end) = (self.start(row), self.ends()[row]);
        let inside = |at: u32| self.is_inside(at, end);
        for at in start..end {
            let length = length(at).min(end - at);
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
    fn check(self, across: bool) -> Result<()> {
        if self.min_length == 0 {
            return Err(Error::InvalidInput("min_length is 0: give 1 or more".into()));
        }
        if across && self.min_count == 0 {
            return Err(Error::InvalidInput(
                "min_count is 0: what occurs in against does so once or more".into(),
            ));
        }
        if !across && self.min_count < 2 {
            return Err(Error::InvalidInput(format!(
                "min_count is {}: a passage occurs twice or more to be a duplicate",
                self.min_count
            )));
        }
        Ok(())
    }
}

/// How many suffixes up to a rank start before a position: a sum for each stretch, and a bit a rank.
struct Before {
    sums: Vec<u32>,
    bits: Vec<u64>,
}

impl Before {
    fn of(suffixes: &[u32], first: u32, monitor: &Monitor) -> Result<Self> {
        monitor.check()?;
        let word = |ranks: &[u32]| {
            let bits = ranks.iter().enumerate();
            bits.fold(0, |word, (at, &position)| word | u64::from(position < first) << at)
        };
        let mut bits: Vec<u64> = suffixes.chunks(64).map(word).collect();
        bits.push(0);
        let mut sum = 0;
        let sums = bits.iter().map(|bits| {
            let before = sum;
            sum += bits.count_ones();
            before
        });
        Ok(Self { sums: sums.collect(), bits })
    }

    fn count(&self, rank: u32) -> u64 {
        let (word, bit) = (rank as usize / 64, rank % 64);
        let own = self.bits[word] & ((1 << bit) - 1);
        u64::from(self.sums[word] + own.count_ones())
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
/// As [`SortedRows::duplicates`].
pub fn removals(
    rows: Gathered,
    boundary: Option<usize>,
    order: Option<&[usize]>,
    options: DuplicateOptions,
    keep: Keep,
    monitor: &Monitor,
) -> Result<Removals> {
    options.check(boundary.is_some())?;
    let sorted = SortedRows::sort(rows, monitor)?;
    let mut found = sorted.removals(options, keep, boundary, DIRECT, monitor)?;
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
    let least = min_count.max(if against.is_some() { 1 } else { 2 });
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

/// The ranks of the suffixes that start with a text.
fn ranks_with<S: Symbol>(own: &[S], suffixes: &[u32], text: Pattern<'_>) -> Range<usize> {
    let order = |at: u32| {
        let rest = own.get(at as usize..).unwrap_or_default();
        let rest = &rest[..rest.len().min(text.len())];
        let numbers = rest.iter().map(|symbol| symbol.number());
        match text {
            Pattern::Bytes(bytes) if S::WIDTH == 1 => {
                bytemuck::cast_slice::<S, u8>(rest).cmp(bytes)
            }
            Pattern::Bytes(bytes) => numbers.cmp(bytes.iter().map(|&byte| u32::from(byte))),
            Pattern::Tokens(tokens) => numbers.cmp(tokens.iter().copied()),
        }
    };
    let low = suffixes.partition_point(|&at| order(at).is_lt());
    let high = low + suffixes[low..].partition_point(|&at| order(at).is_eq());
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
            let options = DuplicateOptions { min_length: length, min_count: 1 };
            let boundary = Some(other.len());
            let found = removals(both, boundary, None, options, Keep::First, &monitor).unwrap();
            prop_assert_eq!(spans(&found), expected);
            let sorted = SortedRows::sort(gathered(&[&other, &rows]), &monitor).unwrap();
            let by_prefixes = sorted.removals(options, Keep::First, boundary, 0, &monitor).unwrap();
            prop_assert_eq!(by_prefixes, found);
            let options = DuplicateOptions { min_length: length, min_count: least };
            let sorted = SortedRows::sort(gathered(&[&rows]), &monitor).unwrap();
            for keep in [Keep::None, Keep::First] {
                let direct = sorted.removals(options, keep, None, length, &monitor).unwrap();
                let by_prefixes = sorted.removals(options, keep, None, 0, &monitor).unwrap();
                prop_assert_eq!(direct, by_prefixes);
            }
        }

        #[test]
        fn characters_stay_whole_either_way(
            rows in vec("[aé€]{0,12}", 0..7), length in 1_usize..9, least in 2_u64..4,
        ) {
            let monitor = Monitor::default();
            let options = DuplicateOptions { min_length: length, min_count: least };
            let mut gathered = Gathered::new(Column::String);
            for row in &rows {
                gathered.push_bytes(Some(row.as_bytes())).unwrap();
            }
            let sorted = SortedRows::sort(gathered, &monitor).unwrap();
            for keep in [Keep::None, Keep::First] {
                let direct = sorted.removals(options, keep, None, length, &monitor).unwrap();
                let by_prefixes = sorted.removals(options, keep, None, 0, &monitor).unwrap();
                prop_assert_eq!(direct, by_prefixes);
            }
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
            let found = sorted.duplicates(options, None, &monitor).unwrap();
            let count = |text: &[u8]| {
                windows(&rows, text.len()).iter().filter(|other| other.2 == text).count() as u64
            };
            let texts: Vec<Vec<u8>> = rows.iter().map(|row| row[row.len() / 2..].to_vec()).collect();
            let texts: Vec<Pattern<'_>> = texts
                .iter()
                .filter(|text| !text.is_empty())
                .map(|text| Pattern::Bytes(text))
                .collect();
            for (text, occurs) in texts.iter().zip(sorted.occurrences(&texts, &monitor).unwrap()) {
                let Pattern::Bytes(text) = text else { continue };
                let all = windows(&rows, text.len());
                let first = all.iter().find(|window| window.2 == *text);
                let first = first.map(|&(row, at, _)| (row as u64, at as u64));
                prop_assert_eq!(occurs, (count(text), first));
            }
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
