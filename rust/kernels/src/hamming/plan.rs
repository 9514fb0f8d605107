//! Which kernel counts which symbols: the cost model, with its measured constants.
//!
//! Costs are nanoseconds a window on one core, and add up over symbols: a symbol with `p` positions
//! in the pattern, of a share `f` of the text, costs `pair · p` directly or bit-sliced, `pair · p ·
//! f` in lists, and a transform's worth by transforms. So the symbols are sorted by `p`, the first
//! `h` are transformed, for every `h` that may pay; of the others each goes where it is cheaper.

use super::fft::{Indicators, Layout, Precision, Turns, norms};
use super::prepare::{Haystack, Needle, is_narrow};
use super::simd::Simd;
use super::sliced;

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Counting in byte lanes, position by position.
    Direct,
    /// Bit-sliced counting.
    Sliced,
    /// Transforms of indicators.
    Fft,
    /// Lists of occurrences.
    Lists,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Sliced, Self::Fft, Self::Lists];

    /// The name that users give and read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Sliced => "sliced",
            Self::Fft => "fft",
            Self::Lists => "lists",
        }
    }

    /// The method of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// What one kernel does in a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The kernel.
    pub method: Method,
    /// Distinct symbols it counts.
    pub symbols: usize,
    /// Positions of the pattern it counts.
    pub positions: usize,
    /// Predicted nanoseconds a window, on one core.
    pub nanoseconds: f64,
    /// Symbols of a transform.
    pub transform: Option<usize>,
    /// Pieces that the pattern is cut into, so that transforms round right.
    pub pieces: Option<usize>,
    /// Bound of the rounding error, below 1/2; 0 of kernels that count in whole numbers.
    pub error_bound: f64,
    pub(crate) codes: Vec<u32>,
    pub(crate) layout: Option<Layout>,
    pub(crate) closed: bool,
}

/// How distances would be counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The kernels, in their order.
    pub steps: Vec<Step>,
    /// Windows of the text.
    pub windows: usize,
    /// Predicted nanoseconds a window, on one core.
    pub nanoseconds: f64,
    /// The instructions that kernels use.
    pub simd: Simd,
}

/// Below so many pairs nothing pays to be planned.
const SMALL: usize = 1 << 21;

/// Symbols of a text that are looked at to know how frequent each is.
const SAMPLE: usize = 1 << 16;

/// The most symbols that transforms are tried for.
const MOST_TRANSFORMS: usize = 255;

/// Measured nanoseconds on one core of an AMD EPYC (Zen 4) at 2.8 GHz; `docs/hamming.md` says how.
struct Costs {
    /// A window and a position of the pattern.
    direct: f64,
    /// A window whatever the pattern.
    sliced: f64,
    /// An offset of a lane, and for each row of words.
    across: f64,
    row: f64,
    /// A window and a position, with few rows in the nearest cache and with many beyond it.
    sliced_near: f64,
    sliced_far: f64,
}

fn costs(simd: Simd) -> Costs {
    match simd {
        Simd::Portable => Costs {
            direct: 0.021,
            sliced: 3.8,
            across: 0.3,
            row: 0.10,
            sliced_near: 0.0058,
            sliced_far: 0.0090,
        },
        // Half the width of AVX2: reckoned from it, not measured.
        Simd::Neon => Costs {
            direct: 0.0204,
            sliced: 3.8,
            across: 0.15,
            row: 0.05,
            sliced_near: 0.0058,
            sliced_far: 0.0080,
        },
        Simd::Avx2 => Costs {
            direct: 0.0102,
            sliced: 3.3,
            across: 0.15,
            row: 0.035,
            sliced_near: 0.0032,
            sliced_far: 0.0050,
        },
        Simd::Avx512 => Costs {
            direct: 0.0102,
            sliced: 2.6,
            across: 0.15,
            row: 0.020,
            sliced_near: 0.0018,
            sliced_far: 0.0028,
        },
    }
}

/// A window whatever the pattern.
const DIRECT: f64 = 0.15;
/// A window, the text read and the counters added; an occurrence that is listed; and a pair of them.
const LISTS: f64 = 2.0;
const LISTED: f64 = 4.5;
const PAIR: f64 = 0.8;
/// A symbol's search for its runs, over the windows of a piece.
const RUN: f64 = 60.0 / super::lists::CHUNK as f64;
/// A position's run of no occurrences.
const VISIT: f64 = 1.5 / super::lists::CHUNK as f64;
/// A point of a transform of 2^10, 2^11 … symbols.
const POINT: [f64; 13] = [1.4, 1.4, 1.8, 1.85, 2.0, 2.6, 3.2, 3.8, 4.6, 6.5, 8.0, 8.5, 9.0];
/// How much dearer double precision is, besides taking the caches of a transform twice as long.
const DOUBLE: f64 = 1.9;
/// A point of a spectrum or sum read or written, and of a product added; of an indicator made; a
/// window's sum rounded and taken.
const READ: f64 = 0.2;
const MULTIPLY: f64 = 0.08;
const INDICATE: f64 = 0.5;
const TAKE: f64 = 0.8;

