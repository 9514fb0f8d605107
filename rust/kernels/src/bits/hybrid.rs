//! Bits in blocks of 248, each in the shorter of two forms: as they are, or as the places of the
//! ones, or of the zeros where those are fewer (Elias 1974, Fano 1971; blocks that choose: Kärkkäinen,
//! Kempa and Puglisi 2014).

use super::{BitVector, Bits, Stream, mask, whole_block};
use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::Result;

/// Bits a block: 31 bytes, and their ones in one byte.
const BITS: usize = 248;

/// Blocks under one head.
const BLOCKS: usize = 16;

/// Words of a head: offset and rank, then the blocks' ones.
const HEAD: usize = 1 + BLOCKS / 8;

/// Zeros behind the last block, so that words may be read at every byte.
const PADDING: usize = 40;

/// Low bits of a place that are kept apart, for so many places.
const LOW: [u8; BITS + 1] = {
    let mut low = [0; BITS + 1];
    let mut fewer = 1;
    while fewer <= BITS / 2 {
        low[fewer] = (BITS / fewer).ilog2() as u8;
        fewer += 1;
    }
    low
};

/// Bytes that a block of so many ones takes.
const SIZE: [u8; BITS + 1] = {
    let mut size = [0; BITS + 1];
    let mut ones = 1;
    while ones < BITS {
        let fewer = if ones < BITS - ones { ones } else { BITS - ones };
        let low = LOW[fewer] as usize;
        let bytes = (fewer * low + fewer + (BITS >> low)).div_ceil(8);
        size[ones] = if bytes < BITS / 8 { bytes as u8 } else { (BITS / 8) as u8 };
        ones += 1;
    }
    size
};

/// Bits that compress where ones are few, many, or far from even.
#[derive(Debug)]
pub struct Hybrid {
    heads: Block<u64>,
    bytes: Block<u8>,
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
        let stream = Stream { head: (heads.len() / HEAD) as u64, tail: bytes.len() as u64 };
        let mut rank = 0_u64;
        // A block more than full ones, so that behind the last bit there is one to ask.
        for start in (0..=bits.len()).step_by(BITS * BLOCKS) {
            let mut head = [0; HEAD];
            head[0] = (bytes.len() as u64 - stream.tail) << 32 | rank;
            for nth in 0..BLOCKS {
                let ones = encode(bits, start + nth * BITS, bytes);
                head[1 + nth / 8] |= (ones as u64) << (nth % 8 * 8);
                rank += ones as u64;
            }
            heads.extend(head);
        }
        stream
    }

    fn build(mut builder: Builder) -> Self {
        builder.bytes.extend([0; PADDING]);
        Self { heads: builder.heads.into(), bytes: builder.bytes.into() }
    }

    #[inline]
    fn get(&self, stream: Stream, at: usize) -> (bool, usize) {
        let (block, at) = (at / BITS, at % BITS);
        let start = (stream.head as usize).saturating_add(block / BLOCKS).saturating_mul(HEAD);
        let Some(head) = self.heads.get(start..).and_then(|head| head.first_chunk::<HEAD>()) else {
            return (false, 0);
        };
        let mut rank = (head[0] & mask(32)) as usize;
        let mut from = (stream.tail as usize).saturating_add((head[0] >> 32) as usize);
        let block = block % BLOCKS;
        let of = |nth: usize| (head[1 + nth / 8] >> (nth % 8 * 8)) as usize & 0xFF;
        for nth in 0..block {
            let ones = of(nth).min(BITS);
            rank += ones;
            from += usize::from(SIZE[ones]);
        }
        let ones = of(block).min(BITS);
        match usize::from(SIZE[ones]) {
            0 => (ones > 0, if ones > 0 { rank + at } else { rank }),
            size => {
                let Some(bytes) = self.bytes.get(from..).and_then(|rest| rest.first_chunk()) else {
                    return (false, rank);
                };
                let (bit, before) = if size == BITS / 8 {
                    plain(bytes, at)
                } else if ones <= BITS - ones {
                    listed(bytes, ones, at)
                } else {
                    let (bit, before) = listed(bytes, BITS - ones, at);
                    (!bit, at - before.min(at))
                };
                (bit, rank + before)
            }
        }
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

/// Appends the block of bits that starts at `start`; gives its ones.
fn encode(bits: &Bits, start: usize, bytes: &mut Vec<u8>) -> usize {
    let words: [u64; 4] =
        std::array::from_fn(|nth| bits.get(start + nth * 64, if nth == 3 { 56 } else { 64 }));
    let ones = words.iter().map(|word| word.count_ones() as usize).sum::<usize>();
    let size = usize::from(SIZE[ones]);
    if size == BITS / 8 {
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()).take(size));
        return ones;
    }
    let fewer = ones.min(BITS - ones);
    let wanted = ones <= BITS - ones;
    let low = usize::from(LOW[fewer]);
    let mut coded = [0_u64; 4];
    let mut set = |at: usize, value: u64| {
        coded[at / 64] |= value << (at % 64);
        if !at.is_multiple_of(64) && at / 64 < 3 {
            coded[at / 64 + 1] |= value >> (64 - at % 64);
        }
    };
    if size > 0 {
        let places = (0..BITS).filter(|&at| (words[at / 64] >> (at % 64) & 1 == 1) == wanted);
        for (nth, place) in places.enumerate() {
            set(nth * low, place as u64 & mask(low));
            set(fewer * low + nth + (place >> low), 1);
        }
    }
    bytes.extend(coded.iter().flat_map(|word| word.to_le_bytes()).take(size));
    ones
}

/// 32 bytes as words.
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    std::array::from_fn(|nth| u64::from_le_bytes(std::array::from_fn(|byte| bytes[nth * 8 + byte])))
}

/// The bit at a place of a block as it is, and the ones before it.
fn plain(bytes: &[u8; 32], at: usize) -> (bool, usize) {
    let words = words(bytes);
    let (word, shift) = (at / 64, at % 64);
    let mut ones = (words[word] & mask(shift)).count_ones();
    for (nth, &bits) in words.iter().enumerate() {
        ones += (bits & if nth < word { u64::MAX } else { 0 }).count_ones();
    }
    (words[word] >> shift & 1 == 1, ones as usize)
}

/// Whether a place is among the `count` listed ones, and how many of them are before it.
fn listed(bytes: &[u8; 32], count: usize, at: usize) -> (bool, usize) {
    let words = words(bytes);
    let low = usize::from(LOW[count]);
    let (high, low_bits) = (at >> low, at as u64 & mask(low));
    // The high parts in unary: behind as many zeros as the place's own, the ones that share it.
    let start = count * low;
    let mut zeros = high;
    let mut from = start;
    while zeros > 0 {
        let left = (start + count + (BITS >> low)).saturating_sub(from).min(64);
        if left == 0 {
            break;
        }
        let here = super::bits_at(&words, from, left);
        let empty = left - here.count_ones() as usize;
        if empty < zeros {
            zeros -= empty;
            from += left;
        } else {
            let mut rest = !here & mask(left);
            for _ in 1..zeros {
                rest &= rest - 1;
            }
            from += rest.trailing_zeros() as usize + 1;
            zeros = 0;
        }
    }
    let below = (from - start).saturating_sub(high).min(count);
    let same = super::bits_at(&words, from, 64).trailing_ones() as usize;
    let behind = (below + same).min(count);
    for nth in below..behind {
        let listed = super::bits_at(&words, nth * low, low);
        if listed >= low_bits {
            return (listed == low_bits, nth);
        }
    }
    (false, behind)
}
