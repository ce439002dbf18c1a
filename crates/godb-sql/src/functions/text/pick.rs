//! Lengths and parts of strings.

use crate::cast::char_count;
use crate::convert::length_i64;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::vector::Column;

pub(super) fn characters(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_int(|row| Ok(length_i64(char_count(strings.bytes(row)))))
}

pub(super) fn octets(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_int(|row| Ok(length_i64(strings.bytes(row).len())))
}

pub(super) fn bits(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_int(|row| Ok(length_i64(strings.bytes(row).len()) * 8))
}

/// Where the n-th character begins; the end of the text when it has no more than n.
pub(super) fn offset(text: &str, n: usize) -> usize {
    if text.is_ascii() {
        return n.min(text.len());
    }
    text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
}

/// How many characters the first `n` are, or all but the last `-n`.
fn first_count(text: &str, n: i64) -> usize {
    let keep = if n >= 0 {
        n
    } else {
        (length_i64(char_count(text.as_bytes())) + n).max(0)
    };
    usize::try_from(keep).unwrap_or(usize::MAX)
}

pub(super) fn left(call: &Call<'_>) -> Result<Column> {
    let (strings, counts) = (call.strings(0), call.ints(1));
    call.each_string(|row, out| {
        let text = strings.text(row)?;
        let end = offset(text, first_count(text, *counts.at(row)));
        out.extend_from_slice(&text.as_bytes()[..end]);
        Ok(())
    })
}

pub(super) fn right(call: &Call<'_>) -> Result<Column> {
    let (strings, counts) = (call.strings(0), call.ints(1));
    call.each_string(|row, out| {
        let text = strings.text(row)?;
        let start = offset(text, first_count(text, -*counts.at(row)));
        let start = if *counts.at(row) == 0 { text.len() } else { start };
        out.extend_from_slice(&text.as_bytes()[start..]);
        Ok(())
    })
}

/// The first position and how many positions, counted from zero and cut to what a string can have. Positions before the first
/// character count, but are empty.
pub(super) fn range(start: i64, length: Option<i64>) -> Result<(usize, usize)> {
    let from = start - 1;
    let to = match length {
        None => i64::MAX,
        Some(length) if length < 0 => {
            return Err(SqlError::new(
                state::SUBSTRING_ERROR,
                "negative substring length not allowed",
            ));
        }
        Some(length) => from.saturating_add(length),
    };
    let from = usize::try_from(from).unwrap_or(0);
    let to = usize::try_from(to).unwrap_or(0);
    Ok((from, to.saturating_sub(from)))
}

pub(super) fn substring(call: &Call<'_>) -> Result<Column> {
    let (strings, starts) = (call.strings(0), call.ints(1));
    let lengths = call.has(2).then(|| call.ints(2));
    call.each_string(|row, out| {
        let text = strings.text(row)?;
        let (from, count) = range(*starts.at(row), lengths.map(|lengths| *lengths.at(row)))?;
        let rest = &text[offset(text, from)..];
        out.extend_from_slice(&rest.as_bytes()[..offset(rest, count)]);
        Ok(())
    })
}

pub(super) fn subbytes(call: &Call<'_>) -> Result<Column> {
    let (strings, starts) = (call.strings(0), call.ints(1));
    let lengths = call.has(2).then(|| call.ints(2));
    call.each_string(|row, out| {
        let bytes = strings.bytes(row);
        let (from, count) = range(*starts.at(row), lengths.map(|lengths| *lengths.at(row)))?;
        let rest = &bytes[from.min(bytes.len())..];
        out.extend_from_slice(&rest[..count.min(rest.len())]);
        Ok(())
    })
}

pub(super) fn split_part(call: &Call<'_>) -> Result<Column> {
    let (strings, separators, fields) = (call.strings(0), call.strings(1), call.ints(2));
    call.each_string(|row, out| {
        let (text, separator, field) = (strings.text(row)?, separators.text(row)?, *fields.at(row));
        if field == 0 {
            return Err(SqlError::new(
                state::INVALID_PARAMETER_VALUE,
                "field position must not be zero",
            ));
        }
        let nth = usize::try_from(field.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let part = if separator.is_empty() {
            (nth == 0).then_some(text)
        } else if field > 0 {
            text.split(separator).nth(nth)
        } else {
            text.rsplit(separator).nth(nth)
        };
        out.extend_from_slice(part.unwrap_or_default().as_bytes());
        Ok(())
    })
}

pub(super) fn reverse(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_string(|row, out| {
        let mut buffer = [0; 4];
        for character in strings.text(row)?.chars().rev() {
            out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
        }
        Ok(())
    })
}
