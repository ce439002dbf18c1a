//! Disks of a few kilobytes, and files that may not grow.

use super::process::{Told, start};
use super::{Mounted, judge, skip, system, word};
use crate::faults::Campaign;
use std::path::Path;

/// Part of row 6.
pub(super) fn run(campaign: &mut Campaign) {
    let sizes: &[u64] = campaign.choose(&[24, 1024], &[24, 64, 128, 256, 512, 1024, 2048, 4096]);
    for size in sizes {
        match Mounted::new(&["-t", "tmpfs", "-o", &format!("size={size}k"), "none"]) {
            Ok(disk) => campaign.case("tiny disks", || format!("{size} KiB"), || tiny(&disk)),
            Err(why) => skip("tiny disks", &why),
        }
    }
    for kib in campaign.choose(
        &[64_u64, 640][..],
        &[8, 16, 32, 64, 128, 256, 512, 640, 768, 1024],
    ) {
        for ignored in [true, false] {
            let name = move || format!("{kib} KiB, signal ignored: {ignored}");
            campaign.case("files that may not grow", name, || limited(*kib, ignored));
        }
    }
}

/// A disk that fills up, and gets larger again.
fn tiny(disk: &Mounted) -> Result<(), String> {
    let file = disk.path().join("tiny.godb");
    let mut running = start(&[], "one", &file, "20000")?;
    let full = running.hear(|line| line.starts_with("error ") || line == "end");
    let Some(error) = full.filter(|line| line != "end") else {
        return Err("20,000 rows fit a tiny disk".into());
    };
    if !error.contains("no room") {
        return Err(format!("a full disk is reported as: {error}"));
    }
    let opened = running.hear(|line| line == "readable" || line == "unreadable" || line == "end");
    grow(disk.path());
    if opened.as_deref() != Some("readable") {
        // It did not even open: once there is room it must.
        return judge::one(&file, &running.finish()?);
    }
    running.go_on();
    let told = running.finish()?;
    went_on(&told)?;
    judge::one(&file, &told)
}

fn grow(disk: &Path) {
    system("mount", &["-o", "remount,size=64m", &word(disk)]);
}

/// After the error rows were acknowledged again.
fn went_on(told: &Told) -> Result<(), String> {
    let failed = told.lines.iter().position(|line| line.starts_with("error "));
    let again = failed.is_some_and(|at| told.lines[at..].iter().any(|line| line.starts_with("ok ")));
    match again {
        true => Ok(()),
        false => Err("it takes no writes although there is room again".into()),
    }
}

/// A limit on the size of files. The kernel also sends a signal, which ends a program that does not ignore it.
fn limited(kib: u64, ignored: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("limited.godb");
    let trap = if ignored { "trap '' XFSZ; " } else { "" };
    let limit = format!("{trap}exec prlimit --fsize={} -- \"$@\"", kib * 1024);
    let told = start(&["sh", "-c", &limit, "sh"], "one", &file, "5000")?.finish()?;
    if told.acknowledged() == 5000 {
        return Err("5,000 rows fit a tiny file".into());
    }
    if ignored && told.errors().next().is_none() {
        return Err(format!(
            "it ended without an error: {:?} {}",
            told.status, told.complaints
        ));
    }
    judge::one(&file, &told)
}
