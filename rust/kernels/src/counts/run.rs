//! Frequencies of n-grams from batches: sorted runs, in memory or in files, merged in one pass.

use std::path::Path;

use super::csr::{Counted, Frequencies};
use super::intern::{StringList, Strings};
use super::ngrams::Orders;
use super::tokenise::{END, merge};
use super::vocabulary::Vocabulary;
use crate::container::{Block, BlockToWrite, read_segment_file, write_segment_file};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

const KIND: &str = "ngrams";

/// Strings in memory, or in a file.
#[derive(Debug)]
struct Words {
    bytes: Block<u8>,
    ends: Block<u64>,
}

impl From<Strings> for Words {
    fn from(words: Strings) -> Self {
        let ends: Vec<u64> = words.ends.into_iter().map(|end| end as u64).collect();
        Self { bytes: words.bytes.into(), ends: ends.into() }
    }
}

impl StringList for Words {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[at] as usize]
    }
}

/// Distinct n-grams of some rows in order, with their frequencies.
#[derive(Debug)]
pub struct Run {
    orders: Orders,
    words: Words,
    symbols: Block<u32>,
    lengths: Block<u8>,
    count: Block<u64>,
    with: Block<u64>,
    rows: u64,
}

impl Run {
    /// The run of counted rows.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn new(counted: Counted, orders: Orders, monitor: &Monitor) -> Result<Self> {
        let rows = counted.rows() as u64;
        let Frequencies { count, rows: with } = counted.frequencies(monitor)?;
        let vocabulary = counted.vocabulary(None);
        let (words, symbols, lengths) = vocabulary.into_parts();
        Ok(Self {
            orders,
            words: words.into(),
            symbols: symbols.into(),
            lengths: lengths.into(),
            count: count.into(),
            with: with.into(),
            rows,
        })
    }

    /// Rows that were counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Distinct n-grams.
    pub fn distinct(&self) -> usize {
        self.lengths.len()
    }

    /// Bytes of the run, in memory or in its file.
    pub fn bytes(&self) -> usize {
        self.words.bytes.len()
            + self.words.len() * 8
            + self.symbols.len() * 4
            + self.lengths.len() * 17
    }

    /// Occurrences of each n-gram, and rows that have it.
    pub fn frequencies(&self) -> Frequencies {
        Frequencies { count: self.count.to_vec(), rows: self.with.to_vec() }
    }

    /// The n-grams that `kept` holds for.
    pub fn vocabulary(&self, kept: impl Fn(usize) -> bool) -> Vocabulary {
        let kept = &kept;
        let grams = self.lengths.iter().enumerate().scan(0, move |start, (at, &length)| {
            let gram = &self.symbols[*start..*start + usize::from(length)];
            *start += usize::from(length);
            Some(kept(at).then_some(gram))
        });
        Vocabulary::new(self.orders, &self.words, grams.flatten())
    }

    /// Writes the run to a file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Interrupted`].
    pub fn save(&self, path: &Path, monitor: &Monitor) -> Result<()> {
        let meta = serde_json::json!({ "rows": self.rows });
        let blocks = [
            BlockToWrite::new("words", "u8", &self.words.bytes),
            BlockToWrite::new("word_ends", "u64", &self.words.ends),
            BlockToWrite::new("symbols", "u32", &self.symbols),
            BlockToWrite::new("lengths", "u8", &self.lengths),
            BlockToWrite::new("count", "u64", &self.count),
            BlockToWrite::new("with", "u64", &self.with),
        ];
        write_segment_file(path, KIND, &meta, &blocks, monitor).map(drop)
    }

    /// Maps a run that was written; every byte is checked.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Format`] for another file, [`Error::Io`], or
    /// [`Error::Interrupted`].
    pub fn open(path: &Path, orders: Orders, monitor: &Monitor) -> Result<Self> {
        let file = read_segment_file(path)?;
        if file.kind() != KIND {
            return Err(Error::Format {
                path: path.to_owned(),
                what: format!("a file of kind {:?}, not of n-grams", file.kind()),
            });
        }
        file.verify(monitor)?;
        let words = Words {
            bytes: file.block("words", "u8", file.length("words"))?,
            ends: file.block("word_ends", "u64", file.length("word_ends") / 8)?,
        };
        let distinct = file.length("lengths");
        let run = Self {
            orders,
            words,
            symbols: file.block("symbols", "u32", file.length("symbols") / 4)?,
            lengths: file.block("lengths", "u8", distinct)?,
            count: file.block("count", "u64", distinct)?,
            with: file.block("with", "u64", distinct)?,
            rows: file.meta().get("rows").and_then(serde_json::Value::as_u64).unwrap_or(0),
        };
        let total: usize = run.lengths.iter().map(|&length| usize::from(length)).sum();
        let known = |&symbol: &u32| symbol != END && symbol as usize <= run.words.len();
        let sane = run.words.ends.is_sorted()
            && run.words.ends.last().copied().unwrap_or(0) == run.words.bytes.len() as u64
            && total == run.symbols.len()
            && run.symbols.iter().all(known);
        if sane {
            return Ok(run);
        }
        Err(Error::Corrupt {
            path: Some(path.to_owned()),
            what: "its n-grams contradict each other".into(),
        })
    }
}

