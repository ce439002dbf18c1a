//! Replacing parts of strings.

use super::pick::{offset, range};
use crate::cast::char_count;
use crate::convert::length_i64;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::vector::Column;

pub(super) fn replace(call: &Call<'_>) -> Result<Column> {
    let (strings, from, to) = (call.strings(0), call.strings(1), call.strings(2));
    call.each_string(|row, out| {
        let (text, from, to) = (strings.text(row)?, from.text(row)?, to.text(row)?);
        if from.is_empty() {
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let start = out.len();
        let mut parts = text.split(from);
        out.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
        for part in parts {
            out.extend_from_slice(to.as_bytes());
            out.extend_from_slice(part.as_bytes());
            super::pad::check_size(Some(out.len() - start))?;
        }
        Ok(())
    })
}

/// Each character found in the second string becomes the one at the same place of the third, or nothing.
pub(super) fn translate(call: &Call<'_>) -> Result<Column> {
    let (strings, from, to) = (call.strings(0), call.strings(1), call.strings(2));
    call.each_string(|row, out| {
        let from: Vec<char> = from.text(row)?.chars().collect();
        let to: Vec<char> = to.text(row)?.chars().collect();
        for character in strings.text(row)?.chars() {
            let becomes = match from.iter().position(|known| *known == character) {
                None => Some(character),
                Some(at) => to.get(at).copied(),
            };
            if let Some(character) = becomes {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Ok(())
    })
}

pub(super) fn overlay(call: &Call<'_>) -> Result<Column> {
    let (strings, news, starts) = (call.strings(0), call.strings(1), call.ints(2));
    let lengths = call.has(3).then(|| call.ints(3));
    call.each_string(|row, out| {
        let (text, new, start) = (strings.text(row)?, news.text(row)?, *starts.at(row));
        if start <= 0 {
            return Err(SqlError::new(
                state::SUBSTRING_ERROR,
                "negative substring length not allowed",
            ));
        }
        let length = lengths.map_or_else(
            || length_i64(char_count(new.as_bytes())),
            |lengths| *lengths.at(row),
        );
        let (before, _) = range(start, None)?;
        let end = i32::try_from(start.saturating_add(length))
            .map_err(|_| SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))?;
        let after = usize::try_from(end - 1).unwrap_or(0);
        out.extend_from_slice(&text.as_bytes()[..offset(text, before)]);
        out.extend_from_slice(new.as_bytes());
        out.extend_from_slice(&text.as_bytes()[offset(text, after)..]);
        Ok(())
    })
}
