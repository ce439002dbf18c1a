//! [`Group`]: a limit for the memory of processes, the system's cache of their files included. Linux calls it a control group.

use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Control groups of the second version, and of the first.
const SECOND: &str = "/sys/fs/cgroup";
const FIRST: &str = "/sys/fs/cgroup/memory";

/// A group of processes with a limit; removed when dropped, by when they have ended.
pub(super) struct Group {
    folder: PathBuf,
    /// The file that tells how much the group used at most.
    peak: &'static str,
}

impl Group {
    /// A group that may use `limit` bytes.
    pub(super) fn new(limit: u64) -> Result<Self> {
        let controls = fs::read_to_string(Path::new(SECOND).join("cgroup.subtree_control"));
        if controls.is_ok_and(|names| names.split_whitespace().any(|name| name == "memory")) {
            let group = Self::make(SECOND, "memory.peak")?;
            group.set("memory.max", limit)?;
            // Not every system has memory to swap to.
            let _ = group.set("memory.swap.max", 0);
            return Ok(group);
        }
        if !Path::new(FIRST).is_dir() {
            return Err("there is no control group for memory".into());
        }
        let group = Self::make(FIRST, "memory.max_usage_in_bytes")?;
        group.set("memory.limit_in_bytes", limit)?;
        let _ = group.set("memory.swappiness", 0);
        Ok(group)
    }

    fn make(parent: &str, peak: &'static str) -> Result<Self> {
        let folder = Path::new(parent).join(format!("godb-bench-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { folder, peak })
    }

    fn set(&self, what: &str, value: u64) -> Result<()> {
        Ok(fs::write(self.folder.join(what), value.to_string())?)
    }

    /// The file to which a process writes its number to join.
    pub(super) fn procs(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    /// The most bytes that were in use at once.
    pub(super) fn peak(&self) -> Result<u64> {
        Ok(fs::read_to_string(self.folder.join(self.peak))?.trim().parse()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}
