//! Rows scored by a model: one table of its n-grams, asked for many rows side by side.
//!
//! An n-gram is looked up by where its context lies in the table and by its last token, so that
//! keys are exact, and what is known of an n-gram lies with it. Each look-up is at a place of its
//! own, and memory takes a while to give it: while it does, other rows are looked at.

use std::ops::Range;
use std::sync::Arc;

use super::super::ngrams::NONE;
use super::super::tokenise::{Analyzer, Reader, Scratch, Tokeniser};
use super::{Gram, MAX_MODEL_ORDER, Model, START, STOP, UNKNOWN};
use crate::bits::prefetch;
use crate::container::Block;
use crate::corpus::Rows;
use crate::error::{Error, Result};

/// Rows that are scored side by side: as many as hide how long memory takes.
const LANES: usize = 16;
/// Tokens that are gathered before their rows are scored.
const BATCH: usize = 1 << 14;
/// N-grams that are on their way into the table at a time.
const AHEAD: usize = 16;

/// What is known of an n-gram: base-10 logarithms.
#[derive(Clone, Copy, Debug, Default)]
struct Weights {
    probability: f32,
    backoff: f32,
}

/// A key, of which 0 is none, and what is known of its n-gram.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Entry {
    key: u64,
    probability: f32,
    backoff: f32,
}

// SAFETY: any bytes are a value of each field, there is no padding, and the layout is C's.
unsafe impl bytemuck::Zeroable for Entry {}
// SAFETY: as above.
unsafe impl bytemuck::Pod for Entry {}

/// All n-grams: tokens by number, longer ones by context and last token, in huge pages.
///
/// A context is a token's number, or, above those, where its entry lies.
#[derive(Debug)]
pub(super) struct Table {
    singles: Vec<Weights>,
    entries: Block<Entry>,
}

impl Table {
    /// The table of n-grams each behind its context, over `words` tokens.
    pub(super) fn new(grams: &[Gram], words: usize) -> Result<Self> {
        let lengths = super::lengths(grams);
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let longer = lengths.iter().filter(|&&length| length > 1).count();
        // At most three places of five are taken, so that to find nothing takes few looks.
        let room = longer / 3 * 5 + 16;
        if room + words >= u32::MAX as usize {
            return Err(Error::OutOfBudget(format!(
                "{} n-grams are more than one model holds; give a lower order, or fewer rows",
                grams.len()
            )));
        }
        let mut table =
            Self { singles: vec![Weights::default(); words + 1], entries: Block::zeros(room)? };
        let first = table.first();
        let mut contexts = vec![0u32; grams.len()];
        for (context, gram) in contexts.iter_mut().zip(grams) {
            if gram.context == NONE {
                *context = gram.word;
                let Gram { probability, backoff, .. } = *gram;
                table.singles[gram.word as usize] = Weights { probability, backoff };
            }
        }
        let entries = table.entries.items_mut();
        // The keys of one length are known once those of the one below have their places.
        let mut coming = [(0usize, 0usize, Entry::default()); AHEAD];
        for length in 2..=longest {
            let own = lengths.iter().zip(grams).enumerate().filter(|(_, (own, _))| **own == length);
            let mut asked = 0;
            for (id, (_, gram)) in own {
                if asked >= AHEAD {
                    let (id, at, entry) = coming[asked % AHEAD];
                    contexts[id] = first + insert(entries, at, entry);
                }
                let Gram { context, word, probability, backoff } = *gram;
                let key = key(contexts[context as usize], word);
                let at = place(key, room);
                prefetch(entries, at);
                coming[asked % AHEAD] = (id, at, Entry { key, probability, backoff });
                asked += 1;
            }
            for asked in asked.saturating_sub(AHEAD)..asked {
                let (id, at, entry) = coming[asked % AHEAD];
                contexts[id] = first + insert(entries, at, entry);
            }
        }
        Ok(table)
    }

    /// The number of the context that lies first among the entries.
    fn first(&self) -> u32 {
        self.singles.len() as u32
    }
}

/// Puts an entry where it is looked for, or behind what is there.
fn insert(entries: &mut [Entry], mut at: usize, entry: Entry) -> u32 {
    while entries[at].key != 0 {
        at = behind(at, entries.len());
    }
    entries[at] = entry;
    at as u32
}

/// The place behind one, the first behind the last.
#[inline]
fn behind(at: usize, room: usize) -> usize {
    if at + 1 == room { 0 } else { at + 1 }
}

