//! A sequence of symbols in blocks, each a wavelet matrix in the shape of its own codes: fixed-block
//! compression boosting (Kärkkäinen and Puglisi 2011). It says what stands at a place and how often
//! a symbol stands before one.

use super::code::{Code, MOST, codes};
use crate::bits::{BitVector, Bits, Packed, STREAM, Stream, width_of};
use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::{Error, Result};

/// log2 of the symbols a block, at most: a level is one stream.
pub(super) const MOST_BLOCK: u32 = STREAM.ilog2();

/// Numbers of a level in a block's table: where its bits are, in two, their zeros, how many symbols go
/// on to the next level, and how many leaves end here. They follow it, and then the next level, so
/// that a way down reads on where it is.
const LEVEL: usize = 5;

/// Numbers of a leaf: its code, its symbol, and what to add to a place among its bits' last.
const LEAF: usize = 3;

/// Numbers before a table's first level: where the symbols are that do not occur in the block.
const HEAD: usize = 1;

/// Symbols, numbered from 0 without gaps, in blocks.
#[derive(Debug)]
pub struct Wavelet<B> {
    /// log2 of the symbols a block.
    block: u32,
    symbols: usize,
    length: usize,
    bits: B,
    /// Where each block's table starts.
    starts: Block<u32>,
    /// Of each block the levels, each with the leaves whose codes end there, and for each symbol that
    /// does not occur how often it stands before.
    tables: Block<u32>,
    /// For each block and symbol, where in the block's table it is.
    entries: Packed,
}

/// Takes a sequence block by block.
#[derive(Debug)]
pub struct WaveletBuilder<B: BitVector> {
    block: u32,
    length: usize,
    builder: B::Builder,
    starts: Vec<u32>,
    tables: Vec<u32>,
    entries: Vec<u32>,
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
            starts: vec![],
            tables: vec![],
            entries: vec![],
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
        let first = self.tables.len();
        self.starts.push(first as u32);
        self.tables.push(0);
        let mut entries = vec![0; counts.len()];
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
            self.tables.extend([head, tail, zeros as u32, start, ended.len() as u32]);
            for &symbol in &ended {
                entries[symbol as usize] = (self.tables.len() - first) as u32;
                self.leaf(symbol, codes[symbol as usize], start);
                start += counts[symbol as usize];
            }
            leaf += ended.len();
        }
        if let Some(&only) = order.get(leaf) {
            entries[only as usize] = HEAD as u32;
            self.leaf(only, Code::default(), 0);
        }
        self.tables[first] = (self.tables.len() - first) as u32;
        for (symbol, entry) in entries.iter_mut().enumerate().filter(|(_, entry)| **entry == 0) {
            *entry = (self.tables.len() - first) as u32;
            self.tables.push(self.before[symbol]);
        }
        self.entries.extend(entries);
        for (before, count) in self.before.iter_mut().zip(counts) {
            *before += count;
        }
        self.length += symbols.len();
    }

    /// Adds a leaf whose symbols stand from `start` on.
    fn leaf(&mut self, symbol: u32, code: Code, start: u32) {
        let offset = self.before[symbol as usize].wrapping_sub(start);
        self.tables.extend([code.bits << LENGTH_BITS | code.length, symbol, offset]);
    }

    /// The sequence.
    pub fn finish(self) -> Wavelet<B> {
        let symbols = self.before.len();
        Wavelet {
            block: self.block,
            symbols,
            length: self.length,
            bits: B::build(self.builder),
            starts: self.starts.into(),
            tables: self.tables.into(),
            entries: Packed::new(&self.entries, entry_width(symbols)),
        }
    }
}

/// Bits of a place in the table of a block of an alphabet of so many symbols.
fn entry_width(symbols: usize) -> usize {
    width_of((HEAD + MOST * LEVEL + symbols * LEAF) as u64)
}

/// Bits of a code's length, below the code itself.
const LENGTH_BITS: u32 = 6;

/// A code's length.
const LENGTH: u32 = (1 << LENGTH_BITS) - 1;

/// A number of a table that may be damaged; 0 outside.
fn at<T: Copy + Default + bytemuck::Pod>(table: &Block<T>, place: usize) -> T {
    table.get(place).copied().unwrap_or_default()
}

