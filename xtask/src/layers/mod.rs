//! `cargo xtask layers`: each crate names only the crate directly below it.
//!
//! The stack is worth something only while it is a line: a student can then read one layer knowing only one other, and a layer can be
//! replaced by whoever implements one trait. Nothing erodes as quietly as this, so it is checked at every change, in three ways:
//!
//! 1. manifests: dependencies of every kind (normal, dev, build, per target) and features,
//! 2. source: crate names in code, and re-exports by glob, through which a layer's words would leak upward unlisted,
//! 3. source: the raw constructors of shared words. A `PageId` is opaque; only crates that read one from bytes may make one from a number.

mod exports;
mod manifests;
mod sources;
mod stack;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Result, bail};
use lexopt::Parser;

use crate::workspace::{self, Workspace};

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let wrong = violations(&workspace::root())?;
    for line in &wrong {
        println!("{line}");
    }
    if !wrong.is_empty() {
        bail!("{} violations of the layers", wrong.len());
    }
    println!("layers: every crate names only its lower neighbour");
    Ok(())
}

/// Everything that is wrong with the layers of the workspace at `root`, one line each.
pub(crate) fn violations(root: &Path) -> Result<Vec<String>> {
    let workspace = Workspace::load(root)?;
    let mut wrong = manifests::check(&workspace);
    wrong.extend(sources::check(&workspace)?);
    Ok(wrong)
}
