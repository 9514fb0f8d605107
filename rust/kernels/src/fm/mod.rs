//! The FM-index (Ferragina and Manzini 2005): the Burrows-Wheeler transform of a text, from which
//! every suffix that starts with a pattern is found symbol by symbol from the pattern's end, and
//! the text itself is read, backwards. With samples of the suffix array it replaces both.
//!
//! Rows of the transform are numbered as the suffixes are ranked, behind one for the end of the
//! text, which comes before every symbol.

mod code;
mod wavelet;

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use wavelet::{GROUP, Walks, Wavelet, WaveletBuilder};

use crate::bits::{BitVector, Bits, Hybrid, Packed, Stream, width_of};

use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::{Error, Result};
use crate::suffix::Sorted;
use crate::symbol::{Position, Rank, Ranks, Symbol};

#[cfg(test)]
mod tests;

/// What is kept of the suffix array, and how large blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// log2 of the symbols a block.
    pub block: u32,
    /// Positions from one whose rank is marked to the next.
    pub sample: u32,
    /// Positions from one whose rank is kept to the next.
    pub inverse: u32,
}

/// Where a mark is read.
type Spot = <Hybrid as BitVector>::Spot;

/// Positions between samples, at most.
const MOST_RATE: u32 = 1 << 12;

/// log2 of the ranks whose marks are one stream.
const MARKS: u32 = 20;

/// Bytes of tables a symbol of the alphabet and block; blocks grow until they are few.
const TABLE: usize = 8;

/// An FM-index of a text of symbols `S`, its transform in bits `B`.
#[derive(Debug)]
pub struct FmIndex<S, B> {
    alphabet: Block<S>,
    bwt: Wavelet<B>,
    /// The row of the whole text, before which nothing stands.
    primary: usize,
    length: usize,
    rates: Rates,
    /// Marks of the ranks whose positions are kept.
    marks: Hybrid,
    /// Three numbers for each of their streams: where it is, and the marks before it.
    mark_starts: Block<u32>,
    samples: Packed,
    inverse: Packed,
}

impl<S: Symbol, B: BitVector> FmIndex<S, B> {
    /// The index of a text, given its suffix array.
    ///
    /// O(n) time; beside the index itself, a bit a symbol and the symbols of a block.
    pub fn new(text: &[S], suffixes: &[u32], rates: Rates) -> Self {
        let (alphabet, counts) = alphabet(text);
        let rates = Rates { block: block_for(rates.block, alphabet.len(), S::WIDTH), ..rates };
        let mut below = 1_u32;
        let before = counts.iter().map(|&count| {
            below += count;
            below - count
        });
        let mut builder = WaveletBuilder::<B>::new(rates.block, before.collect());
        let numbers = Numbers::new(&alphabet);
        let (sample, inverse) = (rates.sample as usize, rates.inverse as usize);
        let most = text.len() as u64;
        let mut samples =
            Packed::zeros(text.len().div_ceil(sample), width_of(most / sample as u64));
        let mut ranks = Packed::zeros(text.len().div_ceil(inverse), width_of(most));
        let mut vector = <Hybrid as BitVector>::Builder::default();
        let (mut marks, mut mark_starts) = (Bits::default(), vec![]);
        let mut marked = 0;
        let mut primary = 0;
        let mut block: Vec<u32> = Vec::with_capacity((1 << rates.block).min(text.len()));
        block.extend(text.last().map(|&last| numbers.of(last)));
        for (rank, &position) in suffixes.iter().enumerate() {
            let position = position as usize;
            let mark = position.is_multiple_of(sample);
            if marks.is_empty() {
                mark_starts.push(marked as u32);
            }
            marks.push(mark);
            if marks.len() == 1 << MARKS || rank + 1 == suffixes.len() {
                let Stream { head, tail } = Hybrid::push(&mut vector, &marks);
                mark_starts.extend([head, tail]);
                marks.clear();
            }
            if mark {
                samples.set(marked, (position / sample) as u64);
                marked += 1;
            }
            if position.is_multiple_of(inverse) {
                ranks.set(position / inverse, rank as u64);
            }
            let Some(before) = position.checked_sub(1) else {
                primary = rank + 1;
                continue;
            };
            if block.len() == 1 << rates.block {
                builder.push(&block);
                block.clear();
            }
            block.push(numbers.of(text[before]));
        }
        if !block.is_empty() {
            builder.push(&block);
        }
        Self {
            bwt: builder.finish(),
            alphabet: alphabet.into(),
            primary,
            length: text.len(),
            rates,
            marks: Hybrid::build(vector),
            mark_starts: mark_starts.into(),
            samples,
            inverse: ranks,
        }
    }

