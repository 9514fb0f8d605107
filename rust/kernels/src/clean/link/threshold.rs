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

/// Of decoys these shares are taken for low, to see how many of the best scores are as low.
const LOW: [f64; 3] = [0.5, 0.75, 0.9];

/// The score from which on answers have the greatest expected F1, given the `best` score of each
/// name and the `decoys`, scores of answers that mean nothing.
///
/// The share of names without an answer is how many more of the best scores than of the decoys are
/// low (Storey's estimate, the least of several); the answers expected to be wrong above a score,
/// that share of the decoys above it.
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
    let missing = LOW.map(|low| {
        let most = decoys[((1.0 - low) * decoys.len() as f64) as usize];
        let share = |values: &[f64]| {
            let above = values.partition_point(|&value| value > most);
            (values.len() - above) as f64 / values.len() as f64
        };
        share(&best) / share(&decoys).max(low)
    });
    let missing = missing.into_iter().fold(1.0, f64::min) * best.len() as f64;
    // Of each score: how many answers reach it, and how many of those are expected to be right.
    let mut reached: Vec<(f64, f64, f64)> = vec![];
    for (at, &score) in best.iter().enumerate() {
        if best.get(at + 1) != Some(&score) {
            let linked = (at + 1) as f64;
            let wrong =
                decoys.partition_point(|&decoy| decoy >= score) as f64 / decoys.len() as f64;
            reached.push((score, linked, (linked - missing * wrong).max(0.0)));
        }
    }
    // There are no fewer answers than are right at any score.
    let present = reached.iter().map(|one| one.2).fold(best.len() as f64 - missing, f64::max);
    let mut chosen = (f64::NEG_INFINITY, DEFAULT);
    for (score, linked, right) in reached {
        let quality = 2.0 * right / (linked + present);
        if quality > chosen.0 {
            chosen = (quality, score);
        }
    }
    chosen.1.clamp(RANGE.0, RANGE.1)
}
