//! How a row lies in the value of its key.
//!
//! ```text
//! ┌─────────┬───────────────────────────────┬──────┬──────┬───
//! │ version │ one code of 4 bits per column │ data │ data │ …
//! └─────────┴───────────────────────────────┴──────┴──────┴───
//! ```
//!
//! The version (a varint) is the table's schema version under which the row was written; it tells how many columns there were.
//! Columns lie by their number, and a dropped column's number is never used again, so ALTER TABLE touches no row: a column that is
//! newer than the row has its `missing` value, one that is gone has the code for NULL in rows written since.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | NULL (also: a column of the primary key, which is read from the key) |
//! | 1 | no data: 0, false, an empty string |
//! | 2–14 | 1 to 13 bytes of data |
//! | 15 | the data begins with its length as a varint |
//!
//! All codes stand together, so that passing over the columns before a wanted one is adding up small numbers, two columns at a
//! time, without looking at the data. Integers take as many bytes as they need, little end first, floating-point numbers four where
//! that loses nothing.

use super::ordered::damaged;
use super::varint;
use crate::error::Result;
use crate::numeric::MAX_SCALE;
use crate::types::{DataType, Physical};
use crate::value::{Interval, Numeric, Value};
use crate::vector::{Column, ColumnData};
use bigdecimal::num_bigint::BigInt;
use std::sync::Arc;

const NULL: u8 = 0;
/// The data's length stands before it.
const LONG: u8 = 15;
/// The most data whose length fits into its code.
const SHORT: usize = 13;
/// In [`PAIRS`]: one of the two is long.
const UNEVEN: u8 = 0xFF;
/// How many bytes of data the two columns of a code byte have together.
const PAIRS: [u8; 256] = pairs();

const fn pairs() -> [u8; 256] {
    let mut table = [0; 256];
    let mut codes = 0;
    while codes < 256 {
        let (low, high) = (codes & 15, codes >> 4);
        table[codes] = if low == 15 || high == 15 {
            UNEVEN
        } else {
            #[expect(clippy::cast_possible_truncation, reason = "at most 26")]
            let sum = (low.saturating_sub(1) + high.saturating_sub(1)) as u8;
            sum
        };
        codes += 1;
    }
    table
}

/// Writes rows of one table.
#[derive(Clone, Debug)]
pub(crate) struct RowEncoder {
    /// The schema version rows are written under.
    version: u32,
    /// For each column number the position in the table, where the row keeps it.
    slots: Vec<Option<usize>>,
}

impl RowEncoder {
    /// For rows of schema version `version`; `slots[n]` is where in a table's row the column of number `n` is found.
    pub(crate) fn new(version: u32, slots: Vec<Option<usize>>) -> Self {
        Self { version, slots }
    }

    /// Writes row `row` of `columns`, which are a table's columns in order.
    pub(crate) fn put(&self, out: &mut Vec<u8>, columns: &[Arc<Column>], row: usize) {
        varint::put(out, u64::from(self.version));
        let codes = out.len();
        out.resize(codes + self.slots.len().div_ceil(2), 0);
        for (slot, position) in self.slots.iter().enumerate() {
            let Some(position) = position else { continue };
            let code = put_value(out, &columns[*position], row);
            out[codes + slot / 2] |= code << (4 * (slot % 2));
        }
    }
}

/// Writes the data of one value and returns its code.
fn put_value(out: &mut Vec<u8>, column: &Column, row: usize) -> u8 {
    if column.is_null(row) {
        return NULL;
    }
    match &column.data {
        ColumnData::Bool(values) => put_bytes(out, if values[row] { &[1] } else { &[] }),
        ColumnData::Int(values) => put_bytes(out, minimal(&values[row].to_le_bytes(), values[row])),
        ColumnData::Float(values) => put_float(out, values[row]),
        ColumnData::Bytes(values) => put_bytes(out, values.get(row)),
        ColumnData::Numeric(values) => put_bytes(out, &numeric_bytes(&values[row])),
        ColumnData::Interval(values) => put_bytes(out, &interval_bytes(values[row])),
    }
}

/// As many of the low bytes as `value` needs: none for zero.
fn minimal(bytes: &[u8; 8], value: i64) -> &[u8] {
    if value == 0 {
        return &[];
    }
    let magnitude = if value < 0 { !value } else { value };
    let bits = 65 - magnitude.leading_zeros();
    &bytes[..bits.div_ceil(8) as usize]
}

fn put_bytes(out: &mut Vec<u8>, data: &[u8]) -> u8 {
    if data.len() > SHORT {
        varint::put(out, data.len() as u64);
        out.extend_from_slice(data);
        return LONG;
    }
    out.extend_from_slice(data);
    u8::try_from(data.len()).expect("short") + 1
}

