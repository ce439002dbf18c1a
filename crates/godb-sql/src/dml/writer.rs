//! [`TableWriter`]: writes rows of one table and the entries of its indexes, and keeps them unique.
//!
//! Whether a key is taken is asked before it is written. The answer is as of this transaction's snapshot; what others have written meanwhile
//! the engine finds when the key is put: it waits for whoever holds it, then reports a conflict, and the statement or the
//! transaction begins again and sees the row. A key that seems taken is locked before it is reported, for the same reason.

use super::conflict::{Taken, duplicate};
use super::numbers::RowNumbers;
use crate::catalog::Table;
use crate::error::Result;
use crate::plan::physical::UniqueKey;
use crate::storage::{Entry, IndexStore, TableStore, check_key_length, put_row_number};
use crate::vector::Column;
use godb_mvcc::{EngineTransaction, Strength};
use std::sync::Arc;

/// A table's rows, as columns in the table's order.
pub(crate) type Columns = [Arc<Column>];

/// Writes rows.
pub(crate) struct TableWriter {
    pub(crate) table: Arc<Table>,
    store: TableStore,
    indexes: Vec<IndexStore>,
    numbers: Arc<RowNumbers>,
    /// The longest key the engine takes.
    limit: usize,
    key: Vec<u8>,
    row: Vec<u8>,
    entry: Entry,
    before: Entry,
    /// Which row of the batch inserted last was refused.
    refused: usize,
}

impl TableWriter {
    /// For `table`; `limit` is the engine's longest key.
    pub(crate) fn new(table: &Arc<Table>, numbers: &Arc<RowNumbers>, limit: usize) -> Self {
        Self {
            table: table.clone(),
            store: TableStore::new(table),
            indexes: table
                .indexes
                .iter()
                .map(|index| IndexStore::new(table, index))
                .collect(),
            numbers: numbers.clone(),
            limit,
            key: Vec::new(),
            row: Vec::new(),
            entry: Entry::default(),
            before: Entry::default(),
            refused: 0,
        }
    }

    /// Inserts all rows of a batch: first the rows, then for each index its entries, sorted.
    pub(crate) fn insert_all(
        &mut self,
        tx: &mut dyn EngineTransaction,
        columns: &Columns,
        rows: usize,
    ) -> Result<()> {
        let first = if self.store.numbered() {
            self.numbers.take(tx, &self.table, rows)?
        } else {
            0
        };
        let mut keys = Vec::with_capacity(if self.indexes.is_empty() { 0 } else { rows });
        for (row, number) in (0..rows).zip(first..) {
            self.refused = row;
            self.insert_row(tx, columns, row, number)?;
            if !self.indexes.is_empty() {
                keys.push(self.key.clone());
            }
        }
        for at in 0..self.indexes.len() {
            self.insert_entries(tx, at, columns, &keys)?;
        }
        Ok(())
    }

    /// Inserts one row and its entries.
    pub(crate) fn insert(
        &mut self,
        tx: &mut dyn EngineTransaction,
        columns: &Columns,
        row: usize,
    ) -> Result<()> {
        let number = if self.store.numbered() {
            self.numbers.take(tx, &self.table, 1)?
        } else {
            0
        };
        self.insert_row(tx, columns, row, number)?;
        self.insert_row_entries(tx, columns, row)
    }

    /// Inserts a row alone; its key stays in `self.key`.
    fn insert_row(
        &mut self,
        tx: &mut dyn EngineTransaction,
        columns: &Columns,
        row: usize,
        number: i64,
    ) -> Result<()> {
        self.key.clear();
        if self.store.numbered() {
            put_row_number(&mut self.key, number);
        } else {
            self.store.put_key(&mut self.key, columns, row);
            check_key_length(&self.key, self.limit, &self.table.primary_key_name)?;
            if tx.get(self.table.tree, &self.key, &mut |_| ())? {
                tx.lock(self.table.tree, &self.key, Strength::Exclusive)?;
                return Err(duplicate(&self.table, &UniqueKey::Primary, columns, row));
            }
        }
        self.put_row(tx, columns, row)
    }

    /// Writes a row under `self.key`.
    fn put_row(&mut self, tx: &mut dyn EngineTransaction, columns: &Columns, row: usize) -> Result<()> {
        self.row.clear();
        self.store.put_row(&mut self.row, columns, row);
        Ok(tx.put(self.table.tree, &self.key, &self.row)?)
    }

    fn insert_entries(
        &mut self,
        tx: &mut dyn EngineTransaction,
        index: usize,
        columns: &Columns,
        keys: &[Vec<u8>],
    ) -> Result<()> {
        let mut entries = Vec::with_capacity(keys.len());
        for (row, key) in keys.iter().enumerate() {
            let mut entry = Entry::default();
            self.indexes[index].entry(&mut entry, columns, row, key, self.limit)?;
            entries.push((entry, row));
        }
        entries.sort_unstable_by(|(a, _), (b, _)| a.key.cmp(&b.key));
        for (entry, row) in &entries {
            self.refused = *row;
            put_entry(tx, &self.table, &self.indexes[index], entry, columns, *row)?;
        }
        Ok(())
    }

