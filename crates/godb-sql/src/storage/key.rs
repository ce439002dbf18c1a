//! [`KeyColumn`]: how one column lies in a key, written from and read into columns.

use super::ordered::{self, Reader, damaged};
use crate::error::Result;
use crate::types::{DataType, Physical};
use crate::value::Value;
use crate::vector::{Column, ColumnData};

/// Before a value of a column that may be NULL. NULLs come after all values, and before them when descending.
const PRESENT: u8 = 1;
const NULL: u8 = 2;

/// One column of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    /// Its type.
    pub(crate) ty: DataType,
    /// From the largest to the smallest.
    pub(crate) descending: bool,
    /// Each value is preceded by a byte that tells whether it is NULL.
    pub(crate) nullable: bool,
}

impl KeyColumn {
    /// A column of a primary key.
    pub(crate) fn primary(ty: DataType) -> Self {
        Self {
            ty,
            descending: false,
            nullable: false,
        }
    }

    /// A column of a secondary index.
    pub(crate) fn indexed(ty: DataType, descending: bool) -> Self {
        Self {
            ty,
            descending,
            nullable: true,
        }
    }

    /// Whether a key gives back exactly the value that was put in. Otherwise equal values that look different
    /// (`1.0` and `1.00`, a day and 24 hours, both zeros) have become one, and the row keeps the value besides.
    pub(crate) fn lossless(ty: DataType) -> bool {
        match ty {
            DataType::Numeric(typmod) => typmod.is_some(),
            DataType::Float4 | DataType::Float8 | DataType::Interval | DataType::Char(_) => false,
            _ => true,
        }
    }

    /// Writes the value at `row`.
    pub(crate) fn put(self, out: &mut Vec<u8>, column: &Column, row: usize) {
        let start = out.len();
        if column.is_null(row) {
            out.push(NULL);
        } else {
            self.present(out);
            match &column.data {
                ColumnData::Bool(values) => out.push(u8::from(values[row])),
                ColumnData::Int(values) => ordered::put_int(out, values[row]),
                ColumnData::Float(values) => ordered::put_float(out, values[row]),
                ColumnData::Numeric(values) => ordered::put_numeric(out, &values[row]),
                ColumnData::Bytes(values) => ordered::put_bytes(out, self.significant(values.get(row))),
                ColumnData::Interval(values) => ordered::put_interval(out, values[row]),
            }
        }
        self.turn(&mut out[start..]);
    }

    /// Writes one value.
    pub(crate) fn put_value(self, out: &mut Vec<u8>, value: &Value) {
        let start = out.len();
        if !value.is_null() {
            self.present(out);
        }
        match value {
            Value::Null => out.push(NULL),
            Value::Bool(value) => out.push(u8::from(*value)),
            Value::Int(value) => ordered::put_int(out, *value),
            Value::Float(value) => ordered::put_float(out, *value),
            Value::Numeric(value) => ordered::put_numeric(out, value),
            Value::Text(value) => ordered::put_bytes(out, self.significant(value.as_bytes())),
            Value::Bytes(value) => ordered::put_bytes(out, value),
            Value::Interval(value) => ordered::put_interval(out, *value),
        }
        self.turn(&mut out[start..]);
    }

    /// Writes where the values begin (`false`) or the NULLs (`true`) of a nullable column, in its own order.
    pub(crate) fn put_marker(self, out: &mut Vec<u8>, null: bool) {
        let marker = if null { NULL } else { PRESENT };
        out.push(if self.descending { !marker } else { marker });
    }

    fn present(self, out: &mut Vec<u8>) {
        if self.nullable {
            out.push(PRESENT);
        }
    }

    fn turn(self, written: &mut [u8]) {
        if self.descending {
            ordered::invert(written);
        }
    }

    /// Blanks at the end of a `character(n)` do not count.
    fn significant(self, bytes: &[u8]) -> &[u8] {
        match self.ty {
            DataType::Char(_) => bytes.trim_ascii_end_blanks(),
            _ => bytes,
        }
    }

    fn is_null(self, reader: &mut Reader<'_>) -> Result<bool> {
        reader.descending(self.descending);
        if !self.nullable {
            return Ok(false);
        }
        match reader.byte()? {
            PRESENT => Ok(false),
            NULL => Ok(true),
            _ => Err(damaged("key")),
        }
    }

    /// Reads an integer that a column of this type holds.
    #[inline]
    fn int(self, reader: &mut Reader<'_>) -> Result<i64> {
        let value = reader.int()?;
        match self.ty.holds(value) {
            true => Ok(value),
            false => Err(damaged("key")),
        }
    }

