//! Exact distances: plans them, runs the kernels, and adds what wildcards match.

use std::collections::HashSet;

use super::direct::{self, Sites};
use super::fft::{self, Indicators, Layout};
use super::lists::Occurrences;
use super::plan::{Method, Plan, Step};
use super::prepare::{Equality, Haystack, Needle, Preparation};
use super::simd::Simd;
use super::sliced::{self, Slices};
use super::{Count, each_chunk};
use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};

/// Windows whose wildcards are counted at once.
const CHUNK: usize = 1 << 16;

/// Bytes of spectra of patterns that are held at once, but for those of one.
const SPECTRA: usize = 1 << 29;

/// How to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The kernel to use instead of those that cost least.
    pub method: Option<Method>,
    /// The instructions to use instead of the widest that there are.
    pub simd: Option<Simd>,
}

impl Options {
    pub(crate) fn simd(&self) -> Simd {
        self.simd.unwrap_or_else(Simd::detect).available()
    }
}

/// A distance of each window, as wide as the pattern is long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distances {
    /// Of patterns of up to 255 symbols.
    U8(Vec<u8>),
    /// Of patterns of up to 65,535 symbols.
    U16(Vec<u16>),
    /// Of longer ones.
    U32(Vec<u32>),
}

impl Distances {
    /// Number of windows.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(distances) => distances.len(),
            Self::U16(distances) => distances.len(),
            Self::U32(distances) => distances.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts all windows by a plan.
    pub(crate) fn counted(
        text: &Haystack<'_>,
        needle: &Needle,
        plan: &Plan,
        monitor: &Monitor,
    ) -> Result<Self> {
        Self::counted_by(text, needle, plan, |_| true, monitor)
    }

    /// Counts all windows by some steps of a plan: what the others count counts as mismatches.
    fn counted_by(
        text: &Haystack<'_>,
        needle: &Needle,
        plan: &Plan,
        taken: impl Fn(&Step) -> bool,
        monitor: &Monitor,
    ) -> Result<Self> {
        monitor.expect((plan.windows * plan.steps.len()) as u64);
        let run = Run { text, needle, plan, monitor };
        if u8::try_from(needle.length).is_ok() {
            run.steps(taken).map(Self::U8)
        } else if u16::try_from(needle.length).is_ok() {
            run.steps(taken).map(Self::U16)
        } else {
            run.steps(taken).map(Self::U32)
        }
    }

    fn slice(&mut self) -> fft::Slice<'_> {
        match self {
            Self::U8(distances) => fft::Slice::U8(distances),
            Self::U16(distances) => fft::Slice::U16(distances),
            Self::U32(distances) => fft::Slice::U32(distances),
        }
    }

    /// All distances, times a factor.
    pub(crate) fn scaled(&self, scale: f64) -> Vec<f32> {
        let scaled = |distance: f64| (distance * scale) as f32;
        match self {
            Self::U8(all) => all.iter().map(|&distance| scaled(distance.into())).collect(),
            Self::U16(all) => all.iter().map(|&distance| scaled(distance.into())).collect(),
            Self::U32(all) => all.iter().map(|&distance| scaled(distance.into())).collect(),
        }
    }

    /// Calls `take` with the start and distance of each window.
    pub(crate) fn each(&self, take: impl FnMut(usize, usize)) {
        self.each_within(usize::MAX, take);
    }

    /// Calls `take` with the start and distance of each window of at most `most`.
    pub(crate) fn each_within(&self, most: usize, take: impl FnMut(usize, usize)) {
        match self {
            Self::U8(distances) => each_within(distances, most, take),
            Self::U16(distances) => each_within(distances, most, take),
            Self::U32(distances) => each_within(distances, most, take),
        }
    }

    /// The distance of a window.
    ///
    /// # Panics
    /// If there is no such window.
    pub fn get(&self, at: usize) -> usize {
        match self {
            Self::U8(distances) => distances[at].number(),
            Self::U16(distances) => distances[at].number(),
            Self::U32(distances) => distances[at].number(),
        }
    }
}

/// Patterns whose distances to texts are asked for.
///
/// ```
/// use bowstring::hamming::{Distances, Equality, Hamming, Options};
/// use bowstring::{Monitor, Pattern, Patterns};
///
/// let patterns = Patterns::one(Pattern::Bytes(b"ab"));
/// let equality = Equality::default();
/// let hamming = Hamming::new(&patterns, &equality)?;
/// let found =
///     hamming.distances(Pattern::Bytes(b"abba"), 0, Options::default(), &Monitor::default())?;
/// assert_eq!(found, Distances::U8(vec![0, 1, 2]));
/// # Ok::<_, bowstring::Error>(())
/// ```
#[derive(Debug)]
pub struct Hamming<'e> {
    pub(crate) preparation: Preparation<'e>,
    /// The needle of each pattern that is not null.
    places: Vec<Option<usize>>,
}

