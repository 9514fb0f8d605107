//! How alike two names are: an alignment of their words, each weighed by how informative it is,
//! and the 3-grams that they share.
//!
//! The words are aligned one to one, best first: equal words, words of few differing letters
//! (Damerau 1964, each place edited once), abbreviations, and two words against the one that they
//! make together. The similarity is the soft cosine of the weights (Sidorov et al. 2014; Cohen,
//! Ravikumar and Fienberg 2003), so that a word of every name, such as "corporation", says little,
//! and one of two names all.

use super::names::{Names, Word};

/// The share of the 3-grams in a score; that of words is the rest.
const GRAMS: f64 = 0.25;

/// Words less alike than this are two words.
const LEAST: f64 = 0.65;

/// How alike an abbreviation is to its word: one of at least three letters that it begins with.
const ABBREVIATION: f64 = 0.8;

/// Words that differ count for this power of their similarity.
const POWER: f64 = 1.5;

/// Words of a name after which the rest is compared by 3-grams alone.
const MOST_WORDS: usize = 64;

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its words on the left: the first one's place, and one past the last's.
    pub left: (usize, usize),
    /// Its words on the right.
    pub right: (usize, usize),
    /// From 0 to 1: 1 for the same letters.
    pub similarity: f64,
    /// What it adds to the score.
    pub score: f64,
}

/// The similarity of two words, from 0 to 1; 0 where it is below `LEAST`.
pub fn words(a: &Word, b: &Word) -> f64 {
    let (short, long) = if a.letters.len() <= b.letters.len() { (a, b) } else { (b, a) };
    let (less, more) = (short.letters.len(), long.letters.len());
    let beyond = (short.mask & !long.mask).count_ones() as usize;
    let floor = if less >= 3 && beyond == 0 && long.letters.starts_with(&short.letters) {
        ABBREVIATION
    } else {
        0.0
    };
    // Each letter of one that the other has not costs an edit.
    let edits = beyond.max((long.mask & !short.mask).count_ones() as usize).max(more - less);
    let most = ((1.0 - LEAST) * more as f64).floor() as usize;
    if edits > most {
        return floor;
    }
    let edits = edit_distance(&short.letters, &long.letters);
    if edits > most { floor } else { floor.max(1.0 - edits as f64 / more as f64) }
}

/// Insertions, deletions, changes and swaps of neighbours that make one text of the other, no
/// place edited twice. O(n m) time, a column at a time in a word of bits up to 64 characters
/// (Hyyrö 2003).
pub fn edit_distance(a: &[char], b: &[char]) -> usize {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return long.len();
    }
    if short.len() > 64 {
        return edit_distance_of_long(short, long);
    }
    let last = 1 << (short.len() - 1);
    let (mut up, mut down, mut diagonal, mut before) = (u64::MAX, 0_u64, 0_u64, 0_u64);
    let mut distance = short.len();
    for &letter in long {
        let equal = short
            .iter()
            .enumerate()
            .fold(0, |bits, (at, &other)| bits | u64::from(other == letter) << at);
        let swapped = ((!diagonal & equal) << 1) & before;
        diagonal = (((equal & up).wrapping_add(up)) ^ up) | equal | down | swapped;
        let (more, less) = (down | !(diagonal | up), diagonal & up);
        distance += usize::from(more & last != 0);
        distance -= usize::from(less & last != 0);
        let (more, less) = (more << 1 | 1, less << 1);
        up = less | !(diagonal | more);
        down = more & diagonal;
        before = equal;
    }
    distance
}

