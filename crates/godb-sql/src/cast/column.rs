//! Casting whole columns. A conversion that only changes the name of the type shares the column.

use super::length::{fit_text, trim_blanks};
use super::{number, time};
use crate::error::{Result, SqlError, state};
use crate::numeric::Numeric;
use crate::text::{from_text, push_text, write_text};
use crate::types::{DataType, Physical};
use crate::value::Value;
use crate::vector::{BytesColumn, Column, ColumnData};
use std::sync::Arc;

/// The column as values of type `to`. `explicit` is for casts that were written: they cut strings that are too long.
///
/// # Errors
/// `22P02` and the like for a text that does not write a value of the type, `22003` for a number out of range, `22001` for too
/// long a string, `42846` when there is no such conversion.
pub fn cast_column(
    column: &Arc<Column>,
    from: DataType,
    to: DataType,
    explicit: bool,
) -> Result<Arc<Column>> {
    if is_free(from, to) {
        return Ok(Arc::clone(column));
    }
    let nulls = column.nulls.as_deref();
    let data = match &column.data {
        ColumnData::Bytes(_) if from.is_text() && !to.is_text() => return parsed(column, from, to),
        ColumnData::Bytes(values) if from.is_text() => refit(values, nulls, from, to, explicit)?,
        _ if to.is_text() => shown(column, from, to, explicit)?,
        ColumnData::Int(values) => cast_ints(values, nulls, from, to)?,
        ColumnData::Float(values) => cast_floats(values, nulls, from, to)?,
        ColumnData::Numeric(values) => cast_numerics(values, nulls, to)?,
        ColumnData::Bool(values) if to.is_integer() => {
            ColumnData::Int(values.iter().map(|value| i64::from(*value)).collect())
        }
        _ => return Err(no_cast(from, to)),
    };
    Ok(Arc::new(Column {
        data,
        nulls: column.nulls.clone(),
    }))
}

/// One value as a value of type `to`: see [`cast_column`].
///
/// # Errors
/// As [`cast_column`].
pub fn cast_value(value: Value, from: DataType, to: DataType, explicit: bool) -> Result<Value> {
    if value.is_null() || is_free(from, to) {
        return Ok(value);
    }
    if let (Value::Text(text), false) = (&value, to.is_text()) {
        return from_text(text, to);
    }
    let column = Arc::new(Column::repeat(from, &value, 1));
    Ok(cast_column(&column, from, to, explicit)?.value(0, to))
}

/// Whether every value of `from` is a value of `to` as it lies there.
fn is_free(from: DataType, to: DataType) -> bool {
    use DataType::{Char, Int2, Int4, Int8, Numeric, Text, Unknown, Varchar};
    match (from, to) {
        _ if from == to => true,
        (Int2, Int4 | Int8) | (Int4, Int8) => true,
        (Numeric(_), Numeric(None)) => true,
        (Text | Unknown | Varchar(_), Text | Unknown | Varchar(None)) => true,
        (Varchar(Some(a)), Varchar(Some(b))) => a <= b,
        (Char(_), _) | (_, Char(_)) => false,
        (from, to) => is_time(from) && is_time(to) && !time::changes(from, to),
    }
}

fn is_time(ty: DataType) -> bool {
    matches!(ty, DataType::Date | DataType::Timestamp | DataType::TimestampTz)
}

#[cold]
fn no_cast(from: DataType, to: DataType) -> SqlError {
    SqlError::new(
        state::CANNOT_COERCE,
        format!("cannot cast type {} to {}", from.name(), to.name()),
    )
}

