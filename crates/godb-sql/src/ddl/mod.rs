//! CREATE, ALTER, DROP, TRUNCATE: statements that change what tables there are.
//!
//! DDL is transactional: descriptions and trees are made and dropped in the statement's transaction and roll back with it.
//! Each statement first takes the catalog's lock, so two never interleave, and an exclusive lock on every table it
//! alters. A transaction that writes rows holds that lock shared until its end, so that whoever builds an index or checks a constraint sees
//! every row there will be: its snapshot is taken anew once it has the lock.
//!
//! Adding, dropping and renaming a column touches no row. A constraint that is added is checked against the rows that are there.

mod alter;
mod alter_column;
mod build_index;
mod column;
mod constraint;
mod create_table;
mod drop;
mod index;
mod names;
mod options;
mod rename;
mod rewrite;
mod role;
mod scan_table;
mod view;

pub(crate) use names::{fold, table_name};
pub use role::Passwords;
pub(crate) use scan_table::TableScan;

use crate::binder::Definition;
use crate::catalog::{Catalog, Schema, SchemaCache, Stored, StoredMut, Table, TableId, View};
use crate::dml::RowNumbers;
use crate::error::{Result, SqlError, state};
use crate::executor::{Run, Statement};
use crate::parser::Parsed;
use crate::plan::physical::QueryPlan;
use godb_mvcc::{EngineTransaction, Isolation, StorageEngine, Strength};
use sqlparser::ast::{self, ObjectName};
use std::collections::HashSet;
use std::sync::Arc;

/// Binds queries in DDL over the catalog that a transaction sees.
pub(crate) trait Binding {
    /// The plan of a query, for CREATE TABLE AS.
    fn plan(&self, tx: &dyn EngineTransaction, query: &ast::Query) -> Result<QueryPlan>;
    /// Binds the query of CREATE VIEW.
    fn define_view(&self, tx: &dyn EngineTransaction, query: &ast::Query) -> Result<Definition>;
    /// Binds a view that is there.
    fn check_view(&self, tx: &dyn EngineTransaction, view: &Arc<View>) -> Result<()>;
}

/// What a DDL statement works with.
pub(crate) struct Ddl<'a> {
    /// The transaction.
    pub(crate) tx: &'a mut dyn EngineTransaction,
    /// What it sees of the others.
    pub(crate) isolation: Isolation,
    /// The engine.
    pub(crate) engine: &'a Arc<dyn StorageEngine>,
    /// Descriptions of tables.
    pub(crate) cache: &'a SchemaCache,
    /// The running statement.
    pub(crate) statement: &'a Statement,
    /// Numbers for rows.
    pub(crate) numbers: &'a Arc<RowNumbers>,
    /// Tables made in this transaction: nobody else has rows in them.
    pub(crate) own_tables: &'a mut HashSet<TableId>,
    /// The statement as it was written.
    pub(crate) parsed: &'a Parsed,
    /// Binds the queries in it.
    pub(crate) binding: &'a dyn Binding,
    /// Makes verifiers of passwords, where there is somebody who can.
    pub(crate) passwords: Option<&'a dyn Passwords>,
}

/// What a DDL statement did.
pub(crate) struct Done {
    /// PostgreSQL's command tag.
    pub(crate) tag: String,
    /// Whether the schema is another now.
    pub(crate) changed: bool,
    /// Rows written by CREATE TABLE AS.
    pub(crate) rows: u64,
    /// What the user should be told.
    pub(crate) notice: Option<String>,
}

impl Done {
    fn changed(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            changed: true,
            rows: 0,
            notice: None,
        }
    }

    fn nothing(tag: &str, notice: Option<String>) -> Self {
        Self {
            tag: tag.to_owned(),
            changed: false,
            rows: 0,
            notice,
        }
    }
}

