//! Decimals as text, and as other numbers.

use super::{MAX_SCALE, MAX_WHOLE_DIGITS, Numeric, POWERS};
use crate::convert::{digit, near_f64};
use crate::error::{Result, SqlError, state};
use bigdecimal::num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use std::str::FromStr;

/// Why a text is no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not written as a number.
    Syntax,
    /// It has more digits than a decimal may have.
    Overflow,
    /// NaN and infinities, which godb's decimals do not have.
    Special,
}

impl Numeric {
    /// Writes it as text.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self.as_small() {
            Some((mantissa, scale)) => write_small(mantissa, usize::from(scale), out),
            None => self.write_big(out),
        }
    }

    #[cold]
    fn write_big(&self, out: &mut Vec<u8>) {
        let (mantissa, scale) = self.as_bigint_and_exponent();
        if mantissa.sign() == Sign::Minus {
            out.push(b'-');
        }
        let digits = mantissa.magnitude().to_str_radix(10);
        point(digits.as_bytes(), usize::try_from(scale).unwrap_or(0), out);
    }

    /// The decimal that a text writes; blanks around it are allowed.
    pub(crate) fn parse(text: &[u8]) -> std::result::Result<Self, Unreadable> {
        let text = text.trim_ascii();
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let parts = Parts::split(unsigned)?;
        let value = parts.value()?;
        Ok(if negative { -&value } else { value })
    }

    /// A float near it.
    #[must_use]
    pub(crate) fn to_f64(&self) -> f64 {
        match self.as_small() {
            // Both are exact in a float, so that the quotient is the nearest float.
            Some((mantissa, scale)) if scale <= 18 && mantissa.unsigned_abs() < 1 << 53 => {
                near_f64(mantissa) / near_f64(POWERS[usize::from(scale)])
            }
            _ => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The decimal with the first `digits` significant digits of a float. `None` for NaN and infinities.
    #[must_use]
    pub(crate) fn from_f64(value: f64, digits: usize) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{:.*e}", digits - 1, value);
        Self::parse(text.as_bytes()).ok().map(|value| value.trimmed())
    }

    /// The nearest integer, halves away from zero; `None` when it does not fit 64 bits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.round(0).as_small().map(|(mantissa, _)| mantissa)
    }

    /// The value as `numeric(precision, scale)` holds it.
    ///
    /// # Errors
    /// `22003` when it has too many digits before the point.
    pub(crate) fn fit(&self, precision: u16, scale: i16) -> Result<Self> {
        let rounded = self.round(i64::from(scale));
        let whole = i64::from(precision) - i64::from(scale);
        if !rounded.is_zero() && rounded.order() >= whole {
            let bound = if whole == 0 {
                "1".to_owned()
            } else {
                format!("10^{whole}")
            };
            let detail = format!(
                "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}."
            );
            return Err(
                SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(detail),
            );
        }
        Ok(rounded)
    }

    /// The power of ten of its first digit: 0 for 5, 2 for 123, -1 for 0.5. It is not zero.
    #[must_use]
    pub(crate) fn order(&self) -> i64 {
        let digits = match self.as_small() {
            Some((mantissa, _)) => i64::from(mantissa.unsigned_abs().checked_ilog10().unwrap_or(0)) + 1,
            None => big_digits(&self.mantissa()),
        };
        digits - i64::from(self.scale()) - 1
    }
}

/// How many decimal digits a number has.
pub(super) fn big_digits(mantissa: &BigInt) -> i64 {
    crate::convert::length_i64(mantissa.magnitude().to_str_radix(10).len())
}

fn write_small(mantissa: i64, scale: usize, out: &mut Vec<u8>) {
    let mut buffer = [0_u8; 20];
    let mut at = buffer.len();
    let mut rest = mantissa.unsigned_abs();
    while rest > 0 || at == buffer.len() {
        at -= 1;
        buffer[at] = digit(crate::convert::bits_i64(rest % 10));
        rest /= 10;
    }
    if mantissa < 0 {
        out.push(b'-');
    }
    point(&buffer[at..], scale, out);
}

