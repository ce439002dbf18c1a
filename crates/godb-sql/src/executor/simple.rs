//! Operators of a few lines: filter, project, limit, values, series, concatenation.

use super::Operator;
use super::run::Run;
use crate::error::{Result, SqlError, SqlState, state};
use crate::expr::Expr;
use crate::types::DataType;
use crate::value::{Interval, Numeric, Value};
use crate::vector::{BATCH_ROWS, Batch, Column};
use std::sync::Arc;

type Input = Box<dyn Operator>;

/// The rows of `batch` for which `predicate` is true.
pub(super) fn keep(run: &Run<'_>, predicate: &Expr, batch: Batch) -> Result<Batch> {
    let kept = run.select(predicate, &batch)?;
    if kept.len() == batch.rows {
        Ok(batch)
    } else {
        Ok(batch.take(&kept))
    }
}

/// Rows where a predicate is true.
pub(super) struct Filter {
    pub(super) input: Input,
    pub(super) predicate: Expr,
}

impl Operator for Filter {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        while let Some(batch) = self.input.next(run)? {
            let kept = keep(run, &self.predicate, batch)?;
            if kept.rows > 0 {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }
}

/// New columns for each row.
pub(super) struct Project {
    pub(super) input: Input,
    pub(super) exprs: Vec<Expr>,
}

impl Operator for Project {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let Some(batch) = self.input.next(run)? else {
            return Ok(None);
        };
        let columns = self
            .exprs
            .iter()
            .map(|expr| run.evaluate(expr, &batch))
            .collect::<Result<_>>()?;
        Ok(Some(Batch {
            columns,
            rows: batch.rows,
        }))
    }
}

/// Some rows from somewhere on.
pub(super) struct Limit {
    pub(super) input: Input,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
    /// How many rows to skip yet, and how many to give out; known from the first call on.
    pub(super) left: Option<(usize, usize)>,
}

/// How many rows a LIMIT or OFFSET names; `None` for NULL.
pub(super) fn count(
    run: &Run<'_>,
    expr: Option<&Expr>,
    clause: &str,
    state: SqlState,
) -> Result<Option<usize>> {
    match expr.map(|expr| run.value(expr)).transpose()? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Int(count)) => match usize::try_from(count) {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(SqlError::new(state, format!("{clause} must not be negative"))),
        },
        Some(other) => Err(SqlError::new(
            state,
            format!("{clause} must be a number, not {other:?}"),
        )),
    }
}

/// Both, with what they mean when absent.
pub(crate) fn limit_and_offset(
    run: &Run<'_>,
    limit: Option<&Expr>,
    offset: Option<&Expr>,
) -> Result<(usize, usize)> {
    let limit = count(run, limit, "LIMIT", state::INVALID_ROW_COUNT_IN_LIMIT)?;
    let offset = count(run, offset, "OFFSET", state::INVALID_ROW_COUNT_IN_OFFSET)?;
    Ok((limit.unwrap_or(usize::MAX), offset.unwrap_or(0)))
}

impl Operator for Limit {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let (mut skip, mut left) = match self.left {
            Some(known) => known,
            None => {
                let (limit, offset) = limit_and_offset(run, self.limit.as_ref(), self.offset.as_ref())?;
                (offset, limit)
            }
        };
        loop {
            self.left = Some((skip, left));
            if left == 0 {
                return Ok(None);
            }
            let Some(batch) = self.input.next(run)? else {
                return Ok(None);
            };
            if batch.rows <= skip {
                skip -= batch.rows;
                continue;
            }
            let end = batch.rows.min(skip.saturating_add(left));
            let kept = end - skip;
            left -= kept;
            let batch = slice(batch, skip, end);
            self.left = Some((0, left));
            return Ok(Some(batch));
        }
    }
}

/// The rows from `start` to before `end`.
pub(super) fn slice(batch: Batch, start: usize, end: usize) -> Batch {
    if start == 0 && end == batch.rows {
        return batch;
    }
    let positions: Vec<u32> = (start..end).map(super::columns::row_number).collect();
    batch.take(&positions)
}

/// Rows written out.
pub(super) struct Values {
    pub(super) rows: Vec<Vec<Expr>>,
    pub(super) types: Vec<DataType>,
    pub(super) at: usize,
}

