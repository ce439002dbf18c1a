//! ALTERs that write a table anew: another primary key, another type of a column.
//!
//! The table gets new trees; the old ones are dropped with the commit, and snapshots from before go on reading them.

use super::constraint::key_positions;
use super::{Ddl, TableScan};
use crate::cast::{Coercion, can_cast};
use crate::catalog::{Named, Table, bind_checks};
use crate::dml::{TableWriter, check_rows};
use crate::error::{Result, SqlError, state};
use crate::executor::Sorter;
use crate::expr::Expr;
use crate::plan::logical::SortKey;
use crate::types::DataType;
use crate::vector::Batch;
use std::sync::Arc;

impl Ddl<'_> {
    /// Adds a primary key: rows lie in its order from now on.
    pub(super) fn add_primary_key(
        &mut self,
        table: &mut Table,
        name: Option<String>,
        columns: &[String],
    ) -> Result<()> {
        if !table.primary_key.is_empty() {
            let message = format!(
                "multiple primary keys for table \"{}\" are not allowed",
                table.name
            );
            return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message));
        }
        let old = table.clone();
        table.primary_key = key_positions(table, columns)?;
        for &at in &table.primary_key {
            table.columns[at].not_null = true;
        }
        table.primary_key_name = match name {
            Some(name) => name,
            None => self.free_name(&super::names::made_name(&[&table.name, "pkey"]), &[])?,
        };
        let name = table.primary_key_name.clone();
        self.catalog().put_name(&name, Named::Index(table.id))?;
        self.check_existing(&Table {
            columns: table.columns.clone(),
            ..old.clone()
        })?;
        self.rewrite(&old, table, Vec::new()).map_err(|error| {
            if error.state != state::UNIQUE_VIOLATION {
                return error;
            }
            let detail = error
                .detail
                .clone()
                .unwrap_or_default()
                .replace("already exists", "is duplicated");
            SqlError::new(
                state::UNIQUE_VIOLATION,
                format!("could not create unique index \"{name}\""),
            )
            .detail(detail)
        })
    }

    /// Drops the primary key: rows are numbered from now on.
    pub(super) fn drop_primary_key(&mut self, table: &mut Table) -> Result<()> {
        let old = table.clone();
        self.catalog().remove_name(&old.primary_key_name)?;
        table.primary_key.clear();
        self.rewrite(&old, table, Vec::new())
    }

    /// Gives a column another type; its values are converted as by assignment.
    pub(super) fn change_type(&mut self, table: &mut Table, at: usize, to: DataType) -> Result<()> {
        let old = table.clone();
        let column = &mut table.columns[at];
        let from = column.ty;
        if !can_cast(from, to, Coercion::Assignment) {
            let message = format!(
                "column \"{}\" cannot be cast automatically to type {to}",
                column.name
            );
            return Err(SqlError::new(state::DATATYPE_MISMATCH, message));
        }
        column.ty = to;
        if let Some(default) = &column.default {
            crate::binder::bind_default(default, to)?;
        }
        column.missing = crate::cast::cast_value(column.missing.clone(), from, to, false)?;
        bind_checks(table)?;
        let position = u32::try_from(at).map_err(|_| SqlError::unsupported("so many columns"))?;
        let cast = Expr::Cast {
            expr: Box::new(Expr::Column(position, from)),
            to,
            explicit: false,
        };
        self.rewrite(&old, table, vec![(at, cast)])
    }

    /// Writes the rows of `old` into new trees, as `table` has them; `changes` are expressions over the old rows.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a rewrite is made once and consumes what it does"
    )]
    fn rewrite(&mut self, old: &Table, table: &mut Table, changes: Vec<(usize, Expr)>) -> Result<()> {
        table.tree = self.tx.create_tree()?;
        for index in &mut table.indexes {
            Arc::make_mut(index).tree = self.tx.create_tree()?;
        }
        let new = Arc::new(table.clone());
        let mut sorter = Sorter::new(
            by_key(&new),
            new.columns.iter().map(|column| column.ty).collect(),
            None,
        );
        let mut scan = TableScan::whole(old);
        while let Some(mut batch) = scan.next(&*self.tx)? {
            self.statement.check()?;
            batch.columns.truncate(old.columns.len());
            let batch = self.changed(batch, &changes)?;
            check_rows(&self.run(), &new, &batch)?;
            sorter.push(&self.run(), &batch)?;
        }
        let mut writer = TableWriter::new(&new, self.numbers, self.engine.max_key());
        let mut sorted = sorter.finish()?;
        while let Some(batch) = sorted.next()? {
            self.statement.check()?;
            writer.insert_all(self.tx, &batch.columns, batch.rows)?;
        }
        self.tx.drop_tree(old.tree)?;
        old.indexes
            .iter()
            .try_for_each(|index| Ok(self.tx.drop_tree(index.tree)?))
    }

    #[expect(clippy::needless_pass_by_value, reason = "the batch becomes the changed one")]
    fn changed(&self, batch: Batch, changes: &[(usize, Expr)]) -> Result<Batch> {
        let mut columns = batch.columns.clone();
        for (at, expr) in changes {
            columns[*at] = self.run().evaluate(expr, &batch)?;
        }
        Ok(Batch {
            columns,
            rows: batch.rows,
        })
    }
}

/// The order in which rows are written: that of the primary key, or none.
fn by_key(table: &Table) -> Vec<SortKey> {
    let key = |&at: &usize| SortKey {
        expr: Expr::Column(u32::try_from(at).unwrap_or(u32::MAX), table.columns[at].ty),
        descending: false,
        nulls_first: false,
    };
    table.primary_key.iter().map(key).collect()
}
