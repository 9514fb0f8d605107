//! What the repetition rules of Gopher (Rae et al. 2021, table A1) look at, as three programs define
//! it: datatrove's `GopherRepetitionFilter`, dolma's `gopher_v1`, and the filters of NeMo Curator.

use std::collections::HashSet;

use memchr::memmem;

use crate::words::{Fast, Words, counts, counts_of, is_space, length};

/// N-grams of which the most frequent one counts, and those of which all that recur do.
const TOP: [usize; 3] = [2, 3, 4];
const RECURRING: [usize; 6] = [5, 6, 7, 8, 9, 10];

/// What each share may be at most, by its name, in the order in which rules are looked at.
pub const THRESHOLDS: [(&str, f64); 13] = [
    ("dup_para_frac", 0.3),
    ("dup_para_char_frac", 0.2),
    ("dup_line_frac", 0.3),
    ("dup_line_char_frac", 0.2),
    ("top_2_gram", 0.2),
    ("top_3_gram", 0.18),
    ("top_4_gram", 0.16),
    ("dup_5_gram", 0.15),
    ("dup_6_gram", 0.14),
    ("dup_7_gram", 0.13),
    ("dup_8_gram", 0.12),
    ("dup_9_gram", 0.11),
    ("dup_10_gram", 0.10),
];

/// Whose definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Definition {
    /// datatrove's.
    #[default]
    Datatrove,
    /// dolma's.
    Dolma,
    /// NeMo Curator's.
    Nemo,
}

/// What the rules look at in one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gopher {
    /// Characters.
    pub characters: u64,
    /// Shares in the order of [`THRESHOLDS`]; `None` where a definition has none.
    pub shares: [Option<f64>; 13],
    /// The first rule that the row breaks: its place in [`THRESHOLDS`], or their number for a row
    /// that is empty; `None` if it keeps them all.
    pub broken: Option<usize>,
}

/// How many of some things recur, in numbers and in characters: the second and later ones, all of
/// those that do, and all.
#[derive(Debug, Default)]
struct Recurring {
    later: (usize, usize),
    whole: (usize, usize),
    all: (usize, usize),
}

impl Recurring {
    fn of(parts: &[&[u8]]) -> Self {
        let mut found = Self::default();
        for (at, count) in counts_of(parts.iter()) {
            let (count, length) = (count as usize, length(parts[at]));
            let add = |to: &mut (usize, usize), count: usize| {
                to.0 += count;
                to.1 += count * length;
            };
            add(&mut found.all, count);
            add(&mut found.later, count - 1);
            add(&mut found.whole, if count > 1 { count } else { 0 });
        }
        found
    }
}

fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

impl Gopher {
    /// What the rules look at in a text of those words; up to the first that is broken if `briefly`,
    /// where a definition allows.
    pub fn of(text: &[u8], words: &Words, definition: Definition, briefly: bool) -> Self {
        let mut found = Self { characters: length(text) as u64, ..Self::default() };
        if text.is_empty() {
            found.broken = Some(THRESHOLDS.len());
            return found;
        }
        match definition {
            Definition::Datatrove => found.datatrove(text, words, briefly),
            Definition::Dolma => found.dolma(text, words),
            Definition::Nemo => found.nemo(text, words),
        }
        if found.broken.is_none() {
            // NeMo Curator's shares of lines and paragraphs were compared when they were made.
            let from = if definition == Definition::Nemo { 4 } else { 0 };
            let over = |at: &usize| found.shares[*at].is_some_and(|it| it > THRESHOLDS[*at].1);
            found.broken = (from..THRESHOLDS.len()).find(over);
        }
        found
    }

    fn datatrove(&mut self, text: &[u8], words: &Words, briefly: bool) {
        let all = self.characters as usize;
        let paragraphs = Recurring::of(&split_runs(trim(text), 2));
        let lines = Recurring::of(&split_runs(text, 1));
        for (at, parts) in [paragraphs, lines].into_iter().enumerate() {
            self.shares[2 * at] = share(parts.later.0, parts.all.0);
            self.shares[2 * at + 1] = share(parts.later.1, all);
        }
        for (at, n) in TOP.into_iter().enumerate() {
            if briefly && self.breaks(4 + at) {
                return;
            }
            let counts = counts_of(words.places(n).map(|at| words.spaced(at, n)));
            let top = first_of_most(&counts);
            self.shares[4 + at] = top.and_then(|(place, count)| {
                let length = words.characters(place, n) + n - 1;
                share(length * count as usize, all)
            });
        }
        for (at, n) in RECURRING.into_iter().enumerate() {
            if briefly && self.breaks(7 + at) {
                return;
            }
            let room = words.places(n).len();
            let mut seen: HashSet<&[u8], Fast> =
                HashSet::with_capacity_and_hasher(room, Fast::default());
            let (mut repeated, mut place) = (0, 0);
            while place < words.places(n).end {
                if seen.insert(words.packed(place, n)) {
                    place += 1;
                } else {
                    repeated += words.characters(place, n);
                    place += n;
                }
            }
            self.shares[7 + at] = share(repeated, all);
        }
    }

