//! Row 25: the power of a real file system goes. ext4 and XFS can be shut down from one moment to the next, journal and all; what is there after the next mount
//! is what the disk had.

use super::ledger::Ledger;
use super::process::{Exe, Running, is_installed, word, works};
use super::small_disks::Mounted;
use crate::faults::Campaign;
use std::path::Path;
use std::time::Duration;

pub(super) fn run(campaign: &mut Campaign, exe: &Exe) {
    if !is_installed("xfs_io") {
        eprintln!("SKIPPED: xfs_io is not installed, so no file system can be shut down");
        return;
    }
    for system in ["ext4", "xfs"] {
        let Some((folder, image)) = make(system) else {
            eprintln!("SKIPPED: no file system of type {system} can be made and mounted here");
            continue;
        };
        for cut in 0..campaign.choose(2, 60_u64) {
            campaign.case(
                "file systems shut down under a writer",
                || format!("{system}, cut {cut}"),
                || cut_power(exe, &image, cut),
            );
        }
        drop(folder);
    }
}

/// An empty file system in a file, if one can be made and mounted.
fn make(system: &str) -> Option<(tempfile::TempDir, std::path::PathBuf)> {
    let folder = tempfile::tempdir().ok()?;
    let image = folder.path().join("disk");
    std::fs::File::create(&image).ok()?.set_len(400 << 20).ok()?;
    let made = works(&format!("mkfs.{system}"), &["-q", word(&image)]);
    let usable = made && Mounted::image(&image).is_some();
    usable.then_some((folder, image))
}

/// Writes, cuts the power, mounts again, judges.
fn cut_power(exe: &Exe, image: &Path, cut: u64) -> Result<(), String> {
    let (round, mut ledger) = (cut.to_string(), Ledger::default());
    {
        let mounted = Mounted::image(image).ok_or("the file system cannot be mounted")?;
        let file = mounted.path().join(format!("power{}.godb", cut / 5));
        let child = Running::start(exe.child(&["write", word(&file), &round, "1000000"]))?.listen();
        std::thread::sleep(Duration::from_millis(10 + (cut * 17) % 150));
        // What a process is told while its file system goes down would have reached nobody outside the machine.
        ledger.note(&round, &child.so_far());
        if !works("xfs_io", &["-x", "-c", "shutdown", word(&mounted.path())]) {
            return Err("the file system cannot be shut down".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
        child.kill();
    }
    let mounted = Mounted::image(image).ok_or("the file system cannot be mounted again")?;
    let file = mounted.path().join(format!("power{}.godb", cut / 5));
    match ledger.acknowledged() {
        0 => Ok(()),
        _ => ledger.judge(&file),
    }
}
