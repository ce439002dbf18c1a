//! A real process with four writers is killed by SIGKILL a hundred times; every acknowledged row is there afterwards.

use godb_tests::real::{Exe, kill_and_judge};

#[test]
fn a_hundred_kills_lose_nothing_acknowledged() {
    let exe = Exe(env!("CARGO_BIN_EXE_real-faults").into());
    kill_and_judge(&exe, 100).unwrap();
}
