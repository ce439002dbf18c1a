//! SQL over a storage engine: types, catalog, and the way of a statement from text to rows.

pub mod catalog;
mod context;
mod error;
pub mod expr;
pub mod functions;
pub mod parser;
pub mod plan;
mod storage;
mod types;
mod value;
pub mod vector;

pub use context::{Canceller, Evaluating, Subqueries};
pub use error::{Result, SqlError, SqlState, state};
pub use godb_mvcc::{
    Begin, Environment, Error as EngineError, Fault, Isolation, Moment, StorageEngine, Timestamp, TreeId,
};
pub use types::{DataType, Physical};
pub use value::{Interval, Numeric, Value};
