//! [`Instance`]: an open database behind its handles; it owns the engine, the SQL layer and the background threads.

use crate::background::Background;
use crate::check::{self, CheckReport};
use crate::config::Config;
use crate::connection::Connections;
use crate::error::Result;
use crate::keys::KeyTree;
use crate::read_only::{self, ReadOnlyEngine};
use crate::scrub::Scrubber;
use crate::settings::LiveSettings;
use crate::storage::Storage;
use godb_page::{Clock, Environment, FileSystem, Random};
use godb_sql::{Sql, SqlOptions, StorageEngine};

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// Everything that lives as long as the database is open.
pub(crate) struct Instance {
    /// How it was opened.
    pub(crate) config: Config,
    /// What of that can be changed, and may have been.
    pub(crate) settings: Arc<LiveSettings>,
    /// How many sessions and transactions are open.
    pub(crate) connections: Connections,
    /// The environment's clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Random numbers of the environment.
    pub(crate) random: Arc<dyn Random>,
    /// The tree of the key-value API.
    pub(crate) keys: Arc<KeyTree>,
    sql: Option<Arc<Sql>>,
    engine: Option<Arc<dyn StorageEngine>>,
    storage: Option<Arc<Storage>>,
    scrubber: Option<Arc<Scrubber>>,
    background: Option<Background>,
}

/// Who makes verifiers of passwords, if this build has the cryptography.
#[cfg(feature = "passwords")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn passwords(environment: &Environment) -> Option<Arc<dyn godb_sql::Passwords>> {
    Some(Arc::new(crate::passwords::Scram(environment.random.clone())))
}

#[cfg(not(feature = "passwords"))]
fn passwords(_environment: &Environment) -> Option<Arc<dyn godb_sql::Passwords>> {
    None
}

impl Instance {
    /// Opens the stack on a file.
    pub(crate) fn open(
        files: &Arc<dyn FileSystem>,
        environment: &Environment,
        path: &Path,
        config: Config,
    ) -> Result<Arc<Self>> {
        config.validate()?;
        if config.read_only {
            let storage = read_only::open(files, environment, path, &config)?;
            return Self::assemble_read_only(storage, environment, config);
        }
        match Storage::open(files.clone(), environment, path, &config) {
            Ok(storage) => {
                let storage = Arc::new(storage);
                Self::assemble(storage.engine(), Some(storage), environment, config)
            }
            Err(error) if read_only::refuses_writes(&error) => {
                let Ok(true) = files.exists(&path.to_string_lossy()) else {
                    return Err(error);
                };
                let storage = read_only::open(files, environment, path, &config)?;
                tracing::warn!(%error, "the database cannot be written and is open for reading only");
                Self::assemble_read_only(storage, environment, config)
            }
            Err(error) => Err(error),
        }
    }

    /// Uses an engine that somebody else opened.
    pub(crate) fn on_engine(
        engine: Arc<dyn StorageEngine>,
        environment: &Environment,
        config: Config,
    ) -> Result<Arc<Self>> {
        config.validate()?;
        Self::assemble(engine, None, environment, config)
    }

    fn assemble_read_only(
        storage: Storage,
        environment: &Environment,
        mut config: Config,
    ) -> Result<Arc<Self>> {
        let engine = ReadOnlyEngine::new(storage.engine());
        config.read_only = true;
        let instance = Self::assemble(engine.clone(), Some(Arc::new(storage)), environment, config)?;
        engine.seal();
        Ok(instance)
    }

