//! Bits in blocks of 248, each in the shortest of three forms: as they are, as the places of the
//! ones or zeros, whichever are fewer, or as the places where runs end. Places are coded as Elias
//! (1974) and Fano (1971) did; blocks that choose are of Kärkkäinen, Kempa and Puglisi (2014).

use super::{BitVector, Bits, Stream, mask, whole_block};
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

/// Zeros behind the last block, so that 32 bytes may be read from every byte on.
const PADDING: usize = 40;

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

/// Bytes that so many places take.
const fn places_size(count: usize) -> usize {
    let low = LOW[count] as usize;
    if count == 0 { 0 } else { (count * low + count + (BITS >> low)).div_ceil(8) }
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
}

/// A block and a place in it: its first byte, its ones and bytes, and the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    from: usize,
    at: u8,
    ones: u8,
    size: u8,
    rank: u32,
}

/// Streams on their way into a [`Hybrid`].
#[derive(Debug, Default)]
pub struct Builder {
    heads: Vec<u64>,
    bytes: Vec<u8>,
}

impl BitVector for Hybrid {
    type Builder = Builder;

    fn push(builder: &mut Builder, bits: &Bits) -> Stream {
        let Builder { heads, bytes } = builder;
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let first = bytes.len();
        let stream = Stream { head: (heads.len() / HEAD) as u32, tail: (first / 8) as u32 };
        let mut rank = 0;
        // A block more than full ones, so that behind the last bit there is one to ask.
        for start in (0..=bits.len()).step_by(BITS * BLOCKS) {
            let mut sizes = u128::from(rank) | ((bytes.len() - first) as u128) << BEFORE;
            let mut counts = 0_u128;
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
        Self { heads: builder.heads.into(), bytes: builder.bytes.into() }
    }

    type Spot = Spot;

    #[inline]
    fn spot(&self, stream: Stream, at: usize) -> Spot {
        let (block, at) = (at / BITS, at % BITS);
        let start = (stream.head as usize).saturating_add(block / BLOCKS).saturating_mul(HEAD);
        let Some(head) = self.heads.get(start..).and_then(|head| head.first_chunk::<HEAD>()) else {
            return Spot::default();
        };
        let [a, b, c, d] = head.map(u128::from);
        let (sizes, counts) = (a | b << 64, c | d << 64);
        let mut rank = (a as u64 & mask(BEFORE)) as usize;
        let mut from = stream.tail as usize * 8 + ((a as u64 >> BEFORE) & mask(BEFORE)) as usize;
        let block = block % BLOCKS;
        let before = (1_u128 << (block * 8)) - 1;
        rank += sum_bytes(counts & before);
        let sizes = sizes >> (2 * BEFORE);
        from += sum_sizes(sizes & ((1 << (block * SIZE_BITS)) - 1));
        let size = (sizes >> (block * SIZE_BITS)) as usize & mask(SIZE_BITS) as usize;
        let ones = ((counts >> (block * 8)) as usize & 0xFF).min(BITS);
        Spot { from, at: at as u8, ones: ones as u8, size: size as u8, rank: rank as u32 }
    }

    #[inline]
    fn approach(&self, stream: Stream, at: usize) {
        let head = (stream.head as usize).saturating_add(at / (BITS * BLOCKS));
        std::hint::black_box(self.heads.get(head.saturating_mul(HEAD)).copied());
    }

    #[inline]
    fn touch(&self, spot: Spot) {
        std::hint::black_box(self.bytes.get(spot.from).copied());
    }

    #[inline]
    fn read(&self, spot: Spot) -> (bool, usize) {
        let Spot { from, at, ones, size, rank } = spot;
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
            let (bit, before) = listed(bytes, BITS - ones, at);
            (!bit, at - before.min(at))
        };
        (bit, rank + before)
    }

    #[inline]
    fn ranks<const N: usize>(&self, spots: [Spot; N]) -> [usize; N] {
        let mut ranks = [0; N];
        for (nth, &spot) in spots.iter().enumerate() {
            // The same place again, as is often asked where little is left of a range.
            ranks[nth] = match nth.checked_sub(1) {
                Some(before) if spots[before] == spot => ranks[before],
                _ => self.read(spot).1,
            };
        }
        ranks
    }

    fn bytes(&self) -> usize {
        self.heads.len() * 8 + self.bytes.len()
    }