    /// Symbols of the text.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Different symbols of the text.
    pub fn alphabet(&self) -> &[S] {
        &self.alphabet
    }

    /// What is kept.
    pub fn rates(&self) -> Rates {
        self.rates
    }

    /// The row of the whole text.
    pub fn primary(&self) -> usize {
        self.primary
    }

    fn number(&self, symbol: S) -> Option<u32> {
        self.alphabet.binary_search(&symbol).ok().map(|number| number as u32)
    }

    /// The place in the transform of what stands before a row, which is not the whole text.
    fn place(&self, row: usize) -> usize {
        row - usize::from(row > self.primary)
    }

    /// The ranks of the suffixes that start with a pattern; all for an empty one.
    ///
    /// O(m) steps, each of as many cache misses as the code of its symbol has bits.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn find(&self, pattern: &[S]) -> Result<Ranks> {
        let mut ranks = Ranks::NONE;
        self.find_many([std::iter::once((Cow::Borrowed(pattern), &mut ranks))])?;
        Ok(ranks)
    }

    /// [`FmIndex::find`] for many patterns, given with the place of each answer, in parts that go in
    /// step, so that their cache misses overlap. What a pattern shares with the end of the one before
    /// it in its part is not searched again: patterns best come in the order of their ends.
    ///
    /// # Errors
    /// As `find`.
    pub fn find_many<'p, P>(&self, parts: impl IntoIterator<Item = P>) -> Result<()>
    where
        P: Iterator<Item = (Cow<'p, [S]>, &'p mut Ranks)>,
    {
        let mut flights: Vec<Flight<'p, S, P>> = Vec::with_capacity(GROUP / 2);
        let mut walks = Walks::default();
        let (mut wide, mut ranks) = (Asked::default(), [0; GROUP]);
        let (mut single, mut found) = (Asked::default(), [(0, 0); GROUP]);
        let all = 0..self.length + 1;
        let mut parts = parts.into_iter().fuse().peekable();
        while !flights.is_empty() || parts.peek().is_some() {
            while flights.len() < GROUP / 2
                && let Some(part) = parts.next()
            {
                flights.extend(Flight::new(part, all.clone()));
            }
            (wide.count, single.count) = (0, 0);
            let mut nth = 0;
            while let Some(flight) = flights.get_mut(nth) {
                let rows = flight.rows();
                let symbol = flight.rest.checked_sub(1).map(|last| flight.pattern[last]);
                let number = symbol.and_then(|symbol| self.number(symbol));
                match number.filter(|_| !rows.is_empty()) {
                    // Of one suffix, what stands before it says all.
                    Some(number) if rows.len() == 1 && rows.start != self.primary => {
                        single.push(nth, number, self.place(rows.start));
                    }
                    Some(number) => {
                        wide.push(nth, number, self.place(rows.start));
                        wide.push(nth, number, self.place(rows.end));
                    }
                    None => {
                        let whole = symbol.is_none() && !rows.is_empty();
                        *flight.ranks = if whole { self.ranks(&rows)? } else { Ranks::NONE };
                        if !flight.next() {
                            flights.swap_remove(nth);
                        }
                        continue;
                    }
                }
                flight.rest -= 1;
                nth += 1;
            }
            self.bwt.ranks(&mut walks, wide.numbers(), wide.places(), &mut ranks);
            for (owners, rows) in wide.owners().chunks_exact(2).zip(ranks.chunks_exact(2)) {
                flights[owners[0]].trail.push(rows[0] as usize..rows[1] as usize);
            }
            self.bwt.symbols(&mut walks, single.places(), &mut found)?;
            let asked = single.owners().iter().zip(single.numbers());
            for ((&owner, &number), &(before, row)) in asked.zip(&found) {
                let row = row as usize;
                flights[owner].trail.push(row..row + usize::from(before == number));
            }
        }
        Ok(())
    }

    /// The ranks of rows; the first row is that of the end of the text, which has none.
    fn ranks(&self, rows: &Range<usize>) -> Result<Ranks> {
        if rows.end > self.length + 1 {
            return Err(damaged());
        }
        let rank = |row: usize| row.saturating_sub(1) as Rank;
        Ok(Ranks { start: rank(rows.start), end: rank(rows.end) })
    }

    /// Takes steps from several rows, at most [`GROUP`], to the rows of the suffixes one symbol
    /// longer; gives the symbols.
    fn step(&self, walks: &mut Walks<B>, rows: &mut [usize], symbols: &mut [u32]) -> Result<()> {
        let mut places = [0; GROUP];
        for (place, &row) in places.iter_mut().zip(&*rows) {
            if row == self.primary {
                return Err(damaged());
            }
            *place = self.place(row);
        }
        let mut found = [(0, 0); GROUP];
        self.bwt.symbols(walks, &places[..rows.len()], &mut found)?;
        for ((row, symbol), found) in rows.iter_mut().zip(symbols).zip(found) {
            (*symbol, *row) = (found.0, found.1 as usize);
            if *row == 0 || *row > self.length {
                return Err(damaged());
            }
        }
        Ok(())
    }

    /// How many symbols of `before`, from its end on, stand before a suffix.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn shared_before(&self, rank: Rank, before: &[Option<S>]) -> Result<usize> {
        let (mut rows, mut symbols) = ([self.row(rank)?], [0]);
        let mut walks = Walks::default();
        for (shared, &wanted) in before.iter().rev().enumerate() {
            let wanted = wanted.and_then(|symbol| self.number(symbol));
            // Before the whole text nothing stands.
            if rows[0] == self.primary {
                return Ok(shared);
            }
            self.step(&mut walks, &mut rows, &mut symbols)?;
            if wanted != Some(symbols[0]) {
                return Ok(shared);
            }
        }
        Ok(before.len())
    }

    fn row(&self, rank: Rank) -> Result<usize> {
        if rank < self.length as Rank { Ok(rank as usize + 1) } else { Err(damaged()) }
    }

    /// Where the mark of a rank is, and the marks before its stream.
    #[inline]
    fn mark(&self, rank: usize) -> (usize, Spot) {
        let start = 3 * (rank >> MARKS);
        let stream = self.mark_starts.get(start..).and_then(|rest| rest.first_chunk());
        let [before, head, tail] = stream.copied().unwrap_or_default();
        let spot = self.marks.spot(Stream { head, tail }, rank & ((1 << MARKS) - 1));
        (before as usize, spot)
    }

    /// Appends where the suffixes of ranges of ranks stand, of one range after the other.
    ///
    /// O(sample rate) steps each; they go in step, so that their cache misses overlap.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn positions(&self, ranks: &[Ranks], positions: &mut Vec<Position>) -> Result<()> {
        let first = positions.len();
        positions.resize(first + Ranks::total(ranks) as usize, 0);
        let found = &mut positions[first..];
        let mut waiting = ranks.iter().flat_map(|ranks| ranks.start..ranks.end).enumerate();
        let (mut rows, mut owners) = ([0; GROUP], [(0, 0); GROUP]);
        let (mut marks, mut symbols) = ([<(usize, Spot)>::default(); GROUP], [0; GROUP]);
        let mut walks = Walks::default();
        let mut going = 0;
        loop {
            while going < GROUP
                && let Some((nth, rank)) = waiting.next()
            {
                (rows[going], owners[going]) = (self.row(rank)?, (nth, 0));
                going += 1;
            }
            if going == 0 {
                return Ok(());
            }
            for (mark, &row) in marks[..going].iter_mut().zip(&rows) {
                *mark = self.mark(row - 1);
            }
            // A step that a mark makes needless is one in many, and meanwhile the marks come.
            let mut next = rows;
            for row in next[..going].iter_mut().filter(|row| **row == self.primary) {
                *row = 0;
            }
            self.step(&mut walks, &mut next[..going], &mut symbols[..going])?;
            for (_, spot) in &mut marks[..going] {
                self.marks.settle(spot);
            }
            let mut at = 0;
            while at < going {
                let ((nth, steps), (before, spot)) = (owners[at], marks[at]);
                let (marked, sample) = self.marks.read(spot);
                if marked {
                    let sample = self.samples.get(before + sample);
                    found[nth] = sample * u64::from(self.rates.sample) + steps;
                    if found[nth] >= self.length as Position {
                        return Err(damaged());
                    }
                    going -= 1;
                    (rows[at], owners[at]) = (rows[going], owners[going]);
                    (next[at], marks[at]) = (next[going], marks[going]);
                } else if steps >= u64::from(self.rates.sample) || rows[at] == self.primary {
                    return Err(damaged());
                } else {
                    (rows[at], owners[at].1) = (next[at], steps + 1);
                    at += 1;
                }
            }
        }
    }

    /// Appends spans of the text, end to end.
    ///
    /// O(span + inverse rate) steps each; the parts between kept ranks go in step, so that their
    /// cache misses overlap.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a span is not in the text.
    pub fn read(&self, spans: &[Range<Position>], text: &mut Vec<S>) -> Result<()> {
        let length = self.length as Position;
        if spans.iter().any(|span| span.start > span.end || span.end > length) {
            return Err(Error::corrupt("a row lies outside the text"));
        }
        let first = text.len();
        let mut places = first;
        let rate = self.rates.inverse as usize;
        // The parts of each span that end where a rank is kept, or the text does.
        let mut waiting = spans.iter().flat_map(|span| {
            let (start, end) = (span.start as usize, span.end as usize);
            let place = places;
            places += end - start;
            let parts = if start < end { start / rate..end.div_ceil(rate) } else { 0..0 };
            parts.map(move |part| (part, Part { start, end, place, ..Part::default() }))
        });
        let all = spans.iter().map(|span| (span.end - span.start) as usize).sum::<usize>();
        let Some(&any) = self.alphabet.first().filter(|_| all > 0) else {
            return Ok(());
        };
        text.resize(first + all, any);
        let (mut rows, mut symbols) = ([0; GROUP], [0; GROUP]);
        let mut owners = [Part::default(); GROUP];
        let mut walks = Walks::default();
        let mut going = 0;
        loop {
            while going < GROUP
                && let Some((part, owner)) = waiting.next()
            {
                let stop = ((part + 1) * rate).min(self.length);
                rows[going] =
                    if stop == self.length { 0 } else { self.row(self.inverse.get(part + 1))? };
                owners[going] =
                    Part { position: stop, from: (part * rate).max(owner.start), ..owner };
                going += 1;
            }
            if going == 0 {
                return Ok(());
            }
            self.step(&mut walks, &mut rows[..going], &mut symbols[..going])?;
            let mut at = 0;
            while at < going {
                let part = &mut owners[at];
                part.position -= 1;
                if part.position < part.end {
                    let symbol = self.alphabet.get(symbols[at] as usize).ok_or_else(damaged)?;
                    text[part.place + part.position - part.start] = *symbol;
                }
                if part.position == part.from {
                    going -= 1;
                    (rows[at], owners[at]) = (rows[going], owners[going]);
                    symbols[at] = symbols[going];
                } else {
                    at += 1;
                }
            }
        }
    }

    /// Steps that it takes to find where a suffix stands, or what is at a position, on average.
    pub fn steps(&self) -> usize {
        (self.rates.sample + self.rates.inverse) as usize / 2
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        let samples = self.marks.bytes()
            + self.mark_starts.len() * 4
            + self.samples.bytes()
            + self.inverse.bytes();
        self.alphabet.len() * S::WIDTH + self.bwt.bytes() + samples
    }

    /// What is to be written of it.
    pub fn blocks(&self) -> Vec<BlockToWrite<'_>> {
        let mut blocks = vec![BlockToWrite::new("alphabet", S::DTYPE, &self.alphabet)];
        blocks.extend(self.bwt.blocks());
        blocks.extend(self.marks.blocks("marks"));
        blocks.extend([
            BlockToWrite::new("mark_starts", "u32", &self.mark_starts),
            self.samples.block("samples"),
            self.inverse.block("inverse"),
        ]);
        blocks
    }

    /// What [`FmIndex::blocks`] wrote of a text of so many symbols.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a block is not there, or a number is impossible.
    pub fn open(file: &SegmentFile, length: usize, primary: usize, rates: Rates) -> Result<Self> {
        // A rate that nobody chose would be a walk without end.
        let possible = |rate: u32| (1..=MOST_RATE).contains(&rate);
        if !possible(rates.sample)
            || !possible(rates.inverse)
            || !(1..=wavelet::MOST_BLOCK).contains(&rates.block)
            || primary > length
        {
            return Err(Error::corrupt_file(file.path(), "the header names impossible rates"));
        }
        let symbols = file.length("alphabet") / S::WIDTH;
        let alphabet: Block<S> = file.block("alphabet", S::DTYPE, symbols)?;
        if alphabet.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Error::corrupt_file(file.path(), "the alphabet is not in order"));
        }
        let most = length as u64;
        Ok(Self {
            alphabet,
            bwt: Wavelet::open(file, rates.block, symbols, length)?,
            primary,
            length,
            rates,
            marks: Hybrid::open(file, "marks")?,
            mark_starts: file.block("mark_starts", "u32", 3 * length.div_ceil(1 << MARKS))?,
            samples: Packed::open(file, "samples", width_of(most / u64::from(rates.sample)))?,
            inverse: Packed::open(file, "inverse", width_of(most))?,
        })
    }
}

