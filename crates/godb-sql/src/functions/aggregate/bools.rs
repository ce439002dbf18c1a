//! `bool_and` (`every`) and `bool_or`.

use super::groups::{array, each_row, results};
use crate::error::Result;
use crate::functions::Accumulator;
use crate::types::DataType;
use crate::vector::{Column, ColumnData};
use std::sync::Arc;

/// Whether all values are true.
pub(super) fn all(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(Truth {
        truths: Vec::new(),
        decides: false,
    })
}

/// Whether some value is true.
pub(super) fn any(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(Truth {
        truths: Vec::new(),
        decides: true,
    })
}

struct Truth {
    truths: Vec<Option<bool>>,
    /// The value of which one is enough.
    decides: bool,
}

impl Accumulator for Truth {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.truths.resize(count.max(self.truths.len()), None);
        let ColumnData::Bool(values) = &args[0].data else {
            panic!("truth values expected, not {:?}", args[0].data);
        };
        let (truths, decides) = (self.truths.as_mut_slice(), self.decides);
        each_row(groups, &args[0], |row, group| {
            if values[row] == decides || truths[group].is_none() {
                truths[group] = Some(values[row]);
            }
        });
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut truths = std::mem::take(&mut self.truths);
        truths.resize(count, None);
        Ok(results(truths.into_iter(), ColumnData::Bool))
    }

    fn memory(&self) -> usize {
        array(&self.truths)
    }
}
