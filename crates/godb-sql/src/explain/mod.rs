//! EXPLAIN: a plan as text, in PostgreSQL's shape.
//!
//! Every node is a line with its estimate, its inputs indented below it, and what it evaluates in lines of their own. Nodes are numbered in
//! the order of the lines (a node before its inputs, left before right, subplans last): the executor reports what really happened by those numbers.

mod expr;
mod logical;
mod node;
#[cfg(test)]
mod tests;

pub use logical::show_logical;

use crate::plan::physical::{Change, Node, OnConflict, StatementPlan};
use node::Printer;

/// What a node really did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Actual {
    /// Rows produced, all runs together.
    pub rows: u64,
    /// How often it was run.
    pub loops: u64,
    /// Time spent in it and its inputs, all runs together, in microseconds.
    pub micros: u64,
}

/// What to show.
#[derive(Clone, Copy)]
pub struct Showing<'a> {
    /// Estimated cost and rows.
    pub costs: bool,
    /// What the node with a number really did; `None` where nothing was measured.
    pub actual: &'a dyn Fn(usize) -> Option<Actual>,
}

/// A plan with its estimates, line by line.
#[must_use]
pub fn explain(plan: &StatementPlan) -> Vec<String> {
    let showing = Showing {
        costs: true,
        actual: &|_| None,
    };
    explain_with(plan, &showing)
}

/// A plan line by line, with what is asked for.
#[must_use]
pub fn explain_with(plan: &StatementPlan, showing: &Showing<'_>) -> Vec<String> {
    let mut printer = Printer::new(showing);
    match plan {
        StatementPlan::Query(query) => {
            printer.node(&query.root, 0);
            printer.subplans(&query.subplans);
        }
        StatementPlan::Change { change, subplans, .. } => {
            let (title, details, source) = described(change);
            printer.line(0, &title);
            for detail in details {
                printer.detail(0, &detail);
            }
            printer.node(source, 1);
            printer.subplans(subplans);
        }
    }
    printer.finish()
}

/// How many nodes a plan has: the numbers go from 0 to one less.
#[must_use]
pub fn count_nodes(plan: &StatementPlan) -> usize {
    let below = |node: &Node| count(node);
    match plan {
        StatementPlan::Query(query) => below(&query.root) + query.subplans.iter().map(below).sum::<usize>(),
        StatementPlan::Change { change, subplans, .. } => {
            let (_, _, source) = described(change);
            below(source) + subplans.iter().map(below).sum::<usize>()
        }
    }
}

fn count(node: &Node) -> usize {
    1 + node.inputs().into_iter().map(count).sum::<usize>()
}

fn described(change: &Change) -> (String, Vec<String>, &Node) {
    match change {
        Change::Insert {
            table,
            source,
            on_conflict,
        } => {
            let details = match on_conflict {
                OnConflict::Fail => Vec::new(),
                OnConflict::Nothing(_) => vec!["Conflict Resolution: NOTHING".to_owned()],
                OnConflict::Update { .. } => vec!["Conflict Resolution: UPDATE".to_owned()],
            };
            (format!("Insert on {}", expr::name(&table.name)), details, source)
        }
        Change::Update { table, source, .. } => (
            format!("Update on {}", expr::name(&table.name)),
            Vec::new(),
            source,
        ),
        Change::Delete { table, source } => (
            format!("Delete on {}", expr::name(&table.name)),
            Vec::new(),
            source,
        ),
    }
}
