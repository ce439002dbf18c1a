//! [`SchemaCache`]: descriptions of tables in memory, by schema version; [`SchemaView`]: the catalog that a statement binds against.
//!
//! Reading the schema version costs one lookup in the root tree, and most statements need not even that: a snapshot at or after
//! the newest DDL commit sees the newest schema, as long as no DDL commits meanwhile. The cache therefore counts DDL commits
//! before they begin and after they end. Whoever took his snapshot first and finds the count unchanged and none under way
//! afterwards, knows that no DDL fell between.

use super::store::{Named, Stored};
use super::{Catalog, Table, TableId, View};
use crate::error::Result;
use godb_mvcc::sync::Mutex;
use godb_mvcc::sync::atomic::{AtomicU64, Ordering};
use godb_mvcc::{EngineTransaction, Timestamp, TreeId};
use std::collections::HashMap;
use std::sync::Arc;

/// How many versions of the schema are kept.
const KEPT: usize = 8;

/// Tables and views as they are under one schema version, loaded when first asked for.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The version, or `None` for what a transaction with uncommitted DDL sees: never shared.
    pub(crate) version: Option<u64>,
    tables: Mutex<HashMap<String, Option<Arc<Table>>>>,
    views: Mutex<HashMap<String, Option<Arc<View>>>>,
}

impl Schema {
    /// Nothing loaded yet.
    pub(crate) fn new(version: Option<u64>) -> Self {
        Self {
            version,
            tables: Mutex::new(HashMap::new()),
            views: Mutex::new(HashMap::new()),
        }
    }

    fn cached(&self, name: &str) -> Option<Option<Arc<Table>>> {
        self.tables.lock().get(name).cloned()
    }

    /// Forgets a table, so that its description, with a new estimate, is loaded again.
    fn forget(&self, name: &str) {
        self.tables.lock().remove(name);
    }
}

/// A schema that a session has at hand, and when it is the right one.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    schema: Arc<Schema>,
    changes: u64,
    valid_from: Timestamp,
}

/// The newest schema version, and since which commit.
#[derive(Clone, Copy, Debug)]
struct Newest {
    version: u64,
    since: Timestamp,
}

/// Schemas by version, shared by all sessions.
#[derive(Debug)]
pub(crate) struct SchemaCache {
    root: TreeId,
    /// DDL commits that have begun or ended.
    changes: AtomicU64,
    under_way: AtomicU64,
    newest: Mutex<Newest>,
    recent: Mutex<Vec<Arc<Schema>>>,
    estimates: Mutex<HashMap<TableId, u64>>,
}

impl SchemaCache {
    /// For an engine whose root tree is `root`; `tx` sees the newest schema.
    pub(crate) fn new(root: TreeId, tx: &dyn EngineTransaction) -> Result<Self> {
        let version = Stored::new(tx, root).version()?;
        Ok(Self {
            root,
            changes: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            newest: Mutex::new(Newest {
                version,
                since: tx.snapshot(),
            }),
            recent: Mutex::new(Vec::new()),
            estimates: Mutex::new(HashMap::new()),
        })
    }

    /// The schema that `tx`, which has changed none, sees. `known` is what the session used last.
    pub(crate) fn of(&self, tx: &dyn EngineTransaction, known: &mut Option<Known>) -> Result<Arc<Schema>> {
        let changes = self.changes.load(Ordering::Acquire);
        let quiet = self.under_way.load(Ordering::Acquire) == 0;
        if let Some(known) = known
            && quiet
            && known.changes == changes
            && tx.snapshot() >= known.valid_from
        {
            return Ok(known.schema.clone());
        }
        let schema = self.version(Stored::new(tx, self.root).version()?);
        let newest = *self.newest.lock();
        if quiet && schema.version == Some(newest.version) {
            *known = Some(Known {
                schema: schema.clone(),
                changes,
                valid_from: newest.since,
            });
        }
        Ok(schema)
    }

    fn version(&self, version: u64) -> Arc<Schema> {
        let mut recent = self.recent.lock();
        if let Some(at) = recent.iter().position(|schema| schema.version == Some(version)) {
            return recent[at].clone();
        }
        let schema = Arc::new(Schema::new(Some(version)));
        recent.insert(0, schema.clone());
        recent.truncate(KEPT);
        schema
    }

