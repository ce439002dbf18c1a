//! [`PointPlan`]: one row by its whole primary key, without operators.
//!
//! The most frequent statement of many programs. Everything that can be known beforehand is worked out when the plan is cached; running it is
//! writing a key, one lookup in the tree, and reading the wanted columns from the row.

use crate::error::Result;
use crate::expr::Expr;
use crate::plan::physical::{Node, Physical, QueryPlan, Source};
use crate::storage::{KeyColumn, ScanDecoder, primary_columns};
use crate::value::Value;
use godb_mvcc::{EngineTransaction, TreeId};

/// How to find the row and read it.
#[derive(Clone, Debug)]
pub(super) struct PointPlan {
    tree: TreeId,
    key: Vec<(KeyColumn, KeyValue)>,
    decoder: ScanDecoder,
    /// Which decoded column each output is.
    outputs: Vec<usize>,
    decoded: usize,
}

#[derive(Clone, Debug)]
enum KeyValue {
    Parameter(usize),
    Literal(Value),
}

impl PointPlan {
    /// Where the plan is nothing but that.
    pub(super) fn of(query: &QueryPlan) -> Option<Self> {
        if !query.subplans.is_empty() || query.locks.is_some() {
            return None;
        }
        let (source, outputs) = shape(&query.root)?;
        let plain = source.index.is_none()
            && source.filter.is_none()
            && source.as_of.is_none()
            && !source.with_key
            && source.range.from.is_none()
            && source.range.to.is_none()
            && source.range.any_of.is_empty();
        let columns = primary_columns(&source.table);
        if !plain || columns.is_empty() || source.range.equal.len() != columns.len() {
            return None;
        }
        let values = source
            .range
            .equal
            .iter()
            .map(key_value)
            .collect::<Option<Vec<_>>>()?;
        let mut positions = source.columns.clone();
        positions.sort_unstable();
        positions.dedup();
        if positions.len() != source.columns.len() {
            return None;
        }
        let wanted: Vec<_> = source
            .columns
            .iter()
            .enumerate()
            .map(|(output, &at)| (at, output))
            .collect();
        Some(Self {
            tree: source.table.tree,
            key: columns.into_iter().zip(values).collect(),
            decoder: ScanDecoder::new(&source.table, &wanted),
            outputs,
            decoded: source.columns.len(),
        })
    }

    /// Looks the row up. `parameters` are of the statement's types.
    pub(super) fn run(&self, tx: &dyn EngineTransaction, parameters: &[Value]) -> Result<Option<Vec<Value>>> {
        let mut key = Vec::with_capacity(16);
        for (column, value) in &self.key {
            let value = match value {
                KeyValue::Parameter(at) => &parameters[*at],
                KeyValue::Literal(value) => value,
            };
            if value.is_null() {
                return Ok(None);
            }
            column.put_value(&mut key, value);
        }
        let mut values = vec![Value::Null; self.decoded];
        let mut outcome = Ok(());
        let found = tx.get(self.tree, &key, &mut |row| {
            outcome = self.decoder.values(&key, row, &mut values);
        })?;
        outcome?;
        if !found {
            return Ok(None);
        }
        let in_order =
            self.outputs.len() == self.decoded && self.outputs.iter().enumerate().all(|(a, &b)| a == b);
        Ok(Some(if in_order {
            values
        } else {
            self.outputs.iter().map(|&at| values[at].clone()).collect()
        }))
    }
}

/// A scan, or a projection that only rearranges its columns.
fn shape(node: &Node) -> Option<(&Source, Vec<usize>)> {
    match &node.op {
        Physical::Scan(source) => Some((source, (0..source.columns.len()).collect())),
        Physical::Project { input, exprs } => {
            let Physical::Scan(source) = &input.op else {
                return None;
            };
            let column = |expr: &Expr| match expr {
                Expr::Column(at, _) => Some(*at as usize),
                _ => None,
            };
            Some((source, exprs.iter().map(column).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn key_value(expr: &Expr) -> Option<KeyValue> {
    match expr {
        Expr::Parameter(at, _) => Some(KeyValue::Parameter(*at as usize)),
        Expr::Literal(value, _) => Some(KeyValue::Literal(value.clone())),
        _ => None,
    }
}