fn put_float(out: &mut Vec<u8>, value: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the line below looks at what was lost"
    )]
    let short = value as f32;
    match value.to_bits() {
        0 => put_bytes(out, &[]),
        bits if f64::from(short).to_bits() == bits => put_bytes(out, &short.to_le_bytes()),
        bits => put_bytes(out, &bits.to_le_bytes()),
    }
}

fn numeric_bytes(value: &Numeric) -> Vec<u8> {
    let (digits, scale) = value.as_bigint_and_exponent();
    let mut bytes = Vec::new();
    varint::put_signed(&mut bytes, scale);
    bytes.extend(digits.to_signed_bytes_le());
    bytes
}

fn interval_bytes(value: Interval) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint::put_signed(&mut bytes, i64::from(value.months));
    varint::put_signed(&mut bytes, i64::from(value.days));
    varint::put_signed(&mut bytes, value.micros);
    bytes
}

/// A column wanted from rows.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Its number.
    pub(crate) slot: usize,
    /// Its type.
    pub(crate) ty: DataType,
    /// Its value in rows that are older than it.
    pub(crate) missing: Value,
    /// Which output column it becomes.
    pub(crate) output: usize,
}

/// Reads some columns of a table's rows, and passes over the others.
#[derive(Clone, Debug)]
pub(crate) struct RowDecoder {
    /// What is wanted, by column number.
    wanted: Vec<Wanted>,
    /// How many columns rows have, by schema version.
    layouts: Arc<[u32]>,
}

/// One value in a stored row.
struct Stored<'a> {
    code: u8,
    /// Its data.
    data: &'a [u8],
    /// Its data and whatever comes after it in the row.
    tail: &'a [u8],
}

impl RowDecoder {
    /// For tables whose rows of schema version `v` have `layouts[v]` columns.
    pub(crate) fn new(mut wanted: Vec<Wanted>, layouts: Arc<[u32]>) -> Self {
        wanted.sort_by_key(|column| column.slot);
        Self { wanted, layouts }
    }

    /// Reads a row: each wanted column is added to its output column.
    #[inline]
    pub(crate) fn decode(&self, row: &[u8], into: &mut [Column]) -> Result<()> {
        self.each(row, |wanted, stored| {
            let column = &mut into[wanted.output];
            match stored {
                Some(stored) => stored.push(wanted.ty, column),
                None => {
                    column.push(&wanted.missing);
                    Ok(())
                }
            }
        })
    }

    /// Reads a row into single values.
    pub(crate) fn values(&self, row: &[u8], into: &mut [Value]) -> Result<()> {
        self.each(row, |wanted, stored| {
            into[wanted.output] = match stored {
                Some(stored) => stored.value(wanted.ty)?,
                None => wanted.missing.clone(),
            };
            Ok(())
        })
    }

    /// Shows each wanted column; `None` where the row is older than the column.
    #[inline]
    fn each<'a>(
        &self,
        row: &'a [u8],
        mut show: impl FnMut(&Wanted, Option<Stored<'a>>) -> Result<()>,
    ) -> Result<()> {
        let (version, start) = varint::get(row).ok_or_else(|| damaged("row"))?;
        let slots = usize::try_from(version)
            .ok()
            .and_then(|version| self.layouts.get(version));
        let slots = *slots.ok_or_else(|| damaged("row"))? as usize;
        let data = start + slots.div_ceil(2);
        let codes = row.get(start..data).ok_or_else(|| damaged("row"))?;
        let mut place = Place {
            row,
            codes,
            slot: 0,
            at: data,
        };
        for wanted in &self.wanted {
            if wanted.slot >= slots {
                show(wanted, None)?;
                continue;
            }
            place.skip_to(wanted.slot)?;
            show(wanted, Some(place.take()?))?;
        }
        Ok(())
    }
}

/// A position in a stored row.
struct Place<'a> {
    row: &'a [u8],
    codes: &'a [u8],
    slot: usize,
    at: usize,
}

impl<'a> Place<'a> {
    #[inline]
    fn code(&self) -> u8 {
        self.codes[self.slot / 2] >> (4 * (self.slot % 2)) & 15
    }

    #[inline]
    fn skip_to(&mut self, slot: usize) -> Result<()> {
        while self.slot < slot {
            if self.slot.is_multiple_of(2) && self.slot + 1 < slot {
                let pair = PAIRS[usize::from(self.codes[self.slot / 2])];
                if pair != UNEVEN {
                    self.at += usize::from(pair);
                    self.slot += 2;
                    continue;
                }
            }
            self.at = self.extent(self.code())?.1;
            self.slot += 1;
        }
        Ok(())
    }