    /// Runs the commit of a transaction that changed the schema to `version`.
    pub(crate) fn commit(
        &self,
        version: u64,
        commit: impl FnOnce() -> Result<Timestamp>,
    ) -> Result<Timestamp> {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        self.changes.fetch_add(1, Ordering::AcqRel);
        let outcome = commit();
        if let Ok(since) = outcome {
            let mut newest = self.newest.lock();
            if version > newest.version {
                *newest = Newest { version, since };
            }
        }
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.under_way.fetch_sub(1, Ordering::AcqRel);
        outcome
    }

    /// The catalog that `tx` sees, for binding.
    pub(crate) fn view<'a>(&'a self, schema: &'a Schema, tx: &'a dyn EngineTransaction) -> SchemaView<'a> {
        SchemaView {
            cache: self,
            schema,
            tx,
        }
    }

    /// Adds to the estimate of a table's rows. Returns it, and whether it has become so different from `planned` that plans
    /// should be made anew.
    pub(crate) fn adjust_estimate(&self, table: TableId, planned: u64, change: i64) -> (u64, bool) {
        let mut estimates = self.estimates.lock();
        let estimate = estimates.entry(table).or_insert(planned);
        *estimate = estimate.saturating_add_signed(change);
        let replan = *estimate > planned.saturating_mul(2) + 500 || *estimate + 500 < planned / 2;
        (*estimate, replan)
    }

    /// Sets the estimate of a table's rows to what was counted.
    pub(crate) fn set_estimate(&self, table: TableId, rows: u64) {
        self.estimates.lock().insert(table, rows);
    }

    /// Plans are to be made anew, although the schema stays.
    pub(crate) fn forget_table(&self, table: &str) {
        self.recent.lock().iter().for_each(|schema| schema.forget(table));
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Changes whenever a cached plan may have become worse or wrong.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}

/// The catalog as one transaction sees it.
pub(crate) struct SchemaView<'a> {
    cache: &'a SchemaCache,
    schema: &'a Schema,
    tx: &'a dyn EngineTransaction,
}

impl SchemaView<'_> {
    /// The stored catalog.
    pub(crate) fn stored(&self) -> Stored<'_> {
        Stored::new(self.tx, self.cache.root)
    }

    fn load(&self, name: &str) -> Result<Option<Arc<Table>>> {
        let Some(Named::Table(id)) = self.stored().named(name)? else {
            return Ok(None);
        };
        let Some(mut table) = self.stored().table(id)? else {
            return Ok(None);
        };
        table.row_estimate = self.estimate(&table)?;
        bind_checks(&mut table)?;
        Ok(Some(Arc::new(table)))
    }

    fn estimate(&self, table: &Table) -> Result<u64> {
        if let Some(estimate) = self.cache.estimates.lock().get(&table.id) {
            return Ok(*estimate);
        }
        let estimate = match self.stored().estimate(table.id)? {
            Some(estimate) => estimate,
            None => super::estimate::rows(self.tx, table)?,
        };
        self.cache.estimates.lock().entry(table.id).or_insert(estimate);
        Ok(estimate)
    }
}

/// Binds the expressions of a table's checks, so that every INSERT and UPDATE has them at hand.
pub(crate) fn bind_checks(table: &mut Table) -> Result<()> {
    for at in 0..table.checks.len() {
        let expr = crate::binder::bind_table_expr(&table.checks[at].text, &table.columns, &table.name)?;
        table.checks[at].expr = Some(expr);
    }
    Ok(())
}

impl Catalog for SchemaView<'_> {
    fn table(&self, name: &str) -> Result<Option<Arc<Table>>> {
        if let Some(found) = self.schema.cached(name) {
            return Ok(found);
        }
        let loaded = self.load(name)?;
        self.schema.tables.lock().insert(name.to_owned(), loaded.clone());
        Ok(loaded)
    }

    fn tables(&self) -> Result<Vec<String>> {
        self.stored().table_names()
    }

    fn view(&self, name: &str) -> Result<Option<Arc<View>>> {
        let cached = self.schema.views.lock().get(name).cloned();
        if let Some(found) = cached {
            return Ok(found);
        }
        let loaded = match self.stored().named(name)? {
            Some(Named::View(id)) => self.stored().view(id)?,
            _ => None,
        };
        let loaded = loaded.map(|view| View::new(view).map(Arc::new)).transpose()?;
        self.schema.views.lock().insert(name.to_owned(), loaded.clone());
        Ok(loaded)
    }

    fn name_of(&self, id: TableId) -> Result<Option<String>> {
        if let Some(table) = self.stored().table(id)? {
            return Ok(Some(table.name));
        }
        Ok(self.stored().view(id)?.map(|view| view.name))
    }
}
