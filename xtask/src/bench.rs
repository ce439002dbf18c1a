//! `cargo xtask bench`: builds the benchmarks for release and hands them the options.

use anyhow::{Result, ensure};
use lexopt::Parser;

use crate::command;
use crate::workspace::{self, Workspace};

const PACKAGE: &str = "godb-benches";
const BINARY: &str = "bench";

/// The task. Every word after it belongs to the benchmark program.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let root = workspace::root();
    let there = Workspace::load(&root)?
        .package(PACKAGE)
        .is_some_and(|package| package.binaries.iter().any(|name| name == BINARY));
    ensure!(
        there,
        "package {PACKAGE} has no binary `{BINARY}`: there is nothing to run"
    );
    let options: Vec<String> = arguments
        .raw_args()?
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut words = vec!["run", "--release", "-p", PACKAGE, "--bin", BINARY, "--"];
    words.extend(options.iter().map(String::as_str));
    command::run(&mut command::cargo(&root, &words))
}
