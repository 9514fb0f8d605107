//! BM25 ranking over postings: the rows that best match the tokens of a query, exactly.
//!
//! Postings keep counts and the rows' lengths, not scores: rows are added without counting the
//! others again, and any variant is asked of the same postings. Before the first question weights
//! are made of them, with the greatest of every block of postings.
//!
//! A query's tokens are taken by what they can add at most, greatest first. Once the k-th best sum
//! so far exceeds what all others together could add, only rows that have a sum already are looked
//! up for the rest (MaxScore, Turtle and Flood 1995); before that, blocks of which no new row could
//! reach the k-th best are passed over (block-max, Ding and Suel 2011). All rows sum in the same
//! order, so that what is passed over changes no score.

use std::path::Path;

use rayon::prelude::*;

use super::intern::Strings;
use super::tokenise::{END, Sequence, merge};
use super::vocabulary::gallop;
use crate::container::{Block, BlockToWrite, read_segment_file, write_segment_file};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// Postings of a block.
const BLOCK: usize = 128;
/// A token in at least one row of so many has its weights by row too.
const DENSE: usize = 8;
/// Rows whose sums tell how good the best are at least.
const SAMPLE: usize = 1 << 10;
/// Rounding of a few sums of 32 bits: what a bound must exceed by before rows are passed over.
const SLACK: f32 = 1e-5;

/// A formula of BM25, in the names of bm25s (Lù 2024), and of Kamphuis et al. 2020.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Lucene's: `ln(1 + (N - n + 0.5) / (n + 0.5))`, `tf / (K + tf)`.
    Lucene,
    /// Robertson's, an idf below 0 being 0.
    Robertson,
    /// ATIRE's: `ln(N / n)`, `tf (k1 + 1) / (tf + K)`.
    Atire,
    /// BM25L (Lv and Zhai 2011).
    Bm25L,
    /// BM25+ (Lv and Zhai 2011).
    Bm25Plus,
}

/// The formula and its constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Formula {
    /// Of the counts.
    pub variant: Variant,
    /// Of the inverse document frequency.
    pub idf: Variant,
    /// How soon more occurrences add no more.
    pub k1: f64,
    /// How much long rows count less, 0 to 1.
    pub b: f64,
    /// What an occurrence adds at least, in BM25L and BM25+.
    pub delta: f64,
}

impl Formula {
    fn idf(&self, rows: f64, with: f64) -> f64 {
        match self.idf {
            Variant::Lucene => (1.0 + (rows - with + 0.5) / (with + 0.5)).ln(),
            Variant::Robertson => ((rows - with + 0.5) / (with + 0.5)).max(1.0).ln(),
            Variant::Atire => (rows / with).ln(),
            Variant::Bm25L => ((rows + 1.0) / (with + 0.5)).ln(),
            Variant::Bm25Plus => ((rows + 1.0) / with).ln(),
        }
    }

    /// `K / k1` of a row: its length against the mean.
    fn length(&self, length: f64, mean: f64) -> f64 {
        1.0 - self.b + self.b * length / mean
    }

    fn part(&self, count: f64, length: f64) -> f64 {
        let Self { k1, delta, .. } = *self;
        match self.variant {
            Variant::Lucene | Variant::Robertson => count / (k1 * length + count),
            Variant::Atire => count * (k1 + 1.0) / (count + k1 * length),
            Variant::Bm25L => {
                let c = count / length;
                (k1 + 1.0) * (c + delta) / (k1 + c + delta)
            }
            Variant::Bm25Plus => (k1 + 1.0) * count / (k1 * length + count) + delta,
        }
    }
}

/// The rows that have each token, and how often.
#[derive(Debug)]
pub struct Postings {
    words: Strings,
    starts: Vec<usize>,
    rows: Block<u32>,
    counts: Block<u32>,
    lengths: Block<u32>,
}

const KIND: &str = "bm25";

