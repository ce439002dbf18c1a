//! [`Session`]: SQL statement after statement, as a shell or a server runs them.

use crate::connection::Connection;
use crate::error::Result;
use crate::rows::Rows;
use godb_sql::{
    Canceller, CopyStream, DataType, Description, Identity, Notice, StatementResult, Timeouts, Timestamp,
    Value,
};
use std::io::{Read, Write};
use std::sync::Arc;

/// A sequence of SQL statements that share a transaction state: between `BEGIN` and `COMMIT` they belong together, outside
/// each stands alone. Dropping it rolls an open transaction back.
pub struct Session {
    inner: godb_sql::Session,
    connection: Arc<Connection>,
}

/// A statement that was prepared in a session. Cheap to clone; clones share the plan.
#[derive(Clone, Debug)]
pub struct Statement(godb_sql::Prepared);

impl Statement {
    /// Whether its text may hold a password, and must not be written to a log.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.0.is_secret()
    }

    /// Whether it ends at once by its nature: one row by its key, or something about the session. It neither waits for locks nor reads many pages.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        self.0.is_brief()
    }

    /// The direction of a COPY whose data the client sends or gets.
    #[must_use]
    pub fn copy_stream(&self) -> Option<CopyStream> {
        self.0.copy_stream()
    }

    /// How many parameters it has.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.0.parameter_count()
    }
}

/// What a statement gave.
pub struct Outcome {
    /// PostgreSQL's command tag: `INSERT 0 3`, `SELECT`, `CREATE TABLE`. A query's row count is known only when its rows are read.
    pub tag: String,
    /// What the user should be told besides.
    pub notice: Option<Notice>,
    /// How many rows it changed.
    pub affected: u64,
    /// The rows; none for a statement that returns none.
    pub rows: Rows,
}

impl Session {
    pub(crate) fn new(inner: godb_sql::Session, connection: Arc<Connection>) -> Self {
        Self { inner, connection }
    }

    /// Runs one statement. A query's rows are computed while they are read.
    pub fn run(&mut self, sql: &str, params: &[Value]) -> Result<Outcome> {
        let result = self.inner.execute(sql, params)?;
        Ok(self.outcome(result))
    }

    /// Prepares a statement to be run in this session, in its transaction if one is open. `types` are those of its parameters, as far as the client names them.
    pub fn prepare(&mut self, sql: &str, types: &[Option<DataType>]) -> Result<Statement> {
        Ok(Statement(self.inner.prepare_typed(sql, types)?))
    }

    /// What a prepared statement takes and gives, as the tables are now.
    pub fn describe(&mut self, statement: &Statement) -> Result<Description> {
        Ok(self.inner.describe(&statement.0)?)
    }

    /// Runs a prepared statement.
    pub fn run_prepared(&mut self, statement: &Statement, params: &[Value]) -> Result<Outcome> {
        let result = self.inner.execute_prepared(&statement.0, params)?;
        Ok(self.outcome(result))
    }

    /// Keeps a statement under a name, for `EXECUTE` and `DEALLOCATE` to reach: for a server, whose clients prepare statements by name.
    ///
    /// # Errors
    /// `42P05` when there is one of that name.
    pub fn keep(&mut self, name: &str, statement: Statement) -> Result<()> {
        Ok(self.inner.keep(name, statement.0)?)
    }

    /// The statement kept under a name, also by `PREPARE`.
    ///
    /// # Errors
    /// `26000` when there is none.
    pub fn kept(&self, name: &str) -> Result<Statement> {
        Ok(Statement(self.inner.kept(name)?))
    }

    /// Forgets the statement of that name, or with `None` all; tells whether there was one.
    pub fn forget(&mut self, name: Option<&str>) -> bool {
        self.inner.forget(name)
    }

    /// Whether the data of a COPY is binary, and how many columns it has.
    pub fn copy_shape(&mut self, sql: &str) -> Result<(bool, usize)> {
        Ok(self.inner.copy_shape(sql)?)
    }

