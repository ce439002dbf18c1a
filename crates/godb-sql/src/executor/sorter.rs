//! [`Sorter`]: puts rows into an order, in memory or through sorted runs in temporary files.
//!
//! The values ordered by are written as one string of bytes a row that compares as the order demands, directions and places of NULLs
//! included. Sorting then compares bytes, most of the time only the first eight, which lie beside the row number in
//! the array that is sorted.

use super::columns::{self, Rows};
use super::run::Run;
use super::spill::{SpillReader, SpillWriter};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::storage::KeyColumn;
use crate::types::DataType;
use crate::vector::{BATCH_ROWS, Batch, Column, ColumnData};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Writes sort keys.
#[derive(Debug)]
pub(crate) struct OrderCodec {
    keys: Vec<(KeyColumn, bool)>,
}

impl OrderCodec {
    /// For an order by `keys`.
    pub(crate) fn new(keys: &[SortKey]) -> Self {
        let column = |key: &SortKey| {
            let value = KeyColumn {
                ty: key.expr.data_type(),
                descending: key.descending,
                nullable: false,
            };
            (value, key.nulls_first)
        };
        Self {
            keys: keys.iter().map(column).collect(),
        }
    }

    /// Writes the key of row `row`; `values` are the values ordered by.
    pub(crate) fn put(&self, out: &mut Vec<u8>, values: &[Arc<Column>], row: usize) {
        for ((key, nulls_first), column) in self.keys.iter().zip(values) {
            if column.is_null(row) {
                out.push(if *nulls_first { 0 } else { 2 });
            } else {
                out.push(1);
                key.put(out, column, row);
            }
        }
    }
}

/// Rows on their way into an order.
pub(crate) struct Sorter {
    keys: Vec<SortKey>,
    codec: OrderCodec,
    types: Vec<DataType>,
    /// Only this many first rows are wanted.
    wanted: Option<usize>,
    held: Held,
    runs: Vec<SpillReader>,
}

/// The rows in memory and their keys.
struct Held {
    rows: Rows,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Held {
    fn new(types: &[DataType]) -> Self {
        Self {
            rows: Rows::new(types),
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn key(&self, row: u32) -> &[u8] {
        let row = row as usize;
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }

    fn memory(&self) -> usize {
        self.rows.bytes() + self.bytes.len() + self.ends.len() * 24
    }

    /// The rows' numbers in order; equal ones as they came.
    fn order(&self) -> Vec<u32> {
        let mut order: Vec<(u64, u32)> = (0..columns::row_number(self.ends.len()))
            .map(|row| (prefix(self.key(row)), row))
            .collect();
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0)
                .then_with(|| self.key(a.1).cmp(self.key(b.1)))
                .then(a.1.cmp(&b.1))
        });
        order.into_iter().map(|(_, row)| row).collect()
    }
}

