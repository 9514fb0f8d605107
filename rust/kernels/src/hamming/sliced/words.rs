//! Words of 256 bits and what is done with them, for each set of instructions.

#![allow(clippy::multiple_unsafe_ops_per_block, reason = "each word is an instruction")]

use super::LANES;

/// 256 bits, a lane each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(32))]
pub(super) struct Lanes([u64; 4]);

/// Words of lanes in a register.
///
/// # Safety
/// All methods need a processor with the instructions that the type is named for, and are inlined
/// into functions that enable them.
pub(super) trait Word: Copy {
    /// Neighbouring offsets whose words are held together.
    const TIMES: usize;

    /// Words that stand one after the other, of which there must be that many.
    unsafe fn load(lanes: *const Lanes) -> Self;
    /// The same written.
    unsafe fn store(self, lanes: *mut Lanes);
    /// The sum of three bits in every lane: its low and its high bit.
    unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self);
    /// The sum of two bits in every lane.
    unsafe fn half(a: Self, b: Self) -> (Self, Self);
    unsafe fn is_zero(self) -> bool;
    /// In which lanes a byte is the symbol.
    unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes;
    /// The number in each lane whose bits are up to 8 planes.
    unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]);
}

impl Word for Lanes {
    const TIMES: usize = 1;

    #[inline(always)]
    unsafe fn load(lanes: *const Lanes) -> Self {
        // SAFETY: promised by the caller.
        unsafe { *lanes }
    }

    #[inline(always)]
    unsafe fn store(self, lanes: *mut Lanes) {
        // SAFETY: promised by the caller.
        unsafe { *lanes = self };
    }

