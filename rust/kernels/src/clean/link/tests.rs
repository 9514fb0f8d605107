use proptest::prelude::*;

use super::budget::Budget;
use super::compare::{Comparer, edit_distance, edit_distance_of_long};
use super::names::{Names, Vectors};
use super::products::{self, Neighbour, Space};
use super::{Linkage, Options, Relation, threshold};
use crate::corpus::Rows;
use crate::interrupt::Monitor;
use crate::symbol::Patterns;

fn column(values: &[String]) -> Patterns {
    let mut column = Patterns::bytes();
    for value in values {
        column.push_bytes(Some(value.as_bytes())).unwrap();
    }
    column
}

fn vectors(rows: &[Vec<(u32, u8)>]) -> Vectors {
    let mut vectors = Vectors::default();
    for row in rows {
        let mut row: Vec<(u32, f32)> =
            row.iter().map(|&(feature, weight)| (feature, f32::from(weight) + 1.0)).collect();
        row.sort_by_key(|one| one.0);
        row.dedup_by_key(|one| one.0);
        vectors.push(&row);
    }
    vectors
}

/// All pairs, sorted.
fn naive(vectors: &Vectors, query: u32, items: &[u32], k: usize, least: f32) -> Vec<Neighbour> {
    let similarity = |item: u32| vectors.product(item as usize, query as usize);
    let mut found: Vec<Neighbour> = items
        .iter()
        .enumerate()
        .filter(|&(_, &item)| item != query)
        .map(|(place, &item)| Neighbour { item: place as u32, similarity: similarity(item) })
        .filter(|found| found.similarity > 0.0 && found.similarity >= least)
        .collect();
    found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.item.cmp(&b.item)));
    found.truncate(k);
    found
}

/// Rows of features as names have them: a few in many rows, many in a few, which weigh more.
fn as_of_names(rows: usize, features: u32, most: u64) -> Vec<Vec<(u32, u8)>> {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        state >> 33
    };
    let mut feature = || {
        let share = draw() as f64 / (1_u64 << 31) as f64;
        let rank = f64::from(features).powf(share) as u32 - 1;
        (features - 1 - rank, (8.0 * share) as u8)
    };
    (0..rows as u64).map(|row| (0..1 + row % most).map(|_| feature()).collect()).collect()
}

fn options(relation: Relation, threshold: Option<f64>) -> Options {
    Options { relation, candidates: 10, least: 0.0, threshold, symmetric: true, memory: None }
}

proptest! {
    #[test]
    fn the_nearest_are_those_of_all_pairs(
        rows in prop::collection::vec(
            prop::collection::vec((0_u32..12, 0_u8..9), 0..6), 1..200),
        k in 1_usize..12,
        least in prop::sample::select(vec![0.0_f32, 0.3, 0.9]),
    ) {
        let vectors = vectors(&rows);
        let items: Vec<u32> = (0..rows.len() as u32).filter(|item| item % 3 > 0).collect();
        let queries: Vec<u32> = (0..rows.len() as u32).collect();
        let space = Space { vectors: &vectors, items: &items, features: 12 };
        let skip = |query: u32, place: u32| items[place as usize] == query;
        for memory in [None, Some(3_000)] {
            let found =
                products::nearest(&space, &queries, k, least, skip, memory, &Monitor::default());
            for (&query, found) in queries.iter().zip(&found.unwrap()) {
                prop_assert_eq!(found, &naive(&vectors, query, &items, k, least));
            }
        }
    }

    #[test]
    fn edits_are_those_of_the_table(a in "[abcé]{0,70}", b in "[abcé]{0,70}") {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        prop_assert_eq!(edit_distance(&a, &b), edit_distance_of_long(&a, &b));
        prop_assert_eq!(edit_distance(&a[..a.len().min(9)], &b), edit_distance_of_long(&a[..a.len().min(9)], &b));
    }

    #[test]
    fn scores_are_the_same_in_both_directions(
        values in prop::collection::vec("[ab]{1,4}( [abc]{1,5}){0,4}", 2..8),
    ) {
        let names = Names::new(&column(&values), None, &mut Budget::default(), &Monitor::default()).unwrap();
        let mut comparer = Comparer::default();
        for a in 0..names.texts.len() as u32 {
            for b in 0..names.texts.len() as u32 {
                let (there, back) =
                    (comparer.score(&names, a, b, true), comparer.score(&names, b, a, true));
                prop_assert!((there - back).abs() < 1e-6, "{there} {back}");
                prop_assert!((0.0..=1.0).contains(&there));
                prop_assert_eq!(a == b, there == 1.0);
            }
        }
    }

    #[test]
    fn links_do_not_depend_on_the_order_of_rows(
        left in prop::collection::vec("[ab]{1,4}( [abc]{1,5}){0,2}", 1..12),
        right in prop::collection::hash_set("[ab]{1,4}( [abc]{1,5}){0,2}", 1..12),
    ) {
        let right: Vec<String> = right.into_iter().collect();
        let linked = |left: &[String], right: &[String]| {
            let options = options(Relation::Many, Some(0.2));
            let found =
                Linkage::new(&column(left), Some(&column(right)), &options, &Monitor::default());
            let pairs = found.unwrap().pairs;
            let mut texts: Vec<(String, String, i64)> = (0..pairs.left.len())
                .map(|at| {
                    let (i, j) = (pairs.left[at] as usize, pairs.right[at] as usize);
                    (left[i].clone(), right[j].clone(), (pairs.score[at] * 1e5).round() as i64)
                })
                .collect();
            texts.sort();
            texts
        };
        let back = |values: &[String]| values.iter().rev().cloned().collect::<Vec<_>>();
        prop_assert_eq!(linked(&left, &right), linked(&back(&left), &back(&right)));
    }

    #[test]
    fn one_to_one_is_one_to_one(
        left in prop::collection::vec("[ab]{1,3}( [ab]{1,3})?", 1..20),
        right in prop::collection::vec("[ab]{1,3}( [ab]{1,3})?", 1..20),
    ) {
        let options = options(Relation::OneToOne, Some(0.1));
        let found =
            Linkage::new(&column(&left), Some(&column(&right)), &options, &Monitor::default());
        let pairs = found.unwrap().pairs;
        for mut rows in [pairs.left.clone(), pairs.right.clone()] {
            rows.sort_unstable();
            let count = rows.len();
            rows.dedup();
            prop_assert_eq!(rows.len(), count);
        }
    }
}

