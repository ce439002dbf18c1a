//! SQL over a storage engine: types, catalog, and the way of a statement from text to rows.

pub mod cast;
pub mod catalog;
mod context;
mod convert;
mod datetime;
mod error;
pub mod eval;
pub mod expr;
pub mod functions;
mod numeric;
pub mod parser;
pub mod plan;
mod storage;
pub mod text;
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
