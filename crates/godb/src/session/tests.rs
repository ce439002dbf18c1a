//! Rows locked by queries, as two and three sessions see it.

use crate::{Config, Database, Identity, Session, SqlError, Value, params};
use godb_sql::StatementResult;
use std::time::{Duration, Instant};

fn database() -> Database {
    let config = Config {
        lock_timeout: Duration::from_millis(60),
        ..Config::default()
    };
    let db = Database::in_memory_with(config).unwrap();
    db.execute("CREATE TABLE job (id int PRIMARY KEY, state text)", params![])
        .unwrap();
    db.execute("CREATE TABLE owner (id int PRIMARY KEY, name text)", params![])
        .unwrap();
    db.execute(
        "INSERT INTO job VALUES (1, 'new'), (2, 'new'), (3, 'new')",
        params![],
    )
    .unwrap();
    db.execute("INSERT INTO owner VALUES (1, 'ann'), (2, 'bob')", params![])
        .unwrap();
    db
}

fn session(db: &Database) -> Session {
    db.session().unwrap()
}

/// The ids that a query gives, or its SQLSTATE.
fn ids(session: &mut Session, query: &str) -> Result<Vec<i64>, String> {
    let state = |error: SqlError| error.state.0.to_owned();
    let rows = session.inner.query_rows(query, &[]).map_err(state)?;
    let id = |row: Vec<Value>| match row.first() {
        Some(Value::Int(id)) => *id,
        other => panic!("{other:?}"),
    };
    rows.map(|row| row.map(id).map_err(state)).collect()
}

fn run(session: &mut Session, statement: &str) -> Result<u64, String> {
    let result = session
        .inner
        .execute(statement, &[])
        .and_then(StatementResult::finish);
    result.map_err(|error| error.state.0.to_owned())
}

fn refused(state: &str) -> Result<Vec<i64>, String> {
    Err(state.to_owned())
}

#[test]
fn a_queue_hands_each_job_out_once() {
    let db = database();
    let mut workers = [session(&db), session(&db), session(&db), session(&db)];
    let next = "SELECT id FROM job WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
    let taken: Vec<_> = workers
        .iter_mut()
        .map(|worker| {
            run(worker, "BEGIN ISOLATION LEVEL READ COMMITTED").unwrap();
            ids(worker, next)
        })
        .collect();
    assert_eq!(taken, [Ok(vec![1]), Ok(vec![2]), Ok(vec![3]), Ok(vec![])]);
    run(&mut workers[1], "UPDATE job SET state = 'done' WHERE id = 2").unwrap();
    run(&mut workers[1], "COMMIT").unwrap();
    run(&mut workers[0], "ROLLBACK").unwrap();
    assert_eq!(ids(&mut workers[3], next), Ok(vec![1]));
}

#[test]
fn nowait_and_waiting_are_refused_in_their_own_ways() {
    let db = database();
    let (mut first, mut second) = (session(&db), session(&db));
    run(&mut first, "BEGIN").unwrap();
    assert_eq!(
        ids(&mut first, "SELECT id FROM job WHERE id = 1 FOR UPDATE"),
        Ok(vec![1])
    );
    assert_eq!(
        ids(&mut second, "SELECT id FROM job WHERE id = 1 FOR UPDATE NOWAIT"),
        refused("55P03")
    );
    assert_eq!(
        ids(&mut second, "SELECT id FROM job WHERE id = 1 FOR SHARE"),
        refused("55P03")
    );
    assert_eq!(
        run(&mut second, "DELETE FROM job WHERE id = 1"),
        Err("55P03".to_owned())
    );
    assert_eq!(
        ids(&mut second, "SELECT id FROM job WHERE id = 1"),
        Ok(vec![1]),
        "a plain read waits for nobody"
    );
    assert_eq!(
        ids(&mut second, "SELECT id FROM job WHERE id = 2 FOR UPDATE NOWAIT"),
        Ok(vec![2])
    );
    run(&mut first, "COMMIT").unwrap();
    assert_eq!(
        ids(&mut second, "SELECT id FROM job WHERE id = 1 FOR UPDATE NOWAIT"),
        Ok(vec![1])
    );
}

#[test]
fn the_four_strengths_exclude_each_other_as_postgresqls_do() {
    let kinds = ["KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"];
    let table = ["1110", "1100", "1000", "0000"];
    for (held, row) in kinds.iter().zip(table) {
        for (wanted, cell) in kinds.iter().zip(row.chars()) {
            let db = database();
            let (mut first, mut second) = (session(&db), session(&db));
            run(&mut first, "BEGIN").unwrap();
            ids(&mut first, &format!("SELECT id FROM job WHERE id = 1 FOR {held}")).unwrap();
            let got = ids(
                &mut second,
                &format!("SELECT id FROM job WHERE id = 1 FOR {wanted} NOWAIT"),
            );
            assert_eq!(got.is_ok(), cell == '1', "{wanted} while {held} is held");
        }
    }
}

