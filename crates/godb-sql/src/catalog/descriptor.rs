//! A table's description as bytes: what the catalog stores.

use super::{Check, Index, Table, TableColumn};
use crate::error::Result;
use crate::storage::{damaged, varint};
use crate::types::{DataType, Element, Physical};
use crate::value::{Interval, Value};
use godb_mvcc::TreeId;
use std::sync::Arc;

/// The first byte of a description: the form it is written in.
const FORM: u8 = 1;

/// Writes a table's description. The estimate of its rows is kept elsewhere, since it changes without the table being altered.
pub(super) fn encode(table: &Table) -> Vec<u8> {
    let mut out = Writer(vec![FORM]);
    out.number(table.id);
    out.text(&table.name);
    out.number(table.tree.raw());
    out.number(table.version);
    out.list(&table.layouts, |out, &count| out.number(count));
    out.list(&table.columns, Writer::column);
    out.list(&table.primary_key, |out, &at| out.count(at));
    out.text(&table.primary_key_name);
    out.list(&table.indexes, |out, index| out.index(index));
    out.list(&table.checks, |out, check| {
        out.text(&check.name);
        out.text(&check.text);
    });
    out.0
}

/// Reads a table's description. The expressions of its checks are not bound yet.
pub(super) fn decode(bytes: &[u8]) -> Result<Table> {
    let mut read = Reader(bytes);
    if read.byte()? != FORM {
        return Err(damaged("table description"));
    }
    let id = read.number()?;
    let name = read.text()?;
    let tree = TreeId::from_raw(read.number()?);
    let version = read.number()?;
    let layouts = read.list(Reader::number)?;
    let columns = read.list(Reader::column)?;
    let primary_key = read.list(Reader::count)?;
    let primary_key_name = read.text()?;
    let indexes = read.list(|read| read.index().map(Arc::new))?;
    let checks = read.list(|read| {
        Ok(Check {
            name: read.text()?,
            text: read.text()?,
            expr: None,
        })
    })?;
    let table = Table {
        id,
        name,
        tree,
        version,
        layouts: layouts.into(),
        columns,
        primary_key,
        primary_key_name,
        indexes,
        checks,
        row_estimate: 0,
    };
    if consistent(&table) {
        Ok(table)
    } else {
        Err(damaged("table description"))
    }
}

/// A value as bytes, different for any two values that differ in anything that shows.
pub(crate) fn value_bytes(value: &Value) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.value(value);
    out.0
}

/// The most columns that a table can begin with, with room to spare. Each later version adds one at most.
const MOST_COLUMNS: u32 = 1 << 16;

/// Whether every position and number refers to something that is there.
fn consistent(table: &Table) -> bool {
    let columns = table.columns.len();
    let slots = table.layouts.last().copied().unwrap_or(0);
    let indexed = table
        .indexes
        .iter()
        .flat_map(|index| index.columns.iter().map(|&(at, _)| at));
    grows_by_single_columns(&table.layouts)
        && Some(table.layouts.len()) == (table.version as usize).checked_add(1)
        && table
            .columns
            .iter()
            .all(|column| column.id < slots && plausible(column))
        && distinct(table.columns.iter().map(|column| column.id))
        && distinct(table.primary_key.iter().copied())
        && table
            .primary_key
            .iter()
            .copied()
            .chain(indexed)
            .all(|at| at < columns)
}

/// Whether the numbers of columns are those of a table that was altered now and then: they decide how much memory a row needs.
fn grows_by_single_columns(layouts: &[u32]) -> bool {
    let steps = layouts
        .windows(2)
        .all(|pair| (0..=1).contains(&(i64::from(pair[1]) - i64::from(pair[0]))));
    steps && layouts.first().is_some_and(|first| *first <= MOST_COLUMNS)
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut items: Vec<T> = items.collect();
    let count = items.len();
    items.sort_unstable();
    items.dedup();
    items.len() == count
}

/// Whether a column's type is one that can be declared, and the value that older rows have is of that type.
fn plausible(column: &TableColumn) -> bool {
    let fits = match (column.ty.physical(), &column.missing) {
        (_, Value::Null) | (Physical::Bool, Value::Bool(_)) | (Physical::Float, Value::Float(_)) => true,
        (Physical::Int, Value::Int(value)) => column.ty.holds(*value),
        (Physical::Numeric, Value::Numeric(_)) | (Physical::Interval, Value::Interval(_)) => true,
        (Physical::Bytes, Value::Bytes(_)) => column.ty == DataType::Bytea,
        (Physical::Bytes, Value::Text(_)) => column.ty != DataType::Bytea,
        _ => false,
    };
    fits && column.ty.can_be_declared()
}

pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn number(&mut self, number: u32) {
        varint::put(&mut self.0, u64::from(number));
    }

    fn count(&mut self, count: usize) {
        varint::put(&mut self.0, count as u64);
    }

    pub(super) fn signed(&mut self, number: i64) {
        varint::put_signed(&mut self.0, number);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn column(&mut self, column: &TableColumn) {
        self.number(column.id);
        self.text(&column.name);
        self.data_type(column.ty);
        self.flag(column.not_null);
        self.flag(column.default.is_some());
        if let Some(default) = &column.default {
            self.text(default);
        }
        self.value(&column.missing);
    }

    fn index(&mut self, index: &Index) {
        self.text(&index.name);
        self.number(index.tree.raw());
        self.list(&index.columns, |out, &(at, descending)| {
            out.count(at);
            out.flag(descending);
        });
        self.flag(index.unique);
        self.flag(index.constraint);
    }

    pub(super) fn data_type(&mut self, ty: DataType) {
        let (tag, parameters): (u8, &[i64]) = match ty {
            DataType::Unknown => (0, &[]),
            DataType::Bool => (1, &[]),
            DataType::Int2 => (2, &[]),
            DataType::Int4 => (3, &[]),
            DataType::Int8 => (4, &[]),
            DataType::Float4 => (5, &[]),
            DataType::Float8 => (6, &[]),
            DataType::Numeric(None) => (7, &[]),
            DataType::Numeric(Some((precision, scale))) => (8, &[i64::from(precision), i64::from(scale)]),
            DataType::Text => (9, &[]),
            DataType::Varchar(None) => (10, &[]),
            DataType::Varchar(Some(length)) => (11, &[i64::from(length)]),
            DataType::Char(length) => (12, &[i64::from(length)]),
            DataType::Bytea => (13, &[]),
            DataType::Date => (14, &[]),
            DataType::Timestamp => (15, &[]),
            DataType::TimestampTz => (16, &[]),
            DataType::Interval => (17, &[]),
            DataType::Oid => (18, &[]),
            DataType::Array(element) => return self.array(element),
        };
        self.0.push(tag);
        for &parameter in parameters {
            self.signed(parameter);
        }
    }

    /// An array's type, only of a view's column.
    fn array(&mut self, element: Element) {
        self.0.push(19);
        self.data_type(element.data_type());
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(0),
            Value::Bool(value) => self.0.extend([1, u8::from(*value)]),
            Value::Int(value) => {
                self.0.push(2);
                self.signed(*value);
            }
            Value::Float(value) => {
                self.0.push(3);
                self.0.extend(value.to_bits().to_le_bytes());
            }
            Value::Numeric(value) => {
                self.0.push(4);
                self.text(&value.to_string());
            }
            Value::Text(value) => {
                self.0.push(5);
                self.text(value);
            }
            Value::Bytes(value) => {
                self.0.push(6);
                self.bytes(value);
            }
            Value::Interval(value) => {
                self.0.push(7);
                self.signed(i64::from(value.months));
                self.signed(i64::from(value.days));
                self.signed(value.micros);
            }
        }
    }
}

pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Result<u8> {
        let (&first, rest) = self.0.split_first().ok_or_else(broken)?;
        self.0 = rest;
        Ok(first)
    }

    fn wide(&mut self) -> Result<u64> {
        let (number, used) = varint::get(self.0).ok_or_else(broken)?;
        self.0 = &self.0[used..];
        Ok(number)
    }

    pub(super) fn number(&mut self) -> Result<u32> {
        self.wide()?.try_into().map_err(|_| broken())
    }

    fn count(&mut self) -> Result<usize> {
        self.wide()?.try_into().map_err(|_| broken())
    }

    pub(super) fn signed(&mut self) -> Result<i64> {
        let (number, used) = varint::get_signed(self.0).ok_or_else(broken)?;
        self.0 = &self.0[used..];
        Ok(number)
    }

    fn small<T: TryFrom<i64>>(&mut self) -> Result<T> {
        self.signed()?.try_into().map_err(|_| broken())
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(broken)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| broken())
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        Ok(self.byte()? != 0)
    }

    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| read(self)).collect()
    }

    fn column(&mut self) -> Result<TableColumn> {
        Ok(TableColumn {
            id: self.number()?,
            name: self.text()?,
            ty: self.data_type()?,
            not_null: self.flag()?,
            default: if self.flag()? { Some(self.text()?) } else { None },
            missing: self.value()?,
        })
    }

    fn index(&mut self) -> Result<Index> {
        Ok(Index {
            name: self.text()?,
            tree: TreeId::from_raw(self.number()?),
            columns: self.list(|read| Ok((read.count()?, read.flag()?)))?,
            unique: self.flag()?,
            constraint: self.flag()?,
        })
    }

    pub(super) fn data_type(&mut self) -> Result<DataType> {
        Ok(match self.byte()? {
            0 => DataType::Unknown,
            1 => DataType::Bool,
            2 => DataType::Int2,
            3 => DataType::Int4,
            4 => DataType::Int8,
            5 => DataType::Float4,
            6 => DataType::Float8,
            7 => DataType::Numeric(None),
            8 => DataType::Numeric(Some((self.small()?, self.small()?))),
            9 => DataType::Text,
            10 => DataType::Varchar(None),
            11 => DataType::Varchar(Some(self.small()?)),
            12 => DataType::Char(self.small()?),
            13 => DataType::Bytea,
            14 => DataType::Date,
            15 => DataType::Timestamp,
            16 => DataType::TimestampTz,
            17 => DataType::Interval,
            18 => DataType::Oid,
            19 => DataType::Array(Element::of(self.data_type()?).ok_or_else(broken)?),
            _ => return Err(broken()),
        })
    }

    fn value(&mut self) -> Result<Value> {
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(self.flag()?),
            2 => Value::Int(self.signed()?),
            3 => {
                let (bits, rest) = self.0.split_first_chunk::<8>().ok_or_else(broken)?;
                self.0 = rest;
                Value::Float(f64::from_bits(u64::from_le_bytes(*bits)))
            }
            4 => Value::Numeric(self.text()?.parse().map_err(|_| broken())?),
            5 => Value::Text(self.text()?),
            6 => Value::Bytes(self.bytes()?.to_vec()),
            7 => Value::Interval(Interval {
                months: self.small()?,
                days: self.small()?,
                micros: self.signed()?,
            }),
            _ => return Err(broken()),
        })
    }
}

fn broken() -> crate::error::SqlError {
    damaged("table description")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Table {
        let types = [
            DataType::Numeric(Some((10, -2))),
            DataType::Varchar(Some(20)),
            DataType::Char(3),
            DataType::Float8,
            DataType::Bytea,
            DataType::Interval,
            DataType::Bool,
        ];
        let missing = [
            Value::Numeric("1.50".parse().unwrap()),
            Value::Text("ü".into()),
            Value::Null,
            Value::Float(-0.0),
            Value::Bytes(vec![0, 255]),
            Value::Interval(Interval {
                months: -1,
                days: 2,
                micros: -3,
            }),
            Value::Bool(true),
        ];
        let columns = types
            .into_iter()
            .zip(missing)
            .enumerate()
            .map(|(at, (ty, missing))| TableColumn {
                id: 0,
                name: format!("c{at}"),
                ty,
                not_null: at == 1,
                default: (at == 2).then(|| "'abc'".to_owned()),
                missing,
            });
        let mut table = Table::new(7, "t", TreeId::from_raw(9), columns.collect(), vec![1, 0]);
        table.checks.push(Check {
            name: "positive".into(),
            text: "c0 > 0".into(),
            expr: None,
        });
        table.indexes.push(Arc::new(Index {
            name: "t_i".into(),
            tree: TreeId::from_raw(10),
            columns: vec![(2, true), (0, false)],
            unique: true,
            constraint: false,
        }));
        table
    }

    #[test]
    fn a_description_comes_back() {
        let table = sample();
        let back = decode(&encode(&table)).unwrap();
        assert_eq!(format!("{back:?}"), format!("{table:?}"));
    }

    proptest! {
        #[test]
        fn a_damaged_description_is_an_error_never_a_panic(at: prop::sample::Index, byte: u8) {
            let mut bytes = encode(&sample());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(&bytes);
            let _ = decode(&bytes[..at]);
        }
    }
}
