//! godb: a session a client, prepared statements, in the same process.

use super::{Accounts, Bank, FEW, Form, MEMORY, Teller, Transfer, both_rows, one_row};
use crate::Result;
use godb::{Config, Database, Isolation, Session, Statement, params};
use std::path::Path;

/// A database with the accounts.
pub(super) fn open(folder: &Path, accounts: u64) -> Result<Database> {
    let config = Config {
        buffer_pool_size: MEMORY,
        isolation: Isolation::ReadCommitted,
        ..Config::default()
    };
    let db = Database::open_with(folder.join("bank.godb"), config)?;
    for (table, count) in [(Accounts::Few, FEW), (Accounts::Many, accounts)] {
        let table = table.table();
        db.execute(
            &format!(
                "CREATE TABLE {table} (id bigint PRIMARY KEY, balance bigint NOT NULL, owner text NOT NULL)"
            ),
            params![],
        )?;
        db.execute(
                &format!("INSERT INTO {table} SELECT g - 1, 0, 'the owner of an account whose name is rather long' FROM generate_series(1, $1) g"),
                params![count.cast_signed()],
            )?;
    }
    db.checkpoint()?;
    Ok(db)
}

pub(super) struct Godb<'d> {
    db: &'d Database,
    form: Form,
}

impl<'d> Godb<'d> {
    /// With transfers in this form.
    pub(super) fn new(db: &'d Database, form: Form) -> Self {
        Self { db, form }
    }
}

impl Bank for Godb<'_> {
    fn name(&self) -> &'static str {
        match self.form {
            Form::Transaction => "godb",
            Form::Statement => "godb (one statement)",
        }
    }

    fn teller(&self, accounts: Accounts) -> Result<Box<dyn Teller + '_>> {
        let mut session = self.db.session()?;
        let table = accounts.table();
        let update = match self.form {
            Form::Transaction => one_row(table),
            Form::Statement => both_rows(table),
        };
        Ok(Box::new(Client {
            update: session.prepare(&update, &[])?,
            total: session.prepare(&format!("SELECT sum(balance)::bigint FROM {table}"), &[])?,
            session,
            form: self.form,
        }))
    }
}

struct Client {
    session: Session,
    update: Statement,
    total: Statement,
    form: Form,
}

impl Client {
    fn run(&mut self, transfer: Transfer) -> std::result::Result<(), godb::Error> {
        if self.form == Form::Statement {
            let [(first, add_first), (second, add_second)] = transfer.changes();
            let params = params![add_first, first, add_second, second];
            return self.session.run_prepared(&self.update, params).map(drop);
        }
        self.session.begin()?;
        for (id, amount) in transfer.changes() {
            self.session.run_prepared(&self.update, params![amount, id])?;
        }
        self.session.commit()?;
        Ok(())
    }
}

impl Teller for Client {
    fn transfer(&mut self, transfer: Transfer) -> Result<bool> {
        match self.run(transfer) {
            Ok(()) => Ok(true),
            Err(error) if error.is_retryable() => {
                if self.form == Form::Transaction {
                    self.session.roll_back()?;
                }
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn total(&mut self) -> Result<i64> {
        let outcome = self.session.run_prepared(&self.total, params![])?;
        let row = outcome.rows.into_iter().next().ok_or("no total")??;
        Ok(row.get(0)?)
    }
}