/// Never 0: tokens are numbered from 1 on.
fn key(context: u32, word: u32) -> u64 {
    u64::from(context) << 32 | u64::from(word)
}

/// Where to look for a key first, among `room` places.
#[inline]
fn place(key: u64, room: usize) -> usize {
    let mut hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ hash >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    ((u128::from(hash) * room as u128) >> 64) as usize
}

/// What a model says of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Base-10 logarithm of the row's probability.
    pub log10: f64,
    /// The same without tokens that the model does not know.
    pub known_log10: f64,
    /// Tokens, the end included if it was asked for.
    pub tokens: u64,
    /// Tokens that the model does not know.
    pub unknown: u64,
}

/// A row on its way: what its last tokens are, and where the next one is looked for.
#[derive(Clone, Debug)]
struct Lane {
    row: usize,
    tokens: Range<usize>,
    /// Of each length the n-gram that the row ends with so far, and its back-off.
    contexts: [u32; MAX_MODEL_ORDER],
    backoffs: [f32; MAX_MODEL_ORDER],
    length: usize,
    places: [usize; MAX_MODEL_ORDER],
    score: Score,
}

/// Scores rows as it reads them; others may read the rows between.
#[derive(Debug)]
pub struct Scorer {
    model: Arc<Model>,
    tokeniser: Arc<Tokeniser>,
    start: bool,
    stop: bool,
    row: u64,
    scratch: Scratch,
    /// Where the tokens of a row are.
    spans: Vec<Range<usize>>,
    /// Tokens of the rows that wait, and of each of those which it is and which tokens it has.
    words: Vec<u32>,
    waiting: Vec<(usize, Range<usize>)>,
    scores: Vec<Option<Score>>,
    /// Rows, at the end of each stretch of rows that another reader goes on from.
    cuts: Vec<usize>,
}

impl Scorer {
    /// Without rows. A row begins as rows do if `start`, and its end is a token too if `stop`.
    pub fn new(model: Arc<Model>, tokeniser: Arc<Tokeniser>, start: bool, stop: bool) -> Self {
        Self {
            model,
            tokeniser,
            start,
            stop,
            row: 0,
            scratch: Scratch::default(),
            spans: vec![],
            words: vec![],
            waiting: vec![],
            scores: vec![],
            cuts: vec![],
        }
    }

    fn push_null(&mut self) -> Result<()> {
        self.row += 1;
        self.scores.push(None);
        Ok(())
    }

    /// Ends a row whose tokens are those from `from` on.
    fn end_row(&mut self, from: usize) {
        if self.stop {
            self.words.push(STOP);
        }
        self.row += 1;
        self.waiting.push((self.scores.len(), from..self.words.len()));
        self.scores.push(Some(Score::default()));
        if self.words.len() >= BATCH {
            self.score();
        }
    }

    /// Scores the rows that wait.
    fn score(&mut self) {
        let Self { model, words, waiting, scores, start, .. } = self;
        let table = &model.table;
        let entries = &table.entries[..];
        let mut next = waiting.drain(..).filter(|(_, tokens)| !tokens.is_empty());
        let mut lanes: Vec<Lane> = vec![];
        for (row, tokens) in next.by_ref().take(LANES) {
            let mut lane = Lane {
                row,
                tokens,
                contexts: [0; MAX_MODEL_ORDER],
                backoffs: [0.0; MAX_MODEL_ORDER],
                length: 0,
                places: [0; MAX_MODEL_ORDER],
                score: Score::default(),
            };
            lane.begin(table, *start);
            lane.ask(entries, words);
            lanes.push(lane);
        }
        while !lanes.is_empty() {
            let mut at = 0;
            while let Some(lane) = lanes.get_mut(at) {
                lane.take(table, entries, words, model.order);
                if lane.tokens.is_empty() {
                    scores[lane.row] = Some(lane.score);
                    let Some((row, tokens)) = next.next() else {
                        lanes.swap_remove(at);
                        continue;
                    };
                    lane.row = row;
                    lane.tokens = tokens;
                    lane.begin(table, *start);
                }
                lane.ask(entries, words);
                at += 1;
            }
        }
        drop(next);
        words.clear();
    }
}

impl Lane {
    fn begin(&mut self, table: &Table, start: bool) {
        self.score = Score::default();
        self.length = 0;
        if start {
            self.contexts[0] = START;
            self.backoffs[0] = table.singles[START as usize].backoff;
            self.length = 1;
        }
    }

