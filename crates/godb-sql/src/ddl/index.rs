//! CREATE INDEX, ALTER INDEX.

use super::constraint::index_positions;
use super::names::{checked, key_columns, made_name};
use super::{Ddl, Done, exists_already, no_relation, table_name};
use crate::catalog::{Index, Named, Table};
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{AlterIndexOperation, CreateIndex, IndexType, ObjectName};
use std::sync::Arc;

impl Ddl<'_> {
    pub(super) fn create_index(&mut self, create: &CreateIndex) -> Result<Done> {
        refuse_options(create)?;
        super::options::check_index_options(&create.with)?;
        let table = self.table(&create.table_name)?;
        let columns = key_columns(&create.columns)?;
        let name = match &create.name {
            Some(name) => checked(table_name(name)?)?,
            None => {
                let columns: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
                let parts = [&[table.name.as_str()][..], &columns, &["idx"]].concat();
                self.free_name(&made_name(&parts), &[])?
            }
        };
        if self.stored().named(&name)?.is_some() {
            if create.if_not_exists {
                return Ok(Done::nothing("CREATE INDEX", exists_already(&name)));
            }
            let message = format!("relation \"{name}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_TABLE, message));
        }
        self.take_over(&table)?;
        let mut table = Table::clone(&table);
        let index = Index {
            name,
            tree: self.tx.create_tree()?,
            columns: index_positions(&table, &columns)?,
            unique: create.unique,
            constraint: false,
        };
        self.add_index(&mut table, index, true)?;
        self.catalog().put_table(&table)?;
        Ok(Done::changed("CREATE INDEX"))
    }

    pub(super) fn alter_index(&mut self, name: &ObjectName, operation: &AlterIndexOperation) -> Result<Done> {
        let AlterIndexOperation::RenameIndex { index_name } = operation;
        let (old, new) = (table_name(name)?, checked(table_name(index_name)?)?);
        let Some(Named::Index(id)) = self.stored().named(&old)? else {
            return Err(no_relation(&old));
        };
        let Some(mut table) = self.stored().table(id)? else {
            return Err(no_relation(&old));
        };
        self.take_over(&table)?;
        self.catalog().put_name(&new, Named::Index(id))?;
        self.catalog().remove_name(&old)?;
        if table.primary_key_name == old {
            table.primary_key_name.clone_from(&new);
        }
        for index in &mut table.indexes {
            if index.name == old {
                Arc::make_mut(index).name.clone_from(&new);
            }
        }
        self.catalog().put_table(&table)?;
        Ok(Done::changed("ALTER INDEX"))
    }
}

fn refuse_options(create: &CreateIndex) -> Result<()> {
    let other_kind = create
        .using
        .as_ref()
        .is_some_and(|using| !matches!(using, IndexType::BTree));
    let refused = [
        (other_kind, "an index other than btree"),
        (create.concurrently, "CREATE INDEX CONCURRENTLY"),
        (!create.include.is_empty(), "INCLUDE in an index"),
        (create.nulls_distinct == Some(false), "NULLS NOT DISTINCT"),
        (create.predicate.is_some(), "a partial index"),
        (
            !create.index_options.is_empty() || !create.alter_options.is_empty(),
            "an index option",
        ),
    ];
    match refused.iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(SqlError::unsupported(what)),
        None => Ok(()),
    }
}
