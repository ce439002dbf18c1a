//! Commands of the shell itself: lines that begin with a dot, as SQLite's users know them, or with a backslash, as PostgreSQL's do.
//!
//! One table names them all; help and completion are made from it.

mod describe;
mod import;
mod settings;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::console::{Console, Flow};
use crate::problem::Problem;
use crate::script;

/// How deep files may read files.
const MOST_DEEP: usize = 16;

/// What a command does; it is given the words after its name.
type Action = fn(&mut Console, &[String]) -> Result<Flow, Problem>;

/// A command.
pub(crate) struct Command {
    /// Its names; help shows the first one first.
    pub(crate) names: &'static [&'static str],
    arguments: &'static str,
    about: &'static str,
    /// The fewest and the most words it takes.
    takes: (usize, usize),
    action: Action,
}

/// Every command.
pub(crate) const COMMANDS: &[Command] = &[
    command(
        &[".tables", "\\dt"],
        "[PATTERN]",
        "tables",
        (0, 1),
        describe::tables,
    ),
    command(
        &[".schema"],
        "[TABLE]",
        "the statements that would make the tables again",
        (0, 1),
        describe::schema,
    ),
    command(
        &["\\d", ".describe"],
        "[TABLE]",
        "the columns and indexes of a table",
        (0, 1),
        describe::table,
    ),
    command(
        &["\\di", ".indexes"],
        "[TABLE]",
        "indexes",
        (0, 1),
        describe::indexes,
    ),
    command(
        &[".mode"],
        "[MODE]",
        "how rows are shown: box, csv, json, jsonlines, markdown, list",
        (0, 1),
        settings::mode,
    ),
    command(
        &[".headers"],
        "on|off",
        "column names above the rows",
        (1, 1),
        settings::headers,
    ),
    command(
        &[".nullvalue"],
        "TEXT",
        "what stands for NULL",
        (1, 1),
        settings::null,
    ),
    command(
        &["\\x", ".expanded"],
        "[on|off]",
        "a record as a block of lines",
        (0, 1),
        settings::expanded,
    ),
    command(
        &[".timer", "\\timing"],
        "[on|off]",
        "how long each statement took",
        (0, 1),
        settings::timer,
    ),
    command(
        &[".import"],
        "FILE TABLE [NULL]",
        "loads a CSV file; makes the table if there is none",
        (2, 3),
        import::import,
    ),
    command(&[".read", "\\i"], "FILE", "runs a script", (1, 1), read),
    command(
        &[".output", "\\o"],
        "[FILE]",
        "sends the output to a file, or back here",
        (0, 1),
        output,
    ),
    command(&[".help", "\\?"], "", "this list", (0, 0), help),
    command(
        &[".quit", "\\q", ".exit"],
        "",
        "ends the shell",
        (0, 0),
        |_, _| Ok(Flow::Quit),
    ),
];

const fn command(
    names: &'static [&'static str],
    arguments: &'static str,
    about: &'static str,
    takes: (usize, usize),
    action: Action,
) -> Command {
    Command {
        names,
        arguments,
        about,
        takes,
        action,
    }
}

/// Runs a command line.
pub(crate) fn run(console: &mut Console, line: &str) -> Result<Flow, Problem> {
    let words = words(line)?;
    let (name, rest) = words
        .split_first()
        .ok_or_else(|| Problem::Command("an empty command".to_owned()))?;
    let command = COMMANDS
        .iter()
        .find(|command| command.names.contains(&name.as_str()))
        .ok_or_else(|| Problem::Command(format!("no command {name}; .help lists them")))?;
    let (fewest, most) = command.takes;
    if !(fewest..=most).contains(&rest.len()) {
        return Err(Problem::Command(format!("usage: {name} {}", command.arguments)));
    }
    (command.action)(console, rest)
}

/// The words of a line. Quotes keep blanks together; a semicolon at the end is a habit, not a word.
fn words(line: &str) -> Result<Vec<String>, Problem> {
    let mut words = Vec::new();
    let mut rest = line.trim().trim_end_matches(';').trim_end();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '\'' || first == '"' {
            rest[1..]
                .split_once(first)
                .ok_or_else(|| Problem::Command(format!("a quote {first} is not closed")))?
        } else {
            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

fn help(console: &mut Console, _: &[String]) -> Result<Flow, Problem> {
    for command in COMMANDS {
        let names = format!("{} {}", command.names.join(" "), command.arguments);
        console.say(&format!("{names:32} {}", command.about))?;
    }
    console.say("Everything else is SQL, and ends with a semicolon.")?;
    Ok(Flow::Next)
}

fn read(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let path = &words[0];
    if console.depth == MOST_DEEP {
        return Err(Problem::Command(format!(
            "{path}: scripts read scripts {MOST_DEEP} deep"
        )));
    }
    let file = File::open(path).map_err(Problem::io(path.clone()))?;
    console.depth += 1;
    let result = script::run(console, BufReader::new(file), &format!("{path}:"));
    console.depth -= 1;
    result.map(|()| Flow::Next)
}

fn output(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    console.redirect(words.first().map(Path::new))?;
    Ok(Flow::Next)
}
