//! Builds a suffix array.

use crate::container::Block;
use crate::error::Result;
use crate::symbol::Symbol;

/// The suffix array of `text`: the start of every suffix, in the suffixes' order.
///
/// The text is borrowed to be changed and is as it was afterwards. O(n) time; 4 bytes a symbol
/// for the array and, for `u32` symbols, tables of the size of their alphabet.
///
/// # Errors
/// If memory runs out, or the text is longer than [`crate::corpus::MAX_SYMBOLS`].
pub fn sort<S: Symbol>(text: &mut [S]) -> Result<Block<u32>> {
    let mut suffixes = Block::<u32>::zeros(text.len())?;
    if !text.is_empty() {
        S::sort_suffixes(text, bytemuck::cast_slice_mut(suffixes.items_mut()))?;
    }
    Ok(suffixes)
}
