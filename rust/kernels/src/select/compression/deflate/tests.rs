use libz_sys as zlib;
use proptest::prelude::*;

use super::Deflate;
use crate::error::Error;
use crate::interrupt::Monitor;
use crate::random::Random;

/// What zlib itself makes of a text, without the 6 bytes that it puts around it.
fn by_zlib(level: u32, text: &[u8]) -> u64 {
    // SAFETY: computes a number of a number.
    let mut length = unsafe { zlib::compressBound(text.len() as zlib::uLong) };
    let mut made = vec![0_u8; length as usize];
    let (from, of) = (text.as_ptr(), text.len() as zlib::uLong);
    // SAFETY: `made` has the `length` bytes that it is said to have, and the text its own.
    let status =
        unsafe { zlib::compress2(made.as_mut_ptr(), &raw mut length, from, of, level as i32) };
    assert_eq!(status, zlib::Z_OK);
    length as u64 - 6
}

fn both(deflate: &mut Deflate, first: &[u8], second: &[u8]) -> u64 {
    let monitor = Monitor::default();
    deflate.start(first, &monitor).unwrap();
    deflate.length_with(second, &monitor).unwrap()
}

/// Texts that repeat themselves, of a small or a large alphabet.
fn text(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::of(seed, length as u64);
    let letters = match seed % 3 {
        0 => 1 + random.below(3),
        1 => 1 + random.below(40),
        _ => 1 + random.below(256),
    };
    let copies = 2 + random.below(60);
    let longest = [4, 30, 300][(seed / 3 % 3) as usize];
    let mut text: Vec<u8> = vec![];
    while text.len() < length {
        if text.len() > 4 && random.below(copies) == 0 {
            let back = 1 + random.below((text.len() as u64).min(40_000)) as usize;
            let size = 1 + random.below(longest) as usize;
            let start = text.len() - back;
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
fn lengths_are_those_of_zlib() {
    let monitor = Monitor::default();
    let lengths = [0, 1, 2, 3, 100, 261, 1023, 5000, 40_000, 70_000];
    for level in 1..=9 {
        let lengths = if [1, 6, 9].contains(&level) { &lengths[..] } else { &lengths[..8] };
        let mut deflate = Deflate::new(level);
        for (seed, &first) in (0..).zip(lengths) {
            let first = text(seed, first);
            deflate.start(&first, &monitor).unwrap();
            for (other, &second) in (100..).zip(lengths) {
                let second = text(other + 7 * seed, second);
                let found = deflate.length_with(&second, &monitor).unwrap();
                let whole = [&first[..], &second].concat();
                let lengths = (first.len(), second.len());
                assert_eq!(found, by_zlib(level, &whole), "{level} {seed} {lengths:?}");
            }
        }
    }
}

#[test]
fn lengths_are_those_of_zlib_wherever_its_memory_ends() {
    // Strings 32,506 bytes back, at which zlib looks unless its memory begins there.
    for level in [1, 4, 6, 9] {
        let mut deflate = Deflate::new(level);
        for length in (65_262..65_282).chain(98_030..98_050) {
            let mut text = text(length as u64, length);
            for back in 32_500..32_512 {
                let at = length - 262 - (back - 32_500) * 3;
                let (from, to) = (at - back, at);
                let marked = [b'A' + (back % 20) as u8, 1, 2, 3, back as u8, 5];
                text[from..from + 6].copy_from_slice(&marked);
                text[to..to + 6].copy_from_slice(&marked);
            }
            let (first, second) = text.split_at(length - length % 700);
            assert_eq!(
                both(&mut deflate, first, second),
                by_zlib(level, &text),
                "{level} {length}"
            );
        }
    }
}

#[test]
fn short_texts_take_less_memory() {
    for level in [6, 8, 9] {
        let mut small = Deflate::small(level);
        let limit = Deflate::few(level);
        for seed in 0..500 {
            let text = text(seed, (seed as usize * 7) % limit);
            let (first, second) = text.split_at(text.len() * (seed % 5) as usize / 4);
            assert_eq!(both(&mut small, first, second), by_zlib(level, &text), "{level} {seed}");
        }
    }
    let mut small = Deflate::small(9);
    for byte in [0, 255] {
        let text = vec![byte; Deflate::few(9) - 1];
        assert_eq!(both(&mut small, &text, &[]), by_zlib(9, &text));
    }
}

#[test]
fn places_are_counted_anew() {
    for level in [1, 3, 6, 9] {
        let mut deflate = Deflate::new(level);
        deflate.matcher.count_to(1 << 18);
        for seed in 0..3 {
            let text = text(seed, 300_000 + 77_777 * seed as usize);
            for split in [60_000, text.len() - 100] {
                let (first, second) = text.split_at(split);
                assert_eq!(both(&mut deflate, first, second), by_zlib(level, &text));
            }
        }
    }
}

#[test]
fn what_was_added_is_taken_out_again() {
    let monitor = Monitor::default();
    for level in [2, 6, 9] {
        let mut deflate = Deflate::new(level);
        let (first, second) = (text(1, 50_000), text(2, 40_000));
        deflate.start(&first, &monitor).unwrap();
        let expected =
            [4000, 40_000].map(|length| by_zlib(level, &[&first[..], &second[..length]].concat()));
        for _ in 0..20 {
            let found = [4000, 40_000]
                .map(|length| deflate.length_with(&second[..length], &monitor).unwrap());
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn one_byte_again_and_again_takes_no_long_time() {
    let text = vec![b' '; 1 << 20];
    for level in [1, 9] {
        assert_eq!(
            both(&mut Deflate::new(level), &text, &text),
            by_zlib(level, &vec![b' '; 1 << 21])
        );
    }
}

#[test]
fn codes_that_would_be_too_long_are_shortened() {
    // Frequencies that grow as Fibonacci's numbers make the deepest tree.
    for level in [1, 9] {
        let mut deflate = Deflate::new(level);
        for symbols in 3..22 {
            let (mut one, mut other) = (1_usize, 1);
            let mut counted = vec![];
            for symbol in 0..symbols {
                counted.extend(std::iter::repeat_n(symbol as u8 * 11, one));
                (one, other) = (other, one + other);
            }
            // In an order in which nothing repeats itself for long.
            let mut random = Random::of(symbols, 0);
            for at in (1..counted.len()).rev() {
                counted.swap(at, random.below(at as u64 + 1) as usize);
            }
            assert_eq!(both(&mut deflate, &counted, &[]), by_zlib(level, &counted), "{symbols}");
        }
    }
}

#[test]
fn a_stopped_monitor_stops() {
    let monitor = Monitor::default();
    monitor.stop();
    assert!(matches!(Deflate::new(9).start(b"to be", &monitor), Err(Error::Interrupted)));
}

proptest! {
    #[test]
    fn lengths_of_any_texts_are_those_of_zlib(
        first in proptest::collection::vec(prop_oneof![0u8..3, 0u8..3, any::<u8>()], 0..1500),
        seconds in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![0u8..3, 0u8..3, any::<u8>()], 0..1500), 1..4),
        level in 1..=9u32,
    ) {
        let monitor = Monitor::default();
        let mut deflate = Deflate::new(level);
        deflate.start(&first, &monitor).unwrap();
        for second in &seconds {
            let whole = [&first[..], second].concat();
            let found = deflate.length_with(second, &monitor).unwrap();
            prop_assert_eq!(found, by_zlib(level, &whole));
            if whole.len() < Deflate::few(level) {
                prop_assert_eq!(both(&mut Deflate::small(level), &first, second), found);
            }
        }
    }
}
