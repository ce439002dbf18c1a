//! The oracle: what a database may hold after a crash.
//!
//! It does not know by itself what a workload means. It runs it on the engine in memory, the specification of all others, and writes down what is there
//! after each commit: those states, in that order, are the only ones that a crash may leave, and how far the run had come says which of them.

use super::player::Progress;
use super::player::{Player, Unwatched, Watch};
use super::script::Workload;
use godb::{Config, Database, Environment, Moment, Result, Timestamp, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// What a database holds: the pairs under the empty name, the rows of each table under its name, and how each table is made. All as sorted lines.
pub(super) type State = BTreeMap<String, Vec<Vec<u8>>>;

/// What may be there after each commit, the first for none at all.
pub(super) struct Oracle {
    states: Vec<State>,
}

impl Oracle {
    /// Runs a workload on the engine in memory.
    ///
    /// # Errors
    /// The workload makes no sense.
    pub(super) fn of(workload: &Workload) -> Result<Self> {
        let environment = Environment::simulated(1);
        let engine = godb_mvcc::MemoryEngine::new(environment.clone());
        let open = || Database::on_engine(engine.clone(), &environment, Config::default());
        let mut oracle = Self {
            states: vec![read_all(&open()?)?],
        };
        Player::new(workload, open, || {}).run(&mut oracle)?;
        Ok(oracle)
    }

    /// After which commits the database may be what it is; none when it is nothing that ever was.
    pub(super) fn places(&self, found: &State) -> Vec<usize> {
        let numbered = self.states.iter().enumerate();
        numbered
            .filter(|(_, state)| *state == found)
            .map(|(at, _)| at)
            .collect()
    }

    /// The state after a commit.
    pub(super) fn state(&self, commit: usize) -> &State {
        &self.states[commit.min(self.states.len() - 1)]
    }

    /// How `found` differs from the state after a commit, in words.
    pub(super) fn difference(&self, found: &State, commit: usize) -> String {
        let wanted = self.state(commit);
        let names: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
        let mut words = Vec::new();
        for name in names {
            if found.get(name) != wanted.get(name) {
                let count = |state: &State| {
                    state
                        .get(name)
                        .map_or("no".to_owned(), |lines| lines.len().to_string())
                };
                words.push(format!(
                    "`{name}` has {} lines instead of {}",
                    count(found),
                    count(wanted)
                ));
            }
        }
        words.join(", ")
    }
}

impl Watch for Oracle {
    fn step(&mut self, _progress: &Progress) {}

    fn committed(&mut self, db: &Database) -> Result<()> {
        self.states.push(read_all(db)?);
        Ok(())
    }
}

/// Everything in a database.
pub(super) fn read_all(db: &Database) -> Result<State> {
    let mut tables = db.tables()?;
    tables.sort();
    let mut state = read_rows(&mut db.begin()?, &tables)?;
    for table in tables {
        let mut made = db.describe(&table)?;
        // An estimate may be any number.
        made.iter_mut().for_each(|made| made.row_estimate = 0);
        state.insert(
            format!("{table}, how it is made"),
            vec![format!("{made:?}").into_bytes()],
        );
    }
    Ok(state)
}

/// Whether the database still shows what it held after the commit at `at`: the pairs, and the rows of the tables there were.
pub(super) fn shows(db: &Database, at: Timestamp, then: &State) -> Result<bool> {
    let mut tx = db.as_of(Moment::At(at))?;
    let tables: Vec<String> = then.keys().filter(|name| is_rows(name)).cloned().collect();
    let found = read_rows(&mut tx, &tables)?;
    Ok(found.iter().all(|(name, lines)| then.get(name) == Some(lines)))
}

fn is_rows(name: &str) -> bool {
    !name.is_empty() && !name.contains(',')
}

fn read_rows(tx: &mut Transaction, tables: &[String]) -> Result<State> {
    let mut state = State::new();
    let mut pairs = Vec::new();
    for pair in tx.range(..)? {
        let (key, value) = pair?;
        pairs.push([key, value].concat());
    }
    state.insert(String::new(), pairs);
    for table in tables {
        let mut lines = Vec::new();
        for row in tx.query(&format!("SELECT * FROM {table}"), &[])? {
            lines.push(format!("{:?}", row?.values()).into_bytes());
        }
        lines.sort();
        state.insert(table.clone(), lines);
    }
    Ok(state)
}

/// Runs a workload on the engine in memory, for whether it makes sense.
pub(super) fn makes_sense(workload: &Workload) -> bool {
    let environment = Environment::simulated(1);
    let engine = godb_mvcc::MemoryEngine::new(environment.clone());
    let open = || Database::on_engine(engine.clone(), &environment, Config::default());
    Player::new(workload, open, || {}).run(&mut Unwatched).is_ok()
}
