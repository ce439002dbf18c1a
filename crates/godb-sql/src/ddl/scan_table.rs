//! [`TableScan`]: all rows of a table, for those who check or copy them.

use crate::catalog::Table;
use crate::error::Result;
use crate::storage::ScanDecoder;
use crate::types::DataType;
use crate::vector::{BATCH_ROWS, Batch, Column, ColumnData};
use godb_mvcc::{EngineCursor, EngineTransaction, Range, TreeId};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Some columns of all rows, and as one more last column the rows' keys.
pub(crate) struct TableScan {
    tree: TreeId,
    decoder: ScanDecoder,
    types: Vec<DataType>,
    cursor: Option<Box<dyn EngineCursor>>,
    over: bool,
}

impl TableScan {
    /// The columns at `positions`.
    pub(crate) fn new(table: &Table, positions: &[usize]) -> Self {
        let wanted: Vec<_> = positions
            .iter()
            .enumerate()
            .map(|(output, &position)| (position, output))
            .collect();
        let types = positions.iter().map(|&position| table.columns[position].ty);
        Self {
            tree: table.tree,
            decoder: ScanDecoder::new(table, &wanted),
            types: types.chain([DataType::Bytea]).collect(),
            cursor: None,
            over: false,
        }
    }

    /// All columns.
    pub(crate) fn whole(table: &Table) -> Self {
        let all: Vec<_> = (0..table.columns.len()).collect();
        Self::new(table, &all)
    }

    /// The next rows.
    pub(crate) fn next(&mut self, tx: &dyn EngineTransaction) -> Result<Option<Batch>> {
        let mut columns: Vec<_> = self.types.iter().map(|ty| Column::empty(*ty)).collect();
        let mut rows = 0;
        while rows < BATCH_ROWS && !self.over {
            let cursor = match &mut self.cursor {
                Some(cursor) => cursor,
                None => self.cursor.insert(tx.scan(self.tree, Range::ALL)?),
            };
            let mut outcome = Ok(());
            let more = cursor.next(&mut |key, row| {
                outcome = self.decoder.decode(key, row, &mut columns);
                if let Some(ColumnData::Bytes(keys)) = columns.last_mut().map(|column| &mut column.data) {
                    keys.push(key);
                }
                rows += 1;
                if outcome.is_err() || rows == BATCH_ROWS {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            outcome?;
            self.over = !more;
        }
        let columns = columns.into_iter().map(Arc::new).collect();
        Ok((rows > 0).then_some(Batch { columns, rows }))
    }
}
