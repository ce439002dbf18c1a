//! `cargo xtask crash-test`: builds the crash tester of `tests/` optimised and with every assertion armed, and hands it the options.

use std::path::Path;

use anyhow::{Result, ensure};
use lexopt::Parser;

use crate::command;
use crate::workspace::{self, Workspace};

const PACKAGE: &str = "godb-tests";
const BINARY: &str = "crash-test";

/// The task. Every word after it belongs to the crash tester, which refuses those it does not know.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let options: Vec<String> = arguments
        .raw_args()?
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    start(&workspace::root(), &options)
}

/// Whether the workspace has the crash tester.
pub(crate) fn exists(root: &Path) -> Result<bool> {
    let workspace = Workspace::load(root)?;
    Ok(workspace
        .package(PACKAGE)
        .is_some_and(|package| package.binaries.iter().any(|name| name == BINARY)))
}

/// Builds and runs the crash tester.
pub(crate) fn start(root: &Path, options: &[&str]) -> Result<()> {
    ensure!(
        exists(root)?,
        "package {PACKAGE} has no binary `{BINARY}`: there is nothing to run"
    );
    let mut words = vec!["run", "--profile", "crash", "-p", PACKAGE, "--bin", BINARY, "--"];
    words.extend(options);
    command::run(&mut command::cargo(root, &words))
}
