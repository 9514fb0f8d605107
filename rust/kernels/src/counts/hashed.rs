//! N-grams into buckets by a hash of their strings: no vocabulary, one pass.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::csr::Matrix;
use super::ngrams::Orders;
use super::tokenise::{Analyzer, Scratch, Tokeniser};
use crate::corpus::Rows;
use crate::error::{Error, Result};

/// Which hash, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// MurmurHash3's 32 bits, seed 0, its absolute value modulo the buckets: scikit-learn's.
    Murmur {
        /// Whether a negative hash counts -1.
        alternate_sign: bool,
    },
    /// SHA-256 as one number modulo the buckets: DSIR's (Xie et al. 2023).
    Sha256,
}

/// Appleby's MurmurHash3, x86, 32 bits, seed 0.
pub fn murmur3(bytes: &[u8]) -> u32 {
    let mix =
        |block: u32| block.wrapping_mul(0xCC9E_2D51).rotate_left(15).wrapping_mul(0x1B87_3593);
    let mut hash = 0u32;
    let (blocks, rest) = bytes.as_chunks::<4>();
    for block in blocks {
        hash ^= mix(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xE654_6B64);
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        hash ^= mix(u32::from_le_bytes(last));
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ hash >> 13).wrapping_mul(0xC2B2_AE35);
    hash ^ hash >> 16
}

/// The remainder of a number of 256 bits, big end first.
fn remainder(digest: &[u8], buckets: u32) -> u32 {
    let step = |rest: u64, four: &[u8; 4]| {
        (rest << 32 | u64::from(u32::from_be_bytes(*four))) % u64::from(buckets)
    };
    digest.as_chunks::<4>().0.iter().fold(0, step) as u32
}

impl Hash {
    /// A string's bucket, and whether it counts down.
    pub(crate) fn bucket(self, bytes: &[u8], buckets: u32) -> (u32, bool) {
        match self {
            Self::Murmur { alternate_sign } => {
                let hash = murmur3(bytes) as i32;
                (hash.unsigned_abs() % buckets, alternate_sign && hash < 0)
            }
            Self::Sha256 => (remainder(&Sha256::digest(bytes), buckets), false),
        }
    }
}

/// Cuts rows into n-grams, each a string.
#[derive(Debug)]
pub struct Grams {
    tokeniser: Arc<Tokeniser>,
    orders: Orders,
    row: u64,
    scratch: Scratch,
    /// A row's tokens with what joins them, and the start and stop of each.
    joined: Vec<u8>,
    spans: Vec<(usize, usize)>,
}

impl Grams {
    /// Without rows.
    pub fn new(tokeniser: Arc<Tokeniser>, orders: Orders) -> Self {
        let (joined, spans) = (vec![], vec![]);
        Self { tokeniser, orders, row: 0, scratch: Scratch::default(), joined, spans }
    }

    /// The next row's number, for messages.
    pub(crate) fn set_row(&mut self, row: u64) {
        self.row = row;
    }

    /// Gives the n-grams of a row of text, and says how many tokens it has.
    pub(crate) fn of_bytes(&mut self, row: Option<&[u8]>, put: impl FnMut(&[u8])) -> Result<usize> {
        let text = std::str::from_utf8(row.unwrap_or_default()).map_err(|error| {
            Error::InvalidInput(format!(
                "row {} is not UTF-8: {error}; repair it, or make it null",
                self.row
            ))
        })?;
        self.row += 1;
        Ok(if row.is_some() { self.of_text(text, put) } else { 0 })
    }

    /// Gives the n-grams of a row of token numbers, and says how many tokens it has.
    pub(crate) fn of_tokens(
        &mut self,
        row: Option<&[u32]>,
        mut put: impl FnMut(&[u8]),
    ) -> Result<usize> {
        if self.tokeniser.analyzer != Analyzer::Numbers {
            return Err(Error::UnsupportedType(
                "the column holds lists of tokens; give analyzer=\"token\" to hash those".into(),
            ));
        }
        self.joined.clear();
        self.spans.clear();
        for token in row.into_iter().flatten() {
            if !self.joined.is_empty() {
                self.joined.push(b' ');
            }
            let start = self.joined.len();
            self.joined.extend_from_slice(token.to_string().as_bytes());
            self.spans.push((start, self.joined.len()));
        }
        self.row += 1;
        self.unit(&mut put);
        Ok(self.spans.len())
    }

