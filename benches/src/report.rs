//! The table: what was measured, the peer's figure, the ratio, and whether the goal is met.

use std::fmt;
use std::time::Duration;

/// One line of the table.
struct Line {
    what: String,
    ours: String,
    theirs: String,
    ratio: Option<f64>,
    met: Option<bool>,
}

/// All that was measured.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// A time that shall be no longer than the peer's.
    pub(crate) fn no_slower(&mut self, what: &str, ours: Duration, theirs: Duration) {
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        self.push(
            what,
            format!("{ours:.2?}"),
            format!("{theirs:.2?}"),
            Some(ratio),
            Some(ratio >= 1.0),
        );
    }

    /// A time for which no goal is set by itself.
    pub(crate) fn beside(&mut self, what: &str, ours: Duration, theirs: Duration) {
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        self.push(
            what,
            format!("{ours:.2?}"),
            format!("{theirs:.2?}"),
            Some(ratio),
            None,
        );
    }

    /// A number of bytes with an upper limit.
    pub(crate) fn at_most(&mut self, what: &str, bytes: u64, limit: u64) {
        let show = |bytes: u64| format!("{} KiB", bytes / 1024);
        self.push(
            what,
            show(bytes),
            format!("limit {}", show(limit)),
            None,
            Some(bytes <= limit),
        );
    }

    /// The size of an empty, closed database.
    pub(crate) fn size_of_empty(&mut self, bytes: u64) {
        self.at_most("empty closed database", bytes, 64 * 1024);
    }

    fn push(&mut self, what: &str, ours: String, theirs: String, ratio: Option<f64>, met: Option<bool>) {
        self.lines.push(Line {
            what: what.to_owned(),
            ours,
            theirs,
            ratio,
            met,
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<44} {:>12} {:>16} {:>8}  goal",
            "", "godb", "SQLite", "speed"
        )?;
        for line in &self.lines {
            let ratio = line.ratio.map_or(String::new(), |ratio| format!("{ratio:.2} ×"));
            let met = match line.met {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            writeln!(
                f,
                "{:<44} {:>12} {:>16} {ratio:>8}  {met}",
                line.what, line.ours, line.theirs
            )?;
        }
        Ok(())
    }
}
