//! `SELECT … FOR UPDATE`: runs a query and locks the rows its result comes from.
//!
//! The plan gives, behind the columns shown, the keys of the rows to lock. A row that another transaction has changed since the snapshot is a conflict, as it is for an UPDATE. Under
//! read committed the whole statement is then undone and run again with a new snapshot, so that what it shows is the newest version of every row, and each still
//! passes the WHERE; the lock that was waited for is kept, so each run gets further. Under repeatable read the conflict is the answer.

use super::Session;
use super::execute::refuse_writing;
use super::open::Open;
use super::plan::Ready;
use super::rows::{Rows, StatementResult};
use crate::error::{Result, SqlError, state};
use crate::executor::{Run, Spool, Statement, build, limit_and_offset};
use crate::plan::physical::{LockedRows, QueryPlan, RowLocks, Waiting};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Batch;
use godb_mvcc::EngineTransaction;

impl Session {
    /// Runs a locking query to its end.
    pub(super) fn lock_rows(
        &mut self,
        open: &mut Open,
        ready: &Ready,
        (query, locks): (&QueryPlan, &RowLocks),
        statement: &Statement,
    ) -> Result<StatementResult> {
        refuse_writing(open, "SELECT FOR UPDATE or SHARE")?;
        for table in &locks.tables {
            open.lock_for_writing(&self.sql, table.table.id)?;
        }
        let run = Run::new(&*open.tx, statement);
        let (mut left, mut skip) = limit_and_offset(&run, locks.limit.as_ref(), locks.offset.as_ref())?;
        let mut operator = build(&query.root, statement);
        let mut rows = Spool::new(statement.work_mem);
        while left > 0
            && let Some(batch) = operator.next(&Run::new(&*open.tx, statement))?
        {
            let mut kept = Vec::new();
            for row in 0..batch.rows {
                if left == 0 {
                    break;
                }
                if !lock_row(&mut *open.tx, locks, &batch, row)? {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                left -= 1;
                kept.push(crate::convert::row_u32(row));
            }
            let mut kept = batch.take(&kept);
            kept.columns.truncate(query.names.len());
            rows.push(kept)?;
        }
        let rows = Rows::stored(ready.columns.clone(), rows.finish()?);
        Ok(StatementResult::rows("SELECT", rows))
    }
}

/// Locks what one row comes from; `false` when it is to be skipped.
fn lock_row(tx: &mut dyn EngineTransaction, locks: &RowLocks, batch: &Batch, row: usize) -> Result<bool> {
    for table in &locks.tables {
        let Value::Bytes(key) = batch.columns[table.key].value(row, DataType::Bytea) else {
            continue;
        };
        if !lock(tx, table, &key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(tx: &mut dyn EngineTransaction, table: &LockedRows, key: &[u8]) -> Result<bool> {
    let tree = table.table.tree;
    if table.waiting == Waiting::Wait {
        tx.lock(tree, key, table.strength)?;
        return Ok(true);
    }
    if tx.try_lock(tree, key, table.strength)? {
        return Ok(true);
    }
    if table.waiting == Waiting::Skip {
        return Ok(false);
    }
    let message = format!(
        "could not obtain lock on row in relation \"{}\"",
        table.table.name
    );
    Err(SqlError::new(state::LOCK_NOT_AVAILABLE, message))
}
