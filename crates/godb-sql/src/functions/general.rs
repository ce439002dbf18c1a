//! Functions of values of any type.

use super::Call;
use super::table::types::{ANY, I4, TEXT};
use super::table::{Entry, entry};
use crate::cast::cast_column;
use crate::error::Result;
use crate::types::DataType;
use crate::vector::{Column, compare_rows};
use std::cmp::Ordering;
use std::sync::Arc;

/// Functions of values of any type.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("pg_typeof", &[ANY], TEXT, type_of).lenient(),
    entry("num_nulls", &[ANY], I4, num_nulls).variadic().lenient(), entry("num_nonnulls", &[ANY], I4, num_nonnulls).variadic().lenient(),
];

/// `GREATEST`, `LEAST` and `NULLIF`: all arguments have one type, and so has the result.
pub(super) static OF_ONE_TYPE: [Entry; 3] = [
    entry("greatest", &[ANY], ANY, greatest).variadic().lenient(),
    entry("least", &[ANY], ANY, least).variadic().lenient(),
    entry("nullif", &[ANY, ANY], ANY, null_if).lenient(),
];

/// A type's name called like a function.
pub(super) static CAST: Entry = entry("cast", &[ANY], ANY, cast);

fn cast(call: &Call<'_>) -> Result<Column> {
    let column = cast_column(&call.args[0], call.types[0], call.returns, true)?;
    Ok(Arc::unwrap_or_clone(column))
}

fn constant(call: &Call<'_>, text: &str) -> Result<Column> {
    call.each_string(|_, out| {
        out.extend_from_slice(text.as_bytes());
        Ok(())
    })
}

fn type_of(call: &Call<'_>) -> Result<Column> {
    constant(call, call.types[0].name())
}

fn count_nulls(call: &Call<'_>, nulls: bool) -> Result<Column> {
    call.each_int(|row| {
        let counted = (0..call.args.len())
            .filter(|index| call.is_null(*index, row) == nulls)
            .count();
        Ok(crate::convert::length_i64(counted))
    })
}

fn num_nulls(call: &Call<'_>) -> Result<Column> {
    count_nulls(call, true)
}

fn num_nonnulls(call: &Call<'_>) -> Result<Column> {
    count_nulls(call, false)
}

/// Where an argument's value of a row lies.
fn place(call: &Call<'_>, index: usize, row: usize) -> usize {
    if call.constant[index] { 0 } else { row }
}

/// For each row, the value of the argument that `pick` names.
fn picked(call: &Call<'_>, pick: impl Fn(usize) -> Option<usize>) -> Column {
    let ty = call.types.first().copied().unwrap_or(DataType::Text);
    let mut column = Column::empty(ty);
    for row in 0..call.rows {
        match pick(row) {
            Some(index) => column.push(&call.args[index].value(place(call, index, row), ty)),
            None => column.push_null(),
        }
    }
    column
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<Column> {
    let ty = call.types[0];
    Ok(picked(call, |row| {
        let mut best: Option<usize> = None;
        for index in (0..call.args.len()).filter(|index| !call.is_null(*index, row)) {
            let better = best.is_none_or(|best| {
                let (a, i) = (&call.args[index], place(call, index, row));
                let (b, j) = (&call.args[best], place(call, best, row));
                compare_rows(a, i, b, j, ty) == wanted
            });
            if better {
                best = Some(index);
            }
        }
        best
    }))
}

fn greatest(call: &Call<'_>) -> Result<Column> {
    extreme(call, Ordering::Greater)
}

fn least(call: &Call<'_>) -> Result<Column> {
    extreme(call, Ordering::Less)
}

fn null_if(call: &Call<'_>) -> Result<Column> {
    let ty = call.types[0];
    Ok(picked(call, |row| {
        if call.is_null(0, row) {
            return None;
        }
        let (i, j) = (place(call, 0, row), place(call, 1, row));
        let equal = !call.is_null(1, row) && compare_rows(&call.args[0], i, &call.args[1], j, ty).is_eq();
        (!equal).then_some(0)
    }))
}
