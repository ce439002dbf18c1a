//! Who has the database: several processes at once, one process twice, another name of the same file, an owner that was killed.

use super::process::{Running, start};
use crate::faults::Campaign;
use godb::Database;
use std::path::{Path, PathBuf};

/// Row 15.
pub(super) fn run(campaign: &mut Campaign) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = folder.path().join("owned.godb");
    let link = folder.path().join("link.godb");
    campaign.case(
        "databases to race for",
        || "create one".into(),
        || {
            let db = Database::open(&file).map_err(|error| error.to_string())?;
            db.close().map_err(|error| error.to_string())?;
            std::fs::hard_link(&file, &link).map_err(|error| error.to_string())
        },
    );
    let races = campaign.choose(12, 1_000);
    for number in 0..races {
        let (what, second) = match number % 3 {
            0 => ("races of two processes", file.clone()),
            1 => ("races by two names of a file", link.clone()),
            _ => ("races of a process with itself", file.clone()),
        };
        let kill = number % 2 == 0;
        let twice = number % 3 == 2;
        let name = move || format!("race {number}, owner killed: {kill}");
        campaign.case(what, name, || race(&file, &second, twice, kill));
    }
}

/// Two processes open it at once: exactly one gets it, and the other is told who.
fn race(first: &Path, second: &PathBuf, twice: bool, kill: bool) -> Result<(), String> {
    let more = if twice { "twice" } else { "once" };
    let mut racers = [
        start(&[], "hold", first, more)?,
        start(&[], "hold", second, more)?,
    ];
    let mut answers = Vec::new();
    for racer in &mut racers {
        answers.push(racer.hear(|_| true).unwrap_or_default());
    }
    let mine = |at: &usize| answers[*at] == "mine";
    let owners: Vec<usize> = (0..2).filter(mine).collect();
    let &[owner] = &owners[..] else {
        return Err(format!("the answers were {answers:?}"));
    };
    let name = format!("used {}", racers[owner].id());
    if answers[1 - owner] != name {
        return Err(format!(
            "the answers were {answers:?}, the owner is {}",
            racers[owner].id()
        ));
    }
    if twice && racers[owner].hear(|_| true).as_ref() != Some(&name) {
        return Err("a process got it twice".into());
    }
    let [one, other] = racers;
    let (owner, loser) = if owner == 0 { (one, other) } else { (other, one) };
    loser.finish()?;
    end(owner, if answers[0] == "mine" { first } else { second }, kill)
}

/// The owner ends, by itself or not; then anybody can have it, and what the owner wrote is there.
fn end(owner: Running, file: &Path, kill: bool) -> Result<(), String> {
    let id = owner.id().to_string();
    if kill { owner.kill() } else { owner.finish() }?;
    let db = Database::open(file).map_err(|error| format!("the owner is gone, and: {error}"))?;
    let wrote = db.get(b"owner").map_err(|error| error.to_string())?;
    if wrote != Some(id.clone().into_bytes()) {
        return Err(format!("what owner {id} wrote is lost: {wrote:?}"));
    }
    db.close().map_err(|error| error.to_string())
}