impl<S: Symbol, B: BitVector> Sorted for FmIndex<S, B> {
    const ABREAST: usize = 1;

    type Symbol = S;

    /// O(sample rate) steps.
    fn position(&self, rank: Rank) -> Result<Position> {
        let mut found = vec![];
        self.positions(&[Ranks { start: rank, end: rank.saturating_add(1) }], &mut found)?;
        found.pop().ok_or_else(damaged)
    }

    /// O(inverse rate) steps.
    fn symbol(&self, position: Position) -> Result<S> {
        let mut found = vec![];
        self.read(std::slice::from_ref(&(position..position.saturating_add(1))), &mut found)?;
        found.pop().ok_or_else(damaged)
    }
}

/// A part of a span on its way from where a rank is kept to its start, backwards.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// Where it is.
    position: usize,
    /// Where it stops.
    from: usize,
    /// The span that it is of.
    start: usize,
    end: usize,
    /// Where the span's first symbol goes.
    place: usize,
}

/// Symbols' numbers and places to ask for, and whose they are.
#[derive(Debug)]
struct Asked {
    owners: [usize; GROUP],
    numbers: [u32; GROUP],
    places: [usize; GROUP],
    count: usize,
}

impl Default for Asked {
    fn default() -> Self {
        Self { owners: [0; GROUP], numbers: [0; GROUP], places: [0; GROUP], count: 0 }
    }
}

