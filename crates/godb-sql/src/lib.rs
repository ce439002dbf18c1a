//! SQL over a storage engine: types, catalog, and the way of a statement from text to rows.

mod binder;
pub mod catalog;
mod context;
mod error;
pub mod explain;
pub mod expr;
pub mod functions;
pub mod optimizer;
pub mod parser;
pub mod plan;
mod standin;
mod storage;
mod types;
mod value;
pub mod vector;

pub use binder::{bind_default, bind_table_expr, describe_type};
pub use context::{Canceller, Evaluating, Subqueries};
pub use error::{Result, SqlError, SqlState, state};
pub use godb_mvcc::{
    Begin, Environment, Error as EngineError, Fault, Isolation, Moment, StorageEngine, Timestamp, TreeId,
};
pub use types::{DataType, Physical};
pub use value::{Interval, Numeric, Value};
