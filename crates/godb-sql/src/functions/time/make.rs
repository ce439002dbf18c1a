//! Making times from numbers, and asking about them.

use crate::convert::whole_i64;
use crate::datetime::calendar::{
    Civil, INFINITY, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, MINUS_INFINITY,
    checked_date, checked_timestamp, is_finite as finite, is_finite_date as finite_date, narrow,
    timestamp_out_of_range,
};
use crate::datetime::interval::{micros_of, out_of_range};
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::value::Interval;
use crate::vector::Column;

#[cold]
fn field_overflow(what: &str, shown: &str) -> SqlError {
    SqlError::new(
        state::DATETIME_FIELD_OVERFLOW,
        format!("{what} field value out of range: {shown}"),
    )
}

/// A day; years below zero are before Christ.
fn day(year: i64, month: i64, day: i64) -> Result<i64> {
    let counted = if year < 0 { year + 1 } else { year };
    let civil = Civil {
        year: counted,
        month,
        day,
    };
    if year == 0 || !civil.exists() {
        let shown = format!("{year}-{month:02}-{day:02}");
        return Err(field_overflow("date", &shown));
    }
    checked_date(civil.days())
}

pub(super) fn date(call: &Call<'_>) -> Result<Column> {
    let (years, months, days) = (call.ints(0), call.ints(1), call.ints(2));
    call.each_int(|row| day(*years.at(row), *months.at(row), *days.at(row)))
}

pub(super) fn timestamp(call: &Call<'_>) -> Result<Column> {
    let fields = [0, 1, 2, 3, 4].map(|index| call.ints(index));
    let seconds = call.floats(5);
    call.each_int(|row| {
        let [year, month, of_month, hour, minute] = fields.map(|field| *field.at(row));
        let second = *seconds.at(row);
        let micros = (second * 1_000_000.0).round_ties_even();
        let fits =
            (0..=24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60_000_000.0).contains(&micros);
        let time = if fits {
            hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE + whole_i64(micros)
        } else {
            i64::MAX
        };
        if time > MICROS_PER_DAY {
            return Err(field_overflow("time", &format!("{hour}:{minute:02}:{second:02}")));
        }
        let days = day(year, month, of_month)?;
        checked_timestamp(i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(time))
    })
}

/// Years, months, weeks, days, hours, minutes, seconds; those left out are zero.
pub(super) fn interval(call: &Call<'_>) -> Result<Column> {
    call.each_interval(|row| {
        let field = |index: usize| {
            if call.has(index) {
                *call.ints(index).at(row)
            } else {
                0
            }
        };
        let seconds = if call.has(6) { *call.floats(6).at(row) } else { 0.0 };
        let fits = |value: i64| narrow(value).ok_or_else(out_of_range);
        let time = i128::from(field(4)) * i128::from(MICROS_PER_HOUR)
            + i128::from(field(5)) * i128::from(MICROS_PER_MINUTE);
        let micros = time + i128::from(micros_of((seconds * 1_000_000.0).round_ties_even())?);
        Ok(Interval {
            months: fits(field(0) * 12 + field(1))?,
            days: fits(field(2) * 7 + field(3))?,
            micros: i64::try_from(micros).map_err(|_| out_of_range())?,
        })
    })
}

/// Seconds since 1970.
pub(super) fn from_epoch(call: &Call<'_>) -> Result<Column> {
    let seconds = call.floats(0);
    call.each_int(|row| {
        let second = *seconds.at(row);
        if second.is_nan() {
            return Err(SqlError::new(
                state::DATETIME_FIELD_OVERFLOW,
                "timestamp cannot be NaN",
            ));
        }
        if second.is_infinite() {
            return Ok(if second > 0.0 { INFINITY } else { MINUS_INFINITY });
        }
        if second.abs() > 9e12 {
            return Err(timestamp_out_of_range());
        }
        let whole = second.trunc();
        let rest = ((second - whole) * 1_000_000.0).round_ties_even();
        checked_timestamp(
            i128::from(whole_i64(whole)) * i128::from(MICROS_PER_SECOND) + i128::from(whole_i64(rest)),
        )
    })
}

pub(super) fn justify_hours(call: &Call<'_>) -> Result<Column> {
    let spans = call.intervals(0);
    call.each_interval(|row| spans.at(row).justify_hours())
}

pub(super) fn justify_days(call: &Call<'_>) -> Result<Column> {
    let spans = call.intervals(0);
    call.each_interval(|row| spans.at(row).justify_days())
}

pub(super) fn justify(call: &Call<'_>) -> Result<Column> {
    let spans = call.intervals(0);
    call.each_interval(|row| spans.at(row).justify())
}

pub(super) fn is_finite_date(call: &Call<'_>) -> Result<Column> {
    let dates = call.ints(0);
    call.each_bool(|row| Ok(finite_date(*dates.at(row))))
}

pub(super) fn is_finite(call: &Call<'_>) -> Result<Column> {
    let times = call.ints(0);
    call.each_bool(|row| Ok(finite(*times.at(row))))
}

pub(super) fn is_finite_span(call: &Call<'_>) -> Result<Column> {
    call.each_bool(|_| Ok(true))
}
