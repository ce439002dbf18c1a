//! From SQL text to results: [`Sql`], one for a database, and [`Session`], one for whoever talks to it.
//!
//! A session runs one statement after the other. Between BEGIN and COMMIT they share a transaction; outside, each has its own.
//! A statement is atomic either way: in a transaction it begins with a savepoint and returns to it when it fails.
//! As in PostgreSQL a failed statement leaves an explicit transaction in a state in which only rolling back is possible, so that a script
//! cannot go on as if nothing had happened.
//!
//! **Conflicts.** Another transaction may have changed a row after this one's snapshot was taken. Under read committed the
//! statement is undone and run again with a new snapshot; it keeps the lock it waited for, so it gets further each time. A
//! statement that is a transaction by itself behaves so under every isolation level, except that under serializable it begins a new
//! transaction. Otherwise the conflict is the answer.
//!
//! **Queries** outside a transaction are run while their rows are read ([`Rows`]). Plans are cached by the statement's text and looked up again
//! as long as the schema and the rough sizes of tables stay. A lookup of one row by its primary key does not
//! even start an operator ([`point`]).

mod admin;
mod adopt;
mod cache;
mod check;
mod control;
mod copying;
mod execute;
mod explaining;
mod locking;
mod open;
mod parameters;
mod plan;
mod point;
mod rows;
mod settings;
mod sql;
mod vacuum;
mod variables;

pub use admin::{ColumnDescription, IndexDescription, TableDescription};
pub use adopt::{Adopted, AdoptedTable};
pub use check::{IndexMended, TableCheck, TableProblem, TreeUse};
pub use plan::{Description, Prepared};
pub use rows::{ResultColumn, Rows, StatementResult};
pub use sql::{Sql, SqlOptions};

use crate::catalog::Known;
use crate::context::Canceller;
use crate::copy::Progress;
use crate::error::{Result, SqlError, state};
use crate::types::DataType;
use crate::value::Value;
use godb_mvcc::{Begin, EngineSavepoint, EngineTransaction, Isolation, Timestamp};
use open::Open;
use settings::Settings;
use std::sync::Arc;

/// Is a transaction open?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// No: each statement stands alone.
    Idle,
    /// Yes.
    Open,
    /// Yes, but a statement in it failed: it can only be rolled back, wholly or to a savepoint.
    Failed,
}

/// Told of the progress of long statements.
pub type Observer = Box<dyn Fn(Progress) + Send>;

/// Runs SQL statements one after the other. Dropping it rolls an open transaction back.
pub struct Session {
    sql: Arc<Sql>,
    open: Option<Open>,
    settings: Settings,
    defaults: Settings,
    canceller: Canceller,
    known: Option<Known>,
    observer: Option<Observer>,
    /// For the COPY that runs now.
    stream: Option<copying::Stream>,
}

impl Session {
    pub(super) fn new(sql: Arc<Sql>) -> Self {
        let defaults = Settings::new(sql.options.work_mem, sql.options.isolation);
        Self {
            sql,
            open: None,
            settings: defaults.clone(),
            defaults,
            canceller: Canceller::default(),
            known: None,
            observer: None,
            stream: None,
        }
    }

