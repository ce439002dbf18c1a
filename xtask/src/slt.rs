//! `cargo xtask slt`: builds the runner of the sqllogictest corpus for release and hands it the options.

use std::path::Path;

use anyhow::Result;
use lexopt::Parser;

use crate::command;
use crate::workspace;

/// The package of the tests of the whole stack.
pub(crate) const PACKAGE: &str = "godb-tests";
const BINARY: &str = "slt";

/// Where the corpus lies, seen from the repository.
pub(crate) const CORPUS: &str = "../shared/sqllogictest";

/// Whether the corpus is there.
pub(crate) fn corpus_exists(root: &Path) -> bool {
    root.join(CORPUS).is_dir()
}

/// The task. Every word after it belongs to the runner, which refuses those it does not know.
pub(crate) fn run(arguments: Parser) -> Result<()> {
    let options = words(arguments)?;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    start(&workspace::root(), &options)
}

/// The words that are left.
pub(crate) fn words(mut arguments: Parser) -> Result<Vec<String>> {
    let words = arguments.raw_args()?;
    Ok(words.map(|word| word.to_string_lossy().into_owned()).collect())
}

/// Builds and runs the runner.
pub(crate) fn start(root: &Path, options: &[&str]) -> Result<()> {
    let mut words = vec!["run", "--release", "-p", PACKAGE, "--bin", BINARY, "--"];
    words.extend(options);
    command::run(&mut command::cargo(root, &words))
}
