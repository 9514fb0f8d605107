//! Pieces and characters of a row of text or bytes, and words by number.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// A hasher that is fast on short keys; maps compare the keys themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixer(u64);

/// Makes [`Mixer`]s.
pub type Fast = BuildHasherDefault<Mixer>;

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0 ^ hash(bytes));
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = mix(self.0 ^ u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0 ^ value);
    }

    fn write_usize(&mut self, value: usize) {
        self.0 = mix(self.0 ^ value as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Spreads a number over all bits.
#[inline]
pub fn mix(value: u64) -> u64 {
    let product = u128::from(value) * 0x9E37_79B9_7F4A_7C15;
    (product >> 64) as u64 ^ product as u64
}

/// A number of some bytes.
#[inline]
pub fn hash(bytes: &[u8]) -> u64 {
    let mut state = (bytes.len() as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let mut rest = bytes;
    while let Some((head, tail)) = rest.split_first_chunk() {
        state = mix(state ^ u64::from_le_bytes(*head));
        rest = tail;
    }
    // The last few without a copy of unknown length, which would be a call.
    let last = match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(head), Some(tail)) => {
            u64::from(u32::from_le_bytes(*head)) | u64::from(u32::from_le_bytes(*tail)) << 32
        }
        _ => match *rest {
            [] => 0,
            [a] => u64::from(a),
            [a, .., c] => u64::from(a) | u64::from(rest[rest.len() / 2]) << 8 | u64::from(c) << 16,
        },
    };
    mix(state ^ last)
}

/// Which things that are added one after another are the same: an open hash table whose memory serves
/// many short lists in turn.
#[derive(Debug, Default)]
pub struct Numbers {
    /// The list that a slot was last of, some bits of the hash, and the number.
    slots: Vec<(u32, u32, u32)>,
    list: u32,
    mask: usize,
}

impl Numbers {
    /// Begins a list of so many things at most.
    pub fn begin(&mut self, most: usize) {
        let slots = (most * 2).next_power_of_two().max(8);
        if self.slots.len() < slots {
            self.slots.resize(slots, (0, 0, 0));
        }
        self.mask = slots - 1;
        self.list = self.list.wrapping_add(1);
        if self.list == 0 {
            self.slots.fill((0, 0, 0));
            self.list = 1;
        }
    }

    /// The number of the thing with that hash for which `same` holds; `new` if there is none, which
    /// is its number from now on.
    #[inline]
    pub fn number(&mut self, hash: u64, new: u32, same: impl Fn(u32) -> bool) -> u32 {
        let tag = (hash >> 32) as u32;
        let mut at = hash as usize & self.mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.0 != self.list {
                *slot = (self.list, tag, new);
                return new;
            }
            if slot.1 == tag && same(slot.2) {
                return slot.2;
            }
            at = (at + 1) & self.mask;
        }
    }
}

/// The words of a row.
#[derive(Debug, Default)]
pub struct Words {
    /// A number for each word, the same for the same one, in the order in which they appear.
    pub ids: Vec<u32>,
    /// Whether a word holds a space.
    pub spaces: bool,
    /// All words without anything between them, and where each starts, and the last one ends.
    packed: Vec<u8>,
    starts: Vec<usize>,
    /// Characters of all words before each, and of all.
    characters: Vec<usize>,
    /// The first word of each number.
    firsts: Vec<u32>,
}

impl Words {
    /// Takes what whitespace separates, in place of the words before.
    pub fn split(&mut self, text: &[u8], numbers: &mut Numbers) {
        self.begin();
        let ascii = text.is_ascii();
        pieces(text, |start, stop| self.push(&text[start..stop], ascii));
        self.number(numbers);
    }

    /// Takes words that someone else has found.
    pub fn take<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>, numbers: &mut Numbers) {
        self.begin();
        for word in words {
            self.spaces |= word.contains(&b' ');
            self.push(word, false);
        }
        self.number(numbers);
    }

    fn begin(&mut self) {
        self.spaces = false;
        self.packed.clear();
        self.starts.clear();
        self.starts.push(0);
        self.characters.clear();
        self.characters.push(0);
    }

    fn push(&mut self, word: &[u8], ascii: bool) {
        self.packed.extend_from_slice(word);
        self.starts.push(self.packed.len());
        let before = self.characters.last().copied().unwrap_or(0);
        self.characters.push(before + if ascii { word.len() } else { length(word) });
    }

    fn number(&mut self, numbers: &mut Numbers) {
        let Self { ids, packed, starts, firsts, .. } = self;
        ids.clear();
        firsts.clear();
        numbers.begin(starts.len());
        let word = |at: usize| &packed[starts[at]..starts[at + 1]];
        for at in 0..starts.len() - 1 {
            let new = firsts.len() as u32;
            let same = |other: u32| word(firsts[other as usize] as usize) == word(at);
            let id = numbers.number(hash(word(at)), new, same);
            if id == new {
                firsts.push(at as u32);
            }
            ids.push(id);
        }
    }

    /// Characters of so many words from one on, without spaces.
    pub fn characters(&self, from: usize, words: usize) -> usize {
        self.characters[from + words] - self.characters[from]
    }

    /// So many words from one on, without spaces.
    pub fn packed(&self, from: usize, words: usize) -> &[u8] {
        &self.packed[self.starts[from]..self.starts[from + words]]
    }

    /// So many words from one on, with spaces.
    pub fn spaced(&self, from: usize, words: usize) -> Vec<u8> {
        let words: Vec<&[u8]> = (from..from + words).map(|at| self.packed(at, 1)).collect();
        words.join(&b' ')
    }

    /// The places at which n-grams start.
    pub fn places(&self, n: usize) -> std::ops::Range<usize> {
        0..(self.ids.len() + 1).saturating_sub(n)
    }
}

