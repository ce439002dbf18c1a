//! Filters move to where their columns come from; outer joins whose NULL rows a filter drops become inner ones.
//!
//! A filter above a join may be asked earlier, below it, for the side it names, as long as that side's rows are not kept for their own sake:
//! for a left join, filters over the left side go down, filters over the right side stay, unless no row of NULLs passes them. Then the
//! join need not make such rows, and is an inner join.

use super::Optimizer;
use super::fold::{has_subquery, is_volatile};
use super::negate::{compare, comparison};
use super::nullability::{names_any, only_names, rejects_nulls};
use super::ranges::comparable;
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, JoinKind, Logical, OutputColumn, Projection, SetKind};
use crate::plan::walk::{IdSet, add_columns, columns_of, conjoin, conjuncts, rewrite};
use std::collections::HashMap;

impl Optimizer<'_> {
    pub(super) fn push_down(&self, plan: Logical) -> Logical {
        push(plan, Vec::new())
    }
}

/// The plan with these predicates applied to it, as deep inside as they may go.
pub(super) fn push(plan: Logical, predicates: Vec<Expr>) -> Logical {
    match plan {
        Logical::Filter { input, predicate } => through_filter(*input, predicate, predicates),
        Logical::Project { input, columns } => through_project(*input, columns, predicates),
        Logical::Join {
            kind,
            left,
            right,
            on,
        } => through_join(
            kind,
            *left,
            *right,
            on.map(conjuncts).unwrap_or_default(),
            predicates,
        ),
        Logical::Aggregate {
            input,
            groups,
            aggregates,
        } => through_aggregate(*input, groups, aggregates, predicates),
        Logical::Distinct { input, on } => through_distinct(*input, on, predicates),
        Logical::Sort { input, keys } => {
            let input = Box::new(push(*input, predicates));
            Logical::Sort { input, keys }
        }
        Logical::Limit { input, limit, offset } => {
            // Fewer rows before the limit would let others through it.
            let input = Box::new(push(*input, Vec::new()));
            filtered(Logical::Limit { input, limit, offset }, predicates)
        }
        Logical::Set {
            kind,
            all,
            left,
            right,
            output,
        } => through_set(kind, all, *left, *right, output, &predicates),
        apply @ Logical::Apply { .. } => through_apply(apply, predicates),
        scan @ Logical::Scan { .. } => into_scan(scan, predicates),
        leaf @ (Logical::Values { .. } | Logical::Series { .. } | Logical::System { .. }) => {
            filtered(leaf, predicates)
        }
    }
}

/// Volatile predicates are asked once for each row that comes to them, so they stay where they are.
fn through_filter(input: Logical, predicate: Expr, above: Vec<Expr>) -> Logical {
    let all = conjuncts(predicate).into_iter().chain(above);
    let (stay, go) = all.partition(is_volatile);
    filtered(push(input, go), stay)
}

/// What names only the columns of the groups keeps or drops whole groups. With no columns to group by there is one group, even of no rows.
fn through_aggregate(
    input: Logical,
    groups: Vec<Projection>,
    aggregates: Vec<AggregateCall>,
    predicates: Vec<Expr>,
) -> Logical {
    let grouped = groups.iter().map(|(_, column)| column.id).collect();
    let movable = |p: &Expr| !groups.is_empty() && only_names(p, &grouped) && !columns_of(p).is_empty();
    let (go, stay): (Vec<_>, Vec<_>) = predicates.into_iter().partition(movable);
    let go = go.into_iter().map(|p| substitute(p, &groups)).collect();
    let aggregate = Logical::Aggregate {
        input: Box::new(push(input, go)),
        groups,
        aggregates,
    };
    filtered(aggregate, stay)
}

/// With `DISTINCT ON`, a filter on another column would let the second row of its kind be the first.
fn through_distinct(input: Logical, on: Vec<Expr>, predicates: Vec<Expr>) -> Logical {
    let mut keys = IdSet::default();
    on.iter().for_each(|key| add_columns(key, &mut keys));
    let movable = |p: &Expr| on.is_empty() || only_names(p, &keys);
    let (go, stay) = predicates.into_iter().partition(movable);
    let input = Box::new(push(input, go));
    filtered(Logical::Distinct { input, on }, stay)
}

