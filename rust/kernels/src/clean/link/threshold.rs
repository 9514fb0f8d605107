//! A threshold without labels: what a best score looks like where it means nothing is told by the
//! best answers that are other names than the best, as decoys tell it elsewhere (Elias and Gygi
//! 2007; Storey 2002).

/// An answer of at least this score is taken for right.
pub const SURE: f64 = 0.85;

/// Names at least this alike are taken for spellings of one.
pub const SAME: f64 = 0.8;

/// The threshold where there is too little to estimate it from.
pub const DEFAULT: f64 = 0.7;

/// The least and the greatest that an estimate may be.
const RANGE: (f64, f64) = (0.35, 0.9);

/// Observations below which nothing is estimated.
const FEW: usize = 50;

/// The score from which on answers have the greatest expected F1, given the `best` score of each
/// name and the `decoys`, scores of answers that mean nothing.
///
/// The share of names without an answer is what is left of the best scores below the median decoy,
/// over half (Storey's estimate); the answers expected to be wrong above a score, that share of the
/// decoys above it.
pub fn estimate(best: &[f64], decoys: &[f64]) -> f64 {
    if best.len() < FEW || decoys.len() < FEW {
        return DEFAULT;
    }
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        values
    };
    let (best, decoys) = (sorted(best), sorted(decoys));
    let median = decoys[decoys.len() / 2];
    let share = |values: &[f64]| {
        let above = values.partition_point(|&value| value > median);
        (values.len() - above) as f64 / values.len() as f64
    };
    let missing = (share(&best) / share(&decoys).max(0.5)).min(1.0);
    let count = best.len() as f64;
    let present = (1.0 - missing) * count;
    let mut chosen = (f64::NEG_INFINITY, DEFAULT);
    for (at, &score) in best.iter().enumerate() {
        if best.get(at + 1) == Some(&score) {
            continue;
        }
        let linked = (at + 1) as f64;
        let wrong = decoys.partition_point(|&decoy| decoy >= score) as f64 / decoys.len() as f64;
        let right = (linked - missing * count * wrong).clamp(0.0, present);
        let quality = 2.0 * right / (linked + present);
        if quality > chosen.0 {
            chosen = (quality, score);
        }
    }
    chosen.1.clamp(RANGE.0, RANGE.1)
}