impl<'e> Hamming<'e> {
    /// Reads patterns.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if one is empty, or longer than 2^32 - 1 symbols.
    pub fn new(patterns: &Patterns, equality: &'e Equality) -> Result<Self> {
        let many = patterns.len() > 1;
        let mut places = vec![None; patterns.len()];
        let mut valid = vec![];
        for (at, pattern) in patterns.valid() {
            if pattern.is_empty() {
                let which = if many { format!("pattern {at}") } else { "pattern".into() };
                return Err(Error::InvalidInput(format!(
                    "{which} is empty: give at least one symbol"
                )));
            }
            places[at] = Some(valid.len());
            valid.push(pattern);
        }
        Ok(Self { preparation: Preparation::new(&valid, equality)?, places })
    }

    /// The needle of a pattern; `None` where it is null.
    pub(crate) fn needle(&self, pattern: usize) -> Option<&Needle> {
        self.places[pattern].map(|at| &self.preparation.needles[at])
    }

    /// A text as codes.
    pub(crate) fn text<'a>(&self, text: Pattern<'a>) -> Result<Haystack<'a>> {
        let kinds_differ = match text {
            Pattern::Bytes(_) => !self.preparation.of_bytes(),
            Pattern::Tokens(_) => {
                self.preparation.of_bytes() && !self.preparation.needles.is_empty()
            }
        };
        if kinds_differ {
            return Err(Error::UnsupportedType(
                "text and pattern are of two kinds, text and tokens; give both as the same".into(),
            ));
        }
        if u32::try_from(text.len()).is_err() {
            return Err(Error::InvalidInput(format!(
                "a text has {} symbols; give at most {}, or cut it in parts that overlap",
                text.len(),
                u32::MAX
            )));
        }
        Ok(self.preparation.text(text))
    }

    /// The distance of a pattern to every window of a text; none if the text is shorter, or the
    /// pattern null. What the kernels cost is in the module's documentation.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] if one is text and the other tokens; [`Error::InvalidInput`] if
    /// the text has more than 2^32 - 1 symbols; [`Error::Interrupted`].
    pub fn distances(
        &self,
        text: Pattern<'_>,
        pattern: usize,
        options: Options,
        monitor: &Monitor,
    ) -> Result<Distances> {
        self.distances_of(&self.text(text)?, pattern, options, monitor)
    }

    pub(crate) fn distances_of(
        &self,
        text: &Haystack<'_>,
        pattern: usize,
        options: Options,
        monitor: &Monitor,
    ) -> Result<Distances> {
        let Some(needle) = self.needle(pattern) else {
            return Ok(Distances::U8(vec![]));
        };
        let plan = self.plan_of(text, needle, options);
        Distances::counted(text, needle, &plan, monitor)
    }

    /// The distance of each of some patterns to every window of a text, `None` where the pattern is
    /// null; patterns that are transformed share the transforms of the text.
    ///
    /// # Errors
    /// As [`Hamming::distances`].
    pub fn distances_of_each(
        &self,
        text: Pattern<'_>,
        patterns: std::ops::Range<usize>,
        options: Options,
        monitor: &Monitor,
    ) -> Result<Vec<Option<Distances>>> {
        let text = &self.text(text)?;
        let needles: Vec<Option<&Needle>> = patterns.map(|at| self.needle(at)).collect();
        let bytes = self.preparation.of_bytes();
        let plan = |needle: &Needle, together: usize| {
            Plan::shared(text, needle, bytes, options.method, options.simd(), together)
        };
        let together = needles.iter().flatten().count();
        let mut plans: Vec<Option<Plan>> =
            needles.iter().map(|needle| needle.map(|needle| plan(needle, together))).collect();
        // Those whose transforms are of one size and precision.
        let mut groups: Vec<(Layout, Vec<(usize, Indicators)>)> = vec![];
        for (at, (needle, own)) in needles.iter().zip(&plans).enumerate() {
            let (Some(needle), Some(own)) = (needle, own) else { continue };
            let step = own.steps.iter().find(|step| step.method == Method::Fft);
            let Some((indicators, layout)) = step.and_then(|step| step.transforms(text, needle))
            else {
                continue;
            };
            let same =
                |other: &Layout| (other.size, other.precision) == (layout.size, layout.precision);
            match groups.iter_mut().find(|(other, _)| same(other)) {
                Some((other, group)) => {
                    *other = other.joined(layout);
                    group.push((at, indicators));
                }
                None => groups.push((layout, vec![(at, indicators)])),
            }
        }
        // One that shares with nobody is planned for by itself.
        groups.retain_mut(|(layout, group)| {
            let fitted = group.iter().map(|(_, indicators)| {
                let share = indicators.share(&text.narrow, layout.size);
                let own = layout.fitted(indicators, share)?;
                ((own.piece, own.precision) == (layout.piece, layout.precision))
                    .then_some(own.group)
            });
            let most = fitted.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min());
            layout.group = most.unwrap_or(0);
            group.len() > 1 && layout.group > 0
        });
        let mut shares = vec![false; plans.len()];
        groups.iter().flat_map(|(_, group)| group).for_each(|&(at, _)| shares[at] = true);
        let mut found = vec![];
        for ((needle, own), &shares) in needles.iter().zip(&mut plans).zip(&shares) {
            let (Some(needle), Some(own)) = (needle, own) else {
                found.push(None);
                continue;
            };
            if !shares && together > 1 {
                *own = plan(needle, 1);
            }
            let taken = |step: &Step| !(shares && step.method == Method::Fft);
            found.push(Some(Distances::counted_by(text, needle, own, taken, monitor)?));
        }
        for (layout, group) in groups {
            let held = |(_, indicators): &(usize, Indicators)| {
                let pieces = indicators.length.div_ceil(layout.piece);
                indicators.signals.len() * pieces * layout.size * 8
            };
            // As many at a time as have room for their spectra.
            let mut rest = &group[..];
            while !rest.is_empty() {
                let mut room = SPECTRA;
                let fits = rest.iter().take_while(|one| {
                    let fits = room >= held(one);
                    room = room.saturating_sub(held(one));
                    fits
                });
                let (some, after) = rest.split_at(fits.count().max(1));
                rest = after;
                let mut slices: Vec<Option<fft::Slice<'_>>> =
                    found.iter_mut().map(|found| found.as_mut().map(Distances::slice)).collect();
                let mut tasks = vec![];
                for (at, indicators) in some {
                    if let Some(distances) = slices[*at].take() {
                        tasks.push(fft::Task { indicators, distances });
                    }
                }
                fft::subtract(&text.narrow, tasks, layout, monitor)?;
            }
        }
        Ok(found)
    }

    /// Number of patterns, null ones included.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether a pattern is null.
    pub fn is_null(&self, pattern: usize) -> bool {
        self.places[pattern].is_none()
    }

    /// Checks that a text has a window of a pattern.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it is shorter.
    pub fn check_length(&self, text: Pattern<'_>, pattern: usize) -> Result<()> {
        match self.needle(pattern) {
            Some(needle) if needle.length > text.len() => Err(Error::InvalidInput(format!(
                "pattern has {} symbols and text has {}: give a text at least as long",
                needle.length,
                text.len()
            ))),
            _ => Ok(()),
        }
    }

    fn plan_of(&self, text: &Haystack<'_>, needle: &Needle, options: Options) -> Plan {
        let bytes = self.preparation.of_bytes();
        Plan::new(text, needle, bytes, options.method, options.simd())
    }

    /// How the distances of a pattern would be counted; `None` if it is null.
    ///
    /// # Errors
    /// As [`Hamming::distances`].
    pub fn plan(
        &self,
        text: Pattern<'_>,
        pattern: usize,
        options: Options,
    ) -> Result<Option<Plan>> {
        let text = self.text(text)?;
        Ok(self.needle(pattern).map(|needle| self.plan_of(&text, needle, options)))
    }
}

