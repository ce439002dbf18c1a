//! [`Prepared`]: a statement and its plan.

use super::point::PointPlan;
use super::rows::ResultColumn;
use crate::error::Result;
use crate::parser::{Parsed, parse_one};
use crate::plan::physical::{Change, StatementPlan};
use crate::plan::statement::Planned;
use crate::types::DataType;
use godb_mvcc::sync::Mutex;
use sqlparser::ast::{CopyTarget, Statement};
use std::sync::Arc;

/// A parsed statement, with the plan it had when it last ran. Cheap to clone; clones share the plan.
#[derive(Clone, Debug)]
pub struct Prepared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parsed: Parsed,
    /// The types of the parameters, as far as the caller named them.
    types: Vec<Option<DataType>>,
    ready: Mutex<Option<Arc<Ready>>>,
}

/// A plan, and the schema it was made for.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) plan: Arc<StatementPlan>,
    pub(super) parameter_types: Vec<DataType>,
    pub(super) columns: Arc<[ResultColumn]>,
    /// When the statement looks one row up by its primary key.
    pub(super) point: Option<PointPlan>,
    /// The schema version, and how often schema or estimates had changed.
    pub(super) made_for: (u64, u64),
}

impl Ready {
    /// For a plan made when the schema was `made_for`.
    pub(super) fn new(planned: Planned, made_for: (u64, u64)) -> Self {
        let Planned {
            plan,
            parameter_types,
        } = planned;
        let columns = match &plan {
            StatementPlan::Query(query) => columns(&query.names, query.root.types.iter().copied()),
            StatementPlan::Change { returning, names, .. } => {
                columns(names, returning.iter().map(crate::expr::Expr::data_type))
            }
        };
        let point = match &plan {
            StatementPlan::Query(query) => PointPlan::of(query),
            StatementPlan::Change { .. } => None,
        };
        Self {
            plan: Arc::new(plan),
            parameter_types,
            columns,
            point,
            made_for,
        }
    }

    /// The tables that it writes.
    pub(super) fn written(&self) -> Option<&Arc<crate::catalog::Table>> {
        match &*self.plan {
            StatementPlan::Query(_) => None,
            StatementPlan::Change { change, .. } => Some(match change {
                Change::Insert { table, .. }
                | Change::Update { table, .. }
                | Change::Delete { table, .. } => table,
            }),
        }
    }
}

fn columns(names: &[String], types: impl Iterator<Item = DataType>) -> Arc<[ResultColumn]> {
    let known = |ty| {
        if ty == DataType::Unknown {
            DataType::Text
        } else {
            ty
        }
    };
    names
        .iter()
        .zip(types)
        .map(|(name, ty)| ResultColumn {
            name: name.clone(),
            ty: known(ty),
        })
        .collect()
}

impl Prepared {
    /// Parses one statement; `types` are those of its parameters, as far as they are known.
    pub(super) fn parse(text: &str, types: &[Option<DataType>]) -> Result<Self> {
        let (parsed, types) = (parse_one(text)?, types.to_vec());
        Ok(Self(Arc::new(Inner {
            parsed,
            types,
            ready: Mutex::new(None),
        })))
    }

    pub(super) fn parsed(&self) -> &Parsed {
        &self.0.parsed
    }

    pub(super) fn types(&self) -> &[Option<DataType>] {
        &self.0.types
    }

    pub(super) fn statement(&self) -> &Statement {
        &self.0.parsed.statement
    }

    /// The plan, if there is one that fits `now`.
    pub(super) fn ready(&self, now: (u64, u64)) -> Option<Arc<Ready>> {
        self.0
            .ready
            .lock()
            .as_ref()
            .filter(|ready| ready.made_for == now)
            .cloned()
    }

    /// Keeps a plan for the next time.
    pub(super) fn remember(&self, ready: &Arc<Ready>) {
        *self.0.ready.lock() = Some(ready.clone());
    }

    /// Whether plans of it can be kept: those that read a moment of the past name the tables of then.
    pub(super) fn keeps_plan(&self) -> bool {
        self.0.parsed.as_of.is_none() && self.0.parsed.table_as_of.is_empty()
    }

    /// Whether its text may hold a password, and must not be written to a log.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.0.parsed.role.is_some()
    }

    /// Whether it ends at once by its nature: it looks one row up by its key, as far as it was planned before, or is about the session. It neither waits for locks nor reads many pages.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        match self.statement() {
            Statement::StartTransaction { .. } => true,
            Statement::Query(_) => self
                .0
                .ready
                .lock()
                .as_ref()
                .is_some_and(|ready| ready.point.is_some()),
            _ => false,
        }
    }

    /// Where the data of a COPY goes to or comes from, if that is the client.
    #[must_use]
    pub fn copy_stream(&self) -> Option<CopyStream> {
        match self.statement() {
            Statement::Copy {
                to,
                target: CopyTarget::Stdin | CopyTarget::Stdout,
                ..
            } => Some(if *to { CopyStream::Out } else { CopyStream::In }),
            _ => None,
        }
    }

    /// How many parameters it has.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.0.parsed.parameters
    }
}

/// The direction of a COPY that speaks with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStream {
    /// `FROM STDIN`
    In,
    /// `TO STDOUT`
    Out,
}

/// What a statement takes and gives.
#[derive(Clone, Debug)]
pub struct Description {
    /// The types of its parameters.
    pub parameters: Vec<DataType>,
    /// The columns of its result; none when it returns no rows.
    pub columns: Arc<[ResultColumn]>,
}
