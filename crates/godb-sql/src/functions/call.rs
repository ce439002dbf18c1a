//! [`Call`]: what a kernel is given, and the loops that kernels are made of.
//!
//! An argument that is the same for all rows comes as a column of one row, marked constant, so that nobody expands a literal.
//! [`Ints`], [`Floats`] and their like read both kinds: a constant's step is zero.

use crate::context::Evaluating;
use crate::error::{Result, SqlError, state};
use crate::types::DataType;
use crate::value::{Interval, Numeric};
use crate::vector::{BytesColumn, Column, ColumnData};
use std::sync::Arc;

/// What a [`Kernel`](super::Kernel) is given.
pub struct Call<'a> {
    /// The arguments, each with [`rows`](Self::rows) rows; with one row where constant.
    pub args: &'a [Arc<Column>],
    /// Which arguments have one row that stands for all.
    pub constant: &'a [bool],
    /// The arguments' types.
    pub types: &'a [DataType],
    /// How many rows.
    pub rows: usize,
    /// Rows that are NULL whatever the kernel makes of them: an argument of a strict function is NULL there.
    pub nulls: Option<&'a [bool]>,
    /// The type of the result.
    pub returns: DataType,
    /// Parameters, the statement's time, cancellation.
    pub evaluating: &'a Evaluating<'a>,
}

/// How often, in rows, a slow loop looks whether the statement was cancelled.
const ROWS_BETWEEN_CHECKS: usize = 256;

macro_rules! reader {
    ($(#[$doc:meta])* $name:ident, $method:ident, $variant:ident, $element:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name<'a> {
            /// The values: one a row, or one for all.
            pub(crate) values: &'a [$element],
            /// It is one for all.
            pub(crate) constant: bool,
        }

        impl<'a> $name<'a> {
            /// The value at a row.
            #[inline]
            pub(crate) fn at(self, row: usize) -> &'a $element {
                &self.values[if self.constant { 0 } else { row }]
            }
        }

        impl<'a> Call<'a> {
            /// An argument's values.
            ///
            /// # Panics
            /// When the argument is of another kind: the table of functions is wrong.
            pub(crate) fn $method(&self, index: usize) -> $name<'a> {
                match &self.args[index].data {
                    ColumnData::$variant(values) => $name { values, constant: self.constant[index] },
                    other => panic!("argument {index} is {other:?}, of type {:?}", self.types),
                }
            }
        }
    };
}

reader!(
    /// Truth values of an argument.
    Bools, bools, Bool, bool
);
reader!(
    /// Integers, dates or timestamps of an argument.
    Ints, ints, Int, i64
);
reader!(
    /// Floats of an argument.
    Floats, floats, Float, f64
);
reader!(
    /// Decimals of an argument.
    Numerics, numerics, Numeric, Numeric
);
reader!(
    /// Intervals of an argument.
    Intervals, intervals, Interval, Interval
);

/// Strings of an argument.
#[derive(Clone, Copy)]
pub(crate) struct Strings<'a> {
    /// The strings: one a row, or one for all.
    pub(crate) values: &'a BytesColumn,
    /// It is one for all.
    pub(crate) constant: bool,
}

impl<'a> Strings<'a> {
    /// The bytes at a row.
    #[inline]
    pub(crate) fn bytes(self, row: usize) -> &'a [u8] {
        self.values.get(if self.constant { 0 } else { row })
    }

    /// The characters at a row.
    #[inline]
    pub(crate) fn text(self, row: usize) -> Result<&'a str> {
        std::str::from_utf8(self.bytes(row)).map_err(|_| not_utf8())
    }
}

#[cold]
fn not_utf8() -> SqlError {
    SqlError::new(
        state::CHARACTER_NOT_IN_REPERTOIRE,
        "invalid byte sequence for encoding \"UTF8\"",
    )
}

