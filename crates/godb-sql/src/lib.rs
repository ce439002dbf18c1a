//! SQL over a storage engine: how a query becomes rows.
//!
//! Below this crate there are trees of bytes, transactions and versions ([`StorageEngine`]); above it there is text that says *what* is wanted
//! and never *how*. The way between is a chain of small translations. Each has one input form and one output form, so each can be read, and tested,
//! without the others:
//!
//! ```text
//! text ──parser──▶ syntax tree ──binder──▶ logical plan ──optimizer──▶ physical plan ──executor──▶ batches of columns ──session──▶ rows
//!                                  ▲             │ rules, always right        ▲                          │
//!                               catalog          └ cost, only ever a guess ───┘                       storage
//! ```
//!
//! Take `SELECT name, count(*) FROM planes JOIN flights USING (tailnum) WHERE year = 2013 GROUP BY name` along that chain.
//!
//! # Parse
//!
//! [`parser`] makes a tree of the text. The tree is about form alone: nobody has asked yet whether there is a table `planes`. Its problem is
//! hostility, not grammar: a million opening parentheses are a short file, a recursive parser goes as deep as they do, and a stack that
//! overflows takes the whole process with it. So nesting is measured on the text before the parser starts, and refused beyond
//! [`parser::MAX_DEPTH`]; long lists and chains of AND and OR are no nesting and have no limit but that of the text. Every later walk over a
//! tree relies on that measure.
//!
//! # Bind
//!
//! The binder asks the [`catalog`] what each name means and gives everything a type. A `*` becomes columns, `USING` an equality, a view
//! its query, a string literal whatever type its neighbour wants, and every other difference of types an explicit cast. A name found only outside a subquery
//! is *passed in*, so no operator ever mentions a column that is not in its input. Errors of meaning (unknown column, ungrouped
//! column, no such operator) arise here, before a single row is read, with their position in the text. The result is a *logical plan* ([`plan::logical`]):
//! a tree of relational operators in which each column has an id that is unique in the statement.
//!
//! # Optimise
//!
//! [`optimizer`] does two different things, and keeps them apart.
//!
//! *Rules* replace a plan by one that gives the same rows and is never worse: constants are computed, `year = 2013` moves below the join to
//! `planes`, where it comes from, subqueries become joins, outer joins whose NULL rows are dropped anyway become inner. Rules need no statistics. What they do need is care with
//! three-valued logic: `NOT IN` over a NULL, a filter above an outer join, a division that must not be tried for rows another condition excludes. Random
//! queries against PostgreSQL test exactly that.
//!
//! *Choices* have no right answer without knowing the data: which join first, which side to hash, index or whole table. Here plans are weighed by
//! estimated rows ([`optimizer::CardinalityEstimator`]) and estimated cost ([`optimizer::CostModel`]); join orders are searched exhaustively for few tables and greedily for many.
//! An estimate may be wrong by any factor: it changes how long a query takes, never what it answers. That is why both are traits, which
//! a later layer may implement by learning.
//!
//! The outcome is a *physical plan* ([`plan::physical`]): columns are positions, operators are algorithms. `EXPLAIN` shows it, `EXPLAIN ANALYZE` with the rows and the time that each
//! operator really took ([`Meters`]). Plans are cached by the statement's text.
//!
//! # Execute
//!
//! The executor pulls: the topmost operator asks its input for a batch, that one its own, down to the scans (Graefe's Volcano). What moves is not a row but a
//! batch of up to [`vector::BATCH_ROWS`] rows as columns, so that the cost of interpreting a plan is divided by a thousand and the inner
//! loops run over plain arrays (MonetDB/X100); [`eval`] computes expressions in the same manner, one column at a time, only for the rows that matter.
//!
//! *Memory.* Most operators stream: their memory does not depend on their input. A sort, a hash join, a grouping and a DISTINCT cannot. Each counts
//! its bytes against `work_mem` and beyond it goes to unnamed temporary files: runs that are merged, or partitions by hash that are worked on one by
//! one. What no division makes smaller (a million rows with one join key, the distinct values of one aggregate) is refused with SQLSTATE
//! 53200 instead of taking the machine's memory.
//!
//! *Time.* Each loop asks once a batch, slow functions more often, whether the statement was cancelled ([`Canceller`]) or has run out of time. LIKE never goes back in the text, and
//! regular expressions are an automaton's, so no pattern takes exponential time.
//!
//! *Change.* INSERT, UPDATE and DELETE are a plan that produces rows and a writer that takes them. Between reading and writing stand the Halloween problem
//! (a scan that meets what its own statement wrote) and keys that pass each other (`SET id = id + 1`); both are answered by collecting the rows first where
//! it is needed.
//!
//! # Store
//!
//! A table is a tree from its primary key to its other columns; an index is a tree from its columns to the primary key. Keys are written
//! so that bytes compare as values do, so the engine needs no idea of types. The catalog is a tree as well: it is versioned, so a query of the past sees the schema of then,
//! and transactional, so CREATE and DROP roll back. A row names the schema version it was written under; adding or dropping a column therefore touches no row.
//!
//! # Statements, sessions and time
//!
//! A [`Session`] runs one statement after the other. Each is atomic: alone it is a transaction; inside one it begins with a savepoint and
//! returns to it when it fails. A statement that met another's newer version under read committed is undone and run again with a new snapshot.
//! `AS OF SYSTEM TIME` is a scan that reads through an older snapshot. Nothing else in this crate knows about time: that versions are kept is the engine's affair.
//!
//! # Invariants
//!
//! - SQL reaches storage through `dyn StorageEngine` alone; every test runs on more than one.
//! - No input makes a panic: text, files for COPY and stored bytes end in a [`SqlError`] with PostgreSQL's SQLSTATE.
//! - A plan says nothing about data that a cached copy could get wrong: it holds for a schema version, and advice may only cost time.
//! - NULL, integer division, overflow, casts and the text of values are PostgreSQL 15's; where they differ, a golden script says so and why.
//!
//! # Left out
//!
//! A memo of equivalent plans (the rules do not compete; joins and access paths are searched), machine code for expressions (batches give most of its gain for a fraction of
//! its size), parallel operators, merge joins, window functions, recursive queries, triggers and stored procedures. What is not supported is refused by name, never ignored.
//!
//! Read on in the order of the chain: [`parser`], [`plan::logical`], [`optimizer`], [`plan::physical`], [`eval`], [`vector`], [`catalog`].

