//! `godb check FILE`: reads every page, and follows every tree, index and version. Changes nothing; with `--repair` it repairs what it can, in a copy unless told
//! otherwise.

use std::path::{Path, PathBuf};

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

/// Repairs a database file and tells what was wrong and what was done.
pub(crate) fn repair(file: &Path, output: Option<PathBuf>, in_place: bool) -> Result<(), Problem> {
    let output = output.unwrap_or_else(|| {
        let mut name = file.as_os_str().to_owned();
        name.push(".repaired");
        name.into()
    });
    let to = (!in_place).then_some(output.as_path());
    let report = engine::repair(file, to)?;
    for finding in &report.before.findings {
        println!("{finding}");
    }
    for done in &report.done {
        println!("repaired: {done}");
    }
    match (report.before.is_sound(), to) {
        (true, _) => println!("{}: nothing to repair", file.display()),
        (false, to) => println!(
            "{}: every page, tree and index is in order",
            to.unwrap_or(file).display()
        ),
    }
    Ok(())
}
