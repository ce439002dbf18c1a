//! The programs that make the figures.

use std::path::Path;

use anyhow::{Result, ensure};

use super::FOLDER;
use crate::command;
use crate::workspace::Workspace;

/// A program and the rows it serves.
struct Campaign {
    rows: &'static [u8],
    /// The binary of `godb-tests`, or the task of xtask.
    program: Program,
}

enum Program {
    /// A binary of `godb-tests` with these words, the folder behind `--figures` and, with `row`, the row behind `--row`.
    Binary {
        name: &'static str,
        words: &'static [&'static str],
        row: bool,
    },
    /// A task of xtask.
    Task(&'static [&'static str]),
}

const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        rows: &[1, 2, 3, 4, 5, 6, 13, 18],
        program: Program::Binary {
            name: "crash-test",
            words: &["--full", "--minutes", "60", "--jobs", "2"],
            row: false,
        },
    },
    Campaign {
        rows: &[1],
        program: Program::Binary {
            name: "crash-test",
            words: &["--plants", "--jobs", "2"],
            row: false,
        },
    },
    Campaign {
        rows: &[5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 19, 20],
        program: Program::Binary {
            name: "faults",
            words: &[],
            row: true,
        },
    },
    Campaign {
        rows: &[5, 6, 15, 16, 25],
        program: Program::Binary {
            name: "real-faults",
            words: &[],
            row: true,
        },
    },
    Campaign {
        rows: &[9],
        program: Program::Binary {
            name: "salvage-test",
            words: &[],
            row: false,
        },
    },
    Campaign {
        rows: &[17],
        program: Program::Task(&["fuzz", "--seconds", "180", "--figures", FOLDER]),
    },
    Campaign {
        rows: &[24],
        program: Program::Task(&["loom", "--figures", FOLDER]),
    },
    Campaign {
        rows: &[13],
        program: Program::Task(&["mutants", "--figures", FOLDER]),
    },
    Campaign {
        rows: &[24],
        program: Program::Task(&["tsan", "--figures", FOLDER]),
    },
];

/// Runs every campaign, or those of one row. One that fails does not stop the others: its failures are in its figures.
pub(super) fn run(root: &Path, row: Option<u8>) -> Result<()> {
    let mut failed = Vec::new();
    for campaign in CAMPAIGNS {
        for asked in campaign
            .rows
            .iter()
            .filter(|one| row.is_none_or(|row| row == **one))
        {
            let words = words(root, &campaign.program, *asked)?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if let Err(error) = command::run(&mut command::cargo(root, &words)) {
                failed.push(error.to_string());
            }
            // A program that serves all its rows at once runs once.
            if !matches!(campaign.program, Program::Binary { row: true, .. }) {
                break;
            }
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// The words after `cargo`.
fn words(root: &Path, program: &Program, row: u8) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| all.extend(words.iter().map(|word| (*word).to_owned()));
    match program {
        Program::Task(words) => {
            add(&["xtask"]);
            add(words);
        }
        Program::Binary {
            name,
            words,
            row: by_row,
        } => {
            ensure!(
                Workspace::load(root)?
                    .package("godb-tests")
                    .is_some_and(|package| package.binaries.iter().any(|binary| binary == name)),
                "package godb-tests has no binary `{name}`"
            );
            add(&[
                "run",
                "--profile",
                "crash",
                "-p",
                "godb-tests",
                "--bin",
                name,
                "--",
            ]);
            add(words);
            add(&["--figures", FOLDER]);
            if *by_row {
                add(&["--row", &row.to_string()]);
            }
        }
    }
    Ok(all)
}
