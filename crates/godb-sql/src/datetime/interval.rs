//! Arithmetic of intervals.

use super::calendar::{self, MICROS_PER_DAY, narrow};
use crate::convert::{low_i64, near_f64, whole_i64};
use crate::error::{Result, SqlError, state};
use crate::value::Interval;

impl Interval {
    /// Its length in microseconds, a month being thirty days: what comparisons go by.
    #[must_use]
    pub(crate) fn length(self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * i128::from(MICROS_PER_DAY) + i128::from(self.micros)
    }

    /// The sum.
    pub(crate) fn plus(self, other: Self) -> Result<Self> {
        Ok(Self {
            months: self.months.checked_add(other.months).ok_or_else(out_of_range)?,
            days: self.days.checked_add(other.days).ok_or_else(out_of_range)?,
            micros: self.micros.checked_add(other.micros).ok_or_else(out_of_range)?,
        })
    }

    /// The opposite.
    pub(crate) fn negated(self) -> Result<Self> {
        Ok(Self {
            months: self.months.checked_neg().ok_or_else(out_of_range)?,
            days: self.days.checked_neg().ok_or_else(out_of_range)?,
            micros: self.micros.checked_neg().ok_or_else(out_of_range)?,
        })
    }

    /// The difference.
    pub(crate) fn minus(self, other: Self) -> Result<Self> {
        Ok(Self {
            months: self.months.checked_sub(other.months).ok_or_else(out_of_range)?,
            days: self.days.checked_sub(other.days).ok_or_else(out_of_range)?,
            micros: self.micros.checked_sub(other.micros).ok_or_else(out_of_range)?,
        })
    }

    /// The interval times a number.
    pub(crate) fn times(self, factor: f64) -> Result<Self> {
        self.scaled(|part| part * factor)
    }

    /// The interval divided by a number.
    pub(crate) fn divided(self, by: f64) -> Result<Self> {
        if by == 0.0 {
            return Err(crate::numeric::division_by_zero());
        }
        self.scaled(|part| part / by)
    }

    /// Each part scaled; parts of months become days, parts of days become time.
    fn scaled(self, scale: impl Fn(f64) -> f64) -> Result<Self> {
        let months = scale(f64::from(self.months));
        let days = scale(f64::from(self.days));
        let month_rest = round_micros((months - months.trunc()) * 30.0);
        let day_part = days.trunc() + month_rest.trunc();
        let mut seconds = round_micros((days - days.trunc() + month_rest - month_rest.trunc()) * 86_400.0);
        let mut more_days = 0.0;
        if seconds.abs() >= 86_400.0 {
            more_days = (seconds / 86_400.0).trunc();
            seconds -= more_days * 86_400.0;
        }
        let micros = (scale(near_f64(self.micros)) + seconds * 1_000_000.0).round_ties_even();
        Ok(Self {
            months: narrow_float(months.trunc())?,
            days: narrow_float(day_part + more_days)?,
            micros: micros_of(micros)?,
        })
    }

    /// The timestamp so much later: first months, then days, then time.
    pub(crate) fn after(self, micros: i64) -> Result<i64> {
        if !calendar::is_finite(micros) {
            return Ok(micros);
        }
        let mut at = i128::from(micros);
        if self.months != 0 {
            let (day, time) = calendar::split(micros);
            let day = day.plus_months(i64::from(self.months));
            at = i128::from(day.days()) * i128::from(MICROS_PER_DAY) + i128::from(time);
        }
        at += i128::from(self.days) * i128::from(MICROS_PER_DAY);
        calendar::checked_timestamp(at + i128::from(self.micros))
    }

    /// Whole days of time made days: what the difference of two timestamps is.
    pub(crate) fn of_micros(micros: i128) -> Result<Self> {
        let day = i128::from(MICROS_PER_DAY);
        let days = i64::try_from(micros / day).map_err(|_| out_of_range())?;
        Ok(Self {
            months: 0,
            days: narrow(days).ok_or_else(out_of_range)?,
            micros: low_i64(micros % day),
        })
    }

    /// Every 24 hours of time made a day.
    pub(crate) fn justify_hours(self) -> Result<Self> {
        let days = i64::from(self.days) + self.micros / MICROS_PER_DAY;
        let micros = self.micros % MICROS_PER_DAY;
        let (days, micros) = balance(days, micros, MICROS_PER_DAY);
        Ok(Self {
            months: self.months,
            days: narrow(days).ok_or_else(out_of_range)?,
            micros,
        })
    }

    /// Every thirty days made a month.
    pub(crate) fn justify_days(self) -> Result<Self> {
        let months = i64::from(self.months) + i64::from(self.days / 30);
        let (months, days) = balance(months, i64::from(self.days % 30), 30);
        Ok(Self {
            months: narrow(months).ok_or_else(out_of_range)?,
            days: narrow(days).ok_or_else(out_of_range)?,
            micros: self.micros,
        })
    }
}

impl Interval {
    /// Days and months made of hours and days, all of the same sign.
    pub(crate) fn justify(self) -> Result<Self> {
        let days = i64::from(self.days) + self.micros / MICROS_PER_DAY;
        let months = i64::from(self.months) + days / 30;
        let (days, micros) = (days % 30, self.micros % MICROS_PER_DAY);
        let above = days > 0 || (days == 0 && micros > 0);
        let below = days < 0 || (days == 0 && micros < 0);
        let (months, days) = if months > 0 && below {
            (months - 1, days + 30)
        } else if months < 0 && above {
            (months + 1, days - 30)
        } else {
            (months, days)
        };
        let (days, micros) = balance(days, micros, MICROS_PER_DAY);
        let fits = |value| narrow(value).ok_or_else(out_of_range);
        Ok(Self {
            months: fits(months)?,
            days: fits(days)?,
            micros,
        })
    }
}

/// Makes both of the same sign: a part of the larger unit becomes `size` of the smaller.
fn balance(large: i64, small: i64, size: i64) -> (i64, i64) {
    if large > 0 && small < 0 {
        (large - 1, small + size)
    } else if large < 0 && small > 0 {
        (large + 1, small - size)
    } else {
        (large, small)
    }
}

fn round_micros(value: f64) -> f64 {
    (value * 1_000_000.0).round_ties_even() / 1_000_000.0
}

fn narrow_float(value: f64) -> Result<i32> {
    if value.is_nan() || value.abs() > 2_147_483_647.0 {
        return Err(out_of_range());
    }
    narrow(whole_i64(value)).ok_or_else(out_of_range)
}

/// A number of microseconds, if it fits.
pub(crate) fn micros_of(value: f64) -> Result<i64> {
    if value.is_nan() || value.abs() >= 9_223_372_036_854_775_808.0 {
        return Err(out_of_range());
    }
    Ok(whole_i64(value))
}

/// The error for an interval that is too long.
#[cold]
pub(crate) fn out_of_range() -> SqlError {
    SqlError::new(state::DATETIME_FIELD_OVERFLOW, "interval out of range")
}
