//! [`Rows`] and [`StatementResult`]: what a statement gives.

use crate::error::{Result, SqlState, state};
use crate::executor::{Operator, Run, Spool, SpoolReader, Statement};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Batch;
use godb_mvcc::EngineTransaction;
use std::sync::Arc;

/// Bytes of rows taken from a cursor that are kept in memory; more go to a temporary file.
const SPLIT_MEMORY: usize = 16 << 20;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
}

/// The rows of a statement, computed while they are read.
///
/// Rows of a query outside a transaction hold its snapshot until they are read or dropped. Rows of a statement inside a
/// transaction were computed before, and are kept in memory or, if they are many, in a temporary file.
pub struct Rows {
    columns: Arc<[ResultColumn]>,
    source: Source,
    batch: Batch,
    at: usize,
}

enum Source {
    Running(Box<Running>),
    Stored(SpoolReader),
    One(Option<Vec<Value>>),
    None,
}

/// A query that is run while it is read, in a transaction of its own.
pub(super) struct Running {
    pub(super) tx: Box<dyn EngineTransaction>,
    pub(super) statement: Statement,
    pub(super) operator: Box<dyn Operator>,
}

impl Running {
    fn next(&mut self) -> Result<Option<Batch>> {
        self.statement.check()?;
        self.operator.next(&Run::new(&*self.tx, &self.statement))
    }
}

impl Rows {
    /// No rows and no columns.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Arc::from([]), Source::None)
    }

    fn new(columns: Arc<[ResultColumn]>, source: Source) -> Self {
        Self {
            columns,
            source,
            batch: Batch::default(),
            at: 0,
        }
    }

    pub(super) fn running(columns: Arc<[ResultColumn]>, running: Running) -> Self {
        Self::new(columns, Source::Running(Box::new(running)))
    }

    pub(super) fn stored(columns: Arc<[ResultColumn]>, rows: SpoolReader) -> Self {
        Self::new(columns, Source::Stored(rows))
    }

    pub(super) fn one(columns: Arc<[ResultColumn]>, row: Option<Vec<Value>>) -> Self {
        Self::new(columns, Source::One(row))
    }

    /// A column of text, as EXPLAIN and SHOW give.
    pub(super) fn text(names: &[&str], lines: Vec<Vec<String>>) -> Result<Self> {
        let columns = names.iter().map(|name| ResultColumn {
            name: (*name).to_owned(),
            ty: DataType::Text,
        });
        let mut data: Vec<_> = names
            .iter()
            .map(|_| crate::vector::Column::empty(DataType::Text))
            .collect();
        let rows = lines.len();
        for line in lines {
            for (column, text) in data.iter_mut().zip(line) {
                column.push(&Value::Text(text));
            }
        }
        let mut spool = Spool::new(usize::MAX);
        spool.push(Batch {
            columns: data.into_iter().map(Arc::new).collect(),
            rows,
        })?;
        Ok(Self::stored(columns.collect(), spool.finish()?))
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &Arc<[ResultColumn]> {
        &self.columns
    }

    /// The next rows, column by column. After an error there are none.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        if self.at < self.batch.rows {
            let rest: Vec<u32> = (self.at..self.batch.rows)
                .filter_map(|row| u32::try_from(row).ok())
                .collect();
            self.at = self.batch.rows;
            return Ok(Some(self.batch.take(&rest)));
        }
        loop {
            let next = match &mut self.source {
                Source::Running(running) => running.next(),
                Source::Stored(rows) => rows.next(),
                Source::One(row) => Ok(row.take().map(|row| one_row(&self.columns, &row))),
                Source::None => Ok(None),
            };
            if !matches!(next, Ok(Some(_))) {
                self.source = Source::None;
            }
            match next {
                Ok(Some(batch)) if batch.rows == 0 => {}
                other => return other,
            }
        }
    }

    /// Takes the next rows away, at most `count`; what is left stays. Returns how many they are.
    pub(super) fn split_off(&mut self, count: u64) -> Result<(Self, u64)> {
        let mut spool = Spool::new(SPLIT_MEMORY);
        let mut taken = 0;
        while taken < count
            && let Some(batch) = self.next_batch()?
        {
            let wanted = usize::try_from(count - taken)
                .unwrap_or(usize::MAX)
                .min(batch.rows);
            let part: Vec<u32> = (0..wanted).map(crate::convert::row_u32).collect();
            spool.push(batch.take(&part))?;
            taken += wanted as u64;
            (self.batch, self.at) = (batch, wanted);
        }
        Ok((Self::stored(self.columns.clone(), spool.finish()?), taken))
    }

    /// The next row into `into`, whose old content is replaced; `false` at the end.
    pub fn next_into(&mut self, into: &mut Vec<Value>) -> Result<bool> {
        if let Source::One(row) = &mut self.source {
            let row = row.take();
            return Ok(row.map(|row| *into = row).is_some());
        }
        if self.at == self.batch.rows {
            match self.next_batch()? {
                None => return Ok(false),
                Some(batch) => (self.batch, self.at) = (batch, 0),
            }
        }
        into.clear();
        let columns = self.batch.columns.iter().zip(&*self.columns);
        into.extend(columns.map(|(values, column)| values.value(self.at, column.ty)));
        self.at += 1;
        Ok(true)
    }
}

fn one_row(columns: &[ResultColumn], row: &[Value]) -> Batch {
    let columns = row.iter().zip(columns);
    let columns = columns.map(|(value, column)| Arc::new(crate::vector::Column::repeat(column.ty, value, 1)));
    Batch {
        columns: columns.collect(),
        rows: 1,
    }
}

impl Iterator for Rows {
    type Item = Result<Vec<Value>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = Vec::new();
        match self.next_into(&mut row) {
            Ok(true) => Some(Ok(row)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// How important a [`Notice`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Something was probably not meant so.
    Warning,
}

/// What a client should be told besides a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How important it is.
    pub severity: Severity,
    /// A code, as for errors.
    pub state: SqlState,
    /// What it says.
    pub message: String,
}

impl Notice {
    pub(crate) fn note(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Notice,
            state: state::SUCCESSFUL_COMPLETION,
            message: message.into(),
        }
    }

    pub(crate) fn warning(state: SqlState, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            state,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a statement gave.
#[derive(Debug)]
pub struct StatementResult {
    /// PostgreSQL's command tag: `INSERT 0 3`, `CREATE TABLE`. Of a query just `SELECT`: how many rows it has is known when they
    /// are read.
    pub tag: String,
    /// How many rows it changed.
    pub affected: u64,
    /// Its rows; none for a statement that returns none.
    pub rows: Rows,
    /// What a client should be told besides: "relation \"t\" already exists, skipping".
    pub notice: Option<Notice>,
}

impl StatementResult {
    pub(super) fn done(tag: impl Into<String>) -> Self {
        Self {
            tag: tag.into(),
            affected: 0,
            rows: Rows::none(),
            notice: None,
        }
    }

    pub(super) fn rows(tag: impl Into<String>, rows: Rows) -> Self {
        Self {
            tag: tag.into(),
            affected: 0,
            rows,
            notice: None,
        }
    }

    /// Reads and forgets the rows; returns how many rows were changed or, for a query, read.
    pub fn finish(mut self) -> Result<u64> {
        let mut read = 0;
        while let Some(batch) = self.rows.next_batch()? {
            read += batch.rows as u64;
        }
        Ok(if self.affected > 0 {
            self.affected
        } else if self.tag == "SELECT" {
            read
        } else {
            0
        })
    }
}
