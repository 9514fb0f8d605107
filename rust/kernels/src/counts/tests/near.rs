//! What stands near what, pair by pair.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::cooccurrence::{Distance, ciphers, cooccurrence, occurrences};
use super::{Analyzer, read, tokeniser};
use crate::interrupt::Monitor;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn pairs_are_counted_within_the_window(
        rows in prop::collection::vec(prop::option::of(prop::collection::vec("[a-f]|gg", 0..15)), 1..12),
        radius in 1usize..7,
        distance in prop::sample::select(vec![Distance::Flat, Distance::Harmonic, Distance::Linear]),
        only in prop::option::of(-6isize..7),
        shards in 1usize..4,
    ) {
        let monitor = Monitor::default();
        let texts: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.join(" "))).collect();
        let sequence = read(&texts, shards, &tokeniser(Analyzer::Pieces, false));
        let only = only.filter(|only| only.unsigned_abs() <= radius && *only != 0);
        let found = cooccurrence(&sequence, radius, distance, only, &monitor).unwrap();
        let names = sequence.names(|word| String::from_utf8(word.to_vec()).unwrap());
        let place = |token: &String| names.binary_search(token).unwrap();
        let mut expected: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        let mut counts = vec![0; names.len()];
        for row in rows.iter().flatten() {
            for (at, token) in row.iter().enumerate() {
                counts[place(token)] += 1;
                for (other, near) in row.iter().enumerate() {
                    let by = other as isize - at as isize;
                    let d = by.unsigned_abs();
                    if d == 0 || d > radius || only.is_some_and(|only| only != by) {
                        continue;
                    }
                    *expected.entry((place(token), place(near))).or_default() += match distance {
                        Distance::Flat => 1.0,
                        Distance::Harmonic => 1.0 / d as f64,
                        Distance::Linear => (radius + 1 - d) as f64 / radius as f64,
                    };
                }
            }
        }
        prop_assert_eq!(occurrences(&sequence), counts);
        prop_assert_eq!(found.row_starts.len(), names.len() + 1);
        let mut pairs = vec![];
        for row in 0..names.len() {
            for at in found.row_starts[row]..found.row_starts[row + 1] {
                pairs.push(((row, found.columns[at] as usize), found.data[at]));
            }
        }
        prop_assert_eq!(pairs.len(), expected.len());
        for ((pair, value), (wanted, sum)) in pairs.into_iter().zip(expected) {
            prop_assert_eq!(pair, wanted);
            prop_assert!((value - sum).abs() < 1e-9);
        }
    }

    #[test]
    fn ciphers_are_all_codes_in_their_order(
        counts in prop::collection::vec(0u64..5, 0..40),
        bits in 1u32..9,
    ) {
        let found = ciphers(&counts, bits);
        if counts.len() >= 1 << bits {
            prop_assert!(found.is_err());
            return Ok(());
        }
        let mut codes: Vec<u64> = (1..1 << bits).collect();
        codes.sort_by_key(|code| (code.count_ones(), *code));
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by_key(|&token| (u64::MAX - counts[token], token));
        let found = found.unwrap();
        for (token, code) in order.into_iter().zip(codes) {
            prop_assert_eq!(found[token], code);
        }
    }
}
