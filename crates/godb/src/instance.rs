//! [`Instance`]: an open database behind its handles; it owns the engine, the SQL layer and the background threads.

use crate::background::Background;
use crate::config::Config;
use crate::connection::Connections;
use crate::error::Result;
use crate::keys::KeyTree;
use crate::storage::Storage;
use godb_page::{Environment, FileSystem};
use godb_sql::{Sql, SqlOptions, StorageEngine};

use std::path::Path;
use std::sync::Arc;

/// Everything that lives as long as the database is open.
pub(crate) struct Instance {
    /// How it was opened.
    pub(crate) config: Config,
    /// How many sessions and transactions are open.
    pub(crate) connections: Connections,
    /// The tree of the key-value API.
    pub(crate) keys: Arc<KeyTree>,
    sql: Option<Arc<Sql>>,
    engine: Option<Arc<dyn StorageEngine>>,
    storage: Option<Arc<Storage>>,
    background: Option<Background>,
}

impl Instance {
    /// Opens the stack on a file.
    pub(crate) fn open(
        files: Arc<dyn FileSystem>,
        environment: &Environment,
        path: &Path,
        config: Config,
    ) -> Result<Arc<Self>> {
        config.validate()?;
        let storage = Arc::new(Storage::open(files, environment, path, &config)?);
        let engine = storage.engine();
        Self::assemble(engine, Some(storage), environment, config)
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

    fn assemble(
        engine: Arc<dyn StorageEngine>,
        storage: Option<Arc<Storage>>,
        environment: &Environment,
        config: Config,
    ) -> Result<Arc<Self>> {
        let options = SqlOptions {
            plan_cache_bytes: config.query_cache_size,
            work_mem: config.work_memory,
            isolation: config.isolation,
            ..SqlOptions::default()
        };
        let sql = Sql::open(engine.clone(), environment.clone(), options)?;
        let keys = Arc::new(KeyTree::find(&engine)?);
        let background = config
            .background_threads
            .then(|| Background::start(environment, &config, engine.clone(), storage.clone()));
        Ok(Arc::new(Self {
            config,
            connections: Connections::default(),
            keys,
            sql: Some(sql),
            engine: Some(engine),
            storage,
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
        if let Some(storage) = &self.storage {
            more |= storage.write_log()?;
            more |= storage.write_back()?;
        }
        if self.engine().log_since_checkpoint() > self.config.log_between_checkpoints() {
            self.engine().checkpoint()?;
        }
        Ok(more)
    }

    /// Checks what is stored, from pages to indexes, while the background rests.
    pub(crate) fn check(&self) -> Result<Vec<String>> {
        match &self.background {
            Some(background) => background.pause(|| self.check_quietly()),
            None => self.check_quietly(),
        }
    }

    fn check_quietly(&self) -> Result<Vec<String>> {
        let mut findings = match &self.storage {
            Some(storage) => storage.check()?,
            None => Vec::new(),
        };
        // What lies on damaged trees cannot be judged.
        if findings.is_empty() {
            findings = self.sql().check()?.problems;
        }
        Ok(findings)
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
        match self.storage.take() {
            Some(storage) => storage.close(),
            None => Ok(()),
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
