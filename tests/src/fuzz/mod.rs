//! Fuzz targets: what must survive any bytes.
//!
//! Each target turns bytes into something that the engine reads (a page, a log, rows, a statement) and panics when the engine does what it must not: panics itself, contradicts
//! itself, or fails with an error that is not one of its kind. What makes stored bytes valid, checksums above all, is repaired, since nobody who only guesses
//! gets past them.
//!
//! The targets are functions of this library, so two runners share them: `cargo xtask fuzz` puts each under libFuzzer, which watches what code the inputs reach and breeds
//! them (`tests/fuzz`), and the tests here run each on its seeds and some hundreds of mutants of them, in seconds. The seeds are made by programs, never stored.

mod log;
mod mutate;
mod pages;
mod reader;
mod rows;
mod sql;
mod whole;

#[cfg(test)]
mod tests;

pub use mutate::mutants;

/// One target.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it feeds to what.
    pub about: &'static str,
    /// Runs one input; panics when the engine does wrong.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that inputs are made of, if they are text.
    pub words: fn() -> Vec<String>,
    /// No input is longer, in bytes.
    pub longest: usize,
}

fn no_words() -> Vec<String> {
    Vec::new()
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "page",
        about: "a page of every kind, in the place of one of a sound file: trees, check, salvage",
        run: pages::page,
        seeds: pages::seeds,
        words: no_words,
        longest: 1 + pages::PAGE,
    },
    Target {
        name: "header",
        about: "both copies of the file header",
        run: pages::file_header,
        seeds: pages::header_seeds,
        words: no_words,
        longest: 2 * pages::PAGE,
    },
    Target {
        name: "control",
        about: "both slots of the log's control file",
        run: log::control,
        seeds: log::control_seeds,
        words: no_words,
        longest: 256,
    },
    Target {
        name: "blocks",
        about: "blocks of a log, with their headers",
        run: log::blocks,
        seeds: log::block_seeds,
        words: no_words,
        longest: 8192,
    },
    Target {
        name: "records",
        about: "records of a log that a database is recovered from",
        run: whole::records,
        seeds: whole::record_seeds,
        words: no_words,
        longest: 65536,
    },
    Target {
        name: "database",
        about: "changes all over a database and its log: open, read, check, write, salvage, repair",
        run: whole::database,
        seeds: whole::seeds,
        words: no_words,
        longest: 512,
    },
    Target {
        name: "rows",
        about: "a stored row of every type and its index entry, and queries on it",
        run: rows::rows,
        seeds: rows::seeds,
        words: no_words,
        longest: 1024,
    },
    Target {
        name: "catalog",
        about: "rows of the catalog, and statements on what they describe",
        run: rows::catalog,
        seeds: rows::catalog_seeds,
        words: no_words,
        longest: 2048,
    },
    Target {
        name: "sql",
        about: "statements: parse, plan, run",
        run: sql::statements,
        seeds: sql::seeds,
        words: sql::words,
        longest: 4096,
    },
    Target {
        name: "csv",
        about: "COPY of a file, and back",
        run: sql::csv,
        seeds: sql::csv_seeds,
        words: no_words,
        longest: 4096,
    },
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Runs one input of the target of that name.
///
/// # Panics
/// When the engine does wrong, and when there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = target(name).expect("the target is one of the list");
    (target.run)(data);
}
