//! Hashed n-grams against their definition.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{
    Hash, HashedShard, Orders, analyzers, deal, join_hashed, murmur3, naive, text, tokeniser,
};

#[test]
fn murmur3_gives_the_numbers_that_are_known() {
    for (text, hash) in [
        ("", 0),
        ("hello", 0x248B_FA47),
        ("hello, world", 0x149B_BB7F),
        ("The quick brown fox jumps over the lazy dog", 0x2E4F_F723),
    ] {
        assert_eq!(murmur3(text.as_bytes()), hash, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn buckets_are_those_of_every_n_gram(
        rows in prop::collection::vec(text(), 0..12),
        analyzer in analyzers(),
        lowercase: bool,
        least in 1usize..3,
        more in 0usize..3,
        buckets in 1u32..1000,
        how in 0usize..3,
        shards in 1usize..4,
    ) {
        let whole = analyzer == super::Analyzer::CharactersInWords;
        let orders = Orders::new(least, least + more, whole).unwrap();
        let hash = [Hash::Murmur { alternate_sign: false }, Hash::Murmur { alternate_sign: true }, Hash::Sha256][how];
        let tokeniser = tokeniser(analyzer, lowercase);
        let shard = || HashedShard::new(std::sync::Arc::clone(&tokeniser), orders, hash, buckets);
        let mut all: Vec<HashedShard> = (0..shards).map(|_| shard()).collect();
        deal(&rows, 4, &mut all);
        let found = join_hashed(all);
        prop_assert_eq!(found.row_starts.len(), rows.len() + 1);
        for (row, text) in rows.iter().enumerate() {
            let mut expected: BTreeMap<u32, f64> = BTreeMap::new();
            for gram in naive(text.as_deref().unwrap_or_default(), analyzer, lowercase, orders) {
                let (bucket, value) = match hash {
                    Hash::Murmur { alternate_sign } => {
                        let hash = i64::from(murmur3(gram.as_bytes()) as i32);
                        let down = alternate_sign && hash < 0;
                        ((hash.abs() % i64::from(buckets)) as u32, if down { -1.0 } else { 1.0 })
                    }
                    Hash::Sha256 => {
                        let digest = Sha256::digest(gram.as_bytes());
                        let rest = digest.iter().fold(0u64, |rest, &byte| {
                            (rest << 8 | u64::from(byte)) % u64::from(buckets)
                        });
                        (rest as u32, 1.0)
                    }
                };
                *expected.entry(bucket).or_default() += value;
            }
            let entries: Vec<(u32, f64)> = (found.row_starts[row]..found.row_starts[row + 1])
                .map(|at| (found.columns[at], found.data[at]))
                .collect();
            prop_assert_eq!(entries, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
