//! [`NestedLoopJoin`]: tries every pair. For joins without equal keys.

use super::Operator;
use super::columns;
use super::pairs::{LeftBatch, Matcher};
use super::run::Run;
use super::spill::{Spool, SpoolReader};
use crate::error::Result;
use crate::types::DataType;
use crate::vector::{BATCH_ROWS, Batch, Column};

/// For each batch of left rows, every batch of right rows.
pub(super) struct NestedLoopJoin {
    pub(super) left: Box<dyn Operator>,
    pub(super) right: Box<dyn Operator>,
    pub(super) matcher: Matcher,
    pub(super) left_types: Vec<DataType>,
    /// The right rows, read once for each left batch.
    pub(super) inner: Option<Inner>,
    pub(super) outer: Option<Outer>,
    /// The left input is at its end; the right rows without a partner follow.
    pub(super) over: bool,
}

/// The right rows.
pub(super) struct Inner {
    rows: SpoolReader,
    matched: Vec<bool>,
    /// How many right rows have been looked at for those without a partner.
    swept: usize,
}

/// A left batch, and the pairs tried of it.
pub(super) struct Outer {
    left: LeftBatch,
    right: Option<RightBatch>,
    /// How many right rows came before this batch.
    before: usize,
}

struct RightBatch {
    columns: Vec<Column>,
    rows: usize,
    /// The next pair: left row × rows + right row.
    at: usize,
}

impl NestedLoopJoin {
    fn read_inner(&mut self, run: &Run<'_>) -> Result<Inner> {
        let mut spool = Spool::new(run.statement.work_mem);
        while let Some(batch) = self.right.next(run)? {
            spool.push(batch)?;
        }
        let matched = if self.matcher.keeps_right() {
            vec![false; spool.rows()]
        } else {
            Vec::new()
        };
        Ok(Inner {
            rows: spool.finish()?,
            matched,
            swept: 0,
        })
    }

    fn step(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let Some(inner) = &mut self.inner else {
            return Ok(None);
        };
        loop {
            run.statement.check()?;
            let Some(outer) = &mut self.outer else {
                if self.over {
                    return inner.sweep(&self.matcher, &self.left_types);
                }
                match self.left.next(run)? {
                    None => self.over = true,
                    Some(batch) => {
                        self.outer = Some(Outer {
                            left: LeftBatch::new(batch),
                            right: None,
                            before: 0,
                        });
                    }
                }
                inner.rows.rewind()?;
                continue;
            };
            if let Some(right) = &mut outer.right {
                if right.at < right.rows * outer.left.batch.rows {
                    let found = try_pairs(
                        run,
                        &self.matcher,
                        &mut outer.left,
                        right,
                        outer.before,
                        &mut inner.matched,
                    )?;
                    if found.is_some() {
                        return Ok(found);
                    }
                    continue;
                }
                outer.before += right.rows;
            }
            outer.right = inner.rows.next()?.as_ref().map(RightBatch::new);
            if outer.right.is_none() {
                let last = self.matcher.end_of_left(&outer.left);
                self.outer = None;
                if last.is_some() {
                    return Ok(last);
                }
            }
        }
    }
}

impl RightBatch {
    fn new(batch: &Batch) -> Self {
        let columns = batch.columns.iter().map(|column| Column::clone(column)).collect();
        Self {
            columns,
            rows: batch.rows,
            at: 0,
        }
    }
}

/// Tries the next pairs, up to a batch of them.
fn try_pairs(
    run: &Run<'_>,
    matcher: &Matcher,
    left: &mut LeftBatch,
    right: &mut RightBatch,
    before: usize,
    right_matched: &mut [bool],
) -> Result<Option<Batch>> {
    let end = (right.rows * left.batch.rows).min(right.at + BATCH_ROWS);
    let pairs = right.at..end;
    right.at = end;
    let lefts: Vec<u32> = pairs
        .clone()
        .map(|pair| columns::row_number(pair / right.rows))
        .collect();
    let rights: Vec<u32> = pairs.map(|pair| columns::row_number(pair % right.rows)).collect();
    matcher.pairs(run, left, &right.columns, &lefts, &rights, |row| {
        if let Some(matched) = right_matched.get_mut(before + row as usize) {
            *matched = true;
        }
    })
}

impl Inner {
    /// The next right rows without a partner.
    fn sweep(&mut self, matcher: &Matcher, left_types: &[DataType]) -> Result<Option<Batch>> {
        if !matcher.keeps_right() {
            return Ok(None);
        }
        while let Some(batch) = self.rows.next()? {
            let matched = &self.matched[self.swept..self.swept + batch.rows];
            let rows = matched.iter().enumerate().filter(|(_, matched)| !**matched);
            let rows: Vec<u32> = rows.map(|(row, _)| columns::row_number(row)).collect();
            self.swept += batch.rows;
            if !rows.is_empty() {
                let right = RightBatch::new(&batch);
                return Ok(Some(Matcher::unmatched_right(left_types, &right.columns, &rows)));
            }
        }
        Ok(None)
    }
}

impl Operator for NestedLoopJoin {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        if self.inner.is_none() {
            self.inner = Some(self.read_inner(run)?);
        }
        self.step(run)
    }
}
