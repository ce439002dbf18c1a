//! The units that `extract` and `date_trunc` understand.

use crate::error::{Result, SqlError, state};

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Dow,
    Isodow,
    Doy,
    Isoyear,
    Julian,
    Epoch,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

/// The units' names.
const UNITS: &[(&[&str], Unit)] = &[
    (
        &[
            "microsecond",
            "microseconds",
            "us",
            "usec",
            "usecs",
            "usecond",
            "useconds",
        ],
        Unit::Microsecond,
    ),
    (
        &[
            "millisecond",
            "milliseconds",
            "ms",
            "msec",
            "msecs",
            "msecond",
            "mseconds",
        ],
        Unit::Millisecond,
    ),
    (&["second", "seconds", "s", "sec", "secs"], Unit::Second),
    (&["minute", "minutes", "m", "min", "mins"], Unit::Minute),
    (&["hour", "hours", "h", "hr", "hrs"], Unit::Hour),
    (&["day", "days", "d"], Unit::Day),
    (&["week", "weeks", "w"], Unit::Week),
    (&["month", "months", "mon", "mons"], Unit::Month),
    (&["quarter", "qtr"], Unit::Quarter),
    (&["year", "years", "y", "yr", "yrs"], Unit::Year),
    (&["decade", "decades", "dec", "decs"], Unit::Decade),
    (&["century", "centuries", "c", "cent"], Unit::Century),
    (&["millennium", "millennia", "mil", "mils"], Unit::Millennium),
    (&["dow"], Unit::Dow),
    (&["isodow"], Unit::Isodow),
    (&["doy"], Unit::Doy),
    (&["isoyear"], Unit::Isoyear),
    (&["julian", "j", "jd"], Unit::Julian),
    (&["epoch"], Unit::Epoch),
    (&["timezone"], Unit::Timezone),
    (&["timezone_hour", "timezone_h"], Unit::TimezoneHour),
    (&["timezone_minute", "timezone_m"], Unit::TimezoneMinute),
];

/// The unit of that name. `ty` is for the error.
pub(super) fn unit(name: &str, ty: &str) -> Result<Unit> {
    let named = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    UNITS
        .iter()
        .find(|(names, _)| named(names))
        .map(|(_, unit)| *unit)
        .ok_or_else(|| not_recognized(name, ty))
}

/// The unit of that name, if a time can be cut to it or at least has a length: a day of the week is none.
pub(super) fn length(name: &str, ty: &str) -> Result<Unit> {
    use Unit::{Dow, Doy, Epoch, Isodow, Isoyear, Julian};
    match unit(name, ty)? {
        Dow | Doy | Epoch | Isodow | Isoyear | Julian => Err(not_recognized(name, ty)),
        unit => Ok(unit),
    }
}

/// The error for a name that is none of a unit.
#[cold]
fn not_recognized(name: &str, ty: &str) -> SqlError {
    let name = name.to_ascii_lowercase();
    SqlError::new(
        state::INVALID_PARAMETER_VALUE,
        format!("unit \"{name}\" not recognized for type {ty}"),
    )
}

/// The error for a unit that a type does not have.
#[cold]
pub(super) fn not_supported(name: &str, ty: &str) -> SqlError {
    let name = name.to_ascii_lowercase();
    SqlError::new(
        state::FEATURE_NOT_SUPPORTED,
        format!("unit \"{name}\" not supported for type {ty}"),
    )
}
