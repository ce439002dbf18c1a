//! `to_char`, `to_date`, `to_timestamp`, `to_number`: values and text by a pattern.

mod number;
mod number_pattern;
mod time_fields;
mod time_input;
mod time_output;
mod time_pattern;

use super::table::types::{DATE, F4, F8, I4, I8, NUM, SPAN, TEXT, TS, TSTZ};
use super::table::{Entry, entry};

/// The functions that take patterns.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("to_char", &[TS, TEXT], TEXT, time_output::to_char_time), entry("to_char", &[TSTZ, TEXT], TEXT, time_output::to_char_time),
    entry("to_char", &[SPAN, TEXT], TEXT, time_output::to_char_span),
    entry("to_char", &[NUM, TEXT], TEXT, number::to_char_numeric), entry("to_char", &[I4, TEXT], TEXT, number::to_char_int),
    entry("to_char", &[I8, TEXT], TEXT, number::to_char_int), entry("to_char", &[F4, TEXT], TEXT, number::to_char_float),
    entry("to_char", &[F8, TEXT], TEXT, number::to_char_float),
    entry("to_date", &[TEXT, TEXT], DATE, time_input::to_date), entry("to_timestamp", &[TEXT, TEXT], TSTZ, time_input::to_timestamp),
    entry("to_number", &[TEXT, TEXT], NUM, number::to_number),
];
