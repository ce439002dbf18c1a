//! Row 6 on real file systems: tiny ones, and limits on the size of files.

use super::injected;
use super::kills::{limited, write_under};
use super::process::{Exe, word, works};
use crate::faults::Campaign;
use std::path::{Path, PathBuf};

/// Row 6.
pub(super) fn run(campaign: &mut Campaign) {
    let exe = Exe::this();
    for kib in [24_u64, 64, 256, 700, 1024, 2048] {
        campaign.case(
            "processes with a limit on the size of files",
            || format!("{kib} KiB"),
            || {
                let limit = format!("--fsize={}", kib << 10);
                // The signal that comes with the limit is one more way to be killed.
                limited(&exe, &["prlimit", &limit])
            },
        );
        let Some(mounted) = Mounted::tmpfs(kib) else {
            eprintln!("SKIPPED: a file system of {kib} KiB may not be mounted here");
            continue;
        };
        campaign.case(
            "tiny file systems",
            || format!("{kib} KiB"),
            || {
                let file = mounted.path().join("tiny.godb");
                let ledger = write_under(&exe, &[], &file, 400)?;
                if ledger.errors.is_empty() && kib < 700 {
                    return Err("it cannot have had room".to_owned());
                }
                mounted.grow(16 << 10)?;
                ledger.judge_if_there(&file)
            },
        );
    }
    injected::full(campaign, &exe);
}

/// A file system that is unmounted when this is dropped.
pub(super) struct Mounted {
    folder: tempfile::TempDir,
}

impl Mounted {
    fn tmpfs(kib: u64) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let size = format!("size={kib}k");
        let mounted = works(
            "mount",
            &["-t", "tmpfs", "-o", &size, "tmpfs", word(folder.path())],
        );
        mounted.then_some(Self { folder })
    }

    /// Mounts the file system in a file.
    pub(super) fn image(image: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let mounted = works("mount", &["-o", "loop", word(image), word(folder.path())]);
        mounted.then_some(Self { folder })
    }

    /// Shows a folder once more, where nothing may be written.
    pub(super) fn read_only(of: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let place = word(folder.path());
        let mounted = works("mount", &["--bind", word(of), place]);
        let this = mounted.then_some(Self { folder })?;
        works("mount", &["-o", "remount,ro,bind", word(&this.path())]).then_some(this)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn grow(&self, kib: u64) -> Result<(), String> {
        let size = format!("remount,size={kib}k");
        match works("mount", &["-o", &size, word(self.folder.path())]) {
            true => Ok(()),
            false => Err("the file system cannot be made larger".to_owned()),
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        works("umount", &["-l", word(self.folder.path())]);
    }
}
