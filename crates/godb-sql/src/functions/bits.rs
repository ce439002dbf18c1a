//! Operators on the bits of integers.

use super::Call;
use super::table::types::{I2, I4, I8};
use super::table::{Entry, entry};
use crate::convert::{bits_i64, low_i32};
use crate::error::Result;
use crate::types::DataType;
use crate::vector::Column;

/// The bit operators.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("&", &[I2, I2], I2, and), entry("&", &[I4, I4], I4, and), entry("&", &[I8, I8], I8, and),
    entry("|", &[I2, I2], I2, or),  entry("|", &[I4, I4], I4, or),  entry("|", &[I8, I8], I8, or),
    entry("#", &[I2, I2], I2, xor), entry("#", &[I4, I4], I4, xor), entry("#", &[I8, I8], I8, xor),
    entry("~", &[I2], I2, not),     entry("~", &[I4], I4, not),     entry("~", &[I8], I8, not),
    entry("<<", &[I2, I4], I2, shift_left),  entry("<<", &[I4, I4], I4, shift_left),  entry("<<", &[I8, I4], I8, shift_left),
    entry(">>", &[I2, I4], I2, shift_right), entry(">>", &[I4, I4], I4, shift_right), entry(">>", &[I8, I4], I8, shift_right),
];

fn pairs(call: &Call<'_>, operation: impl Fn(i64, i64) -> i64) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    call.each_int(|row| Ok(operation(*a.at(row), *b.at(row))))
}

fn and(call: &Call<'_>) -> Result<Column> {
    pairs(call, |a, b| a & b)
}

fn or(call: &Call<'_>) -> Result<Column> {
    pairs(call, |a, b| a | b)
}

fn xor(call: &Call<'_>) -> Result<Column> {
    pairs(call, |a, b| a ^ b)
}

fn not(call: &Call<'_>) -> Result<Column> {
    let values = call.ints(0);
    call.each_int(|row| Ok(!*values.at(row)))
}

/// The number of places counts modulo the width, as processors have it; what leaves the width is lost.
fn shift_left(call: &Call<'_>) -> Result<Column> {
    let ty = call.returns;
    pairs(call, |a, by| {
        let shifted = a.wrapping_shl(places(by, ty));
        match ty {
            DataType::Int2 => i64::from(low_i32(shifted << 48 >> 48)),
            DataType::Int4 => shifted << 32 >> 32,
            _ => shifted,
        }
    })
}

fn shift_right(call: &Call<'_>) -> Result<Column> {
    let ty = call.returns;
    pairs(call, |a, by| a.wrapping_shr(places(by, ty)))
}

fn places(by: i64, ty: DataType) -> u32 {
    let width = if ty == DataType::Int8 { 63 } else { 31 };
    u32::try_from(by & bits_i64(width)).unwrap_or(0)
}
