//! Emptying the system's cache of some files, so that whoever reads them next pays for it, in time and in memory.

use crate::Result;
use rustix::fs::{Advice, fadvise};
use std::fs::{self, File};
use std::path::Path;

/// Makes every file below `folder` durable, and the system forget its pages.
pub(super) fn forget(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path)?;
            continue;
        }
        let file = File::open(&path)?;
        // Only clean pages can be forgotten.
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}
