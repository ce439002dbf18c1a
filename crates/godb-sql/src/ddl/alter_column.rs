//! Adding, dropping and changing columns.

use super::Ddl;
use super::alter::new_version;
use super::column::{Defined, define};
use super::constraint::mentioned;
use super::names::{fold, no_column, position};
use crate::binder::{bind_default, describe_type};
use crate::catalog::{Table, bind_checks};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::Volatility;
use godb_mvcc::Range;
use sqlparser::ast::{AlterColumnOperation, ColumnDef, Ident};
use std::ops::ControlFlow;
use std::sync::Arc;

impl Ddl<'_> {
    pub(super) fn add_column(
        &mut self,
        table: &mut Table,
        definition: &ColumnDef,
        if_not_exists: bool,
    ) -> Result<()> {
        let Defined {
            mut column,
            constraints,
        } = define(definition)?;
        if table.position(&column.name).is_some() {
            if if_not_exists {
                return Ok(());
            }
            let message = format!(
                "column \"{}\" of relation \"{}\" already exists",
                column.name, table.name
            );
            return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
        }
        let has_rows = self.has_rows(table)?;
        if let Some(default) = &column.default {
            let expr = bind_default(default, column.ty)?;
            if has_rows && is_volatile(&expr) {
                return Err(SqlError::unsupported(
                    "adding a column with a volatile default to a table with rows",
                ));
            }
            column.missing = self.run().value(&expr)?;
        }
        if has_rows && column.not_null && column.missing.is_null() {
            let message = format!(
                "column \"{}\" of relation \"{}\" contains null values",
                column.name, table.name
            );
            return Err(SqlError::new(state::NOT_NULL_VIOLATION, message));
        }
        column.id = table.layouts.last().copied().unwrap_or(0);
        new_version(table, column.id + 1);
        table.columns.push(column);
        bind_checks(table)?;
        let checks = table.checks.len();
        self.add_constraints(table, constraints, true)?;
        if table.checks.len() > checks {
            self.check_existing(table)
        } else {
            Ok(())
        }
    }

    fn has_rows(&self, table: &Table) -> Result<bool> {
        let mut found = false;
        let mut cursor = self.tx.scan(table.tree, Range::ALL)?;
        while !found
            && cursor.next(&mut |_, _| {
                found = true;
                ControlFlow::Break(())
            })?
        {}
        Ok(found)
    }

    pub(super) fn drop_column(
        &mut self,
        table: &mut Table,
        name: &Ident,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        let name = fold(name);
        let Some(gone) = table.position(&name) else {
            return if if_exists {
                Ok(())
            } else {
                Err(no_column(&table.name, &name))
            };
        };
        if table.primary_key.contains(&gone) {
            return Err(SqlError::unsupported("dropping a column of the primary key"));
        }
        self.release_column(table, gone, cascade)?;
        self.remove_indexes(table, |index| index.columns.iter().any(|&(at, _)| at == gone))?;
        bind_checks(table)?;
        table.checks.retain(|check| {
            check
                .expr
                .as_ref()
                .is_none_or(|expr| !mentioned(expr).contains(&gone))
        });
        table.columns.remove(gone);
        let close_gap = |at: &mut usize| *at -= usize::from(*at > gone);
        table.primary_key.iter_mut().for_each(close_gap);
        for index in &mut table.indexes {
            Arc::make_mut(index)
                .columns
                .iter_mut()
                .for_each(|(at, _)| close_gap(at));
        }
        new_version(table, table.layouts.last().copied().unwrap_or(0));
        bind_checks(table)
    }

    pub(super) fn alter_column(
        &mut self,
        table: &mut Table,
        name: &Ident,
        operation: &AlterColumnOperation,
    ) -> Result<()> {
        let at = position(table, name)?;
        match operation {
            AlterColumnOperation::SetNotNull => {
                table.columns[at].not_null = true;
                self.check_existing(table)
            }
            AlterColumnOperation::DropNotNull if table.primary_key.contains(&at) => {
                let message = format!("column \"{}\" is in a primary key", table.columns[at].name);
                Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message))
            }
            AlterColumnOperation::DropNotNull => {
                table.columns[at].not_null = false;
                Ok(())
            }
            AlterColumnOperation::SetDefault { value } => {
                let text = value.to_string();
                bind_default(&text, table.columns[at].ty)?;
                table.columns[at].default = Some(text);
                Ok(())
            }
            AlterColumnOperation::DropDefault => {
                table.columns[at].default = None;
                Ok(())
            }
            AlterColumnOperation::SetDataType {
                data_type,
                using: None,
                ..
            } => {
                self.refuse_used(table, at)?;
                self.change_type(table, at, describe_type(data_type)?)
            }
            AlterColumnOperation::SetDataType { .. } => {
                Err(SqlError::unsupported("ALTER COLUMN … TYPE … USING"))
            }
            other => Err(SqlError::unsupported(format!("ALTER COLUMN … {other}"))),
        }
    }
}

/// Whether an expression may give another value for each row.
fn is_volatile(expr: &Expr) -> bool {
    matches!(expr, Expr::Call { function, .. } if function.volatility == Volatility::Volatile)
        || expr.children().into_iter().any(is_volatile)
}