fn each_within<T: Count>(distances: &[T], most: usize, mut take: impl FnMut(usize, usize)) {
    for (start, distance) in distances.iter().enumerate() {
        if distance.number() <= most {
            take(start, distance.number());
        }
    }
}

/// A pattern to count in a text, by a plan.
struct Run<'a> {
    text: &'a Haystack<'a>,
    needle: &'a Needle,
    plan: &'a Plan,
    monitor: &'a Monitor,
}

impl Run<'_> {
    /// Counts all windows by some of the plan's steps.
    fn steps<T: Count>(&self, taken: impl Fn(&Step) -> bool) -> Result<Vec<T>>
    where
        for<'d> fft::Slice<'d>: From<&'d mut [T]>,
    {
        let Self { text, needle, plan, monitor } = *self;
        let care = needle.care();
        let mut distances = vec![T::default(); plan.windows];
        // The first kernel starts from the number of positions, in its own pass where it can.
        let first_direct = plan.steps.first().is_some_and(|step| step.method == Method::Direct);
        if !first_direct {
            each_chunk(&mut distances, 1 << 20, monitor, |_, distances| {
                distances.fill(T::of(care));
                Ok(())
            })?;
        }
        for (number, step) in plan.steps.iter().enumerate().filter(|(_, step)| taken(step)) {
            let base = (number == 0 && first_direct).then_some(care);
            self.subtract(step, base, &mut distances)?;
        }
        if !text.wild.is_empty() {
            count_wildcards(text, needle, plan.simd, &mut distances, monitor)?;
        }
        Ok(distances)
    }

    /// Takes the matches that one step counts off the distances.
    fn subtract<T: Count>(
        &self,
        step: &Step,
        base: Option<usize>,
        distances: &mut [T],
    ) -> Result<()>
    where
        for<'d> fft::Slice<'d>: From<&'d mut [T]>,
    {
        let Self { text, needle, plan, monitor } = *self;
        let chosen: HashSet<u32> = step.codes.iter().copied().collect();
        let symbols = || needle.symbols.iter().filter(|(code, _)| chosen.contains(code));
        let narrow = || symbols().map(|(code, positions)| (*code as u8, &positions[..]));
        let by_slices = |distances: &mut [T]| {
            sliced::subtract(&text.narrow, &Slices::new(narrow()), distances, plan.simd, monitor)
        };
        match step.method {
            Method::Direct => {
                let sites =
                    narrow().flat_map(|(symbol, at)| at.iter().map(move |&at| (at, symbol)));
                let sites = Sites::new(sites.collect());
                direct::subtract(&text.narrow, &sites, base, distances, plan.simd, monitor)
            }
            Method::Sliced => by_slices(distances),
            Method::Fft => match step.transforms(text, needle) {
                Some((indicators, layout)) => {
                    let task = fft::Task { indicators: &indicators, distances: distances.into() };
                    fft::subtract(&text.narrow, vec![task], layout, monitor).map(drop)
                }
                None => by_slices(distances),
            },
            Method::Lists => {
                let symbols: Vec<(u32, &[u32])> =
                    symbols().map(|(code, positions)| (*code, &positions[..])).collect();
                Occurrences::new(text, &symbols, monitor)?.subtract(distances, monitor)
            }
        }
    }
}

