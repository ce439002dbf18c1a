//! EXPLAIN.

use super::Session;
use super::execute::refuse_writing;
use super::open::Open;
use super::plan::Prepared;
use super::rows::{Rows, StatementResult};
use crate::error::{Result, SqlError};
use crate::executor::{Meters, Run, build};
use crate::plan::physical::StatementPlan;
use crate::value::Value;
use sqlparser::ast::Statement;

impl Session {
    pub(super) fn explain(
        &mut self,
        open: &mut Open,
        prepared: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        let Statement::Explain { .. } = prepared.statement() else {
            return Err(SqlError::unsupported("DESCRIBE"));
        };
        let options = crate::explain::Options::of(prepared.statement())?;
        let schema = open.schema(&self.sql, &mut self.known)?;
        let (ready, parameters) = self.ready_with(prepared, params, &*open.tx, &schema)?;
        let mut statement = self.statement(&*open.tx, &ready.subplans, parameters);
        if options.analyze {
            statement.meters = Some(Meters::default());
            match &ready.plan {
                StatementPlan::Query(query) => {
                    let mut operator = build(&query.root, &statement);
                    while operator.next(&Run::new(&*open.tx, &statement))?.is_some() {}
                }
                StatementPlan::Change { .. } => {
                    refuse_writing(open, "EXPLAIN ANALYZE")?;
                    self.change(open, &ready, &statement)?;
                }
            }
        }
        let text = crate::explain::explain(&ready.plan, &ready.subplans, &options, statement.meters.as_ref())?;
        let lines = text.lines().map(|line| vec![line.to_owned()]).collect();
        Ok(StatementResult::rows("EXPLAIN", Rows::text(&["QUERY PLAN"], lines)?))
    }
}
