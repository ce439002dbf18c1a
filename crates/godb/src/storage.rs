//! [`Storage`]: the wiring. Here, and only here, all layers are named together.
//!
//! ```text
//! MvccEngine ─ TransactionManager ─ Recovered ─ LoggedTree ─┬─ BTree ─ Pool ─ PageFile ─ FileSystem
//!     └──────────── CommitHook ─────────┘                   └─ Log ←─ Journal, LogBarrier
//! ```
//!
//! Opening a file follows one path whatever its state. A new database is made as an empty one that was closed cleanly. A clean one gets a new log, and its
//! header says from then on that the log is needed. One that was not closed cleanly is recovered from its log.

use crate::config::Config;
use crate::error::{Error, Result};
use godb_btree::BTree;
use godb_buffer::{Pages, Pool};
use godb_mvcc::{Commits, MvccEngine, MvccOptions, RecoveredCommits, StorageEngine, VersionCheck};
use godb_page::sync::atomic::{AtomicBool, Ordering};
use godb_page::sync::{Arc, Mutex};
use godb_page::{
    DatabaseId, Environment, Fault, File, FileHeader, FileLock, FileSystem, MemoryFileSystem, OpenMode,
    PageFile, PageFileOptions, PageStore, RealFileSystem, TreeId,
};
use godb_recovery::{Recovered, RecoveryOptions, Report, Resume, recover};
use godb_txn::{LockManager, LockOptions, TransactionManager, Transactions};
use godb_wal::{Log, LogOptions, LoggedTree, Lsn, Record, log_epoch, remove_log};
use std::path::Path;
use std::time::Duration;

pub(crate) type Frames = Pool<PageFile>;
pub(crate) type Tree = BTree<Frames>;
type Engine = MvccEngine<TransactionManager<Recovered<LoggedTree<Tree>>>>;

/// What lies beside the log's own files in its directory, and goes with them.
pub(crate) const SAFE_COPIES: &str = "safe-copies";

/// How many dirty pages one step of the background writer writes.
const WRITE_BACK: usize = 256;

/// The share of the pool's size that marks of serializable transactions may take, and its bounds in bytes.
const MARKS_SHARE: usize = 8;
const MARKS_LEAST: usize = 256 << 10;
const MARKS_MOST: usize = 32 << 20;

/// What transactions gather before they write it, all together, as a part of the memory for pages; and the most of it. Beyond that, memory touched for the first
/// time costs more than the longer runs save.
const BATCH_SHARE: usize = 4;
const BATCH_MOST: usize = 32 << 20;

/// A file that is shorter is not worth making shorter by itself.
const SMALL_FILE: u64 = 1 << 20;

/// Dirty pages stay in memory while they are fewer than one frame in so many: they may be changed again, and then the writing was for nothing.
const DIRTY_SHARE: usize = 2;

/// What redo gathers before it repeats it, as a part of the memory for pages; the least and the most of it. What is gathered is sorted by page: more of it means that a page
/// is looked up less often, and that reading and repeating overlap less.
const REDO_SHARE: usize = 16;
const REDO_LEAST: usize = 16 << 10;
const REDO_MOST: usize = 4 << 20;

/// The files of the machine.
pub(crate) fn real_files() -> Arc<dyn FileSystem> {
    Arc::new(RealFileSystem)
}

/// Files that live in memory.
pub(crate) fn files_in_memory() -> Arc<dyn FileSystem> {
    Arc::new(MemoryFileSystem::default())
}

/// An open file with all layers on it.
pub(crate) struct Storage {
    files: Arc<dyn FileSystem>,
    file: Arc<dyn File>,
    header: Mutex<FileHeader>,
    log_dir: String,
    log: Arc<Log>,
    pool: Arc<Frames>,
    engine: Arc<Engine>,
    /// Recovery has repeated a log that a checkpoint has yet to give back.
    unsettled: AtomicBool,
    /// The pages of the file and those in use when a compaction by itself last ended.
    compacted: Mutex<Option<(u32, u32)>>,
    _lock: FileLock,
}

/// Where a database's files are.
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) log_dir: String,
}

