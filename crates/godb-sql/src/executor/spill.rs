//! Batches in temporary files: where operators put what exceeds their memory.
//!
//! A file has no name (it is unlinked as soon as it is made), so nothing is left behind whatever happens to the process. Nothing in it is
//! ever read by another process or after a crash, hence no checksums and no versions.

use super::columns;
use crate::error::{Result, SqlError, state};
use crate::storage::{damaged, varint};
use crate::value::{Interval, Numeric};
use crate::vector::{Batch, BytesColumn, Column, ColumnData};
use bigdecimal::num_bigint::BigInt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::sync::Arc;

fn trouble(error: &io::Error) -> SqlError {
    let state = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => state::DISK_FULL,
        _ => state::IO_ERROR,
    };
    SqlError::new(state, format!("cannot use a temporary file: {error}"))
}

/// Batches that are being written to a file.
pub(crate) struct SpillWriter {
    file: BufWriter<File>,
    scratch: Vec<u8>,
    batches: usize,
}

/// Batches that are read back, from the first to the last.
pub(crate) struct SpillReader {
    file: BufReader<File>,
    scratch: Vec<u8>,
    batches: usize,
    read: usize,
}

impl SpillWriter {
    /// A new, empty file.
    pub(crate) fn new() -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| trouble(&error))?;
        Ok(Self {
            file: BufWriter::with_capacity(64 << 10, file),
            scratch: Vec::new(),
            batches: 0,
        })
    }

    /// Adds a batch.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<()> {
        self.scratch.clear();
        varint::put(&mut self.scratch, batch.rows as u64);
        varint::put(&mut self.scratch, batch.columns.len() as u64);
        for column in &batch.columns {
            put_column(&mut self.scratch, column);
        }
        let length = (self.scratch.len() as u64).to_le_bytes();
        let written = self
            .file
            .write_all(&length)
            .and_then(|()| self.file.write_all(&self.scratch));
        written.map_err(|error| trouble(&error))?;
        self.batches += 1;
        Ok(())
    }

    /// Ends writing.
    pub(crate) fn finish(self) -> Result<SpillReader> {
        let file = self.file.into_inner().map_err(|error| trouble(error.error()))?;
        let file = BufReader::with_capacity(64 << 10, file);
        let mut reader = SpillReader {
            file,
            scratch: Vec::new(),
            batches: self.batches,
            read: 0,
        };
        reader.rewind()?;
        Ok(reader)
    }
}

impl SpillReader {
    /// The next batch.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>> {
        if self.read == self.batches {
            return Ok(None);
        }
        self.read += 1;
        let mut length = [0; 8];
        self.file
            .read_exact(&mut length)
            .map_err(|error| trouble(&error))?;
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| broken())?;
        self.scratch.resize(length, 0);
        self.file
            .read_exact(&mut self.scratch)
            .map_err(|error| trouble(&error))?;
        let mut bytes = Bytes(&self.scratch);
        let rows = bytes.count()?;
        let columns = bytes.count()?;
        let columns = (0..columns)
            .map(|_| bytes.column(rows).map(Arc::new))
            .collect::<Result<_>>()?;
        Ok(Some(Batch { columns, rows }))
    }

    /// Back to the first batch.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        self.read = 0;
        self.file.rewind().map_err(|error| trouble(&error))
    }
}

fn broken() -> SqlError {
    damaged("temporary file")
}

