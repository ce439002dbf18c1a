//! Faults that `strace` injects into the system calls of a real process.

use super::kills::write_under;
use super::ledger::Ledger;
use super::process::{Exe, works};
use crate::faults::Campaign;
use std::path::Path;

/// Whether processes may be traced here.
fn can_trace() -> bool {
    let can = works("strace", &["-f", "-o", "/dev/null", "-e", "trace=none", "true"]);
    if !can {
        eprintln!("SKIPPED: strace is not installed, or may not trace here");
    }
    can
}

/// Row 5: syncs that fail.
pub(super) fn syncs(campaign: &mut Campaign) {
    if !can_trace() {
        return;
    }
    let exe = Exe::this();
    for when in 1..=campaign.choose(4, 60_u32) {
        for forever in ["", "+"] {
            let inject = format!("inject=fdatasync,fsync:error=EIO:when={when}{forever}");
            campaign.case(
                "failed syncs of a real process",
                || inject.clone(),
                || traced(&exe, &inject),
            );
        }
    }
}

/// Row 25: death at the n-th write or sync.
pub(super) fn kills(campaign: &mut Campaign, exe: &Exe) {
    if !can_trace() {
        return;
    }
    for call in ["pwrite64", "fdatasync", "openat"] {
        for when in 1..=campaign.choose(3, 40_u32) {
            let inject = format!("inject={call}:signal=SIGKILL:when={when}");
            campaign.case(
                "real processes killed in a system call",
                || inject.clone(),
                || traced(exe, &inject),
            );
        }
    }
}

/// Row 25: a disk that does not answer for a while.
pub(super) fn stalls(campaign: &mut Campaign, exe: &Exe) {
    if !can_trace() {
        return;
    }
    let micros = campaign.choose(300_000, 30_000_000_u32);
    for call in ["fdatasync", "pwrite64"] {
        let inject = format!("inject={call}:delay_enter={micros}:when=12");
        campaign.case(
            "disks that stall",
            || inject.clone(),
            || {
                let ledger = traced_ledger(exe, &inject)?;
                match (ledger.errors.first(), ledger.acknowledged()) {
                    (Some(error), _) => Err(error.clone()),
                    (None, 240) => Ok(()),
                    (None, rows) => Err(format!("{rows} of 240 rows were acknowledged")),
                }
            },
        );
    }
}

/// Row 6: writes that find the disk full.
pub(super) fn full(campaign: &mut Campaign, exe: &Exe) {
    if !can_trace() {
        return;
    }
    for error in ["ENOSPC", "EDQUOT", "EFBIG"] {
        for when in 1..=campaign.choose(2, 30_u32) {
            for forever in ["", "+"] {
                let inject =
                    format!("inject=pwrite64,fallocate,ftruncate:error={error}:when={when}{forever}");
                campaign.case(
                    "full disks of a real process",
                    || inject.clone(),
                    || traced(exe, &inject),
                );
            }
        }
    }
}

fn traced(exe: &Exe, inject: &str) -> Result<(), String> {
    traced_ledger(exe, inject).map(drop)
}

/// The child under a fault; what it acknowledged is there afterwards, without the fault.
fn traced_ledger(exe: &Exe, inject: &str) -> Result<Ledger, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("traced.godb");
    let under = ["strace", "-f", "-o", "/dev/null", "-e", inject];
    let ledger = write_under(exe, &under, &file, 60)?;
    judge_new(&ledger, &file)?;
    Ok(ledger)
}

/// Judges a file that may be half made: nothing was acknowledged then, and opening it is an error that says so, or begins anew.
fn judge_new(ledger: &Ledger, file: &Path) -> Result<(), String> {
    let judged = ledger.judge_if_there(file);
    match ledger.acknowledged() {
        0 => Ok(()),
        _ => judged,
    }
}
