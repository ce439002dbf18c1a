//! Values to text.

use super::{write_float, write_hex, write_integer};
use crate::datetime::output::{write_date, write_interval, write_timestamp};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::{Column, ColumnData};

/// The value as PostgreSQL shows it; NULL is the empty string.
#[must_use]
pub fn to_text(value: &Value, ty: DataType) -> String {
    let mut out = Vec::new();
    write_value(value, ty, &mut out);
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Writes the value as [`to_text`] shows it.
pub fn write_value(value: &Value, ty: DataType, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.push(if *value { b't' } else { b'f' }),
        Value::Int(value) => write_int(*value, ty, out),
        Value::Float(value) => write_float(*value, ty, out),
        Value::Numeric(value) => value.write(out),
        Value::Text(value) => out.extend_from_slice(value.as_bytes()),
        Value::Bytes(value) => write_bytea(value, out),
        Value::Interval(value) => write_interval(*value, out),
    }
}

/// Writes the value at `row` as [`to_text`] shows it, without making a [`Value`] of it.
pub fn write_text(column: &Column, row: usize, ty: DataType, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return;
    }
    match &column.data {
        ColumnData::Bool(values) => out.push(if values[row] { b't' } else { b'f' }),
        ColumnData::Int(values) => write_int(values[row], ty, out),
        ColumnData::Float(values) => write_float(values[row], ty, out),
        ColumnData::Numeric(values) => values[row].write(out),
        ColumnData::Bytes(values) if ty == DataType::Bytea => write_bytea(values.get(row), out),
        ColumnData::Bytes(values) => out.extend_from_slice(values.get(row)),
        ColumnData::Interval(values) => write_interval(values[row], out),
    }
}

#[inline]
fn write_int(value: i64, ty: DataType, out: &mut Vec<u8>) {
    match ty {
        DataType::Date => write_date(value, out),
        DataType::Timestamp => write_timestamp(value, false, out),
        DataType::TimestampTz => write_timestamp(value, true, out),
        _ => write_integer(value, out),
    }
}

fn write_bytea(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    write_hex(bytes, out);
}
