//! `extract` and `date_part`: one part of a time, as a decimal or as a float.

use super::unit::{Unit, not_supported, unit};
use crate::convert::{near_f64, wide_f64};
use crate::datetime::calendar::{
    Civil, DATE_MINUS_INFINITY, EPOCH_JULIAN, MICROS_PER_DAY, MICROS_PER_MINUTE, MICROS_PER_SECOND,
    MINUS_INFINITY, clock, is_finite, is_finite_date, split, weekday,
};
use crate::error::{Result, SqlError};
use crate::functions::Call;
use crate::functions::call::with_nulls;
use crate::types::DataType;
use crate::value::{Interval, Numeric};
use crate::vector::{Column, ColumnData};

/// What a part is.
enum Part {
    /// An integer over a power of ten.
    Exact(i128, u16),
    /// A decimal of its own.
    Decimal(Numeric),
    /// Without end, upwards or downwards.
    Infinite(bool),
    /// Parts that come again and again have no value at infinity.
    Nothing,
}

fn whole(value: i64) -> Part {
    Part::Exact(i128::from(value), 0)
}

impl Part {
    fn decimal(self) -> Result<Option<Numeric>> {
        match self {
            Self::Exact(mantissa, scale) => Ok(Some(Numeric::wide(mantissa, scale))),
            Self::Decimal(value) => Ok(Some(value)),
            Self::Infinite(_) => Err(SqlError::unsupported("infinity as numeric")),
            Self::Nothing => Ok(None),
        }
    }

    fn float(self) -> Option<f64> {
        match self {
            Self::Exact(mantissa, scale) => {
                Some(wide_f64(mantissa) / near_f64(crate::numeric::POWERS[usize::from(scale)]))
            }
            Self::Decimal(value) => Some(value.to_f64()),
            Self::Infinite(up) => Some(if up { f64::INFINITY } else { f64::NEG_INFINITY }),
            Self::Nothing => None,
        }
    }
}

/// A name and the part that it asks for; the unit of a constant name is looked up once.
fn each<T: Default>(
    call: &Call<'_>,
    mut part: impl FnMut(&str, usize) -> Result<Part>,
    value: impl Fn(Part) -> Result<Option<T>>,
    data: impl Fn(Vec<T>) -> ColumnData,
) -> Result<Column> {
    let names = call.strings(0);
    let values: Vec<Option<T>> = call.each(|row| value(part(names.text(row)?, row)?))?;
    Ok(with_nulls(values, data))
}

fn decimals(call: &Call<'_>, part: impl FnMut(&str, usize) -> Result<Part>) -> Result<Column> {
    each(call, part, Part::decimal, ColumnData::Numeric)
}

fn floats(call: &Call<'_>, part: impl FnMut(&str, usize) -> Result<Part>) -> Result<Column> {
    each(call, part, |part| Ok(part.float()), ColumnData::Float)
}

pub(super) fn extract_date(call: &Call<'_>) -> Result<Column> {
    let dates = call.ints(1);
    decimals(call, |name, row| of_date(name, *dates.at(row)))
}

pub(super) fn extract_time(call: &Call<'_>) -> Result<Column> {
    let (times, ty) = (call.ints(1), call.types[1]);
    decimals(call, |name, row| of_time(name, *times.at(row), ty))
}

pub(super) fn extract_span(call: &Call<'_>) -> Result<Column> {
    let spans = call.intervals(1);
    decimals(call, |name, row| of_span(name, *spans.at(row)))
}

/// Unlike `extract`, this takes the date for the timestamp at its start.
pub(super) fn date_part_date(call: &Call<'_>) -> Result<Column> {
    let dates = call.ints(1);
    floats(call, |name, row| {
        let micros = crate::datetime::calendar::date_to_timestamp(*dates.at(row))?;
        of_time(name, micros, DataType::Timestamp)
    })
}

pub(super) fn date_part_time(call: &Call<'_>) -> Result<Column> {
    let (times, ty) = (call.ints(1), call.types[1]);
    floats(call, |name, row| of_time(name, *times.at(row), ty))
}

pub(super) fn date_part_span(call: &Call<'_>) -> Result<Column> {
    let spans = call.intervals(1);
    floats(call, |name, row| of_span(name, *spans.at(row)))
}

/// Parts of an infinite time: those that only ever grow are infinite too.
fn of_infinity(unit: Unit, up: bool) -> Part {
    match unit {
        Unit::Year
        | Unit::Decade
        | Unit::Century
        | Unit::Millennium
        | Unit::Julian
        | Unit::Isoyear
        | Unit::Epoch => Part::Infinite(up),
        _ => Part::Nothing,
    }
}

