//! [`Campaign`]: rounds of transactions, with power losses, each judged.

use super::check::{Anomaly, check};
use super::client::{Dice, KEYS, World, numbers_of, rows};
use super::history::{History, Key, Tx};
use godb::{Config, Database, Environment, Error, Isolation, params};
use godb_page::{Crash, SimulatedDisk};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Transactions in a round.
const ROUND: usize = 400;

/// What is run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// For random choices.
    pub seed: u64,
    /// How many transactions in all.
    pub transactions: usize,
    /// At which levels, in turn.
    pub levels: Vec<Isolation>,
    /// How many run at once.
    pub threads: usize,
    /// One round of so many ends in a power loss; none with zero.
    pub crash_every: u64,
    /// Whether writers keep versions.
    pub mvcc: bool,
    /// Stop at the first anomaly.
    pub stop: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Transactions that were run.
    pub transactions: usize,
    /// Those that committed.
    pub committed: usize,
    /// Power losses.
    pub crashes: usize,
    /// What was wrong, with the round in which it showed.
    pub anomalies: Vec<(u64, Isolation, Anomaly)>,
}

/// A database, and the disk under it.
struct Stack {
    disk: SimulatedDisk,
    db: Database,
}

impl Campaign {
    fn open(&self, disk: SimulatedDisk) -> Result<Stack, Error> {
        let config = Config {
            mvcc: self.mvcc,
            buffer_pool_size: 4 << 20,
            lock_timeout: Duration::from_secs(2),
            ..Config::default()
        };
        let files = Arc::new(disk.clone());
        let db = Database::open_on(files, &Environment::system(), Path::new("elle.godb"), config)?;
        Ok(Stack { disk, db })
    }

    /// Runs it.
    ///
    /// # Errors
    /// The database cannot be opened, also after a power loss; what prepares a round fails.
    pub fn run(&self) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut stack = self.open(SimulatedDisk::new())?;
        for table in [
            "CREATE TABLE lists (k bigint PRIMARY KEY, v text)",
            "CREATE TABLE registers (k bigint PRIMARY KEY, v bigint)",
            "CREATE TABLE rows (k bigint PRIMARY KEY, g bigint, v bigint)",
            "CREATE INDEX by_group ON rows (g)",
        ] {
            stack.db.execute(table, &[])?;
        }
        let numbers = AtomicI64::new(1);
        let started = Instant::now();
        for round in 0.. {
            if report.transactions >= self.transactions || (self.stop && !report.anomalies.is_empty()) {
                break;
            }
            let level = self.levels[usize::try_from(round).unwrap_or(0) % self.levels.len()];
            let crashes = self.crash_every > 0 && round % self.crash_every == self.crash_every - 1;
            let base = i64::try_from(round).unwrap_or(0) * 1000;
            prepare(&stack.db, base)?;
            let world = World {
                db: &stack.db,
                level,
                base,
                removes: round % 2 == 1,
                numbers: &numbers,
                started,
                begun: AtomicUsize::new(0),
            };
            let transactions = self.round(&world, round, crashes.then_some(&stack.disk));
            if crashes {
                let left = stack.disk.crash(Crash::KeepSome {
                    seed: self.seed ^ round,
                });
                drop(stack);
                stack = self.open(left)?;
                report.crashes += 1;
            }
            let mut history = History {
                transactions,
                lists: lists(&stack.db)?,
            };
            history.settle();
            report.transactions += history.transactions.len();
            report.committed += history.transactions.iter().filter(|tx| tx.committed()).count();
            let found = check(&history, level).into_iter();
            report
                .anomalies
                .extend(found.map(|anomaly| (round, level, anomaly)));
        }
        Ok(report)
    }

    /// The transactions of a round; with a disk, the power goes in the middle.
    fn round(&self, world: &World<'_>, round: u64, disk: Option<&SimulatedDisk>) -> Vec<Tx> {
        let (begun, over) = (&world.begun, AtomicBool::new(false));
        let client = |number: usize| {
            let mut dice = Dice(self.seed ^ (round << 20) ^ number as u64);
            let mut transactions = Vec::new();
            while begun.fetch_add(1, Ordering::Relaxed) < ROUND && !over.load(Ordering::Relaxed) {
                let Some(tx) = world.transaction(&mut dice) else {
                    break;
                };
                transactions.push(tx);
            }
            transactions
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..self.threads)
                .map(|number| scope.spawn(move || client(number)))
                .collect();
            if let Some(disk) = disk {
                let enough =
                    ROUND / 4 + usize::try_from(Dice(self.seed ^ round).below(ROUND as u64 / 2)).unwrap_or(0);
                while begun.load(Ordering::Relaxed) < enough {
                    std::thread::yield_now();
                }
                disk.power_off();
                over.store(true, Ordering::Relaxed);
            }
            let ended = running
                .into_iter()
                .map(|one| one.join().expect("a client does not panic"));
            ended.flatten().collect()
        })
    }
}

/// New keys for a round; those of the last one go.
fn prepare(db: &Database, base: i64) -> Result<(), Error> {
    db.transaction(|tx| {
        for table in ["lists", "registers", "rows"] {
            tx.execute(&format!("DELETE FROM {table}"), &[])?;
        }
        for key in base..base + KEYS {
            tx.execute("INSERT INTO lists VALUES ($1, '')", params![key])?;
            tx.execute("INSERT INTO registers VALUES ($1, 0)", params![key])?;
        }
        Ok(())
    })
}

fn lists(db: &Database) -> Result<HashMap<Key, Vec<i64>>, Error> {
    let mut tx = db.begin()?;
    let found = rows(&mut tx, "SELECT k, v FROM lists", &[])?;
    let list = |row: Vec<godb::Value>| match row[0] {
        godb::Value::Int(key) => Some((Key::List(key), numbers_of(&row))),
        _ => None,
    };
    Ok(found.into_iter().filter_map(list).collect())
}
