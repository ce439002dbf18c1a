//! Floating-point numbers as text: the fewest digits that read back as the same number.

use super::invalid_syntax;
use crate::convert::to_single;
use crate::error::{Result, SqlError, state};
use crate::types::DataType;

/// Writes a float. From the exponent on that `ty` has digits for, and below 0.0001, it is written with an exponent.
pub(crate) fn write_float(value: f64, ty: DataType, out: &mut Vec<u8>) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
    let single = ty == DataType::Float4;
    let (shortest, largest) = if single {
        (format!("{:e}", to_single(value)), 6)
    } else {
        (format!("{value:e}"), 15)
    };
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..largest).contains(&exponent) {
        write_plain(mantissa, exponent, out);
    } else {
        out.extend_from_slice(mantissa.as_bytes());
        out.extend_from_slice(
            format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()).as_bytes(),
        );
    }
}

/// Writes `d.ddd × 10^exponent` without an exponent.
fn write_plain(mantissa: &str, exponent: i32, out: &mut Vec<u8>) {
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    if unsigned.len() < mantissa.len() {
        out.push(b'-');
    }
    let digits = unsigned.bytes().filter(|byte| *byte != b'.');
    let count = unsigned.len() - usize::from(unsigned.contains('.'));
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(
            b'0',
            usize::try_from(-exponent - 1).unwrap_or(0),
        ));
        return out.extend(digits);
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    for (at, byte) in digits.enumerate() {
        if at == whole {
            out.push(b'.');
        }
        out.push(byte);
    }
    out.extend(std::iter::repeat_n(b'0', whole.saturating_sub(count)));
}

/// Reads a float of type `ty`; blanks around it are allowed.
pub(crate) fn parse_float(text: &[u8], ty: DataType) -> Result<f64> {
    let trimmed = text.trim_ascii();
    let plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    if !trimmed.iter().all(plain) {
        return special(trimmed).ok_or_else(|| invalid_syntax(ty, text));
    }
    let shown = std::str::from_utf8(trimmed).map_err(|_| invalid_syntax(ty, text))?;
    let value: f64 = shown.parse().map_err(|_| invalid_syntax(ty, text))?;
    let rounded = if ty == DataType::Float4 {
        f64::from(shown.parse::<f32>().map_err(|_| invalid_syntax(ty, text))?)
    } else {
        value
    };
    let vanished = rounded == 0.0
        && trimmed
            .iter()
            .take_while(|b| !matches!(b, b'e' | b'E'))
            .any(|b| (b'1'..=b'9').contains(b));
    if rounded.is_infinite() || vanished {
        return Err(SqlError::new(
            state::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("\"{shown}\" is out of range for type {ty}"),
        ));
    }
    Ok(rounded)
}

fn special(text: &[u8]) -> Option<f64> {
    let (negative, word) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let is = |known: &str| known.as_bytes().eq_ignore_ascii_case(word);
    let value = if is("nan") {
        f64::NAN
    } else if is("infinity") || is("inf") {
        f64::INFINITY
    } else {
        return None;
    };
    Some(if negative { -value } else { value })
}
