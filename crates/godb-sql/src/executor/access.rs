//! [`Access`]: reads rows of a table, through its own tree or an index, into columns. Scans and index joins stand on it.

use crate::error::Result;
use crate::plan::physical::Source;
use crate::storage::{EntryDecoder, KeyBytes, ScanDecoder, damaged, holds};
use crate::types::DataType;
use crate::vector::{Batch, Column, ColumnData};
use godb_mvcc::{EngineCursor, EngineTransaction, TreeId};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Some keys or rows, one after the other.
#[derive(Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Arena {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    pub(super) fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

/// Rows of some parts of a tree, one part after the other.
pub(super) struct Walk {
    tree: TreeId,
    backward: bool,
    parts: VecDeque<KeyBytes>,
    cursor: Option<Box<dyn EngineCursor>>,
}

impl Walk {
    pub(super) fn new(tree: TreeId, parts: VecDeque<KeyBytes>, backward: bool) -> Self {
        Self {
            tree,
            backward,
            parts,
            cursor: None,
        }
    }

    /// Shows up to `limit` rows; fewer only at the end. Returns how many.
    pub(super) fn next(
        &mut self,
        tx: &dyn EngineTransaction,
        limit: usize,
        mut show: impl FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<usize> {
        let mut shown = 0;
        while shown < limit {
            let cursor = match &mut self.cursor {
                Some(cursor) => cursor,
                None => {
                    let Some(part) = self.parts.pop_front() else { break };
                    self.cursor.insert(tx.scan(self.tree, part.range(self.backward))?)
                }
            };
            let mut outcome = Ok(());
            let more = cursor.next(&mut |key, value| {
                outcome = show(key, value);
                shown += 1;
                if outcome.is_err() || shown == limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            outcome?;
            if !more {
                self.cursor = None;
            }
        }
        Ok(shown)
    }
}

/// How the wanted columns of a row are found.
enum Way {
    /// In the table's own tree.
    Table(ScanDecoder),
    /// In the entries of an index.
    Entries(EntryDecoder),
    /// In the table's own tree, by the keys found in an index.
    Fetch {
        entries: EntryDecoder,
        rows: ScanDecoder,
    },
}

/// Reads rows into columns.
pub(super) struct Access {
    way: Way,
    types: Vec<DataType>,
    with_key: bool,
    table: TreeId,
    /// The tree that is walked.
    pub(super) tree: TreeId,
    keys: Arena,
}

impl Access {
    /// For the columns at `wanted` of the source's table (position, output column); `types` are those of all output columns.
    pub(super) fn new(
        source: &Source,
        wanted: &[(usize, usize)],
        types: Vec<DataType>,
        with_key: bool,
    ) -> Self {
        let table = &source.table;
        let way = match &source.index {
            None => Way::Table(ScanDecoder::new(table, wanted)),
            Some(index) if wanted.iter().all(|&(position, _)| holds(table, index, position)) => {
                Way::Entries(EntryDecoder::new(table, index, wanted))
            }
            Some(index) => Way::Fetch {
                entries: EntryDecoder::new(table, index, &[]),
                rows: ScanDecoder::new(table, wanted),
            },
        };
        let tree = source.index.as_ref().map_or(table.tree, |index| index.tree);
        Self {
            way,
            types,
            with_key,
            table: table.tree,
            tree,
            keys: Arena::default(),
        }
    }

    /// Empty output columns, the key's included.
    pub(super) fn columns(&self, rows: usize) -> Vec<Column> {
        let key = self.with_key.then_some(DataType::Bytea);
        let types = self.types.iter().copied().chain(key);
        types
            .map(|ty| Column::new(ColumnData::with_capacity(ty, rows)))
            .collect()
    }

    /// Reads up to `limit` rows; fewer only at the end.
    pub(super) fn read(
        &mut self,
        tx: &dyn EngineTransaction,
        walk: &mut Walk,
        limit: usize,
        into: &mut [Column],
    ) -> Result<usize> {
        let with_key = self.with_key;
        match &mut self.way {
            Way::Table(decoder) => walk.next(tx, limit, |key, row| {
                decoder.decode(key, row, into)?;
                put_key(with_key, key, into);
                Ok(())
            }),
            Way::Entries(decoder) => walk.next(tx, limit, |key, value| {
                let row_key = decoder.decode(key, value, into)?;
                put_key(with_key, row_key, into);
                Ok(())
            }),
            Way::Fetch { entries, rows } => {
                let keys = &mut self.keys;
                keys.clear();
                let found = walk.next(tx, limit, |key, value| {
                    keys.push(entries.decode(key, value, &mut [])?);
                    Ok(())
                })?;
                for at in 0..found {
                    let key = keys.get(at);
                    if !fetch(tx, self.table, key, rows, into)? {
                        return Err(damaged("index: an entry without its row"));
                    }
                    put_key(with_key, key, into);
                }
                Ok(found)
            }
        }
    }

    /// Reads the row of one whole key of the table's own tree; `false` when there is none.
    pub(super) fn get(
        &mut self,
        tx: &dyn EngineTransaction,
        key: &[u8],
        into: &mut [Column],
    ) -> Result<bool> {
        let Way::Table(decoder) = &mut self.way else {
            return Err(damaged("plan"));
        };
        let found = fetch(tx, self.table, key, decoder, into)?;
        if found {
            put_key(self.with_key, key, into);
        }
        Ok(found)
    }
}

fn fetch(
    tx: &dyn EngineTransaction,
    table: TreeId,
    key: &[u8],
    decoder: &mut ScanDecoder,
    into: &mut [Column],
) -> Result<bool> {
    let mut outcome = Ok(());
    let found = tx.get(table, key, &mut |row| outcome = decoder.decode(key, row, into))?;
    outcome.map(|()| found)
}

fn put_key(with_key: bool, key: &[u8], into: &mut [Column]) {
    if with_key && let Some(ColumnData::Bytes(keys)) = into.last_mut().map(|column| &mut column.data) {
        keys.push(key);
    }
}

/// Columns as a batch.
pub(super) fn batch(columns: Vec<Column>, rows: usize) -> Batch {
    Batch {
        columns: columns.into_iter().map(Arc::new).collect(),
        rows,
    }
}

/// The positions wanted of a table and where they go, each once, and for each output the first output with the same position.
pub(super) fn wanted(positions: &[usize]) -> (Vec<(usize, usize)>, Option<Vec<usize>>) {
    let mut wanted: Vec<(usize, usize)> = Vec::new();
    let mut outputs = Vec::new();
    for &position in positions {
        let known = wanted.iter().find(|(other, _)| *other == position);
        let output = known.map_or(wanted.len(), |&(_, output)| output);
        if output == wanted.len() {
            wanted.push((position, output));
        }
        outputs.push(output);
    }
    let plain = wanted.len() == positions.len();
    (wanted, (!plain).then_some(outputs))
}