    /// Writes the entries of the row whose key is `self.key`.
    fn insert_row_entries(
        &mut self,
        tx: &mut dyn EngineTransaction,
        columns: &Columns,
        row: usize,
    ) -> Result<()> {
        for index in &self.indexes {
            index.entry(&mut self.entry, columns, row, &self.key, self.limit)?;
            put_entry(tx, &self.table, index, &self.entry, columns, row)?;
        }
        Ok(())
    }

    /// Removes a row and its entries. `false` when the row is gone already.
    pub(crate) fn delete(
        &mut self,
        tx: &mut dyn EngineTransaction,
        columns: &Columns,
        row: usize,
        key: &[u8],
    ) -> Result<bool> {
        if !tx.delete(self.table.tree, key)? {
            return Ok(false);
        }
        for index in &self.indexes {
            index.entry(&mut self.entry, columns, row, key, self.limit)?;
            tx.delete(index.index.tree, &self.entry.key)?;
        }
        Ok(true)
    }

    /// Writes the new form of a row whose key stays, and the entries that change. When unique entries change, use
    /// [`delete`](Self::delete) for all rows first and [`insert_again`](Self::insert_again) afterwards.
    pub(crate) fn update(
        &mut self,
        tx: &mut dyn EngineTransaction,
        old: &Columns,
        new: &Columns,
        row: usize,
        key: &[u8],
    ) -> Result<()> {
        self.key.clear();
        self.key.extend_from_slice(key);
        self.put_row(tx, new, row)?;
        for index in &self.indexes {
            index.entry(&mut self.before, old, row, key, self.limit)?;
            index.entry(&mut self.entry, new, row, key, self.limit)?;
            if self.before != self.entry {
                tx.delete(index.index.tree, &self.before.key)?;
                put_entry(tx, &self.table, index, &self.entry, new, row)?;
            }
        }
        Ok(())
    }

    /// Inserts the new form of a row that was deleted for it; a numbered row keeps its number.
    pub(crate) fn insert_again(
        &mut self,
        tx: &mut dyn EngineTransaction,
        columns: &Columns,
        row: usize,
        key: &[u8],
    ) -> Result<()> {
        if self.store.numbered() {
            self.key.clear();
            self.key.extend_from_slice(key);
            self.put_row(tx, columns, row)?;
        } else {
            self.insert_row(tx, columns, row, 0)?;
        }
        self.insert_row_entries(tx, columns, row)
    }

    /// The row that already has this row's value of a unique key: its key. It is locked, so that it is still there when this returns.
    pub(crate) fn taken(
        &mut self,
        tx: &mut dyn EngineTransaction,
        unique: &UniqueKey,
        columns: &Columns,
        row: usize,
    ) -> Result<Option<Taken>> {
        let mut row_key = Vec::new();
        match unique {
            UniqueKey::Primary => {
                if self.store.numbered() {
                    return Ok(None);
                }
                self.store.put_key(&mut row_key, columns, row);
                check_key_length(&row_key, self.limit, &self.table.primary_key_name)?;
                if !tx.get(self.table.tree, &row_key, &mut |_| ())? {
                    return Ok(None);
                }
            }
            UniqueKey::Index(wanted) => {
                let Some(index) = self.indexes.iter().find(|index| index.index.tree == wanted.tree) else {
                    return Ok(None);
                };
                if !index.unique(columns, row) {
                    return Ok(None);
                }
                index.entry(&mut self.entry, columns, row, &[], self.limit)?;
                if !tx.get(wanted.tree, &self.entry.key, &mut |value| {
                    row_key.extend_from_slice(value);
                })? {
                    return Ok(None);
                }
                tx.lock(wanted.tree, &self.entry.key, Strength::Exclusive)?;
            }
        }
        tx.lock(self.table.tree, &row_key, Strength::Exclusive)?;
        Ok(Some(Taken { row_key }))
    }

    /// Every key that must be unique.
    pub(crate) fn unique_keys(&self) -> Vec<UniqueKey> {
        let indexes = self.indexes.iter().filter(|index| index.index.unique);
        let indexes = indexes.map(|index| UniqueKey::Index(index.index.clone()));
        let primary = (!self.store.numbered()).then_some(UniqueKey::Primary);
        primary.into_iter().chain(indexes).collect()
    }

    /// The key of a row by its primary key; `None` where rows are numbered.
    pub(crate) fn primary_key(&self, columns: &Columns, row: usize) -> Option<Vec<u8>> {
        if self.store.numbered() {
            return None;
        }
        let mut key = Vec::new();
        self.store.put_key(&mut key, columns, row);
        Some(key)
    }

    /// After [`insert_all`](Self::insert_all) has failed: which row was refused.
    pub(crate) fn refused(&self) -> usize {
        self.refused
    }

    /// The key of the row written last.
    pub(crate) fn last_key(&self) -> &[u8] {
        &self.key
    }
}

/// Writes an entry, unless it is one of a unique index whose values are there already.
fn put_entry(
    tx: &mut dyn EngineTransaction,
    table: &Table,
    index: &IndexStore,
    entry: &Entry,
    columns: &Columns,
    row: usize,
) -> Result<()> {
    let tree = index.index.tree;
    if !entry.value.is_empty() && tx.get(tree, &entry.key, &mut |_| ())? {
        tx.lock(tree, &entry.key, Strength::Exclusive)?;
        return Err(duplicate(
            table,
            &UniqueKey::Index(index.index.clone()),
            columns,
            row,
        ));
    }
    Ok(tx.put(tree, &entry.key, &entry.value)?)
}
