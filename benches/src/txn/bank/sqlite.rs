//! SQLite, tuned: write-ahead log synced at each commit, cached statements, a connection a client.

use super::{Accounts, Bank, FEW, MEMORY, Teller, Transfer};
use crate::Result;
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) struct Sqlite(PathBuf);

impl Sqlite {
    pub(super) fn open(folder: &Path, accounts: u64) -> Result<Self> {
        let bank = Self(folder.join("bank.sqlite"));
        let mut connection = bank.connect()?;
        for (table, count) in [(Accounts::Few, FEW), (Accounts::Many, accounts)] {
            let table = table.table();
            let transaction = connection.transaction()?;
            transaction.execute_batch(&format!(
                "CREATE TABLE {table} (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, owner TEXT NOT NULL); \
                 WITH RECURSIVE g(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM g WHERE id + 1 < {count}) \
                 INSERT INTO {table} SELECT id, 0, 'the owner of an account whose name is rather long' FROM g"
            ))?;
            transaction.commit()?;
        }
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(bank)
    }

    fn connect(&self) -> Result<Connection> {
        let connection = Connection::open(&self.0)?;
        connection.busy_timeout(Duration::from_secs(60))?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -{}; PRAGMA mmap_size = {MEMORY}",
            MEMORY / 1024
        ))?;
        Ok(connection)
    }
}

impl Bank for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn teller(&self, accounts: Accounts) -> Result<Box<dyn Teller + '_>> {
        let table = accounts.table();
        Ok(Box::new(Client {
            connection: self.connect()?,
            update: format!("UPDATE {table} SET balance = balance + ? WHERE id = ?"),
            total: format!("SELECT sum(balance) FROM {table}"),
        }))
    }
}

struct Client {
    connection: Connection,
    update: String,
    total: String,
}

impl Teller for Client {
    fn transfer(&mut self, transfer: Transfer) -> Result<bool> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut update = self.connection.prepare_cached(&self.update)?;
        for (id, amount) in transfer.changes() {
            update.execute(params![amount, id])?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(true)
    }

    fn total(&mut self) -> Result<i64> {
        Ok(self.connection.query_row(&self.total, [], |row| row.get(0))?)
    }
}
