//! CREATE VIEW and ALTER VIEW, and what depends on what.

use super::names::{checked, fold, new_name};
use super::{Ddl, Done, table_name};
use crate::binder::endless;
use crate::catalog::{Named, StoredView, Table, TableId, UsedColumn, View};
use crate::error::{Result, SqlError, state};
use crate::parser::text_after_as;
use sqlparser::ast::{AlterTableOperation, CreateTableOptions, CreateView, Ident, RenameTableNameKind};
use std::collections::HashSet;
use std::sync::Arc;

/// As for tables.
const MAX_COLUMNS: usize = 1600;

impl Ddl<'_> {
    pub(super) fn create_view(&mut self, create: &CreateView) -> Result<Done> {
        refuse_options(create)?;
        if !self.parsed.table_as_of.is_empty() {
            return Err(SqlError::unsupported("AS OF SYSTEM TIME in a view"));
        }
        let name = checked(table_name(&create.name)?)?;
        let definition = self.binding.define_view(&*self.tx, &create.query)?;
        let columns = named_columns(definition.columns, create)?;
        let text = text_after_as(&self.parsed.text)?.unwrap_or_default();
        let mut view = StoredView {
            id: 0,
            name: name.clone(),
            columns,
            text: text.to_owned(),
            uses: definition.uses,
        };
        match self.stored().named(&name)? {
            Some(Named::View(id)) if create.or_replace => {
                view.id = id;
                self.replace(&view)?;
            }
            Some(Named::Table(_) | Named::Index(_)) if create.or_replace => {
                let message = format!("\"{name}\" is not a view");
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
            }
            _ => {
                view.id = self.catalog().new_table_id()?;
                self.catalog().put_name(&name, Named::View(view.id))?;
            }
        }
        self.catalog().put_view(&view)?;
        // What is stored must be what can be read.
        self.binding.check_view(&*self.tx, &Arc::new(View::new(view)?))?;
        Ok(Done::changed("CREATE VIEW"))
    }

    /// Whoever uses the old view must find all it had, and the new one must not use itself.
    fn replace(&mut self, view: &StoredView) -> Result<()> {
        let Some(old) = self.stored().view(view.id)? else {
            return Err(super::no_relation(&view.name));
        };
        let changed = |message: String| Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message));
        if view.columns.len() < old.columns.len() {
            return changed("cannot drop columns from view".to_owned());
        }
        for ((was, old_type), (now, new_type)) in old.columns.iter().zip(&view.columns) {
            if was != now {
                return changed(format!(
                    "cannot change name of view column \"{was}\" to \"{now}\""
                ));
            }
            if old_type != new_type {
                return changed(format!(
                    "cannot change data type of view column \"{was}\" from {old_type} to {new_type}"
                ));
            }
        }
        let dependent = self.dependents(&HashSet::from([view.id]))?;
        let own = |id: TableId| id == view.id || dependent.iter().any(|other| other.id == id);
        if view.uses.iter().any(|used| own(used.id)) {
            return Err(endless(&view.name));
        }
        Ok(())
    }

    /// The views that use any of these, directly or through others, each after those it uses.
    pub(super) fn dependents(&self, of: &HashSet<TableId>) -> Result<Vec<StoredView>> {
        let mut rest = self.stored().views()?;
        rest.retain(|view| !of.contains(&view.id));
        let mut known = of.clone();
        let mut found = Vec::new();
        loop {
            let uses = |view: &StoredView| view.uses.iter().any(|used| known.contains(&used.id));
            let (new, others): (Vec<StoredView>, Vec<StoredView>) = rest.into_iter().partition(uses);
            if new.is_empty() {
                return Ok(found);
            }
            known.extend(new.iter().map(|view| view.id));
            found.extend(new);
            rest = others;
        }
    }

    /// The views that need a column of a table.
    fn views_of_column(&self, table: &Table, column: u32) -> Result<Vec<StoredView>> {
        let needs = |view: &StoredView| {
            let used = view.use_of(table.id);
            let needs = |known: &UsedColumn| known.id == column && known.needed;
            used.is_some_and(|used| used.columns.iter().any(needs))
        };
        let mut views = self.stored().views()?;
        views.retain(needs);
        Ok(views)
    }

    /// Before a column is dropped: views that need it are dropped too, or keep it.
    pub(super) fn release_column(&mut self, table: &Table, at: usize, cascade: bool) -> Result<()> {
        let views = self.views_of_column(table, table.columns[at].id)?;
        let what = format!("column {} of table {}", table.columns[at].name, table.name);
        self.release(&views, &what, cascade)
    }

    /// Before something else goes that these views need.
    fn release(&mut self, views: &[StoredView], what: &str, cascade: bool) -> Result<()> {
        if views.is_empty() {
            return Ok(());
        }
        if !cascade {
            let details = views
                .iter()
                .map(|view| format!("view {} depends on {what}", view.name));
            return Err(needed(what, &details.collect::<Vec<_>>()));
        }
        let all: HashSet<TableId> = views.iter().map(|view| view.id).collect();
        let further = self.dependents(&all)?;
        views
            .iter()
            .chain(&further)
            .try_for_each(|view| self.catalog().remove_view(view))
    }

    /// Refuses to change the type of a column that a view needs.
    pub(super) fn refuse_used(&self, table: &Table, at: usize) -> Result<()> {
        let column = &table.columns[at];
        let Some(view) = self.views_of_column(table, column.id)?.into_iter().next() else {
            return Ok(());
        };
        let message = "cannot alter type of a column used by a view or rule";
        let detail = format!("view {} depends on column \"{}\"", view.name, column.name);
        Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message).detail(detail))
    }

    /// After a primary key was dropped: a view may have grouped by it.
    pub(super) fn release_key(&mut self, table: &Table, key: &str, cascade: bool) -> Result<()> {
        let mut broken = Vec::new();
        for view in self.dependents(&HashSet::from([table.id]))? {
            match self
                .binding
                .check_view(&*self.tx, &Arc::new(View::new(view.clone())?))
            {
                Ok(()) => {}
                Err(error) if error.state == state::GROUPING_ERROR => broken.push(view),
                Err(error) => return Err(error),
            }
        }
        self.release(
            &broken,
            &format!("constraint {key} on table {}", table.name),
            cascade,
        )
    }

    /// ALTER VIEW, which may also be written ALTER TABLE.
    pub(super) fn alter_view(&mut self, id: TableId, operations: &[AlterTableOperation]) -> Result<Done> {
        for operation in operations {
            let Some(mut view) = self.stored().view(id)? else {
                return Err(SqlError::unsupported("ALTER of a view that is gone"));
            };
            match operation {
                AlterTableOperation::RenameTable {
                    table_name: RenameTableNameKind::To(new) | RenameTableNameKind::As(new),
                } => {
                    let new = checked(table_name(new)?)?;
                    self.catalog().put_name(&new, Named::View(id))?;
                    self.catalog().remove_name(&view.name)?;
                    view.name = new;
                }
                AlterTableOperation::RenameColumn {
                    old_column_name,
                    new_column_name,
                } => rename_column(&mut view, old_column_name, new_column_name)?,
                other => return Err(SqlError::unsupported(format!("ALTER VIEW … {other}"))),
            }
            self.catalog().put_view(&view)?;
        }
        Ok(Done::changed("ALTER VIEW"))
    }
}

