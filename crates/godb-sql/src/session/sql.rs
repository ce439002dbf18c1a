//! [`Sql`]: SQL over one storage engine, shared by all sessions.

use super::Session;
use super::advisory::AdvisoryLocks;
use super::cache::PlanCache;
use super::plan::Prepared;
use super::registry::Registry;
use crate::catalog::{Role, SchemaCache, Stored, StoredMut, TableId};
use crate::ddl::Passwords;
use crate::dml::RowNumbers;
use crate::error::Result;
use crate::optimizer::{CardinalityEstimator, CostModel, DefaultCost, DefaultEstimator};
use crate::settings::database::{DatabaseSettings, NoSettings};
use crate::system::SystemRelation;
use godb_mvcc::{Begin, Environment, Isolation, StorageEngine};
use std::sync::Arc;

/// How SQL behaves.
#[derive(Clone)]
pub struct SqlOptions {
    /// Bytes of plans that are kept; zero keeps none.
    pub plan_cache_bytes: usize,
    /// Bytes of memory that one sort, join or aggregate may use before it goes to temporary files.
    pub work_mem: usize,
    /// What transactions see of the others, unless they say otherwise.
    pub isolation: Isolation,
    /// How many sessions there may be: for who asks. Whoever makes them keeps to it.
    pub max_connections: usize,
    /// Whoever reads may have to wait for who writes: the engine keeps no versions.
    pub reads_wait: bool,
    /// How long the engine waits for a lock: for who asks.
    pub lock_timeout: std::time::Duration,
    /// Guesses how many rows there are.
    pub estimator: Arc<dyn CardinalityEstimator>,
    /// Says what an algorithm costs.
    pub cost: Arc<dyn CostModel>,
    /// Makes verifiers of passwords for roles; without, roles have none.
    pub passwords: Option<Arc<dyn Passwords>>,
    /// Settings of the whole database.
    pub database: Arc<dyn DatabaseSettings>,
    /// Relations that show what goes on in the database; see [`crate::system`].
    pub system: Vec<Arc<dyn SystemRelation>>,
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self {
            plan_cache_bytes: 16 << 20,
            work_mem: 64 << 20,
            isolation: Isolation::default(),
            max_connections: 100,
            reads_wait: true,
            lock_timeout: std::time::Duration::from_secs(10),
            estimator: Arc::new(DefaultEstimator),
            cost: Arc::new(DefaultCost),
            passwords: None,
            database: Arc::new(NoSettings),
            system: Vec::new(),
        }
    }
}

impl std::fmt::Debug for SqlOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlOptions")
            .field("plan_cache_bytes", &self.plan_cache_bytes)
            .field("work_mem", &self.work_mem)
            .field("isolation", &self.isolation)
            .finish_non_exhaustive()
    }
}

/// SQL over a storage engine.
pub struct Sql {
    pub(super) engine: Arc<dyn StorageEngine>,
    pub(super) environment: Environment,
    pub(super) options: SqlOptions,
    pub(super) cache: SchemaCache,
    pub(super) plans: PlanCache,
    pub(super) numbers: Arc<RowNumbers>,
    pub(super) hash_seed: u64,
    pub(super) advisory: Arc<AdvisoryLocks>,
    pub(super) registry: Arc<Registry>,
}

impl std::fmt::Debug for Sql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sql")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Sql {
    /// Opens the SQL side of an engine, and makes the catalog when the engine is empty.
    ///
    /// # Errors
    /// The catalog cannot be read or made, or has a format that this version does not know.
    pub fn open(
        engine: Arc<dyn StorageEngine>,
        environment: Environment,
        options: SqlOptions,
    ) -> Result<Arc<Self>> {
        if !exists(&engine)? {
            create(&engine)?;
        }
        let tx = engine.clone().begin(Begin {
            read_only: true,
            ..Begin::default()
        })?;
        let cache = SchemaCache::new(engine.root(), &*tx)?;
        let plans = PlanCache::new(options.plan_cache_bytes);
        drop(tx);
        let hash_seed = environment.random.next_u64();
        let numbers = Arc::default();
        Ok(Arc::new(Self {
            engine,
            environment,
            options,
            cache,
            plans,
            numbers,
            hash_seed,
            advisory: Arc::default(),
            registry: Arc::default(),
        }))
    }

    /// A new session.
    #[must_use]
    pub fn session(self: &Arc<Self>) -> Session {
        Session::new(self.clone())
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn StorageEngine> {
        &self.engine
    }

    /// All roles, as they are now.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn roles(&self) -> Result<Vec<Role>> {
        let tx = self.engine.clone().begin(Begin {
            read_only: true,
            ..Begin::default()
        })?;
        Stored::new(&*tx, self.engine.root()).roles()
    }

    /// The role of that name, as it is now.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn role(&self, name: &str) -> Result<Option<Role>> {
        let tx = self.engine.clone().begin(Begin {
            read_only: true,
            ..Begin::default()
        })?;
        Stored::new(&*tx, self.engine.root()).role(name)
    }

    /// The statement of that text, parsed; from the cache where it is there.
    pub(super) fn prepared(self: Arc<Self>, text: &str) -> Result<Prepared> {
        if let Some(found) = self.plans.find(text) {
            return Ok(found);
        }
        let prepared = Prepared::parse(text, &[])?;
        // A password is not kept.
        if prepared.parsed().role.is_none() {
            self.plans.remember(text, &prepared);
        }
        Ok(prepared)
    }

    /// A committed transaction has changed the number of a table's rows.
    pub(super) fn table_grew(&self, table: TableId, name: &str, planned: u64, rows: i64, store: bool) {
        let (estimate, replan) = self.cache.adjust_estimate(table, planned, rows);
        if replan {
            self.cache.forget_table(name);
        }
        if store {
            self.store_estimate(table, estimate);
        }
    }

    /// Counts a table's rows anew, or remembers what was counted.
    pub(super) fn counted(&self, table: TableId, name: &str, rows: u64) {
        self.cache.set_estimate(table, rows);
        self.cache.forget_table(name);
        self.store_estimate(table, rows);
    }

    /// Estimates are advice: that one cannot be stored, because somebody else stores one at the same moment, harms nobody.
    fn store_estimate(&self, table: TableId, rows: u64) {
        let Ok(mut tx) = self.engine.clone().begin(Begin::default()) else {
            return;
        };
        let stored = StoredMut::new(&mut *tx, self.engine.root()).put_estimate(table, rows);
        if stored.is_ok() {
            let _ = tx.commit();
        }
    }
}

fn exists(engine: &Arc<dyn StorageEngine>) -> Result<bool> {
    let tx = engine.clone().begin(Begin {
        read_only: true,
        ..Begin::default()
    })?;
    Stored::new(&*tx, engine.root()).exists()
}

fn create(engine: &Arc<dyn StorageEngine>) -> Result<()> {
    let mut tx = engine.clone().begin(Begin::default())?;
    StoredMut::new(&mut *tx, engine.root()).create()?;
    tx.commit()?;
    Ok(())
}
