#![allow(missing_docs, unused, unused_qualifications, unreachable_pub)]

pub mod eval {
    use crate::{context::Evaluating, error::Result, expr::Expr, vector::*};
    use std::sync::Arc;
    pub(crate) fn evaluate(e: &Expr, b: &Batch, ev: &Evaluating<'_>) -> Result<Arc<Column>> {
        Ok(match e {
            Expr::Column(at, _) => b.columns[*at as usize].clone(),
            Expr::Literal(v, ty) => Arc::new(Column::repeat(*ty, v, b.rows)),
            Expr::Parameter(at, ty) => Arc::new(Column::repeat(*ty, &ev.parameters[*at as usize], b.rows)),
            Expr::Call { function, args, ty } => {
                let types: Vec<_> = args.iter().map(Expr::data_type).collect();
                let args = args
                    .iter()
                    .map(|a| evaluate(a, b, ev))
                    .collect::<Result<Vec<_>>>()?;
                Arc::new((function.kernel)(&crate::functions::Call {
                    args: &args,
                    types: &types,
                    rows: b.rows,
                    returns: *ty,
                    evaluating: ev,
                })?)
            }
            _ => panic!(),
        })
    }
    pub(crate) fn select(e: &Expr, b: &Batch, ev: &Evaluating<'_>) -> Result<Vec<u32>> {
        let c = evaluate(e, b, ev)?;
        let ColumnData::Bool(v) = &c.data else { panic!() };
        Ok((0..b.rows as u32)
            .filter(|r| v[*r as usize] && !c.is_null(*r as usize))
            .collect())
    }
}
pub mod binder {
    use crate::*;
    use sqlparser::ast;
    pub(crate) fn bind_table_expr(
        _: &str,
        _: &[crate::catalog::TableColumn],
        _: &str,
    ) -> crate::Result<crate::expr::Expr> {
        panic!()
    }
    pub(crate) fn bind_default(_: &str, _: DataType) -> crate::Result<crate::expr::Expr> {
        panic!()
    }
    pub(crate) fn describe_type(_: &ast::DataType) -> crate::Result<DataType> {
        panic!()
    }
    pub(crate) fn fold(_: &ast::Ident) -> String {
        panic!()
    }
    pub(crate) fn table_name(_: &ast::ObjectName) -> Result<String> {
        panic!()
    }
}
impl crate::Interval {
    pub(crate) fn after(self, a: i64) -> crate::Result<i64> {
        Ok(a)
    }
}
pub mod text {
    use crate::vector::Column;
    use crate::*;
    pub(crate) fn to_text(_: &Value, _: DataType) -> String {
        panic!()
    }
    pub(crate) fn from_text(_: &str, _: DataType) -> Result<Value> {
        panic!()
    }
    pub(crate) fn push_text(_: &mut Column, _: &[u8], _: DataType) -> Result<()> {
        panic!()
    }
    pub(crate) fn write_text(_: &Column, _: usize, _: DataType, _: &mut Vec<u8>) {
        panic!()
    }
}
pub mod optimizer {
    pub trait CardinalityEstimator: Send + Sync {}
    pub trait CostModel: Send + Sync {}
    pub struct DefaultCost;
    pub struct DefaultEstimator;
    impl CostModel for DefaultCost {}
    impl CardinalityEstimator for DefaultEstimator {}
}
pub mod explain {
    pub struct Actual {
        pub rows: u64,
        pub loops: u64,
        pub micros: u64,
    }
    pub struct Showing<'a> {
        pub costs: bool,
        pub actual: &'a dyn Fn(usize) -> Option<Actual>,
    }
    pub fn explain_with(_: &crate::plan::physical::StatementPlan, _: &Showing<'_>) -> Vec<String> {
        panic!()
    }
}
impl crate::parser::AsOf {
    /// x
    pub fn moment(&self) -> crate::Result<crate::Moment> {
        panic!()
    }
}
impl crate::plan::physical::Node {
    pub(crate) fn inputs(&self) -> Vec<&Self> {
        use crate::plan::physical::Physical;
        match &self.op {
            Physical::Values(_) | Physical::Scan(_) | Physical::Series(_) => Vec::new(),
            Physical::Filter { input, .. }
            | Physical::Project { input, .. }
            | Physical::HashAggregate { input, .. }
            | Physical::Distinct { input, .. }
            | Physical::Sort { input, .. }
            | Physical::TopN { input, .. }
            | Physical::Limit { input, .. } => vec![input],
            Physical::IndexJoin { left, .. } => vec![left],
            Physical::HashJoin { left, right, .. }
            | Physical::NestedLoopJoin { left, right, .. }
            | Physical::Set { left, right, .. } => vec![left, right],
        }
    }
}
