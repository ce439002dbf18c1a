//! Dates, timestamps and intervals as text, in ISO 8601 as PostgreSQL shows it.

use super::calendar::{
    Civil, DATE_INFINITY, DATE_MINUS_INFINITY, INFINITY, MICROS_PER_SECOND, MINUS_INFINITY, clock, split,
};
use crate::convert::digit;
use crate::value::Interval;

/// Writes a date.
pub(crate) fn write_date(days: i64, out: &mut Vec<u8>) {
    match days {
        DATE_INFINITY => out.extend_from_slice(b"infinity"),
        DATE_MINUS_INFINITY => out.extend_from_slice(b"-infinity"),
        _ => {
            let civil = Civil::of_days(days);
            write_civil(civil, out);
            write_era(civil, out);
        }
    }
}

/// Writes a timestamp; with `zone`, in UTC and saying so.
pub(crate) fn write_timestamp(micros: i64, zone: bool, out: &mut Vec<u8>) {
    match micros {
        INFINITY => return out.extend_from_slice(b"infinity"),
        MINUS_INFINITY => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let (civil, time) = split(micros);
    write_civil(civil, out);
    out.push(b' ');
    write_clock(time, out);
    if zone {
        out.extend_from_slice(b"+00");
    }
    write_era(civil, out);
}

fn write_civil(civil: Civil, out: &mut Vec<u8>) {
    let year = if civil.year <= 0 {
        1 - civil.year
    } else {
        civil.year
    };
    write_padded(year, 4, out);
    out.push(b'-');
    write_two(civil.month, out);
    out.push(b'-');
    write_two(civil.day, out);
}

fn write_era(civil: Civil, out: &mut Vec<u8>) {
    if civil.year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

fn write_clock(micros_of_day: i64, out: &mut Vec<u8>) {
    let (hour, minute, micros) = clock(micros_of_day);
    write_two(hour, out);
    out.push(b':');
    write_two(minute, out);
    out.push(b':');
    write_seconds(micros, out);
}

/// Seconds and as many digits after the point as there are.
fn write_seconds(micros: i64, out: &mut Vec<u8>) {
    write_two(micros / MICROS_PER_SECOND, out);
    let mut fraction = micros % MICROS_PER_SECOND;
    if fraction == 0 {
        return;
    }
    out.push(b'.');
    let mut unit = MICROS_PER_SECOND / 10;
    while fraction > 0 {
        out.push(digit(fraction / unit));
        fraction %= unit;
        unit /= 10;
    }
}

#[inline]
fn write_two(value: i64, out: &mut Vec<u8>) {
    out.push(digit(value / 10 % 10));
    out.push(digit(value % 10));
}

/// Writes a number that is not negative with at least `width` digits.
pub(crate) fn write_padded(value: i64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    let mut rest = value;
    while rest > 0 || out.len() - start < width {
        out.push(digit(rest % 10));
        rest /= 10;
    }
    out[start..].reverse();
}

/// Writes an interval: `1 year 2 mons -3 days 04:05:06.7`.
pub(crate) fn write_interval(value: Interval, out: &mut Vec<u8>) {
    let parts = [
        (i64::from(value.months / 12), " year"),
        (i64::from(value.months % 12), " mon"),
        (i64::from(value.days), " day"),
    ];
    let start = out.len();
    let mut after_negative = false;
    for (number, unit) in parts {
        if number == 0 {
            continue;
        }
        if out.len() > start {
            out.push(b' ');
        }
        if after_negative && number > 0 {
            out.push(b'+');
        }
        out.extend_from_slice(number.to_string().as_bytes());
        out.extend_from_slice(unit.as_bytes());
        if number != 1 {
            out.push(b's');
        }
        after_negative = number < 0;
    }
    if value.micros == 0 && out.len() > start {
        return;
    }
    if out.len() > start {
        out.push(b' ');
    }
    write_span(value.micros, after_negative, out);
}

fn write_span(micros: i64, after_negative: bool, out: &mut Vec<u8>) {
    if micros < 0 {
        out.push(b'-');
    } else if after_negative {
        out.push(b'+');
    }
    let total = micros.unsigned_abs();
    let signed = |value: u64| i64::try_from(value).unwrap_or(0);
    let seconds = total / MICROS_PER_SECOND.unsigned_abs();
    write_padded(signed(seconds / 3600), 2, out);
    out.push(b':');
    write_two(signed(seconds / 60 % 60), out);
    out.push(b':');
    write_seconds(signed(total % (60 * MICROS_PER_SECOND.unsigned_abs())), out);
}
