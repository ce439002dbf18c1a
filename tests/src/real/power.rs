//! A file system of its own, in a file, is cut off from its disk while a process commits: what the kernel had not yet sent to the disk is gone for good, as after a
//! loss of power. Then it is mounted again, which replays the file system's own journal, and judged.

use super::process::{start, text};
use super::{Mounted, judge, skip, system, word};
use crate::faults::Campaign;
use std::path::Path;
use std::time::Duration;

/// Part of row 25.
pub(super) fn run(campaign: &mut Campaign) {
    for kind in ["ext4", "xfs"] {
        let what = match kind {
            "ext4" => "power cuts of ext4",
            _ => "power cuts of XFS",
        };
        if let Err(why) = cuts(campaign, what, kind) {
            skip(what, &why);
        }
    }
}

fn cuts(campaign: &mut Campaign, what: &'static str, kind: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(text)?;
    let image = folder.path().join("disk");
    for cut in 0..campaign.choose(2, 50) {
        format_disk(&image, kind)?;
        drop(Mounted::new(&["-o", "loop", &word(&image)])?);
        if !system("xfs_io", &["-V"]) {
            return Err("xfs_io is not there".into());
        }
        let wait = Duration::from_millis(campaign.choose(50, 20 + cut * 37 % 300));
        campaign.case(
            what,
            || format!("cut {cut} after {wait:?}"),
            || cut_once(&image, wait),
        );
    }
    Ok(())
}

fn format_disk(image: &Path, kind: &str) -> Result<(), String> {
    drop(std::fs::remove_file(image));
    let file = std::fs::File::create(image).map_err(text)?;
    // XFS takes no smaller disk.
    file.set_len(320 << 20).map_err(text)?;
    match system(&format!("mkfs.{kind}"), &["-q", &word(image)]) {
        true => Ok(()),
        false => Err(format!("mkfs.{kind} is not there, or fails")),
    }
}

fn cut_once(image: &Path, wait: Duration) -> Result<(), String> {
    let image = word(image);
    let disk = Mounted::new(&["-o", "loop", &image])?;
    let mut running = start(&[], "one", &disk.path().join("cut.godb"), "1000000")?;
    running.hear(|line| line == "ok 5");
    std::thread::sleep(wait);
    if !system("xfs_io", &["-x", "-c", "shutdown", &word(disk.path())]) {
        return Err("the disk cannot be cut off".into());
    }
    let told = running.finish()?;
    drop(disk);
    if told.errors().next().is_none() {
        return Err("it noticed nothing".into());
    }
    let disk = Mounted::new(&["-o", "loop", &image])?;
    // What it could not read while the disk was gone is no failure; what it was told before is.
    let told = super::process::Told {
        lines: told
            .lines
            .into_iter()
            .filter(|line| line != "unreadable")
            .collect(),
        ..told
    };
    judge::one(&disk.path().join("cut.godb"), &told)
}
