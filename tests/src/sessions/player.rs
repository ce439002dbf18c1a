//! Runs the steps of a script, each session on its thread.
//!
//! Whether a statement waits cannot be seen, only that it has not ended yet. So what the script expects decides how long to look: where it expects an outcome, long; where it says that
//! the statement waits, a moment.

use super::script::{Part, Step};
use godb::{Config, Database, Session, Value};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long somebody who waits is watched for not ending.
const MOMENT: Duration = Duration::from_millis(30);
/// How long an outcome may take.
const LONG: Duration = Duration::from_secs(20);
/// With nothing expected: how long a statement takes that does not wait.
const UNKNOWN: Duration = Duration::from_millis(400);

const WAITS: &str = "waits";
const GOES_ON: &str = " goes on";

/// How a script is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knobs {
    /// What the script says of outcomes counts for nothing: they are to be found out.
    pub bless: bool,
}

/// A session's thread: statements go in, what came of them comes out.
struct Actor {
    statements: Sender<String>,
    outcomes: Receiver<Vec<String>>,
    waits: bool,
}

impl Actor {
    fn start(db: &Database) -> Self {
        let (statements, next) = channel::<String>();
        let (told, outcomes) = channel();
        let mut session = db.session().expect("there is room for a session");
        std::thread::spawn(move || {
            for statement in next {
                if told.send(run(&mut session, &statement)).is_err() {
                    return;
                }
            }
        });
        Self {
            statements,
            outcomes,
            waits: false,
        }
    }

    /// What came of its statement, if that is known within `time`.
    fn outcome(&mut self, time: Duration) -> Option<Vec<String>> {
        let outcome = match self.outcomes.recv_timeout(time) {
            Ok(outcome) => Some(outcome),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(vec!["the session panicked".to_owned()]),
        };
        self.waits = outcome.is_none();
        outcome
    }
}

/// Runs a part on a database of its own; what came of each step.
///
/// # Panics
/// When no database can be opened.
#[must_use]
pub fn play(part: &Part, knobs: Knobs) -> Vec<Vec<String>> {
    let config = Config {
        mvcc: !part.name.ends_with(", without versions"),
        lock_timeout: Duration::from_secs(60),
        ..Config::default()
    };
    let db = Database::in_memory_with(config).expect("a database in memory");
    let mut actors = BTreeMap::new();
    let mut outcomes = Vec::new();
    for step in &part.steps {
        outcomes.push(play_step(&db, &mut actors, step, knobs));
    }
    outcomes
}

fn play_step(db: &Database, actors: &mut BTreeMap<String, Actor>, step: &Step, knobs: Knobs) -> Vec<String> {
    let actor = actors
        .entry(step.session.clone())
        .or_insert_with(|| Actor::start(db));
    if actor.waits {
        return vec!["it still waits for its last statement".to_owned()];
    }
    // A thread that is gone is noticed when nothing comes from it.
    let _ = actor.statements.send(step.sql.clone());
    let expects_waiting = step.outcome.first().is_some_and(|line| line == WAITS);
    let time = match (knobs.bless, expects_waiting) {
        (true, _) => UNKNOWN,
        (false, true) => MOMENT,
        (false, false) => LONG,
    };
    let mut outcome = actor.outcome(time).unwrap_or_else(|| vec![WAITS.to_owned()]);
    for (name, other) in actors
        .iter_mut()
        .filter(|(name, other)| other.waits && **name != step.session)
    {
        let line = format!("{name}{GOES_ON}");
        let time = match (knobs.bless, step.outcome.contains(&line)) {
            (true, _) => UNKNOWN,
            (false, true) => LONG,
            (false, false) => MOMENT,
        };
        if let Some(ended) = other.outcome(time) {
            outcome.push(line);
            outcome.extend(ended.into_iter().map(|line| format!("  {line}")));
        }
    }
    outcome
}

/// What comes of a statement, line by line.
fn run(session: &mut Session, statement: &str) -> Vec<String> {
    rows_or_tag(session, statement).unwrap_or_else(|error| {
        let text = error.to_string();
        // Transactions have other numbers whenever one more is begun.
        let text = text.split(": transactions ").next().unwrap_or_default();
        vec![format!("{} {text}", error.sqlstate())]
    })
}

fn rows_or_tag(session: &mut Session, statement: &str) -> godb::Result<Vec<String>> {
    let outcome = session.run(statement, &[])?;
    if outcome.rows.columns().is_empty() {
        outcome.rows.for_each(drop);
        return Ok(vec![outcome.tag]);
    }
    let mut lines = Vec::new();
    for row in outcome.rows {
        let row = row?;
        let columns = 0..row.values().len();
        let text = |at: usize| match row.values()[at] {
            Value::Null => "NULL".to_owned(),
            _ => row.text(at).unwrap_or_default(),
        };
        lines.push(columns.map(text).collect::<Vec<_>>().join(" | "));
    }
    if lines.is_empty() {
        lines.push("no rows".to_owned());
    }
    Ok(lines)
}
