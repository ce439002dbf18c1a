//! Filling a new index from the rows that are there.
//!
//! The entries are sorted first, on disk where they are many, and written in order: the tree grows at its right end only, and equal
//! keys of a unique index meet.

use super::{Ddl, TableScan};
use crate::catalog::{Index, Table};
use crate::dml::duplicate_in_index;
use crate::error::Result;
use crate::executor::Sorter;
use crate::expr::Expr;
use crate::plan::logical::SortKey;
use crate::plan::physical::UniqueKey;
use crate::storage::{Entry, IndexStore, ScanDecoder};
use crate::types::DataType;
use crate::vector::{Batch, Column, ColumnData};
use std::sync::Arc;

impl Ddl<'_> {
    /// Writes the entries of all rows.
    pub(super) fn build_index(&mut self, table: &Table, index: &Arc<Index>) -> Result<()> {
        let mut sorter = Sorter::new(by_key(), vec![DataType::Bytea; 2], None);
        let mut scan = TableScan::whole(table);
        let store = IndexStore::new(table, index);
        while let Some(batch) = scan.next(&*self.tx)? {
            self.statement.check()?;
            let entries = entries(&store, &batch, self.engine.max_key())?;
            sorter.push(&self.run(), &entries)?;
        }
        let mut sorted = sorter.finish()?;
        let mut last = Vec::new();
        while let Some(batch) = sorted.next()? {
            self.statement.check()?;
            let (ColumnData::Bytes(keys), ColumnData::Bytes(values)) =
                (&batch.columns[0].data, &batch.columns[1].data)
            else {
                unreachable!("entries are bytes")
            };
            for row in 0..batch.rows {
                if !last.is_empty() && last == keys.get(row) {
                    return Err(self.duplicate(table, index, values.get(row))?);
                }
                self.tx.put(index.tree, keys.get(row), values.get(row))?;
                last.clear();
                last.extend_from_slice(keys.get(row));
            }
        }
        Ok(())
    }

    /// The error for a row whose entry was there already.
    fn duplicate(&self, table: &Table, index: &Arc<Index>, row_key: &[u8]) -> Result<crate::error::SqlError> {
        let wanted: Vec<_> = (0..table.columns.len()).map(|at| (at, at)).collect();
        let mut decoder = ScanDecoder::new(table, &wanted);
        let mut columns: Vec<_> = table
            .columns
            .iter()
            .map(|column| Column::empty(column.ty))
            .collect();
        let mut outcome = Ok(());
        self.tx.get(table.tree, row_key, &mut |row| {
            outcome = decoder.decode(row_key, row, &mut columns);
        })?;
        outcome?;
        let columns: Vec<_> = columns.into_iter().map(Arc::new).collect();
        Ok(duplicate_in_index(
            table,
            &UniqueKey::Index(index.clone()),
            &columns,
            0,
        ))
    }
}

fn by_key() -> Vec<SortKey> {
    vec![SortKey {
        expr: Expr::Column(0, DataType::Bytea),
        descending: false,
        nulls_first: false,
    }]
}

/// The entries of a batch of rows, whose last column is their keys.
fn entries(store: &IndexStore, batch: &Batch, limit: usize) -> Result<Batch> {
    let mut keys = Column::empty(DataType::Bytea);
    let mut values = Column::empty(DataType::Bytea);
    let mut entry = Entry::default();
    if let (Some((row_keys, columns)), ColumnData::Bytes(keys), ColumnData::Bytes(values)) =
        (batch.columns.split_last(), &mut keys.data, &mut values.data)
        && let ColumnData::Bytes(row_keys) = &row_keys.data
    {
        for row in 0..batch.rows {
            store.entry(&mut entry, columns, row, row_keys.get(row), limit)?;
            keys.push(&entry.key);
            values.push(&entry.value);
        }
    }
    Ok(Batch {
        columns: vec![Arc::new(keys), Arc::new(values)],
        rows: batch.rows,
    })
}