/// What Python calls a space.
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

static SPACES: LazyLock<[bool; 256]> =
    LazyLock::new(|| std::array::from_fn(|byte| byte < 128 && is_space(byte as u8 as char)));

/// Calls `each` with where every piece between whitespace starts and stops, as Python's `str.split`
/// has them; of what is no text each byte is a character of a piece.
pub fn pieces(text: &[u8], mut each: impl FnMut(usize, usize)) {
    if text.is_ascii() {
        let spaces = &*SPACES;
        let mut at = 0;
        loop {
            while text.get(at).is_some_and(|&byte| spaces[usize::from(byte)]) {
                at += 1;
            }
            let start = at;
            while text.get(at).is_some_and(|&byte| !spaces[usize::from(byte)]) {
                at += 1;
            }
            if start == at {
                return;
            }
            each(start, at);
        }
    }
    let mut open = None;
    characters(text, |start, _, character| {
        if character.is_some_and(is_space) {
            if let Some(open) = open.take() {
                each(open, start);
            }
        } else {
            open.get_or_insert(start);
        }
    });
    if let Some(open) = open {
        each(open, text.len());
    }
}

/// Calls `each` with where every character starts and stops, and what it is; of what is no text each
/// byte, which is none.
pub fn characters(text: &[u8], mut each: impl FnMut(usize, usize, Option<char>)) {
    let mut at = 0;
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            let end = at + character.len_utf8();
            each(at, end, Some(character));
            at = end;
        }
        for _ in chunk.invalid() {
            each(at, at + 1, None);
            at += 1;
        }
    }
}

/// Characters of a text; bytes of what is none count one by one.
pub fn length(text: &[u8]) -> usize {
    match std::str::from_utf8(text) {
        Ok(text) => text.chars().count(),
        Err(_) => text
            .utf8_chunks()
            .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
            .sum(),
    }
}

/// A number for each token, the same for the same one, in the order in which they appear.
pub fn number(tokens: &[u32], numbers: &mut Numbers) -> Vec<u32> {
    let mut known: Vec<u32> = vec![];
    numbers.begin(tokens.len());
    let number = |&token: &u32| {
        let new = known.len() as u32;
        let id = numbers.number(mix(token.into()), new, |other| known[other as usize] == token);
        if id == new {
            known.push(token);
        }
        id
    };
    tokens.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_are_what_the_library_splits(
            text in "[aé \\n\u{1c}\u{2003}\u{a0}€]{0,30}",
            ascii in "[ab \\n\\t\u{1f}]{0,30}",
        ) {
            for text in [text, ascii] {
                let mut found = vec![];
                pieces(text.as_bytes(), |start, stop| found.push(&text[start..stop]));
                let expected: Vec<&str> =
                    text.split(is_space).filter(|piece| !piece.is_empty()).collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn characters_cover_the_bytes(text in vec(any::<u8>(), 0..40)) {
            let mut end = 0;
            let mut count = 0;
            characters(&text, |start, stop, _| {
                assert_eq!(start, end);
                (end, count) = (stop, count + 1);
            });
            prop_assert_eq!(end, text.len());
            prop_assert_eq!(count, length(&text));
        }

        #[test]
        fn the_same_words_have_the_same_number(rows in vec(vec("[ab]{0,11}", 0..40), 1..4)) {
            let (mut words, mut numbers) = (Words::default(), Numbers::default());
            for row in rows {
                words.take(row.iter().map(String::as_bytes), &mut numbers);
                let mut known: Vec<&str> = vec![];
                for (word, &id) in row.iter().zip(&words.ids) {
                    let place = known.iter().position(|other| other == word);
                    if place.is_none() {
                        known.push(word);
                    }
                    prop_assert_eq!(id as usize, place.unwrap_or(known.len() - 1));
                }
                if row.len() >= 3 {
                    prop_assert_eq!(words.packed(1, 2), [&*row[1], &*row[2]].concat().into_bytes());
                    prop_assert_eq!(words.spaced(0, 3), row[..3].join(" ").into_bytes());
                }
            }
        }
    }
}