impl Place {
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let unusable = || Fault::Unusable {
            file: path.to_string_lossy().into(),
            why: "its name is not valid Unicode".into(),
        };
        let file = path.to_str().ok_or_else(unusable)?.to_owned();
        let log_dir = format!("{file}-wal");
        Ok(Self { file, log_dir })
    }

    /// The directory that the file is in.
    pub(crate) fn parent(&self) -> &str {
        self.file
            .rsplit_once('/')
            .map_or("", |(parent, _)| if parent.is_empty() { "/" } else { parent })
    }
}

impl Storage {
    /// Opens a database file, making it first when there is none.
    pub(crate) fn open(
        files: Arc<dyn FileSystem>,
        environment: &Environment,
        path: &Path,
        config: &Config,
    ) -> Result<Self> {
        let place = Place::new(path)?;
        if !files.exists(&place.file)? {
            create_file(&*files, environment, &place, config.page_size)?;
        }
        let file = files.open(&place.file, OpenMode::Existing)?;
        let lock = files.lock(&place.file)?;
        let mut header = FileHeader::read(&*file)?;
        let resume = Resume::from_bytes(&header.state).ok_or_else(|| state_is_damaged(&place.file))?;
        let (log, was_clean) = open_log(&files, environment, &place, config, &header, &resume)?;
        let new = was_clean && header.state.is_empty();

        let options = PageFileOptions {
            page_size: header.page_size,
            database_id: header.database_id,
            max_size: config.max_file_size,
            safe_copies: format!("{}/{SAFE_COPIES}", place.log_dir),
            direct: config.direct_io,
        };
        let (pages, restored) = PageFile::open(&*files, file.clone(), options)?;
        if restored > 0 {
            tracing::info!(
                restored,
                "pages torn by a crash were restored from their safe copies"
            );
        }
        let frames = config.frames(header.page_size);
        let pool = Arc::new(Pool::new(pages, log.clone(), frames, config.eviction));
        let tree = if new {
            BTree::create(pool.clone(), log.clone())?
        } else {
            BTree::open(pool.clone(), log.clone())
        };
        let (recovered, report) = recover_tree(log.clone(), tree, environment, config, resume)?;
        log.wait_synced(log.end())?;
        header.clean = false;
        header.epoch = log.epoch();
        header.write(&*file)?;

        // What recovery repeated is in memory only, and nobody has to wait until it is in its places: the log from which it was repeated stays until a checkpoint has
        // ended, and another crash before that repeats it again, with what was logged since behind it.
        let engine = open_engine(recovered, report, environment, config)?;
        let header = Mutex::new(header);
        Ok(Self {
            files,
            file,
            header,
            log_dir: place.log_dir,
            log,
            pool,
            engine,
            unsettled: AtomicBool::new(!was_clean),
            compacted: Mutex::new(None),
            _lock: lock,
        })
    }

    /// The storage engine.
    pub(crate) fn engine(&self) -> Arc<dyn StorageEngine> {
        self.engine.clone()
    }

    /// Writes what the log holds in memory. Tells whether there is more to do.
    pub(crate) fn write_log(&self) -> Result<bool> {
        Ok(self.log.step()?)
    }

    /// Waits until the log has work for a step, or until the time is over.
    pub(crate) fn rest_log(&self, at_most: Duration) {
        self.log.rest(at_most);
    }

    /// Ends such a wait.
    pub(crate) fn wake_log(&self) {
        self.log.wake();
    }

    /// Writes dirty pages where they begin to crowd the pool; checkpoints write the others. Prepares memory for pages to come, too. Tells whether there is more to do.
    pub(crate) fn write_back(&self) -> Result<bool> {
        self.pool.prepare_memory();
        if self.pool.dirty_count() * DIRTY_SHARE < self.pool.frame_count() {
            return Ok(false);
        }
        Ok(self.pool.write_back(WRITE_BACK)? == WRITE_BACK)
    }

    /// Takes the first checkpoint after a recovery: the background's, for opening does not wait for it. Otherwise a database that crashes time and again
    /// would have more to repeat each time. Tells whether there was anything to do.
    pub(crate) fn settle(&self) -> Result<bool> {
        let unsettled = self.unsettled.load(Ordering::Acquire);
        if unsettled {
            self.engine.checkpoint()?;
            self.unsettled.store(false, Ordering::Release);
        }
        Ok(unsettled)
    }

