//! How many rows operators produce, as far as the estimator's answers about tables carry.

use super::Optimizer;
use super::advice::{Condition, small};
use super::negate::comparison;
use crate::catalog::Table;
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical, SetKind};
use crate::value::Value;

/// The part of rows that a predicate nothing is known about keeps.
const UNKNOWN: f64 = 1.0 / 3.0;
/// The rows of a series nothing is known about.
const SERIES: f64 = 1000.0;

/// How many rows a system relation is thought to have.
const ROWS_APPLIED: f64 = 3.0;
const SYSTEM_ROWS: f64 = 100.0;

/// The table and position that a column comes from, unchanged.
pub(super) fn origin(plan: &Logical, id: u32) -> Option<(&Table, usize)> {
    match plan {
        Logical::Scan { table, columns, .. } => columns
            .iter()
            .find(|(_, c)| c.id == id)
            .map(|(position, _)| (&**table, *position)),
        Logical::Project { input, columns } => match columns.iter().find(|(_, c)| c.id == id)? {
            (Expr::Column(below, _), _) => origin(input, *below),
            _ => None,
        },
        Logical::Aggregate { input, groups, .. } => match groups.iter().find(|(_, c)| c.id == id)? {
            (Expr::Column(below, _), _) => origin(input, *below),
            _ => None,
        },
        other => other.inputs().into_iter().find_map(|input| origin(input, id)),
    }
}

