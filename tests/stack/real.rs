//! The quick form of the fault matrix on real files: a process that is killed, disks that are full, two owners, media that take no writes.

use std::process::Command;

#[test]
fn nothing_acknowledged_is_lost_on_real_files() {
    let output = Command::new(env!("CARGO_BIN_EXE_real-faults"))
        .arg("--quick")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
