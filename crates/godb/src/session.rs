//! [`Session`]: SQL statement after statement, as a shell or a server runs them.

use crate::connection::Connection;
use crate::error::Result;
use crate::rows::Rows;
use godb_sql::{Canceller, Value};
use std::sync::Arc;

/// A sequence of SQL statements that share a transaction state: between `BEGIN` and `COMMIT` they belong together, outside
/// each stands alone. Dropping it rolls an open transaction back.
pub struct Session {
    inner: godb_sql::Session,
    connection: Arc<Connection>,
}

/// What a statement gave.
pub struct Outcome {
    /// PostgreSQL's command tag: `INSERT 0 3`, `SELECT`, `CREATE TABLE`. A query's row count is known only when its rows are read.
    pub tag: String,
    /// What the user should be told besides.
    pub notice: Option<String>,
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
        Ok(Outcome {
            tag: result.tag,
            notice: result.notice,
            rows: Rows::new(result.rows, self.connection.clone()),
        })
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
