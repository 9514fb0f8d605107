//! Bits in blocks of 248, each in the shortest of three forms: as they are, as the places of the
//! ones or zeros, whichever are fewer, or as the places where runs end. Places are coded as Elias
//! (1974) and Fano (1971) did; blocks that choose are of Kärkkäinen, Kempa and Puglisi (2014).

use super::{BitVector, Bits, Stream, mask, prefetch, whole_block};
use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::Result;

/// Bits a block: 31 bytes, and their ones in one byte.
const BITS: usize = 248;

/// Bytes of a block as it is.
const WHOLE: usize = BITS / 8;

/// Blocks under one head.
const BLOCKS: usize = 16;

/// Words of a head, half a cache line: in the first two the ones and bytes before it in its stream,
/// and each block's bytes; in the others each block's ones.
const HEAD: usize = 4;

/// Bits of either number before a head.
const BEFORE: usize = 24;

/// Bits of a block's size.
const SIZE_BITS: usize = 5;

/// Blocks whose sizes are read as one number, and their bits; where the others' start in the second
/// word of a head.
const SIZES: usize = 12;
const FIRST: usize = SIZES * SIZE_BITS;
const SECOND: usize = 2 * BEFORE + FIRST - 64;

/// Bytes of a cache line: what hints count.
const LINE: usize = 64;

/// Bytes that are read of a block, and zeros behind the last one, so that they may be.
const PADDING: usize = 48;

/// Low bits of a place that are kept apart, for so many places.
const LOW: [u8; BITS + 1] = {
    let mut low = [0; BITS + 1];
    let mut count = 1;
    while count <= BITS {
        low[count] = (BITS / count).ilog2() as u8;
        count += 1;
    }
    low
};

/// So few places are a byte each: that takes no more, and all are compared at once.
const FEW: usize = 7;

/// Bytes that so many places take.
const fn places_size(count: usize) -> usize {
    let low = LOW[count] as usize;
    if count <= FEW { count } else { (count * low + count + (BITS >> low)).div_ceil(8) }
}

/// Bytes of a block of so many ones whose runs are not looked at.
const SIZE: [u8; BITS + 1] = {
    let mut size = [0; BITS + 1];
    let mut ones = 1;
    while ones < BITS {
        let bytes = places_size(if ones < BITS - ones { ones } else { BITS - ones });
        size[ones] = if bytes < WHOLE { bytes as u8 } else { WHOLE as u8 };
        ones += 1;
    }
    size
};

/// Bits that compress where ones are few, many, or come in runs.
#[derive(Debug)]
pub struct Hybrid {
    heads: Block<u64>,
    bytes: Block<u8>,
    /// For each head about where its blocks are, in cache lines from its stream's first byte on: they
    /// are asked for while the head is.
    hints: Block<u8>,
}

/// A head, a block under it, and a place in that: its first byte, its ones and bytes, and the ones
/// before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spot {
    head: usize,
    from: usize,
    rank: u32,
    block: u8,
    at: u8,
    ones: u8,
    size: u8,
}

/// Streams on their way into a [`Hybrid`].
#[derive(Debug, Default)]
pub struct Builder {
    heads: Vec<u64>,
    bytes: Vec<u8>,
    hints: Vec<u8>,
}

impl BitVector for Hybrid {
    type Builder = Builder;

    fn push(builder: &mut Builder, bits: &Bits) -> Stream {
        let Builder { heads, bytes, hints } = builder;
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let first = bytes.len();
        let stream = Stream { head: (heads.len() / HEAD) as u32, tail: (first / 8) as u32 };
        let mut rank = 0;
        // A block more than full ones, so that behind the last bit there is one to ask.
        for start in (0..=bits.len()).step_by(BITS * BLOCKS) {
            let mut sizes = u128::from(rank) | ((bytes.len() - first) as u128) << BEFORE;
            let mut counts = 0_u128;
            hints.push(((bytes.len() - first) / LINE).min(usize::from(u8::MAX)) as u8);
            for nth in 0..BLOCKS {
                let from = bytes.len();
                let ones = encode(bits, start + nth * BITS, bytes);
                sizes |= ((bytes.len() - from) as u128) << (2 * BEFORE + nth * SIZE_BITS);
                counts |= (ones as u128) << (nth * 8);
                rank += ones as u64;
            }
            for half in [sizes, counts] {
                heads.extend([half as u64, (half >> 64) as u64]);
            }
        }
        stream
    }