fn of_date(name: &str, date: i64) -> Result<Part> {
    let unit = unit(name, "date")?;
    if matches!(
        unit,
        Unit::Microsecond
            | Unit::Millisecond
            | Unit::Second
            | Unit::Minute
            | Unit::Hour
            | Unit::Timezone
            | Unit::TimezoneHour
            | Unit::TimezoneMinute
    ) {
        return Err(not_supported(name, "date"));
    }
    if !is_finite_date(date) {
        return Ok(of_infinity(unit, date != DATE_MINUS_INFINITY));
    }
    Ok(match unit {
        Unit::Epoch => Part::Exact(i128::from(date) * 86_400, 0),
        Unit::Julian => whole(date + EPOCH_JULIAN),
        unit => of_day(unit, Civil::of_days(date), date),
    })
}

fn of_time(name: &str, micros: i64, ty: DataType) -> Result<Part> {
    let unit = unit(name, ty.name())?;
    if matches!(unit, Unit::Timezone | Unit::TimezoneHour | Unit::TimezoneMinute) {
        return if ty == DataType::TimestampTz {
            Ok(whole(0))
        } else {
            Err(not_supported(name, ty.name()))
        };
    }
    if !is_finite(micros) {
        return Ok(of_infinity(unit, micros != MINUS_INFINITY));
    }
    let (civil, time) = split(micros);
    let (hour, minute, rest) = clock(time);
    Ok(match unit {
        Unit::Epoch => Part::Exact(i128::from(micros), 6),
        Unit::Microsecond => whole(rest),
        Unit::Millisecond => Part::Exact(i128::from(rest), 3),
        Unit::Second => Part::Exact(i128::from(rest), 6),
        Unit::Minute => whole(minute),
        Unit::Hour => whole(hour),
        Unit::Julian => {
            let part = Numeric::from(time).divide(&Numeric::from(MICROS_PER_DAY))?;
            Part::Decimal(&Numeric::from(civil.days() + EPOCH_JULIAN) + &part)
        }
        unit => of_day(unit, civil, civil.days()),
    })
}

/// Parts that depend on the day alone.
fn of_day(unit: Unit, day: Civil, days: i64) -> Part {
    // Before Christ, years are counted without zero.
    let year = if day.year > 0 { day.year } else { day.year - 1 };
    whole(match unit {
        Unit::Day => day.day,
        Unit::Month => day.month,
        Unit::Quarter => (day.month - 1) / 3 + 1,
        Unit::Year => year,
        Unit::Decade => day.year.div_euclid(10),
        Unit::Century => era(day.year, year, 100),
        Unit::Millennium => era(day.year, year, 1000),
        Unit::Week => day.iso_week().1,
        Unit::Isoyear => {
            let year = day.iso_week().0;
            if year > 0 { year } else { year - 1 }
        }
        Unit::Dow => weekday(days),
        Unit::Isodow => (weekday(days) + 6) % 7 + 1,
        _ => day.day_of_year(),
    })
}

/// Centuries and millennia begin with the year 1, and there is no zeroth.
fn era(year: i64, shown: i64, length: i64) -> i64 {
    if year > 0 {
        (year + length - 1) / length
    } else {
        -((length - 1 - shown) / length)
    }
}

fn of_span(name: &str, span: Interval) -> Result<Part> {
    let unit = unit(name, "interval")?;
    let (months, years) = (i64::from(span.months % 12), i64::from(span.months / 12));
    let of_minute = span.micros % MICROS_PER_MINUTE;
    Ok(match unit {
        Unit::Microsecond => whole(of_minute),
        Unit::Millisecond => Part::Exact(i128::from(of_minute), 3),
        Unit::Second => Part::Exact(i128::from(of_minute), 6),
        Unit::Minute => whole(span.micros / MICROS_PER_MINUTE % 60),
        Unit::Hour => whole(span.micros / (60 * MICROS_PER_MINUTE)),
        Unit::Day => whole(i64::from(span.days)),
        Unit::Month => whole(months),
        Unit::Quarter => whole(months / 3 + 1),
        Unit::Year => whole(years),
        Unit::Decade => whole(years / 10),
        Unit::Century => whole(years / 100),
        Unit::Millennium => whole(years / 1000),
        // A year is 365.25 days here, what is left of it months of thirty.
        Unit::Epoch => {
            let quarter_days =
                i128::from(years) * 1461 + i128::from(months) * 120 + i128::from(span.days) * 4;
            let micros = quarter_days * 21_600 * i128::from(MICROS_PER_SECOND) + i128::from(span.micros);
            Part::Exact(micros, 6)
        }
        _ => return Err(not_supported(name, "interval")),
    })
}
