//! `WITH (…)` of tables and indexes: PostgreSQL's storage parameters.

use crate::error::{Result, SqlError, state};
use sqlparser::ast::{CreateTableOptions, Expr, SqlOption, Value};

/// PostgreSQL's bounds.
const FILL: std::ops::RangeInclusive<i64> = 10..=100;

/// Checks the options of a table. One is known: `fillfactor` asks for room in each page for new versions of its rows. Versions that are replaced do not stay beside the
/// new ones here, so that there is nothing to leave room for, and every value means the same.
///
/// # Errors
/// `22023` for an option that there is not, and for a value out of bounds.
pub(super) fn check_options(options: &CreateTableOptions) -> Result<()> {
    match options {
        CreateTableOptions::None => Ok(()),
        CreateTableOptions::With(options) => options.iter().try_for_each(check_option),
        _ => Err(SqlError::unsupported("a table option")),
    }
}

fn check_option(option: &SqlOption) -> Result<()> {
    let SqlOption::KeyValue { key, value } = option else {
        return Err(SqlError::unsupported(format!("the table option {option}")));
    };
    check_fill(&super::fold(key), value)
}

/// The same for an index, whose options are expressions.
pub(super) fn check_index_options(options: &[Expr]) -> Result<()> {
    options.iter().try_for_each(|option| match option {
        Expr::BinaryOp { left, right, .. } => match &**left {
            Expr::Identifier(name) => check_fill(&super::fold(name), right),
            other => Err(unknown(&other.to_string())),
        },
        other => Err(unknown(&other.to_string())),
    })
}

fn check_fill(name: &str, value: &Expr) -> Result<()> {
    if name != "fillfactor" {
        return Err(unknown(name));
    }
    let text = match value {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.clone(),
            Value::SingleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        other => other.to_string(),
    };
    let Ok(number) = text.parse::<i64>() else {
        let message = format!("invalid value for integer option \"{name}\": {text}");
        return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    };
    if FILL.contains(&number) {
        return Ok(());
    }
    let message = format!("value {number} out of bounds for option \"{name}\"");
    let detail = format!(
        "Valid values are between \"{}\" and \"{}\".",
        FILL.start(),
        FILL.end()
    );
    Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message).detail(detail))
}

fn unknown(name: &str) -> SqlError {
    SqlError::new(
        state::INVALID_PARAMETER_VALUE,
        format!("unrecognized parameter \"{name}\""),
    )
}
