//! Logical plans as text: what the rules of the optimiser are tested and taught with. Columns are shown with their ids.

use super::expr::{joined_with, text_with};
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, Logical, OutputColumn, Projection, SortKey};
use crate::plan::walk::visit;
use std::collections::HashMap;

/// A logical plan, an operator a line, its inputs indented below it.
#[must_use]
pub fn show_logical(plan: &Logical) -> String {
    let mut names = HashMap::new();
    name_columns(plan, &mut names);
    let mut lines = Vec::new();
    write(plan, 0, &names, &mut lines);
    lines.join("\n")
}

type Names = HashMap<u32, String>;

fn name_columns(plan: &Logical, names: &mut Names) {
    for column in plan.output() {
        names.insert(column.id, label(column));
    }
    for expr in plan.exprs() {
        visit(expr, &mut |e| {
            if let Expr::Column(id, _) = e {
                names.entry(*id).or_insert_with(|| format!("#{id}"));
            }
        });
    }
    for input in plan.inputs() {
        name_columns(input, names);
    }
}

fn label(column: &OutputColumn) -> String {
    format!("{}#{}", column.name, column.id)
}

fn write(plan: &Logical, depth: usize, names: &Names, lines: &mut Vec<String>) {
    lines.push(format!("{}{}", "  ".repeat(depth), line(plan, names)));
    for input in plan.inputs() {
        write(input, depth + 1, names, lines);
    }
}

fn line(plan: &Logical, names: &Names) -> String {
    let of = |e: &Expr| text_with(e, &|id| names[&id].clone());
    let list = |es: &[Expr]| joined_with(es, ", ", &|id| names[&id].clone());
    match plan {
        Logical::Values { rows, output } => format!("Values of {} rows: {}", rows.len(), labels(output)),
        Logical::Scan {
            table,
            alias,
            columns,
            filter,
            ..
        } => {
            let filter = filter
                .as_ref()
                .map_or_else(String::new, |f| format!(" where {}", of(f)));
            let columns: Vec<String> = columns.iter().map(|(_, c)| label(c)).collect();
            format!("Scan {} as {alias}: {}{filter}", table.name, columns.join(", "))
        }
        Logical::Filter { predicate, .. } => format!("Filter {}", of(predicate)),
        Logical::Project { columns, .. } => format!("Project {}", projections(columns, &of)),
        Logical::Join { kind, on, .. } => {
            let on = on
                .as_ref()
                .map_or_else(String::new, |on| format!(" on {}", of(on)));
            format!("{kind:?} join{on}")
        }
        Logical::Aggregate {
            groups, aggregates, ..
        } => {
            let calls: Vec<String> = aggregates.iter().map(|a| aggregate(a, &list)).collect();
            format!(
                "Aggregate by [{}]: {}",
                projections(groups, &of),
                calls.join(", ")
            )
        }
        Logical::Distinct { on, .. } => format!("Distinct {}", list(on)),
        Logical::Sort { keys, .. } => format!("Sort {}", sort_keys(keys, &of)),
        Logical::Limit { limit, offset, .. } => {
            let shown = |e: &Option<Expr>| e.as_ref().map_or_else(|| "-".to_owned(), &of);
            format!("Limit {} offset {}", shown(limit), shown(offset))
        }
        Logical::Set {
            kind, all, output, ..
        } => {
            format!("{kind:?}{}: {}", if *all { " all" } else { "" }, labels(output))
        }
        Logical::System { relation, output } => format!("System {}: {}", relation.name(), labels(output)),
        Logical::Apply {
            plan, outer, output, ..
        } => {
            format!("Apply subplan {plan} to {}: {}", list(outer), labels(output))
        }
        Logical::Series { args, output } => format!("Series {}: {}", list(args), label(output)),
    }
}

fn labels(columns: &[OutputColumn]) -> String {
    columns.iter().map(label).collect::<Vec<_>>().join(", ")
}

fn projections(columns: &[Projection], of: &dyn Fn(&Expr) -> String) -> String {
    let one = |(expr, column): &Projection| format!("{} as {}", of(expr), label(column));
    columns.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn aggregate(call: &AggregateCall, list: &dyn Fn(&[Expr]) -> String) -> String {
    let args = if call.args.is_empty() {
        "*".to_owned()
    } else {
        list(&call.args)
    };
    format!(
        "{}({args}) as {}",
        call.function.aggregate.name,
        label(&call.output)
    )
}

fn sort_keys(keys: &[SortKey], of: &dyn Fn(&Expr) -> String) -> String {
    let one = |key: &SortKey| format!("{}{}", of(&key.expr), if key.descending { " desc" } else { "" });
    keys.iter().map(one).collect::<Vec<_>>().join(", ")
}