    fn build(mut builder: Builder) -> Self {
        builder.bytes.extend([0; PADDING]);
        let Builder { heads, bytes, hints } = builder;
        Self { heads: heads.into(), bytes: bytes.into(), hints: hints.into() }
    }

    type Spot = Spot;

    #[inline]
    fn spot(&self, stream: Stream, at: usize) -> Spot {
        let (block, at) = (at / BITS, at % BITS);
        let head = (stream.head as usize).saturating_add(block / BLOCKS);
        let tail = stream.tail as usize * 8;
        if let Some(&[line, next]) = self.hints.get(head..).and_then(|rest| rest.first_chunk()) {
            let lines = usize::from(next.saturating_sub(line));
            let about = tail + LINE * usize::from(line) + LINE * lines * (block % BLOCKS) / BLOCKS;
            prefetch(&self.bytes, about);
            prefetch(&self.bytes, about + LINE);
        }
        let head = head.saturating_mul(HEAD);
        prefetch(&self.heads, head);
        Spot { head, block: (block % BLOCKS) as u8, from: tail, at: at as u8, ..Spot::default() }
    }

    #[inline]
    fn settle(&self, spot: &mut Spot) {
        let head = self.heads.get(spot.head..).and_then(|rest| rest.first_chunk::<HEAD>());
        let Some(&[first, second, low, high]) = head else {
            *spot = Spot::default();
            return;
        };
        let block = usize::from(spot.block) % BLOCKS;
        let counts = [low, high];
        spot.rank = (first & mask(BEFORE)) as u32 + sum_counts(counts, block) as u32;
        // The sizes of the first blocks, and of the others.
        let sizes =
            [(first >> (2 * BEFORE) | second << (64 - 2 * BEFORE)) & mask(FIRST), second >> SECOND];
        spot.from += (first >> BEFORE & mask(BEFORE)) as usize + sum_sizes(sizes, block);
        prefetch(&self.bytes, spot.from);
        spot.ones = ((counts[block / 8] >> (block % 8 * 8)) as u8).min(BITS as u8);
        let size = sizes[block / SIZES] >> (block % SIZES * SIZE_BITS) & mask(SIZE_BITS);
        spot.size = size as u8;
    }

    #[inline]
    fn about(&self, spot: &Spot) -> [usize; 2] {
        [spot.rank as usize + usize::from(spot.ones) * usize::from(spot.at) / BITS; 2]
    }

    #[inline]
    fn read(&self, spot: Spot) -> (bool, usize) {
        let Spot { from, at, ones, size, rank, .. } = spot;
        let (at, ones, size) = (usize::from(at), usize::from(ones), usize::from(size));
        let rank = rank as usize;
        if size == 0 {
            return (ones > 0, if ones > 0 { rank + at } else { rank });
        }
        let Some(bytes) = self.bytes.get(from..).and_then(|rest| rest.first_chunk()) else {
            return (false, rank);
        };
        let (bit, before) = if size < usize::from(SIZE[ones]) {
            runs(bytes, at)
        } else if size == WHOLE {
            whole(bytes, at)
        } else if ones <= BITS - ones {
            listed(bytes, ones, at)
        } else {
            let (is_zero, before) = listed(bytes, BITS - ones, at);
            (!is_zero, at.wrapping_sub(before))
        };
        (bit, rank.wrapping_add(before))
    }

