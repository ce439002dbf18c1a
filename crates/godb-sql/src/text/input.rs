//! Text to values.

use super::{bytea, invalid_syntax, parse_float, parse_integer};
use crate::datetime::{input, interval_input};
use crate::error::{Result, SqlError, state};
use crate::numeric::{Numeric, unreadable};
use crate::types::{DataType, Physical};
use crate::value::{Interval, Value};
use crate::vector::{Column, ColumnData};

/// The value of type `ty` that the text writes. A length, precision or scale of the type is applied as assignment does:
/// too long a string is refused unless only blanks are lost, a decimal is rounded.
///
/// # Errors
/// `22P02` for bad syntax, `22003` for a number out of range, `22007` and `22008` for dates and times, `22001` for too long a
/// string.
pub fn from_text(text: &str, ty: DataType) -> Result<Value> {
    let bytes = text.as_bytes();
    Ok(match ty.physical() {
        Physical::Bool => Value::Bool(parse_bool(bytes)?),
        Physical::Int => Value::Int(parse_int(bytes, ty)?),
        Physical::Float => Value::Float(parse_float(bytes, ty)?),
        Physical::Numeric => Value::Numeric(parse_numeric(bytes, ty)?),
        Physical::Interval => Value::Interval(parse_interval(bytes)?),
        Physical::Bytes if ty == DataType::Bytea => {
            let mut out = Vec::with_capacity(bytes.len());
            bytea::parse(bytes, &mut out)?;
            Value::Bytes(out)
        }
        Physical::Bytes => Value::Text(match ty {
            DataType::Array(element) => super::canonical_array(text, element)?,
            _ => crate::cast::fit_text(text, ty, false)?.into_owned(),
        }),
    })
}

/// Reads the text straight into a column of type `ty`: [`from_text`] without the value in between. On an error the column is as before.
///
/// # Errors
/// As [`from_text`]; besides `22021` for text that is not UTF-8.
#[inline]
pub fn push_text(column: &mut Column, text: &[u8], ty: DataType) -> Result<()> {
    match &mut column.data {
        ColumnData::Bool(values) => values.push(parse_bool(text)?),
        ColumnData::Int(values) => values.push(parse_int(text, ty)?),
        ColumnData::Float(values) => values.push(parse_float(text, ty)?),
        ColumnData::Numeric(values) => values.push(parse_numeric(text, ty)?),
        ColumnData::Interval(values) => values.push(parse_interval(text)?),
        ColumnData::Bytes(values) if ty == DataType::Bytea => {
            let mut out = Vec::with_capacity(text.len());
            bytea::parse(text, &mut out)?;
            values.push(&out);
        }
        ColumnData::Bytes(values) => {
            let text = std::str::from_utf8(text).map_err(|_| not_utf8())?;
            match ty {
                DataType::Array(element) => values.push(super::canonical_array(text, element)?.as_bytes()),
                _ => values.push(crate::cast::fit_text(text, ty, false)?.as_bytes()),
            }
        }
    }
    if let Some(nulls) = &mut column.nulls {
        nulls.push(false);
    }
    Ok(())
}

#[cold]
fn not_utf8() -> SqlError {
    SqlError::new(
        state::CHARACTER_NOT_IN_REPERTOIRE,
        "invalid byte sequence for encoding \"UTF8\"",
    )
}

#[inline]
fn parse_int(text: &[u8], ty: DataType) -> Result<i64> {
    match ty {
        DataType::Date => input::date(text),
        DataType::Timestamp => input::timestamp(text, false),
        DataType::TimestampTz => input::timestamp(text, true),
        _ => parse_integer(text, ty),
    }
}

fn parse_interval(text: &[u8]) -> Result<Interval> {
    match std::str::from_utf8(text) {
        Ok(text) => interval_input::interval(text),
        Err(_) => Err(invalid_syntax(DataType::Interval, text)),
    }
}

fn parse_numeric(text: &[u8], ty: DataType) -> Result<Numeric> {
    let value = Numeric::parse(text).map_err(|why| unreadable(why, &String::from_utf8_lossy(text)))?;
    match ty {
        DataType::Numeric(Some((precision, scale))) => value.fit(precision, scale),
        _ => Ok(value),
    }
}

/// Words for truth, and how many letters of each suffice.
const TRUTHS: &[(&str, usize, bool)] = &[
    ("true", 1, true),
    ("false", 1, false),
    ("yes", 1, true),
    ("no", 1, false),
    ("on", 2, true),
    ("off", 2, false),
    ("1", 1, true),
    ("0", 1, false),
];

/// Reads a truth value.
pub(crate) fn parse_bool(text: &[u8]) -> Result<bool> {
    let word = text.trim_ascii();
    let begins = |full: &str, least: usize| {
        word.len() >= least
            && full
                .as_bytes()
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let found = TRUTHS.iter().find(|(full, least, _)| begins(full, *least));
    found
        .map(|(_, _, truth)| *truth)
        .ok_or_else(|| invalid_syntax(DataType::Bool, text))
}