impl<'a> Call<'a> {
    /// An argument's strings.
    ///
    /// # Panics
    /// When the argument is of another kind: the table of functions is wrong.
    pub(crate) fn strings(&self, index: usize) -> Strings<'a> {
        match &self.args[index].data {
            ColumnData::Bytes(values) => Strings {
                values,
                constant: self.constant[index],
            },
            other => panic!("argument {index} is {other:?}, of type {:?}", self.types),
        }
    }

    /// Whether there is such an argument.
    pub(crate) fn has(&self, index: usize) -> bool {
        index < self.args.len()
    }

    /// Whether the result at a row is wanted.
    #[inline]
    pub(crate) fn wanted(&self, row: usize) -> bool {
        self.nulls.is_none_or(|nulls| !nulls[row])
    }

    /// Whether an argument is NULL at a row: for functions that are not strict.
    #[inline]
    pub(crate) fn is_null(&self, index: usize, row: usize) -> bool {
        self.args[index].is_null(if self.constant[index] { 0 } else { row })
    }

    /// Fails when the statement was cancelled; cheap in most rows.
    #[inline]
    fn check(&self, row: usize) -> Result<()> {
        if row.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            self.evaluating.canceller.check()
        } else {
            Ok(())
        }
    }

    /// A value for each wanted row.
    #[inline]
    pub(crate) fn each<T: Default>(&self, mut value: impl FnMut(usize) -> Result<T>) -> Result<Vec<T>> {
        let mut values = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            self.check(row)?;
            values.push(if self.wanted(row) {
                value(row)?
            } else {
                T::default()
            });
        }
        Ok(values)
    }

    /// An integer for each wanted row.
    #[inline]
    pub(crate) fn each_int(&self, value: impl FnMut(usize) -> Result<i64>) -> Result<Column> {
        self.each(value)
            .map(|values| Column::new(ColumnData::Int(values)))
    }

    /// A float for each wanted row.
    #[inline]
    pub(crate) fn each_float(&self, value: impl FnMut(usize) -> Result<f64>) -> Result<Column> {
        self.each(value)
            .map(|values| Column::new(ColumnData::Float(values)))
    }

    /// A truth value for each wanted row.
    #[inline]
    pub(crate) fn each_bool(&self, value: impl FnMut(usize) -> Result<bool>) -> Result<Column> {
        self.each(value)
            .map(|values| Column::new(ColumnData::Bool(values)))
    }

    /// A decimal for each wanted row.
    #[inline]
    pub(crate) fn each_numeric(&self, value: impl FnMut(usize) -> Result<Numeric>) -> Result<Column> {
        self.each(value)
            .map(|values| Column::new(ColumnData::Numeric(values)))
    }

    /// An interval for each wanted row.
    #[inline]
    pub(crate) fn each_interval(&self, value: impl FnMut(usize) -> Result<Interval>) -> Result<Column> {
        self.each(value)
            .map(|values| Column::new(ColumnData::Interval(values)))
    }

    /// A string for each wanted row, written by `write`.
    #[inline]
    pub(crate) fn each_string(
        &self,
        mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<()>,
    ) -> Result<Column> {
        let mut values = BytesColumn::with_capacity(self.rows, self.rows * 8);
        for row in 0..self.rows {
            self.check(row)?;
            if self.wanted(row) {
                values.push_with(|out| write(row, out))?;
            } else {
                values.push(b"");
            }
        }
        Ok(Column::new(ColumnData::Bytes(values)))
    }

    /// A string or NULL for each wanted row: `write` says whether it is a string.
    pub(crate) fn each_string_or_null(
        &self,
        mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<bool>,
    ) -> Result<Column> {
        let mut nulls = vec![false; self.rows];
        let mut column = self.each_string(|row, out| {
            nulls[row] = !write(row, out)?;
            Ok(())
        })?;
        column.nulls = nulls.contains(&true).then_some(nulls);
        Ok(column)
    }
}

/// A column of results of which some may be NULL.
pub(crate) fn with_nulls<T: Default>(values: Vec<Option<T>>, data: impl Fn(Vec<T>) -> ColumnData) -> Column {
    let nulls: Vec<bool> = values.iter().map(Option::is_none).collect();
    let values = values.into_iter().map(Option::unwrap_or_default).collect();
    Column {
        data: data(values),
        nulls: nulls.contains(&true).then_some(nulls),
    }
}
