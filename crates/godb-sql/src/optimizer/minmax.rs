//! `SELECT min(a)` and `max(a)`: the first row in the order of `a`, where an index or the primary key has that order.

use super::Optimizer;
use crate::catalog::Table;
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, Logical, SortKey};
use crate::types::DataType;
use crate::value::Value;

impl Optimizer<'_> {
    /// The plan with such aggregations reading one row.
    pub(super) fn min_max(&self, mut plan: Logical) -> Logical {
        for input in plan.inputs_mut() {
            let taken = input.take();
            *input = self.min_max(taken);
        }
        if let Logical::Aggregate {
            input,
            groups,
            aggregates,
        } = &mut plan
            && groups.is_empty()
            && let [call] = aggregates.as_slice()
            && let Some(key) = end_of_order(call, input)
        {
            let taken = input.take();
            **input = first_row(taken, key);
        }
        plan
    }
}

/// The order whose first row holds the aggregate's value.
fn end_of_order(call: &AggregateCall, input: &Logical) -> Option<SortKey> {
    let descending = match call.function.aggregate.name {
        "min" => false,
        "max" => true,
        _ => return None,
    };
    let [arg @ Expr::Column(id, _)] = call.args.as_slice() else {
        return None;
    };
    let Logical::Scan { table, columns, .. } = input else {
        return None;
    };
    let (position, _) = columns.iter().find(|(_, c)| c.id == *id)?;
    if call.filter.is_some() || !leads_an_order(table, *position) {
        return None;
    }
    Some(SortKey {
        expr: arg.clone(),
        descending,
        nulls_first: descending,
    })
}

fn leads_an_order(table: &Table, column: usize) -> bool {
    table.primary_key.first() == Some(&column)
        || table
            .indexes
            .iter()
            .any(|index| index.columns.first().is_some_and(|(c, _)| *c == column))
}

fn first_row(mut scan: Logical, key: SortKey) -> Logical {
    if let Logical::Scan {
        filter,
        table,
        columns,
        ..
    } = &mut scan
        && let Expr::Column(id, _) = key.expr
    {
        let position = columns.iter().find(|(_, c)| c.id == id).map(|(p, _)| *p);
        let nullable =
            position.is_some_and(|p| !table.columns[p].not_null && !table.primary_key.contains(&p));
        if nullable {
            let present = Expr::IsNull(Box::new(key.expr.clone()), true);
            let parts = filter.take().into_iter().chain([present]).collect();
            *filter = crate::plan::walk::conjoin(parts);
        }
    }
    Logical::Limit {
        input: Box::new(Logical::Sort {
            input: Box::new(scan),
            keys: vec![key],
        }),
        limit: Some(Expr::Literal(Value::Int(1), DataType::Int8)),
        offset: None,
    }
}
