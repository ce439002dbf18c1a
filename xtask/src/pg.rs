//! `cargo xtask pg`: builds the differential test against PostgreSQL for release and hands it the options.

use anyhow::Result;
use lexopt::Parser;

use crate::command;
use crate::slt;
use crate::workspace;

/// The task. The program itself says when PostgreSQL is not installed.
pub(crate) fn run(arguments: Parser) -> Result<()> {
    let options = slt::words(arguments)?;
    let mut words = vec!["run", "--release", "-p", slt::PACKAGE, "--bin", "pg", "--"];
    words.extend(options.iter().map(String::as_str));
    command::run(&mut command::cargo(&workspace::root(), &words))
}
