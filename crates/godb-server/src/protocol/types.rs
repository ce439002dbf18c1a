//! godb's types under PostgreSQL's numbers.

use godb::DataType;

/// The number of a type, its size in bytes (−1 where it varies), and its modifier (−1 without).
#[must_use]
pub fn describe(ty: DataType) -> (u32, i16, i32) {
    let length = |n: u32| i32::try_from(n).unwrap_or(i32::MAX - 4) + 4;
    match ty {
        DataType::Bool => (16, 1, -1),
        DataType::Int2 => (21, 2, -1),
        DataType::Int4 => (23, 4, -1),
        DataType::Int8 => (20, 8, -1),
        DataType::Float4 => (700, 4, -1),
        DataType::Float8 => (701, 8, -1),
        DataType::Numeric(None) => (1700, -1, -1),
        DataType::Numeric(Some((precision, scale))) => {
            let scale = i32::from(scale) & 0x7ff;
            (1700, -1, ((i32::from(precision) << 16) | scale) + 4)
        }
        DataType::Varchar(n) => (1043, -1, n.map_or(-1, length)),
        DataType::Char(n) => (1042, -1, length(n)),
        DataType::Bytea => (17, -1, -1),
        DataType::Date => (1082, 4, -1),
        DataType::Timestamp => (1114, 8, -1),
        DataType::TimestampTz => (1184, 8, -1),
        DataType::Interval => (1186, 16, -1),
        // What has no type of its own travels as text.
        _ => (25, -1, -1),
    }
}

/// The type of a number; `None` for zero and for PostgreSQL's `unknown`, where the statement decides.
///
/// # Errors
/// The number of a type that godb does not have.
pub fn named(number: u32) -> Result<Option<DataType>, u32> {
    Ok(Some(match number {
        0 | 705 => return Ok(None),
        16 => DataType::Bool,
        21 => DataType::Int2,
        23 | 26 => DataType::Int4,
        20 => DataType::Int8,
        700 => DataType::Float4,
        701 => DataType::Float8,
        1700 => DataType::Numeric(None),
        25 | 19 | 18 => DataType::Text,
        1043 | 1042 => DataType::Varchar(None),
        17 => DataType::Bytea,
        1082 => DataType::Date,
        1114 => DataType::Timestamp,
        1184 => DataType::TimestampTz,
        1186 => DataType::Interval,
        other => return Err(other),
    }))
}
