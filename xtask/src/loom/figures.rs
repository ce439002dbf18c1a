//! What a full run of the models came to, for the fault matrix: one line for each protocol, one for the planted bugs of each crate.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::faults_file;

/// What was tried and what failed, under each name.
#[derive(Default)]
pub(super) struct Figures {
    lines: BTreeMap<String, (u64, u64)>,
}

impl Figures {
    /// Takes in what the models printed: how many interleavings there were of each protocol.
    pub(super) fn take_models(&mut self, output: &str) {
        for (protocol, runs) in output.lines().filter_map(interleavings) {
            self.add(format!("interleavings of {protocol}"), runs, 0);
            self.add("models run to their end".into(), 1, 0);
        }
        let failed = output
            .lines()
            .filter(|line| line.starts_with("test ") && line.ends_with("FAILED"));
        self.add("models run to their end".into(), 0, failed.count() as u64);
    }

    /// Takes in whether a planted bug was found.
    pub(super) fn planted(&mut self, package: &str, _plant: &str, found: bool) {
        self.add(format!("planted bugs found in {package}"), 1, u64::from(!found));
    }

    /// Takes in whether models that were cut short failed.
    pub(super) fn cut_short(&mut self, package: &str, failed: bool) {
        self.add(
            format!("ways to cut models short refused in {package}"),
            1,
            u64::from(!failed),
        );
    }

    fn add(&mut self, what: String, tried: u64, failures: u64) {
        let line = self.lines.entry(what).or_default();
        line.0 += tried;
        line.1 += failures;
    }

    /// Writes the lines into `folder`.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let lines = self
            .lines
            .iter()
            .map(|(what, (tried, failures))| (what.as_str(), *tried, *failures));
        faults_file::write(
            &folder.join("24-loom.tsv"),
            "cargo xtask loom --figures docs/faults",
            lines,
        )
        .context("the figures of the models cannot be written")
    }
}

/// Reads a line like `model of group commit: 314 interleavings`. The test program may have begun it with the name of a test.
fn interleavings(line: &str) -> Option<(&str, u64)> {
    let (_, rest) = line.split_once("model of ")?;
    let (protocol, rest) = rest.split_once(": ")?;
    let runs = rest.strip_suffix(" interleavings")?.parse().ok()?;
    Some((protocol, runs))
}

#[cfg(test)]
mod tests {
    use super::{Figures, interleavings};

    #[test]
    fn what_models_print_is_read() {
        let line = "test a_b ... model of group commit: 314 interleavings";
        assert_eq!(interleavings(line), Some(("group commit", 314)));
        assert_eq!(interleavings("model of x: many interleavings"), None);
        assert_eq!(interleavings("running 2 tests"), None);
    }

    #[test]
    fn models_of_one_protocol_add_up() {
        let mut figures = Figures::default();
        figures.take_models("model of a: 3 interleavings\nmodel of a: 4 interleavings\ntest x ... FAILED\n");
        assert_eq!(figures.lines["interleavings of a"], (7, 0));
        assert_eq!(figures.lines["models run to their end"], (2, 1));
    }
}
