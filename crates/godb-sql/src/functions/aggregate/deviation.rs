//! Variances and standard deviations.
//!
//! Of integers and decimals the sums of the values and of their squares are kept exactly, and the result is PostgreSQL's to the
//! last digit. Of floats the squared distances from the mean are updated value by value (Youngs and Cramer, 1971), since the
//! difference of two large sums would lose what it is about.

use super::decimal_sum::DecimalSum;
use super::groups::{array, each_row, floats, results};
use crate::convert::near_f64;
use crate::error::Result;
use crate::functions::Accumulator;
use crate::numeric::quotient_scale;
use crate::types::DataType;
use crate::value::Numeric;
use crate::vector::{Column, ColumnData};
use std::sync::Arc;

/// What is asked for.
#[derive(Clone, Copy)]
struct Statistic {
    /// Of a sample: divided by one less than the number of values.
    sample: bool,
    /// The root of the variance.
    root: bool,
}

macro_rules! makers {
    ($($decimal:ident, $float:ident: $sample:literal $root:literal;)*) => {
        $(
            /// Of integers and decimals.
            pub(super) fn $decimal(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
                Box::new(Decimals { groups: Vec::new(), statistic: Statistic { sample: $sample, root: $root } })
            }

            /// Of floats.
            pub(super) fn $float(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
                Box::new(Floats { groups: Vec::new(), statistic: Statistic { sample: $sample, root: $root } })
            }
        )*
    };
}

makers! {
    decimal_stddev_samp, float_stddev_samp: true true;
    decimal_stddev_pop, float_stddev_pop: false true;
    decimal_var_samp, float_var_samp: true false;
    decimal_var_pop, float_var_pop: false false;
}

impl Statistic {
    /// Whether a group of so many values has a result.
    fn is_defined(self, count: i64) -> bool {
        count > i64::from(self.sample)
    }
}

#[derive(Clone, Default)]
struct Moments {
    count: i64,
    sum: DecimalSum,
    squares: DecimalSum,
}

struct Decimals {
    groups: Vec<Moments>,
    statistic: Statistic,
}

impl Moments {
    fn take(&mut self, value: &Numeric) {
        self.count += 1;
        self.sum.add(value);
        self.squares.add(&(value * value));
    }

    fn result(&self, statistic: Statistic) -> Result<Option<Numeric>> {
        if !statistic.is_defined(self.count) {
            return Ok(None);
        }
        let count = Numeric::from(self.count);
        let sum = self.sum.total();
        let spread = &(&self.squares.total() * &count) - &(&sum * &sum);
        if !spread.sign().is_gt() {
            return Ok(Some(Numeric::default()));
        }
        let by = &count * &Numeric::from(self.count - i64::from(statistic.sample));
        let scale = quotient_scale(&spread, &by);
        let variance = spread.divide_at(&by, scale)?;
        Ok(Some(if statistic.root {
            variance.sqrt_at(scale)?
        } else {
            variance
        }))
    }
}

impl Accumulator for Decimals {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.groups
            .resize_with(count.max(self.groups.len()), Moments::default);
        match &args[0].data {
            ColumnData::Int(values) => each_row(groups, &args[0], |row, group| {
                self.groups[group].take(&Numeric::from(values[row]));
            }),
            ColumnData::Numeric(values) => {
                each_row(groups, &args[0], |row, group| {
                    self.groups[group].take(&values[row]);
                });
            }
            other => panic!("integers or decimals expected, not {other:?}"),
        }
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut groups = std::mem::take(&mut self.groups);
        groups.resize_with(count, Moments::default);
        let computed: Vec<Option<Numeric>> = groups
            .iter()
            .map(|group| group.result(self.statistic))
            .collect::<Result<_>>()?;
        Ok(results(computed.into_iter(), ColumnData::Numeric))
    }

    fn memory(&self) -> usize {
        array(&self.groups)
            + self
                .groups
                .first()
                .map_or(0, |group| group.sum.heap() + group.squares.heap())
    }
}

#[derive(Clone, Copy, Default)]
struct Spread {
    count: i64,
    sum: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

impl Spread {
    fn take(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        if self.count > 1 {
            let count = near_f64(self.count);
            let distance = value * count - self.sum;
            self.squares += distance * distance / (count * (count - 1.0));
        } else if !value.is_finite() {
            self.squares = f64::NAN;
        }
    }

    fn result(self, statistic: Statistic) -> Option<f64> {
        if !statistic.is_defined(self.count) {
            return None;
        }
        let variance = self.squares / near_f64(self.count - i64::from(statistic.sample));
        Some(if statistic.root { variance.sqrt() } else { variance })
    }
}

struct Floats {
    groups: Vec<Spread>,
    statistic: Statistic,
}

impl Accumulator for Floats {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.groups
            .resize(count.max(self.groups.len()), Spread::default());
        let values = floats(&args[0]);
        each_row(groups, &args[0], |row, group| {
            self.groups[group].take(values[row]);
        });
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut groups = std::mem::take(&mut self.groups);
        groups.resize(count, Spread::default());
        Ok(results(
            groups.into_iter().map(|group| group.result(self.statistic)),
            ColumnData::Float,
        ))
    }

    fn memory(&self) -> usize {
        array(&self.groups)
    }
}
