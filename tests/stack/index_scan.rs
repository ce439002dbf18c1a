//! An index scan and a table scan see the same, now and in the past, whatever was rolled back and however the database ended: in sixteen frames of four KiB.

use godb::{Config, Database, Environment, Timestamp, Value};
use godb_page::{Crash, SimulatedDisk};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One step of the table's life.
#[derive(Clone, Debug)]
enum Step {
    Insert(i64, i64),
    Update(i64, i64),
    UpdateMany(i64),
    Delete(i64),
    DeleteMany(i64),
    Savepoint,
    Undo,
    Commit,
    RollBack,
    Collect,
    Checkpoint,
    /// The power goes; some of what was not synced is kept.
    Crash(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (id, b) = (0..120_i64, 0..12_i64);
    let step = prop_oneof![
        10 => (id.clone(), b.clone()).prop_map(|(id, b)| Step::Insert(id, b)),
        5 => (id.clone(), b.clone()).prop_map(|(id, b)| Step::Update(id, b)),
        2 => b.clone().prop_map(Step::UpdateMany),
        4 => id.prop_map(Step::Delete),
        1 => b.prop_map(Step::DeleteMany),
        2 => Just(Step::Savepoint),
        2 => Just(Step::Undo),
        5 => Just(Step::Commit),
        2 => Just(Step::RollBack),
        2 => Just(Step::Collect),
        1 => Just(Step::Checkpoint),
        1 => any::<u64>().prop_map(Step::Crash),
    ];
    proptest::collection::vec(step, 1..80)
}

fn open(disk: &SimulatedDisk) -> Database {
    let config = Config {
        page_size: 4096,
        buffer_pool_size: 16 * 4096,
        background_threads: false,
        retention: Duration::from_secs(3600),
        ..Config::default()
    };
    let environment = Environment::simulated(3);
    Database::open_on(Arc::new(disk.clone()), &environment, Path::new("t.godb"), config).unwrap()
}

type Rows = Vec<(i64, i64, String)>;

/// The rows of the table by one way to them, sorted. `where_` decides which.
fn rows(tx: &mut godb::Transaction, where_: &str) -> Rows {
    let sql = format!("SELECT id, b, c FROM t WHERE {where_}");
    let rows = tx.query(&sql, &[]).unwrap();
    let mut all: Rows = rows
        .map(|row| {
            row.and_then(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .unwrap()
        })
        .collect();
    all.sort();
    all
}

/// Whether a query looks into the index, as its plan says.
fn uses_index(tx: &mut godb::Transaction, where_: &str) -> bool {
    let plan = tx
        .query(&format!("EXPLAIN SELECT id, b, c FROM t WHERE {where_}"), &[])
        .unwrap();
    let lines: Vec<String> = plan.map(|row| row.unwrap().get(0).unwrap()).collect();
    lines.iter().any(|line| line.contains("t_b"))
}

/// Both ways show the same; returns what they show.
fn compare(tx: &mut godb::Transaction) -> Rows {
    let whole = rows(tx, "b + 0 < 12");
    let mut by_index = Rows::new();
    for b in 0..12 {
        let condition = format!("b = {b}");
        assert!(uses_index(tx, &condition), "the index is not used");
        let some = rows(tx, &condition);
        assert_eq!(some, rows(tx, &format!("b + 0 = {b}")));
        by_index.extend(some);
    }
    by_index.sort();
    assert_eq!(by_index, whole);
    whole
}

struct Life {
    disk: SimulatedDisk,
    db: Database,
    tx: Option<godb::Transaction>,
    point: Option<godb::Savepoint>,
    /// What was committed when.
    past: Vec<(Timestamp, Rows)>,
}

impl Life {
    fn new() -> Self {
        let disk = SimulatedDisk::new();
        let db = open(&disk);
        db.execute("CREATE TABLE t (id bigint PRIMARY KEY, b bigint, c text)", &[])
            .unwrap();
        db.execute("CREATE INDEX t_b ON t (b)", &[]).unwrap();
        // Enough other rows that the index is worth its while.
        let many = "INSERT INTO t SELECT n, n, repeat('x', 60) FROM generate_series(1000, 1400) AS g(n)";
        db.execute(many, &[]).unwrap();
        let mut life = Self {
            disk,
            db,
            tx: None,
            point: None,
            past: Vec::new(),
        };
        life.look();
        life
    }

    fn tx(&mut self) -> &mut godb::Transaction {
        let db = &self.db;
        self.tx.get_or_insert_with(|| db.begin().unwrap())
    }

    fn change(&mut self, sql: &str, params: &[Value]) {
        self.tx().execute(sql, params).unwrap();
    }

    fn step(&mut self, step: &Step) {
        let (int, text) = (Value::Int, |n: i64| {
            Value::Text("y".repeat(usize::try_from(n % 7 * 90).unwrap()))
        });
        match *step {
            Step::Insert(id, b) => self.change(
                "INSERT INTO t SELECT $1::bigint, $2::bigint, $3::text WHERE NOT EXISTS (SELECT 1 FROM t WHERE id = $1)",
                &[int(id), int(b), text(id)],
            ),
            Step::Update(id, b) => self.change("UPDATE t SET b = $2 WHERE id = $1", &[int(id), int(b)]),
            Step::UpdateMany(b) => self.change("UPDATE t SET b = (b + 1) % 12 WHERE b = $1", &[int(b)]),
            Step::Delete(id) => self.change("DELETE FROM t WHERE id = $1", &[int(id)]),
            Step::DeleteMany(b) => self.change("DELETE FROM t WHERE b = $1", &[int(b)]),
            Step::Savepoint => self.point = Some(self.tx().savepoint().unwrap()),
            Step::Undo => {
                if let Some(point) = self.point {
                    self.tx().roll_back_to(point).unwrap();
                }
                compare(self.tx());
            }
            Step::Commit => {
                if let Some(mut tx) = self.tx.take() {
                    compare(&mut tx);
                    tx.commit().unwrap();
                }
                self.end();
            }
            Step::RollBack => {
                if let Some(tx) = self.tx.take() {
                    tx.roll_back().unwrap();
                }
                self.end();
            }
            Step::Collect => drop(self.db.step().unwrap()),
            Step::Checkpoint => self.db.checkpoint().unwrap(),
            Step::Crash(seed) => self.crash(seed),
        }
    }

    fn end(&mut self) {
        self.point = None;
        self.look();
    }

    /// Looks at the newest state, and at one of the past.
    fn look(&mut self) {
        let mut tx = self.db.begin().unwrap();
        let now = compare(&mut tx);
        self.past.push((tx.snapshot().unwrap(), now));
        let (at, then) = &self.past[self.past.len() / 2];
        let mut old = self.db.as_of(godb::Moment::At(*at)).unwrap();
        assert_eq!(compare(&mut old), *then);
    }

    fn crash(&mut self, seed: u64) {
        let left = self.disk.crash(Crash::KeepSome { seed });
        self.disk.power_off();
        self.tx = None;
        let db = open(&left);
        self.disk = left;
        self.db = db;
        self.point = None;
        let newest = self.past[self.past.len() - 1].1.clone();
        assert_eq!(compare(&mut self.db.begin().unwrap()), newest);
        assert_eq!(self.db.check().unwrap(), Vec::<String>::new());
        self.look();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_scan_is_a_table_scan(steps in steps()) {
        let mut life = Life::new();
        steps.iter().for_each(|step| life.step(step));
        life.tx = None;
        life.crash(1);
    }
}
