//! A sequence of symbols in blocks, each a wavelet matrix in the shape of its own codes: fixed-block
//! compression boosting (Kärkkäinen and Puglisi 2011). It says what stands at a place and how often
//! a symbol stands before one.

use super::code::{Code, MOST, codes};
use crate::bits::{BitVector, Bits, Stream};
use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::{Error, Result};

/// Numbers kept of each level of a block: where its bits start, the ones before them, its zeros,
/// and the number of the first symbol whose code ends above it.
const LEVEL: usize = 4;

/// The length of code that stands for: no other symbol is in the block.
const ALONE: u32 = 63;

/// Symbols, numbered from 0 without gaps, in blocks.
#[derive(Debug)]
pub struct Wavelet<B> {
    /// log2 of the symbols a block.
    block: u32,
    symbols: usize,
    length: usize,
    bits: B,
    /// Two numbers a block: where its bits are.
    streams: Block<u64>,
    /// For each block and symbol: what to add to a place in the last level, and the code.
    table: Block<u64>,
    /// Where each block's levels start, and behind the last one.
    level_starts: Block<u32>,
    levels: Block<u32>,
    /// Where each block's leaves start, and behind the last one.
    leaf_starts: Block<u32>,
    /// Symbols in the order in which they stand in the last levels, and where each one's start.
    leaves: Block<u32>,
    places: Block<u32>,
}

/// A symbol and its code in a block.
#[derive(Clone, Copy, Debug)]
struct Entry {
    offset: u32,
    code: Code,
}

impl Entry {
    fn pack(self) -> u64 {
        u64::from(self.offset) | u64::from(self.code.length) << 32 | u64::from(self.code.bits) << 38
    }

    fn unpack(packed: u64) -> Self {
        let code = Code { bits: (packed >> 38) as u32, length: (packed >> 32) as u32 & 63 };
        Self { offset: packed as u32, code }
    }
}

/// Takes a sequence block by block.
#[derive(Debug)]
pub struct WaveletBuilder<B: BitVector> {
    block: u32,
    length: usize,
    builder: B::Builder,
    streams: Vec<u64>,
    table: Vec<u64>,
    level_starts: Vec<u32>,
    levels: Vec<u32>,
    leaf_starts: Vec<u32>,
    leaves: Vec<u32>,
    places: Vec<u32>,
    /// For each symbol, how many symbols are below it, and how often it stood so far.
    before: Vec<u32>,
}

impl<B: BitVector> WaveletBuilder<B> {
    /// Blocks of 2^`block` symbols. `before` has, for each symbol, what is added to its ranks.
    pub fn new(block: u32, before: Vec<u32>) -> Self {
        Self {
            block,
            length: 0,
            builder: B::Builder::default(),
            streams: vec![],
            table: vec![],
            level_starts: vec![0],
            levels: vec![],
            leaf_starts: vec![0],
            leaves: vec![],
            places: vec![],
            before,
        }
    }

