use std::collections::HashMap;

use proptest::prelude::*;

use super::{Splitting, Vocabulary};
use crate::corpus::Rows as _;
use crate::error::Error;
use crate::interrupt::Monitor;
use crate::random::Random;
use crate::symbol::Patterns;

fn vocabulary(tokens: &[Option<&[u8]>], whole: &[bool]) -> Vocabulary {
    let mut patterns = Patterns::bytes();
    for token in tokens {
        patterns.push_bytes(*token).unwrap();
    }
    Vocabulary::new(patterns, whole, &Monitor::default()).unwrap()
}

fn rows(rows: &[Option<&[u32]>]) -> Patterns {
    let mut patterns = Patterns::tokens();
    for row in rows {
        patterns.push_tokens(*row).unwrap();
    }
    patterns
}

fn splitting(proportion: f64) -> Splitting {
    Splitting { proportion, most: u64::MAX, seed: 1, first_row: 0 }
}

/// The authors' loop: a list that is cut open at each draw.
fn slow(
    vocabulary: &Vocabulary,
    row: &[u32],
    draws: u64,
    choose: &mut impl FnMut(u64) -> u64,
) -> Vec<u32> {
    let mut row = row.to_vec();
    for _ in 0..draws {
        let at = choose(row.len() as u64) as usize;
        let pairs = vocabulary.pairs(row[at]);
        if !pairs.is_empty() {
            let (left, right) = pairs[choose(pairs.len() as u64) as usize];
            row.splice(at..=at, [left, right]);
        }
    }
    row
}

#[test]
fn pairs_are_all_pairs_of_tokens_with_the_bytes() {
    let tokens: [Option<&[u8]>; 8] = [
        Some(b"a"),
        Some(b"b"),
        Some(b"ab"),
        None,
        Some(b"aab"),
        Some(b"aa"),
        Some(b"a"),
        Some(b"abc"),
    ];
    let vocabulary = vocabulary(&tokens, &[]);
    assert_eq!(vocabulary.pairs(2), [(0, 1)]);
    assert_eq!(vocabulary.pairs(4), [(0, 2), (5, 1)]);
    assert_eq!(vocabulary.pairs(5), [(0, 0)]);
    assert!([0, 1, 3, 6, 7, 8].iter().all(|&token| vocabulary.pairs(token).is_empty()));
    let all = [(2, 0, 1), (4, 0, 2), (4, 5, 1), (5, 0, 0)];
    assert_eq!(vocabulary.all_pairs().collect::<Vec<_>>(), all);
}

#[test]
fn what_is_whole_neither_splits_nor_is_a_part() {
    let tokens: [Option<&[u8]>; 4] = [Some(b"a"), Some(b"b"), Some(b"ab"), Some(b"abb")];
    let vocabulary = vocabulary(&tokens, &[false, false, true, false]);
    assert_eq!(vocabulary.all_pairs().count(), 0);
    let found = vocabulary.split(&rows(&[Some(&[2, 3])]), splitting(9.0), &Monitor::default());
    assert_eq!(found.unwrap().tokens, [2, 3]);
}

#[test]
fn many_draws_end_when_nothing_splits_any_more() {
    let tokens: [Option<&[u8]>; 4] = [Some(b"a"), Some(b"aa"), Some(b"aaaa"), Some(b"b")];
    let vocabulary = vocabulary(&tokens, &[]);
    let all = rows(&[Some(&[2, 3, 2]), None, Some(&[]), Some(&[3])]);
    let found = vocabulary.split(&all, splitting(1e15), &Monitor::default()).unwrap();
    assert_eq!(found.tokens, [0, 0, 0, 0, 3, 0, 0, 0, 0, 3]);
    assert_eq!((found.ends, found.nulls), (vec![9, 9, 9, 10], vec![1]));
}

#[test]
fn no_more_than_so_many_splits() {
    let tokens: [Option<&[u8]>; 2] = [Some(b"a"), Some(b"aa")];
    let vocabulary = vocabulary(&tokens, &[]);
    let limited = Splitting { most: 3, ..splitting(5.0) };
    let found = vocabulary.split(&rows(&[Some(&[1; 20])]), limited, &Monitor::default()).unwrap();
    assert_eq!(found.tokens.len(), 23);
}

