//! Conversions between types: which there are, when they happen by themselves, and how they are done.
//!
//! PostgreSQL knows three ways into a conversion. An *implicit* one happens anywhere, and loses nothing: `integer` to
//! `bigint`. An *assignment* one happens when a value is stored into a column: `bigint` to `integer`, checked. An *explicit*
//! one has to be written. Each way includes those before it.

mod column;
mod common;
mod length;
mod number;
mod time;

#[cfg(test)]
mod tests;

pub use column::{cast_column, cast_value};
pub use common::common_type;
pub(crate) use common::{Category, category, is_preferred};
pub(crate) use length::{char_count, fit_text, trim_blanks};
pub(crate) use number::out_of_range;

use crate::types::DataType;

/// How a conversion comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coercion {
    /// By itself, in any expression.
    Implicit,
    /// By storing into a column.
    Assignment,
    /// By writing it.
    Explicit,
}

/// Whether values of `from` become values of `to` in this way. An `Unknown` literal becomes anything.
#[must_use]
pub fn can_cast(from: DataType, to: DataType, how: Coercion) -> bool {
    if from.is_same_kind(to) || from == DataType::Unknown {
        return true;
    }
    least(from, to).is_some_and(|least| least <= how)
}

/// The weakest way in which the conversion happens.
fn least(from: DataType, to: DataType) -> Option<Coercion> {
    use Coercion::{Assignment, Explicit, Implicit};
    use DataType::{Bool, Date, Float4, Float8, Int2, Int4, Int8, Numeric, Oid, Timestamp, TimestampTz};
    if to == DataType::Unknown {
        return None;
    }
    if from.is_text() {
        return Some(if to.is_text() { Implicit } else { Explicit });
    }
    if to.is_text() {
        return Some(Assignment);
    }
    Some(match (from, to) {
        (Int2, Int4 | Int8 | Float4 | Float8 | Numeric(_)) => Implicit,
        (Int4, Int8 | Float4 | Float8 | Numeric(_)) => Implicit,
        (Int8, Float4 | Float8 | Numeric(_)) => Implicit,
        (Numeric(_), Float4 | Float8) => Implicit,
        (Float4, Float8) => Implicit,
        (Date, Timestamp | TimestampTz) => Implicit,
        (Timestamp, TimestampTz) => Implicit,
        (Int2 | Int4 | Int8, Oid) => Implicit,
        (Oid, Int4 | Int8) => Assignment,
        (Int4, Bool) | (Bool, Int4) => Explicit,
        (from, to) if from.is_numeric() && to.is_numeric() => Assignment,
        (Timestamp | TimestampTz, Date) | (TimestampTz, Timestamp) => Assignment,
        _ => return None,
    })
}