    /// Adds a block, a whole one unless it is the last.
    pub fn push(&mut self, symbols: &[u32]) {
        let mut counts = vec![0_u32; self.before.len()];
        symbols.iter().for_each(|&symbol| counts[symbol as usize] += 1);
        let codes = codes(&counts);
        let deepest = codes.iter().map(|code| code.length).max().unwrap_or(0);
        // Symbols by where they stand in the end: of one length, the last bit decides first.
        let mut order: Vec<u32> =
            (0..counts.len() as u32).filter(|&symbol| counts[symbol as usize] > 0).collect();
        order.sort_by_key(|&symbol| {
            let Code { bits, length } = codes[symbol as usize];
            (length, bits)
        });
        let mut bits = Bits::default();
        let mut ones_before = 0;
        let mut going = symbols.to_vec();
        let (mut zeros, mut ones) = (vec![], vec![]);
        let mut leaf = 0;
        let mut starts = vec![0_u32; counts.len()];
        for level in 0..deepest {
            let start = bits.len() as u32;
            zeros.clear();
            ones.clear();
            for &symbol in &going {
                let bit = codes[symbol as usize].bits >> level & 1 == 1;
                bits.push(bit);
                if bit { ones.push(symbol) } else { zeros.push(symbol) }
            }
            self.levels.extend([start, ones_before, zeros.len() as u32, leaf as u32]);
            ones_before += ones.len() as u32;
            going.clear();
            going.extend(zeros.iter().chain(&ones));
            // Those whose codes end here stand last.
            let ended = order[leaf..]
                .iter()
                .take_while(|&&symbol| codes[symbol as usize].length == level + 1);
            let ended: Vec<u32> = ended.copied().collect();
            let mut place = going.len() as u32
                - ended.iter().map(|&symbol| counts[symbol as usize]).sum::<u32>();
            going.truncate(place as usize);
            for &symbol in &ended {
                starts[symbol as usize] = place;
                self.leaves.push(symbol);
                self.places.push(place);
                place += counts[symbol as usize];
            }
            leaf += ended.len();
        }
        self.levels.extend([bits.len() as u32, ones_before, 0, leaf as u32]);
        if deepest == 0 {
            self.leaves.extend(&order);
            self.places.extend(order.iter().map(|_| 0));
        }
        for (symbol, before) in self.before.iter_mut().enumerate() {
            let alone = deepest == 0 && counts[symbol] > 0;
            let code = if alone { Code { bits: 0, length: ALONE } } else { codes[symbol] };
            let offset = before.wrapping_sub(starts[symbol]);
            self.table.push(Entry { offset, code }.pack());
            *before += counts[symbol];
        }
        let stream = B::push(&mut self.builder, &bits);
        self.streams.extend([stream.head, stream.tail]);
        self.level_starts.push((self.levels.len() / LEVEL) as u32);
        self.leaf_starts.push(self.leaves.len() as u32);
        self.length += symbols.len();
    }

    /// The sequence.
    pub fn finish(self) -> Wavelet<B> {
        Wavelet {
            block: self.block,
            symbols: self.before.len(),
            length: self.length,
            bits: B::build(self.builder),
            streams: self.streams.into(),
            table: self.table.into(),
            level_starts: self.level_starts.into(),
            levels: self.levels.into(),
            leaf_starts: self.leaf_starts.into(),
            leaves: self.leaves.into(),
            places: self.places.into(),
        }
    }
}

/// A number of a table that may be damaged; 0 outside.
fn at<T: Copy + Default + bytemuck::Pod>(table: &Block<T>, place: usize) -> T {
    table.get(place).copied().unwrap_or_default()
}