#[test]
fn unknown_tokens_and_odd_proportions_are_refused() {
    let tokens: [Option<&[u8]>; 3] = [Some(b"a"), None, Some(b"aa")];
    let vocabulary = vocabulary(&tokens, &[]);
    let ask = |row: &[u32], proportion| {
        vocabulary.split(&rows(&[Some(row)]), splitting(proportion), &Monitor::default())
    };
    for token in [1, 3, u32::MAX - 1] {
        let error = ask(&[0, token], 0.1).unwrap_err();
        assert!(matches!(&error, Error::InvalidInput(what) if what.contains(&token.to_string())));
    }
    for proportion in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(ask(&[0], proportion), Err(Error::InvalidInput(_))));
    }
    let empty = Vocabulary::new(Patterns::bytes(), &[], &Monitor::default());
    assert!(matches!(empty, Err(Error::InvalidInput(_))));
}

/// Results of the same row under many seeds are distributed as those of the slow loop.
#[test]
fn splits_are_distributed_as_the_slow_loop_splits() {
    let tokens: [Option<&[u8]>; 5] =
        [Some(b"a"), Some(b"aa"), Some(b"aaa"), Some(b"b"), Some(b"aab")];
    let vocabulary = vocabulary(&tokens, &[]);
    let row = [2, 3, 4, 1];
    let (draws, times) = (3, 60_000);
    let mut counts: HashMap<Vec<u32>, (f64, f64)> = HashMap::new();
    for seed in 0..times {
        let fast = Splitting { seed, ..splitting(0.75) };
        let found = vocabulary.split(&rows(&[Some(&row)]), fast, &Monitor::default()).unwrap();
        counts.entry(found.tokens).or_default().0 += 1.0;
        let mut other = Random::of(1_000_003, seed);
        let found = slow(&vocabulary, &row, draws, &mut |bound| other.below(bound));
        counts.entry(found).or_default().1 += 1.0;
    }
    // The two-sample chi-square of results that are not rare.
    let common = counts.values().filter(|(fast, slow)| fast + slow >= 20.0);
    let square = common.clone().map(|(fast, slow)| (fast - slow).powi(2) / (fast + slow));
    let (square, freedom) = (square.sum::<f64>(), common.count() as f64 - 1.0);
    assert!(freedom > 10.0);
    // Five standard deviations above the mean.
    assert!(square < freedom + 5.0 * (2.0 * freedom).sqrt(), "{square} at {freedom}");
}

proptest! {
    #[test]
    fn bytes_stay_and_threads_do_not_matter(
        words in proptest::collection::vec("[ab]{1,5}", 1..30),
        texts in proptest::collection::vec(
            proptest::option::of(proptest::collection::vec(any::<proptest::sample::Index>(), 0..40)),
            0..200,
        ),
        proportion in 0.0..3.0,
        seed: u64,
    ) {
        let tokens: Vec<Option<&[u8]>> = words.iter().map(|word| Some(word.as_bytes())).collect();
        let vocabulary = vocabulary(&tokens, &[]);
        let texts: Vec<Option<Vec<u32>>> = texts
            .iter()
            .map(|row| {
                let numbers = |row: &Vec<proptest::sample::Index>| {
                    row.iter().map(|at| at.index(words.len()) as u32).collect()
                };
                row.as_ref().map(numbers)
            })
            .collect();
        let texts: Vec<Option<&[u32]>> = texts.iter().map(Option::as_deref).collect();
        let column = rows(&texts);
        let asked = Splitting { seed, ..splitting(proportion) };
        let monitor = Monitor::default();
        let found = vocabulary.split(&column, asked, &monitor).unwrap();
        prop_assert_eq!(&found.nulls, column.nulls());
        for threads in 1..=3 {
            let pool = crate::pool(Some(threads)).unwrap();
            let again = pool.install(|| vocabulary.split(&column, asked, &monitor)).unwrap();
            prop_assert_eq!(&found, &again);
        }
        let merged = vocabulary.merge(&column, &monitor).unwrap();
        let mut split = Patterns::tokens();
        let mut start = 0;
        for (at, &end) in found.ends.iter().enumerate() {
            let row = &found.tokens[start..end];
            let valid = texts[at].is_some();
            split.push_tokens(valid.then_some(row)).unwrap();
            // Alone, and as the row it is, a row gives the same.
            let first = Splitting { first_row: at as u64, ..asked };
            let alone = vocabulary.split(&rows(&[texts[at]]), first, &monitor).unwrap();
            prop_assert_eq!(&alone.tokens, row);
            start = end;
        }
        prop_assert_eq!(vocabulary.merge(&split, &monitor).unwrap(), merged);
    }
}
