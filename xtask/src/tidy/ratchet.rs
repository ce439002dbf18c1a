//! The ratchet: lengths above the limit that are known, and may only shrink.
//!
//! A line of the file is `LINES WHAT`. A new entry is made by hand, and so seen by whoever reads the change.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result};

use super::lengths::Length;

/// The known exceptions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ratchet(BTreeMap<String, usize>);

impl Ratchet {
    /// Reads the file. Empty lines and lines that begin with `#` say nothing.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        text.lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|line| {
                let (lines, what) = line
                    .split_once(' ')
                    .with_context(|| format!("ratchet: {line:?}"))?;
                let lines = lines.parse().with_context(|| format!("ratchet: {line:?}"))?;
                Ok((what.to_owned(), lines))
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    /// What is too long, what grew, and what shrank without the record being lowered.
    pub(crate) fn check(&self, measured: &[Length]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut unseen = self.0.clone();
        for length in measured.iter().filter(|length| length.lines > length.limit) {
            let Length { what, lines, limit } = length;
            match unseen.remove(what) {
                None => wrong.push(format!("{what}: {lines} lines, at most {limit}")),
                Some(known) if *lines > known => {
                    wrong.push(format!("{what}: grew from {known} to {lines} lines"));
                }
                Some(known) if *lines < known => {
                    wrong.push(format!(
                        "{what}: shrank to {lines} lines; run `cargo xtask tidy --record`"
                    ));
                }
                Some(_) => {}
            }
        }
        for what in unseen.keys() {
            wrong.push(format!(
                "{what}: needs no exception now; run `cargo xtask tidy --record`"
            ));
        }
        wrong
    }

    /// The same exceptions at what is measured now: never higher, and gone where none is needed.
    pub(crate) fn lowered(&self, measured: &[Length]) -> Self {
        let lowered = measured
            .iter()
            .filter(|length| length.lines > length.limit)
            .filter_map(|length| {
                let known = *self.0.get(&length.what)?;
                Some((length.what.clone(), known.min(length.lines)))
            })
            .collect();
        Self(lowered)
    }
}

impl fmt::Display for Ratchet {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            to,
            "# Longer than the rule, and only allowed to shrink: LINES WHAT. See `cargo xtask tidy`."
        )?;
        for (what, lines) in &self.0 {
            writeln!(to, "{lines} {what}")?;
        }
        Ok(())
    }
}