    /// Runs one statement. `params` are the values of `$1`, `$2` … or of each `?`.
    ///
    /// Outside a transaction, a query is run while its rows are read.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<StatementResult> {
        let prepared = self.sql.clone().prepared(sql)?;
        self.run(&prepared, params)
    }

    /// Prepares a statement to be run often. The same as [`execute`](Self::execute) with the text at hand: plans are cached either
    /// way.
    pub fn prepare(&mut self, sql: &str) -> Result<Prepared> {
        self.sql.clone().prepared(sql)
    }

    /// The same, for a statement whose parameters have these types, as far as they are given.
    pub fn prepare_typed(&mut self, sql: &str, types: &[Option<DataType>]) -> Result<Prepared> {
        if types.iter().all(Option::is_none) {
            self.prepare(sql)
        } else {
            Prepared::parse(sql, types)
        }
    }

    /// What a statement takes and gives, without running it.
    pub fn describe(&mut self, prepared: &Prepared) -> Result<Description> {
        self.description(prepared)
    }

    /// Runs a prepared statement.
    pub fn execute_prepared(&mut self, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        self.run(prepared, params)
    }

    /// The rows of a query.
    pub fn query_rows(&mut self, sql: &str, params: &[Value]) -> Result<Rows> {
        Ok(self.execute(sql, params)?.rows)
    }

    /// Ends the statement that runs now, from another thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Tells `observer` of the progress of COPY and VACUUM.
    pub fn on_progress(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn transaction_state(&self) -> TransactionState {
        match &self.open {
            None => TransactionState::Idle,
            Some(open) if open.failed => TransactionState::Failed,
            Some(_) => TransactionState::Open,
        }
    }

    /// Begins a transaction, as BEGIN does.
    ///
    /// # Errors
    /// `25001` when one is open already.
    pub fn begin(&mut self, how: Begin) -> Result<()> {
        if self.open.is_some() {
            let message = "there is already a transaction in progress";
            return Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message));
        }
        let mut open = Open::begin(&self.sql, how)?;
        open.untouched = false;
        self.open = Some(open);
        Ok(())
    }

    /// Commits the open transaction.
    ///
    /// # Errors
    /// `25P02` when a statement in it failed; it is rolled back then.
    pub fn commit(&mut self) -> Result<Timestamp> {
        let open = self.open.take().ok_or_else(no_transaction)?;
        if open.failed {
            open.tx.roll_back()?;
            return Err(failed_transaction());
        }
        open.commit(&self.sql)
    }

    /// Rolls the open transaction back.
    pub fn roll_back(&mut self) -> Result<()> {
        let open = self.open.take().ok_or_else(no_transaction)?;
        Ok(open.tx.roll_back()?)
    }

    /// A savepoint in the open transaction, as SAVEPOINT makes it.
    pub fn savepoint(&mut self, name: &str) -> Result<()> {
        self.open.as_mut().ok_or_else(no_transaction)?.savepoint(name)
    }

    /// Undoes everything since a savepoint, as ROLLBACK TO does; also the failure of a statement.
    pub fn roll_back_to(&mut self, name: &str) -> Result<()> {
        self.open.as_mut().ok_or_else(no_transaction)?.roll_back_to(name)
    }

    /// A point in the open transaction to [return to](Self::return_to), without a name.
    pub fn mark(&mut self) -> Result<EngineSavepoint> {
        let open = self.open.as_mut().ok_or_else(no_transaction)?;
        open.untouched = false;
        Ok(open.tx.savepoint()?)
    }

    /// Undoes everything since `point`; also the failure of a statement.
    pub fn return_to(&mut self, point: EngineSavepoint) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(no_transaction)?;
        open.undo_to(point)?;
        open.failed = false;
        Ok(())
    }

    /// What transactions of this session see of the others, unless they say otherwise: as `SET default_transaction_isolation`.
    pub fn set_isolation(&mut self, isolation: Isolation) {
        self.settings.isolation = isolation;
    }

    /// The open transaction, for reading by key.
    #[must_use]
    pub fn transaction(&self) -> Option<&dyn EngineTransaction> {
        self.open.as_ref().map(|open| &*open.tx)
    }

    /// The open transaction, for the key-value API to share.
    pub fn transaction_mut(&mut self) -> Option<&mut dyn EngineTransaction> {
        let open = self.open.as_mut()?;
        open.untouched = false;
        Some(&mut *open.tx)
    }

    /// The database.
    #[must_use]
    pub fn sql(&self) -> &Arc<Sql> {
        &self.sql
    }
}

fn no_transaction() -> SqlError {
    SqlError::new(
        state::NO_ACTIVE_SQL_TRANSACTION,
        "there is no transaction in progress",
    )
}

fn failed_transaction() -> SqlError {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    SqlError::new(state::IN_FAILED_SQL_TRANSACTION, message)
}
