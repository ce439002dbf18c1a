//! [`Column`]: values of one type, one a row.

use super::BytesColumn;
use crate::types::{DataType, Physical};
use crate::value::{Interval, Numeric, Value};

/// The values of a column, in the form its type's [`Physical`] says. At a NULL row stands some value of no meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Truth values.
    Bool(Vec<bool>),
    /// Integers, dates and timestamps.
    Int(Vec<i64>),
    /// Floating-point numbers.
    Float(Vec<f64>),
    /// Decimal numbers.
    Numeric(Vec<Numeric>),
    /// Character and byte strings.
    Bytes(BytesColumn),
    /// Intervals.
    Interval(Vec<Interval>),
}

/// Values of one type, some of them NULL.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The values.
    pub data: ColumnData,
    /// `nulls[row]` says that the row is NULL; `None` says that no row is.
    pub nulls: Option<Vec<bool>>,
}

macro_rules! each_kind {
    ($data:expr, $values:ident => $body:expr, $bytes:ident => $other:expr) => {
        match $data {
            ColumnData::Bool($values) => ColumnData::Bool($body),
            ColumnData::Int($values) => ColumnData::Int($body),
            ColumnData::Float($values) => ColumnData::Float($body),
            ColumnData::Numeric($values) => ColumnData::Numeric($body),
            ColumnData::Interval($values) => ColumnData::Interval($body),
            ColumnData::Bytes($bytes) => ColumnData::Bytes($other),
        }
    };
}

impl ColumnData {
    /// An empty column for values of `ty`, with room for `rows`.
    #[must_use]
    pub fn with_capacity(ty: DataType, rows: usize) -> Self {
        match ty.physical() {
            Physical::Bool => Self::Bool(Vec::with_capacity(rows)),
            Physical::Int => Self::Int(Vec::with_capacity(rows)),
            Physical::Float => Self::Float(Vec::with_capacity(rows)),
            Physical::Numeric => Self::Numeric(Vec::with_capacity(rows)),
            Physical::Bytes => Self::Bytes(BytesColumn::with_capacity(rows, rows * 8)),
            Physical::Interval => Self::Interval(Vec::with_capacity(rows)),
        }
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Numeric(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Interval(values) => values.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Column {
    /// An empty column for values of `ty`.
    #[must_use]
    pub fn empty(ty: DataType) -> Self {
        Self {
            data: ColumnData::with_capacity(ty, 0),
            nulls: None,
        }
    }

    /// A column without NULLs.
    #[must_use]
    pub fn new(data: ColumnData) -> Self {
        Self { data, nulls: None }
    }

    /// `value`, `rows` times.
    #[must_use]
    pub fn repeat(ty: DataType, value: &Value, rows: usize) -> Self {
        let mut column = Self::empty(ty);
        for _ in 0..rows {
            column.push(value);
        }
        column
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Whether the row is NULL.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls[row])
    }

    /// The rows at `positions`, in that order.
    #[must_use]
    #[expect(
        clippy::clone_on_copy,
        reason = "one expression serves kinds that copy and one that does not"
    )]
    pub fn take(&self, positions: &[u32]) -> Self {
        let at = || positions.iter().map(|&row| row as usize);
        let data = each_kind!(&self.data,
        values => at().map(|row| values[row].clone()).collect(),
        bytes => {
            let mut taken = BytesColumn::with_capacity(positions.len(), positions.len() * 8);
            at().for_each(|row| taken.push(bytes.get(row)));
            taken
        });
        let nulls = self
            .nulls
            .as_ref()
            .map(|nulls| at().map(|row| nulls[row]).collect());
        Self { data, nulls }
    }

    /// The value at `row`. `text` says whether byte strings are characters.
    #[must_use]
    pub fn value(&self, row: usize, ty: DataType) -> Value {
        if self.is_null(row) {
            return Value::Null;
        }
        match &self.data {
            ColumnData::Bool(values) => Value::Bool(values[row]),
            ColumnData::Int(values) => Value::Int(values[row]),
            ColumnData::Float(values) => Value::Float(values[row]),
            ColumnData::Numeric(values) => Value::Numeric(values[row].clone()),
            ColumnData::Interval(values) => Value::Interval(values[row]),
            ColumnData::Bytes(values) if ty == DataType::Bytea => Value::Bytes(values.get(row).to_vec()),
            ColumnData::Bytes(values) => Value::Text(String::from_utf8_lossy(values.get(row)).into_owned()),
        }
    }

    /// Adds a row. The value is of the column's physical kind, or NULL.
    ///
    /// # Panics
    /// When it is of another kind: the binder gave the expression a wrong type.
    pub fn push(&mut self, value: &Value) {
        let row = self.len();
        match (&mut self.data, value) {
            (_, Value::Null) => return self.push_null(),
            (ColumnData::Bool(values), Value::Bool(value)) => values.push(*value),
            (ColumnData::Int(values), Value::Int(value)) => values.push(*value),
            (ColumnData::Float(values), Value::Float(value)) => values.push(*value),
            (ColumnData::Numeric(values), Value::Numeric(value)) => values.push(value.clone()),
            (ColumnData::Interval(values), Value::Interval(value)) => values.push(*value),
            (ColumnData::Bytes(values), Value::Text(value)) => values.push(value.as_bytes()),
            (ColumnData::Bytes(values), Value::Bytes(value)) => values.push(value),
            (data, value) => panic!("a value {value:?} in a column of {data:?}"),
        }
        if let Some(nulls) = &mut self.nulls {
            debug_assert_eq!(nulls.len(), row);
            nulls.push(false);
        }
    }

    /// Adds a NULL row.
    pub fn push_null(&mut self) {
        let rows = self.len();
        match &mut self.data {
            ColumnData::Bool(values) => values.push(false),
            ColumnData::Int(values) => values.push(0),
            ColumnData::Float(values) => values.push(0.0),
            ColumnData::Numeric(values) => values.push(Numeric::default()),
            ColumnData::Interval(values) => values.push(Interval::default()),
            ColumnData::Bytes(values) => values.push(b""),
        }
        self.nulls.get_or_insert_with(|| vec![false; rows]).push(true);
    }
}
