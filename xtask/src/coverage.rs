//! `cargo xtask coverage`: which share of the lines of each crate the tests run.
//!
//! rustc counts (`-C instrument-coverage`), LLVM's tools read the counts. They must be at least as new as the format that the compiler writes; the
//! tools of rustup's `llvm-tools` component are, and Debian's `llvm-19` are for the present compiler.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, Parser, ValueExt};
use serde_json::Value;

use crate::command;
use crate::workspace::{self, Workspace, list};

/// The share of lines that every crate must reach, in percent.
const FLOOR: f64 = 80.0;
/// Versions of Debian's tools that are tried, newest first.
const VERSIONS: &[&str] = &["-24", "-23", "-22", "-21", "-20", "-19"];

/// The tests that count: those of the engine. Documentation tests are programs of their own that cargo does not tell of.
const TESTS: &[&str] = &[
    "test",
    "--workspace",
    "--exclude",
    "xtask",
    "--exclude",
    "godb-benches",
    "--lib",
    "--bins",
    "--tests",
];

/// Lines of one crate.
#[derive(Default)]
struct Lines {
    all: u64,
    run: u64,
}

impl Lines {
    #[expect(clippy::cast_precision_loss, reason = "a count of lines is far below 2^52")]
    fn percent(&self) -> f64 {
        100.0 * self.run as f64 / self.all.max(1) as f64
    }
}

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    let mut floor = FLOOR;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("floor") => floor = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let root = workspace::root();
    let target = root.join("target").join("coverage");
    let (profdata, cov) = (tool("llvm-profdata")?, tool("llvm-cov")?);
    let counts = target.join("counts");
    if counts.exists() {
        fs::remove_dir_all(&counts)?;
    }
    let binaries = test_binaries(&root, &target)?;
    run_tests(&root, &target, &counts)?;
    let merged = merge(&profdata, &target, &counts)?;
    let report = export(&cov, &merged, &binaries)?;
    print(&per_crate(&Workspace::load(&root)?, &report), floor)
}

/// Finds a tool of LLVM: in the toolchain, or under a name with a version.
fn tool(name: &str) -> Result<PathBuf> {
    let toolchain = Command::new("rustc")
        .args(["--print", "target-libdir"])
        .output()?;
    let library = PathBuf::from(String::from_utf8(toolchain.stdout)?.trim());
    let inside = library.parent().map(|it| it.join("bin").join(name));
    let outside = VERSIONS
        .iter()
        .map(|version| PathBuf::from(format!("{name}{version}")));
    inside
        .into_iter()
        .chain(outside)
        .find(|path| works(path))
        .with_context(|| {
            format!("no {name}: `rustup component add llvm-tools`, or `apt-get install llvm-19`")
        })
}

fn works(path: &Path) -> bool {
    Command::new(path)
        .args(["show", "--help"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

fn cargo(root: &Path, target: &Path, words: &[&str]) -> Command {
    let mut command = command::cargo(root, words);
    command
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-C instrument-coverage")
        .env("LLVM_PROFILE_FILE", target.join("building").join("%p-%m.profraw"));
    command
}

/// Builds every test and gives the programs that hold the map from counts to lines.
fn test_binaries(root: &Path, target: &Path) -> Result<Vec<PathBuf>> {
    let output = cargo(
        root,
        target,
        &[TESTS, &["--no-run", "--message-format=json"]].concat(),
    )
    .stderr(Stdio::inherit())
    .output()?;
    ensure!(output.status.success(), "the tests do not build");
    let messages = String::from_utf8(output.stdout)?;
    let binaries: Vec<PathBuf> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect();
    ensure!(!binaries.is_empty(), "no test program was built");
    Ok(binaries)
}

fn run_tests(root: &Path, target: &Path, counts: &Path) -> Result<()> {
    let mut command = cargo(root, target, TESTS);
    command.env("LLVM_PROFILE_FILE", counts.join("%p-%m.profraw"));
    command::run(&mut command)
}

fn merge(profdata: &Path, target: &Path, counts: &Path) -> Result<PathBuf> {
    let merged = target.join("merged.profdata");
    let mut command = Command::new(profdata);
    command.args(["merge", "-sparse", "-o"]).arg(&merged);
    for entry in fs::read_dir(counts)? {
        command.arg(entry?.path());
    }
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{} cannot read what this compiler writes: {}",
        profdata.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(merged)
}

fn export(cov: &Path, merged: &Path, binaries: &[PathBuf]) -> Result<Value> {
    let mut command = Command::new(cov);
    command
        .args(["export", "-summary-only", "-instr-profile"])
        .arg(merged);
    for binary in binaries {
        command.arg("-object").arg(binary);
    }
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "llvm-cov: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Sums files to crates. Test code does not count, and neither does this crate.
fn per_crate(workspace: &Workspace, report: &Value) -> BTreeMap<String, Lines> {
    let mut crates: BTreeMap<String, Lines> = BTreeMap::new();
    for file in list(&report["data"][0]["files"]) {
        let path = PathBuf::from(file["filename"].as_str().unwrap_or_default());
        let owner = workspace.packages.iter().find(|package| {
            path.starts_with(package.directory.join("src")) && package.name.starts_with("godb")
        });
        let Some(owner) = owner.filter(|_| !is_test(&path)) else {
            continue;
        };
        let lines = crates.entry(owner.name.clone()).or_default();
        lines.all += file["summary"]["lines"]["count"].as_u64().unwrap_or(0);
        lines.run += file["summary"]["lines"]["covered"].as_u64().unwrap_or(0);
    }
    crates
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        ["tests", "tests.rs", "testing", "testing.rs"]
            .iter()
            .any(|name| part.as_os_str() == *name)
    })
}

fn print(crates: &BTreeMap<String, Lines>, floor: f64) -> Result<()> {
    ensure!(!crates.is_empty(), "no crate was measured");
    let mut low = Vec::new();
    println!("{:16} {:>8} {:>8} {:>8}", "crate", "lines", "run", "percent");
    for (name, lines) in crates {
        println!(
            "{name:16} {:8} {:8} {:8.1}",
            lines.all,
            lines.run,
            lines.percent()
        );
        if lines.percent() < floor {
            low.push(name.as_str());
        }
    }
    if !low.is_empty() {
        bail!("under {floor} percent: {}", low.join(", "));
    }
    Ok(())
}
