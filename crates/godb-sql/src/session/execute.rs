//! Runs one statement: alone or in the session's transaction, again where it met a conflict.

use super::open::Open;
use super::parameters;
use super::plan::{Prepared, Ready};
use super::rows::{Rows, Running as RunningRows, Severity, StatementResult};
use super::{Session, failed_transaction};
use crate::catalog::{Catalog, Schema};
use crate::context::{Limit, Waiting};
use crate::dml;
use crate::error::{Result, SqlError, state};
use crate::executor::{Run, Spool, Statement, Terms, build};
use crate::plan::physical::{Change, Node, StatementPlan};
use crate::plan::statement::{Past, Planned, Planning, plan_statement};
use crate::settings::Running;
use crate::value::Value;
use godb_mvcc::{Begin, EngineTransaction, Error as EngineError, Isolation, Moment, Patience};
use sqlparser::ast;
use std::sync::Arc;

/// How often a statement is run again after a conflict.
const TRIES: usize = 100;

impl Session {
    pub(super) fn run(&mut self, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        self.canceller.begin();
        let result = self.run_any(prepared, params);
        if let Some(context) = self.context.get() {
            context.set_waiting(false);
        }
        let mut result = result?;
        if let Some(notice) = &result.notice {
            let effects = self.effects();
            let shown = match notice.severity {
                Severity::Notice => effects.notices,
                Severity::Warning => effects.warnings,
            };
            result.notice = result.notice.filter(|_| shown);
        }
        Ok(result)
    }

    fn run_any(&mut self, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        if let Some(result) = self.control(prepared)? {
            return Ok(result);
        }
        if let Some(command) = &prepared.parsed().command {
            return self.command(command, prepared, params);
        }
        if let Some(vacuum) = &prepared.parsed().vacuum {
            return self.vacuum(vacuum);
        }
        match &mut self.open {
            None => self.run_alone(prepared, params),
            Some(open) if open.failed => Err(failed_transaction()),
            Some(_) => self.run_in_transaction(prepared, params),
        }
    }

    /// Runs a query to its end: its rows need no transaction any more.
    pub(super) fn run_to_end(&mut self, prepared: &Prepared, params: &[Value]) -> Result<Rows> {
        let result = match &self.open {
            None => {
                let how = self.begin_alone(prepared)?;
                self.repeat_alone(how, prepared, params)?
            }
            Some(_) => self.run_in_transaction(prepared, params)?,
        };
        Ok(result.rows)
    }

    /// When a statement that begins now must end.
    fn limit(&self) -> Limit {
        let clock = self.sql.environment.clock.clone();
        Limit::new(self.canceller.clone(), clock, self.effects().statement_timeout)
    }

    /// How a statement that begins now waits for locks.
    pub(super) fn patience(&self) -> Patience {
        Patience {
            timeout: self.effects().lock_timeout,
            interrupt: Some(Arc::new(Waiting::new(self.limit(), self.context().clone()))),
        }
    }

    /// How a statement by itself begins its transaction.
    pub(super) fn begin_alone(&self, prepared: &Prepared) -> Result<Begin> {
        let as_of = prepared
            .parsed()
            .as_of
            .as_ref()
            .map(crate::parser::AsOf::moment)
            .transpose()?;
        // A single statement sees one snapshot either way; under read committed it can be run again.
        let effects = self.effects();
        let isolation = match effects.isolation {
            Isolation::Serializable => Isolation::Serializable,
            _ => Isolation::ReadCommitted,
        };
        let read_only = effects.read_only || as_of.is_some() || only_reads(prepared.statement());
        Ok(Begin {
            isolation,
            read_only,
            as_of,
            ..Begin::default()
        })
    }

    fn run_alone(&mut self, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        let how = self.begin_alone(prepared)?;
        if prepared.parsed().changes_session {
            return self.run_changing_session(how, prepared, params);
        }
        if only_reads(prepared.statement()) && matches!(prepared.statement(), ast::Statement::Query(_)) {
            return self.query_alone(how, prepared, params);
        }
        self.repeat_alone(how, prepared, params)
    }

