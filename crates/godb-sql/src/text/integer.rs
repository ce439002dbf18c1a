//! Integers as text.

use super::invalid_syntax;
use crate::convert::digit;
use crate::error::{Result, SqlError, state};
use crate::types::DataType;

/// The smallest and largest value of an integer type.
pub(crate) fn bounds(ty: DataType) -> (i64, i64) {
    match ty {
        DataType::Int2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        DataType::Int4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        DataType::Oid => (0, i64::from(u32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Reads an integer of type `ty`; blanks around it are allowed.
#[inline]
pub(crate) fn parse_integer(text: &[u8], ty: DataType) -> Result<i64> {
    let (low, high) = bounds(ty);
    match digits(text) {
        Some(value) if value >= low && value <= high => Ok(value),
        _ => slowly(text, ty),
    }
}

/// At most eighteen digits with a sign, and nothing else.
#[inline]
fn digits(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

#[cold]
fn slowly(text: &[u8], ty: DataType) -> Result<i64> {
    let trimmed = text.trim_ascii();
    let unsigned = trimmed
        .strip_prefix(b"-")
        .or(trimmed.strip_prefix(b"+"))
        .unwrap_or(trimmed);
    if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
        return Err(invalid_syntax(ty, text));
    }
    let (low, high) = bounds(ty);
    let value = std::str::from_utf8(trimmed)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    value.filter(|value| (low..=high).contains(value)).ok_or_else(|| {
        let shown = String::from_utf8_lossy(text);
        SqlError::new(
            state::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("value \"{shown}\" is out of range for type {ty}"),
        )
    })
}

/// Writes an integer.
#[inline]
pub(crate) fn write_integer(value: i64, out: &mut Vec<u8>) {
    let mut buffer = [0_u8; 20];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    while rest > 0 || at == buffer.len() {
        at -= 1;
        buffer[at] = digit(crate::convert::bits_i64(rest % 10));
        rest /= 10;
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    out.extend_from_slice(&buffer[at..]);
}