/// Writes the digits with the point before the last `scale` of them.
fn point(digits: &[u8], scale: usize, out: &mut Vec<u8>) {
    if scale == 0 {
        out.extend_from_slice(digits);
        return;
    }
    let whole = digits.len().saturating_sub(scale);
    if whole == 0 {
        out.push(b'0');
    }
    out.extend_from_slice(&digits[..whole]);
    out.push(b'.');
    out.extend(std::iter::repeat_n(b'0', scale.saturating_sub(digits.len())));
    out.extend_from_slice(&digits[whole..]);
}

/// A number's text: digits before the point, after it, and the exponent.
struct Parts<'a> {
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn split(text: &'a [u8]) -> std::result::Result<Self, Unreadable> {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (whole, mut rest) = text.split_at(digits(text));
        let mut fraction: &[u8] = &[];
        if let [b'.', after @ ..] = rest {
            (fraction, rest) = after.split_at(digits(after));
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(special(text));
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            _ => return Err(Unreadable::Syntax),
        };
        Ok(Self {
            whole,
            fraction,
            exponent,
        })
    }

    fn value(&self) -> std::result::Result<Numeric, Unreadable> {
        let fraction = crate::convert::length_i64(self.fraction.len());
        let scale = fraction - self.exponent;
        if self.whole.len() + self.fraction.len() <= 18 && (0..=18).contains(&scale) {
            let digits = self.whole.iter().chain(self.fraction);
            let mantissa = digits.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'));
            return Ok(Numeric::small(mantissa, u16::try_from(scale).unwrap_or(0)));
        }
        self.big_value(scale)
    }

    #[cold]
    fn big_value(&self, scale: i64) -> std::result::Result<Numeric, Unreadable> {
        let digits = [self.whole, self.fraction].concat();
        let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
        let significant = &digits[zeros..];
        let whole_digits = crate::convert::length_i64(significant.len()) - scale;
        if significant.is_empty() {
            return Ok(Numeric::new(BigInt::from(0), scale.clamp(0, MAX_SCALE)));
        }
        if whole_digits > MAX_WHOLE_DIGITS {
            return Err(Unreadable::Overflow);
        }
        // So small that no digit is left within the largest scale.
        if whole_digits < -MAX_SCALE {
            return Ok(Numeric::new(BigInt::from(0), MAX_SCALE));
        }
        let mantissa = BigInt::parse_bytes(significant, 10).ok_or(Unreadable::Syntax)?;
        Ok(Numeric::new(mantissa, scale))
    }
}

#[cold]
fn special(text: &[u8]) -> Unreadable {
    let known: [&[u8]; 3] = [b"nan", b"inf", b"infinity"];
    if known.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Unreadable::Special;
    }
    Unreadable::Syntax
}

fn parse_exponent(text: &[u8]) -> std::result::Result<i64, Unreadable> {
    let text = std::str::from_utf8(text).map_err(|_| Unreadable::Syntax)?;
    let exponent: i64 = text.parse().map_err(|_| Unreadable::Syntax)?;
    if exponent.cmp(&(i64::from(i32::MAX) / 2)) == Ordering::Greater || exponent < -i64::from(i32::MAX) / 2 {
        return Err(Unreadable::Syntax);
    }
    Ok(exponent)
}

impl FromStr for Numeric {
    type Err = SqlError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text.as_bytes()).map_err(|why| unreadable(why, text))
    }
}

/// The error for a text that is no decimal.
#[cold]
pub(crate) fn unreadable(why: Unreadable, text: &str) -> SqlError {
    match why {
        Unreadable::Syntax => SqlError::new(
            state::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type numeric: \"{text}\""),
        ),
        Unreadable::Overflow => overflow(),
        Unreadable::Special => SqlError::unsupported("NaN and infinity as numeric"),
    }
}

/// The error for a decimal with too many digits.
#[cold]
pub(crate) fn overflow() -> SqlError {
    SqlError::new(
        state::NUMERIC_VALUE_OUT_OF_RANGE,
        "value overflows numeric format",
    )
}
