//! The steps of the tour, up to the crash.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use godb::{Database, params};

use super::stage::Stage;
use super::{demand, refused};
use crate::problem::Problem;

/// How many accounts the bank has.
pub(super) const ACCOUNTS: i64 = 10_000;
/// What lies in all of them together.
pub(super) const MONEY: i64 = ACCOUNTS * 100;

/// A file appears.
pub(super) fn open(stage: &Stage, file: &Path) -> Result<Database, Problem> {
    stage.step("One file");
    stage.code("let db = godb::Database::open(\"tour.godb\")?;");
    let database = super::open(file)?;
    let size = fs::metadata(file)
        .map_err(Problem::io(file.display().to_string()))?
        .len();
    stage.result(&format!(
        "created, {} KiB. Beside it lies its log, until it is closed.",
        size / 1024
    ));
    Ok(database)
}

/// Keys and values, and a transaction over them.
pub(super) fn keys(stage: &Stage, database: &Database) -> Result<(), Problem> {
    stage.step("Keys and values");
    stage.code("db.put(b\"alice\", b\"100\")?;\ndb.put(b\"bob\", b\"50\")?;\ndb.get(b\"alice\")?");
    database.put(b"alice", b"100").map_err(refused)?;
    database.put(b"bob", b"50").map_err(refused)?;
    let alice = value(database, b"alice")?;
    stage.result(&format!("{alice:?}"));
    stage.say("A transaction that is dropped without commit leaves nothing behind:");
    stage.code("let mut tx = db.begin()?;\ntx.put(b\"alice\", b\"0\")?;\ntx.put(b\"bob\", b\"150\")?;\ndrop(tx);\ndb.get(b\"alice\")?");
    let mut transaction = database.begin().map_err(refused)?;
    transaction.put(b"alice", b"0").map_err(refused)?;
    transaction.put(b"bob", b"150").map_err(refused)?;
    drop(transaction);
    let alice = value(database, b"alice")?;
    stage.result(&format!("{alice:?}"));
    demand(alice == "100", || format!("alice has {alice} after a rollback"))
}

