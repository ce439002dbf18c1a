//! Several sessions at once, each on its thread.

use super::tests::sql;
use crate::session::{Rows, Session, Sql, StatementResult};
use crate::value::Value;
use std::sync::Arc;

fn run(session: &mut Session, text: &str) -> Result<u64, &'static str> {
    let result = session.execute(text, &[]).and_then(StatementResult::finish);
    result.map_err(|error| error.state.0)
}

fn on_threads(sql: &Arc<Sql>, count: i64, work: impl Fn(i64, &mut Session) + Sync) {
    godb_mvcc::sync::thread::scope(|scope| {
        for number in 0..count {
            let mut session = sql.session();
            let work = &work;
            scope.spawn(move || work(number, &mut session));
        }
    });
}

fn number(sql: &Arc<Sql>, text: &str) -> i64 {
    let mut rows = sql.session().query_rows(text, &[]).unwrap();
    match rows.next().unwrap().unwrap().as_slice() {
        [Value::Int(number)] => *number,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_crosses_threads_may() {
    fn sendable<T: Send>() {}
    fn shareable<T: Send + Sync>() {}
    sendable::<Session>();
    sendable::<Rows>();
    shareable::<Sql>();
}

#[test]
fn a_statement_alone_meets_no_conflict() {
    let sql = sql();
    run(&mut sql.session(), "CREATE TABLE c (id int PRIMARY KEY, n int)").unwrap();
    run(&mut sql.session(), "INSERT INTO c VALUES (1, 0)").unwrap();
    on_threads(&sql, 4, |_, session| {
        for _ in 0..40 {
            assert_eq!(run(session, "UPDATE c SET n = n + 1 WHERE id = 1"), Ok(1));
        }
    });
    assert_eq!(number(&sql, "SELECT n FROM c"), 160);
}

#[test]
fn a_key_is_given_once() {
    let sql = sql();
    run(
        &mut sql.session(),
        "CREATE TABLE k (id int PRIMARY KEY, u int UNIQUE, who int)",
    )
    .unwrap();
    on_threads(&sql, 4, |who, session| {
        for id in 0..30 {
            let outcome = run(
                session,
                &format!("INSERT INTO k VALUES ({}, {id}, {who})", id * 4 + who),
            );
            assert!(matches!(outcome, Ok(1) | Err("23505")), "{outcome:?}");
        }
    });
    assert_eq!(number(&sql, "SELECT count(*) FROM k"), 30);
    assert!(sql.check().unwrap().problems.is_empty());
}

#[test]
fn an_index_built_among_writers_misses_no_row() {
    let sql = sql();
    run(&mut sql.session(), "CREATE TABLE w (a int, b int)").unwrap();
    on_threads(&sql, 4, |who, session| {
        for step in 0..25 {
            match (who, step % 5) {
                (0, 0) => drop(run(session, "DROP INDEX IF EXISTS w_b").unwrap()),
                (0, 2) => drop(run(session, "CREATE INDEX w_b ON w (b)").unwrap()),
                _ => {
                    run(session, "BEGIN ISOLATION LEVEL READ COMMITTED").unwrap();
                    run(session, &format!("INSERT INTO w VALUES ({who}, {step})")).unwrap();
                    run(
                        session,
                        &format!("UPDATE w SET b = b + 1 WHERE a = {who} AND b = {step}"),
                    )
                    .unwrap();
                    run(session, "COMMIT").unwrap();
                }
            }
        }
    });
    let report = sql.check().unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!((report.rows, report.entries), (90, 90));
}

#[test]
fn a_cancelled_query_ends_soon() {
    let sql = sql();
    let mut session = sql.session();
    let canceller = session.canceller();
    let mut rows = session
        .query_rows("SELECT count(*) FROM generate_series(1, 100000000) AS g(n)", &[])
        .unwrap();
    let waiting = std::thread::spawn(move || rows.next().unwrap().unwrap_err().state.0);
    std::thread::sleep(std::time::Duration::from_millis(30));
    canceller.cancel();
    assert_eq!(waiting.join().unwrap(), "57014");
    run(&mut session, "SET statement_timeout = 20").unwrap();
    let slow = "SELECT count(*) FROM generate_series(1, 100000000) AS g(n)";
    assert_eq!(run(&mut session, slow), Err("57014"));
}
