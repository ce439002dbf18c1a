//! A real process with four writers is killed by SIGKILL, at random moments, again and again on the same files.

use super::judge::{self, Acknowledged};
use super::process::{start, text};
use crate::faults::Campaign;
use std::path::Path;
use std::time::Duration;

/// Kills of one database before a new one begins, so that looking for every row stays cheap.
const LIFE: usize = 25;

/// A thousand kills, then a hundred polite ones.
pub(super) fn run(campaign: &mut Campaign) {
    for life in 0..campaign.choose(1, 40) {
        series(campaign, "processes killed by SIGKILL", life, false);
    }
    for life in 0..campaign.choose(1, 4) {
        series(campaign, "processes ended by SIGTERM", life, true);
    }
}

/// A database and its kills. It is judged after every fifth.
fn series(campaign: &mut Campaign, what: &'static str, life: usize, politely: bool) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = folder.path().join("killed.godb");
    let mut all = Acknowledged::new();
    let rounds = campaign.choose(10, LIFE);
    for turn in 0..rounds / 5 {
        let seed = campaign.seed;
        campaign.cases(
            what,
            5,
            || format!("database {life}, kills {} to {}", turn * 5, turn * 5 + 4),
            || {
                for round in turn * 5..turn * 5 + 5 {
                    kill_once(&file, round, moment(seed, life, round), politely, &mut all)?;
                }
                judge::many(&file, &all)
            },
        );
    }
    campaign.case(
        what,
        || format!("database {life} at its end"),
        || match all.len() >= rounds {
            true => Ok(()),
            false => Err(format!(
                "{rounds} kills, and only {} threads ever committed",
                all.len()
            )),
        },
    );
}

/// When the kill comes: from before the file is open to long after.
fn moment(seed: u64, life: usize, round: usize) -> Duration {
    let mixed = (seed + life as u64 * 1_000 + round as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    Duration::from_micros(5_000 + mixed % 100_000)
}

fn kill_once(
    file: &Path,
    round: usize,
    after: Duration,
    politely: bool,
    all: &mut Acknowledged,
) -> Result<(), String> {
    let mut running = start(&[], "many", file, &round.to_string())?;
    // Every other kill waits for the opening, so that there is work to be lost; the rest may meet recovery.
    if round % 2 == 0 {
        running.hear(|line| line == "open");
    }
    std::thread::sleep(after);
    let told = if politely {
        running.terminate()
    } else {
        running.kill()
    };
    judge::note(&told.map_err(text)?, round, all)
}
