use proptest::collection::vec;
use proptest::prelude::*;

use super::{SuffixArray, keys, naive, sort};
use crate::symbol::{Ranks, Symbol};

/// Sorts and asks every pattern, alone and with all others, and compares with the definition.
fn check<S: Symbol>(text: &[S], patterns: &[Vec<S>]) {
    let mut sorted = text.to_vec();
    let suffixes = sort(&mut sorted).unwrap();
    assert_eq!(sorted, text, "the text is as it was");
    assert_eq!(*suffixes, naive::sort(text));
    let shape = keys::Shape::new(text.len());
    let (keys, skips) = keys::build(text, &suffixes, &shape);
    assert_eq!((keys.len(), skips.len()), shape.lengths());
    let array = SuffixArray::new(text, &suffixes, &keys, &skips, &shape).unwrap();
    let expected: Vec<Ranks> =
        patterns.iter().map(|pattern| naive::find(text, &suffixes, pattern)).collect();
    for (pattern, expected) in patterns.iter().zip(&expected) {
        assert_eq!(&array.find(pattern).unwrap(), expected, "{pattern:?}");
    }
    let mut found = vec![Ranks::NONE; patterns.len()];
    array.find_many(patterns.iter().map(Into::into).zip(&mut found)).unwrap();
    assert_eq!(found, expected);
}

/// Rows of few symbols, so that patterns occur, each followed by the separator; and patterns, some
/// cut from the text and some not.
fn text_and_patterns<S: Symbol>(
    symbols: impl Strategy<Value = S> + Clone,
    separator: S,
) -> impl Strategy<Value = (Vec<S>, Vec<Vec<S>>)> {
    let rows = vec(vec(symbols.clone(), 0..2000), 1..6);
    let strange = vec(vec(symbols, 0..12), 0..8);
    let cuts = vec((any::<prop::sample::Index>(), 0..40_usize), 0..60);
    (rows, strange, cuts).prop_map(move |(rows, mut patterns, cuts)| {
        let mut text = vec![];
        for row in &rows {
            text.extend(row);
            text.push(separator);
        }
        for (at, length) in cuts {
            let from = at.index(text.len());
            let to = (from + length).min(text.len());
            patterns.push(
                text[from..to].iter().copied().take_while(|&symbol| symbol != separator).collect(),
            );
        }
        (text, patterns)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn two_bytes((text, patterns) in text_and_patterns(b'a'..=b'b', u8::MAX)) {
        check(&text, &patterns);
    }

    #[test]
    fn every_byte((text, patterns) in text_and_patterns(0_u8..255, u8::MAX)) {
        check(&text, &patterns);
    }

    #[test]
    fn zero_bytes_and_a_low_separator((text, patterns) in text_and_patterns(prop_oneof![Just(0_u8), Just(255)], 7)) {
        check(&text, &patterns);
    }

    #[test]
    fn short_tokens((text, patterns) in text_and_patterns(prop_oneof![0_u16..3, 65_530..65_535_u16], u16::MAX)) {
        check(&text, &patterns);
    }

    #[test]
    fn long_tokens((text, patterns) in text_and_patterns(prop_oneof![0_u32..3, (u32::MAX - 3)..u32::MAX], u32::MAX)) {
        check(&text, &patterns);
    }
}

#[test]
fn nothing() {
    check::<u8>(&[], &[b"a".to_vec(), vec![]]);
}

#[test]
fn one_symbol_over_and_over() {
    let mut text = vec![b'a'; 5000];
    text.push(u8::MAX);
    check(&text, &[1, 7, 8, 9, 127, 4999, 5000, 5001].map(|length| vec![b'a'; length]));
}

#[test]
fn damage_is_an_error() {
    let text = b"banana\xff";
    let suffixes = [u32::MAX; 7];
    let shape = keys::Shape::new(7);
    let array = SuffixArray::new(text, &suffixes, &[0], &[0], &shape).unwrap();
    assert!(array.find(b"ana").is_err());
    let mut found = vec![Ranks::NONE; 2];
    assert!(
        array.find_many([&b"ana"[..], b"nan"].map(Into::into).into_iter().zip(&mut found)).is_err()
    );
    assert!(SuffixArray::new(text, &suffixes, &[], &[0], &shape).is_err());
}
