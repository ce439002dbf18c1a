//! What is said about rows that a table refuses: duplicates, NULLs, failed checks.

use super::writer::Columns;
use crate::catalog::{Check, Table};
use crate::error::{Result, SqlError, state};
use crate::executor::Run;
use crate::plan::physical::UniqueKey;
use crate::text::to_text;
use crate::vector::{Batch, ColumnData};

/// The row that has a unique key already.
pub(crate) struct Taken {
    /// Its key.
    pub(crate) row_key: Vec<u8>,
}

/// The columns and the name of a unique key.
fn parts<'a>(table: &'a Table, key: &'a UniqueKey) -> (Vec<usize>, &'a str) {
    match key {
        UniqueKey::Primary => (table.primary_key.clone(), &table.primary_key_name),
        UniqueKey::Index(index) => (index.columns.iter().map(|&(at, _)| at).collect(), &index.name),
    }
}

/// The error for a key that is there already.
pub(crate) fn duplicate(table: &Table, key: &UniqueKey, columns: &Columns, row: usize) -> SqlError {
    let (positions, name) = parts(table, key);
    let names: Vec<_> = positions
        .iter()
        .map(|&at| table.columns[at].name.as_str())
        .collect();
    let values: Vec<_> = positions
        .iter()
        .map(|&at| shown(table, columns, at, row))
        .collect();
    let message = format!("duplicate key value violates unique constraint \"{name}\"");
    let detail = format!(
        "Key ({})=({}) already exists.",
        names.join(", "),
        values.join(", ")
    );
    SqlError::new(state::UNIQUE_VIOLATION, message).detail(detail)
}

/// The same for an index that is being built.
pub(crate) fn duplicate_in_index(table: &Table, key: &UniqueKey, columns: &Columns, row: usize) -> SqlError {
    let (positions, name) = parts(table, key);
    let names: Vec<_> = positions
        .iter()
        .map(|&at| table.columns[at].name.as_str())
        .collect();
    let values: Vec<_> = positions
        .iter()
        .map(|&at| shown(table, columns, at, row))
        .collect();
    SqlError::new(
        state::UNIQUE_VIOLATION,
        format!("could not create unique index \"{name}\""),
    )
    .detail(format!(
        "Key ({})=({}) is duplicated.",
        names.join(", "),
        values.join(", ")
    ))
}

fn shown(table: &Table, columns: &Columns, at: usize, row: usize) -> String {
    let ty = table.columns[at].ty;
    let value = columns[at].value(row, ty);
    if value.is_null() {
        "null".to_owned()
    } else {
        to_text(&value, ty)
    }
}

fn failing_row(table: &Table, columns: &Columns, row: usize) -> String {
    let values: Vec<_> = (0..table.columns.len())
        .map(|at| shown(table, columns, at, row))
        .collect();
    format!("Failing row contains ({}).", values.join(", "))
}

/// Refuses rows with a NULL where none may be, or that fail a check.
pub(crate) fn check_rows(run: &Run<'_>, table: &Table, batch: &Batch) -> Result<()> {
    for (at, column) in table.columns.iter().enumerate() {
        let nulls = batch.columns[at].nulls.as_ref().filter(|_| column.not_null);
        if let Some(row) = nulls.and_then(|nulls| nulls.iter().position(|&null| null)) {
            let message = format!(
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                column.name, table.name
            );
            let detail = failing_row(table, &batch.columns, row);
            return Err(SqlError::new(state::NOT_NULL_VIOLATION, message).detail(detail));
        }
    }
    table
        .checks
        .iter()
        .try_for_each(|check| check_one(run, table, check, batch))
}

/// A check refuses a row only when it is false: NULL passes.
fn check_one(run: &Run<'_>, table: &Table, check: &Check, batch: &Batch) -> Result<()> {
    let Some(expr) = &check.expr else { return Ok(()) };
    let holds = run.evaluate(expr, batch)?;
    let ColumnData::Bool(values) = &holds.data else {
        return Ok(());
    };
    let Some(row) = (0..batch.rows).find(|&row| !values[row] && !holds.is_null(row)) else {
        return Ok(());
    };
    let message = format!(
        "new row for relation \"{}\" violates check constraint \"{}\"",
        table.name, check.name
    );
    Err(SqlError::new(state::CHECK_VIOLATION, message).detail(failing_row(table, &batch.columns, row)))
}
