//! INSERT.

use super::expr::{place, unnested};
use super::modify::{Returning, assigned};
use super::names::{column_name, fold, start};
use super::scope::{Aggregates, Relation, Scope};
use super::subquery::shown_only;
use super::{Binder, Bound, bind_default};
use crate::catalog::{Index, Table};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{Logical, OutputColumn};
use crate::plan::physical::UniqueKey;
use crate::value::Value;
use sqlparser::ast::{
    self, ConflictTarget, Expr as Sql, Ident, Insert, OnConflictAction, OnInsert, SetExpr, TableObject,
};
use std::sync::Arc;

/// A bound INSERT.
pub(crate) struct Inserting {
    pub(crate) table: Arc<Table>,
    /// Produces exactly the table's columns, in order.
    pub(crate) source: Logical,
    pub(crate) on_conflict: Conflict,
    pub(crate) returning: Returning,
}

/// A bound ON CONFLICT.
pub(crate) enum Conflict {
    Fail,
    Nothing(Option<UniqueKey>),
    Update {
        target: UniqueKey,
        set: Vec<(usize, Expr)>,
        filter: Option<Expr>,
        /// What the expressions read: the columns of the row that is there, then those of the new one.
        row: Vec<OutputColumn>,
    },
}

impl Binder<'_> {
    pub(crate) fn insert(&mut self, insert: &Insert) -> Result<Inserting> {
        check_insert(insert)?;
        let TableObject::TableName(name) = &insert.table else {
            return Err(SqlError::unsupported("INSERT into something that is no table"));
        };
        let (table, _) = self.table(name)?;
        let targets = self.targets(&table, insert)?;
        let source = self.source(&table, &targets, insert)?;
        let alias = insert
            .table_alias
            .as_ref()
            .map_or_else(|| table.name.clone(), |a| fold(&a.alias));
        let on_conflict = match &insert.on {
            None => Conflict::Fail,
            Some(OnInsert::OnConflict(on)) => self.conflict(&table, &alias, on)?,
            Some(_) => return Err(SqlError::unsupported("ON DUPLICATE KEY UPDATE")),
        };
        let row = self.row_of(&table);
        let returning = self.returning(insert.returning.as_deref(), &alias, &table, row)?;
        Ok(Inserting {
            table,
            source,
            on_conflict,
            returning,
        })
    }

    /// The positions of the columns that the statement gives values for.
    fn targets(&self, table: &Table, insert: &Insert) -> Result<Vec<usize>> {
        if insert.columns.is_empty() {
            return Ok((0..table.columns.len()).collect());
        }
        let mut targets = Vec::with_capacity(insert.columns.len());
        for name in &insert.columns {
            let ident = column_name(name)?;
            let position = self.target(table, ident)?;
            if targets.contains(&position) {
                let message = format!("column \"{}\" specified more than once", fold(ident));
                return Err(self.at(SqlError::new(state::DUPLICATE_COLUMN, message), ident.span.start));
            }
            targets.push(position);
        }
        Ok(targets)
    }

    /// The position of a column that is assigned to.
    pub(super) fn target(&self, table: &Table, ident: &Ident) -> Result<usize> {
        let name = fold(ident);
        table.columns.iter().position(|c| c.name == name).ok_or_else(|| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", table.name);
            self.at(SqlError::new(state::UNDEFINED_COLUMN, message), ident.span.start)
        })
    }

    fn source(&mut self, table: &Table, targets: &[usize], insert: &Insert) -> Result<Logical> {
        let Some(query) = &insert.source else {
            return self.default_values(table);
        };
        let explicit = !insert.columns.is_empty();
        if let SetExpr::Values(values) = &*query.body
            && query.with.is_none()
            && query.order_by.is_none()
            && query.limit_clause.is_none()
            && query.fetch.is_none()
        {
            return self.insert_values(table, targets, values, explicit);
        }
        let bound = self.in_new_level(|b| b.query(query))?;
        self.check_width(
            bound.columns.len(),
            targets.len(),
            explicit,
            super::subquery::query_place(query),
        )?;
        self.insert_query(table, targets, bound, query)
    }

    fn check_width(
        &self,
        given: usize,
        targets: usize,
        explicit: bool,
        at: sqlparser::tokenizer::Location,
    ) -> Result<()> {
        if given > targets {
            return self.syntax("INSERT has more expressions than target columns", at);
        }
        if given < targets && explicit {
            return self.syntax("INSERT has more target columns than expressions", at);
        }
        Ok(())
    }

    fn default_values(&mut self, table: &Table) -> Result<Logical> {
        let row = self.defaults(table)?;
        let output = self.row_of(table);
        Ok(Logical::Values {
            rows: vec![row],
            output,
        })
    }

    /// The default of every column.
    fn defaults(&self, table: &Table) -> Result<Vec<Expr>> {
        let default = |column: &crate::catalog::TableColumn| match &column.default {
            Some(text) => bind_default(text, column.ty),
            None => Ok(Expr::Literal(Value::Null, column.ty)),
        };
        table.columns.iter().map(default).collect()
    }

    /// New ids for a table's columns.
    pub(super) fn row_of(&mut self, table: &Table) -> Vec<OutputColumn> {
        let columns = table.columns.iter();
        columns.map(|c| self.new_column(c.name.clone(), c.ty)).collect()
    }

    fn insert_values(
        &mut self,
        table: &Table,
        targets: &[usize],
        values: &ast::Values,
        explicit: bool,
    ) -> Result<Logical> {
        let defaults = self.defaults(table)?;
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let mut rows = Vec::with_capacity(values.rows.len());
        for parsed in &values.rows {
            let at = parsed
                .content
                .first()
                .map_or(sqlparser::tokenizer::Location::new(0, 0), place);
            if parsed.content.len() != width {
                return self.syntax("VALUES lists must all be the same length", at);
            }
            let place_of_extra = parsed.content.get(targets.len()).map_or(at, place);
            self.check_width(width, targets.len(), explicit, place_of_extra)?;
            let mut row = defaults.clone();
            for (sql, position) in parsed.content.iter().zip(targets) {
                if let Some(value) = self.cell(table, *position, sql, "VALUES")? {
                    row[*position] = value;
                }
            }
            rows.push(row);
        }
        let output = self.row_of(table);
        Ok(Logical::Values { rows, output })
    }

    /// A value for a column; `None` for the word DEFAULT.
    pub(super) fn cell(
        &mut self,
        table: &Table,
        position: usize,
        sql: &Sql,
        clause: &'static str,
    ) -> Result<Option<Expr>> {
        if is_default(sql) {
            return Ok(None);
        }
        let expr = self.with_aggregates(Aggregates::Refused(clause), |b| b.expr(sql))?;
        let column = &table.columns[position];
        assigned(self, expr, column, place(sql)).map(Some)
    }

    fn insert_query(
        &mut self,
        table: &Table,
        targets: &[usize],
        bound: Bound,
        query: &ast::Query,
    ) -> Result<Logical> {
        let at = super::subquery::query_place(query);
        let given = &targets[..bound.columns.len()];
        let types: Vec<_> = bound
            .columns
            .iter()
            .zip(given)
            .map(|(c, p)| {
                if c.ty == crate::types::DataType::Unknown {
                    table.columns[*p].ty.base()
                } else {
                    c.ty
                }
            })
            .collect();
        let bound = self.coerce_columns(bound, &types, crate::cast::Coercion::Assignment, at)?;
        let mut row = self.defaults(table)?;
        for (column, position) in bound.columns.iter().zip(given) {
            row[*position] = assigned(self, column.read(), &table.columns[*position], at)?;
        }
        let output = self.row_of(table);
        Ok(Logical::Project {
            input: Box::new(shown_only(bound)),
            columns: row.into_iter().zip(output).collect(),
        })
    }

    fn conflict(&mut self, table: &Arc<Table>, alias: &str, on: &ast::OnConflict) -> Result<Conflict> {
        let target = on
            .conflict_target
            .as_ref()
            .map(|t| self.conflict_key(table, t))
            .transpose()?;
        let update = match &on.action {
            OnConflictAction::DoNothing => return Ok(Conflict::Nothing(target)),
            OnConflictAction::DoUpdate(update) => update,
        };
        let Some(target) = target else {
            let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            return Err(
                SqlError::new(state::SYNTAX_ERROR, message).hint("For example, ON CONFLICT (column_name).")
            );
        };
        let (old, new) = (self.row_of(table), self.row_of(table));
        let row: Vec<OutputColumn> = old.iter().chain(&new).cloned().collect();
        let scope =
            Scope::of(relation(alias, old, table)).beside(Scope::of(relation("excluded", new, table)));
        let (set, filter) = self.in_new_level(|b| {
            b.select().scope = scope;
            let set = b.assignments(table, &update.assignments)?;
            let filter = update
                .selection
                .as_ref()
                .map(|sql| b.predicate(sql, "WHERE"))
                .transpose()?;
            Ok((set, filter))
        })?;
        Ok(Conflict::Update {
            target,
            set,
            filter,
            row,
        })
    }

    fn conflict_key(&self, table: &Table, target: &ConflictTarget) -> Result<UniqueKey> {
        match target {
            ConflictTarget::Columns(idents) => {
                let mut positions = Vec::with_capacity(idents.len());
                for ident in idents {
                    positions.push(self.target(table, ident)?);
                }
                unique_key(table, &positions).ok_or_else(|| {
                    let message =
                        "there is no unique or exclusion constraint matching the ON CONFLICT specification";
                    SqlError::new(state::INVALID_COLUMN_REFERENCE, message)
                })
            }
            ConflictTarget::OnConstraint(name) => {
                let folded = super::names::table_name(name)?;
                named_key(table, &folded).ok_or_else(|| {
                    let message = format!(
                        "constraint \"{folded}\" for table \"{}\" does not exist",
                        table.name
                    );
                    self.at(SqlError::new(state::UNDEFINED_OBJECT, message), start(name))
                })
            }
        }
    }
}

