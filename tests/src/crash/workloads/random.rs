//! Random workloads: long, with several transactions open at once.
//!
//! Transactions of different slots touch different keys and rows, so that none ever waits for another: on one thread it would wait for ever. They share pages,
//! the free list and the log all the same, which is what a crash is about.

use crate::crash::script::{Change, Key, Step, Workload};
use crate::crash::survivors::mix;

/// How many transactions are open at once.
const SLOTS: u64 = 4;

/// A repeatable source of choices.
struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// A number below `sides`.
    fn below(&mut self, sides: u64) -> u64 {
        self.thrown += 1;
        (mix(self.seed, self.thrown) >> 16) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

/// The workload of a seed.
#[must_use]
pub fn random(seed: u64) -> Workload {
    let mut dice = Dice { seed, thrown: 0 };
    let mut draft = Draft::default();
    let steps = 20 + dice.below(50);
    for _ in 0..steps {
        draft.step(&mut dice);
    }
    let mut workload = Workload::new(format!("random-{seed}"), draft.steps);
    if dice.one_in(2) {
        workload = workload.small_segments();
    }
    if dice.one_in(3) {
        workload = workload.with_past();
    }
    if dice.one_in(6) {
        workload = workload.relaxed();
    }
    workload
}

/// A workload as far as it is made.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    /// Which slots have an open transaction, and whether it may have changed the schema.
    open: Vec<usize>,
    /// Whether there is a table `t`, in the committed schema.
    table: bool,
    /// And an index on it.
    index: bool,
    /// Numbers rows.
    rows: u64,
}

impl Draft {
    fn step(&mut self, dice: &mut Dice) {
        match dice.below(20) {
            0 => self.steps.push(Step::Checkpoint),
            1 if dice.one_in(2) => self.steps.push(Step::Compact),
            1 | 2 => self.steps.push(Step::Background),
            3 if dice.one_in(2) => {
                self.open.clear();
                self.steps.push(Step::Reopen);
            }
            4 | 5 if self.open.is_empty() => self.schema(dice),
            6..=8 => self.end(dice),
            _ => self.change(dice),
        }
    }

    /// A transaction that ends, most often with a commit.
    fn end(&mut self, dice: &mut Dice) {
        if self.open.is_empty() {
            return;
        }
        let at = usize::try_from(dice.below(self.open.len() as u64)).unwrap_or(0);
        let slot = self.open.remove(at);
        let step = if dice.one_in(4) {
            Step::RollBack(slot)
        } else {
            Step::Commit(slot)
        };
        self.steps.push(step);
    }

    /// A change of the schema, while nobody else is there.
    fn schema(&mut self, dice: &mut Dice) {
        let (statement, table, index) = match (self.table, self.index) {
            (false, _) => (
                "CREATE TABLE t (id int PRIMARY KEY, slot int, text text)",
                true,
                false,
            ),
            (true, false) if dice.one_in(2) => ("CREATE INDEX i ON t (text, slot)", true, true),
            (true, true) if dice.one_in(2) => ("DROP INDEX i", true, false),
            _ if dice.one_in(3) => ("DROP TABLE t", false, false),
            _ => ("TRUNCATE t", true, self.index),
        };
        self.steps
            .push(Step::Do(0, vec![Change::Sql(statement.to_owned())]));
        if dice.one_in(4) {
            self.steps.push(Step::RollBack(0));
        } else {
            self.steps.push(Step::Commit(0));
            (self.table, self.index) = (table, index);
        }
    }

    /// Some changes in a slot.
    fn change(&mut self, dice: &mut Dice) {
        let slot = dice.below(SLOTS);
        let count = 1 + dice.below(4);
        let changes = (0..count).flat_map(|_| self.changes(slot, dice)).collect();
        let slot = usize::try_from(slot).unwrap_or(0);
        if !self.open.contains(&slot) {
            self.open.push(slot);
        }
        self.steps.push(Step::Do(slot, changes));
    }

    fn changes(&mut self, slot: u64, dice: &mut Dice) -> Vec<Change> {
        let key = |number: u64| Key::try_from(number % 64 * SLOTS + slot).unwrap_or(0);
        let first = dice.below(64);
        match dice.below(12) {
            0 => vec![Change::Savepoint],
            1 => vec![Change::RollBackToSavepoint],
            2 => vec![Change::Put(
                key(first),
                4000 + usize::try_from(dice.below(12_000)).unwrap_or(0),
            )],
            3 | 4 => (0..dice.below(24))
                .map(|n| Change::Delete(key(first + n)))
                .collect(),
            5 | 6 => {
                let length = usize::try_from(dice.below(500)).unwrap_or(0);
                (0..dice.below(24))
                    .map(|n| Change::Put(key(first + n), length))
                    .collect()
            }
            7..=9 if self.table => vec![Change::Sql(self.rows(slot, dice))],
            _ => vec![Change::Put(
                key(first),
                usize::try_from(dice.below(200)).unwrap_or(0),
            )],
        }
    }

    /// A statement on rows of this slot.
    fn rows(&mut self, slot: u64, dice: &mut Dice) -> String {
        let from = self.rows;
        match dice.below(4) {
            0 => format!("DELETE FROM t WHERE slot = {slot} AND id % 3 = {}", dice.below(3)),
            1 => format!("UPDATE t SET text = 'changed {from}' WHERE slot = {slot} AND id % 2 = 0"),
            _ => {
                self.rows += 1 + dice.below(30);
                format!(
                    "INSERT INTO t SELECT i, {slot}, 'row ' || i || repeat('.', {}) FROM generate_series({}, {}) AS g(i)",
                    dice.below(200),
                    from + 1,
                    self.rows
                )
            }
        }
    }
}
