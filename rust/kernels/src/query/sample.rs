//! Sampling that depends on where an occurrence stands in the whole index and on nothing else, so
//! that it draws the same occurrences whatever the segmentation and the number of threads.

/// A uniform 64-bit hash of a position under a seed: the finaliser of SplitMix64 (Steele, Lea and
/// Flood 2014), twice so that neighbouring seeds share nothing.
pub(super) fn priority(seed: u64, position: u64) -> u64 {
    mix(mix(seed).wrapping_add(position))
}

fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
