//! CREATE TABLE, also AS a query.

use super::column::{Constraint, Defined, define, table_constraint};
use super::constraint::key_positions;
use super::names::{checked, new_name};
use super::{Ddl, Done, exists_already, table_name};
use crate::catalog::{Named, Table, TableColumn};
use crate::dml::TableWriter;
use crate::error::{Result, SqlError, state};
use crate::executor::build;
use crate::plan::physical::QueryPlan;
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{CreateTable, Query};
use std::sync::Arc;

/// PostgreSQL's limit; a row's codes stay small.
const MAX_COLUMNS: usize = 1600;

impl Ddl<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) -> Result<Done> {
        refuse_options(create)?;
        super::options::check_options(&create.table_options)?;
        let name = checked(table_name(&create.name)?)?;
        let tag = if create.query.is_some() {
            "CREATE TABLE AS"
        } else {
            "CREATE TABLE"
        };
        if create.if_not_exists && self.stored().named(&name)?.is_some() {
            return Ok(Done::nothing(tag, exists_already(&name)));
        }
        match &create.query {
            Some(query) => self.create_as(create, &name, query),
            None => {
                let (columns, constraints) = definitions(create)?;
                self.create(&name, columns, constraints)?;
                let mut done = Done::changed(tag);
                // Less would be kept than was asked for the other way round; this way more is.
                done.notice = create.unlogged.then(|| {
                    format!("table \"{name}\" is logged like any other, though it was made UNLOGGED")
                });
                Ok(done)
            }
        }
    }

    /// Makes a table.
    fn create(
        &mut self,
        name: &str,
        columns: Vec<TableColumn>,
        mut constraints: Vec<Constraint>,
    ) -> Result<Arc<Table>> {
        if columns.len() > MAX_COLUMNS {
            let message = format!("tables can have at most {MAX_COLUMNS} columns");
            return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message));
        }
        let id = self.catalog().new_table_id()?;
        self.catalog().put_name(name, Named::Table(id))?;
        let tree = self.tx.create_tree()?;
        let key = take_primary_key(name, &mut constraints)?;
        let mut table = Table::new(id, name, tree, columns, Vec::new());
        if let Some((key_name, columns)) = key {
            table.primary_key = key_positions(&table, &columns)?;
            table
                .primary_key
                .iter()
                .for_each(|&at| table.columns[at].not_null = true);
            table.primary_key_name = match key_name {
                Some(name) => name,
                None => self.free_name(&table.primary_key_name, &[])?,
            };
            let named = table.primary_key_name.clone();
            self.catalog().put_name(&named, Named::Index(id))?;
        }
        self.add_constraints(&mut table, constraints, false)?;
        self.catalog().put_table(&table)?;
        self.own_tables.insert(id);
        Ok(Arc::new(table))
    }

    fn create_as(&mut self, create: &CreateTable, name: &str, query: &Query) -> Result<Done> {
        let plan = self.binding.plan(&*self.tx, query)?;
        let columns = columns_of(&plan, create)?;
        let table = self.create(name, columns, Vec::new())?;
        let mut operator = build(&plan.root, self.statement);
        let mut writer = TableWriter::new(&table, self.numbers, self.engine.max_key());
        let mut rows = 0;
        while let Some(batch) = operator.next(&self.run())? {
            writer.insert_all(self.tx, &batch.columns, batch.rows)?;
            rows += batch.rows as u64;
        }
        Ok(Done {
            tag: format!("SELECT {rows}"),
            changed: true,
            rows,
            notice: None,
        })
    }
}

/// What belongs to other dialects, or is not there yet, is refused rather than ignored.
fn refuse_options(create: &CreateTable) -> Result<()> {
    let refused = [
        (create.or_replace, "CREATE OR REPLACE TABLE"),
        (create.temporary, "a temporary table"),
        (create.external, "an external table"),
        (
            create.transient || create.volatile || create.iceberg || create.dynamic,
            "this kind of table",
        ),
        (create.on_commit.is_some(), "ON COMMIT"),
        (
            create.like.is_some() || create.clone.is_some(),
            "CREATE TABLE LIKE",
        ),
        (create.inherits.is_some(), "INHERITS"),
        (
            create.partition_by.is_some() || create.partition_of.is_some(),
            "a partitioned table",
        ),
        (create.without_rowid || create.strict, "a table option"),
        (
            create.order_by.is_some() || create.primary_key.is_some(),
            "a table option",
        ),
        (
            create.cluster_by.is_some() || create.clustered_by.is_some(),
            "a table option",
        ),
        (
            create.comment.is_some() || create.on_cluster.is_some(),
            "a table option",
        ),
    ];
    match refused.iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(SqlError::unsupported(what)),
        None => Ok(()),
    }
}

/// The columns and constraints as written.
fn definitions(create: &CreateTable) -> Result<(Vec<TableColumn>, Vec<Constraint>)> {
    let mut columns: Vec<TableColumn> = Vec::new();
    let mut constraints = Vec::new();
    for definition in &create.columns {
        let Defined {
            column,
            constraints: own,
        } = define(definition)?;
        if columns.iter().any(|other| other.name == column.name) {
            let message = format!("column \"{}\" specified more than once", column.name);
            return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
        }
        columns.push(column);
        constraints.extend(own);
    }
    for constraint in &create.constraints {
        constraints.push(table_constraint(constraint)?);
    }
    Ok((columns, constraints))
}

type Key = (Option<String>, Vec<String>);

/// Takes the primary key out of the constraints.
fn take_primary_key(table: &str, constraints: &mut Vec<Constraint>) -> Result<Option<Key>> {
    let mut key = None;
    for at in (0..constraints.len()).rev() {
        if matches!(constraints[at], Constraint::PrimaryKey { .. })
            && let Constraint::PrimaryKey { name, columns } = constraints.remove(at)
            && key.replace((name, columns)).is_some()
        {
            let message = format!("multiple primary keys for table \"{table}\" are not allowed");
            return Err(SqlError::new(state::INVALID_TABLE_DEFINITION, message));
        }
    }
    Ok(key)
}

/// The columns of a table made from a query, with names given or its own.
fn columns_of(plan: &QueryPlan, create: &CreateTable) -> Result<Vec<TableColumn>> {
    if create.columns.len() > plan.names.len() {
        return Err(SqlError::new(
            state::SYNTAX_ERROR,
            "too many column names were specified",
        ));
    }
    let mut columns: Vec<TableColumn> = Vec::new();
    for (at, (name, ty)) in plan.names.iter().zip(&plan.root.types).enumerate() {
        let name = match create.columns.get(at) {
            Some(given) => new_name(&given.name)?,
            None => name.clone(),
        };
        if columns.iter().any(|other| other.name == name) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(SqlError::new(state::DUPLICATE_COLUMN, message));
        }
        let ty = if *ty == DataType::Unknown {
            DataType::Text
        } else {
            *ty
        };
        super::column::refuse_array(ty)?;
        columns.push(TableColumn {
            id: 0,
            name,
            ty,
            not_null: false,
            default: None,
            missing: Value::Null,
        });
    }
    Ok(columns)
}
