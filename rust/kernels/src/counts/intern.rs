//! Numbers for distinct strings: a table whose entries hold short strings themselves, so that most
//! look-ups touch one line of memory.

use crate::bits::prefetch;

/// Bytes behind a string that [`Interner::intern`] may read, whatever they hold.
pub(crate) const PADDING: usize = 64;

/// The longest string that lies in its entry.
const INLINE: usize = 15;
const EMPTY: u32 = u32::MAX;
/// The most distinct strings.
pub(crate) const MAX_STRINGS: usize = u32::MAX as usize - 1;

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: [u64; 2],
    id: u32,
}

const FREE: Entry = Entry { key: [0; 2], id: EMPTY };

/// Distinct strings, numbered as they come.
#[derive(Clone, Debug)]
pub(crate) struct Interner {
    table: Vec<Entry>,
    strings: Strings,
}

/// Strings with numbers from 0 on.
pub(crate) trait StringList {
    /// How many.
    fn len(&self) -> usize;

    /// The string of a number.
    fn get(&self, at: usize) -> &[u8];
}

/// Strings end to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strings {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<usize>,
}

impl StringList for Strings {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn get(&self, at: usize) -> &[u8] {
        Self::get(self, at)
    }
}

impl Strings {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[at]]
    }

    pub(crate) fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len());
    }

    /// The place of each string in the order of bytes.
    pub(crate) fn order(&self) -> Vec<u32> {
        let mut keyed: Vec<(u64, u32)> =
            (0..self.len()).map(|at| (head(self.get(at)), at as u32)).collect();
        keyed.sort_unstable_by(|left, right| {
            left.0
                .cmp(&right.0)
                .then_with(|| self.get(left.1 as usize).cmp(self.get(right.1 as usize)))
        });
        keyed.into_iter().map(|(_, at)| at).collect()
    }

    /// Where `string` stands among sorted strings.
    pub(crate) fn find(&self, string: &[u8]) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle).cmp(string) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }
}

/// The first eight bytes, so that their numbers order as strings do but for ties.
fn head(string: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = string.len().min(8);
    bytes[..length].copy_from_slice(&string[..length]);
    u64::from_be_bytes(bytes)
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ (product >> 64) as u64
}

const SEEDS: [u64; 3] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9];

#[inline]
fn hash(key: [u64; 2]) -> u64 {
    fold(key[0] ^ SEEDS[0], key[1] ^ SEEDS[1])
}

/// A short string's key: itself and its length.
#[inline]
fn short_key(text: &[u8], start: usize, stop: usize) -> [u64; 2] {
    let length = stop - start;
    let whole = text
        .get(start..start + 16)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u128::from_le_bytes);
    let kept = whole & !(u128::MAX << (8 * length));
    [kept as u64, (kept >> 64) as u64 | (length as u64) << 56]
}

/// A string of at most [`INLINE`] bytes, as [`short_key`] reads it.
fn padded(string: &[u8]) -> [u8; 16] {
    let mut padded = [0; 16];
    padded[..string.len()].copy_from_slice(string);
    padded
}

/// A long string's key: 120 bits of hash, and a length that no short one has.
fn long_key(string: &[u8]) -> [u64; 2] {
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    let (mut one, mut two) = (string.len() as u64, SEEDS[2]);
    for pair in string.chunks(16) {
        let (low, high) = pair.split_at(pair.len().min(8));
        one = fold(one ^ word(low) ^ SEEDS[0], word(high) ^ SEEDS[1]);
        two = fold(two.rotate_left(23) ^ word(high) ^ SEEDS[2], word(low) ^ SEEDS[0]);
    }
    [one, two >> 8 | 0xFF << 56]
}

impl Default for Interner {
    fn default() -> Self {
        Self { table: vec![FREE; 1 << 10], strings: Strings::default() }
    }
}

impl Interner {
    /// Distinct strings so far.
    pub(crate) fn len(&self) -> usize {
        self.strings.len()
    }

