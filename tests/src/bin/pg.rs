//! `pg`: asks PostgreSQL 15 what godb's golden scripts and random queries should answer.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use godb_sql::testing::SCRIPTS;
use godb_tests::postgres::{Server, check_script, fill_script, random_queries};
use std::io;
use std::process::ExitCode;

const USAGE: &str = "usage: pg [--scripts NAME] [--random COUNT] [--seed N] [--fill FILE]
  --scripts  only scripts whose name contains NAME
  --random   how many random queries; default 5000
  --seed     of the random queries; default 1
  --fill     write PostgreSQL's answers into the `values` records of a script, and do nothing else";

/// What was asked for.
struct Options {
    scripts: String,
    random: usize,
    seed: u64,
    fill: Option<String>,
}

fn main() -> ExitCode {
    let Some(options) = parse() else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Option<Options> {
    let mut options = Options {
        scripts: String::new(),
        random: 5000,
        seed: 1,
        fill: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--scripts" => options.scripts = value,
            "--random" => options.random = value.parse().ok()?,
            "--seed" => options.seed = value.parse().ok()?,
            "--fill" => options.fill = Some(value),
            _ => return None,
        }
    }
    Some(options)
}

/// Tells whether everything agrees.
fn run(options: &Options) -> io::Result<bool> {
    let Some(server) = Server::start()? else {
        println!("SKIPPED: PostgreSQL 15 is not installed (Debian's package is postgresql-15)");
        return Ok(true);
    };
    if let Some(file) = &options.fill {
        let filled = fill_script(&server, &std::fs::read_to_string(file)?)?;
        std::fs::write(file, filled)?;
        return Ok(true);
    }
    let mut wrong = 0;
    for (name, text) in SCRIPTS.iter().filter(|(name, _)| name.contains(&options.scripts)) {
        let differences = check_script(&server, name, text)?;
        wrong += differences.len();
        println!("{name:<16} {:>6} differences", differences.len());
        differences.iter().for_each(|line| println!("    {line}"));
    }
    if options.random > 0 {
        let (differences, answered) = random_queries(&server, options.seed, options.random)?;
        wrong += differences.len();
        println!(
            "{} random queries, {answered} with rows, {} differences",
            options.random,
            differences.len()
        );
        for difference in &differences {
            println!(
                "{}\n    PostgreSQL: {}\n    godb:       {}",
                difference.sql, difference.postgres, difference.godb
            );
        }
    }
    Ok(wrong == 0)
}
