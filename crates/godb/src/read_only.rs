//! Opening for reading only.
//!
//! A database on a medium that takes no writes is opened through an [`OverlayFileSystem`]: the log and the changed header that an open database has live in memory, and go
//! with it. So reading needs no second way through the layers. It must have been closed cleanly: what a log still holds belongs into the file, and somebody who may
//! write must put it there. [`ReadOnlyEngine`] sees to it that nobody writes into the overlay and believes it stored.

use crate::check::fault_of;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::storage::{Place, Storage};
use godb_page::sync::atomic::{AtomicBool, Ordering};
use godb_page::{Environment, Fault, FileHeader, FileSystem, OpenMode, OverlayFileSystem};
use godb_sql::{Begin, EngineError, EngineTransaction, Heed, StorageEngine, Timestamp, TreeId};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Memory for what an open database writes beside its data: the log's files and the header.
const OVERLAY: u64 = 256 << 20;

/// Opens a cleanly closed file without changing it.
pub(crate) fn open(
    files: &Arc<dyn FileSystem>,
    environment: &Environment,
    path: &Path,
    config: &Config,
) -> Result<Storage> {
    let place = Place::new(path)?;
    let file = files.open(&place.file, OpenMode::ReadOnly)?;
    // Nobody may be writing it, or the header says nothing.
    let reading = files.lock_shared(&place.file)?;
    if !FileHeader::read(&*file)?.clean {
        let why =
            "it was not closed cleanly; open it once where it can be written, and its log will be taken in";
        return Err(Fault::Unusable {
            file: place.file.into(),
            why: why.into(),
        }
        .into());
    }
    let overlay = Arc::new(OverlayFileSystem::new(files.clone(), OVERLAY));
    let storage = Storage::open(overlay, environment, path, config);
    drop(reading);
    storage
}

/// Whether opening failed because the medium takes no writes.
pub(crate) fn refuses_writes(error: &Error) -> bool {
    match fault_of(error) {
        Some(Fault::Io { source, .. }) => matches!(
            source.kind(),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
        ),
        Some(Fault::ReadOnly { .. }) => true,
        _ => false,
    }
}

/// An engine whose transactions only read, once it is sealed.
pub(crate) struct ReadOnlyEngine {
    engine: Arc<dyn StorageEngine>,
    sealed: AtomicBool,
}

impl ReadOnlyEngine {
    pub(crate) fn new(engine: Arc<dyn StorageEngine>) -> Arc<Self> {
        Arc::new(Self {
            engine,
            sealed: AtomicBool::new(false),
        })
    }

    /// From now on nobody writes. Before, the layers above may make in the overlay what every database has.
    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }
}

impl StorageEngine for ReadOnlyEngine {
    fn begin(
        self: Arc<Self>,
        mut how: Begin,
    ) -> std::result::Result<Box<dyn EngineTransaction>, EngineError> {
        how.read_only |= self.sealed.load(Ordering::Acquire);
        self.engine.clone().begin(how)
    }

    fn root(&self) -> TreeId {
        self.engine.root()
    }

    fn max_key(&self) -> usize {
        self.engine.max_key()
    }

    fn now(&self) -> Timestamp {
        self.engine.now()
    }

    fn collect(&self) -> std::result::Result<bool, EngineError> {
        Ok(false)
    }

    fn compact(
        self: Arc<Self>,
        _trees: Option<&[TreeId]>,
        _heed: &mut Heed<'_>,
    ) -> std::result::Result<u64, EngineError> {
        Err(EngineError::ReadOnlyTransaction)
    }

    fn checkpoint(&self) -> std::result::Result<(), EngineError> {
        Ok(())
    }

    fn log_since_checkpoint(&self) -> u64 {
        0
    }
}
