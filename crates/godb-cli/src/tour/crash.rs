//! The crash of the tour: a process is killed in the middle of its work, and the file opened again.
//!
//! The killed process is this program itself, started again. It tells of each commit on a pipe *after* the commit returned, so that the
//! one that kills it knows what was promised.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use godb::{Database, params};

use super::stage::Stage;
use super::steps::{ACCOUNTS, MONEY, single};
use super::{demand, refused};
use crate::problem::Problem;

/// How many commits are awaited before the kill.
const ENOUGH: usize = 200;

const TRANSFERS: &str =
    "CREATE TABLE transfer (id integer PRIMARY KEY, payer integer, payee integer, amount integer)";

/// Starts a process that commits, kills it, opens the file and looks.
pub(super) fn crash_and_recover(stage: &Stage, file: &Path) -> Result<(), Problem> {
    stage.step("A crash");
    stage.say("Another process opens the file and moves money, one small transaction after the other. It tells of each one when its commit");
    stage
        .say("has returned. A second transaction in it stays open. Then the process is killed with SIGKILL:");
    let promised = kill_in_the_middle(file)?;
    stage.result(&format!("killed after {promised} commits that it told of"));
    stage.code("let db = godb::Database::open(\"tour.godb\")?;     // reads the log: redo, then undo");
    let begun = Instant::now();
    let database = super::open(file)?;
    stage.result(&format!("recovered in {} ms", begun.elapsed().as_millis()));
    let sql = "SELECT count(*) AS transfers,\n       (SELECT sum(balance) FROM account) AS money,\n       \
               (SELECT count(*) FROM account WHERE owner = 'nobody') AS uncommitted\nFROM transfer";
    stage.query(sql, database.query(sql, params![]).map_err(refused)?)?;
    judge(&database, promised)?;
    stage.result("every commit it told of is there, no transfer is half done, and nothing of the open transaction is left");
    database.close().map_err(refused)
}

/// What must hold after a crash.
fn judge(database: &Database, promised: usize) -> Result<(), Problem> {
    let number = |sql| {
        single(database, sql)?
            .parse::<usize>()
            .map_err(|_| Problem::Command(format!("{sql}: no number")))
    };
    let found = number("SELECT count(*) FROM transfer")?;
    // One commit may have been in flight: done, and not yet told.
    demand((promised..=promised + 1).contains(&found), || {
        format!("{promised} commits were promised, {found} are there")
    })?;
    let money = single(database, "SELECT sum(balance) FROM account")?;
    demand(money == MONEY.to_string(), || {
        format!("the bank should have {MONEY}, and has {money}")
    })?;
    let stray = number("SELECT count(*) FROM account WHERE owner = 'nobody'")?;
    demand(stray == 0, || {
        "a transaction that never committed left something".to_owned()
    })
}

/// Runs the victim until it has told of enough commits, and kills it; returns how many it told of.
fn kill_in_the_middle(file: &Path) -> Result<usize, Problem> {
    let program = env::current_exe().map_err(Problem::io("finding this program"))?;
    let mut child = Command::new(program)
        .arg("tour-victim")
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Problem::io("starting the process that is killed"))?;
    let output = child.stdout.take().expect("its output is piped");
    let mut told = BufReader::new(output).lines();
    let mut promised = told.by_ref().take(ENOUGH).map_while(Result::ok).count();
    child.kill().map_err(Problem::io("killing it"))?;
    // What it had written into the pipe before it died, it had promised.
    promised += told.map_while(Result::ok).count();
    child.wait().map_err(Problem::io("waiting for its end"))?;
    demand(promised >= ENOUGH, || {
        format!("the process ended by itself after {promised} commits")
    })?;
    Ok(promised)
}

/// The life of the process that is killed: it commits until it dies.
pub(crate) fn victim(file: &Path) -> Result<(), Problem> {
    let database = super::open(file)?;
    database.execute(TRANSFERS, params![]).map_err(refused)?;
    let mut open = database.begin().map_err(refused)?;
    let stray = "INSERT INTO account VALUES (?, 'nobody', 'nowhere', 1000000)";
    open.execute(stray, params![ACCOUNTS + 1]).map_err(refused)?;
    let mut out = io::stdout().lock();
    for id in 1.. {
        transfer(&database, id)?;
        writeln!(out, "{id}")
            .and_then(|()| out.flush())
            .map_err(Problem::output)?;
    }
    Ok(())
}

/// Moves money between two accounts and notes it: all of it or nothing.
fn transfer(database: &Database, id: i64) -> Result<(), Problem> {
    let payer = id % ACCOUNTS + 1;
    let payee = (id * 7919) % ACCOUNTS + 1;
    let work = |transaction: &mut godb::Transaction| {
        transaction.execute(
            "UPDATE account SET balance = balance - 1 WHERE id = ?",
            params![payer],
        )?;
        transaction.execute(
            "UPDATE account SET balance = balance + 1 WHERE id = ?",
            params![payee],
        )?;
        transaction.execute(
            "INSERT INTO transfer VALUES (?, ?, ?, 1)",
            params![id, payer, payee],
        )
    };
    database.transaction(work).map_err(refused).map(drop)
}
