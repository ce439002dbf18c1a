//! A first guess at how many rows a table has, for the planner.

use super::Table;
use crate::error::Result;
use crate::storage::row_number;
use godb_mvcc::{EngineTransaction, Range};
use std::ops::ControlFlow;

/// As many rows are counted; a table with more is taken to be large.
const COUNTED: u64 = 2_000;
/// What a table is taken to have that has more than was counted.
const LARGE: u64 = 50_000;

/// Counts a small table. Of a large one that numbers its rows, the span of the numbers tells more.
pub(super) fn rows(tx: &dyn EngineTransaction, table: &Table) -> Result<u64> {
    let mut count = 0;
    let mut cursor = tx.scan(table.tree, Range::ALL)?;
    while count <= COUNTED
        && cursor.next(&mut |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })?
    {}
    if count <= COUNTED {
        return Ok(count);
    }
    if !table.primary_key.is_empty() {
        return Ok(LARGE);
    }
    let (first, last) = (edge(tx, table, false)?, edge(tx, table, true)?);
    Ok(last.abs_diff(first).max(COUNTED))
}

fn edge(tx: &dyn EngineTransaction, table: &Table, backward: bool) -> Result<i64> {
    let mut found = Ok(0);
    let mut cursor = tx.scan(
        table.tree,
        Range {
            backward,
            ..Range::ALL
        },
    )?;
    cursor.next(&mut |key, _| {
        found = row_number(key);
        ControlFlow::Break(())
    })?;
    found
}