impl Postings {
    /// The postings of a sequence. O(tokens · log) time for the longest row's.
    ///
    /// # Errors
    /// [`Error::Interrupted`], or [`Error::OutOfBudget`] for more than 2^32 rows.
    pub fn new(mut sequence: Sequence, monitor: &Monitor) -> Result<Self> {
        if sequence.rows() >= u32::MAX as usize {
            return Err(Error::OutOfBudget(format!(
                "{} rows are more than one ranking holds; make several",
                sequence.rows()
            )));
        }
        let mut lengths = Vec::with_capacity(sequence.rows());
        let mut starts = vec![0usize; sequence.distinct() + 2];
        let mut from = 0;
        for (row, &end) in sequence.row_ends.iter().enumerate() {
            if row % 1024 == 0 {
                monitor.check()?;
            }
            let symbols = &mut sequence.symbols[from..end];
            symbols.sort_unstable();
            let ends = symbols.iter().take_while(|&&symbol| symbol == END).count();
            lengths.push((symbols.len() - ends) as u32);
            for run in symbols[ends..].chunk_by(|left, right| left == right) {
                starts[run[0] as usize + 1] += 1;
            }
            from = end;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        // Token `n` fills from `starts[n]`, which then is where token `n + 1` starts.
        let mut rows = vec![0; starts[starts.len() - 1]];
        let mut counts = vec![0; rows.len()];
        let mut from = 0;
        for (row, &end) in sequence.row_ends.iter().enumerate() {
            let symbols = &sequence.symbols[from..end];
            let ends = symbols.len() - lengths[row] as usize;
            for run in symbols[ends..].chunk_by(|left, right| left == right) {
                let at = &mut starts[run[0] as usize];
                rows[*at] = row as u32;
                counts[*at] = run.len() as u32;
                *at += 1;
            }
            from = end;
        }
        starts.pop();
        Ok(Self {
            words: sequence.words,
            starts,
            rows: rows.into(),
            counts: counts.into(),
            lengths: lengths.into(),
        })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Distinct tokens.
    pub fn distinct(&self) -> usize {
        self.words.len()
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.rows.len() * 8
            + self.lengths.len() * 4
            + self.words.bytes.len()
            + self.words.len() * 16
    }

    /// These rows and then `other`'s.
    pub fn joined(&self, other: &Self) -> Self {
        let orders: Vec<Vec<u32>> =
            [self, other].iter().map(|one| (0..one.words.len() as u32).collect()).collect();
        let base = self.rows() as u32;
        let mut words = Strings::default();
        let mut starts = vec![0];
        let (mut rows, mut counts) = (vec![], vec![]);
        merge(&[&self.words, &other.words], &orders, |list, id, word, new| {
            if new {
                words.push(word);
                starts.push(0);
            }
            let from = [self, other][list];
            let span = from.starts[id as usize]..from.starts[id as usize + 1];
            let base = if list == 0 { 0 } else { base };
            rows.extend(from.rows[span.clone()].iter().map(|row| row + base));
            counts.extend_from_slice(&from.counts[span]);
            if let Some(last) = starts.last_mut() {
                *last = rows.len();
            }
        });
        let lengths = [&self.lengths[..], &other.lengths[..]].concat();
        Self { words, starts, rows: rows.into(), counts: counts.into(), lengths: lengths.into() }
    }

    /// Writes the postings to a file, with what the caller says of them; others can map it once it
    /// is whole.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Interrupted`].
    pub fn save(&self, path: &Path, options: &str, monitor: &Monitor) -> Result<()> {
        let meta = serde_json::json!({ "options": options });
        let word_ends: Vec<u64> = self.words.ends.iter().map(|&end| end as u64).collect();
        let starts: Vec<u64> = self.starts.iter().map(|&start| start as u64).collect();
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        let blocks = [
            BlockToWrite::new("words", "u8", &self.words.bytes),
            BlockToWrite::new("word_ends", "u64", &word_ends),
            BlockToWrite::new("starts", "u64", &starts),
            BlockToWrite::new("rows", "u32", &self.rows),
            BlockToWrite::new("counts", "u32", &self.counts),
            BlockToWrite::new("lengths", "u32", &self.lengths),
        ];
        let written = write_segment_file(&partial, KIND, &meta, &blocks, monitor).and_then(|_| {
            std::fs::rename(&partial, path)
                .map_err(|source| Error::Io { path: path.to_owned(), source })
        });
        if written.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        written
    }

    /// Maps postings that were saved, with what was said of them. Every byte is checked.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Format`] for another file, [`Error::Io`], or
    /// [`Error::Interrupted`].
    pub fn open(path: &Path, monitor: &Monitor) -> Result<(Self, String)> {
        let file = read_segment_file(path)?;
        if file.kind() != KIND {
            return Err(Error::Format {
                path: path.to_owned(),
                what: format!("a file of kind {:?}, not a ranking", file.kind()),
            });
        }
        file.verify(monitor)?;
        let bytes: Block<u8> = file.block("words", "u8", file.length("words"))?;
        let ends: Block<u64> = file.block("word_ends", "u64", file.length("word_ends") / 8)?;
        let starts: Block<u64> = file.block("starts", "u64", file.length("starts") / 8)?;
        let rows: Block<u32> = file.block("rows", "u32", file.length("rows") / 4)?;
        let counts: Block<u32> = file.block("counts", "u32", file.length("counts") / 4)?;
        let lengths: Block<u32> = file.block("lengths", "u32", file.length("lengths") / 4)?;
        let words =
            Strings { bytes: bytes.to_vec(), ends: ends.iter().map(|&end| end as usize).collect() };
        let starts: Vec<usize> = starts.iter().map(|&start| start as usize).collect();
        let whole = words.ends.is_sorted()
            && words.ends.last().copied().unwrap_or(0) == words.bytes.len()
            && starts.len() == words.len() + 1
            && starts.first() == Some(&0)
            && starts.is_sorted()
            && starts.last() == Some(&rows.len())
            && rows.len() == counts.len()
            && (1..words.len()).all(|at| words.get(at - 1) < words.get(at));
        let ascend = whole
            && starts.windows(2).all(|span| rows[span[0]..span[1]].is_sorted_by(|a, b| a < b))
            && rows.iter().all(|&row| (row as usize) < lengths.len());
        if !ascend {
            return Err(Error::Corrupt {
                path: Some(path.to_owned()),
                what: "its postings contradict each other".into(),
            });
        }
        let options = file.meta().get("options").and_then(|options| options.as_str());
        let options = options.unwrap_or_default().to_string();
        Ok((Self { words, starts, rows, counts, lengths }, options))
    }

    /// A token's number.
    pub fn word(&self, token: &[u8]) -> Option<u32> {
        self.words.find(token).ok().map(|at| at as u32)
    }

    /// Rows of tokens as queries; tokens that no row has are left out.
    pub fn queries(&self, sequence: &Sequence) -> Vec<Query> {
        let known: Vec<Option<u32>> =
            (0..sequence.words.len()).map(|at| self.word(sequence.words.get(at))).collect();
        let tokens = |row| sequence.row(row).iter().filter(|&&symbol| symbol != END);
        (0..sequence.rows())
            .map(|row| {
                tokens(row).filter_map(|&symbol| Some((known[symbol as usize - 1]?, 1.0))).collect()
            })
            .collect()
    }

    /// A token's string.
    pub fn token(&self, word: u32) -> &[u8] {
        self.words.get(word as usize)
    }

    /// Rows that have a token.
    pub fn rows_with(&self, word: u32) -> usize {
        self.starts[word as usize + 1] - self.starts[word as usize]
    }

    /// The tokens of each of `rows`, with counts, by number.
    pub fn tokens_of(&self, rows: &[u32]) -> Vec<Vec<(u32, u32)>> {
        let mut found = vec![vec![]; rows.len()];
        let mut wanted: Vec<(u32, usize)> = rows.iter().copied().zip(0..).collect();
        wanted.sort_unstable();
        for word in 0..self.words.len() {
            let span = self.starts[word]..self.starts[word + 1];
            let list = &self.rows[span.clone()];
            let mut from = 0;
            for &(row, at) in &wanted {
                from = gallop(from, list.len(), |at| list[at] < row);
                if list.get(from) == Some(&row) {
                    found[at].push((word as u32, self.counts[span.start + from]));
                }
            }
        }
        found
    }
}

/// Postings with the weights of a formula.
#[derive(Debug)]
pub struct Weights {
    formula: Formula,
    /// Of each posting: what it adds beyond a row without the token.
    weights: Vec<f32>,
    /// The greatest of each block, a token's blocks together from `block_starts` on.
    blocks: Vec<f32>,
    block_starts: Vec<usize>,
    /// The greatest of each token.
    greatest: Vec<f32>,
    /// What a token adds to every row.
    shared: Vec<f32>,
    /// Where among `dense` the weights by row of a frequent token start.
    dense_starts: Vec<u32>,
    dense: Vec<f32>,
}

const NOT_DENSE: u32 = u32::MAX;

impl Weights {
    /// The weights of all postings.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for constants that are none; [`Error::Interrupted`].
    pub fn new(postings: &Postings, formula: Formula, monitor: &Monitor) -> Result<Self> {
        let Formula { k1, b, delta, .. } = formula;
        let sane = k1.is_finite() && k1 >= 0.0 && (0.0..=1.0).contains(&b);
        if !sane || !delta.is_finite() || delta < 0.0 {
            return Err(Error::InvalidInput(format!(
                "k1 is {k1}, b is {b} and delta is {delta}; give k1 and delta from 0 on, and b \
                 from 0 to 1"
            )));
        }
        let rows = postings.rows() as f64;
        let total: f64 = postings.lengths.iter().map(|&length| f64::from(length)).sum();
        let mean = if total > 0.0 { total / rows } else { 1.0 };
        let lengths: Vec<f64> =
            postings.lengths.iter().map(|&length| formula.length(length.into(), mean)).collect();
        let words = postings.distinct();
        let mut found = Self {
            formula,
            weights: vec![0.0; postings.rows.len()],
            blocks: vec![],
            block_starts: vec![0],
            greatest: vec![0.0; words],
            shared: vec![0.0; words],
            dense_starts: vec![NOT_DENSE; words],
            dense: vec![],
        };
        let idfs: Vec<f64> = (0..words)
            .map(|word| formula.idf(rows, postings.rows_with(word as u32) as f64))
            .collect();
        // A row without a token: of BM25L its length does not matter, of BM25+ it is delta.
        let absent = match formula.variant {
            // Without k1 any occurrence is worth the same, also none that delta makes one.
            Variant::Bm25L if k1 + delta > 0.0 => formula.part(0.0, 1.0),
            Variant::Bm25Plus => delta,
            _ => 0.0,
        };
        let mut rest = &mut found.weights[..];
        let mut tasks = vec![];
        for word in 0..words {
            let (mine, others) = rest.split_at_mut(postings.rows_with(word as u32));
            tasks.push((word, mine));
            rest = others;
        }
        tasks.into_par_iter().with_min_len(1024).try_for_each(|(word, weights)| {
            if word % 4096 == 0 {
                monitor.check()?;
            }
            let span = postings.starts[word]..postings.starts[word + 1];
            let own = postings.rows[span.clone()].iter().zip(&postings.counts[span]);
            for (weight, (&row, &count)) in weights.iter_mut().zip(own) {
                let part = formula.part(count.into(), lengths[row as usize]) - absent;
                *weight = (idfs[word] * part) as f32;
            }
            Ok(())
        })?;
        let mut dense_room = found.weights.len();
        for (word, idf) in idfs.into_iter().enumerate() {
            let span = postings.starts[word]..postings.starts[word + 1];
            let weights = &found.weights[span.clone()];
            let block = |block: &[f32]| block.iter().copied().fold(0.0, f32::max);
            found.blocks.extend(weights.chunks(BLOCK).map(block));
            found.block_starts.push(found.blocks.len());
            found.greatest[word] = block(weights);
            found.shared[word] = (idf * absent) as f32;
            if weights.len() * DENSE >= postings.rows() && weights.len() > BLOCK {
                let start = found.dense.len();
                let stop = start + postings.rows();
                let fits = postings.rows() <= dense_room && stop < NOT_DENSE as usize;
                if !fits {
                    continue;
                }
                dense_room -= postings.rows();
                found.dense.resize(stop, 0.0);
                for (&row, &weight) in postings.rows[span].iter().zip(weights) {
                    found.dense[start + row as usize] = weight;
                }
                found.dense_starts[word] = start as u32;
            }
        }
        Ok(found)
    }

    /// The formula.
    pub fn formula(&self) -> Formula {
        self.formula
    }
}

/// Reused memory of one thread's questions: a sum a row, all zero in between.
#[derive(Debug, Default)]
struct Sums {
    sums: Vec<f32>,
    touched: Vec<u32>,
    spare: Vec<f32>,
}

/// One query: tokens, and how much each counts.
pub type Query = Vec<(u32, f32)>;

/// Rows of answers, best first: query, row, score, rank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// Which query.
    pub query: Vec<u64>,
    /// Which row.
    pub row: Vec<u64>,
    /// Its score.
    pub score: Vec<f32>,
    /// Its rank in the query's answer, from 1 on.
    pub rank: Vec<u64>,
}

/// The `k` rows that score best for each query, greatest first, then by row; rows without any token
/// of a query are not among them. Only rows for which `allowed` holds.
///
/// # Errors
/// [`Error::InvalidInput`] if `allowed` is not as long as there are rows; [`Error::Interrupted`].
pub fn search(
    postings: &Postings,
    weights: &Weights,
    queries: &[Query],
    k: usize,
    allowed: Option<&[bool]>,
    monitor: &Monitor,
) -> Result<Ranking> {
    if let Some(allowed) = allowed.filter(|allowed| allowed.len() != postings.rows()) {
        return Err(Error::InvalidInput(format!(
            "where has {} values and there are {} rows; give one for each",
            allowed.len(),
            postings.rows()
        )));
    }
    let answers: Vec<Vec<(u32, f32)>> = queries
        .par_iter()
        .with_min_len(4)
        .map_init(Sums::default, |sums, query| {
            monitor.check()?;
            sums.sums.resize(postings.rows(), 0.0);
            Ok(best(postings, weights, query, k, allowed, sums))
        })
        .collect::<Result<_>>()?;
    let mut ranking = Ranking::default();
    for (query, answer) in answers.into_iter().enumerate() {
        for (rank, (row, score)) in answer.into_iter().enumerate() {
            ranking.query.push(query as u64);
            ranking.row.push(row.into());
            ranking.score.push(score);
            ranking.rank.push(rank as u64 + 1);
        }
    }
    Ok(ranking)
}

/// A token of a query, with what it can add.
struct Term {
    word: u32,
    weight: f32,
    most: f32,
}

fn best(
    postings: &Postings,
    weights: &Weights,
    query: &[(u32, f32)],
    k: usize,
    allowed: Option<&[bool]>,
    memory: &mut Sums,
) -> Vec<(u32, f32)> {
    let mut query = query.to_vec();
    query.sort_unstable_by_key(|&(word, _)| word);
    let mut terms: Vec<Term> = vec![];
    for (word, weight) in query {
        match terms.last_mut() {
            Some(last) if last.word == word => last.weight += weight,
            _ => terms.push(Term { word, weight, most: 0.0 }),
        }
    }
    let mut shared = 0.0;
    for term in &mut terms {
        term.most = term.weight * weights.greatest[term.word as usize];
        shared += term.weight * weights.shared[term.word as usize];
    }
    terms.retain(|term| term.most > 0.0);
    // Stable, so that equal ones stay in the order of their strings.
    terms.sort_by(|left, right| right.most.total_cmp(&left.most));
    let mut rest = vec![0.0f32; terms.len() + 1];
    for (at, term) in terms.iter().enumerate().rev() {
        rest[at] = (rest[at + 1] + term.most) * (1.0 + SLACK);
    }
    let Sums { sums, touched, spare } = memory;
    touched.clear();
    let mut at = 0;
    if k == 0 {
        return vec![];
    }
    while at < terms.len() {
        let threshold = kth(sums, touched, k, spare);
        if at > 0 && threshold > rest[at] {
            break;
        }
        add(
            postings,
            weights,
            &terms[at],
            rest[at + 1],
            threshold,
            k,
            allowed,
            sums,
            touched,
            spare,
        );
        at += 1;
    }
    // Those that what is left can still lift to the k-th best; with nothing left, the best.
    let mut left: Vec<u32> = vec![];
    let reach = |sums: &[f32], rows: &[u32], at: usize, spare: &mut Vec<f32>| {
        let threshold = kth(sums, rows, k, spare);
        threshold - rest[at] - threshold * SLACK
    };
    let floor = reach(sums, touched, at, spare);
    left.extend(touched.iter().filter(|&&row| sums[row as usize] >= floor));
    if at < terms.len() {
        left.sort_unstable();
    }
    while at < terms.len() {
        look_up(postings, weights, &terms[at], &left, sums);
        at += 1;
        let floor = reach(sums, &left, at, spare);
        left.retain(|&row| sums[row as usize] >= floor);
    }
    let mut found: Vec<(u32, f32)> = left.iter().map(|&row| (row, sums[row as usize])).collect();
    for &row in &*touched {
        sums[row as usize] = 0.0;
    }
    let order = |left: &(u32, f32), right: &(u32, f32)| {
        right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
    };
    if found.len() > k {
        found.select_nth_unstable_by(k - 1, order);
        found.truncate(k);
    }
    found.sort_unstable_by(order);
    for (_, score) in &mut found {
        *score += shared;
    }
    found
}

/// What the k-th greatest sum is at least; 0 if rows are fewer. Of many rows the first are looked
/// at, which have the tokens that count most.
fn kth(sums: &[f32], rows: &[u32], k: usize, spare: &mut Vec<f32>) -> f32 {
    if rows.len() < k {
        return 0.0;
    }
    let rows = &rows[..rows.len().min(SAMPLE.max(2 * k))];
    spare.clear();
    spare.extend(rows.iter().map(|&row| sums[row as usize]));
    *spare.select_nth_unstable_by(k - 1, |left, right| right.total_cmp(left)).1
}

/// Adds a token's weights to all rows that could yet be among the best.
#[allow(clippy::too_many_arguments, reason = "one step of one loop")]
fn add(
    postings: &Postings,
    weights: &Weights,
    term: &Term,
    rest: f32,
    mut threshold: f32,
    k: usize,
    allowed: Option<&[bool]>,
    sums: &mut [f32],
    touched: &mut Vec<u32>,
    spare: &mut Vec<f32>,
) {
    let word = term.word as usize;
    let span = postings.starts[word]..postings.starts[word + 1];
    let (rows, own) = (&postings.rows[span.clone()], &weights.weights[span]);
    let blocks = &weights.blocks[weights.block_starts[word]..weights.block_starts[word + 1]];
    // The rows that had a sum before, sorted once a block is passed over.
    let first_new = touched.len();
    let mut before: Option<Vec<u32>> = None;
    let mut seen = 0;
    let mut next_look = 4 * BLOCK;
    for (block, (rows, own)) in rows.chunks(BLOCK).zip(own.chunks(BLOCK)).enumerate() {
        if block * BLOCK >= next_look {
            // What was found meanwhile makes more blocks hopeless.
            threshold = threshold.max(kth(sums, touched, k, spare));
            next_look = 2 * block * BLOCK;
        }
        let reach = (term.weight * blocks[block] + rest) * (1.0 + SLACK);
        if blocks.len() > 1 && reach < threshold {
            let before = before.get_or_insert_with(|| {
                let mut before = touched[..first_new].to_vec();
                before.sort_unstable();
                before
            });
            let last = rows[rows.len() - 1];
            seen = gallop(seen, before.len(), |at| before[at] < rows[0]);
            let mut from = 0;
            while seen < before.len() && before[seen] <= last {
                let row = before[seen];
                from = gallop(from, rows.len(), |at| rows[at] < row);
                if rows.get(from) == Some(&row) {
                    sums[row as usize] += term.weight * own[from];
                }
                seen += 1;
            }
            continue;
        }
        for (&row, &weight) in rows.iter().zip(own) {
            let sum = sums[row as usize];
            if sum == 0.0 {
                if weight <= 0.0 || allowed.is_some_and(|allowed| !allowed[row as usize]) {
                    continue;
                }
                touched.push(row);
            }
            sums[row as usize] = sum + term.weight * weight;
        }
    }
}

/// Adds a token's weights to these rows, which ascend.
fn look_up(postings: &Postings, weights: &Weights, term: &Term, left: &[u32], sums: &mut [f32]) {
    let word = term.word as usize;
    let dense = weights.dense_starts[word];
    if dense != NOT_DENSE {
        let dense = &weights.dense[dense as usize..][..postings.rows()];
        for &row in left {
            sums[row as usize] += term.weight * dense[row as usize];
        }
        return;
    }
    let span = postings.starts[word]..postings.starts[word + 1];
    let (rows, own) = (&postings.rows[span.clone()], &weights.weights[span]);
    let mut from = 0;
    for &row in left {
        from = gallop(from, rows.len(), |at| rows[at] < row);
        if rows.get(from) == Some(&row) {
            sums[row as usize] += term.weight * own[from];
        }
    }
}

/// How a query is widened by the rows that answer it best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Feedback {
    /// RM3 (Abdul-Jaleel et al. 2004), as Anserini has it: the tokens of the best rows, each by its
    /// share of a row times the row's score; `original` is the weight that the query keeps.
    Rm3 {
        /// 0 to 1.
        original: f64,
    },
    /// Rocchio's: `alpha` of the query's direction and `beta` of the mean of the rows' directions.
    Rocchio {
        /// Of the query.
        alpha: f64,
        /// Of the rows.
        beta: f64,
    },
}

