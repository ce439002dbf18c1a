//! [`IndexJoin`]: for each left row, the rows of a table that its values name.

use super::Operator;
use super::access::{Access, Walk, wanted};
use super::columns;
use super::pairs::{LeftBatch, Matcher};
use super::ranges::RowRanges;
use super::run::Run;
use crate::error::Result;
use crate::plan::physical::Source;
use crate::vector::{BATCH_ROWS, Batch, Column};
use godb_mvcc::EngineTransaction;
use std::sync::Arc;

/// Looks rows up by values of the left side.
pub(super) struct IndexJoin {
    left: Box<dyn Operator>,
    source: Source,
    matcher: Matcher,
    access: Access,
    past: Option<Box<dyn EngineTransaction>>,
    looking: Option<Looking>,
}

/// A left batch and how far it is looked up.
struct Looking {
    left: LeftBatch,
    ranges: RowRanges,
    row: usize,
    walk: Option<Walk>,
    key: Vec<u8>,
}

impl IndexJoin {
    pub(super) fn new(left: Box<dyn Operator>, source: &Source, matcher: Matcher) -> Self {
        let (wanted, _) = wanted(&source.columns);
        let types = wanted
            .iter()
            .map(|&(position, _)| source.table.columns[position].ty)
            .collect();
        let access = Access::new(source, &wanted, types, source.with_key);
        Self {
            left,
            source: source.clone(),
            matcher,
            access,
            past: None,
            looking: None,
        }
    }

    fn open_past(&mut self, run: &Run<'_>) -> Result<()> {
        if let Some(moment) = self.source.as_of
            && self.past.is_none()
        {
            self.past = Some(run.statement.past(moment)?);
        }
        Ok(())
    }
}

impl Looking {
    /// Looks rows up until there is a batch of pairs or the left batch is at its end. Returns the left row of each.
    fn look(
        &mut self,
        tx: &dyn EngineTransaction,
        source: &Source,
        access: &mut Access,
        into: &mut [Column],
    ) -> Result<Vec<u32>> {
        let exact = source.index.is_none() && self.ranges.exact();
        let mut lefts = Vec::new();
        while self.row < self.left.batch.rows && lefts.len() < BATCH_ROWS {
            let row = columns::row_number(self.row);
            if exact {
                if self.ranges.key(self.row, &mut self.key) && access.get(tx, &self.key, into)? {
                    lefts.push(row);
                }
                self.row += 1;
                continue;
            }
            let walk = self
                .walk
                .get_or_insert_with(|| Walk::new(access.tree, self.ranges.bytes(self.row), source.backward));
            let room = BATCH_ROWS - lefts.len();
            let found = access.read(tx, walk, room, into)?;
            lefts.resize(lefts.len() + found, row);
            if found < room {
                self.walk = None;
                self.row += 1;
            }
        }
        Ok(lefts)
    }
}

impl Operator for IndexJoin {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        self.open_past(run)?;
        loop {
            run.statement.check()?;
            let Some(looking) = &mut self.looking else {
                let Some(batch) = self.left.next(run)? else {
                    return Ok(None);
                };
                let ranges = RowRanges::new(&self.source, run, &batch)?;
                let left = LeftBatch::new(batch);
                self.looking = Some(Looking {
                    left,
                    ranges,
                    row: 0,
                    walk: None,
                    key: Vec::new(),
                });
                continue;
            };
            if looking.row == looking.left.batch.rows {
                let last = self.matcher.end_of_left(&looking.left);
                self.looking = None;
                if last.is_some() {
                    return Ok(last);
                }
                continue;
            }
            let tx = self.past.as_deref().unwrap_or(run.tx);
            let mut found = self.access.columns(BATCH_ROWS);
            let mut lefts = looking.look(tx, &self.source, &mut self.access, &mut found)?;
            let mut rights: Vec<u32> = (0..columns::row_number(lefts.len())).collect();
            if let Some(filter) = &self.source.filter {
                let columns = found.into_iter().map(Arc::new).collect();
                let batch = Batch {
                    columns,
                    rows: lefts.len(),
                };
                rights = run.select(filter, &batch)?;
                lefts = rights.iter().map(|&right| lefts[right as usize]).collect();
                found = batch.columns.into_iter().map(Arc::unwrap_or_clone).collect();
            }
            let pairs = self
                .matcher
                .pairs(run, &mut looking.left, &found, &lefts, &rights, |_| ())?;
            if pairs.is_some() {
                return Ok(pairs);
            }
        }
    }
}
