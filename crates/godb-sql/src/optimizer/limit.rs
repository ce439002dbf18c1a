//! Limits move down: below projections, into the branches of a union, to the kept side of an outer join.

use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical, SetKind};
use crate::types::DataType;
use crate::value::Value;

/// The plan with its limits where they save the most.
pub(super) fn push_down(mut plan: Logical) -> Logical {
    if let Logical::Limit { input, limit, offset } = &mut plan
        && let Some(rows) = rows_needed(limit.as_ref(), offset.as_ref())
    {
        let taken = input.take();
        **input = limited_inside(taken, rows);
    }
    for input in plan.inputs_mut() {
        let taken = input.take();
        *input = push_down(taken);
    }
    plan
}

/// How many rows a limit with constant counts looks at.
pub(super) fn rows_needed(limit: Option<&Expr>, offset: Option<&Expr>) -> Option<i64> {
    let constant = |expr: &Expr| match expr {
        Expr::Literal(Value::Int(n), _) if *n >= 0 => Some(*n),
        _ => None,
    };
    let skipped = offset.map_or(Some(0), constant)?;
    constant(limit?)?.checked_add(skipped)
}

fn limited_inside(plan: Logical, rows: i64) -> Logical {
    match plan {
        Logical::Project { input, columns } => Logical::Project {
            input: Box::new(limited_inside(*input, rows)),
            columns,
        },
        Logical::Set {
            kind: SetKind::Union,
            all: true,
            left,
            right,
            output,
        } => Logical::Set {
            kind: SetKind::Union,
            all: true,
            left: Box::new(limited(*left, rows)),
            right: Box::new(limited(*right, rows)),
            output,
        },
        Logical::Join {
            kind: JoinKind::Left,
            left,
            right,
            on,
        } => Logical::Join {
            kind: JoinKind::Left,
            left: Box::new(limited(*left, rows)),
            right,
            on,
        },
        other => other,
    }
}

fn limited(plan: Logical, rows: i64) -> Logical {
    Logical::Limit {
        input: Box::new(plan),
        limit: Some(Expr::Literal(Value::Int(rows), DataType::Int8)),
        offset: None,
    }
}
