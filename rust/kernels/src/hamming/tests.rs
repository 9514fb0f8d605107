use proptest::prelude::*;

use super::{Distances, Equality, Hamming, Method, Options, Simd, naive};
use crate::corpus::Rows;
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};

const SIMD: [Simd; 4] = [Simd::Portable, Simd::Neon, Simd::Avx2, Simd::Avx512];

fn numbers(distances: &Distances) -> Vec<usize> {
    (0..distances.len()).map(|at| distances.get(at)).collect()
}

fn all_ways(text: &[u32], pattern: &[u32], equality: &Equality) {
    let expected = naive::distances(text, pattern, equality);
    let bytes = |symbols: &[u32]| -> Option<Vec<u8>> {
        symbols.iter().map(|&symbol| u8::try_from(symbol).ok()).collect()
    };
    let narrow = bytes(text)
        .zip(bytes(pattern))
        .filter(|_| equality.map.iter().all(|(&a, &b)| a < 256 && b < 256));
    let mut kinds = vec![(Pattern::Tokens(text), Pattern::Tokens(pattern))];
    if let Some((text, pattern)) = &narrow {
        kinds.push((Pattern::Bytes(text), Pattern::Bytes(pattern)));
    }
    let methods = || Method::ALL.into_iter().map(Some).chain([None]);
    for (text, pattern) in kinds {
        let patterns = Patterns::one(pattern);
        let hamming = Hamming::new(&patterns, equality).unwrap();
        for (method, simd) in methods().flat_map(|method| SIMD.map(|simd| (method, simd))) {
            // These know no instructions of ours.
            let alike = matches!(method, Some(Method::Fft | Method::Lists));
            if alike && simd != Simd::Portable {
                continue;
            }
            let options = Options { method, simd: Some(simd) };
            let found = hamming.distances(text, 0, options, &Monitor::default()).unwrap();
            assert_eq!(numbers(&found), expected, "{method:?} {simd:?}");
        }
    }
}

/// Numbers that look random.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    (0_u64..).map(move |at| {
        let mixed =
            (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ (mixed >> 29)
    })
}

fn random(length: usize, alphabet: u64, seed: u64) -> Vec<u32> {
    noise(seed).take(length).map(|number| (number % alphabet) as u32).collect()
}

fn symbols(
    alphabet: u32,
    length: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(0..alphabet, length)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn small_ones(
        (text, pattern) in prop_oneof![Just(1_u32), Just(2), Just(4), Just(36), Just(256), Just(50_000)]
            .prop_flat_map(|alphabet| (symbols(alphabet, 1..700), symbols(alphabet, 1..90))),
        wildcards in proptest::collection::vec(0_u32..5, 0..3),
        map in proptest::collection::hash_map(0_u32..6, 0_u32..6, 0..3),
    ) {
        all_ways(&text, &pattern, &Equality { wildcards, map });
    }
}

#[test]
fn alphabets_lengths_and_borders_of_counters() {
    for (alphabet, length, pattern) in [
        (4, 20_000, 255),
        (4, 20_000, 256),
        (4, 20_000, 3000),
        (36, 12_000, 1000),
        (256, 9000, 2000),
        (50_000, 9000, 1500),
        (1, 70_000, 65_535),
        (1, 70_000, 65_536),
        (2, 40_000, 2049),
    ] {
        let mut text = random(length, alphabet, alphabet);
        let mut pattern =
            text[length / 3..].iter().copied().cycle().take(pattern).collect::<Vec<_>>();
        for at in (0..pattern.len()).step_by(17) {
            pattern[at] = (alphabet - 1) as u32;
        }
        all_ways(&text, &pattern, &Equality::default());
        text.truncate(pattern.len());
        all_ways(&text, &pattern, &Equality::default());
    }
}

#[test]
fn mismatches_at_the_borders_of_counters() {
    for length in [255, 256, 65_535, 65_536] {
        let text = vec![1; length + 500];
        let pattern = vec![2; length];
        all_ways(&text, &pattern, &Equality::default());
    }
}