impl<B: BitVector> Wavelet<B> {
    /// Numbers of the tables from a place on.
    fn numbers<const N: usize>(&self, place: usize) -> [u32; N] {
        let found = self.tables.get(place..).and_then(|rest| rest.first_chunk());
        found.copied().unwrap_or([0; N])
    }

    /// Where a block's table starts.
    fn table(&self, block: usize) -> u32 {
        at(&self.starts, block)
    }

    #[inline]
    fn level(&self, place: u32) -> Level {
        let [head, tail, zeros, going, leaves] = self.numbers(place as usize);
        let first = place.wrapping_add(LEVEL as u32);
        let next = first.wrapping_add(leaves.wrapping_mul(LEAF as u32));
        Level { stream: Stream { head, tail }, zeros, going, leaves: first, next }
    }

    /// The block of a place. Behind the last block there is none: the end is the end of the last one.
    fn block_of(&self, place: usize) -> usize {
        place.min(self.length.saturating_sub(1)) >> self.block
    }

    /// As a level above the first one of a table, from which all symbols go on, unless they are all
    /// the same.
    #[inline]
    fn above(&self, table: u32) -> Level {
        let first = table.wrapping_add(HEAD as u32);
        let alone = at(&self.tables, table as usize) as usize == HEAD + LEAF;
        let behind = first.wrapping_add(LEAF as u32);
        let (going, next) = if alone { (0, behind) } else { (u32::MAX, first) };
        Level { going, leaves: first, next, ..Level::default() }
    }

    /// The symbol whose code ends at a level, and its rank at a place behind it.
    fn found(&self, level: Level, bits: u32, place: u32) -> Result<(u32, u32)> {
        let leaves = self.tables.get(level.leaves as usize..level.next as usize);
        let (leaves, _) = leaves.unwrap_or_default().as_chunks::<LEAF>();
        let nth = leaves.partition_point(|leaf| leaf[0] >> LENGTH_BITS < bits);
        let &[_, symbol, offset] = leaves.get(nth).ok_or_else(damaged)?;
        if (symbol as usize) < self.symbols {
            Ok((symbol, offset.wrapping_add(place)))
        } else {
            Err(damaged())
        }
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
        let walks = &mut *walks.0;
        let mut going = Going::default();
        for ((walk, &symbol), &place) in walks.iter_mut().zip(symbols).zip(places) {
            let block = self.block_of(place);
            walk.place = (place - (block << self.block)) as u32;
            walk.table = self.table(block);
            walk.entry = self.entries.get(block * self.symbols + symbol as usize) as u32;
        }
        for (nth, walk) in walks.iter_mut().enumerate().take(places.len()) {
            let table = walk.table as usize;
            if walk.entry >= at(&self.tables, table) {
                walk.place = 0;
                walk.offset = at(&self.tables, table + walk.entry as usize);
                continue;
            }
            let [code, _, offset] = self.numbers::<LEAF>(table + walk.entry as usize);
            (walk.code, walk.offset) = (code, offset);
            walk.level.next = walk.table.wrapping_add(HEAD as u32);
            going.keep(code & LENGTH > 0, nth);
        }
        self.descend(walks, going, |walk, depth, (_, rank)| {
            let bit = walk.code >> (LENGTH_BITS + depth) & 1 == 1;
            walk.place = walk.level.step(bit, walk.place, rank as u32);
            depth + 1 < walk.code & LENGTH
        });
        for (rank, walk) in ranks.iter_mut().zip(walks).take(places.len()) {
            *rank = walk.offset.wrapping_add(walk.place);
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
        let walks = &mut *walks.0;
        let mut going = Going::default();
        for (walk, &place) in walks.iter_mut().zip(places) {
            let block = place >> self.block;
            walk.place = (place - (block << self.block)) as u32;
            walk.table = self.table(block);
            walk.code = 0;
        }
        for (nth, walk) in walks.iter_mut().enumerate().take(places.len()) {
            walk.level = self.above(walk.table);
            going.keep(walk.level.going > 0, nth);
        }
        self.descend(walks, going, |walk, depth, (bit, rank)| {
            walk.code |= u32::from(bit) << depth;
            walk.place = walk.level.step(bit, walk.place, rank as u32);
            // Behind those whose codes go on are those whose codes end.
            walk.place < walk.level.going
        });
        for (found, walk) in found.iter_mut().zip(walks).take(places.len()) {
            *found = self.found(walk.level, walk.code, walk.place)?;
        }
        Ok(())
    }

    /// Takes walks down, level by level: what is read of each decides whether it goes on.
    #[inline]
    fn descend(
        &self,
        walks: &mut [Walk<B::Spot>; GROUP],
        mut going: Going,
        mut take: impl FnMut(&mut Walk<B::Spot>, u32, (bool, usize)) -> bool,
    ) {
        for depth in 0..MOST as u32 {
            if going.count == 0 {
                return;
            }
            // What is read of one is asked for before it is read of the others: misses overlap.
            for nth in going.iter() {
                let walk = &mut walks[nth];
                walk.level = self.level(walk.level.next);
                walk.spot = self.bits.spot(walk.level.stream, walk.place as usize);
            }
            for nth in going.iter() {
                self.bits.settle(&mut walks[nth].spot);
            }
            if going.count <= ALONE {
                for nth in going.iter() {
                    self.ask_ahead(&walks[nth]);
                }
            }
            let mut next = Going::default();
            for nth in going.iter() {
                let walk = &mut walks[nth];
                let read = self.bits.read(walk.spot);
                next.keep(take(walk, depth, read), nth);
            }
            going = next;
        }
    }

    /// Asks memory for where a walk will probably be on the next level, before its bit is read.
    #[inline]
    fn ask_ahead(&self, walk: &Walk<B::Spot>) {
        let Level { stream, .. } = self.level(walk.level.next);
        let [low, high] = self.bits.about(&walk.spot);
        for bit in [false, true] {
            let ask = |rank: usize| {
                self.bits.spot(stream, walk.level.step(bit, walk.place, rank as u32) as usize)
            };
            ask(low);
            if low < high {
                ask(high);
            }
        }
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        let tables = self.starts.len() + self.tables.len();
        self.bits.bytes() + self.entries.bytes() + tables * 4
    }

    /// What is to be written of it.
    pub fn blocks(&self) -> Vec<BlockToWrite<'_>> {
        let mut blocks = self.bits.blocks("bwt");
        blocks.extend([
            BlockToWrite::new("starts", "u32", &self.starts),
            BlockToWrite::new("tables", "u32", &self.tables),
            self.entries.block("entries"),
        ]);
        blocks
    }

