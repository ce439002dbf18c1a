//! [`Console`]: where statements and commands go in and results come out, for the shell and for scripts alike.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Reply};
use crate::interrupt::{self, Running};
use crate::meta;
use crate::output::{Mode, Settings, write_rows};
use crate::problem::Problem;
use crate::progress::ProgressLine;

/// An open database, the user's settings, and where the output goes.
pub(crate) struct Console {
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    /// A person types and reads.
    pub(crate) interactive: bool,
    /// How many files deep `.read` is.
    pub(crate) depth: usize,
    /// How long the last statement took.
    took: Duration,
    out: Box<dyn Write>,
    progress: ProgressLine,
}

/// What comes after a statement or a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Quit,
}

impl Console {
    /// A console that writes to standard output.
    pub(crate) fn new(mut engine: Engine, settings: Settings, interactive: bool) -> Result<Self, Problem> {
        interrupt::listen(interactive)?;
        let progress = ProgressLine::new(interactive);
        let line = progress.clone();
        engine.on_progress(move |progress| line.say(progress));
        Ok(Self {
            engine,
            settings,
            interactive,
            depth: 0,
            took: Duration::ZERO,
            out: Box::new(BufWriter::new(io::stdout())),
            progress,
        })
    }

    /// Runs a statement and shows what it gave, before it returns. The time of one that failed is told by whoever tells the error, after it.
    pub(crate) fn statement(&mut self, sql: &str) -> Result<(), Problem> {
        let begun = Instant::now();
        let running = Running::new(self.engine.canceller());
        self.progress.begin();
        let result = show(
            &mut self.engine,
            &self.settings,
            self.interactive,
            &mut self.out,
            sql,
        );
        drop(running);
        self.progress.end();
        self.took = begun.elapsed();
        if result.is_ok() {
            self.say_time()?;
        }
        self.out.flush().map_err(Problem::output)?;
        result
    }

    /// How long the last statement took, where the user asked for that.
    pub(crate) fn say_time(&mut self) -> Result<(), Problem> {
        if self.settings.timer {
            self.say(&format!("Time: {:.3} ms", self.took.as_secs_f64() * 1000.0))?;
        }
        Ok(())
    }

    /// Runs a command: a line that begins with a dot or a backslash.
    pub(crate) fn command(&mut self, line: &str) -> Result<Flow, Problem> {
        let flow = meta::run(self, line);
        self.out.flush().map_err(Problem::output)?;
        flow
    }

    /// Writes a line.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), Problem> {
        writeln!(self.out, "{line}").map_err(Problem::output)?;
        if self.interactive {
            self.out.flush().map_err(Problem::output)?;
        }
        Ok(())
    }

    /// Writes rows that no statement gave, in the chosen mode.
    pub(crate) fn show_table(&mut self, names: &[&str], rows: Vec<Vec<String>>) -> Result<(), Problem> {
        let columns: Vec<_> = names
            .iter()
            .map(|name| crate::engine::text_column(name))
            .collect();
        let mut rows = rows
            .into_iter()
            .map(|row| Ok(row.into_iter().map(Some).collect()));
        write_rows(&mut self.out, &self.settings, &columns, &mut rows).map(drop)
    }

    /// Sends the output to a file, or back to standard output.
    pub(crate) fn redirect(&mut self, to: Option<&Path>) -> Result<(), Problem> {
        self.out.flush().map_err(Problem::output)?;
        self.out = match to {
            Some(path) => {
                let file = File::create(path).map_err(Problem::io(path.display().to_string()))?;
                Box::new(BufWriter::new(file))
            }
            None => Box::new(BufWriter::new(io::stdout())),
        };
        Ok(())
    }

    /// Writes what is still to be written, and closes the database.
    pub(crate) fn close(mut self) -> Result<(), Problem> {
        self.out.flush().map_err(Problem::output)?;
        self.engine.close()
    }
}

fn show(
    engine: &mut Engine,
    settings: &Settings,
    interactive: bool,
    out: &mut dyn Write,
    sql: &str,
) -> Result<(), Problem> {
    let Reply {
        tag,
        columns,
        mut rows,
    } = engine.run(sql)?;
    let tells = interactive || settings.mode == Mode::Box;
    if columns.is_empty() {
        rows.try_for_each(|row| row.map(drop))?;
    } else {
        let count = write_rows(out, settings, &columns, &mut *rows)?;
        if tells {
            let noun = if count == 1 { "row" } else { "rows" };
            writeln!(out, "({count} {noun})").map_err(Problem::output)?;
        }
    }
    if tells && (columns.is_empty() || changes(&tag)) && !tag.is_empty() {
        writeln!(out, "{tag}").map_err(Problem::output)?;
    }
    Ok(())
}

/// Whether the tag tells of more than the rows that were shown, as after `INSERT … RETURNING`.
fn changes(tag: &str) -> bool {
    ["INSERT", "UPDATE", "DELETE", "MERGE"]
        .iter()
        .any(|verb| tag.starts_with(verb))
}
