//! A transaction ten times as large as the pool commits, rolls back, and is recovered from after a crash, in little more memory than the pool has: measured in processes of
//! their own.

use godb_tests::faults::{LARGE, POOL, RECOVER, probe_with};
use std::path::Path;
use std::process::Command;

/// The most memory, in KiB: the pool and 32 MiB.
const MOST_KIB: u64 = (POOL as u64 >> 10) + (32 << 10);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_faults"))
}

#[test]
fn it_commits() {
    probe_with(program(), LARGE[0], MOST_KIB).unwrap();
}

#[test]
fn it_rolls_back() {
    probe_with(program(), LARGE[1], MOST_KIB).unwrap();
}

#[test]
fn it_is_recovered_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("left.godb");
    let name = file.to_str().unwrap();
    let left = Command::new(program())
        .args(["--probe", &format!("leave {name}")])
        .output()
        .unwrap();
    assert!(!left.status.success(), "it ends as if killed");
    probe_with(program(), &format!("{RECOVER}{name}"), MOST_KIB).unwrap();
}
