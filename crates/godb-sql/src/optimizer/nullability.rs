//! Which columns and expressions can be NULL, and which predicates a row of NULLs fails.

use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical};
use crate::plan::walk::{IdSet, any, columns_of};
use crate::value::Value;

/// The columns that a plan never produces NULL in.
pub(super) fn never_null(plan: &Logical) -> IdSet {
    match plan {
        Logical::Scan {
            table, columns, key, ..
        } => {
            let required = |p: usize| table.columns[p].not_null || table.primary_key.contains(&p);
            let columns = columns.iter().filter(|(p, _)| required(*p)).map(|(_, c)| c.id);
            columns.chain(key.iter().map(|c| c.id)).collect()
        }
        Logical::Project { input, columns } => {
            let below = never_null(input);
            let sure = columns.iter().filter(|(e, _)| !can_be_null(e, &below));
            sure.map(|(_, c)| c.id).collect()
        }
        Logical::Aggregate {
            input,
            groups,
            aggregates,
        } => {
            let below = never_null(input);
            let groups = groups
                .iter()
                .filter(|(e, _)| !can_be_null(e, &below))
                .map(|(_, c)| c.id);
            let counts = aggregates.iter().filter(|a| a.function.aggregate.name == "count");
            groups.chain(counts.map(|a| a.output.id)).collect()
        }
        Logical::Join {
            kind, left, right, ..
        } => {
            let mut sure = IdSet::default();
            if !matches!(kind, JoinKind::Right | JoinKind::Full) {
                sure.extend(&never_null(left));
            }
            if matches!(kind, JoinKind::Inner | JoinKind::Right) {
                sure.extend(&never_null(right));
            }
            sure
        }
        Logical::Filter { input, .. }
        | Logical::Distinct { input, .. }
        | Logical::Sort { input, .. }
        | Logical::Limit { input, .. }
        | Logical::Apply { input, .. } => never_null(input),
        Logical::Values { .. } | Logical::Set { .. } | Logical::Series { .. } | Logical::System { .. } => {
            IdSet::default()
        }
    }
}

/// Whether an expression can be NULL over columns of which these never are.
pub(super) fn can_be_null(expr: &Expr, never: &IdSet) -> bool {
    match expr {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Column(id, _) => !never.contains(*id),
        Expr::IsNull(..) | Expr::NotDistinct(..) => false,
        Expr::Cast { expr, .. } => can_be_null(expr, never),
        Expr::Coalesce(parts, _) => parts.iter().all(|part| can_be_null(part, never)),
        Expr::Not(inner) => can_be_null(inner, never),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(|part| can_be_null(part, never)),
        _ => true,
    }
}

/// Whether a predicate is never true for a row in which all of these columns are NULL.
pub(super) fn rejects_nulls(predicate: &Expr, nulled: &IdSet) -> bool {
    match predicate {
        Expr::And(parts) => parts.iter().any(|part| rejects_nulls(part, nulled)),
        Expr::Or(parts) => !parts.is_empty() && parts.iter().all(|part| rejects_nulls(part, nulled)),
        Expr::IsNull(inner, true) => null_with(inner, nulled),
        Expr::Literal(value, _) => matches!(value, Value::Null | Value::Bool(false)),
        other => null_with(other, nulled),
    }
}

/// Whether an expression is certainly NULL when these columns are.
fn null_with(expr: &Expr, nulled: &IdSet) -> bool {
    match expr {
        Expr::Column(id, _) => nulled.contains(*id),
        Expr::Literal(value, _) => value.is_null(),
        Expr::Call { function, args, .. } => function.strict && args.iter().any(|arg| null_with(arg, nulled)),
        Expr::Cast { expr, .. } | Expr::Not(expr) => null_with(expr, nulled),
        Expr::InList { expr, .. } => null_with(expr, nulled),
        Expr::And(parts) | Expr::Or(parts) => {
            !parts.is_empty() && parts.iter().all(|part| null_with(part, nulled))
        }
        _ => false,
    }
}

/// Whether an expression names any of these columns.
pub(super) fn names_any(expr: &Expr, ids: &IdSet) -> bool {
    any(expr, &|e| matches!(e, Expr::Column(id, _) if ids.contains(*id)))
}

/// Whether an expression names no other columns than these.
pub(super) fn only_names(expr: &Expr, ids: &IdSet) -> bool {
    columns_of(expr).is_subset(ids)
}
