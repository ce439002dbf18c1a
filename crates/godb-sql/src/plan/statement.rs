//! [`plan_statement`]: a statement's whole way from syntax to a physical plan.

use super::logical::{Logical, OutputColumn};
use super::physical::{Change, LockedRows, Node, OnConflict, QueryPlan, RowLocks, StatementPlan};
use crate::binder::{
    Binder, Conflict, Definition, Inserting, LockingQuery, Modifying, Returning, shown_only,
};
use crate::catalog::{Catalog, View};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::optimizer::{CardinalityEstimator, CostModel, DefaultCost, DefaultEstimator, Optimizer, Subplans};
use crate::parser::Parsed;
use crate::system::SystemRelation;
use crate::types::DataType;
use godb_mvcc::Moment;
use sqlparser::ast::{Query, Statement};
use std::sync::Arc;

/// Finds tables and views as they were at a moment of the past, for `AS OF SYSTEM TIME` on single tables.
pub trait Past {
    /// Shows the catalog of then.
    ///
    /// # Errors
    /// The moment is older than what is kept, or reading failed.
    fn catalog(&self, moment: Moment, show: &mut dyn FnMut(&dyn Catalog) -> Result<()>) -> Result<()>;
}

/// Where the past is out of reach.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPast;

impl Past for NoPast {
    fn catalog(&self, _moment: Moment, _show: &mut dyn FnMut(&dyn Catalog) -> Result<()>) -> Result<()> {
        Err(SqlError::unsupported("AS OF SYSTEM TIME for a single table"))
    }
}

/// What planning a statement needs to know.
#[derive(Clone, Copy)]
pub struct Planning<'a> {
    /// The tables.
    pub catalog: &'a dyn Catalog,
    /// The tables of the past.
    pub past: &'a dyn Past,
    /// Relations that show what goes on in the database.
    pub system: &'a [Arc<dyn SystemRelation>],
    /// The types of the parameters, as far as the client named them.
    pub parameter_types: &'a [Option<DataType>],
    /// Guesses how many rows there are. Advice: a wrong guess makes a slow plan, never a wrong one.
    pub estimator: &'a dyn CardinalityEstimator,
    /// Says what an algorithm costs. Advice too.
    pub cost: &'a dyn CostModel,
}

impl<'a> Planning<'a> {
    /// Planning over these tables, with the defaults for everything else.
    #[must_use]
    pub fn new(catalog: &'a dyn Catalog) -> Self {
        Self {
            catalog,
            past: &NoPast,
            system: &[],
            parameter_types: &[],
            estimator: &DefaultEstimator,
            cost: &DefaultCost,
        }
    }

    /// The same with these parameter types.
    #[must_use]
    pub fn with_parameters(self, parameter_types: &'a [Option<DataType>]) -> Self {
        Self {
            parameter_types,
            ..self
        }
    }
}

/// A planned statement. Holds nothing of the text or the catalog: it can be kept as long as the schema stays the same.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: StatementPlan,
    /// The types that its parameters must have.
    pub parameter_types: Vec<DataType>,
}

/// Binds, optimises and compiles a SELECT, VALUES, TABLE, INSERT, UPDATE or DELETE; of an EXPLAIN, the statement explained.
///
/// # Errors
/// Everything that can be wrong with a statement before it runs, with its SQLSTATE and the position in the text; `0A000` for statements of
/// other kinds.
pub fn plan_statement(parsed: &Parsed, planning: &Planning<'_>) -> Result<Planned> {
    let mut binder = Binder::new(planning, &parsed.text, &parsed.table_as_of, parsed.parameters);
    let mut statement = &parsed.statement;
    while let Statement::Explain { statement: inner, .. } = statement {
        statement = inner;
    }
    let plan = match statement {
        Statement::Query(query) if !query.locks.is_empty() => {
            let bound = binder.locking_query(query, &parsed.weak_locks)?;
            StatementPlan::Query(plan_locking(bound, binder_parts(&mut binder), planning)?)
        }
        Statement::Query(query) => StatementPlan::Query(plan_query(
            binder_query(&mut binder, query)?,
            binder_parts(&mut binder),
            planning,
        )?),
        Statement::Insert(insert) => {
            let bound = binder.insert(insert)?;
            plan_insert(bound, binder_parts(&mut binder), planning)?
        }
        Statement::Update(update) => {
            let bound = binder.update(update)?;
            plan_modification(bound, binder_parts(&mut binder), planning)?
        }
        Statement::Delete(delete) => {
            let bound = binder.delete(delete)?;
            plan_modification(bound, binder_parts(&mut binder), planning)?
        }
        _ => return Err(SqlError::unsupported("planning this kind of statement")),
    };
    Ok(Planned {
        plan,
        parameter_types: binder.parameters.finish(),
    })
}

/// Plans the query inside a statement: of `COPY (query) TO`, of `CREATE TABLE … AS`.
///
/// # Errors
/// As [`plan_statement`]; parameters are refused.
pub fn bind_copy_query(query: &Query, parsed: &Parsed, planning: &Planning<'_>) -> Result<QueryPlan> {
    let mut binder = Binder::new(planning, &parsed.text, &parsed.table_as_of, 0);
    let bound = binder_query(&mut binder, query)?;
    plan_query(bound, binder_parts(&mut binder), planning)
}