    #[inline(always)]
    unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self) {
        let mut sum = (a, a);
        for at in 0..4 {
            let either = a.0[at] ^ b.0[at];
            sum.0.0[at] = either ^ c.0[at];
            sum.1.0[at] = (a.0[at] & b.0[at]) | (either & c.0[at]);
        }
        sum
    }

    #[inline(always)]
    unsafe fn half(a: Self, b: Self) -> (Self, Self) {
        let mut sum = (a, a);
        for at in 0..4 {
            sum.0.0[at] = a.0[at] ^ b.0[at];
            sum.1.0[at] = a.0[at] & b.0[at];
        }
        sum
    }

    #[inline(always)]
    unsafe fn is_zero(self) -> bool {
        self.0 == [0; 4]
    }

    #[inline(always)]
    unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes {
        let mut lanes = Self::default();
        for (word, bytes) in lanes.0.iter_mut().zip(bytes.as_chunks::<64>().0) {
            for (at, &byte) in bytes.iter().enumerate() {
                *word |= u64::from(byte == symbol) << at;
            }
        }
        lanes
    }

    #[inline(always)]
    unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]) {
        for (word, numbers) in numbers.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            for (eight, numbers) in numbers.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let mut bits = 0_u64;
                for (plane, lanes) in planes.iter().enumerate() {
                    bits |= u64::from((lanes.0[word] >> (eight * 8)) as u8) << (plane * 8);
                }
                // A transposition of 8 by 8 bits (Hacker's Delight, 7-3).
                for (shift, mask) in [
                    (7, 0x00aa_00aa_00aa_00aa),
                    (14, 0x0000_cccc_0000_cccc),
                    (28, 0x0000_0000_f0f0_f0f0),
                ] {
                    let swapped = (bits ^ (bits >> shift)) & mask;
                    bits ^= swapped ^ (swapped << shift);
                }
                *numbers = bits.to_le_bytes();
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_load_si256,
        _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_store_si256, _mm256_storeu_si256, _mm256_testz_si256,
        _mm256_xor_si256, _mm512_and_si512, _mm512_cmpeq_epi8_mask, _mm512_loadu_si512,
        _mm512_mask_add_epi8, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_storeu_si512,
        _mm512_ternarylogic_epi64, _mm512_test_epi64_mask, _mm512_xor_si512,
    };

    use super::{LANES, Lanes, Word};

    /// A register that has AVX2.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256i);

    /// A register that has AVX-512: words of two offsets.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512i);

    impl Word for Avx2 {
        const TIMES: usize = 1;

        #[inline(always)]
        unsafe fn load(lanes: *const Lanes) -> Self {
            // SAFETY: lanes are 32 bytes, aligned to 32; the caller has AVX2.
            Self(unsafe { _mm256_load_si256(lanes.cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, lanes: *mut Lanes) {
            // SAFETY: as in `load`.
            unsafe { _mm256_store_si256(lanes.cast(), self.0) };
        }

        #[inline(always)]
        unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self) {
            // SAFETY: the caller has AVX2.
            unsafe {
                let either = _mm256_xor_si256(a.0, b.0);
                let sum = _mm256_xor_si256(either, c.0);
                let both = _mm256_and_si256(a.0, b.0);
                (Self(sum), Self(_mm256_or_si256(both, _mm256_and_si256(either, c.0))))
            }
        }

        #[inline(always)]
        unsafe fn half(a: Self, b: Self) -> (Self, Self) {
            // SAFETY: the caller has AVX2.
            unsafe { (Self(_mm256_xor_si256(a.0, b.0)), Self(_mm256_and_si256(a.0, b.0))) }
        }

        #[inline(always)]
        unsafe fn is_zero(self) -> bool {
            // SAFETY: the caller has AVX2.
            unsafe { _mm256_testz_si256(self.0, self.0) == 1 }
        }

        #[inline(always)]
        unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes {
            let mut lanes = Lanes::default();
            // SAFETY: each chunk has the 32 bytes that are read; the caller has AVX2.
            unsafe {
                let symbol = _mm256_set1_epi8(symbol.cast_signed());
                for (half, bytes) in bytes.as_chunks::<32>().0.iter().enumerate() {
                    let bytes = _mm256_loadu_si256(bytes.as_ptr().cast());
                    let equal = _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, symbol));
                    lanes.0[half / 2] |= u64::from(equal.cast_unsigned()) << (half % 2 * 32);
                }
            }
            lanes
        }

        #[inline(always)]
        unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]) {
            // SAFETY: each chunk has the 32 bytes that are written; the caller has AVX2.
            unsafe {
                // Byte i of a register looks at bit i % 8 of byte i / 8 of its 32 lanes.
                let spread = _mm256_setr_epi8(
                    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3,
                    3, 3, 3, 3, 3, 3,
                );
                let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
                for (half, numbers) in numbers.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                    let mut sum = _mm256_setzero_si256();
                    for (plane, lanes) in planes.iter().enumerate() {
                        let lanes = (lanes.0[half / 2] >> (half % 2 * 32)) as u32;
                        let bytes = _mm256_set1_epi32(lanes.cast_signed());
                        let bits = _mm256_and_si256(_mm256_shuffle_epi8(bytes, spread), bit);
                        let set = _mm256_cmpeq_epi8(bits, bit);
                        let value = _mm256_set1_epi8((1_u8 << plane).cast_signed());
                        sum = _mm256_or_si256(sum, _mm256_and_si256(set, value));
                    }
                    _mm256_storeu_si256(numbers.as_mut_ptr().cast(), sum);
                }
            }
        }
    }

    impl Word for Avx512 {
        const TIMES: usize = 2;

        #[inline(always)]
        unsafe fn load(lanes: *const Lanes) -> Self {
            // SAFETY: there are two of 32 bytes each; the caller has AVX-512.
            Self(unsafe { _mm512_loadu_si512(lanes.cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, lanes: *mut Lanes) {
            // SAFETY: as in `load`.
            unsafe { _mm512_storeu_si512(lanes.cast(), self.0) };
        }

        #[inline(always)]
        unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self) {
            // The truth tables of "odd" and of "two or more".
            // SAFETY: the caller has AVX-512.
            unsafe {
                (
                    Self(_mm512_ternarylogic_epi64::<0x96>(a.0, b.0, c.0)),
                    Self(_mm512_ternarylogic_epi64::<0xe8>(a.0, b.0, c.0)),
                )
            }
        }

        #[inline(always)]
        unsafe fn half(a: Self, b: Self) -> (Self, Self) {
            // SAFETY: the caller has AVX-512.
            unsafe { (Self(_mm512_xor_si512(a.0, b.0)), Self(_mm512_and_si512(a.0, b.0))) }
        }

        #[inline(always)]
        unsafe fn is_zero(self) -> bool {
            // SAFETY: the caller has AVX-512.
            unsafe { _mm512_test_epi64_mask(self.0, self.0) == 0 }
        }

        #[inline(always)]
        unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes {
            let mut lanes = Lanes::default();
            // SAFETY: each chunk has the 64 bytes that are read; the caller has AVX-512.
            unsafe {
                let symbol = _mm512_set1_epi8(symbol.cast_signed());
                for (lanes, bytes) in lanes.0.iter_mut().zip(bytes.as_chunks::<64>().0) {
                    let bytes = _mm512_loadu_si512(bytes.as_ptr().cast());
                    *lanes = _mm512_cmpeq_epi8_mask(bytes, symbol);
                }
            }
            lanes
        }

        #[inline(always)]
        unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]) {
            // SAFETY: each chunk has the 64 bytes that are written; the caller has AVX-512.
            unsafe {
                for (word, numbers) in numbers.as_chunks_mut::<64>().0.iter_mut().enumerate() {
                    let mut sum = _mm512_setzero_si512();
                    for (plane, lanes) in planes.iter().enumerate() {
                        let value = _mm512_set1_epi8((1_u8 << plane).cast_signed());
                        sum = _mm512_mask_add_epi8(sum, lanes.0[word], sum, value);
                    }
                    _mm512_storeu_si512(numbers.as_mut_ptr().cast(), sum);
                }
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) use aarch64::Neon;

#[cfg(target_arch = "aarch64")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a load is a pointer and an instruction")]
mod aarch64 {
    use std::arch::aarch64::{
        uint8x16_t, vandq_u8, vbslq_u8, vceqq_u8, vcombine_u8, vcreate_u8, vdup_n_u8, vdupq_n_u8,
        veorq_u8, vld1q_u8, vmaxvq_u8, vorrq_u8, vst1q_u8, vtstq_u8,
    };

    use super::super::super::simd::neon_mask;
    use super::{LANES, Lanes, Word};

    /// Two registers of NEON.
    #[derive(Clone, Copy)]
    pub(crate) struct Neon(uint8x16_t, uint8x16_t);

    impl Word for Neon {
        const TIMES: usize = 1;

        #[inline(always)]
        unsafe fn load(lanes: *const Lanes) -> Self {
            let bytes = lanes.cast::<u8>();
            // SAFETY: lanes are 32 bytes; the caller has NEON.
            unsafe { Self(vld1q_u8(bytes), vld1q_u8(bytes.add(16))) }
        }

        #[inline(always)]
        unsafe fn store(self, lanes: *mut Lanes) {
            let bytes = lanes.cast::<u8>();
            // SAFETY: as in `load`.
            unsafe {
                vst1q_u8(bytes, self.0);
                vst1q_u8(bytes.add(16), self.1);
            }
        }

        #[inline(always)]
        unsafe fn full(a: Self, b: Self, c: Self) -> (Self, Self) {
            // SAFETY: the caller has NEON.
            unsafe {
                let (low, high) = (veorq_u8(a.0, b.0), veorq_u8(a.1, b.1));
                // Where two differ the third decides whether two or more are set.
                (
                    Self(veorq_u8(low, c.0), veorq_u8(high, c.1)),
                    Self(vbslq_u8(low, c.0, a.0), vbslq_u8(high, c.1, a.1)),
                )
            }
        }

        #[inline(always)]
        unsafe fn half(a: Self, b: Self) -> (Self, Self) {
            // SAFETY: the caller has NEON.
            unsafe {
                (
                    Self(veorq_u8(a.0, b.0), veorq_u8(a.1, b.1)),
                    Self(vandq_u8(a.0, b.0), vandq_u8(a.1, b.1)),
                )
            }
        }

        #[inline(always)]
        unsafe fn is_zero(self) -> bool {
            // SAFETY: the caller has NEON.
            unsafe { vmaxvq_u8(vorrq_u8(self.0, self.1)) == 0 }
        }

        #[inline(always)]
        unsafe fn equal(bytes: &[u8; LANES], symbol: u8) -> Lanes {
            let mut lanes = Lanes::default();
            // SAFETY: each chunk has the 64 bytes that are read; the caller has NEON.
            unsafe {
                let symbol = vdupq_n_u8(symbol);
                for (word, bytes) in lanes.0.iter_mut().zip(bytes.as_chunks::<64>().0) {
                    let part = |at: usize| vceqq_u8(vld1q_u8(bytes.as_ptr().add(at * 16)), symbol);
                    *word = neon_mask([part(0), part(1), part(2), part(3)]);
                }
            }
            lanes
        }

        #[inline(always)]
        unsafe fn numbers(planes: &[Lanes], numbers: &mut [u8; LANES]) {
            // SAFETY: each chunk has the 16 bytes that are written; the caller has NEON.
            unsafe {
                let bit = vcreate_u8(0x8040_2010_0804_0201);
                let bit = vcombine_u8(bit, bit);
                for (part, numbers) in numbers.as_chunks_mut::<16>().0.iter_mut().enumerate() {
                    let mut sum = vdupq_n_u8(0);
                    for (plane, lanes) in planes.iter().enumerate() {
                        let bits = (lanes.0[part / 4] >> (part % 4 * 16)) as u16;
                        let [low, high] = bits.to_le_bytes().map(|byte| vdup_n_u8(byte));
                        let set = vtstq_u8(vcombine_u8(low, high), bit);
                        sum = vorrq_u8(sum, vandq_u8(set, vdupq_n_u8(1 << plane)));
                    }
                    vst1q_u8(numbers.as_mut_ptr(), sum);
                }
            }
        }
    }
}
