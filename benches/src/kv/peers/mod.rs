//! The databases that take part, each with its fastest honest way of doing what is asked.

mod fjall;
mod godb;
mod lmdb;
mod lmdb_environment;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocksdb;
mod sled;
mod sqlite;

use super::peer::Kind;

/// All of them, godb first.
pub(crate) const ALL: &[Kind] = &[
    godb::KIND,
    redb::KIND,
    lmdb::KIND,
    fjall::KIND,
    sqlite::KIND,
    sled::KIND,
    #[cfg(feature = "rocksdb")]
    rocksdb::KIND,
];
