//! [`Prepared`]: a statement that is planned once and run many times.

use crate::connection::Connection;
use crate::error::Result;
use crate::rows::Rows;
use godb_sql::{Session, Value};
use std::sync::Arc;

/// A prepared statement. Each run is a transaction of its own; the plan is made again when the tables change.
pub struct Prepared {
    session: Session,
    statement: godb_sql::Prepared,
    connection: Arc<Connection>,
}

impl Prepared {
    pub(crate) fn new(mut session: Session, sql: &str, connection: Arc<Connection>) -> Result<Self> {
        let statement = session.prepare(sql)?;
        Ok(Self {
            session,
            statement,
            connection,
        })
    }

    /// Runs it as a query.
    pub fn query(&mut self, params: &[Value]) -> Result<Rows> {
        let result = self.session.execute_prepared(&self.statement, params)?;
        Ok(Rows::new(result.rows, self.connection.clone()))
    }

    /// Runs it; returns how many rows it changed.
    pub fn execute(&mut self, params: &[Value]) -> Result<u64> {
        Ok(self.session.execute_prepared(&self.statement, params)?.finish()?)
    }
}
