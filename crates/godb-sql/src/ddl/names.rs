//! Names in DDL.

use crate::catalog::Table;
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{Expr, Ident, IndexColumn, OrderBySort};

pub(crate) use crate::binder::{fold, table_name};

/// The longest name of a table, column, index or constraint, in bytes. PostgreSQL cuts longer ones; godb refuses them.
const MAX_NAME: usize = 63;

/// Folds a new name, and refuses one that is too long or empty.
pub(super) fn new_name(ident: &Ident) -> Result<String> {
    checked(fold(ident))
}

/// Refuses a name that is too long or empty.
pub(super) fn checked(name: String) -> Result<String> {
    if name.is_empty() {
        return Err(SqlError::new(
            state::SYNTAX_ERROR,
            "zero-length delimited identifier",
        ));
    }
    if name.len() > MAX_NAME {
        let message = format!("name \"{name}\" is longer than {MAX_NAME} bytes");
        return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message));
    }
    Ok(name)
}

/// A name made of parts, cut to the longest that is allowed.
pub(super) fn made_name(parts: &[&str]) -> String {
    let mut name = parts.join("_");
    while name.len() > MAX_NAME - 4 {
        name.pop();
    }
    name
}

/// The error for a column that is not there.
pub(super) fn no_column(table: &str, column: &str) -> SqlError {
    let message = format!("column \"{column}\" of relation \"{table}\" does not exist");
    SqlError::new(state::UNDEFINED_COLUMN, message)
}

/// The position of a column.
pub(super) fn position(table: &Table, ident: &Ident) -> Result<usize> {
    let name = fold(ident);
    table.position(&name).ok_or_else(|| no_column(&table.name, &name))
}

/// The column names of a key or index, each with "descending".
pub(super) fn key_columns(columns: &[IndexColumn]) -> Result<Vec<(String, bool)>> {
    columns.iter().map(key_column).collect()
}

fn key_column(column: &IndexColumn) -> Result<(String, bool)> {
    if column.operator_class.is_some() {
        return Err(SqlError::unsupported("an operator class"));
    }
    let Expr::Identifier(name) = &column.column.expr else {
        return Err(SqlError::unsupported("an index on an expression"));
    };
    let descending = match &column.column.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return Err(SqlError::unsupported("an index order by operator")),
    };
    if column
        .column
        .options
        .nulls_first
        .is_some_and(|first| first != descending)
    {
        return Err(SqlError::unsupported(
            "an index with NULLs elsewhere than their default place",
        ));
    }
    Ok((fold(name), descending))
}