/// How many rows and tokens widen a query, and which tokens may.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedbackOptions {
    /// How.
    pub method: Feedback,
    /// Tokens that are kept, of each row and in all.
    pub tokens: usize,
    /// Tokens in a greater share of the rows are left out.
    pub most_rows: f64,
    /// Whether only tokens of 2 to 20 of `a` to `z` and `0` to `9` widen a query.
    pub plain: bool,
}

/// The queries widened by the rows of an earlier answer.
pub fn widen(
    postings: &Postings,
    queries: &[Query],
    answer: &Ranking,
    options: &FeedbackOptions,
) -> Vec<Query> {
    let mut rows: Vec<u32> = answer.row.iter().map(|&row| row as u32).collect();
    rows.sort_unstable();
    rows.dedup();
    let vectors = postings.tokens_of(&rows);
    let most_rows = options.most_rows * postings.rows() as f64;
    let may = |word: u32| {
        let token = postings.token(word);
        let plain = (2..=20).contains(&token.len())
            && token.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        postings.rows_with(word) as f64 <= most_rows && (plain || !options.plain)
    };
    let vector = |row: u64| -> Vec<(u32, f64)> {
        let Ok(at) = rows.binary_search(&(row as u32)) else { return vec![] };
        let own = vectors[at].iter().filter(|&&(word, _)| may(word));
        greatest(own.map(|&(word, count)| (word, f64::from(count))).collect(), options.tokens)
    };
    let mut widened = vec![];
    for (at, query) in queries.iter().enumerate() {
        let found = (0..answer.query.len()).filter(|&place| answer.query[place] == at as u64);
        let best: Vec<(Vec<(u32, f64)>, f64)> =
            found.map(|place| (vector(answer.row[place]), answer.score[place].into())).collect();
        let rows = best.len() as f64;
        let mut sums: std::collections::BTreeMap<u32, f64> = Default::default();
        for (vector, score) in &best {
            let total: f64 = vector.iter().map(|(_, count)| count).sum();
            let norm = vector.iter().map(|(_, count)| count * count).sum::<f64>().sqrt();
            for &(word, count) in vector {
                *sums.entry(word).or_default() += match options.method {
                    Feedback::Rm3 { .. } => count / total * score,
                    Feedback::Rocchio { .. } => count / norm / rows,
                };
            }
        }
        let kept = greatest(sums.into_iter().collect(), options.tokens);
        let mut own: std::collections::BTreeMap<u32, f64> = Default::default();
        for &(word, weight) in query {
            *own.entry(word).or_default() += f64::from(weight);
        }
        let size = |values: &mut dyn Iterator<Item = f64>, square: bool| -> f64 {
            let sum: f64 = values.map(|value| if square { value * value } else { value }).sum();
            let sum = if square { sum.sqrt() } else { sum };
            if sum > 0.0 { sum } else { 1.0 }
        };
        let (of_query, of_rows, square) = match options.method {
            Feedback::Rm3 { original } => (original, 1.0 - original, false),
            Feedback::Rocchio { alpha, beta } => (alpha, beta, true),
        };
        let own_size = size(&mut own.values().copied(), square);
        let kept_size = size(&mut kept.iter().map(|&(_, value)| value), square);
        let mut all: std::collections::BTreeMap<u32, f64> =
            own.into_iter().map(|(word, value)| (word, of_query * value / own_size)).collect();
        for (word, value) in kept {
            *all.entry(word).or_default() += of_rows * value / kept_size;
        }
        widened.push(all.into_iter().map(|(word, value)| (word, value as f32)).collect());
    }
    widened
}

/// The greatest values, ties by number, in the order of numbers.
fn greatest(mut values: Vec<(u32, f64)>, most: usize) -> Vec<(u32, f64)> {
    values.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    values.truncate(most);
    values.sort_by_key(|&(word, _)| word);
    values
}
