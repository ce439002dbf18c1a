//! Relations of PostgreSQL's catalog `pg_catalog`, made of godb's own: for clients that look there.
//!
//! Names, types and order of the columns are PostgreSQL 15's, as far as godb has what stands in them. A relation about something that godb does not have is there and empty.

mod relations;
mod roles;
mod settings;
mod types;

pub use types::{type_length, type_modifier, type_oid};

use super::{Asking, SystemRelation, SystemTable};
use crate::error::Result;
use crate::types::DataType;
use crate::value::Value;
use std::sync::Arc;

/// Makes the rows of a relation.
type Rows = fn(&Asking<'_>) -> Result<Vec<Vec<Value>>>;

/// A relation of `pg_catalog`.
struct PgRelation {
    name: &'static str,
    columns: &'static [(&'static str, DataType)],
    rows: Rows,
}

/// All of them.
static RELATIONS: &[PgRelation] = &[
    relations::PG_ATTRIBUTE,
    relations::PG_CLASS,
    relations::PG_DATABASE,
    relations::PG_INHERITS,
    relations::PG_NAMESPACE,
    relations::PG_PARTITIONED_TABLE,
    relations::PG_RANGE,
    roles::PG_ROLES,
    settings::PG_SETTINGS,
    types::PG_TYPE,
    roles::PG_USER,
];

/// PostgreSQL's numbers of the schemas, and of who owns everything.
const PG_CATALOG: u32 = 11;
const PUBLIC: u32 = 2200;
const OWNER: u32 = 10;

impl SystemRelation for &'static PgRelation {
    fn name(&self) -> &str {
        self.name
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        self.columns
    }

    fn rows(&self, asking: &Asking<'_>) -> Result<Vec<Vec<Value>>> {
        (self.rows)(asking)
    }
}

/// The relation of that name, which may stand behind `pg_catalog.`.
pub(crate) fn find(name: &str) -> Option<SystemTable> {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    let found = RELATIONS.iter().find(|relation| relation.name == name)?;
    Some(SystemTable(Arc::new(found)))
}

fn oid(oid: u32) -> Value {
    Value::Int(i64::from(oid))
}

fn number(number: i16) -> Value {
    Value::Int(i64::from(number))
}

fn name_of(name: &str) -> Value {
    Value::Text(name.to_owned())
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}
