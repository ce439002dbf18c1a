//! [`Statement`]: what a running statement owns beside its operators, and [`Run`]: what operators are given with each call.

use super::meter::Meters;
use super::subquery::SubqueryCache;
use crate::context::{Canceller, Evaluating, Limit};
use crate::error::Result;
use crate::plan::physical::{Node, StatementPlan};
use crate::session::SessionContext;
use crate::value::Value;
use crate::vector::{Batch, Column};
use godb_mvcc::{Begin, EngineTransaction, Environment, Moment, StorageEngine};
use std::sync::Arc;
use std::time::Duration;

/// What a running statement owns.
pub(crate) struct Statement {
    /// For transactions of their own: reads of the past.
    pub(crate) engine: Arc<dyn StorageEngine>,
    context: Arc<SessionContext>,
    /// The parameters, of the types that the binder gave them.
    pub(crate) parameters: Arc<[Value]>,
    /// The plan, for those of its subqueries.
    plan: Option<Arc<StatementPlan>>,
    /// Ends it.
    pub(crate) canceller: Canceller,
    limit: Limit,
    /// Bytes of memory that one sort, join or aggregate may use.
    pub(crate) work_mem: usize,
    transaction_micros: i64,
    statement_micros: i64,
    random: Box<dyn Fn() -> u64 + Send>,
    rest: Box<dyn Fn(f64) -> Result<()> + Send>,
    /// Differs each time the database is opened, so that nobody can choose keys that collide.
    pub(crate) hash_seed: u64,
    pub(super) subqueries: SubqueryCache,
    /// Counts rows and time of each operator, for EXPLAIN ANALYZE.
    pub(crate) meters: Option<Meters>,
}

/// What a statement may use and what it is told.
pub(crate) struct Terms {
    /// The engine.
    pub(crate) engine: Arc<dyn StorageEngine>,
    /// What the session tells and lets be changed.
    pub(crate) context: Arc<SessionContext>,
    /// Clock and randomness.
    pub(crate) environment: Environment,
    /// Parameters.
    pub(crate) parameters: Arc<[Value]>,
    /// The plan that is run, if there is one.
    pub(crate) plan: Option<Arc<StatementPlan>>,
    /// Ends the statement.
    pub(crate) canceller: Canceller,
    /// How long it may run.
    pub(crate) timeout: Option<Duration>,
    /// Bytes of memory for one operator.
    pub(crate) work_mem: usize,
    /// When the transaction began.
    pub(crate) transaction_micros: i64,
    /// A random number, for hashing.
    pub(crate) hash_seed: u64,
}

impl Statement {
    /// A statement that begins now.
    pub(crate) fn new(terms: Terms) -> Self {
        let clock = terms.environment.clock;
        let random = terms.environment.random;
        let limit = Limit::new(terms.canceller.clone(), clock.clone(), terms.timeout);
        Self {
            engine: terms.engine,
            context: terms.context,
            parameters: terms.parameters,
            plan: terms.plan,
            canceller: terms.canceller,
            limit: limit.clone(),
            rest: Box::new(move |seconds| limit.rest(seconds)),
            work_mem: terms.work_mem,
            transaction_micros: terms.transaction_micros,
            statement_micros: clock.wall_micros(),
            random: Box::new(move || random.next_u64()),
            hash_seed: terms.hash_seed,
            subqueries: SubqueryCache::default(),
            meters: None,
        }
    }

    /// The session that it runs in.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The plans of subqueries.
    pub(crate) fn subplans(&self) -> &[Node] {
        match self.plan.as_deref() {
            Some(StatementPlan::Query(query)) => &query.subplans,
            Some(StatementPlan::Change { subplans, .. }) => subplans,
            None => &[],
        }
    }

    /// Fails when the statement was cancelled or has run too long.
    pub(crate) fn check(&self) -> Result<()> {
        self.limit.check()
    }

    /// Time on a clock that never goes back.
    pub(crate) fn now(&self) -> Duration {
        self.limit.now()
    }

    /// A transaction that reads as of `moment`; "ago" counts from the beginning of the statement.
    pub(crate) fn past(&self, moment: Moment) -> Result<Box<dyn EngineTransaction>> {
        let moment = match moment {
            Moment::Ago(micros) => Moment::Wall(self.statement_micros.saturating_sub(micros)),
            exact => exact,
        };
        let how = Begin {
            read_only: true,
            as_of: Some(moment),
            ..Begin::default()
        };
        Ok(self.engine.clone().begin(how)?)
    }
}

/// What an operator works with: the transaction, the statement, and inside a subquery the outer values.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    /// Sees the data.
    pub(crate) tx: &'a dyn EngineTransaction,
    /// What the statement owns.
    pub(crate) statement: &'a Statement,
    /// Values from the enclosing query.
    pub(crate) outer: &'a [Value],
}

impl<'a> Run<'a> {
    /// Outside every subquery.
    pub(crate) fn new(tx: &'a dyn EngineTransaction, statement: &'a Statement) -> Self {
        Self {
            tx,
            statement,
            outer: &[],
        }
    }

    /// What expressions are evaluated with.
    pub(crate) fn evaluating(&self) -> Evaluating<'_> {
        Evaluating {
            parameters: &self.statement.parameters,
            outer: self.outer,
            transaction_micros: self.statement.transaction_micros,
            statement_micros: self.statement.statement_micros,
            subqueries: self,
            canceller: &self.statement.canceller,
            random: &*self.statement.random,
            rest: &*self.statement.rest,
            session: Some(&self.statement.context),
        }
    }

    /// The values of an expression for each row of `batch`.
    pub(crate) fn evaluate(&self, expr: &crate::expr::Expr, batch: &Batch) -> Result<Arc<Column>> {
        crate::eval::evaluate(expr, batch, &self.evaluating())
    }

    /// The rows of `batch` for which `predicate` is true.
    pub(crate) fn select(&self, predicate: &crate::expr::Expr, batch: &Batch) -> Result<Vec<u32>> {
        let kept = crate::eval::select(predicate, batch, &self.evaluating())?;
        Ok(kept.unwrap_or_else(|| (0..crate::convert::row_u32(batch.rows)).collect()))
    }

    /// The value of an expression without columns.
    pub(crate) fn value(&self, expr: &crate::expr::Expr) -> Result<Value> {
        match expr {
            crate::expr::Expr::Literal(value, _) => return Ok(value.clone()),
            crate::expr::Expr::Parameter(at, _) => {
                if let Some(value) = self.statement.parameters.get(*at as usize) {
                    return Ok(value.clone());
                }
            }
            _ => {}
        }
        let one_row = Batch {
            columns: Vec::new(),
            rows: 1,
        };
        Ok(self.evaluate(expr, &one_row)?.value(0, expr.data_type()))
    }
}
