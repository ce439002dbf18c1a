//! System calls that fail because `strace` makes them: the program, its libraries and the kernel's answers are the real ones.

use super::process::start;
use super::{judge, skip, system};
use crate::faults::Campaign;

/// Rows that a worker commits when nothing stops it.
const ROWS: &str = "60";

/// One kind of failure.
struct Injection {
    what: &'static str,
    /// Call and failure, as strace writes them.
    failure: &'static str,
    /// Whether it goes on failing.
    lasting: bool,
}

const fn injection(what: &'static str, failure: &'static str, lasting: bool) -> Injection {
    Injection {
        what,
        failure,
        lasting,
    }
}

/// Row 5.
pub(super) fn syncs(campaign: &mut Campaign) {
    let all = [
        injection("syncs of real files failed", "fdatasync:error=EIO", false),
        injection("syncs of real files failed", "fdatasync:error=EIO", true),
        injection("syncs of real files failed", "fsync:error=EIO", false),
        injection("syncs of real files failed", "fsync:error=EIO", true),
    ];
    run(campaign, &all, 25);
}

/// Row 6.
pub(super) fn full_disks(campaign: &mut Campaign) {
    let all = [
        injection(
            "writes of real files without room",
            "pwrite64:error=ENOSPC",
            false,
        ),
        injection("writes of real files without room", "pwrite64:error=ENOSPC", true),
        injection("writes of real files without room", "pwrite64:error=EDQUOT", true),
        injection("writes of real files without room", "pwrite64:error=EFBIG", true),
        injection(
            "growths of real files without room",
            "fallocate:error=ENOSPC",
            false,
        ),
        injection(
            "growths of real files without room",
            "fallocate:error=ENOSPC",
            true,
        ),
    ];
    run(campaign, &all, 25);
}

/// Part of row 25.
pub(super) fn kills(campaign: &mut Campaign) {
    let all = [
        injection("kills at a write", "pwrite64:signal=SIGKILL", false),
        injection("kills at a sync", "fdatasync:signal=SIGKILL", false),
    ];
    run(campaign, &all, 50);
    stalls(campaign);
}

fn possible(what: &str) -> bool {
    let there = system("strace", &["-f", "-qq", "-o", "/dev/null", "true"]);
    if !there {
        skip(what, "strace is not there, or may not trace");
    }
    there
}

/// Each failure at the first call, the second, … of each thread.
fn run(campaign: &mut Campaign, all: &[Injection], calls: u64) {
    let calls = campaign.choose(3, calls);
    if !possible(all[0].what) {
        return;
    }
    for injection in all {
        for call in 1..=calls {
            let plus = if injection.lasting { "+" } else { "" };
            let inject = format!("inject={}:when={call}{plus}", injection.failure);
            campaign.case(
                injection.what,
                || inject.clone(),
                || case(&inject, injection.lasting),
            );
        }
    }
}

fn case(inject: &str, lasting: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("real.godb");
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", inject];
    let mut running = start(&strace, "one", &file, ROWS)?;
    if !lasting {
        // It may try again after its first error.
        running.go_on();
    }
    let told = running.finish()?;
    judge::one(&file, &told)
}

/// A disk that does not answer for a long while: commits wait, and then go on.
fn stalls(campaign: &mut Campaign) {
    let what = "disks that stall";
    if !possible(what) {
        return;
    }
    let seconds: u64 = campaign.choose(1, 30);
    for (call, at) in [("fdatasync", 3), ("pwrite64", 9)] {
        let inject = format!("inject={call}:delay_enter={}:when={at}", seconds * 1_000_000);
        campaign.case(
            what,
            || inject.clone(),
            || {
                let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
                let file = folder.path().join("stalled.godb");
                let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
                let told = start(&strace, "one", &file, ROWS)?.finish()?;
                if told.acknowledged() != 60 {
                    return Err(format!("it gave up: {:?}", told.lines.last()));
                }
                judge::one(&file, &told)
            },
        );
    }
}
