//! `cargo xtask faults`: the fault matrix with the figures of its last full run, and whether they reach their goals.
//!
//! The campaigns write what they tried and what failed into `docs/faults`, one file for each row and program; [`goals`] says what must be there. A row
//! without its figure fails, and so does a count below its goal or a failure: a promise that was not tested is none. `--run` runs the campaigns.

mod campaigns;
mod goals;
mod table;

use std::path::Path;

use anyhow::{Result, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::workspace;

/// Where the figures lie, seen from the repository.
const FOLDER: &str = "docs/faults";

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut campaigns = false;
    let mut row = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("run") => campaigns = true,
            Arg::Long("row") => row = Some(arguments.value()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    if campaigns {
        campaigns::run(&root, row)?;
    }
    judge(&root.join(FOLDER), row)
}

/// Prints the matrix, or one row of it, and fails where it falls short.
fn judge(folder: &Path, row: Option<u8>) -> Result<()> {
    let figures = table::read(folder)?;
    let lines: Vec<table::Line> = table::lines(&figures)
        .into_iter()
        .filter(|line| row.is_none_or(|row| row == line.row))
        .collect();
    ensure!(!lines.is_empty(), "the matrix has no such row");
    println!("{}", table::HEAD);
    let mut short = 0;
    for line in &lines {
        println!("{line}");
        short += usize::from(line.falls_short());
    }
    ensure!(short == 0, "{short} of {} measures fall short", lines.len());
    Ok(())
}