#[test]
fn the_nearest_among_many_are_those_of_all_pairs() {
    let mut vectors = vectors(&as_of_names(3000, 500, 24));
    vectors.rarest_first(500, &Monitor::default()).unwrap();
    let items: Vec<u32> = (0..vectors.len() as u32).collect();
    let space = Space { vectors: &vectors, items: &items, features: 500 };
    let queries: Vec<u32> = items.iter().copied().step_by(7).collect();
    let skip = |query: u32, place: u32| query == place;
    for (k, least) in [(1, 0.0), (1, 0.7), (5, 0.4), (20, 0.0), (20, 0.2)] {
        for memory in [None, Some(400_000)] {
            let found =
                products::nearest(&space, &queries, k, least, skip, memory, &Monitor::default());
            for (&query, found) in queries.iter().zip(&found.unwrap()) {
                assert_eq!(found, &naive(&vectors, query, &items, k, least));
            }
        }
    }
}

#[test]
fn what_makes_names_the_same() {
    let left = ["xilinx corporation", "raster ops corp", "rasterops", "", "mai logic inc"];
    let right =
        ["ops corporation", "xilinx inc", "rasterops corporation", "mai logic incorporated"];
    let [left, right] = [&left[..], &right[..]]
        .map(|side| side.iter().map(|&name| name.into()).collect::<Vec<_>>());
    let found = Linkage::new(
        &column(&left),
        Some(&column(&right)),
        &options(Relation::Best, Some(0.3)),
        &Monitor::default(),
    )
    .unwrap();
    let pairs: Vec<_> = found.pairs.left.iter().zip(&found.pairs.right).collect();
    assert_eq!(pairs, [(&0, &1), (&1, &2), (&2, &2), (&4, &3)]);
    let why = found.explain(1, 2).unwrap();
    assert_eq!((&*why.pieces[0].left, &*why.pieces[0].right), ("raster ops", "rasterops"));
    let sum: f64 = why.pieces.iter().map(|piece| piece.score).sum();
    assert!((sum + why.grams - why.score).abs() < 1e-9);
}

#[test]
fn a_threshold_between_what_is_and_what_is_not() {
    let sure: Vec<f64> = (0..100).map(|at| 0.9 + f64::from(at) / 1000.0).collect();
    let decoys: Vec<f64> = (0..100).map(|at| 0.3 + f64::from(at) / 500.0).collect();
    let best: Vec<f64> = sure.iter().chain(&decoys).copied().collect();
    let chosen = threshold::estimate(&best, &decoys);
    assert!((0.49..=0.9).contains(&chosen), "{chosen}");
    assert_eq!(threshold::estimate(&best[..9], &decoys), threshold::DEFAULT);
    // All have an answer: then a low one is one too.
    assert!(threshold::estimate(&sure, &decoys) <= 0.9);
}