/// Runs a locking query on another thread; `meanwhile` runs once it waits.
fn while_it_waits(
    db: &Database,
    isolation: &str,
    query: &'static str,
    meanwhile: impl FnOnce(),
) -> Result<Vec<i64>, String> {
    db.execute("SELECT 1", params![]).unwrap();
    let mut waiter = session(db);
    run(&mut waiter, &format!("BEGIN ISOLATION LEVEL {isolation}")).unwrap();
    ids(&mut waiter, "SELECT count(*) FROM job").unwrap();
    let thread = std::thread::spawn(move || ids(&mut waiter, query));
    let mut looker = session(db);
    let begun = Instant::now();
    while ids(&mut looker, "SELECT 1 FROM godb_locks WHERE NOT granted")
        .unwrap()
        .is_empty()
    {
        assert!(begun.elapsed() < Duration::from_secs(8), "it does not wait");
        std::thread::yield_now();
    }
    meanwhile();
    thread.join().unwrap()
}

#[test]
fn a_row_that_changed_meanwhile_is_looked_at_again_or_refused() {
    let query = "SELECT id FROM job WHERE state = 'new' ORDER BY id FOR UPDATE";
    for (isolation, change, expected) in [
        (
            "READ COMMITTED",
            "UPDATE job SET state = 'done' WHERE id = 1",
            Ok(vec![2, 3]),
        ),
        ("READ COMMITTED", "DELETE FROM job WHERE id = 1", Ok(vec![2, 3])),
        (
            "READ COMMITTED",
            "UPDATE job SET state = 'new' WHERE id = 1",
            Ok(vec![1, 2, 3]),
        ),
        (
            "REPEATABLE READ",
            "UPDATE job SET state = 'new' WHERE id = 1",
            refused("40001"),
        ),
        (
            "REPEATABLE READ",
            "DELETE FROM job WHERE id = 1",
            refused("40001"),
        ),
    ] {
        let config = Config {
            lock_timeout: Duration::from_secs(20),
            ..Config::default()
        };
        let db = Database::in_memory_with(config).unwrap();
        db.execute("CREATE TABLE job (id int PRIMARY KEY, state text)", params![])
            .unwrap();
        db.execute(
            "INSERT INTO job VALUES (1, 'new'), (2, 'new'), (3, 'new')",
            params![],
        )
        .unwrap();
        let mut writer = session(&db);
        run(&mut writer, "BEGIN").unwrap();
        run(&mut writer, change).unwrap();
        let got = while_it_waits(&db, isolation, query, || {
            run(&mut writer, "COMMIT").unwrap();
        });
        assert_eq!(got, expected, "{isolation}: {change}");
    }
}

#[test]
fn of_names_whose_rows_are_locked() {
    let db = database();
    let (mut first, mut second) = (session(&db), session(&db));
    run(&mut first, "BEGIN").unwrap();
    let joined = "SELECT j.id FROM job j JOIN owner o ON o.id = j.id WHERE j.id = 1";
    assert_eq!(ids(&mut first, &format!("{joined} FOR UPDATE OF o")), Ok(vec![1]));
    assert_eq!(
        ids(&mut second, "SELECT id FROM job WHERE id = 1 FOR UPDATE NOWAIT"),
        Ok(vec![1])
    );
    assert_eq!(
        ids(&mut second, "SELECT id FROM owner WHERE id = 1 FOR UPDATE NOWAIT"),
        refused("55P03")
    );
    assert_eq!(
        ids(&mut second, &format!("{joined} FOR SHARE OF x")),
        refused("42P01")
    );
}

#[test]
fn what_has_no_rows_of_its_own_is_refused() {
    let db = database();
    let mut session = session(&db);
    for query in [
        "SELECT DISTINCT id FROM job FOR UPDATE",
        "SELECT state FROM job GROUP BY state FOR UPDATE",
        "SELECT count(*) FROM job FOR UPDATE",
        "SELECT id FROM job UNION SELECT id FROM owner FOR UPDATE",
        "SELECT j.id FROM job j LEFT JOIN owner o ON o.id = j.id FOR UPDATE",
        "SELECT id FROM (SELECT id FROM job FOR UPDATE) AS j",
        "SELECT id FROM (SELECT id FROM job) AS j FOR UPDATE",
    ] {
        assert_eq!(ids(&mut session, query), refused("0A000"), "{query}");
    }
    let left = "SELECT j.id FROM job j LEFT JOIN owner o ON o.id = j.id ORDER BY j.id DESC FOR UPDATE OF j";
    assert_eq!(ids(&mut session, left), Ok(vec![3, 2, 1]));
    run(&mut session, "BEGIN READ ONLY").unwrap();
    assert_eq!(
        ids(&mut session, "SELECT id FROM job FOR SHARE"),
        refused("25006")
    );
}

