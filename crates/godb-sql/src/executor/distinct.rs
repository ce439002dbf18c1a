//! [`DistinctOn`] and [`SetOperation`]: operators that ask whether a key was there before.

use super::Operator;
use super::columns;
use super::hash::KeyTable;
use super::run::Run;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::types::DataType;
use crate::vector::Batch;

/// Keys seen may take this many times the memory budget; then the statement is refused.
const BUDGETS: usize = 4;

fn check_memory(run: &Run<'_>, bytes: usize, what: &str) -> Result<()> {
    if bytes <= run.statement.work_mem.saturating_mul(BUDGETS) {
        return Ok(());
    }
    let message = format!("{what} exceeds the memory budget");
    Err(SqlError::new(state::OUT_OF_MEMORY, message).hint("Raise work_mem."))
}

/// The first row for each different value of some expressions, in the order in which rows come.
pub(super) struct DistinctOn {
    pub(super) input: Box<dyn Operator>,
    pub(super) on: Vec<Expr>,
    pub(super) seen: Option<KeyTable>,
}

impl Operator for DistinctOn {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let types = || self.on.iter().map(Expr::data_type).collect::<Vec<_>>();
        let seen = self
            .seen
            .get_or_insert_with(|| KeyTable::new(&types(), run.statement.hash_seed));
        while let Some(batch) = self.input.next(run)? {
            let keys = self
                .on
                .iter()
                .map(|expr| run.evaluate(expr, &batch))
                .collect::<Result<Vec<_>>>()?;
            let mut new = Vec::new();
            for row in 0..batch.rows {
                let known = seen.len();
                if seen.insert(&keys, row) as usize == known {
                    new.push(columns::row_number(row));
                }
            }
            check_memory(run, seen.bytes(), "DISTINCT ON")?;
            if !new.is_empty() {
                return Ok(Some(batch.take(&new)));
            }
        }
        Ok(None)
    }
}

/// INTERSECT and EXCEPT, with ALL or without.
pub(super) struct SetOperation {
    pub(super) left: Box<dyn Operator>,
    pub(super) right: Box<dyn Operator>,
    /// EXCEPT, else INTERSECT.
    pub(super) except: bool,
    pub(super) all: bool,
    pub(super) types: Vec<DataType>,
    /// The rows of the right side and how many of each are left; filled first.
    pub(super) table: Option<(KeyTable, Vec<u64>)>,
}

impl SetOperation {
    fn fill(&mut self, run: &Run<'_>) -> Result<(KeyTable, Vec<u64>)> {
        let mut table = KeyTable::new(&self.types, run.statement.hash_seed);
        let mut counts = Vec::new();
        while let Some(batch) = self.right.next(run)? {
            for row in 0..batch.rows {
                let id = table.insert(&batch.columns, row) as usize;
                if id == counts.len() {
                    counts.push(0_u64);
                }
                counts[id] += 1;
            }
            check_memory(run, table.bytes() + counts.len() * 8, "a set operation")?;
        }
        Ok((table, counts))
    }
}

/// Whether a row of the left side comes out, given how many equal rows the right side has left.
fn comes_out(except: bool, all: bool, left: &mut u64) -> bool {
    let matched = *left > 0;
    match (except, all) {
        (true, true) => {
            *left = left.saturating_sub(1);
            !matched
        }
        (false, true) => {
            *left = left.saturating_sub(1);
            matched
        }
        // Without ALL each row comes out once: afterwards it counts as matched, or as used up.
        (true, false) => {
            *left = 1;
            !matched
        }
        (false, false) => {
            *left = 0;
            matched
        }
    }
}

impl Operator for SetOperation {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        if self.table.is_none() {
            self.table = Some(self.fill(run)?);
        }
        let Some((table, counts)) = &mut self.table else {
            return Ok(None);
        };
        while let Some(batch) = self.left.next(run)? {
            let mut out = Vec::new();
            for row in 0..batch.rows {
                let mut none = 0;
                let left = if self.except && !self.all {
                    let id = table.insert(&batch.columns, row) as usize;
                    counts.resize(table.len(), 0);
                    &mut counts[id]
                } else {
                    match table.find(&batch.columns, row) {
                        Some(id) => &mut counts[id as usize],
                        None => &mut none,
                    }
                };
                if comes_out(self.except, self.all, left) {
                    out.push(columns::row_number(row));
                }
            }
            check_memory(run, table.bytes() + counts.len() * 8, "a set operation")?;
            if !out.is_empty() {
                return Ok(Some(batch.take(&out)));
            }
        }
        Ok(None)
    }
}
