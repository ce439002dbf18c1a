//! How much memory loading takes: measured in a process of its own, as peak resident memory less that after opening.

use crate::Result;
use crate::flights;
use crate::report::Report;
use godb::{Config, Database};
use std::path::Path;
use std::process::{Command, ExitCode};

/// The pool of the measured process.
const POOL: usize = 16 << 20;

/// What may come on top of the pool.
const ON_TOP: u64 = 32 << 20;

/// Starts the process and reads its answer.
pub(crate) fn measure(data: &Path, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .arg("--load-in-this-process")
        .arg(folder.path().join("memory.godb"))
        .arg(data)
        .output()?;
    let answer = String::from_utf8(output.stdout)?;
    let bytes: u64 = answer
        .trim()
        .parse()
        .map_err(|_| format!("the loading process said: {answer}"))?;
    report.at_most(
        "memory while loading, pool of 16 MiB",
        bytes,
        POOL as u64 + ON_TOP,
    );
    Ok(())
}

/// The measured process: loads everything and prints how many bytes it took.
pub(crate) fn load(file: &Path, data: &Path) -> ExitCode {
    match measured_load(file, data) {
        Ok(bytes) => {
            println!("{bytes}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measured_load(file: &Path, data: &Path) -> Result<u64> {
    let db = Database::open_with(
        file,
        Config {
            buffer_pool_size: POOL,
            ..Config::default()
        },
    )?;
    let before = peak_resident()?;
    flights::load_all(&db, data)?;
    // Frames are touched as they fill, so those counted before cannot be told apart: they are inside the pool's allowance.
    Ok(peak_resident()? - before)
}

/// The most memory this process ever had resident, in bytes, as Linux tells it.
pub(crate) fn peak_resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .ok_or("no VmHWM in /proc/self/status")?;
    let kib: u64 = line.split_whitespace().nth(1).ok_or("an empty VmHWM")?.parse()?;
    Ok(kib * 1024)
}