impl Ddl<'_> {
    /// Runs a statement, if it is one of DDL.
    pub(crate) fn execute(&mut self, statement: &ast::Statement) -> Result<Option<Done>> {
        if let Some(role) = &self.parsed.role {
            return self.locked(|ddl| ddl.role_statement(role)).map(Some);
        }
        let done = match statement {
            ast::Statement::CreateTable(create) => self.locked(|ddl| ddl.create_table(create))?,
            ast::Statement::CreateIndex(create) => self.locked(|ddl| ddl.create_index(create))?,
            ast::Statement::AlterTable(alter) => self.locked(|ddl| ddl.alter_table(alter))?,
            ast::Statement::AlterIndex { name, operation } => {
                self.locked(|ddl| ddl.alter_index(name, operation))?
            }
            ast::Statement::CreateView(create) => self.locked(|ddl| ddl.create_view(create))?,
            ast::Statement::Drop { .. } => self.locked(|ddl| ddl.drop_objects(statement))?,
            ast::Statement::Truncate(truncate) => self.locked(|ddl| ddl.truncate(truncate))?,
            _ => return Ok(None),
        };
        if done.changed {
            self.catalog().raise_version()?;
        }
        Ok(Some(done))
    }

    fn locked(&mut self, run: impl FnOnce(&mut Self) -> Result<Done>) -> Result<Done> {
        self.catalog().lock()?;
        run(self)
    }

    pub(super) fn catalog(&mut self) -> StoredMut<'_> {
        StoredMut::new(&mut *self.tx, self.engine.root())
    }

    pub(super) fn stored(&self) -> Stored<'_> {
        Stored::new(&*self.tx, self.engine.root())
    }

    pub(super) fn run(&self) -> Run<'_> {
        Run::new(&*self.tx, self.statement)
    }

    /// The table of that name, if there is one.
    pub(super) fn find(&self, name: &str) -> Result<Option<Arc<Table>>> {
        let schema = Schema::new(None);
        self.cache.view(&schema, &*self.tx).table(name)
    }

    /// The table of that name.
    pub(super) fn table(&self, name: &ObjectName) -> Result<Arc<Table>> {
        let name = table_name(name)?;
        match self.find(&name)? {
            Some(table) => Ok(table),
            None => Err(self.no_table(&name)?),
        }
    }

    /// The error for a name that is no table's.
    pub(super) fn no_table(&self, name: &str) -> Result<SqlError> {
        let there = self.stored().named(name)?.is_some();
        Ok(if there {
            not_a_table(name)
        } else {
            no_relation(name)
        })
    }

    /// Keeps everyone else away from the table, and sees all that was written to it before.
    pub(super) fn take_over(&mut self, table: &Table) -> Result<()> {
        if self.own_tables.contains(&table.id) {
            return Ok(());
        }
        self.catalog().lock_table(table.id, Strength::Exclusive)?;
        if self.isolation == Isolation::ReadCommitted {
            return Ok(self.tx.next_statement()?);
        }
        if self.engine.now() > self.tx.snapshot() {
            return Err(SqlError::from(godb_mvcc::Error::Conflict)
                .detail(
                    "Others have committed since this transaction began, and it could miss rows of theirs.",
                )
                .hint("Run the statement by itself, or in a transaction that is READ COMMITTED."));
        }
        Ok(())
    }

    /// A new name for a constraint or index: the given one, or with a number behind it where that is taken.
    pub(super) fn free_name(&self, wanted: &str, taken: &[String]) -> Result<String> {
        for number in 0_u32.. {
            let name = if number == 0 {
                wanted.to_owned()
            } else {
                format!("{wanted}{number}")
            };
            if !taken.contains(&name) && self.stored().named(&name)?.is_none() {
                return Ok(name);
            }
        }
        unreachable!("there are more numbers than names")
    }
}

/// The error for something that is there, but no table.
pub(crate) fn not_a_table(name: &str) -> SqlError {
    SqlError::new(state::WRONG_OBJECT_TYPE, format!("\"{name}\" is not a table"))
}

/// That something is there already.
fn exists_already(name: &str) -> Option<String> {
    Some(format!("relation \"{name}\" already exists, skipping"))
}

/// The error for a table that is not there.
pub(crate) fn no_relation(name: &str) -> SqlError {
    SqlError::new(
        state::UNDEFINED_TABLE,
        format!("relation \"{name}\" does not exist"),
    )
}