/// Binds the query of CREATE VIEW.
pub(crate) fn define_view(query: &Query, parsed: &Parsed, planning: &Planning<'_>) -> Result<Definition> {
    Binder::new(planning, &parsed.text, &[], 0).define_view(query)
}

/// Fails when a view cannot be bound over these tables.
pub(crate) fn check_view(view: &Arc<View>, planning: &Planning<'_>) -> Result<()> {
    Binder::new(planning, "", &[], 0).check_view(view)
}

/// A query's plan with exactly the columns shown, and those columns.
fn binder_query(binder: &mut Binder<'_>, query: &Query) -> Result<(Logical, Vec<OutputColumn>)> {
    let bound = binder.query(query)?;
    let bound = binder.known_columns(bound)?;
    let columns = bound.columns.clone();
    Ok((shown_only(bound), columns))
}

/// What the binder leaves to the optimiser beside the plan.
fn binder_parts(binder: &mut Binder<'_>) -> (Vec<Logical>, u32) {
    (std::mem::take(&mut binder.subplans), binder.next_id())
}

fn plan_query(
    (plan, columns): (Logical, Vec<OutputColumn>),
    (subplans, next_id): (Vec<Logical>, u32),
    planning: &Planning<'_>,
) -> Result<QueryPlan> {
    let mut optimizer = Optimizer::new(planning, subplans, next_id);
    let mut used = Subplans::default();
    let root = optimizer.plan(plan, &mut used)?;
    let subplans = optimizer.subplans(used)?;
    let names = columns.into_iter().map(|c| c.name).collect();
    Ok(QueryPlan {
        root,
        names,
        locks: None,
        subplans,
    })
}

fn plan_locking(
    query: LockingQuery,
    (subplans, next_id): (Vec<Logical>, u32),
    planning: &Planning<'_>,
) -> Result<QueryPlan> {
    let mut optimizer = Optimizer::new(planning, subplans, next_id);
    let mut used = Subplans::default();
    let root = optimizer.plan(query.plan, &mut used)?;
    let mut count = |expr: Option<Expr>| expr.map(|e| optimizer.over_row(e, &[], &mut used)).transpose();
    let (limit, offset) = (count(query.limit)?, count(query.offset)?);
    let shown = query.shown.len();
    let locked = query.locked.into_iter().enumerate();
    let tables = locked.map(|(at, locked)| LockedRows {
        table: locked.table,
        key: shown + at,
        strength: locked.strength,
        waiting: locked.waiting,
    });
    let locks = RowLocks {
        tables: tables.collect(),
        limit,
        offset,
    };
    Ok(QueryPlan {
        root,
        names: query.shown.into_iter().map(|c| c.name).collect(),
        locks: Some(locks),
        subplans: optimizer.subplans(used)?,
    })
}

fn plan_insert(
    inserting: Inserting,
    (subplans, next_id): (Vec<Logical>, u32),
    planning: &Planning<'_>,
) -> Result<StatementPlan> {
    let mut optimizer = Optimizer::new(planning, subplans, next_id);
    let mut used = Subplans::default();
    let source = optimizer.plan(inserting.source, &mut used)?;
    let on_conflict = match inserting.on_conflict {
        Conflict::Fail => OnConflict::Fail,
        Conflict::Nothing(target) => OnConflict::Nothing(target),
        Conflict::Update {
            target,
            set,
            filter,
            row,
        } => {
            let set = set
                .into_iter()
                .map(|(position, e)| Ok((position, optimizer.over_row(e, &row, &mut used)?)));
            OnConflict::Update {
                target,
                set: set.collect::<Result<_>>()?,
                filter: filter
                    .map(|e| optimizer.over_row(e, &row, &mut used))
                    .transpose()?,
            }
        }
    };
    let change = Change::Insert {
        table: inserting.table,
        source,
        on_conflict,
    };
    finish_change(optimizer, used, change, inserting.returning)
}

fn plan_modification(
    modifying: Modifying,
    (subplans, next_id): (Vec<Logical>, u32),
    planning: &Planning<'_>,
) -> Result<StatementPlan> {
    let mut optimizer = Optimizer::new(planning, subplans, next_id);
    let mut used = Subplans::default();
    let source: Node = optimizer.plan(modifying.source, &mut used)?;
    let table = modifying.table;
    let change = match modifying.set {
        Some(set) => Change::Update { table, set, source },
        None => Change::Delete { table, source },
    };
    finish_change(optimizer, used, change, modifying.returning)
}

fn finish_change(
    mut optimizer: Optimizer<'_>,
    mut used: Subplans,
    change: Change,
    returning: Returning,
) -> Result<StatementPlan> {
    let exprs = returning.exprs.into_iter();
    let exprs = exprs.map(|e| optimizer.over_row(e, &returning.row, &mut used));
    let exprs: Vec<Expr> = exprs.collect::<Result<_>>()?;
    Ok(StatementPlan::Change {
        change,
        returning: exprs,
        names: returning.names,
        subplans: optimizer.subplans(used)?,
    })
}

/// The refusal of an internal contradiction, which would be a fault of this crate.
pub(crate) fn broken(what: &str) -> SqlError {
    SqlError::new(state::INTERNAL_ERROR, format!("planner: {what}"))
}
