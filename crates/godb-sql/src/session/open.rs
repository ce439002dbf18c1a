//! [`Open`]: the transaction a session is in.

use crate::catalog::{Known, Schema, StoredMut, TableId};
use crate::error::{Result, SqlError, state};
use crate::session::Sql;
use crate::settings::{Running, SettingsPoint};
use godb_mvcc::{Begin, EngineSavepoint, EngineTransaction, Isolation, Strength, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The settings there were at a savepoint, and how many cursors had been declared.
pub(super) type SessionPoint = (SettingsPoint, u64);

/// A transaction and what the session remembers of it.
pub(super) struct Open {
    pub(super) tx: Box<dyn EngineTransaction>,
    pub(super) how: Begin,
    /// A statement failed; only rolling back is possible.
    pub(super) failed: bool,
    /// Nothing was done in it yet: its snapshot may still be taken anew.
    pub(super) untouched: bool,
    /// Nobody wrote BEGIN: a server put statements together that came together.
    pub(super) implicit: bool,
    /// What it sees of the schema, when it has changed it.
    ddl: Option<Arc<Schema>>,
    /// Tables whose description it has locked against DDL.
    locked: HashSet<TableId>,
    /// Tables it made.
    pub(super) own_tables: HashSet<TableId>,
    /// By how much it changed the number of rows of each table, and the table's name.
    changes: HashMap<TableId, (String, u64, i64)>,
    /// Tables whose rows were counted when they were copied in, to be stored after the commit.
    counted: HashSet<TableId>,
    savepoints: Vec<(String, EngineSavepoint, SessionPoint)>,
}

impl Open {
    /// Begins a transaction.
    pub(super) fn begin(sql: &Sql, how: Begin) -> Result<Self> {
        Ok(Self {
            tx: sql.engine.clone().begin(how)?,
            how,
            failed: false,
            untouched: true,
            implicit: false,
            ddl: None,
            locked: HashSet::new(),
            own_tables: HashSet::new(),
            changes: HashMap::new(),
            counted: HashSet::new(),
            savepoints: Vec::new(),
        })
    }

    /// What it is like, for the settings that say so.
    pub(super) fn running(&self) -> Running {
        Running {
            isolation: self.how.isolation,
            read_only: self.how.read_only || self.how.as_of.is_some(),
            deferrable: self.how.deferrable,
        }
    }

    /// The schema that this transaction sees.
    pub(super) fn schema(&self, sql: &Sql, known: &mut Option<Known>) -> Result<Arc<Schema>> {
        match &self.ddl {
            Some(schema) => Ok(schema.clone()),
            None => sql.cache.of(&*self.tx, known),
        }
    }

    /// It has changed the schema, or taken a change back: what is known of it may be wrong.
    pub(super) fn schema_changed(&mut self) {
        self.ddl = Some(Arc::new(Schema::new(None)));
    }

    /// Keeps DDL away from a table until the end, before its rows are written.
    pub(super) fn lock_for_writing(&mut self, sql: &Sql, table: TableId) -> Result<()> {
        if !self.own_tables.contains(&table) && !self.locked.contains(&table) {
            StoredMut::new(&mut *self.tx, sql.engine.root()).lock_table(table, Strength::Shared)?;
            self.locked.insert(table);
        }
        Ok(())
    }

    /// Remembers by how much a table has grown.
    pub(super) fn grew(&mut self, table: &crate::catalog::Table, rows: i64) {
        let entry = self
            .changes
            .entry(table.id)
            .or_insert_with(|| (table.name.clone(), table.row_estimate, 0));
        entry.2 = entry.2.saturating_add(rows);
    }

    /// After the commit the estimate of the table's rows is worth storing: many have come at once.
    pub(super) fn count_after_commit(&mut self, table: &crate::catalog::Table) {
        self.counted.insert(table.id);
    }

    /// Before a statement in a transaction that has done nothing yet, or under read committed: the snapshot is that of now.
    pub(super) fn begin_statement(&mut self, sql: &Sql) -> Result<()> {
        let fresh = std::mem::replace(&mut self.untouched, false);
        if self.how.as_of.is_some() {
            return Ok(());
        }
        if self.how.isolation == Isolation::ReadCommitted {
            return Ok(self.tx.next_statement()?);
        }
        // One that has waited for a safe snapshot keeps it.
        if fresh && !self.how.deferrable && sql.engine.now() > self.tx.snapshot() {
            self.tx = sql.engine.clone().begin(self.how)?;
        }
        Ok(())
    }

    /// A point to return to, with what the session was like.
    pub(super) fn savepoint(&mut self, name: &str, session: SessionPoint) -> Result<()> {
        let point = self.tx.savepoint()?;
        self.savepoints.push((name.to_owned(), point, session));
        Ok(())
    }

    fn position(&self, name: &str) -> Result<usize> {
        self.savepoints
            .iter()
            .rposition(|(known, ..)| known == name)
            .ok_or_else(|| {
                let message = format!("savepoint \"{name}\" does not exist");
                SqlError::new(state::INVALID_SAVEPOINT_SPECIFICATION, message)
            })
    }

    /// Forgets a savepoint and all later ones.
    pub(super) fn release(&mut self, name: &str) -> Result<()> {
        let at = self.position(name)?;
        self.savepoints.truncate(at);
        Ok(())
    }

    /// Undoes everything since a savepoint, which stays. Returns what the session was like then.
    pub(super) fn roll_back_to(&mut self, name: &str) -> Result<SessionPoint> {
        let at = self.position(name)?;
        let point = self.savepoints[at].1;
        self.undo_to(point)?;
        self.savepoints.truncate(at + 1);
        self.failed = false;
        Ok(self.savepoints[at].2.clone())
    }

    /// Undoes everything since `point`.
    pub(super) fn undo_to(&mut self, point: EngineSavepoint) -> Result<()> {
        self.tx.roll_back_to(point)?;
        if self.ddl.is_some() {
            self.schema_changed();
            self.own_tables.clear();
        }
        Ok(())
    }

    /// Commits.
    pub(super) fn commit(self, sql: &Sql) -> Result<Timestamp> {
        let tx = self.tx;
        let at = if self.ddl.is_some() {
            let version = crate::catalog::Stored::new(&*tx, sql.engine.root()).version()?;
            sql.cache.commit(version, || Ok(tx.commit()?))?
        } else {
            tx.commit()?
        };
        for (table, (name, planned, rows)) in self.changes {
            sql.table_grew(table, &name, planned, rows, self.counted.contains(&table));
        }
        Ok(at)
    }
}
