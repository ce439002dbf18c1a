//! `elle`: runs random transactions at once and judges what they saw.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use godb::Isolation;
use godb_tests::elle::{Campaign, PLANTS, plant};
use std::process::{Command, ExitCode};
use std::time::Instant;

const USAGE: &str = "usage: elle [--transactions N] [--seed N] [--threads N] [--level read-committed|repeatable-read|serializable]
            [--crash-every N] [--no-mvcc] [--plants] [--plant NAME]
  --transactions  how many in all; default 20000
  --level         only this one; default all three in turn
  --crash-every   one round of N ends in a power loss, 0 for none; default 7
  --no-mvcc       writers keep no versions
  --plants        looks for every planted bug, each in a process of its own, and for none without
  --plant         plants this one and looks for it";

/// What was asked for.
struct Options {
    campaign: Campaign,
    plants: bool,
    plant: Option<String>,
}

fn main() -> ExitCode {
    let Some(options) = parse() else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    let good = match (&options.plant, options.plants) {
        (Some(name), _) => hunt(name, &options.campaign),
        (None, true) => all_plants(&options.campaign),
        (None, false) => judge(&options.campaign),
    };
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn parse() -> Option<Options> {
    let mut options = Options {
        campaign: Campaign {
            seed: 1,
            transactions: 20_000,
            levels: vec![
                Isolation::ReadCommitted,
                Isolation::RepeatableRead,
                Isolation::Serializable,
            ],
            threads: 8,
            crash_every: 7,
            mvcc: true,
            stop: false,
        },
        plants: false,
        plant: None,
    };
    let campaign = &mut options.campaign;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--transactions" => campaign.transactions = words.next()?.parse().ok()?,
            "--seed" => campaign.seed = words.next()?.parse().ok()?,
            "--threads" => campaign.threads = words.next()?.parse().ok().filter(|threads| *threads > 0)?,
            "--crash-every" => campaign.crash_every = words.next()?.parse().ok()?,
            "--level" => campaign.levels = vec![level(&words.next()?)?],
            "--no-mvcc" => campaign.mvcc = false,
            "--plants" => options.plants = true,
            "--plant" => options.plant = Some(words.next()?),
            _ => return None,
        }
    }
    Some(options)
}

fn level(word: &str) -> Option<Isolation> {
    Some(match word {
        "read-committed" => Isolation::ReadCommitted,
        "repeatable-read" => Isolation::RepeatableRead,
        "serializable" => Isolation::Serializable,
        _ => return None,
    })
}

/// Runs a campaign that is to find nothing.
fn judge(campaign: &Campaign) -> bool {
    let started = Instant::now();
    let report = match campaign.run() {
        Ok(report) => report,
        Err(error) => {
            println!("{error}");
            return false;
        }
    };
    for (round, level, anomaly) in report.anomalies.iter().take(5) {
        println!("round {round}, {level:?}: {anomaly}");
    }
    println!(
        "{} transactions, {} committed, {} power losses, {} anomalies, {:.1} s",
        report.transactions,
        report.committed,
        report.crashes,
        report.anomalies.len(),
        started.elapsed().as_secs_f64()
    );
    report.anomalies.is_empty()
}

/// Plants a bug and looks for it.
fn hunt(name: &str, campaign: &Campaign) -> bool {
    let Some(planted) = plant(name) else {
        println!("there is no plant {name}");
        return false;
    };
    let report = match planted.campaign(campaign.seed, campaign.transactions).run() {
        Ok(report) => report,
        Err(error) => {
            println!("{name}: {error}");
            return false;
        }
    };
    let found = report.anomalies.iter().map(|(.., anomaly)| anomaly.class);
    let classes: std::collections::BTreeSet<_> = found.collect();
    println!("{name}: {classes:?} after {} transactions", report.transactions);
    classes.iter().any(|class| planted.classes.contains(class))
}

/// Looks for every bug, each in a process of its own.
fn all_plants(campaign: &Campaign) -> bool {
    let Ok(program) = std::env::current_exe() else {
        return false;
    };
    let mut missed = Vec::new();
    for plant in PLANTS {
        let words = [
            "--plant",
            plant.name,
            "--transactions",
            &campaign.transactions.to_string(),
        ];
        let found = Command::new(&program).args(words).status();
        if !found.is_ok_and(|status| status.success()) {
            missed.push(plant.name);
        }
    }
    println!("{} planted bugs, missed: {missed:?}", PLANTS.len());
    missed.is_empty() && judge(campaign)
}
