//! Predicates and values in their simplest form: flat ANDs and ORs without constants and repetitions, negations at the leaves,
//! `x = 1 OR x = 2` as `x IN (1, 2)`, what all branches of an OR share in front of it.

use super::fold::{fold_expr, is_volatile};
use super::negate::{comparison, opposite_of};
use crate::expr::Expr;
use crate::plan::logical::Logical;
use crate::plan::walk::{conjoin, conjuncts, same};
use crate::types::DataType;
use crate::value::Value;

/// The constant truth value.
pub(super) fn truth(value: bool) -> Expr {
    Expr::Literal(Value::Bool(value), DataType::Bool)
}

/// Simplifies every expression of a plan.
pub(super) fn plan(plan: &mut Logical) {
    for input in plan.inputs_mut() {
        self::plan(input);
    }
    let filters = matches!(
        plan,
        Logical::Filter { .. } | Logical::Scan { .. } | Logical::Join { .. }
    );
    for expr in plan.exprs_mut() {
        let taken = std::mem::replace(expr, truth(true));
        *expr = if filters { predicate(taken) } else { value(taken) };
    }
    drop_true(plan);
}

/// A filter that is always true goes away.
fn drop_true(plan: &mut Logical) {
    match plan {
        Logical::Filter { input, predicate } if is_true(predicate) => *plan = input.take(),
        Logical::Join { on, .. } if on.as_ref().is_some_and(is_true) => *on = None,
        Logical::Scan { filter, .. } if filter.as_ref().is_some_and(is_true) => *filter = None,
        _ => {}
    }
}

pub(super) fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Value::Bool(true), _))
}

/// Never true: false or NULL.
pub(super) fn is_never_true(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Value::Bool(false) | Value::Null, _))
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Value::Null, _))
}

/// Simplifies an expression whose exact value matters.
pub(super) fn value(expr: Expr) -> Expr {
    let mut expr = fold_expr(expr);
    for child in expr.children_mut() {
        let taken = std::mem::replace(child, truth(true));
        *child = value_inside(taken);
    }
    logic(expr)
}

/// As [`value`], below an expression that has been folded as a whole.
fn value_inside(mut expr: Expr) -> Expr {
    for child in expr.children_mut() {
        let taken = std::mem::replace(child, truth(true));
        *child = value_inside(taken);
    }
    logic(expr)
}

/// Simplifies a condition: only whether it is true matters, not whether it is false or NULL.
pub(super) fn predicate(expr: Expr) -> Expr {
    let parts = conjuncts(value(expr))
        .into_iter()
        .flat_map(|part| conjuncts(condition(part)));
    let mut parts: Vec<Expr> = parts.collect();
    if parts.iter().any(is_never_true) {
        return truth(false);
    }
    // What costs little is asked first: where it fails the rest need not be computed.
    parts.sort_by_cached_key(weight);
    and(parts)
}

/// Roughly how much work a value is, in calls of simple functions.
fn weight(expr: &Expr) -> usize {
    let own = match expr {
        Expr::Call { .. } => 1,
        Expr::InList { list, .. } => 1 + list.len() / 2,
        Expr::Subquery(_) => 1000,
        _ => 0,
    };
    own + expr.children().into_iter().map(weight).sum::<usize>()
}

/// One conjunct of a condition.
fn condition(expr: Expr) -> Expr {
    match expr {
        // `x IS TRUE`
        Expr::Coalesce(mut parts, _) if parts.len() == 2 && is_never_true(&parts[1]) => {
            condition(parts.swap_remove(0))
        }
        Expr::Case {
            branches,
            otherwise,
            ty,
        } => case(branches, otherwise, ty),
        Expr::Or(parts) => {
            let parts = parts.into_iter().map(condition);
            factor(parts.filter(|part| !is_never_true(part)).collect())
        }
        Expr::InList { expr, list, negated } if list.iter().any(is_null) => {
            without_nulls(expr, list, negated)
        }
        other => other,
    }
}

/// Whether a value equals NULL is unknown: it never makes `IN` true, and always keeps `NOT IN` from it.
fn without_nulls(expr: Box<Expr>, mut list: Vec<Expr>, negated: bool) -> Expr {
    list.retain(|item| !is_null(item));
    if negated || list.is_empty() {
        return truth(false);
    }
    Expr::InList { expr, list, negated }
}

/// `CASE WHEN p THEN true WHEN … THEN NULL ELSE false END` is as true as `p`.
fn case(mut branches: Vec<(Expr, Expr)>, otherwise: Option<Box<Expr>>, ty: DataType) -> Expr {
    let rest_fails = branches.iter().skip(1).all(|(_, then)| is_never_true(then))
        && otherwise.as_deref().is_none_or(is_never_true);
    let first_holds = branches.first().is_some_and(|(_, then)| is_true(then));
    if rest_fails && first_holds {
        return condition(branches.swap_remove(0).0);
    }
    Expr::Case {
        branches,
        otherwise,
        ty,
    }
}

fn logic(expr: Expr) -> Expr {
    match expr {
        Expr::And(parts) => and(parts),
        Expr::Or(parts) => or(parts),
        Expr::Not(inner) => not(*inner),
        Expr::InList { expr, list, negated } if list.is_empty() => {
            // Only written out by rules; an empty list has no equal.
            if is_volatile(&expr) {
                Expr::InList { expr, list, negated }
            } else {
                truth(negated)
            }
        }
        other => other,
    }
}

fn flat(parts: Vec<Expr>, open: &dyn Fn(Expr) -> Result<Vec<Expr>, Expr>) -> Vec<Expr> {
    let mut all = Vec::with_capacity(parts.len());
    for part in parts {
        match open(part) {
            Ok(inner) => all.extend(flat(inner, open)),
            Err(part) => all.push(part),
        }
    }
    all
}