    pub(crate) fn strings(&self) -> &Strings {
        &self.strings
    }

    pub(crate) fn memory(&self) -> usize {
        self.table.capacity() * size_of::<Entry>()
            + self.strings.bytes.capacity()
            + self.strings.ends.capacity() * 8
    }

    /// Where the string of a key stands, or the free place where it would: of those with its key the
    /// one that `is_it`, asked of its number.
    #[inline]
    fn place(&self, key: [u64; 2], is_it: impl Fn(u32) -> bool) -> usize {
        let mask = self.table.len() - 1;
        let mut at = hash(key) as usize & mask;
        loop {
            let entry = self.table[at];
            if entry.id == EMPTY || entry.key == key && is_it(entry.id) {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    /// [`Interner::place`] of a long string, whose key may be another one's too.
    fn place_long(&self, key: [u64; 2], string: &[u8]) -> usize {
        self.place(key, |id| self.strings.get(id as usize) == string)
    }

    /// The number of `text[start..stop]`, behind which `text` has [`PADDING`] bytes more.
    #[inline]
    pub(crate) fn intern(&mut self, text: &[u8], start: usize, stop: usize) -> u32 {
        if stop - start > INLINE {
            return self.intern_long(&text[start..stop]);
        }
        let key = short_key(text, start, stop);
        let at = self.place(key, |_| true);
        self.number(at).unwrap_or_else(|| self.add(at, key, &text[start..stop]))
    }

    /// The number of a string that lies anywhere.
    pub(crate) fn intern_bytes(&mut self, string: &[u8]) -> u32 {
        if string.len() > INLINE {
            return self.intern_long(string);
        }
        self.intern(&padded(string), 0, string.len())
    }

    fn intern_long(&mut self, string: &[u8]) -> u32 {
        let key = long_key(string);
        let at = self.place_long(key, string);
        self.number(at).unwrap_or_else(|| self.add(at, key, string))
    }

    /// Asks memory for where [`Interner::find`] will look.
    #[inline]
    pub(crate) fn ask(&self, text: &[u8], start: usize, stop: usize) {
        if stop - start <= INLINE {
            let place = hash(short_key(text, start, stop)) as usize & (self.table.len() - 1);
            prefetch(&self.table, place);
        }
    }

    /// The number that `text[start..stop]` has, behind which `text` has [`PADDING`] bytes more.
    #[inline]
    pub(crate) fn find(&self, text: &[u8], start: usize, stop: usize) -> Option<u32> {
        if stop - start > INLINE {
            return self.find_long(&text[start..stop]);
        }
        self.number(self.place(short_key(text, start, stop), |_| true))
    }

    /// The number that a string has that lies anywhere.
    pub(crate) fn find_bytes(&self, string: &[u8]) -> Option<u32> {
        if string.len() > INLINE {
            return self.find_long(string);
        }
        self.find(&padded(string), 0, string.len())
    }

    fn find_long(&self, string: &[u8]) -> Option<u32> {
        self.number(self.place_long(long_key(string), string))
    }

    /// The number at a place; `None` if it is free.
    #[inline]
    fn number(&self, at: usize) -> Option<u32> {
        let Entry { id, .. } = self.table[at];
        (id != EMPTY).then_some(id)
    }

    #[cold]
    fn add(&mut self, at: usize, key: [u64; 2], string: &[u8]) -> u32 {
        let id = self.strings.len() as u32;
        self.strings.push(string);
        self.table[at] = Entry { key, id };
        if self.strings.len() * 5 > self.table.len() * 3 {
            self.grow();
        }
        id
    }

    fn grow(&mut self) {
        let length = self.table.len() * 2;
        let old = std::mem::replace(&mut self.table, vec![FREE; length]);
        for entry in old {
            if entry.id != EMPTY {
                let mut at = hash(entry.key) as usize & (length - 1);
                while self.table[at].id != EMPTY {
                    at = (at + 1) & (length - 1);
                }
                self.table[at] = entry;
            }
        }
    }
}