impl Asked {
    fn push(&mut self, owner: usize, number: u32, place: usize) {
        self.owners[self.count] = owner;
        self.numbers[self.count] = number;
        self.places[self.count] = place;
        self.count += 1;
    }

    fn owners(&self) -> &[usize] {
        &self.owners[..self.count]
    }

    fn numbers(&self) -> &[u32] {
        &self.numbers[..self.count]
    }

    fn places(&self) -> &[usize] {
        &self.places[..self.count]
    }
}

/// Patterns, one after another, each on its way from its end to its start.
#[derive(Debug)]
struct Flight<'p, S: Symbol, P> {
    patterns: P,
    pattern: Cow<'p, [S]>,
    /// How much of it is left.
    rest: usize,
    /// The rows that start with what is not, and before them those of each shorter end.
    trail: Vec<Range<usize>>,
    ranks: &'p mut Ranks,
}

impl<'p, S: Symbol, P: Iterator<Item = (Cow<'p, [S]>, &'p mut Ranks)>> Flight<'p, S, P> {
    /// The first of some patterns, if there is one, among all rows.
    fn new(mut patterns: P, all: Range<usize>) -> Option<Self> {
        let (pattern, ranks) = patterns.next()?;
        Some(Self { patterns, rest: pattern.len(), pattern, trail: vec![all], ranks })
    }

