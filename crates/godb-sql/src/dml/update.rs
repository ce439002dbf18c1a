//! UPDATE and DELETE.

use super::change::{Changing, Input};
use super::conflict::check_rows;
use super::streaming::{reads, single_scan, touches};
use super::writer::TableWriter;
use crate::catalog::Table;
use crate::error::Result;
use crate::plan::physical::Node;
use crate::storage::damaged;
use crate::vector::{Batch, Column, ColumnData};
use std::collections::HashSet;
use std::sync::Arc;

/// Rows to change: what they were, their keys, and for UPDATE what they become.
struct Rows {
    old: Batch,
    keys: Arc<Column>,
    new: Batch,
}

impl Rows {
    /// Takes apart what the plan of an UPDATE or DELETE produces.
    fn new(table: &Table, set: &[usize], batch: &Batch) -> Self {
        let width = table.columns.len();
        let old = Batch {
            columns: batch.columns[..width].to_vec(),
            rows: batch.rows,
        };
        let mut new = old.clone();
        for (&at, column) in set.iter().zip(&batch.columns[width + 1..]) {
            new.columns[at] = column.clone();
        }
        Self {
            old,
            keys: batch.columns[width].clone(),
            new,
        }
    }

    fn key(&self, row: usize) -> Result<&[u8]> {
        match &self.keys.data {
            ColumnData::Bytes(keys) => Ok(keys.get(row)),
            _ => Err(damaged("plan")),
        }
    }
}

/// Where a plan may give a row several times (UPDATE … FROM), each row is changed once: the first time.
struct Once(Option<HashSet<Vec<u8>>>);

impl Once {
    fn new(source: &Node) -> Self {
        Self(single_scan(source).is_none().then(HashSet::new))
    }

    /// The rows that come for the first time.
    fn firsts(&mut self, width: usize, batch: Batch) -> Batch {
        let (Some(seen), ColumnData::Bytes(keys)) = (&mut self.0, &batch.columns[width].data) else {
            return batch;
        };
        let first = |row: &u32| seen.insert(keys.get(*row as usize).to_vec());
        let firsts: Vec<u32> = (0..u32::try_from(batch.rows).expect("a batch"))
            .filter(first)
            .collect();
        if firsts.len() == batch.rows {
            batch
        } else {
            batch.take(&firsts)
        }
    }
}

/// Deletes the rows of `source`.
pub(super) fn delete(changing: &mut Changing<'_>, table: &Arc<Table>, source: &Node) -> Result<()> {
    let collect = single_scan(source).is_none() || reads(changing.statement, source, table.id) > 1;
    let mut input = Input::new(changing, source, collect)?;
    let mut writer = changing.writer(table);
    let mut once = Once::new(source);
    while let Some(batch) = input.next(changing)? {
        let rows = Rows::new(table, &[], &once.firsts(table.columns.len(), batch));
        for row in 0..rows.old.rows {
            writer.delete(changing.tx, &rows.old.columns, row, rows.key(row)?)?;
        }
        changing.changed(&rows.old)?;
    }
    Ok(())
}

/// Updates the rows of `source`.
pub(super) fn update(
    changing: &mut Changing<'_>,
    table: &Arc<Table>,
    set: &[usize],
    source: &Node,
) -> Result<()> {
    let moves = table.primary_key.iter().any(|at| set.contains(at));
    let changes_unique = table
        .indexes
        .iter()
        .any(|index| index.unique && touches(table, index, set));
    let scanned = single_scan(source);
    let scan_moves = scanned.is_some_and(|source| {
        source
            .index
            .as_ref()
            .map_or(moves, |index| touches(table, index, set))
    });
    let again = reads(changing.statement, source, table.id) > 1;
    let collect = moves || changes_unique || scan_moves || scanned.is_none() || again;
    let mut input = Input::new(changing, source, collect)?;
    let mut writer = changing.writer(table);
    if moves || changes_unique {
        return update_in_two_steps(changing, table, set, &mut input, &mut writer, source);
    }
    let mut once = Once::new(source);
    while let Some(batch) = input.next(changing)? {
        let rows = Rows::new(table, set, &once.firsts(table.columns.len(), batch));
        check_rows(&changing.run(), table, &rows.new)?;
        for row in 0..rows.old.rows {
            writer.update(
                changing.tx,
                &rows.old.columns,
                &rows.new.columns,
                row,
                rows.key(row)?,
            )?;
        }
        changing.changed(&rows.new)?;
    }
    Ok(())
}

/// Deletes all rows in their old form, then inserts them in their new one.
fn update_in_two_steps(
    changing: &mut Changing<'_>,
    table: &Arc<Table>,
    set: &[usize],
    input: &mut Input,
    writer: &mut TableWriter,
    source: &Node,
) -> Result<()> {
    let mut once = Once::new(source);
    while let Some(batch) = input.next(changing)? {
        let rows = Rows::new(table, set, &once.firsts(table.columns.len(), batch));
        check_rows(&changing.run(), table, &rows.new)?;
        for row in 0..rows.old.rows {
            writer.delete(changing.tx, &rows.old.columns, row, rows.key(row)?)?;
        }
    }
    input.rewind()?;
    let mut once = Once::new(source);
    while let Some(batch) = input.next(changing)? {
        let rows = Rows::new(table, set, &once.firsts(table.columns.len(), batch));
        for row in 0..rows.old.rows {
            writer.insert_again(changing.tx, &rows.new.columns, row, rows.key(row)?)?;
        }
        changing.changed(&rows.new)?;
    }
    Ok(())
}
