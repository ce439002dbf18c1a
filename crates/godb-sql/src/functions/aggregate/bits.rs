//! `bit_and`, `bit_or`, `bit_xor`.

use super::groups::{array, each_row, ints, results};
use crate::error::Result;
use crate::functions::Accumulator;
use crate::types::DataType;
use crate::vector::{Column, ColumnData};
use std::sync::Arc;

/// The bits that all values have.
pub(super) fn and(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(Bits {
        bits: Vec::new(),
        combine: |a, b| a & b,
    })
}

/// The bits that some value has.
pub(super) fn or(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(Bits {
        bits: Vec::new(),
        combine: |a, b| a | b,
    })
}

/// The bits that an odd number of values has.
pub(super) fn xor(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(Bits {
        bits: Vec::new(),
        combine: |a, b| a ^ b,
    })
}

struct Bits {
    bits: Vec<Option<i64>>,
    combine: fn(i64, i64) -> i64,
}

impl Accumulator for Bits {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.bits.resize(count.max(self.bits.len()), None);
        let values = ints(&args[0]);
        each_row(groups, &args[0], |row, group| {
            let combined = self.bits[group].map_or(values[row], |bits| (self.combine)(bits, values[row]));
            self.bits[group] = Some(combined);
        });
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut bits = std::mem::take(&mut self.bits);
        bits.resize(count, None);
        Ok(results(bits.into_iter(), ColumnData::Int))
    }

    fn memory(&self) -> usize {
        array(&self.bits)
    }
}