    /// Runs `COPY … FROM STDIN` with the data that `input` gives.
    pub fn copy_in(&mut self, sql: &str, input: Box<dyn Read + Send>) -> Result<Outcome> {
        let result = self.inner.copy_in(sql, input)?;
        Ok(self.outcome(result))
    }

    /// Runs `COPY … TO STDOUT`; the data goes to `output`.
    pub fn copy_out(&mut self, sql: &str, output: Box<dyn Write + Send>) -> Result<Outcome> {
        let result = self.inner.copy_out(sql, output)?;
        Ok(self.outcome(result))
    }

    /// Begins a transaction as the session's settings say: for statements that belong together though nobody wrote BEGIN.
    ///
    /// # Errors
    /// `25001` when one is open.
    pub fn begin(&mut self) -> Result<()> {
        let how = self.inner.begin_as_set();
        Ok(self.inner.begin(how)?)
    }

    /// Begins a transaction around statements that came together though nobody wrote BEGIN. A BEGIN among them makes an ordinary one of it; a COMMIT ends it.
    ///
    /// # Errors
    /// `25001` when one is open.
    pub fn begin_implicit(&mut self) -> Result<()> {
        Ok(self.inner.begin_implicit()?)
    }

    /// A request outside of statements failed, such as to prepare one: the open transaction, if there is one, can only be rolled back.
    pub fn fail(&mut self) {
        self.inner.fail();
    }

    /// Whether the open transaction is one that nobody began.
    #[must_use]
    pub fn is_implicit(&self) -> bool {
        self.inner.is_implicit()
    }

    /// Commits the open transaction.
    ///
    /// # Errors
    /// `25P02` when a statement in it failed: it is rolled back then. `25P01` when none is open.
    pub fn commit(&mut self) -> Result<Timestamp> {
        Ok(self.inner.commit()?)
    }

    /// Rolls the open transaction back.
    pub fn roll_back(&mut self) -> Result<()> {
        Ok(self.inner.roll_back()?)
    }

    /// Says who uses the session, for `current_user`, `current_database()` and `pg_backend_pid()`.
    pub fn identify(&mut self, identity: Identity) {
        self.inner.identify(identity);
    }

    /// Who uses the session.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        self.inner.identity()
    }

    /// Makes a setting as a client asks for when it connects: `RESET` goes back to it.
    pub fn start_with(&mut self, setting: &str, value: &str) -> Result<()> {
        Ok(self.inner.start_with(setting, value)?)
    }

    /// The value of a setting, as `SHOW` shows it; `None` when there is none of that name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        self.inner.setting(name)
    }

    /// The settings of which PostgreSQL's protocol tells clients, with their values.
    #[must_use]
    pub fn reported_settings(&self) -> Vec<(&'static str, String)> {
        self.inner.reported_settings()
    }

    /// Counts up whenever a setting may have changed: then [`reported_settings`](Self::reported_settings) is worth looking at again.
    #[must_use]
    pub fn setting_changes(&self) -> u64 {
        self.inner.setting_changes()
    }

    /// The time limits that are set. Those of statements and locks are kept by the session itself; those of idleness are for a server to keep.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.inner.timeouts()
    }

    fn outcome(&self, result: StatementResult) -> Outcome {
        Outcome {
            tag: result.tag,
            notice: result.notice,
            affected: result.affected,
            rows: Rows::new(result.rows, self.connection.clone()),
        }
    }

    /// Ends the statement that runs now, from another thread or a signal handler.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.inner.canceller()
    }

    /// Calls `observer` with the progress of long statements: rows and bytes done by COPY, and all bytes where known; what VACUUM is doing.
    pub fn on_progress(&mut self, observer: impl Fn(godb_sql::Progress) + Send + 'static) {
        self.inner.on_progress(Box::new(observer));
    }

    /// Whether a transaction is open, and whether it has failed and can only be rolled back.
    #[must_use]
    pub fn transaction_state(&self) -> godb_sql::TransactionState {
        self.inner.transaction_state()
    }
}

#[cfg(test)]
mod tests;
