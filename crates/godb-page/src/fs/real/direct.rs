//! [`DirectFile`]: reading past the system's cache.
//!
//! Who has a cache of his own and reads through the system's as well has many pages twice, in memory that could have held others. A file opened with `O_DIRECT` is read from the disk
//! straight into the memory that is given, provided that memory, place and length are multiples of the disk's blocks. Anything else is read through a second, ordinary
//! opening, and so is everything if the disk refuses.

use super::super::whole::RawFile;
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// No disk asks for more.
const BLOCK: usize = 4096;

/// A file open twice, for reading.
pub(super) struct DirectFile {
    direct: fs::File,
    ordinary: fs::File,
}

impl DirectFile {
    /// Opens a file; none when it cannot be read so.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Error> {
        let direct = match open_direct(path) {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                return Ok(None);
            }
            opened => opened?,
        };
        let ordinary = fs::File::open(path)?;
        Ok(Some(Self { direct, ordinary }))
    }
}

#[cfg(target_os = "linux")]
fn open_direct(path: &Path) -> Result<fs::File, Error> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flag = i32::try_from(OFlags::DIRECT.bits()).map_err(|_| Error::from(ErrorKind::Unsupported))?;
    fs::OpenOptions::new().read(true).custom_flags(flag).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open_direct(_path: &Path) -> Result<fs::File, Error> {
    Err(Error::from(ErrorKind::Unsupported))
}

/// Whether the disk can read straight into that memory.
fn is_aligned(at: u64, into: &[u8]) -> bool {
    at.is_multiple_of(BLOCK as u64)
        && into.len().is_multiple_of(BLOCK)
        && into.as_ptr().addr().is_multiple_of(BLOCK)
}

fn refused() -> Error {
    Error::from(ErrorKind::PermissionDenied)
}

impl RawFile for DirectFile {
    fn length(&self) -> Result<u64, Error> {
        Ok(self.ordinary.metadata()?.len())
    }

    fn read_some(&self, at: u64, into: &mut [u8]) -> Result<usize, Error> {
        if is_aligned(at, into) {
            match self.direct.read_at(into, at) {
                Err(error) if error.kind() == ErrorKind::InvalidInput => {}
                done => return done,
            }
        }
        self.ordinary.read_at(into, at)
    }

    fn write_some(&self, _at: u64, _from: &[u8]) -> Result<usize, Error> {
        Err(refused())
    }

    fn allocate(&self, _from: u64, _to: u64) -> Result<(), Error> {
        Err(refused())
    }

    fn truncate(&self, _length: u64) -> Result<(), Error> {
        Err(refused())
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.ordinary.sync_data()
    }
}