/// Each value converted; NULL rows are left out.
fn each<'a, T: 'a, R: Default>(
    values: &'a [T],
    nulls: Option<&[bool]>,
    convert: impl Fn(&'a T) -> Result<R>,
) -> Result<Vec<R>> {
    match nulls {
        None => values.iter().map(convert).collect(),
        Some(nulls) => {
            let rows = values.iter().zip(nulls);
            rows.map(|(value, null)| if *null { Ok(R::default()) } else { convert(value) })
                .collect()
        }
    }
}

fn cast_ints(values: &[i64], nulls: Option<&[bool]>, from: DataType, to: DataType) -> Result<ColumnData> {
    Ok(match to.physical() {
        Physical::Int if is_time(from) && is_time(to) => {
            ColumnData::Int(each(values, nulls, |value| time::convert(*value, to))?)
        }
        _ if is_time(from) || is_time(to) => return Err(no_cast(from, to)),
        Physical::Int => ColumnData::Int(each(values, nulls, |value| number::narrow(*value, to))?),
        Physical::Float => ColumnData::Float(
            values
                .iter()
                .map(|value| number::int_to_float(*value, to))
                .collect(),
        ),
        Physical::Numeric => ColumnData::Numeric(each(values, nulls, |value| {
            number::fit(Numeric::from(*value), to)
        })?),
        Physical::Bool => ColumnData::Bool(values.iter().map(|value| *value != 0).collect()),
        _ => return Err(no_cast(from, to)),
    })
}

fn cast_floats(values: &[f64], nulls: Option<&[bool]>, from: DataType, to: DataType) -> Result<ColumnData> {
    Ok(match to.physical() {
        Physical::Int if to.is_integer() => {
            ColumnData::Int(each(values, nulls, |value| number::float_to_int(*value, to))?)
        }
        Physical::Float if to == DataType::Float4 => {
            ColumnData::Float(each(values, nulls, |value| number::round_single(*value))?)
        }
        Physical::Float => ColumnData::Float(values.to_vec()),
        Physical::Numeric => ColumnData::Numeric(each(values, nulls, |value| {
            number::fit(number::float_to_numeric(*value, from)?, to)
        })?),
        _ => return Err(no_cast(from, to)),
    })
}

fn cast_numerics(values: &[Numeric], nulls: Option<&[bool]>, to: DataType) -> Result<ColumnData> {
    Ok(match to.physical() {
        Physical::Int if to.is_integer() => {
            ColumnData::Int(each(values, nulls, |value| number::numeric_to_int(value, to))?)
        }
        Physical::Float => {
            ColumnData::Float(each(values, nulls, |value| number::numeric_to_float(value, to))?)
        }
        Physical::Numeric => {
            ColumnData::Numeric(each(values, nulls, |value| number::fit(value.clone(), to))?)
        }
        _ => return Err(no_cast(DataType::Numeric(None), to)),
    })
}

/// Text read as values of another type.
fn parsed(column: &Column, from: DataType, to: DataType) -> Result<Arc<Column>> {
    let ColumnData::Bytes(values) = &column.data else {
        return Err(no_cast(from, to));
    };
    let mut read = Column {
        data: ColumnData::with_capacity(to, values.len()),
        nulls: None,
    };
    for (row, text) in values.iter().enumerate() {
        if column.is_null(row) {
            read.push_null();
        } else if matches!(from, DataType::Char(_)) {
            push_text(&mut read, trim_blanks(text), to)?;
        } else {
            push_text(&mut read, text, to)?;
        }
    }
    Ok(Arc::new(read))
}

/// Text as another type of text.
fn refit(
    values: &BytesColumn,
    nulls: Option<&[bool]>,
    from: DataType,
    to: DataType,
    explicit: bool,
) -> Result<ColumnData> {
    let padded = matches!(from, DataType::Char(_));
    let mut out = BytesColumn::with_capacity(values.len(), values.parts().1.len());
    for (row, text) in values.iter().enumerate() {
        if nulls.is_some_and(|nulls| nulls[row]) {
            out.push(b"");
            continue;
        }
        let text = if padded { trim_blanks(text) } else { text };
        out.push_with(|out| {
            let text = std::str::from_utf8(text).map_err(|_| not_utf8())?;
            out.extend_from_slice(fit_text(text, to, explicit)?.as_bytes());
            Ok(())
        })?;
    }
    Ok(ColumnData::Bytes(out))
}

#[cold]
fn not_utf8() -> SqlError {
    SqlError::new(
        state::CHARACTER_NOT_IN_REPERTOIRE,
        "invalid byte sequence for encoding \"UTF8\"",
    )
}

/// Values as text. A truth value is a whole word here, where output shows a letter.
fn shown(column: &Column, from: DataType, to: DataType, explicit: bool) -> Result<ColumnData> {
    let mut out = BytesColumn::with_capacity(column.len(), column.len() * 8);
    let mut text = Vec::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            out.push(b"");
            continue;
        }
        text.clear();
        match &column.data {
            ColumnData::Bool(values) => text.extend_from_slice(if values[row] { b"true" } else { b"false" }),
            _ => write_text(column, row, from, &mut text),
        }
        out.push_with(|out| {
            let text = std::str::from_utf8(&text).map_err(|_| not_utf8())?;
            out.extend_from_slice(fit_text(text, to, explicit)?.as_bytes());
            Ok(())
        })?;
    }
    Ok(ColumnData::Bytes(out))
}
