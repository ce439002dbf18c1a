//! `SELECT … FOR UPDATE` and its kin: which tables' rows are locked, and how.
//!
//! A locking query produces, behind the columns it shows, the key of each row that is to be locked; whoever runs it locks row by row. Its LIMIT is
//! kept apart, for `SKIP LOCKED` counts only rows that were not skipped. As in PostgreSQL every row of the result must come from rows of its tables one by one, so there is no
//! grouping, DISTINCT or set operation, and no table on the side of an outer join that may be missing.

use super::names::fold;
use super::subquery::query_place;
use super::{Binder, Bound, shown_only};
use crate::catalog::Table;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical, OutputColumn, Projection};
use crate::plan::physical::Waiting;
use crate::types::DataType;
use godb_mvcc::{Moment, Strength};
use sqlparser::ast::{Distinct, GroupByExpr, LockClause, LockType, NonBlock, Query, Select, SetExpr};
use sqlparser::tokenizer::Location;
use std::sync::Arc;

/// What one clause asks for.
#[derive(Clone, Debug)]
struct Asked {
    strength: Strength,
    waiting: Waiting,
    /// The one relation it is about; all without.
    of: Option<String>,
    met: bool,
}

/// A table whose rows are locked.
#[derive(Clone, Debug)]
pub(crate) struct LockedTable {
    pub(crate) table: Arc<Table>,
    /// The column that has each row's key.
    pub(crate) key: OutputColumn,
    pub(crate) strength: Strength,
    pub(crate) waiting: Waiting,
}

/// What the binder remembers of row locks.
#[derive(Default)]
pub(super) struct Locking {
    /// For the SELECT that is bound next.
    pending: Vec<Asked>,
    /// For the FROM clause that is being bound.
    asked: Vec<Asked>,
    pub(super) locked: Vec<LockedTable>,
}

/// A locking query, bound: the plan's columns are those shown, then the keys.
pub(crate) struct LockingQuery {
    pub(crate) plan: Logical,
    pub(crate) shown: Vec<OutputColumn>,
    pub(crate) locked: Vec<LockedTable>,
    pub(crate) limit: Option<Expr>,
    pub(crate) offset: Option<Expr>,
}

impl Locking {
    /// Whether a plan has keys of rows to lock.
    pub(super) fn is_at(&self, plan: &Logical) -> bool {
        let output = plan.output_ids();
        self.locked.iter().any(|table| output.contains(table.key.id))
    }
}

