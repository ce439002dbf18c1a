//! Finding strings in strings.

use crate::cast::char_count;
use crate::convert::length_i64;
use crate::error::Result;
use crate::functions::Call;
use crate::vector::Column;

/// The position of the second string in the first, in characters from 1; 0 when it is not there.
pub(super) fn position(call: &Call<'_>) -> Result<Column> {
    let (strings, parts) = (call.strings(0), call.strings(1));
    call.each_int(|row| {
        let text = strings.text(row)?;
        let found = text.find(parts.text(row)?);
        Ok(found.map_or(0, |at| length_i64(char_count(&text.as_bytes()[..at])) + 1))
    })
}

pub(super) fn position_of_bytes(call: &Call<'_>) -> Result<Column> {
    let (strings, parts) = (call.strings(0), call.strings(1));
    call.each_int(|row| {
        let (bytes, part) = (strings.bytes(row), parts.bytes(row));
        if part.is_empty() {
            return Ok(1);
        }
        let found = bytes.windows(part.len()).position(|window| window == part);
        Ok(found.map_or(0, |at| length_i64(at) + 1))
    })
}

pub(super) fn starts_with(call: &Call<'_>) -> Result<Column> {
    let (strings, parts) = (call.strings(0), call.strings(1));
    call.each_bool(|row| Ok(strings.bytes(row).starts_with(parts.bytes(row))))
}
