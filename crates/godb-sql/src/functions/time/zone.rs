//! `AT TIME ZONE`: from a zone's clock to UTC, and from UTC to a zone's clock.

use crate::datetime::calendar::{MICROS_PER_SECOND, checked_timestamp, is_finite};
use crate::datetime::zone::named;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::value::Interval;
use crate::vector::Column;

/// Nobody asks what the zone is for a time without end.
fn shift(micros: i64, by: impl FnOnce() -> Result<i128>) -> Result<i64> {
    if !is_finite(micros) {
        return Ok(micros);
    }
    checked_timestamp(i128::from(micros) + by()?)
}

fn offset(zone: &str) -> Result<i128> {
    named(zone).map(|seconds| i128::from(seconds) * i128::from(MICROS_PER_SECOND))
}

fn offset_of(span: Interval) -> Result<i128> {
    if span.months != 0 || span.days != 0 {
        let mut shown = Vec::new();
        crate::datetime::output::write_interval(span, &mut shown);
        let message = format!(
            "interval time zone \"{}\" must not include months or days",
            String::from_utf8_lossy(&shown)
        );
        return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    }
    Ok(i128::from(span.micros))
}

pub(super) fn to_utc(call: &Call<'_>) -> Result<Column> {
    let (zones, times) = (call.strings(0), call.ints(1));
    call.each_int(|row| shift(*times.at(row), || Ok(-offset(zones.text(row)?)?)))
}

pub(super) fn from_utc(call: &Call<'_>) -> Result<Column> {
    let (zones, times) = (call.strings(0), call.ints(1));
    call.each_int(|row| shift(*times.at(row), || offset(zones.text(row)?)))
}

pub(super) fn to_utc_by(call: &Call<'_>) -> Result<Column> {
    let (zones, times) = (call.intervals(0), call.ints(1));
    call.each_int(|row| shift(*times.at(row), || Ok(-offset_of(*zones.at(row))?)))
}

pub(super) fn from_utc_by(call: &Call<'_>) -> Result<Column> {
    let (zones, times) = (call.intervals(0), call.ints(1));
    call.each_int(|row| shift(*times.at(row), || offset_of(*zones.at(row))))
}
