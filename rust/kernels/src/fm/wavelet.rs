//! A sequence of symbols in blocks, each a wavelet matrix in the shape of its own codes: fixed-block
//! compression boosting (Kärkkäinen and Puglisi 2011). It says what stands at a place and how often
//! a symbol stands before one.

use std::ops::Range;

use super::code::{Code, MOST, codes};
use crate::bits::{BitVector, Bits, Packed, STREAM, Stream, width_of};
use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::{Error, Result};

/// log2 of the symbols a block, at most: a level is one stream.
pub(super) const MOST_BLOCK: u32 = STREAM.ilog2();

/// Numbers kept of each level of a block: where its bits are, in two, their zeros, how many symbols
/// go on to the next level, and the first leaf whose code ends here.
const LEVEL: usize = 5;

/// Symbols, numbered from 0 without gaps, in blocks.
#[derive(Debug)]
pub struct Wavelet<B> {
    /// log2 of the symbols a block.
    block: u32,
    symbols: usize,
    length: usize,
    bits: B,
    /// For each block and symbol, what to add to a place behind the last level.
    offsets: Block<u32>,
    /// For each block and symbol, the number of its leaf, counted from 1; 0 where it does not occur.
    leaf_numbers: Packed,
    /// Where each block's levels and leaves start, and behind the last one.
    starts: Block<u32>,
    levels: Block<u32>,
    /// Leaves of a block, in the order in which their symbols stand in the end: code and symbol.
    codes: Block<u32>,
    leaves: Packed,
}

/// Takes a sequence block by block.
#[derive(Debug)]
pub struct WaveletBuilder<B: BitVector> {
    block: u32,
    length: usize,
    builder: B::Builder,
    offsets: Vec<u32>,
    leaf_numbers: Vec<u32>,
    starts: Vec<u32>,
    levels: Vec<u32>,
    codes: Vec<u32>,
    leaves: Vec<u32>,
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
            offsets: vec![],
            leaf_numbers: vec![],
            starts: vec![0, 0],
            levels: vec![],
            codes: vec![],
            leaves: vec![],
            before,
        }
    }

    /// Adds a block, a whole one unless it is the last.
    pub fn push(&mut self, symbols: &[u32]) {
        let mut counts = vec![0_u32; self.before.len()];
        symbols.iter().for_each(|&symbol| counts[symbol as usize] += 1);
        let codes = codes(&counts);
        // Symbols by where they stand in the end: of one length, the last bit decides first.
        let mut order: Vec<u32> =
            (0..counts.len() as u32).filter(|&symbol| counts[symbol as usize] > 0).collect();
        order.sort_by_key(|&symbol| {
            let Code { bits, length } = codes[symbol as usize];
            (length, bits)
        });
        let mut leaf_starts = vec![0_u32; counts.len()];
        let mut going = symbols.to_vec();
        let mut ones = vec![];
        let mut bits = Bits::default();
        let mut leaf = 0;
        for level in 0..order.last().map_or(0, |&last| codes[last as usize].length) {
            bits.clear();
            ones.clear();
            let mut zeros = 0;
            for nth in 0..going.len() {
                let symbol = going[nth];
                let bit = codes[symbol as usize].bits >> level & 1 == 1;
                bits.push(bit);
                if bit {
                    ones.push(symbol);
                } else {
                    going[zeros] = symbol;
                    zeros += 1;
                }
            }
            going.truncate(zeros);
            going.append(&mut ones);
            // Those whose codes end here stand last.
            let ended = order[leaf..].iter();
            let ended: Vec<u32> =
                ended.copied().take_while(|&one| codes[one as usize].length == level + 1).collect();
            let all: u32 = ended.iter().map(|&symbol| counts[symbol as usize]).sum();
            let mut start = going.len() as u32 - all;
            going.truncate(start as usize);
            let Stream { head, tail } = B::push(&mut self.builder, &bits);
            self.levels.extend([head, tail, zeros as u32, start, leaf as u32]);
            for &symbol in &ended {
                leaf_starts[symbol as usize] = start;
                start += counts[symbol as usize];
            }
            leaf += ended.len();
        }
        let mut leaf_numbers = vec![0; counts.len()];
        for (nth, &symbol) in order.iter().enumerate() {
            let Code { bits, length } = codes[symbol as usize];
            self.codes.push(bits << LENGTH_BITS | length);
            leaf_numbers[symbol as usize] = nth as u32 + 1;
        }
        self.leaves.extend(order);
        self.leaf_numbers.extend(leaf_numbers);
        for (symbol, before) in self.before.iter_mut().enumerate() {
            self.offsets.push(before.wrapping_sub(leaf_starts[symbol]));
            *before += counts[symbol];
        }
        self.starts.extend([(self.levels.len() / LEVEL) as u32, self.codes.len() as u32]);
        self.length += symbols.len();
    }

    /// The sequence.
    pub fn finish(self) -> Wavelet<B> {
        let symbols = self.before.len();
        let width = width_of(symbols as u64);
        Wavelet {
            block: self.block,
            symbols,
            length: self.length,
            bits: B::build(self.builder),
            offsets: self.offsets.into(),
            leaf_numbers: Packed::new(&self.leaf_numbers, width),
            starts: self.starts.into(),
            levels: self.levels.into(),
            codes: self.codes.into(),
            leaves: Packed::new(&self.leaves, width),
        }
    }
}

