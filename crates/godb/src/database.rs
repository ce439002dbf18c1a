//! [`Database`]: a handle to an open database, cheap to clone, shared between threads.

use crate::check::CheckReport;
use crate::config::Config;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::prepared::Prepared;
use crate::repair::{RepairReport, RepairTo};
use crate::retry::{Retries, Retry};
use crate::rows::Rows;
use crate::salvage::SalvageReport;
use crate::scrub::ScrubReport;
use crate::session::Session;
use crate::transaction::Transaction;
use godb_page::{Environment, FileSystem};
use godb_sql::{Begin, CompactionProgress, Moment, StorageEngine, TableDescription, Timestamp, Value};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// An open database. Clones are handles to the same one; it closes when the last handle, transaction and result is dropped.
#[derive(Clone)]
pub struct Database {
    instance: Arc<Instance>,
}

impl Database {
    /// Opens a database file, creating it when it is not there.
    ///
    /// # Errors
    /// The file is in use, is no godb database, is damaged beyond recovery, or was not closed cleanly and its log is gone.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, Config::default())
    }

    /// Opens a database file with a configuration.
    pub fn open_with(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        let environment = Environment::system();
        Self::open_on(crate::storage::real_files(), &environment, path.as_ref(), config)
    }

    /// Opens a database on files, clock, randomness and threads of the caller's: a disk that fails on demand, a clock that
    /// stands still.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the files are given to the database for good"
    )]
    pub fn open_on(
        files: Arc<dyn FileSystem>,
        environment: &Environment,
        path: &Path,
        config: Config,
    ) -> Result<Self> {
        Ok(Self {
            instance: Instance::open(&files, environment, path, config)?,
        })
    }

    /// A database that lives in memory and is gone when it is dropped.
    pub fn in_memory() -> Result<Self> {
        Self::in_memory_with(Config::default())
    }

    /// A database in memory, with a configuration. It is the same engine on files in memory.
    pub fn in_memory_with(config: Config) -> Result<Self> {
        let environment = Environment::system();
        Self::open_on(
            crate::storage::files_in_memory(),
            &environment,
            Path::new("memory.godb"),
            config,
        )
    }

    /// A database on a storage engine of the caller's own. Paths, pages and log are that engine's business.
    pub fn on_engine(
        engine: Arc<dyn StorageEngine>,
        environment: &Environment,
        config: Config,
    ) -> Result<Self> {
        Ok(Self {
            instance: Instance::on_engine(engine, environment, config)?,
        })
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.begin_with(Begin {
            read_only: true,
            ..self.defaults()
        })?
        .get(key)
    }

    /// Sets the value of a key, durably.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.transaction(|tx| tx.put(key, value))
    }

    /// Removes a key, durably; tells whether it was there.
    pub fn delete(&self, key: &[u8]) -> Result<bool> {
        self.transaction(|tx| tx.delete(key))
    }

    /// Begins a transaction at the configured isolation level.
    pub fn begin(&self) -> Result<Transaction> {
        self.begin_with(self.defaults())
    }

    /// Begins a transaction of another kind: read-only, at another isolation level.
    pub fn begin_with(&self, how: Begin) -> Result<Transaction> {
        let connection = Arc::new(Connection::open(&self.instance)?);
        let mut session = self.instance.sql().session();
        session.begin(how)?;
        Ok(Transaction::new(session, self.instance.keys.clone(), connection))
    }

    /// A read-only transaction that sees the database as it was at a moment of the past.
    ///
    /// # Errors
    /// The moment is older than the configured retention, or lies in the future.
    pub fn as_of(&self, moment: Moment) -> Result<Transaction> {
        self.begin_with(Begin {
            as_of: Some(moment),
            read_only: true,
            ..self.defaults()
        })
    }

    /// Runs `body` in a transaction and commits it; runs it again, after a pause that grows, when it fails with a
    /// [retryable](Error::is_retryable) error. Others go on meanwhile: the pause holds nothing. After a hundred times, or a minute, the error is given back.
    pub fn transaction<T>(&self, body: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        self.transaction_with(self.defaults(), Retries::default(), body)
    }

    /// The same for a transaction of another kind, with limits of the caller's.
    pub fn transaction_with<T>(
        &self,
        mut how: Begin,
        limits: Retries,
        mut body: impl FnMut(&mut Transaction) -> Result<T>,
    ) -> Result<T> {
        let (clock, random) = (&*self.instance.clock, &*self.instance.random);
        let mut retry = Retry::new(limits, clock, random);
        loop {
            let mut tx = self.begin_with(how)?;
            let result = body(&mut tx).and_then(|value| tx.commit().map(|_| value));
            match result {
                Err(error) if error.is_retryable() && retry.again() => {
                    // It keeps its age over all tries: the oldest never gives way, and some day this one is the oldest.
                    how.first_try = how.first_try.or(error.victim());
                }
                other => return other,
            }
        }
    }

    /// Runs a query. Its rows are computed while they are read, in one snapshot.
    pub fn query(&self, sql: &str, params: &[Value]) -> Result<Rows> {
        let connection = Arc::new(Connection::open(&self.instance)?);
        let result = self.instance.sql().session().execute(sql, params)?;
        Ok(Rows::new(result.rows, connection))
    }

    /// Runs a statement, in a transaction of its own; returns how many rows it changed.
    pub fn execute(&self, sql: &str, params: &[Value]) -> Result<u64> {
        let _connection = Connection::open(&self.instance)?;
        Ok(self.instance.sql().session().execute(sql, params)?.finish()?)
    }

    /// Prepares a statement that is run many times.
    pub fn prepare(&self, sql: &str) -> Result<Prepared> {
        let connection = Arc::new(Connection::open(&self.instance)?);
        Prepared::new(self.instance.sql().session(), sql, connection)
    }

    /// A session: SQL statement after statement, `BEGIN` and `COMMIT` included.
    pub fn session(&self) -> Result<Session> {
        let connection = Arc::new(Connection::open(&self.instance)?);
        Ok(Session::new(self.instance.sql().session(), connection))
    }

    /// The names of all tables.
    pub fn tables(&self) -> Result<Vec<String>> {
        Ok(self.instance.sql().tables()?)
    }

    /// What a table is made of; `None` when there is none of that name.
    pub fn describe(&self, table: &str) -> Result<Option<TableDescription>> {
        Ok(self.instance.sql().describe(table)?)
    }

    /// The commit that a transaction begun now would see.
    pub fn now(&self) -> Timestamp {
        self.instance.engine().now()
    }

    /// Changes a setting of the open database, with immediate effect and until it is closed: `checkpoint_interval`, `checkpoint_log_size`, `compaction_threshold` (in percent),
    /// `lock_timeout`, `scrub_rate`. A number without a unit is in milliseconds or units of 1024 bytes. `SET godb.checkpoint_interval = '30s'` does the same, and the relation
    /// `godb_settings` lists them all.
    ///
    /// # Errors
    /// SQLSTATE 42704 when there is no such setting or it counts only when a database is opened, 22023 when it cannot have that value.
    ///
    /// ```
    /// # let db = godb::Database::in_memory()?;
    /// db.set("checkpoint_interval", "30s")?;
    /// assert_eq!(db.setting("checkpoint_interval")?, "30s");
    /// # Ok::<(), godb::Error>(())
    /// ```
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        Ok(godb_sql::database_settings::set(
            &*self.instance.settings,
            name,
            Some(value),
        )?)
    }

    /// The value of such a setting, with its unit.
    ///
    /// # Errors
    /// SQLSTATE 42704 when there is no such setting.
    pub fn setting(&self, name: &str) -> Result<String> {
        Ok(godb_sql::database_settings::show(&*self.instance.settings, name)?)
    }

    /// Takes a checkpoint: a restart after a crash has less log to read.
    pub fn checkpoint(&self) -> Result<()> {
        Ok(self.instance.engine().checkpoint()?)
    }

    /// Makes the file as short as what is in it: drops old versions that nobody can see, packs rows into fewer pages, moves pages to the beginning of the file and gives its end back, as
    /// `VACUUM` does. Others read and write meanwhile. `progress` is called after each bounded part of the work and ends it by breaking; what was done until then stays. Returns by how many
    /// bytes the file became shorter; zero when it was ended. Old versions that a transaction or the retention needs stay where they are, and so does the file's end if they lie there.
    ///
    /// # Errors
    /// The database is open for reading only (`25006`); the log finds no room on the disk. Nothing is lost then, and it can be run again.
    pub fn compact(&self, mut progress: impl FnMut(CompactionProgress) -> ControlFlow<()>) -> Result<u64> {
        Ok(self.instance.engine().clone().compact(None, &mut progress)?)
    }

    /// One step of each kind of background work, for databases without background threads; tells whether there is more to do.
    pub fn step(&self) -> Result<bool> {
        self.instance.step()
    }

    /// Reads every page from the disk and checks everything: checksums, trees, free space, versions, that every index fits its table, the log. What is
    /// wrong comes in words; an empty list says that all is well. Others may read and write meanwhile. See [`check_report`](Self::check_report).
    pub fn check(&self) -> Result<Vec<String>> {
        let report = self.check_report()?;
        Ok(report.findings.iter().map(ToString::to_string).collect())
    }

    /// The same check with all it knows of what it finds, and what it looked at. Pages that rotted on disk while memory still has them are mended on the way.
    ///
    /// # Errors
    /// Failures other than damage, which is no failure of the check.
    pub fn check_report(&self) -> Result<CheckReport> {
        self.instance.check(false)
    }

    /// Checks a database file that nobody has open, and changes nothing: what opening would recover is recovered in memory only.
    ///
    /// # Errors
    /// The file is not there, is no database, or is in use.
    pub fn check_file(path: impl AsRef<Path>) -> Result<CheckReport> {
        let environment = Environment::system();
        let files = crate::storage::real_files();
        Self::check_file_on(&files, &environment, path.as_ref(), &Config::default())
    }

    /// The same on files, clock and randomness of the caller's.
    pub fn check_file_on(
        files: &Arc<dyn FileSystem>,
        environment: &Environment,
        path: &Path,
        config: &Config,
    ) -> Result<CheckReport> {
        crate::check::check_file(files, environment, path, config)
    }

    /// Copies every row that can be read out of a broken database file into a new one. The broken file stays as it is; what was saved and what was not is in the report.
    ///
    /// # Errors
    /// There is a file at `output` already; no page of the broken file can be read; it is in use; failures other than damage.
    pub fn salvage(path: impl AsRef<Path>, output: impl AsRef<Path>) -> Result<SalvageReport> {
        let environment = Environment::system();
        let files = crate::storage::real_files();
        let config = Config::default();
        Self::salvage_on(&files, &environment, path.as_ref(), output.as_ref(), &config)
    }

    /// The same on files, clock and randomness of the caller's.
    pub fn salvage_on(
        files: &Arc<dyn FileSystem>,
        environment: &Environment,
        path: &Path,
        output: &Path,
        config: &Config,
    ) -> Result<SalvageReport> {
        crate::salvage::salvage(files, environment, path, output, config)
    }

    /// Repairs a database file where nothing has to be guessed for that: copies of the header, pages that the log tells, indexes, inner pages, free space. Refuses, and changes
    /// nothing, when a row would be lost. See [`RepairTo`] for where the repaired database goes.
    ///
    /// # Errors
    /// It cannot be repaired without loss (`XX001`); there is a file at the output already; it is in use; failures other than damage.
    pub fn repair(path: impl AsRef<Path>, to: &RepairTo) -> Result<RepairReport> {
        let environment = Environment::system();
        let files = crate::storage::real_files();
        Self::repair_on(&files, &environment, path.as_ref(), to, &Config::default())
    }

    /// The same on files, clock and randomness of the caller's.
    pub fn repair_on(
        files: &Arc<dyn FileSystem>,
        environment: &Environment,
        path: &Path,
        to: &RepairTo,
        config: &Config,
    ) -> Result<RepairReport> {
        crate::repair::repair(files, environment, path, to, config)
    }

    /// What the scrubber found since the database was opened.
    pub fn scrub_report(&self) -> ScrubReport {
        self.instance
            .scrubber()
            .map(crate::scrub::Scrubber::report)
            .unwrap_or_default()
    }

    /// Has the scrubber look at the next `pages` pages now, whatever its rate: for programs without background threads.
    pub fn scrub_step(&self, pages: u64) -> Result<()> {
        self.instance
            .scrubber()
            .map_or(Ok(()), |scrubber| scrubber.look_at(pages))
    }

    /// Whether it is open for reading only, because that was asked for or because the medium takes no writes.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.instance.config.read_only
    }

    /// Closes the database and tells how that went; dropping the last handle closes it too, but can tell nobody.
    ///
    /// # Errors
    /// [`Error::StillOpen`] when another handle, a transaction or a result is alive: the last of them closes it.
    pub fn close(self) -> Result<()> {
        match Arc::into_inner(self.instance) {
            Some(instance) => instance.close(),
            None => Err(Error::StillOpen),
        }
    }

    /// The open database behind the handle.
    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    fn defaults(&self) -> Begin {
        Begin {
            isolation: self.instance.config.isolation,
            ..Begin::default()
        }
    }
}
