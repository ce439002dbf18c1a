#![allow(missing_docs, unused, unused_qualifications, unreachable_pub)]

use crate::catalog::*;
use crate::optimizer::*;
use crate::parser::Parsed;
use crate::plan::physical::*;
use crate::*;
use std::sync::Arc;
pub trait Past {
    fn table(&self, name: &str, moment: Moment) -> Result<Option<Arc<Table>>>;
}
#[derive(Clone, Copy)]
pub struct Planning<'a> {
    pub catalog: &'a dyn Catalog,
    pub past: &'a dyn Past,
    pub parameter_types: &'a [Option<DataType>],
    pub estimator: &'a dyn CardinalityEstimator,
    pub cost: &'a dyn CostModel,
}
pub struct Planned {
    pub plan: StatementPlan,
    pub parameter_types: Vec<DataType>,
}
pub fn plan_statement(parsed: &Parsed, planning: &Planning<'_>) -> Result<Planned> {
    panic!()
}
pub fn bind_copy_query(
    query: &sqlparser::ast::Query,
    text: &str,
    planning: &Planning<'_>,
) -> Result<QueryPlan> {
    panic!()
}
