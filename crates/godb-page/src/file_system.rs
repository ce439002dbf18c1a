//! The seam to the disk: everything godb does with files goes through [`FileSystem`] and [`File`].
//!
//! Three implementations stand behind it: the real one, one in memory, and a simulated disk that loses, tears and
//! refuses whatever a test asks for. Calls are few and large, so dynamic dispatch costs nothing that can be measured.

use crate::fault::Fault;
use crate::sync::Arc;
use std::any::Any;

/// How [`FileSystem::open`] treats a file that is or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// It must exist; writes are refused.
    ReadOnly,
    /// It must exist.
    Existing,
    /// It is created, empty, when missing. The name is durable only after [`FileSystem::sync_dir`].
    Create,
}

/// Held while a database is open; dropping it releases the lock.
pub type FileLock = Box<dyn Any + Send + Sync>;

/// Named files in directories. Names are paths with `/` between their parts.
pub trait FileSystem: Send + Sync {
    /// Opens `name`.
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault>;
    /// Opens an existing file once more, for whole pages that are read past the system's cache: for somebody who has a cache of his own. Reads show what was written through
    /// other openings. None where the file system, or the system, cannot do that.
    fn open_direct(&self, _name: &str) -> Result<Option<Arc<dyn File>>, Fault> {
        Ok(None)
    }
    /// Whether a file or directory of that name exists.
    fn exists(&self, name: &str) -> Result<bool, Fault>;
    /// The names (without the directory) of the entries of `dir`, sorted.
    fn list(&self, dir: &str) -> Result<Vec<String>, Fault>;
    /// Makes a directory; one that exists already is fine.
    fn create_dir(&self, dir: &str) -> Result<(), Fault>;
    /// Removes an empty directory.
    fn remove_dir(&self, dir: &str) -> Result<(), Fault>;
    /// Renames a file, replacing one of the new name.
    fn rename(&self, from: &str, to: &str) -> Result<(), Fault>;
    /// Removes a file.
    fn unlink(&self, name: &str) -> Result<(), Fault>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &str) -> Result<(), Fault>;
    /// Takes the one lock that an open database holds on its main file, or fails with [`Fault::InUse`].
    fn lock(&self, name: &str) -> Result<FileLock, Fault>;
    /// Takes a lock for reading only: others who read may have it at the same time, an owner may not. Where that cannot be told apart it is
    /// [`lock`](Self::lock).
    fn lock_shared(&self, name: &str) -> Result<FileLock, Fault> {
        self.lock(name)
    }
}

/// An open file, read and written at positions.
pub trait File: Send + Sync {
    /// The name it was opened by, for error messages.
    fn name(&self) -> &str;
    /// Its length in bytes.
    fn len(&self) -> Result<u64, Fault>;
    /// Whether it holds no byte.
    fn is_empty(&self) -> Result<bool, Fault> {
        Ok(self.len()? == 0)
    }
    /// Fills `into` from position `at`; returns how many bytes there were before the end of the file.
    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault>;
    /// Writes all of `from` at position `at`, growing the file where needed.
    fn write_at(&self, at: u64, from: &[u8]) -> Result<(), Fault>;
    /// Makes the file `len` bytes long. Growing takes the blocks from the disk now, so that a later write into
    /// them cannot find it full.
    fn set_len(&self, len: u64) -> Result<(), Fault>;
    /// Waits until data and length are durable. After an error nothing is known of earlier writes.
    fn sync(&self) -> Result<(), Fault>;
    /// Hints that `len` bytes from `at` on will be read soon. Never waits.
    fn will_need(&self, _at: u64, _len: u64) {}
}
