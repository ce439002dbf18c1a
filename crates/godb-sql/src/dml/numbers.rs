//! [`RowNumbers`]: numbers for the rows of tables without a primary key.

use crate::catalog::Table;
use crate::error::{Result, SqlError, state};
use crate::storage::row_number;
use godb_mvcc::sync::Mutex;
use godb_mvcc::{EngineTransaction, Range, TreeId};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The next number of each table. A number given out is not given out again while the database is open, even when the row is
/// rolled back or deleted, so rows of concurrent transactions never meet.
#[derive(Debug, Default)]
pub(crate) struct RowNumbers(Mutex<HashMap<TreeId, i64>>);

impl RowNumbers {
    /// The first of `count` new numbers for rows of `table`.
    ///
    /// The first time after the database was opened, numbering goes on behind the last row. Any transaction sees that row: all
    /// rows it may not see were inserted since, and got their numbers here.
    pub(crate) fn take(&self, tx: &dyn EngineTransaction, table: &Table, count: usize) -> Result<i64> {
        let known = self.0.lock().get(&table.tree).copied();
        let first = match known {
            Some(next) => next,
            None => last(tx, table.tree)?.map_or(1, |last| last.saturating_add(1)),
        };
        let mut numbers = self.0.lock();
        let next = numbers.entry(table.tree).or_insert(first);
        let taken = *next;
        let after = i64::try_from(count)
            .ok()
            .and_then(|count| taken.checked_add(count));
        *next = after.ok_or_else(|| {
            let message = format!("table \"{}\" has no row numbers left", table.name);
            SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message)
        })?;
        Ok(taken)
    }
}

fn last(tx: &dyn EngineTransaction, tree: TreeId) -> Result<Option<i64>> {
    let mut found = None;
    let mut cursor = tx.scan(
        tree,
        Range {
            backward: true,
            ..Range::ALL
        },
    )?;
    while found.is_none()
        && cursor.next(&mut |key, _| {
            found = Some(row_number(key));
            ControlFlow::Break(())
        })?
    {}
    found.transpose()
}
