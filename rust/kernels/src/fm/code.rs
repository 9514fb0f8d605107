//! Prefix codes for wavelet matrices.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Most bits a code.
pub const MOST: usize = 26;

/// The code of one symbol: `length` bits, the first one lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// The bits.
    pub bits: u32,
    /// How many they are; 0 for a symbol that does not occur, or is the only one.
    pub length: u32,
}

/// Codes for symbols that occur so often, the shortest on average (Huffman 1952), in the order that
/// a wavelet matrix needs: at every level those symbols stand last whose codes end there, so that
/// what is left stands together (Claude, Navarro and Ordóñez 2015).
pub fn codes(counts: &[u32]) -> Vec<Code> {
    let lengths = lengths(counts);
    let mut codes = vec![Code::default(); counts.len()];
    let deepest = lengths.iter().copied().max().unwrap_or(0);
    let mut ending = vec![vec![]; deepest as usize + 1];
    for (symbol, &length) in lengths.iter().enumerate() {
        if length > 0 {
            ending[length as usize].push(symbol);
        }
    }
    // What the codes start with that go on, in the order in which their symbols stand: the last bit
    // decides first, as the last of several stable partitions does.
    let mut going = vec![0_u32];
    for length in 1..=deepest {
        let one = 1 << (length - 1);
        let longer: Vec<u32> =
            going.iter().copied().chain(going.iter().map(|bits| bits | one)).collect();
        let ended = &ending[length as usize];
        let kept = longer.len() - ended.len().min(longer.len());
        for (&symbol, &bits) in ended.iter().zip(&longer[kept..]) {
            codes[symbol] = Code { bits, length };
        }
        going = longer[..kept].to_vec();
    }
    codes
}

/// The lengths of the codes: 0 for what does not occur, and if one symbol alone does.
fn lengths(counts: &[u32]) -> Vec<u32> {
    let mut lengths = vec![0; counts.len()];
    let mut weights: Vec<u64> = counts.iter().map(|&count| count.into()).collect();
    let symbols: Vec<usize> = (0..counts.len()).filter(|&symbol| counts[symbol] > 0).collect();
    if symbols.len() < 2 {
        return lengths;
    }
    loop {
        // Of equal weights those made first, for the same codes on every machine.
        let mut heap: BinaryHeap<Reverse<(u64, usize)>> = symbols
            .iter()
            .enumerate()
            .map(|(node, &symbol)| Reverse((weights[symbol], node)))
            .collect();
        let mut parents = vec![0; 2 * symbols.len() - 1];
        for node in symbols.len()..parents.len() {
            let mut weight = 0;
            for _ in 0..2 {
                if let Some(Reverse((lightest, child))) = heap.pop() {
                    weight += lightest;
                    parents[child] = node;
                }
            }
            heap.push(Reverse((weight, node)));
        }
        let mut depths = vec![0_u32; parents.len()];
        for node in (0..parents.len() - 1).rev() {
            depths[node] = depths[parents[node]] + 1;
        }
        if depths.iter().all(|&depth| depth as usize <= MOST) {
            for (node, &symbol) in symbols.iter().enumerate() {
                lengths[symbol] = depths[node];
            }
            return lengths;
        }
        for &symbol in &symbols {
            weights[symbol] = weights[symbol] / 2 + 1;
        }
    }
}
