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
mod advisory;
mod cache;
mod check;
mod context;
mod control;
mod copying;
mod cursors;
mod execute;
mod explaining;
mod locking;
mod named;
mod open;
mod parameters;
mod plan;
mod point;
mod registry;
mod rows;
mod sql;
mod vacuum;
mod variables;

pub use admin::{ColumnDescription, IndexDescription, TableDescription};
pub use adopt::{Adopted, AdoptedTable};
pub(crate) use advisory::{AdvisoryKey, AdvisoryMode};
pub use check::{IndexMended, TableCheck, TableProblem, TreeUse};
pub use context::{Identity, SessionContext};
pub use plan::{CopyStream, Description, Prepared};
pub use rows::{Notice, ResultColumn, Rows, Severity, StatementResult};
pub use sql::{Sql, SqlOptions};

use crate::catalog::Known;
use crate::context::Canceller;
use crate::copy::Progress;
use crate::error::{Result, SqlError, state};
use crate::settings::{Effects, Settings, SettingsPoint, Wired};
use crate::types::DataType;
use crate::value::Value;
use cursors::Cursors;
use godb_mvcc::{Begin, EngineSavepoint, EngineTransaction, Isolation, Timestamp};
use open::Open;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

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

/// Time limits that a session has set; `None` is without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Of each statement. The session ends it.
    pub statement: Option<Duration>,
    /// Of each wait for a lock. The session ends it.
    pub lock: Option<Duration>,
    /// While a transaction waits for the client's next statement. A server ends the session then.
    pub idle_in_transaction: Option<Duration>,
    /// While there is no transaction. A server ends the session then.
    pub idle: Option<Duration>,
}

/// Told of the progress of long statements.
pub type Observer = Box<dyn Fn(Progress) + Send>;

/// Runs SQL statements one after the other. Dropping it rolls an open transaction back.
pub struct Session {
    sql: Arc<Sql>,
    open: Option<Open>,
    /// Made when it is first needed: every transaction of the key-value API has a session.
    context: OnceCell<Arc<SessionContext>>,
    canceller: Canceller,
    known: Option<Known>,
    observer: Option<Observer>,
    /// Statements kept by name.
    named: HashMap<String, Prepared>,
    cursors: Cursors,
    /// For the COPY that runs now.
    stream: Option<copying::Stream>,
}

impl Drop for Session {
    /// Rows that are still read keep what they share with the session, but not its locks.
    fn drop(&mut self) {
        if let Some(context) = self.context.get() {
            context.advisory().end_session();
        }
    }
}