pub(super) fn relation(name: &str, columns: Vec<OutputColumn>, table: &Arc<Table>) -> Relation {
    Relation {
        name: name.to_owned(),
        columns,
        table: Some(Arc::clone(table)),
    }
}

/// The word DEFAULT in place of a value.
pub(super) fn is_default(sql: &Sql) -> bool {
    matches!(unnested(sql), Sql::Identifier(ident)
        if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}

fn same_columns(mut a: Vec<usize>, mut b: Vec<usize>) -> bool {
    a.sort_unstable();
    a.dedup();
    b.sort_unstable();
    a == b
}

/// The unique key over exactly these columns.
fn unique_key(table: &Table, positions: &[usize]) -> Option<UniqueKey> {
    let keyed = !table.primary_key.is_empty();
    if keyed && same_columns(positions.to_vec(), table.primary_key.clone()) {
        return Some(UniqueKey::Primary);
    }
    let columns = |index: &Index| index.columns.iter().map(|(p, _)| *p).collect::<Vec<_>>();
    let mut unique = table.indexes.iter().filter(|index| index.unique);
    let index = unique.find(|index| same_columns(positions.to_vec(), columns(index)))?;
    Some(UniqueKey::Index(Arc::clone(index)))
}

fn named_key(table: &Table, name: &str) -> Option<UniqueKey> {
    if !table.primary_key.is_empty() && name == table.primary_key_name {
        return Some(UniqueKey::Primary);
    }
    let mut unique = table.indexes.iter().filter(|index| index.unique);
    unique
        .find(|index| index.name == name)
        .map(|index| UniqueKey::Index(Arc::clone(index)))
}

/// Refuses the clauses of other systems that the grammar lets pass.
fn check_insert(insert: &Insert) -> Result<()> {
    let foreign = [
        (
            insert.or.is_some() || insert.replace_into || insert.ignore,
            "INSERT OR …, REPLACE and IGNORE",
        ),
        (
            insert.overwrite || insert.partitioned.is_some(),
            "INSERT OVERWRITE",
        ),
        (!insert.assignments.is_empty(), "INSERT … SET"),
        (
            insert.insert_alias.is_some() || insert.priority.is_some(),
            "MySQL's forms of INSERT",
        ),
        (
            insert.output.is_some() || insert.settings.is_some() || insert.format_clause.is_some(),
            "this form of INSERT",
        ),
        (
            insert.multi_table_insert_type.is_some(),
            "INSERT into several tables",
        ),
        (!insert.after_columns.is_empty(), "INSERT … PARTITION"),
    ];
    match foreign.iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(SqlError::unsupported(what)),
        None => Ok(()),
    }
}
