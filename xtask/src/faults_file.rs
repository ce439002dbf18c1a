//! The files of figures in `docs/faults`: tab-separated, one line for each thing that was tried.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Writes a file anew: what was tried, how often, and how often it failed; with today's date and the command that repeats it.
pub(crate) fn write<'a>(
    path: &Path,
    command: &str,
    lines: impl IntoIterator<Item = (&'a str, u64, u64)>,
) -> Result<()> {
    let date = today();
    let mut text = "what\ttried\tfailures\tdate\tcommand\n".to_owned();
    for (what, tried, failures) in lines {
        writeln!(text, "{what}\t{tried}\t{failures}\t{date}\t{command}")?;
    }
    let folder = path.parent().context("a file lies in a folder")?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// The date in UTC, like `2026-02-28`.
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / 86_400)
}

/// The date so many days after 1970-01-01 (Hinnant's algorithm: years begin in March, so that the leap day is the last).
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(59), "1970-03-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_780), "2026-11-23");
    }
}
