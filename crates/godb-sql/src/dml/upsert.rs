//! INSERT … ON CONFLICT.

use super::change::{Changing, Input};
use super::conflict::check_rows;
use super::writer::TableWriter;
use crate::catalog::Table;
use crate::error::{Result, SqlError, state};
use crate::executor::Run;
use crate::expr::Expr;
use crate::plan::physical::OnConflict;
use crate::storage::{ScanDecoder, damaged};
use crate::vector::{Batch, Column};
use std::collections::HashSet;
use std::sync::Arc;

/// Inserts row by row, giving way to rows that are there.
pub(super) struct Upsert<'a> {
    writer: TableWriter,
    on_conflict: &'a OnConflict,
    /// Keys of rows that this statement inserted or updated: it must not update them again.
    touched: HashSet<Vec<u8>>,
}

impl<'a> Upsert<'a> {
    pub(super) fn new(writer: TableWriter, on_conflict: &'a OnConflict) -> Self {
        Self {
            writer,
            on_conflict,
            touched: HashSet::new(),
        }
    }

    /// Inserts all rows of the input.
    pub(super) fn insert(mut self, changing: &mut Changing<'_>, input: &mut Input) -> Result<()> {
        let table = self.writer.table.clone();
        while let Some(batch) = input.next(changing)? {
            check_rows(&changing.run(), &table, &batch)?;
            let mut inserted = Vec::new();
            for row in 0..batch.rows {
                if self.insert_row(changing, &batch, row)? {
                    inserted.push(u32::try_from(row).expect("a row of a batch"));
                }
            }
            changing.changed(&batch.take(&inserted))?;
        }
        Ok(())
    }

    /// Inserts a row, or does what is to be done instead; tells whether it was inserted.
    fn insert_row(&mut self, changing: &mut Changing<'_>, batch: &Batch, row: usize) -> Result<bool> {
        let targets = match self.on_conflict {
            OnConflict::Fail => Vec::new(),
            OnConflict::Nothing(None) => self.writer.unique_keys(),
            OnConflict::Nothing(Some(target)) | OnConflict::Update { target, .. } => vec![target.clone()],
        };
        for target in &targets {
            let taken = self.writer.taken(changing.tx, target, &batch.columns, row)?;
            let Some(taken) = taken else { continue };
            if let OnConflict::Update { set, filter, .. } = self.on_conflict {
                self.update(changing, batch, row, &taken.row_key, set, filter.as_ref())?;
            }
            return Ok(false);
        }
        self.writer.insert(changing.tx, &batch.columns, row)?;
        if matches!(self.on_conflict, OnConflict::Update { .. }) {
            self.touched.insert(self.writer.last_key().to_vec());
        }
        Ok(true)
    }

    /// Updates the row that is there.
    fn update(
        &mut self,
        changing: &mut Changing<'_>,
        batch: &Batch,
        row: usize,
        key: &[u8],
        set: &[(usize, Expr)],
        filter: Option<&Expr>,
    ) -> Result<()> {
        let table = self.writer.table.clone();
        let old = fetch(&changing.run(), &table, key)?;
        let excluded = batch.take(&[u32::try_from(row).expect("a row of a batch")]);
        let both = Batch {
            columns: old.columns.iter().chain(&excluded.columns).cloned().collect(),
            rows: 1,
        };
        let run = changing.run();
        if let Some(filter) = filter
            && run.select(filter, &both)?.is_empty()
        {
            return Ok(());
        }
        if !self.touched.insert(key.to_vec()) {
            let message = "ON CONFLICT DO UPDATE command cannot affect row a second time";
            let hint = "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.";
            return Err(SqlError::new(state::CARDINALITY_VIOLATION, message).hint(hint));
        }
        let mut new = old.clone();
        for (at, expr) in set {
            new.columns[*at] = run.evaluate(expr, &both)?;
        }
        check_rows(&run, &table, &new)?;
        self.replace(changing, &old, &new, key)?;
        changing.changed(&new)
    }

    fn replace(&mut self, changing: &mut Changing<'_>, old: &Batch, new: &Batch, key: &[u8]) -> Result<()> {
        let moved = self
            .writer
            .primary_key(&new.columns, 0)
            .is_some_and(|new_key| new_key != key);
        if moved {
            self.writer.delete(changing.tx, &old.columns, 0, key)?;
            return self.writer.insert_again(changing.tx, &new.columns, 0, key);
        }
        self.writer
            .update(changing.tx, &old.columns, &new.columns, 0, key)
    }
}

/// The whole row of a key.
fn fetch(run: &Run<'_>, table: &Table, key: &[u8]) -> Result<Batch> {
    let wanted: Vec<_> = (0..table.columns.len()).map(|at| (at, at)).collect();
    let mut decoder = ScanDecoder::new(table, &wanted);
    let mut columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| Column::empty(column.ty))
        .collect();
    let mut outcome = Ok(());
    if !run.tx.get(table.tree, key, &mut |row| {
        outcome = decoder.decode(key, row, &mut columns);
    })? {
        return Err(damaged("index: an entry without its row"));
    }
    outcome?;
    Ok(Batch {
        columns: columns.into_iter().map(Arc::new).collect(),
        rows: 1,
    })
}
