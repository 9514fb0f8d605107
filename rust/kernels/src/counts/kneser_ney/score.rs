//! Rows scored by a model, many side by side: while memory gives what one waits for, others go on.

use std::ops::Range;
use std::sync::Arc;

use super::super::tokenise::{Analyzer, Reader, Scratch, Tokeniser};
use super::table::{Node, Table, is_near};
use super::{MAX_MODEL_ORDER, Model, START, STOP, UNKNOWN};
use crate::corpus::Rows;
use crate::error::{Error, Result};

/// Rows that are scored side by side: as many as hide how long memory takes.
const LANES: usize = 24;
/// Tokens that are gathered before their rows are scored.
const BATCH: usize = 1 << 14;

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
    /// Tokens to come; those before are what they follow.
    tokens: Range<usize>,
    /// Back-offs of the n-grams that the row ends with so far, shortest first, and how many.
    backoffs: [f32; MAX_MODEL_ORDER],
    length: usize,
    /// The longest n-gram found of those that end with the next token, and how many tokens it
    /// follows in that one.
    node: Node,
    matched: usize,
    /// Where the one is looked for that is a token longer.
    place: usize,
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

    /// Ends a row that begins at `from`.
    fn end_row(&mut self, from: usize) {
        if self.stop {
            self.words.push(STOP);
        }
        self.row += 1;
        let from = from + usize::from(self.start);
        self.waiting.push((self.scores.len(), from..self.words.len()));
        self.scores.push(Some(Score::default()));
        if self.words.len() >= BATCH {
            self.score();
        }
    }

    /// Begins a row; gives where it begins.
    fn begin_row(&mut self) -> usize {
        let from = self.words.len();
        if self.start {
            self.words.push(START);
        }
        from
    }

    /// Scores the rows that wait.
    fn score(&mut self) {
        let Self { model, words, waiting, scores, start, .. } = self;
        let (table, order) = (&model.table, model.order);
        let mut rows = waiting.drain(..).filter(|(_, tokens)| !tokens.is_empty());
        let mut next = |scores: &mut [Option<Score>]| loop {
            let (row, tokens) = rows.next()?;
            let mut lane = Lane::new(row, tokens, table, *start);
            let waits = lane.begin(table, words, order);
            if lane.goes_on(waits, table, words, order) {
                return Some(lane);
            }
            scores[row] = Some(lane.score);
        };
        let mut lanes: Vec<Lane> =
            std::iter::from_fn(|| next(scores.as_mut_slice())).take(LANES).collect();
        while !lanes.is_empty() {
            let mut at = 0;
            while let Some(lane) = lanes.get_mut(at) {
                let waits = lane.look(table, words, order);
                if !lane.goes_on(waits, table, words, order) {
                    scores[lane.row] = Some(lane.score);
                    let Some(other) = next(scores.as_mut_slice()) else {
                        lanes.swap_remove(at);
                        continue;
                    };
                    *lane = other;
                }
                at += 1;
            }
        }
        drop(rows);
        words.clear();
    }
}

impl Lane {
    fn new(row: usize, tokens: Range<usize>, table: &Table, start: bool) -> Self {
        let mut backoffs = [0.0; MAX_MODEL_ORDER];
        if start {
            backoffs[0] = table.single(START).backoff;
        }
        let length = usize::from(start);
        let (node, score) = (Node::default(), Score::default());
        Self { row, tokens, backoffs, length, node, matched: 0, place: 0, score }
    }

    /// The token before those that the next one is known to follow.
    #[inline]
    fn left(&self, words: &[u32]) -> u32 {
        words[self.tokens.start - 1 - self.matched]
    }

    /// Begins the next token; says whether it waits for memory.
    #[inline]
    fn begin(&mut self, table: &Table, words: &[u32], order: usize) -> bool {
        let at = self.tokens.start;
        if let Some(&coming) = words.get(at + 1) {
            table.ask_single(coming);
        }
        self.node = table.single(words[at]);
        self.matched = 0;
        if self.length == 0 || !self.node.may_lead(self.left(words)) {
            return false;
        }
        self.place = Table::place(self.node, self.left(words), order == 2);
        table.ask(self.place);
        true
    }

    /// Looks at what it waited for; says whether it waits for more.
    #[inline]
    fn look(&mut self, table: &Table, words: &[u32], order: usize) -> bool {
        loop {
            let is_last = self.matched + 2 == order;
            let left = self.left(words);
            let Some((node, at)) = table.find(self.node, self.place, left, is_last) else {
                return false;
            };
            // What a longer one is found for needs no back-off.
            self.backoffs[self.matched] = self.node.backoff;
            self.matched += 1;
            self.node = node;
            if self.matched == self.length || !node.may_lead(self.left(words)) {
                return false;
            }
            self.place = Table::place(node, self.left(words), self.matched + 2 == order);
            if !is_near(at, self.place) {
                table.ask(self.place);
                return true;
            }
        }
    }

    /// Ends tokens, and begins others, up to one that waits; says whether there is one.
    #[inline]
    fn goes_on(&mut self, mut waits: bool, table: &Table, words: &[u32], order: usize) -> bool {
        while !waits {
            self.end(words, order);
            if self.tokens.is_empty() {
                return false;
            }
            waits = self.begin(table, words, order);
        }
        true
    }

    /// Adds the next token's probability, and goes on behind it.
    #[inline]
    fn end(&mut self, words: &[u32], order: usize) {
        let mut probability = self.node.probability;
        for backoff in &self.backoffs[self.matched..self.length] {
            probability += backoff;
        }
        let word = words[self.tokens.start];
        self.tokens.start += 1;
        self.length = self.matched;
        if self.matched + 1 < order {
            self.backoffs[self.matched] = self.node.backoff;
            self.length += 1;
        }
        let log10 = f64::from(probability);
        self.score.log10 += log10;
        self.score.tokens += 1;
        if word == UNKNOWN {
            self.length = 0;
            self.score.unknown += 1;
        } else {
            self.score.known_log10 += log10;
        }
    }
}

impl Rows for Scorer {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        let Some(row) = row else { return self.push_null() };
        let from = self.begin_row();
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
        let from = self.begin_row();
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
        let from = self.begin_row();
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
