//! The numbers in texts, however they are written.

use rayon::prelude::*;

use super::text;
use crate::error::Result;
use crate::interrupt::Monitor;
use crate::symbol::Patterns;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `1234.5`: a point before the fraction, nothing between thousands.
    Plain,
    /// `1,234.5`: commas between thousands, or nothing.
    Comma,
    /// `1.234,5` and `1 234,5`: points, spaces or apostrophes between thousands, or nothing, and a
    /// comma before the fraction.
    European,
}

/// Which of the numbers in a text are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first one.
    First,
    /// The one with the most digits; the first of those.
    Longest,
    /// All of them.
    All,
}

/// A number in a text; places are bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// Where it begins, its sign included.
    pub start: usize,
    /// Where it ends.
    pub stop: usize,
    /// What it is.
    pub value: f64,
    /// Where its unit begins: a currency sign before it, or a sign or letters after it.
    pub unit: Option<(usize, usize)>,
    digits: usize,
}

/// Numbers found in the rows of a column, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// The row of each.
    pub row: Vec<u64>,
    /// Where each begins and ends in its row, in bytes.
    pub span: Vec<(u64, u64)>,
    /// What each is.
    pub value: Vec<f64>,
    /// Each as it is written.
    pub text: Vec<String>,
    /// Its unit.
    pub unit: Vec<Option<String>>,
}

/// Rows between two looks at the monitor.
const BLOCK: usize = 4096;

/// The numbers in each row of a column.
///
/// O(bytes) time.
///
/// # Errors
/// If the column is not text, or someone asks to stop.
pub fn extract(
    values: &Patterns,
    style: Style,
    which: Which,
    monitor: &Monitor,
) -> Result<Numbers> {
    let starts: Vec<usize> = (0..values.len()).step_by(BLOCK).collect();
    let blocks: Vec<Numbers> = starts
        .into_par_iter()
        .map(|start| {
            monitor.check()?;
            let mut found = Numbers::default();
            for row in start..values.len().min(start + BLOCK) {
                let Some(value) = text(values, row)? else { continue };
                for number in chosen(value, style, which) {
                    let (start, stop) = (number.start, number.stop);
                    found.row.push(row as u64);
                    found.span.push((start as u64, stop as u64));
                    found.value.push(number.value);
                    found.text.push(value[start..stop].into());
                    found.unit.push(number.unit.map(|(start, stop)| value[start..stop].into()));
                }
            }
            Ok(found)
        })
        .collect::<Result<_>>()?;
    let mut all = Numbers::default();
    for block in blocks {
        all.row.extend(block.row);
        all.span.extend(block.span);
        all.value.extend(block.value);
        all.text.extend(block.text);
        all.unit.extend(block.unit);
    }
    Ok(all)
}

fn chosen(text: &str, style: Style, which: Which) -> Vec<Number> {
    let mut found = numbers(text, style);
    match which {
        Which::All => {}
        Which::First => found.truncate(1),
        Which::Longest => {
            let most = found.iter().map(|number| number.digits).max();
            found.retain(|number| Some(number.digits) == most);
            found.truncate(1);
        }
    }
    found
}

/// The numbers in a text, from left to right.
///
/// Digits are ASCII. A sign counts where no letter, digit or closing bracket stands before it, so
/// that "12-13" holds 12 and 13; before a currency too, whose number's place begins behind it. Between thousands stand exactly three digits, or the separator
/// ends the number: "1,200,50" holds 1200 and 50.
pub fn numbers(text: &str, style: Style) -> Vec<Number> {
    let bytes = text.as_bytes();
    let mut found = vec![];
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let first = at + offset;
        let number = scan(text, at, first, style);
        at = number.stop;
        found.push(number);
    }
    found
}