impl<B: BitVector> Wavelet<B> {
    /// Number of symbols.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn stream(&self, block: usize) -> Stream {
        Stream { head: at(&self.streams, 2 * block), tail: at(&self.streams, 2 * block + 1) }
    }

    fn level(&self, level: usize) -> [usize; LEVEL] {
        let from = level.saturating_mul(LEVEL);
        let found = self.levels.get(from..).and_then(|rest| rest.first_chunk::<LEVEL>());
        found.copied().unwrap_or_default().map(|number| number as usize)
    }

    /// How often a symbol stands before a place, and what was given for it in the beginning.
    #[inline]
    pub fn rank(&self, symbol: u32, place: usize) -> u32 {
        // Behind the last block there is none: the end is the end of the last one.
        let block = (place.min(self.length.saturating_sub(1))) >> self.block;
        let mut place = place - (block << self.block);
        let entry = Entry::unpack(at(&self.table, block * self.symbols + symbol as usize));
        if entry.code.length == ALONE {
            return entry.offset.wrapping_add(place as u32);
        }
        if entry.code.length == 0 {
            return entry.offset;
        }
        let stream = self.stream(block);
        let first = at(&self.level_starts, block) as usize;
        for level in 0..(entry.code.length as usize).min(MOST) {
            let [start, ones, zeros, _] = self.level(first + level);
            let rank = self.bits.rank(stream, start + place).wrapping_sub(ones);
            place = if entry.code.bits >> level & 1 == 1 {
                zeros.wrapping_add(rank)
            } else {
                place.wrapping_sub(rank)
            };
        }
        entry.offset.wrapping_add(place as u32)
    }

    /// The symbol at a place, and its rank there.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the tables contradict each other.
    pub fn get(&self, place: usize) -> Result<(u32, u32)> {
        let block = place >> self.block;
        let mut place = place - (block << self.block);
        let stream = self.stream(block);
        let (first, end) =
            (at(&self.level_starts, block) as usize, at(&self.level_starts, block + 1) as usize);
        let leaves = at(&self.leaf_starts, block) as usize;
        let mut range = 0..1;
        let mut here = self.level(first);
        for level in first + 1..end.min(first + MOST + 1) {
            let next = self.level(level);
            let [start, ones, zeros, _] = here;
            let (bit, rank) = self.bits.get(stream, start.wrapping_add(place));
            let rank = rank.wrapping_sub(ones);
            place = if bit { zeros.wrapping_add(rank) } else { place.wrapping_sub(rank) };
            // Behind those whose codes go on are those whose codes end.
            let going =
                if level + 1 < end { self.level(level + 1)[0].wrapping_sub(next[0]) } else { 0 };
            if place >= going {
                range = here[3]..next[3];
                break;
            }
            here = next;
        }
        let places = self
            .places
            .get(leaves + range.start..leaves.saturating_add(range.end))
            .unwrap_or_default();
        let nth = places.partition_point(|&start| start as usize <= place).checked_sub(1);
        let symbol = nth.and_then(|nth| self.leaves.get(leaves + range.start + nth)).copied();
        let symbol =
            symbol.filter(|&symbol| (symbol as usize) < self.symbols).ok_or_else(damaged)?;
        let entry = Entry::unpack(at(&self.table, block * self.symbols + symbol as usize));
        Ok((symbol, entry.offset.wrapping_add(place as u32)))
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        let tables = self.level_starts.len() + self.levels.len() + self.leaf_starts.len();
        let leaves = self.leaves.len() + self.places.len();
        self.bits.bytes() + (self.streams.len() + self.table.len()) * 8 + (tables + leaves) * 4
    }

    /// What is to be written of it.
    pub fn blocks(&self) -> Vec<BlockToWrite<'_>> {
        let mut blocks = self.bits.blocks("bwt");
        blocks.extend([
            BlockToWrite::new("streams", "u64", &self.streams),
            BlockToWrite::new("table", "u64", &self.table),
            BlockToWrite::new("level_starts", "u32", &self.level_starts),
            BlockToWrite::new("levels", "u32", &self.levels),
            BlockToWrite::new("leaf_starts", "u32", &self.leaf_starts),
            BlockToWrite::new("leaves", "u32", &self.leaves),
            BlockToWrite::new("places", "u32", &self.places),
        ]);
        blocks
    }

    /// What [`Wavelet::blocks`] wrote.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a block is not there or has not the length that it must.
    pub fn open(file: &SegmentFile, block: u32, symbols: usize, length: usize) -> Result<Self> {
        let blocks = length.div_ceil(1 << block);
        let entries = blocks.checked_mul(symbols).ok_or_else(damaged)?;
        let (levels, leaves) = (file.length("levels") / 4, file.length("leaves") / 4);
        Ok(Self {
            block,
            symbols,
            length,
            bits: B::open(file, "bwt")?,
            streams: file.block("streams", "u64", 2 * blocks)?,
            table: file.block("table", "u64", entries)?,
            level_starts: file.block("level_starts", "u32", blocks + 1)?,
            levels: file.block("levels", "u32", levels)?,
            leaf_starts: file.block("leaf_starts", "u32", blocks + 1)?,
            leaves: file.block("leaves", "u32", leaves)?,
            places: file.block("places", "u32", leaves)?,
        })
    }
}

fn damaged() -> Error {
    Error::corrupt("the tables of the compressed text contradict each other")
}
