//! How much of one text stands in another, for pairs of them: matching statistics on a suffix
//! automaton (Blumer et al. 1985), for texts too many and too short to index each.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::interrupt::Monitor;
use crate::symbol::{Pattern, Patterns};
use crate::words::{Fast, Words};

/// Pairs looked at by one thread at once.
const BLOCK: usize = 16;

/// What a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words between whitespace; tokens, where texts are lists of them.
    Word,
    /// Characters.
    Character,
}

/// How much of a text stands in its partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Units of the text.
    pub units: u64,
    /// Units of its partner.
    pub partner_units: u64,
    /// Units of the longest part that both have.
    pub longest: u64,
    /// Units in a part of so many units or more that both have, for each length asked for.
    pub covered: Vec<u64>,
}

/// A partner, which many texts in a row may have.
#[derive(Debug)]
struct Partner {
    place: usize,
    numbers: HashMap<Vec<u8>, u32, Fast>,
    automaton: Automaton,
    units: usize,
}

/// States of an automaton that knows every part of a text.
#[derive(Debug)]
struct Automaton {
    next: HashMap<(u32, u32), u32, Fast>,
    link: Vec<u32>,
    length: Vec<u32>,
    edges: Vec<Vec<u32>>,
}

impl Automaton {
    fn of(text: &[u32]) -> Self {
        let mut new =
            Self { next: HashMap::default(), link: vec![0], length: vec![0], edges: vec![vec![]] };
        let mut whole = 0;
        for &unit in text {
            let state = new.state(new.length[whole as usize] + 1);
            let mut last = Some(whole);
            while let Some(at) = last.filter(|at| !new.next.contains_key(&(*at, unit))) {
                new.connect(at, unit, state);
                last = (at != 0).then(|| new.link[at as usize]);
            }
            if let Some(at) = last {
                let other = new.next[&(at, unit)];
                if new.length[at as usize] + 1 == new.length[other as usize] {
                    new.link[state as usize] = other;
                } else {
                    let copy = new.state(new.length[at as usize] + 1);
                    for edge in new.edges[other as usize].clone() {
                        let to = new.next[&(other, edge)];
                        new.connect(copy, edge, to);
                    }
                    new.link[copy as usize] = new.link[other as usize];
                    let mut from = Some(at);
                    while let Some(at) =
                        from.filter(|at| new.next.get(&(*at, unit)) == Some(&other))
                    {
                        new.next.insert((at, unit), copy);
                        from = (at != 0).then(|| new.link[at as usize]);
                    }
                    new.link[other as usize] = copy;
                    new.link[state as usize] = copy;
                }
            }
            whole = state;
        }
        new
    }

    fn state(&mut self, length: u32) -> u32 {
        self.link.push(0);
        self.length.push(length);
        self.edges.push(vec![]);
        self.link.len() as u32 - 1
    }

    fn connect(&mut self, from: u32, unit: u32, to: u32) {
        if self.next.insert((from, unit), to).is_none() {
            self.edges[from as usize].push(unit);
        }
    }

    /// For each place of a text, how long the longest part up to it is that this one has.
    fn reaches(&self, text: &[u32]) -> Vec<u32> {
        let (mut state, mut length) = (0, 0);
        let reach = |&unit: &u32| {
            loop {
                if let Some(&next) = self.next.get(&(state, unit)) {
                    state = next;
                    length += 1;
                    return length;
                }
                if state == 0 {
                    length = 0;
                    return 0;
                }
                state = self.link[state as usize];
                length = self.length[state as usize];
            }
        };
        text.iter().map(reach).collect()
    }
}

