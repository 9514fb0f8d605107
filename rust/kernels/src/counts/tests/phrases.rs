//! Phrases and cuts against all ways to find them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::lexicon::{Association, PhraseOptions, phrases, segment, spell};
use super::{Analyzer, read, tokeniser};
use crate::interrupt::Monitor;

fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec("[a-c]|d{1,3}", 0..12), 1..20)
}

/// The fewest pieces of a row, longer first pieces first.
fn fewest(row: &[String], known: &BTreeMap<Vec<String>, usize>) -> Vec<usize> {
    let mut best: Vec<Vec<usize>> = vec![vec![]; row.len() + 1];
    for start in (0..row.len()).rev() {
        best[start] = (1..=row.len() - start)
            .filter(|&length| length == 1 || known.contains_key(&row[start..start + length]))
            .map(|length| [&[length][..], &best[start + length]].concat())
            .min_by_key(|pieces| {
                (pieces.len(), pieces.iter().map(|p| usize::MAX - p).collect::<Vec<_>>())
            })
            .unwrap();
    }
    best.swap_remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn phrases_and_cuts_are_those_of_the_definition(
        rows in rows(),
        others in rows(),
        most in 2usize..5,
        least in 1u64..3,
        top in prop::option::of(0usize..6),
        t: bool,
        shards in 1usize..3,
    ) {
        let monitor = Monitor::default();
        let pieces = tokeniser(Analyzer::Pieces, false);
        let texts = |rows: &[Vec<String>]| rows.iter().map(|row| Some(row.join(" "))).collect::<Vec<_>>();
        let sequence = read(&texts(&rows), shards, &pieces);
        let association = if t { Association::T } else { Association::Pmi };
        let options =
            PhraseOptions { most, association, least_count: least, top, threshold: None };
        let found = phrases(&sequence, &options, &monitor).unwrap();
        let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for row in &rows {
            for length in 1..=most {
                for gram in row.windows(length) {
                    *counts.entry(gram.to_vec()).or_default() += 1;
                }
            }
        }
        let places = |length: usize| -> f64 {
            counts.iter().filter(|(gram, _)| gram.len() == length).map(|(_, &n)| n as f64).sum()
        };
        let score = |gram: &[String]| {
            let alone = gram.iter().map(|token| counts[std::slice::from_ref(token)] as f64 / places(1));
            let count = counts[gram] as f64;
            if t {
                let p = count / places(gram.len());
                let spread = (p * (1.0 - p) / places(gram.len())).sqrt();
                if spread > 0.0 { (p - alone.product::<f64>()) / spread } else { f64::INFINITY }
            } else {
                (count / places(1)).ln() - alone.map(f64::ln).sum::<f64>()
            }
        };
        let (bytes, ends) = found.vocabulary.names(" ", |word, out| out.extend_from_slice(word));
        let names: Vec<Vec<String>> = ends.windows(2).map(|ends| {
            let name = std::str::from_utf8(&bytes[ends[0] as usize..ends[1] as usize]).unwrap();
            name.split(' ').map(str::to_string).collect()
        }).collect();
        let mut known = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            prop_assert_eq!(found.length[at] as usize, name.len());
            prop_assert_eq!(found.count[at] as usize, counts[name]);
            let expected = score(name);
            prop_assert!(found.score[at] == expected || (found.score[at] - expected).abs() < 1e-9);
            known.insert(name.clone(), counts[name]);
        }
        for length in 2..=most {
            let may = counts.iter().filter(|(gram, count)| gram.len() == length && **count as u64 >= least);
            let all = may.clone().count();
            let kept: Vec<f64> = names.iter().filter(|name| name.len() == length).map(|name| score(name)).collect();
            prop_assert_eq!(kept.len(), top.map_or(all, |top| top.min(all)));
            let worst = kept.iter().copied().fold(f64::INFINITY, f64::min);
            let lost = may.filter(|(gram, _)| !known.contains_key(*gram)).map(|(gram, _)| score(gram));
            prop_assert!(kept.is_empty() || lost.fold(f64::NEG_INFINITY, f64::max) <= worst + 1e-9);
        }
        // Rows cut with them, and spelt.
        let sequence = read(&texts(&others), shards, &pieces);
        let cut = segment(&found.vocabulary, &sequence, &monitor).unwrap();
        let (bytes, ends) = spell(&sequence, &cut, "-", |word, out| out.extend_from_slice(word));
        let mut piece = 0;
        for (row, &end) in others.iter().zip(&cut.row_ends) {
            let mut from = 0;
            for length in fewest(row, &known) {
                prop_assert_eq!((cut.start[piece], cut.stop[piece]), (from as u32, (from + length) as u32));
                let spelt = &bytes[ends[piece] as usize..ends[piece + 1] as usize];
                let joined = row[from..from + length].join("-");
                prop_assert_eq!(spelt, joined.as_bytes());
                from += length;
                piece += 1;
            }
            prop_assert_eq!(piece, end);
        }
    }
}
