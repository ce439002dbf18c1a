//! Ctrl-C: ends the running statement, and not the program.

use std::sync::{Mutex, MutexGuard, PoisonError};

use godb::Canceller;

use crate::problem::Problem;

/// The shell's exit code for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// What runs now.
static RUNNING: Mutex<Option<Canceller>> = Mutex::new(None);

/// While it lives, Ctrl-C ends the statement it was made for.
pub(crate) struct Running(());

impl Running {
    /// Statements that `canceller` ends begin to run.
    pub(crate) fn new(canceller: Canceller) -> Self {
        *running() = Some(canceller);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *running() = None;
    }
}

/// Listens for Ctrl-C from now on. Between statements a script ends by it; a shell reads it as a key and starts a new line.
pub(crate) fn listen(interactive: bool) -> Result<(), Problem> {
    let handler = move || match &*running() {
        Some(canceller) => canceller.cancel(),
        None if interactive => {}
        // What was committed is safe in the log, and the next opening finds it there.
        None => std::process::exit(INTERRUPTED),
    };
    ctrlc::set_handler(handler).map_err(|error| Problem::Command(format!("listening for Ctrl-C: {error}")))
}

fn running() -> MutexGuard<'static, Option<Canceller>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
