//! Operators against the plainest possible models, with so little memory that everything goes to temporary files as well.

mod joins;
mod sorting;
mod tables;

use super::{Run, Statement, Terms, build};
use crate::context::Canceller;
use crate::error::Result;
use crate::expr::Expr;
use crate::functions::{Call, Function, Volatility};
use crate::plan::physical::{Estimate, Node, Physical};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::{Column, ColumnData};
use godb_mvcc::{Begin, EngineTransaction, Environment, MemoryEngine, StorageEngine};
use std::sync::Arc;

/// An engine, a transaction in it, and a statement.
pub(super) struct World {
    pub(super) engine: Arc<dyn StorageEngine>,
    pub(super) tx: Box<dyn EngineTransaction>,
    pub(super) statement: Statement,
}

impl World {
    /// With `work_mem` bytes for each operator.
    pub(super) fn new(work_mem: usize) -> Self {
        let environment = Environment::simulated(1);
        let engine: Arc<dyn StorageEngine> = MemoryEngine::new(environment.clone());
        let tx = engine.clone().begin(Begin::default()).unwrap();
        let wired = crate::settings::Wired {
            work_mem: 1 << 20,
            isolation: godb_mvcc::Isolation::default(),
            max_connections: 1,
            lock_timeout: std::time::Duration::ZERO,
        };
        let statement = Statement::new(Terms {
            context: Arc::new(crate::session::SessionContext::new(
                wired,
                Arc::default(),
                Arc::default(),
            )),
            engine: engine.clone(),
            environment,
            parameters: Arc::from([]),
            plan: None,
            canceller: Canceller::default(),
            timeout: None,
            work_mem,
            transaction_micros: 0,
            hash_seed: 1,
        });
        Self {
            engine,
            tx,
            statement,
        }
    }

    /// All rows of a plan.
    pub(super) fn rows(&self, node: &Node) -> Vec<Vec<Value>> {
        self.try_rows(node).unwrap()
    }

    pub(super) fn try_rows(&self, node: &Node) -> Result<Vec<Vec<Value>>> {
        let mut operator = build(node, &self.statement);
        let mut rows = Vec::new();
        while let Some(batch) = operator.next(&Run::new(&*self.tx, &self.statement))? {
            let columns = batch.columns.iter().zip(&node.types);
            let value = |row| {
                columns
                    .clone()
                    .map(|(column, ty)| column.value(row, *ty))
                    .collect()
            };
            rows.extend((0..batch.rows).map(value));
        }
        Ok(rows)
    }
}

pub(super) fn node(op: Physical, types: Vec<DataType>) -> Node {
    Node {
        op,
        types,
        estimate: Estimate::default(),
    }
}

pub(super) fn column(at: u32, ty: DataType) -> Expr {
    Expr::Column(at, ty)
}

/// Rows of integers (NULL where `None`), written out.
pub(super) fn ints(rows: &[Vec<Option<i64>>], width: usize) -> Node {
    let literal = |value: &Option<i64>| Expr::Literal(int(*value), DataType::Int8);
    let rows = rows.iter().map(|row| row.iter().map(literal).collect()).collect();
    node(Physical::Values(rows), vec![DataType::Int8; width])
}

pub(super) fn int(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}

/// `a < b` over integers.
pub(super) static LESS: Function = Function {
    name: "<",
    volatility: Volatility::Immutable,
    strict: true,
    kernel: less,
};

#[expect(clippy::unnecessary_wraps, reason = "the form of a kernel")]
fn less(call: &Call<'_>) -> Result<Column> {
    let (ColumnData::Int(a), ColumnData::Int(b)) = (&call.args[0].data, &call.args[1].data) else {
        unreachable!("integers")
    };
    let values = a.iter().zip(b).map(|(a, b)| a < b).collect();
    let nulls = (0..call.rows)
        .map(|row| call.args.iter().any(|arg| arg.is_null(row)))
        .collect();
    Ok(Column {
        data: ColumnData::Bool(values),
        nulls: Some(nulls),
    })
}

pub(super) fn less_than(a: u32, b: u32) -> Expr {
    let args = vec![column(a, DataType::Int8), column(b, DataType::Int8)];
    Expr::Call {
        function: &LESS,
        args,
        ty: DataType::Bool,
    }
}