/// The same by rows of the table.
pub(super) fn edit_distance_of_long(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    let mut next: Vec<usize> = vec![0; width];
    for i in 1..=a.len() {
        next[0] = i;
        for j in 1..width {
            let mut least = (last[j] + 1).min(next[j - 1] + 1);
            least = least.min(last[j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            next[j] = least;
        }
        (before, last, next) = (last, next, before);
    }
    last[b.len()]
}

/// Scores pairs of names, without new memory for each.
#[derive(Debug, Default)]
pub struct Comparer {
    pairs: Vec<(f64, f64, Piece)>,
    left_squares: Vec<f64>,
    right_squares: Vec<f64>,
}

impl Comparer {
    /// The similarity of two names, from 0 to 1; of the left to what the right holds of it unless
    /// `symmetric`.
    pub fn score(&mut self, names: &Names, left: u32, right: u32, symmetric: bool) -> f64 {
        self.pieces(names, left, right, symmetric, |_| {})
    }

    /// The same, and each piece of the alignment.
    pub fn pieces(
        &mut self,
        names: &Names,
        left: u32,
        right: u32,
        symmetric: bool,
        mut take: impl FnMut(Piece),
    ) -> f64 {
        if left == right {
            for at in 0..names.words_of(left as usize).len() {
                let weight = names.words[names.words_of(left as usize)[at] as usize].weight;
                let total: f64 = squares(names, left).sum();
                let span = (at, at + 1);
                take(Piece {
                    left: span,
                    right: span,
                    similarity: 1.0,
                    score: weight * weight / total,
                });
            }
            return 1.0;
        }
        let grams = f64::from(if symmetric {
            names.grams.product(left as usize, right as usize)
        } else {
            names.grams.covered(left as usize, right as usize)
        });
        self.align(names, left, right);
        self.left_squares.clear();
        self.left_squares.extend(squares(names, left));
        self.right_squares.clear();
        self.right_squares.extend(squares(names, right));
        let (mut free_left, mut free_right) = (u64::MAX, u64::MAX);
        let mut kept = 0;
        for at in 0..self.pairs.len() {
            let (_, _, piece) = self.pairs[at];
            let (used_left, used_right) = (bits(piece.left), bits(piece.right));
            if free_left & used_left != used_left || free_right & used_right != used_right {
                continue;
            }
            free_left &= !used_left;
            free_right &= !used_right;
            // Two words that make one weigh what that one does.
            let (i, j) = (piece.left.0, piece.right.0);
            if piece.left.1 - i == 2 {
                (self.left_squares[i], self.left_squares[i + 1]) = (self.right_squares[j], 0.0);
            } else if piece.right.1 - j == 2 {
                (self.right_squares[j], self.right_squares[j + 1]) = (self.left_squares[i], 0.0);
            }
            self.pairs[kept] = self.pairs[at];
            kept += 1;
        }
        self.pairs.truncate(kept);
        let left_total: f64 = self.left_squares.iter().sum();
        let right_total: f64 = self.right_squares.iter().sum();
        let mut sum = 0.0;
        for (alike, _, piece) in &self.pairs {
            let (i, j) = (piece.left.0, piece.right.0);
            let share = if symmetric {
                // A product of square roots, for the same in both directions.
                self.left_squares[i].sqrt() * self.right_squares[j].sqrt()
                    / (left_total.sqrt() * right_total.sqrt())
            } else {
                self.left_squares[i] / left_total
            };
            let score = (1.0 - GRAMS) * alike * share;
            sum += score;
            take(Piece { score, ..*piece });
        }
        (sum + GRAMS * grams).clamp(0.0, 1.0)
    }

    /// Every pair of words that are alike, the best first; the same whichever name is the left.
    fn align(&mut self, names: &Names, left: u32, right: u32) {
        let own = |name: u32| {
            let words = names.words_of(name as usize);
            &words[..words.len().min(MOST_WORDS)]
        };
        let (x, y) = (own(left), own(right));
        let word = |id: u32| &names.words[id as usize];
        self.pairs.clear();
        let mut add =
            |left: (usize, usize), right: (usize, usize), similarity: f64, weight: f64| {
                let piece = Piece { left, right, similarity, score: 0.0 };
                self.pairs.push((similarity.powf(POWER), weight, piece));
            };
        for (i, &a) in x.iter().enumerate() {
            for (j, &b) in y.iter().enumerate() {
                let weight = word(a).weight * word(b).weight;
                if a == b {
                    add((i, i + 1), (j, j + 1), 1.0, weight);
                    continue;
                }
                let alike = words(word(a), word(b));
                if alike > 0.0 {
                    add((i, i + 1), (j, j + 1), alike, weight);
                }
            }
        }
        for i in 1..x.len() {
            for (j, &b) in y.iter().enumerate() {
                if made_of(word(b), word(x[i - 1]), word(x[i])) {
                    add((i - 1, i + 1), (j, j + 1), 1.0, word(b).weight.powi(2));
                }
            }
        }
        for j in 1..y.len() {
            for (i, &a) in x.iter().enumerate() {
                if made_of(word(a), word(y[j - 1]), word(y[j])) {
                    add((i, i + 1), (j - 1, j + 1), 1.0, word(a).weight.powi(2));
                }
            }
        }
        self.pairs.sort_by(|a, b| {
            let order = |piece: &Piece| {
                let ((i, i_end), (j, j_end)) = (piece.left, piece.right);
                (i + j, i.abs_diff(j), i_end + j_end)
            };
            b.0.total_cmp(&a.0)
                .then(b.1.total_cmp(&a.1))
                .then_with(|| order(&a.2).cmp(&order(&b.2)))
        });
    }
}

fn bits((start, end): (usize, usize)) -> u64 {
    (start..end).fold(0, |bits, at| bits | 1 << at)
}

fn squares(names: &Names, name: u32) -> impl Iterator<Item = f64> {
    let words = names.words_of(name as usize);
    words[..words.len().min(MOST_WORDS)]
        .iter()
        .map(|&word| names.words[word as usize].weight.powi(2))
}

/// Whether a word is two others, one after the other.
fn made_of(whole: &Word, first: &Word, second: &Word) -> bool {
    whole.letters.len() == first.letters.len() + second.letters.len()
        && whole.letters.starts_with(&first.letters)
        && whole.letters.ends_with(&second.letters)
}