    fn rows(&self) -> Range<usize> {
        self.trail.last().cloned().unwrap_or_default()
    }

    /// Goes on to the next pattern, if there is one.
    fn next(&mut self) -> bool {
        let Some((pattern, ranks)) = self.patterns.next() else {
            return false;
        };
        let ends = self.pattern.iter().rev().zip(pattern.iter().rev());
        let shared = ends.take_while(|(own, next)| own == next).count();
        self.trail.truncate(shared + 1);
        self.rest = pattern.len() - (self.trail.len() - 1);
        (self.pattern, self.ranks) = (pattern, ranks);
        true
    }
}

/// The different symbols of a text, in order, and how often each stands there.
fn alphabet<S: Symbol>(text: &[S]) -> (Vec<S>, Vec<u32>) {
    let most = text.iter().map(|symbol| symbol.number()).filter(|&one| one < DENSE).max();
    let mut dense = vec![0_u32; most.map_or(0, |most| most as usize + 1)];
    let mut others = std::collections::BTreeMap::<S, u32>::new();
    for &symbol in text {
        match dense.get_mut(symbol.number() as usize) {
            Some(count) => *count += 1,
            None => *others.entry(symbol).or_default() += 1,
        }
    }
    let dense = dense.into_iter().enumerate().filter(|&(_, count)| count > 0);
    dense
        .filter_map(|(number, count)| Some((S::from_number(number as u32)?, count)))
        .chain(others)
        .unzip()
}

