//! The `godb` program: a shell, scripts, a check of the file, and a guided tour.
//!
//! ```text
//! godb FILE                        a shell
//! godb FILE "SQL"                  runs the statements and ends
//! godb FILE < script.sql           the same from standard input
//! godb check FILE                  reads every page and checks every tree
//! godb check --repair FILE         repairs what can be repaired without loss, into a copy
//! godb salvage FILE --output NEW   copies the rows of a broken file into a new one
//! godb serve FILE                  serves PostgreSQL's clients
//! godb tour [FILE]                 shows what the database can do, on a file of its own
//! ```
//!
//! It stands on the public API alone (`engine.rs` is the one place that names it), so that it can do nothing that a program of anybody else's
//! could not. A statement goes from its source (`shell/`, `script.rs`) through the [`Console`](console::Console) to the engine, and its rows go to `output/`.

#![expect(
    clippy::print_stdout,
    reason = "a program of the command line speaks on standard output"
)]

mod arguments;
mod check;
mod console;
mod engine;
mod interrupt;
mod meta;
mod output;
mod problem;
mod progress;
mod salvage;
mod schema;
mod script;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod statements;
mod tour;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use arguments::{Request, Run};
use console::Console;
use engine::Engine;
use problem::Problem;

fn main() -> ExitCode {
    let request = match arguments::parse(lexopt::Parser::from_env()) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("godb: {error}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match perform(request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem::NobodyReads) => ExitCode::from(141),
        Err(problem) => {
            eprintln!("{problem}");
            problem.exit_code()
        }
    }
}

fn perform(request: Request) -> Result<(), Problem> {
    match request {
        Request::Help => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Request::Version => {
            println!("godb {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Request::Check(file) => check::check(&file),
        Request::Repair {
            file,
            output,
            in_place,
        } => check::repair(&file, output, in_place),
        Request::Salvage { file, output } => salvage::salvage(&file, &output),
        Request::Tour(file) => tour::run(file),
        Request::TourVictim(file) => tour::victim(&file),
        #[cfg(feature = "serve")]
        Request::Serve(request) => serve::serve(request),
        Request::Run(run) => run_statements(&run),
    }
}

/// Shell or script: whatever runs statements on a file.
fn run_statements(run: &Run) -> Result<(), Problem> {
    let interactive = run.sql.is_empty() && io::stdin().is_terminal();
    let engine = Engine::open(&run.file, run.retention)?;
    let mut console = Console::new(engine, run.settings.clone(), interactive)?;
    let result = if interactive {
        shell::run(&mut console, &run.file)
    } else if run.sql.is_empty() {
        script::run(&mut console, io::stdin().lock(), "line ")
    } else {
        run.sql
            .iter()
            .try_for_each(|sql| script::run(&mut console, sql.as_bytes(), "line "))
    };
    // The statement's own error says more than that of closing after it.
    result.and(console.close())
}
