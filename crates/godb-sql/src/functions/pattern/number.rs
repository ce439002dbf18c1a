//! `to_char` and `to_number` of numbers.

use super::number_pattern::{Pattern, Piece, Sign};
use super::time_output::suffix;
use super::time_pattern::Case;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::functions::call::with_nulls;
use crate::numeric::Numeric;
use crate::types::DataType;
use crate::vector::{Column, ColumnData};

pub(super) fn to_char_numeric(call: &Call<'_>) -> Result<Column> {
    let values = call.numerics(0);
    each(call, |row, pattern, out| {
        show(values.at(row), pattern, out);
        Ok(())
    })
}

pub(super) fn to_char_int(call: &Call<'_>) -> Result<Column> {
    let values = call.ints(0);
    each(call, |row, pattern, out| {
        show(&Numeric::from(*values.at(row)), pattern, out);
        Ok(())
    })
}

pub(super) fn to_char_float(call: &Call<'_>) -> Result<Column> {
    let values = call.floats(0);
    let digits = if call.types[0] == DataType::Float4 { 6 } else { 15 };
    each(call, |row, pattern, out| {
        let value = *values.at(row);
        match Numeric::from_f64(value, digits) {
            Some(value) => show(&value, pattern, out),
            None if pattern.whole + pattern.fraction == 0 => show(&Numeric::from(0), pattern, out),
            None => out.extend(std::iter::repeat_n(b'#', pattern.whole + 1)),
        }
        Ok(())
    })
}

fn each(call: &Call<'_>, show: impl Fn(usize, &Pattern, &mut Vec<u8>) -> Result<()>) -> Result<Column> {
    let patterns = call.strings(1);
    let constant = if patterns.constant {
        Some(Pattern::parse(patterns.text(0)?)?)
    } else {
        None
    };
    call.each_string(|row, out| match &constant {
        Some(pattern) => show(row, pattern, out),
        None => show(row, &Pattern::parse(patterns.text(row)?)?, out),
    })
}

fn show(value: &Numeric, pattern: &Pattern, out: &mut Vec<u8>) {
    if let Some(capital) = pattern.roman {
        return roman(value, capital, pattern.bare, out);
    }
    if pattern.exponent {
        return exponential(value, pattern, out);
    }
    let shifted = (0..pattern.shift).fold(value.clone(), |value, _| &value * &Numeric::from(10));
    let rounded = shifted.round(crate::convert::length_i64(pattern.fraction));
    let negative = rounded.sign().is_lt();
    let text = rounded.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    // A zero before the point is not shown unless there is room and a reason for it.
    let whole = if whole == "0" { "" } else { whole };
    let digits = Digits {
        whole,
        fraction,
        negative,
        fits: whole.len() <= pattern.whole,
    };
    Showing {
        pattern,
        digits,
        out: Vec::new(),
        place: 0,
        started: false,
    }
    .run(out);
}

/// The digits of a number.
struct Digits<'a> {
    whole: &'a str,
    fraction: &'a str,
    negative: bool,
    fits: bool,
}

/// Writes a number along a pattern.
struct Showing<'a> {
    pattern: &'a Pattern,
    digits: Digits<'a>,
    out: Vec<u8>,
    /// The next digit before the point.
    place: usize,
    /// A digit has been shown.
    started: bool,
}

