//! What a run is asked to do.

use crate::Result;
use lexopt::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

/// The options of the measurements of transactions.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Run only the parts of these names; all when empty.
    only: Vec<String>,
    /// How often each comparison is repeated; the median counts.
    pub(super) rounds: usize,
    /// How long each competitor of a comparison runs in a round.
    pub(super) time: Duration,
    /// The larger number of accounts of the bank.
    pub(super) accounts: u64,
    /// godb alone, without the databases it is compared with: for a profile. Nothing is judged then.
    pub(super) alone: bool,
    /// Write the figures here.
    pub(super) json: Option<PathBuf>,
    /// Where databases are made.
    pub(super) folder: Option<PathBuf>,
}

impl Options {
    /// Reads `--only PART,…`, `--rounds N`, `--millis N`, `--accounts N`, `--alone`, `--json FILE`, `--folder DIR`.
    pub(super) fn parse(arguments: &[String], parts: &[&str]) -> Result<Self> {
        let mut options = Self {
            only: Vec::new(),
            rounds: 3,
            time: Duration::from_millis(1000),
            accounts: 1_000_000,
            alone: false,
            json: None,
            folder: None,
        };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("only") => {
                    let names = parser.value()?.string()?;
                    options.only = names.split(',').map(str::to_lowercase).collect();
                }
                Long("rounds") => options.rounds = parser.value()?.parse::<usize>()?.max(1),
                Long("millis") => options.time = Duration::from_millis(parser.value()?.parse()?),
                Long("accounts") => options.accounts = parser.value()?.parse::<u64>()?.max(1000),
                Long("alone") => options.alone = true,
                Long("json") => options.json = Some(parser.value()?.into()),
                Long("folder") => options.folder = Some(parser.value()?.into()),
                other => return Err(other.unexpected().into()),
            }
        }
        if let Some(unknown) = options.only.iter().find(|name| !parts.contains(&name.as_str())) {
            return Err(format!("there is no part `{unknown}`; there are {}", parts.join(", ")).into());
        }
        Ok(options)
    }

    /// Whether a part is to run.
    pub(super) fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == part)
    }

    /// A directory that is gone when it is dropped.
    pub(super) fn directory(&self) -> Result<tempfile::TempDir> {
        Ok(match &self.folder {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir()?,
        })
    }
}
