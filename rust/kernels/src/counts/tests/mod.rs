//! Every kernel against the obvious.

mod hashed;
mod kneser_ney;
mod near;
mod phrases;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::corpus::Rows;
use crate::interrupt::Monitor;

fn tokeniser(analyzer: Analyzer, lowercase: bool) -> Arc<Tokeniser> {
    static TABLE: std::sync::OnceLock<Arc<Characters>> = std::sync::OnceLock::new();
    let characters = Arc::clone(TABLE.get_or_init(|| Arc::new(Characters::unicode())));
    Arc::new(Tokeniser { analyzer, lowercase, characters, stop_words: Arc::new(HashSet::new()) })
}

/// Gives rows to readers, of each group of rows a stretch to each.
fn deal(rows: &[Option<String>], group: usize, readers: &mut [impl Reader]) {
    for group in rows.chunks(group) {
        let size = group.len().div_ceil(readers.len());
        for (at, reader) in readers.iter_mut().enumerate() {
            for row in group.iter().skip(at * size).take(size) {
                reader.push_bytes(row.as_ref().map(String::as_bytes)).unwrap();
            }
            reader.cut();
        }
    }
}

fn read(rows: &[Option<String>], shards: usize, tokeniser: &Arc<Tokeniser>) -> Sequence {
    let mut all: Vec<Shard> = (0..shards).map(|_| Shard::new(Arc::clone(tokeniser))).collect();
    deal(rows, 3, &mut all);
    join(all)
}

/// The n-grams of a row, as scikit-learn's analyzers give them.
fn naive(row: &str, analyzer: Analyzer, lowercase: bool, orders: Orders) -> Vec<String> {
    let row = if lowercase { row.to_lowercase() } else { row.to_string() };
    let windows = |units: &[String], joint: &str| {
        let mut found = vec![];
        for order in orders.least..=orders.most {
            for window in units.windows(order) {
                found.push(window.join(joint));
            }
        }
        found
    };
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    match analyzer {
        Analyzer::Words { least } => {
            let words: Vec<String> = row
                .split(|c| !is_word(c))
                .filter(|word| word.chars().count() >= least.max(1))
                .map(str::to_string)
                .collect();
            windows(&words, " ")
        }
        Analyzer::Pieces => {
            let words: Vec<String> = row.split_whitespace().map(str::to_string).collect();
            windows(&words, " ")
        }
        Analyzer::Characters => {
            let mut units: Vec<String> = vec![];
            let characters: Vec<char> = row.chars().collect();
            let mut at = 0;
            while at < characters.len() {
                let run = characters[at..].iter().take_while(|c| c.is_whitespace()).count();
                if run >= 2 {
                    units.push(" ".into());
                    at += run;
                } else {
                    units.push(characters[at].into());
                    at += 1;
                }
            }
            windows(&units, "")
        }
        Analyzer::CharactersInWords => {
            let mut found = vec![];
            for word in row.split_whitespace() {
                let word: Vec<char> = format!(" {word} ").chars().collect();
                for order in orders.least..=orders.most {
                    let count = word.len().saturating_sub(order) + 1;
                    for at in 0..count {
                        found.push(word[at..word.len().min(at + order)].iter().collect());
                    }
                    if count == 1 {
                        break;
                    }
                }
            }
            found
        }
        Analyzer::WordsAndMarks { .. } | Analyzer::Numbers => vec![],
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        8 => "[abAB_0 \n,.éÉß]{0,40}".prop_map(Some),
        2 => "(to be or not to be |a rather long word: pneumonoultramicroscopic ){0,5}".prop_map(Some),
        1 => any::<String>().prop_map(Some),
    ]
}

