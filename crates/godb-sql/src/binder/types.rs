//! The names of types.

use crate::error::{Result, SqlError, state};
use crate::types::{DataType, Element, MAX_DECLARED_SCALE, MAX_LENGTH, MAX_PRECISION};
use sqlparser::ast::{self, ArrayElemTypeDef, CharacterLength, ExactNumberInfo, TimezoneInfo};

/// The type that a type's name in SQL means.
///
/// # Errors
/// `42704` for a name that is no type, `0A000` for PostgreSQL's types that godb does not have, `22023` for a length, precision or
/// scale out of bounds.
pub fn describe_type(name: &ast::DataType) -> Result<DataType> {
    use ast::DataType as Sql;
    Ok(match name {
        Sql::Bool | Sql::Boolean => DataType::Bool,
        Sql::Int2(None) | Sql::SmallInt(None) => DataType::Int2,
        Sql::Int(None) | Sql::Integer(None) | Sql::Int4(None) => DataType::Int4,
        Sql::BigInt(None) | Sql::Int8(None) => DataType::Int8,
        Sql::Real | Sql::Float4 => DataType::Float4,
        Sql::Float(info) => float(*info)?,
        Sql::Float8 | Sql::DoublePrecision | Sql::Double(ExactNumberInfo::None) => DataType::Float8,
        Sql::Numeric(info) | Sql::Decimal(info) | Sql::Dec(info) => numeric(*info)?,
        Sql::Text => DataType::Text,
        Sql::Varchar(n) | Sql::CharacterVarying(n) | Sql::CharVarying(n) => {
            DataType::Varchar(n.as_ref().map(|n| length(n, "varchar")).transpose()?)
        }
        Sql::Char(n) | Sql::Character(n) => DataType::Char(n.as_ref().map_or(Ok(1), |n| length(n, "char"))?),
        Sql::Bytea => DataType::Bytea,
        Sql::Date => DataType::Date,
        Sql::Timestamp(precision, zone) => timestamp(*precision, zone)?,
        Sql::Interval {
            fields: None,
            precision,
        } => {
            whole_precision(*precision)?;
            DataType::Interval
        }
        Sql::Interval { .. } => return Err(SqlError::unsupported("an interval type with fields")),
        Sql::Array(ArrayElemTypeDef::SquareBracket(element, None)) => array(describe_type(element)?, name)?,
        Sql::Custom(name, modifiers) => custom(name, modifiers)?,
        other => return Err(unknown(other)),
    })
}

fn unknown(name: &ast::DataType) -> SqlError {
    use ast::DataType as Sql;
    match name {
        Sql::Uuid
        | Sql::JSON
        | Sql::JSONB
        | Sql::Time(..)
        | Sql::Array(_)
        | Sql::Bit(_)
        | Sql::BitVarying(_)
        | Sql::VarBit(_)
        | Sql::Regclass
        | Sql::TsVector
        | Sql::TsQuery
        | Sql::GeometricType(_) => SqlError::unsupported(format!("type {}", name.to_string().to_lowercase())),
        other => no_type(&other.to_string().to_lowercase()),
    }
}

fn array(element: DataType, name: &ast::DataType) -> Result<DataType> {
    match Element::of(element) {
        Some(element) => Ok(DataType::Array(element)),
        None => Err(unknown(name)),
    }
}

fn no_type(name: &str) -> SqlError {
    SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"))
}

fn float(info: ExactNumberInfo) -> Result<DataType> {
    match info {
        ExactNumberInfo::None | ExactNumberInfo::Precision(25..=53) => Ok(DataType::Float8),
        ExactNumberInfo::Precision(1..=24) => Ok(DataType::Float4),
        ExactNumberInfo::Precision(0) => Err(invalid(
            "precision for type float must be at least 1 bit".to_owned(),
        )),
        _ => Err(invalid(
            "precision for type float must be less than 54 bits".to_owned(),
        )),
    }
}

fn numeric(info: ExactNumberInfo) -> Result<DataType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(DataType::Numeric(None)),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    let Some(precision) = u16::try_from(precision)
        .ok()
        .filter(|p| (1..=MAX_PRECISION).contains(p))
    else {
        return Err(invalid(format!(
            "NUMERIC precision {precision} must be between 1 and 1000"
        )));
    };
    let Some(scale) = i16::try_from(scale)
        .ok()
        .filter(|s| (-MAX_DECLARED_SCALE..=MAX_DECLARED_SCALE).contains(s))
    else {
        return Err(invalid(format!(
            "NUMERIC scale {scale} must be between -1000 and 1000"
        )));
    };
    Ok(DataType::Numeric(Some((precision, scale))))
}

fn length(length: &CharacterLength, name: &str) -> Result<u32> {
    let CharacterLength::IntegerLength { length, .. } = length else {
        return Err(SqlError::unsupported(format!("{name}(max)")));
    };
    if *length == 0 {
        return Err(invalid(format!("length for type {name} must be at least 1")));
    }
    match u32::try_from(*length) {
        Ok(n) if n <= MAX_LENGTH => Ok(n),
        _ => Err(invalid(format!(
            "length for type {name} cannot exceed {MAX_LENGTH}"
        ))),
    }
}

fn timestamp(precision: Option<u64>, zone: &TimezoneInfo) -> Result<DataType> {
    whole_precision(precision)?;
    Ok(match zone {
        TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => DataType::Timestamp,
        TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => DataType::TimestampTz,
    })
}

/// Times have microseconds; a coarser precision would have to round, and is refused rather than ignored.
fn whole_precision(precision: Option<u64>) -> Result<()> {
    match precision {
        None | Some(6) => Ok(()),
        Some(n) => Err(SqlError::unsupported(format!("precision {n} of a time (only 6)"))),
    }
}

fn custom(name: &ast::ObjectName, modifiers: &[String]) -> Result<DataType> {
    let folded = super::names::parts(name)?.into_iter().map(super::names::fold);
    let parts: Vec<String> = folded.collect();
    let known = match parts.as_slice() {
        [schema, name] if schema == "pg_catalog" => name.as_str(),
        [name] => name.as_str(),
        _ => return Err(no_type(&name.to_string())),
    };
    let modifier = || modifiers.first().and_then(|m| m.parse::<u64>().ok());
    Ok(match (known, modifiers.len()) {
        ("timestamptz", 0 | 1) => timestamp(modifier(), &TimezoneInfo::Tz)?,
        ("bool" | "boolean", 0) => DataType::Bool,
        ("int2" | "smallint", 0) => DataType::Int2,
        ("int4" | "int" | "integer", 0) => DataType::Int4,
        ("int8" | "bigint", 0) => DataType::Int8,
        ("float4", 0) => DataType::Float4,
        ("float8", 0) => DataType::Float8,
        ("bpchar", 0 | 1) => {
            let n = modifier().map(|length| CharacterLength::IntegerLength { length, unit: None });
            n.map_or(Ok(DataType::Text), |n| length(&n, "char").map(DataType::Char))?
        }
        ("name", 0) => DataType::Text,
        ("oid", 0) => DataType::Oid,
        ("_text" | "_name", 0) => DataType::Array(Element::Text),
        ("serial" | "bigserial" | "smallserial" | "serial4" | "serial8" | "xml" | "money" | "inet", _) => {
            return Err(SqlError::unsupported(format!("type {known}")));
        }
        _ => return Err(no_type(known)),
    })
}

fn invalid(message: String) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}
