//! Putting strings together.

use crate::error::Result;
use crate::functions::Call;
use crate::text::write_text;
use crate::types::DataType;
use crate::vector::{Column, ColumnData};

pub(super) fn texts(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.strings(0), call.strings(1));
    call.each_string(|row, out| {
        let (a, b) = (a.bytes(row), b.bytes(row));
        super::pad::check_size(a.len().checked_add(b.len()))?;
        out.extend_from_slice(a);
        out.extend_from_slice(b);
        Ok(())
    })
}

pub(super) fn bytes(call: &Call<'_>) -> Result<Column> {
    texts(call)
}

/// A string and a value of any type, as a cast to text shows it.
pub(super) fn anything(call: &Call<'_>) -> Result<Column> {
    call.each_string(|row, out| {
        for index in 0..2 {
            match &call.args[index].data {
                ColumnData::Bool(_) => {
                    let truth = *call.bools(index).at(row);
                    out.extend_from_slice(if truth { b"true" } else { b"false" });
                }
                _ => write_argument(call, index, row, out),
            }
        }
        Ok(())
    })
}

/// Writes an argument as output shows it.
pub(super) fn write_argument(call: &Call<'_>, index: usize, row: usize, out: &mut Vec<u8>) {
    let row = if call.constant[index] { 0 } else { row };
    let ty = call.types[index];
    match (&call.args[index].data, ty) {
        (ColumnData::Bytes(values), DataType::Unknown) => out.extend_from_slice(values.get(row)),
        _ => write_text(&call.args[index], row, ty, out),
    }
}

/// All arguments that are not NULL.
pub(super) fn all(call: &Call<'_>) -> Result<Column> {
    call.each_string(|row, out| {
        for index in 0..call.args.len() {
            write_argument(call, index, row, out);
        }
        Ok(())
    })
}

/// All arguments but the first that are not NULL, with the first between them.
pub(super) fn all_between(call: &Call<'_>) -> Result<Column> {
    let between = call.strings(0);
    call.each_string_or_null(|row, out| {
        if call.is_null(0, row) {
            return Ok(false);
        }
        let mut first = true;
        for index in (1..call.args.len()).filter(|index| !call.is_null(*index, row)) {
            if !first {
                out.extend_from_slice(between.bytes(row));
            }
            first = false;
            write_argument(call, index, row, out);
        }
        Ok(true)
    })
}
