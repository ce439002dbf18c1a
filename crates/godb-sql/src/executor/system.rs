//! [`SystemScan`]: reads a system relation.

use super::Operator;
use super::run::Run;
use crate::error::{Result, SqlError, state};
use crate::system::{Asking, SystemTable};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::{BATCH_ROWS, Batch, Column};
use std::sync::Arc;

/// Makes the rows of a system relation when it is first asked, and hands them on in batches.
pub(super) struct SystemScan {
    pub(super) relation: SystemTable,
    pub(super) types: Vec<DataType>,
    pub(super) rows: Option<std::vec::IntoIter<Vec<Value>>>,
}

impl Operator for SystemScan {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        run.statement.check()?;
        let rows = match &mut self.rows {
            Some(rows) => rows,
            None => {
                let asking = Asking::new(run.tx, run.statement.engine.root(), run.statement.context());
                self.rows.insert(self.relation.rows(&asking)?.into_iter())
            }
        };
        let mut columns: Vec<_> = self.types.iter().map(|ty| Column::empty(*ty)).collect();
        let mut count = 0;
        for row in rows.take(BATCH_ROWS) {
            if row.len() != columns.len() {
                let message = format!("a row of {} has the wrong number of values", self.relation.name());
                return Err(SqlError::new(state::INTERNAL_ERROR, message));
            }
            for (column, value) in columns.iter_mut().zip(&row) {
                column.push(value);
            }
            count += 1;
        }
        Ok((count > 0).then(|| Batch {
            columns: columns.into_iter().map(Arc::new).collect(),
            rows: count,
        }))
    }
}