    fn assemble(
        engine: Arc<dyn StorageEngine>,
        storage: Option<Arc<Storage>>,
        environment: &Environment,
        config: Config,
    ) -> Result<Arc<Self>> {
        let settings = LiveSettings::new(&config, storage.clone());
        let mut system = storage.as_ref().map(crate::system::relations).unwrap_or_default();
        system.push(crate::system::settings(settings.clone()));
        let options = SqlOptions {
            plan_cache_bytes: config.query_cache_size,
            work_mem: config.work_memory,
            isolation: config.isolation,
            max_connections: config.max_connections,
            passwords: passwords(environment),
            lock_timeout: config.lock_timeout,
            database: settings.clone(),
            system,
            // An engine of somebody else's may lock what is read.
            reads_wait: storage.is_none() || !config.mvcc,
            ..SqlOptions::default()
        };
        let sql = Sql::open(engine.clone(), environment.clone(), options)?;
        let keys = Arc::new(KeyTree::find(&engine)?);
        let scrubber = storage.clone().map(|storage| {
            let scrubber = Scrubber::new(storage, environment.clock.clone(), settings.clone());
            Arc::new(scrubber)
        });
        let background = config.background_threads.then(|| {
            Background::start(
                environment,
                config.read_only,
                settings.clone(),
                engine.clone(),
                storage.clone(),
                scrubber.clone(),
            )
        });
        Ok(Arc::new(Self {
            config,
            settings,
            connections: Connections::default(),
            clock: environment.clock.clone(),
            random: environment.random.clone(),
            keys,
            sql: Some(sql),
            engine: Some(engine),
            storage,
            scrubber,
            background,
        }))
    }

    /// The SQL layer.
    pub(crate) fn sql(&self) -> &Arc<Sql> {
        self.sql
            .as_ref()
            .expect("taken only when the last handle closes it")
    }

    /// The storage engine.
    pub(crate) fn engine(&self) -> &Arc<dyn StorageEngine> {
        self.engine
            .as_ref()
            .expect("taken only when the last handle closes it")
    }

    /// One step of each kind of background work.
    pub(crate) fn step(&self) -> Result<bool> {
        let mut more = self.engine().collect()?;
        if let Some(scrubber) = &self.scrubber {
            scrubber.step()?;
        }
        if let Some(storage) = self.storage.as_ref().filter(|_| !self.config.read_only) {
            more |= storage.write_log()?;
            more |= storage.write_back()?;
            storage.settle()?;
        }
        self.compact_if_due()?;
        if self.engine().log_since_checkpoint() > self.settings.checkpoint_log_size() {
            self.engine().checkpoint()?;
        }
        Ok(more)
    }

    /// Compacts the file, all at once, when the configured share of it is free.
    fn compact_if_due(&self) -> Result<()> {
        let (Some(storage), Some(share)) = (&self.storage, self.settings.compaction_threshold()) else {
            return Ok(());
        };
        if !self.config.read_only && storage.wants_compaction(share)? {
            self.engine()
                .clone()
                .compact(None, &mut |_| ControlFlow::Continue(()))?;
            storage.was_compacted()?;
        }
        Ok(())
    }

    /// Checks what is stored, from pages to indexes. `resting` says that no transaction is open.
    pub(crate) fn check(&self, resting: bool) -> Result<CheckReport> {
        let parts = check::Parts {
            storage: self.storage.as_deref(),
            sql: self.sql(),
            keys: self.keys.get(),
        };
        check::check(&parts, resting)
    }

    /// Counts all rows anew; nobody else may use the database meanwhile.
    pub(crate) fn recount(&self) -> Result<()> {
        self.storage.as_ref().map_or(Ok(()), |storage| storage.recount())
    }

    /// The scrubber, where the engine is our own.
    pub(crate) fn scrubber(&self) -> Option<&Scrubber> {
        self.scrubber.as_deref()
    }

    /// Closes it, and tells how that went.
    pub(crate) fn close(mut self) -> Result<()> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<()> {
        if let Some(background) = self.background.take() {
            background.stop();
        }
        self.sql = None;
        self.engine = None;
        self.scrubber = None;
        match self.storage.take() {
            Some(storage) if !self.config.read_only => storage.close(),
            _ => Ok(()),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            // Nobody is left to hear it; what was acknowledged is in the log, and the next opening recovers it.
            tracing::warn!(%error, "the database was not closed cleanly");
        }
    }
}
