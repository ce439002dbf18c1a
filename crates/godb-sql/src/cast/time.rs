//! Conversions between dates and timestamps. The session's time zone is UTC, so a timestamp is the same with and without one.

use crate::datetime::calendar::{date_to_timestamp, timestamp_to_date};
use crate::error::Result;
use crate::types::DataType;

/// Whether the conversion changes the stored number.
pub(super) fn changes(from: DataType, to: DataType) -> bool {
    (from == DataType::Date) != (to == DataType::Date)
}

/// A date or timestamp as the other.
pub(super) fn convert(value: i64, to: DataType) -> Result<i64> {
    if to == DataType::Date {
        return Ok(timestamp_to_date(value));
    }
    date_to_timestamp(value)
}