    fn bytes(&self) -> usize {
        self.heads.len() * 8 + self.bytes.len() + self.hints.len()
    }

    fn blocks(&self, name: &str) -> Vec<BlockToWrite<'_>> {
        vec![
            BlockToWrite::new(format!("{name}_heads"), "u64", &self.heads),
            BlockToWrite::new(format!("{name}_bytes"), "u8", &self.bytes),
            BlockToWrite::new(format!("{name}_hints"), "u8", &self.hints),
        ]
    }

    fn open(file: &SegmentFile, name: &str) -> Result<Self> {
        Ok(Self {
            heads: whole_block(file, &format!("{name}_heads"), "u64")?,
            bytes: whole_block(file, &format!("{name}_bytes"), "u8")?,
            hints: whole_block(file, &format!("{name}_hints"), "u8")?,
        })
    }
}

/// The lowest bits of two numbers of `width` bits, `count` of them in all.
fn lowest(numbers: [u64; 2], width: usize, count: usize) -> [u64; 2] {
    [numbers[0] & mask(count.min(width)), numbers[1] & mask(count.saturating_sub(width))]
}

/// The ones of the first blocks under a head, given those of each in a byte.
fn sum_counts(counts: [u64; 2], blocks: usize) -> usize {
    // Pairs, then all at once: their sums need two bytes.
    const PAIRS: u64 = 0x00FF_00FF_00FF_00FF;
    let [low, high] =
        lowest(counts, 64, blocks * 8).map(|bytes| (bytes & PAIRS) + (bytes >> 8 & PAIRS));
    ((low + high).wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
}

/// The bytes of the first blocks under a head, as [`sum_counts`]: their sums need twice their bits.
fn sum_sizes(sizes: [u64; 2], blocks: usize) -> usize {
    const PAIRS: u64 = 0x007C_1F07_C1F0_7C1F;
    const ALL: u64 = 1 | 1 << 10 | 1 << 20 | 1 << 30 | 1 << 40 | 1 << 50;
    let [low, high] = lowest(sizes, FIRST, blocks * SIZE_BITS)
        .map(|sizes| (sizes & PAIRS) + (sizes >> SIZE_BITS & PAIRS));
    ((low + high).wrapping_mul(ALL) >> 50) as usize & mask(2 * SIZE_BITS) as usize
}

/// Appends the block of bits that starts at `start`; gives its ones.
fn encode(bits: &Bits, start: usize, bytes: &mut Vec<u8>) -> usize {
    let words: [u64; 4] =
        std::array::from_fn(|nth| bits.get(start + nth * 64, if nth == 3 { 56 } else { 64 }));
    let bit = |at: usize| words[at / 64] >> (at % 64) & 1 == 1;
    let ones = words.iter().map(|word| word.count_ones() as usize).sum::<usize>();
    let size = usize::from(SIZE[ones]);
    let ends: Vec<usize> = (1..BITS).filter(|&at| bit(at) != bit(at - 1)).collect();
    if 1 + places_size(ends.len()) < size {
        bytes.push((ends.len() << 1 | usize::from(bit(0))) as u8);
        list(&ends, bytes);
    } else if size == WHOLE {
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()).take(size));
    } else {
        let fewer = ones <= BITS - ones;
        let places: Vec<usize> = (0..BITS).filter(|&at| bit(at) == fewer).collect();
        if size > 0 {
            list(&places, bytes);
        }
    }
    ones
}

/// Appends places: as bytes, or the low bits of each, then the high ones, in unary.
fn list(places: &[usize], bytes: &mut Vec<u8>) {
    let count = places.len();
    if count <= FEW {
        bytes.extend(places.iter().map(|&place| place as u8));
        return;
    }
    let low = usize::from(LOW[count]);
    let mut coded = [0_u64; 4];
    for (nth, &place) in places.iter().enumerate() {
        let value = place as u64 & mask(low);
        let (word, shift) = (nth * low / 64, nth * low % 64);
        coded[word] |= value << shift;
        if shift + low > 64 {
            coded[word + 1] |= value >> (64 - shift);
        }
        let one = count * low + nth + (place >> low);
        coded[one / 64] |= 1 << (one % 64);
    }
    bytes.extend(coded.iter().flat_map(|word| word.to_le_bytes()).take(places_size(count)));
}

