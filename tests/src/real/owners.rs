//! Row 15: two want the same database. One gets it; the other is told who has it.

use super::process::{Exe, Running, word, works};
use crate::faults::Campaign;
use godb::Database;
use std::path::Path;

/// Row 15.
pub(super) fn run(campaign: &mut Campaign) {
    let exe = Exe::this();
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return campaign.case("races of two processes", String::new, || Err(error.to_string())),
    };
    let file = folder.path().join("owned.godb");
    let link = folder.path().join("link.godb");
    let made = Database::open(&file).and_then(Database::close);
    campaign.case(
        "databases made for it",
        || "a hard link".to_owned(),
        || {
            made.map_err(|error| error.to_string())?;
            std::fs::hard_link(&file, &link).map_err(|error| error.to_string())
        },
    );
    for race in 0..campaign.choose(20, 1_000_u32) {
        let other = if race % 2 == 0 { &file } else { &link };
        campaign.case(
            "races of two processes",
            || format!("race {race}"),
            || two_processes(&exe, &file, other),
        );
    }
    for _ in 0..campaign.choose(3, 100_u32) {
        campaign.case(
            "the same process twice",
            || "twice".to_owned(),
            || same_process(&file, &link),
        );
        campaign.case(
            "owners killed",
            || "kill -9".to_owned(),
            || killed_owner(&exe, &file),
        );
    }
}

/// Both start at once; exactly one has it, and the other says that it is in use.
fn two_processes(exe: &Exe, file: &Path, other: &Path) -> Result<(), String> {
    let mut both = [
        Running::start(exe.child(&["hold", word(file)]))?,
        Running::start(exe.child(&["hold", word(other)]))?,
    ];
    let said = both.each_mut().map(Running::hear);
    both.into_iter().for_each(|child| drop(child.finish()));
    let owners = said.iter().filter(|line| *line == "open").count();
    let refused = said
        .iter()
        .filter(|line| line.starts_with("refused") && line.contains("in use"))
        .count();
    match (owners, refused) {
        (1, 1) => Ok(()),
        _ => Err(format!("they said {said:?}")),
    }
}

fn same_process(file: &Path, link: &Path) -> Result<(), String> {
    let db = Database::open(file).map_err(|error| error.to_string())?;
    for again in [file, link] {
        match Database::open(again) {
            Ok(_) => return Err(format!("it was opened twice, as {}", again.display())),
            Err(error) if error.to_string().contains("in use") => {}
            Err(error) => return Err(format!("the second was told: {error}")),
        }
    }
    db.close().map_err(|error| error.to_string())
}

/// The lock goes with its owner.
fn killed_owner(exe: &Exe, file: &Path) -> Result<(), String> {
    let mut owner = Running::start(exe.child(&["hold", word(file)]))?;
    let said = owner.hear();
    works("kill", &["-KILL", &owner.child.id().to_string()]);
    drop(owner.finish());
    if said != "open" {
        return Err(format!("the owner said {said:?}"));
    }
    let db = Database::open(file).map_err(|error| error.to_string())?;
    db.close().map_err(|error| error.to_string())
}
