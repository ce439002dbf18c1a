//! The interactive shell: line editing, history, completion.

mod complete;
mod editor;
mod paint;

use std::cell::RefCell;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::console::{Console, Flow};
use crate::engine::TransactionState;
use crate::problem::Problem;
use crate::statements::Scanner;
use complete::Names;
use editor::Assistant;

/// How many entries the history keeps.
const HISTORY: usize = 10_000;

/// Reads and runs statements until the user leaves.
pub(crate) fn run(console: &mut Console, file: &Path) -> Result<(), Problem> {
    let names = Rc::new(RefCell::new(Names::default()));
    let mut editor = open_editor(Rc::clone(&names)).map_err(terminal)?;
    let history = history_file();
    if let Some(path) = &history {
        // There is none the first time.
        drop(editor.load_history(path));
    }
    console.say(&format!(
        "godb {} on {}. Statements end with a semicolon; .help lists commands, .quit leaves.",
        env!("CARGO_PKG_VERSION"),
        file.display()
    ))?;
    loop {
        names.borrow_mut().learn(&mut console.engine);
        match editor.readline(&prompt(console)) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => {
                editor.add_history_entry(text.trim_end()).map_err(terminal)?;
                if enter(console, &text)? == Flow::Quit {
                    break;
                }
            }
            // Ctrl-C drops the line, Ctrl-D leaves.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        }
    }
    if let Some(path) = &history {
        editor.save_history(path).map_err(terminal)?;
    }
    Ok(())
}

fn open_editor(names: Rc<RefCell<Names>>) -> rustyline::Result<Editor<Assistant, FileHistory>> {
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant::new(names)));
    Ok(editor)
}

/// Runs what was entered: a command, or statements. An error is told and ends only what was entered with it.
fn enter(console: &mut Console, text: &str) -> Result<Flow, Problem> {
    match run_entered(console, text) {
        Err(Problem::NobodyReads) => Err(Problem::NobodyReads),
        Err(problem) => {
            eprintln!("{problem}");
            if matches!(problem, Problem::Failure(_)) {
                console.say_time()?;
            }
            Ok(Flow::Next)
        }
        Ok(flow) => Ok(flow),
    }
}

fn run_entered(console: &mut Console, text: &str) -> Result<Flow, Problem> {
    let line = text.trim();
    if is_command(line) {
        return console.command(line);
    }
    if ["quit", "exit"].contains(&line.trim_end_matches(';')) {
        return Ok(Flow::Quit);
    }
    let mut scanner = Scanner::new();
    while let Some(range) = scanner.next(text) {
        console.statement(text[range].trim_end())?;
    }
    Ok(Flow::Next)
}

/// Whether a line is a command of the shell and no SQL.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with(['.', '\\'])
}

/// Whether what was typed can be run; otherwise it goes on in the next line.
fn is_complete(text: &str) -> bool {
    let line = text.trim();
    if line.is_empty() || is_command(line) || ["quit", "exit"].contains(&line) {
        return true;
    }
    let mut scanner = Scanner::new();
    while scanner.next(text).is_some() {}
    scanner.is_between()
}

fn prompt(console: &Console) -> String {
    match console.engine.transaction() {
        TransactionState::None => "godb> ",
        TransactionState::Open => "godb*> ",
        TransactionState::Failed => "godb!> ",
    }
    .to_owned()
}

/// Where the history is kept: `$GODB_HISTORY`, else below `$XDG_STATE_HOME` or `~/.local/state`. Nowhere when none of these is set.
fn history_file() -> Option<PathBuf> {
    if let Some(path) = env::var_os("GODB_HISTORY") {
        return Some(path.into());
    }
    let state = env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/state")))?;
    let directory = state.join("godb");
    fs::create_dir_all(&directory).ok()?;
    Some(directory.join("history"))
}

fn terminal(error: ReadlineError) -> Problem {
    match error {
        ReadlineError::Io(error) => Problem::io("terminal")(error),
        other => Problem::Command(format!("terminal: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn text_is_complete_after_its_semicolon() {
        for text in [
            "",
            " \n",
            "-- later",
            "SELECT 1;",
            "SELECT 1; -- done\n",
            "SELECT 1;\nSELECT 2;",
            ".tables",
            "\\d",
            "quit",
            "exit",
        ] {
            assert!(is_complete(text), "{text:?}");
        }
        for text in [
            "SELECT",
            "SELECT 1; SELECT",
            "SELECT ';",
            "SELECT 1 -- ;",
            "SELECT (1;",
            "/* ;",
        ] {
            assert!(!is_complete(text), "{text:?}");
        }
    }
}