#[test]
fn periods_and_wildcards_alone() {
    let text: Vec<u32> = (0..5000).map(|at| at % 7).collect();
    let pattern: Vec<u32> = (3..703).map(|at| at % 7).collect();
    all_ways(&text, &pattern, &Equality::default());
    let wild = Equality { wildcards: vec![0, 3], ..Equality::default() };
    all_ways(&text, &pattern, &wild);
    all_ways(&text, &[3, 0, 0, 3], &wild);
    all_ways(&[0; 3000], &[3; 1000], &wild);
}

#[test]
fn rounding_stays_far_from_a_half() {
    use super::fft::{Indicators, Layout, Precision, Slice, Task, error_bound, subtract};
    // The longest pieces that the bound admits, of one symbol, which correlates worst; and all
    // kinds of signals: indicators, with one implied, Walsh functions.
    for (alphabet, size, precision, closed) in [
        (1, 1 << 15, Precision::Single, false),
        (4, 1 << 16, Precision::Single, false),
        (4, 1 << 17, Precision::Single, true),
        (4, 1 << 18, Precision::Single, false),
        (1, 1 << 15, Precision::Mixed, false),
        (2, 1 << 16, Precision::Mixed, true),
        (5, 1 << 16, Precision::Mixed, true),
        (8, 1 << 17, Precision::Mixed, true),
        (4, 1 << 18, Precision::Mixed, true),
        (2, 1 << 18, Precision::Double, false),
    ] {
        let text: Vec<u8> = random(size * 2, alphabet as u64, 1).iter().map(|&s| s as u8).collect();
        let layout = |piece: usize| {
            let positions: Vec<Vec<u32>> = (0..alphabet)
                .map(|symbol| {
                    (0..piece as u32)
                        .filter(|&at| usize::from(text[at as usize]) == symbol)
                        .collect()
                })
                .collect();
            let indicators = Indicators::new(
                (0_u8..).zip(&positions).map(|(symbol, positions)| (symbol, &positions[..])),
                piece,
                closed,
            );
            let share = indicators.share(&text, size);
            let norm = indicators.norms(piece)[0];
            let error = error_bound(size, share, norm, (indicators.signals.len(), 1), precision);
            let step = size - piece + 1;
            (indicators, Layout { size, step, piece, pieces: 1, group: 1, error, precision })
        };
        let mut piece = size / 2;
        while layout(piece).1.error >= 0.5 {
            piece = piece * 9 / 10;
        }
        let (indicators, layout) = layout(piece);
        let mut distances = vec![piece as u32; text.len() - piece + 1];
        let task = Task { indicators: &indicators, distances: Slice::U32(&mut distances) };
        let residue = subtract(&text, vec![task], layout, &Monitor::default()).unwrap();
        assert_eq!(distances[0], 0);
        assert!(residue < 0.05, "{residue} of a transform of {size}, {precision:?}");
    }
}