/// Takes off what the wildcards of the text match, which is all positions that are none themselves:
/// wildcards in the window, less those that stand where the pattern has one.
fn count_wildcards<T: Count>(
    text: &Haystack<'_>,
    needle: &Needle,
    simd: Simd,
    distances: &mut [T],
    monitor: &Monitor,
) -> Result<()> {
    let wild = &text.wild;
    each_chunk(distances, CHUNK, monitor, |first, distances| {
        let (mut from, mut to) = (0, 0);
        for (at, distance) in distances.iter_mut().enumerate() {
            let start = first + at;
            if at == 0 {
                from = wild.partition_point(|&at| (at as usize) < start);
                to = wild.partition_point(|&at| (at as usize) < start + needle.length);
            }
            while from < wild.len() && (wild[from] as usize) < start {
                from += 1;
            }
            while to < wild.len() && (wild[to] as usize) < start + needle.length {
                to += 1;
            }
            *distance = distance.minus(to - from);
        }
        Ok(())
    })?;
    if needle.wild.is_empty() {
        return Ok(());
    }
    // Where both have one is itself a question of matches, over two symbols.
    let mut marks = vec![0; text.len()];
    for &at in wild {
        marks[at as usize] = 1;
    }
    let marked = Haystack { narrow: marks.into(), wide: None, wild: vec![] };
    let needle =
        Needle { length: needle.length, symbols: vec![(1, needle.wild.clone())], wild: vec![] };
    let plan = Plan::new(&marked, &needle, true, None, simd);
    // A distance that counts every position of the pattern, of which only wildcards match.
    monitor.expect((plan.windows * plan.steps.len()) as u64);
    let run = Run { text: &marked, needle: &needle, plan: &plan, monitor };
    let both: Vec<u32> = run.steps(|_| true)?;
    for (distance, both) in distances.iter_mut().zip(both) {
        let both = needle.length - both.number();
        *distance = distance.minus_signed(-(both as i32));
    }
    Ok(())
}
