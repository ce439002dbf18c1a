//! Golden scripts: SQL statements with what they must answer, to be run on any engine.
//!
//! ```text
//! # A comment.
//! statement ok
//! CREATE TABLE t (a int PRIMARY KEY)
//!
//! statement INSERT 0 2
//! INSERT INTO t VALUES (1), (2)
//!
//! statement error 23505 t_pkey
//! INSERT INTO t VALUES (1)
//!
//! query sorted
//! SELECT a FROM t
//! ----
//! 1
//! 2
//!
//! values
//! 7 / 2  -- integer: 3
//! 7 / 0  -- error 22012
//! ```
//!
//! A record ends at an empty line. After `statement` stands `ok`, a command tag, or `error`, its SQLSTATE and a part of its message,
//! detail or hint. Rows are written with `|` between their values, NULL as `NULL`, an empty string as `(empty)`; with
//! `sorted` both sides are sorted. In `values`, each line is an expression, its type and its value. `session b` goes on in another session. `$DIR` stands for an empty directory, `$then` after
//! `moment then` for the time of that record.
//!
//! `cargo xtask pg` compares the scripts with PostgreSQL. A comment that begins with `# Unlike PostgreSQL` stands before records that differ, and
//! says why; `# Not for PostgreSQL` in the first line keeps a whole script away from it.

#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub mod random;
mod runner;
pub mod script;

pub use runner::{Refused, Said, Subject, Talk, run};

/// The scripts of this crate, by name.
pub const SCRIPTS: &[(&str, &str)] = &[
    ("aggregates", include_str!("scripts/aggregates.slt")),
    ("alter", include_str!("scripts/alter.slt")),
    ("clients", include_str!("scripts/clients.slt")),
    ("constraints", include_str!("scripts/constraints.slt")),
    ("copy", include_str!("scripts/copy.slt")),
    ("cursors", include_str!("scripts/cursors.slt")),
    ("ddl", include_str!("scripts/ddl.slt")),
    ("dml", include_str!("scripts/dml.slt")),
    ("indexes", include_str!("scripts/indexes.slt")),
    ("joins", include_str!("scripts/joins.slt")),
    ("lateral", include_str!("scripts/lateral.slt")),
    ("membership", include_str!("scripts/membership.slt")),
    ("numbers", include_str!("scripts/numbers.slt")),
    ("patterns", include_str!("scripts/patterns.slt")),
    ("pg_catalog", include_str!("scripts/pg_catalog.slt")),
    ("queries", include_str!("scripts/queries.slt")),
    ("roles", include_str!("scripts/roles.slt")),
    ("sessions", include_str!("scripts/sessions.slt")),
    ("settings", include_str!("scripts/settings.slt")),
    ("spilling", include_str!("scripts/spilling.slt")),
    ("statistics", include_str!("scripts/statistics.slt")),
    ("strings", include_str!("scripts/strings.slt")),
    ("subqueries", include_str!("scripts/subqueries.slt")),
    ("times", include_str!("scripts/times.slt")),
    ("time_travel", include_str!("scripts/time_travel.slt")),
    ("transactions", include_str!("scripts/transactions.slt")),
    ("types", include_str!("scripts/types.slt")),
    ("upsert", include_str!("scripts/upsert.slt")),
    ("vacuum", include_str!("scripts/vacuum.slt")),
    ("views", include_str!("scripts/views.slt")),
];