    fn of_text(&mut self, row: &str, mut put: impl FnMut(&[u8])) -> usize {
        let Self { tokeniser, joined, spans, scratch, .. } = self;
        joined.clear();
        spans.clear();
        if tokeniser.analyzer.is_characters() {
            let tokeniser = Arc::clone(tokeniser);
            let mut taken = std::mem::take(scratch);
            let mut tokens = 0;
            tokeniser.characters_of(row, &mut taken, |c| match c {
                Some(c) => {
                    let start = self.joined.len();
                    self.joined.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    self.spans.push((start, self.joined.len()));
                    tokens += 1;
                }
                None => {
                    self.unit(&mut put);
                    self.joined.clear();
                    self.spans.clear();
                }
            });
            self.scratch = taken;
            return tokens;
        }
        tokeniser.tokens(row, scratch, |text, start, stop| {
            let token = &text[start..stop];
            if !tokeniser.stop_words.is_empty() && tokeniser.stop_words.contains(token) {
                return;
            }
            if !joined.is_empty() {
                joined.push(b' ');
            }
            let start = joined.len();
            joined.extend_from_slice(token);
            spans.push((start, joined.len()));
        });
        self.unit(&mut put);
        self.spans.len()
    }

    /// Gives the n-grams of the tokens gathered.
    fn unit(&self, put: &mut impl FnMut(&[u8])) {
        let Self { orders, spans, joined, .. } = self;
        let mut put = |from: usize, to: usize| put(&joined[spans[from].0..spans[to].1]);
        if orders.whole && !spans.is_empty() && spans.len() < orders.least {
            put(0, spans.len() - 1);
            return;
        }
        for order in orders.least..=orders.most.min(spans.len()) {
            for from in 0..=spans.len() - order {
                put(from, from + order - 1);
            }
        }
    }
}

/// What one thread hashes.
#[derive(Debug)]
pub struct HashedShard {
    grams: Grams,
    hash: Hash,
    buckets: u32,
    matrix: Matrix<f64>,
    cuts: Vec<usize>,
    found: Vec<(u32, f64)>,
}

impl HashedShard {
    /// Without rows.
    pub fn new(tokeniser: Arc<Tokeniser>, orders: Orders, hash: Hash, buckets: u32) -> Self {
        Self {
            grams: Grams::new(tokeniser, orders),
            hash,
            buckets,
            matrix: Matrix { row_starts: vec![0], ..Matrix::default() },
            cuts: vec![],
            found: vec![],
        }
    }

    fn end_row(&mut self) {
        self.found.sort_unstable_by_key(|&(bucket, _)| bucket);
        for run in self.found.chunk_by(|left, right| left.0 == right.0) {
            self.matrix.columns.push(run[0].0);
            self.matrix.data.push(run.iter().map(|(_, value)| value).sum());
        }
        self.found.clear();
        self.matrix.row_starts.push(self.matrix.columns.len());
    }
}

/// Adds an n-gram's bucket, up or down.
fn put(found: &mut Vec<(u32, f64)>, hash: Hash, buckets: u32) -> impl FnMut(&[u8]) {
    move |gram| {
        let (bucket, down) = hash.bucket(gram, buckets);
        found.push((bucket, if down { -1.0 } else { 1.0 }));
    }
}

impl Rows for HashedShard {
    fn push_bytes(&mut self, row: Option<&[u8]>) -> Result<()> {
        self.grams.of_bytes(row, put(&mut self.found, self.hash, self.buckets))?;
        self.end_row();
        Ok(())
    }

    fn push_tokens(&mut self, row: Option<&[u32]>) -> Result<()> {
        self.grams.of_tokens(row, put(&mut self.found, self.hash, self.buckets))?;
        self.end_row();
        Ok(())
    }
}

impl super::tokenise::Reader for HashedShard {
    fn set_row(&mut self, row: u64) {
        self.grams.set_row(row);
    }

    fn cut(&mut self) {
        self.cuts.push(self.matrix.row_starts.len() - 1);
    }

    fn push_given(&mut self, grams: &mut dyn Iterator<Item = &[u8]>) -> Result<()> {
        grams.for_each(put(&mut self.found, self.hash, self.buckets));
        self.end_row();
        Ok(())
    }
}

/// The rows of shards in order.
pub fn join_hashed(shards: Vec<HashedShard>) -> Matrix<f64> {
    let mut joined = Matrix { row_starts: vec![0], ..Matrix::default() };
    let mut shards = shards;
    if let [only] = &mut shards[..] {
        return std::mem::take(&mut only.matrix);
    }
    let stretches = shards.iter().map(|shard| shard.cuts.len()).max().unwrap_or(0);
    for stretch in 0..stretches {
        for shard in &shards {
            let Some(&stop) = shard.cuts.get(stretch) else { continue };
            let start = stretch.checked_sub(1).map_or(0, |before| shard.cuts[before]);
            let starts = &shard.matrix.row_starts[start..=stop];
            let span = starts[0]..starts[starts.len() - 1];
            let base = joined.columns.len();
            joined.columns.extend_from_slice(&shard.matrix.columns[span.clone()]);
            joined.data.extend_from_slice(&shard.matrix.data[span.clone()]);
            joined.row_starts.extend(starts[1..].iter().map(|at| at - span.start + base));
        }
    }
    joined
}