#[test]
fn patterns_share_transforms() {
    // Lengths of one transform and of others, symbols of one pattern alone, null patterns.
    for alphabet in [2, 4, 5, 30, 300] {
        let text = random(30_000, alphabet, 9);
        let mut patterns = Patterns::tokens();
        let lengths = [6000, 5900, 700, 300, 6000, 3];
        let mut needles: Vec<Option<Vec<u32>>> = vec![];
        for (at, length) in lengths.into_iter().enumerate() {
            let mut needle = text[at * 1000..][..length].to_vec();
            needle.iter_mut().step_by(7 + at).for_each(|symbol| *symbol = at as u32);
            patterns.push_tokens(Some(&needle)).unwrap();
            needles.push(Some(needle));
        }
        patterns.push_tokens(None).unwrap();
        needles.push(None);
        let equality = Equality { wildcards: vec![], ..Equality::default() };
        let hamming = Hamming::new(&patterns, &equality).unwrap();
        for method in [None, Some(Method::Fft)] {
            let options = Options { method, simd: None };
            let text = Pattern::Tokens(&text);
            let found = hamming
                .distances_of_each(text, 0..needles.len(), options, &Monitor::default())
                .unwrap();
            for (at, (needle, found)) in needles.iter().zip(found).enumerate() {
                let alone = hamming.distances(
                    text,
                    at,
                    Options { method: Some(Method::Direct), simd: None },
                    &Monitor::default(),
                );
                assert_eq!(found.is_some(), needle.is_some());
                if let Some(found) = found {
                    assert_eq!(found, alone.unwrap(), "{alphabet} symbols, pattern {at}");
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_asked() {
    let equality = Equality::default();
    let empty = Patterns::one(Pattern::Bytes(b""));
    assert!(Hamming::new(&empty, &equality).is_err());
    let bytes = Patterns::one(Pattern::Bytes(b"a"));
    let hamming = Hamming::new(&bytes, &equality).unwrap();
    let tokens = Pattern::Tokens(&[1, 2]);
    assert!(hamming.distances(tokens, 0, Options::default(), &Monitor::default()).is_err());
    let monitor = Monitor::default();
    monitor.stop();
    let text = Pattern::Bytes(b"aaa");
    assert!(hamming.distances(text, 0, Options::default(), &monitor).is_err());
}

#[test]
fn within_agrees_with_all_distances() {
    use super::WithinOptions;
    for (alphabet, length, pattern) in
        [(2, 9000, 12), (4, 9000, 40), (30, 30_000, 300), (1, 3000, 9)]
    {
        let text = random(length, alphabet, 3);
        let mut needle = text[length / 2..][..pattern].to_vec();
        needle[pattern / 2] = 31;
        let expected = naive::distances(&text, &needle, &Equality::default());
        let equality = Equality::default();
        for k in [0, 1, 3, 11, 200, 254, 255, 400] {
            let near: Vec<(usize, usize)> = expected
                .iter()
                .copied()
                .enumerate()
                .filter(|&(_, distance)| distance <= k)
                .collect();
            for (simd, options) in SIMD.iter().flat_map(|&simd| {
                [(false, false), (true, false), (false, true)].map(|options| (simd, options))
            }) {
                let options = WithinOptions {
                    k,
                    best: options.0,
                    disjoint: options.1,
                    characters: false,
                    options: Options { method: None, simd: Some(simd) },
                };
                let bytes = |s: &[u32]| s.iter().map(|&s| s as u8).collect::<Vec<_>>();
                for (text, needle) in [
                    (
                        Patterns::one(Pattern::Tokens(&text)),
                        Patterns::one(Pattern::Tokens(&needle)),
                    ),
                    (
                        Patterns::one(Pattern::Bytes(&bytes(&text))),
                        Patterns::one(Pattern::Bytes(&bytes(&needle))),
                    ),
                ] {
                    let hamming = Hamming::new(&needle, &equality).unwrap();
                    let found = hamming.within(&text, options, &Monitor::default()).unwrap();
                    let found: Vec<(usize, usize)> = found
                        .start
                        .iter()
                        .zip(&found.distance)
                        .map(|(&start, &distance)| (start as usize, distance as usize))
                        .collect();
                    if options.best {
                        let least = near.iter().map(|&(_, distance)| distance).min();
                        let best: Vec<_> =
                            near.iter().copied().filter(|&(_, d)| Some(d) == least).collect();
                        assert_eq!(found, best, "k = {k}");
                    } else if options.disjoint {
                        assert!(found.windows(2).all(|pair| pair[0].0 + pattern <= pair[1].0));
                        assert!(found.iter().all(|one| near.contains(one)));
                        // Each that is not there overlaps one that is, and is no nearer.
                        assert!(near.iter().all(|&(start, distance)| {
                            found.iter().any(|&(kept, least)| {
                                start.abs_diff(kept) < pattern && least <= distance
                            })
                        }));
                    } else {
                        assert_eq!(found, near, "k = {k} of {alphabet} symbols, {simd:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_promises_of_approximations() {
    use super::{Approximate, Guarantee};
    let text = random(20_000, 4, 5);
    let mut needle = text[9000..14_000].to_vec();
    needle.iter_mut().step_by(9).for_each(|symbol| *symbol = 0);
    let expected = naive::distances(&text, &needle, &Equality::default());
    let equality = Equality::default();
    let patterns = Patterns::one(Pattern::Tokens(&needle));
    let hamming = Hamming::new(&patterns, &equality).unwrap();
    let ask = |guarantee, epsilon, trials, seed| {
        let how =
            Approximate { guarantee, epsilon, delta: 0.01, trials, verify: 10, seed, always: true };
        let text = Pattern::Tokens(&text);
        hamming.approximate(text, 0, &how, Options::default(), &Monitor::default()).unwrap()
    };
    let off = |found: &[f32]| {
        found
            .iter()
            .zip(&expected)
            .map(|(&found, &exact)| (f64::from(found) - exact as f64).abs())
            .fold(0.0, f64::max)
    };
    for seed in 0..20 {
        let sampled = ask(Guarantee::Additive, 0.1, 0, seed);
        assert_eq!((sampled.method, sampled.positions), ("sampling", 746));
        assert!(off(&sampled.distances) <= 0.1 * needle.len() as f64);
    }
    let once = ask(Guarantee::None, 0.1, 2, 7);
    assert_eq!(once, ask(Guarantee::None, 0.1, 2, 7));
    assert_ne!(once.distances, ask(Guarantee::None, 0.1, 2, 9).distances);
    let least = expected.iter().copied().enumerate().min_by_key(|&(_, distance)| distance);
    assert_eq!(once.verified[0], least.map(|(at, d)| (at as u64, d as u32)).unwrap());
    // More trials, smaller errors: no bias is left.
    let many = ask(Guarantee::None, 0.1, 400, 7);
    assert!(off(&many.distances) < 0.05 * needle.len() as f64);
    assert!(many.error < once.error && once.error < 0.5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_agree_whatever_the_engine(
        a in proptest::collection::vec(-60_i64..60, 0..40),
        b in prop_oneof![
            proptest::collection::vec(-60_i64..60, 0..40),
            proptest::collection::vec(-300_000_i64..300_000, 0..40),
        ],
        targets in proptest::collection::vec(-100_i64..100, 0..60),
    ) {
        use super::{Engine, count_pairs, sums};
        let mut expected = std::collections::BTreeMap::<i64, u64>::new();
        for a in &a {
            for b in &b {
                *expected.entry(a + b).or_default() += 1;
            }
        }
        for engine in Engine::ALL.into_iter().map(Some).chain([None]) {
            for counted in [true, false] {
                if counted && engine == Some(Engine::Bits) {
                    continue;
                }
                let (found, _) = sums(&a, &b, counted, engine, &Monitor::default()).unwrap();
                assert!(found.values.iter().eq(expected.keys()), "{engine:?}");
                assert!(!counted || found.counts.iter().eq(expected.values()), "{engine:?}");
            }
        }
        let found = count_pairs(&a, &b, &targets, &Monitor::default()).unwrap();
        let count = |target| expected.get(target).copied().unwrap_or(0);
        assert!(found.iter().copied().eq(targets.iter().map(count)));
    }
}

#[test]
fn sums_at_the_ends_of_numbers() {
    use super::{Engine, sums};
    let monitor = Monitor::default();
    let far = [i64::MIN / 2, 0, i64::MAX / 2];
    let (found, _) = sums(&far, &far, true, None, &monitor).unwrap();
    assert_eq!(found.values.len(), 6);
    assert_eq!(found.counts.iter().sum::<u64>(), 9);
    assert!(sums(&[i64::MAX], &[1], true, None, &monitor).is_err());
    assert!(sums(&far, &far, true, Some(Engine::Fft), &monitor).is_err());
    // More pairs than are sorted at once, of few sums.
    let same: Vec<i64> = (0..4000).collect();
    let (sorted, _) = sums(&same, &same, true, Some(Engine::Sort), &monitor).unwrap();
    let (transformed, _) = sums(&same, &same, true, Some(Engine::Fft), &monitor).unwrap();
    assert_eq!(sorted, transformed);
}
