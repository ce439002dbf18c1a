//! [`TableStore`]: a table's rows as keys and values, and [`ScanDecoder`] for the way back.

use super::key::KeyColumn;
use super::ordered::{self, Reader};
use super::row::{RowDecoder, RowEncoder, Wanted};
use crate::catalog::Table;
use crate::error::{Result, SqlError, state};
use crate::value::Value;
use crate::vector::Column;
use std::sync::Arc;

/// What is derived from a table's description to write its rows.
#[derive(Clone, Debug)]
pub(crate) struct TableStore {
    /// The table.
    pub(crate) table: Arc<Table>,
    /// The columns of its key. Empty: rows are numbered.
    pub(crate) key: Vec<KeyColumn>,
    encoder: RowEncoder,
}

impl TableStore {
    /// For `table`.
    pub(crate) fn new(table: &Arc<Table>) -> Self {
        let key = primary_columns(table);
        let slots = table.layouts.last().copied().unwrap_or(0) as usize;
        let mut positions = vec![None; slots];
        for (position, column) in table.columns.iter().enumerate() {
            if !in_key_alone(table, position) {
                positions[column.id as usize] = Some(position);
            }
        }
        Self {
            table: table.clone(),
            key,
            encoder: RowEncoder::new(table.version, positions),
        }
    }

    /// Whether rows are numbered instead of having a primary key.
    pub(crate) fn numbered(&self) -> bool {
        self.key.is_empty()
    }

    /// Writes the primary key of row `row` of `columns`.
    pub(crate) fn put_key(&self, out: &mut Vec<u8>, columns: &[Arc<Column>], row: usize) {
        for (key, &position) in self.key.iter().zip(&self.table.primary_key) {
            key.put(out, &columns[position], row);
        }
    }

    /// Writes what is stored under the key.
    pub(crate) fn put_row(&self, out: &mut Vec<u8>, columns: &[Arc<Column>], row: usize) {
        self.encoder.put(out, columns, row);
    }
}

/// The key of the row of that number, in a table without a primary key.
pub(crate) fn put_row_number(out: &mut Vec<u8>, number: i64) {
    ordered::put_int(out, number);
}

/// The number in such a key.
pub(crate) fn row_number(key: &[u8]) -> Result<i64> {
    Reader::new(key).int()
}

/// The columns of the table's key.
pub(crate) fn primary_columns(table: &Table) -> Vec<KeyColumn> {
    let types = table
        .primary_key
        .iter()
        .map(|&position| table.columns[position].ty);
    types.map(KeyColumn::primary).collect()
}

/// Refuses a key that the engine cannot store.
pub(crate) fn check_key_length(key: &[u8], limit: usize, index: &str) -> Result<()> {
    if key.len() <= limit {
        return Ok(());
    }
    let message = format!(
        "index row size {} exceeds maximum {limit} for index \"{index}\"",
        key.len()
    );
    Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message)
        .hint("Values this long cannot be indexed; consider an index on something shorter."))
}

/// Whether the column at `position` is stored in the key and nowhere else.
pub(crate) fn in_key_alone(table: &Table, position: usize) -> bool {
    table.primary_key.contains(&position) && KeyColumn::lossless(table.columns[position].ty)
}

/// One column of a key that is read: what it is and where it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyStep {
    pub(crate) key: KeyColumn,
    pub(crate) output: Option<usize>,
}

/// Reads the wanted columns of a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyDecoder {
    steps: Vec<KeyStep>,
}

impl KeyDecoder {
    /// For keys whose columns are `steps`. With `whole`, the position after the last column is of interest.
    pub(crate) fn new(mut steps: Vec<KeyStep>, whole: bool) -> Self {
        if !whole {
            let used = steps
                .iter()
                .rposition(|step| step.output.is_some())
                .map_or(0, |last| last + 1);
            steps.truncate(used);
        }
        Self { steps }
    }

    /// Whether nothing is read.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Adds each wanted column to its output column. `scratch` is room to work in.
    #[inline]
    pub(crate) fn decode(
        &self,
        reader: &mut Reader<'_>,
        into: &mut [Column],
        scratch: &mut Vec<u8>,
    ) -> Result<()> {
        for step in &self.steps {
            match step.output {
                Some(output) => step.key.take(reader, &mut into[output], scratch)?,
                None => step.key.skip(reader, scratch)?,
            }
        }
        Ok(())
    }

    /// Reads the wanted columns into single values.
    fn values(&self, reader: &mut Reader<'_>, into: &mut [Value]) -> Result<()> {
        let mut scratch = Vec::new();
        for step in &self.steps {
            match step.output {
                Some(output) => into[output] = step.key.take_value(reader)?,
                None => step.key.skip(reader, &mut scratch)?,
            }
        }
        Ok(())
    }
}

/// Reads the wanted columns of a table's rows.
#[derive(Clone, Debug)]
pub(crate) struct ScanDecoder {
    key: KeyDecoder,
    row: Option<RowDecoder>,
    scratch: Vec<u8>,
}

impl ScanDecoder {
    /// For `table`; the column at `wanted[n].0` becomes output column `wanted[n].1`. No column twice.
    pub(crate) fn new(table: &Table, wanted: &[(usize, usize)]) -> Self {
        let output = |position| {
            wanted
                .iter()
                .find(|(column, _)| *column == position)
                .map(|&(_, output)| output)
        };
        let steps = table.primary_key.iter().map(|&position| KeyStep {
            key: KeyColumn::primary(table.columns[position].ty),
            output: output(position).filter(|_| in_key_alone(table, position)),
        });
        let stored = wanted
            .iter()
            .filter(|(position, _)| !in_key_alone(table, *position));
        let stored: Vec<_> = stored
            .map(|&(position, output)| wanted_column(table, position, output))
            .collect();
        Self {
            key: KeyDecoder::new(steps.collect(), false),
            row: (!stored.is_empty()).then(|| RowDecoder::new(stored, table.layouts.clone())),
            scratch: Vec::new(),
        }
    }

    /// Adds a row to the output columns.
    #[inline]
    pub(crate) fn decode(&mut self, key: &[u8], row: &[u8], into: &mut [Column]) -> Result<()> {
        if !self.key.is_empty() {
            self.key.decode(&mut Reader::new(key), into, &mut self.scratch)?;
        }
        match &self.row {
            Some(decoder) => decoder.decode(row, into),
            None => Ok(()),
        }
    }

    /// Reads a row into single values.
    pub(crate) fn values(&self, key: &[u8], row: &[u8], into: &mut [Value]) -> Result<()> {
        if !self.key.is_empty() {
            self.key.values(&mut Reader::new(key), into)?;
        }
        match &self.row {
            Some(decoder) => decoder.values(row, into),
            None => Ok(()),
        }
    }
}

fn wanted_column(table: &Table, position: usize, output: usize) -> Wanted {
    let column = &table.columns[position];
    Wanted {
        slot: column.id as usize,
        ty: column.ty,
        missing: column.missing.clone(),
        output,
    }
}
