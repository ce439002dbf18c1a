//! What cannot have rows is not run: a filter that is never true empties everything that depends on it.

use super::simplify::is_never_true;
use crate::plan::logical::{JoinKind, Logical, SetKind};

/// The plan with its empty parts replaced by empty lists of rows.
pub(super) fn propagate(mut plan: Logical) -> Logical {
    for input in plan.inputs_mut() {
        let taken = input.take();
        *input = propagate(taken);
    }
    if is_empty(&plan) { emptied(&plan) } else { plan }
}

fn emptied(plan: &Logical) -> Logical {
    Logical::Values {
        rows: Vec::new(),
        output: plan.output().into_iter().cloned().collect(),
    }
}

fn is_empty(plan: &Logical) -> bool {
    match plan {
        Logical::Values { rows, .. } => rows.is_empty(),
        Logical::Scan { filter, .. } => filter.as_ref().is_some_and(is_never_true),
        Logical::Filter { input, predicate } => is_never_true(predicate) || is_empty(input),
        Logical::Project { input, .. }
        | Logical::Distinct { input, .. }
        | Logical::Sort { input, .. }
        | Logical::Limit { input, .. }
        | Logical::Apply { input, .. } => is_empty(input),
        Logical::Aggregate { input, groups, .. } => !groups.is_empty() && is_empty(input),
        Logical::Join {
            kind,
            left,
            right,
            on,
        } => {
            let never = on.as_ref().is_some_and(is_never_true);
            match kind {
                JoinKind::Inner | JoinKind::Semi => never || is_empty(left) || is_empty(right),
                JoinKind::Left | JoinKind::Anti | JoinKind::NullAwareAnti => is_empty(left),
                JoinKind::Right => is_empty(right),
                JoinKind::Full => is_empty(left) && is_empty(right),
            }
        }
        Logical::Set {
            kind, left, right, ..
        } => match kind {
            SetKind::Union => is_empty(left) && is_empty(right),
            SetKind::Intersect => is_empty(left) || is_empty(right),
            SetKind::Except => is_empty(left),
        },
        Logical::Series { .. } | Logical::System { .. } => false,
    }
}