/// Bits of a code's length, below the code itself.
const LENGTH_BITS: u32 = 6;

/// A number of a table that may be damaged; 0 outside.
fn at<T: Copy + Default + bytemuck::Pod>(table: &Block<T>, place: usize) -> T {
    table.get(place).copied().unwrap_or_default()
}

impl<B: BitVector> Wavelet<B> {
    /// Where a block's levels and leaves start.
    fn start(&self, block: usize) -> (usize, usize) {
        (at(&self.starts, 2 * block) as usize, at(&self.starts, 2 * block + 1) as usize)
    }

    fn level(&self, level: usize) -> Level {
        let from = level.saturating_mul(LEVEL);
        let found = self.levels.get(from..).and_then(|rest| rest.first_chunk::<LEVEL>());
        let [head, tail, zeros, going, leaf] = found.copied().unwrap_or_default();
        Level {
            stream: Stream { head, tail },
            zeros: zeros as usize,
            going: going as usize,
            leaf: leaf as usize,
        }
    }

    fn code(&self, leaf: usize) -> Code {
        let code = at(&self.codes, leaf);
        Code { bits: code >> LENGTH_BITS, length: code & ((1 << LENGTH_BITS) - 1) }
    }

    /// How often a symbol stands before a place, and what was given for it in the beginning.
    pub fn rank(&self, symbol: u32, place: usize) -> u32 {
        self.rank_in(self.block_of(place), symbol, [place])[0]
    }

    /// [`Wavelet::rank`] at two places; those near each other share most of their way.
    pub fn rank_both(&self, symbol: u32, places: [usize; 2]) -> [u32; 2] {
        let block = self.block_of(places[0]);
        if block == self.block_of(places[1]) {
            self.rank_in(block, symbol, places)
        } else {
            places.map(|place| self.rank(symbol, place))
        }
    }

    /// The block of a place. Behind the last block there is none: the end is the end of the last one.
    fn block_of(&self, place: usize) -> usize {
        place.min(self.length.saturating_sub(1)) >> self.block
    }

    fn rank_in<const N: usize>(&self, block: usize, symbol: u32, places: [usize; N]) -> [u32; N] {
        let mut places = places.map(|place| place - (block << self.block));
        let entry = block * self.symbols + symbol as usize;
        let offset = at(&self.offsets, entry);
        let Some(leaf) = (self.leaf_numbers.get(entry) as usize).checked_sub(1) else {
            return [offset; N];
        };
        let (first, leaves) = self.start(block);
        let code = self.code(leaves + leaf);
        for depth in 0..(code.length as usize).min(MOST) {
            let level = self.level(first + depth);
            let spots = places.map(|place| self.bits.spot(level.stream, place));
            let ranks = self.bits.ranks(spots);
            let bit = code.bits >> depth & 1 == 1;
            for (place, rank) in places.iter_mut().zip(ranks) {
                *place = level.next(bit, *place, rank);
            }
        }
        places.map(|place| offset.wrapping_add(place as u32))
    }

