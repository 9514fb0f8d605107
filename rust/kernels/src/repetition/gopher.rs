//! What the repetition rules of Gopher (Rae et al. 2021, table A1) look at, as three programs define
//! it: datatrove's `GopherRepetitionFilter`, dolma's `gopher_v1`, and the filters of NeMo Curator.

use std::cmp::Reverse;
use std::collections::HashMap;

use memchr::memmem;

use super::grams::Grams;
use crate::words::{Numbers, Words, hash, is_space, length};

/// N-grams of which the most frequent one counts, and those of which all that recur do.
const TOP: [usize; 3] = [2, 3, 4];
const RECURRING: [usize; 6] = [5, 6, 7, 8, 9, 10];

/// Bytes by which n-grams that recur are told from others first, at most.
const HEAD: usize = 16;

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
    fn of(parts: &[&[u8]], length: impl Fn(&[u8]) -> usize, numbers: &mut Numbers) -> Self {
        let mut found = Self::default();
        let mut counts: Vec<(usize, usize)> = Vec::with_capacity(parts.len());
        if let [only] = parts {
            counts.push((1, length(only)));
        } else {
            let mut firsts: Vec<&[u8]> = Vec::with_capacity(parts.len());
            numbers.begin(parts.len());
            for part in parts {
                let same = |other: u32| firsts[other as usize] == *part;
                let number = numbers.number(hash(part), firsts.len() as u32, same) as usize;
                if number == firsts.len() {
                    firsts.push(part);
                    counts.push((0, length(part)));
                }
                counts[number].0 += 1;
            }
        }
        for (count, length) in counts {
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

/// Memory of one row, reused for the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) words: Words,
    pub(super) numbers: Numbers,
    pub(super) grams: Grams,
    recurring: Vec<u32>,
    firsts: Vec<u32>,
}

fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

impl Gopher {
    /// What the rules look at in a text whose words are in the scratch; up to the first that is
    /// broken if `briefly`, where a definition allows.
    pub(super) fn of(
        text: &[u8],
        scratch: &mut Scratch,
        definition: Definition,
        briefly: bool,
    ) -> Self {
        let ascii = text.is_ascii();
        let length = |part: &[u8]| if ascii { part.len() } else { length(part) };
        let mut found = Self { characters: length(text) as u64, ..Self::default() };
        if text.is_empty() {
            found.broken = Some(THRESHOLDS.len());
            return found;
        }
        match definition {
            Definition::Datatrove => found.datatrove(text, length, scratch, briefly),
            Definition::Dolma => found.dolma(text, length, scratch),
            Definition::Nemo => found.nemo(text, length, scratch),
        }
        if found.broken.is_none() {
            // NeMo Curator's shares of lines and paragraphs were compared when they were made.
            let from = if definition == Definition::Nemo { 4 } else { 0 };
            let over = |at: &usize| found.shares[*at].is_some_and(|it| it > THRESHOLDS[*at].1);
            found.broken = (from..THRESHOLDS.len()).find(over);
        }
        found
    }

    fn datatrove(
        &mut self,
        text: &[u8],
        length: impl Fn(&[u8]) -> usize,
        scratch: &mut Scratch,
        briefly: bool,
    ) {
        let all = self.characters as usize;
        for (at, parts) in [split_runs(trim(text), 2), split_runs(text, 1)].into_iter().enumerate()
        {
            let parts = Recurring::of(&parts, &length, &mut scratch.numbers);
            self.shares[2 * at] = share(parts.later.0, parts.all.0);
            self.shares[2 * at + 1] = share(parts.later.1, all);
        }
        let Scratch { words, numbers, grams, .. } = &mut *scratch;
        grams.begin(&words.ids);
        for (at, n) in TOP.into_iter().enumerate() {
            if briefly && self.breaks(4 + at) {
                return;
            }
            grams.longer(&words.ids, numbers);
            let top = if words.spaces {
                // Words that hold spaces may make the same text of different words.
                most_frequent_text(words, n)
            } else {
                grams.most_frequent()
            };
            self.shares[4 + at] = top.and_then(|(place, count)| {
                let length = words.characters(place, n) + n - 1;
                share(length * count, all)
            });
        }
        if briefly && self.breaks(7) {
            return;
        }
        scratch.find_recurring();
        for (at, n) in RECURRING.into_iter().enumerate() {
            if briefly && self.breaks(7 + at) {
                return;
            }
            self.shares[7 + at] = share(scratch.repeated(n), all);
        }
    }

    /// Whether a rule before that one is broken.
    fn breaks(&self, rule: usize) -> bool {
        let shares = self.shares[..rule].iter().zip(THRESHOLDS);
        shares.into_iter().any(|(share, rule)| share.is_some_and(|share| share > rule.1))
    }

    fn dolma(&mut self, text: &[u8], length: impl Fn(&[u8]) -> usize, scratch: &mut Scratch) {
        let Scratch { words, numbers, grams, .. } = scratch;
        let all = words.characters(0, words.ids.len());
        let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        let lines = Recurring::of(&lines, length, numbers);
        self.shares[2] = share(lines.whole.0, lines.all.0);
        self.shares[3] = share(lines.whole.1, all.max(1));
        grams.begin(&words.ids);
        for (at, n) in TOP.into_iter().enumerate() {
            grams.longer(&words.ids, numbers);
            self.shares[4 + at] = grams
                .most_frequent()
                .and_then(|(place, count)| share(words.characters(place, n) * count, all.max(1)));
        }
        for (at, n) in RECURRING.into_iter().enumerate() {
            grams.longer(&words.ids, numbers);
            let (mut recurring, mut total) = (0, 0);
            for &(place, count) in &grams.counts {
                let characters = words.characters(place as usize, n) * count as usize;
                total += characters;
                recurring += if count > 1 { characters } else { 0 };
            }
            let any = words.places(n).end > 0;
            self.shares[7 + at] = share(recurring, total.max(1)).filter(|_| any);
        }
    }

    fn nemo(&mut self, text: &[u8], length: impl Fn(&[u8]) -> usize, scratch: &mut Scratch) {
        let Scratch { words, numbers, grams, .. } = scratch;
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
            let parts = Recurring::of(&parts, &length, numbers);
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
        grams.begin(&words.ids);
        for (at, n) in TOP.into_iter().enumerate() {
            grams.longer(&words.ids, numbers);
            self.shares[4 + at] = match grams.most_frequent() {
                None => Some(1.0),
                Some((place, _)) => {
                    let gram = words.spaced(place, n);
                    let times = memmem::find_iter(text, &gram).count();
                    share(times * length(&gram), all)
                }
            };
        }
        for (at, n) in RECURRING.into_iter().enumerate() {
            grams.longer(&words.ids, numbers);
            if words.places(n).is_empty() {
                self.shares[7 + at] = Some(1.0);
                continue;
            }
            let (mut repeated, mut counted) = (0, 0);
            for (place, &number) in grams.numbers().iter().enumerate() {
                if grams.counts[number as usize].0 as usize != place {
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

impl Scratch {
    /// Finds the places of which an n-gram of five words or more, without spaces, may stand at
    /// another: its first bytes do, as many as each of them has.
    fn find_recurring(&mut self) {
        let Self { words, numbers, recurring, firsts, .. } = self;
        let places = words.places(RECURRING[0]);
        let head = places.clone().map(|at| words.packed(at, RECURRING[0]).len()).min();
        let head = head.unwrap_or(0).min(HEAD);
        recurring.clear();
        firsts.clear();
        numbers.begin(places.len());
        for at in places {
            let own = &words.packed(at, RECURRING[0])[..head];
            let same =
                |other: u32| words.packed(other as usize, RECURRING[0]).get(..head) == Some(own);
            let first = numbers.number(hash(own), at as u32, same);
            if first != at as u32 {
                firsts.push(first);
                recurring.push(at as u32);
            }
        }
        if !firsts.is_empty() {
            firsts.sort_unstable();
            firsts.dedup();
            recurring.append(firsts);
            recurring.sort_unstable();
        }
    }

    /// Characters of n-grams that were seen before, looking from left to right and jumping those.
    fn repeated(&mut self, n: usize) -> usize {
        let Self { words, numbers, recurring, .. } = self;
        let end = words.places(n).end;
        let (mut repeated, mut next) = (0, 0);
        numbers.begin(recurring.len());
        for &place in recurring.iter() {
            let at = place as usize;
            if at >= end {
                break;
            }
            if at < next {
                continue;
            }
            let own = words.packed(at, n);
            let same = |other: u32| words.packed(other as usize, n) == own;
            if numbers.number(hash(own), place, same) != place {
                repeated += words.characters(at, n);
                next = at + n;
            }
        }
        repeated
    }
}

/// The first of the most frequent n-grams with spaces between words, and how often it occurs.
fn most_frequent_text(words: &Words, n: usize) -> Option<(usize, usize)> {
    let mut counts: HashMap<Vec<u8>, (usize, usize)> = HashMap::new();
    for place in words.places(n) {
        counts.entry(words.spaced(place, n)).or_insert((place, 0)).1 += 1;
    }
    counts.into_values().max_by_key(|&(place, count)| (count, Reverse(place)))
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
