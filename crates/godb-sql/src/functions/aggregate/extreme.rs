//! `min` and `max`.

use super::groups::{array, each_row, floats, ints, is_padded, results};
use crate::cast::trim_blanks;
use crate::error::Result;
use crate::functions::Accumulator;
use crate::types::{DataType, Physical};
use crate::value::{Interval, Numeric};
use crate::vector::{BytesColumn, Column, ColumnData};
use std::cmp::Ordering;
use std::sync::Arc;

/// The least value of each group.
pub(super) fn least(takes: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    make(takes[0], false)
}

/// The greatest value of each group.
pub(super) fn greatest(takes: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    make(takes[0], true)
}

fn make(ty: DataType, greatest: bool) -> Box<dyn Accumulator> {
    match ty.physical() {
        Physical::Int | Physical::Bool => Box::new(IntExtreme {
            best: Vec::new(),
            greatest,
        }),
        Physical::Float => Box::new(Extreme::<f64> {
            best: Vec::new(),
            greatest,
            padded: false,
            bytes: 0,
        }),
        Physical::Numeric => Box::new(Extreme::<Numeric> {
            best: Vec::new(),
            greatest,
            padded: false,
            bytes: 0,
        }),
        Physical::Interval => Box::new(Extreme::<Interval> {
            best: Vec::new(),
            greatest,
            padded: false,
            bytes: 0,
        }),
        Physical::Bytes => Box::new(Extreme::<Vec<u8>> {
            best: Vec::new(),
            greatest,
            padded: is_padded(ty),
            bytes: 0,
        }),
    }
}

/// Integers, dates and timestamps. Whether a group has a value lies beside its best one.
struct IntExtreme {
    best: Vec<(i64, bool)>,
    greatest: bool,
}

impl IntExtreme {
    fn one_group(&mut self, values: &[i64], nulls: Option<&[bool]>) {
        let neutral = if self.greatest { i64::MIN } else { i64::MAX };
        let pick = |a: i64, b: i64| if self.greatest { a.max(b) } else { a.min(b) };
        let (found, any) = match nulls {
            None => (
                values.iter().fold(neutral, |best, value| pick(best, *value)),
                !values.is_empty(),
            ),
            Some(nulls) => {
                let masked = values
                    .iter()
                    .zip(nulls)
                    .map(|(value, null)| if *null { neutral } else { *value });
                (masked.fold(neutral, pick), nulls.contains(&false))
            }
        };
        if any {
            let (best, seen) = self.best[0];
            self.best[0] = (if seen { pick(best, found) } else { found }, true);
        }
    }
}

impl Accumulator for IntExtreme {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.best.resize(count.max(self.best.len()), (0, false));
        let column = &args[0];
        let values = ints(column);
        if count == 1 {
            self.one_group(values, column.nulls.as_deref());
            return Ok(());
        }
        let (best, greatest) = (self.best.as_mut_slice(), self.greatest);
        each_row(groups, column, |row, group| {
            let (value, (now, seen)) = (values[row], best[group]);
            let better = if greatest { value > now } else { value < now };
            if better | !seen {
                best[group] = (value, true);
            }
        });
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut best = std::mem::take(&mut self.best);
        best.resize(count, (0, false));
        Ok(results(
            best.into_iter().map(|(value, seen)| seen.then_some(value)),
            ColumnData::Int,
        ))
    }

    fn memory(&self) -> usize {
        array(&self.best)
    }
}

/// Values of any other kind.
struct Extreme<T> {
    best: Vec<Option<T>>,
    greatest: bool,
    padded: bool,
    /// What the values hold beside themselves.
    bytes: usize,
}

impl<T> Extreme<T> {
    fn is_better(&self, ordering: Ordering) -> bool {
        ordering
            == if self.greatest {
                Ordering::Greater
            } else {
                Ordering::Less
            }
    }

    fn memory(&self) -> usize {
        array(&self.best) + self.bytes
    }
}

macro_rules! accumulator {
    ($kind:ty, |$column:ident, $row:ident| $get:expr, |$a:ident, $b:ident| $compare:expr, $data:expr) => {
        impl Accumulator for Extreme<$kind> {
            fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
                self.best.resize(count.max(self.best.len()), None);
                let $column = &args[0];
                each_row(groups, $column, |$row, group| {
                    let $a = $get;
                    let better = match &self.best[group] {
                        Some($b) => self.is_better($compare),
                        None => true,
                    };
                    if better {
                        self.best[group] = Some($a.clone());
                    }
                });
                Ok(())
            }

            fn finish(&mut self, count: usize) -> Result<Column> {
                let mut best = std::mem::take(&mut self.best);
                best.resize(count, None);
                Ok(results(best.into_iter(), $data))
            }

            fn memory(&self) -> usize {
                Extreme::memory(self)
            }
        }
    };
}

accumulator!(
    f64,
    |column, row| floats(column)[row],
    |a, b| float_order(a, *b),
    ColumnData::Float
);
accumulator!(
    Numeric,
    |column, row| &decimals(column)[row],
    |a, b| a.cmp(b),
    ColumnData::Numeric
);
accumulator!(
    Interval,
    |column, row| intervals(column)[row],
    |a, b| a.length().cmp(&b.length()),
    ColumnData::Interval
);

/// NaN is the greatest float.
fn float_order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn decimals(column: &Column) -> &[Numeric] {
    match &column.data {
        ColumnData::Numeric(values) => values,
        other => panic!("decimals expected, not {other:?}"),
    }
}

fn intervals(column: &Column) -> &[Interval] {
    match &column.data {
        ColumnData::Interval(values) => values,
        other => panic!("intervals expected, not {other:?}"),
    }
}

/// The bytes that count in a comparison.
fn significant(bytes: &[u8], padded: bool) -> &[u8] {
    if padded { trim_blanks(bytes) } else { bytes }
}

impl Accumulator for Extreme<Vec<u8>> {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.best.resize(count.max(self.best.len()), None);
        let ColumnData::Bytes(values) = &args[0].data else {
            panic!("strings expected, not {:?}", args[0].data);
        };
        let padded = self.padded;
        each_row(groups, &args[0], |row, group| {
            let value = values.get(row);
            let better = match &self.best[group] {
                Some(best) => self.is_better(significant(value, padded).cmp(significant(best, padded))),
                None => true,
            };
            if better {
                let best = self.best[group].get_or_insert_with(Vec::new);
                self.bytes = (self.bytes + value.len()).saturating_sub(best.len());
                best.clear();
                best.extend_from_slice(value);
            }
        });
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut best = std::mem::take(&mut self.best);
        best.resize(count, None);
        let mut failed = Ok(());
        let column = results(best.into_iter(), |values| {
            let mut strings = BytesColumn::with_capacity(values.len(), self.bytes);
            for value in values {
                let pushed = strings.push_with(|out| {
                    out.extend_from_slice(&value);
                    Ok(())
                });
                failed = std::mem::replace(&mut failed, Ok(())).and(pushed);
            }
            ColumnData::Bytes(strings)
        });
        failed.map(|()| column)
    }

    fn memory(&self) -> usize {
        Extreme::memory(self)
    }
}
