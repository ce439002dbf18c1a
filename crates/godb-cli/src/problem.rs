//! [`Problem`]: why the program, or a statement in it, could not go on; and how a failed statement is shown.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// Why it could not go on.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The engine refused or failed.
    Failure(Box<Failure>),
    /// A script stopped: where, and at what.
    Script { place: String, problem: Box<Problem> },
    /// A command of the shell was not understood or could not be done.
    Command(String),
    /// A file or the terminal failed.
    Io { what: String, error: io::Error },
    /// The check found damage; it has been told.
    Damage(usize),
    /// Not everything could be saved; what could is in that file.
    Incomplete(String),
    /// The file could not be looked at.
    CannotLook(Box<Problem>),
    /// Whoever read the output has gone.
    NobodyReads,
}

/// What the engine says about a failed statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Failure {
    /// What happened.
    pub(crate) message: String,
    /// The five-character code of the SQL standard.
    pub(crate) sqlstate: String,
    /// Where in the statement, in characters from 1.
    pub(crate) position: Option<usize>,
    /// More about it.
    pub(crate) detail: Option<String>,
    /// What can be done.
    pub(crate) hint: Option<String>,
    /// Where in the input.
    pub(crate) context: Option<String>,
    /// The statement.
    pub(crate) statement: String,
}

impl Problem {
    /// What happened to `what`, by the error of the machine.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Io { what, error },
        }
    }

    /// What the program ends with: damage is one thing, not having been able to look another.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::CannotLook(_) => ExitCode::from(3),
            _ => ExitCode::FAILURE,
        }
    }

    /// A problem with the output.
    pub(crate) fn output(error: io::Error) -> Self {
        Self::io("output")(error)
    }
}

impl From<Box<Failure>> for Problem {
    fn from(failure: Box<Failure>) -> Self {
        Self::Failure(failure)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure(failure) => write!(to, "ERROR:  {failure}"),
            Self::Script { place, problem } => write!(to, "{place}: {problem}"),
            Self::Command(message) => to.write_str(message),
            Self::Io { what, error } => write!(to, "{what}: {error}"),
            Self::CannotLook(problem) => write!(to, "{problem}"),
            Self::Incomplete(output) => write!(
                to,
                "{output}: what could be read was saved, and something was lost"
            ),
            Self::Damage(findings) => write!(to, "the check found damage in {findings} places"),
            Self::NobodyReads => to.write_str("nobody reads the output"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({})", self.message, self.sqlstate)?;
        if let Some((number, line, column)) = self.position.and_then(|at| line_at(&self.statement, at)) {
            let label = format!("LINE {number}: ");
            let shown = Excerpt::around(line, column);
            write!(
                to,
                "\n{label}{}\n{:>width$}",
                shown.text,
                "^",
                width = label.len() + shown.column
            )?;
        }
        let more = [
            ("DETAIL", &self.detail),
            ("HINT", &self.hint),
            ("CONTEXT", &self.context),
        ];
        for (label, text) in more {
            if let Some(text) = text {
                write!(to, "\n{label}:  {text}")?;
            }
        }
        Ok(())
    }
}

/// The line of `text` in which its character `position` (from 1) lies: the line's number, the line, the character's place in it, both from 1.
pub(crate) fn line_at(text: &str, position: usize) -> Option<(usize, &str, usize)> {
    let mut before = 0;
    for (number, line) in text.split('\n').enumerate() {
        let length = line.chars().count();
        if position <= before + length + 1 {
            return Some((number + 1, line, (position - before).max(1)));
        }
        before += length + 1;
    }
    None
}

/// The part of a long line around the place that matters.
struct Excerpt {
    text: String,
    /// The place in the excerpt, from 1.
    column: usize,
}

impl Excerpt {
    /// How many characters are shown to each side.
    const SIDE: usize = 50;

    fn around(line: &str, column: usize) -> Self {
        let length = line.chars().count();
        let from = column.saturating_sub(Self::SIDE);
        let to = (column + Self::SIDE).min(length);
        let head = if from > 0 { "..." } else { "" };
        let tail = if to < length { "..." } else { "" };
        let middle: String = line
            .chars()
            .skip(from)
            .take(to - from)
            // A tab would put the caret elsewhere.
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Self {
            text: format!("{head}{middle}{tail}"),
            column: head.len() + column - from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Problem, line_at};

    #[test]
    fn positions_become_lines() {
        let text = "ä\nbc\n";
        assert_eq!(line_at(text, 1), Some((1, "ä", 1)));
        assert_eq!(line_at(text, 3), Some((2, "bc", 1)));
        assert_eq!(line_at(text, 4), Some((2, "bc", 2)));
        assert_eq!(line_at(text, 6), Some((3, "", 1)));
        assert_eq!(line_at(text, 9), None);
    }

    #[test]
    fn a_failure_points_at_its_place() {
        let failure = Failure {
            message: "column \"nmae\" does not exist".to_owned(),
            sqlstate: "42703".to_owned(),
            position: Some(18),
            hint: Some("Perhaps \"name\"?".to_owned()),
            statement: "SELECT id,\n      nmae FROM t".to_owned(),
            ..Failure::default()
        };
        let shown = Problem::from(Box::new(failure)).to_string();
        assert_eq!(
            shown,
            "ERROR:  column \"nmae\" does not exist (42703)\n\
             LINE 2:       nmae FROM t\n              ^\n\
             HINT:  Perhaps \"name\"?"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let statement = format!("SELECT {} oops {}", "x,".repeat(300), "y,".repeat(300));
        let position = statement.find("oops").unwrap() + 1;
        let failure = Failure {
            position: Some(position),
            statement,
            ..Failure::default()
        };
        let shown = failure.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let caret = lines[2].find('^').unwrap();
        assert!(
            lines[1].len() < 130 && lines[1][caret..].starts_with("oops"),
            "{shown}"
        );
    }
}
