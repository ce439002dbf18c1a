//! The project's own tasks, run as `cargo xtask TASK`.
//!
//! One door: what the project demands of a change is `cargo xtask ci`, and `.ci/run` runs exactly that. Rules that a person would
//! have to remember (who may name whom, how long a file may be) are programs here, and the tests of this crate run them too, so that
//! `cargo test` alone already refuses a change that breaks one.

#![expect(
    clippy::print_stdout,
    reason = "a program of the command line speaks on standard output"
)]

mod bench;
mod ci;
mod command;
mod coverage;
mod crash_test;
mod deny;
mod elle;
mod faults;
mod faults_file;
mod fuzz;
mod layers;
mod loom;
mod mutants;
mod pg;
mod slt;
mod source;
mod tidy;
mod tsan;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use lexopt::{Arg, Parser};

const HELP: &str = "\
cargo xtask TASK

  ci [--stage NAME]... [--skip NAME]... [--test COMMAND] [--list]
                        everything that is asked of a change, timed; exactly what .ci/run runs
  layers                each crate names only its lower neighbour
  tidy [--record]       file heads, lengths, words and unsafe; --record lowers the ratchet to what is there now
  deny                  licences, bans and sources of every dependency, by deny.toml
  loom [--full] [--plant] [--figures FOLDER] [-p CRATE]...
                        runs the concurrency models; --plant demands that every planted bug is found
  tsan [--plant] [--figures FOLDER] [-p CRATE]...
                        runs the concurrent tests under ThreadSanitizer; --plant demands that a planted race is reported
  mutants [--sample K/N] [--jobs N] [--figures FOLDER] [--read FOLDER]
                        changes the log and recovery in one place after another, and counts how often a test notices
  crash-test [OPTION]...
                        crashes the engine at every operation and checks what is left; --help lists its options
  elle [OPTION]...      runs random transactions at once and judges what they saw: --transactions 1000000 in full, --plants for the planted bugs
  faults [--run] [--row N]
                        the fault matrix with the figures of its last full run; --run runs its campaigns
  fuzz [--seconds N] [--jobs N] [--sanitizer NAME] [--figures FOLDER] [TARGET]...
                        puts the fuzz targets under libFuzzer, each for so many seconds (60), and prints what they did
  slt [OPTION]...       runs the sqllogictest corpus, where it is there; a wrong option shows those there are
  pg [OPTION]...        asks PostgreSQL 15, where it is installed, what the golden scripts and random queries should answer
  bench [--sqlite | --txn | --recovery | --larger-than-memory | --evict | --micro] [ARG]...
                        measures godb beside other stores; --sqlite: its SQL beside SQLite's; --txn: transactions, beside PostgreSQL too;
                        --recovery: start-up after a kill; --larger-than-memory: in a limited memory; --evict: hit rates of the eviction policies; --micro: each layer's paths
  coverage [--floor PERCENT]
                        percent of lines that the tests run, per crate";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = Parser::from_env();
    let Some(Arg::Value(task)) = arguments.next()? else {
        println!("{HELP}");
        return Ok(());
    };
    match task.to_string_lossy().as_ref() {
        "ci" => ci::run(arguments),
        "layers" => layers::run(arguments),
        "tidy" => tidy::run(arguments),
        "deny" => deny::run(arguments),
        "loom" => loom::run(arguments),
        "tsan" => tsan::run(arguments),
        "mutants" => mutants::run(arguments),
        "crash-test" => crash_test::run(arguments),
        "elle" => elle::run(arguments),
        "faults" => faults::run(arguments),
        "fuzz" => fuzz::run(arguments),
        "pg" => pg::run(arguments),
        "slt" => slt::run(arguments),
        "bench" => bench::run(arguments),
        "coverage" => coverage::run(arguments),
        other => anyhow::bail!("there is no task `{other}`\n\n{HELP}"),
    }
}