/// How much of each text stands in its partner, of which the place is given; `None` where one of
/// the two is null. Lengths are those of the parts that cover.
///
/// O(n + m) time for a text of n units and a partner of m, on average.
///
/// # Errors
/// [`Error::InvalidInput`] if a partner is none; [`Error::UnsupportedType`] if one is text and the
/// other tokens; [`Error::Interrupted`].
pub fn shared(
    texts: &Patterns,
    partners: &Patterns,
    of: &[usize],
    unit: Unit,
    lengths: &[u64],
    monitor: &Monitor,
) -> Result<Vec<Option<Shared>>> {
    if of.len() != texts.len() || of.iter().any(|&partner| partner >= partners.len()) {
        return Err(Error::InvalidInput("each text has one partner of those given".into()));
    }
    let places: Vec<usize> = (0..texts.len()).collect();
    let found = places.par_chunks(BLOCK).map(|places| {
        monitor.check()?;
        let mut known: Option<Partner> = None;
        let mut all = Vec::with_capacity(places.len());
        for &at in places {
            let (Some(text), Some(partner)) = (texts.get(at), partners.get(of[at])) else {
                all.push(None);
                continue;
            };
            if matches!(text, Pattern::Tokens(_)) != matches!(partner, Pattern::Tokens(_)) {
                return Err(Error::UnsupportedType(
                    "texts and partners are text and tokens; give two of one kind".into(),
                ));
            }
            if known.as_ref().is_none_or(|known| known.place != of[at]) {
                let mut numbers = HashMap::default();
                let ids = units(partner, unit, &mut |unit| {
                    let next = numbers.len() as u32;
                    *numbers.entry(unit.to_vec()).or_insert(next)
                });
                known = Some(Partner {
                    place: of[at],
                    numbers,
                    automaton: Automaton::of(&ids),
                    units: ids.len(),
                });
            }
            let Some(partner) = &known else { continue };
            let ids = units(text, unit, &mut |unit| {
                partner.numbers.get(unit).copied().unwrap_or(u32::MAX)
            });
            all.push(Some(summed(&partner.automaton.reaches(&ids), partner.units, lengths)));
        }
        Ok(all)
    });
    Ok(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn summed(reaches: &[u32], partner: usize, lengths: &[u64]) -> Shared {
    let covered = |least: u64| {
        let (mut total, mut end) = (0, 0);
        for (at, &reach) in reaches.iter().enumerate() {
            if u64::from(reach) >= least {
                let (start, stop) = (at + 1 - reach as usize, at + 1);
                total += (stop - start.max(end)) as u64;
                end = stop;
            }
        }
        total
    };
    Shared {
        units: reaches.len() as u64,
        partner_units: partner as u64,
        longest: reaches.iter().copied().max().unwrap_or(0).into(),
        covered: lengths.iter().map(|&least| covered(least.max(1))).collect(),
    }
}

fn units(text: Pattern<'_>, unit: Unit, number: &mut dyn FnMut(&[u8]) -> u32) -> Vec<u32> {
    match (text, unit) {
        (Pattern::Tokens(tokens), _) => {
            tokens.iter().map(|token| number(&token.to_le_bytes())).collect()
        }
        (Pattern::Bytes(text), Unit::Word) => {
            let words = Words::of(text);
            words.spans.iter().map(|&(start, stop)| number(&words.spaced[start..stop])).collect()
        }
        (Pattern::Bytes(text), Unit::Character) => {
            let mut ids = vec![];
            let mut buffer = [0; 4];
            for chunk in text.utf8_chunks() {
                for character in chunk.valid().chars() {
                    ids.push(number(character.encode_utf8(&mut buffer).as_bytes()));
                }
                ids.extend(chunk.invalid().iter().map(|byte| number(&[*byte])));
            }
            ids
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::corpus::Rows;

    proptest! {
        #[test]
        fn pairs_agree_with_the_definition(
            text in vec(0_u32..4, 0..24),
            partner in vec(0_u32..3, 0..24),
        ) {
            let column = |row: &[u32]| {
                let mut column = Patterns::tokens();
                column.push_tokens(Some(row)).unwrap();
                column
            };
            let lengths = [1, 2, 3, 5];
            let monitor = Monitor::default();
            let found = shared(
                &column(&text), &column(&partner), &[0], Unit::Word, &lengths, &monitor,
            ).unwrap();
            let found = found[0].as_ref().unwrap();
            let occurs = |part: &[u32]| partner.windows(part.len()).any(|other| other == part);
            let mut longest = 0;
            let mut inside = vec![0; text.len()];
            for start in 0..text.len() {
                for stop in start + 1..=text.len() {
                    if occurs(&text[start..stop]) {
                        longest = longest.max(stop - start);
                        for place in &mut inside[start..stop] {
                            *place = (stop - start).max(*place);
                        }
                    }
                }
            }
            prop_assert_eq!(found.longest, longest as u64);
            let covered = lengths.map(|least| {
                inside.iter().filter(|&&length| length as u64 >= least).count() as u64
            });
            prop_assert_eq!(&found.covered, &covered.to_vec());
        }
    }
}
