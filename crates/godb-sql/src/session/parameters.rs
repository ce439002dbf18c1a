//! From the values a caller gives to parameters of the types that the statement wants.

use crate::error::{Result, SqlError, state};
use crate::text::from_text;
use crate::types::{DataType, Physical};
use crate::value::{Numeric, Value};
use std::sync::Arc;

/// The largest magnitude below which every integer is exactly a floating-point number.
const EXACT: i64 = 1 << 53;

/// Converts the values; refuses too few or too many.
pub(super) fn convert(values: &[Value], types: &[DataType]) -> Result<Arc<[Value]>> {
    if values.len() != types.len() {
        let message = format!(
            "the statement has {} parameters, but {} values were given",
            types.len(),
            values.len()
        );
        return Err(SqlError::new(state::UNDEFINED_PARAMETER, message));
    }
    values
        .iter()
        .zip(types)
        .enumerate()
        .map(|(at, (value, ty))| parameter(at, value, *ty))
        .collect()
}

fn parameter(at: usize, value: &Value, ty: DataType) -> Result<Value> {
    let converted = match (value, ty.physical()) {
        (Value::Null, _) => Some(Value::Null),
        (Value::Bool(_), Physical::Bool)
        | (Value::Float(_), Physical::Float)
        | (Value::Numeric(_), Physical::Numeric)
        | (Value::Interval(_), Physical::Interval) => Some(value.clone()),
        (Value::Text(text), Physical::Bytes) if ty != DataType::Bytea => Some(Value::Text(text.clone())),
        (Value::Bytes(bytes), Physical::Bytes) if ty == DataType::Bytea => Some(Value::Bytes(bytes.clone())),
        (Value::Int(number), Physical::Int) => in_range(*number, ty).then_some(Value::Int(*number)),
        (Value::Int(number), Physical::Float) => float(*number).map(Value::Float),
        (Value::Int(number), Physical::Numeric) => Some(Value::Numeric(Numeric::from(*number))),
        (Value::Int(number), Physical::Bytes) if ty != DataType::Bytea => {
            Some(Value::Text(number.to_string()))
        }
        (Value::Float(number), Physical::Numeric) => Numeric::from_f64(*number, 15).map(Value::Numeric),
        (Value::Text(text), _) => Some(from_text(text, ty)?),
        _ => None,
    };
    converted.ok_or_else(|| {
        let message = format!("parameter ${} is of type {ty}, but was given {value:?}", at + 1);
        SqlError::new(state::DATATYPE_MISMATCH, message)
    })
}

fn in_range(number: i64, ty: DataType) -> bool {
    match ty {
        DataType::Int2 => i16::try_from(number).is_ok(),
        DataType::Int4 => i32::try_from(number).is_ok(),
        _ => true,
    }
}

#[expect(clippy::cast_precision_loss, reason = "only where it is exact")]
fn float(number: i64) -> Option<f64> {
    (-EXACT..=EXACT).contains(&number).then_some(number as f64)
}

/// The types that values seem to be of, for a statement that has no use for them as its own text suggests: 2.5 compared with
/// an integer column is a number all the same.
pub(super) fn types_of(values: &[Value]) -> Vec<Option<DataType>> {
    let ty = |value: &Value| match value {
        Value::Int(_) => Some(DataType::Int8),
        Value::Float(_) => Some(DataType::Float8),
        Value::Numeric(_) => Some(DataType::Numeric(None)),
        Value::Bool(_) => Some(DataType::Bool),
        Value::Bytes(_) => Some(DataType::Bytea),
        Value::Interval(_) => Some(DataType::Interval),
        Value::Null | Value::Text(_) => None,
    };
    values.iter().map(ty).collect()
}
