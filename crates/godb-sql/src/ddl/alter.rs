//! ALTER TABLE.

use super::column::table_constraint;
use super::names::fold;
use super::{Ddl, Done, table_name};
use crate::catalog::{Named, Table};
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{AlterTable, AlterTableOperation, DropBehavior, Ident, RenameTableNameKind};
use std::sync::Arc;

impl Ddl<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) -> Result<Done> {
        if alter.on_cluster.is_some() || alter.location.is_some() || alter.table_type.is_some() {
            return Err(SqlError::unsupported("an option of ALTER TABLE"));
        }
        let name = table_name(&alter.name)?;
        let view_is_meant = is_alter_view(&self.parsed.text);
        let table = match (self.stored().named(&name)?, self.find(&name)?) {
            (Some(Named::View(id)), _) => return self.alter_view(id, &alter.operations),
            (_, Some(table)) if !view_is_meant => table,
            (None, _) if alter.if_exists => {
                let notice = format!("relation \"{name}\" does not exist, skipping");
                return Ok(Done::nothing("ALTER TABLE", Some(notice)));
            }
            (Some(_), _) if view_is_meant => {
                let message = format!("\"{name}\" is not a view");
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
            }
            _ => return Err(self.no_table(&name)?),
        };
        self.take_over(&table)?;
        let mut table = Table::clone(&table);
        let key = table.primary_key_name.clone();
        let had_key = !table.primary_key.is_empty();
        for operation in &alter.operations {
            self.alter(&mut table, operation)?;
        }
        self.catalog().put_table(&table)?;
        if had_key && table.primary_key.is_empty() {
            self.release_key(&table, &key, alter.operations.iter().any(cascades))?;
        }
        Ok(Done::changed("ALTER TABLE"))
    }

    fn alter(&mut self, table: &mut Table, operation: &AlterTableOperation) -> Result<()> {
        match operation {
            AlterTableOperation::AddColumn {
                if_not_exists,
                column_def,
                column_position,
                ..
            } => {
                if column_position.is_some() {
                    return Err(SqlError::unsupported("a position for a new column"));
                }
                self.add_column(table, column_def, *if_not_exists)
            }
            AlterTableOperation::DropColumn {
                column_names,
                if_exists,
                ..
            } => column_names
                .iter()
                .try_for_each(|name| self.drop_column(table, name, *if_exists, cascades(operation))),
            AlterTableOperation::RenameColumn {
                old_column_name,
                new_column_name,
            } => super::rename::rename_column(table, old_column_name, new_column_name),
            AlterTableOperation::RenameTable {
                table_name: RenameTableNameKind::To(new) | RenameTableNameKind::As(new),
            } => self.rename_table(table, new),
            AlterTableOperation::AddConstraint {
                constraint,
                not_valid: false,
            } => {
                let checks = table.checks.len();
                self.add_constraints(table, vec![table_constraint(constraint)?], true)?;
                if table.checks.len() > checks {
                    self.check_existing(table)
                } else {
                    Ok(())
                }
            }
            AlterTableOperation::DropConstraint { if_exists, name, .. } => {
                self.drop_constraint(table, name, *if_exists)
            }
            AlterTableOperation::AlterColumn { column_name, op } => self.alter_column(table, column_name, op),
            other => Err(SqlError::unsupported(format!("ALTER TABLE … {other}"))),
        }
    }

    fn drop_constraint(&mut self, table: &mut Table, name: &Ident, if_exists: bool) -> Result<()> {
        let name = fold(name);
        if let Some(at) = table.checks.iter().position(|check| check.name == name) {
            table.checks.remove(at);
            return Ok(());
        }
        if table
            .indexes
            .iter()
            .any(|index| index.constraint && index.name == name)
        {
            return self.remove_indexes(table, |index| index.name == name);
        }
        if !table.primary_key.is_empty() && table.primary_key_name == name {
            return self.drop_primary_key(table);
        }
        if if_exists {
            return Ok(());
        }
        let message = format!(
            "constraint \"{name}\" of relation \"{}\" does not exist",
            table.name
        );
        Err(SqlError::new(state::UNDEFINED_OBJECT, message))
    }
}

/// Whether what depends on the dropped thing goes too.
fn cascades(operation: &AlterTableOperation) -> bool {
    let (AlterTableOperation::DropColumn { drop_behavior, .. }
    | AlterTableOperation::DropConstraint { drop_behavior, .. }) = operation
    else {
        return false;
    };
    *drop_behavior == Some(DropBehavior::Cascade)
}

/// ALTER VIEW has the grammar of ALTER TABLE.
fn is_alter_view(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("view"))
}

/// Begins a new schema version of the table; rows written from now on have `columns` column numbers.
pub(super) fn new_version(table: &mut Table, columns: u32) {
    table.version += 1;
    let layouts: Vec<u32> = table.layouts.iter().copied().chain([columns]).collect();
    table.layouts = Arc::from(layouts);
}
