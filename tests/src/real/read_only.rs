//! Row 16: a file, a directory, a mount where nothing may be written.

use super::kills::write_under;
use super::process::{Exe, Running, run as run_child, word, works};
use super::small_disks::Mounted;
use crate::faults::Campaign;
use godb::Database;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Somebody who owns nothing here.
const NOBODY: u32 = 65_534;

/// Row 16.
pub(super) fn run(campaign: &mut Campaign) {
    for clean in [true, false] {
        for place in [Place::File, Place::Directory, Place::Mount] {
            campaign.case(
                "places where nothing may be written",
                || format!("{place:?}, {}", if clean { "closed" } else { "killed" }),
                || try_place(place, clean),
            );
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Only the file is protected.
    File,
    /// The file and its directory are.
    Directory,
    /// The whole file system is.
    Mount,
}

fn try_place(place: Place, clean: bool) -> Result<(), String> {
    let exe = Exe::this();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("fixed.godb");
    let rows = fill(&exe, &file, clean)?;
    let mounted = match place {
        Place::Mount => Mounted::read_only(folder.path()),
        _ => None,
    };
    if mounted.is_none() && matches!(place, Place::Mount) {
        eprintln!("SKIPPED: nothing may be mounted here");
        return Ok(());
    }
    protect(folder.path(), place)?;
    let shown = mounted
        .as_ref()
        .map_or(file.clone(), |mounted| mounted.path().join("fixed.godb"));
    // A program that anybody may run: root would be let through.
    let program = public_copy(&exe)?;
    let mut command = Exe(program.path().join("real-faults")).child(&["read", word(&shown)]);
    if works("id", &["-u"]) && is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    judge(&run_child(command)?, clean.then_some(rows))
}

/// Rows, from a database that was closed, or whose process was killed.
fn fill(exe: &Exe, file: &Path, clean: bool) -> Result<usize, String> {
    if clean {
        write_under(exe, &[], file, 5)?;
        let db = Database::open(file).map_err(|error| error.to_string())?;
        let rows = db.begin().and_then(|tx| Ok(tx.range(..)?.count()));
        db.close().map_err(|error| error.to_string())?;
        return rows.map_err(|error| error.to_string());
    }
    let child = Running::start(exe.child(&["write", word(file), "0", "1000000"]))?;
    std::thread::sleep(Duration::from_millis(200));
    works("kill", &["-KILL", &child.child.id().to_string()]);
    drop(child.finish());
    Ok(0)
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

fn protect(folder: &Path, place: Place) -> Result<(), String> {
    let set = |path: &Path, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).map_err(|error| error.to_string())
    };
    for entry in walk(folder) {
        let mode = if entry.is_dir() { 0o755 } else { 0o444 };
        set(&entry, mode)?;
    }
    set(
        folder,
        if matches!(place, Place::Directory) {
            0o555
        } else {
            0o777
        },
    )
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            all.extend(walk(&path));
        }
        all.push(path);
    }
    all
}

/// The program where everybody may run it.
fn public_copy(exe: &Exe) -> Result<tempfile::TempDir, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copy = folder.path().join("real-faults");
    let made = std::fs::copy(&exe.0, &copy).and_then(|_| {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755))
    });
    made.map(|()| folder).map_err(|error| error.to_string())
}

/// A clean one can be read and not written; one that was not closed says that it cannot be opened so.
fn judge(said: &[String], rows: Option<usize>) -> Result<(), String> {
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    match (rows, &said[..]) {
        (Some(rows), [read, "refused 25006"]) if *read == format!("rows {rows}") => Ok(()),
        (None, [error]) if error.starts_with("error ") => Ok(()),
        _ => Err(format!("it said {said:?}")),
    }
}