    /// The trees.
    pub(crate) fn tree(&self) -> &Tree {
        self.engine.below().tree()
    }

    /// How many pages the file has, and how many of them are in use.
    fn pages(&self) -> Result<(u32, u32)> {
        Ok((self.pool.capacity(), self.tree().used_pages()?))
    }

    /// Whether so large a share of the file is free, unless that was so when it was last compacted: what could not be given back then would be looked for in vain again.
    pub(crate) fn wants_compaction(&self, share: f64) -> Result<bool> {
        let (all, used) = self.pages()?;
        let small = u64::from(all) * (self.page_size() as u64) < SMALL_FILE;
        let free = f64::from(all.saturating_sub(used)) / f64::from(all.max(1));
        Ok(!small && free >= share && *self.compacted.lock() != Some((all, used)))
    }

    /// A compaction has ended.
    pub(crate) fn was_compacted(&self) -> Result<()> {
        *self.compacted.lock() = Some(self.pages()?);
        Ok(())
    }

    /// The versions, and what is kept of the past.
    pub(crate) fn versions(&self) -> &Engine {
        &self.engine
    }

    /// Who holds and waits for what.
    pub(crate) fn locks(&self) -> &LockManager {
        self.engine.below().locks()
    }

    /// The buffer pool.
    pub(crate) fn pool(&self) -> &Frames {
        &self.pool
    }

    /// The log.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Bytes in a page.
    pub(crate) fn page_size(&self) -> usize {
        self.pool.store().page_size()
    }

    /// What the main file is called.
    pub(crate) fn file_name(&self) -> &str {
        self.file.name()
    }

    /// The tree of old versions.
    pub(crate) fn history(&self) -> TreeId {
        self.engine.history()
    }

    /// Checks every version; `resting` says that no transaction is open.
    pub(crate) fn check_versions(&self, resting: bool) -> Result<VersionCheck> {
        Ok(self.engine.clone().check_versions(resting)?)
    }

    /// Counts all rows anew.
    pub(crate) fn recount(&self) -> Result<()> {
        Ok(self.engine.recount()?)
    }

    /// What is wrong with the copies of the header.
    pub(crate) fn header_flaws(&self) -> Result<Vec<Fault>> {
        let header = self.header.lock();
        Ok(header.flaws(&*self.file)?)
    }

    /// Brings everything into the one file, marks it clean and removes the log.
    pub(crate) fn close(&self) -> Result<()> {
        let note = self.engine.closing_note()?;
        let resume = self.engine.below().below().close(note)?;
        self.log.close()?;
        self.pool.store().resize(self.tree().pages_in_use()?)?;
        self.pool.sync()?;
        let mut header = self.header.lock();
        header.clean = true;
        header.state = resume.to_bytes();
        header.write(&*self.file)?;
        remove_log(&*self.files, &self.log_dir, header.database_id, &[SAFE_COPIES])?;
        Ok(())
    }
}

fn state_is_damaged(file: &str) -> Error {
    Fault::Corrupt {
        file: file.into(),
        page: None,
        tree: None,
        lsn: None,
        what: "the state in its header makes no sense".into(),
    }
    .into()
}

/// Makes an empty database that looks as if it had been closed cleanly. It gets its name only when it is whole.
fn create_file(
    files: &dyn FileSystem,
    environment: &Environment,
    place: &Place,
    page_size: usize,
) -> Result<()> {
    if files.exists(&format!("{}/control", place.log_dir))? {
        let why = "there is a log beside it, but the database file itself is missing";
        return Err(Fault::Unusable {
            file: place.file.as_str().into(),
            why: why.into(),
        }
        .into());
    }
    let unfinished = format!("{}-new", place.file);
    let file = files.open(&unfinished, OpenMode::Create)?;
    file.set_len(0)?;
    let mut id = [0; 16];
    environment.random.fill(&mut id);
    let mut header = FileHeader::new(DatabaseId::from_bytes(id), page_size);
    header.clean = true;
    header.write(&*file)?;
    files.rename(&unfinished, &place.file)?;
    if !godb_page::sync::planted("directory-not-synced") {
        files.sync_dir(place.parent())?;
    }
    Ok(())
}

