//! What a run is asked to do.

use crate::Result;
use lexopt::prelude::*;
use std::path::PathBuf;

/// Pairs in a run that takes about ten minutes.
const USUAL: u64 = 1_000_000;
/// Pairs in a full run.
const FULL: u64 = 5_000_000;

/// The options of the key-value comparison.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// How many pairs are loaded.
    pub(crate) items: u64,
    /// Bytes of memory each database may use for its cache.
    pub(crate) cache: usize,
    /// Take only the databases of these names; all when empty.
    pub(crate) only: Vec<String>,
    /// Write the figures here.
    pub(crate) json: Option<PathBuf>,
    /// Compare with the figures of an earlier run.
    pub(crate) compare: Option<PathBuf>,
    /// Draw the ratios here.
    pub(crate) chart: Option<PathBuf>,
    /// Where the databases are made.
    pub(crate) folder: Option<PathBuf>,
}

impl Options {
    /// Reads `--full`, `--items N`, `--cache MIB`, `--only NAME,…`, `--json FILE`, `--compare FILE`, `--chart FILE`, `--folder DIR`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            items: USUAL,
            cache: 4 << 30,
            only: Vec::new(),
            json: None,
            compare: None,
            chart: None,
            folder: None,
        };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("full") => options.items = FULL,
                Long("items") => options.items = parser.value()?.parse()?,
                Long("cache") => options.cache = parser.value()?.parse::<usize>()? << 20,
                Long("only") => {
                    let names = parser.value()?.string()?;
                    options.only = names.split(',').map(str::to_lowercase).collect();
                }
                Long("json") => options.json = Some(parser.value()?.into()),
                Long("compare") => options.compare = Some(parser.value()?.into()),
                Long("chart") => options.chart = Some(parser.value()?.into()),
                Long("folder") => options.folder = Some(parser.value()?.into()),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }
}