fn rename_column(view: &mut StoredView, old: &Ident, new: &Ident) -> Result<()> {
    let (old, new) = (fold(old), new_name(new)?);
    if view.columns.iter().any(|(name, _)| *name == new) {
        let message = format!("column \"{new}\" of relation \"{}\" already exists", view.name);
        return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
    }
    match view.columns.iter_mut().find(|(name, _)| *name == old) {
        Some((name, _)) => *name = new,
        None => {
            let message = format!("column \"{old}\" does not exist");
            return Err(SqlError::new(state::UNDEFINED_COLUMN, message));
        }
    }
    Ok(())
}

/// The error for something that cannot go because views depend on it.
pub(super) fn needed(what: &str, details: &[String]) -> SqlError {
    let message = format!("cannot drop {what} because other objects depend on it");
    SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message)
        .detail(details.join("\n"))
        .hint("Use DROP ... CASCADE to drop the dependent objects too.")
}

/// What belongs to other dialects, or is not there yet, is refused rather than ignored.
fn refuse_options(create: &CreateView) -> Result<()> {
    let refused = [
        (create.materialized, "a materialized view"),
        (create.temporary, "a temporary view"),
        (create.if_not_exists, "CREATE VIEW IF NOT EXISTS"),
        (
            !matches!(create.options, CreateTableOptions::None),
            "an option of CREATE VIEW",
        ),
        (
            create.or_alter
                || create.secure
                || !create.cluster_by.is_empty()
                || create.comment.is_some()
                || create.with_no_schema_binding
                || create.copy_grants
                || create.to.is_some()
                || create.params.is_some(),
            "this form of CREATE VIEW",
        ),
    ];
    match refused.into_iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(SqlError::unsupported(what)),
        None => Ok(()),
    }
}

/// The columns under the names that the statement gives them; no name may come twice.
fn named_columns(
    mut columns: Vec<(String, crate::types::DataType)>,
    create: &CreateView,
) -> Result<Vec<(String, crate::types::DataType)>> {
    if create.columns.len() > columns.len() {
        let message = "CREATE VIEW specifies more column names than columns";
        return Err(SqlError::new(state::SYNTAX_ERROR, message));
    }
    if columns.len() > MAX_COLUMNS {
        let message = format!("views can have at most {MAX_COLUMNS} columns");
        return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message));
    }
    for ((name, _), given) in columns.iter_mut().zip(&create.columns) {
        if given.data_type.is_some() || given.options.is_some() {
            return Err(SqlError::unsupported("a type or an option of a view's column"));
        }
        *name = new_name(&given.name)?;
    }
    let mut seen = HashSet::new();
    match columns.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        Some((name, _)) => {
            let message = format!("column \"{name}\" specified more than once");
            Err(SqlError::new(state::DUPLICATE_COLUMN, message))
        }
        None => Ok(columns),
    }
}
