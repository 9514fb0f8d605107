use proptest::prelude::*;

use super::{Compressor, align, distance_matrix, distances};
use crate::corpus::Rows as _;
use crate::error::Error;
use crate::interrupt::Monitor;
use crate::symbol::Patterns;

fn column(rows: &[Option<Vec<u8>>]) -> Patterns {
    let mut patterns = Patterns::bytes();
    for row in rows {
        patterns.push_bytes(row.as_deref()).unwrap();
    }
    patterns
}

#[test]
fn level_0_and_what_is_no_compressor_are_refused() {
    for (name, level) in [
        ("gzip", Some(0)),
        ("gzip", Some(10)),
        ("lz4", Some(1)),
        ("libdeflate", Some(13)),
        ("libdeflate", Some(0)),
        ("rar", None),
    ] {
        assert!(matches!(Compressor::named(name, level), Err(Error::InvalidInput(_))));
    }
    let lengths = ["gzip", "zlib", "deflate"].map(|name| {
        Compressor::named(name, None).unwrap().length(b"to be", &Monitor::default()).unwrap()
    });
    assert_eq!(lengths, [lengths[2] + 18, lengths[2] + 6, lengths[2]]);
}

#[test]
fn a_stopped_monitor_stops() {
    let monitor = Monitor::default();
    monitor.stop();
    let one = column(&[Some(vec![1; 100])]);
    let compressor = Compressor::named("gzip", None).unwrap();
    assert!(matches!(align(&one, &one, compressor, &monitor), Err(Error::Interrupted)));
}

proptest! {
    #[test]
    fn distances_are_those_of_the_formula(
        rows in proptest::collection::vec(proptest::option::of(
            proptest::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..600)), 0..12),
        others in proptest::collection::vec(proptest::option::of(
            proptest::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..600)), 1..12),
        name in prop_oneof![Just("gzip"), Just("libdeflate"), Just("lz4")],
    ) {
        let monitor = Monitor::default();
        let compressor = Compressor::named(name, None).unwrap();
        let size = |text: &[u8]| compressor.length(text, &monitor).unwrap() as f64;
        let slow = |x: &[u8], y: &[u8]| {
            (size(&[x, y].concat()) - size(x).min(size(y))) / size(x).max(size(y))
        };
        let (a, b) = (column(&rows), column(&others));
        let expected: Vec<Vec<Option<f64>>> = rows
            .iter()
            .map(|x| others.iter().map(|y| Some(slow(x.as_ref()?, y.as_ref()?))).collect())
            .collect();
        let found = distance_matrix(&a, &b, compressor, &monitor).unwrap();
        prop_assert_eq!(&found, &expected.concat());
        let least = rows.len().min(others.len());
        let (few, many) = (column(&rows[..least]), column(&others[..least]));
        let pairs = distances(&few, &many, compressor, &monitor).unwrap();
        let diagonal: Vec<_> = (0..least).map(|at| expected[at][at]).collect();
        prop_assert_eq!(pairs, diagonal);
        let aligned = align(&a, &b, compressor, &monitor);
        if others.iter().all(Option::is_none) {
            prop_assert!(matches!(aligned, Err(Error::InvalidInput(_))));
            return Ok(());
        }
        for (row, alignment) in rows.iter().zip(aligned.unwrap()) {
            prop_assert_eq!(row.is_some(), alignment.is_some());
            let known = others.iter().flatten();
            let Some(row) = row else { continue };
            let sum: f64 = known.clone().map(|other| 1.0 - slow(row, other)).sum();
            prop_assert!((sum / known.count() as f64 - alignment.unwrap()).abs() < 1e-12);
        }
    }
}
