//! `godb tour`: a walk through the database on a file of its own, each step shown as code and result.
//!
//! The tour believes nothing: where a step says that something holds, it has looked, and ends with an error when it does not.

mod crash;
mod stage;
mod steps;

use std::path::{Path, PathBuf};
use std::time::Duration;

use godb::{Config, Database};

use crate::engine::failure;
use crate::problem::Problem;
use stage::Stage;

pub(crate) use crash::victim;

/// Takes the tour, on `file` or on one that is removed at the end.
pub(crate) fn run(file: Option<PathBuf>) -> Result<(), Problem> {
    let temporary = tempfile::tempdir().map_err(Problem::io("a directory for the tour"))?;
    let kept = file.is_some();
    let file = file.unwrap_or_else(|| temporary.path().join("tour.godb"));
    if file.exists() {
        return Err(Problem::Command(format!(
            "{} is already there, and the tour makes a file of its own",
            file.display()
        )));
    }
    let stage = Stage::new();
    walk(&stage, &file)?;
    if kept {
        stage.say(&format!("The file is yours now: try  godb {}", file.display()));
    } else {
        stage.say(
            "The file is gone now. To keep one and look around in it:  godb tour my.godb && godb my.godb",
        );
    }
    Ok(())
}

fn walk(stage: &Stage, file: &Path) -> Result<(), Problem> {
    stage.title("A tour of godb");
    let database = steps::open(stage, file)?;
    steps::keys(stage, &database)?;
    steps::sql(stage, &database)?;
    steps::conflict(stage, &database)?;
    steps::time_travel(stage, &database)?;
    database.close().map_err(refused)?;
    crash::crash_and_recover(stage, file)?;
    steps::check(stage, file)
}

/// How the tour opens its file: with an hour of history, so that there is a past to travel to.
fn open(file: &Path) -> Result<Database, Problem> {
    let config = Config {
        retention: Duration::from_secs(3600),
        ..Config::default()
    };
    Database::open_with(file, config).map_err(refused)
}

/// The database refused something that the tour counts on.
#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn refused(error: godb::Error) -> Problem {
    failure(&error, "").into()
}

/// What must hold for the tour to go on.
fn demand(holds: bool, what: impl FnOnce() -> String) -> Result<(), Problem> {
    if holds {
        Ok(())
    } else {
        Err(Problem::Command(format!("the tour found a fault: {}", what())))
    }
}
