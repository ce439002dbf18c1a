//! Waiting until nothing of an earlier phase goes on: no dirty pages wait for the disk, and no thread of any database works.
//!
//! All databases stay open, some work in the background, and a phase that one of them did unsynced leaves the disk busy for seconds. Whoever is measured next would pay
//! for it.

use super::figure::cpu_seconds;
use crate::Result;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the processor time is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// So many looks in a row must find nothing.
const QUIET_LOOKS: u32 = 3;
/// Some threads never rest; after so long the next phase begins all the same.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for quiet in this process and on the file system of `folder`.
pub(crate) fn wait(folder: &Path) -> Result<()> {
    let begun = Instant::now();
    let mut quiet = 0;
    while quiet < QUIET_LOOKS && begun.elapsed() < PATIENCE {
        let before = cpu_seconds();
        rustix::fs::syncfs(std::fs::File::open(folder)?)?;
        sleep(LOOK);
        // One tick of the clock that counts is a hundredth of a second.
        quiet = if cpu_seconds() - before < 0.015 {
            quiet + 1
        } else {
            0
        };
    }
    Ok(())
}
