//! A bank: transfers between two accounts, each a durable transaction of two prepared updates, by one to sixteen clients.
//!
//! godb and SQLite run in this process, PostgreSQL in its own, reached through a Unix socket. Each gets the same memory for pages and syncs each commit. All run with the isolation that
//! their users have: read committed in godb (as its server sessions have it) and PostgreSQL, one writer at a time in SQLite. A transfer updates the account with the smaller number first, as
//! a careful program does, so what is measured is waiting and not deadlocks.
//!
//! godb and PostgreSQL take part twice: with a transaction of two statements, and with one statement that makes both updates, which saves a server three of four round trips.
//!
//! After each round the money is counted: transfers make none.

mod godb;
mod postgres;
mod server;
mod sqlite;

use super::median;
use super::options::Options;
use super::scores::{Goal, Scores};
use crate::Result;
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Bytes of memory for pages.
const MEMORY: usize = 256 << 20;
/// Numbers of clients.
const CLIENTS: [usize; 4] = [1, 2, 4, 16];
/// The smaller number of accounts.
const FEW: u64 = 100;

/// What a transfer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A transaction of two updates.
    Transaction,
    /// One update of two rows, a transaction by itself.
    Statement,
}

/// The update of both rows, for a database with numbered parameters.
fn both_rows(table: &str) -> String {
    format!(
        "UPDATE {table} SET balance = balance + CASE id WHEN $2 THEN $1::bigint ELSE $3::bigint END WHERE id IN ($2, $4)"
    )
}

/// The update of one row.
fn one_row(table: &str) -> String {
    format!("UPDATE {table} SET balance = balance + $1 WHERE id = $2")
}

/// The tables, each with so many accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accounts {
    Few,
    Many,
}

impl Accounts {
    fn table(self) -> &'static str {
        match self {
            Self::Few => "few_accounts",
            Self::Many => "many_accounts",
        }
    }
}

/// One transfer.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    from: i64,
    to: i64,
    amount: i64,
}

impl Transfer {
    /// What is added to which account, the smaller number first.
    fn changes(self) -> [(i64, i64); 2] {
        let mut changes = [(self.from, -self.amount), (self.to, self.amount)];
        changes.sort_unstable();
        changes
    }
}

/// A database with the accounts.
trait Bank: Sync {
    /// What it is called in the table.
    fn name(&self) -> &'static str;
    /// What one client works through.
    fn teller(&self, accounts: Accounts) -> Result<Box<dyn Teller + '_>>;
}

/// One client's session.
trait Teller {
    /// Makes a transfer, durably. False says that it did not happen, because of another one at the same time.
    fn transfer(&mut self, transfer: Transfer) -> Result<bool>;
    /// All balances together.
    fn total(&mut self) -> Result<i64>;
}

/// What a database did in a cell of the table.
#[derive(Default)]
struct Cell {
    rates: Vec<f64>,
}

/// All databases, all numbers of clients, by turns.
pub(super) fn measure(options: &Options, scores: &mut Scores) -> Result<()> {
    let folder = options.directory()?;
    let server = match options.alone {
        true => None,
        false => server::Server::start(MEMORY, options.folder.as_deref())?,
    };
    let db = godb::open(folder.path(), options.accounts)?;
    let mut banks: Vec<Box<dyn Bank + '_>> = vec![
        Box::new(godb::Godb::new(&db, Form::Transaction)),
        Box::new(godb::Godb::new(&db, Form::Statement)),
    ];
    if !options.alone {
        banks.push(Box::new(sqlite::Sqlite::open(folder.path(), options.accounts)?));
    }
    match &server {
        Some(server) => {
            postgres::fill(server, options.accounts)?;
            banks.push(Box::new(postgres::Postgres::new(server, Form::Transaction)));
            banks.push(Box::new(postgres::Postgres::new(server, Form::Statement)));
        }
        None => println!("  without PostgreSQL 15"),
    }
    for accounts in [Accounts::Few, Accounts::Many] {
        for clients in CLIENTS {
            cell(&banks, folder.path(), (accounts, clients), options, scores)?;
        }
    }
    Ok(())
}

