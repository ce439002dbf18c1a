//! `godb check FILE`: reads every page, and follows every tree and index.

use std::path::Path;

use crate::engine;
use crate::problem::Problem;

/// Checks a database file and tells what it finds.
pub(crate) fn check(file: &Path) -> Result<(), Problem> {
    // Opening would create it, and an empty database is always in order.
    std::fs::metadata(file).map_err(Problem::io(file.display().to_string()))?;
    let findings = engine::check(file)?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{}: every page, tree and index is in order", file.display());
        return Ok(());
    }
    Err(Problem::Damage(findings.len()))
}