fn put_column(out: &mut Vec<u8>, column: &Column) {
    out.push(u8::from(column.nulls.is_some()));
    if let Some(nulls) = &column.nulls {
        out.extend(nulls.iter().map(|&null| u8::from(null)));
    }
    match &column.data {
        ColumnData::Bool(values) => {
            out.push(0);
            out.extend(values.iter().map(|&value| u8::from(value)));
        }
        ColumnData::Int(values) => {
            out.push(1);
            values
                .iter()
                .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        }
        ColumnData::Float(values) => {
            out.push(2);
            values
                .iter()
                .for_each(|value| out.extend_from_slice(&value.to_bits().to_le_bytes()));
        }
        ColumnData::Bytes(values) => {
            out.push(3);
            for bytes in values.iter() {
                varint::put(out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
        }
        ColumnData::Interval(values) => {
            out.push(4);
            for value in values {
                varint::put_signed(out, i64::from(value.months));
                varint::put_signed(out, i64::from(value.days));
                varint::put_signed(out, value.micros);
            }
        }
        ColumnData::Numeric(values) => {
            out.push(5);
            for value in values {
                let (digits, scale) = value.as_bigint_and_exponent();
                let digits = digits.to_signed_bytes_le();
                varint::put_signed(out, scale);
                varint::put(out, digits.len() as u64);
                out.extend_from_slice(&digits);
            }
        }
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(broken)?;
        self.0 = rest;
        Ok(taken)
    }

    fn count(&mut self) -> Result<usize> {
        let (number, used) = varint::get(self.0).ok_or_else(broken)?;
        self.0 = &self.0[used..];
        usize::try_from(number).map_err(|_| broken())
    }

    fn signed(&mut self) -> Result<i64> {
        let (number, used) = varint::get_signed(self.0).ok_or_else(broken)?;
        self.0 = &self.0[used..];
        Ok(number)
    }

    fn words(&mut self, rows: usize) -> Result<impl Iterator<Item = u64> + use<'a>> {
        let (words, _) = self.take(rows * 8)?.as_chunks::<8>();
        Ok(words.iter().map(|word| u64::from_le_bytes(*word)))
    }

    fn interval(&mut self) -> Result<Interval> {
        let (months, days, micros) = (self.signed()?, self.signed()?, self.signed()?);
        let part = |part: i64| i32::try_from(part).map_err(|_| broken());
        Ok(Interval {
            months: part(months)?,
            days: part(days)?,
            micros,
        })
    }

    fn numeric(&mut self) -> Result<Numeric> {
        let scale = self.signed()?;
        let length = self.count()?;
        Ok(Numeric::new(
            BigInt::from_signed_bytes_le(self.take(length)?),
            scale,
        ))
    }

    fn column(&mut self, rows: usize) -> Result<Column> {
        let nulls = match self.take(1)?[0] {
            0 => None,
            _ => Some(self.take(rows)?.iter().map(|&null| null != 0).collect()),
        };
        let data = match self.take(1)?[0] {
            0 => ColumnData::Bool(self.take(rows)?.iter().map(|&value| value != 0).collect()),
            1 => ColumnData::Int(self.words(rows)?.map(u64::cast_signed).collect()),
            2 => ColumnData::Float(self.words(rows)?.map(f64::from_bits).collect()),
            3 => {
                let mut bytes = BytesColumn::with_capacity(rows, self.0.len().min(rows * 64));
                for _ in 0..rows {
                    let length = self.count()?;
                    bytes.push(self.take(length)?);
                }
                ColumnData::Bytes(bytes)
            }
            4 => ColumnData::Interval((0..rows).map(|_| self.interval()).collect::<Result<_>>()?),
            5 => ColumnData::Numeric((0..rows).map(|_| self.numeric()).collect::<Result<_>>()?),
            _ => return Err(broken()),
        };
        Ok(Column { data, nulls })
    }
}

/// Batches kept in order, in memory as far as the budget goes and in a file beyond.
pub(crate) struct Spool {
    memory: Vec<Batch>,
    bytes: usize,
    budget: usize,
    writer: Option<SpillWriter>,
    rows: usize,
}

impl Spool {
    /// Empty, for `budget` bytes of memory.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            memory: Vec::new(),
            bytes: 0,
            budget,
            writer: None,
            rows: 0,
        }
    }

    /// Adds a batch.
    pub(crate) fn push(&mut self, batch: Batch) -> Result<()> {
        self.rows += batch.rows;
        if self.writer.is_none() {
            self.bytes += columns::batch_bytes(&batch);
            if self.bytes <= self.budget {
                self.memory.push(batch);
                return Ok(());
            }
            self.writer = Some(SpillWriter::new()?);
        }
        match &mut self.writer {
            Some(writer) => writer.write(&batch),
            None => Ok(()),
        }
    }

    /// How many rows it holds.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Ends writing.
    pub(crate) fn finish(self) -> Result<SpoolReader> {
        let file = self.writer.map(SpillWriter::finish).transpose()?;
        Ok(SpoolReader {
            memory: self.memory,
            at: 0,
            file,
        })
    }
}

/// Reads a [`Spool`], as often as wanted.
pub(crate) struct SpoolReader {
    memory: Vec<Batch>,
    at: usize,
    file: Option<SpillReader>,
}

impl SpoolReader {
    /// The next batch.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>> {
        if let Some(batch) = self.memory.get(self.at) {
            self.at += 1;
            return Ok(Some(batch.clone()));
        }
        self.file.as_mut().map_or(Ok(None), SpillReader::next)
    }

    /// Back to the first batch.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        self.at = 0;
        self.file.as_mut().map_or(Ok(()), SpillReader::rewind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::DataType;
    use crate::value::Value;

    fn batch(n: i64) -> Batch {
        let columns = [
            (DataType::Int8, Value::Int(n)),
            (DataType::Text, Value::Text(format!("row {n}"))),
            (DataType::Numeric(None), Value::Numeric("-1.50".parse().unwrap())),
            (
                DataType::Interval,
                Value::Interval(Interval {
                    months: 1,
                    days: -2,
                    micros: 3,
                }),
            ),
            (DataType::Float8, Value::Float(0.5)),
            (DataType::Bool, Value::Null),
        ];
        let columns = columns
            .iter()
            .map(|(ty, value)| Arc::new(Column::repeat(*ty, value, 3)));
        Batch {
            columns: columns.collect(),
            rows: 3,
        }
    }

    #[test]
    fn batches_come_back_in_order_from_memory_and_from_the_file() {
        let mut spool = Spool::new(1500);
        (0..20).for_each(|n| spool.push(batch(n)).unwrap());
        assert!(spool.writer.is_some() && !spool.memory.is_empty());
        let mut reader = spool.finish().unwrap();
        for _ in 0..2 {
            for n in 0..20 {
                let got = reader.next().unwrap().unwrap();
                assert_eq!((got.rows, &got.columns), (3, &batch(n).columns));
            }
            assert!(reader.next().unwrap().is_none());
            reader.rewind().unwrap();
        }
    }
}