fn and(parts: Vec<Expr>) -> Expr {
    let parts = flat(parts, &|e| match e {
        Expr::And(inner) => Ok(inner),
        other => Err(other),
    });
    if parts
        .iter()
        .any(|p| matches!(p, Expr::Literal(Value::Bool(false), _)))
    {
        return truth(false);
    }
    let kept = different(parts.into_iter().filter(|p| !is_true(p)));
    conjoin(kept).unwrap_or_else(|| truth(true))
}

fn or(parts: Vec<Expr>) -> Expr {
    let parts = flat(parts, &|e| match e {
        Expr::Or(inner) => Ok(inner),
        other => Err(other),
    });
    if parts.iter().any(is_true) {
        return truth(true);
    }
    let kept = parts
        .into_iter()
        .filter(|p| !matches!(p, Expr::Literal(Value::Bool(false), _)));
    let mut kept = merge_equalities(different(kept));
    match kept.len() {
        0 => truth(false),
        1 => kept.swap_remove(0),
        _ => Expr::Or(kept),
    }
}

/// Without repetitions. Long lists are left as they are: comparing all pairs would take longer than evaluating them.
fn different(parts: impl Iterator<Item = Expr>) -> Vec<Expr> {
    let mut kept: Vec<Expr> = Vec::new();
    for part in parts {
        let known = kept.len() < 64 && kept.iter().any(|k| same(k, &part)) && !is_volatile(&part);
        if !known {
            kept.push(part);
        }
    }
    kept
}

/// `x = 1 OR x = 2` becomes `x IN (1, 2)`, which an index can answer.
fn merge_equalities(parts: Vec<Expr>) -> Vec<Expr> {
    let mut merged: Vec<Expr> = Vec::with_capacity(parts.len());
    for part in parts {
        let Some((subject, values)) = one_of(&part) else {
            merged.push(part);
            continue;
        };
        let group = merged
            .iter_mut()
            .rev()
            .take(16)
            .find_map(|known| match one_of(known) {
                Some((other, _)) if same(other, subject) => Some(known),
                _ => None,
            });
        match group {
            Some(known) => *known = united(known, subject, &values),
            None => merged.push(part),
        }
    }
    merged
}

/// An equality with a constant, or a list of such.
fn one_of(expr: &Expr) -> Option<(&Expr, Vec<&Expr>)> {
    let constant = |e: &Expr| matches!(e, Expr::Literal(..) | Expr::Parameter(..) | Expr::Outer(..));
    match expr {
        Expr::InList {
            expr,
            list,
            negated: false,
        } if list.iter().all(constant) => Some((expr, list.iter().collect())),
        Expr::Call { .. } => {
            let ("=", left, right) = comparison(expr)? else {
                return None;
            };
            let (subject, value) = if constant(right) {
                (left, right)
            } else {
                (right, left)
            };
            let fits =
                constant(value) && !constant(subject) && relabelled(value, subject.data_type()).is_some();
            fits.then(|| (subject, vec![value]))
        }
        _ => None,
    }
}

fn united(known: &Expr, subject: &Expr, values: &[&Expr]) -> Expr {
    let before = one_of(known).map(|(_, list)| list).unwrap_or_default();
    let all = before.into_iter().chain(values.iter().copied());
    let list = all.filter_map(|value| relabelled(value, subject.data_type()));
    Expr::InList {
        list: list.collect(),
        expr: Box::new(subject.clone()),
        negated: false,
    }
}

/// A constant as one of that type; whole numbers of all widths lie alike.
fn relabelled(value: &Expr, ty: DataType) -> Option<Expr> {
    match value {
        same if same.data_type() == ty => Some(same.clone()),
        Expr::Literal(value @ Value::Int(_), of) if of.is_integer() && ty.is_integer() => {
            Some(Expr::Literal(value.clone(), ty))
        }
        _ => None,
    }
}

/// `(a AND b) OR (a AND c)` becomes `a AND (b OR c)`: what all branches need can be pushed down and indexed.
fn factor(branches: Vec<Expr>) -> Expr {
    if branches.len() > 64 {
        return or(branches);
    }
    let mut split: Vec<Vec<Expr>> = branches.into_iter().map(conjuncts).collect();
    let mut shared = Vec::new();
    for part in split.first().cloned().unwrap_or_default() {
        let everywhere = split
            .iter()
            .all(|branch| branch.iter().any(|other| same(other, &part)));
        if everywhere && !is_volatile(&part) {
            shared.push(part);
        }
    }
    if shared.is_empty() {
        return or(split.into_iter().filter_map(conjoin).collect());
    }
    for branch in &mut split {
        branch.retain(|part| !shared.iter().any(|s| same(s, part)));
    }
    let rest = split
        .into_iter()
        .map(|branch| conjoin(branch).unwrap_or_else(|| truth(true)));
    shared.push(or(rest.collect()));
    and(shared)
}

fn not(inner: Expr) -> Expr {
    match inner {
        Expr::Not(twice) => *twice,
        Expr::And(parts) => or(parts.into_iter().map(not).collect()),
        Expr::Or(parts) => and(parts.into_iter().map(not).collect()),
        Expr::IsNull(expr, negated) => Expr::IsNull(expr, !negated),
        Expr::InList { expr, list, negated } => Expr::InList {
            expr,
            list,
            negated: !negated,
        },
        Expr::Literal(Value::Bool(value), _) => truth(!value),
        Expr::Literal(Value::Null, ty) => Expr::Literal(Value::Null, ty),
        other => opposite_of(&other).unwrap_or_else(|| Expr::Not(Box::new(other))),
    }
}
