use proptest::prelude::*;

use super::{BitVector, Bits, Hybrid, Packed, Plain, Stream, width_of};

fn bits_of(bits: &[bool]) -> Bits {
    let mut gathered = Bits::default();
    bits.iter().for_each(|&bit| gathered.push(bit));
    gathered
}

/// Bits as rank structures meet them: even ones, rare ones, runs, all alike.
fn stream() -> impl Strategy<Value = Vec<bool>> {
    let runs = proptest::collection::vec((any::<bool>(), 1_usize..700), 0..12);
    let mixed = (0.0..=1.0, 0_usize..9000);
    prop_oneof![
        runs.prop_map(|runs| {
            runs.into_iter().flat_map(|(bit, length)| std::iter::repeat_n(bit, length)).collect()
        }),
        mixed.prop_flat_map(|(share, length)| {
            proptest::collection::vec(proptest::bool::weighted(share), length)
        }),
    ]
}

fn check<B: BitVector>(streams: &[Vec<bool>]) {
    let mut builder = B::Builder::default();
    let places: Vec<Stream> =
        streams.iter().map(|bits| B::push(&mut builder, &bits_of(bits))).collect();
    let vector = B::build(builder);
    for (bits, &place) in streams.iter().zip(&places) {
        let mut ones = 0;
        for (at, &bit) in bits.iter().enumerate() {
            assert_eq!(vector.get(place, at), (bit, ones), "at {at} of {}", bits.len());
            ones += usize::from(bit);
        }
        assert_eq!(vector.rank(place, bits.len()), ones);
    }
    // Nothing read is trusted: far outside there is an answer too.
    for at in [0, usize::MAX / 2, usize::MAX] {
        vector.get(Stream { head: u32::MAX / 3, tail: u32::MAX }, at);
        vector.get(Stream { head: 0, tail: u32::MAX / 2 }, at);
    }
}

proptest! {
    #[test]
    fn every_rank_of_plain_bits(streams in proptest::collection::vec(stream(), 1..4)) {
        check::<Plain>(&streams);
    }

    #[test]
    fn every_rank_of_hybrid_bits(streams in proptest::collection::vec(stream(), 1..4)) {
        check::<Hybrid>(&streams);
    }

    #[test]
    fn packed_numbers(numbers in proptest::collection::vec(any::<u64>(), 0..200), width in 1_usize..=64) {
        let least = |number: u64| if width == 64 { number } else { number & ((1 << width) - 1) };
        let mut packed = Packed::zeros(numbers.len(), width);
        numbers.iter().enumerate().for_each(|(at, &number)| packed.set(at, number));
        for (at, &number) in numbers.iter().enumerate() {
            prop_assert_eq!(packed.get(at), least(number));
        }
        prop_assert_eq!(packed.get(usize::MAX), 0);
        prop_assert!(width_of(least(u64::MAX)) == width);
    }
}