    /// The symbol at a place, and its rank there.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the tables contradict each other.
    pub fn get(&self, place: usize) -> Result<(u32, u32)> {
        let block = place >> self.block;
        let mut place = place - (block << self.block);
        let (first, leaves) = self.start(block);
        let (end, behind) = self.start(block + 1);
        let mut found = (leaves, behind, 0);
        for depth in 0..end.saturating_sub(first).min(MOST) {
            let level = self.level(first + depth);
            let (bit, rank) = self.bits.get(level.stream, place);
            place = level.next(bit, place, rank);
            found.0 = leaves + level.leaf;
            found.2 |= u32::from(bit) << depth;
            // Behind those whose codes go on are those whose codes end.
            if place >= level.going {
                let next = first + depth + 1;
                found.1 = if next < end { leaves + self.level(next).leaf } else { behind };
                break;
            }
        }
        let symbol = self.leaf(found.0..found.1, found.2)?;
        let offset = at(&self.offsets, block * self.symbols + symbol as usize);
        Ok((symbol, offset.wrapping_add(place as u32)))
    }

    /// The symbol of the leaf, among some, that has a code.
    fn leaf(&self, among: Range<usize>, bits: u32) -> Result<u32> {
        let codes = self.codes.get(among.clone()).unwrap_or_default();
        let nth = codes.partition_point(|code| code >> LENGTH_BITS < bits);
        let symbol = self.leaves.get(among.start + nth) as usize;
        if symbol < self.symbols { Ok(symbol as u32) } else { Err(damaged()) }
    }

    /// How often each symbol stands before its place, and what was given for it in the beginning;
    /// at most [`GROUP`] are asked. They go in step, so that their cache misses overlap.
    pub fn ranks(
        &self,
        walks: &mut Walks<B>,
        symbols: &[u32],
        places: &[usize],
        ranks: &mut [u32],
    ) {
        let walks = &mut walks.0[..places.len()];
        let mut going = Going::default();
        for ((walk, &symbol), &place) in walks.iter_mut().zip(symbols).zip(places) {
            walk.block = self.block_of(place);
            walk.place = place - (walk.block << self.block);
            let entry = walk.block * self.symbols + symbol as usize;
            walk.offset = at(&self.offsets, entry);
            walk.leaf = self.leaf_numbers.get(entry) as usize;
        }
        for (nth, walk) in walks.iter_mut().enumerate() {
            let (first, leaves) = self.start(walk.block);
            walk.first = first;
            if let Some(leaf) = walk.leaf.checked_sub(1) {
                walk.code = self.code(leaves + leaf);
                going.keep(walk.code.length > 0, nth);
            } else {
                walk.place = 0;
            }
        }
        self.descend(walks, going, |walk, depth, (_, rank)| {
            let bit = walk.code.bits >> depth & 1 == 1;
            walk.place = walk.level.next(bit, walk.place, rank);
            depth + 1 < walk.code.length as usize
        });
        for (rank, walk) in ranks.iter_mut().zip(walks) {
            *rank = walk.offset.wrapping_add(walk.place as u32);
        }
    }

    /// The symbol at each place, and its rank there; at most [`GROUP`] are asked, in step.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the tables contradict each other.
    pub fn symbols(
        &self,
        walks: &mut Walks<B>,
        places: &[usize],
        found: &mut [(u32, u32)],
    ) -> Result<()> {
        let walks = &mut walks.0[..places.len()];
        let mut going = Going::default();
        for (nth, (walk, &place)) in walks.iter_mut().zip(places).enumerate() {
            walk.block = place >> self.block;
            walk.place = place - (walk.block << self.block);
            let (first, leaves) = self.start(walk.block);
            let (end, behind) = self.start(walk.block + 1);
            (walk.first, walk.leaf) = (first, leaves);
            (walk.end, walk.behind) = (end, behind);
            (walk.code, walk.level) = (Code::default(), Level::default());
            going.keep(first < end, nth);
        }
        self.descend(walks, going, |walk, depth, (bit, rank)| {
            walk.code.bits |= u32::from(bit) << depth;
            walk.code.length = depth as u32 + 1;
            walk.place = walk.level.next(bit, walk.place, rank);
            // Behind those whose codes go on are those whose codes end.
            walk.place < walk.level.going && walk.first + depth + 1 < walk.end
        });
        for (found, walk) in found.iter_mut().zip(walks) {
            let next = walk.first + walk.code.length as usize;
            let end = if next < walk.end { walk.leaf + self.level(next).leaf } else { walk.behind };
            let start = walk.leaf + walk.level.leaf;
            let symbol = self.leaf(start..end, walk.code.bits)?;
            let offset = at(&self.offsets, walk.block * self.symbols + symbol as usize);
            *found = (symbol, offset.wrapping_add(walk.place as u32));
        }
        Ok(())
    }