#[test]
fn limit_and_offset_count_the_rows_that_were_locked() {
    let db = database();
    let (mut first, mut second) = (session(&db), session(&db));
    run(&mut first, "BEGIN").unwrap();
    assert_eq!(
        ids(
            &mut first,
            "SELECT id FROM job ORDER BY id DESC LIMIT 1 FOR UPDATE"
        ),
        Ok(vec![3])
    );
    let query = "SELECT id FROM job ORDER BY id DESC LIMIT 1 OFFSET 1 FOR NO KEY UPDATE SKIP LOCKED";
    assert_eq!(ids(&mut second, query), Ok(vec![1]));
    assert_eq!(
        ids(&mut second, "SELECT id FROM job ORDER BY id LIMIT -1 FOR UPDATE"),
        refused("2201W")
    );
}

fn code(result: crate::Result<crate::Outcome>) -> &'static str {
    result.map(|_| ()).unwrap_err().sqlstate()
}

#[test]
fn whoever_waits_for_a_row_waits_no_longer_than_told() {
    let db = Database::in_memory().unwrap();
    db.execute("CREATE TABLE t (a int PRIMARY KEY, b int)", &[])
        .unwrap();
    db.execute("INSERT INTO t VALUES (1, 1)", &[]).unwrap();
    let mut holder = session(&db);
    holder.run("BEGIN", &[]).unwrap();
    holder.run("UPDATE t SET b = 2", &[]).unwrap();

    let mut other = session(&db);
    assert_eq!(other.setting("lock_timeout").as_deref(), Some("10s"));
    let change = "UPDATE t SET b = 3";
    other.run("SET lock_timeout = '30ms'", &[]).unwrap();
    assert_eq!(code(other.run(change, &[])), "55P03");
    other.run("SET lock_timeout = 0", &[]).unwrap();
    other.run("SET statement_timeout = '30ms'", &[]).unwrap();
    let error = other.run(change, &[]).map(|_| ()).unwrap_err();
    assert_eq!(error.sqlstate(), "57014");
    assert!(error.to_string().contains("statement timeout"), "{error}");
    other.run("RESET statement_timeout", &[]).unwrap();
    let canceller = other.canceller();
    let identity = Identity {
        process: 7,
        ..Identity::default()
    };
    other.identify(identity);
    let mut watcher = session(&db);
    let mut is_blocked = || {
        let sql = "SELECT pg_isolation_test_session_is_blocked(7, '{8,9}')";
        let row = watcher.run(sql, &[]).unwrap().rows.next().unwrap().unwrap();
        row.get::<bool>(0).unwrap()
    };
    assert!(!is_blocked());
    let waiter = std::thread::spawn(move || (code(other.run(change, &[])), other));
    while !is_blocked() {
        std::thread::yield_now();
    }
    canceller.cancel();
    let (state, mut other) = waiter.join().unwrap();
    assert_eq!(state, "57014");
    assert!(!is_blocked());

    holder.run("COMMIT", &[]).unwrap();
    other.run(change, &[]).unwrap();
}

#[test]
fn a_session_tells_who_uses_it_and_what_it_has_set() {
    let db = Database::in_memory().unwrap();
    let mut session = session(&db);
    session.identify(Identity {
        user: "ada".into(),
        database: "shop".into(),
        process: 7,
        superuser: false,
    });
    session.start_with("application_name", "test").unwrap();
    let sql = "SELECT current_user, session_user, current_database(), pg_backend_pid(), current_setting('is_superuser')";
    let row = session.run(sql, &[]).unwrap().rows.next().unwrap().unwrap();
    let shown: Vec<_> = (0..5).map(|at| row.text(at).unwrap()).collect();
    assert_eq!(shown, ["ada", "ada", "shop", "7", "off"]);
    let before = session.setting_changes();
    session.run("SET application_name = 'other'", &[]).unwrap();
    assert!(session.setting_changes() > before);
    let reported = session.reported_settings();
    assert!(reported.contains(&("application_name", "other".to_owned())));
    session.run("RESET ALL", &[]).unwrap();
    assert_eq!(session.setting("application_name").as_deref(), Some("test"));
}
