//! Expressions that are stored with a table as text: defaults, CHECK constraints.

use super::Binder;
use super::scope::{Relation, Scope};
use crate::cast::Coercion;
use crate::catalog::{Catalog, Table, TableColumn};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::parser::parse_expression;
use crate::plan::logical::OutputColumn;
use crate::plan::statement::Planning;
use crate::types::DataType;
use sqlparser::tokenizer::Location;
use std::sync::Arc;

/// A database without tables: stored expressions name none.
struct NoTables;

impl Catalog for NoTables {
    fn table(&self, _name: &str) -> Result<Option<Arc<Table>>> {
        Ok(None)
    }

    fn tables(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Binds a condition over a table's columns, named by position: a CHECK constraint.
///
/// # Errors
/// As for any expression, with positions in `text`; `42804` when it is not boolean; `0A000` for subqueries.
pub fn bind_table_expr(text: &str, table: &[TableColumn], table_name: &str) -> Result<Expr> {
    stored(text, table, table_name, |binder, expr| {
        binder.boolean(expr, "CHECK", Location::new(0, 0))
    })
}

/// Binds the text of a DEFAULT, cast for assignment to a column of type `column`.
///
/// # Errors
/// As for any expression, with positions in `text`; `42804` when the value cannot be assigned to the column.
pub fn bind_default(text: &str, column: DataType) -> Result<Expr> {
    stored(text, &[], "", |binder, expr| {
        let from = expr.data_type();
        let fits = from == DataType::Unknown || from == column;
        if !fits && !crate::cast::can_cast(from, column, Coercion::Assignment) {
            let message = format!(
                "column is of type {} but default expression is of type {}",
                column.base(),
                from.base()
            );
            return Err(SqlError::new(state::DATATYPE_MISMATCH, message)
                .hint("You will need to rewrite or cast the expression."));
        }
        binder.coerce(expr, column, Coercion::Assignment, Location::new(1, 1))
    })
}

fn stored(
    text: &str,
    table: &[TableColumn],
    table_name: &str,
    finish: impl FnOnce(&mut Binder<'_>, Expr) -> Result<Expr>,
) -> Result<Expr> {
    let sql = parse_expression(text)?;
    let planning = Planning::new(&NoTables);
    let mut binder = Binder::new(&planning, text, &[], 0);
    let columns: Vec<OutputColumn> = table
        .iter()
        .map(|c| binder.new_column(c.name.clone(), c.ty))
        .collect();
    if !columns.is_empty() {
        binder.select().scope = Scope::of(Relation {
            name: table_name.to_owned(),
            columns,
            table: None,
        });
    }
    let expr = binder.expr(&sql)?;
    let expr = finish(&mut binder, expr)?;
    if !binder.subplans.is_empty() {
        let message = "cannot use subquery in a stored expression";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    Ok(crate::optimizer::fold_expr(expr))
}
