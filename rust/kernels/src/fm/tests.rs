use std::slice;

use proptest::prelude::*;

use super::code::codes;
use super::{FmIndex, Rates, Walks, WaveletBuilder};
use crate::bits::{BitVector, Hybrid, Plain};
use crate::suffix::{Sorted as _, sort};
use crate::symbol::{Position, Ranks, Symbol};

const RATES: [Rates; 3] = [
    Rates { block: 4, sample: 3, inverse: 5 },
    Rates { block: 7, sample: 1, inverse: 1 },
    Rates { block: 12, sample: 32, inverse: 64 },
];

fn check_wavelet<B: BitVector>(block: u32, symbols: &[u32], most: u32) {
    let mut builder = WaveletBuilder::<B>::new(block, vec![0; most as usize]);
    symbols.chunks(1 << block).for_each(|block| builder.push(block));
    let wavelet = builder.finish();
    let mut counts = vec![0; most as usize];
    let (mut ranks, mut found) = (vec![0; most as usize], [(0, 0)]);
    let mut walks = Walks::default();
    for place in 0..=symbols.len() {
        let asked: Vec<u32> = (0..most).collect();
        wavelet.ranks(&mut walks, &asked, &vec![place; asked.len()], &mut ranks);
        assert_eq!(ranks, counts, "before {place}");
        if let Some(&symbol) = symbols.get(place) {
            wavelet.symbols(&mut walks, &[place], &mut found).unwrap();
            assert_eq!(found[0], (symbol, counts[symbol as usize]));
            counts[symbol as usize] += 1;
        }
    }
}

fn check_index<S: Symbol, B: BitVector>(text: &[S], rates: Rates) {
    let mut text = text.to_vec();
    let suffixes = sort(&mut text).unwrap();
    let index = FmIndex::<S, B>::new(&text, &suffixes, rates);
    for (rank, &position) in suffixes.iter().enumerate() {
        assert_eq!(index.position(rank as u64).unwrap(), Position::from(position));
    }
    for start in 0..text.len() {
        assert_eq!(index.symbol(start as Position).unwrap(), text[start]);
        for stop in [start + 1, (start + 5).min(text.len()), text.len()] {
            let mut read = vec![];
            index.read(slice::from_ref(&(start as Position..stop as Position)), &mut read).unwrap();
            assert_eq!(read, text[start..stop]);
            let below = suffixes.iter().filter(|&&at| text[at as usize..] < text[start..stop]);
            let starts =
                suffixes.iter().filter(|&&at| text[at as usize..].starts_with(&text[start..stop]));
            let low = below.count() as u64;
            let expected = Ranks { start: low, end: low + starts.count() as u64 };
            assert_eq!(index.find(&text[start..stop]).unwrap(), expected);
        }
    }
    let whole = Ranks { start: 0, end: text.len() as u64 };
    let mut positions = vec![];
    index.positions(&[whole], &mut positions).unwrap();
    assert!(positions.iter().copied().eq(suffixes.iter().map(|&one| Position::from(one))));
    // Many ranges and spans at once, empty ones among them, give what each one does.
    let length = text.len() as u64;
    let bounds = (0..3 * length).map(|nth| (nth * 7 % (length + 1), nth * 11 % (length + 1)));
    let spans: Vec<_> = bounds.map(|(a, b)| a.min(b)..a.max(b)).collect();
    let ranks: Vec<Ranks> =
        spans.iter().map(|span| Ranks { start: span.start, end: span.end }).collect();
    positions.clear();
    index.positions(&ranks, &mut positions).unwrap();
    let (mut read, mut expected, mut of_ranks) = (vec![], vec![], vec![]);
    index.read(&spans, &mut read).unwrap();
    for span in spans {
        let span = span.start as usize..span.end as usize;
        expected.extend(&text[span.clone()]);
        of_ranks.extend(suffixes[span].iter().map(|&one| Position::from(one)));
    }
    assert_eq!((read, positions), (expected, of_ranks));
    assert_eq!(index.find(&[]).unwrap(), whole);
    assert!(index.position(text.len() as u64).is_err());
    assert!(index.symbol(text.len() as Position).is_err());
}

proptest! {
    #[test]
    fn codes_are_prefix_free_and_shortest(counts in proptest::collection::vec(0_u32..2000, 0..60)) {
        let codes = codes(&counts);
        let occurring: Vec<usize> = (0..counts.len()).filter(|&one| counts[one] > 0).collect();
        if occurring.len() > 1 {
            // Kraft's equality: no bit is wasted.
            let sum: f64 = occurring.iter().map(|&one| 0.5_f64.powi(codes[one].length as i32)).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
        }
        for &one in &occurring {
            for &other in &occurring {
                let shorter = codes[one].length.min(codes[other].length);
                let same = (codes[one].bits ^ codes[other].bits) & ((1 << shorter) - 1) == 0;
                prop_assert!(one == other || occurring.len() == 1 || !same);
                if counts[one] > counts[other] {
                    prop_assert!(codes[one].length <= codes[other].length);
                }
            }
        }
    }

    #[test]
    fn every_rank_of_a_sequence(
        symbols in proptest::collection::vec(0_u32..9, 0..400),
        block in 1_u32..9,
    ) {
        check_wavelet::<Plain>(block, &symbols, 9);
        check_wavelet::<Hybrid>(block, &symbols, 9);
    }

    #[test]
    fn every_suffix_of_bytes(text in proptest::collection::vec(0_u8..4, 0..120), rates in 0_usize..3) {
        check_index::<u8, Plain>(&text, RATES[rates]);
        check_index::<u8, Hybrid>(&text, RATES[rates]);
    }

    #[test]
    fn every_suffix_of_any_bytes(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        check_index::<u8, Plain>(&text, RATES[0]);
        check_index::<u8, Hybrid>(&text, RATES[2]);
    }

    #[test]
    fn every_suffix_of_tokens(text in proptest::collection::vec(any::<u32>(), 0..80)) {
        check_index::<u32, Plain>(&text, RATES[0]);
        let narrow: Vec<u16> = text.iter().map(|&token| token as u16).collect();
        check_index::<u16, Hybrid>(&narrow, RATES[2]);
    }
}

#[test]
fn codes_of_steep_counts_stay_short() {
    let (mut before, mut last) = (1_u32, 1_u32);
    let counts: Vec<u32> = std::iter::repeat_with(|| {
        (before, last) = (last, before.saturating_add(last));
        before
    })
    .take(45)
    .collect();
    let codes = codes(&counts);
    assert!(codes.iter().all(|code| (1..=super::code::MOST as u32).contains(&code.length)));
}

#[test]
fn texts_of_one_symbol_and_many_alike() {
    for text in
        [&b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..], b"\xff", b"", b"ab", b"\xff\xff\xff"]
    {
        check_index::<u8, Plain>(text, RATES[0]);
        check_index::<u8, Hybrid>(text, RATES[2]);
    }
    let copies = b"the same row again\xff".repeat(60);
    check_index::<u8, Plain>(&copies, RATES[0]);
    check_index::<u8, Hybrid>(&copies, RATES[2]);
}
