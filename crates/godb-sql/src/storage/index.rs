//! [`IndexStore`]: the entries of a secondary index, written and read.

use super::key::KeyColumn;
use super::ordered::Reader;
use super::table::{KeyDecoder, KeyStep, check_key_length, in_key_alone, primary_columns};
use crate::catalog::{Index, Table};
use crate::error::Result;
use crate::vector::Column;
use std::sync::Arc;

/// What is derived from an index's description to write its entries.
#[derive(Clone, Debug)]
pub(crate) struct IndexStore {
    /// The index.
    pub(crate) index: Arc<Index>,
    /// Its own columns; a row's key follows them.
    pub(crate) columns: Vec<KeyColumn>,
}

/// An entry: what is written under which key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Vec<u8>,
    /// The row's key where the index makes the entry unique, else nothing.
    pub(crate) value: Vec<u8>,
}

impl IndexStore {
    /// For `index` of `table`.
    pub(crate) fn new(table: &Table, index: &Arc<Index>) -> Self {
        let columns = index.columns.iter();
        let columns = columns.map(|&(at, descending)| KeyColumn::indexed(table.columns[at].ty, descending));
        Self {
            index: index.clone(),
            columns: columns.collect(),
        }
    }

    /// Whether the entry of this row is the only one with its values: none of them is NULL.
    pub(crate) fn unique(&self, columns: &[Arc<Column>], row: usize) -> bool {
        self.index.unique && !self.index.columns.iter().any(|&(at, _)| columns[at].is_null(row))
    }

    /// Writes the entry of row `row` of `columns`, which are the table's, whose key is `row_key`.
    pub(crate) fn entry(
        &self,
        entry: &mut Entry,
        columns: &[Arc<Column>],
        row: usize,
        row_key: &[u8],
        limit: usize,
    ) -> Result<()> {
        entry.key.clear();
        entry.value.clear();
        for (key, &(at, _)) in self.columns.iter().zip(&self.index.columns) {
            key.put(&mut entry.key, &columns[at], row);
        }
        let place = if self.unique(columns, row) {
            &mut entry.value
        } else {
            &mut entry.key
        };
        place.extend_from_slice(row_key);
        check_key_length(&entry.key, limit, &self.index.name)
    }
}

/// Whether the entries of `index` hold the column at `position` exactly as the row does.
pub(crate) fn holds(table: &Table, index: &Index, position: usize) -> bool {
    let indexed = index.columns.iter().any(|&(at, _)| at == position);
    in_key_alone(table, position) || indexed && KeyColumn::lossless(table.columns[position].ty)
}

/// Reads entries of an index.
#[derive(Clone, Debug)]
pub(crate) struct EntryDecoder {
    /// The index's own columns, all of them where the row's key follows.
    own: KeyDecoder,
    /// The columns of the row's key.
    row_key: KeyDecoder,
    scratch: Vec<u8>,
}

impl EntryDecoder {
    /// For `index` of `table`; the column at `wanted[n].0` becomes output column `wanted[n].1`. Columns that entries do not
    /// [hold](holds) are left out.
    pub(crate) fn new(table: &Table, index: &Arc<Index>, wanted: &[(usize, usize)]) -> Self {
        let output = |position: usize| {
            let found = wanted.iter().find(|(column, _)| *column == position);
            found
                .filter(|_| holds(table, index, position))
                .map(|&(_, output)| output)
        };
        let mut taken = Vec::new();
        let mut step = |key, position| {
            let output = output(position).filter(|output| !taken.contains(output));
            taken.extend(output);
            KeyStep { key, output }
        };
        let store = IndexStore::new(table, index);
        let own = store
            .columns
            .iter()
            .zip(&index.columns)
            .map(|(key, &(at, _))| step(*key, at))
            .collect();
        let primary = primary_columns(table);
        let row_key = primary
            .iter()
            .zip(&table.primary_key)
            .map(|(key, &at)| step(*key, at))
            .collect();
        Self {
            own: KeyDecoder::new(own, true),
            row_key: KeyDecoder::new(row_key, false),
            scratch: Vec::new(),
        }
    }

    /// Adds the columns of an entry to the output columns; returns the row's key.
    #[inline]
    pub(crate) fn decode<'a>(
        &mut self,
        key: &'a [u8],
        value: &'a [u8],
        into: &mut [Column],
    ) -> Result<&'a [u8]> {
        let mut reader = Reader::new(key);
        self.own.decode(&mut reader, into, &mut self.scratch)?;
        let row_key = if value.is_empty() { reader.rest() } else { value };
        if !self.row_key.is_empty() {
            self.row_key
                .decode(&mut Reader::new(row_key), into, &mut self.scratch)?;
        }
        Ok(row_key)
    }
}
