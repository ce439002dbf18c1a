//! UPDATE and DELETE, assignments and RETURNING.

use super::Binder;
use super::expr::{place, unnested};
use super::from::FromItem;
use super::insert::relation;
use super::names::{column_name, fold};
use super::scope::{Aggregates, Scope};
use crate::cast::{Coercion, can_cast};
use crate::catalog::{Table, TableColumn};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{Logical, OutputColumn, Projection};
use crate::plan::walk::columns_of;
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr as Sql, FromTable, SelectItem, TableFactor, TableWithJoins,
    Update, UpdateTableFromKind,
};
use sqlparser::tokenizer::Location;
use std::sync::Arc;

/// A bound UPDATE or DELETE.
pub(crate) struct Modifying {
    pub(crate) table: Arc<Table>,
    /// Produces the old row, its key, then for UPDATE the new values.
    pub(crate) source: Logical,
    /// The columns that UPDATE sets; `None` for DELETE.
    pub(crate) set: Option<Vec<usize>>,
    pub(crate) returning: Returning,
}

/// What RETURNING computes, over the changed row.
pub(crate) struct Returning {
    pub(crate) exprs: Vec<Expr>,
    pub(crate) names: Vec<String>,
    /// The row's columns.
    pub(crate) row: Vec<OutputColumn>,
}

/// The table that is changed, and its rows.
struct Target {
    table: Arc<Table>,
    alias: String,
    plan: Logical,
    row: Vec<OutputColumn>,
    key: OutputColumn,
}

