//! SQLite, tuned: write-ahead log, cached statements, a table without row ids.

use crate::Result;
use crate::kv::peer::{Durability, Kind, Opening, Peer, Reader, Session, Visit, Writer};
use rusqlite::{Connection, OptionalExtension, params};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

pub(super) const KIND: Kind = Kind { name: "SQLite", open };

fn open(opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let peer = Sqlite {
        file: opening.folder.join("bench.sqlite"),
        cache: opening.cache,
        durability: opening.durability,
        checkpoint_pages: if opening.checkpoints { 1000 } else { 0 },
    };
    peer.connect()?.execute_batch(
        "CREATE TABLE IF NOT EXISTS bench (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID",
    )?;
    Ok(Box::new(peer))
}

struct Sqlite {
    file: PathBuf,
    cache: usize,
    durability: Durability,
    /// A checkpoint is taken when the log has so many pages; at its default, or never.
    checkpoint_pages: u32,
}

impl Sqlite {
    fn connect(&self) -> Result<Connection> {
        let connection = Connection::open(&self.file)?;
        let synchronous = match self.durability {
            Durability::Synced => "FULL",
            Durability::Unsynced => "OFF",
        };
        connection.busy_timeout(Duration::from_secs(60))?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -{}; \
             PRAGMA wal_autocheckpoint = {}",
            self.cache / 1024,
            self.checkpoint_pages
        ))?;
        Ok(connection)
    }
}

impl Peer for Sqlite {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self.connect()?))
    }

    fn compact(&mut self) -> Result<bool> {
        let connection = self.connect()?;
        connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(true)
    }

    fn checkpoint(&self) -> Result<()> {
        Ok(self.connect()?.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}

impl Session for Connection {
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
        self.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        {
            let mut writer = Write {
                insert: self.prepare_cached("INSERT OR REPLACE INTO bench VALUES (?, ?)")?,
                delete: self.prepare_cached("DELETE FROM bench WHERE k = ?")?,
            };
            body(&mut writer)?;
        }
        self.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        self.prepare_cached("BEGIN")?.execute([])?;
        {
            let mut reader = Read {
                get: self.prepare_cached("SELECT v FROM bench WHERE k = ?")?,
                scan: self.prepare_cached("SELECT k, v FROM bench WHERE k >= ? ORDER BY k")?,
                count: self.prepare_cached("SELECT count(*) FROM bench")?,
            };
            body(&mut reader)?;
        }
        self.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

struct Write<'c> {
    insert: rusqlite::CachedStatement<'c>,
    delete: rusqlite::CachedStatement<'c>,
}

impl Writer for Write<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.insert.execute(params![key, value])?;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.delete.execute(params![key])?;
        Ok(())
    }
}

struct Read<'c> {
    get: rusqlite::CachedStatement<'c>,
    scan: rusqlite::CachedStatement<'c>,
    count: rusqlite::CachedStatement<'c>,
}

impl Reader for Read<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let found = self
            .get
            .query_row(params![key], |row| {
                show(row.get_ref(0)?.as_blob()?);
                Ok(())
            })
            .optional()?;
        Ok(found.is_some())
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()> {
        let mut rows = self.scan.query(params![from])?;
        while let Some(row) = rows.next()? {
            let (key, value) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
            if let ControlFlow::Break(()) = visit(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<u64> {
        let count: i64 = self.count.query_row([], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}
