//! Functions of arrays.

use super::Call;
use super::call::with_nulls;
use super::table::types::{ANY, BOOL, I4, TEXT};
use super::table::{Entry, entry};
use crate::cast::{Coercion, can_cast};
use crate::error::{Result, SqlError, state};
use crate::text::{array_items, write_array};
use crate::types::{DataType, Element};
use crate::vector::{Column, ColumnData};

const TEXTS: DataType = DataType::Array(Element::Text);

/// Functions of arrays.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("current_schemas", &[BOOL], TEXTS, schemas).stable(),
    entry("array_position", &[ANY, ANY], I4, position).lenient(),
    entry("cardinality", &[ANY], I4, cardinality), entry("array_length", &[ANY, I4], I4, length), entry("array_upper", &[ANY, I4], I4, length),
    entry("array_to_string", &[ANY, TEXT], TEXT, join),
];

/// Whether a function of that name can be called with these: those that take an array take nothing else in its place, which the table cannot say.
pub(super) fn fits(name: &str, args: &[DataType]) -> bool {
    let of_arrays = TABLE.iter().any(|entry| entry.function.name == name) && name != "current_schemas";
    match args {
        _ if !of_arrays => true,
        [DataType::Unknown, ..] => true,
        [DataType::Array(element), wanted] if name == "array_position" => {
            can_cast(*wanted, element.data_type(), Coercion::Implicit)
        }
        [DataType::Array(_), ..] => true,
        _ => false,
    }
}

/// `element = ANY (array)` and `element <> ALL (array)`: the element is of the array's own type.
pub(crate) static EQUALS_ANY: Entry = entry("= ANY", &[ANY, ANY], BOOL, equals_any);
pub(crate) static DIFFERS_FROM_ALL: Entry = entry("<> ALL", &[ANY, ANY], BOOL, differs_from_all);

/// The schemas that names are looked for in.
fn schemas(call: &Call<'_>) -> Result<Column> {
    let implicit = call.bools(0);
    call.each_string(|row, out| {
        let shown: &[u8] = if *implicit.at(row) {
            b"{pg_catalog,public}"
        } else {
            b"{public}"
        };
        out.extend_from_slice(shown);
        Ok(())
    })
}

/// The elements of the array at a row.
fn elements(call: &Call<'_>, index: usize, row: usize) -> Result<Vec<Option<String>>> {
    let ty = call.types[index];
    if !matches!(ty, DataType::Array(_)) {
        let message = format!("{} is not an array", ty.name());
        return Err(SqlError::new(state::DATATYPE_MISMATCH, message));
    }
    array_items(call.strings(index).text(row)?, ty)
}

/// The value at a row as an array writes it.
fn shown(call: &Call<'_>, index: usize, row: usize) -> String {
    let row = if call.constant[index] { 0 } else { row };
    let value = call.args[index].value(row, call.types[index]);
    crate::text::to_text(&value, call.types[index])
}

fn position(call: &Call<'_>) -> Result<Column> {
    let found = (0..call.rows).map(|row| {
        if call.is_null(0, row) {
            return Ok(None);
        }
        let wanted = (!call.is_null(1, row)).then(|| shown(call, 1, row));
        let at = elements(call, 0, row)?.iter().position(|item| *item == wanted);
        Ok(at.map(|at| crate::convert::length_i64(at + 1)))
    });
    Ok(with_nulls(found.collect::<Result<Vec<_>>>()?, ColumnData::Int))
}

fn cardinality(call: &Call<'_>) -> Result<Column> {
    call.each_int(|row| Ok(crate::convert::length_i64(elements(call, 0, row)?.len())))
}

/// An empty array has no dimension, and no array more than one.
fn length(call: &Call<'_>) -> Result<Column> {
    let dimensions = call.ints(1);
    let lengths: Vec<Option<i64>> = call.each(|row| {
        let length = elements(call, 0, row)?.len();
        Ok((*dimensions.at(row) == 1 && length > 0).then(|| crate::convert::length_i64(length)))
    })?;
    Ok(with_nulls(lengths, ColumnData::Int))
}

fn join(call: &Call<'_>) -> Result<Column> {
    let between = call.strings(1);
    call.each_string(|row, out| {
        let items: Vec<String> = elements(call, 0, row)?.into_iter().flatten().collect();
        out.extend_from_slice(items.join(between.text(row)?).as_bytes());
        Ok(())
    })
}

/// Whether the element is among those of the array; `None` where that is unknown.
fn among(call: &Call<'_>, row: usize) -> Result<Option<bool>> {
    let wanted = shown(call, 0, row);
    let items = elements(call, 1, row)?;
    let found = items.iter().any(|item| item.as_ref() == Some(&wanted));
    Ok((found || items.iter().all(Option::is_some)).then_some(found))
}

fn equals_any(call: &Call<'_>) -> Result<Column> {
    let found: Vec<Option<bool>> = call.each(|row| among(call, row))?;
    Ok(with_nulls(found, ColumnData::Bool))
}

fn differs_from_all(call: &Call<'_>) -> Result<Column> {
    let found: Vec<Option<bool>> = call.each(|row| Ok(among(call, row)?.map(|found| !found)))?;
    Ok(with_nulls(found, ColumnData::Bool))
}

/// `ARRAY[a, b]`: all elements are of one type.
pub(crate) static CONSTRUCT: Entry = entry("array", &[ANY], TEXTS, construct).variadic().lenient();

fn construct(call: &Call<'_>) -> Result<Column> {
    call.each_string(|row, out| {
        let item = |index| (!call.is_null(index, row)).then(|| shown(call, index, row));
        let items: Vec<Option<String>> = (0..call.args.len()).map(item).collect();
        out.extend_from_slice(write_array(&items).as_bytes());
        Ok(())
    })
}
