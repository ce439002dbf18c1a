//! The figures as they lie in `docs/faults`, held against the goals.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::goals::{GOALS, Goal, ROWS};

/// The head of the printed table.
pub(super) const HEAD: &str = "row  fault                                   what was tried                                     count       goal  failures  date";

/// One line of a file.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    row: u8,
    what: String,
    tried: u64,
    failures: u64,
    date: String,
}

/// All figures in a folder; none when there is no folder.
pub(super) fn read(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if !folder.exists() {
        return Ok(figures);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tsv") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(&path)?;
            figures.extend(parse(&name, &text).with_context(|| path.display().to_string())?);
        }
    }
    figures.sort_by(|a, b| (a.row, &a.what).cmp(&(b.row, &b.what)));
    Ok(figures)
}

/// The lines of one file. Its name begins with the row: `05.tsv`, `05-real.tsv`.
fn parse(name: &str, text: &str) -> Result<Vec<Figure>> {
    let digits = name.split(['.', '-']).next().unwrap_or_default();
    let row: u8 = digits
        .parse()
        .context("the file's name does not begin with a row")?;
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    if !heading.starts_with("what\ttried\tfailures\tdate") {
        bail!("the file has no line of headings");
    }
    lines.map(|line| figure(row, line)).collect()
}

fn figure(row: u8, line: &str) -> Result<Figure> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [what, tried, failures, date, ..] = fields[..] else {
        bail!("too few fields in `{line}`");
    };
    Ok(Figure {
        row,
        what: what.to_owned(),
        tried: tried.parse().with_context(|| format!("`{line}`"))?,
        failures: failures.parse().with_context(|| format!("`{line}`"))?,
        date: date.to_owned(),
    })
}

/// A measure with what it came to and what it should.
pub(super) struct Line {
    pub(super) row: u8,
    fault: &'static str,
    what: String,
    tried: u64,
    goal: Option<u64>,
    failures: u64,
    date: String,
}

impl Line {
    /// Whether it was tried too little, or failed.
    pub(super) fn falls_short(&self) -> bool {
        self.failures > 0 || self.tried < self.goal.unwrap_or(0)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let goal = self.goal.map_or("-".to_owned(), |goal| goal.to_string());
        write!(
            f,
            "{:>3}  {:<38}  {:<44} {:>11} {goal:>10} {:>9}  {}{}",
            self.row,
            self.fault,
            self.what,
            self.tried,
            self.failures,
            if self.date.is_empty() { "never" } else { &self.date },
            if self.falls_short() { "  SHORT" } else { "" },
        )
    }
}

/// Every goal with its figure, and every figure that no goal asks for; a row that nobody asks anything of falls short.
pub(super) fn lines(figures: &[Figure]) -> Vec<Line> {
    let mut lines = Vec::new();
    for &(row, fault) in ROWS {
        let goals: Vec<&Goal> = GOALS.iter().filter(|goal| goal.row == row).collect();
        let of_row: Vec<&Figure> = figures.iter().filter(|figure| figure.row == row).collect();
        lines.extend(goals.iter().map(|goal| held_against(goal, fault, &of_row)));
        let unasked = of_row
            .iter()
            .filter(|figure| goals.iter().all(|goal| goal.what != figure.what));
        lines.extend(unasked.map(|figure| sum(row, fault, &figure.what, None, &[*figure])));
    }
    lines
}

fn held_against(goal: &Goal, fault: &'static str, figures: &[&Figure]) -> Line {
    let meant: Vec<&Figure> = figures
        .iter()
        .copied()
        .filter(|figure| goal.what == "*" || goal.what == figure.what)
        .collect();
    let what = if goal.what == "*" { "in all" } else { goal.what };
    // A goal of nothing would let a row pass without its figure.
    sum(goal.row, fault, what, Some(goal.least.max(1)), &meant)
}

fn sum(row: u8, fault: &'static str, what: &str, goal: Option<u64>, figures: &[&Figure]) -> Line {
    Line {
        row,
        fault,
        what: what.to_owned(),
        tried: figures.iter().map(|figure| figure.tried).sum(),
        goal,
        failures: figures.iter().map(|figure| figure.failures).sum(),
        // The oldest date is the one that counts.
        date: figures
            .iter()
            .map(|figure| figure.date.clone())
            .min()
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{lines, parse};
    use crate::faults::goals::{GOALS, ROWS};

    const HEAD: &str = "what\ttried\tfailures\tdate\tcommand\n";

    fn first_line(tried: u64, failures: u64) -> super::Line {
        let text = format!("{HEAD}crash points\t{tried}\t{failures}\t2026-01-02\tcrash-test --seed 1\n");
        let figures = parse("01.tsv", &text).unwrap();
        lines(&figures).into_iter().next().unwrap()
    }

    #[test]
    fn a_figure_must_reach_its_goal_without_failing() {
        assert!(!first_line(250_000, 0).falls_short());
        assert!(first_line(249_999, 0).falls_short());
        assert!(first_line(250_000, 1).falls_short());
        assert!(first_line(1, 0).to_string().contains("SHORT"));
    }

    #[test]
    fn a_failure_counts_where_nobody_asked() {
        let text = format!("{HEAD}something else\t5\t1\t2026-01-02\tx\n");
        let figures = parse("16-real.tsv", &text).unwrap();
        let line = lines(&figures)
            .into_iter()
            .find(|line| line.what == "something else");
        assert!(line.unwrap().falls_short());
    }

    #[test]
    fn every_row_is_asked_something_and_without_figures_all_fall_short() {
        assert!(
            ROWS.iter()
                .all(|(row, _)| GOALS.iter().any(|goal| goal.row == *row))
        );
        assert!(
            GOALS
                .iter()
                .all(|goal| ROWS.iter().any(|(row, _)| *row == goal.row))
        );
        assert!(lines(&[]).iter().all(super::Line::falls_short));
    }

    #[test]
    fn files_that_are_no_figures_are_refused() {
        assert!(parse("readme.tsv", HEAD).is_err());
        assert!(parse("01.tsv", "a\t1\t0\t2026-01-02\tx\n").is_err());
        assert!(parse("01.tsv", &format!("{HEAD}a\tmany\t0\t2026-01-02\tx\n")).is_err());
        assert!(parse("01.tsv", &format!("{HEAD}a\t1\n")).is_err());
    }
}
