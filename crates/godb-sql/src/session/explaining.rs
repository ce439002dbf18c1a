//! EXPLAIN, and descriptions of statements.

use super::execute::refuse_writing;
use super::open::Open;
use super::plan::{Description, Prepared};
use super::rows::{ResultColumn, Rows, StatementResult};
use super::{Session, failed_transaction};
use crate::error::{Result, SqlError};
use crate::executor::{Meters, Run, build};
use crate::explain::{Actual, Showing, explain_with};
use crate::parser::Command;
use crate::plan::physical::{Change, Node, StatementPlan};
use crate::settings::Settings;
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{Statement, UtilityOption};
use std::sync::Arc;

impl Session {
    pub(super) fn explain(
        &mut self,
        open: &mut Open,
        prepared: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        let options = Options::of(prepared.statement())?;
        let schema = open.schema(&self.sql, &mut self.known)?;
        let (ready, parameters) = self.ready_with(prepared, params, &*open.tx, &schema)?;
        let mut statement = self.statement(&*open.tx, Some(&ready.plan), parameters);
        let start = statement.now();
        if options.analyze {
            statement.meters = Some(Meters::default());
            match &*ready.plan {
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
        let mut lines = shown(&ready.plan, &options, statement.meters.as_ref());
        if options.analyze {
            let took = (statement.now() - start).as_secs_f64() * 1e3;
            lines.push(format!("Execution Time: {took:.3} ms"));
        }
        let lines = lines.into_iter().map(|line| vec![line]).collect();
        Ok(StatementResult::rows(
            "EXPLAIN",
            Rows::text(&["QUERY PLAN"], lines)?,
        ))
    }
}

impl Session {
    /// What a statement takes and gives.
    pub(super) fn description(&mut self, prepared: &Prepared) -> Result<Description> {
        let text = |name: &str| ResultColumn {
            name: name.to_owned(),
            ty: DataType::Text,
        };
        if let Some(command) = &prepared.parsed().command {
            return self.command_description(command, prepared);
        }
        let columns: Arc<[ResultColumn]> = match prepared.statement() {
            Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) => {
                return self.planned_description(prepared);
            }
            Statement::Explain { .. } => Arc::from([text("QUERY PLAN")]),
            _ => Arc::from([]),
        };
        Ok(Description {
            parameters: Vec::new(),
            columns,
        })
    }

    /// What a statement about the session takes and gives.
    fn command_description(&mut self, command: &Command, prepared: &Prepared) -> Result<Description> {
        let texts = |names: &[&str]| -> Arc<[ResultColumn]> {
            let column = |name: &&str| ResultColumn {
                name: (*name).to_owned(),
                ty: DataType::Text,
            };
            names.iter().map(column).collect()
        };
        let mut parameters = Vec::new();
        let columns = match command {
            Command::Show(Some(name)) => texts(&[&Settings::spelled(name)]),
            Command::Show(None) => texts(&["name", "setting", "description"]),
            Command::Execute { name, .. } => {
                let kept = self.runnable(name)?;
                self.description(&kept)?.columns
            }
            Command::Declare { query, .. } => {
                let query = Prepared::parse(query, prepared.types())?;
                parameters = self.description(&query)?.parameters;
                Arc::from([])
            }
            Command::Fetch(fetch) if fetch.shows => self.cursor_columns(&fetch.cursor)?,
            _ => Arc::from([]),
        };
        Ok(Description { parameters, columns })
    }

    fn planned_description(&mut self, prepared: &Prepared) -> Result<Description> {
        let ready = match self.open.take() {
            Some(open) if open.failed => {
                self.open = Some(open);
                return Err(failed_transaction());
            }
            Some(open) => {
                let schema = open.schema(&self.sql, &mut self.known);
                let ready = schema.and_then(|schema| self.ready(prepared, &*open.tx, &schema));
                self.open = Some(open);
                ready?
            }
            None => {
                let tx = self.sql.engine.clone().begin(self.begin_alone(prepared)?)?;
                let schema = self.sql.cache.of(&*tx, &mut self.known)?;
                self.ready(prepared, &*tx, &schema)?
            }
        };
        Ok(Description {
            parameters: ready.parameter_types.clone(),
            columns: ready.columns.clone(),
        })
    }
}

/// What EXPLAIN was asked for.
struct Options {
    analyze: bool,
    costs: bool,
}

impl Options {
    fn of(statement: &Statement) -> Result<Self> {
        let Statement::Explain {
            analyze,
            verbose,
            query_plan,
            estimate,
            format,
            options,
            ..
        } = statement
        else {
            return Err(SqlError::unsupported("DESCRIBE"));
        };
        if *verbose
            || *query_plan
            || *estimate
            || format
                .as_ref()
                .is_some_and(|format| !is_text(&format.to_string()))
        {
            return Err(SqlError::unsupported("this form of EXPLAIN"));
        }
        let mut read = Self {
            analyze: *analyze,
            costs: true,
        };
        for option in options.iter().flatten() {
            read.option(option)?;
        }
        Ok(read)
    }

    fn option(&mut self, option: &UtilityOption) -> Result<()> {
        let name = option.name.value.to_ascii_lowercase();
        let value = option
            .arg
            .as_ref()
            .map_or_else(|| "true".to_owned(), |arg| arg.to_string().to_ascii_lowercase());
        let on = match value.trim_matches('\'') {
            "true" | "on" | "1" => Some(true),
            "false" | "off" | "0" => Some(false),
            _ => None,
        };
        match (name.as_str(), on) {
            ("analyze", Some(on)) => self.analyze = on,
            ("costs", Some(on)) => self.costs = on,
            // What is not measured or has no more to say is not shown either way.
            ("timing" | "summary", Some(_)) | ("verbose" | "buffers" | "wal" | "settings", Some(false)) => {}
            ("format", None) if is_text(&value) => {}
            _ => return Err(SqlError::unsupported(format!("the EXPLAIN option {option}"))),
        }
        Ok(())
    }
}

fn is_text(format: &str) -> bool {
    format.trim_matches('\'').to_ascii_lowercase().ends_with("text")
}

/// The plan, line by line, with what was measured.
fn shown(plan: &StatementPlan, options: &Options, meters: Option<&Meters>) -> Vec<String> {
    let nodes = in_order(plan);
    let actual = |number: usize| {
        let measured = meters?.of(nodes.get(number)?);
        let micros = u64::try_from(measured.time.as_micros()).unwrap_or(u64::MAX);
        (measured.loops > 0).then_some(Actual {
            rows: measured.rows,
            loops: measured.loops,
            micros,
        })
    };
    explain_with(
        plan,
        &Showing {
            costs: options.costs,
            actual: &actual,
        },
    )
}

/// The nodes of a plan as EXPLAIN numbers them: each before its inputs, subplans last.
fn in_order(plan: &StatementPlan) -> Vec<&Node> {
    fn walk<'a>(node: &'a Node, into: &mut Vec<&'a Node>) {
        into.push(node);
        node.inputs().into_iter().for_each(|input| walk(input, into));
    }
    let (root, subplans) = match plan {
        StatementPlan::Query(query) => (&query.root, &query.subplans),
        StatementPlan::Change { change, subplans, .. } => match change {
            Change::Insert { source, .. } | Change::Update { source, .. } | Change::Delete { source, .. } => {
                (source, subplans)
            }
        },
    };
    let mut nodes = Vec::new();
    walk(root, &mut nodes);
    subplans.iter().for_each(|subplan| walk(subplan, &mut nodes));
    nodes
}
