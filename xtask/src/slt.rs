//! `cargo xtask slt`: builds the runner of the sqllogictest corpus for release and hands it the options.

use std::path::Path;

use anyhow::Result;
use lexopt::Parser;

use crate::command;
use crate::workspace;

const PACKAGE: &str = "godb-tests";
const BINARY: &str = "slt";

/// Where the corpus lies, seen from the repository.
pub(crate) const CORPUS: &str = "../shared/sqllogictest";

/// Whether the corpus is there.
pub(crate) fn corpus_exists(root: &Path) -> bool {
    root.join(CORPUS).is_dir()
}

/// The task. Every word after it belongs to the runner, which refuses those it does not know.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let options: Vec<String> = arguments
        .raw_args()?
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    start(&workspace::root(), &options)
}

/// Builds and runs the runner.
pub(crate) fn start(root: &Path, options: &[&str]) -> Result<()> {
    let mut words = vec!["run", "--release", "-p", PACKAGE, "--bin", BINARY, "--"];
    words.extend(options);
    command::run(&mut command::cargo(root, &words))
}
