//! Adding and subtracting dates, timestamps and intervals.

use crate::datetime::calendar::{checked_date, date_to_timestamp, is_finite, is_finite_date};
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::value::Interval;
use crate::vector::Column;

fn shift_date(date: i64, days: i64) -> Result<i64> {
    if !is_finite_date(date) {
        return Ok(date);
    }
    checked_date(date.saturating_add(days))
}

pub(super) fn date_plus_days(call: &Call<'_>) -> Result<Column> {
    let (dates, days) = (call.ints(0), call.ints(1));
    call.each_int(|row| shift_date(*dates.at(row), *days.at(row)))
}

pub(super) fn days_plus_date(call: &Call<'_>) -> Result<Column> {
    let (days, dates) = (call.ints(0), call.ints(1));
    call.each_int(|row| shift_date(*dates.at(row), *days.at(row)))
}

pub(super) fn date_minus_days(call: &Call<'_>) -> Result<Column> {
    let (dates, days) = (call.ints(0), call.ints(1));
    call.each_int(|row| shift_date(*dates.at(row), days.at(row).saturating_neg()))
}

pub(super) fn days_between(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    call.each_int(|row| {
        let (a, b) = (*a.at(row), *b.at(row));
        if !is_finite_date(a) || !is_finite_date(b) {
            return Err(SqlError::new(
                state::DATETIME_FIELD_OVERFLOW,
                "cannot subtract infinite dates",
            ));
        }
        Ok(a - b)
    })
}

/// A timestamp and an interval, whichever comes first.
fn shift_time(call: &Call<'_>, time: usize, back: bool, start: fn(i64) -> Result<i64>) -> Result<Column> {
    let (times, spans) = (call.ints(time), call.intervals(1 - time));
    call.each_int(|row| {
        let span = *spans.at(row);
        let span = if back { span.negated()? } else { span };
        span.after(start(*times.at(row))?)
    })
}

pub(super) fn date_plus_span(call: &Call<'_>) -> Result<Column> {
    shift_time(call, 0, false, date_to_timestamp)
}

pub(super) fn span_plus_date(call: &Call<'_>) -> Result<Column> {
    shift_time(call, 1, false, date_to_timestamp)
}

pub(super) fn date_minus_span(call: &Call<'_>) -> Result<Column> {
    shift_time(call, 0, true, date_to_timestamp)
}

pub(super) fn time_plus_span(call: &Call<'_>) -> Result<Column> {
    shift_time(call, 0, false, Ok)
}

pub(super) fn span_plus_time(call: &Call<'_>) -> Result<Column> {
    shift_time(call, 1, false, Ok)
}

pub(super) fn time_minus_span(call: &Call<'_>) -> Result<Column> {
    shift_time(call, 0, true, Ok)
}

pub(super) fn span_between(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    call.each_interval(|row| {
        let (a, b) = (*a.at(row), *b.at(row));
        if !is_finite(a) || !is_finite(b) {
            return Err(SqlError::new(
                state::DATETIME_FIELD_OVERFLOW,
                "cannot subtract infinite timestamps",
            ));
        }
        Interval::of_micros(i128::from(a) - i128::from(b))
    })
}

pub(super) fn add_spans(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.intervals(0), call.intervals(1));
    call.each_interval(|row| a.at(row).plus(*b.at(row)))
}

pub(super) fn subtract_spans(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.intervals(0), call.intervals(1));
    call.each_interval(|row| a.at(row).minus(*b.at(row)))
}

pub(super) fn negate_span(call: &Call<'_>) -> Result<Column> {
    let spans = call.intervals(0);
    call.each_interval(|row| spans.at(row).negated())
}

pub(super) fn span_times(call: &Call<'_>) -> Result<Column> {
    let (spans, factors) = (call.intervals(0), call.floats(1));
    call.each_interval(|row| spans.at(row).times(*factors.at(row)))
}

pub(super) fn times_span(call: &Call<'_>) -> Result<Column> {
    let (factors, spans) = (call.floats(0), call.intervals(1));
    call.each_interval(|row| spans.at(row).times(*factors.at(row)))
}

pub(super) fn span_by(call: &Call<'_>) -> Result<Column> {
    let (spans, divisors) = (call.intervals(0), call.floats(1));
    call.each_interval(|row| spans.at(row).divided(*divisors.at(row)))
}
