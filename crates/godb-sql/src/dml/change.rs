//! Runs a change, and collects what it returns.

use super::numbers::RowNumbers;
use super::writer::TableWriter;
use super::{insert, update};
use crate::error::Result;
use crate::executor::{Run, Spool, SpoolReader, Statement};
use crate::expr::Expr;
use crate::plan::physical::{Change, Node};
use crate::vector::Batch;
use godb_mvcc::EngineTransaction;
use std::sync::Arc;

/// What a change needs beside its plan.
pub(crate) struct Changing<'a> {
    /// The transaction.
    pub(crate) tx: &'a mut dyn EngineTransaction,
    /// The statement.
    pub(crate) statement: &'a Statement,
    /// Numbers for rows.
    pub(crate) numbers: &'a Arc<RowNumbers>,
    /// The engine's longest key.
    pub(crate) max_key: usize,
    /// What RETURNING computes over the changed rows' columns.
    pub(crate) returning: &'a [Expr],
    /// The rows returned so far.
    pub(crate) returned: Spool,
    /// Rows changed so far.
    pub(crate) count: u64,
}

/// What a change did.
pub(crate) struct Changed {
    /// Rows inserted, updated or deleted.
    pub(crate) count: u64,
    /// What RETURNING gave.
    pub(crate) returned: SpoolReader,
}

impl Changing<'_> {
    /// For evaluating.
    pub(crate) fn run(&self) -> Run<'_> {
        Run::new(&*self.tx, self.statement)
    }

    /// A writer for a table.
    pub(crate) fn writer(&self, table: &Arc<crate::catalog::Table>) -> TableWriter {
        TableWriter::new(table, self.numbers, self.max_key)
    }

    /// Counts changed rows and computes RETURNING over them.
    pub(crate) fn changed(&mut self, rows: &Batch) -> Result<()> {
        self.count += rows.rows as u64;
        if self.returning.is_empty() || rows.rows == 0 {
            return Ok(());
        }
        let run = Run::new(&*self.tx, self.statement);
        let columns = self
            .returning
            .iter()
            .map(|expr| run.evaluate(expr, rows))
            .collect::<Result<_>>()?;
        self.returned.push(Batch {
            columns,
            rows: rows.rows,
        })
    }
}

/// Runs a change.
pub(crate) fn execute(
    change: &Change,
    returning: &[Expr],
    tx: &mut dyn EngineTransaction,
    statement: &Statement,
    numbers: &Arc<RowNumbers>,
    max_key: usize,
) -> Result<Changed> {
    let returned = Spool::new(statement.work_mem);
    let mut changing = Changing {
        tx,
        statement,
        numbers,
        max_key,
        returning,
        returned,
        count: 0,
    };
    match change {
        Change::Insert {
            table,
            source,
            on_conflict,
        } => {
            insert::insert(&mut changing, table, source, on_conflict)?;
        }
        Change::Update { table, set, source } => update::update(&mut changing, table, set, source)?,
        Change::Delete { table, source } => update::delete(&mut changing, table, source)?,
    }
    Ok(Changed {
        count: changing.count,
        returned: changing.returned.finish()?,
    })
}

/// The rows of a plan: as it produces them, or collected before the first is shown.
pub(super) enum Input {
    /// As they come.
    Streaming(Box<dyn crate::executor::Operator>),
    /// All of them, collected.
    Collected(SpoolReader),
}

impl Input {
    /// Starts a plan; with `collect` it is run to its end at once.
    pub(super) fn new(changing: &Changing<'_>, source: &Node, collect: bool) -> Result<Self> {
        let mut operator = crate::executor::build(source, changing.statement);
        if !collect {
            return Ok(Self::Streaming(operator));
        }
        let mut spool = Spool::new(changing.statement.work_mem);
        while let Some(batch) = operator.next(&changing.run())? {
            spool.push(batch)?;
        }
        Ok(Self::Collected(spool.finish()?))
    }

    /// The next rows.
    pub(super) fn next(&mut self, changing: &Changing<'_>) -> Result<Option<Batch>> {
        match self {
            Self::Streaming(operator) => operator.next(&changing.run()),
            Self::Collected(rows) => {
                changing.statement.check()?;
                rows.next()
            }
        }
    }

    /// Back to the first row, where they were collected.
    pub(super) fn rewind(&mut self) -> Result<()> {
        match self {
            Self::Streaming(_) => Ok(()),
            Self::Collected(rows) => rows.rewind(),
        }
    }
}