impl Optimizer<'_> {
    /// How many rows a plan produces.
    pub(super) fn rows(&self, plan: &Logical) -> f64 {
        let inputs: Vec<f64> = plan.inputs().into_iter().map(|input| self.rows(input)).collect();
        self.rows_over(plan, &inputs)
    }

    /// How many rows an operator produces from inputs of so many rows.
    pub(super) fn rows_over(&self, plan: &Logical, inputs: &[f64]) -> f64 {
        let rows = inputs.first().copied().unwrap_or(0.0);
        let second = inputs.get(1).copied().unwrap_or(0.0);
        match plan {
            Logical::Values { rows, .. } => small(rows.len()),
            Logical::Scan { table, filter, .. } => {
                let rows = self.planning.estimator.table_rows(table);
                let kept = filter.as_ref().map_or(1.0, |f| self.selectivity(f, plan));
                (rows * kept).max(1.0)
            }
            Logical::Filter { input, predicate } => (rows * self.selectivity(predicate, input)).max(1.0),
            Logical::Project { .. } | Logical::Sort { .. } => rows,
            Logical::Join {
                kind,
                left,
                right,
                on,
            } => {
                let matches = on
                    .as_ref()
                    .map_or(1.0, |on| self.join_selectivity(on, left, right));
                join_rows(*kind, rows, second, matches)
            }
            Logical::Aggregate { input, groups, .. } => {
                let keys: Vec<&Expr> = groups.iter().map(|(e, _)| e).collect();
                self.groups(&keys, input, rows)
            }
            Logical::Distinct { on, .. } if on.is_empty() => (rows / 2.0).max(1.0),
            Logical::Distinct { input, on } => self.groups(&on.iter().collect::<Vec<_>>(), input, rows),
            Logical::Limit { limit, .. } => limited(rows, limit.as_ref()),
            Logical::Set { kind, all, .. } => set_rows(*kind, *all, rows, second),
            Logical::Series { args, .. } => series_rows(args),
            // What a subplan gives for one row is a few rows.
            Logical::Apply { .. } => rows * ROWS_APPLIED,
            // Few transactions run at once, and few have many locks.
            Logical::System { .. } => SYSTEM_ROWS,
        }
    }

    /// Which part of a plan's rows a predicate keeps.
    pub(super) fn selectivity(&self, predicate: &Expr, plan: &Logical) -> f64 {
        match predicate {
            Expr::And(parts) => parts.iter().map(|p| self.selectivity(p, plan)).product(),
            Expr::Or(parts) => {
                let none: f64 = parts.iter().map(|p| 1.0 - self.selectivity(p, plan)).product();
                1.0 - none
            }
            Expr::Not(inner) => 1.0 - self.selectivity(inner, plan),
            Expr::Literal(Value::Bool(true), _) => 1.0,
            Expr::Literal(..) => 0.0,
            Expr::IsNull(inner, negated) => {
                let null = self.of_column(inner, plan, Condition::Null);
                if *negated { 1.0 - null } else { null }
            }
            Expr::InList { expr, list, negated } => {
                let some = self.of_column(expr, plan, Condition::OneOf(list.len()));
                if *negated { 1.0 - some } else { some }
            }
            other => self.compared(other, plan),
        }
    }

    fn compared(&self, predicate: &Expr, plan: &Logical) -> f64 {
        let (symbol, left, right) = match comparison(predicate) {
            Some(parts) => parts,
            None => return self.called(predicate, plan),
        };
        let side = if column(left).is_some() { left } else { right };
        match symbol {
            "=" => self.of_column(side, plan, Condition::Equal),
            "<>" => 1.0 - self.of_column(side, plan, Condition::Equal),
            _ => self.of_column(side, plan, Condition::Half),
        }
    }

    fn called(&self, predicate: &Expr, plan: &Logical) -> f64 {
        match predicate {
            Expr::Call { function, args, .. } if function.name.starts_with("~~") => args
                .first()
                .map_or(UNKNOWN, |arg| self.of_column(arg, plan, Condition::Like)),
            _ => UNKNOWN,
        }
    }

    fn of_column(&self, expr: &Expr, plan: &Logical, condition: Condition) -> f64 {
        let known = column(expr).and_then(|id| origin(plan, id));
        match known {
            Some((table, position)) => self.planning.estimator.selectivity(table, position, condition),
            None => match condition {
                Condition::Equal | Condition::Null => 0.05,
                Condition::OneOf(n) => (0.05 * small(n)).min(1.0),
                _ => UNKNOWN,
            },
        }
    }

    /// How many different values an expression has among so many rows.
    pub(super) fn distinct(&self, expr: &Expr, plan: &Logical, rows: f64) -> f64 {
        let known = column(expr).and_then(|id| origin(plan, id));
        let distinct = known.map_or(200.0, |(table, position)| {
            self.planning.estimator.distinct(table, position)
        });
        distinct.min(rows).max(1.0)
    }

    fn groups(&self, keys: &[&Expr], input: &Logical, rows: f64) -> f64 {
        let all: f64 = keys.iter().map(|key| self.distinct(key, input, rows)).product();
        all.min(rows).max(1.0)
    }

    /// Which part of all pairs a join condition keeps.
    pub(super) fn join_selectivity(&self, on: &Expr, left: &Logical, right: &Logical) -> f64 {
        let parts = match on {
            Expr::And(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        let one = |part: &Expr| match comparison(part) {
            Some(("=", a, b)) => {
                let of = |e: &Expr| match column(e) {
                    Some(id) if origin(left, id).is_some() => self.distinct(e, left, f64::MAX),
                    Some(id) if origin(right, id).is_some() => self.distinct(e, right, f64::MAX),
                    _ => 200.0,
                };
                1.0 / of(a).max(of(b))
            }
            _ => UNKNOWN,
        };
        parts.iter().map(one).product()
    }
}

/// The column an expression is, casts aside.
pub(super) fn column(expr: &Expr) -> Option<u32> {
    match expr {
        Expr::Column(id, _) => Some(*id),
        Expr::Cast { expr, .. } => column(expr),
        _ => None,
    }
}

/// Rows of a join of so many rows, of whose pairs this part matches.
pub(super) fn join_rows(kind: JoinKind, left: f64, right: f64, matches: f64) -> f64 {
    let pairs = left * right * matches;
    let rows = match kind {
        JoinKind::Inner => pairs,
        JoinKind::Left => pairs.max(left),
        JoinKind::Right => pairs.max(right),
        JoinKind::Full => pairs.max(left).max(right),
        JoinKind::Semi => left * (right * matches).min(1.0),
        JoinKind::Anti | JoinKind::NullAwareAnti => left * (1.0 - (right * matches).min(0.9)),
    };
    rows.max(1.0)
}

pub(super) fn limited(rows: f64, limit: Option<&Expr>) -> f64 {
    match limit {
        Some(Expr::Literal(Value::Int(n), _)) => rows.min(small(usize::try_from(*n).unwrap_or(0))),
        Some(Expr::Literal(Value::Null, _)) | None => rows,
        // A parameter: most likely a page of results.
        Some(_) => rows.min(100.0),
    }
}

pub(super) fn set_rows(kind: SetKind, all: bool, left: f64, right: f64) -> f64 {
    match (kind, all) {
        (SetKind::Union, true) => left + right,
        (SetKind::Union, false) => ((left + right) * 0.75).max(1.0),
        (SetKind::Intersect, _) => (left.min(right) / 2.0).max(1.0),
        (SetKind::Except, _) => (left / 2.0).max(1.0),
    }
}

pub(super) fn series_rows(args: &[Expr]) -> f64 {
    let whole = |e: Option<&Expr>| match e {
        Some(Expr::Literal(Value::Int(n), _)) => Some(*n),
        _ => None,
    };
    match (whole(args.first()), whole(args.get(1)), whole(args.get(2))) {
        (Some(from), Some(to), Some(step)) if step != 0 => {
            let steps = to
                .saturating_sub(from)
                .checked_div(step)
                .unwrap_or(0)
                .saturating_add(1);
            small(usize::try_from(steps).unwrap_or(0))
        }
        _ => SERIES,
    }
}
