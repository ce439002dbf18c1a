//! A table with indexes under random statements, rollbacks and savepoints, against a map; and its past.

use super::tests::sql;
use crate::session::{Session, StatementResult};
use crate::value::Value;
use godb_mvcc::{Begin, Moment, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Model = BTreeMap<i64, i64>;

#[derive(Clone, Debug)]
enum Step {
    Insert(i64, i64),
    Upsert(i64, i64),
    Update(i64, i64, i64),
    Move(i64, i64),
    Delete(i64, i64),
    Begin,
    Commit,
    RollBack,
    Savepoint,
    RollBackTo,
    Reindex,
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = || 0_i64..30;
    let value = || 0_i64..10;
    prop_oneof![
        6 => (key(), value()).prop_map(|(k, v)| Step::Insert(k, v)),
        2 => (key(), value()).prop_map(|(k, v)| Step::Upsert(k, v)),
        3 => (value(), value(), 1_i64..4).prop_map(|(a, b, by)| Step::Update(a.min(b), a.max(b), by)),
        1 => (key(), 1_i64..3).prop_map(|(k, by)| Step::Move(k, by)),
        2 => (value(), value()).prop_map(|(a, b)| Step::Delete(a.min(b), a.max(b))),
        2 => Just(Step::Begin),
        2 => Just(Step::Commit),
        1 => Just(Step::RollBack),
        1 => Just(Step::Savepoint),
        1 => Just(Step::RollBackTo),
        1 => Just(Step::Reindex),
    ]
}

/// The map, and what it was at the transaction's beginning and at its savepoint.
#[derive(Default)]
struct Expected {
    now: Model,
    begun: Option<Model>,
    saved: Option<Model>,
}

fn run(session: &mut Session, sql: &str, params: &[i64]) -> Result<u64, String> {
    let params: Vec<_> = params.iter().map(|value| Value::Int(*value)).collect();
    let result = session.execute(sql, &params).and_then(StatementResult::finish);
    result.map_err(|error| error.state.0.to_owned())
}

impl Expected {
    /// Takes the step in both; an insert that fails in a transaction ends it.
    fn step(&mut self, session: &mut Session, step: &Step) {
        match *step {
            Step::Insert(k, v) => {
                let outcome = run(session, "INSERT INTO t VALUES ($1, $2)", &[k, v]);
                let taken = self.now.contains_key(&k);
                if taken {
                    assert_eq!(outcome, Err("23505".to_owned()));
                    if let Some(begun) = self.begun.take() {
                        run(session, "ROLLBACK", &[]).unwrap();
                        (self.now, self.saved) = (begun, None);
                    }
                } else {
                    assert_eq!(outcome, Ok(1));
                    self.now.insert(k, v);
                }
            }
            Step::Upsert(k, v) => {
                let sql = "INSERT INTO t VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = excluded.v";
                assert_eq!(run(session, sql, &[k, v]), Ok(1));
                self.now.insert(k, v);
            }
            Step::Update(from, to, by) => {
                let sql = "UPDATE t SET v = v + $3 WHERE v BETWEEN $1 AND $2";
                let count = self
                    .now
                    .values_mut()
                    .filter(|v| (from..=to).contains(*v))
                    .map(|v| *v += by)
                    .count();
                assert_eq!(run(session, sql, &[from, to, by]), Ok(count as u64));
            }
            Step::Move(from, by) => {
                let moved: Model = self.now.range(from..).map(|(k, v)| (k + by, *v)).collect();
                self.now.retain(|k, _| *k < from);
                assert_eq!(
                    run(session, "UPDATE t SET k = k + $2 WHERE k >= $1", &[from, by]),
                    Ok(moved.len() as u64)
                );
                self.now.extend(moved);
            }
            Step::Delete(from, to) => {
                let before = self.now.len();
                self.now.retain(|_, v| !(from..=to).contains(v));
                let count = (before - self.now.len()) as u64;
                assert_eq!(
                    run(session, "DELETE FROM t WHERE v BETWEEN $1 AND $2", &[from, to]),
                    Ok(count)
                );
            }
            Step::Reindex => {
                run(session, "DROP INDEX IF EXISTS t_v", &[]).unwrap();
                run(session, "CREATE INDEX t_v ON t (v DESC, k)", &[]).unwrap();
            }
            ref control => self.control(session, control),
        }
    }

    fn control(&mut self, session: &mut Session, step: &Step) {
        match (step, self.begun.is_some()) {
            (Step::Begin, false) => {
                run(session, "BEGIN", &[]).unwrap();
                self.begun = Some(self.now.clone());
            }
            (Step::Commit, true) => {
                run(session, "COMMIT", &[]).unwrap();
                (self.begun, self.saved) = (None, None);
            }
            (Step::RollBack, true) => {
                run(session, "ROLLBACK", &[]).unwrap();
                self.now = self.begun.take().unwrap();
                self.saved = None;
            }
            (Step::Savepoint, true) => {
                run(session, "SAVEPOINT s", &[]).unwrap();
                self.saved = Some(self.now.clone());
            }
            (Step::RollBackTo, true) => {
                if let Some(saved) = &self.saved {
                    run(session, "ROLLBACK TO s", &[]).unwrap();
                    self.now.clone_from(saved);
                }
            }
            _ => {}
        }
    }
}

fn rows(session: &mut Session, sql: &str) -> Vec<(i64, i64)> {
    let rows = session.query_rows(sql, &[]).unwrap();
    rows.map(|row| match row.unwrap().as_slice() {
        [Value::Int(k), Value::Int(v)] => (*k, *v),
        other => panic!("{other:?}"),
    })
    .collect()
}

fn compare(session: &mut Session, model: &Model) {
    let all: Vec<_> = model.iter().map(|(k, v)| (*k, *v)).collect();
    assert_eq!(rows(session, "SELECT k, v FROM t ORDER BY k"), all);
    let mut some: Vec<_> = all.into_iter().filter(|(_, v)| (3..=6).contains(v)).collect();
    some.sort_by_key(|(k, v)| (-v, *k));
    assert_eq!(
        rows(
            session,
            "SELECT k, v FROM t WHERE v >= 3 AND v <= 6 ORDER BY v DESC, k"
        ),
        some
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_table_and_its_indexes_are_what_the_statements_made_them(steps in prop::collection::vec(any_step(), 1..40)) {
        let sql = sql();
        let mut session = sql.session();
        run(&mut session, "CREATE TABLE t (k int PRIMARY KEY, v int)", &[]).unwrap();
        run(&mut session, "CREATE INDEX t_v ON t (v)", &[]).unwrap();
        let mut expected = Expected::default();
        let mut past: Vec<(Timestamp, Model)> = Vec::new();
        for step in &steps {
            expected.step(&mut session, step);
            compare(&mut session, &expected.now);
            if expected.begun.is_none() {
                past.push((sql.engine().now(), expected.now.clone()));
            }
        }
        drop(session);
        prop_assert!(sql.check().unwrap().problems.is_empty());
        for (at, model) in past {
            let mut session = sql.session();
            session.begin(Begin { as_of: Some(Moment::At(at)), ..Begin::default() }).unwrap();
            compare(&mut session, &model);
        }
    }
}
