//! Trimming, padding, repeating.

use super::pick::offset;
use crate::cast::char_count;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::vector::{Column, MAX_COMPUTED};

/// Refuses a computed string of so many bytes, before it is made.
pub(in crate::functions) fn check_size(bytes: Option<usize>) -> Result<usize> {
    bytes
        .filter(|bytes| *bytes <= MAX_COMPUTED)
        .ok_or_else(|| SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "requested length too large"))
}

fn trim(call: &Call<'_>, start: bool, end: bool) -> Result<Column> {
    let strings = call.strings(0);
    let sets = call.has(1).then(|| call.strings(1));
    call.each_string(|row, out| {
        let text = strings.text(row)?;
        let set = match sets {
            Some(sets) => sets.text(row)?,
            None => " ",
        };
        let mut left = text;
        if start {
            left = left.trim_start_matches(|character| set.contains(character));
        }
        if end {
            left = left.trim_end_matches(|character| set.contains(character));
        }
        out.extend_from_slice(left.as_bytes());
        Ok(())
    })
}

pub(super) fn trim_both(call: &Call<'_>) -> Result<Column> {
    trim(call, true, true)
}

pub(super) fn trim_start(call: &Call<'_>) -> Result<Column> {
    trim(call, true, false)
}

pub(super) fn trim_end(call: &Call<'_>) -> Result<Column> {
    trim(call, false, true)
}

/// Fills up to a length with another string, over and over, or cuts to it.
fn pad(call: &Call<'_>, before: bool) -> Result<Column> {
    let (strings, lengths) = (call.strings(0), call.ints(1));
    let fills = call.has(2).then(|| call.strings(2));
    call.each_string(|row, out| {
        let text = strings.text(row)?;
        let fill = match fills {
            Some(fills) => fills.text(row)?,
            None => " ",
        };
        let length = usize::try_from(*lengths.at(row)).unwrap_or(0);
        let missing = length.saturating_sub(char_count(text.as_bytes()));
        if missing == 0 || fill.is_empty() {
            out.extend_from_slice(&text.as_bytes()[..offset(text, length)]);
            return Ok(());
        }
        check_size(
            missing
                .checked_mul(4)
                .and_then(|bytes| bytes.checked_add(text.len())),
        )?;
        if !before {
            out.extend_from_slice(text.as_bytes());
        }
        for character in fill.chars().cycle().take(missing) {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if before {
            out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    })
}

pub(super) fn pad_start(call: &Call<'_>) -> Result<Column> {
    pad(call, true)
}

pub(super) fn pad_end(call: &Call<'_>) -> Result<Column> {
    pad(call, false)
}

pub(super) fn repeat(call: &Call<'_>) -> Result<Column> {
    let (strings, counts) = (call.strings(0), call.ints(1));
    call.each_string(|row, out| {
        let text = strings.bytes(row);
        let count = usize::try_from(*counts.at(row)).unwrap_or(0);
        out.reserve(check_size(text.len().checked_mul(count))?);
        if !text.is_empty() {
            (0..count).for_each(|_| out.extend_from_slice(text));
        }
        Ok(())
    })
}
