//! The checker of isolation, for a moment. A long run is `cargo xtask elle --transactions 1000000`.

use std::process::Command;

fn elle(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_elle"))
        .args(words)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}: {text}");
    text
}

#[test]
fn no_level_shows_what_it_excludes() {
    let said = elle(&["--transactions", "6000", "--seed", "7"]);
    assert!(said.contains(" 0 anomalies"), "{said}");
}

#[test]
fn without_versions_all_is_serializable() {
    let said = elle(&[
        "--transactions",
        "4000",
        "--no-mvcc",
        "--level",
        "serializable",
        "--crash-every",
        "4",
    ]);
    assert!(said.contains(" 0 anomalies"), "{said}");
}

#[test]
fn every_planted_bug_is_found() {
    let said = elle(&["--plants", "--transactions", "4000"]);
    assert!(said.contains("missed: []"), "{said}");
}
