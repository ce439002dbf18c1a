//! [`Script`]: a short life of a database, whose state after every commit is known, and [`Play`]: how far it came.
//!
//! The script has something of everything that writes: pairs and rows with an index, values in chains of overflow pages, splits and merges, savepoints, a
//! transaction that rolls back, write-back, collection, checkpoints, a close and an opening.

use super::world::{State, open, open_by, open_files, read_state, row_key};
use godb::{Database, Error, Result, Transaction, Value};
use godb_page::{FileSystem, SimulatedDisk};
use std::sync::Arc;

/// One change within a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// Set a key to a value of so many bytes.
    Put(u16, usize),
    /// Remove a key.
    Delete(u16),
    /// Insert a row or change it, its text of so many bytes.
    Row(i64, usize),
    /// Delete a row.
    DropRow(i64),
    /// Do the changes from here to the next `Undo`, and undo them.
    Savepoint,
    /// Go back to the savepoint.
    Undo,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A transaction that commits.
    Commit(Vec<Change>),
    /// A transaction that rolls back.
    RollBack(Vec<Change>),
    /// Write back and collect.
    Background,
    /// A checkpoint.
    Checkpoint,
    /// Close and open again.
    Reopen,
}

/// The steps, and the state after each commit: the first is the one before all.
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) states: Vec<State>,
}

impl Script {
    /// A script that begins on what `base` holds.
    pub(crate) fn on(base: &SimulatedDisk, steps: Vec<Step>) -> Self {
        let disk = base.fork();
        let db = open(&disk).expect("the base is sound");
        let mut states = vec![read_state(&db).expect("the base can be read")];
        for step in &steps {
            if let Step::Commit(changes) = step {
                let mut state = states[states.len() - 1].clone();
                apply(&mut state, changes, states.len());
                states.push(state);
            }
        }
        let script = Self { steps, states };
        let play = Play::of(&base.fork(), &script);
        assert!(
            play.ended.is_none(),
            "the script fails by itself: {:?}",
            play.ended
        );
        script
    }

    /// The script that most rows use.
    pub(crate) fn standard(base: &SimulatedDisk) -> Self {
        use Change::{Delete, DropRow, Put, Row, Savepoint, Undo};
        let puts = |keys: std::ops::Range<u16>, length| keys.map(move |key| Put(key, length));
        let steps = vec![
            Step::Commit(vec![Put(1, 10), Row(1, 20)]),
            Step::Commit(puts(10..40, 200).chain((10..30).map(|id| Row(id, 100))).collect()),
            Step::RollBack(puts(20..60, 150).chain([Row(11, 300), DropRow(12)]).collect()),
            Step::Background,
            Step::Commit(vec![
                Put(2, 9000),
                Savepoint,
                Put(3, 9000),
                Delete(1),
                Undo,
                Row(2, 700),
            ]),
            Step::Checkpoint,
            Step::Commit((12..38).map(Delete).chain((12..28).map(DropRow)).collect()),
            Step::Commit(vec![Put(2, 12000), Row(2, 30)]),
            Step::Background,
            Step::Reopen,
            Step::Commit(vec![Put(4, 50), Delete(2)]),
            Step::Checkpoint,
            Step::Commit(vec![Put(5, 500), DropRow(1)]),
        ];
        Self::on(base, steps)
    }
}

/// The text of a row.
fn text(commit: usize, id: i64, length: usize) -> String {
    let mut text = format!("{id} by {commit} ");
    while text.len() < length {
        text.push(char::from(b'a' + u8::try_from(id % 26).unwrap_or(0)));
    }
    text
}

/// The bytes of a value.
fn value(commit: usize, key: u16, length: usize) -> Vec<u8> {
    let mut bytes = vec![key.to_be_bytes()[1] ^ 0x5A; length.max(8)];
    bytes[..8].copy_from_slice(&(commit as u64).to_le_bytes());
    bytes
}

/// Does to a state what a transaction's changes do.
fn apply(state: &mut State, changes: &[Change], commit: usize) {
    let mut saved = state.clone();
    for change in changes {
        match *change {
            Change::Put(key, length) => {
                state.insert(key.to_be_bytes().to_vec(), value(commit, key, length));
            }
            Change::Delete(key) => drop(state.remove(key.to_be_bytes().as_slice())),
            Change::Row(id, length) => {
                state.insert(row_key(id), text(commit, id, length).into_bytes());
            }
            Change::DropRow(id) => drop(state.remove(&row_key(id))),
            Change::Savepoint => saved = state.clone(),
            Change::Undo => *state = saved.clone(),
        }
    }
}

/// Makes a transaction's changes.
pub(crate) fn make(tx: &mut Transaction, changes: &[Change], commit: usize) -> Result<()> {
    let mut point = None;
    for change in changes {
        match *change {
            Change::Put(key, length) => tx.put(&key.to_be_bytes(), &value(commit, key, length))?,
            Change::Delete(key) => drop(tx.delete(&key.to_be_bytes())?),
            Change::Row(id, length) => upsert(tx, id, &text(commit, id, length))?,
            Change::DropRow(id) => drop(tx.execute("DELETE FROM t WHERE id = $1", &[Value::Int(id)])?),
            Change::Savepoint => point = Some(tx.savepoint()?),
            Change::Undo => point.map_or(Ok(()), |point| tx.roll_back_to(point))?,
        }
    }
    Ok(())
}

