//! Byte strings as text: `\x` and hexadecimal digits; on input also backslash escapes.

use crate::error::{Result, SqlError, state};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes two hexadecimal digits a byte.
pub(crate) fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Reads `\x…` or text with `\\` and `\ooo`.
pub(super) fn parse(text: &[u8], out: &mut Vec<u8>) -> Result<()> {
    match text.strip_prefix(b"\\x") {
        Some(digits) => parse_hex(digits, out),
        None => parse_escaped(text, out),
    }
}

/// Reads two hexadecimal digits a byte; blanks between bytes are allowed.
pub(crate) fn parse_hex(digits: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut rest = digits;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first.is_ascii_whitespace() {
            continue;
        }
        let high = hex(first)?;
        let (&second, after) = rest
            .split_first()
            .ok_or_else(|| invalid("invalid hexadecimal data: odd number of digits"))?;
        rest = after;
        out.push(high << 4 | hex(second)?);
    }
    Ok(())
}

fn hex(byte: u8) -> Result<u8> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        other => Err(invalid(&format!(
            "invalid hexadecimal digit: \"{}\"",
            char::from(other)
        ))),
    }
}

#[cold]
fn invalid(message: &str) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

/// Reads text with `\\\\` and `\\ooo`.
pub(crate) fn parse_escaped(text: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                out.push(b'\\');
                after
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', _) => {
                return Err(SqlError::new(
                    state::INVALID_TEXT_REPRESENTATION,
                    "invalid input syntax for type bytea",
                ));
            }
            (byte, after) => {
                out.push(byte);
                after
            }
        };
    }
    Ok(())
}