fn analyzers() -> impl Strategy<Value = Analyzer> {
    prop_oneof![
        Just(Analyzer::Words { least: 2 }),
        Just(Analyzer::Words { least: 1 }),
        Just(Analyzer::Pieces),
        Just(Analyzer::Characters),
        Just(Analyzer::CharactersInWords),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn counts_are_what_the_definition_says(
        rows in prop::collection::vec(text(), 0..12),
        others in prop::collection::vec(text(), 0..6),
        analyzer in analyzers(),
        lowercase: bool,
        shards in 1usize..4,
        least in 1usize..5,
        more in 0usize..6,
    ) {
        let whole = analyzer == Analyzer::CharactersInWords;
        let orders = Orders::new(least, least + more, whole).unwrap();
        let tokeniser = tokeniser(analyzer, lowercase);
        let expected: Vec<BTreeMap<String, i64>> = rows.iter().map(|row| {
            let mut counts = BTreeMap::new();
            for gram in naive(row.as_deref().unwrap_or_default(), analyzer, lowercase, orders) {
                *counts.entry(gram).or_default() += 1;
            }
            counts
        }).collect();
        let names: Vec<String> =
            expected.iter().flatten().map(|(gram, _)| gram.clone()).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let monitor = Monitor::default();
        let mut counted = Counted::new(read(&rows, shards, &tokeniser), orders, &monitor).unwrap();
        let frequencies = counted.frequencies(&monitor).unwrap();
        let matrix = counted.matrix(None, false, false, &monitor).unwrap();
        prop_assert!(counted.matrix(None, false, false, &monitor).is_err());
        let vocabulary = counted.vocabulary(None);
        let joint = if analyzer.is_characters() { "" } else { " " };
        let (bytes, ends) = vocabulary.names(joint, |word, out| out.extend_from_slice(word));
        let found: Vec<String> = ends.windows(2).map(|ends| {
            String::from_utf8(bytes[ends[0] as usize..ends[1] as usize].to_vec()).unwrap()
        }).collect();
        prop_assert_eq!(&found, &names);
        let row_of = |matrix: &Matrix, row: usize| -> BTreeMap<String, i64> {
            (matrix.row_starts[row]..matrix.row_starts[row + 1])
                .map(|at| (names[matrix.columns[at] as usize].clone(), matrix.data[at]))
                .collect()
        };
        for (row, counts) in expected.iter().enumerate() {
            prop_assert_eq!(&row_of(&matrix, row), counts);
            let columns = &matrix.columns[matrix.row_starts[row]..matrix.row_starts[row + 1]];
            prop_assert!(columns.is_sorted());
        }
        for (id, name) in names.iter().enumerate() {
            let total: i64 = expected.iter().filter_map(|counts| counts.get(name)).sum();
            prop_assert_eq!(frequencies.count[id], total as u64);
            let with = expected.iter().filter(|counts| counts.contains_key(name)).count();
            prop_assert_eq!(frequencies.rows[id], with as u64);
        }
        // In batches, some of them in files, merged: the same, and what too few rows have is gone.
        let folder = tempfile::tempdir().unwrap();
        let mut runs = vec![];
        for (at, batch) in rows.chunks(4).enumerate() {
            let counted = Counted::new(read(batch, shards, &tokeniser), orders, &monitor).unwrap();
            let run = Run::new(counted, orders, &monitor).unwrap();
            let path = folder.path().join(at.to_string());
            run.save(&path, &monitor).unwrap();
            runs.push(if at % 2 == 0 { run } else { Run::open(&path, orders, &monitor).unwrap() });
        }
        let runs: Vec<&Run> = runs.iter().collect();
        let merged = merge_runs(orders, &runs, 2, u64::MAX, &monitor).unwrap();
        let stay: Vec<usize> = (0..names.len()).filter(|&id| frequencies.rows[id] >= 2).collect();
        let (bytes, ends) =
            merged.vocabulary(|_| true).names(joint, |word, out| out.extend_from_slice(word));
        prop_assert_eq!(ends.len() - 1, stay.len());
        for (at, &id) in stay.iter().enumerate() {
            prop_assert_eq!(&bytes[ends[at] as usize..ends[at + 1] as usize], names[id].as_bytes());
            prop_assert_eq!(merged.frequencies().count[at], frequencies.count[id]);
            prop_assert_eq!(merged.frequencies().rows[at], frequencies.rows[id]);
        }
        let known: HashSet<&String> = names.iter().collect();
        let again = vocabulary.count(read(&others, shards, &tokeniser), None, false, &monitor).unwrap();
        for (row, text) in others.iter().enumerate() {
            let mut counts = BTreeMap::new();
            for gram in naive(text.as_deref().unwrap_or_default(), analyzer, lowercase, orders) {
                if known.contains(&gram) {
                    *counts.entry(gram).or_default() += 1;
                }
            }
            prop_assert_eq!(&row_of(&again, row), &counts);
        }
    }

    #[test]
    fn lower_case_is_what_rust_makes_it(text in "[ΑΣσς'.\u{301}aİ ]{0,12}|\\PC*") {
        let mut out = vec![];
        tokeniser(Analyzer::Pieces, true).characters.lower(&text, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), text.to_lowercase());
    }
}