/// What names only the input's columns decides before the subplan is run.
fn through_apply(mut apply: Logical, predicates: Vec<Expr>) -> Logical {
    let Logical::Apply { input, .. } = &mut apply else {
        return filtered(apply, predicates);
    };
    let below = input.output_ids();
    let movable = |p: &Expr| only_names(p, &below) && !is_volatile(p);
    let (go, stay) = predicates.into_iter().partition(movable);
    let taken = input.take();
    **input = push(taken, go);
    filtered(apply, stay)
}

fn into_scan(mut scan: Logical, predicates: Vec<Expr>) -> Logical {
    if let Logical::Scan { filter, .. } = &mut scan {
        let own = filter.take().map(conjuncts).unwrap_or_default();
        *filter = conjoin(own.into_iter().chain(predicates).collect());
    }
    scan
}

pub(super) fn filtered(plan: Logical, predicates: Vec<Expr>) -> Logical {
    match conjoin(predicates) {
        None => plan,
        Some(predicate) => Logical::Filter {
            input: Box::new(plan),
            predicate,
        },
    }
}

/// Replaces projected columns by what they are made of.
pub(super) fn substitute(mut expr: Expr, columns: &[Projection]) -> Expr {
    if columns.len() > 16 {
        let by_id: HashMap<u32, &Expr> = columns.iter().map(|(e, c)| (c.id, e)).collect();
        substitute_by(&mut expr, &|id| by_id.get(&id).copied());
    } else {
        substitute_by(&mut expr, &|id| {
            columns.iter().find(|(_, c)| c.id == id).map(|(e, _)| e)
        });
    }
    expr
}

fn substitute_by<'e>(expr: &mut Expr, find: &dyn Fn(u32) -> Option<&'e Expr>) {
    rewrite(expr, &mut |e| {
        if let Expr::Column(id, _) = e
            && let Some(with) = find(*id)
        {
            *e = with.clone();
        }
    });
}

fn through_project(input: Logical, columns: Vec<Projection>, predicates: Vec<Expr>) -> Logical {
    let fixed = columns.iter().filter(|(e, _)| is_volatile(e) || has_subquery(e));
    let fixed: IdSet = fixed.map(|(_, c)| c.id).collect();
    let (stay, go): (Vec<_>, Vec<_>) = predicates.into_iter().partition(|p| names_any(p, &fixed));
    let go = go.into_iter().map(|p| substitute(p, &columns)).collect();
    let input = Box::new(push(input, go));
    filtered(Logical::Project { input, columns }, stay)
}

fn through_set(
    kind: SetKind,
    all: bool,
    left: Logical,
    right: Logical,
    output: Vec<OutputColumn>,
    predicates: &[Expr],
) -> Logical {
    let renamed = |side: &Logical| {
        let columns: Vec<Projection> = side
            .output()
            .into_iter()
            .zip(&output)
            .map(|(from, to)| (from.read(), to.clone()))
            .collect();
        predicates
            .iter()
            .map(|p| substitute(p.clone(), &columns))
            .collect::<Vec<_>>()
    };
    let (for_left, for_right) = (renamed(&left), renamed(&right));
    Logical::Set {
        kind,
        all,
        left: Box::new(push(left, for_left)),
        right: Box::new(push(right, for_right)),
        output,
    }
}