impl Binder<'_> {
    pub(crate) fn update(&mut self, update: &Update) -> Result<Modifying> {
        if update.or.is_some()
            || update.output.is_some()
            || !update.order_by.is_empty()
            || update.limit.is_some()
        {
            return Err(SqlError::unsupported("this form of UPDATE"));
        }
        let mut target = self.changed_table(&update.table)?;
        let others = match &update.from {
            None => &[][..],
            Some(UpdateTableFromKind::AfterSet(tables)) => tables,
            Some(UpdateTableFromKind::BeforeSet(_)) => return Err(SqlError::unsupported("FROM before SET")),
        };
        let (plan, set) = self.in_new_level(|b| {
            let plan = b.rows_to_change(&mut target, others, update.selection.as_ref())?;
            let set = b.assignments(&target.table, &update.assignments)?;
            Ok((plan, set))
        })?;
        let (positions, values): (Vec<usize>, Vec<Expr>) = set.into_iter().unzip();
        let mut columns = old_row(&target);
        for (position, value) in positions.iter().zip(values) {
            let column = self.new_column(target.table.columns[*position].name.clone(), value.data_type());
            columns.push((value, column));
        }
        let source = Logical::Project {
            input: Box::new(plan),
            columns,
        };
        self.modifying(target, source, Some(positions), update.returning.as_deref())
    }

    pub(crate) fn delete(&mut self, delete: &Delete) -> Result<Modifying> {
        if delete.output.is_some()
            || !delete.order_by.is_empty()
            || delete.limit.is_some()
            || !delete.tables.is_empty()
        {
            return Err(SqlError::unsupported("this form of DELETE"));
        }
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let [table] = tables.as_slice() else {
            return Err(SqlError::unsupported("DELETE from several tables"));
        };
        let mut target = self.changed_table(table)?;
        let others = delete.using.as_deref().unwrap_or(&[]);
        let plan = self.in_new_level(|b| b.rows_to_change(&mut target, others, delete.selection.as_ref()))?;
        let source = Logical::Project {
            input: Box::new(plan),
            columns: old_row(&target),
        };
        self.modifying(target, source, None, delete.returning.as_deref())
    }

    fn modifying(
        &mut self,
        target: Target,
        source: Logical,
        set: Option<Vec<usize>>,
        returning: Option<&[SelectItem]>,
    ) -> Result<Modifying> {
        let returning = self.returning(returning, &target.alias, &target.table, target.row)?;
        Ok(Modifying {
            table: target.table,
            source,
            set,
            returning,
        })
    }

    fn changed_table(&mut self, table: &TableWithJoins) -> Result<Target> {
        let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = &table.relation
        else {
            return Err(SqlError::unsupported("changing something that is no table"));
        };
        if !table.joins.is_empty() {
            return Err(SqlError::unsupported("a join as the table to change"));
        }
        let (table, moment) = self.table(name)?;
        if moment.is_some() {
            return Err(SqlError::new(
                state::READ_ONLY_SQL_TRANSACTION,
                "the past cannot be changed",
            ));
        }
        let alias = alias
            .as_ref()
            .map_or_else(|| table.name.clone(), |alias| fold(&alias.name));
        let plan = self.scan(&table, alias.clone(), None, true);
        let mut row: Vec<OutputColumn> = plan.output().into_iter().cloned().collect();
        let key = row.pop().expect("the scan was asked for the key");
        Ok(Target {
            table,
            alias,
            plan,
            row,
            key,
        })
    }

    /// The rows of the table, joined with the others, that the condition holds for. A row may come several times; it is changed once.
    fn rows_to_change(
        &mut self,
        target: &mut Target,
        others: &[TableWithJoins],
        condition: Option<&Sql>,
    ) -> Result<Logical> {
        let scope = Scope::of(relation(&target.alias, target.row.clone(), &target.table));
        let mut item = FromItem {
            plan: target.plan.take(),
            scope,
        };
        for table in others {
            let other = self.table_with_joins(table, None)?;
            item = self.cross(item, other)?;
        }
        self.select().scope = item.scope;
        let mut plan = item.plan;
        if let Some(sql) = condition {
            let predicate = self.predicate(sql, "WHERE")?;
            plan = Logical::Filter {
                input: Box::new(plan),
                predicate,
            };
        }
        Ok(plan)
    }

    /// The assignments of SET, as positions and values cast to the columns' types.
    pub(super) fn assignments(
        &mut self,
        table: &Table,
        assignments: &[Assignment],
    ) -> Result<Vec<(usize, Expr)>> {
        let mut set: Vec<(usize, Expr)> = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            for (ident, sql) in self.pairs(assignment)? {
                let position = self.target(table, ident)?;
                if set.iter().any(|(known, _)| *known == position) {
                    let message = format!("multiple assignments to same column \"{}\"", fold(ident));
                    return Err(self.at(SqlError::new(state::SYNTAX_ERROR, message), ident.span.start));
                }
                let value = match self.cell(table, position, sql, "UPDATE")? {
                    Some(value) => value,
                    None => default_of(&table.columns[position])?,
                };
                set.push((position, value));
            }
        }
        Ok(set)
    }

    /// `(a, b) = (1, 2)` as two assignments.
    fn pairs<'s>(&self, assignment: &'s Assignment) -> Result<Vec<(&'s sqlparser::ast::Ident, &'s Sql)>> {
        let names = match &assignment.target {
            AssignmentTarget::ColumnName(name) => return Ok(vec![(column_name(name)?, &assignment.value)]),
            AssignmentTarget::Tuple(names) => names,
        };
        let values: Vec<&Sql> = match unnested(&assignment.value) {
            Sql::Tuple(values) => values.iter().collect(),
            Sql::Subquery(_) => return self.refuse("assigning a subquery's row", place(&assignment.value)),
            single => vec![single],
        };
        if values.len() != names.len() {
            let message = "number of columns does not match number of values";
            return self.syntax(message, place(&assignment.value));
        }
        let columns = names.iter().map(column_name).collect::<Result<Vec<_>>>()?;
        Ok(columns.into_iter().zip(values).collect())
    }

    /// RETURNING, over a row of the table.
    pub(super) fn returning(
        &mut self,
        items: Option<&[SelectItem]>,
        alias: &str,
        table: &Arc<Table>,
        row: Vec<OutputColumn>,
    ) -> Result<Returning> {
        let Some(items) = items else {
            return Ok(Returning {
                exprs: Vec::new(),
                names: Vec::new(),
                row,
            });
        };
        let scope = Scope::of(relation(alias, row.clone(), table));
        let list = self.in_new_level(|b| {
            b.select().scope = scope;
            b.select().aggregates = Aggregates::Refused("RETURNING");
            b.select_list(items)
        })?;
        let own = row.iter().map(|c| c.id).collect();
        let (mut exprs, mut names) = (Vec::with_capacity(list.len()), Vec::with_capacity(list.len()));
        for item in list {
            if !columns_of(&item.expr).is_subset(&own) {
                return Err(SqlError::unsupported("RETURNING of another table's columns"));
            }
            exprs.push(self.known(item.expr)?);
            names.push(item.name);
        }
        Ok(Returning { exprs, names, row })
    }
}

fn old_row(target: &Target) -> Vec<Projection> {
    let columns = target.row.iter().chain(std::iter::once(&target.key));
    columns.map(|c| (c.read(), c.clone())).collect()
}

fn default_of(column: &TableColumn) -> Result<Expr> {
    match &column.default {
        Some(text) => super::bind_default(text, column.ty),
        None => Ok(Expr::Literal(Value::Null, column.ty)),
    }
}

/// A value as a column takes it.
pub(super) fn assigned(
    binder: &mut Binder<'_>,
    expr: Expr,
    column: &TableColumn,
    at: Location,
) -> Result<Expr> {
    let from = expr.data_type();
    if from != DataType::Unknown && from != column.ty && !can_cast(from, column.ty, Coercion::Assignment) {
        let message = format!(
            "column \"{}\" is of type {} but expression is of type {}",
            column.name,
            column.ty.base(),
            from.base()
        );
        let error = SqlError::new(state::DATATYPE_MISMATCH, message)
            .hint("You will need to rewrite or cast the expression.");
        return Err(binder.at(error, at));
    }
    binder.coerce(expr, column.ty, Coercion::Assignment, at)
}
