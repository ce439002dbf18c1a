//! [`Engine`]: the one place in this program that names the database.
//!
//! What the rest sees is plain: a [`Reply`] of texts, a [`Failure`] with its fields, a [`Table`](crate::schema::Table).

use std::path::Path;
use std::time::Duration;

use godb::{
    Canceller, CheckReport, Config, DataType, Database, Error, RepairReport, RepairTo, Row, Rows,
    SalvageReport, Session,
};

use crate::problem::{Failure, Problem};
use crate::schema::{self, Table};

/// The name of the database that is no file.
pub(crate) const MEMORY: &str = ":memory:";

/// An open database and a session on it.
pub(crate) struct Engine {
    session: Session,
    database: Database,
}

/// A column of a reply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What matters of a type for showing a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Boolean,
    Text,
}

/// A value as text; nothing for NULL.
pub(crate) type Cell = Option<String>;

/// What a statement gave. Rows are computed while they are read.
pub(crate) struct Reply<'a> {
    /// PostgreSQL's command tag, like `INSERT 0 3`.
    pub(crate) tag: String,
    /// Empty for a statement that returns no rows.
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Box<dyn Iterator<Item = Result<Vec<Cell>, Box<Failure>>> + 'a>,
}

/// How the session's transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionState {
    None,
    Open,
    Failed,
}

impl Engine {
    /// Opens a database; creates the file when it is not there.
    pub(crate) fn open(file: &Path, retention: Duration) -> Result<Self, Problem> {
        let config = Config {
            retention,
            ..Config::default()
        };
        let database = if file == Path::new(MEMORY) {
            Database::in_memory_with(config)
        } else {
            Database::open_with(file, config)
        };
        let database = database.map_err(|error| opening(file, &error))?;
        let session = database.session().map_err(|error| opening(file, &error))?;
        Ok(Self { session, database })
    }

    /// Runs one statement.
    pub(crate) fn run<'a>(&'a mut self, sql: &'a str) -> Result<Reply<'a>, Box<Failure>> {
        let outcome = self.session.run(sql, &[]).map_err(|error| failure(&error, sql))?;
        let columns = columns(&outcome.rows);
        Ok(Reply {
            tag: outcome.tag,
            columns,
            rows: Box::new(
                outcome
                    .rows
                    .map(move |row| row.map(|row| cells(&row)).map_err(|error| failure(&error, sql))),
            ),
        })
    }

    /// Calls `observer` with the progress of long statements.
    pub(crate) fn on_progress(&mut self, observer: impl Fn(godb::Progress) + Send + 'static) {
        self.session.on_progress(observer);
    }

    /// Ends the running statement, from another thread.
    pub(crate) fn canceller(&self) -> Canceller {
        self.session.canceller()
    }

    /// How the transaction stands.
    pub(crate) fn transaction(&self) -> TransactionState {
        match self.session.transaction_state() {
            godb::TransactionState::Idle => TransactionState::None,
            godb::TransactionState::Open => TransactionState::Open,
            godb::TransactionState::Failed => TransactionState::Failed,
        }
    }

    /// The tables, in order of their names.
    pub(crate) fn tables(&mut self) -> Result<Vec<Table>, Problem> {
        let names = self.database.tables().map_err(|error| failure(&error, ""))?;
        let mut tables = Vec::with_capacity(names.len());
        for name in names {
            let described = self
                .database
                .describe(&name)
                .map_err(|error| failure(&error, ""))?;
            tables.extend(described.iter().map(schema::describe));
        }
        Ok(tables)
    }

    /// Closes the database and tells how that went.
    pub(crate) fn close(self) -> Result<(), Problem> {
        drop(self.session);
        self.database.close().map_err(|error| failure(&error, "").into())
    }
}

/// What the check of a database file looked at and found.
pub(crate) fn check(file: &Path) -> Result<CheckReport, Problem> {
    Database::check_file(file).map_err(|error| opening(file, &error))
}

/// Repairs a database file: in its place, or into another.
pub(crate) fn repair(file: &Path, output: Option<&Path>) -> Result<RepairReport, Problem> {
    let to = match output {
        Some(output) => RepairTo::Copy(output.to_owned()),
        None => RepairTo::InPlace,
    };
    Database::repair(file, &to).map_err(|error| failure(&error, "").into())
}

/// Copies the rows of a broken file into a new one.
pub(crate) fn salvage(file: &Path, output: &Path) -> Result<SalvageReport, Problem> {
    Database::salvage(file, output).map_err(|error| opening(file, &error))
}

pub(crate) fn opening(file: &Path, error: &Error) -> Problem {
    let mut failure = failure(error, "");
    failure.message = format!("opening {}: {}", file.display(), failure.message);
    failure.into()
}

/// An error of the database as its fields.
pub(crate) fn failure(error: &Error, statement: &str) -> Box<Failure> {
    Box::new(Failure {
        message: error.to_string(),
        sqlstate: error.sqlstate().to_owned(),
        position: error.position(),
        detail: error.detail().map(str::to_owned),
        hint: error.hint().map(str::to_owned),
        context: error.context().map(str::to_owned),
        statement: statement.to_owned(),
    })
}

/// The columns of a result.
pub(crate) fn columns(rows: &Rows) -> Vec<Column> {
    rows.columns().iter().map(column).collect()
}

fn column(column: &godb::Column) -> Column {
    let kind = match column.ty {
        DataType::Bool => Kind::Boolean,
        ty if ty.is_numeric() => Kind::Number,
        _ => Kind::Text,
    };
    Column {
        name: column.name.clone(),
        kind,
    }
}

fn cells(row: &Row) -> Vec<Cell> {
    (0..row.columns().len()).map(|at| row.text(at)).collect()
}

/// All rows of a result as texts.
pub(crate) fn collect(rows: Rows) -> Result<Vec<Vec<Cell>>, Problem> {
    rows.map(|row| {
        row.map(|row| cells(&row))
            .map_err(|error| failure(&error, "").into())
    })
    .collect()
}

/// A column of texts that no statement gave.
pub(crate) fn text_column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        kind: Kind::Text,
    }
}
