//! What characters are and how they are lowered: tables over all code points.
//!
//! Languages differ in what a letter is, and versions of Unicode too. A table is therefore given by
//! the caller (Python lends its own `\w`, `\s` and `str.lower`), or is Rust's.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Error, Result};

const PAGE: usize = 256;
const PAGES: usize = 0x11_0000 / PAGE;

/// The character is part of a word.
pub(crate) const WORD: u8 = 1;
/// The character is white space.
pub(crate) const SPACE: u8 = 2;
/// The character has case, which matters to a sigma near it.
const CASED: u8 = 4;
/// A sigma looks past the character.
const IGNORABLE: u8 = 8;
/// The character has another lower form.
const CHANGES: u8 = 16;

const SIGMA: char = 'Σ';
const FINAL_SIGMA: char = 'ς';

/// Ranges of code points, half open.
pub type Ranges = Vec<Range<u32>>;

/// Which characters make words, which are white space, and what each becomes in lower case.
#[derive(Clone, Debug)]
pub struct Characters {
    pages: Vec<u16>,
    flags: Vec<[u8; PAGE]>,
    lower: HashMap<u32, String>,
    /// Whether ASCII's separators, 0x1C to 0x1F, are white space; `None` where other ASCII is than
    /// everywhere.
    separators: Option<bool>,
}

impl Characters {
    /// The table of these classes; `lower` holds the characters that lower case changes.
    ///
    /// `cased` and `ignorable` are Unicode's Cased and Case_Ignorable (a character in both is the
    /// latter), which decide where a capital sigma becomes the final one.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what is no code point, or ASCII classified otherwise than
    /// everywhere.
    pub fn new(
        word: &[Range<u32>],
        space: &[Range<u32>],
        cased: &[Range<u32>],
        ignorable: &[Range<u32>],
        lower: HashMap<u32, String>,
    ) -> Result<Self> {
        let mut all = vec![[0; PAGE]; PAGES];
        let mut set = |code: u32, flag: u8| -> Result<()> {
            let page = all.get_mut(code as usize / PAGE).ok_or_else(|| {
                Error::InvalidInput(format!("{code} is no code point: they end at 1114111"))
            })?;
            page[code as usize % PAGE] |= flag;
            Ok(())
        };
        for (ranges, flag) in [(word, WORD), (space, SPACE), (cased, CASED), (ignorable, IGNORABLE)]
        {
            for code in ranges.iter().cloned().flatten() {
                set(code, flag)?;
            }
        }
        for &code in lower.keys() {
            set(code, CHANGES)?;
        }
        let mut places: HashMap<[u8; PAGE], u16> = HashMap::new();
        let mut table = Self { pages: vec![], flags: vec![], lower, separators: None };
        for page in all {
            let place = *places.entry(page).or_insert_with(|| {
                table.flags.push(page);
                table.flags.len() as u16 - 1
            });
            table.pages.push(place);
        }
        for code in 0..128 {
            let byte = code as u8;
            let usual = is_word(byte) == (table.flags(code) & WORD != 0)
                && byte.is_ascii_uppercase() == (table.flags(code) & CHANGES != 0);
            if !usual {
                return Err(Error::InvalidInput(format!(
                    "the table says of ASCII character {code} what no table does"
                )));
            }
        }
        let separators = table.flags(0x1C) & SPACE != 0;
        let usual =
            |byte: u8| is_space(byte, separators) == (table.flags(byte.into()) & SPACE != 0);
        table.separators = (0..128).all(usual).then_some(separators);
        Ok(table)
    }

