//! One random transaction, through the facade.

use super::history::{End, Key, Op, Tx};
use godb::{Begin, Database, Error, Isolation, Transaction, Value, params};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Instant;

/// Keys of each kind in a round.
pub(super) const KEYS: i64 = 6;
/// Rows that can be there in a round. The transactions move on through them, for a key can be inserted only once before it is removed.
pub(super) const ROWS: i64 = 64;
/// Rows that have a group in common, by which the index finds them.
const GROUP: i64 = 4;

/// Random numbers that can be had again.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// SplitMix64.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn key(&mut self, base: i64) -> i64 {
        base + i64::try_from(self.below(6)).unwrap_or(0)
    }
}

/// What the clients of a round share.
pub(super) struct World<'a> {
    pub(super) db: &'a Database,
    pub(super) level: Isolation,
    /// The first of the round's keys.
    pub(super) base: i64,
    /// Rows are removed, too.
    pub(super) removes: bool,
    pub(super) numbers: &'a AtomicI64,
    pub(super) started: Instant,
    /// How many transactions of the round have begun.
    pub(super) begun: AtomicUsize,
}

impl World<'_> {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// One of the rows that it is the turn of.
    fn row_key(&self, dice: &mut Dice) -> i64 {
        let begun = i64::try_from(self.begun.load(Ordering::Relaxed)).unwrap_or(0);
        let turn = begun / 8 + i64::try_from(dice.below(4)).unwrap_or(0);
        self.base + turn.min(ROWS - 1)
    }

    fn number(&self) -> i64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs a transaction. `None` when the database is gone.
    pub(super) fn transaction(&self, dice: &mut Dice) -> Option<Tx> {
        let began = self.now();
        let read_only = dice.below(4) == 0;
        let how = Begin {
            isolation: self.level,
            read_only,
            deferrable: false,
            ..Begin::default()
        };
        let mut tx = self.db.begin_with(how).ok()?;
        let mut ops = Vec::new();
        let mut end = End::Aborted;
        let mut alive = true;
        match self.body(&mut tx, dice, read_only, &mut ops) {
            Ok(()) if dice.below(20) == 0 => drop(tx.roll_back()),
            Ok(()) => match tx.commit() {
                Ok(at) => end = End::Committed(at.raw()),
                Err(error) if error.is_retryable() => {}
                Err(_) => (end, alive) = (End::Unknown, false),
            },
            Err(error) => alive = error.is_retryable() || error.sqlstate() == "23505",
        }
        let ended = self.now();
        let tx = Tx {
            began,
            ended,
            ops,
            end,
        };
        // One that only read and whose end nobody knows has done nothing.
        (alive || end == End::Unknown || !tx.ops.is_empty()).then_some(tx)
    }

    fn body(
        &self,
        tx: &mut Transaction,
        dice: &mut Dice,
        read_only: bool,
        ops: &mut Vec<Op>,
    ) -> Result<(), Error> {
        if read_only {
            return (0..2 + dice.below(4)).try_for_each(|_| self.read(tx, dice, ops));
        }
        // Reads first, so that there is something to be skewed. One that writes appends, which says later whether it has committed.
        for _ in 0..dice.below(3) {
            self.read(tx, dice, ops)?;
        }
        self.append(tx, dice, ops)?;
        for _ in 0..dice.below(3) {
            match dice.below(9) {
                0..3 => self.read(tx, dice, ops)?,
                3..5 => self.append(tx, dice, ops)?,
                5 => self.set(tx, dice, ops)?,
                6 | 7 => self.insert(tx, dice, ops)?,
                _ => self.remove(tx, dice, ops)?,
            }
        }
        Ok(())
    }

    fn append(&self, tx: &mut Transaction, dice: &mut Dice, ops: &mut Vec<Op>) -> Result<(), Error> {
        let (key, number) = (dice.key(self.base), self.number());
        ops.push(Op::Append(Key::List(key), number));
        let text = format!(",{number}");
        tx.execute("UPDATE lists SET v = v || $2 WHERE k = $1", params![key, text])
            .map(drop)
    }

    fn set(&self, tx: &mut Transaction, dice: &mut Dice, ops: &mut Vec<Op>) -> Result<(), Error> {
        let (key, number) = (dice.key(self.base), self.number());
        ops.push(Op::Write(Key::Register(key), number));
        tx.execute("UPDATE registers SET v = $2 WHERE k = $1", params![key, number])
            .map(drop)
    }

    /// Inserts a row if it is not there.
    fn insert(&self, tx: &mut Transaction, dice: &mut Dice, ops: &mut Vec<Op>) -> Result<(), Error> {
        let key = self.row_key(dice);
        if self.read_row(tx, key, ops)?.is_some() {
            return Ok(());
        }
        let number = self.number();
        ops.push(Op::Write(Key::Row(key), number));
        tx.execute(
            "INSERT INTO rows VALUES ($1, $2, $3)",
            params![key, group(key), number],
        )
        .map(drop)
    }

    fn remove(&self, tx: &mut Transaction, dice: &mut Dice, ops: &mut Vec<Op>) -> Result<(), Error> {
        if !self.removes {
            return self.insert(tx, dice, ops);
        }
        let key = self.row_key(dice);
        if tx.execute("DELETE FROM rows WHERE k = $1", params![key])? > 0 {
            ops.push(Op::Remove(Key::Row(key)));
        }
        Ok(())
    }

    fn read(&self, tx: &mut Transaction, dice: &mut Dice, ops: &mut Vec<Op>) -> Result<(), Error> {
        let key = dice.key(self.base);
        match dice.below(10) {
            0..3 => {
                for row in rows(tx, "SELECT k, v FROM lists WHERE k = $1", params![key])? {
                    ops.push(Op::ReadList(Key::List(key), numbers_of(&row)));
                }
                Ok(())
            }
            3 | 4 => {
                let found = rows(tx, "SELECT k, v FROM registers WHERE k = $1", params![key])?;
                let number = found
                    .first()
                    .and_then(|row| number_of(&row[1]))
                    .filter(|number| *number != 0);
                ops.push(Op::Read(Key::Register(key), number));
                Ok(())
            }
            5..8 => self.read_row(tx, self.row_key(dice), ops).map(drop),
            8 => {
                let key = self.row_key(dice);
                let found = rows(tx, "SELECT k, v FROM rows WHERE g = $1", params![group(key)])?;
                let first = group(key) * GROUP;
                note_rows(&found, first..first + GROUP, ops);
                Ok(())
            }
            _ => {
                let key = self.row_key(dice);
                let end = key + 6;
                let found = rows(
                    tx,
                    "SELECT k, v FROM rows WHERE k >= $1 AND k < $2",
                    params![key, end],
                )?;
                note_rows(&found, key..end, ops);
                Ok(())
            }
        }
    }

    fn read_row(&self, tx: &mut Transaction, key: i64, ops: &mut Vec<Op>) -> Result<Option<i64>, Error> {
        let found = rows(tx, "SELECT k, v FROM rows WHERE k = $1", params![key])?;
        note_rows(&found, std::iter::once(key), ops);
        Ok(found.first().and_then(|row| number_of(&row[1])))
    }
}

fn group(key: i64) -> i64 {
    key.div_euclid(GROUP)
}

/// Every row that a condition could have found, found or not.
fn note_rows(found: &[Vec<Value>], keys: impl Iterator<Item = i64>, ops: &mut Vec<Op>) {
    for key in keys {
        let row = found.iter().find(|row| number_of(&row[0]) == Some(key));
        ops.push(Op::Read(Key::Row(key), row.and_then(|row| number_of(&row[1]))));
    }
}

fn number_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// The numbers of a list's row.
pub(super) fn numbers_of(row: &[Value]) -> Vec<i64> {
    match &row[1] {
        Value::Text(text) => text.split(',').filter_map(|number| number.parse().ok()).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn rows(tx: &mut Transaction, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, Error> {
    let found = tx.query(sql, params)?;
    found.map(|row| Ok(row?.values().to_vec())).collect()
}
