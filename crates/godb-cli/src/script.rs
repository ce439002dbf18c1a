//! Scripts: statements and commands from a stream, each run before the next is read.
//!
//! So a program at the other end of a pipe can send a statement, read its result, and decide what to send next. A script stops at its first
//! error and names the line.

use std::io::BufRead;

use crate::console::{Console, Flow};
use crate::problem::{Problem, line_at};
use crate::statements::Scanner;

/// The text that was read and is not yet run.
struct Pending {
    text: String,
    scanner: Scanner,
    /// The number of the line that `text` begins with.
    first_line: usize,
}

/// Runs a script to its end, its first error, or a command that quits. `place` stands before the line number of an error.
pub(crate) fn run(console: &mut Console, mut input: impl BufRead, place: &str) -> Result<(), Problem> {
    let mut pending = Pending {
        text: String::new(),
        scanner: Scanner::new(),
        first_line: 1,
    };
    let mut line_number = 0;
    loop {
        let begun = pending.text.len();
        line_number += 1;
        if input.read_line(&mut pending.text).map_err(Problem::io("input"))? == 0 {
            break;
        }
        let line = pending.text[begun..].trim_start_matches('\u{feff}').trim();
        if pending.scanner.is_between() && line.starts_with(['.', '\\']) {
            let line = line.to_owned();
            let flow = console
                .command(&line)
                .map_err(|problem| at(place, line_number, problem))?;
            if flow == Flow::Quit {
                return Ok(());
            }
            pending.forget(line_number + 1);
            continue;
        }
        run_complete(console, &mut pending, place)?;
        if pending.scanner.is_between() {
            pending.forget(line_number + 1);
        }
    }
    match pending.scanner.rest(&pending.text) {
        Some(range) => pending.run(console, range, place),
        None => Ok(()),
    }
}

/// Runs the statements that are complete.
fn run_complete(console: &mut Console, pending: &mut Pending, place: &str) -> Result<(), Problem> {
    while let Some(range) = pending.scanner.next(&pending.text) {
        let done = range.end + 1;
        pending.run(console, range, place)?;
        pending.cut(done);
    }
    Ok(())
}

impl Pending {
    fn run(&self, console: &mut Console, range: std::ops::Range<usize>, place: &str) -> Result<(), Problem> {
        let first = self.first_line + self.text[..range.start].matches('\n').count();
        let sql = self.text[range].trim_end().trim_start_matches('\u{feff}');
        console.statement(sql).map_err(|problem| {
            let inside = match &problem {
                Problem::Failure(failure) => failure.position.and_then(|position| line_at(sql, position)),
                _ => None,
            };
            at(place, first + inside.map_or(0, |(line, ..)| line - 1), problem)
        })
    }

    /// Drops the first `length` bytes, which were run.
    fn cut(&mut self, length: usize) {
        self.first_line += self.text[..length].matches('\n').count();
        self.text.drain(..length);
        self.scanner.cut(length);
    }

    /// Drops everything: the next line is number `line`.
    fn forget(&mut self, line: usize) {
        self.text.clear();
        self.scanner = Scanner::new();
        self.first_line = line;
    }
}

fn at(place: &str, line: usize, problem: Problem) -> Problem {
    match problem {
        Problem::NobodyReads => problem,
        other => Problem::Script {
            place: format!("{place}{line}"),
            problem: Box::new(other),
        },
    }
}
