//! `count(*)` and `count(value)`.

use super::groups::{array, count_values, each_row};
use crate::convert::length_i64;
use crate::error::Result;
use crate::functions::Accumulator;
use crate::types::DataType;
use crate::vector::{Column, ColumnData};
use std::sync::Arc;

/// Counts rows: `count(*)`.
pub(super) fn rows(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(Count { counts: Vec::new() })
}

/// Counts values that are not NULL.
pub(super) fn values(takes: &[DataType], returns: DataType) -> Box<dyn Accumulator> {
    rows(takes, returns)
}

struct Count {
    counts: Vec<i64>,
}

impl Accumulator for Count {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.counts.resize(count.max(self.counts.len()), 0);
        match args.first() {
            None if count == 1 => self.counts[0] += length_i64(groups.len()),
            None => groups.iter().for_each(|group| self.counts[*group as usize] += 1),
            Some(column) if count == 1 => self.counts[0] += length_i64(count_values(column)),
            Some(column) => each_row(groups, column, |_, group| self.counts[group] += 1),
        }
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut counts = std::mem::take(&mut self.counts);
        counts.resize(count, 0);
        Ok(Column::new(ColumnData::Int(counts)))
    }

    fn memory(&self) -> usize {
        array(&self.counts)
    }
}
