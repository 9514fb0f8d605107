//! Which instructions the processor has, chosen at run time.

use std::sync::OnceLock;

/// A set of instructions that the kernels have a path for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Simd {
    /// What every processor of the architecture has.
    Portable,
    /// NEON, of AArch64.
    Neon,
    /// AVX2.
    Avx2,
    /// AVX-512 F, BW and VL.
    Avx512,
}

impl Simd {
    /// The widest that this processor has.
    pub fn detect() -> Self {
        static FOUND: OnceLock<Simd> = OnceLock::new();
        *FOUND.get_or_init(|| {
            #[cfg(target_arch = "x86_64")]
            {
                let avx2 = is_x86_feature_detected!("avx2");
                if avx2
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                {
                    return Self::Avx512;
                }
                if avx2 {
                    return Self::Avx2;
                }
            }
            #[cfg(target_arch = "aarch64")]
            if std::arch::is_aarch64_feature_detected!("neon") {
                return Self::Neon;
            }
            Self::Portable
        })
    }

    /// This one, or the widest below it that the processor has.
    #[must_use]
    pub fn available(self) -> Self {
        match (self, Self::detect()) {
            (Self::Neon, Self::Avx2 | Self::Avx512) => Self::Portable,
            (asked, found) => asked.min(found),
        }
    }

    /// The name that users read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// A bit for each of 64 bytes that is all ones; the others are zero.
#[cfg(target_arch = "aarch64")]
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn neon_mask(bytes: [std::arch::aarch64::uint8x16_t; 4]) -> u64 {
    use std::arch::aarch64::{
        vandq_u8, vcombine_u8, vcreate_u8, vgetq_lane_u64, vpaddq_u8, vreinterpretq_u64_u8,
    };

    let bits = vcreate_u8(0x8040_2010_0804_0201);
    let bits = vcombine_u8(bits, bits);
    let [a, b, c, d] = bytes.map(|bytes| vandq_u8(bytes, bits));
    let halves = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(halves, halves)))
}
