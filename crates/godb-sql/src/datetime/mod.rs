//! Dates, times and intervals: the calendar, reading and writing them.
//!
//! A date is a number of days since 1970-01-01, a timestamp a number of microseconds since that day began (in UTC, where it has a
//! time zone). The calendar is the Gregorian one, continued backwards over all time as the standard has it; PostgreSQL's bounds
//! hold, but for timestamps the upper one is what 64 bits can count from 1970: the year 294247.
//! What was left out: time zones with names of places. Offsets and the usual abbreviations are understood.

pub(crate) mod calendar;
pub(crate) mod input;
pub(crate) mod interval;
pub(crate) mod interval_input;
pub(crate) mod output;
pub(crate) mod words;
pub(crate) mod zone;

#[cfg(test)]
mod tests;
