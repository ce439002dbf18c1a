//! `pg_class`, `pg_attribute`, `pg_namespace`, `pg_database`: tables, views, indexes and their columns; and relations about what there is not.

use super::{OWNER, PG_CATALOG, PUBLIC, PgRelation, name_of, number, oid, text};
use super::{type_length, type_modifier, type_oid};
use crate::catalog::{Stored, Table};
use crate::error::Result;
use crate::system::Asking;
use crate::types::{DataType, Element};
use crate::value::Value;

/// Numbers below are PostgreSQL's own.
const FIRST_TABLE: u32 = 16_384;
/// Indexes are numbered by their trees, far from tables.
const FIRST_INDEX: u32 = 1 << 30;
/// PostgreSQL's number of its tables' access method, and of its B-trees.
const HEAP: u32 = 2;
const BTREE: u32 = 403;

fn relation_oid(id: u32) -> u32 {
    FIRST_TABLE.saturating_add(id)
}

fn index_oid(tree: godb_mvcc::TreeId) -> u32 {
    FIRST_INDEX.saturating_add(tree.raw())
}

pub(super) const PG_NAMESPACE: PgRelation = PgRelation {
    name: "pg_namespace",
    columns: &[
        ("oid", DataType::Oid),
        ("nspname", DataType::Text),
        ("nspowner", DataType::Oid),
    ],
    rows: |_| {
        let schemas = [(PG_CATALOG, "pg_catalog"), (PUBLIC, "public")];
        let row = |(id, name): (u32, &str)| vec![oid(id), name_of(name), oid(OWNER)];
        Ok(schemas.into_iter().map(row).collect())
    },
};

pub(super) const PG_DATABASE: PgRelation = PgRelation {
    name: "pg_database",
    columns: &[
        ("oid", DataType::Oid),
        ("datname", DataType::Text),
        ("datdba", DataType::Oid),
        ("encoding", DataType::Int4),
        ("datlocprovider", DataType::Text),
        ("datistemplate", DataType::Bool),
        ("datallowconn", DataType::Bool),
        ("datconnlimit", DataType::Int4),
        ("datcollate", DataType::Text),
        ("datctype", DataType::Text),
    ],
    rows: |asking| {
        /// PostgreSQL's number of UTF-8.
        const UTF8: i16 = 6;
        Ok(vec![vec![
            oid(FIRST_TABLE - 1),
            name_of(&asking.session().identity().database),
            oid(OWNER),
            number(UTF8),
            text("c"),
            Value::Bool(false),
            Value::Bool(true),
            number(-1),
            text("C"),
            text("C"),
        ]])
    },
};

pub(super) const PG_CLASS: PgRelation = PgRelation {
    name: "pg_class",
    columns: &[
        ("oid", DataType::Oid),
        ("relname", DataType::Text),
        ("relnamespace", DataType::Oid),
        ("reltype", DataType::Oid),
        ("reloftype", DataType::Oid),
        ("relowner", DataType::Oid),
        ("relam", DataType::Oid),
        ("relfilenode", DataType::Oid),
        ("reltablespace", DataType::Oid),
        ("relpages", DataType::Int4),
        ("reltuples", DataType::Float4),
        ("relallvisible", DataType::Int4),
        ("reltoastrelid", DataType::Oid),
        ("relhasindex", DataType::Bool),
        ("relisshared", DataType::Bool),
        ("relpersistence", DataType::Text),
        ("relkind", DataType::Text),
        ("relnatts", DataType::Int2),
        ("relchecks", DataType::Int2),
        ("relhasrules", DataType::Bool),
        ("relhastriggers", DataType::Bool),
        ("relhassubclass", DataType::Bool),
        ("relrowsecurity", DataType::Bool),
        ("relforcerowsecurity", DataType::Bool),
        ("relispopulated", DataType::Bool),
        ("relreplident", DataType::Text),
        ("relispartition", DataType::Bool),
        ("reloptions", DataType::Array(Element::Text)),
        ("relpartbound", DataType::Text),
    ],
    rows: classes,
};

/// What `pg_class` says of one relation.
struct Class<'a> {
    oid: u32,
    name: &'a str,
    kind: &'static str,
    method: u32,
    rows: f64,
    columns: usize,
    checks: usize,
    has_index: bool,
}

fn classes(asking: &Asking<'_>) -> Result<Vec<Vec<Value>>> {
    let stored = Stored::new(asking.transaction(), asking.catalog());
    let mut rows = Vec::new();
    for table in stored.tables()? {
        let estimate = stored.estimate(table.id)?;
        rows.push(class(&of_table(&table, estimate)));
        rows.extend(of_indexes(&table).iter().map(class));
    }
    for view in stored.views()? {
        rows.push(class(&Class {
            oid: relation_oid(view.id),
            name: &view.name,
            kind: "v",
            method: 0,
            rows: -1.0,
            columns: view.columns.len(),
            checks: 0,
            has_index: false,
        }));
    }
    Ok(rows)
}

fn of_table(table: &Table, estimate: Option<u64>) -> Class<'_> {
    let estimate = estimate.and_then(|rows| i64::try_from(rows).ok());
    Class {
        oid: relation_oid(table.id),
        name: &table.name,
        kind: "r",
        method: HEAP,
        rows: estimate.map_or(-1.0, crate::convert::near_f64),
        columns: table.columns.len(),
        checks: table.checks.len(),
        has_index: !table.indexes.is_empty() || !table.primary_key.is_empty(),
    }
}