    /// Rust's own: Alphabetic, Numeric and the underscore make words.
    pub fn unicode() -> Self {
        let mut classes: [Ranges; 4] = Default::default();
        let mut lower = HashMap::new();
        let mut text = String::new();
        for c in '\0'..=char::MAX {
            let code = u32::from(c);
            let mut ends_final = |before: &str| {
                text.clear();
                text.extend([before, c.encode_utf8(&mut [0; 4]), "Σ"]);
                text.to_lowercase().ends_with(FINAL_SIGMA)
            };
            let cased = ends_final("");
            let ignorable = !cased && ends_final("A");
            let is = [c == '_' || c.is_alphanumeric(), c.is_whitespace(), cased, ignorable];
            for (ranges, is) in classes.iter_mut().zip(is) {
                match ranges.last_mut() {
                    Some(last) if is && last.end == code => last.end += 1,
                    _ if is => ranges.push(code..code + 1),
                    _ => {}
                }
            }
            let lowered: String = c.to_lowercase().collect();
            if !lowered.chars().eq([c]) {
                lower.insert(code, lowered);
            }
        }
        let [word, space, cased, ignorable] = classes;
        Self::new(&word, &space, &cased, &ignorable, lower).unwrap_or(Self {
            pages: vec![0; PAGES],
            flags: vec![[0; PAGE]],
            lower: HashMap::new(),
            separators: None,
        })
    }

    #[inline]
    pub(crate) fn flags(&self, code: u32) -> u8 {
        self.flags[usize::from(self.pages[code as usize / PAGE])][code as usize % PAGE]
    }

    /// Whether ASCII's separators are white space; `None` where [`is_space`] does not say what is.
    pub(crate) fn separators(&self) -> Option<bool> {
        self.separators
    }

    /// Whether a character is part of a word.
    pub fn is_word(&self, c: char) -> bool {
        self.flags(c.into()) & WORD != 0
    }

    /// Whether a character is white space.
    pub fn is_space(&self, c: char) -> bool {
        self.flags(c.into()) & SPACE != 0
    }

    /// Appends `text` in lower case.
    pub fn lower(&self, text: &str, out: &mut Vec<u8>) {
        if text.is_ascii() {
            out.extend(text.as_bytes().iter().map(u8::to_ascii_lowercase));
            return;
        }
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let ascii = rest.iter().position(|&byte| byte >= 0x80).unwrap_or(rest.len());
            out.extend(rest[..ascii].iter().map(u8::to_ascii_lowercase));
            rest = &rest[ascii..];
            let at = text.len() - rest.len();
            let Some(c) = text[at..].chars().next() else { return };
            if self.flags(c.into()) & CHANGES == 0 {
                out.extend_from_slice(&rest[..c.len_utf8()]);
            } else if c == SIGMA && self.is_final(text, at) {
                out.extend_from_slice(FINAL_SIGMA.encode_utf8(&mut [0; 4]).as_bytes());
            } else if let Some(lowered) = self.lower.get(&c.into()) {
                out.extend_from_slice(lowered.as_bytes());
            }
            rest = &rest[c.len_utf8()..];
        }
    }

    /// Unicode's Final_Sigma: a cased character before the sigma at `at`, none behind it.
    fn is_final(&self, text: &str, at: usize) -> bool {
        let cased = |mut characters: Box<dyn Iterator<Item = char> + '_>| {
            let near = characters.find(|&c| self.flags(c.into()) & IGNORABLE == 0);
            near.is_some_and(|c| self.flags(c.into()) & CASED != 0)
        };
        cased(Box::new(text[..at].chars().rev()))
            && !cased(Box::new(text[at + SIGMA.len_utf8()..].chars()))
    }
}

/// Whether a byte of ASCII is part of a word.
#[inline]
pub(crate) const fn is_word(byte: u8) -> bool {
    // Without branches, so that compilers look at many bytes at once.
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10) | (byte == b'_')
}

/// Whether a byte of ASCII is white space, with the separators or without.
#[inline]
pub(crate) const fn is_space(byte: u8, separators: bool) -> bool {
    (byte == b' ') | (byte.wrapping_sub(b'\t') < 5) | (separators & (byte.wrapping_sub(0x1C) < 4))
}
