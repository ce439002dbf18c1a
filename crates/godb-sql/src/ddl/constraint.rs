//! Constraints: named, attached to a table, and checked against rows that are there.

use super::column::Constraint;
use super::names::{made_name, no_column};
use super::{Ddl, TableScan};
use crate::binder::bind_table_expr;
use crate::catalog::{Check, Index, Named, Table};
use crate::dml::check_rows;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use std::sync::Arc;

impl Ddl<'_> {
    /// Adds the constraints to `table`, making the index of each UNIQUE; those indexes are filled when `fill`.
    pub(super) fn add_constraints(
        &mut self,
        table: &mut Table,
        constraints: Vec<Constraint>,
        fill: bool,
    ) -> Result<()> {
        for constraint in constraints {
            match constraint {
                Constraint::PrimaryKey { name, columns } => self.add_primary_key(table, name, &columns)?,
                Constraint::Unique { name, columns } => self.add_unique(table, name, &columns, fill)?,
                Constraint::Check { name, text, column } => self.add_check(table, name, text, column)?,
            }
        }
        Ok(())
    }

    fn add_unique(
        &mut self,
        table: &mut Table,
        name: Option<String>,
        columns: &[String],
        fill: bool,
    ) -> Result<()> {
        let positions = key_positions(table, columns)?;
        let name = match name {
            Some(name) => name,
            None => {
                let columns: Vec<_> = columns.iter().map(String::as_str).collect();
                let parts = [&[table.name.as_str()][..], &columns, &["key"]].concat();
                self.free_name(&made_name(&parts), &[])?
            }
        };
        let index = Index {
            name,
            tree: self.tx.create_tree()?,
            columns: positions.into_iter().map(|at| (at, false)).collect(),
            unique: true,
            constraint: true,
        };
        self.add_index(table, index, fill)
    }

    /// Adds an index to the table, and builds it when `fill`.
    pub(super) fn add_index(&mut self, table: &mut Table, index: Index, fill: bool) -> Result<()> {
        self.catalog().put_name(&index.name, Named::Index(table.id))?;
        let index = Arc::new(index);
        if fill {
            self.build_index(table, &index)?;
        }
        table.indexes.push(index);
        Ok(())
    }

    fn add_check(
        &mut self,
        table: &mut Table,
        name: Option<String>,
        text: String,
        column: Option<String>,
    ) -> Result<()> {
        let expr = bind_table_expr(&text, &table.columns, &table.name)?;
        let taken: Vec<_> = table.checks.iter().map(|check| check.name.clone()).collect();
        let name = match name {
            Some(name) if taken.contains(&name) => {
                let message = format!(
                    "constraint \"{name}\" for relation \"{}\" already exists",
                    table.name
                );
                return Err(SqlError::new(state::DUPLICATE_OBJECT, message));
            }
            Some(name) => name,
            None => {
                let mentioned = mentioned(&expr);
                let single = match mentioned.as_slice() {
                    [at] => Some(table.columns[*at].name.clone()),
                    _ => None,
                };
                let column = column.or(single);
                let parts = [Some(table.name.as_str()), column.as_deref(), Some("check")];
                let parts: Vec<_> = parts.into_iter().flatten().collect();
                self.free_name(&made_name(&parts), &taken)?
            }
        };
        table.checks.push(Check {
            name,
            text,
            expr: Some(expr),
        });
        Ok(())
    }

    /// Refuses when a row that is there has a NULL where none may be or fails a check.
    pub(super) fn check_existing(&mut self, table: &Table) -> Result<()> {
        let mut scan = TableScan::whole(table);
        while let Some(batch) = scan.next(&*self.tx)? {
            self.statement.check()?;
            check_rows(&self.run(), table, &batch).map_err(|error| existing(error, table))?;
        }
        Ok(())
    }
}

/// The error that a new row would get, said of rows that are there.
fn existing(error: SqlError, table: &Table) -> SqlError {
    let quoted = error.message.split('"').collect::<Vec<_>>();
    let message = match (error.state, quoted.as_slice()) {
        (state::NOT_NULL_VIOLATION, [_, column, ..]) => {
            format!(
                "column \"{column}\" of relation \"{}\" contains null values",
                table.name
            )
        }
        (state::CHECK_VIOLATION, [_, _, _, check, ..]) => {
            format!(
                "check constraint \"{check}\" of relation \"{}\" is violated by some row",
                table.name
            )
        }
        _ => return error,
    };
    SqlError::new(error.state, message)
}

/// The positions of the columns of a key, each once.
pub(super) fn key_positions(table: &Table, columns: &[String]) -> Result<Vec<usize>> {
    let mut positions = Vec::new();
    for column in columns {
        let missing = || {
            let message = format!("column \"{column}\" named in key does not exist");
            SqlError::new(state::UNDEFINED_COLUMN, message)
        };
        let at = table.position(column).ok_or_else(missing)?;
        if positions.contains(&at) {
            let message = format!("column \"{column}\" appears twice in a key");
            return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
        }
        positions.push(at);
    }
    Ok(positions)
}

/// The positions of the columns of an index.
pub(super) fn index_positions(table: &Table, columns: &[(String, bool)]) -> Result<Vec<(usize, bool)>> {
    let position = |name: &String| table.position(name).ok_or_else(|| no_column(&table.name, name));
    columns
        .iter()
        .map(|(name, descending)| Ok((position(name)?, *descending)))
        .collect()
}

/// The columns that an expression looks at, each once, by position.
pub(super) fn mentioned(expr: &Expr) -> Vec<usize> {
    fn walk(expr: &Expr, found: &mut Vec<usize>) {
        if let Expr::Column(at, _) = expr
            && !found.contains(&(*at as usize))
        {
            found.push(*at as usize);
        }
        expr.children().into_iter().for_each(|child| walk(child, found));
    }
    let mut found = Vec::new();
    walk(expr, &mut found);
    found
}