    /// Whether a rule before that one is broken.
    fn breaks(&self, rule: usize) -> bool {
        let shares = self.shares[..rule].iter().zip(THRESHOLDS);
        shares.into_iter().any(|(share, rule)| share.is_some_and(|share| share > rule.1))
    }

    fn dolma(&mut self, text: &[u8], words: &Words) {
        let all = words.characters.last().copied().unwrap_or(0);
        let lines = Recurring::of(&text.split(|&byte| byte == b'\n').collect::<Vec<_>>());
        self.shares[2] = share(lines.whole.0, lines.all.0);
        self.shares[3] = share(lines.whole.1, all.max(1));
        for (at, n) in TOP.into_iter().enumerate() {
            let top = first_of_most(&counts(&words.ids, n));
            self.shares[4 + at] = top.and_then(|(place, count)| {
                share(words.characters(place, n) * count as usize, all.max(1))
            });
        }
        for (at, n) in RECURRING.into_iter().enumerate() {
            let (mut recurring, mut total) = (0, 0);
            for (place, count) in counts(&words.ids, n) {
                let characters = words.characters(place, n) * count as usize;
                total += characters;
                recurring += if count > 1 { characters } else { 0 };
            }
            let any = words.places(n).end > 0;
            self.shares[7 + at] = share(recurring, total.max(1)).filter(|_| any);
        }
    }

    fn nemo(&mut self, text: &[u8], words: &Words) {
        let all = self.characters as usize;
        let mut paragraphs = vec![];
        let mut from = 0;
        for at in memmem::find_iter(text, b"\n\n") {
            paragraphs.push(&text[from..at]);
            from = at + 2;
        }
        paragraphs.push(&text[from..]);
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !trim(line).is_empty());
        let lines: Vec<&[u8]> = lines.collect();
        for (at, parts) in [paragraphs, lines].into_iter().enumerate() {
            let parts = Recurring::of(&parts);
            for (nth, (later, whole)) in
                [(parts.later.0, parts.all.0), (parts.later.1, parts.all.1)].into_iter().enumerate()
            {
                let rule = 2 * at + nth;
                // What is left is compared, not what goes: 0.7 of a whole is not above 1 - 0.3.
                let left = share(whole - later, whole);
                let least = if nth == 0 { 0.7 } else { 0.8 };
                self.shares[rule] = left.map(|left| 1.0 - left);
                if left.is_some_and(|left| left < least) {
                    self.broken = self.broken.or(Some(rule));
                }
            }
        }
        for (at, n) in TOP.into_iter().enumerate() {
            self.shares[4 + at] = match first_of_most(&counts(&words.ids, n)) {
                None => Some(1.0),
                Some((place, _)) => {
                    let gram = words.spaced(place, n);
                    let times = memmem::find_iter(text, gram).count();
                    share(times * length(gram), all)
                }
            };
        }
        for (at, n) in RECURRING.into_iter().enumerate() {
            let places = words.places(n);
            if places.is_empty() {
                self.shares[7 + at] = Some(1.0);
                continue;
            }
            let mut seen: HashSet<&[u32], Fast> = HashSet::default();
            let (mut repeated, mut counted) = (0, 0);
            for place in places {
                if !seen.insert(&words.ids[place..place + n]) {
                    let fresh = n - counted;
                    repeated += words.characters(place + counted, fresh) + fresh.min(n - 1);
                    counted = n;
                }
                counted = counted.saturating_sub(1);
            }
            self.shares[7 + at] = share(repeated, all);
        }
    }
}

/// The first of the most frequent.
fn first_of_most(counts: &[(usize, u64)]) -> Option<(usize, u64)> {
    counts.iter().copied().reduce(|most, next| if next.1 > most.1 { next } else { most })
}

/// The parts between runs of at least so many newlines.
fn split_runs(text: &[u8], least: usize) -> Vec<&[u8]> {
    let mut parts = vec![];
    let (mut from, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b'\n', &text[at..]) {
        let start = at + found;
        let run = text[start..].iter().take_while(|&&byte| byte == b'\n').count();
        at = start + run;
        if run >= least {
            parts.push(&text[from..start]);
            from = at;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// A text without the spaces at its ends.
fn trim(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Ok(text) => text.trim_matches(is_space).as_bytes(),
        Err(_) => text.trim_ascii(),
    }
}
