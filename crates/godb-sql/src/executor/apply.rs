//! [`Apply`]: for each row of its input, the rows of a subplan that is run with values of that row (`LATERAL`).

use super::Operator;
use super::build::build;
use super::run::Run;
use crate::error::Result;
use crate::expr::Expr;
use crate::types::DataType;
use crate::value::Value;
use crate::vector::{Batch, Column};
use std::sync::Arc;

/// Runs a subplan for each row.
pub(super) struct Apply {
    pub(super) input: Box<dyn Operator>,
    /// The number of the subplan.
    pub(super) plan: usize,
    /// What is passed in, over the input's columns.
    pub(super) outer: Vec<Expr>,
    /// What must hold of a pair, over all columns.
    pub(super) on: Option<Expr>,
    /// A row without a partner comes with NULLs.
    pub(super) left: bool,
    /// The types of the subplan's columns.
    pub(super) types: Vec<DataType>,
    pub(super) current: Option<Current>,
}

/// The rows of the input that are worked on.
pub(super) struct Current {
    batch: Batch,
    /// The values passed in, for all of them.
    outer: Vec<Arc<Column>>,
    row: usize,
    run: Option<Inner>,
}

/// The subplan, as it runs for one row.
struct Inner {
    operator: Box<dyn Operator>,
    passed: Vec<Value>,
    matched: bool,
}

impl Operator for Apply {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        loop {
            run.statement.check()?;
            let Some(current) = &mut self.current else {
                let Some(batch) = self.input.next(run)? else {
                    return Ok(None);
                };
                let outer = self.outer.iter().map(|expr| run.evaluate(expr, &batch));
                self.current = Some(Current {
                    outer: outer.collect::<Result<_>>()?,
                    batch,
                    row: 0,
                    run: None,
                });
                continue;
            };
            if current.row >= current.batch.rows {
                self.current = None;
                continue;
            }
            let inner = current.run.get_or_insert_with(|| {
                let types = self.outer.iter().map(Expr::data_type);
                let columns = current.outer.iter().zip(types);
                Inner {
                    operator: build(&run.statement.subplans()[self.plan], run.statement),
                    passed: columns
                        .map(|(column, ty)| column.value(current.row, ty))
                        .collect(),
                    matched: false,
                }
            });
            let with_values = Run {
                outer: &inner.passed,
                ..*run
            };
            let Some(rows) = inner.operator.next(&with_values)? else {
                let alone = self.left && !inner.matched;
                let row = current.row;
                (current.row, current.run) = (row + 1, None);
                if alone {
                    let nulls = self
                        .types
                        .iter()
                        .map(|ty| Arc::new(Column::repeat(*ty, &Value::Null, 1)));
                    return Ok(Some(beside(&current.batch, row, nulls.collect(), 1)));
                }
                continue;
            };
            let mut pairs = beside(&current.batch, current.row, rows.columns, rows.rows);
            if let Some(on) = &self.on {
                let kept = run.select(on, &pairs)?;
                pairs = pairs.take(&kept);
            }
            if pairs.rows > 0 {
                inner.matched = true;
                return Ok(Some(pairs));
            }
        }
    }
}

/// One row of the left, as often as there are rows on the right, beside those.
fn beside(left: &Batch, row: usize, right: Vec<Arc<Column>>, rows: usize) -> Batch {
    let mut pairs = left.take(&vec![crate::convert::row_u32(row); rows]);
    pairs.columns.extend(right);
    pairs.rows = rows;
    pairs
}
