//! The figures of the fault matrix: what a campaign tried and what failed, in small files under `docs/faults` that `cargo xtask faults` holds against the goals.
//!
//! A file is tab-separated, with a line of headings: `what`, `tried`, `failures`, `date`, `command`. Each file has one writer, which writes it anew as a whole.
//! `05.tsv` belongs to row 5; when several programs serve a row, each adds its name: `05-real.tsv`.

use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The line of headings.
const HEADINGS: &str = "what\ttried\tfailures\tdate\tcommand";

/// What a campaign came to, for one measure of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The row of the matrix.
    pub row: u8,
    /// What was tried: the name of the measure.
    pub what: String,
    /// How often.
    pub tried: u64,
    /// How often the database did not do as it should.
    pub failures: u64,
}

/// Writes the figures of `row` among `figures` to its file in `folder`. The command that repeats them is the one that runs now.
///
/// # Errors
/// What the file system refuses.
pub fn record(folder: &Path, row: u8, figures: &[Figure]) -> Result<()> {
    write(folder, &format!("{row:02}.tsv"), row, figures)
}

/// The same for a row that several programs serve; `part` names this one.
///
/// # Errors
/// What the file system refuses.
pub fn record_part(folder: &Path, row: u8, part: &str, figures: &[Figure]) -> Result<()> {
    write(folder, &format!("{row:02}-{part}.tsv"), row, figures)
}

fn write(folder: &Path, name: &str, row: u8, figures: &[Figure]) -> Result<()> {
    let (date, command) = (today(), command());
    let mut text = format!("{HEADINGS}\n");
    for figure in figures.iter().filter(|figure| figure.row == row) {
        if figure.what.contains(['\t', '\n']) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "a measure's name has a tab or a line's end in it",
            ));
        }
        let Figure {
            what,
            tried,
            failures,
            ..
        } = figure;
        writeln!(text, "{what}\t{tried}\t{failures}\t{date}\t{command}").map_err(Error::other)?;
    }
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(name), text)
}

/// How this program was started, as one types it in the repository.
fn command() -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let words: Vec<String> = words.map(|word| word.replace(['\t', '\n'], " ")).collect();
    format!(
        "cargo run --profile crash -p godb-tests --bin {program} -- {}",
        words.join(" ")
    )
}

/// The date in UTC, like `2026-02-28`.
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / 86_400)
}

/// The date so many days after 1970-01-01. Years are counted from March, so that the leap day is a year's last.
fn date(days: u64) -> String {
    let mut year = 1970;
    let mut left = days;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", left + 1)
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::{Figure, date, record, record_part};

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(59), "1970-03-01");
        assert_eq!(date(789), "1972-02-29");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_780), "2026-11-23");
    }

    #[test]
    fn each_row_has_its_file_and_a_second_writing_replaces_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let figure = |row, tried| Figure {
            row,
            what: "crash points".into(),
            tried,
            failures: 0,
        };
        record(folder.path(), 1, &[figure(1, 7), figure(2, 8)]).unwrap();
        record(folder.path(), 1, &[figure(1, 9)]).unwrap();
        record_part(folder.path(), 2, "real", &[figure(2, 3)]).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let lines: Vec<String> = read("01.tsv").lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("crash points\t9\t0\t"));
        assert!(read("02-real.tsv").contains("crash points\t3\t0\t"));
        let bad = Figure {
            what: "a\tb".into(),
            ..figure(1, 1)
        };
        assert!(record(folder.path(), 1, &[bad]).is_err());
    }
}
