//! [`Aggregate`]: one row for each group, by hashing.
//!
//! Each row's group is numbered by a [`KeyTable`]; accumulators work on whole batches of (group number, values). When groups
//! outgrow the memory budget no new ones are begun: rows of known groups are still taken in, the others go to [`Partitions`], and each of
//! those is aggregated afterwards in the same way (the hybrid hash of Shapiro, 1986).

use super::Operator;
use super::aggregate_call::CallState;
use super::columns::{self, Rows};
use super::hash::KeyTable;
use super::partition::Partitions;
use super::run::Run;
use super::simple::slice;
use super::spill::SpillReader;
use crate::error::Result;
use crate::expr::Expr;
use crate::plan::logical::AggregateCall;
use crate::types::DataType;
use crate::vector::{BATCH_ROWS, Batch, Column};
use std::sync::Arc;

/// One row a group.
pub(super) struct Aggregate {
    input: Box<dyn Operator>,
    groups: Vec<Expr>,
    calls: Vec<AggregateCall>,
    /// Rows of groups that had no room, and how often they have been divided.
    waiting: Vec<(SpillReader, u32)>,
    ready: Option<(Batch, usize)>,
    opened: bool,
}

/// Groups and what was accumulated for them.
struct Grouping {
    table: KeyTable,
    keys: Rows,
    states: Vec<CallState>,
    numbers: Vec<u32>,
    count: usize,
}

/// Where rows that are aggregated come from.
enum From<'a> {
    Operator(&'a mut dyn Operator),
    File(SpillReader),
}

impl From<'_> {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        match self {
            Self::Operator(operator) => operator.next(run),
            Self::File(file) => {
                run.statement.check()?;
                file.next()
            }
        }
    }
}

impl Aggregate {
    pub(super) fn new(input: Box<dyn Operator>, groups: Vec<Expr>, calls: Vec<AggregateCall>) -> Self {
        Self {
            input,
            groups,
            calls,
            waiting: Vec::new(),
            ready: None,
            opened: false,
        }
    }
}

/// Aggregates all rows of `from`; those without room are returned as partitions.
fn aggregate(
    run: &Run<'_>,
    groups: &[Expr],
    calls: &[AggregateCall],
    mut from: From<'_>,
    depth: u32,
) -> Result<(Batch, Option<Partitions>)> {
    let mut grouping = Grouping::new(run, groups, calls);
    let mut overflow: Option<Partitions> = None;
    while let Some(batch) = from.next(run)? {
        let keys = groups
            .iter()
            .map(|expr| run.evaluate(expr, &batch))
            .collect::<Result<Vec<_>>>()?;
        let Some(partitions) = &mut overflow else {
            grouping.take(run, calls, &keys, &batch)?;
            if !groups.is_empty() && grouping.memory() > run.statement.work_mem && grouping.count > 1 {
                overflow = Some(Partitions::new(depth)?);
            }
            continue;
        };
        let (known, new): (Vec<usize>, Vec<usize>) =
            (0..batch.rows).partition(|&row| grouping.table.find(&keys, row).is_some());
        partitions.push(&mut grouping.table, &keys, &batch, new.into_iter())?;
        let known: Vec<u32> = known.into_iter().map(columns::row_number).collect();
        let keys: Vec<_> = keys.iter().map(|key| Arc::new(key.take(&known))).collect();
        grouping.take(run, calls, &keys, &batch.take(&known))?;
    }
    Ok((grouping.finish(run)?, overflow))
}

impl Grouping {
    fn new(run: &Run<'_>, groups: &[Expr], calls: &[AggregateCall]) -> Self {
        let types: Vec<_> = groups.iter().map(Expr::data_type).collect();
        Self {
            table: KeyTable::new(&types, run.statement.hash_seed),
            keys: Rows::new(&types),
            states: calls
                .iter()
                .map(|call| CallState::new(call, run.statement.hash_seed))
                .collect(),
            numbers: Vec::new(),
            count: usize::from(groups.is_empty()),
        }
    }

    fn take(
        &mut self,
        run: &Run<'_>,
        calls: &[AggregateCall],
        keys: &[Arc<Column>],
        batch: &Batch,
    ) -> Result<()> {
        self.number(keys, batch.rows)?;
        for (state, call) in self.states.iter_mut().zip(calls) {
            state.update(run, call, &self.numbers, self.count, batch)?;
        }
        Ok(())
    }

    /// Numbers the group of each row, and keeps the values of those seen for the first time.
    fn number(&mut self, keys: &[Arc<Column>], rows: usize) -> Result<()> {
        self.numbers.clear();
        if keys.is_empty() {
            self.numbers.resize(rows, 0);
            return Ok(());
        }
        let mut first_rows = Vec::new();
        for row in 0..rows {
            let group = self.table.insert(keys, row);
            if group as usize == self.count {
                self.count += 1;
                first_rows.push(columns::row_number(row));
            }
            self.numbers.push(group);
        }
        if first_rows.is_empty() {
            return Ok(());
        }
        let firsts = keys.iter().map(|key| Arc::new(key.take(&first_rows))).collect();
        self.keys.append(&Batch {
            columns: firsts,
            rows: first_rows.len(),
        })
    }

    fn memory(&self) -> usize {
        let states: usize = self.states.iter().map(CallState::memory).sum();
        self.table.bytes() + self.keys.bytes() + states
    }

    fn finish(self, run: &Run<'_>) -> Result<Batch> {
        let mut columns = self.keys.into_batch().columns;
        for state in self.states {
            columns.push(Arc::new(state.finish(run, self.count)?));
        }
        Ok(Batch {
            columns,
            rows: self.count,
        })
    }
}

impl Operator for Aggregate {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        loop {
            if let Some((batch, at)) = &mut self.ready {
                if *at < batch.rows {
                    let end = batch.rows.min(*at + BATCH_ROWS);
                    let part = slice(batch.clone(), *at, end);
                    *at = end;
                    return Ok(Some(part));
                }
                self.ready = None;
            }
            let (from, depth) = if !self.opened {
                self.opened = true;
                (From::Operator(&mut *self.input), 0)
            } else if let Some((file, depth)) = self.waiting.pop() {
                (From::File(file), depth)
            } else {
                return Ok(None);
            };
            let (batch, overflow) = aggregate(run, &self.groups, &self.calls, from, depth)?;
            self.ready = Some((batch, 0));
            if let Some(overflow) = overflow {
                let (files, depth) = overflow.finish()?;
                self.waiting.extend(files.into_iter().map(|file| (file, depth)));
            }
        }
    }
}

/// Each different row once, by the same means: groups without aggregates.
pub(super) fn distinct(input: Box<dyn Operator>, types: &[DataType]) -> Aggregate {
    let column = |(at, ty): (usize, &DataType)| Expr::Column(columns::row_number(at), *ty);
    let groups = types.iter().enumerate().map(column).collect();
    Aggregate::new(input, groups, Vec::new())
}