/// What is read of a block.
type Bytes = [u8; PADDING];

/// 64 bits of a block from a byte on.
fn word(bytes: &Bytes, from: usize) -> u64 {
    bytes[from % 32..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
}

/// The bit at a place of a block as it is, and the ones before it.
fn whole(bytes: &Bytes, at: usize) -> (bool, usize) {
    let mut before = 0;
    // All words, those behind masked away: the number of turns would be guessed wrong.
    for nth in 0..4 {
        let kept = mask(at.saturating_sub(nth * 64).min(64));
        before += (word(bytes, nth * 8) & kept).count_ones();
    }
    (bytes[at / 8] >> (at % 8) & 1 == 1, before as usize)
}

/// A few places from a byte on, and behind them what is greater than all.
fn few(bytes: &Bytes, from: usize, count: usize) -> u64 {
    word(bytes, from) | !mask(count * 8)
}

/// How many of eight bytes, in order, are at most `most`: the comparison of all at once of Lamport
/// (1975).
fn up_to(bytes: u64, most: usize) -> usize {
    const ONES: u64 = u64::MAX / 0xFF;
    const TOPS: u64 = ONES << 7;
    let most = most as u64 * ONES;
    // By the lower bits, where the top ones do not say it.
    let lower = (most | TOPS) - (bytes & !TOPS);
    let at_most = (most & !bytes) | (!(most ^ bytes) & lower);
    (at_most & TOPS).count_ones() as usize
}

/// Whether a place is among the `count` listed ones, and how many of them are before it.
fn listed(bytes: &Bytes, count: usize, at: usize) -> (bool, usize) {
    if count > FEW {
        return Places::new(bytes, 0, count).before(at);
    }
    let places = few(bytes, 0, count);
    let up_to = up_to(places, at);
    // The last of them, if there is one.
    let is_listed = places << 8 >> (up_to * 8) as u32 & 0xFF == at as u64 && up_to > 0;
    (is_listed, up_to - usize::from(is_listed))
}

/// Places that [`list`] wrote.
#[derive(Debug)]
struct Places<'a> {
    bytes: &'a Bytes,
    /// The bit at which their low bits start.
    start: usize,
    count: usize,
    low: usize,
    /// High bits in unary. They are 121 at most, where places take fewer bytes than a block.
    unary: [u64; 2],
}

impl<'a> Places<'a> {
    /// So many places, that start at a bit.
    fn new(bytes: &'a Bytes, start: usize, count: usize) -> Self {
        let low = usize::from(LOW[count]);
        let high = start + count * low;
        let two = bytes[high / 8 % 32..].first_chunk().map_or(0, |two| u128::from_le_bytes(*two));
        let two = two >> (high % 8);
        Self { bytes, start, count, low, unary: [two as u64, (two >> 64) as u64] }
    }

    /// The low bits of a place.
    fn low(&self, nth: usize) -> usize {
        let bit = self.start + nth * self.low;
        (word(self.bytes, bit / 8) >> (bit % 8) & mask(self.low)) as usize
    }

    /// Whether `at` is one of the places, and how many are before it.
    fn before(&self, at: usize) -> (bool, usize) {
        let (high, low) = (at >> self.low, at & mask(self.low) as usize);
        // A zero ends the places of one high part.
        let mut nth = if high == 0 { 0 } else { (self.zero(high - 1) + 1).saturating_sub(high) };
        while nth < self.count && self.unary(nth + high) {
            let place = self.low(nth);
            if place >= low {
                return (place == low, nth);
            }
            nth += 1;
        }
        (false, nth)
    }

