//! Takes the predicates that read outer values out of a subquery's plan.

use super::fold::{has_outer, has_subquery, is_volatile};
use super::limit::rows_needed;
use super::pushdown::filtered;
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical, Projection};
use crate::plan::walk::{IdSet, add_columns, conjoin, conjuncts};

/// What the subquery's rows are wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Only whether there is a row.
    Existence,
    /// The rows themselves, to be aggregated.
    Rows,
}

/// Whether an expression anywhere in the plan reads an outer value.
pub(super) fn reads_outside(plan: &Logical) -> bool {
    let mut found = false;
    plan.for_each_expr(&mut |expr| found |= has_outer(expr));
    found
}

/// The plan without the predicates that read outer values, and those predicates, over columns that the plan produces. `None` when
/// outer values are read elsewhere, or where a predicate cannot be taken out without changing what it filters.
pub(super) fn pull(plan: Logical, purpose: Purpose) -> Option<(Logical, Vec<Expr>)> {
    if !reads_outside(&plan) {
        return Some((plan, Vec::new()));
    }
    match plan {
        Logical::Filter { input, predicate } => {
            let (outside, inside) = split(conjuncts(predicate))?;
            let (input, mut pulled) = pull(*input, purpose)?;
            pulled.extend(outside);
            Some((filtered(input, inside), pulled))
        }
        Logical::Scan {
            table,
            alias,
            columns,
            key,
            filter,
            as_of,
        } => {
            let (outside, inside) = split(filter.map(conjuncts).unwrap_or_default())?;
            let scan = Logical::Scan {
                table,
                alias,
                columns,
                key,
                filter: conjoin(inside),
                as_of,
            };
            Some((scan, outside))
        }
        Logical::Project { input, columns } => project(*input, columns, purpose),
        Logical::Join {
            kind,
            left,
            right,
            on,
        } => join(kind, *left, *right, on, purpose),
        Logical::Sort { input, .. } if purpose == Purpose::Existence => pull(*input, purpose),
        Logical::Distinct { input, on } if purpose == Purpose::Existence && on.is_empty() => {
            pull(*input, purpose)
        }
        Logical::Limit {
            input,
            limit,
            offset: None,
        } if purpose == Purpose::Existence && rows_needed(limit.as_ref(), None).is_some_and(|n| n > 0) => {
            pull(*input, purpose)
        }
        _ => None,
    }
}

/// The predicates that read outer values, and those that do not.
fn split(predicates: Vec<Expr>) -> Option<(Vec<Expr>, Vec<Expr>)> {
    let (outside, inside): (Vec<_>, Vec<_>) = predicates.into_iter().partition(has_outer);
    let movable = !outside.iter().any(|p| is_volatile(p) || has_subquery(p));
    movable.then_some((outside, inside))
}

fn project(input: Logical, columns: Vec<Projection>, purpose: Purpose) -> Option<(Logical, Vec<Expr>)> {
    let mut columns = columns;
    if columns.iter().any(|(e, _)| has_outer(e)) {
        return None;
    }
    let (input, pulled) = pull(input, purpose)?;
    let mut needed = IdSet::default();
    pulled.iter().for_each(|p| add_columns(p, &mut needed));
    for column in input.output() {
        let known = columns.iter().any(|(_, c)| c.id == column.id);
        if needed.contains(column.id) && !known {
            columns.push((column.read(), column.clone()));
        }
    }
    Some((
        Logical::Project {
            input: Box::new(input),
            columns,
        },
        pulled,
    ))
}

fn join(
    kind: JoinKind,
    left: Logical,
    right: Logical,
    on: Option<Expr>,
    purpose: Purpose,
) -> Option<(Logical, Vec<Expr>)> {
    let (outside, inside) = split(on.map(conjuncts).unwrap_or_default())?;
    let (left, right, pulled) = match kind {
        JoinKind::Inner => {
            let (left, mut pulled) = pull(left, purpose)?;
            let (right, more) = pull(right, purpose)?;
            pulled.extend(more);
            pulled.extend(outside);
            (left, right, pulled)
        }
        JoinKind::Left | JoinKind::Semi | JoinKind::Anti | JoinKind::NullAwareAnti => {
            if reads_outside(&right) || !outside.is_empty() {
                return None;
            }
            let (left, pulled) = pull(left, purpose)?;
            (left, right, pulled)
        }
        JoinKind::Right | JoinKind::Full => return None,
    };
    let plan = Logical::Join {
        kind,
        left: Box::new(left),
        right: Box::new(right),
        on: conjoin(inside),
    };
    Some((plan, pulled))
}
