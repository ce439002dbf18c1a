//! May a change write while it reads?

use crate::catalog::{Index, Table, TableId};
use crate::executor::Statement;
use crate::plan::physical::{Node, Physical, Source};

/// How often a plan, its subplans included, reads a table.
pub(super) fn reads(statement: &Statement, source: &Node, table: TableId) -> usize {
    let subplans = statement.subplans().iter().map(|plan| count(plan, table));
    count(source, table) + subplans.sum::<usize>()
}

fn count(node: &Node, table: TableId) -> usize {
    let own = match &node.op {
        Physical::Scan(source) | Physical::IndexJoin { source, .. } => usize::from(source.table.id == table),
        _ => 0,
    };
    own + node
        .inputs()
        .into_iter()
        .map(|input| count(input, table))
        .sum::<usize>()
}

/// The scan at the bottom of a plan that does nothing but scan, filter and project: each row comes once.
pub(super) fn single_scan(node: &Node) -> Option<&Source> {
    match &node.op {
        Physical::Scan(source) => Some(source),
        Physical::Filter { input, .. } | Physical::Project { input, .. } | Physical::Limit { input, .. } => {
            single_scan(input)
        }
        _ => None,
    }
}

/// Whether setting the columns at `set` changes entries of the index. Entries end with the row's key.
pub(super) fn touches(table: &Table, index: &Index, set: &[usize]) -> bool {
    let indexed = index.columns.iter().map(|&(at, _)| at);
    indexed
        .chain(table.primary_key.iter().copied())
        .any(|at| set.contains(&at))
}