fn value(database: &Database, key: &[u8]) -> Result<String, Problem> {
    let value = database.get(key).map_err(refused)?;
    Ok(value.map_or_else(
        || "nothing".to_owned(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    ))
}

/// Tables over the same transactions.
pub(super) fn sql(stage: &Stage, database: &Database) -> Result<(), Problem> {
    stage.step("SQL, over the same transactions");
    let create = "CREATE TABLE account (\n    id integer PRIMARY KEY,\n    owner text NOT NULL,\n    city text NOT NULL,\n    \
                  balance integer NOT NULL CHECK (balance >= 0)\n)";
    stage.code(create);
    database.execute(create, params![]).map_err(refused)?;
    stage.code(&format!(
        "let mut tx = db.begin()?;\nfor id in 1..={ACCOUNTS} {{\n    tx.execute(\"INSERT INTO account VALUES (?, ?, ?, 100)\", \
         params![id, owner, city])?;\n}}\ntx.commit()?;"
    ));
    let begun = Instant::now();
    load(database)?;
    stage.result(&format!(
        "{ACCOUNTS} rows in {} ms, durable",
        begun.elapsed().as_millis()
    ));
    let sql =
        "SELECT city, count(*) AS accounts, sum(balance) AS money\nFROM account GROUP BY city ORDER BY city";
    let begun = Instant::now();
    stage.query(sql, database.query(sql, params![]).map_err(refused)?)?;
    stage.result(&format!("{} µs with the drawing", begun.elapsed().as_micros()));
    let sql = "SELECT * FROM account WHERE id = 4711";
    stage.query(sql, database.query(sql, params![]).map_err(refused)?)?;
    Ok(())
}

fn load(database: &Database) -> Result<(), Problem> {
    const CITIES: [&str; 3] = ["Leipzig", "Lisbon", "Lagos"];
    let mut transaction = database.begin().map_err(refused)?;
    for (id, city) in (1..=ACCOUNTS).zip(CITIES.iter().cycle()) {
        let owner = format!("owner {id}");
        transaction
            .execute(
                "INSERT INTO account VALUES (?, ?, ?, 100)",
                params![id, owner, *city],
            )
            .map_err(refused)?;
    }
    transaction.commit().map_err(refused)?;
    Ok(())
}

/// Two transactions want the same row.
pub(super) fn conflict(stage: &Stage, database: &Database) -> Result<(), Problem> {
    stage.step("Two at once");
    stage.say("Each transaction sees the database as it was when it began. Two that change one row cannot both win:");
    let update = "UPDATE account SET balance = balance + 1 WHERE id = 1";
    stage.code(&format!(
        "let mut first = db.begin()?;\nlet mut second = db.begin()?;\nsecond.query(\"SELECT …\")?;\n\
         first.execute(\"{update}\")?;\nfirst.commit()?;\nsecond.execute(\"{update}\")"
    ));
    let mut first = database.begin().map_err(refused)?;
    let mut second = database.begin().map_err(refused)?;
    let seen = second
        .query("SELECT balance FROM account WHERE id = 1", params![])
        .map_err(refused)?;
    demand(seen.count() == 1, || "account 1 is not there".to_owned())?;
    first.execute(update, params![]).map_err(refused)?;
    first.commit().map_err(refused)?;
    let Err(error) = second.execute(update, params![]) else {
        return demand(false, || "a lost update was let through".to_owned());
    };
    stage.result(&format!("{error} (SQLSTATE {})", error.sqlstate()));
    stage.say("`error.is_retryable()` says that running it again can succeed; `db.transaction(|tx| …)` does that by itself.");
    demand(error.is_retryable(), || {
        format!("a conflict was reported as {error}")
    })?;
    let undo = "UPDATE account SET balance = balance - 1 WHERE id = 1";
    drop(second);
    database.execute(undo, params![]).map_err(refused).map(drop)
}

/// The past can be asked.
pub(super) fn time_travel(stage: &Stage, database: &Database) -> Result<(), Problem> {
    stage.step("Time travel");
    let then = single(database, "SELECT now()")?;
    // The past must be over before the present changes it.
    thread::sleep(Duration::from_millis(20));
    let mistake = "DELETE FROM account WHERE city = 'Lagos'";
    stage.code(mistake);
    let gone = database.execute(mistake, params![]).map_err(refused)?;
    stage.result(&format!(
        "{gone} rows are gone. A mistake! But the past is still there:"
    ));
    let sql = format!("SELECT count(*) FROM account AS OF SYSTEM TIME '{then}' WHERE city = 'Lagos'");
    let rows = stage.query(&sql, database.query(&sql, params![]).map_err(refused)?)?;
    demand(rows == [[Some(gone.to_string())]], || {
        format!("{gone} rows were deleted, the past has {rows:?}")
    })?;
    let repair =
        format!("INSERT INTO account SELECT * FROM account AS OF SYSTEM TIME '{then}' WHERE city = 'Lagos'");
    stage.code(&repair);
    let back = database.execute(&repair, params![]).map_err(refused)?;
    stage.result(&format!("{back} rows are back"));
    let money = single(database, "SELECT sum(balance) FROM account")?;
    demand(money == MONEY.to_string(), || {
        format!("the bank should have {MONEY}, and has {money}")
    })
}

/// The one value of a query, as text.
pub(super) fn single(database: &Database, sql: &str) -> Result<String, Problem> {
    let rows = crate::engine::collect(database.query(sql, params![]).map_err(refused)?)?;
    match rows.as_slice() {
        [row] if row.len() == 1 => Ok(row[0].clone().unwrap_or_default()),
        other => Err(Problem::Command(format!(
            "the tour found a fault: {sql} gave {} rows",
            other.len()
        ))),
    }
}

/// Every byte is looked at.
pub(super) fn check(stage: &Stage, file: &Path) -> Result<(), Problem> {
    stage.step("The check");
    stage.code("godb check tour.godb");
    let findings: Vec<String> = crate::engine::check(file)?
        .findings
        .iter()
        .map(ToString::to_string)
        .collect();
    demand(findings.is_empty(), || findings.join("; "))?;
    let size = fs::metadata(file)
        .map_err(Problem::io(file.display().to_string()))?
        .len();
    stage.result(&format!(
        "every page, tree and index is in order; {} KiB, closed: one file that can be copied\n",
        size / 1024
    ));
    Ok(())
}
