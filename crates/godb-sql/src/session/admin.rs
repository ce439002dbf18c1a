//! DDL and ANALYZE in a session; what tables there are.

use super::open::Open;
use super::rows::{Notice, StatementResult};
use super::{Session, Sql};
use crate::binder::Definition;
use crate::catalog::{Catalog, Schema, Stored, Table, View};
use crate::ddl::{Binding, Ddl, no_relation};
use crate::error::{Result, SqlError};
use crate::parser::Parsed;
use crate::plan::physical::QueryPlan;
use crate::plan::statement::{Planning, bind_copy_query, check_view, define_view};
use crate::types::DataType;
use godb_mvcc::{Begin, EngineTransaction, Range};
use sqlparser::ast::{self, Statement};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A table, for those who look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDescription {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnDescription>,
    /// The names of the columns of its primary key.
    pub primary_key: Vec<String>,
    /// Its indexes.
    pub indexes: Vec<IndexDescription>,
    /// Its checks: name and expression.
    pub checks: Vec<(String, String)>,
    /// Roughly how many rows it has.
    pub row_estimate: u64,
    /// The query, if it is a view.
    pub query: Option<String>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
    /// NULL is refused.
    pub not_null: bool,
    /// The text of its default.
    pub default: Option<String>,
}

/// An index of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDescription {
    /// Its name.
    pub name: String,
    /// The names of its columns, each with "descending".
    pub columns: Vec<(String, bool)>,
    /// Its values are unique.
    pub unique: bool,
    /// It stands for a constraint.
    pub constraint: bool,
}

impl Session {
    /// Runs DDL.
    pub(super) fn define(
        &mut self,
        open: &mut Open,
        statement: &Statement,
        parsed: &Parsed,
    ) -> Result<StatementResult> {
        super::execute::refuse_writing(open, &first_words(&parsed.text))?;
        let running = self.statement(&*open.tx, None, Arc::from([]));
        let binding = Binds {
            session: self,
            parsed,
        };
        let mut ddl = Ddl {
            tx: &mut *open.tx,
            isolation: open.how.isolation,
            engine: &self.sql.engine,
            cache: &self.sql.cache,
            statement: &running,
            numbers: &self.sql.numbers,
            own_tables: &mut open.own_tables,
            parsed,
            binding: &binding,
            passwords: self.sql.options.passwords.as_deref(),
        };
        let Some(done) = ddl.execute(statement)? else {
            return Err(SqlError::unsupported(first_words(&parsed.text)));
        };
        let mut result = StatementResult::done(done.tag);
        result.affected = done.rows;
        result.notice = done.notice.map(Notice::note);
        if done.changed {
            open.schema_changed();
        }
        Ok(result)
    }

    /// Counts the rows of some tables, or of all.
    pub(super) fn count_tables(&mut self, open: &mut Open, names: Option<Vec<String>>) -> Result<()> {
        let schema = open.schema(&self.sql, &mut self.known)?;
        let view = self.sql.cache.view(&schema, &*open.tx);
        let names = match names {
            Some(names) => names,
            None => view.tables()?,
        };
        for name in names {
            let table = view.table(&name)?.ok_or_else(|| no_relation(&name))?;
            let rows = count(&*open.tx, table.tree, || self.canceller.check())?;
            self.sql.counted(table.id, &name, rows);
        }
        Ok(())
    }
}

/// Binds the queries of a DDL statement over what its transaction has made of the schema.
struct Binds<'a> {
    session: &'a Session,
    parsed: &'a Parsed,
}

impl Binds<'_> {
    fn planning<T>(
        &self,
        tx: &dyn EngineTransaction,
        run: impl FnOnce(&Planning<'_>) -> Result<T>,
    ) -> Result<T> {
        let schema = Schema::new(None);
        let catalog = self.session.sql.cache.view(&schema, tx);
        run(&self.session.planning(&catalog, &[]))
    }
}