    /// Asks memory for all that the next token's probability may depend on.
    #[inline]
    fn ask(&mut self, entries: &[Entry], words: &[u32]) {
        let word = words[self.tokens.start];
        for length in 0..self.length {
            let at = place(key(self.contexts[length], word), entries.len());
            prefetch(entries, at);
            self.places[length] = at;
        }
    }

    /// Adds the next token's probability, and goes on behind it.
    #[inline]
    fn take(&mut self, table: &Table, entries: &[Entry], words: &[u32], order: usize) {
        let word = words[self.tokens.start];
        self.tokens.start += 1;
        let Weights { mut probability, backoff } = table.singles[word as usize];
        let (mut context, mut own) = (word, backoff);
        let mut matched = 0;
        while matched < self.length {
            let key = key(self.contexts[matched], word);
            let mut at = self.places[matched];
            while entries[at].key != key && entries[at].key != 0 {
                at = behind(at, entries.len());
            }
            let entry = entries[at];
            if entry.key == 0 {
                break;
            }
            probability = entry.probability;
            self.contexts[matched] = context;
            self.backoffs[matched] = own;
            context = table.first() + at as u32;
            own = entry.backoff;
            matched += 1;
        }
        for backoff in &self.backoffs[matched..self.length] {
            probability += backoff;
        }
        if matched + 1 < order {
            self.contexts[matched] = context;
            self.backoffs[matched] = own;
            matched += 1;
        }
        self.length = if word == UNKNOWN { 0 } else { matched };
        let log10 = f64::from(probability);
        self.score.log10 += log10;
        self.score.tokens += 1;
        if word == UNKNOWN {
            self.score.unknown += 1;
        } else {
            self.score.known_log10 += log10;
        }
    }
}

impl Rows for Scorer {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        let Some(row) = row else { return self.push_null() };
        let Self { model, tokeniser, words, scratch, spans, .. } = self;
        if tokeniser.analyzer == Analyzer::Numbers {
            return Err(Error::UnsupportedType(
                "the column holds text, and the model is of tokens; give lists of tokens".into(),
            ));
        }
        let text = std::str::from_utf8(row).map_err(|error| {
            Error::InvalidInput(format!(
                "row {} is not UTF-8: {error}; repair it, or make it null",
                self.row
            ))
        })?;
        let from = words.len();
        spans.clear();
        tokeniser.tokens(text, scratch, |text, start, stop| {
            let stops = !tokeniser.stop_words.is_empty();
            if !stops || !tokeniser.stop_words.contains(&text[start..stop]) {
                model.words.ask(text, start, stop);
                spans.push(start..stop);
            }
        });
        for span in spans {
            let word = known(model.words.find(&scratch.text, span.start, span.end));
            prefetch(&model.table.singles, word as usize);
            words.push(word);
        }
        self.end_row(from);
        Ok(())
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        let Some(row) = row else { return self.push_null() };
        if self.tokeniser.analyzer != Analyzer::Numbers {
            return Err(Error::UnsupportedType(
                "the column holds lists of tokens, and the model is of text; give text".into(),
            ));
        }
        let from = self.words.len();
        for token in row {
            let word = self.model.words.find_bytes(token.to_string().as_bytes());
            self.words.push(known(word));
        }
        self.end_row(from);
        Ok(())
    }
}

/// A token's number by its place among the model's.
fn known(place: Option<u32>) -> u32 {
    place.map_or(UNKNOWN, |place| place + 1)
}

impl Reader for Scorer {
    fn set_row(&mut self, row: u64) {
        self.row = row;
    }

    fn cut(&mut self) {
        self.score();
        self.cuts.push(self.scores.len());
    }

    fn push_given(&mut self, grams: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        let from = self.words.len();
        self.words.extend(grams.map(|word| known(self.model.words.find_bytes(word))));
        self.end_row(from);
        Ok(())
    }
}

/// The scores of all rows in order; null rows have none.
pub fn join_scores(mut readers: Vec<Scorer>) -> Vec<Option<Score>> {
    readers.iter_mut().for_each(Scorer::cut);
    let stretches = readers.iter().map(|reader| reader.cuts.len()).max().unwrap_or(0);
    let mut joined = Vec::with_capacity(readers.iter().map(|reader| reader.scores.len()).sum());
    for stretch in 0..stretches {
        for reader in &readers {
            let Some(&stop) = reader.cuts.get(stretch) else { continue };
            let start = stretch.checked_sub(1).map_or(0, |before| reader.cuts[before]);
            joined.extend_from_slice(&reader.scores[start..stop]);
        }
    }
    joined
}
