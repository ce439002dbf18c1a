//! The write-ahead log.

mod record;
mod wal;

pub use godb_btree::sync;
pub use godb_btree::{
    Chain, Clock, Environment, Fault, Joining, Lsn, PageId, Range, Spawn, Tree, TreeId, TxnId, Value,
};
pub use record::{Record, UndoRecord};
pub use wal::{ActiveTransaction, Wal};
