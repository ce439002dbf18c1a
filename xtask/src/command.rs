//! Programs that tasks start: shown before they run, as one would type them, and limited in time where that is asked.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a limited program is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A `cargo` command at `root`, with the given words.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(crate::workspace::cargo());
    // Cargo tells its children of the package it runs for; a cargo in a cargo must not take that for its own.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.args(words).current_dir(root);
    command
}

/// A command of the shell, given as one types it.
pub(crate) fn shell(root: &Path, line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(root);
    command
}

/// Runs `command` to its end and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command
        .status()
        .with_context(|| format!("{} could not be started", command.get_program().to_string_lossy()))?;
    judge(command, status)
}

/// Runs `command` in a group of processes of its own, ends the group after `limit`, and gives what it wrote and how it ended; `None` for one that was ended.
pub(crate) fn run_limited(command: &mut Command, limit: Duration) -> Result<(Option<ExitStatus>, String)> {
    show(command);
    let mut child = command
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("{} could not be started", command.get_program().to_string_lossy()))?;
    let mut output = child.stdout.take().context("its output is piped")?;
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        output.read_to_end(&mut text).map(|_| text)
    });
    let end = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= end {
            end_group(child.id());
            child.wait()?;
            break None;
        }
        thread::sleep(LOOK);
    };
    let text = reader
        .join()
        .map_err(|_| anyhow::anyhow!("the reader of its output panicked"))??;
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}

/// Ends a program and whatever it started.
fn end_group(leader: u32) {
    let ended = Command::new("kill")
        .args(["-KILL", "--", &format!("-{leader}")])
        .status();
    if !ended.is_ok_and(|status| status.success()) {
        eprintln!("the processes of group {leader} could not be ended");
    }
}

/// Fails for a program that ended otherwise than with success.
fn judge(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

fn show(command: &Command) {
    println!("$ {}", line(command));
}

/// The command as one would type it, with the variables it sets.
fn line(command: &Command) -> String {
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={:?} ", name.to_string_lossy(), value?)));
    let program = Path::new(command.get_program());
    let program = program
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy();
    let words: Vec<_> = command.get_args().map(std::ffi::OsStr::to_string_lossy).collect();
    format!("{}{program} {}", set.collect::<String>(), words.join(" "))
}