impl Binder<'_> {
    /// Hands the keys of the rows to lock on through a projection.
    pub(super) fn project_keys(&mut self, plan: &Logical, projected: &mut Vec<Projection>) {
        if self.locking.locked.is_empty() || !self.locking.is_at(plan) {
            return;
        }
        let mut locked = std::mem::take(&mut self.locking.locked);
        for table in &mut locked {
            let key = self.new_column("", DataType::Bytea);
            projected.push((table.key.read(), key.clone()));
            table.key = key;
        }
        self.locking.locked = locked;
    }

    /// Binds a query with locking clauses. `weak` says of each such clause in the text whether it is NO KEY UPDATE or KEY SHARE.
    pub(crate) fn locking_query(&mut self, query: &Query, weak: &[bool]) -> Result<LockingQuery> {
        let SetExpr::Select(select) = &*query.body else {
            return self.not_allowed("UNION/INTERSECT/EXCEPT or VALUES", query_place(query));
        };
        self.check_lockable(select, query_place(query))?;
        // They end the statement, so they are the last in the text.
        let weak = &weak[weak.len().saturating_sub(query.locks.len())..];
        let asked = query
            .locks
            .iter()
            .zip(weak)
            .map(|(clause, weak)| asked(clause, *weak));
        self.locking.pending = asked.collect();
        let mut bare = query.clone();
        bare.locks.clear();
        bare.limit_clause = None;
        bare.fetch = None;
        let bound = self.query(&bare)?;
        let (limit, offset) = self.limits(query)?;
        let locked = std::mem::take(&mut self.locking.locked);
        let shown = bound.columns.len();
        let keys = locked.iter().map(|table| table.key.clone());
        let columns = bound.columns.into_iter().chain(keys).collect();
        let bound = self.known_columns(Bound {
            plan: bound.plan,
            columns,
        })?;
        let shown = bound.columns[..shown].to_vec();
        Ok(LockingQuery {
            plan: shown_only(bound),
            shown,
            locked,
            limit,
            offset,
        })
    }

    fn check_lockable(&self, select: &Select, at: Location) -> Result<()> {
        if matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
            return self.not_allowed("DISTINCT clause", at);
        }
        if !matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty()) {
            return self.not_allowed("GROUP BY clause", at);
        }
        if select.having.is_some() {
            return self.not_allowed("HAVING clause", at);
        }
        Ok(())
    }

    fn not_allowed<T>(&self, with: &str, at: Location) -> Result<T> {
        let message = format!("FOR UPDATE or SHARE is not allowed with {with}");
        Err(self.at(SqlError::new(state::FEATURE_NOT_SUPPORTED, message), at))
    }

    /// The FROM clause of a SELECT, with the locks that are asked for on its tables.
    pub(super) fn locked_from(&mut self, select: &Select) -> Result<Logical> {
        let asked = std::mem::take(&mut self.locking.pending);
        let outside = std::mem::replace(&mut self.locking.asked, asked);
        let plan = self.from(&select.from);
        let asked = std::mem::replace(&mut self.locking.asked, outside);
        let plan = plan?;
        if let Some(clause) = asked.iter().find(|clause| !clause.met && clause.of.is_some()) {
            let name = clause.of.as_deref().unwrap_or_default();
            let message =
                format!("relation \"{name}\" in FOR UPDATE or SHARE clause not found in FROM clause");
            return Err(SqlError::new(state::UNDEFINED_TABLE, message));
        }
        if !asked.is_empty() {
            let keys: Vec<u32> = self.locking.locked.iter().map(|table| table.key.id).collect();
            check_sides(&plan, &keys)?;
            let output = plan.output_ids();
            if keys.iter().any(|key| !output.contains(*key)) {
                return Err(SqlError::unsupported(
                    "FOR UPDATE or SHARE of a table in a join with an alias",
                ));
            }
        }
        Ok(plan)
    }

    /// The strongest lock that is asked for on the rows of a relation; and of several ways of waiting, the most impatient.
    fn lock_of(&mut self, name: &str) -> Option<(Strength, Waiting)> {
        let mut strongest: Option<(Strength, Waiting)> = None;
        for clause in &mut self.locking.asked {
            if clause.of.as_deref().is_some_and(|of| of != name) {
                continue;
            }
            clause.met = true;
            strongest = Some(match strongest {
                None => (clause.strength, clause.waiting),
                Some((strength, waiting)) => (strength.max(clause.strength), waiting.max(clause.waiting)),
            });
        }
        strongest
    }

    /// Reads a table in FROM; with a key if its rows are to be locked.
    pub(super) fn scan_or_lock(
        &mut self,
        table: &Arc<Table>,
        name: String,
        moment: Option<Moment>,
    ) -> Result<Bound> {
        let Some((strength, waiting)) = self.lock_of(&name) else {
            return Ok(Bound::all(self.scan(table, name, moment, false)));
        };
        if moment.is_some() {
            return Err(SqlError::unsupported(
                "FOR UPDATE or SHARE of a table in the past",
            ));
        }
        let plan = self.scan(table, name, None, true);
        let mut bound = Bound::all(plan);
        if let Some(key) = bound.columns.pop() {
            self.locking.locked.push(LockedTable {
                table: table.clone(),
                key,
                strength,
                waiting,
            });
        }
        Ok(bound)
    }

    /// Refuses to lock what has no rows of its own.
    pub(super) fn refuse_lock(&mut self, name: &str, what: &str, at: Location) -> Result<()> {
        match self.lock_of(name) {
            Some(_) => self.refuse(&format!("FOR UPDATE or SHARE of {what}"), at),
            None => Ok(()),
        }
    }
}

fn asked(clause: &LockClause, weak: bool) -> Asked {
    let strength = match (&clause.lock_type, weak) {
        (LockType::Update, false) => Strength::Exclusive,
        (LockType::Update, true) => Strength::ExclusiveButKey,
        (LockType::Share, false) => Strength::Shared,
        (LockType::Share, true) => Strength::SharedKey,
    };
    let waiting = match clause.nonblock {
        None => Waiting::Wait,
        Some(NonBlock::SkipLocked) => Waiting::Skip,
        Some(NonBlock::Nowait) => Waiting::Refuse,
    };
    let of = clause
        .of
        .as_ref()
        .and_then(|name| name.0.last())
        .and_then(|part| part.as_ident())
        .map(fold);
    Asked {
        strength,
        waiting,
        of,
        met: false,
    }
}

/// Refuses keys from a side of an outer join that may be missing.
fn check_sides(plan: &Logical, keys: &[u32]) -> Result<()> {
    if let Logical::Join {
        kind, left, right, ..
    } = plan
    {
        let missing = |side: &Logical| {
            let output = side.output_ids();
            keys.iter().any(|key| output.contains(*key))
        };
        let refused = match kind {
            JoinKind::Left => missing(right),
            JoinKind::Right => missing(left),
            JoinKind::Full => missing(left) || missing(right),
            _ => false,
        };
        if refused {
            let message = "FOR UPDATE or SHARE cannot be applied to the nullable side of an outer join";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
    }
    plan.inputs()
        .into_iter()
        .try_for_each(|input| check_sides(input, keys))
}