fn through_join(kind: JoinKind, left: Logical, right: Logical, on: Vec<Expr>, above: Vec<Expr>) -> Logical {
    let (kind, left, right) = match kind {
        JoinKind::Right => (JoinKind::Left, right, left),
        other => (other, left, right),
    };
    let (left_ids, right_ids) = (left.output_ids(), right.output_ids());
    match weakened(kind, &above, &left_ids, &right_ids) {
        JoinKind::Right => through_join(JoinKind::Left, right, left, on, above),
        JoinKind::Inner => inner(left, right, on, above),
        JoinKind::Left => {
            let (go_left, stay): (Vec<_>, Vec<_>) = above.into_iter().partition(|p| only_names(p, &left_ids));
            let (mut go_right, on): (Vec<_>, Vec<_>) = on
                .into_iter()
                .partition(|p| only_names(p, &right_ids) && !is_volatile(p));
            go_right.extend(follows(&on, &go_left, &left));
            let joined = joined(JoinKind::Left, push(left, go_left), push(right, go_right), on);
            filtered(joined, stay)
        }
        JoinKind::Semi => {
            let (mut go_left, stay): (Vec<_>, Vec<_>) =
                above.into_iter().partition(|p| only_names(p, &left_ids));
            let (also_left, on): (Vec<_>, Vec<_>) = on
                .into_iter()
                .partition(|p| only_names(p, &left_ids) && !columns_of(p).is_empty());
            go_left.extend(also_left);
            let (mut go_right, on): (Vec<_>, Vec<_>) =
                on.into_iter().partition(|p| only_names(p, &right_ids));
            go_right.extend(follows(&on, &go_left, &left));
            filtered(
                joined(JoinKind::Semi, push(left, go_left), push(right, go_right), on),
                stay,
            )
        }
        JoinKind::Anti => {
            let (go_left, stay): (Vec<_>, Vec<_>) = above.into_iter().partition(|p| only_names(p, &left_ids));
            let (mut go_right, on): (Vec<_>, Vec<_>) =
                on.into_iter().partition(|p| only_names(p, &right_ids));
            go_right.extend(follows(&on, &go_left, &left));
            filtered(
                joined(JoinKind::Anti, push(left, go_left), push(right, go_right), on),
                stay,
            )
        }
        JoinKind::NullAwareAnti => {
            let (go_left, stay) = above.into_iter().partition(|p| only_names(p, &left_ids));
            let joined = joined(
                JoinKind::NullAwareAnti,
                push(left, go_left),
                push(right, Vec::new()),
                on,
            );
            filtered(joined, stay)
        }
        JoinKind::Full => {
            let joined = joined(
                JoinKind::Full,
                push(left, Vec::new()),
                push(right, Vec::new()),
                on,
            );
            filtered(joined, above)
        }
    }
}

/// The kind of join that is enough below these predicates.
fn weakened(kind: JoinKind, above: &[Expr], left: &IdSet, right: &IdSet) -> JoinKind {
    let rejects = |side: &IdSet| above.iter().any(|p| rejects_nulls(p, side));
    match kind {
        JoinKind::Left if rejects(right) => JoinKind::Inner,
        JoinKind::Full => match (rejects(left), rejects(right)) {
            (true, true) => JoinKind::Inner,
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) => JoinKind::Full,
        },
        other => other,
    }
}

fn inner(left: Logical, right: Logical, on: Vec<Expr>, above: Vec<Expr>) -> Logical {
    let (left_ids, right_ids) = (left.output_ids(), right.output_ids());
    let (mut go_left, mut go_right, mut stay) = (Vec::new(), Vec::new(), Vec::new());
    for predicate in on.into_iter().chain(above) {
        let volatile = is_volatile(&predicate);
        if !volatile && only_names(&predicate, &left_ids) {
            go_left.push(predicate);
        } else if !volatile && only_names(&predicate, &right_ids) {
            go_right.push(predicate);
        } else {
            stay.push(predicate);
        }
    }
    joined(JoinKind::Inner, push(left, go_left), push(right, go_right), stay)
}

fn joined(kind: JoinKind, left: Logical, right: Logical, on: Vec<Expr>) -> Logical {
    Logical::Join {
        kind,
        left: Box::new(left),
        right: Box::new(right),
        on: conjoin(on),
    }
}

/// From `l = 5` on the left and the join condition `l = r` follows that only right rows with `r = 5` can match.
fn follows(on: &[Expr], known: &[Expr], left: &Logical) -> Vec<Expr> {
    let mut below = Vec::new();
    if let Logical::Filter { predicate, .. } = left {
        below = conjuncts(predicate.clone());
    }
    let mut constants = Vec::new();
    for predicate in known.iter().chain(&below) {
        if let Some(("=", a, b)) = comparison(predicate) {
            constants.extend(constant_for(a, b).or_else(|| constant_for(b, a)));
        }
    }
    let mut found = Vec::new();
    for predicate in on {
        let Some(("=", a, b)) = comparison(predicate) else {
            continue;
        };
        for (column, constant) in &constants {
            for (l, r) in [(a, b), (b, a)] {
                let applies = matches!(l, Expr::Column(id, _) if id == column)
                    && comparable(l.data_type(), constant.data_type());
                if applies && matches!(r, Expr::Column(..)) {
                    found.extend(compare("=", r.clone(), constant.clone()));
                }
            }
        }
    }
    found
}

fn constant_for(column: &Expr, value: &Expr) -> Option<(u32, Expr)> {
    match (column, value) {
        (Expr::Column(id, _), Expr::Literal(..) | Expr::Parameter(..) | Expr::Outer(..)) => {
            Some((*id, value.clone()))
        }
        _ => None,
    }
}
