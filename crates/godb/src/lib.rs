//! An embedded database in one file, with many concurrent readers and writers.
//!
//! ```
//! let db = godb::Database::in_memory()?;             // or Database::open("shop.godb")
//! db.put(b"key", b"value")?;
//! assert_eq!(db.get(b"key")?.as_deref(), Some(b"value".as_slice()));
//!
//! let mut tx = db.begin()?;
//! tx.put(b"k1", b"v1")?;
//! tx.put(b"k2", b"v2")?;
//! tx.commit()?;                                        // dropped without commit = rolled back
//! # Ok::<(), godb::Error>(())
//! ```
//!
//! SQL runs over the same transactions:
//!
//! ```
//! use godb::params;
//! # let db = godb::Database::in_memory()?;
//! db.execute("CREATE TABLE users (id int PRIMARY KEY, name text, age int)", params![])?;
//! db.execute("INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Alan', 41)", params![])?;
//! for row in db.query("SELECT name FROM users WHERE age > ?", params![40])? {
//!     assert_eq!(row?.get::<String>("name")?, "Alan");
//! }
//! # Ok::<(), godb::Error>(())
//! ```
//!
//! What is committed survives the end of the process and of the machine; see [`Config::wal_sync_mode`] for what that
//! costs. Transactions see one moment of the database (snapshot isolation, or serializable by [`Config::isolation`]); readers never wait, and two
//! writers of one key are told so by a [retryable](Error::is_retryable) error, which [`Database::transaction`] acts on by itself.
//!
//! # The layers
//!
//! godb is a stack of crates, each of which can be read, tested and replaced alone: pages, buffer pool, trees, log, recovery, transactions, versions, SQL. This
//! crate wires them, in one file, and adds the public names. A storage engine of your own goes in by [`Database::on_engine`].

mod background;
mod check;
mod config;
mod connection;
mod convert;
mod database;
mod error;
mod instance;
mod keys;
mod pairs;
#[cfg(feature = "passwords")]
mod passwords;
mod prepared;
mod read_only;
mod repair;
mod retry;
mod roles;
mod rows;
mod salvage;
mod scrub;
mod session;
mod settings;
mod storage;
mod system;
mod transaction;

pub use check::{CheckReport, Finding, Wrong};
pub use config::{Compression, Config};
pub use convert::{FromValue, ToValue};
pub use database::Database;
pub use error::{Error, Result};
pub use godb_buffer::EvictionKind;
pub use godb_page::{Environment, Fault, FileSystem, Random};
pub use godb_sql::parser::split as split_statements;
pub use godb_sql::text::{from_text, to_text, write_value};
pub use godb_sql::{
    Begin, Canceller, ColumnDescription, CompactionPhase, CompactionProgress, CopyStream, DataType,
    Description, Element, EngineError, Identity, IndexDescription, IndexMended, Interval, Isolation, Moment,
    Notice, Numeric, Progress, ResultColumn, Role, Severity, SqlError, StorageEngine, TableDescription,
    Timeouts, Timestamp, TransactionState, Value, type_length, type_modifier, type_oid,
};

pub use godb_txn::{DeadlockPolicy, TxnId};
pub use godb_wal::SyncMode;
pub use pairs::{Pair, Pairs};
#[cfg(feature = "passwords")]
pub use passwords::Verifier;
pub use prepared::Prepared;
pub use repair::{RepairReport, RepairTo};
pub use retry::Retries;
pub use rows::{Column, ColumnIndex, Row, Rows};
pub use salvage::{SalvageReport, Salvaged};
pub use scrub::ScrubReport;
pub use session::{Outcome, Session, Statement};
pub use transaction::{Savepoint, Transaction};
