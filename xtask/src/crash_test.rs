//! `cargo xtask crash-test`: builds the crash tester of `tests/` with every assertion armed, and hands it the options.

use std::path::Path;

use anyhow::{Result, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::command;
use crate::workspace::{self, Workspace};

const PACKAGE: &str = "godb-tests";
const BINARY: &str = "crash-test";
/// What the crash tester understands; a word that is misspelt here must not start an hour of the wrong work.
const OPTIONS: &[&str] = &["seed", "workload", "points", "minutes", "fault"];

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut words = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long(name) if OPTIONS.contains(&name) => {
                words.push(format!("--{name}"));
                words.push(arguments.value()?.string()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    start(&workspace::root(), &words)
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
