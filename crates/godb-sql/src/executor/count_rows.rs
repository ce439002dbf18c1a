//! [`CountRows`]: `SELECT count(*) FROM t`, answered from the engine's account of its trees.

use super::Operator;
use super::run::Run;
use crate::error::{Result, SqlError, state};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::{Batch, Column};
use godb_mvcc::TreeId;
use std::sync::Arc;

/// The number of rows of a table, once.
pub(super) struct CountRows {
    pub(super) tree: TreeId,
    /// In how many columns.
    pub(super) columns: usize,
    pub(super) over: bool,
}

impl Operator for CountRows {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        if std::mem::replace(&mut self.over, true) {
            return Ok(None);
        }
        run.statement.check()?;
        let rows = run.tx.count(self.tree)?;
        let rows = i64::try_from(rows)
            .map_err(|_| SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))?;
        let mut column = Column::empty(DataType::Int8);
        column.push(&Value::Int(rows));
        let column = Arc::new(column);
        Ok(Some(Batch {
            columns: vec![column; self.columns],
            rows: 1,
        }))
    }
}
