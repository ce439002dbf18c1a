//! [`Scan`]: the rows of a table that lie in a range and pass a filter.
//!
//! With a filter, only the columns it looks at are decoded at first, and the rest only of the rows that pass. The rows' bytes
//! are copied for that, which is cheaper than decoding them; when most rows pass it is not worth it, and the scan
//! decodes everything at once.

use super::Operator;
use super::access::{Access, Arena, Walk, batch, wanted};
use super::ranges;
use super::run::Run;
use crate::error::Result;
use crate::expr::Expr;
use crate::plan::physical::Source;
use crate::storage::ScanDecoder;
use crate::types::DataType;
use crate::vector::{BATCH_ROWS, Batch, Column, ColumnData};
use godb_mvcc::EngineTransaction;
use std::sync::Arc;

/// Of so many rows in a hundred that pass the filter on, decoding in two steps does not pay.
const MANY_PASS: usize = 40;
/// After so many rows the scan decides.
const TRIED: usize = 4 * BATCH_ROWS;

/// The rows of a table.
pub(super) struct Scan {
    source: Source,
    access: Access,
    /// Which read column each output is, where a column is wanted twice.
    outputs: Option<Vec<usize>>,
    walk: Option<Walk>,
    past: Option<Box<dyn EngineTransaction>>,
    late: Option<Late>,
    /// The first batches are small, for readers that want only a few rows.
    rows: usize,
}

/// Decoding in two steps.
struct Late {
    first: ScanDecoder,
    rest: ScanDecoder,
    in_first: Vec<bool>,
    keys: Arena,
    stored: Arena,
    seen: usize,
    passed: usize,
}

impl Scan {
    /// A scan of `source`.
    pub(super) fn new(source: &Source) -> Self {
        let (wanted, outputs) = wanted(&source.columns);
        let types: Vec<_> = wanted
            .iter()
            .map(|&(position, _)| source.table.columns[position].ty)
            .collect();
        let late = Late::new(source, &wanted).filter(|_| outputs.is_none());
        Self {
            access: Access::new(source, &wanted, types, source.with_key),
            source: source.clone(),
            outputs,
            walk: None,
            past: None,
            late,
            rows: BATCH_ROWS / 16,
        }
    }

    fn open(&mut self, run: &Run<'_>) -> Result<()> {
        if let Some(moment) = self.source.as_of {
            self.past = Some(run.statement.past(moment)?);
        }
        let parts = ranges::of_scan(&self.source, run)?;
        self.walk = Some(Walk::new(self.access.tree, parts, self.source.backward));
        Ok(())
    }

    fn read(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let tx = self.past.as_deref().unwrap_or(run.tx);
        let Some(walk) = &mut self.walk else {
            return Ok(None);
        };
        let limit = self.rows;
        self.rows = (limit * 4).min(BATCH_ROWS);
        let mut columns = self.access.columns(limit);
        let rows = self.access.read(tx, walk, limit, &mut columns)?;
        if rows == 0 {
            return Ok(None);
        }
        let mut batch = batch(columns, rows);
        if let Some(outputs) = &self.outputs {
            let key = batch.columns.len() - usize::from(self.source.with_key);
            let outputs = outputs.iter().copied().chain(key..batch.columns.len());
            batch.columns = outputs.map(|output| batch.columns[output].clone()).collect();
        }
        match &self.source.filter {
            Some(filter) => super::simple::keep(run, filter, batch).map(Some),
            None => Ok(Some(batch)),
        }
    }

    fn read_late(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let tx = self.past.as_deref().unwrap_or(run.tx);
        let (Some(late), Some(walk), Some(filter)) = (&mut self.late, &mut self.walk, &self.source.filter)
        else {
            return Ok(None);
        };
        let limit = self.rows;
        self.rows = (limit * 4).min(BATCH_ROWS);
        let mut columns = self.access.columns(limit);
        let rows = late.read_first(tx, walk, limit, &mut columns)?;
        if rows == 0 {
            return Ok(None);
        }
        let types: Vec<_> = self
            .source
            .columns
            .iter()
            .map(|&at| self.source.table.columns[at].ty)
            .collect();
        late.read_rest(run, filter, columns, rows, &types).map(Some)
    }
}

impl Operator for Scan {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        if self.walk.is_none() {
            self.open(run)?;
        }
        loop {
            run.statement.check()?;
            let batch = if self.late.is_some() {
                self.read_late(run)?
            } else {
                self.read(run)?
            };
            if self.late.as_ref().is_some_and(Late::does_not_pay) {
                self.late = None;
            }
            match batch {
                Some(batch) if batch.rows == 0 => {}
                other => return Ok(other),
            }
        }
    }
}

impl Late {
    /// Where the filter looks at some of the columns of a table's own tree, but not at all.
    fn new(source: &Source, wanted: &[(usize, usize)]) -> Option<Self> {
        let filter = source
            .filter
            .as_ref()
            .filter(|_| source.index.is_none() && !source.with_key)?;
        let mut in_first = vec![false; source.columns.len()];
        mark_columns(filter, &mut in_first);
        if in_first.iter().all(|&first| first) {
            return None;
        }
        let (first, rest): (Vec<_>, Vec<_>) =
            wanted.iter().copied().partition(|&(_, output)| in_first[output]);
        Some(Self {
            first: ScanDecoder::new(&source.table, &first),
            rest: ScanDecoder::new(&source.table, &rest),
            in_first,
            keys: Arena::default(),
            stored: Arena::default(),
            seen: 0,
            passed: 0,
        })
    }

    fn read_first(
        &mut self,
        tx: &dyn EngineTransaction,
        walk: &mut Walk,
        limit: usize,
        into: &mut [Column],
    ) -> Result<usize> {
        self.keys.clear();
        self.stored.clear();
        walk.next(tx, limit, |key, row| {
            self.keys.push(key);
            self.stored.push(row);
            self.first.decode(key, row, into)
        })
    }

    fn read_rest(
        &mut self,
        run: &Run<'_>,
        filter: &Expr,
        columns: Vec<Column>,
        rows: usize,
        types: &[DataType],
    ) -> Result<Batch> {
        let first = batch(columns, rows);
        let passed = run.select(filter, &first)?;
        self.seen += rows;
        self.passed += passed.len();
        let room = |ty: &DataType| Column::new(ColumnData::with_capacity(*ty, passed.len()));
        let mut rest: Vec<Column> = types.iter().map(room).collect();
        for &row in &passed {
            self.rest.decode(
                self.keys.get(row as usize),
                self.stored.get(row as usize),
                &mut rest,
            )?;
        }
        let columns = rest.into_iter().enumerate().map(|(at, rest)| {
            Arc::new(if self.in_first[at] {
                first.columns[at].take(&passed)
            } else {
                rest
            })
        });
        Ok(Batch {
            columns: columns.collect(),
            rows: passed.len(),
        })
    }

    fn does_not_pay(&self) -> bool {
        self.seen >= TRIED && self.passed * 100 > self.seen * MANY_PASS
    }
}

/// Marks the columns that an expression looks at.
fn mark_columns(expr: &Expr, marks: &mut [bool]) {
    if let Expr::Column(at, _) = expr {
        marks[*at as usize] = true;
    }
    for child in expr.children() {
        mark_columns(child, marks);
    }
}