    /// A statement that may change settings: they stay when it succeeds.
    fn run_changing_session(
        &mut self,
        how: Begin,
        prepared: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        let running = Running {
            isolation: how.isolation,
            read_only: how.read_only,
            deferrable: how.deferrable,
        };
        self.context().settings(|settings| settings.begin(running));
        let result = self.repeat_alone(how, prepared, params);
        self.ended(result.is_ok());
        result
    }

    fn repeat_alone(&mut self, how: Begin, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.try_alone(how, prepared, params);
            match outcome {
                Err(error) if tries < TRIES && begins_again(&error) => self.canceller.check()?,
                other => return other,
            }
        }
    }

    /// A query whose rows are computed while they are read.
    fn query_alone(&mut self, how: Begin, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        let mut tx = self.sql.engine.clone().begin(how)?;
        if self.sql.options.reads_wait {
            tx.set_patience(self.patience());
        }
        let schema = self.sql.cache.of(&*tx, &mut self.known)?;
        let (ready, parameters) = self.ready_with(prepared, params, &*tx, &schema)?;
        if let Some(point) = &ready.point {
            let row = point.run(&*tx, &parameters)?;
            return Ok(StatementResult::rows(
                "SELECT",
                Rows::one(ready.columns.clone(), row),
            ));
        }
        let StatementPlan::Query(query) = &*ready.plan else {
            return Err(not_a_query());
        };
        let statement = self.statement(&*tx, Some(&ready.plan), parameters);
        let operator = build(&query.root, &statement);
        let rows = Rows::running(
            ready.columns.clone(),
            RunningRows {
                tx,
                statement,
                operator,
            },
        );
        Ok(StatementResult::rows("SELECT", rows))
    }

    fn try_alone(&mut self, how: Begin, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        let mut open = Open::begin(&self.sql, how)?;
        open.untouched = false;
        open.tx.set_patience(self.patience());
        let result = self.attempt(&mut open, prepared, params)?;
        let ended = if open.how.read_only {
            open.tx.roll_back().map_err(SqlError::from)
        } else {
            open.commit(&self.sql).map(drop)
        };
        ended.map(|()| result)
    }

    fn run_in_transaction(&mut self, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        if prepared.parsed().as_of.is_some() {
            let message =
                "AS OF SYSTEM TIME for a whole statement needs the statement to stand outside a transaction";
            return Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message)
                .hint("BEGIN AS OF SYSTEM TIME, or put it behind the table's name."));
        }
        let Some(mut open) = self.open.take() else {
            return Err(super::no_transaction());
        };
        let outcome = open.begin_statement(&self.sql).and_then(|()| {
            open.tx.set_patience(self.patience());
            self.attempt(&mut open, prepared, params)
        });
        // What comes between statements is not bound by the limits of this one.
        open.tx.set_patience(Patience::default());
        open.failed = outcome.is_err();
        self.open = Some(open);
        outcome
    }

    /// Runs a statement; when it fails, what it did is undone. Under read committed it is run again after a conflict.
    fn attempt(&mut self, open: &mut Open, prepared: &Prepared, params: &[Value]) -> Result<StatementResult> {
        let point = if open.how.read_only || open.how.as_of.is_some() {
            None
        } else {
            Some(open.tx.savepoint()?)
        };
        for _ in 0..TRIES {
            let limit = self.limit();
            let error = match self.run_once(open, prepared, params) {
                Ok(result) => return Ok(result),
                Err(error) => why_interrupted(error, &limit),
            };
            if let Some(point) = point {
                open.undo_to(point)?;
            }
            let again = open.how.isolation == Isolation::ReadCommitted && is_conflict(&error);
            if !again {
                return Err(error);
            }
            self.canceller.check()?;
            open.tx.next_statement()?;
        }
        Err(EngineError::Conflict.into())
    }

    fn run_once(
        &mut self,
        open: &mut Open,
        prepared: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        match prepared.statement() {
            ast::Statement::Query(_)
            | ast::Statement::Insert(_)
            | ast::Statement::Update(_)
            | ast::Statement::Delete(_) => self.run_planned(open, prepared, params),
            ast::Statement::Explain { .. } | ast::Statement::ExplainTable { .. } => {
                self.explain(open, prepared, params)
            }
            ast::Statement::Copy { .. } => self.copy(open, prepared),
            other => self.define(open, other, prepared.parsed()),
        }
    }

    fn run_planned(
        &mut self,
        open: &mut Open,
        prepared: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        let schema = open.schema(&self.sql, &mut self.known)?;
        let (ready, parameters) = self.ready_with(prepared, params, &*open.tx, &schema)?;
        let statement = self.statement(&*open.tx, Some(&ready.plan), parameters);
        match &*ready.plan {
            StatementPlan::Query(query) => {
                if let Some(locks) = &query.locks {
                    return self.lock_rows(open, &ready, (query, locks), &statement);
                }
                let rows = collect(&query.root, &*open.tx, &statement)?;
                Ok(StatementResult::rows(
                    "SELECT",
                    Rows::stored(ready.columns.clone(), rows),
                ))
            }
            StatementPlan::Change { .. } => self.change(open, &ready, &statement),
        }
    }

    /// Runs a planned INSERT, UPDATE or DELETE.
    pub(super) fn change(
        &mut self,
        open: &mut Open,
        ready: &Ready,
        statement: &Statement,
    ) -> Result<StatementResult> {
        let (
            StatementPlan::Change {
                change, returning, ..
            },
            Some(table),
        ) = (&*ready.plan, ready.written())
        else {
            return Err(not_a_query());
        };
        let verb = match change {
            Change::Insert { .. } => "INSERT",
            Change::Update { .. } => "UPDATE",
            Change::Delete { .. } => "DELETE",
        };
        refuse_writing(open, verb)?;
        open.lock_for_writing(&self.sql, table.id)?;
        let max_key = self.sql.engine.max_key();
        let done = dml::execute(
            change,
            returning,
            &mut *open.tx,
            statement,
            &self.sql.numbers,
            max_key,
        )?;
        let count = i64::try_from(done.count).unwrap_or(i64::MAX);
        match change {
            Change::Insert { .. } => open.grew(table, count),
            Change::Delete { .. } => open.grew(table, -count),
            Change::Update { .. } => {}
        }
        let tag = if verb == "INSERT" {
            format!("INSERT 0 {count}")
        } else {
            format!("{verb} {count}")
        };
        let rows = Rows::stored(ready.columns.clone(), done.returned);
        Ok(StatementResult {
            tag,
            affected: done.count,
            rows,
            notice: None,
        })
    }

    /// The plan of a statement, kept or made, and its parameters.
    pub(super) fn ready_with(
        &self,
        prepared: &Prepared,
        params: &[Value],
        tx: &dyn EngineTransaction,
        schema: &Schema,
    ) -> Result<(Arc<Ready>, Arc<[Value]>)> {
        let ready = self.ready(prepared, tx, schema)?;
        match parameters::convert(params, &ready.parameter_types) {
            Ok(parameters) => Ok((ready, parameters)),
            Err(error) if params.len() != ready.parameter_types.len() => Err(error),
            Err(error) => {
                let types = parameters::types_of(params);
                let Ok(planned) = self.plan(prepared, tx, schema, &types) else {
                    return Err(error);
                };
                let ready = Ready::new(planned, (0, 0));
                let parameters = parameters::convert(params, &ready.parameter_types).map_err(|_| error)?;
                Ok((Arc::new(ready), parameters))
            }
        }
    }

    pub(super) fn ready(
        &self,
        prepared: &Prepared,
        tx: &dyn EngineTransaction,
        schema: &Schema,
    ) -> Result<Arc<Ready>> {
        let changes = self.sql.cache.changes();
        let keeps = schema.version.filter(|_| prepared.keeps_plan());
        if let Some(version) = keeps
            && let Some(ready) = prepared.ready((version, changes))
        {
            return Ok(ready);
        }
        let planned = self.plan(prepared, tx, schema, prepared.types())?;
        let ready = Arc::new(Ready::new(planned, (keeps.unwrap_or(0), changes)));
        if keeps.is_some() {
            prepared.remember(&ready);
        }
        Ok(ready)
    }

    fn plan(
        &self,
        prepared: &Prepared,
        tx: &dyn EngineTransaction,
        schema: &Schema,
        types: &[Option<crate::types::DataType>],
    ) -> Result<Planned> {
        let view = self.sql.cache.view(schema, tx);
        plan_statement(prepared.parsed(), &self.planning(&view, types))
    }

    /// What plans are made with.
    pub(super) fn planning<'a>(
        &'a self,
        catalog: &'a dyn Catalog,
        types: &'a [Option<crate::types::DataType>],
    ) -> Planning<'a> {
        Planning {
            catalog,
            past: self,
            system: &self.sql.options.system,
            parameter_types: types,
            estimator: &*self.sql.options.estimator,
            cost: &*self.sql.options.cost,
        }
    }

    /// A statement that begins now.
    pub(super) fn statement(
        &self,
        tx: &dyn EngineTransaction,
        plan: Option<&Arc<StatementPlan>>,
        parameters: Arc<[Value]>,
    ) -> Statement {
        let effects = self.effects();
        Statement::new(Terms {
            engine: self.sql.engine.clone(),
            environment: self.sql.environment.clone(),
            parameters,
            plan: plan.cloned(),
            canceller: self.canceller.clone(),
            timeout: effects.statement_timeout,
            work_mem: effects.work_mem,
            context: self.context().clone(),
            transaction_micros: tx.wall_micros(),
            hash_seed: self.sql.hash_seed,
        })
    }
}

