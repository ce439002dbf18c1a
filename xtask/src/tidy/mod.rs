//! `cargo xtask tidy`: the small rules of the house, as a program.
//!
//! - Every file of Rust opens with `//!` and says what it is for.
//! - No file over 600 lines, no function over 80. What was longer when the rule came is listed in `xtask/ratchet.txt` and may only shrink.
//! - Some words are not used, each for a reason that its replacement tells.
//! - `unsafe` stands only in files that lift the lint for themselves, with the reason.

mod lengths;
mod ratchet;
#[cfg(test)]
mod tests;
mod unsafety;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use lexopt::{Arg, Parser};

use crate::source::{self, Source};
use crate::workspace;
use ratchet::Ratchet;

/// Where the exceptions of length are kept.
const RATCHET: &str = "xtask/ratchet.txt";

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut record = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("record") => record = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    if record {
        lower_ratchet(&root)?;
    }
    let wrong = violations(&root)?;
    for line in &wrong {
        println!("{line}");
    }
    if !wrong.is_empty() {
        bail!("{} things to tidy up", wrong.len());
    }
    println!("tidy: nothing to tidy up");
    Ok(())
}

/// Everything that is untidy in the workspace at `root`, one line each.
pub(crate) fn violations(root: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut measured = Vec::new();
    for path in source::files(root, Path::new(""), "rs")? {
        let source = Source::read(root, path)?;
        wrong.extend(head(&source));
        wrong.extend(unsafety::check(&source));
        wrong.extend(words::check(&source.path, &source.text));
        measured.extend(lengths::measure(&source));
    }
    wrong.extend(read_ratchet(root)?.check(&measured));
    for path in source::files(root, Path::new(""), "md")? {
        wrong.extend(words::check(&path, &fs::read_to_string(root.join(&path))?));
    }
    Ok(wrong)
}

/// A file says first what it is for.
fn head(source: &Source) -> Option<String> {
    let opens =
        source.text.starts_with("//! ") && source.text.lines().next().is_some_and(|line| line.len() > 8);
    (!opens).then(|| {
        format!(
            "{}:1: open the file with `//!` and what it is for",
            source.path.display()
        )
    })
}

fn read_ratchet(root: &Path) -> Result<Ratchet> {
    let path = root.join(RATCHET);
    let text = if path.exists() {
        fs::read_to_string(&path)?
    } else {
        String::new()
    };
    Ratchet::parse(&text)
}

fn lower_ratchet(root: &Path) -> Result<()> {
    let mut measured = Vec::new();
    for path in source::files(root, Path::new(""), "rs")? {
        measured.extend(lengths::measure(&Source::read(root, path)?));
    }
    let lowered = read_ratchet(root)?.lowered(&measured);
    fs::write(root.join(PathBuf::from(RATCHET)), lowered.to_string())?;
    Ok(())
}
