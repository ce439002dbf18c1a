//! SQL over a storage engine: types, catalog, and the way of a statement from text to rows.

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
mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
mod types;
mod value;
pub mod vector;

pub use binder::{bind_default, bind_table_expr, describe_type};
pub use context::{Canceller, Evaluating, Subqueries};
pub use copy::Progress;
pub use error::{Result, SqlError, SqlState, state};
pub use executor::{Measured, Meters};
pub use godb_mvcc::{
    Begin, Environment, Error as EngineError, Fault, Isolation, Moment, StorageEngine, Timestamp, TreeId,
};
pub use godb_mvcc::{EngineCursor, EngineSavepoint, EngineTransaction, Range, Strength, sync};
pub use session::{
    Adopted, AdoptedTable, ColumnDescription, Description, IndexDescription, IndexMended, Observer, Prepared,
    ResultColumn, Rows, Session, Sql, SqlOptions, StatementResult, TableCheck, TableDescription,
    TableProblem, TransactionState, TreeUse,
};
pub use types::{DataType, Physical};
pub use value::{Interval, Numeric, Value};