impl Operator for Values {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let rows = &self.rows[self.at..];
        let rows = &rows[..rows.len().min(BATCH_ROWS)];
        if rows.is_empty() {
            return Ok(None);
        }
        run.statement.check()?;
        let mut columns: Vec<_> = self.types.iter().map(|ty| Column::empty(*ty)).collect();
        for row in rows {
            for (column, expr) in columns.iter_mut().zip(row) {
                column.push(&run.value(expr)?);
            }
        }
        self.at += rows.len();
        Ok(Some(Batch {
            columns: columns.into_iter().map(Arc::new).collect(),
            rows: rows.len(),
        }))
    }
}

/// All rows of the first input, then all of the second.
pub(super) struct Concat {
    pub(super) first: Option<Input>,
    pub(super) second: Input,
}

impl Operator for Concat {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        if let Some(first) = &mut self.first {
            if let Some(batch) = first.next(run)? {
                return Ok(Some(batch));
            }
            self.first = None;
        }
        self.second.next(run)
    }
}

/// `generate_series`.
pub(super) struct Series {
    pub(super) args: Vec<Expr>,
    pub(super) ty: DataType,
    pub(super) state: Option<SeriesState>,
}

/// Where a series is.
pub(super) struct SeriesState {
    next: Option<Value>,
    stop: Value,
    step: Value,
}

impl Series {
    fn open(&self, run: &Run<'_>) -> Result<SeriesState> {
        let values = self
            .args
            .iter()
            .map(|arg| run.value(arg))
            .collect::<Result<Vec<_>>>()?;
        let mut values = values.into_iter();
        let start = values.next().unwrap_or(Value::Null);
        let stop = values.next().unwrap_or(Value::Null);
        let step = values.next().unwrap_or(match self.ty {
            DataType::Numeric(_) => Value::Numeric(1.into()),
            _ => Value::Int(1),
        });
        if is_zero(&step) {
            let message = "step size cannot equal zero";
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        }
        let some = !(start.is_null() || stop.is_null() || step.is_null());
        Ok(SeriesState {
            next: some.then_some(start),
            stop,
            step,
        })
    }
}

fn is_zero(step: &Value) -> bool {
    match step {
        Value::Int(step) => *step == 0,
        Value::Numeric(step) => *step == Numeric::default(),
        Value::Interval(step) => *step == Interval::default(),
        _ => false,
    }
}

impl SeriesState {
    /// The next value of the series.
    fn advance(&mut self) -> Result<Option<Value>> {
        let Some(now) = self.next.take() else {
            return Ok(None);
        };
        let past = match (&now, &self.stop, &self.step) {
            (Value::Int(now), Value::Int(stop), Value::Int(step)) => {
                if *step > 0 {
                    now > stop
                } else {
                    now < stop
                }
            }
            (Value::Numeric(now), Value::Numeric(stop), Value::Numeric(step)) => {
                if *step > Numeric::default() {
                    now > stop
                } else {
                    now < stop
                }
            }
            (Value::Int(now), Value::Int(stop), Value::Interval(step)) => {
                let forward = (i64::from(step.months), i64::from(step.days), step.micros) > (0, 0, 0);
                if forward { now > stop } else { now < stop }
            }
            _ => true,
        };
        if past {
            return Ok(None);
        }
        self.next = match (&now, &self.step) {
            (Value::Int(now), Value::Int(step)) => now.checked_add(*step).map(Value::Int),
            (Value::Numeric(now), Value::Numeric(step)) => Some(Value::Numeric(now + step)),
            (Value::Int(now), Value::Interval(step)) => Some(Value::Int(step.after(*now)?)),
            _ => None,
        };
        Ok(Some(now))
    }
}

impl Operator for Series {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        run.statement.check()?;
        let state = match &mut self.state {
            Some(state) => state,
            None => {
                let opened = self.open(run)?;
                self.state.insert(opened)
            }
        };
        let mut column = Column::empty(self.ty);
        while column.len() < BATCH_ROWS
            && let Some(value) = state.advance()?
        {
            column.push(&value);
        }
        let rows = column.len();
        Ok((rows > 0).then(|| Batch {
            columns: vec![Arc::new(column)],
            rows,
        }))
    }
}
