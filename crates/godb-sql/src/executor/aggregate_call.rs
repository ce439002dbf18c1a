//! [`CallState`]: one aggregate of a grouping, with its FILTER, DISTINCT and ORDER BY.

use super::columns::{self, Rows};
use super::hash::KeyTable;
use super::run::Run;
use super::sorter::OrderCodec;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::Accumulator;
use crate::plan::logical::AggregateCall;
use crate::types::DataType;
use crate::vector::{BATCH_ROWS, Batch, Column, ColumnData};
use std::sync::Arc;

/// DISTINCT and ORDER BY keep what they have seen; they may use this many times the memory budget, then the statement is refused.
const BUDGETS: usize = 4;

/// An aggregate at work.
pub(super) struct CallState {
    accumulator: Box<dyn Accumulator>,
    /// With DISTINCT: the (group, arguments) seen.
    seen: Option<KeyTable>,
    /// With ORDER BY: the rows, until all are there.
    ordered: Option<Ordered>,
}

/// Rows waiting to be put in order: their groups, keys and arguments.
struct Ordered {
    codec: OrderCodec,
    groups: Vec<u32>,
    keys: Vec<Vec<u8>>,
    args: Rows,
    key_bytes: usize,
}

impl CallState {
    pub(super) fn new(call: &AggregateCall, seed: u64) -> Self {
        let types: Vec<_> = call.args.iter().map(Expr::data_type).collect();
        let with_group: Vec<_> = std::iter::once(DataType::Int8)
            .chain(types.iter().copied())
            .collect();
        let function = &call.function;
        Self {
            accumulator: (function.aggregate.accumulator)(&function.takes, function.returns),
            seen: call.distinct.then(|| KeyTable::new(&with_group, seed)),
            ordered: (!call.order.is_empty()).then(|| Ordered {
                codec: OrderCodec::new(&call.order),
                groups: Vec::new(),
                keys: Vec::new(),
                args: Rows::new(&types),
                key_bytes: 0,
            }),
        }
    }

    /// Takes rows in; `groups[i]` is the group of row `i`.
    pub(super) fn update(
        &mut self,
        run: &Run<'_>,
        call: &AggregateCall,
        groups: &[u32],
        count: usize,
        batch: &Batch,
    ) -> Result<()> {
        let Some(filter) = &call.filter else {
            return self.update_filtered(run, call, groups, count, batch);
        };
        let kept = run.select(filter, batch)?;
        if kept.len() == batch.rows {
            return self.update_filtered(run, call, groups, count, batch);
        }
        let groups: Vec<u32> = kept.iter().map(|&row| groups[row as usize]).collect();
        self.update_filtered(run, call, &groups, count, &batch.take(&kept))
    }

    fn update_filtered(
        &mut self,
        run: &Run<'_>,
        call: &AggregateCall,
        groups: &[u32],
        count: usize,
        batch: &Batch,
    ) -> Result<()> {
        let mut args = call
            .args
            .iter()
            .map(|arg| run.evaluate(arg, batch))
            .collect::<Result<Vec<_>>>()?;
        let mut order = call
            .order
            .iter()
            .map(|key| run.evaluate(&key.expr, batch))
            .collect::<Result<Vec<_>>>()?;
        let mut firsts = Vec::new();
        let mut groups = groups;
        if let Some(seen) = &mut self.seen {
            let new = first_seen(seen, groups, &args);
            args = take(&args, &new);
            order = take(&order, &new);
            firsts.extend(new.iter().map(|&row| groups[row as usize]));
            groups = &firsts;
        }
        match &mut self.ordered {
            Some(ordered) => ordered.push(groups, &order, args)?,
            None => self.accumulator.update(groups, count, &args)?,
        }
        if (self.seen.is_some() || self.ordered.is_some())
            && self.memory() > run.statement.work_mem.saturating_mul(BUDGETS)
        {
            let message = "an aggregate with DISTINCT or ORDER BY exceeds the memory budget";
            return Err(SqlError::new(state::OUT_OF_MEMORY, message).hint("Raise work_mem."));
        }
        Ok(())
    }

    pub(super) fn memory(&self) -> usize {
        let ordered = self.ordered.as_ref();
        self.accumulator.memory()
            + self.seen.as_ref().map_or(0, KeyTable::bytes)
            + ordered.map_or(0, |o| o.args.bytes() + o.key_bytes + o.keys.len() * 28)
    }

    /// The results of the groups.
    pub(super) fn finish(mut self, run: &Run<'_>, count: usize) -> Result<Column> {
        if let Some(ordered) = self.ordered.take() {
            let order = ordered.order();
            for rows in order.chunks(BATCH_ROWS) {
                run.statement.check()?;
                let groups: Vec<u32> = rows.iter().map(|&row| ordered.groups[row as usize]).collect();
                let args = ordered.args.take(rows);
                self.accumulator.update(&groups, count, &args.columns)?;
            }
        }
        self.accumulator.finish(count)
    }
}

/// The rows whose group and arguments have not been seen before.
fn first_seen(seen: &mut KeyTable, groups: &[u32], args: &[Arc<Column>]) -> Vec<u32> {
    let group_column = ColumnData::Int(groups.iter().map(|&group| i64::from(group)).collect());
    let key: Vec<_> = std::iter::once(Arc::new(Column::new(group_column)))
        .chain(args.iter().cloned())
        .collect();
    let mut new = Vec::new();
    for row in 0..groups.len() {
        let known = seen.len();
        if seen.insert(&key, row) as usize == known {
            new.push(columns::row_number(row));
        }
    }
    new
}

fn take(columns: &[Arc<Column>], rows: &[u32]) -> Vec<Arc<Column>> {
    columns.iter().map(|column| Arc::new(column.take(rows))).collect()
}

impl Ordered {
    fn push(&mut self, groups: &[u32], order: &[Arc<Column>], args: Vec<Arc<Column>>) -> Result<()> {
        for row in 0..groups.len() {
            let mut key = Vec::new();
            self.codec.put(&mut key, order, row);
            self.key_bytes += key.len();
            self.keys.push(key);
        }
        self.groups.extend_from_slice(groups);
        self.args.append(&Batch {
            columns: args,
            rows: groups.len(),
        })
    }

    /// The rows in order, whatever their group: each group's rows then come in order, too.
    fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..columns::row_number(self.keys.len())).collect();
        order.sort_by(|a, b| self.keys[*a as usize].cmp(&self.keys[*b as usize]));
        order
    }
}
