//! `godb salvage FILE --output NEW`: copies every row that can be read out of a broken file.

use std::path::Path;

use crate::engine;
use crate::problem::Problem;

/// Copies the rows and tells which, and what is lost.
pub(crate) fn salvage(file: &Path, output: &Path) -> Result<(), Problem> {
    let report = engine::salvage(file, output).map_err(|problem| Problem::CannotLook(Box::new(problem)))?;
    print!("{report}");
    match report.is_complete() {
        true => println!("{}: everything was saved", output.display()),
        false => return Err(Problem::Incomplete(output.display().to_string())),
    }
    Ok(())
}
