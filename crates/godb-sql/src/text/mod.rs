//! Values as text and back: PostgreSQL's output and input syntax of every type.
//!
//! Both directions come in two forms. One deals with a single [`Value`](crate::Value): literals, error messages, keys. The fast form reads and
//! writes columns directly, row by row, for results sent to clients and for COPY; it allocates nothing for numbers, times and
//! short strings. Errors of input are PostgreSQL's: `22P02` for bad syntax, `22003` for a number out of range, `22007` and
//! `22008` for dates and times.

mod array;
mod bytea;
mod float;
mod input;
mod integer;
mod output;

#[cfg(test)]
mod tests;

pub use input::{from_text, push_text};
pub use output::{to_text, write_text, write_value};

pub(crate) use array::{canonical as canonical_array, items as array_items, write as write_array};
pub(crate) use bytea::{parse_escaped, parse_hex, write_hex};
pub(crate) use float::{parse_float, write_float};
pub(crate) use integer::{bounds as integer_bounds, parse_integer, write_integer};

use crate::error::{SqlError, state};
use crate::types::DataType;

/// The error for a text that a type does not understand.
#[cold]
pub(crate) fn invalid_syntax(ty: DataType, text: &[u8]) -> SqlError {
    SqlError::new(
        state::INVALID_TEXT_REPRESENTATION,
        format!(
            "invalid input syntax for type {}: \"{}\"",
            ty.name(),
            String::from_utf8_lossy(text)
        ),
    )
}
