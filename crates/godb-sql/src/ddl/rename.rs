//! Renaming tables and columns.

use super::names::{checked, fold, new_name, position};
use super::{Ddl, table_name};
use crate::catalog::{Named, Table, bind_checks};
use crate::error::{Result, SqlError, state};
use crate::parser::parse_expression;
use sqlparser::ast::{Expr, Ident, ObjectName, visit_expressions_mut};
use std::ops::ControlFlow;

impl Ddl<'_> {
    pub(super) fn rename_table(&mut self, table: &mut Table, new: &ObjectName) -> Result<()> {
        let new = checked(table_name(new)?)?;
        self.catalog().put_name(&new, Named::Table(table.id))?;
        self.catalog().remove_name(&table.name)?;
        for check in &mut table.checks {
            check.text = rewrite(&check.text, &mut |ident, qualifier| {
                if qualifier && fold(ident) == table.name {
                    *ident = Ident::with_quote('"', new.clone());
                }
            })?;
        }
        table.name = new;
        bind_checks(table)
    }
}

/// Renames a column, also where checks mention it.
pub(super) fn rename_column(table: &mut Table, old: &Ident, new: &Ident) -> Result<()> {
    let at = position(table, old)?;
    let (old, new) = (fold(old), new_name(new)?);
    if table.position(&new).is_some() {
        let message = format!("column \"{new}\" of relation \"{}\" already exists", table.name);
        return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
    }
    for check in &mut table.checks {
        check.text = rewrite(&check.text, &mut |ident, qualifier| {
            if !qualifier && fold(ident) == old {
                *ident = Ident::with_quote('"', new.clone());
            }
        })?;
    }
    table.columns[at].name = new;
    bind_checks(table)
}

/// Shows every name in an expression to `change`, telling whether it stands before a dot.
fn rewrite(text: &str, change: &mut impl FnMut(&mut Ident, bool)) -> Result<String> {
    let mut expr = parse_expression(text)?;
    let _ = visit_expressions_mut(&mut expr, |expr| {
        match expr {
            Expr::Identifier(ident) => change(ident, false),
            Expr::CompoundIdentifier(parts) => {
                let last = parts.len() - 1;
                parts
                    .iter_mut()
                    .enumerate()
                    .for_each(|(at, ident)| change(ident, at < last));
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    Ok(expr.to_string())
}