    /// Reads the next value into a column. `scratch` is room to work in.
    #[inline]
    pub(crate) fn take(
        self,
        reader: &mut Reader<'_>,
        into: &mut Column,
        scratch: &mut Vec<u8>,
    ) -> Result<()> {
        if self.is_null(reader)? {
            into.push_null();
            return Ok(());
        }
        match &mut into.data {
            ColumnData::Bool(values) => values.push(reader.byte()? != 0),
            ColumnData::Int(values) => values.push(self.int(reader)?),
            ColumnData::Float(values) => values.push(reader.float()?),
            ColumnData::Numeric(values) => {
                let value = reader.numeric()?;
                values.push(match self.ty {
                    DataType::Numeric(Some((_, scale))) => value.with_scale(i64::from(scale.max(0))),
                    _ => value,
                });
            }
            ColumnData::Bytes(values) => {
                scratch.clear();
                reader.bytes(scratch)?;
                values.push(scratch);
            }
            ColumnData::Interval(_) => return Err(damaged("key")),
        }
        if let Some(nulls) = &mut into.nulls {
            nulls.push(false);
        }
        Ok(())
    }

    /// Reads the next value by itself.
    pub(crate) fn take_value(self, reader: &mut Reader<'_>) -> Result<Value> {
        if self.ty.physical() == Physical::Int && !self.nullable {
            reader.descending(self.descending);
            return self.int(reader).map(Value::Int);
        }
        let mut column = Column::empty(self.ty);
        self.take(reader, &mut column, &mut Vec::new())?;
        Ok(column.value(0, self.ty))
    }

    /// Passes over the next value.
    pub(crate) fn skip(self, reader: &mut Reader<'_>, scratch: &mut Vec<u8>) -> Result<()> {
        if self.is_null(reader)? {
            return Ok(());
        }
        match self.ty.physical() {
            Physical::Bool => reader.byte().map(drop),
            Physical::Int => reader.int().map(drop),
            Physical::Float => reader.float().map(drop),
            Physical::Numeric => reader.numeric().map(drop),
            Physical::Interval => reader.skip_interval(),
            Physical::Bytes => {
                scratch.clear();
                reader.bytes(scratch)
            }
        }
    }
}

trait Blanks {
    fn trim_ascii_end_blanks(&self) -> &[u8];
}

impl Blanks for [u8] {
    fn trim_ascii_end_blanks(&self) -> &[u8] {
        let end = self
            .iter()
            .rposition(|&byte| byte != b' ')
            .map_or(0, |last| last + 1);
        &self[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(key: KeyColumn, value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        key.put_value(&mut out, value);
        let column = Column::repeat(key.ty, value, 1);
        let mut by_column = Vec::new();
        key.put(&mut by_column, &column, 0);
        assert_eq!(out, by_column);
        out
    }

    #[test]
    fn nulls_come_last_and_first_when_descending() {
        let up = KeyColumn::indexed(DataType::Int4, false);
        let down = KeyColumn::indexed(DataType::Int4, true);
        let (null, big, small) = (Value::Null, Value::Int(i64::MAX), Value::Int(i64::MIN));
        assert!(encode(up, &small) < encode(up, &big) && encode(up, &big) < encode(up, &null));
        assert!(encode(down, &null) < encode(down, &big) && encode(down, &big) < encode(down, &small));
    }

    #[test]
    fn blanks_at_the_end_of_a_padded_string_do_not_count() {
        let key = KeyColumn::primary(DataType::Char(5));
        assert_eq!(
            encode(key, &Value::Text("ab   ".into())),
            encode(key, &Value::Text("ab".into()))
        );
    }

    #[test]
    fn a_decimal_with_a_scale_comes_back_as_it_was() {
        let key = KeyColumn::primary(DataType::Numeric(Some((10, 2))));
        let value = Value::Numeric("1.50".parse().unwrap());
        let bytes = encode(key, &value);
        let mut column = Column::empty(key.ty);
        key.take(&mut Reader::new(&bytes), &mut column, &mut Vec::new())
            .unwrap();
        let Value::Numeric(back) = column.value(0, key.ty) else {
            panic!("a number")
        };
        assert_eq!(back.to_string(), "1.50");
    }

    fn any_value() -> impl Strategy<Value = (DataType, Value)> {
        prop_oneof![
            any::<bool>().prop_map(|v| (DataType::Bool, Value::Bool(v))),
            any::<i64>().prop_map(|v| (DataType::Int8, Value::Int(v))),
            ".*".prop_map(|v| (DataType::Text, Value::Text(v))),
            any::<Vec<u8>>().prop_map(|v| (DataType::Bytea, Value::Bytes(v))),
            Just((DataType::Date, Value::Null)),
        ]
    }

    proptest! {
        #[test]
        fn keys_of_many_columns_come_back(values in prop::collection::vec((any_value(), any::<bool>()), 1..5)) {
            let mut bytes = Vec::new();
            let keys: Vec<_> = values
                .iter()
                .map(|((ty, value), descending)| {
                    let key = KeyColumn::indexed(*ty, *descending);
                    key.put_value(&mut bytes, value);
                    key
                })
                .collect();
            let mut reader = Reader::new(&bytes);
            let mut skipping = Reader::new(&bytes);
            for (key, ((ty, value), _)) in keys.iter().zip(&values) {
                let mut column = Column::empty(*ty);
                key.take(&mut reader, &mut column, &mut Vec::new()).unwrap();
                prop_assert_eq!(&column.value(0, *ty), value);
                key.skip(&mut skipping, &mut Vec::new()).unwrap();
            }
            prop_assert!(reader.rest().is_empty() && skipping.rest().is_empty());
        }
    }
}
