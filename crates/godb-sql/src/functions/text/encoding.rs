//! Characters and bytes as numbers, in hexadecimal and base 64.

use super::md5::digest;
use crate::convert::length_i64;
use crate::error::{Result, SqlError, SqlState, state};
use crate::functions::Call;
use crate::text::{parse_hex, write_hex};
use crate::types::DataType;
use crate::vector::Column;

pub(super) fn ascii(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_int(|row| {
        Ok(strings
            .text(row)?
            .chars()
            .next()
            .map_or(0, |first| i64::from(u32::from(first))))
    })
}

pub(super) fn chr(call: &Call<'_>) -> Result<Column> {
    let codes = call.ints(0);
    call.each_string(|row, out| {
        let code = *codes.at(row);
        let character = match u32::try_from(code) {
            Ok(0) => return Err(limit("null character not permitted".to_owned())),
            Ok(code) => char::from_u32(code)
                .ok_or_else(|| limit(format!("requested character too large for encoding: {code}")))?,
            Err(_) if code < 0 => {
                let message = "character number must be positive";
                return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
            }
            Err(_) => {
                return Err(limit(format!(
                    "requested character too large for encoding: {code}"
                )));
            }
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    })
}

#[cold]
fn limit(message: String) -> SqlError {
    SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message)
}

pub(super) fn md5(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_string(|row, out| {
        write_hex(&digest(strings.bytes(row)), out);
        Ok(())
    })
}

pub(super) fn to_hex(call: &Call<'_>) -> Result<Column> {
    let values = call.ints(0);
    let narrow = call.types[0] != DataType::Int8;
    call.each_string(|row, out| {
        let bits = values.at(row).cast_unsigned();
        let bits = if narrow { bits & 0xFFFF_FFFF } else { bits };
        out.extend_from_slice(format!("{bits:x}").as_bytes());
        Ok(())
    })
}

pub(super) fn get_byte(call: &Call<'_>) -> Result<Column> {
    let (strings, places) = (call.strings(0), call.ints(1));
    call.each_int(|row| {
        let (bytes, place) = (strings.bytes(row), *places.at(row));
        let byte = usize::try_from(place).ok().and_then(|place| bytes.get(place));
        byte.map(|byte| i64::from(*byte)).ok_or_else(|| {
            let last = length_i64(bytes.len()) - 1;
            SqlError::new(
                SqlState("2202E"),
                format!("index {place} out of valid range, 0..{last}"),
            )
        })
    })
}

#[cold]
fn unknown(name: &str) -> SqlError {
    SqlError::new(
        state::INVALID_PARAMETER_VALUE,
        format!("unrecognized encoding: \"{name}\""),
    )
}

pub(super) fn encode(call: &Call<'_>) -> Result<Column> {
    let (strings, names) = (call.strings(0), call.strings(1));
    call.each_string(|row, out| {
        let (bytes, name) = (strings.bytes(row), names.text(row)?);
        match name.to_ascii_lowercase().as_str() {
            "hex" => write_hex(bytes, out),
            "base64" => write_base64(bytes, out),
            "escape" => write_escaped(bytes, out),
            _ => return Err(unknown(name)),
        }
        Ok(())
    })
}

pub(super) fn decode(call: &Call<'_>) -> Result<Column> {
    let (strings, names) = (call.strings(0), call.strings(1));
    call.each_string(|row, out| {
        let (bytes, name) = (strings.bytes(row), names.text(row)?);
        match name.to_ascii_lowercase().as_str() {
            "hex" => parse_hex(bytes, out),
            "base64" => parse_base64(bytes, out),
            "escape" => crate::text::parse_escaped(bytes, out),
            _ => Err(unknown(name)),
        }
    })
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Lines of base 64 are this long (RFC 2045).
const LINE: usize = 76;

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let mut line = 0;
    for three in bytes.chunks(3) {
        if line == LINE {
            out.push(b'\n');
            line = 0;
        }
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place)) & 63;
            out.push(if place <= three.len() {
                BASE64[six as usize]
            } else {
                b'='
            });
        }
        line += 4;
    }
}

fn parse_base64(text: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let (mut bits, mut count, mut padding) = (0_u32, 0, 0);
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if *byte == b'=' {
            padding += 1;
            if count < 2 || padding + count > 4 {
                return Err(bad_base64("unexpected \"=\" while decoding base64 sequence"));
            }
            continue;
        }
        let six = BASE64
            .iter()
            .position(|known| known == byte)
            .filter(|_| padding == 0);
        let six = six.and_then(|six| u32::try_from(six).ok()).ok_or_else(|| {
            let shown = char::from(*byte);
            bad_base64(&format!(
                "invalid symbol \"{shown}\" found while decoding base64 sequence"
            ))
        })?;
        bits = bits << 6 | six;
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    if count + padding != 4 && count + padding != 0 {
        return Err(bad_base64("invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    if count > 0 {
        let whole = bits << (6 * (4 - count));
        out.extend_from_slice(&whole.to_be_bytes()[1..count]);
    }
    Ok(())
}

#[cold]
fn bad_base64(message: &str) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

/// Zero and bytes beyond ASCII in octal, backslashes doubled.
fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            0 | 0x80.. => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            b'\\' => out.extend_from_slice(b"\\\\"),
            other => out.push(*other),
        }
    }
}
