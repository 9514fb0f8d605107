//! How long a block of deflate is: with codes of its own, with the fixed ones, or stored.
//!
//! The codes are Huffman's. Of equal frequencies there are several, equally good for the symbols,
//! but not so for how their lengths are written: so ties are broken as zlib breaks them, by the
//! depth of what was joined and then by the place in its heap.

/// Symbols of a block at most.
const SYMBOLS: u32 = 16_383;

/// The symbol that ends a block.
const END: usize = 256;
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
const FIXED_DISTANCE: u64 = 5;

/// Symbols that lengths of codes are written with: 0 to 15, and runs of the one before and of 0.
const LENGTHS: usize = 19;
const AGAIN: usize = 16;
const FEW_ZEROS: usize = 17;
const MANY_ZEROS: usize = 18;

/// The order in which the lengths of those symbols' own codes are written, as far as there are any.
const WRITTEN: [usize; LENGTHS] =
    [AGAIN, FEW_ZEROS, MANY_ZEROS, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Bits of the longest codes of symbols, and of those that write lengths.
const LONGEST: usize = 15;
const LONGEST_LENGTH: usize = 7;

/// The symbols of a block so far.
#[derive(Clone, Debug)]
pub(super) struct Block {
    literals: [u16; LITERALS],
    distances: [u16; DISTANCES],
    symbols: u32,
    /// Bits that follow codes, which no code changes.
    extra: u64,
}

impl Default for Block {
    fn default() -> Self {
        let mut literals = [0; LITERALS];
        literals[END] = 1;
        Self { literals, distances: [0; DISTANCES], symbols: 0, extra: 0 }
    }
}

impl Block {
    /// Adds a byte; whether the block is full.
    #[inline]
    pub fn literal(&mut self, byte: u8) -> bool {
        self.literals[usize::from(byte)] += 1;
        self.full()
    }

    /// Adds a string that was seen before; whether the block is full.
    #[inline]
    pub fn pair(&mut self, length: usize, distance: usize) -> bool {
        let (length, bits) = length_code(length as u32 - 3);
        let (distance, more) = distance_code(distance as u32 - 1);
        self.literals[END + 1 + length] += 1;
        self.distances[distance] += 1;
        self.extra += u64::from(bits + more);
        self.full()
    }

    #[inline]
    fn full(&mut self) -> bool {
        self.symbols += 1;
        self.symbols == SYMBOLS
    }

    /// Where output ends that was `written` bits long, after this block; `stored` is how many bytes
    /// of text it is, where zlib still has them.
    pub fn written(&self, written: u64, stored: Option<usize>, tree: &mut Tree) -> u64 {
        let (fixed, own) = (self.fixed(), self.own(tree));
        let bytes = |bits: u64| (bits + 3).div_ceil(8);
        let is_fixed = bytes(fixed) <= bytes(own);
        let coded = if is_fixed { fixed } else { own };
        match stored {
            Some(stored) if stored as u64 + 4 <= bytes(coded) => {
                (written + 3).next_multiple_of(8) + 32 + 8 * stored as u64
            }
            _ => written + 3 + coded,
        }
    }

    /// Bits of the block by the codes that are fixed.
    fn fixed(&self) -> u64 {
        let sum = |counts: &[u16]| counts.iter().map(|&count| u64::from(count)).sum::<u64>();
        let literals = &self.literals;
        8 * sum(&literals[..144])
            + 9 * sum(&literals[144..256])
            + 7 * sum(&literals[256..280])
            + 8 * sum(&literals[280..])
            + FIXED_DISTANCE * sum(&self.distances)
            + self.extra
    }

    /// Bits of the block by its own codes, and of these.
    fn own(&self, tree: &mut Tree) -> u64 {
        let (mut literals, mut distances) = ([0; LITERALS], [0; DISTANCES]);
        let of_literals = tree.code(&self.literals, LONGEST, &mut literals);
        let of_distances = tree.code(&self.distances, LONGEST, &mut distances);
        let mut counts = [0; LENGTHS];
        count_lengths(&literals[..of_literals.symbols], &mut counts);
        count_lengths(&distances[..of_distances.symbols], &mut counts);
        let mut lengths = [0; LENGTHS];
        let of_lengths = tree.code(&counts, LONGEST_LENGTH, &mut lengths);
        let runs = [(AGAIN, 2), (FEW_ZEROS, 3), (MANY_ZEROS, 7)];
        let repeats: u64 =
            runs.iter().map(|&(symbol, bits)| bits * u64::from(counts[symbol])).sum();
        let last = WRITTEN.iter().rposition(|&symbol| lengths[symbol] != 0);
        let written = last.map_or(4, |last| (last + 1).max(4)) as u64;
        let header = 5 + 5 + 4 + 3 * written;
        of_literals.bits + of_distances.bits + self.extra + of_lengths.bits + repeats + header
    }
}

/// The symbol of a length, that less 3, and how many bits follow it.
#[inline]
fn length_code(length: u32) -> (usize, u32) {
    match length {
        255 => (28, 0),
        0..8 => (length as usize, 0),
        _ => {
            let bits = length.ilog2() - 2;
            ((4 * bits + (length >> bits)) as usize, bits)
        }
    }
}

/// The symbol of a distance, that less 1, and how many bits follow it.
#[inline]
fn distance_code(distance: u32) -> (usize, u32) {
    if distance < 4 {
        return (distance as usize, 0);
    }
    let bits = distance.ilog2() - 1;
    ((2 * bits + (distance >> bits)) as usize, bits)
}

/// What a code costs.
struct Code {
    /// All symbols up to the last that has a code.
    symbols: usize,
    /// Of all symbols together.
    bits: u64,
}

/// Nodes of a tree of codes.
const NODES: usize = 2 * LITERALS;

/// Of a heap of symbols; the first is not used.
const ENTRIES: usize = LITERALS + 1;

/// Bits of an entry of the heap that tell the node; above them are its depth and its frequency.
const NODE_BITS: u32 = 10;
const DEPTH_BITS: u32 = 6;

/// Memory to make codes in, whatever is in it.
#[derive(Debug)]
pub(super) struct Tree {
    heap: [u32; ENTRIES],
    /// Nodes in the order they were joined.
    taken: [u16; NODES],
    parents: [u16; NODES],
    depths: [u8; NODES],
}

impl Default for Tree {
    fn default() -> Self {
        let (heap, taken, parents, depths) = ([0; ENTRIES], [0; NODES], [0; NODES], [0; NODES]);
        Self { heap, taken, parents, depths }
    }
}

impl Tree {
    /// Huffman's code of at most `longest` bits for symbols that occur so often, as zlib makes it;
    /// their lengths, which must be 0, are put to `lengths`.
    fn code(&mut self, counts: &[u16], longest: usize, lengths: &mut [u8]) -> Code {
        let Self { heap, taken, parents, depths } = self;
        let entry = |node: usize, count: u32, depth: u32| {
            (((count << DEPTH_BITS) | depth) << NODE_BITS) | node as u32
        };
        let node_of = |entry: u32| (entry & ((1 << NODE_BITS) - 1)) as usize;
        let mut size = 0;
        let mut last = None;
        for (part, counts) in counts.chunks(64).enumerate() {
            let mut used = 0_u64;
            for (bit, &count) in counts.iter().enumerate() {
                used |= u64::from(count != 0) << bit;
            }
            while used != 0 {
                let bit = used.trailing_zeros() as usize;
                used &= used - 1;
                size += 1;
                heap[size] = entry(64 * part + bit, counts[bit].into(), 0);
                last = Some(64 * part + bit);
            }
        }
        // A code has two symbols at least, though one of them, or both, may not occur.
        while size < 2 {
            let node = match last {
                Some(last) if last < 2 => last + 1,
                _ => 0,
            };
            last = Some(last.map_or(node, |last| last.max(node)));
            size += 1;
            heap[size] = entry(node, 1, 0);
        }
        for at in (1..=size / 2).rev() {
            sink(heap, size, at);
        }
        let mut nodes = 0;
        let mut parent = counts.len();
        while size > 1 {
            let first = heap[1];
            heap[1] = heap[size];
            size -= 1;
            sink(heap, size, 1);
            let second = heap[1];
            for one in [first, second] {
                taken[nodes] = node_of(one) as u16;
                parents[node_of(one)] = parent as u16;
                nodes += 1;
            }
            let count = |entry: u32| entry >> (NODE_BITS + DEPTH_BITS);
            let depth = |entry: u32| (entry >> NODE_BITS) & ((1 << DEPTH_BITS) - 1);
            let deeper = depth(first).max(depth(second)) + 1;
            heap[1] = entry(parent, count(first) + count(second), deeper);
            sink(heap, size, 1);
            parent += 1;
        }
        depths[parent - 1] = 0;
        let taken = &taken[..nodes];
        let mut numbers = [0_u32; LONGEST + 1];
        let mut too_long = 0;
        for &node in taken.iter().rev() {
            let node = usize::from(node);
            let mut depth = depths[usize::from(parents[node])] + 1;
            if usize::from(depth) > longest {
                depth = longest as u8;
                too_long += 1;
            }
            depths[node] = depth;
            if node < counts.len() {
                numbers[usize::from(depth)] += 1;
                lengths[node] = depth;
            }
        }
        if too_long > 0 {
            shorten(&mut numbers, longest, too_long);
            let nodes = taken.iter().map(|&node| usize::from(node));
            let depths = (1..=longest)
                .rev()
                .flat_map(|depth| std::iter::repeat_n(depth as u8, numbers[depth] as usize));
            let leaves = nodes.filter(|&node| node < counts.len());
            leaves.zip(depths).for_each(|(leaf, depth)| lengths[leaf] = depth);
        }
        let bits = counts
            .iter()
            .zip(&*lengths)
            .map(|(&count, &length)| u32::from(count) * u32::from(length))
            .sum::<u32>();
        Code { symbols: last.map_or(0, |last| last + 1), bits: bits.into() }
    }
}

/// Moves the entry at a place of the heap down to where none below is smaller.
///
/// It goes down to the end, along the smaller ones, and up again to its place: mostly it belongs far
/// down.
#[inline]
fn sink(heap: &mut [u32; ENTRIES], size: usize, top: usize) {
    // By frequency and depth, not by node: of equal ones zlib's heap has its own order.
    let smaller = |one: u32, other: u32| one >> NODE_BITS <= other >> NODE_BITS;
    let sunk = heap[top];
    let (mut at, mut below) = (top, 2 * top);
    while below < size {
        below += usize::from(smaller(heap[below + 1], heap[below]));
        heap[at] = heap[below];
        at = below;
        below *= 2;
    }
    if below == size {
        heap[at] = heap[below];
        at = below;
    }
    while at > top && smaller(sunk, heap[at / 2]) {
        heap[at] = heap[at / 2];
        at /= 2;
    }
    heap[at] = sunk;
}

/// Makes room for codes that were too long: others become longer.
fn shorten(numbers: &mut [u32; LONGEST + 1], longest: usize, too_long: usize) {
    for _ in 0..too_long.div_ceil(2) {
        let mut length = longest - 1;
        while numbers[length] == 0 {
            length -= 1;
        }
        numbers[length] -= 1;
        numbers[length + 1] += 2;
        numbers[longest] -= 1;
    }
}

/// Counts what lengths of codes are written with.
fn count_lengths(lengths: &[u8], counts: &mut [u16; LENGTHS]) {
    for run in lengths.chunk_by(|one, other| one == other) {
        let length = usize::from(run[0]);
        let mut left = run.len();
        if length == 0 {
            while left > 0 {
                let now = left.min(138);
                match now {
                    1..3 => counts[0] += now as u16,
                    3..=10 => counts[FEW_ZEROS] += 1,
                    _ => counts[MANY_ZEROS] += 1,
                }
                left -= now;
            }
            continue;
        }
        counts[length] += 1;
        left -= 1;
        while left > 0 {
            let now = left.min(6);
            if now < 3 {
                counts[length] += now as u16;
            } else {
                counts[AGAIN] += 1;
            }
            left -= now;
        }
    }
}
