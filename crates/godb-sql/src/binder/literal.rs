//! Literals, parameters and typed constants.

use super::Binder;
use super::types::describe_type;
use crate::cast::Coercion;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::text::from_text;
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{self, DateTimeField, ValueWithSpan};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    pub(super) fn literal(&mut self, value: &ValueWithSpan) -> Result<Expr> {
        use ast::Value as Sql;
        let location = value.span.start;
        let unsupported = |what: &str| Err(self.at(SqlError::unsupported(what), location));
        match &value.value {
            Sql::Number(digits, _) => self.located(number(digits), location),
            Sql::Boolean(truth) => Ok(Expr::Literal(Value::Bool(*truth), DataType::Bool)),
            Sql::Null => Ok(Expr::Literal(Value::Null, DataType::Unknown)),
            Sql::Placeholder(name) => self.parameter(name, location),
            other => match text_of(other) {
                Some(text) if text.contains('\0') => {
                    let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
                    Err(self.at(
                        SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, message),
                        location,
                    ))
                }
                Some(text) => Ok(Expr::Literal(Value::Text(text.to_owned()), DataType::Unknown)),
                None => unsupported("this kind of literal"),
            },
        }
    }

    fn parameter(&mut self, name: &str, location: Location) -> Result<Expr> {
        let number = name
            .strip_prefix('$')
            .and_then(|digits| digits.parse::<u32>().ok());
        let index = number.and_then(|number| number.checked_sub(1));
        match index.and_then(|index| Some((index, self.parameters.get(index)?))) {
            Some((index, ty)) => Ok(Expr::Parameter(index, ty)),
            None => {
                let message = format!("there is no parameter {name}");
                Err(self.at(SqlError::new(state::UNDEFINED_PARAMETER, message), location))
            }
        }
    }

    /// `DATE '2024-02-29'`
    pub(super) fn typed_string(&mut self, typed: &ast::TypedString) -> Result<Expr> {
        let location = typed.value.span.start;
        let ty = self.located(describe_type(&typed.data_type), location)?;
        let literal = self.literal(&typed.value)?;
        self.coerce(literal, ty, Coercion::Explicit, location)
    }

    /// `INTERVAL '1' DAY`
    pub(super) fn interval(&mut self, interval: &ast::Interval) -> Result<Expr> {
        use sqlparser::ast::Spanned;
        let location = interval.value.span().start;
        if interval.last_field.is_some() || interval.leading_precision.is_some() {
            let error = SqlError::unsupported("an interval literal with a range of fields");
            return Err(self.at(error, location));
        }
        let value = match &*interval.value {
            ast::Expr::Value(value) => text_of(&value.value),
            _ => None,
        };
        let Some(text) = value else {
            let message = "syntax error: INTERVAL must be followed by a string";
            return Err(self.at(SqlError::new(state::SYNTAX_ERROR, message), location));
        };
        let text = match &interval.leading_field {
            Some(unit) if text.trim().parse::<f64>().is_ok() => {
                format!("{} {}", text.trim(), unit_name(unit))
            }
            _ => text.to_owned(),
        };
        let value = self.located(from_text(&text, DataType::Interval), location)?;
        Ok(Expr::Literal(value, DataType::Interval))
    }
}

fn unit_name(unit: &DateTimeField) -> String {
    unit.to_string().to_ascii_lowercase()
}

/// The text of a string literal of any quoting.
pub(super) fn text_of(value: &ast::Value) -> Option<&str> {
    use ast::Value as Sql;
    match value {
        Sql::SingleQuotedString(text)
        | Sql::EscapedStringLiteral(text)
        | Sql::UnicodeStringLiteral(text)
        | Sql::NationalStringLiteral(text) => Some(text),
        Sql::DollarQuotedString(quoted) => Some(&quoted.value),
        _ => None,
    }
}

/// The smallest of integer, bigint and numeric that holds a number as it is written.
fn number(digits: &str) -> Result<Expr> {
    if let Ok(integer) = digits.parse::<i64>() {
        let ty = if i32::try_from(integer).is_ok() {
            DataType::Int4
        } else {
            DataType::Int8
        };
        return Ok(Expr::Literal(Value::Int(integer), ty));
    }
    let ty = DataType::Numeric(None);
    Ok(Expr::Literal(from_text(digits, ty)?, ty))
}
