//! DROP TABLE, DROP VIEW, DROP INDEX, TRUNCATE.

use super::view::needed;
use super::{Ddl, Done, no_relation, table_name};
use crate::catalog::{Named, StoredView, Table, TableId};
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{ObjectName, ObjectType, Statement, Truncate};
use std::collections::HashSet;
use std::sync::Arc;

/// What a DROP names, and what goes with it.
#[derive(Default)]
struct Going {
    tables: Vec<Table>,
    views: Vec<StoredView>,
    notices: Vec<String>,
}

impl Ddl<'_> {
    pub(super) fn drop_objects(&mut self, statement: &Statement) -> Result<Done> {
        let Statement::Drop {
            object_type,
            if_exists,
            names,
            cascade,
            restrict: _,
            purge: false,
            temporary: false,
            table: None,
        } = statement
        else {
            return Err(SqlError::unsupported("this DROP"));
        };
        match object_type {
            ObjectType::Table | ObjectType::View => {
                self.drop_relations(object_type, names, *if_exists, *cascade)
            }
            ObjectType::Index => self.drop_indexes(names, *if_exists),
            other => Err(SqlError::unsupported(format!("DROP {other}"))),
        }
    }

    /// Drops tables or views, after all of them have been found, so that they may depend on each other.
    fn drop_relations(
        &mut self,
        kind: &ObjectType,
        names: &[ObjectName],
        if_exists: bool,
        cascade: bool,
    ) -> Result<Done> {
        let mut going = Going::default();
        for name in names {
            self.find_to_drop(&mut going, kind, &table_name(name)?, if_exists)?;
        }
        self.take_dependents(&mut going, cascade)?;
        for view in &going.views {
            self.catalog().remove_view(view)?;
        }
        for table in &going.tables {
            self.drop_table(table)?;
        }
        Ok(Done {
            tag: format!("DROP {kind}"),
            changed: !(going.tables.is_empty() && going.views.is_empty()),
            rows: 0,
            notice: (!going.notices.is_empty()).then(|| going.notices.join("\n")),
        })
    }

    fn find_to_drop(&self, going: &mut Going, kind: &ObjectType, name: &str, if_exists: bool) -> Result<()> {
        let word = kind.to_string().to_lowercase();
        match (self.stored().named(name)?, kind) {
            (Some(Named::Table(id)), ObjectType::Table) => {
                if !going.tables.iter().any(|table| table.id == id) {
                    let table = self.stored().table(id)?.ok_or_else(|| no_relation(name))?;
                    going.tables.push(table);
                }
                Ok(())
            }
            (Some(Named::View(id)), ObjectType::View) => {
                if !going.views.iter().any(|view| view.id == id) {
                    let view = self.stored().view(id)?.ok_or_else(|| no_relation(name))?;
                    going.views.push(view);
                }
                Ok(())
            }
            (Some(other), _) => Err(wrong_kind(name, &word, other)),
            (None, _) if if_exists => {
                going
                    .notices
                    .push(format!("{word} \"{name}\" does not exist, skipping"));
                Ok(())
            }
            (None, _) => {
                let message = format!("{word} \"{name}\" does not exist");
                Err(SqlError::new(state::UNDEFINED_TABLE, message))
            }
        }
    }

    /// Views that depend on what goes: they go too, or nothing goes.
    fn take_dependents(&mut self, going: &mut Going, cascade: bool) -> Result<()> {
        let tables = going
            .tables
            .iter()
            .map(|table| (table.id, format!("table {}", table.name)));
        let views = going
            .views
            .iter()
            .map(|view| (view.id, format!("view {}", view.name)));
        let mut known: Vec<(TableId, String)> = tables.chain(views).collect();
        let ids: HashSet<TableId> = known.iter().map(|(id, _)| *id).collect();
        let dependent = self.dependents(&ids)?;
        if dependent.is_empty() {
            return Ok(());
        }
        if cascade {
            going.notices.push(cascades(&dependent));
            going.views.extend(dependent);
            return Ok(());
        }
        let what = match known.as_slice() {
            [(_, only)] => only.clone(),
            _ => "desired object(s)".to_owned(),
        };
        let mut details = Vec::new();
        for view in dependent {
            let on = known.iter().filter(|(id, _)| view.use_of(*id).is_some());
            details.extend(on.map(|(_, on)| format!("view {} depends on {on}", view.name)));
            known.push((view.id, format!("view {}", view.name)));
        }
        Err(needed(&what, &details))
    }

    fn drop_table(&mut self, table: &Table) -> Result<()> {
        self.take_over_to_drop(table)?;
        self.tx.drop_tree(table.tree)?;
        for index in &table.indexes {
            self.tx.drop_tree(index.tree)?;
            self.catalog().remove_name(&index.name)?;
        }
        if !table.primary_key.is_empty() {
            self.catalog().remove_name(&table.primary_key_name)?;
        }
        self.catalog().remove_name(&table.name)?;
        self.catalog().remove_table(table.id)
    }

    /// Dropping rows needs not see them all: it waits for writers, whatever they wrote.
    fn take_over_to_drop(&mut self, table: &Table) -> Result<()> {
        if self.own_tables.contains(&table.id) {
            return Ok(());
        }
        self.catalog()
            .lock_table(table.id, godb_mvcc::Strength::Exclusive)
    }

    fn drop_indexes(&mut self, names: &[ObjectName], if_exists: bool) -> Result<Done> {
        let mut done = Done::nothing("DROP INDEX", None);
        for name in names {
            let name = table_name(name)?;
            match self.stored().named(&name)? {
                Some(Named::Index(id)) => {
                    self.drop_index(&name, id)?;
                    done.changed = true;
                }
                Some(other) => return Err(wrong_kind(&name, "index", other)),
                None if if_exists => {
                    done.notice = Some(format!("index \"{name}\" does not exist, skipping"));
                }
                None => {
                    let message = format!("index \"{name}\" does not exist");
                    return Err(SqlError::new(state::UNDEFINED_OBJECT, message));
                }
            }
        }
        Ok(done)
    }

    fn drop_index(&mut self, name: &str, id: TableId) -> Result<()> {
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
        self.catalog().put_table(&table)
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
                return Err(self.no_table(&name)?);
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

/// The error for a name that stands for something else than the statement drops.
fn wrong_kind(name: &str, word: &str, is: Named) -> SqlError {
    let hint = match is {
        Named::Table(_) => "TABLE to remove a table",
        Named::View(_) => "VIEW to remove a view",
        Named::Index(_) => "INDEX to remove an index",
    };
    let article = if word == "index" { "an" } else { "a" };
    let message = format!("\"{name}\" is not {article} {word}");
    SqlError::new(state::WRONG_OBJECT_TYPE, message).hint(format!("Use DROP {hint}."))
}

/// What the user is told of views that went with something else.
fn cascades(views: &[StoredView]) -> String {
    match views {
        [only] => format!("drop cascades to view {}", only.name),
        _ => format!("drop cascades to {} other objects", views.len()),
    }
}
