//! N-grams of a row by number, each order from the one before.

use crate::words::{Numbers, mix};

/// The n-grams of one row and one order: which are the same, and how often each occurs.
#[derive(Debug, Default)]
pub(super) struct Grams {
    /// The order; 0 before there are any.
    n: usize,
    /// The number of the n-gram at each place, in the order in which they appear.
    numbers: Vec<u32>,
    /// Where each first stands, and how often it occurs.
    pub(super) counts: Vec<(u32, u32)>,
    /// The n-gram before and the id behind it, of each.
    keys: Vec<u64>,
}

impl Grams {
    /// Begins with the single ones, which are the ids themselves.
    pub(super) fn begin(&mut self, ids: &[u32]) {
        self.n = 1;
        self.numbers.clear();
        self.numbers.extend_from_slice(ids);
        self.count();
    }

    /// Goes on to the next order: n-grams are the same whose first n - 1 and whose last ids are.
    pub(super) fn longer(&mut self, ids: &[u32], numbers: &mut Numbers) {
        self.n += 1;
        let places = (ids.len() + 1).saturating_sub(self.n);
        let all_differ = self.counts.len() == self.numbers.len();
        self.numbers.truncate(places);
        if all_differ {
            // So do all longer ones.
            self.counts.truncate(places);
            return;
        }
        numbers.begin(places);
        self.keys.clear();
        self.counts.clear();
        for (at, number) in self.numbers.iter_mut().enumerate() {
            let key = u64::from(*number) << 32 | u64::from(ids[at + self.n - 1]);
            let new = self.keys.len() as u32;
            let keys = &self.keys;
            *number = numbers.number(mix(key), new, |other| keys[other as usize] == key);
            if *number == new {
                self.keys.push(key);
                self.counts.push((at as u32, 0));
            }
            self.counts[*number as usize].1 += 1;
        }
    }

    fn count(&mut self) {
        self.counts.clear();
        for (at, &number) in self.numbers.iter().enumerate() {
            if number as usize == self.counts.len() {
                self.counts.push((at as u32, 0));
            }
            self.counts[number as usize].1 += 1;
        }
    }

    /// The number of the n-gram at each place.
    pub(super) fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// Where the first of the most frequent n-grams stands, and how often it occurs.
    pub(super) fn most_frequent(&self) -> Option<(usize, usize)> {
        if self.counts.len() == self.numbers.len() {
            return self.counts.first().map(|&(at, _)| (at as usize, 1));
        }
        let most = |most: (u32, u32), next: (u32, u32)| if next.1 > most.1 { next } else { most };
        self.counts.iter().copied().reduce(most).map(|(at, count)| (at as usize, count as usize))
    }
}