    /// What [`Wavelet::blocks`] wrote.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a block is not there or has not the length that it must.
    pub fn open(file: &SegmentFile, block: u32, symbols: usize, length: usize) -> Result<Self> {
        Ok(Self {
            block,
            symbols,
            length,
            bits: B::open(file, "bwt")?,
            starts: file.block("starts", "u32", length.div_ceil(1 << block))?,
            tables: file.block("tables", "u32", file.length("tables") / 4)?,
            entries: Packed::open(file, "entries", entry_width(symbols))?,
        })
    }
}

/// Walks so few that each waits for memory; of more, misses overlap as it is.
const ALONE: usize = 8;

/// Walks that go in step, at most.
pub const GROUP: usize = 64;

/// Room for walks in step.
#[derive(Debug)]
pub struct Walks<B: BitVector>(Box<[Walk<B::Spot>; GROUP]>);

impl<B: BitVector> Default for Walks<B> {
    fn default() -> Self {
        Self(Box::new([Walk::default(); GROUP]))
    }
}

/// One way down through the levels of a block.
#[derive(Clone, Copy, Debug, Default)]
struct Walk<P> {
    place: u32,
    table: u32,
    entry: u32,
    offset: u32,
    code: u32,
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

    #[inline]
    fn iter(&self) -> impl Iterator<Item = usize> {
        self.walks.iter().take(self.count).map(|&walk| usize::from(walk) % GROUP)
    }
}

/// A level of a block.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    stream: Stream,
    zeros: u32,
    /// Symbols whose codes go on.
    going: u32,
    /// Where the leaves are whose codes end here, and behind them the next level.
    leaves: u32,
    next: u32,
}

impl Level {
    /// The place in the next level of what is at a place, given its bit and the ones before it.
    #[inline]
    fn step(&self, bit: bool, place: u32, rank: u32) -> u32 {
        if bit { self.zeros.wrapping_add(rank) } else { place.wrapping_sub(rank) }
    }
}

fn damaged() -> Error {
    Error::corrupt("the tables of the compressed text contradict each other")
}