/// What transforms cost a window, of a pattern that shares those of the text with others: so many
/// with itself.
pub(super) fn transform_cost(
    layout: &Layout,
    transforms: usize,
    windows: usize,
    shared: usize,
) -> f64 {
    let size = layout.size as f64;
    let log = layout.size.ilog2() as usize - 10;
    let (single, double) = (POINT[log], POINT[log + 1] * DOUBLE);
    let (there, back, wide) = match layout.precision {
        Precision::Single => (single, single, 1.0),
        Precision::Mixed => (single, double, 1.0),
        Precision::Double => (double, double, DOUBLE),
    };
    let groups = layout.groups();
    let Turns { together, kept } = layout.turns(transforms, groups);
    let (signals, pieces, together) = (transforms as f64, layout.pieces as f64, together as f64);
    // Spectra of the text and of the pattern that are read for a block, and its sums.
    let read = (together + 2.0 * pieces - 1.0) / together + 2.0;
    let again = if kept { 0.0 } else { (pieces - 1.0) / together };
    // Of two blocks, a point.
    let pair = signals * (there + INDICATE * wide) * (1.0 + again) / shared as f64
        + signals * (READ * read + MULTIPLY * pieces) * wide
        + groups as f64 * (back + TAKE);
    let pattern = signals * pieces * size * double;
    // Blocks at the end are whole ones, and those of pieces reach behind the windows.
    let windows = windows.max(1);
    let blocks = windows.div_ceil(2).div_ceil(layout.step) + layout.pieces - 1;
    (pair * size * blocks as f64 + pattern) / windows as f64
}

/// The share of a text that each code has, from a sample.
fn shares(text: &Haystack<'_>, needle: &Needle) -> Vec<f64> {
    let codes = needle.symbols.iter().map(|(code, _)| *code).max().unwrap_or(0).max(255);
    let mut counts = vec![0_u32; codes as usize + 1];
    let mut looked = 0;
    let mut look = |span: std::ops::Range<usize>| {
        looked += span.len();
        text.each(span, |_, code| {
            if let Some(count) = counts.get_mut(code as usize) {
                *count += 1;
            }
        });
    };
    if text.len() <= SAMPLE {
        look(0..text.len());
    } else {
        const BLOCKS: usize = 64;
        for block in 0..BLOCKS {
            let from = (text.len() - SAMPLE / BLOCKS) / (BLOCKS - 1) * block;
            look(from..from + SAMPLE / BLOCKS);
        }
    }
    counts.iter().map(|&count| f64::from(count) / looked.max(1) as f64).collect()
}

/// What lists cost for a symbol.
fn list_cost(positions: usize, share: f64) -> f64 {
    let positions = positions as f64;
    (PAIR * positions + LISTED) * share + RUN + VISIT * positions
}

/// How many times as much a bit-sliced position takes if only a share of a pattern's are counted:
/// spans are filled up to whole fours, the last ones of which are summed by themselves, and their
/// counters loaded and stored.
fn sparse(share: f64) -> f64 {
    const COUNTERS: f64 = 20.0;
    let (span, few) = (sliced::SPAN as f64, sliced::FEW as f64);
    let held = (span * share).max(1e-3);
    let words = (held / few).ceil() * few + COUNTERS;
    words / held * span / (span + COUNTERS)
}

impl Plan {
    /// The plan that costs least, or the one of a method: there the symbols behind the 255th, which
    /// only lists can count, go to those all the same.
    pub(crate) fn new(
        text: &Haystack<'_>,
        needle: &Needle,
        bytes: bool,
        method: Option<Method>,
        simd: Simd,
    ) -> Self {
        Self::shared(text, needle, bytes, method, simd, 1)
    }

