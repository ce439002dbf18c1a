//! `godb check FILE`: reads every page, and follows every tree, index and version. Changes nothing.

use std::path::Path;

use crate::engine;
use crate::problem::Problem;

/// Checks a database file and tells what it finds.
pub(crate) fn check(file: &Path) -> Result<(), Problem> {
    let report = engine::check(file).map_err(|problem| Problem::CannotLook(Box::new(problem)))?;
    for finding in &report.findings {
        println!("{finding}");
    }
    if !report.is_sound() {
        return Err(Problem::Damage(report.findings.len()));
    }
    println!("{}: every page, tree and index is in order", file.display());
    println!(
        "{} pages, {} trees, {} tables, {} rows, {} index entries, {} bytes of log",
        report.pages, report.trees, report.tables, report.rows, report.entries, report.log_bytes
    );
    Ok(())
}
