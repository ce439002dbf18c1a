//! `avg`: sums and counts, divided at the end.

use super::groups::{array, results};
use super::sum::{DecimalSums, FloatSums, IntSums, IntervalSums};
use crate::convert::near_f64;
use crate::error::Result;
use crate::functions::Accumulator;
use crate::types::DataType;
use crate::value::Numeric;
use crate::vector::{Column, ColumnData};
use std::sync::Arc;

#[derive(Default)]
struct IntAverage(IntSums);

/// Averages of integers, as numeric.
pub(super) fn ints(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(IntAverage::default())
}

impl Accumulator for IntAverage {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.0.add(groups, count, &args[0]);
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let sums = std::mem::take(&mut self.0);
        let divided = sums.groups(count).map(|group| {
            group
                .map(|(sum, counted)| Numeric::wide(sum, 0).divide(&Numeric::from(counted)))
                .transpose()
        });
        let averages: Vec<Option<Numeric>> = divided.collect::<Result<_>>()?;
        Ok(results(averages.into_iter(), ColumnData::Numeric))
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

#[derive(Default)]
struct DecimalAverage(DecimalSums);

/// Averages of decimals.
pub(super) fn decimals(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(DecimalAverage::default())
}

impl Accumulator for DecimalAverage {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.0.add(groups, count, &args[0]);
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let sums = std::mem::take(&mut self.0);
        let divided = sums.groups(count).map(|group| {
            group
                .map(|(sum, counted)| sum.divide(&Numeric::from(counted)))
                .transpose()
        });
        let averages: Vec<Option<Numeric>> = divided.collect::<Result<_>>()?;
        Ok(results(averages.into_iter(), ColumnData::Numeric))
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

struct FloatAverage(FloatSums);

/// Averages of floats, as double precision.
pub(super) fn floats(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(FloatAverage(FloatSums::new(false)))
}

impl Accumulator for FloatAverage {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.0.add(groups, count, &args[0])
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let sums = std::mem::replace(&mut self.0, FloatSums::new(false));
        let averages = sums
            .groups(count)
            .map(|group| group.map(|(sum, counted)| sum / near_f64(counted)));
        Ok(results(averages, ColumnData::Float))
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

#[derive(Default)]
struct IntervalAverage(IntervalSums);

/// Averages of intervals.
pub(super) fn intervals(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(IntervalAverage::default())
}

impl Accumulator for IntervalAverage {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.0.add(groups, count, &args[0])
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut sums = std::mem::take(&mut self.0.sums);
        sums.resize(count, None);
        let divided = sums.into_iter().map(|group| {
            group
                .map(|(sum, counted)| sum.divided(near_f64(counted)))
                .transpose()
        });
        let averages: Vec<_> = divided.collect::<Result<_>>()?;
        Ok(results(averages.into_iter(), ColumnData::Interval))
    }

    fn memory(&self) -> usize {
        array(&self.0.sums)
    }
}
