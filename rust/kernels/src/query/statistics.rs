//! Matching statistics (Chang and Lawler 1994): for every place in a text, the longest part before
//! it that occurs in the index. The language model's scores and maximal matches both come of them.

use crate::error::Result;
use crate::index::{Index, everything};
use crate::interrupt::Monitor;
use crate::pool::in_blocks;
use crate::symbol::{Pattern, Patterns, Ranks};

/// Pieces that go in step, so that their cache misses overlap.
const LANES: usize = 64;

/// The fewest symbols of a piece: texts are cut, so that there are lanes enough for each thread, but
/// not so often that to look for the beginnings of pieces is most of the work.
const PIECE: usize = 48;

/// Most pieces handed to a thread at once.
const BLOCK: usize = 256;

/// Occurrences up to which a match is extended where it stands, rather than looked for anew.
const FEW: u64 = 32;

/// Symbols from which on it is so whatever it occurs, for to look for it means to compare them all.
const LONG: usize = 64;

/// What the index knows at one place of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Symbols before the place that occur in the index, as many as do.
    pub length: u64,
    /// How often they do.
    pub context: u64,
    /// How often the symbol at the place, or the end of the row, comes next.
    pub count: u64,
    /// Whether what comes next is the same wherever they occur, whether the symbol at the place or
    /// another.
    pub sparse: bool,
}

/// What to say of each place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The longest context.
    pub longest: usize,
    /// Whether the end of each row is a place too.
    pub ends: bool,
    /// Whether to find out what is sparse.
    pub sparse: bool,
}

/// A piece of a text: its places from `from` to before `to`.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    text: Pattern<'a>,
    from: usize,
    to: usize,
}

/// A piece under way: `text[start..at]` is the longest match before `at`.
#[derive(Debug)]
struct Lane<'a> {
    nth: usize,
    piece: Piece<'a>,
    start: usize,
    at: usize,
    count: u64,
    ranks: Vec<Ranks>,
    /// How many of the last symbols before `at` are the same.
    run: usize,
    /// Looks for the first start from which on the text up to and with `at` occurs.
    hunt: Hunt,
    reaches: Vec<Reach>,
}

/// A search for the smallest start: none up to `fails` will do, `holds` does.
#[derive(Debug, Default)]
struct Hunt {
    fails: Option<usize>,
    holds: Option<(usize, u64, Vec<Ranks>)>,
    stride: usize,
}

impl Index {
    /// What the index knows at every place of every row; nothing at null rows.
    pub(super) fn reaches(
        &self,
        rows: &Patterns,
        wanted: Wanted,
        monitor: &Monitor,
    ) -> Result<Vec<Vec<Reach>>> {
        let mut pieces = vec![];
        let symbols: usize = rows.valid().map(|(_, text)| text.len()).sum();
        let most = (symbols / (LANES * rayon::current_num_threads())).max(PIECE);
        let mut owners = vec![];
        for (at, text) in rows.valid() {
            for from in (0..text.len()).step_by(most) {
                pieces.push(Piece { text, from, to: text.len().min(from + most) });
                owners.push(at);
            }
        }
        let size = pieces.len().div_ceil(rayon::current_num_threads()).clamp(LANES, BLOCK);
        let found =
            in_blocks(&pieces, size, monitor, |pieces| self.reaches_of(pieces, wanted, monitor))?;
        let mut reaches = vec![vec![]; rows.len()];
        for (owner, mut found) in owners.into_iter().zip(found.into_iter().flatten()) {
            reaches[owner].append(&mut found);
        }
        if wanted.ends {
            self.score_ends(rows, wanted, &mut reaches, monitor)?;
        }
        Ok(reaches)
    }

