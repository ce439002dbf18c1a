//! Columns that grow, and rows gathered from them: what operators that keep rows are made of.

use crate::error::{Result, SqlError, state};
use crate::types::DataType;
use crate::vector::{Batch, BytesColumn, Column, ColumnData};
use std::sync::Arc;

/// Where a gathered row has no row to come from: it is NULL there.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// Adds all rows of `from` to `to`.
pub(crate) fn append(to: &mut Column, from: &Column) -> Result<()> {
    let (before, rows) = (to.len(), from.len());
    match (&mut to.data, &from.data) {
        (ColumnData::Bool(to), ColumnData::Bool(from)) => to.extend_from_slice(from),
        (ColumnData::Int(to), ColumnData::Int(from)) => to.extend_from_slice(from),
        (ColumnData::Float(to), ColumnData::Float(from)) => to.extend_from_slice(from),
        (ColumnData::Numeric(to), ColumnData::Numeric(from)) => to.extend_from_slice(from),
        (ColumnData::Interval(to), ColumnData::Interval(from)) => to.extend_from_slice(from),
        (ColumnData::Bytes(to), ColumnData::Bytes(from)) => {
            for bytes in from.iter() {
                if to.room() < bytes.len() {
                    return Err(too_many_bytes());
                }
                to.push(bytes);
            }
        }
        (to, from) => panic!("rows of {from:?} for a column of {to:?}"),
    }
    match (&mut to.nulls, &from.nulls) {
        (None, None) => {}
        (Some(to), None) => to.resize(before + rows, false),
        (to, Some(from)) => to
            .get_or_insert_with(|| vec![false; before])
            .extend_from_slice(from),
    }
    Ok(())
}

fn too_many_bytes() -> SqlError {
    SqlError::new(
        state::PROGRAM_LIMIT_EXCEEDED,
        "a column of an intermediate result exceeds 4 GiB",
    )
}

/// The rows at `positions`, NULL at [`NOWHERE`].
pub(crate) fn take_or_null(column: &Column, positions: &[u32]) -> Column {
    if !positions.contains(&NOWHERE) {
        return column.take(positions);
    }
    let mut taken = if column.is_empty() {
        Column {
            data: empty_like(&column.data),
            nulls: None,
        }
    } else {
        column.take(
            &positions
                .iter()
                .map(|&at| if at == NOWHERE { 0 } else { at })
                .collect::<Vec<_>>(),
        )
    };
    if column.is_empty() {
        (0..positions.len()).for_each(|_| taken.push_null());
        return taken;
    }
    let nulls = taken.nulls.get_or_insert_with(|| vec![false; positions.len()]);
    for (null, &at) in nulls.iter_mut().zip(positions) {
        *null |= at == NOWHERE;
    }
    taken
}

fn empty_like(data: &ColumnData) -> ColumnData {
    match data {
        ColumnData::Bool(_) => ColumnData::Bool(Vec::new()),
        ColumnData::Int(_) => ColumnData::Int(Vec::new()),
        ColumnData::Float(_) => ColumnData::Float(Vec::new()),
        ColumnData::Numeric(_) => ColumnData::Numeric(Vec::new()),
        ColumnData::Interval(_) => ColumnData::Interval(Vec::new()),
        ColumnData::Bytes(_) => ColumnData::Bytes(BytesColumn::default()),
    }
}

/// Roughly how many bytes of memory a column takes.
pub(crate) fn bytes(column: &Column) -> usize {
    let nulls = column.nulls.as_ref().map_or(0, Vec::len);
    nulls
        + match &column.data {
            ColumnData::Bool(values) => values.len(),
            ColumnData::Int(values) => values.len() * 8,
            ColumnData::Float(values) => values.len() * 8,
            ColumnData::Numeric(values) => values.len() * 64,
            ColumnData::Interval(values) => values.len() * 16,
            ColumnData::Bytes(values) => values.len() * 4 + (u32::MAX as usize - values.room()),
        }
}

/// Roughly how many bytes of memory a batch takes.
pub(crate) fn batch_bytes(batch: &Batch) -> usize {
    batch.columns.iter().map(|column| bytes(column)).sum()
}

/// Rows that are kept, column by column.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: usize,
}

impl Rows {
    /// None yet, of these types.
    pub(crate) fn new(types: &[DataType]) -> Self {
        Self {
            columns: types.iter().map(|ty| Column::empty(*ty)).collect(),
            rows: 0,
        }
    }

    /// Adds the rows of a batch.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<()> {
        for (to, from) in self.columns.iter_mut().zip(&batch.columns) {
            append(to, from)?;
        }
        self.rows += batch.rows;
        u32::try_from(self.rows + 1).map(drop).map_err(|_| {
            SqlError::new(
                state::PROGRAM_LIMIT_EXCEEDED,
                "an intermediate result exceeds 4 billion rows",
            )
        })
    }

    /// The rows at `positions`.
    pub(crate) fn take(&self, positions: &[u32]) -> Batch {
        let columns = self
            .columns
            .iter()
            .map(|column| Arc::new(take_or_null(column, positions)));
        Batch {
            columns: columns.collect(),
            rows: positions.len(),
        }
    }

    /// Roughly how many bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.columns.iter().map(bytes).sum()
    }

    /// All of them as a batch, which may be larger than others.
    pub(crate) fn into_batch(self) -> Batch {
        Batch {
            columns: self.columns.into_iter().map(Arc::new).collect(),
            rows: self.rows,
        }
    }
}

/// Whether some column of the row is NULL.
pub(crate) fn any_null(columns: &[Arc<Column>], row: usize) -> bool {
    columns.iter().any(|column| column.is_null(row))
}

/// A row number as columns count them.
pub(crate) fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("rows kept in memory are fewer than 4 billion")
}

/// Adds one row of `from` to `to`.
pub(crate) fn append_row(to: &mut Column, from: &Column, row: usize) {
    if from.is_null(row) {
        return to.push_null();
    }
    match (&mut to.data, &from.data) {
        (ColumnData::Bool(to), ColumnData::Bool(from)) => to.push(from[row]),
        (ColumnData::Int(to), ColumnData::Int(from)) => to.push(from[row]),
        (ColumnData::Float(to), ColumnData::Float(from)) => to.push(from[row]),
        (ColumnData::Numeric(to), ColumnData::Numeric(from)) => to.push(from[row].clone()),
        (ColumnData::Interval(to), ColumnData::Interval(from)) => to.push(from[row]),
        (ColumnData::Bytes(to), ColumnData::Bytes(from)) => to.push(from.get(row)),
        (to, from) => panic!("a row of {from:?} for a column of {to:?}"),
    }
    if let Some(nulls) = &mut to.nulls {
        nulls.push(false);
    }
}
