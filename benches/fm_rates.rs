//! Builds the FM-index of a file with each form of bits and each rate of samples, and asks it: prints a
//! line of JSON for each. Every answer is checked against the text.
#![allow(clippy::print_stdout)]

use std::fs;
use std::hint::black_box;
use std::io;
use std::slice;
use std::time::Instant;

use bowstring::bits::{BitVector, Hybrid, Plain};
use bowstring::fm::{FmIndex, Rates};
use bowstring::suffix::sort;

const SAMPLES: [u32; 5] = [16, 32, 64, 128, 256];
const INVERSES: [u32; 5] = [32, 64, 96, 160, 320];
const PATTERN: usize = 20;
const SPAN: usize = 1000;
const QUESTIONS: usize = 2000;
const RUNS: usize = 5;

fn main() -> io::Result<()> {
    let Some(input) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("usage: fm_rates TEXT"));
    };
    let mut text = fs::read(input)?;
    let suffixes = sort(&mut text).map_err(|error| io::Error::other(error.to_string()))?;
    measure::<Plain>("fast", &text, &suffixes, Rates { block: 16, sample: 32, inverse: 96 });
    measure::<Hybrid>("compact", &text, &suffixes, Rates { block: 17, sample: 64, inverse: 160 });
    Ok(())
}

/// Measures the profile at its own rates, and with one of them changed.
fn measure<B: BitVector>(profile: &str, text: &[u8], suffixes: &[u32], own: Rates) {
    let samples = SAMPLES.iter().map(|&sample| Rates { sample, ..own });
    let inverses = INVERSES.iter().map(|&inverse| Rates { inverse, ..own });
    let mut done = vec![];
    for rates in samples.chain(inverses) {
        if done.contains(&rates) {
            continue;
        }
        done.push(rates);
        let begun = Instant::now();
        let index = FmIndex::<u8, B>::new(text, suffixes, rates);
        let built = begun.elapsed().as_secs_f64();
        let starts: Vec<usize> = (0..QUESTIONS)
            .map(|nth| nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (text.len() - SPAN))
            .collect();
        let count = median(|| {
            for &start in &starts {
                let found = index.find(&text[start..start + PATTERN]).expect("a whole index");
                assert!(!black_box(found).is_empty(), "what the text holds occurs");
            }
        });
        let mut place = vec![];
        let locate = median(|| {
            for &start in &starts {
                let rank = start as u64;
                place.clear();
                index
                    .positions(&[bowstring::Ranks { start: rank, end: rank + 1 }], &mut place)
                    .expect("a whole index");
                assert_eq!(place, [u64::from(suffixes[start])], "the place of a rank");
            }
        });
        let mut span = vec![];
        let read = median(|| {
            for &start in &starts[..QUESTIONS / 10] {
                span.clear();
                let stop = start + SPAN;
                index
                    .read(slice::from_ref(&(start as u64..stop as u64)), &mut span)
                    .expect("a whole index");
                assert!(span == text[start..stop], "a span of the text");
            }
        });
        println!(
            "{{\"profile\": \"{profile}\", \"sample\": {}, \"inverse\": {}, \"size\": {:.4}, \
             \"count_ns_a_symbol\": {:.1}, \"locate_us\": {:.2}, \"read_us\": {:.1}, \
             \"build_s\": {built:.1}}}",
            rates.sample,
            rates.inverse,
            index.bytes() as f64 / text.len() as f64,
            count * 1e9 / (QUESTIONS * PATTERN) as f64,
            locate * 1e6 / QUESTIONS as f64,
            read * 1e6 / (QUESTIONS / 10) as f64,
        );
    }
}

/// The median of several runs, in seconds, after one that does not count.
fn median(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..=RUNS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64()
        })
        .skip(1)
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}