mod binder;
pub mod cast;
pub mod catalog;
mod context;
mod convert;
mod copy;
mod datetime;
mod ddl;
mod dml;
mod error;
pub mod eval;
mod executor;
pub mod explain;
pub mod expr;
pub mod functions;
mod numeric;
pub mod optimizer;
pub mod parser;
pub mod plan;
mod session;
mod settings;
mod storage;
pub mod system;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
mod types;
mod value;
pub mod vector;

pub use binder::{bind_default, bind_table_expr, describe_type};
pub use catalog::{FIRST_ROLE, Role};
pub use context::{Canceller, Evaluating, Subqueries};
pub use copy::Progress;
pub use ddl::Passwords;
pub use error::{Result, SqlError, SqlState, state};
pub use executor::{Measured, Meters};
pub use godb_mvcc::{
    Begin, CompactionPhase, CompactionProgress, Environment, Error as EngineError, Fault, Heed, Isolation,
    Moment, StorageEngine, Timestamp, TreeId,
};
pub use godb_mvcc::{EngineCursor, EngineSavepoint, EngineTransaction, Range, Strength, sync};
pub use session::{
    Adopted, AdoptedTable, ColumnDescription, CopyStream, Description, Identity, IndexDescription,
    IndexMended, Notice, Observer, Prepared, ResultColumn, Rows, Session, SessionContext, Severity, Sql,
    SqlOptions, StatementResult, TableCheck, TableDescription, TableProblem, Timeouts, TransactionState,
    TreeUse,
};
pub use settings::database as database_settings;
pub use settings::database::{DatabaseSetting, DatabaseSettings, ShownSetting};
pub use system::pg::{type_length, type_modifier, type_oid};
pub use system::{Asking, SystemRelation, TreeName};
pub use types::{DataType, Element, Physical};
pub use value::{Interval, Numeric, Value};
