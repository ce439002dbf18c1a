//! [`Sort`]: all rows, or the first of them, in an order.

use super::Operator;
use super::run::Run;
use super::simple::{limit_and_offset, slice};
use super::sorter::{Sorted, Sorter};
use crate::error::Result;
use crate::expr::Expr;
use crate::plan::logical::SortKey;
use crate::types::DataType;
use crate::vector::Batch;

/// Sorts its input; with limit and offset it keeps only the rows that can come out.
pub(super) struct Sort {
    pub(super) input: Box<dyn Operator>,
    pub(super) keys: Vec<SortKey>,
    pub(super) types: Vec<DataType>,
    /// Of a TopN.
    pub(super) limit: Option<Expr>,
    /// Of a TopN.
    pub(super) offset: Option<Expr>,
    pub(super) sorted: Option<(Sorted, usize)>,
}

impl Sort {
    fn open(&mut self, run: &Run<'_>) -> Result<(Sorted, usize)> {
        let (limit, skip) = limit_and_offset(run, self.limit.as_ref(), self.offset.as_ref())?;
        let wanted = limit.checked_add(skip).filter(|_| limit != usize::MAX);
        let mut sorter = Sorter::new(self.keys.clone(), self.types.clone(), wanted);
        if wanted != Some(0) {
            while let Some(batch) = self.input.next(run)? {
                sorter.push(run, &batch)?;
            }
        }
        Ok((sorter.finish()?, skip))
    }
}

impl Operator for Sort {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        if self.sorted.is_none() {
            self.sorted = Some(self.open(run)?);
        }
        let Some((sorted, skip)) = &mut self.sorted else {
            return Ok(None);
        };
        run.statement.check()?;
        while let Some(batch) = sorted.next()? {
            let skipped = batch.rows.min(*skip);
            *skip -= skipped;
            if skipped < batch.rows {
                let rows = batch.rows;
                return Ok(Some(slice(batch, skipped, rows)));
            }
        }
        Ok(None)
    }
}