    /// Adds to each row what the index knows at its end.
    fn score_ends(
        &self,
        rows: &Patterns,
        wanted: Wanted,
        reaches: &mut [Vec<Reach>],
        monitor: &Monitor,
    ) -> Result<()> {
        let valid: Vec<(usize, Pattern<'_>)> = rows.valid().collect();
        let ends = in_blocks(&valid, BLOCK, monitor, |block| {
            let tails: Vec<Pattern<'_>> =
                block.iter().map(|(_, text)| text.last(wanted.longest)).collect();
            let found = self.longest_suffixes(&tails)?.into_iter().map(|context| {
                let count = self.followed(&context, None, 0)?.unwrap_or(0);
                let sparse = wanted.sparse && self.is_sparse(&context, count)?;
                let length = context.text.len() as u64;
                Ok(Reach { length, context: context.count, count, sparse })
            });
            found.collect::<Result<Vec<_>>>()
        })?;
        for ((at, _), end) in valid.into_iter().zip(ends.concat()) {
            reaches[at].push(end);
        }
        Ok(())
    }

    fn reaches_of(
        &self,
        pieces: &[Piece<'_>],
        wanted: Wanted,
        monitor: &Monitor,
    ) -> Result<Vec<Vec<Reach>>> {
        let mut reaches = vec![vec![]; pieces.len()];
        let mut started = 0;
        let mut lanes: Vec<Lane<'_>> = vec![];
        let mut texts = vec![];
        loop {
            monitor.check()?;
            // Several at once, so that their misses overlap too.
            let room = LANES - lanes.len();
            if started < pieces.len() && room >= LANES.min(pieces.len()) / 4 {
                let next = &pieces[started..pieces.len().min(started + room)];
                self.start(next, started, wanted, &mut lanes)?;
                started += next.len();
            }
            // What is left of each lane wants to look for a text.
            let mut nth = 0;
            texts.clear();
            while let Some(lane) = lanes.get_mut(nth) {
                if let Some(text) = lane.advance(self, wanted)? {
                    texts.push(text);
                    nth += 1;
                } else {
                    let done = lanes.swap_remove(nth);
                    reaches[done.nth] = done.reaches;
                }
            }
            if lanes.is_empty() && started == pieces.len() {
                return Ok(reaches);
            }
            let found = self.find_each(&texts)?;
            for (lane, ranks) in lanes.iter_mut().zip(found) {
                lane.answer(self, ranks, wanted)?;
            }
        }
    }

    /// Whether a context, of which the ranks in each segment are given, goes on with one symbol
    /// only; `count` of its occurrences do so with one that is known.
    pub(super) fn sparse(
        &self,
        ranks: &[Ranks],
        depth: usize,
        context: u64,
        count: u64,
    ) -> Result<bool> {
        if count > 0 || context < 2 {
            return Ok(context > 0 && (context == 1 || count == context));
        }
        // Suffixes are in order: where the first and the last go on alike, all between do.
        let mut known = None;
        for (part, ranks) in self.parts().zip(ranks).filter(|(_, ranks)| !ranks.is_empty()) {
            for rank in [ranks.start, ranks.end - 1] {
                let symbol = part.segment.continuation(rank, depth)?;
                if known.is_some_and(|known| known != symbol) {
                    return Ok(false);
                }
                known = Some(symbol);
            }
        }
        if known != Some(None) {
            return Ok(true);
        }
        // Ends of rows may come first and last, and others between them.
        let all = self.parts().zip(ranks).try_fold(0, |ends, (part, &ranks)| {
            Ok::<_, crate::Error>(ends + part.segment.ending(ranks, depth)?)
        });
        Ok(all? == context)
    }

    /// Adds lanes of pieces at their starts, of which the first is the `nth` of all.
    fn start<'a>(
        &self,
        pieces: &[Piece<'a>],
        nth: usize,
        wanted: Wanted,
        lanes: &mut Vec<Lane<'a>>,
    ) -> Result<()> {
        let before: Vec<Pattern<'_>> =
            pieces.iter().map(|it| it.text.slice(0..it.from).last(wanted.longest)).collect();
        let contexts = self.longest_suffixes(&before)?;
        let suffixes: Vec<Pattern<'_>> = contexts.iter().map(|context| context.text).collect();
        let ranks = self.find_each(&suffixes)?;
        for (at, ((&piece, context), ranks)) in pieces.iter().zip(contexts).zip(ranks).enumerate() {
            let length = context.text.len();
            let mut run = length.min(1);
            while run < length && alike(piece.text, piece.from - run) {
                run += 1;
            }
            lanes.push(Lane {
                nth: nth + at,
                piece,
                run,
                start: piece.from - length,
                at: piece.from,
                count: context.count,
                ranks,
                hunt: Hunt::default(),
                reaches: Vec::with_capacity(piece.to - piece.from),
            });
        }
        Ok(())
    }
}

/// Whether the symbol at a place is the one before it too.
fn alike(text: Pattern<'_>, at: usize) -> bool {
    at > 0 && text.symbol(at) == text.symbol(at - 1)
}

impl<'a> Lane<'a> {
    /// Goes on until a text has to be looked for, which it gives back, or the piece is done.
    fn advance(&mut self, index: &Index, wanted: Wanted) -> Result<Option<Pattern<'a>>> {
        while self.at < self.piece.to {
            if let Some(start) = self.next_start() {
                let short = self.at - self.start < LONG;
                let here = start == self.start && (self.count <= FEW || !short);
                if start == self.at + 1 {
                    // The empty text occurs everywhere.
                    let everywhere = index.parts().map(|part| everything(part.segment));
                    self.answer(index, everywhere.collect(), wanted)?;
                } else if here && self.hunt.fails.is_none() {
                    let symbol = self.piece.text.symbol(self.at);
                    let depth = self.at - self.start;
                    let extended = index
                        .parts()
                        .zip(&self.ranks)
                        .map(|(part, ranks)| part.segment.following(*ranks, depth, symbol));
                    let extended = extended.collect::<Result<_>>()?;
                    self.answer(index, extended, wanted)?;
                } else if start == self.start + 1
                    && self.run >= self.at - self.start
                    && alike(self.piece.text, self.at)
                {
                    // A run of one symbol, longer than the index has: it goes on as it was. To look
                    // for it would take its length at every place.
                    self.answer(index, self.ranks.clone(), wanted)?;
                } else {
                    return Ok(Some(self.piece.text.slice(start..self.at + 1)));
                }
            } else {
                self.settle(index, wanted.longest)?;
            }
        }
        Ok(None)
    }

    /// The start to try next; `None` if the smallest one is found.
    fn next_start(&self) -> Option<usize> {
        match (self.hunt.fails, &self.hunt.holds) {
            (None, None) => Some(self.start),
            (None, Some(_)) => None,
            (Some(fails), None) => Some((fails + self.hunt.stride).min(self.at + 1)),
            (Some(fails), Some((holds, ..))) => {
                (fails + 1 < *holds).then(|| fails.midpoint(*holds))
            }
        }
    }

    /// Takes in the ranks of the text from the start tried on.
    fn answer(&mut self, index: &Index, ranks: Vec<Ranks>, wanted: Wanted) -> Result<()> {
        let Some(start) = self.next_start() else { return Ok(()) };
        let count = Ranks::total(&ranks);
        if self.hunt.fails.is_none() {
            let (depth, context) = (self.at - self.start, self.count);
            let sparse = wanted.sparse && index.sparse(&self.ranks, depth, context, count)?;
            self.reaches.push(Reach { length: depth as u64, context, count, sparse });
        }
        // Nothing is shorter than the empty text, even where that does not occur.
        if count > 0 || start > self.at {
            self.hunt.holds = Some((start, count, ranks));
        } else {
            self.hunt.fails = Some(start);
            self.hunt.stride = (2 * self.hunt.stride).max(1);
        }
        Ok(())
    }

    /// Goes to the next place, once the match before it is known.
    fn settle(&mut self, index: &Index, longest: usize) -> Result<()> {
        let hunt = std::mem::take(&mut self.hunt);
        self.run = if alike(self.piece.text, self.at) { self.run + 1 } else { 1 };
        self.at += 1;
        if let Some((start, count, ranks)) = hunt.holds {
            (self.start, self.count, self.ranks) = (start, count, ranks);
        }
        if self.at - self.start > longest {
            self.start = self.at - longest;
            let context = self.piece.text.slice(self.start..self.at);
            self.ranks = index.find_each(&[context])?.concat();
            self.count = Ranks::total(&self.ranks);
        }
        Ok(())
    }
}
