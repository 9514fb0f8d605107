//! Which tokens stand near which, and vectors of tokens made of that.

use rayon::prelude::*;

use super::csr::Matrix;
use super::tokenise::{END, Sequence};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// How much a token counts at a distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// Always 1.
    Flat,
    /// `1 / distance`, as GloVe (Pennington et al. 2014).
    Harmonic,
    /// `(radius + 1 - distance) / radius`, as word2vec's shrinking windows come to on average.
    Linear,
}

impl Distance {
    fn weight(self, distance: usize, radius: usize) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Harmonic => 1.0 / distance as f64,
            Self::Linear => (radius + 1 - distance) as f64 / radius as f64,
        }
    }
}

/// How often tokens stand at some offsets from each: row and column are tokens, in order.
///
/// Windows end where rows do. O(tokens · offsets) time; a dense row of sums a thread.
///
/// # Errors
/// [`Error::InvalidInput`] for a radius of 0; [`Error::Interrupted`].
pub fn cooccurrence(
    sequence: &Sequence,
    radius: usize,
    distance: Distance,
    offset: Option<isize>,
    monitor: &Monitor,
) -> Result<Matrix<f64>> {
    if radius == 0 {
        return Err(Error::InvalidInput("window is 0; give 1 or more".into()));
    }
    let symbols = &sequence.symbols;
    let words = sequence.distinct();
    let mut starts = vec![0usize; words + 2];
    for &symbol in symbols {
        starts[symbol as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut fill = starts.clone();
    let mut places = vec![0u32; symbols.len()];
    for (at, &symbol) in symbols.iter().enumerate() {
        places[fill[symbol as usize]] = at as u32;
        fill[symbol as usize] += 1;
    }
    let weights: Vec<f64> = (1..=radius).map(|d| distance.weight(d, radius)).collect();
    let weight = |by: isize| match offset {
        Some(offset) if by != offset => 0.0,
        _ => weights[by.unsigned_abs() - 1],
    };
    let rows: Vec<Vec<(u32, f64)>> = (1..words + 1)
        .into_par_iter()
        .with_min_len(256)
        .map_init(
            || (vec![0f64; words + 1], vec![]),
            |(sums, seen): &mut (Vec<f64>, Vec<u32>), word| {
                if word % 256 == 0 {
                    monitor.check()?;
                }
                seen.clear();
                for &place in &places[starts[word]..starts[word + 1]] {
                    let place = place as usize;
                    let mut add = |symbol: u32, by: isize| {
                        let weight = weight(by);
                        if weight > 0.0 {
                            if sums[symbol as usize] == 0.0 {
                                seen.push(symbol);
                            }
                            sums[symbol as usize] += weight;
                        }
                    };
                    let right = symbols[place + 1..].iter().take(radius);
                    for (by, &symbol) in (1..).zip(right.take_while(|&&symbol| symbol != END)) {
                        add(symbol, by);
                    }
                    let left = symbols[..place].iter().rev().take(radius);
                    for (by, &symbol) in (1..).zip(left.take_while(|&&symbol| symbol != END)) {
                        add(symbol, -by);
                    }
                }
                seen.sort_unstable();
                let take = |&symbol: &u32| (symbol - 1, std::mem::take(&mut sums[symbol as usize]));
                Ok(seen.iter().map(take).collect())
            },
        )
        .collect::<Result<_>>()?;
    let mut matrix = Matrix { row_starts: vec![0], ..Matrix::default() };
    for row in rows {
        matrix.columns.extend(row.iter().map(|&(column, _)| column));
        matrix.data.extend(row.iter().map(|&(_, value)| value));
        matrix.row_starts.push(matrix.columns.len());
    }
    Ok(matrix)
}

/// Occurrences of each token.
pub fn occurrences(sequence: &Sequence) -> Vec<u64> {
    let mut counts = vec![0; sequence.distinct()];
    for &symbol in sequence.symbols.iter().filter(|&&symbol| symbol != END) {
        counts[symbol as usize - 1] += 1;
    }
    counts
}

/// Bit-cipher codes (Zhao and Williams 2023): to the most frequent tokens those of `bits` bits of
/// which one is set, then two, and so on, each kind by its number.
///
/// Gives each token's code; ties of frequency go by the order of tokens.
///
/// # Errors
/// [`Error::InvalidInput`] if there are more tokens than codes, or more than 63 bits.
pub fn ciphers(counts: &[u64], bits: u32) -> Result<Vec<u64>> {
    let codes = 1u64.checked_shl(bits).filter(|_| bits > 0).map_or(0, |codes| codes - 1);
    if bits > 63 || codes < counts.len() as u64 {
        let least = (counts.len() as u64 + 1).next_power_of_two().trailing_zeros();
        return Err(Error::InvalidInput(format!(
            "bits is {bits}, and there are {} tokens; give from {least} to 63, or a higher \
             min_count",
            counts.len()
        )));
    }
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&token| std::cmp::Reverse(counts[token]));
    let mut found = vec![0; counts.len()];
    let mut code = 1u64;
    for token in order {
        found[token] = code;
        code = following(code, bits);
    }
    Ok(found)
}

/// The next larger number with as many bits set, else the first with one more (Gosper).
fn following(code: u64, bits: u32) -> u64 {
    let low = code & code.wrapping_neg();
    let carried = code + low;
    let next = (((carried ^ code) >> 2) / low) | carried;
    if next >> bits == 0 { next } else { (1 << (code.count_ones() + 1)) - 1 }
}

/// The vectors of tokens: the codes of what stands near, each times `ln(count + 1)`, added up.
/// `out` has `width` numbers a token, of which `at..at + bits` are added to.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn aggregate(
    near: &Matrix<f64>,
    codes: &[u64],
    bits: usize,
    out: &mut [f32],
    width: usize,
    at: usize,
    monitor: &Monitor,
) -> Result<()> {
    out.par_chunks_mut(width).enumerate().with_min_len(256).try_for_each(|(row, out)| {
        if row % 256 == 0 {
            monitor.check()?;
        }
        let own = &mut out[at..at + bits];
        let span = near.row_starts[row]..near.row_starts[row + 1];
        for (&column, &count) in near.columns[span.clone()].iter().zip(&near.data[span]) {
            let code = codes[column as usize];
            // Each code is a vector of length 1.
            let weight = (count.ln_1p() / f64::from(code.count_ones()).sqrt()) as f32;
            let mut left = code;
            while left != 0 {
                own[left.trailing_zeros() as usize] += weight;
                left &= left - 1;
            }
        }
        Ok(())
    })
}

