//! The fields of a time that patterns show.

use crate::datetime::calendar::{Civil, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, split};
use crate::value::Interval;

/// A time, taken apart.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    /// Year, month, day; of an interval their numbers.
    pub(super) day: Civil,
    /// Hours; of an interval as many as there are.
    pub(super) hour: i64,
    /// Minutes of the hour.
    pub(super) minute: i64,
    /// Microseconds of the minute.
    pub(super) micros: i64,
    /// It is an interval: no day of the calendar.
    pub(super) span: bool,
}

impl Fields {
    /// Of a timestamp.
    pub(super) fn of_time(micros: i64) -> Self {
        let (day, time) = split(micros);
        Self::with_time(day, time, false)
    }

    /// Of an interval.
    pub(super) fn of_span(span: Interval) -> Self {
        let day = Civil {
            year: i64::from(span.months / 12),
            month: i64::from(span.months % 12),
            day: i64::from(span.days),
        };
        Self::with_time(day, span.micros, true)
    }

    fn with_time(day: Civil, time: i64, span: bool) -> Self {
        Self {
            day,
            hour: time / MICROS_PER_HOUR,
            minute: time / MICROS_PER_MINUTE % 60,
            micros: time % MICROS_PER_MINUTE,
            span,
        }
    }

    /// Seconds since midnight.
    pub(super) fn seconds_of_day(&self) -> i64 {
        self.hour * 3600 + self.minute * 60 + self.micros / 1_000_000
    }

    /// Whether it is after noon.
    pub(super) fn is_afternoon(&self) -> bool {
        self.hour.rem_euclid(MICROS_PER_DAY / MICROS_PER_HOUR) >= 12
    }

    /// The year as it is counted: no year zero.
    pub(super) fn counted_year(&self) -> i64 {
        if self.day.year <= 0 && !self.span {
            1 - self.day.year
        } else {
            self.day.year
        }
    }
}