/// Where the merge stands in one run.
struct Cursor<'a> {
    run: &'a Run,
    places: Vec<u32>,
    at: usize,
    start: usize,
    gram: Vec<u32>,
}

impl Cursor<'_> {
    fn read(&mut self) {
        self.gram.clear();
        if let Some(&length) = self.run.lengths.get(self.at) {
            let symbols = &self.run.symbols[self.start..self.start + usize::from(length)];
            self.gram.extend(symbols.iter().map(|&symbol| self.places[symbol as usize]));
        }
    }
}

/// One run of all rows of several, with those n-grams only that at least `least` rows have, and at
/// most `most`.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn merge_runs(
    orders: Orders,
    runs: &[&Run],
    least: u64,
    most: u64,
    monitor: &Monitor,
) -> Result<Run> {
    let lists: Vec<&Words> = runs.iter().map(|run| &run.words).collect();
    let all: Vec<Vec<u32>> = lists.iter().map(|list| (0..list.len() as u32).collect()).collect();
    let mut words = Strings::default();
    let mut places: Vec<Vec<u32>> = lists.iter().map(|list| vec![0; list.len() + 1]).collect();
    merge(&lists, &all, |list, id, word, new| {
        if new {
            words.push(word);
        }
        places[list][id as usize + 1] = words.len() as u32;
    });
    let mut cursors: Vec<Cursor<'_>> = runs
        .iter()
        .zip(places)
        .map(|(run, places)| Cursor { run, places, at: 0, start: 0, gram: vec![] })
        .collect();
    cursors.iter_mut().for_each(Cursor::read);
    let (mut symbols, mut lengths, mut count, mut with) = (vec![], vec![], vec![], vec![]);
    let mut gram: Vec<u32> = vec![];
    let mut steps = 0u32;
    loop {
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(1 << 12) {
            monitor.check()?;
        }
        let left = cursors.iter().filter(|cursor| cursor.at < cursor.run.distinct());
        let Some(next) = left.map(|cursor| &cursor.gram).min() else { break };
        gram.clone_from(next);
        let (mut occurrences, mut rows) = (0, 0);
        for cursor in &mut cursors {
            if cursor.at < cursor.run.distinct() && cursor.gram == gram {
                occurrences += cursor.run.count[cursor.at];
                rows += cursor.run.with[cursor.at];
                cursor.start += gram.len();
                cursor.at += 1;
                cursor.read();
            }
        }
        if (least..=most).contains(&rows) {
            symbols.extend_from_slice(&gram);
            lengths.push(gram.len() as u8);
            count.push(occurrences);
            with.push(rows);
        }
    }
    Ok(Run {
        orders,
        words: words.into(),
        symbols: symbols.into(),
        lengths: lengths.into(),
        count: count.into(),
        with: with.into(),
        rows: runs.iter().map(|run| run.rows).sum(),
    })
}