fn prefix(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = key.len().min(8);
    first[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(first)
}

impl Sorter {
    /// For rows of these types. With `wanted`, only that many first rows come out.
    pub(crate) fn new(keys: Vec<SortKey>, types: Vec<DataType>, wanted: Option<usize>) -> Self {
        let codec = OrderCodec::new(&keys);
        let held = Held::new(&types);
        Self {
            keys,
            codec,
            types,
            wanted,
            held,
            runs: Vec::new(),
        }
    }

    /// Takes rows in.
    pub(crate) fn push(&mut self, run: &Run<'_>, batch: &Batch) -> Result<()> {
        let values = self
            .keys
            .iter()
            .map(|key| run.evaluate(&key.expr, batch))
            .collect::<Result<Vec<_>>>()?;
        let held = &mut self.held;
        for row in 0..batch.rows {
            self.codec.put(&mut held.bytes, &values, row);
            held.ends.push(held.bytes.len());
        }
        held.rows.append(batch)?;
        if self
            .wanted
            .is_some_and(|wanted| held.ends.len() > wanted.saturating_mul(2) + 4 * BATCH_ROWS)
        {
            self.keep_wanted()?;
        }
        if self.held.memory() > run.statement.work_mem && self.held.rows.rows > 1 {
            self.spill()?;
        }
        Ok(())
    }

    /// Throws away the rows that cannot be among the wanted ones.
    fn keep_wanted(&mut self) -> Result<()> {
        let Some(wanted) = self.wanted else { return Ok(()) };
        let mut order = self.held.order();
        order.truncate(wanted);
        order.sort_unstable();
        let mut kept = Held::new(&self.types);
        for &row in &order {
            kept.bytes.extend_from_slice(self.held.key(row));
            kept.ends.push(kept.bytes.len());
        }
        kept.rows.append(&self.held.rows.take(&order))?;
        self.held = kept;
        Ok(())
    }

    /// Writes the rows in memory out as a sorted run. The last column of its batches is the key.
    fn spill(&mut self) -> Result<()> {
        let mut writer = SpillWriter::new()?;
        for rows in self.held.order().chunks(BATCH_ROWS) {
            let mut batch = self.held.rows.take(rows);
            let mut keys = Column::empty(DataType::Bytea);
            if let ColumnData::Bytes(bytes) = &mut keys.data {
                rows.iter().for_each(|&row| bytes.push(self.held.key(row)));
            }
            batch.columns.push(Arc::new(keys));
            writer.write(&batch)?;
        }
        self.runs.push(writer.finish()?);
        self.held = Held::new(&self.types);
        Ok(())
    }

    /// Ends the input.
    pub(crate) fn finish(mut self) -> Result<Sorted> {
        if self.runs.is_empty() {
            let mut order = self.held.order();
            order.truncate(self.wanted.unwrap_or(usize::MAX));
            return Ok(Sorted::Memory {
                rows: self.held.rows,
                order,
                at: 0,
            });
        }
        if self.held.rows.rows > 0 {
            self.spill()?;
        }
        let left = self.wanted.unwrap_or(usize::MAX);
        let runs = self.runs.into_iter().map(|reader| MergeRun {
            reader,
            batch: Batch::default(),
            at: 0,
        });
        let mut merge = Merge {
            runs: runs.collect(),
            heap: BinaryHeap::new(),
            left,
            types: self.types,
        };
        for run in 0..merge.runs.len() {
            merge.advance(run)?;
        }
        Ok(Sorted::Merged(merge))
    }
}

/// Rows in order.
pub(crate) enum Sorted {
    /// All in memory.
    Memory {
        /// The rows.
        rows: Rows,
        /// Their order.
        order: Vec<u32>,
        /// How many have been given out.
        at: usize,
    },
    /// Merged from sorted runs.
    Merged(Merge),
}

impl Sorted {
    /// The next rows.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>> {
        match self {
            Self::Memory { rows, order, at } => {
                let rest = &order[*at..];
                let now = &rest[..rest.len().min(BATCH_ROWS)];
                *at += now.len();
                Ok((!now.is_empty()).then(|| rows.take(now)))
            }
            Self::Merged(merge) => merge.next(),
        }
    }
}

/// Merges sorted runs.
pub(crate) struct Merge {
    runs: Vec<MergeRun>,
    /// The next key of each run that has one.
    heap: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    left: usize,
    types: Vec<DataType>,
}

struct MergeRun {
    reader: SpillReader,
    batch: Batch,
    at: usize,
}

impl Merge {
    /// Puts the run's row at its position into the heap, reading on where needed.
    fn advance(&mut self, at: usize) -> Result<()> {
        let run = &mut self.runs[at];
        if run.at == run.batch.rows {
            let Some(batch) = run.reader.next()? else {
                return Ok(());
            };
            (run.batch, run.at) = (batch, 0);
        }
        if let Some(ColumnData::Bytes(keys)) = run.batch.columns.last().map(|column| &column.data) {
            self.heap.push(Reverse((keys.get(run.at).to_vec(), at)));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Batch>> {
        let mut rows = Rows::new(&self.types);
        while rows.rows < BATCH_ROWS.min(self.left) {
            let Some(Reverse((_, at))) = self.heap.pop() else {
                break;
            };
            let run = &mut self.runs[at];
            for (to, from) in rows.columns.iter_mut().zip(&run.batch.columns) {
                columns::append_row(to, from, run.at);
            }
            rows.rows += 1;
            run.at += 1;
            self.advance(at)?;
        }
        self.left -= rows.rows;
        Ok((rows.rows > 0).then(|| rows.into_batch()))
    }
}
