//! `godb_locks`: who holds and who wants which locks.

use super::{number, text, tree_columns};
use crate::storage::Storage;
use godb_sql::{Asking, DataType, SqlError, SystemRelation, Value};
use godb_txn::{LockStatus, LockedResource, Mode};
use std::sync::Arc;

/// Locks in the lock manager. A row that a running transaction has written names its writer, which is its lock, and is not here; who waits for it is, as one who wants to share
/// that transaction.
pub(super) struct Locks(pub(super) Arc<Storage>);

impl SystemRelation for Locks {
    fn name(&self) -> &'static str {
        "godb_locks"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("transaction_id", DataType::Int8),
            ("mode", DataType::Text),
            ("granted", DataType::Bool),
            ("locked", DataType::Text),
            ("tree_id", DataType::Int8),
            ("table_name", DataType::Text),
            ("index_name", DataType::Text),
            ("key", DataType::Bytea),
            ("key_end", DataType::Bytea),
            ("other_transaction_id", DataType::Int8),
        ]
    }

    fn rows(&self, asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let names = asking.trees()?;
        let row = |lock: LockStatus| {
            let (locked, key, end, other) = shown(&lock.resource);
            let mut row = vec![
                number(lock.by.raw()),
                text(mode(lock.mode)),
                Value::Bool(lock.granted),
                text(locked),
            ];
            row.extend(tree_columns(lock.resource.tree(), &names));
            row.extend([key, end, other]);
            row
        };
        Ok(self.0.locks().locks().into_iter().map(row).collect())
    }
}

/// What kind of thing is locked, from which key up to which, or which transaction.
fn shown(resource: &LockedResource) -> (&'static str, Value, Value, Value) {
    let bytes = |key: &[u8]| Value::Bytes(key.to_vec());
    let none = Value::Null;
    match resource {
        LockedResource::Database => ("database", none.clone(), none.clone(), none),
        LockedResource::Table(_) => ("table", none.clone(), none.clone(), none),
        LockedResource::Key(_, key) => ("key", bytes(key), none.clone(), none),
        LockedResource::KeyRange(_, from, to) => {
            let to = to.as_deref().map_or(Value::Null, bytes);
            ("range", bytes(from), to, none)
        }
        LockedResource::Transaction(id) => ("transaction", none.clone(), none, number(id.raw())),
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::IntentShared => "IS",
        Mode::IntentExclusive => "IX",
        Mode::Shared => "S",
        Mode::SharedIntentExclusive => "SIX",
        Mode::Exclusive => "X",
    }
}