/// One line of the table: every database in turn, so often.
fn cell(
    banks: &[Box<dyn Bank + '_>],
    folder: &Path,
    (accounts, clients): (Accounts, usize),
    options: &Options,
    scores: &mut Scores,
) -> Result<()> {
    let count = match accounts {
        Accounts::Few => FEW,
        Accounts::Many => options.accounts,
    };
    let mut cells: Vec<Cell> = banks.iter().map(|_| Cell::default()).collect();
    for round in 0..options.rounds {
        for (bank, cell) in banks.iter().zip(&mut cells) {
            crate::kv::wait_for_quiet(folder)?;
            let seed = round as u64;
            let rate = round_of(&**bank, accounts, (clients, count), options.time, seed)
                .map_err(|error| format!("{}: {error}", bank.name()))?;
            cell.rates.push(rate);
        }
    }
    let what = format!(
        "durable transfers between {} accounts, {clients} clients",
        plain(count)
    );
    let rates: Vec<f64> = cells.into_iter().map(|cell| median(cell.rates)).collect();
    let shown = banks
        .iter()
        .zip(&rates)
        .map(|(bank, rate)| format!("{} {rate:.0}", bank.name()));
    println!("  {what}: {}", shown.collect::<Vec<_>>().join(", "));
    let at_16 = |ratio| {
        if clients == 16 {
            Goal::AtLeast(ratio)
        } else {
            Goal::None
        }
    };
    if let [transaction, statement, sqlite, ref others @ ..] = rates[..] {
        scores.note((&what, "per s"), transaction, ("SQLite", sqlite), at_16(3.0));
        if let [theirs, their_statement] = others[..] {
            scores.note((&what, "per s"), transaction, ("PostgreSQL", theirs), at_16(1.5));
            let what = format!("{what}, one statement");
            scores.note(
                (&what, "per s"),
                statement,
                ("PostgreSQL", their_statement),
                at_16(1.5),
            );
        }
    }
    Ok(())
}

fn plain(count: u64) -> String {
    match count {
        count if count.is_multiple_of(1_000_000) => format!("{} M", count / 1_000_000),
        count if count.is_multiple_of(1000) => format!("{} K", count / 1000),
        count => count.to_string(),
    }
}

/// Transfers a second.
fn round_of(
    bank: &dyn Bank,
    accounts: Accounts,
    (clients, count): (usize, u64),
    time: Duration,
    seed: u64,
) -> Result<f64> {
    let barrier = Barrier::new(clients);
    let work = |client: usize| -> std::result::Result<f64, String> {
        let mut random = fastrand::Rng::with_seed(seed * 1000 + client as u64);
        let teller = bank.teller(accounts).map_err(|error| error.to_string());
        barrier.wait();
        let mut teller = teller?;
        let begun = Instant::now();
        let mut done = 0_u32;
        while begun.elapsed() < time {
            done += u32::from(
                teller
                    .transfer(some_transfer(&mut random, count))
                    .map_err(|error| error.to_string())?,
            );
        }
        Ok(f64::from(done) / begun.elapsed().as_secs_f64())
    };
    let rates: std::result::Result<Vec<f64>, String> = std::thread::scope(|scope| {
        let work = &work;
        let clients: Vec<_> = (0..clients)
            .map(|client| scope.spawn(move || work(client)))
            .collect();
        let ended = clients
            .into_iter()
            .map(|client| client.join().expect("a client ended"));
        ended.collect()
    });
    match bank.teller(accounts)?.total()? {
        0 => Ok(rates?.into_iter().sum()),
        money => Err(format!("the accounts have {money} too much").into()),
    }
}

fn some_transfer(random: &mut fastrand::Rng, accounts: u64) -> Transfer {
    let from = random.u64(..accounts);
    let to = (from + random.u64(1..accounts)) % accounts;
    Transfer {
        from: from.cast_signed(),
        to: to.cast_signed(),
        amount: random.i64(1..100),
    }
}