impl Binding for Binds<'_> {
    fn plan(&self, tx: &dyn EngineTransaction, query: &ast::Query) -> Result<QueryPlan> {
        self.planning(tx, |planning| bind_copy_query(query, self.parsed, planning))
    }

    fn define_view(&self, tx: &dyn EngineTransaction, query: &ast::Query) -> Result<Definition> {
        self.planning(tx, |planning| define_view(query, self.parsed, planning))
    }

    fn check_view(&self, tx: &dyn EngineTransaction, view: &Arc<View>) -> Result<()> {
        self.planning(tx, |planning| check_view(view, planning))
    }
}

/// The statement's first words in capitals, for messages about it.
fn first_words(text: &str) -> String {
    let words = text
        .split_whitespace()
        .filter(|word| word.chars().all(char::is_alphabetic));
    words.take(2).map(str::to_uppercase).collect::<Vec<_>>().join(" ")
}

pub(super) fn count(
    tx: &dyn EngineTransaction,
    tree: godb_mvcc::TreeId,
    check: impl Fn() -> Result<()>,
) -> Result<u64> {
    let mut rows = 0;
    let mut cursor = tx.scan(tree, Range::ALL)?;
    while cursor.next(&mut |_, _| {
        rows += 1;
        ControlFlow::Continue(())
    })? {
        check()?;
    }
    Ok(rows)
}

impl Sql {
    pub(super) fn reading<T>(
        &self,
        read: impl FnOnce(&dyn EngineTransaction, &dyn Catalog) -> Result<T>,
    ) -> Result<T> {
        let tx = self.engine.clone().begin(Begin {
            read_only: true,
            ..Begin::default()
        })?;
        let schema = self.cache.of(&*tx, &mut None)?;
        read(&*tx, &self.cache.view(&schema, &*tx))
    }

    /// The names of all tables, sorted.
    pub fn tables(&self) -> Result<Vec<String>> {
        self.reading(|_, catalog| catalog.tables())
    }

    /// The names of all views, sorted.
    pub fn views(&self) -> Result<Vec<String>> {
        let how = Begin {
            read_only: true,
            ..Begin::default()
        };
        let tx = self.engine.clone().begin(how)?;
        Stored::new(&*tx, self.engine.root()).view_names()
    }

    /// A table or view, by its name as the catalog has it.
    pub fn describe(&self, name: &str) -> Result<Option<TableDescription>> {
        self.reading(|_, catalog| match catalog.table(name)? {
            Some(table) => Ok(Some(describe(&table))),
            None => Ok(catalog.view(name)?.map(|view| describe_view(&view))),
        })
    }
}

fn describe(table: &Table) -> TableDescription {
    let name = |at: usize| table.columns[at].name.clone();
    TableDescription {
        name: table.name.clone(),
        columns: table
            .columns
            .iter()
            .map(|column| ColumnDescription {
                name: column.name.clone(),
                ty: column.ty,
                not_null: column.not_null,
                default: column.default.clone(),
            })
            .collect(),
        primary_key: table.primary_key.iter().map(|&at| name(at)).collect(),
        indexes: table
            .indexes
            .iter()
            .map(|index| IndexDescription {
                name: index.name.clone(),
                columns: index
                    .columns
                    .iter()
                    .map(|&(at, descending)| (name(at), descending))
                    .collect(),
                unique: index.unique,
                constraint: index.constraint,
            })
            .collect(),
        checks: table
            .checks
            .iter()
            .map(|check| (check.name.clone(), check.text.clone()))
            .collect(),
        row_estimate: table.row_estimate,
        query: None,
    }
}

fn describe_view(view: &View) -> TableDescription {
    let columns = view.columns.iter().map(|(name, ty)| ColumnDescription {
        name: name.clone(),
        ty: *ty,
        not_null: false,
        default: None,
    });
    TableDescription {
        name: view.name.clone(),
        columns: columns.collect(),
        primary_key: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        row_estimate: 0,
        query: Some(view.text.clone()),
    }
}
