//! `date_trunc` and `date_bin`.

use super::unit::{Unit, length, not_supported};
use crate::datetime::calendar::{
    Civil, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, checked_timestamp,
    is_finite, split, weekday,
};
use crate::datetime::zone::named;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::value::Interval;
use crate::vector::Column;

pub(super) fn time(call: &Call<'_>) -> Result<Column> {
    let (names, times, ty) = (call.strings(0), call.ints(1), call.types[1].name());
    call.each_int(|row| truncated(names.text(row)?, *times.at(row), ty))
}

/// Cut where the zone's clock has the cut.
pub(super) fn time_in_zone(call: &Call<'_>) -> Result<Column> {
    let (names, times, zones) = (call.strings(0), call.ints(1), call.strings(2));
    call.each_int(|row| {
        let offset = i128::from(named(zones.text(row)?)? * MICROS_PER_SECOND);
        let micros = *times.at(row);
        if !is_finite(micros) {
            return Ok(micros);
        }
        let local = checked_timestamp(i128::from(micros) + offset)?;
        let cut = truncated(names.text(row)?, local, call.types[1].name())?;
        checked_timestamp(i128::from(cut) - offset)
    })
}

fn truncated(name: &str, micros: i64, ty: &str) -> Result<i64> {
    if !is_finite(micros) {
        return Ok(micros);
    }
    let unit = length(name, ty)?;
    let micros_long = match unit {
        Unit::Microsecond => 1,
        Unit::Millisecond => 1000,
        Unit::Second => MICROS_PER_SECOND,
        Unit::Minute => MICROS_PER_MINUTE,
        Unit::Hour => MICROS_PER_HOUR,
        Unit::Day => MICROS_PER_DAY,
        _ => 0,
    };
    if micros_long > 0 {
        return Ok(micros - micros.rem_euclid(micros_long));
    }
    let (day, _) = split(micros);
    let days = match unit {
        Unit::Week => day.days() - (weekday(day.days()) + 6) % 7,
        unit => begins(unit).ok_or_else(|| not_supported(name, ty))?(day).days(),
    };
    checked_timestamp(i128::from(days) * i128::from(MICROS_PER_DAY))
}

/// The first day of the unit that a day lies in.
fn begins(unit: Unit) -> Option<fn(Civil) -> Civil> {
    Some(match unit {
        Unit::Month => |day| Civil { day: 1, ..day },
        Unit::Quarter => |day| Civil {
            month: (day.month - 1) / 3 * 3 + 1,
            day: 1,
            ..day
        },
        Unit::Year => |day| first_of(day.year),
        Unit::Decade => |day| first_of(day.year.div_euclid(10) * 10),
        Unit::Century => |day| first_of((day.year - 1).div_euclid(100) * 100 + 1),
        Unit::Millennium => |day| first_of((day.year - 1).div_euclid(1000) * 1000 + 1),
        _ => return None,
    })
}

fn first_of(year: i64) -> Civil {
    Civil {
        year,
        month: 1,
        day: 1,
    }
}

pub(super) fn span(call: &Call<'_>) -> Result<Column> {
    let (names, spans) = (call.strings(0), call.intervals(1));
    call.each_interval(|row| {
        let (name, span) = (names.text(row)?, *spans.at(row));
        let months = |size: i32| Interval {
            months: span.months / size * size,
            days: 0,
            micros: 0,
        };
        let micros = |size: i64| Interval {
            micros: span.micros / size * size,
            ..span
        };
        Ok(match length(name, "interval")? {
            Unit::Millennium => months(12_000),
            Unit::Century => months(1200),
            Unit::Decade => months(120),
            Unit::Year => months(12),
            Unit::Quarter => months(3),
            Unit::Month => months(1),
            Unit::Day => Interval { micros: 0, ..span },
            Unit::Hour => micros(MICROS_PER_HOUR),
            Unit::Minute => micros(MICROS_PER_MINUTE),
            Unit::Second => micros(MICROS_PER_SECOND),
            Unit::Millisecond => micros(1000),
            Unit::Microsecond => span,
            Unit::Week => {
                return Err(not_supported(name, "interval").detail("Months usually have fractional weeks."));
            }
            _ => return Err(not_supported(name, "interval")),
        })
    })
}

/// Cut to a multiple of an interval, counted from an origin.
pub(super) fn bin(call: &Call<'_>) -> Result<Column> {
    let (strides, times, origins) = (call.intervals(0), call.ints(1), call.ints(2));
    call.each_int(|row| {
        let (stride, micros, origin) = (*strides.at(row), *times.at(row), *origins.at(row));
        if !is_finite(micros) {
            return Ok(micros);
        }
        if !is_finite(origin) {
            return Err(SqlError::new(
                state::DATETIME_FIELD_OVERFLOW,
                "origin out of range",
            ));
        }
        if stride.months != 0 {
            let message = "timestamps cannot be binned into intervals containing months or years";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        let stride = stride.length();
        if stride <= 0 || stride > i128::from(i64::MAX) {
            let message = "stride must be greater than zero";
            return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, message));
        }
        let distance = micros
            .checked_sub(origin)
            .ok_or_else(|| SqlError::new(state::DATETIME_FIELD_OVERFLOW, "interval out of range"))?;
        checked_timestamp(i128::from(origin) + i128::from(distance).div_euclid(stride) * stride)
    })
}