impl Past for Session {
    fn catalog(&self, moment: Moment, show: &mut dyn FnMut(&dyn Catalog) -> Result<()>) -> Result<()> {
        let how = Begin {
            read_only: true,
            as_of: Some(moment),
            ..Begin::default()
        };
        let tx = self.sql.engine.clone().begin(how)?;
        let schema = self.sql.cache.of(&*tx, &mut None)?;
        show(&self.sql.cache.view(&schema, &*tx))
    }
}

/// The engine knows that a wait was to end, and the limit why.
fn why_interrupted(error: SqlError, limit: &Limit) -> SqlError {
    match error.engine {
        Some(EngineError::Interrupted) => limit.check().err().unwrap_or(error),
        _ => error,
    }
}

/// All rows of a plan.
fn collect(
    root: &Node,
    tx: &dyn EngineTransaction,
    statement: &Statement,
) -> Result<crate::executor::SpoolReader> {
    let mut operator = build(root, statement);
    let mut rows = Spool::new(statement.work_mem);
    while let Some(batch) = operator.next(&Run::new(tx, statement))? {
        rows.push(batch)?;
    }
    rows.finish()
}

/// Refuses a change in a transaction that only reads.
pub(super) fn refuse_writing(open: &Open, verb: &str) -> Result<()> {
    if !open.how.read_only && open.how.as_of.is_none() {
        return Ok(());
    }
    let message = format!("cannot execute {verb} in a read-only transaction");
    Err(SqlError::new(state::READ_ONLY_SQL_TRANSACTION, message))
}

fn not_a_query() -> SqlError {
    SqlError::new(
        state::INTERNAL_ERROR,
        "a plan is of another kind than its statement",
    )
}

fn is_conflict(error: &SqlError) -> bool {
    matches!(error.engine, Some(EngineError::Conflict))
}

/// Whether a statement that is a transaction by itself is worth running again.
fn begins_again(error: &SqlError) -> bool {
    matches!(
        error.engine,
        Some(
            EngineError::Conflict
                | EngineError::Dependencies
                | EngineError::Deadlock { .. }
                | EngineError::GaveWay { .. }
        )
    )
}

/// Whether a statement by itself needs a transaction that can write.
fn only_reads(statement: &ast::Statement) -> bool {
    match statement {
        ast::Statement::Query(query) => query.locks.is_empty(),
        ast::Statement::Explain {
            statement, analyze, ..
        } => !*analyze || only_reads(statement),
        ast::Statement::ExplainTable { .. } => true,
        ast::Statement::Copy { to, .. } => *to,
        _ => false,
    }
}