fn formulas() -> impl Strategy<Value = rank::Formula> {
    use rank::Variant::{Atire, Bm25L, Bm25Plus, Lucene, Robertson};
    let variant = || prop::sample::select(vec![Lucene, Robertson, Atire, Bm25L, Bm25Plus]);
    (variant(), variant(), 0.0..3.0, 0.0..1.0, 0.0..1.0)
        .prop_map(|(variant, idf, k1, b, delta)| rank::Formula { variant, idf, k1, b, delta })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_best_rows_are_those_of_a_full_scan(
        rows in prop::collection::vec(prop::collection::vec("[a-h]|z[a-c]?", 0..9), 1..600),
        cut in 0usize..600,
        queries in prop::collection::vec(prop::collection::vec("[a-h]|z[a-d]?", 0..6), 1..6),
        formula in formulas(),
        k in 0usize..12,
        every in 1usize..4,
    ) {
        use rank::{Postings, Weights};
        let monitor = Monitor::default();
        let build = |rows: &[Vec<String>]| {
            let mut shard = Shard::new(tokeniser(Analyzer::Pieces, false));
            for row in rows {
                shard.push_bytes(Some(row.join(" ").as_bytes())).unwrap();
            }
            Postings::new(join(vec![shard]), &monitor).unwrap()
        };
        let cut = cut.min(rows.len());
        let postings = build(&rows[..cut]).joined(&build(&rows[cut..]));
        let whole = build(&rows);
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, postings: &Postings| {
            let path = folder.path().join(name);
            postings.save(&path, "said", &monitor).unwrap();
            path
        };
        let (one, other) = (save("one", &whole), save("other", &postings));
        prop_assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
        let (postings, said) = Postings::open(&one, &monitor).unwrap();
        prop_assert_eq!(said, "said");
        let weights = Weights::new(&postings, formula, &monitor).unwrap();
        let allowed: Vec<bool> = (0..rows.len()).map(|row| row % every == 0).collect();
        let numbers: Vec<rank::Query> = queries.iter().map(|query| {
            query.iter().filter_map(|token| Some((postings.word(token.as_bytes())?, 1.0))).collect()
        }).collect();
        let one = numbers.iter().map(|query| rank::search(&postings, &weights, std::slice::from_ref(query), k, Some(&allowed), &monitor).unwrap());
        for (query, found) in numbers.iter().zip(one) {
            // All rows, without passing any over.
            let all = rank::search(&postings, &weights, std::slice::from_ref(query), rows.len() + 1, Some(&allowed), &monitor).unwrap();
            prop_assert_eq!(&found.row[..], &all.row[..k.min(all.row.len())]);
            prop_assert_eq!(&found.score[..], &all.score[..k.min(all.row.len())]);
            let mean = rows.iter().map(Vec::len).sum::<usize>() as f64 / rows.len() as f64;
            for (&row, &score) in all.row.iter().zip(&all.score) {
                let text = &rows[row as usize];
                let mut expected = 0.0;
                for &(word, _) in query {
                    let token = String::from_utf8(postings.token(word).to_vec()).unwrap();
                    let with = rows.iter().filter(|row| row.contains(&token)).count() as f64;
                    let n = rows.len() as f64;
                    let count = text.iter().filter(|other| **other == token).count() as f64;
                    let l = 1.0 - formula.b + formula.b * text.len() as f64 / mean;
                    let (k1, delta) = (formula.k1, formula.delta);
                    let idf = match formula.idf {
                        rank::Variant::Lucene => (1.0 + (n - with + 0.5) / (with + 0.5)).ln(),
                        rank::Variant::Robertson => ((n - with + 0.5) / (with + 0.5)).max(1.0).ln(),
                        rank::Variant::Atire => (n / with).ln(),
                        rank::Variant::Bm25L => ((n + 1.0) / (with + 0.5)).ln(),
                        rank::Variant::Bm25Plus => ((n + 1.0) / with).ln(),
                    };
                    expected += idf * match formula.variant {
                        rank::Variant::Bm25L => {
                            let c = count / l;
                            (k1 + 1.0) * (c + delta) / (k1 + c + delta)
                        }
                        rank::Variant::Bm25Plus if count > 0.0 => (k1 + 1.0) * count / (k1 * l + count) + delta,
                        rank::Variant::Bm25Plus => delta,
                        _ if count == 0.0 => 0.0,
                        rank::Variant::Atire => count * (k1 + 1.0) / (count + k1 * l),
                        _ => count / (k1 * l + count),
                    };
                }
                prop_assert!((f64::from(score) - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{} {}", score, expected);
            }
        }
    }
}
