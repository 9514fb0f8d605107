//! Contexts of predictions: where a text occurs, or the longest suffix of it that does.

use crate::error::Result;
use crate::index::{Index, everything};
use crate::symbol::{Pattern, Position, Ranks};

/// Occurrences up to which what stands before each is looked at, rather than searched for.
const FEW: u64 = 24;

/// Where the search for the longest suffix starts; most are not much longer.
const GUESS: usize = 4;

/// A text, or a suffix of one, and where it occurs.
#[derive(Clone, Debug)]
pub(super) struct Context<'a> {
    pub text: Pattern<'a>,
    /// How often it occurs.
    pub count: u64,
    places: Places,
}

#[derive(Clone, Debug)]
enum Places {
    /// Its ranks in each segment.
    Ranks(Vec<Ranks>),
    /// Where it starts: the segment's number, and the position there.
    Positions(Vec<(usize, Position)>),
}

/// What is known of the longest suffix of a text.
#[derive(Clone, Debug)]
struct Search {
    /// A length that occurs, and how often.
    low: usize,
    count: u64,
    /// A length that does not, or is longer than there are.
    high: usize,
    /// Where the longest one does, once there are few places.
    positions: Option<Vec<(usize, Position)>>,
}

impl Index {
    /// Where each text occurs, or the longest suffix of it that does.
    pub(super) fn contexts<'a>(
        &self,
        texts: &[Pattern<'a>],
        backoff: bool,
    ) -> Result<Vec<Context<'a>>> {
        if backoff {
            return self.longest_suffixes(texts);
        }
        let found = self.find_each(texts)?.into_iter().zip(texts);
        Ok(found
            .map(|(ranks, &text)| {
                let count = Ranks::total(&ranks);
                Context { text, count, places: Places::Ranks(ranks) }
            })
            .collect())
    }

    /// The longest suffix of each text that occurs.
    ///
    /// What occurs, so do its own suffixes: lengths are doubled, then halved between, until there
    /// are so few occurrences that what stands before each tells how much longer one may be.
    pub(super) fn longest_suffixes<'a>(&self, texts: &[Pattern<'a>]) -> Result<Vec<Context<'a>>> {
        let parts: Vec<_> = self.parts().collect();
        let all: Vec<Ranks> = parts.iter().map(|part| everything(part.segment)).collect();
        let count = Ranks::total(&all);
        let mut ranks = all.repeat(texts.len());
        let mut searches: Vec<Search> = texts
            .iter()
            .map(|text| Search { low: 0, count, high: text.len() + 1, positions: None })
            .collect();
        let (mut asked, mut suffixes, mut found) = (vec![], vec![], vec![]);
        loop {
            asked.clear();
            suffixes.clear();
            for (at, (text, search)) in texts.iter().zip(&searches).enumerate() {
                if let Some(length) = search.next(text.len()) {
                    asked.push((at, length));
                    suffixes.push(text.last(length));
                }
            }
            if asked.is_empty() {
                break;
            }
            found.resize(parts.len() * asked.len(), Ranks::NONE);
            for (part, found) in parts.iter().zip(found.chunks_exact_mut(asked.len())) {
                part.segment.find_many(&suffixes, found)?;
            }
            for (nth, &(at, length)) in asked.iter().enumerate() {
                let found = found.iter().skip(nth).step_by(asked.len());
                let count = Ranks::total(found.clone());
                let search = &mut searches[at];
                if count == 0 {
                    search.high = length;
                    continue;
                }
                let known = &mut ranks[at * parts.len()..(at + 1) * parts.len()];
                known.iter_mut().zip(found).for_each(|(known, found)| *known = *found);
                (search.low, search.count) = (length, count);
                if count <= FEW && search.low + 1 < search.high {
                    self.extend(texts[at], known, search)?;
                }
            }
        }
        let found = searches.into_iter().zip(texts).enumerate().map(|(at, (search, text))| {
            let places = search.positions.map_or_else(
                || Places::Ranks(ranks[at * parts.len()..(at + 1) * parts.len()].to_vec()),
                Places::Positions,
            );
            Context { text: text.last(search.low), count: search.count, places }
        });
        Ok(found.collect())
    }

    /// Ends a search by what stands before each of the few occurrences that it has found.
    fn extend(&self, text: Pattern<'_>, ranks: &[Ranks], search: &mut Search) -> Result<()> {
        let stop = text.len() - search.low;
        let before = text.slice(text.len() + 1 - search.high..stop);
        let mut extended = vec![];
        let mut places = vec![];
        for (nth, (part, &ranks)) in self.parts().zip(ranks).enumerate() {
            extended.clear();
            part.segment.extend_left(ranks, before, &mut extended)?;
            places.extend(extended.iter().map(|&(position, more)| (more, nth, position)));
        }
        let most = places.iter().map(|&(more, ..)| more).max().unwrap_or(0);
        let longest = places.into_iter().filter(|&(more, ..)| more == most);
        let positions: Vec<_> =
            longest.map(|(more, nth, position)| (nth, position - more as Position)).collect();
        search.low += most;
        search.high = search.low + 1;
        search.count = positions.len() as u64;
        search.positions = Some(positions);
        Ok(())
    }

    /// How often a context goes on with a text, or ends its row there; `None` if that is faster
    /// found by a search for both.
    pub(super) fn followed(
        &self,
        context: &Context<'_>,
        next: Option<Pattern<'_>>,
        most: u64,
    ) -> Result<Option<u64>> {
        let depth = context.text.len();
        match &context.places {
            Places::Ranks(all) => {
                let mut count = 0;
                for (part, &ranks) in self.parts().zip(all) {
                    count += match next {
                        None => part.segment.ending(ranks, depth)?,
                        Some(next) if next.len() == 1 && ranks.len() <= most => {
                            part.segment.following(ranks, depth, next.symbol(0))?.len()
                        }
                        Some(_) => return Ok(None),
                    };
                }
                Ok(Some(count))
            }
            Places::Positions(positions) => {
                let mut count = 0;
                let length = next.map_or(1, |next| next.len());
                let parts: Vec<_> = self.parts().collect();
                for &(nth, position) in positions {
                    let follows = (0..length).try_fold(true, |follows, at| {
                        let place = position + (depth + at) as Position;
                        let symbol = next.map(|next| next.symbol(at));
                        Ok::<_, crate::Error>(
                            follows && parts[nth].segment.symbol_at(place)? == symbol,
                        )
                    });
                    count += u64::from(follows?);
                }
                Ok(Some(count))
            }
        }
    }

    /// Whether a context goes on with one symbol only; `count` of its occurrences do so with one that
    /// is known.
    pub(super) fn is_sparse(&self, context: &Context<'_>, count: u64) -> Result<bool> {
        match &context.places {
            Places::Ranks(ranks) => self.sparse(ranks, context.text.len(), context.count, count),
            Places::Positions(_) => {
                let mut found = vec![];
                self.continuations(context, &mut found)?;
                Ok(found.windows(2).all(|pair| pair[0] == pair[1]))
            }
        }
    }

    /// Appends the symbols that a context goes on with, and how often; `None` for the end of a row.
    /// A symbol may come several times.
    pub(super) fn continuations(
        &self,
        context: &Context<'_>,
        found: &mut Vec<(Option<u32>, u64)>,
    ) -> Result<()> {
        let depth = context.text.len();
        match &context.places {
            Places::Ranks(all) => self
                .parts()
                .zip(all)
                .try_for_each(|(part, &ranks)| part.segment.continuations(ranks, depth, found)),
            Places::Positions(positions) => {
                let parts: Vec<_> = self.parts().collect();
                positions.iter().try_for_each(|&(nth, position)| {
                    let symbol = parts[nth].segment.symbol_at(position + depth as Position)?;
                    found.push((symbol, 1));
                    Ok(())
                })
            }
        }
    }
}

impl Search {
    /// The length to look for next; `None` if the longest one is known.
    fn next(&self, length: usize) -> Option<usize> {
        (self.low + 1 < self.high).then(|| {
            if self.high > length {
                (2 * self.low).max(GUESS).min(length)
            } else {
                self.low.midpoint(self.high)
            }
        })
    }
}
