//! Columns that nobody reads are not made.

use crate::plan::logical::Logical;
use crate::plan::walk::{IdSet, add_columns};

/// Drops unread columns below the plan's own output.
pub(crate) fn plan(plan: &mut Logical) {
    let all = plan.output_ids();
    keep(plan, &all);
}

/// Drops what is neither in `needed` nor used inside.
fn keep(plan: &mut Logical, needed: &IdSet) {
    match plan {
        Logical::Values { .. } | Logical::Series { .. } | Logical::System { .. } => {}
        Logical::Scan { columns, filter, .. } => {
            let mut needed = needed.clone();
            filter.iter().for_each(|e| add_columns(e, &mut needed));
            columns.retain(|(_, c)| needed.contains(c.id));
        }
        Logical::Project { input, columns } => {
            columns.retain(|(_, c)| needed.contains(c.id));
            let mut below = IdSet::default();
            columns.iter().for_each(|(e, _)| add_columns(e, &mut below));
            keep(input, &below);
        }
        Logical::Aggregate {
            input,
            groups,
            aggregates,
        } => {
            aggregates.retain(|a| needed.contains(a.output.id));
            let mut below = IdSet::default();
            groups.iter().for_each(|(e, _)| add_columns(e, &mut below));
            let used = aggregates.iter().flat_map(|a| a.exprs());
            used.for_each(|e| add_columns(e, &mut below));
            keep(input, &below);
        }
        Logical::Distinct { input, on } => {
            // Without `on`, every column takes part in the comparison.
            let mut below = if on.is_empty() {
                input.output_ids()
            } else {
                needed.clone()
            };
            on.iter().for_each(|e| add_columns(e, &mut below));
            keep(input, &below);
        }
        Logical::Set { left, right, .. } => {
            for side in [left, right] {
                let all = side.output_ids();
                keep(side, &all);
            }
        }
        Logical::Filter { .. }
        | Logical::Sort { .. }
        | Logical::Limit { .. }
        | Logical::Join { .. }
        | Logical::Apply { .. } => {
            let mut below = needed.clone();
            plan.exprs().into_iter().for_each(|e| add_columns(e, &mut below));
            plan.inputs_mut()
                .into_iter()
                .for_each(|input| keep(input, &below));
        }
    }
}
