//! The suffix array and what is asked of it: `cargo bench -p bowstring-benches --bench suffix`.
//!
//! The text is generated, or the file that `BOWSTRING_BENCH_TEXT` names: rows of UTF-8 with 0xFF
//! after each.

use std::sync::OnceLock;

use bowstring::suffix::sort;
use bowstring::{Builder, Column, Index, Monitor, Options, Pattern, Patterns, Rows};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

const TEXT_BYTES: usize = 10_000_000;
const ROW_WORDS: usize = 200;
const WORDS: u64 = 30_000;
const SEPARATOR: u8 = 0xFF;
const QUERIES: usize = 10_000;

fn main() {
    divan::main();
}

/// Numbers that look drawn at random (Steele and others' SplitMix), the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Rows of made-up words, the frequent ones far more frequent than the rare ones, as in language.
fn generated() -> Vec<u8> {
    let mut random = Random(1);
    let mut text = Vec::with_capacity(TEXT_BYTES + 20 * ROW_WORDS);
    while text.len() < TEXT_BYTES {
        for _ in 0..ROW_WORDS {
            let nth = (WORDS as f64).powf(random.fraction()) as u64;
            let mut letters = Random(nth);
            for _ in 0..2 + letters.below(9) {
                text.push(b'a' + letters.below(26) as u8);
            }
            text.push(b' ');
        }
        text.push(SEPARATOR);
    }
    text
}

fn text() -> &'static [u8] {
    static TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    TEXT.get_or_init(|| match std::env::var_os("BOWSTRING_BENCH_TEXT") {
        Some(path) => std::fs::read(path).expect("the file that BOWSTRING_BENCH_TEXT names"),
        None => generated(),
    })
}

fn build(segment_symbols: Option<usize>) -> Index {
    let options = Options { segment_symbols, ..Options::default() };
    let mut rows = Builder::new(Column::String, None, false, options, Monitor::default().into())
        .expect("an index in memory");
    let text = text().strip_suffix(&[SEPARATOR]).unwrap_or(text());
    for row in text.split(|&byte| byte == SEPARATOR) {
        rows.push_bytes(Some(row)).expect("a row of UTF-8");
    }
    rows.finish().expect("an index in memory")
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| build(None))
}

/// Pieces of the text that cut no character and cross no row.
fn queries(length: usize) -> Vec<&'static [u8]> {
    let (text, mut random) = (text(), Random(2));
    let mut found = Vec::with_capacity(QUERIES);
    while found.len() < QUERIES {
        let start = random.below(text.len() - length);
        let piece = &text[start..start + length];
        if std::str::from_utf8(piece).is_ok() {
            found.push(piece);
        }
    }
    found
}

#[divan::bench(sample_count = 5)]
fn sort_suffixes(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::of_slice(text()))
        .with_inputs(|| text().to_vec())
        .bench_local_values(|mut text| sort(&mut text));
}

#[divan::bench(sample_count = 5, args = [1, 4])]
fn build_index(bencher: Bencher<'_, '_>, segments: usize) {
    let most = text().len() / segments + (text().len() >> 4);
    bencher.counter(BytesCount::of_slice(text())).bench_local(|| build(Some(black_box(most))));
}

#[divan::bench(args = [3, 8, 20, 100])]
fn count_one(bencher: Bencher<'_, '_>, length: usize) {
    let (index, queries) = (index(), queries(length));
    let mut queries = queries.iter().cycle();
    bencher.bench_local(|| {
        let query = queries.next().copied().unwrap_or_default();
        index.count(Pattern::Bytes(black_box(query)))
    });
}

#[divan::bench(args = [3, 8, 20, 100])]
fn count_many(bencher: Bencher<'_, '_>, length: usize) {
    let index = index();
    let mut patterns = Patterns::bytes();
    for query in queries(length) {
        patterns.push_bytes(Some(query)).expect("a pattern of bytes");
    }
    let monitor = Monitor::default();
    bencher
        .counter(ItemsCount::new(QUERIES))
        .bench_local(|| index.count_many(black_box(&patterns), &monitor));
}
