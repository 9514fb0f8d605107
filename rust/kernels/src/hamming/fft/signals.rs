//! What is transformed of a text, and of a pattern for each of it.
//!
//! Of any symbols the indicator of each. If the text has no others, one symbol needs none: its
//! indicator is one minus the others', so its pattern is taken off theirs, and its count added to
//! every sum. And where their number K is a power of two, the K - 1 Walsh functions that are not
//! constant: matches are 1/K of one and of the sum of their correlations, whose norms are smaller.

use std::ops::Range;

use rustfft::Fft;
use rustfft::num_complex::{Complex, Complex64};

use super::{Real, dispatched};

/// The most symbols of which Walsh functions are taken.
const WALSH: usize = 16;

/// A number for each symbol of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    /// The symbols of which it is 1.
    set: Vec<u8>,
    /// Those of which it is -1.
    minus: Vec<u8>,
    /// What it is of others: 0, or -1.
    negative: bool,
}

impl Signal {
    fn of(&self, symbol: u8) -> i8 {
        if self.set.contains(&symbol) {
            1
        } else if self.minus.contains(&symbol) {
            -1
        } else {
            -i8::from(self.negative)
        }
    }

    /// Writes the signal of two blocks of text, which may end early, as the parts of numbers.
    pub fn indicate<F: Real>(&self, first: &[u8], second: &[u8], block: &mut [Complex<F>]) {
        let both = first.len().min(second.len()).min(block.len());
        let (a, b, start) = (&first[..both], &second[..both], &mut block[..both]);
        match (self.negative, &self.set[..]) {
            (false, [symbol]) if self.minus.is_empty() => indicate_one(a, b, *symbol, start),
            (true, [one, two]) => indicate_signs(a, b, *one, *two, start),
            (true, [symbol]) => indicate_signs(a, b, *symbol, *symbol, start),
            _ => {
                let table: Vec<F> = (0..=u8::MAX).map(|of| F::of(self.of(of).into())).collect();
                for ((&a, &b), value) in a.iter().zip(b).zip(start) {
                    *value = Complex::new(table[usize::from(a)], table[usize::from(b)]);
                }
            }
        }
        for (at, value) in block.iter_mut().enumerate().skip(both) {
            let part = |text: &[u8]| {
                text.get(at).map_or(F::default(), |&symbol| F::of(self.of(symbol).into()))
            };
            *value = Complex::new(part(first), part(second));
        }
    }
}

dispatched! {
    /// Where a symbol stands in two blocks.
    fn indicate_one<F>(first: &[u8], second: &[u8], symbol: u8, block: &mut [Complex<F>]) {
        for ((&a, &b), value) in first.iter().zip(second).zip(block) {
            value.re = F::from(u8::from(a == symbol));
            value.im = F::from(u8::from(b == symbol));
        }
    }
}

dispatched! {
    /// 1 where one of two symbols stands, and -1 elsewhere.
    fn indicate_signs<F>(first: &[u8], second: &[u8], one: u8, two: u8, block: &mut [Complex<F>]) {
        let of = |symbol: u8| {
            let within = F::from(u8::from((symbol == one) | (symbol == two)));
            within + within - F::from(1)
        };
        for ((&a, &b), value) in first.iter().zip(second).zip(block) {
            value.re = of(a);
            value.im = of(b);
        }
    }
}

/// What stands in a pattern for each signal of the text.
#[derive(Clone, Debug)]
pub(crate) struct Indicators {
    pub signals: Vec<Signal>,
    symbols: Vec<Symbol>,
    /// Symbols of the pattern.
    pub length: usize,
}

/// A symbol whose matches are counted.
#[derive(Clone, Debug)]
struct Symbol {
    /// Its positions in the pattern, ascending.
    positions: Vec<u32>,
    /// The number that stands there, for each signal.
    weights: Vec<f64>,
    /// What every sum is short of, for each position.
    more: f64,
}

impl Symbol {
    fn within(&self, span: &Range<usize>) -> &[u32] {
        let low = self.positions.partition_point(|&at| (at as usize) < span.start);
        let high = self.positions.partition_point(|&at| (at as usize) < span.end);
        &self.positions[low..high]
    }

    /// The squared norm of a position.
    fn square(&self) -> f64 {
        self.weights.iter().map(|weight| weight * weight).sum()
    }
}

/// The signals of so many symbols, and their squared norms together: of a symbol of the text, which
/// is one of these with probability `share`, and of a position in the pattern. `closed` if the text
/// has no other symbols; `share` then leaves out the last one, which has a share of `implied` in
/// the pattern.
pub(crate) fn norms(symbols: usize, closed: bool, share: f64, implied: f64) -> (usize, f64, f64) {
    let all = symbols as f64;
    if !closed {
        (symbols, share, 1.0)
    } else if is_walsh(symbols) {
        (symbols - 1, all - 1.0, (all - 1.0) / (all * all))
    } else {
        (symbols - 1, share, 1.0 - implied + implied * (all - 1.0))
    }
}

fn is_walsh(symbols: usize) -> bool {
    symbols.is_power_of_two() && symbols <= WALSH
}

