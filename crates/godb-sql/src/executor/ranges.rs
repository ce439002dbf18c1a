//! From the values of a [`KeyRange`] to parts of a tree.

use super::run::Run;
use crate::error::Result;
use crate::plan::physical::{KeyBound, KeyRange, Source};
use crate::storage::{End, IndexStore, KeyBytes, KeyColumn, primary_columns};
use crate::value::Value;
use crate::vector::{Batch, Column};
use std::collections::VecDeque;
use std::sync::Arc;

/// The columns by which the tree that `source` reads is ordered.
pub(super) fn key_columns(source: &Source) -> Vec<KeyColumn> {
    match &source.index {
        Some(index) => IndexStore::new(&source.table, index).columns,
        None => primary_columns(&source.table),
    }
}

/// The parts of the tree that a scan reads, in the order in which it reads them.
pub(super) fn of_scan(source: &Source, run: &Run<'_>) -> Result<VecDeque<KeyBytes>> {
    let columns = key_columns(source);
    let range = &source.range;
    if !range.any_of.is_empty() {
        let values = range
            .any_of
            .iter()
            .map(|expr| run.value(expr))
            .collect::<Result<Vec<_>>>()?;
        return Ok(each_of(&columns, &values, source.backward));
    }
    let equal = range
        .equal
        .iter()
        .map(|expr| run.value(expr))
        .collect::<Result<Vec<_>>>()?;
    let end = |bound: &Option<KeyBound>| -> Result<End> {
        bound
            .as_ref()
            .map(|bound| Ok((run.value(&bound.value)?, bound.inclusive)))
            .transpose()
    };
    let bytes = KeyBytes::of(&columns, &equal, &end(&range.from)?, &end(&range.to)?);
    Ok(bytes.into_iter().collect())
}

/// The keys that begin with one of `values`, each value once, in key order.
fn each_of(columns: &[KeyColumn], values: &[Value], backward: bool) -> VecDeque<KeyBytes> {
    let mut prefixes: Vec<Vec<u8>> = values
        .iter()
        .filter(|value| !value.is_null())
        .map(|value| {
            let mut prefix = Vec::new();
            columns[0].put_value(&mut prefix, value);
            prefix
        })
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    if backward {
        prefixes.reverse();
    }
    prefixes.into_iter().map(KeyBytes::prefix).collect()
}

/// The values of a range for each row of a batch: for index joins.
pub(super) struct RowRanges {
    columns: Vec<KeyColumn>,
    equal: Vec<Arc<Column>>,
    from: Option<(Arc<Column>, bool)>,
    to: Option<(Arc<Column>, bool)>,
    any_of: Vec<Arc<Column>>,
    range: KeyRange,
}

impl RowRanges {
    /// Evaluates the range's expressions over `batch`.
    pub(super) fn new(source: &Source, run: &Run<'_>, batch: &Batch) -> Result<Self> {
        let range = &source.range;
        let all = |exprs: &[crate::expr::Expr]| exprs.iter().map(|expr| run.evaluate(expr, batch)).collect();
        let end = |bound: &Option<KeyBound>| -> Result<_> {
            bound
                .as_ref()
                .map(|bound| Ok((run.evaluate(&bound.value, batch)?, bound.inclusive)))
                .transpose()
        };
        Ok(Self {
            columns: key_columns(source),
            equal: all(&range.equal)?,
            from: end(&range.from)?,
            to: end(&range.to)?,
            any_of: Result::<Vec<_>>::from(all(&range.any_of))?,
            range: range.clone(),
        })
    }

    /// Whether the range of every row is one whole key of a table's own tree.
    pub(super) fn exact(&self) -> bool {
        !self.columns.is_empty()
            && self.columns.iter().all(|column| !column.nullable)
            && self.equal.len() == self.columns.len()
    }

    /// The whole key that row `row` names, if none of its values is NULL.
    pub(super) fn key(&self, row: usize, into: &mut Vec<u8>) -> bool {
        into.clear();
        if super::columns::any_null(&self.equal, row) {
            return false;
        }
        for (column, values) in self.columns.iter().zip(&self.equal) {
            column.put(into, values, row);
        }
        true
    }

    /// The parts of the tree that row `row` names.
    pub(super) fn bytes(&self, row: usize) -> VecDeque<KeyBytes> {
        if !self.any_of.is_empty() {
            let exprs = self.any_of.iter().zip(&self.range.any_of);
            let values: Vec<_> = exprs
                .map(|(column, expr)| column.value(row, expr.data_type()))
                .collect();
            return each_of(&self.columns, &values, false);
        }
        let equal = self.equal.iter().zip(&self.range.equal);
        let equal: Vec<_> = equal
            .map(|(column, expr)| column.value(row, expr.data_type()))
            .collect();
        let end = |column: &Option<(Arc<Column>, bool)>, bound: &Option<KeyBound>| -> End {
            let (column, inclusive) = column.as_ref()?;
            Some((column.value(row, bound.as_ref()?.value.data_type()), *inclusive))
        };
        let (from, to) = (end(&self.from, &self.range.from), end(&self.to, &self.range.to));
        KeyBytes::of(&self.columns, &equal, &from, &to)
            .into_iter()
            .collect()
    }
}
