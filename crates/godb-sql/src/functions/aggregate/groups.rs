//! What all accumulators share: walking over a batch's rows and groups, and making the column of results.

use crate::error::Result;
use crate::types::DataType;
use crate::vector::{Column, ColumnData};

/// Calls `take` for each row that is not NULL, with its group.
#[inline]
pub(super) fn each_row(groups: &[u32], column: &Column, mut take: impl FnMut(usize, usize)) {
    match &column.nulls {
        None => groups
            .iter()
            .enumerate()
            .for_each(|(row, group)| take(row, *group as usize)),
        Some(nulls) => {
            for (row, (group, null)) in groups.iter().zip(nulls).enumerate() {
                if !null {
                    take(row, *group as usize);
                }
            }
        }
    }
}

/// The same, where taking can fail.
#[inline]
pub(super) fn try_each_row(
    groups: &[u32],
    column: &Column,
    mut take: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    for (row, group) in groups.iter().enumerate() {
        if !column.is_null(row) {
            take(row, *group as usize)?;
        }
    }
    Ok(())
}

/// How many rows of a column are not NULL.
#[inline]
pub(super) fn count_values(column: &Column) -> usize {
    match &column.nulls {
        None => column.len(),
        Some(nulls) => nulls.iter().filter(|null| !**null).count(),
    }
}

/// An argument's integers.
///
/// # Panics
/// When it has another kind: the table of aggregates is wrong.
pub(super) fn ints(column: &Column) -> &[i64] {
    match &column.data {
        ColumnData::Int(values) => values,
        other => panic!("integers expected, not {other:?}"),
    }
}

/// An argument's floats.
///
/// # Panics
/// When it has another kind: the table of aggregates is wrong.
pub(super) fn floats(column: &Column) -> &[f64] {
    match &column.data {
        ColumnData::Float(values) => values,
        other => panic!("floats expected, not {other:?}"),
    }
}

/// A column of the groups' results; groups without one are NULL.
pub(super) fn results<T: Default>(
    values: impl Iterator<Item = Option<T>>,
    data: impl FnOnce(Vec<T>) -> ColumnData,
) -> Column {
    let (mut present, mut nulls, mut any) = (Vec::new(), Vec::new(), false);
    for value in values {
        any |= value.is_none();
        nulls.push(value.is_none());
        present.push(value.unwrap_or_default());
    }
    Column {
        data: data(present),
        nulls: any.then_some(nulls),
    }
}

/// The bytes that `count` elements of an array take.
pub(super) fn array<T>(values: &Vec<T>) -> usize {
    values.capacity() * size_of::<T>()
}

/// Whether an aggregate of values of this type compares them without regard to blanks at the end.
pub(super) fn is_padded(ty: DataType) -> bool {
    matches!(ty, DataType::Char(_))
}