fn upsert(tx: &mut Transaction, id: i64, text: &str) -> Result<()> {
    let params = [Value::Int(id), Value::Text(text.to_owned())];
    if tx.execute("UPDATE t SET v = $2 WHERE id = $1", &params)? == 0 {
        tx.execute("INSERT INTO t (id, v) VALUES ($1, $2)", &params)?;
    }
    Ok(())
}

/// How far a script came.
pub(crate) struct Play {
    /// The database, unless opening it failed.
    pub(crate) db: Option<Database>,
    /// So many commits had returned.
    pub(crate) acknowledged: usize,
    /// So many had been asked for.
    pub(crate) begun: usize,
    /// What ended it early, and at which step.
    pub(crate) ended: Option<(usize, Error)>,
    /// What the rollback of a transaction that failed gave.
    pub(crate) rolled_back: Result<()>,
}

impl Play {
    /// Plays a script until its end or its first error.
    pub(crate) fn of(disk: &SimulatedDisk, script: &Script) -> Self {
        Self::watched(disk, script, |_| {})
    }

    /// The same, telling `watch` of each step that was done.
    pub(crate) fn watched(disk: &SimulatedDisk, script: &Script, watch: impl FnMut(usize)) -> Self {
        let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
        Self::all(&files, script, watch)
    }

    /// The same on any files.
    pub(crate) fn on(files: &Arc<dyn FileSystem>, script: &Script) -> Self {
        Self::all(files, script, |_| {})
    }

    fn all(files: &Arc<dyn FileSystem>, script: &Script, mut watch: impl FnMut(usize)) -> Self {
        let mut play = Self {
            db: None,
            acknowledged: 0,
            begun: 0,
            ended: None,
            rolled_back: Ok(()),
        };
        match open_files(files, 7) {
            Ok(db) => play.db = Some(db),
            Err(error) => {
                play.ended = Some((0, error));
                return play;
            }
        }
        for (at, step) in script.steps.iter().enumerate() {
            if let Err(error) = play.step(files, step) {
                play.ended = Some((at, error));
                break;
            }
            watch(at);
        }
        play
    }

    fn step(&mut self, files: &Arc<dyn FileSystem>, step: &Step) -> Result<()> {
        let db = self.db.clone().expect("a script goes on only with a database");
        match step {
            Step::Commit(changes) => {
                let commit = self.begun + 1;
                let tx = self.changed(&db, changes, commit)?;
                self.begun = commit;
                tx.commit()?;
                self.acknowledged = commit;
                Ok(())
            }
            Step::RollBack(changes) => self.changed(&db, changes, usize::MAX)?.roll_back(),
            Step::Background => {
                while db.step()? {}
                Ok(())
            }
            Step::Checkpoint => db.checkpoint(),
            Step::Reopen => {
                drop(db);
                if let Some(db) = self.db.take() {
                    db.close()?;
                }
                self.db = Some(open_files(files, 7)?);
                Ok(())
            }
        }
    }

    /// A transaction that made its changes; when they fail it is rolled back.
    fn changed(&mut self, db: &Database, changes: &[Change], commit: usize) -> Result<Transaction> {
        let mut tx = db.begin()?;
        match make(&mut tx, changes, commit) {
            Ok(()) => Ok(tx),
            Err(error) => {
                self.rolled_back = tx.roll_back();
                Err(error)
            }
        }
    }
}

/// A disk with a database that was killed while its log was needed: a table with an index, pairs, long values.
pub(crate) fn base() -> SimulatedDisk {
    base_by(7)
}

/// The same with an identity of its own.
pub(crate) fn base_by(seed: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let db = open_by(&disk, seed).expect("an empty disk takes a database");
    db.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text)", &[])
        .expect("it takes a table");
    db.execute("CREATE INDEX t_v ON t (v)", &[])
        .expect("and an index");
    let mut tx = db.begin().expect("and transactions");
    let changes: Vec<Change> = (100..140)
        .map(|key| Change::Put(key, 120))
        .chain((100..130).map(|id| Change::Row(id, 60)))
        .chain([Change::Put(200, 9000)])
        .collect();
    make(&mut tx, &changes, 0).expect("with changes");
    tx.commit().expect("that commit");
    super::world::kill(db, &disk)
}

/// Judges a database: the check finds nothing, and it holds the state after a commit from `least` to `most`. Tells which.
pub(crate) fn judge(
    db: &Database,
    script: &Script,
    least: usize,
    most: usize,
) -> std::result::Result<usize, String> {
    let findings = db.check().map_err(|error| format!("the check failed: {error}"))?;
    if !findings.is_empty() {
        return Err(format!("the check found: {}", findings.join("; ")));
    }
    holds(db, script, least, most)
}

/// The same without the check.
pub(crate) fn holds(
    db: &Database,
    script: &Script,
    least: usize,
    most: usize,
) -> std::result::Result<usize, String> {
    let found = read_state(db).map_err(|error| format!("reading failed: {error}"))?;
    if let Some(at) = (least..=most).find(|at| script.states[*at] == found) {
        return Ok(at);
    }
    let other = script.states.iter().position(|state| *state == found);
    Err(format!(
        "it holds the state after {}, expected {least} to {most}",
        other.map_or("no commit".to_owned(), |at| format!("commit {at}"))
    ))
}
