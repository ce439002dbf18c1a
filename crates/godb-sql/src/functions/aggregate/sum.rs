//! `sum`.

use super::decimal_sum::DecimalSum;
use super::groups::{array, each_row, floats as floats_of, ints as ints_of, results, try_each_row};
use crate::convert::to_single;
use crate::error::{Result, SqlError, state};
use crate::functions::Accumulator;
use crate::types::DataType;
use crate::value::{Interval, Numeric};
use crate::vector::{Column, ColumnData};
use std::sync::Arc;

/// Sums of integers, kept exactly: no sum of fewer than 2⁶⁴ of them leaves 128 bits.
#[derive(Default)]
pub(super) struct IntSums {
    /// The sum of each group.
    pub(super) sums: Vec<i128>,
    /// How many values each has.
    pub(super) counts: Vec<i64>,
}

impl IntSums {
    /// Takes rows in.
    pub(super) fn add(&mut self, groups: &[u32], count: usize, column: &Column) {
        self.sums.resize(count.max(self.sums.len()), 0);
        self.counts.resize(count.max(self.counts.len()), 0);
        let values = ints_of(column);
        if count == 1 {
            let (sum, counted) = sum_of(values, column.nulls.as_deref());
            self.sums[0] += sum;
            self.counts[0] += counted;
            return;
        }
        let (sums, counts) = (self.sums.as_mut_slice(), self.counts.as_mut_slice());
        each_row(groups, column, |row, group| {
            sums[group] += i128::from(values[row]);
            counts[group] += 1;
        });
    }

    /// Sum and count of each group that has values.
    pub(super) fn groups(&self, count: usize) -> impl Iterator<Item = Option<(i128, i64)>> {
        (0..count).map(|group| {
            let counted = self.counts.get(group).copied().filter(|counted| *counted > 0)?;
            Some((self.sums[group], counted))
        })
    }

    /// Roughly how many bytes it holds.
    pub(super) fn memory(&self) -> usize {
        array(&self.sums) + array(&self.counts)
    }
}

/// The sum of the values that are not NULL, and how many there are.
fn sum_of(values: &[i64], nulls: Option<&[bool]>) -> (i128, i64) {
    let masked = |value: &i64, null: &bool| if *null { 0 } else { *value };
    // The high halves apart: two sums of 64 bits, which processors do many of at a time, instead of one of 128.
    let (mut low, mut high) = (0_u64, 0_i64);
    let mut add = |value: i64| {
        low += value.cast_unsigned() & 0xFFFF_FFFF;
        high += value >> 32;
    };
    let counted = match nulls {
        None => {
            values.iter().for_each(|value| add(*value));
            values.len()
        }
        Some(nulls) => {
            values
                .iter()
                .zip(nulls)
                .for_each(|(value, null)| add(masked(value, null)));
            nulls.iter().filter(|null| !**null).count()
        }
    };
    (
        (i128::from(high) << 32) + i128::from(low),
        crate::convert::length_i64(counted),
    )
}

struct IntSum {
    sums: IntSums,
    returns: DataType,
}

/// Sums of smallint and integer, as bigint.
pub(super) fn ints(_: &[DataType], returns: DataType) -> Box<dyn Accumulator> {
    Box::new(IntSum {
        sums: IntSums::default(),
        returns,
    })
}

/// Sums of bigint, as numeric.
pub(super) fn bigints(takes: &[DataType], returns: DataType) -> Box<dyn Accumulator> {
    ints(takes, returns)
}

impl Accumulator for IntSum {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.sums.add(groups, count, &args[0]);
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let sums = std::mem::take(&mut self.sums);
        if self.returns != DataType::Int8 {
            let decimals = sums
                .groups(count)
                .map(|group| group.map(|(sum, _)| Numeric::wide(sum, 0)));
            return Ok(results(decimals, ColumnData::Numeric));
        }
        let mut narrow = Vec::with_capacity(count);
        for group in sums.groups(count) {
            let sum = group
                .map(|(sum, _)| i64::try_from(sum).map_err(|_| crate::cast::out_of_range(DataType::Int8)));
            narrow.push(sum.transpose()?);
        }
        Ok(results(narrow.into_iter(), ColumnData::Int))
    }

    fn memory(&self) -> usize {
        self.sums.memory()
    }
}

/// Sums of decimals.
#[derive(Default)]
pub(super) struct DecimalSums {
    /// The sum of each group.
    pub(super) sums: Vec<DecimalSum>,
    /// How many values each has.
    pub(super) counts: Vec<i64>,
}

impl DecimalSums {
    /// Takes rows in.
    pub(super) fn add(&mut self, groups: &[u32], count: usize, column: &Column) {
        self.sums
            .resize_with(count.max(self.sums.len()), DecimalSum::default);
        self.counts.resize(count.max(self.counts.len()), 0);
        let ColumnData::Numeric(values) = &column.data else {
            panic!("decimals expected, not {:?}", column.data);
        };
        let (sums, counts) = (self.sums.as_mut_slice(), self.counts.as_mut_slice());
        each_row(groups, column, |row, group| {
            sums[group].add(&values[row]);
            counts[group] += 1;
        });
    }

