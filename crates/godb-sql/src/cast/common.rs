//! The type that several expressions can have in common, by PostgreSQL's categories of types.

use super::{Coercion, can_cast};
use crate::error::{Result, SqlError, state};
use crate::types::DataType;

/// Families of types among which conversions are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// Truth values.
    Bool,
    /// Numbers.
    Number,
    /// Strings of characters.
    String,
    /// Dates and timestamps.
    Time,
    /// Intervals.
    Span,
    /// Byte strings.
    Bytes,
    /// Arrays.
    Array,
    /// Not decided yet.
    Unknown,
}

/// The category of a type.
pub(crate) fn category(ty: DataType) -> Category {
    match ty {
        DataType::Unknown => Category::Unknown,
        DataType::Bool => Category::Bool,
        DataType::Text | DataType::Varchar(_) | DataType::Char(_) => Category::String,
        DataType::Date | DataType::Timestamp | DataType::TimestampTz => Category::Time,
        DataType::Interval => Category::Span,
        DataType::Bytea => Category::Bytes,
        DataType::Array(_) => Category::Array,
        _ => Category::Number,
    }
}

/// Whether it is the type of its category to which others are brought when nothing else decides.
pub(crate) fn is_preferred(ty: DataType) -> bool {
    matches!(
        ty,
        DataType::Bool | DataType::Float8 | DataType::Text | DataType::TimestampTz | DataType::Interval
    )
}

/// The type that values of all these types are brought to, in `CASE`, `COALESCE`, `UNION`, `IN`, `VALUES` and their like. What is
/// unknown follows the others; when all are, it is text.
///
/// # Errors
/// `42804` when two of them have nothing in common.
pub fn common_type(types: &[DataType]) -> Result<DataType> {
    let mut known = types.iter().copied().filter(|ty| *ty != DataType::Unknown);
    let Some(mut common) = known.next() else {
        return Ok(DataType::Text);
    };
    for ty in known {
        common = common_of_two(common, ty)?;
    }
    Ok(common)
}

fn common_of_two(common: DataType, next: DataType) -> Result<DataType> {
    if common == next {
        return Ok(common);
    }
    if common.is_same_kind(next) {
        return Ok(match (common, next) {
            (DataType::Char(a), DataType::Char(b)) => DataType::Char(a.max(b)),
            _ => common.base(),
        });
    }
    if category(common) != category(next) {
        return Err(SqlError::new(
            state::DATATYPE_MISMATCH,
            format!("types {} and {} cannot be matched", common.name(), next.name()),
        ));
    }
    let into = |from, to| can_cast(from, to, Coercion::Implicit);
    if !is_preferred(common) && into(common, next) && !into(next, common) {
        return Ok(next.base());
    }
    Ok(common.base())
}