fn run(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The length of what may stand between thousands at `at`.
fn separator(text: &str, at: usize, style: Style) -> usize {
    let next = text[at..].chars().next();
    let separates = match style {
        Style::Plain => false,
        Style::Comma => next == Some(','),
        Style::European => {
            matches!(next, Some('.' | ' ' | '\'' | '\u{a0}' | '\u{202f}' | '\u{2019}' | '\u{2009}'))
        }
    };
    if separates { next.map_or(0, char::len_utf8) } else { 0 }
}

fn scan(text: &str, from: usize, first: usize, style: Style) -> Number {
    let bytes = text.as_bytes();
    let point = if style == Style::European { b',' } else { b'.' };
    let mut stop = run(bytes, first);
    let mut digits = text[first..stop].to_owned();
    // ".5" is a half, and "v.5" holds 5.
    let fraction = first > from
        && bytes[first - 1] == point
        && text[..first - 1].chars().next_back().is_none_or(|other| {
            other.is_whitespace() || is_currency(other) || is_sign(other) || "([{".contains(other)
        });
    if fraction {
        digits.insert_str(0, "0.");
    } else if stop - first <= 3 {
        let mut kind = None;
        loop {
            let width = separator(text, stop, style);
            let group = stop + width;
            if width == 0
                || run(bytes, group) - group != 3
                || kind.is_some_and(|kind| kind != &text[stop..group])
            {
                break;
            }
            kind = Some(&text[stop..group]);
            digits.push_str(&text[group..group + 3]);
            stop = group + 3;
        }
    }
    if !fraction
        && bytes.get(stop) == Some(&point)
        && bytes.get(stop + 1).is_some_and(u8::is_ascii_digit)
    {
        let end = run(bytes, stop + 1);
        digits.push('.');
        digits.push_str(&text[stop + 1..end]);
        stop = end;
    }
    let count = digits.bytes().filter(u8::is_ascii_digit).count() - usize::from(fraction);
    let (mut start, mut negative) = (first - usize::from(fraction), false);
    let before = &text[from..start];
    if let Some((place, sign)) = sign_at_end(text, start).filter(|&(place, _)| place >= from) {
        (start, negative) = (place, sign != '+');
    } else if let Some(currency) = currency_at_end(before) {
        let sign = sign_at_end(text, from + currency.0).filter(|&(place, _)| place >= from);
        negative = sign.is_some_and(|(_, sign)| sign != '+');
    }
    // Digits and a point are always a number.
    let value: f64 = digits.parse().unwrap_or(f64::NAN);
    let value = if negative { -value } else { value };
    Number { start, stop, value, unit: unit(text, start, stop), digits: count }
}

/// Where the sign is that ends a piece of text, if it counts.
fn sign_at_end(text: &str, end: usize) -> Option<(usize, char)> {
    let sign = text[..end].chars().next_back().filter(|&sign| is_sign(sign))?;
    let place = end - sign.len_utf8();
    let before = text[..place].chars().next_back();
    before
        .is_none_or(|other| !(other.is_alphanumeric() || matches!(other, ')' | ']' | '}')))
        .then_some((place, sign))
}

/// Where the sign of a currency is that ends a text, but for spaces.
fn currency_at_end(text: &str) -> Option<(usize, usize)> {
    let text = text.trim_end_matches(' ');
    let sign = text.chars().next_back().filter(|&sign| is_currency(sign))?;
    Some((text.len() - sign.len_utf8(), text.len()))
}

fn is_sign(letter: char) -> bool {
    matches!(letter, '-' | '+' | '\u{2212}')
}

/// The sign of a currency before a number, or else the sign or word that follows.
fn unit(text: &str, start: usize, stop: usize) -> Option<(usize, usize)> {
    if let Some(currency) = currency_at_end(&text[..start]) {
        return Some(currency);
    }
    let begin = stop + usize::from(text[stop..].starts_with(' '));
    let after = &text[begin..];
    let sign = after.chars().next()?;
    if is_currency(sign) || matches!(sign, '%' | '‰') {
        return Some((begin, begin + sign.len_utf8()));
    }
    let word: usize = after
        .chars()
        .take_while(|&letter| letter.is_alphabetic() || matches!(letter, '°' | '²' | '³'))
        .map(char::len_utf8)
        .sum();
    (word > 0).then_some((begin, begin + word))
}

/// Of Unicode's category Sc, the signs in use.
fn is_currency(sign: char) -> bool {
    matches!(sign, '$' | '¢' | '£' | '¤' | '¥' | '฿' | '₠'..='⃀' | '＄' | '￡' | '￥')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, style: Style) -> Vec<f64> {
        numbers(text, style).iter().map(|number| number.value).collect()
    }

    #[test]
    fn numbers_as_they_are_written() {
        use Style::{Comma, European, Plain};
        let cases: &[(&str, Style, &[f64])] = &[
            ("", Plain, &[]),
            ("none", Plain, &[]),
            ("2181 Buchanan Loop 98248", Plain, &[2181.0, 98248.0]),
            ("No.12, 1,200 sqm", Plain, &[12.0, 1.0, 200.0]),
            ("No.12, 1,200 sqm", Comma, &[12.0, 1200.0]),
            ("1.200,50 EUR", European, &[1200.5]),
            ("1.200,50 EUR", Comma, &[1.2, 50.0]),
            ("1,200,50", Comma, &[1200.0, 50.0]),
            ("1,2000", Comma, &[1.0, 2000.0]),
            ("1200,300", Comma, &[1200.0, 300.0]),
            ("x 12 13 y", European, &[12.0, 13.0]),
            ("12 345 678,9", European, &[12_345_678.9]),
            ("1 234.567", European, &[1234.0, 567.0]),
            ("-3.5C", Plain, &[-3.5]),
            ("-3.5C", European, &[-3.0, 5.0]),
            ("12-13", Plain, &[12.0, 13.0]),
            ("A-5 (-6) \u{2212}7 +8", Plain, &[5.0, -6.0, -7.0, 8.0]),
            ("4E5 1_000", Plain, &[4.0, 5.0, 1.0, 0.0]),
            ("1.", Plain, &[1.0]),
            (".5 -.25 ($.99) v.5 1..5", Plain, &[0.5, -0.25, 0.99, 5.0, 1.0, 5.0]),
            (",5 .5", European, &[0.5, 5.0]),
            (".500,000", Comma, &[0.5, 0.0]),
            ("1.2.3", Plain, &[1.2, 3.0]),
        ];
        for &(text, style, expected) in cases {
            assert_eq!(values(text, style), expected, "{text} {style:?}");
        }
    }

    #[test]
    fn units() {
        let unit = |text: &str| {
            let unit = numbers(text, Style::Comma)[0].unit;
            unit.map(|(start, stop)| text[start..stop].to_owned())
        };
        for (text, expected) in [
            ("$ 5", Some("$")),
            ("€5,000 paid", Some("€")),
            ("5 %", Some("%")),
            ("12 kg net", Some("kg")),
            ("7m² floor", Some("m²")),
            ("7", None),
            ("7  km", None),
        ] {
            assert_eq!(unit(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn one_of_many() {
        let of = |which| chosen("12 then 98248 then 12345", Style::Plain, which);
        assert_eq!(of(Which::First)[0].value, 12.0);
        assert_eq!(of(Which::Longest)[0].value, 98248.0);
        assert_eq!(of(Which::All).len(), 3);
    }
}