    /// Sum and count of each group that has values.
    pub(super) fn groups(&self, count: usize) -> impl Iterator<Item = Option<(Numeric, i64)>> {
        (0..count).map(|group| {
            let counted = self.counts.get(group).copied().filter(|counted| *counted > 0)?;
            Some((self.sums[group].total(), counted))
        })
    }

    /// Roughly how many bytes it holds.
    pub(super) fn memory(&self) -> usize {
        array(&self.sums) + array(&self.counts)
    }
}

/// Sums of decimals.
pub(super) fn decimals(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(DecimalSums::default())
}

impl Accumulator for DecimalSums {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.add(groups, count, &args[0]);
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let sums = std::mem::take(self);
        let mut totals = Vec::with_capacity(count);
        for group in sums.groups(count) {
            totals.push(group.map(|(sum, _)| sum.checked()).transpose()?);
        }
        Ok(results(totals.into_iter(), ColumnData::Numeric))
    }

    fn memory(&self) -> usize {
        DecimalSums::memory(self)
    }
}

/// Sums of floats.
pub(super) struct FloatSums {
    /// The sum of each group.
    pub(super) sums: Vec<f64>,
    /// How many values each has.
    pub(super) counts: Vec<i64>,
    /// Each step is rounded to single precision.
    single: bool,
}

impl FloatSums {
    /// No sums yet.
    pub(super) fn new(single: bool) -> Self {
        Self {
            sums: Vec::new(),
            counts: Vec::new(),
            single,
        }
    }

    /// Takes rows in.
    pub(super) fn add(&mut self, groups: &[u32], count: usize, column: &Column) -> Result<()> {
        self.sums.resize(count.max(self.sums.len()), 0.0);
        self.counts.resize(count.max(self.counts.len()), 0);
        let values = floats_of(column);
        let single = self.single;
        let (sums, counts) = (self.sums.as_mut_slice(), self.counts.as_mut_slice());
        let mut odd = false;
        each_row(groups, column, |row, group| {
            let before = sums[group];
            let sum = before + values[row];
            sums[group] = if single { f64::from(to_single(sum)) } else { sum };
            counts[group] += 1;
            odd |= sums[group].is_infinite() & before.is_finite() & values[row].is_finite();
        });
        if odd {
            return Err(SqlError::new(
                state::NUMERIC_VALUE_OUT_OF_RANGE,
                "value out of range: overflow",
            ));
        }
        Ok(())
    }

    /// Sum and count of each group that has values.
    pub(super) fn groups(&self, count: usize) -> impl Iterator<Item = Option<(f64, i64)>> {
        (0..count).map(|group| {
            let counted = self.counts.get(group).copied().filter(|counted| *counted > 0)?;
            Some((self.sums[group], counted))
        })
    }

    /// Roughly how many bytes it holds.
    pub(super) fn memory(&self) -> usize {
        array(&self.sums) + array(&self.counts)
    }
}

/// Sums of floats.
pub(super) fn floats(_: &[DataType], returns: DataType) -> Box<dyn Accumulator> {
    Box::new(FloatSums::new(returns == DataType::Float4))
}

impl Accumulator for FloatSums {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.add(groups, count, &args[0])
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let sums = std::mem::replace(self, Self::new(self.single));
        Ok(results(
            sums.groups(count).map(|group| group.map(|(sum, _)| sum)),
            ColumnData::Float,
        ))
    }

    fn memory(&self) -> usize {
        FloatSums::memory(self)
    }
}

/// Sums of intervals.
#[derive(Default)]
pub(super) struct IntervalSums {
    /// The sum of each group that has values, and how many.
    pub(super) sums: Vec<Option<(Interval, i64)>>,
}

impl IntervalSums {
    /// Takes rows in.
    pub(super) fn add(&mut self, groups: &[u32], count: usize, column: &Column) -> Result<()> {
        self.sums.resize(count.max(self.sums.len()), None);
        let ColumnData::Interval(values) = &column.data else {
            panic!("intervals expected, not {:?}", column.data);
        };
        try_each_row(groups, column, |row, group| {
            let (sum, counted) = self.sums[group].unwrap_or_default();
            self.sums[group] = Some((sum.plus(values[row])?, counted + 1));
            Ok(())
        })
    }
}

/// Sums of intervals.
pub(super) fn intervals(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(IntervalSums::default())
}

impl Accumulator for IntervalSums {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.add(groups, count, &args[0])
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut sums = std::mem::take(&mut self.sums);
        sums.resize(count, None);
        Ok(results(
            sums.into_iter().map(|group| group.map(|(sum, _)| sum)),
            ColumnData::Interval,
        ))
    }

    fn memory(&self) -> usize {
        array(&self.sums)
    }
}