    /// The same for one of so many patterns, which share what is transformed of the text.
    pub(crate) fn shared(
        text: &Haystack<'_>,
        needle: &Needle,
        bytes: bool,
        method: Option<Method>,
        simd: Simd,
        patterns: usize,
    ) -> Self {
        let simd = simd.available();
        let windows = (text.len() + 1).saturating_sub(needle.length);
        let mut plan = Self { steps: vec![], windows, nanoseconds: 0.0, simd };
        let narrow = needle.symbols.iter().all(|(code, _)| is_narrow(*code, bytes));
        if method.is_none() && narrow && windows.saturating_mul(needle.care()) <= SMALL {
            plan.push(Method::Direct, needle, |_| true, plan_direct(needle.care(), simd));
            return plan;
        }
        let shares = shares(text, needle);
        let asked = Asked {
            needle,
            narrow: needle.symbols.iter().take_while(|(code, _)| is_narrow(*code, bytes)).count(),
            shares: &shares,
            windows,
            simd,
            closed: closed(text, needle, &shares),
            patterns,
        };
        let chosen = asked.cheapest(method);
        for (kernel, cost) in [
            (Method::Direct, chosen.direct),
            (Method::Sliced, chosen.sliced),
            (Method::Fft, chosen.fft),
            (Method::Lists, chosen.lists),
        ] {
            plan.push(kernel, needle, |at| chosen.methods[at] == kernel, cost);
        }
        if let Some(step) = plan.steps.iter_mut().find(|step| step.method == Method::Fft) {
            step.layout = chosen.layout;
            step.closed = chosen.closed;
            step.transform = chosen.layout.map(|layout| layout.size);
            step.pieces = chosen.layout.map(|layout| layout.pieces);
            step.error_bound = chosen.layout.map_or(0.0, |layout| layout.error);
        }
        plan
    }

    fn push(&mut self, method: Method, needle: &Needle, has: impl Fn(usize) -> bool, cost: f64) {
        let mine = || {
            needle.symbols.iter().enumerate().filter(|(at, _)| has(*at)).map(|(_, symbol)| symbol)
        };
        let codes: Vec<u32> = mine().map(|(code, _)| *code).collect();
        // A pattern of wildcards alone is counted by nobody.
        if codes.is_empty() && (method != Method::Direct || !needle.symbols.is_empty()) {
            return;
        }
        self.nanoseconds += cost;
        self.steps.push(Step {
            method,
            symbols: codes.len(),
            positions: mine().map(|(_, positions)| positions.len()).sum(),
            nanoseconds: cost,
            transform: None,
            pieces: None,
            error_bound: 0.0,
            codes,
            layout: None,
            closed: false,
        });
    }
}

fn plan_direct(positions: usize, simd: Simd) -> f64 {
    DIRECT + costs(simd).direct * positions as f64
}

/// A method for each symbol of a pattern, and what each costs.
struct Choice {
    methods: Vec<Method>,
    direct: f64,
    sliced: f64,
    fft: f64,
    lists: f64,
    layout: Option<Layout>,
    closed: bool,
}

impl Choice {
    fn total(&self) -> f64 {
        self.direct + self.sliced + self.fft + self.lists
    }
}

/// What a plan depends on.
struct Asked<'a> {
    needle: &'a Needle,
    /// The first symbols, of which bytes tell each from all others.
    narrow: usize,
    /// What share of the text each symbol has.
    shares: &'a [f64],
    windows: usize,
    simd: Simd,
    /// Whether the text has no other symbols.
    closed: bool,
    /// Patterns that share the transforms of the text.
    patterns: usize,
}