/// Its indexes; the key of a table, by which its rows lie, is one for who asks.
fn of_indexes(table: &Table) -> Vec<Class<'_>> {
    let class = |tree, name, columns| Class {
        oid: index_oid(tree),
        name,
        kind: "i",
        method: BTREE,
        rows: 0.0,
        columns,
        checks: 0,
        has_index: false,
    };
    let key = (!table.primary_key.is_empty()).then(|| {
        class(
            table.tree,
            table.primary_key_name.as_str(),
            table.primary_key.len(),
        )
    });
    let others = table.indexes.iter();
    let others = others.map(|index| class(index.tree, index.name.as_str(), index.columns.len()));
    key.into_iter().chain(others).collect()
}

fn class(class: &Class<'_>) -> Vec<Value> {
    let count = |count: usize| Value::Int(crate::convert::length_i64(count));
    let no = Value::Bool(false);
    vec![
        oid(class.oid),
        name_of(class.name),
        oid(PUBLIC),
        oid(0),
        oid(0),
        oid(OWNER),
        oid(class.method),
        oid(class.oid),
        oid(0),
        number(0),
        Value::Float(class.rows),
        number(0),
        oid(0),
        Value::Bool(class.has_index),
        no.clone(),
        text("p"),
        text(class.kind),
        count(class.columns),
        count(class.checks),
        Value::Bool(class.kind == "v"),
        no.clone(),
        no.clone(),
        no.clone(),
        no.clone(),
        Value::Bool(true),
        text(if class.kind == "r" { "d" } else { "n" }),
        no,
        Value::Null,
        Value::Null,
    ]
}

pub(super) const PG_ATTRIBUTE: PgRelation = PgRelation {
    name: "pg_attribute",
    columns: &[
        ("attrelid", DataType::Oid),
        ("attname", DataType::Text),
        ("atttypid", DataType::Oid),
        ("attlen", DataType::Int2),
        ("attnum", DataType::Int2),
        ("attndims", DataType::Int4),
        ("atttypmod", DataType::Int4),
        ("attnotnull", DataType::Bool),
        ("atthasdef", DataType::Bool),
        ("attidentity", DataType::Text),
        ("attgenerated", DataType::Text),
        ("attisdropped", DataType::Bool),
        ("attislocal", DataType::Bool),
        ("attinhcount", DataType::Int4),
        ("attcollation", DataType::Oid),
    ],
    rows: attributes,
};

fn attributes(asking: &Asking<'_>) -> Result<Vec<Vec<Value>>> {
    let stored = Stored::new(asking.transaction(), asking.catalog());
    let mut rows = Vec::new();
    for table in stored.tables()? {
        for (at, column) in table.columns.iter().enumerate() {
            let required = column.not_null || table.primary_key.contains(&at);
            let shape = (column.name.as_str(), column.ty);
            rows.push(attribute(table.id, at, shape, required, column.default.is_some()));
        }
    }
    for view in stored.views()? {
        for (at, (name, ty)) in view.columns.iter().enumerate() {
            rows.push(attribute(view.id, at, (name, *ty), false, false));
        }
    }
    Ok(rows)
}

fn attribute(id: u32, at: usize, (name, ty): (&str, DataType), required: bool, default: bool) -> Vec<Value> {
    /// PostgreSQL's number of the default collation.
    const COLLATION: u32 = 100;
    vec![
        oid(relation_oid(id)),
        name_of(name),
        oid(type_oid(ty)),
        number(type_length(ty)),
        Value::Int(crate::convert::length_i64(at + 1)),
        number(0),
        Value::Int(i64::from(type_modifier(ty))),
        Value::Bool(required),
        Value::Bool(default),
        text(""),
        text(""),
        Value::Bool(false),
        Value::Bool(true),
        number(0),
        oid(if ty.is_text() { COLLATION } else { 0 }),
    ]
}

pub(super) const PG_INHERITS: PgRelation = PgRelation {
    name: "pg_inherits",
    columns: &[
        ("inhrelid", DataType::Oid),
        ("inhparent", DataType::Oid),
        ("inhseqno", DataType::Int4),
        ("inhdetachpending", DataType::Bool),
    ],
    rows: |_| Ok(Vec::new()),
};

pub(super) const PG_PARTITIONED_TABLE: PgRelation = PgRelation {
    name: "pg_partitioned_table",
    columns: &[
        ("partrelid", DataType::Oid),
        ("partstrat", DataType::Text),
        ("partnatts", DataType::Int2),
        ("partdefid", DataType::Oid),
        ("partexprs", DataType::Text),
    ],
    rows: |_| Ok(Vec::new()),
};

pub(super) const PG_RANGE: PgRelation = PgRelation {
    name: "pg_range",
    columns: &[
        ("rngtypid", DataType::Oid),
        ("rngsubtype", DataType::Oid),
        ("rngmultitypid", DataType::Oid),
        ("rngcollation", DataType::Oid),
        ("rngsubopc", DataType::Oid),
    ],
    rows: |_| Ok(Vec::new()),
};
