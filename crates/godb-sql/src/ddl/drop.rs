//! DROP TABLE, DROP INDEX, TRUNCATE.

use super::{Ddl, Done, no_relation, table_name};
use crate::catalog::{Named, Table};
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{ObjectType, Statement, Truncate};
use std::sync::Arc;

impl Ddl<'_> {
    pub(super) fn drop_objects(&mut self, statement: &Statement) -> Result<Done> {
        let Statement::Drop {
            object_type,
            if_exists,
            names,
            ..
        } = statement
        else {
            return Err(SqlError::unsupported("this DROP"));
        };
        let mut changed = false;
        for name in names {
            let name = table_name(name)?;
            changed |= match object_type {
                ObjectType::Table => self.drop_table(&name, *if_exists)?,
                ObjectType::Index => self.drop_index(&name, *if_exists)?,
                other => return Err(SqlError::unsupported(format!("DROP {other}"))),
            };
        }
        Ok(Done {
            tag: format!("DROP {object_type}"),
            changed,
            rows: 0,
        })
    }

    fn drop_table(&mut self, name: &str, if_exists: bool) -> Result<bool> {
        let id = match self.stored().named(name)? {
            Some(Named::Table(id)) => id,
            Some(Named::Index(_)) => {
                let message = format!("\"{name}\" is not a table");
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message)
                    .hint("Use DROP INDEX to remove an index."));
            }
            None if if_exists => return Ok(false),
            None => {
                let message = format!("table \"{name}\" does not exist");
                return Err(SqlError::new(state::UNDEFINED_TABLE, message));
            }
        };
        let table = self.stored().table(id)?.ok_or_else(|| no_relation(name))?;
        self.take_over_to_drop(&table)?;
        self.tx.drop_tree(table.tree)?;
        for index in &table.indexes {
            self.tx.drop_tree(index.tree)?;
            self.catalog().remove_name(&index.name)?;
        }
        if !table.primary_key.is_empty() {
            self.catalog().remove_name(&table.primary_key_name)?;
        }
        self.catalog().remove_name(name)?;
        self.catalog().remove_table(id)?;
        Ok(true)
    }

    /// Dropping rows needs not see them all: it waits for writers, whatever they wrote.
    fn take_over_to_drop(&mut self, table: &Table) -> Result<()> {
        if self.own_tables.contains(&table.id) {
            return Ok(());
        }
        self.catalog()
            .lock_table(table.id, godb_mvcc::Strength::Exclusive)
    }

    fn drop_index(&mut self, name: &str, if_exists: bool) -> Result<bool> {
        let id = match self.stored().named(name)? {
            Some(Named::Index(id)) => id,
            Some(Named::Table(_)) => {
                let message = format!("\"{name}\" is not an index");
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message)
                    .hint("Use DROP TABLE to remove a table."));
            }
            None if if_exists => return Ok(false),
            None => {
                let message = format!("index \"{name}\" does not exist");
                return Err(SqlError::new(state::UNDEFINED_OBJECT, message));
            }
        };
        let mut table = self.stored().table(id)?.ok_or_else(|| no_relation(name))?;
        let constraint = table
            .indexes
            .iter()
            .all(|index| index.name != name || index.constraint);
        if constraint {
            let message = format!(
                "cannot drop index {name} because constraint {name} on table {} requires it",
                table.name
            );
            let hint = format!("You can drop constraint {name} on table {} instead.", table.name);
            return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message).hint(hint));
        }
        self.take_over_to_drop(&table)?;
        self.remove_indexes(&mut table, |index| index.name == name)?;
        self.catalog().put_table(&table)?;
        Ok(true)
    }

    /// Removes the indexes that `which` names from the table.
    pub(super) fn remove_indexes(
        &mut self,
        table: &mut Table,
        which: impl Fn(&crate::catalog::Index) -> bool,
    ) -> Result<()> {
        let (gone, kept): (Vec<_>, Vec<_>) = table.indexes.drain(..).partition(|index| which(index));
        table.indexes = kept;
        for index in gone {
            self.tx.drop_tree(index.tree)?;
            self.catalog().remove_name(&index.name)?;
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, truncate: &Truncate) -> Result<Done> {
        if truncate.partitions.is_some() || truncate.on_cluster.is_some() {
            return Err(SqlError::unsupported("an option of TRUNCATE"));
        }
        for target in &truncate.table_names {
            let name = table_name(&target.name)?;
            let Some(table) = self.find(&name)? else {
                if truncate.if_exists {
                    continue;
                }
                return Err(no_relation(&name));
            };
            self.take_over_to_drop(&table)?;
            self.empty(Table::clone(&table))?;
            self.cache.set_estimate(table.id, 0);
        }
        Ok(Done::changed("TRUNCATE TABLE"))
    }

    /// Gives a table new, empty trees.
    fn empty(&mut self, mut table: Table) -> Result<()> {
        self.tx.drop_tree(table.tree)?;
        table.tree = self.tx.create_tree()?;
        for index in &mut table.indexes {
            self.tx.drop_tree(index.tree)?;
            Arc::make_mut(index).tree = self.tx.create_tree()?;
        }
        self.catalog().put_table(&table)
    }
}