impl Asked<'_> {
    fn cheapest(&self, method: Option<Method>) -> Choice {
        let narrow = self.narrow;
        let try_one = |heavy: usize, rest: Method| self.choice(heavy, rest);
        match method {
            Some(Method::Fft) => try_one(narrow, Method::Lists)
                .or_else(|| try_one(0, Method::Lists))
                .expect("lists count anything"),
            Some(rest) => try_one(0, rest).expect("no transforms, no bound to miss"),
            None => {
                let mut best: Option<Choice> = None;
                let heavy = narrow.min(MOST_TRANSFORMS);
                for heavy in 0..=heavy {
                    for rest in [Method::Direct, Method::Sliced, Method::Lists] {
                        let choice = try_one(heavy, rest);
                        best = match (best, choice) {
                            (Some(best), Some(choice)) if choice.total() < best.total() => {
                                Some(choice)
                            }
                            (None, choice) => choice,
                            (best, _) => best,
                        };
                    }
                    // More transforms cost more than the whole of the best.
                    if best.as_ref().is_some_and(|best| {
                        heavy as f64 * (POINT[0] + INDICATE) / 2.0
                            > best.total() * self.patterns as f64
                    }) {
                        break;
                    }
                }
                best.expect("at least no transforms at all")
            }
        }
    }

    /// The first `heavy` symbols by transforms, the others by `rest`, or by lists where those are
    /// cheaper, or nothing else counts them; `None` if no transforms round right.
    fn choice(&self, heavy: usize, rest: Method) -> Option<Choice> {
        let Self { needle, narrow, shares, windows, simd, closed, patterns } = *self;
        let costs = costs(simd);
        let symbols = &needle.symbols;
        let mut choice = Choice {
            methods: vec![rest; symbols.len()],
            direct: 0.0,
            sliced: 0.0,
            fft: 0.0,
            lists: 0.0,
            layout: None,
            closed: closed && heavy == symbols.len(),
        };
        if heavy > 0 {
            choice.methods[..heavy].fill(Method::Fft);
            let positions: usize = symbols[..heavy].iter().map(|(_, at)| at.len()).sum();
            let held = heavy - usize::from(choice.closed);
            // Blocks that hold more of them than the text does are what the margin is for; the
            // bound itself is of the blocks as they are.
            let share = symbols[..held].iter().filter_map(|(code, _)| shares.get(*code as usize));
            let share = (share.sum::<f64>() * 1.1 + 0.01).min(1.0);
            let implied = symbols[heavy - 1].1.len() as f64 / positions as f64;
            let (transforms, share, norm) = norms(heavy, choice.closed, share, implied);
            // Of any piece of the pattern; symbols keep their shares well enough for a choice among
            // layouts, whose own bound is computed from the positions when it is used.
            let dense = (positions as f64 / needle.length as f64 * 1.2).min(1.0);
            let square = |piece: usize| piece as f64 * dense * norm;
            let cost = |layout: &Layout| transform_cost(layout, transforms, windows, patterns);
            let layout = Layout::choose(needle.length, transforms, share, square, cost)?;
            choice.fft = cost(&layout);
            choice.layout = Some(layout);
        }
        let reach = needle.length as f64 / sliced::depth(windows) as f64;
        // What a row of words costs is small beside what many rows do to the caches.
        let sliceable = symbols[heavy..narrow.max(heavy)].iter().filter(|(code, at)| {
            let share = shares.get(*code as usize).copied().unwrap_or(0.0);
            list_cost(at.len(), share) >= costs.sliced_near * at.len() as f64 + costs.row
        });
        let (mut rows, mut held) = (0, 0);
        sliceable.for_each(|(_, at)| {
            rows += 1;
            held += at.len();
        });
        let far = ((f64::from(rows) - 8.0) / 64.0).clamp(0.0, 1.0);
        let pair = costs.sliced_near + (costs.sliced_far - costs.sliced_near) * far;
        let pair = pair * sparse(held as f64 / needle.length as f64);
        let (mut direct, mut sliced, mut lists) = (0, 0, false);
        for (at, (code, positions)) in symbols.iter().enumerate().skip(heavy) {
            let share = shares.get(*code as usize).copied().unwrap_or(0.0);
            let count = positions.len();
            let by_list = list_cost(count, share);
            let by_rest = match rest {
                Method::Direct => costs.direct * count as f64,
                Method::Sliced => pair * count as f64 + costs.row * (1.0 + reach),
                _ => f64::INFINITY,
            };
            let forced = rest == Method::Lists || at >= narrow;
            if forced || (by_list < by_rest && rest == Method::Sliced) {
                choice.methods[at] = Method::Lists;
                choice.lists += by_list;
                lists = true;
            } else if rest == Method::Direct {
                choice.direct += by_rest;
                direct += count;
            } else {
                choice.sliced += by_rest;
                sliced += count;
            }
        }
        if direct > 0 || symbols.is_empty() {
            choice.direct += DIRECT;
        }
        if sliced > 0 {
            choice.sliced += costs.sliced + costs.across * (1.0 + reach);
        }
        if lists {
            choice.lists += LISTS;
        }
        Some(choice)
    }
}

/// Whether a text has no symbols but a pattern's.
fn closed(text: &Haystack<'_>, needle: &Needle, shares: &[f64]) -> bool {
    let mut known = vec![false; shares.len()];
    for (code, _) in &needle.symbols {
        known[*code as usize] = true;
    }
    let sampled = shares.iter().zip(&known).all(|(&share, &known)| known || share == 0.0);
    if !sampled || needle.symbols.len() > 64 {
        return false;
    }
    let known = |code: u32| known.get(code as usize) == Some(&true);
    let mut all = true;
    // In stretches, so that the first that holds another symbol ends it.
    for from in (0..text.len()).step_by(1 << 16) {
        text.each(from..text.len().min(from + (1 << 16)), |_, code| all &= known(code));
        if !all {
            break;
        }
    }
    all
}

impl Step {
    /// The indicators of this step, and a layout whose bound holds for them.
    pub(crate) fn transforms(
        &self,
        text: &Haystack<'_>,
        needle: &Needle,
    ) -> Option<(Indicators, Layout)> {
        let chosen = self.layout?;
        let symbols = needle.symbols.iter().filter(|(code, _)| self.codes.contains(code));
        let indicators = Indicators::new(
            symbols.map(|(code, positions)| (*code as u8, &positions[..])),
            needle.length,
            self.closed,
        );
        let share = indicators.share(&text.narrow, chosen.size);
        let layout = chosen.fitted(&indicators, share)?;
        Some((indicators, layout))
    }
}
