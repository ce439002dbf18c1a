//! `age`: a difference in years, months and days, as people count it.

use crate::datetime::calendar::{
    MICROS_PER_DAY, days_in_month, is_finite, narrow, split, timestamp_out_of_range, timestamp_to_date,
};
use crate::error::Result;
use crate::functions::Call;
use crate::value::Interval;
use crate::vector::Column;

pub(super) fn between(call: &Call<'_>) -> Result<Column> {
    let (a, b) = (call.ints(0), call.ints(1));
    call.each_interval(|row| age(*a.at(row), *b.at(row)))
}

pub(super) fn until_today(call: &Call<'_>) -> Result<Column> {
    let times = call.ints(0);
    let today = timestamp_to_date(call.evaluating.transaction_micros) * MICROS_PER_DAY;
    call.each_interval(|row| age(today, *times.at(row)))
}

fn age(later: i64, earlier: i64) -> Result<Interval> {
    if !is_finite(later) || !is_finite(earlier) {
        return Err(timestamp_out_of_range());
    }
    if later < earlier {
        // The days borrowed are those of the earlier month either way.
        return distance(earlier, later, later)?.negated();
    }
    distance(later, earlier, earlier)
}

/// The distance of two times in order. Days are borrowed from the month of `lender`.
fn distance(later: i64, earlier: i64, lender: i64) -> Result<Interval> {
    let ((a, time_a), (b, time_b)) = (split(later), split(earlier));
    let (mut micros, mut days) = (time_a - time_b, a.day - b.day);
    let mut months = (a.year - b.year) * 12 + a.month - b.month;
    if micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    }
    let (lender, _) = split(lender);
    while days < 0 {
        days += days_in_month(lender.year, lender.month);
        months -= 1;
    }
    let fits = |value| narrow(value).ok_or_else(timestamp_out_of_range);
    Ok(Interval {
        months: fits(months)?,
        days: fits(days)?,
        micros,
    })
}
