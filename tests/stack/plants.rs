//! The crash tester finds bugs that are planted for it. All of them are looked for by `cargo xtask crash-test --plants`; here is one of each kind.

use std::process::Command;

/// What the tester says when it looks for a bug: how many states it judged, and what it found.
fn hunt(words: &[&str]) -> (u64, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_crash-test"))
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout).unwrap();
    let mut fields = line.trim_end().splitn(3, '\t');
    let states = fields.next().unwrap().parse().unwrap();
    (states, fields.nth(1).unwrap().to_owned())
}

#[test]
fn planted_bugs_are_found_and_nothing_without_them() {
    let shows = [
        ("log-sync-skipped", "does not open"),
        ("losers-forgotten", "the state after no commit"),
        ("page-reused-too-early", "the check found"),
    ];
    for (plant, wrong) in shows {
        let (_, found) = hunt(&["--hunt", plant]);
        assert!(
            found.contains(wrong) && found.contains("--seed 1 --at"),
            "{plant}: {found}"
        );
        let (states, found) = hunt(&["--without", "--hunt", plant]);
        assert!(
            found == "nothing" && states > 30,
            "{plant}: {states} states, {found}"
        );
    }
}