    /// Where the data of the next column begins and ends.
    #[inline]
    fn extent(&self, code: u8) -> Result<(usize, usize)> {
        if code != LONG {
            return Ok((self.at, self.at + usize::from(code.saturating_sub(1))));
        }
        let tail = self.row.get(self.at..).ok_or_else(|| damaged("row"))?;
        let (length, used) = varint::get(tail).ok_or_else(|| damaged("row"))?;
        let begin = self.at + used;
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| begin.checked_add(length));
        end.map(|end| (begin, end)).ok_or_else(|| damaged("row"))
    }

    #[inline]
    fn take(&mut self) -> Result<Stored<'a>> {
        let code = self.code();
        let (begin, end) = self.extent(code)?;
        let tail = self.row.get(begin..).ok_or_else(|| damaged("row"))?;
        let data = tail.get(..end - begin).ok_or_else(|| damaged("row"))?;
        self.at = end;
        self.slot += 1;
        Ok(Stored { code, data, tail })
    }
}

impl Stored<'_> {
    #[inline]
    fn push(&self, ty: DataType, column: &mut Column) -> Result<()> {
        if self.code == NULL {
            column.push_null();
            return Ok(());
        }
        match &mut column.data {
            ColumnData::Int(values) => values.push(self.int(ty)?),
            ColumnData::Bytes(values) => values.push(self.data),
            ColumnData::Float(values) => values.push(self.float()?),
            ColumnData::Bool(values) => values.push(!self.data.is_empty()),
            ColumnData::Numeric(values) => values.push(self.numeric()?),
            ColumnData::Interval(values) => values.push(self.interval()?),
        }
        if let Some(nulls) = &mut column.nulls {
            nulls.push(false);
        }
        Ok(())
    }

    fn value(&self, ty: DataType) -> Result<Value> {
        if self.code == NULL {
            return Ok(Value::Null);
        }
        Ok(match ty.physical() {
            Physical::Bool => Value::Bool(!self.data.is_empty()),
            Physical::Int => Value::Int(self.int(ty)?),
            Physical::Float => Value::Float(self.float()?),
            Physical::Numeric => Value::Numeric(self.numeric()?),
            Physical::Interval => Value::Interval(self.interval()?),
            Physical::Bytes if ty == DataType::Bytea => Value::Bytes(self.data.to_vec()),
            Physical::Bytes => {
                Value::Text(String::from_utf8(self.data.to_vec()).map_err(|_| damaged("row"))?)
            }
        })
    }

    /// The usual case reads eight bytes, of which some may belong to what follows, and shifts them out.
    #[inline]
    fn int(&self, ty: DataType) -> Result<i64> {
        let value = self.any_int()?;
        match ty.holds(value) {
            true => Ok(value),
            false => Err(damaged("row")),
        }
    }

    #[inline]
    fn any_int(&self) -> Result<i64> {
        let length = self.data.len();
        if length == 0 {
            return Ok(0);
        }
        if length > 8 {
            return Err(damaged("row"));
        }
        let word = match self.tail.first_chunk::<8>() {
            Some(bytes) => i64::from_le_bytes(*bytes),
            None => {
                let mut bytes = [0; 8];
                bytes[..length].copy_from_slice(self.data);
                i64::from_le_bytes(bytes)
            }
        };
        let unused = 64 - 8 * length;
        Ok(word << unused >> unused)
    }

    fn float(&self) -> Result<f64> {
        if let Ok(bytes) = <[u8; 8]>::try_from(self.data) {
            return Ok(f64::from_le_bytes(bytes));
        }
        match <[u8; 4]>::try_from(self.data) {
            Ok(bytes) => Ok(f64::from(f32::from_le_bytes(bytes))),
            Err(_) if self.data.is_empty() => Ok(0.0),
            Err(_) => Err(damaged("row")),
        }
    }

    fn numeric(&self) -> Result<Numeric> {
        let (scale, used) = varint::get_signed(self.data).ok_or_else(|| damaged("row"))?;
        // A scale that no number has would ask for as many digits.
        if !(0..=MAX_SCALE).contains(&scale) {
            return Err(damaged("row"));
        }
        Ok(Numeric::new(
            BigInt::from_signed_bytes_le(&self.data[used..]),
            scale,
        ))
    }

    fn interval(&self) -> Result<Interval> {
        let read = || {
            let (months, a) = varint::get_signed(self.data)?;
            let (days, b) = varint::get_signed(&self.data[a..])?;
            let (micros, _) = varint::get_signed(&self.data[a + b..])?;
            Some(Interval {
                months: months.try_into().ok()?,
                days: days.try_into().ok()?,
                micros,
            })
        };
        read().ok_or_else(|| damaged("row"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = (DataType, Value)> {
        let digits =
            (any::<i64>(), -5_i64..12).prop_map(|(digits, scale)| Numeric::new(digits.into(), scale));
        prop_oneof![
            any::<bool>().prop_map(|v| (DataType::Bool, Value::Bool(v))),
            (any::<i64>(), 0_u32..64).prop_map(|(v, by)| (DataType::Int8, Value::Int(v >> by))),
            any::<f32>().prop_map(|v| (DataType::Float4, Value::Float(f64::from(v)))),
            (-1e3..1e3).prop_map(|v| (DataType::Float8, Value::Float(v))),
            ".{0,40}".prop_map(|v| (DataType::Text, Value::Text(v))),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(|v| (DataType::Bytea, Value::Bytes(v))),
            digits.prop_map(|v| (DataType::Numeric(None), Value::Numeric(v))),
            (any::<i32>(), any::<i32>(), any::<i64>()).prop_map(|(months, days, micros)| {
                (
                    DataType::Interval,
                    Value::Interval(Interval { months, days, micros }),
                )
            }),
            Just((DataType::Int4, Value::Null)),
        ]
    }

    fn encode(values: &[(DataType, Value)], slots: Vec<Option<usize>>) -> Vec<u8> {
        let columns: Vec<_> = values
            .iter()
            .map(|(ty, value)| Arc::new(Column::repeat(*ty, value, 1)))
            .collect();
        let mut row = Vec::new();
        RowEncoder::new(3, slots).put(&mut row, &columns, 0);
        row
    }

    fn layouts(columns: usize) -> Arc<[u32]> {
        Arc::from([0, 0, 0, u32::try_from(columns).unwrap()])
    }

    fn wanted(slot: usize, ty: DataType, output: usize) -> Wanted {
        Wanted {
            slot,
            ty,
            missing: Value::Null,
            output,
        }
    }

    proptest! {
        #[test]
        fn any_columns_of_a_row_come_back(
            values in prop::collection::vec(any_value(), 0..20),
            chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let row = encode(&values, (0..values.len()).map(Some).collect());
            let chosen: std::collections::BTreeSet<_> = match values.len() {
                0 => Default::default(),
                columns => chosen.iter().map(|index| index.index(columns)).collect(),
            };
            let wanted = chosen.iter().enumerate().map(|(output, &slot)| wanted(slot, values[slot].0, output));
            let decoder = RowDecoder::new(wanted.collect(), layouts(values.len()));
            let mut columns: Vec<_> = chosen.iter().map(|&slot| Column::empty(values[slot].0)).collect();
            let mut single = vec![Value::Null; chosen.len()];
            decoder.decode(&row, &mut columns).unwrap();
            decoder.values(&row, &mut single).unwrap();
            for ((&slot, column), single) in chosen.iter().zip(&columns).zip(&single) {
                let (ty, value) = &values[slot];
                let same = |other: &Value| match (other, value) {
                    (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
                    (a, b) => a == b,
                };
                prop_assert!(same(&column.value(0, *ty)) && same(single), "{:?} {:?} {:?}", column, single, value);
            }
        }

        #[test]
        fn damaged_rows_are_errors_never_panics(junk in prop::collection::vec(any::<u8>(), 0..60)) {
            let types = [DataType::Int8, DataType::Text, DataType::Numeric(None), DataType::Interval, DataType::Float8];
            let all = types.iter().enumerate().map(|(slot, ty)| wanted(slot, *ty, slot));
            let decoder = RowDecoder::new(all.collect(), Arc::from([0, 2, 5]));
            let mut columns: Vec<_> = types.iter().map(|ty| Column::empty(*ty)).collect();
            let _ = decoder.decode(&junk, &mut columns);
        }
    }

    #[test]
    fn a_column_added_later_has_its_missing_value_in_old_rows() {
        let row = encode(&[(DataType::Int4, Value::Int(7))], vec![Some(0)]);
        let added = Wanted {
            slot: 1,
            ty: DataType::Text,
            missing: Value::Text("new".into()),
            output: 0,
        };
        let mut columns = vec![Column::empty(DataType::Text)];
        RowDecoder::new(vec![added], Arc::from([0, 0, 0, 1, 2]))
            .decode(&row, &mut columns)
            .unwrap();
        assert_eq!(columns[0].value(0, DataType::Text), Value::Text("new".into()));
    }

    #[test]
    fn a_dropped_column_takes_half_a_byte() {
        let values = [(DataType::Int4, Value::Int(7)), (DataType::Int4, Value::Int(8))];
        let row = encode(&values, vec![Some(0), None, None, Some(1)]);
        assert_eq!(row, [3, 0x02, 0x20, 7, 8]);
    }
}