    fn unary(&self, bit: usize) -> bool {
        self.unary[bit / 64 % 2] >> (bit % 64) & 1 == 1
    }

    /// Where the zero is that has `nth` before it.
    fn zero(&self, nth: usize) -> usize {
        let [first, second] = self.unary.map(|word| !word);
        let zeros = first.count_ones() as usize;
        if nth < zeros { select(first, nth) } else { 64 + select(second, nth - zeros) }
    }
}

/// Where the one is that has `nth` before it; behind the last bit if there is none. Ones are added up
/// in bytes side by side (Vigna 2008).
fn select(word: u64, nth: usize) -> usize {
    const ONES: u64 = u64::MAX / 0xFF;
    const TOPS: u64 = ONES << 7;
    let pairs = word - (word >> 1 & (u64::MAX / 3));
    let fours = (pairs & (u64::MAX / 5)) + (pairs >> 2 & (u64::MAX / 5));
    let sums = ((fours + (fours >> 4)) & (u64::MAX / 17)).wrapping_mul(ONES);
    let nth = nth.min(64) as u64;
    // A byte's top bit stays where no more ones than `nth` are up to its end.
    let byte = 8 * ((((nth * ONES) | TOPS) - sums) & TOPS).count_ones();
    if byte == 64 {
        return 64;
    }
    let rest = nth - (sums << 8 >> byte & 0xFF);
    let mut bits = (word >> byte) as u8;
    for _ in 0..rest {
        bits &= bits.wrapping_sub(1);
    }
    (byte + bits.trailing_zeros()) as usize
}

/// The bit at a place of a block of runs, and the ones before it: the places where runs end, added and
/// taken away in turn.
fn runs(bytes: &Bytes, at: usize) -> (bool, usize) {
    let (first, count) = (bytes[0] & 1 == 1, usize::from(bytes[0] >> 1));
    if count <= FEW {
        return few_runs(few(bytes, 1, count), first, at);
    }
    /// Low bits of so many places are whole bytes, and a word holds them.
    const TURN: usize = 16;
    let Places { low, unary: [mut unary, mut rest], .. } = Places::new(bytes, 8, count);
    let (mut lows, mut base) = (0, 0);
    let (mut ended, mut turns) = (0, 0);
    while ended < count {
        if ended % TURN == 0 {
            lows = word(bytes, 1 + ended * low / 8);
        }
        if unary == 0 {
            (unary, rest, base) = (rest, 0, 64);
        }
        let high = base + unary.trailing_zeros() as usize;
        let end = high.wrapping_sub(ended) << low | (lows & mask(low)) as usize;
        if end > at {
            break;
        }
        turns = end.wrapping_sub(turns);
        unary &= unary.wrapping_sub(1);
        lows >>= low;
        ended += 1;
    }
    in_runs(first, ended, turns, at)
}

/// The bit at a place behind so many ends of runs, and the ones before it, given the last end less the
/// one before it, and so on.
fn in_runs(first: bool, ended: usize, turns: usize, at: usize) -> (bool, usize) {
    let even = ended.is_multiple_of(2);
    // Bits like the first one before the last end, and those behind it.
    let like_first = if even { at.wrapping_sub(turns) } else { turns };
    (first == even, if first { like_first } else { at.wrapping_sub(like_first) })
}

/// As [`runs`], of a few ends.
fn few_runs(ends: u64, first: bool, at: usize) -> (bool, usize) {
    const EVERY_OTHER: u64 = 0x00FF_00FF_00FF_00FF;
    let ended = up_to(ends, at);
    let ends = ends & mask(ended * 8);
    let sum = |ends: u64| ((ends & EVERY_OTHER).wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize;
    let turns = sum(ends).wrapping_sub(sum(ends >> 8));
    let turns = if ended.is_multiple_of(2) { turns.wrapping_neg() } else { turns };
    in_runs(first, ended, turns, at)
}