impl Showing<'_> {
    fn run(mut self, out: &mut Vec<u8>) {
        let mut fraction = 0;
        let mut after_point = false;
        let shown_fraction = self.shown_fraction();
        for piece in &self.pattern.pieces {
            match piece {
                Piece::Nine | Piece::Zero if !after_point => self.whole_digit(),
                Piece::Nine | Piece::Zero => {
                    if fraction < shown_fraction {
                        let digit = self
                            .digits
                            .fraction
                            .as_bytes()
                            .get(fraction)
                            .copied()
                            .unwrap_or(b'0');
                        self.out.push(if self.digits.fits { digit } else { b'#' });
                    }
                    fraction += 1;
                }
                Piece::Point => {
                    self.begin();
                    after_point = true;
                    if !self.pattern.bare || shown_fraction > 0 || self.pattern.fraction == 0 {
                        self.out.push(b'.');
                    }
                }
                Piece::Group if self.started => self.out.push(b','),
                Piece::Group if !self.pattern.bare => self.out.push(b' '),
                Piece::Group => {}
                Piece::Ordinal(capital) if !self.digits.negative => {
                    let case = if *capital { Case::Upper } else { Case::Lower };
                    let digits = if self.digits.whole.is_empty() {
                        "0"
                    } else {
                        self.digits.whole
                    };
                    self.out
                        .extend_from_slice(suffix(digits.as_bytes(), case).as_bytes());
                }
                Piece::Ordinal(_) => {}
                Piece::Minus | Piece::Plus | Piece::PlusMinus => self.free_sign(*piece),
                Piece::Currency => self.out.push(b' '),
                Piece::Literal(character) => {
                    self.out
                        .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        self.end();
        out.extend_from_slice(&self.out);
    }

    /// How many digits after the point are shown: with `FM`, no zeros at the end but those that `0` asks for.
    fn shown_fraction(&self) -> usize {
        if !self.pattern.bare {
            return self.pattern.fraction;
        }
        let significant = self.digits.fraction.trim_end_matches('0').len();
        let after_point = self
            .pattern
            .pieces
            .iter()
            .skip_while(|piece| **piece != Piece::Point);
        let places = after_point.filter(|piece| matches!(piece, Piece::Nine | Piece::Zero));
        let asked = places
            .enumerate()
            .filter(|(_, piece)| **piece == Piece::Zero)
            .last()
            .map_or(0, |(at, _)| at + 1);
        significant.max(asked)
    }

    /// A place before the point.
    fn whole_digit(&mut self) {
        let at = self.place;
        self.place += 1;
        let empty = self.pattern.whole.saturating_sub(self.digits.whole.len());
        let zeros = self.pattern.first_zero.is_some_and(|first| at >= first);
        let last = at + 1 == self.pattern.whole;
        // A zero stands alone only when no digits after the point say as much.
        let lone_zero = last && self.digits.whole.is_empty() && self.pattern.fraction == 0;
        if !self.digits.fits {
            self.begin();
            self.out.push(b'#');
        } else if at >= empty {
            self.begin();
            self.out.push(self.digits.whole.as_bytes()[at - empty]);
        } else if zeros || lone_zero {
            self.begin();
            self.out.push(b'0');
        } else if !self.pattern.bare {
            self.out.push(b' ');
        }
    }

    /// Writes what stands before the first digit.
    fn begin(&mut self) {
        if self.started {
            return;
        }
        self.started = true;
        match (self.pattern.sign, self.digits.negative) {
            (Sign::Plain, true) => self.out.push(b'-'),
            (Sign::Plain, false) if !self.pattern.bare => self.out.push(b' '),
            (Sign::Before, negative) => self.out.push(if negative { b'-' } else { b'+' }),
            (Sign::Brackets, true) => self.out.push(b'<'),
            (Sign::Brackets, false) if !self.pattern.bare => self.out.push(b' '),
            _ => {}
        }
    }

    fn end(&mut self) {
        match (self.pattern.sign, self.digits.negative) {
            (Sign::After, negative) => self.out.push(if negative { b'-' } else { b'+' }),
            (Sign::Brackets, true) => self.out.push(b'>'),
            (Sign::Brackets, false) if !self.pattern.bare => self.out.push(b' '),
            _ => {}
        }
    }

    fn free_sign(&mut self, piece: Piece) {
        match (piece, self.digits.negative) {
            (Piece::Minus | Piece::PlusMinus, true) => self.out.push(b'-'),
            (Piece::Plus | Piece::PlusMinus, false) => self.out.push(b'+'),
            _ if !self.pattern.bare => self.out.push(b' '),
            _ => {}
        }
    }
}

fn exponential(value: &Numeric, pattern: &Pattern, out: &mut Vec<u8>) {
    let order = if value.is_zero() { 0 } else { value.order() };
    let scale = crate::convert::length_i64(pattern.fraction);
    let scaled = |order: i64| {
        let (mantissa, point) = value.as_bigint_and_exponent();
        Numeric::new(mantissa, 0)
            .divide_at(&Numeric::from(1), 0)
            .map_or_else(
                |_| value.clone(),
                |whole| {
                    let (digits, _) = whole.as_bigint_and_exponent();
                    Numeric::new(digits, (point + order).max(0)).round(scale)
                },
            )
    };
    let mut order = order;
    let mut mantissa = scaled(order);
    if mantissa.abs() >= Numeric::from(10) {
        order += 1;
        mantissa = scaled(order);
    }
    let plain = if mantissa.sign().is_lt() { "" } else { " " };
    let sign = match (pattern.sign, mantissa.sign().is_lt()) {
        (Sign::Before, false) => "+",
        _ => plain,
    };
    let exponent = if order < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("{sign}{mantissa}e{exponent}{:02}", order.unsigned_abs()).as_bytes());
}

/// A Roman number is at most fifteen letters long and is padded to that.
const ROMAN_WIDTH: usize = 15;
const ROMAN: [(i64, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

fn roman(value: &Numeric, capital: bool, bare: bool, out: &mut Vec<u8>) {
    let Some(mut rest) = value.to_i64().filter(|number| (1..4000).contains(number)) else {
        return out.extend_from_slice(&[b'#'; ROMAN_WIDTH]);
    };
    let mut letters = String::new();
    for (worth, letter) in ROMAN {
        while rest >= worth {
            letters.push_str(letter);
            rest -= worth;
        }
    }
    if !capital {
        letters.make_ascii_lowercase();
    }
    let width = if bare { 0 } else { ROMAN_WIDTH };
    out.extend_from_slice(format!("{letters:>width$}").as_bytes());
}

/// Reads a number along a pattern: digits, the point and the sign count, what the pattern has besides is passed over.
pub(super) fn to_number(call: &Call<'_>) -> Result<Column> {
    let (texts, patterns) = (call.strings(0), call.strings(1));
    let values = call.each(|row| match patterns.text(row)? {
        "" => Ok(None),
        pattern => number(texts.text(row)?, &readable(pattern)?).map(Some),
    })?;
    Ok(with_nulls(values, ColumnData::Numeric))
}

/// A pattern that numbers can be read by.
fn readable(pattern: &str) -> Result<Pattern> {
    let pattern = Pattern::parse(pattern)?;
    let not_supported = |word: &str| {
        SqlError::new(
            state::FEATURE_NOT_SUPPORTED,
            format!("\"{word}\" not supported for input"),
        )
    };
    if pattern.exponent {
        return Err(not_supported("EEEE"));
    }
    if pattern.roman.is_some() {
        return Err(not_supported("RN"));
    }
    Ok(pattern)
}

/// The number that the digits and signs of a text make.
fn number(text: &str, pattern: &Pattern) -> Result<Numeric> {
    let mut shown = String::new();
    let (mut negative, mut after_point, mut fraction) = (false, false, 0);
    for character in text.chars() {
        match character {
            '0'..='9' if !after_point || fraction < pattern.fraction => {
                shown.push(character);
                fraction += usize::from(after_point);
            }
            '.' if pattern.fraction > 0 && !after_point => {
                shown.push('.');
                after_point = true;
            }
            '-' | '<' => negative = true,
            _ => {}
        }
    }
    let value: Numeric = shown.parse().map_err(|_| {
        let shown = if shown.is_empty() { " " } else { &shown };
        SqlError::new(
            state::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type numeric: \"{shown}\""),
        )
    })?;
    Ok(if negative { -value } else { value })
}
