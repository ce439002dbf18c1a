//! Functions of dates, timestamps and intervals.

mod age;
mod make;
mod now;
mod operators;
mod part;
mod truncate;
mod unit;
mod zone;

use super::table::types::{BOOL, DATE, F8, I4, NUM, SPAN, TEXT, TS, TSTZ};
use super::table::{Entry, entry};

/// The operators on times.
#[rustfmt::skip]
pub(super) static OPERATORS: &[Entry] = &[
    entry("+", &[DATE, I4], DATE, operators::date_plus_days), entry("+", &[I4, DATE], DATE, operators::days_plus_date),
    entry("-", &[DATE, I4], DATE, operators::date_minus_days), entry("-", &[DATE, DATE], I4, operators::days_between),
    entry("+", &[DATE, SPAN], TS, operators::date_plus_span), entry("+", &[SPAN, DATE], TS, operators::span_plus_date),
    entry("-", &[DATE, SPAN], TS, operators::date_minus_span),
    entry("+", &[TS, SPAN], TS, operators::time_plus_span), entry("+", &[SPAN, TS], TS, operators::span_plus_time),
    entry("+", &[TSTZ, SPAN], TSTZ, operators::time_plus_span), entry("+", &[SPAN, TSTZ], TSTZ, operators::span_plus_time),
    entry("-", &[TS, SPAN], TS, operators::time_minus_span), entry("-", &[TSTZ, SPAN], TSTZ, operators::time_minus_span),
    entry("-", &[TS, TS], SPAN, operators::span_between), entry("-", &[TSTZ, TSTZ], SPAN, operators::span_between),
    entry("+", &[SPAN, SPAN], SPAN, operators::add_spans), entry("-", &[SPAN, SPAN], SPAN, operators::subtract_spans),
    entry("-", &[SPAN], SPAN, operators::negate_span),
    entry("*", &[SPAN, F8], SPAN, operators::span_times), entry("*", &[F8, SPAN], SPAN, operators::times_span),
    entry("/", &[SPAN, F8], SPAN, operators::span_by),
];

/// The functions of times.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("now", &[], TSTZ, now::transaction).stable(), entry("transaction_timestamp", &[], TSTZ, now::transaction).stable(),
    entry("current_timestamp", &[], TSTZ, now::transaction).stable(), entry("localtimestamp", &[], TS, now::transaction).stable(),
    entry("statement_timestamp", &[], TSTZ, now::statement).stable(), entry("clock_timestamp", &[], TSTZ, now::statement).volatile(),
    entry("current_date", &[], DATE, now::today).stable(),

    entry("extract", &[TEXT, DATE], NUM, part::extract_date), entry("extract", &[TEXT, TS], NUM, part::extract_time),
    entry("extract", &[TEXT, TSTZ], NUM, part::extract_time), entry("extract", &[TEXT, SPAN], NUM, part::extract_span),
    entry("date_part", &[TEXT, DATE], F8, part::date_part_date), entry("date_part", &[TEXT, TS], F8, part::date_part_time),
    entry("date_part", &[TEXT, TSTZ], F8, part::date_part_time), entry("date_part", &[TEXT, SPAN], F8, part::date_part_span),

    entry("date_trunc", &[TEXT, TS], TS, truncate::time), entry("date_trunc", &[TEXT, TSTZ], TSTZ, truncate::time),
    entry("date_trunc", &[TEXT, TSTZ, TEXT], TSTZ, truncate::time_in_zone), entry("date_trunc", &[TEXT, SPAN], SPAN, truncate::span),
    entry("date_bin", &[SPAN, TS, TS], TS, truncate::bin), entry("date_bin", &[SPAN, TSTZ, TSTZ], TSTZ, truncate::bin),

    entry("age", &[TS, TS], SPAN, age::between), entry("age", &[TSTZ, TSTZ], SPAN, age::between),
    entry("age", &[TS], SPAN, age::until_today).stable(), entry("age", &[TSTZ], SPAN, age::until_today).stable(),

    entry("make_date", &[I4, I4, I4], DATE, make::date), entry("make_timestamp", &[I4, I4, I4, I4, I4, F8], TS, make::timestamp),
    entry("make_timestamptz", &[I4, I4, I4, I4, I4, F8], TSTZ, make::timestamp),
    entry("make_interval", &[], SPAN, make::interval), entry("make_interval", &[I4], SPAN, make::interval), entry("make_interval", &[I4, I4], SPAN, make::interval),
    entry("make_interval", &[I4, I4, I4], SPAN, make::interval), entry("make_interval", &[I4, I4, I4, I4], SPAN, make::interval),
    entry("make_interval", &[I4, I4, I4, I4, I4], SPAN, make::interval), entry("make_interval", &[I4, I4, I4, I4, I4, I4], SPAN, make::interval),
    entry("make_interval", &[I4, I4, I4, I4, I4, I4, F8], SPAN, make::interval),
    entry("to_timestamp", &[F8], TSTZ, make::from_epoch),
    entry("justify_hours", &[SPAN], SPAN, make::justify_hours), entry("justify_days", &[SPAN], SPAN, make::justify_days),
    entry("justify_interval", &[SPAN], SPAN, make::justify),
    entry("isfinite", &[DATE], BOOL, make::is_finite_date), entry("isfinite", &[TS], BOOL, make::is_finite),
    entry("isfinite", &[TSTZ], BOOL, make::is_finite), entry("isfinite", &[SPAN], BOOL, make::is_finite_span),

    entry("timezone", &[TEXT, TS], TSTZ, zone::to_utc), entry("timezone", &[TEXT, TSTZ], TS, zone::from_utc),
    entry("timezone", &[SPAN, TS], TSTZ, zone::to_utc_by), entry("timezone", &[SPAN, TSTZ], TS, zone::from_utc_by),
];
