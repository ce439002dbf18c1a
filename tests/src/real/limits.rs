//! Little of everything: file handles, memory, processors.

use super::process::start;
use super::{judge, skip, system};
use crate::faults::Campaign;

/// The most memory, in KiB, that the run in little memory may have resident.
const MEMORY: u64 = 64 << 10;

/// Part of row 25.
pub(super) fn run(campaign: &mut Campaign) {
    if system("prlimit", &["--nofile=64", "--", "true"]) {
        for handles in campaign.choose(7..12_u32, 4..34) {
            let name = move || format!("{handles} handles");
            campaign.case("processes out of file handles", name, || out_of_handles(handles));
        }
    } else {
        skip("processes out of file handles", "prlimit is not there");
    }
    if system("taskset", &["-c", "0", "true"]) {
        let rows = campaign.choose("2000", "20000");
        campaign.case(
            "whole runs in 64 MiB on one processor",
            || format!("{rows} rows"),
            || small(rows),
        );
    } else {
        skip("whole runs in 64 MiB on one processor", "taskset is not there");
    }
}

fn out_of_handles(handles: u32) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("handles.godb");
    let limit = format!("--nofile={handles}");
    let told = start(&["prlimit", &limit, "--"], "one", &file, "2000")?.finish()?;
    if told.acknowledged() < 2000 && told.errors().next().is_none() && !told.lines.is_empty() {
        return Err(format!("it stopped without an error: {:?}", told.lines.last()));
    }
    judge::one(&file, &told)
}

fn small(rows: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("small.godb");
    let told = start(&["taskset", "-c", "0"], "one", &file, rows)?.finish()?;
    if told.acknowledged().to_string() != rows {
        return Err(format!("it stopped: {:?}", told.lines.last()));
    }
    let memory = told
        .lines
        .iter()
        .find_map(|line| line.strip_prefix("memory ")?.parse::<u64>().ok());
    match memory {
        Some(kib) if kib <= MEMORY => judge::one(&file, &told),
        other => Err(format!("it had {other:?} KiB resident")),
    }
}
