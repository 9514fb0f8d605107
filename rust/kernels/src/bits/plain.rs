//! Bits as they are, a cache line of 480 behind the number of ones before it.

use super::{BitVector, Bits, Stream, mask, prefetch, whole_block};
use crate::container::{Block, BlockToWrite, SegmentFile};
use crate::error::Result;

/// Words a line.
const WORDS: usize = 8;

/// Bits of the count in a line's first word.
const COUNT: usize = 32;

/// Bits a line.
const LINE: usize = WORDS * 64 - COUNT;

/// Lines a hint, and what ones it counts in: few enough bits for a stream's most.
const LINES: usize = 16;
const UNIT: usize = 256;

/// Ones by which a guess between two hints is mostly not wrong.
const WRONG: usize = 160;

/// Bits with a rank of one cache line: 6.7 % more than the bits themselves.
#[derive(Debug)]
pub struct Plain {
    words: Block<u64>,
    /// For one line in [`LINES`] about how many ones are before it in its stream.
    hints: Block<u16>,
}

/// Streams on their way into a [`Plain`].
#[derive(Debug, Default)]
pub struct Builder {
    words: Vec<u64>,
    hints: Vec<u16>,
}

impl BitVector for Plain {
    type Builder = Builder;

    fn push(builder: &mut Builder, bits: &Bits) -> Stream {
        let Builder { words, hints } = builder;
        let head = (words.len() / WORDS) as u32;
        let mut ones = 0;
        // A line more than full ones, so that behind the last bit there is one to ask.
        for start in (0..=bits.len()).step_by(LINE) {
            if words.len().is_multiple_of(LINES * WORDS) {
                hints.push((ones as usize / UNIT) as u16);
            }
            let mut line = [0; WORDS];
            line[0] = ones | bits.get(start, COUNT) << COUNT;
            for (nth, word) in line.iter_mut().enumerate().skip(1) {
                *word = bits.get(start + nth * 64 - COUNT, 64);
            }
            let own: u32 = line.iter().map(|word| word.count_ones()).sum();
            ones = (ones + u64::from(own - (ones as u32).count_ones())) & mask(COUNT);
            words.extend(line);
        }
        Stream { head, tail: 0 }
    }

    fn build(builder: Builder) -> Self {
        Self { words: builder.words.into(), hints: builder.hints.into() }
    }

    /// The first word of a line, and the place in it.
    type Spot = (usize, usize);

    #[inline]
    fn spot(&self, stream: Stream, at: usize) -> (usize, usize) {
        let line = (stream.head as usize).saturating_add(at / LINE);
        let start = line.saturating_mul(WORDS);
        prefetch(&self.words, start);
        (start, at % LINE + COUNT)
    }

    /// Nothing: a line says where it is.
    #[inline]
    fn settle(&self, _: &mut (usize, usize)) {}

    /// Between the hints on either side. Where they are of two streams, it is wrong.
    #[inline]
    fn about(&self, &(start, at): &(usize, usize)) -> [usize; 2] {
        let line = start / WORDS;
        let hints = self.hints.get(line / LINES..).and_then(|rest| rest.first_chunk());
        let [before, behind] = hints.copied().unwrap_or_default().map(usize::from);
        let bits = line % LINES * LINE + at;
        let ones =
            UNIT / 2 + UNIT * before + UNIT * behind.saturating_sub(before) * bits / (LINES * LINE);
        [ones.saturating_sub(WRONG), ones + WRONG]
    }

    #[inline]
    fn read(&self, (start, at): (usize, usize)) -> (bool, usize) {
        let Some(line) = self.words.get(start..).and_then(|line| line.first_chunk::<WORDS>())
        else {
            return (false, 0);
        };
        let (word, shift) = (at / 64, at % 64);
        let mut ones = (line[0] & mask(COUNT)) as u32;
        // All words, those behind masked away: the number of turns would be guessed wrong.
        for (nth, &bits) in line.iter().enumerate() {
            let bits = if nth == 0 { bits >> COUNT << COUNT } else { bits };
            let kept = if nth < word { u64::MAX } else { 0 };
            ones = ones.wrapping_add((bits & kept).count_ones());
        }
        let last = if word == 0 { line[0] >> COUNT << COUNT } else { line[word] };
        ones = ones.wrapping_add((last & mask(shift)).count_ones());
        (line[word] >> shift & 1 == 1, ones as usize)
    }

    fn bytes(&self) -> usize {
        self.words.len() * 8 + self.hints.len() * 2
    }

    fn blocks(&self, name: &str) -> Vec<BlockToWrite<'_>> {
        vec![
            BlockToWrite::new(format!("{name}_lines"), "u64", &self.words),
            BlockToWrite::new(format!("{name}_hints"), "u16", &self.hints),
        ]
    }

    fn open(file: &SegmentFile, name: &str) -> Result<Self> {
        Ok(Self {
            words: whole_block(file, &format!("{name}_lines"), "u64")?,
            hints: whole_block(file, &format!("{name}_hints"), "u16")?,
        })
    }
}