impl Session {
    pub(super) fn new(sql: Arc<Sql>) -> Self {
        Self {
            sql,
            open: None,
            context: OnceCell::new(),
            canceller: Canceller::default(),
            known: None,
            observer: None,
            named: HashMap::new(),
            cursors: Cursors::default(),
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

    /// How the settings say that a transaction begins.
    #[must_use]
    pub fn begin_as_set(&self) -> Begin {
        let effects = self.effects();
        Begin {
            isolation: effects.isolation,
            read_only: effects.read_only,
            deferrable: effects.deferrable,
            ..Begin::default()
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
        self.opened(open);
        Ok(())
    }

    /// Begins a transaction around statements that came together though nobody wrote BEGIN. A BEGIN among them makes an ordinary one of it; a COMMIT ends it.
    ///
    /// # Errors
    /// `25001` when one is open already.
    pub fn begin_implicit(&mut self) -> Result<()> {
        self.begin(self.begin_as_set())?;
        if let Some(open) = &mut self.open {
            (open.implicit, open.untouched) = (true, true);
        }
        Ok(())
    }

    /// A request outside of statements failed, such as to prepare one: the open transaction, if there is one, can only be rolled back.
    pub fn fail(&mut self) {
        if let Some(open) = &mut self.open {
            open.failed = true;
        }
    }

    /// Whether the open transaction is one that nobody began.
    #[must_use]
    pub fn is_implicit(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.implicit)
    }

    /// Commits the open transaction.
    ///
    /// # Errors
    /// `25P02` when a statement in it failed; it is rolled back then.
    pub fn commit(&mut self) -> Result<Timestamp> {
        let open = self.open.take().ok_or_else(no_transaction)?;
        if open.failed {
            self.ended(false);
            open.tx.roll_back()?;
            return Err(failed_transaction());
        }
        let committed = open.commit(&self.sql);
        self.ended(committed.is_ok());
        committed
    }

    /// Rolls the open transaction back.
    pub fn roll_back(&mut self) -> Result<()> {
        let open = self.open.take().ok_or_else(no_transaction)?;
        self.ended(false);
        Ok(open.tx.roll_back()?)
    }

    /// A savepoint in the open transaction, as SAVEPOINT makes it.
    pub fn savepoint(&mut self, name: &str) -> Result<()> {
        let settings = (self.settings_point(), self.cursors.declared());
        let open = self.open.as_mut().ok_or_else(no_transaction)?;
        open.savepoint(name, settings)
    }

    /// Undoes everything since a savepoint, as ROLLBACK TO does; also the failure of a statement.
    pub fn roll_back_to(&mut self, name: &str) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(no_transaction)?;
        let (settings, cursors) = open.roll_back_to(name)?;
        self.cursors.return_to(cursors);
        self.context().settings(|own| own.return_to(&settings));
        Ok(())
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
        let name = crate::settings::isolation_name(isolation);
        let set = |settings: &mut Settings| settings.set("default_transaction_isolation", Some(name), false);
        self.context().settings(set).expect("it is the name of a level");
    }

    /// What the session shares with its statements.
    pub(super) fn context(&self) -> &Arc<SessionContext> {
        self.context.get_or_init(|| {
            let context =
                SessionContext::new(self.wired(), self.sql.advisory.clone(), self.sql.registry.clone());
            if let Some(open) = &self.open {
                context.settings(|settings| settings.begin(open.running()));
            }
            Arc::new(context)
        })
    }

    fn wired(&self) -> Wired {
        let options = &self.sql.options;
        Wired {
            work_mem: options.work_mem,
            isolation: options.isolation,
            max_connections: options.max_connections,
            lock_timeout: options.lock_timeout,
        }
    }

    /// What the settings come to that the engine heeds.
    fn effects(&self) -> Effects {
        match self.context.get() {
            Some(context) => context.effects(),
            None => Effects::new(&self.wired()),
        }
    }

    fn settings_point(&self) -> SettingsPoint {
        let context = self.context.get();
        context.map_or_else(SettingsPoint::default, |context| {
            context.settings(|own| own.point())
        })
    }

    /// A transaction is open from now on.
    fn opened(&mut self, open: Open) {
        if let Some(context) = self.context.get() {
            context.settings(|settings| settings.begin(open.running()));
        }
        self.open = Some(open);
    }

    /// The transaction has ended: settings stay or go with it.
    fn ended(&mut self, committed: bool) {
        self.cursors.end(committed);
        if let Some(context) = self.context.get() {
            context.settings(|settings| settings.end(committed));
            context.advisory().end_transaction();
        }
    }

    /// Says who uses the session: for the functions that tell it.
    pub fn identify(&mut self, identity: Identity) {
        self.context().identify(identity);
    }

    /// Who uses the session.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        self.context().identity()
    }

    /// Makes a setting as a client asks for when it connects: RESET goes back to it.
    ///
    /// # Errors
    /// As SET.
    pub fn start_with(&mut self, name: &str, value: &str) -> Result<()> {
        self.context()
            .settings(|settings| settings.start_with(name, value))
    }

    /// The value of a setting, as SHOW shows it; `None` when there is none of that name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        self.context().settings(|settings| settings.value(name))
    }

    /// The settings that a client is told of when they change, with their values.
    #[must_use]
    pub fn reported_settings(&self) -> Vec<(&'static str, String)> {
        self.context().settings(|settings| settings.reported())
    }

    /// Counts up whenever a setting may have changed.
    #[must_use]
    pub fn setting_changes(&self) -> u64 {
        self.context
            .get()
            .map_or(0, |context| context.settings(|settings| settings.changes()))
    }

    /// The time limits that are set.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        let effects = self.effects();
        Timeouts {
            statement: effects.statement_timeout,
            lock: Some(effects.lock_timeout.unwrap_or(self.sql.options.lock_timeout)),
            idle_in_transaction: effects.idle_in_transaction_timeout,
            idle: effects.idle_timeout,
        }
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
