//! What evaluation and execution may ask of the statement they run for.

use crate::error::{Result, SqlError, state};
use crate::session::SessionContext;
use crate::types::DataType;
use crate::value::Value;
use godb_mvcc::sync::{Condvar, Mutex, wait_for};
use godb_mvcc::{Cancellation, Clock, Interrupt};
use std::sync::Arc;
use std::time::Duration;

/// Ends what a session runs, from another thread: its statement, and results that are still being read. Cheap to clone.
///
/// A request that comes when its statement has ended ends nothing; the next statement goes on.
#[derive(Clone, Debug, Default)]
pub struct Canceller(Cancellation);

impl Canceller {
    /// Asks whatever the session runs now to end with [`state::QUERY_CANCELED`].
    pub fn cancel(&self) {
        self.0.request();
    }

    /// A new statement begins; this canceller, and what is cloned from it now, speaks for that one.
    pub fn begin(&mut self) {
        self.0.begin();
    }

    /// Fails when the statement shall end. Called at least once a batch.
    pub fn check(&self) -> Result<()> {
        if self.0.is_requested() {
            return Err(SqlError::new(
                state::QUERY_CANCELED,
                "canceling statement due to user request",
            ));
        }
        Ok(())
    }
}

/// When a statement must end.
#[derive(Clone)]
pub(crate) struct Limit {
    canceller: Canceller,
    clock: Arc<dyn Clock>,
    /// On the monotonic clock.
    deadline: Option<Duration>,
}

impl Limit {
    /// For a statement that begins now.
    pub(crate) fn new(canceller: Canceller, clock: Arc<dyn Clock>, timeout: Option<Duration>) -> Self {
        let deadline = timeout.map(|timeout| clock.monotonic() + timeout);
        Self {
            canceller,
            clock,
            deadline,
        }
    }

    /// Time on a clock that never goes back.
    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Fails when the statement was cancelled or has run too long.
    pub(crate) fn check(&self) -> Result<()> {
        self.canceller.check()?;
        match self.deadline {
            Some(deadline) if self.clock.monotonic() >= deadline => Err(SqlError::new(
                state::QUERY_CANCELED,
                "canceling statement due to statement timeout",
            )),
            _ => Ok(()),
        }
    }

    /// Does nothing for so many seconds; looks at the limit every few milliseconds.
    pub(crate) fn rest(&self, seconds: f64) -> Result<()> {
        const SLICE: Duration = Duration::from_millis(5);
        let mut left = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        let nothing = Mutex::new(());
        loop {
            self.check()?;
            if left.is_zero() {
                return Ok(());
            }
            let began = self.clock.monotonic();
            wait_for(&Condvar::new(), &mut nothing.lock(), left.min(SLICE));
            // A clock that stands still must not make it wait for ever.
            let took = self.clock.monotonic().saturating_sub(began);
            left = left.saturating_sub(took.max(left.min(SLICE)));
        }
    }
}

/// A statement that waits for locks: no longer than it may run, and its session says so.
pub(crate) struct Waiting {
    limit: Limit,
    session: Arc<SessionContext>,
}

impl Waiting {
    /// For a statement that begins.
    pub(crate) fn new(limit: Limit, session: Arc<SessionContext>) -> Self {
        Self { limit, session }
    }
}

/// It is asked only by who waits.
impl Interrupt for Waiting {
    fn is_requested(&self) -> bool {
        self.session.set_waiting(true);
        self.limit.check().is_err()
    }
}

/// Runs the subqueries of expressions; the executor's part in evaluation.
pub trait Subqueries {
    /// The rows of subplan `plan` with these values passed in for its [`Expr::Outer`](crate::expr::Expr::Outer)s:
    /// its first column and type. Runs of a subplan without outer values are remembered.
    fn column(&self, plan: usize, outer: &[Value]) -> Result<(Arc<crate::vector::Column>, DataType)>;
    /// Whether it has any row; stops at the first.
    fn exists(&self, plan: usize, outer: &[Value]) -> Result<bool>;
}

/// What an expression is evaluated with, beside its input.
#[derive(Clone, Copy)]
pub struct Evaluating<'a> {
    /// The statement's parameters, already of the types the binder gave them.
    pub parameters: &'a [Value],
    /// Values for [`Expr::Outer`](crate::expr::Expr::Outer), inside a subquery.
    pub outer: &'a [Value],
    /// The time at which the transaction began, microseconds since 1970-01-01 UTC: what `now()` gives.
    pub transaction_micros: i64,
    /// The time at which the statement began.
    pub statement_micros: i64,
    /// Runs subqueries.
    pub subqueries: &'a dyn Subqueries,
    /// Tells whether to stop.
    pub canceller: &'a Canceller,
    /// Random numbers for `random()`.
    pub random: &'a dyn Fn() -> u64,
    /// Waits so many seconds, or until the statement shall end.
    pub rest: &'a dyn Fn(f64) -> Result<()>,
    /// The session that the statement runs in; none where a constant is computed while planning.
    pub session: Option<&'a SessionContext>,
}