impl Indicators {
    /// Of symbols, each with its ascending positions; `closed` if the text has no others.
    pub fn new<'a>(
        symbols: impl Iterator<Item = (u8, &'a [u32])>,
        length: usize,
        closed: bool,
    ) -> Self {
        let mut all: Vec<(u8, &[u32])> = symbols.collect();
        let count = all.len();
        if closed && is_walsh(count) {
            // In one order, so that patterns of the same symbols have the same signals.
            all.sort_unstable();
            let sign = |signal: usize, symbol: usize| {
                if (signal & symbol).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
            };
            let of = |signal: usize| {
                let set = (0..count).filter(|&symbol| sign(signal, symbol) > 0.0);
                Signal {
                    set: set.map(|symbol| all[symbol].0).collect(),
                    minus: vec![],
                    negative: true,
                }
            };
            let symbol = |(at, &(_, positions)): (usize, &(u8, &[u32]))| Symbol {
                positions: positions.to_vec(),
                weights: (1..count).map(|signal| sign(signal, at) / count as f64).collect(),
                more: 1.0 / count as f64,
            };
            let symbols = all.iter().enumerate().map(symbol).collect();
            return Self { signals: (1..count).map(of).collect(), symbols, length };
        }
        let signals = count - usize::from(closed && count > 0);
        let symbol = |(at, &(_, positions)): (usize, &(u8, &[u32]))| {
            let implied = at >= signals;
            let weight = |signal: usize| match signal == at {
                true => 1.0,
                false if implied => -1.0,
                false => 0.0,
            };
            Symbol {
                positions: positions.to_vec(),
                weights: (0..signals).map(weight).collect(),
                more: if implied { 1.0 } else { 0.0 },
            }
        };
        let symbols = all.iter().enumerate().map(symbol).collect();
        let signal =
            |&(byte, _): &(u8, &[u32])| Signal { set: vec![byte], minus: vec![], negative: false };
        Self { signals: all[..signals].iter().map(signal).collect(), symbols, length }
    }

    /// Signs of symbols, each with its ascending positions and a bit for each of so many signals,
    /// a share of the mean over `trials` of their correlations; other symbols of the text are 0.
    pub fn signs(
        symbols: Vec<(u8, Vec<u32>, u8)>,
        length: usize,
        signals: usize,
        trials: usize,
    ) -> Self {
        let signal = |signal: usize| {
            let of = |sign: u8| {
                let own = symbols.iter().filter(|(_, _, signs)| signs >> signal & 1 == sign);
                own.map(|&(byte, _, _)| byte).collect()
            };
            Signal { set: of(0), minus: of(1), negative: false }
        };
        let signs = (0..signals).map(signal).collect();
        let weight = 1.0 / trials as f64;
        let symbol = |(_, positions, signs): (u8, Vec<u32>, u8)| Symbol {
            positions,
            weights: (0..signals)
                .map(|signal| if signs >> signal & 1 == 0 { weight } else { -weight })
                .collect(),
            more: 0.0,
        };
        Self { signals: signs, symbols: symbols.into_iter().map(symbol).collect(), length }
    }

    /// The norm, over all signals, of each piece of so many positions.
    pub fn norms(&self, piece: usize) -> Vec<f64> {
        let squares: Vec<f64> = self.symbols.iter().map(Symbol::square).collect();
        let of = |from: usize| -> f64 {
            let span = from..from + piece;
            let symbols = self.symbols.iter().zip(&squares);
            let square: f64 =
                symbols.map(|(symbol, square)| symbol.within(&span).len() as f64 * square).sum();
            square.sqrt()
        };
        (0..self.length.max(1)).step_by(piece.max(1)).map(of).collect()
    }

    /// Bounds the squared norm of its signals in any `size` places of a text, over the places.
    pub fn share(&self, text: &[u8], size: usize) -> f64 {
        let square = |byte: u8| -> u32 {
            self.signals.iter().map(|signal| u32::from(signal.of(byte).unsigned_abs())).sum()
        };
        let squares: Vec<u32> = (0..=u8::MAX).map(square).collect();
        if squares.iter().all(|&square| square == squares[0]) {
            return squares[0].into();
        }
        // Any block lies within one more of these parts than it fills.
        let part = (size / 16).max(1);
        let count = |part: &[u8]| -> u64 {
            part.iter().map(|&byte| u64::from(squares[usize::from(byte)])).sum()
        };
        let counts: Vec<u64> = text.chunks(part).map(count).collect();
        let most = counts.windows(17.min(counts.len().max(1))).map(|parts| parts.iter().sum());
        let most: u64 = most.max().unwrap_or(0);
        let largest = f64::from(squares.iter().copied().max().unwrap_or(0));
        (most as f64 / size as f64).min(largest)
    }

    /// What every sum of a piece is short of.
    pub fn more(&self, span: &Range<usize>) -> f64 {
        let symbols = self.symbols.iter();
        symbols.map(|symbol| symbol.within(span).len() as f64 * symbol.more).sum()
    }

    /// The conjugate spectra of a piece, each so many numbers behind the one before, scaled for the
    /// transform back.
    pub fn spectra<F: Real>(
        &self,
        size: usize,
        apart: usize,
        span: &Range<usize>,
        fft: &dyn Fft<f64>,
    ) -> Vec<Complex<F>> {
        let scale = 1.0 / size as f64;
        let mut spectra = Vec::with_capacity(apart * self.signals.len());
        let mut scratch = vec![Complex64::default(); fft.get_inplace_scratch_len()];
        for signal in 0..self.signals.len() {
            let mut spectrum = vec![Complex64::default(); size];
            for symbol in &self.symbols {
                let weight = symbol.weights[signal];
                if weight != 0.0 {
                    for &at in symbol.within(span) {
                        spectrum[at as usize - span.start].re = weight * scale;
                    }
                }
            }
            fft.process_with_scratch(&mut spectrum, &mut scratch);
            let rounded = spectrum.iter().map(|one| Complex::new(F::of(one.re), F::of(-one.im)));
            spectra.extend(rounded);
            spectra.resize((signal + 1) * apart, Complex::default());
        }
        spectra
    }
}
