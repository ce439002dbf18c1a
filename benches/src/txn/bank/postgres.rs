//! PostgreSQL: a connection a client through the server's Unix socket, prepared statements.

use super::server::Server;
use super::{Accounts, Bank, FEW, Form, Teller, Transfer, both_rows, one_row};
use crate::Result;
use postgres::error::SqlState;
use postgres::{Client, Statement};

/// Makes the tables.
pub(super) fn fill(server: &Server, accounts: u64) -> Result<()> {
    let mut client = server.connect()?;
    for (table, count) in [(Accounts::Few, FEW), (Accounts::Many, accounts)] {
        let table = table.table();
        client.batch_execute(&format!(
            "CREATE TABLE {table} (id bigint PRIMARY KEY, balance bigint NOT NULL, owner text NOT NULL); \
             INSERT INTO {table} SELECT g - 1, 0, 'the owner of an account whose name is rather long' FROM generate_series(1, {count}) g"
        ))?;
        client.batch_execute(&format!("VACUUM ANALYZE {table}"))?;
    }
    Ok(client.batch_execute("CHECKPOINT")?)
}

pub(super) struct Postgres<'s> {
    server: &'s Server,
    form: Form,
}

impl<'s> Postgres<'s> {
    /// With transfers in this form.
    pub(super) fn new(server: &'s Server, form: Form) -> Self {
        Self { server, form }
    }
}

impl Bank for Postgres<'_> {
    fn name(&self) -> &'static str {
        match self.form {
            Form::Transaction => "PostgreSQL",
            Form::Statement => "PostgreSQL (one statement)",
        }
    }

    fn teller(&self, accounts: Accounts) -> Result<Box<dyn Teller + '_>> {
        let mut client = self.server.connect()?;
        let table = accounts.table();
        let update = match self.form {
            Form::Transaction => one_row(table),
            Form::Statement => both_rows(table),
        };
        Ok(Box::new(Connected {
            update: client.prepare(&update)?,
            begin: client.prepare("BEGIN")?,
            commit: client.prepare("COMMIT")?,
            total: format!("SELECT sum(balance)::bigint FROM {table}"),
            form: self.form,
            client,
        }))
    }
}

struct Connected {
    client: Client,
    update: Statement,
    begin: Statement,
    commit: Statement,
    total: String,
    form: Form,
}

impl Connected {
    fn run(&mut self, transfer: Transfer) -> std::result::Result<(), postgres::Error> {
        let [(first, add_first), (second, add_second)] = transfer.changes();
        if self.form == Form::Statement {
            self.client
                .execute(&self.update, &[&add_first, &first, &add_second, &second])?;
            return Ok(());
        }
        self.client.execute(&self.begin, &[])?;
        self.client.execute(&self.update, &[&add_first, &first])?;
        self.client.execute(&self.update, &[&add_second, &second])?;
        self.client.execute(&self.commit, &[])?;
        Ok(())
    }
}

impl Teller for Connected {
    fn transfer(&mut self, transfer: Transfer) -> Result<bool> {
        match self.run(transfer) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(
                    error.code(),
                    Some(&(SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE))
                ) =>
            {
                self.client.batch_execute("ROLLBACK")?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn total(&mut self) -> Result<i64> {
        Ok(self.client.query_one(&self.total, &[])?.get(0))
    }
}