/// Symbols up to which there are tables by their own numbers.
const DENSE: u32 = 1 << 20;

/// The number of each symbol of an alphabet.
struct Numbers<'a, S> {
    dense: Vec<u32>,
    alphabet: &'a [S],
}

impl<'a, S: Symbol> Numbers<'a, S> {
    fn new(alphabet: &'a [S]) -> Self {
        let mut dense = vec![];
        for (number, symbol) in
            alphabet.iter().enumerate().take_while(|(_, one)| one.number() < DENSE)
        {
            dense.resize(symbol.number() as usize + 1, 0);
            dense[symbol.number() as usize] = number as u32;
        }
        Self { dense, alphabet }
    }

    fn of(&self, symbol: S) -> u32 {
        self.dense.get(symbol.number() as usize).copied().unwrap_or_else(|| {
            self.alphabet.binary_search(&symbol).map_or(0, |number| number as u32)
        })
    }
}

/// log2 of the symbols a block, `least` of them or so many that tables stay a small part.
fn block_for(least: u32, alphabet: usize, width: usize) -> u32 {
    let symbols = (alphabet * TABLE * 16 / width).max(1);
    let small = alphabet <= 256;
    if small {
        least
    } else {
        least.max(symbols.next_power_of_two().ilog2()).min(wavelet::MOST_BLOCK)
    }
}

fn damaged() -> Error {
    Error::corrupt("the compressed text contradicts itself")
}
