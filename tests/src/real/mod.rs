//! The real program on real files: what the simulated disk cannot show, because it is the simulation that is in question there.
//!
//! A simulated disk is as good as our idea of a disk. So a few thousand cases run the program itself, in a process of its own, against the operating system: killed by
//! SIGKILL in the midst of commits, with system calls made to fail from outside (`strace -e inject=…`), on disks of a few kilobytes, on a file system that is cut off
//! from its disk, without file handles, in 64 MiB of memory. What the process acknowledged on its standard output must be there afterwards.
//!
//! [`worker`] is what runs in the processes, `process` starts them and listens, `judge` opens what they left; the other files are a row of the fault matrix
//! each, or a part of one. What needs a tool or a right that the machine does not give is skipped, and says so.

#![expect(
    clippy::print_stderr,
    reason = "what is skipped must be said, and it is a program for a terminal"
)]

mod injected;
mod judge;
mod kills;
mod limits;
mod owners;
mod power;
mod process;
mod read_only;
mod small_disks;
pub mod worker;

use crate::faults::{Campaign, Row};
use std::path::Path;
use std::process::{Command, Stdio};

/// The rows that are tested on real files.
pub const ROWS: &[Row] = &[
    Row {
        number: 5,
        fault: "a sync fails (real file)",
        run: injected::syncs,
    },
    Row {
        number: 6,
        fault: "the disk is full (real file)",
        run: full_disks,
    },
    Row {
        number: 15,
        fault: "two owners",
        run: owners::run,
    },
    Row {
        number: 16,
        fault: "read-only file, directory, mount",
        run: read_only::run,
    },
    Row {
        number: 25,
        fault: "a killed process",
        run: killed,
    },
];

fn full_disks(campaign: &mut Campaign) {
    injected::full_disks(campaign);
    small_disks::run(campaign);
}

fn killed(campaign: &mut Campaign) {
    kills::run(campaign);
    injected::kills(campaign);
    limits::run(campaign);
    power::run(campaign);
}

/// Says that something cannot be tried here.
fn skip(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
}

/// Runs a command of the system; false when it is not there or fails.
fn system(program: &str, words: &[&str]) -> bool {
    let status = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// A path as a word of a command.
fn word(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A file system mounted for a test; unmounted when dropped.
struct Mounted {
    at: tempfile::TempDir,
}

impl Mounted {
    /// Mounts with these words of `mount`, and tells why not.
    fn new(words: &[&str]) -> Result<Self, String> {
        let at = tempfile::tempdir().map_err(|error| error.to_string())?;
        let place = word(at.path());
        let mut all = words.to_vec();
        all.push(&place);
        match system("mount", &all) {
            true => Ok(Self { at }),
            false => Err(format!("`mount {}` is refused", all.join(" "))),
        }
    }

    fn path(&self) -> &Path {
        self.at.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Somebody may still be on the way out of it.
        for _ in 0..50 {
            if system("umount", &[&word(self.at.path())]) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
