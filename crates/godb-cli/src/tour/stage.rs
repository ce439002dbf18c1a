//! Where the tour speaks: titles, code, results.

use std::cell::Cell;
use std::io::{self, IsTerminal};

use crate::engine;
use crate::output::{Settings, write_rows};
use crate::problem::Problem;

/// Standard output, with numbered steps.
pub(super) struct Stage {
    colours: bool,
    step: Cell<usize>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            colours: io::stdout().is_terminal(),
            step: Cell::new(0),
        }
    }

    /// The name of the whole.
    pub(super) fn title(&self, text: &str) {
        println!("{}", self.painted("1;36", text));
    }

    /// The next step.
    pub(super) fn step(&self, text: &str) {
        self.step.set(self.step.get() + 1);
        println!("\n{}", self.painted("1", &format!("{}. {text}", self.step.get())));
    }

    /// A sentence.
    #[expect(clippy::unused_self, reason = "whoever speaks, speaks from the stage")]
    pub(super) fn say(&self, text: &str) {
        println!("   {text}");
    }

    /// Code, as the reader would write it.
    pub(super) fn code(&self, text: &str) {
        for line in text.lines() {
            println!("   {}", self.painted("36", &format!("│ {line}")));
        }
    }

    /// What came of it.
    pub(super) fn result(&self, text: &str) {
        println!("   {} {text}", self.painted("1;32", "→"));
    }

    /// Shows a query and its rows.
    pub(super) fn query(&self, sql: &str, rows: godb::Rows) -> Result<Vec<Vec<engine::Cell>>, Problem> {
        self.code(sql);
        let columns = engine::columns(&rows);
        let rows = engine::collect(rows)?;
        let mut drawn = Vec::new();
        write_rows(
            &mut drawn,
            &Settings::default(),
            &columns,
            &mut rows.iter().cloned().map(Ok),
        )?;
        for line in String::from_utf8_lossy(&drawn).lines() {
            println!("   {line}");
        }
        Ok(rows)
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