/// The vectors of all tokens end to end: of what stands within `radius`, added up, or side by side
/// for every offset from `-radius` on.
///
/// # Errors
/// As [`cooccurrence`].
pub fn vectors(
    sequence: &Sequence,
    codes: &[u64],
    bits: u32,
    radius: usize,
    side_by_side: bool,
    monitor: &Monitor,
) -> Result<Vec<f32>> {
    let bits = bits as usize;
    let reach = radius as isize;
    let offsets: Vec<Option<isize>> = if side_by_side {
        (-reach..=reach).filter(|&offset| offset != 0).map(Some).collect()
    } else {
        vec![None]
    };
    let width = bits * offsets.len();
    let mut out = vec![0f32; codes.len() * width];
    for (part, offset) in offsets.into_iter().enumerate() {
        let near = cooccurrence(sequence, radius, Distance::Flat, offset, monitor)?;
        aggregate(&near, codes, bits, &mut out, width, part * bits, monitor)?;
    }
    Ok(out)
}

/// Of each query the `k` vectors of greatest cosine, ties by place; a vector of zeros has none.
///
/// # Errors
/// [`Error::InvalidInput`] if vectors are not of `width` numbers; [`Error::Interrupted`].
pub fn nearest(
    vectors: &[f32],
    queries: &[f32],
    width: usize,
    k: usize,
    monitor: &Monitor,
) -> Result<Vec<Vec<(u32, f32)>>> {
    if width == 0 || !vectors.len().is_multiple_of(width) || !queries.len().is_multiple_of(width) {
        return Err(Error::InvalidInput(format!(
            "vectors of {width} numbers each were asked for, of {} and {}",
            vectors.len(),
            queries.len()
        )));
    }
    let dot =
        |left: &[f32], right: &[f32]| -> f32 { left.iter().zip(right).map(|(a, b)| a * b).sum() };
    let norms: Vec<f32> =
        vectors.par_chunks(width).map(|vector| dot(vector, vector).sqrt()).collect();
    queries
        .par_chunks(width)
        .map(|query| {
            monitor.check()?;
            let own = dot(query, query).sqrt();
            if own == 0.0 || k == 0 {
                return Ok(vec![]);
            }
            let mut all: Vec<(u32, f32)> = (0..)
                .zip(vectors.chunks_exact(width).zip(&norms))
                .filter(|(_, (_, norm))| **norm > 0.0)
                .map(|(row, (vector, norm))| (row, dot(vector, query) / (norm * own)))
                .collect();
            let order = |left: &(u32, f32), right: &(u32, f32)| {
                right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
            };
            if all.len() > k {
                all.select_nth_unstable_by(k - 1, order);
                all.truncate(k);
            }
            all.sort_unstable_by(order);
            Ok(all)
        })
        .collect()
}
