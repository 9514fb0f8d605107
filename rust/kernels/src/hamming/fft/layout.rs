//! How texts and patterns are cut for transforms, so that their sums round right.

/// The smallest and largest transforms, as powers of two.
const SIZES: std::ops::RangeInclusive<u32> = 10..=18;
const DOUBLE_SIZES: std::ops::RangeInclusive<u32> = 12..=21;

/// Pieces of a pattern, at most.
const MOST_PIECES: usize = 256;

/// How precise the numbers of transforms are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// 24 bits.
    Single,
    /// 24 bits of the text's transforms, 53 of those back.
    Mixed,
    /// 53 bits.
    Double,
}

/// How a text and a pattern are cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    /// Symbols of a transform, a power of two.
    pub size: usize,
    /// Symbols of a piece of the pattern.
    pub piece: usize,
    /// Pieces of the pattern.
    pub pieces: usize,
    /// Bound of the rounding error.
    pub error: f64,
    /// Of which precision transforms are.
    pub precision: Precision,
}

impl Layout {
    /// Windows that a transform gives.
    pub fn step(&self) -> usize {
        self.size - self.piece + 1
    }

    /// The cheapest by `cost` of those whose error bound is below 1/2, for a pattern of `length`
    /// symbols and so many transforms of a text, of squared norms of `share` a symbol; `square`
    /// bounds the squared norm of any `piece` symbols of its transformed patterns.
    pub fn choose(
        length: usize,
        transforms: usize,
        share: f64,
        square: impl Fn(usize) -> f64,
        cost: impl Fn(&Self) -> f64,
    ) -> Option<Self> {
        let mut best: Option<(f64, Self)> = None;
        let mut offer = |layout: Self| {
            let cost = cost(&layout);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, layout));
            }
        };
        for precision in [Precision::Single, Precision::Mixed] {
            for log in SIZES {
                let size = 1_usize << log;
                let least = length.div_ceil(size * 3 / 4).max(1);
                let mut pieces = least;
                while pieces <= MOST_PIECES && pieces <= length {
                    let piece = length.div_ceil(pieces);
                    let error =
                        error_bound(size, share, square(piece).sqrt(), transforms, precision);
                    if error < 0.5 {
                        let pieces = length.div_ceil(piece);
                        offer(Self { size, piece, pieces, error, precision });
                        if pieces >= least * 2 {
                            break;
                        }
                    }
                    pieces += pieces.div_ceil(4);
                }
            }
        }
        let precision = Precision::Double;
        for log in DOUBLE_SIZES {
            let size = 1_usize << log;
            let error = error_bound(size, share, square(length).sqrt(), transforms, precision);
            if length <= size * 3 / 4 && error < 0.5 {
                offer(Self { size, piece: length, pieces: 1, error, precision });
            }
        }
        best.map(|(_, layout)| layout)
    }
}

/// Bound of the rounding error of correlations with patterns of a norm, in transforms of a size, of
/// signals of a text whose squared norms add up to `share` a symbol.
pub(crate) fn error_bound(
    size: usize,
    share: f64,
    norm: f64,
    signals: usize,
    precision: Precision,
) -> f64 {
    let single = f64::powi(2.0, -24);
    let double = f64::powi(2.0, -53);
    let l = f64::from(size.ilog2());
    // Products less one, by logarithms, which keep what is far smaller than one.
    let multiplied = |u: f64| (u * 5_f64.sqrt()).ln_1p();
    let transform =
        |u: f64| l * u.ln_1p() + ((2.0 * l / 3.0).ceil() + 1.0) * (multiplied(u) + u.ln_1p());
    let (u, transforms) = match precision {
        Precision::Single => (single, 2.0 * transform(single) + transform(double)),
        Precision::Mixed => (single, transform(single) + 2.0 * transform(double)),
        Precision::Double => (double, 3.0 * transform(double)),
    };
    let growth = (transforms + multiplied(u) + u.ln_1p()).exp_m1();
    let added = (signals.div_ceil(2) + 1) as f64 * u;
    1.1 * (2.0 * size as f64 * share).sqrt() * norm * (growth + added)
}
