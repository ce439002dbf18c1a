//! The oracle: what a database may hold after a crash.

use super::workload::{Change, Key, Step, Workload};
use godb::{Database, Result};
use std::collections::BTreeMap;

/// What a database holds: the version of each key's value, and its length.
pub(super) type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// The bytes of a key. Their order is that of the numbers.
pub(super) fn key_bytes(key: Key) -> [u8; 2] {
    key.to_be_bytes()
}

/// The bytes of a value: which commit wrote it, and filling.
pub(super) fn value_bytes(commit: usize, key: Key, length: usize) -> Vec<u8> {
    let mut bytes = vec![key.to_be_bytes()[1] ^ 0x5A; length.max(8)];
    bytes[..8].copy_from_slice(&(commit as u64).to_le_bytes());
    bytes
}

/// Does to a state what a transaction's changes do.
fn apply(state: &State, changes: &[Change], commit: usize) -> State {
    let mut now = state.clone();
    let mut saved = state.clone();
    for change in changes {
        match *change {
            Change::Put(key, length) => {
                now.insert(key_bytes(key).to_vec(), value_bytes(commit, key, length));
            }
            Change::Delete(key) => {
                now.remove(key_bytes(key).as_slice());
            }
            Change::Savepoint => saved = now.clone(),
            Change::RollBackToSavepoint => now = saved.clone(),
        }
    }
    now
}

/// The state after each commit of a workload; the first is the empty one.
pub(super) fn states(workload: &Workload) -> Vec<State> {
    let mut states = vec![State::new()];
    for step in &workload.steps {
        if let Step::Commit(changes) = step {
            let next = apply(&states[states.len() - 1], changes, states.len());
            states.push(next);
        }
    }
    states
}

/// Everything in a database.
pub(super) fn read_all(db: &Database) -> Result<State> {
    db.begin()?.range(..)?.collect()
}

/// Judges a database that was opened after a crash: `acknowledged` commits had returned, `begun` had been asked for.
/// Returns what is wrong, in words.
pub(super) fn judge(
    db: &Database,
    states: &[State],
    acknowledged: usize,
    begun: usize,
) -> std::result::Result<usize, String> {
    let findings = db.check().map_err(|error| format!("the check failed: {error}"))?;
    if !findings.is_empty() {
        return Err(format!("the check found: {}", findings.join("; ")));
    }
    let found = read_all(db).map_err(|error| format!("reading failed: {error}"))?;
    match (acknowledged..=begun).find(|at| states[*at] == found) {
        Some(at) => Ok(at),
        None => Err(explain(&found, states, acknowledged, begun)),
    }
}

fn explain(found: &State, states: &[State], acknowledged: usize, begun: usize) -> String {
    match states.iter().position(|state| state == found) {
        Some(at) if at < acknowledged => {
            format!("it holds commit {at}, but commit {acknowledged} was acknowledged")
        }
        Some(at) => format!("it holds commit {at}, but only {begun} were begun"),
        None => format!(
            "its {} keys are the state after no commit ({acknowledged} acknowledged, {begun} begun)",
            found.len()
        ),
    }
}
