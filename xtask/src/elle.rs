//! `cargo xtask elle`: builds the checker of isolation and hands it the options.

use std::path::Path;

use anyhow::Result;
use lexopt::Parser;

use crate::workspace;
use crate::{command, slt};

const BINARY: &str = "elle";

/// The task. Every word after it belongs to the checker, which refuses those it does not know.
pub(crate) fn run(arguments: Parser) -> Result<()> {
    let options = slt::words(arguments)?;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    start(&workspace::root(), &options)
}

/// Builds and runs the checker.
pub(crate) fn start(root: &Path, options: &[&str]) -> Result<()> {
    let mut words = vec![
        "run",
        "--profile",
        "crash",
        "-p",
        slt::PACKAGE,
        "--bin",
        BINARY,
        "--",
    ];
    words.extend(options);
    command::run(&mut command::cargo(root, &words))
}
