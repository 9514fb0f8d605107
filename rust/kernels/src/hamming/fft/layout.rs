//! How texts and patterns are cut for transforms, so that their sums round right.
//!
//! A pattern is one piece, or pieces of half a transform each. The text is read in blocks whose
//! windows follow each other; those of pieces are as many as a piece has symbols, so that the
//! spectrum of a block serves every piece: the sums of a block are products of its spectrum and the
//! first piece's, of the next block's and the second's, and so on (partitioned convolution; Kulp
//! 1988). Transforms stay in a near cache whatever the pattern's length, and a piece adds a product
//! for each signal and no transform, as long as the bound of the error admits the sum.

use super::signals::Indicators;

/// The smallest and largest transforms, as powers of two.
const SIZES: std::ops::RangeInclusive<u32> = 10..=18;
const DOUBLE_SIZES: std::ops::RangeInclusive<u32> = 12..=21;

/// Pieces of a pattern, at most.
const MOST_PIECES: usize = 256;

/// Blocks whose sums are made together, at least: a few, for what they hold should stay in a cache.
const TOGETHER: usize = 4;

/// Bytes of spectra of a text that are kept for the next blocks, and those held where none are.
const KEPT: usize = 24 << 20;
const HELD: usize = 8 << 20;

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
    /// Windows that a block gives.
    pub step: usize,
    /// Symbols of a piece of the pattern: as many as windows of a block, if there are several.
    pub piece: usize,
    /// Pieces of the pattern.
    pub pieces: usize,
    /// Pieces whose products are added before a transform back.
    pub group: usize,
    /// Bound of the rounding error.
    pub error: f64,
    /// Of which precision transforms are.
    pub precision: Precision,
}

/// In what turns blocks are transformed and multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turns {
    /// Blocks whose sums are made together.
    pub together: usize,
    /// Whether the spectra of all signals are kept from one turn to the next; otherwise those that
    /// two turns share are made twice.
    pub kept: bool,
}

impl Layout {
    /// Of a pattern that is one piece.
    fn whole(size: usize, length: usize, precision: Precision) -> Self {
        let step = size - length + 1;
        Self { size, step, piece: length, pieces: 1, group: 1, error: 0.0, precision }
    }

    /// Of a pattern in pieces of half a transform.
    fn halved(size: usize, length: usize, precision: Precision) -> Self {
        let piece = size / 2;
        let pieces = length.div_ceil(piece);
        Self { size, step: piece, piece, pieces, group: pieces, error: 0.0, precision }
    }

    /// Transforms back for each block.
    pub fn groups(&self) -> usize {
        self.pieces.div_ceil(self.group)
    }

    /// How blocks are worked off, for so many signals, and so many sums of each block.
    pub fn turns(&self, signals: usize, sums: usize) -> Turns {
        let before = self.pieces - 1;
        if before == 0 {
            return Turns { together: 1, kept: false };
        }
        let wide = if self.precision == Precision::Double { 16 } else { 8 };
        let block = self.size * wide;
        let together = TOGETHER.max(self.pieces / 2);
        if signals * (together + before) * block <= KEPT {
            return Turns { together, kept: true };
        }
        let room = (HELD / block).saturating_sub(before) / (1 + sums);
        Turns { together: room.clamp(together, 128), kept: false }
    }

    /// The cheapest by `cost` of those whose error bound is below 1/2, for a pattern of `length`
    /// symbols and so many signals of a text, of squared norms of `share` a symbol; `square` bounds
    /// the squared norm of any `piece` symbols of its transformed patterns.
    pub fn choose(
        length: usize,
        signals: usize,
        share: f64,
        square: impl Fn(usize) -> f64,
        cost: impl Fn(&Self) -> f64,
    ) -> Option<Self> {
        let mut best: Option<(f64, Self)> = None;
        let mut offer = |layout: Option<Self>| {
            let Some(layout) = layout else { return };
            let cost = cost(&layout);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, layout));
            }
        };
        for (precision, sizes) in [
            (Precision::Single, SIZES),
            (Precision::Mixed, SIZES),
            (Precision::Double, DOUBLE_SIZES),
        ] {
            for log in sizes {
                let size = 1_usize << log;
                if length <= size * 3 / 4 {
                    let norms = [square(length).sqrt()];
                    offer(Self::whole(size, length, precision).bounded(&norms, signals, share));
                }
                if length > size / 2 && length.div_ceil(size / 2) <= MOST_PIECES {
                    let layout = Self::halved(size, length, precision);
                    let norms = vec![square(layout.piece).sqrt(); layout.pieces];
                    offer(layout.bounded(&norms, signals, share));
                }
            }
        }
        best.map(|(_, layout)| layout)
    }

    /// The same with groups as large as the bound of the error admits, for pieces of such norms;
    /// `None` if it does not admit a piece.
    fn bounded(self, norms: &[f64], signals: usize, share: f64) -> Option<Self> {
        let error = |group: usize| {
            let sums = norms.chunks(group).map(|group| group.iter().sum::<f64>());
            let norm = sums.fold(0.0, f64::max);
            error_bound(self.size, share, norm, (signals, group), self.precision)
        };
        let mut groups = 1;
        loop {
            // As many in each group as in the others.
            let group = self.pieces.div_ceil(groups);
            let error = error(group);
            if error < 0.5 {
                return Some(Self { group, error, ..self });
            }
            if group == 1 {
                return None;
            }
            groups = self.pieces.div_ceil(group - 1);
        }
    }

    /// The same layout, or the nearest to it, whose bound holds for these indicators; `share` is
    /// what they have in blocks of its size.
    pub fn fitted(self, indicators: &Indicators, share: f64) -> Option<Self> {
        let Self { size, precision, .. } = self;
        let length = indicators.length;
        let precisions = [precision, Precision::Mixed, Precision::Double];
        let halves = precisions.map(|precision| Self::halved(size, length, precision));
        let mut all = vec![self];
        if length > size / 2 {
            all.extend(halves);
        } else {
            all.extend(precisions.map(|precision| Self::whole(size, length, precision)));
        }
        let signals = indicators.signals.len();
        all.into_iter()
            .find_map(|layout| layout.bounded(&indicators.norms(layout.piece), signals, share))
    }

    /// One that serves two patterns, of layouts of one size and precision; how many pieces their
    /// sums admit is what [`Layout::fitted`] says of each.
    pub fn joined(self, other: Self) -> Self {
        if self.pieces == 1 && other.pieces == 1 {
            let Self { size, precision, .. } = self;
            let error = self.error.max(other.error);
            return Self { error, ..Self::whole(size, self.piece.max(other.piece), precision) };
        }
        // Both in pieces of half a transform, a longer one too.
        let piece = self.size / 2;
        let pieces = |layout: Self| match layout.pieces {
            1 => layout.piece.div_ceil(piece),
            more => more,
        };
        let pieces = pieces(self).max(pieces(other));
        let error = self.error.max(other.error);
        Self { piece, step: piece, pieces, group: pieces, error, ..self }
    }
}

/// Bound of the rounding error of correlations with patterns of a norm, in transforms of a size, of
/// signals of a text whose squared norms add up to `share` a symbol: of so many signals, and pieces
/// of the pattern whose norms are added.
pub(crate) fn error_bound(
    size: usize,
    share: f64,
    norm: f64,
    (signals, pieces): (usize, usize),
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
    let growth = (transforms + u.ln_1p()).exp_m1();
    let added = (2_f64.sqrt() * (pieces + 2) as f64 + signals as f64) * u;
    1.1 * (2.0 * size as f64 * share).sqrt() * norm * (growth + added)
}
