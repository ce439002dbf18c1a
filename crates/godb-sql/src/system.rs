//! System relations: what goes on in the database, as tables that nobody stores.
//!
//! `SELECT * FROM godb_locks` should be an ordinary query, with joins, WHERE and ORDER BY, over rows that exist only while they are looked at. Such a relation is a name, columns
//! and a function that makes the rows: a [`SystemRelation`]. It is a port: this crate knows how to read one, and nothing of what stands in it; whoever
//! wires the layers gives a list of them in [`SqlOptions::system`](crate::SqlOptions::system). To add one, implement the trait where its facts are at hand and put it
//! on that list; no other line changes.
//!
//! ```text
//! SELECT … FROM godb_locks ──binder──▶ Logical::System ──▶ Physical::System ──▶ rows() when the scan begins ──▶ batches
//! ```
//!
//! # What holds for every one of them
//!
//! - The rows are made anew each time a scan of it begins: they show that moment, not the statement's snapshot. Two scans in one statement may differ.
//! - They show the present, also in a transaction that reads the past. `AS OF SYSTEM TIME` after one of them alone is refused.
//! - A table or view of the user's with the same name hides it, so that a later version of godb can add relations without breaking anyone's schema.
//! - They cannot be changed, and views cannot be made of them: a view would outlive the version that has the relation.

pub(crate) mod pg;

use crate::catalog::{Stored, TableId};
use crate::error::Result;
use crate::session::SessionContext;
use crate::types::DataType;
use crate::value::Value;
use godb_mvcc::{EngineTransaction, TreeId};
use std::collections::HashMap;
use std::sync::Arc;

/// A relation whose rows are made when they are asked for.
pub trait SystemRelation: Send + Sync {
    /// Its name, in lower case; by custom it begins with `godb_`.
    fn name(&self) -> &str;
    /// Names and types of its columns.
    fn columns(&self) -> &[(&'static str, DataType)];
    /// The rows of this moment: for each a value for every column, NULL or of the column's type. Called outside of all latches; must not wait for
    /// transactions.
    ///
    /// # Errors
    /// What keeps them from being made; it is the statement's error.
    fn rows(&self, asking: &Asking<'_>) -> Result<Vec<Vec<Value>>>;
}

/// The statement that asks for rows, for what it knows of the schema.
pub struct Asking<'a> {
    tx: &'a dyn EngineTransaction,
    root: TreeId,
    session: &'a SessionContext,
}

/// What a tree is to SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeName {
    /// The table's number.
    pub id: TableId,
    /// The table.
    pub table: String,
    /// Which of its indexes; the rows themselves otherwise.
    pub index: Option<String>,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(tx: &'a dyn EngineTransaction, root: TreeId, session: &'a SessionContext) -> Self {
        Self { tx, root, session }
    }

    /// The session that the statement runs in.
    #[must_use]
    pub fn session(&self) -> &SessionContext {
        self.session
    }

    /// The transaction of the statement, to read with.
    #[must_use]
    pub fn transaction(&self) -> &dyn EngineTransaction {
        self.tx
    }

    /// The tree of the catalog itself.
    #[must_use]
    pub fn catalog(&self) -> TreeId {
        self.root
    }

    /// What the trees of all tables and indexes are, as the statement sees the schema.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn trees(&self) -> Result<HashMap<TreeId, TreeName>> {
        let stored = Stored::new(self.tx, self.root);
        let mut trees = HashMap::new();
        for table in stored.tables()? {
            let named = |index: Option<String>| TreeName {
                id: table.id,
                table: table.name.clone(),
                index,
            };
            for index in &table.indexes {
                trees.insert(index.tree, named(Some(index.name.clone())));
            }
            trees.insert(table.tree, named(None));
        }
        Ok(trees)
    }
}

/// A system relation as plans name it.
#[derive(Clone)]
pub struct SystemTable(pub(crate) Arc<dyn SystemRelation>);

impl SystemTable {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The rows of this moment.
    ///
    /// # Errors
    /// As [`SystemRelation::rows`].
    pub fn rows(&self, asking: &Asking<'_>) -> Result<Vec<Vec<Value>>> {
        self.0.rows(asking)
    }
}

impl std::fmt::Debug for SystemTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SystemTable").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests;