    fn blocks(&self, name: &str) -> Vec<BlockToWrite<'_>> {
        vec![
            BlockToWrite::new(format!("{name}_heads"), "u64", &self.heads),
            BlockToWrite::new(format!("{name}_bytes"), "u8", &self.bytes),
        ]
    }

    fn open(file: &SegmentFile, name: &str) -> Result<Self> {
        Ok(Self {
            heads: whole_block(file, &format!("{name}_heads"), "u64")?,
            bytes: whole_block(file, &format!("{name}_bytes"), "u8")?,
        })
    }
}

/// The sum of 16 bytes.
fn sum_bytes(bytes: u128) -> usize {
    // Pairs, fours and all in step: sums of bytes need two.
    const PAIRS: u64 = 0x00FF_00FF_00FF_00FF;
    let pairs = |word: u64| (word & PAIRS) + (word >> 8 & PAIRS);
    let sum = pairs(bytes as u64) + pairs((bytes >> 64) as u64);
    (sum.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
}

/// The sum of 16 sizes, in step as [`sum_bytes`]: sums of sizes need twice their bits.
fn sum_sizes(sizes: u128) -> usize {
    const PAIRS: u128 = 0x07C1_F07C_1F07_C1F0_7C1F;
    let mut sum = (sizes & PAIRS) + (sizes >> SIZE_BITS & PAIRS);
    for pairs in [4, 2, 1] {
        sum += sum >> (pairs * 2 * SIZE_BITS);
    }
    sum as usize & mask(2 * SIZE_BITS) as usize
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

/// Appends places: the low bits of each, then the high ones, in unary.
fn list(places: &[usize], bytes: &mut Vec<u8>) {
    let count = places.len();
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

/// The bit at a place of a block as it is, and the ones before it.
fn whole(bytes: &[u8; 32], at: usize) -> (bool, usize) {
    let [low, high] = halves(bytes);
    let (bit, below) = if at < 128 {
        (low >> at & 1, low & ((1 << at) - 1))
    } else {
        (high >> (at - 128) & 1, high & ((1 << (at - 128)) - 1))
    };
    let before = if at < 128 { 0 } else { low.count_ones() };
    (bit == 1, (before + below.count_ones()) as usize)
}

/// The bit at a place of a block of runs, and the ones before it.
fn runs(bytes: &[u8; 32], at: usize) -> (bool, usize) {
    let mut bit = bytes[0] & 1 == 1;
    let (mut ones, mut start) = (0, 0);
    for end in Places::new(bytes, 8, usize::from(bytes[0] >> 1)) {
        if end > at {
            break;
        }
        ones += if bit { end - start.min(end) } else { 0 };
        (start, bit) = (end, !bit);
    }
    (bit, if bit { ones + at - start } else { ones })
}

/// Whether a place is among the `count` listed ones, and how many of them are before it.
fn listed(bytes: &[u8; 32], count: usize, at: usize) -> (bool, usize) {
    let mut before = 0;
    for place in Places::new(bytes, 0, count) {
        if place >= at {
            return (place == at, before);
        }
        before += 1;
    }
    (false, before)
}

/// 32 bytes as two numbers.
fn halves(bytes: &[u8; 32]) -> [u128; 2] {
    [0, 16].map(|from| u128::from_le_bytes(std::array::from_fn(|byte| bytes[from + byte])))
}

/// Places that [`list`] wrote, in order. Neither their low bits nor their high ones are more than
/// 128 bits where the bits themselves are 248.
#[derive(Debug)]
struct Places {
    lows: u128,
    unary: u128,
    low: usize,
    high: usize,
    left: usize,
}

impl Places {
    /// So many places, that start at a bit.
    fn new(bytes: &[u8; 32], from: usize, count: usize) -> Self {
        let [first, second] = halves(bytes);
        let low = usize::from(LOW[count]);
        let after = |bit: usize| match bit {
            0 => first,
            1..128 => first >> bit | second << (128 - bit),
            _ => second.checked_shr(bit as u32 - 128).unwrap_or(0),
        };
        Self { lows: after(from), unary: after(from + count * low), low, high: 0, left: count }
    }
}

impl Iterator for Places {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let zeros = self.unary.trailing_zeros();
        self.unary = self.unary.checked_shr(zeros + 1).unwrap_or(0);
        self.high += zeros as usize;
        let place = self.high << self.low | (self.lows as u64 & mask(self.low)) as usize;
        self.lows >>= self.low;
        Some(place)
    }
}
