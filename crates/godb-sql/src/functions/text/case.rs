//! Capital and small letters.

use crate::error::Result;
use crate::functions::Call;
use crate::vector::Column;

/// The capital letter, where there is a single one.
pub(super) fn to_upper(character: char) -> char {
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

/// The small letter, where there is a single one.
pub(super) fn to_lower(character: char) -> char {
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

fn push(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn convert(call: &Call<'_>, ascii: fn(&mut [u8]), other: fn(char) -> char) -> Result<Column> {
    let strings = call.strings(0);
    call.each_string(|row, out| {
        let text = strings.text(row)?;
        if text.is_ascii() {
            let start = out.len();
            out.extend_from_slice(text.as_bytes());
            ascii(&mut out[start..]);
        } else {
            text.chars().for_each(|character| push(out, other(character)));
        }
        Ok(())
    })
}

pub(super) fn upper(call: &Call<'_>) -> Result<Column> {
    convert(call, <[u8]>::make_ascii_uppercase, to_upper)
}

pub(super) fn lower(call: &Call<'_>) -> Result<Column> {
    convert(call, <[u8]>::make_ascii_lowercase, to_lower)
}

/// Capitals where words begin, small letters elsewhere; words are runs of letters and digits.
pub(super) fn initcap(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_string(|row, out| {
        let mut inside = false;
        for character in strings.text(row)?.chars() {
            push(
                out,
                if inside {
                    to_lower(character)
                } else {
                    to_upper(character)
                },
            );
            inside = character.is_alphanumeric();
        }
        Ok(())
    })
}
