//! The calendar: days since 1970-01-01 to year, month, day, and back.

use crate::convert::low_i32;
use crate::error::{Result, SqlError, state};

/// Microseconds of a second.
pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub(crate) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
/// Microseconds of an hour.
pub(crate) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
/// Microseconds of a day.
pub(crate) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// The timestamp later than all others.
pub(crate) const INFINITY: i64 = i64::MAX;
/// The timestamp earlier than all others.
pub(crate) const MINUS_INFINITY: i64 = i64::MIN;
/// The date later than all others.
pub(crate) const DATE_INFINITY: i64 = i32::MAX as i64;
/// The date earlier than all others.
pub(crate) const DATE_MINUS_INFINITY: i64 = i32::MIN as i64;

/// The Julian day of 1970-01-01; the first date, 4714-11-24 BC, is day 0.
pub(crate) const EPOCH_JULIAN: i64 = 2_440_588;
const MIN_DATE: i64 = -EPOCH_JULIAN;
/// The last date is 5874897-12-31.
const MAX_DATE: i64 = 2_147_483_493 - EPOCH_JULIAN;
const MIN_TIMESTAMP: i64 = MIN_DATE * MICROS_PER_DAY;

/// A day of the calendar. Year 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    /// The year.
    pub(crate) year: i64,
    /// The month, from 1.
    pub(crate) month: i64,
    /// The day of the month, from 1.
    pub(crate) day: i64,
}

impl Civil {
    /// Days since 1970-01-01. The month is between 1 and 12; a day beyond the month's end counts on.
    pub(crate) fn days(self) -> i64 {
        // The year begins in March, so that the leap day is its last.
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (self.month + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The day that is so many days after 1970-01-01.
    pub(crate) fn of_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let (month, before) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        Self {
            year: year_of_era + era * 400 + before,
            month,
            day: day_of_year - (153 * ((month + 9) % 12) + 2) / 5 + 1,
        }
    }

    /// The same day so many months later, or the last day of a shorter month.
    pub(crate) fn plus_months(self, months: i64) -> Self {
        let total = self.year * 12 + self.month - 1 + months;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        Self {
            year,
            month,
            day: self.day.min(days_in_month(year, month)),
        }
    }

    /// Whether there is such a day.
    pub(crate) fn exists(self) -> bool {
        (1..=12).contains(&self.month) && (1..=days_in_month(self.year, self.month)).contains(&self.day)
    }

    /// ISO 8601 week and the year it belongs to.
    pub(crate) fn iso_week(self) -> (i64, i64) {
        let days = self.days();
        // The week belongs to the year of its Thursday.
        let thursday = days - (days + 3).rem_euclid(7) + 3;
        let year = Self::of_days(thursday).year;
        let first = Self {
            year,
            month: 1,
            day: 1,
        }
        .days();
        (year, (thursday - first) / 7 + 1)
    }

    /// The day of the year, from 1.
    pub(crate) fn day_of_year(self) -> i64 {
        let first = Self {
            year: self.year,
            month: 1,
            day: 1,
        };
        self.days() - first.days() + 1
    }
}

/// How many days a month has.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The day of the week, Sunday being 0.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// The date, if it lies within the bounds.
pub(crate) fn checked_date(days: i64) -> Result<i64> {
    if (MIN_DATE..=MAX_DATE).contains(&days) {
        return Ok(days);
    }
    Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "date out of range"))
}

/// The timestamp, if it lies within the bounds.
#[inline]
pub(crate) fn checked_timestamp(micros: i128) -> Result<i64> {
    match i64::try_from(micros) {
        Ok(micros) if micros >= MIN_TIMESTAMP && micros != INFINITY => Ok(micros),
        _ => Err(timestamp_out_of_range()),
    }
}

/// The error for a timestamp out of bounds.
#[cold]
pub(crate) fn timestamp_out_of_range() -> SqlError {
    SqlError::new(state::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// Whether it is no infinite timestamp.
#[inline]
pub(crate) fn is_finite(micros: i64) -> bool {
    micros != INFINITY && micros != MINUS_INFINITY
}

/// Whether it is no infinite date.
#[inline]
pub(crate) fn is_finite_date(days: i64) -> bool {
    days != DATE_INFINITY && days != DATE_MINUS_INFINITY
}

/// The start of a date.
pub(crate) fn date_to_timestamp(days: i64) -> Result<i64> {
    match days {
        DATE_INFINITY => Ok(INFINITY),
        DATE_MINUS_INFINITY => Ok(MINUS_INFINITY),
        days => checked_timestamp(i128::from(days) * i128::from(MICROS_PER_DAY))
            .map_err(|_| SqlError::new(state::DATETIME_FIELD_OVERFLOW, "date out of range for timestamp")),
    }
}

/// The date of a timestamp.
pub(crate) fn timestamp_to_date(micros: i64) -> i64 {
    match micros {
        INFINITY => DATE_INFINITY,
        MINUS_INFINITY => DATE_MINUS_INFINITY,
        micros => micros.div_euclid(MICROS_PER_DAY),
    }
}

/// Day and time of day of a timestamp.
pub(crate) fn split(micros: i64) -> (Civil, i64) {
    (
        Civil::of_days(micros.div_euclid(MICROS_PER_DAY)),
        micros.rem_euclid(MICROS_PER_DAY),
    )
}

/// Hour, minute and microseconds of the minute.
pub(crate) fn clock(micros_of_day: i64) -> (i64, i64, i64) {
    (
        micros_of_day / MICROS_PER_HOUR,
        micros_of_day / MICROS_PER_MINUTE % 60,
        micros_of_day % MICROS_PER_MINUTE,
    )
}

/// A number of months or days as an interval stores it.
pub(crate) fn narrow(value: i64) -> Option<i32> {
    i32::try_from(value)
        .ok()
        .inspect(|narrow| debug_assert_eq!(low_i32(value), *narrow))
}
