//! [`Operand`]: a value for each row, or one for all; [`Input`]: the rows that matter.

use crate::types::DataType;
use crate::value::Value;
use crate::vector::{Batch, Column, ColumnData};
use std::sync::Arc;

/// The value of an expression: a column with a row for each row of the input, or with one row for all of them.
#[derive(Clone)]
pub(super) struct Operand {
    /// The values.
    pub(super) column: Arc<Column>,
    /// One row stands for all.
    pub(super) constant: bool,
}

impl Operand {
    /// One value for all rows.
    pub(super) fn constant(value: &Value, ty: DataType) -> Self {
        Self {
            column: Arc::new(Column::repeat(ty, value, 1)),
            constant: true,
        }
    }

    /// A value for each row.
    pub(super) fn rows(column: Arc<Column>) -> Self {
        Self {
            column,
            constant: false,
        }
    }

    /// A truth value for each row.
    pub(super) fn truths(values: Vec<bool>, nulls: Option<Vec<bool>>) -> Self {
        Self::rows(Arc::new(Column {
            data: ColumnData::Bool(values),
            nulls,
        }))
    }

    /// The column with one row for each of `rows`.
    pub(super) fn expand(self, rows: usize, ty: DataType) -> Arc<Column> {
        if !self.constant {
            return self.column;
        }
        Arc::new(repeated(&self.column, rows, ty))
    }

    /// Whether the value is NULL for all rows.
    pub(super) fn is_constant_null(&self) -> bool {
        self.constant && self.column.is_null(0)
    }

    /// Where the value of a row lies in the column.
    #[inline]
    pub(super) fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// A truth value at a row; `None` for NULL.
    #[inline]
    pub(super) fn truth(&self, row: usize) -> Option<bool> {
        let at = self.at(row);
        (!self.column.is_null(at)).then(|| truths(&self.column)[at])
    }
}

/// The first row of a column, `rows` times.
fn repeated(column: &Column, rows: usize, ty: DataType) -> Column {
    if column.is_null(0) {
        let mut nulls = Column::repeat(ty, &Value::Null, 1);
        nulls = nulls.take(&vec![0; rows]);
        return nulls;
    }
    let data = match &column.data {
        ColumnData::Bool(values) => ColumnData::Bool(vec![values[0]; rows]),
        ColumnData::Int(values) => ColumnData::Int(vec![values[0]; rows]),
        ColumnData::Float(values) => ColumnData::Float(vec![values[0]; rows]),
        _ => return column.take(&vec![0; rows]),
    };
    Column::new(data)
}

/// A column's truth values.
///
/// # Panics
/// When it holds something else: the binder gave the expression a wrong type.
#[inline]
pub(super) fn truths(column: &Column) -> &[bool] {
    match &column.data {
        ColumnData::Bool(values) => values,
        other => panic!("truth values expected, not {other:?}"),
    }
}

/// A batch and the rows of it that matter.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    batch: &'a Batch,
    /// The rows, in order; `None`: all.
    rows: Option<&'a [u32]>,
}

impl<'a> Input<'a> {
    /// All rows of the batch.
    pub(super) fn all(batch: &'a Batch) -> Self {
        Self { batch, rows: None }
    }

    /// These rows of the batch.
    pub(super) fn of(batch: &'a Batch, rows: &'a [u32]) -> Self {
        Self {
            batch,
            rows: Some(rows),
        }
    }

    /// How many rows matter.
    pub(super) fn len(self) -> usize {
        self.rows.map_or(self.batch.rows, <[u32]>::len)
    }

    /// The values of a column in the rows that matter.
    pub(super) fn column(self, position: usize) -> Arc<Column> {
        let column = &self.batch.columns[position];
        match self.rows {
            None => Arc::clone(column),
            Some(rows) => Arc::new(column.take(rows)),
        }
    }

    /// The batch's own numbers of the rows at these places among those that matter.
    pub(super) fn narrow(self, places: &[u32]) -> Vec<u32> {
        match self.rows {
            None => places.to_vec(),
            Some(rows) => places.iter().map(|place| rows[*place as usize]).collect(),
        }
    }

    /// The same batch with these of its rows.
    pub(super) fn with_rows(self, rows: &'a [u32]) -> Self {
        Self {
            batch: self.batch,
            rows: Some(rows),
        }
    }
}