    /// Takes walks down, level by level: what is read of each decides whether it goes on.
    fn descend(
        &self,
        walks: &mut [Walk<B::Spot>],
        mut going: Going,
        mut take: impl FnMut(&mut Walk<B::Spot>, usize, (bool, usize)) -> bool,
    ) {
        for depth in 0..MOST {
            if going.count == 0 {
                return;
            }
            // Independent reads one after another: their misses then overlap.
            for nth in going.iter() {
                walks[nth].level = self.level(walks[nth].first + depth);
            }
            for nth in going.iter() {
                self.bits.approach(walks[nth].level.stream, walks[nth].place);
            }
            for nth in going.iter() {
                let walk = &mut walks[nth];
                walk.spot = self.bits.spot(walk.level.stream, walk.place);
            }
            for nth in going.iter() {
                self.bits.touch(walks[nth].spot);
            }
            let mut next = Going::default();
            for nth in going.iter() {
                let read = self.bits.read(walks[nth].spot);
                next.keep(take(&mut walks[nth], depth, read), nth);
            }
            going = next;
        }
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        let tables = self.offsets.len() + self.starts.len() + self.levels.len() + self.codes.len();
        self.bits.bytes() + self.leaf_numbers.bytes() + self.leaves.bytes() + tables * 4
    }

    /// What is to be written of it.
    pub fn blocks(&self) -> Vec<BlockToWrite<'_>> {
        let mut blocks = self.bits.blocks("bwt");
        blocks.extend([
            BlockToWrite::new("offsets", "u32", &self.offsets),
            self.leaf_numbers.block("leaf_numbers"),
            BlockToWrite::new("starts", "u32", &self.starts),
            BlockToWrite::new("levels", "u32", &self.levels),
            BlockToWrite::new("codes", "u32", &self.codes),
            self.leaves.block("leaves"),
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
        let width = width_of(symbols as u64);
        Ok(Self {
            block,
            symbols,
            length,
            bits: B::open(file, "bwt")?,
            offsets: file.block("offsets", "u32", entries)?,
            leaf_numbers: Packed::open(file, "leaf_numbers", width)?,
            starts: file.block("starts", "u32", 2 * (blocks + 1))?,
            levels: file.block("levels", "u32", file.length("levels") / 4)?,
            codes: file.block("codes", "u32", file.length("codes") / 4)?,
            leaves: Packed::open(file, "leaves", width)?,
        })
    }
}

/// Walks that go in step, at most.
pub const GROUP: usize = 64;

/// Room for walks in step.
#[derive(Debug)]
pub struct Walks<B: BitVector>(Vec<Walk<B::Spot>>);

impl<B: BitVector> Default for Walks<B> {
    fn default() -> Self {
        Self(vec![Walk::default(); GROUP])
    }
}

/// One way down through the levels of a block.
#[derive(Clone, Copy, Debug, Default)]
struct Walk<P> {
    block: usize,
    place: usize,
    offset: u32,
    leaf: usize,
    code: Code,
    first: usize,
    end: usize,
    behind: usize,
    level: Level,
    spot: P,
}

/// Which walks go on.
#[derive(Clone, Copy, Debug)]
struct Going {
    walks: [u8; GROUP],
    count: usize,
}

impl Default for Going {
    fn default() -> Self {
        Self { walks: [0; GROUP], count: 0 }
    }
}

impl Going {
    /// Takes a walk along, if it goes on; without a branch, for it would be guessed wrong every
    /// other time.
    fn keep(&mut self, goes_on: bool, walk: usize) {
        self.walks[self.count.min(GROUP - 1)] = walk as u8;
        self.count += usize::from(goes_on);
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.walks[..self.count].iter().map(|&walk| usize::from(walk))
    }
}

/// A level of a block.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    stream: Stream,
    zeros: usize,
    /// Symbols whose codes go on.
    going: usize,
    /// The first leaf whose code ends here.
    leaf: usize,
}

impl Level {
    /// The place in the next level of what is at a place, given its bit and the ones before it.
    fn next(&self, bit: bool, place: usize, rank: usize) -> usize {
        if bit { self.zeros.wrapping_add(rank) } else { place.wrapping_sub(rank) }
    }
}

fn damaged() -> Error {
    Error::corrupt("the tables of the compressed text contradict each other")
}