/// A new log for a database that was closed cleanly, the existing one for any other. Tells which.
fn open_log(
    files: &Arc<dyn FileSystem>,
    environment: &Environment,
    place: &Place,
    config: &Config,
    header: &FileHeader,
    resume: &Resume,
) -> Result<(Arc<Log>, bool)> {
    let mut options = LogOptions::new(header.database_id, header.epoch);
    options.mode = config.wal_sync_mode;
    options.segment_size = config.log_segment_size;
    options.initial_size = options.initial_size.min(options.segment_size);
    if !header.clean {
        return Ok((Log::open(files, &place.log_dir, &options, environment)?, false));
    }
    if let Some(log) = log_after_the_close(files, environment, place, header, &options)? {
        return Ok((log, false));
    }
    remove_log(&**files, &place.log_dir, header.database_id, &[SAFE_COPIES])?;
    options.epoch = header.epoch + 1;
    options.start = resume.end;
    Ok((Log::create(files, &place.log_dir, &options, environment)?, true))
}

/// A log with commits that was begun after the header says that the file was closed. The header comes back from the past then, by a write that was lost or went
/// astray, and what was committed since is in that log. A log without commits is what a crash leaves that comes between making a log and noting it in the header.
fn log_after_the_close(
    files: &Arc<dyn FileSystem>,
    environment: &Environment,
    place: &Place,
    header: &FileHeader,
    options: &LogOptions,
) -> Result<Option<Arc<Log>>> {
    let epoch = log_epoch(&**files, &place.log_dir)?;
    if epoch.is_none_or(|epoch| epoch <= header.epoch) {
        return Ok(None);
    }
    // One that was half made cannot be opened, and nobody has committed into it.
    let Ok(log) = Log::open(files, &place.log_dir, options, environment) else {
        return Ok(None);
    };
    for record in log.records(Lsn::default()) {
        if let Record::Commit { .. } = record?.1 {
            tracing::warn!(
                file = place.file,
                "the file's header is older than its log, which is taken in"
            );
            return Ok(Some(log));
        }
    }
    Ok(None)
}

fn recover_tree(
    log: Arc<Log>,
    tree: Tree,
    environment: &Environment,
    config: &Config,
    resume: Resume,
) -> Result<(Recovered<LoggedTree<Tree>>, Report)> {
    let helpers = match config.background_threads {
        true => environment.spawn.helpers(),
        false => 0,
    };
    let options = RecoveryOptions {
        clock: Some(environment.clock.clone()),
        resume,
        checkpoint_every: config.log_between_checkpoints(),
        batch: (config.buffer_pool_size / REDO_SHARE).clamp(REDO_LEAST, REDO_MOST),
        helpers,
        observe: &mut |progress| tracing::debug!(?progress, "recovering"),
    };
    Ok(recover(LoggedTree::new(log, tree), options)?)
}

fn open_engine(
    recovered: Recovered<LoggedTree<Tree>>,
    report: Report,
    environment: &Environment,
    config: &Config,
) -> Result<Arc<Engine>> {
    let commits = Commits::new(environment.clock.clone());
    let locks = LockOptions {
        timeout: config.lock_timeout,
        policy: config.deadlock_policy,
        clock: Some(environment.clock.clone()),
    };
    let transactions = TransactionManager::new(recovered, commits.clone(), locks);
    let found = RecoveredCommits {
        note: report.note,
        commits: report
            .committed
            .into_iter()
            .map(|one| (one.by, one.at, one.note))
            .collect(),
    };
    let options = MvccOptions {
        retention: config.retention,
        versions: config.mvcc,
        batch_memory: (config.buffer_pool_size / BATCH_SHARE).min(BATCH_MOST),
        marks_memory: (config.buffer_pool_size / MARKS_SHARE).clamp(MARKS_LEAST, MARKS_MOST),
    };
    Ok(MvccEngine::open(
        transactions,
        commits,
        environment.clock.clone(),
        options,
        &found,
    )?)
}

#[cfg(test)]
mod tests;
