use proptest::prelude::*;

use super::{Codec, Compressor, align, distance_matrix, distances};
use crate::corpus::Rows as _;
use crate::error::Error;
use crate::interrupt::Monitor;
use crate::random::Random;
use crate::symbol::Patterns;

fn column(rows: &[Option<Vec<u8>>]) -> Patterns {
    let mut patterns = Patterns::bytes();
    for row in rows {
        patterns.push_bytes(row.as_deref()).unwrap();
    }
    patterns
}

/// What a compressor without memory of before makes of a text, with all of gzip's memory.
fn afresh(level: u32, text: &[u8]) -> u64 {
    let monitor = Monitor::default();
    let mut deflate = super::Deflate::new(level, super::Shape::WHOLE).unwrap();
    deflate.feed(text, &monitor).unwrap();
    deflate.finish(&monitor).unwrap()
}

/// Texts that repeat themselves, of a small or a large alphabet.
fn text(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::of(seed, length as u64);
    let letters = 1 + random.below(if seed.is_multiple_of(2) { 3 } else { 250 });
    let mut text: Vec<u8> = vec![];
    while text.len() < length {
        if text.len() > 4 && random.below(3) == 0 {
            let start = random.below(text.len() as u64) as usize;
            let size = 1 + random.below(300) as usize;
            let copied: Vec<u8> = text[start..].iter().copied().cycle().take(size).collect();
            text.extend(copied);
        } else {
            text.push(random.below(letters) as u8);
        }
    }
    text.truncate(length);
    text
}

#[test]
fn a_kept_state_makes_as_many_bytes_as_none() {
    let monitor = Monitor::default();
    let lengths = [0, 1, 100, 261, 319, 320, 511, 699, 700, 1022, 1023, 5000, 40_000, 70_000];
    for level in [1, 2, 3, 4, 6, 9] {
        let compressor = Compressor::named("deflate", Some(level)).unwrap();
        let mut codec = Codec::new(compressor);
        for (seed, &first) in (0..).zip(&lengths) {
            let first = text(seed, first);
            codec.forget();
            for (other, &second) in (100..).zip(&lengths) {
                let second = text(other + seed, second);
                let found = codec.length_after(&first, &second, &monitor).unwrap();
                let whole = [&first[..], &second].concat();
                assert_eq!(
                    found,
                    afresh(level, &whole),
                    "{level} {} {}",
                    first.len(),
                    second.len()
                );
            }
        }
    }
}

#[test]
fn less_memory_makes_as_many_bytes_of_short_texts() {
    let monitor = Monitor::default();
    let mut codec = Codec::new(Compressor::named("deflate", None).unwrap());
    for seed in 0..3000 {
        let text = text(seed, 900 + (seed as usize * 7) % 140);
        assert_eq!(codec.length(&text, &monitor).unwrap(), afresh(9, &text));
    }
    for byte in [0, 255] {
        let text = vec![byte; 1022];
        assert_eq!(codec.length(&text, &monitor).unwrap(), afresh(9, &text));
    }
}

#[test]
fn the_same_state_is_used_again_and_again() {
    let monitor = Monitor::default();
    let mut codec = Codec::new(Compressor::named("gzip", Some(6)).unwrap());
    let (first, second) = (text(1, 4000), text(2, 4000));
    let once = codec.length_after(&first, &second, &monitor).unwrap();
    for _ in 0..100 {
        assert_eq!(codec.length_after(&first, &second, &monitor).unwrap(), once);
    }
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
