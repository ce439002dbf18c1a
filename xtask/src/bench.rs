//! `cargo xtask bench`: builds the benchmarks for release and hands them the options.
//!
//! Two kinds are not the comparison with other databases: `--evict` replays traces through the buffer pool and needs nothing but that crate, and `--micro` runs the
//! micro-benchmarks of the layers.

use anyhow::{Result, ensure};
use lexopt::Parser;

use crate::command;
use crate::workspace::{self, Workspace};

const PACKAGE: &str = "godb-benches";
const BINARY: &str = "bench";
const MICRO: &str = "micro";

/// The replay of page traces, an example of the pool's crate.
const EVICT: [&str; 7] = [
    "run",
    "--release",
    "-p",
    "godb-buffer",
    "--example",
    "evict",
    "--",
];

/// The task. Every word after it belongs to the benchmark program.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let root = workspace::root();
    let options: Vec<String> = arguments
        .raw_args()?
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let start = |words: &[&str], options: &[String]| {
        let options = options.iter().map(String::as_str);
        let words: Vec<&str> = words.iter().copied().chain(options).collect();
        command::run(&mut command::cargo(&root, &words))
    };
    if options.first().is_some_and(|first| first == "--evict") {
        return start(&EVICT, &options[1..]);
    }
    let there = Workspace::load(&root)?
        .package(PACKAGE)
        .is_some_and(|package| package.binaries.iter().any(|name| name == BINARY));
    ensure!(
        there,
        "package {PACKAGE} has no binary `{BINARY}`: there is nothing to run"
    );
    if options.first().is_some_and(|first| first == "--micro") {
        return start(&["bench", "-p", PACKAGE, "--bench", MICRO, "--"], &options[1..]);
    }
    start(
        &["run", "--release", "-p", PACKAGE, "--bin", BINARY, "--"],
        &options,
    )
}
