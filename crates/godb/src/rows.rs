//! [`Rows`] and [`Row`]: what a query gives.

use crate::connection::Connection;
use crate::convert::FromValue;
use crate::error::{Error, Result};
use godb_sql::{DataType, Value};
use std::sync::Arc;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
}

/// The rows of a query, computed while they are read. Reading further than needed costs nothing: drop it.
///
/// A query outside a transaction holds its snapshot until the rows are read or dropped.
pub struct Rows {
    rows: godb_sql::Rows,
    columns: Arc<[Column]>,
    /// Keeps the database open while rows are read.
    _connection: Arc<Connection>,
}

impl Rows {
    pub(crate) fn new(rows: godb_sql::Rows, connection: Arc<Connection>) -> Self {
        let columns = rows
            .columns()
            .iter()
            .map(|column| Column {
                name: column.name.clone(),
                ty: column.ty,
            })
            .collect();
        Self {
            rows,
            columns,
            _connection: connection,
        }
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The values of the next row into `into`, whose old content is replaced; `false` at the end.
    pub fn next_into(&mut self, into: &mut Vec<Value>) -> Result<bool> {
        Ok(self.rows.next_into(into)?)
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        let values = match self.rows.next()? {
            Ok(values) => values,
            Err(error) => return Some(Err(error.into())),
        };
        Some(Ok(Row {
            values,
            columns: self.columns.clone(),
        }))
    }
}

/// One row of a result.
#[derive(Clone, Debug)]
pub struct Row {
    values: Vec<Value>,
    columns: Arc<[Column]>,
}

impl Row {
    /// The value of a column, by its position from zero or by its name, as a Rust type.
    ///
    /// # Errors
    /// There is no such column, or its value does not convert: a NULL only to an `Option`, an integer only to a type that holds it.
    pub fn get<T: FromValue>(&self, column: impl ColumnIndex) -> Result<T> {
        let at = column.find(&self.columns)?;
        let Column { name, ty } = &self.columns[at];
        T::from_value(&self.values[at], *ty).ok_or_else(|| Error::Conversion {
            column: name.clone(),
            found: if self.values[at].is_null() {
                "NULL".to_owned()
            } else {
                ty.to_string()
            },
            wanted: std::any::type_name::<T>(),
        })
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The value at a position as text, as PostgreSQL shows it; `None` for NULL.
    #[must_use]
    pub fn text(&self, at: usize) -> Option<String> {
        String::from_value(&self.values[at], self.columns[at].ty)
    }
}

/// What names a column of a row: its position, from zero, or its name.
pub trait ColumnIndex {
    /// The position.
    fn find(self, columns: &[Column]) -> Result<usize>;
}

impl ColumnIndex for usize {
    fn find(self, columns: &[Column]) -> Result<usize> {
        if self < columns.len() {
            Ok(self)
        } else {
            Err(Error::NoSuchColumn(self.to_string()))
        }
    }
}

impl ColumnIndex for &str {
    fn find(self, columns: &[Column]) -> Result<usize> {
        columns
            .iter()
            .position(|column| column.name == self)
            .ok_or_else(|| Error::NoSuchColumn(self.to_owned()))
    }
}
