//! `fuzz`: what `cargo xtask fuzz` needs beside libFuzzer: writes the seeds of the targets, and tries single inputs. It can also run a target on random mutants of its seeds, where
//! there is no libFuzzer.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use godb_tests::fuzz::{TARGETS, Target, mutants, target};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: fuzz list                    the targets
       fuzz seeds FOLDER            writes the seeds of each target into FOLDER/TARGET, and its words into FOLDER/TARGET.dict
       fuzz try TARGET FILE...      runs the target on the content of files
       fuzz mutants TARGET SECONDS  runs the target on random mutants of its seeds; one that fails is left in TARGET.failed";

/// Mutants that are made at a time.
const SOME: usize = 200;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["list"] => {
            TARGETS
                .iter()
                .for_each(|target| println!("{:10} {}", target.name, target.about));
            Ok(())
        }
        ["seeds", folder] => TARGETS
            .iter()
            .try_for_each(|target| seeds(target, Path::new(folder))),
        ["try", name, ref files @ ..] => try_files(name, files),
        ["mutants", name, seconds] => try_mutants(name, seconds.parse().unwrap_or(10)),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("fuzz: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a target's seeds, and what libFuzzer wants to know of it.
fn seeds(target: &Target, folder: &Path) -> Result<()> {
    let own = folder.join(target.name);
    if own.exists() {
        std::fs::remove_dir_all(&own)?;
    }
    std::fs::create_dir_all(&own)?;
    for (number, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(own.join(format!("{number:04}")), seed)?;
    }
    let words = (target.words)();
    let lines: Vec<String> = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    // libFuzzer refuses an empty dictionary.
    if !lines.is_empty() {
        std::fs::write(folder.join(format!("{}.dict", target.name)), lines.concat())?;
    }
    std::fs::write(
        folder.join(format!("{}.len", target.name)),
        target.longest.to_string(),
    )
}

fn find(name: &str) -> Result<&'static Target> {
    target(name).ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such target"))
}

/// Each input is written down before it is run, so that one that ends the program is there.
fn try_mutants(name: &str, seconds: u64) -> Result<()> {
    let target = find(name)?;
    let (began, file) = (Instant::now(), format!("{name}.failed"));
    let seeds = (target.seeds)();
    let mut run = 0;
    for seed in 1.. {
        for input in mutants(&seeds, SOME, target.longest, seed) {
            if began.elapsed() > Duration::from_secs(seconds) {
                println!("{name}: {run} mutants");
                return std::fs::remove_file(file);
            }
            std::fs::write(&file, &input)?;
            (target.run)(&input);
            run += 1;
        }
    }
    Ok(())
}

fn try_files(name: &str, files: &[&str]) -> Result<()> {
    let target = find(name)?;
    for file in files {
        println!("{name}: {file}");
        (target.run)(&std::fs::read(file)?);
    }
    Ok(())
}
