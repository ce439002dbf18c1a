//! SET, RESET, SHOW, DISCARD and their like.

use super::plan::Prepared;
use super::rows::{Notice, Rows, StatementResult};
use super::{Session, failed_transaction};
use crate::error::{Result, SqlError, state};
use crate::parser::{Command, Discard};
use crate::settings::{Running, Settings, database, isolation_name};
use crate::value::Value;
use sqlparser::ast::{Set, TransactionIsolationLevel, TransactionMode};

impl Session {
    /// Runs a statement about the session.
    pub(super) fn command(
        &mut self,
        command: &Command,
        prepared: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        if self.open.as_ref().is_some_and(|open| open.failed) {
            return Err(failed_transaction());
        }
        let result = self.run_command(command, prepared, params);
        if let (Err(_), Some(open)) = (&result, &mut self.open) {
            open.failed = true;
        }
        result
    }

    fn run_command(
        &mut self,
        command: &Command,
        prepared: &Prepared,
        params: &[Value],
    ) -> Result<StatementResult> {
        match command {
            Command::Set { name, values, local } => self.set(name, values.as_deref(), *local),
            Command::Reset(name) => self.reset(name.as_deref()),
            Command::Show(Some(name)) => self.show(name),
            Command::Show(None) => self.show_all(),
            Command::Discard(what) => self.discard(*what),
            Command::Close(name) => self.close_cursor(name.as_deref()),
            Command::Declare { name, hold, query } => {
                let query = Prepared::parse(query, prepared.types())?;
                self.declare(name, *hold, &query, params)
            }
            Command::Fetch(fetch) => self.fetch(fetch),
            Command::Prepare { name, types, text } => self.prepare_statement(name, types, text),
            Command::Execute { name, arguments } => self.execute_named(name, arguments.as_deref()),
            Command::Deallocate(name) => self.deallocate(name.as_deref()),
            Command::Unlisten => Ok(StatementResult::done("UNLISTEN")),
            Command::Unsupported(what) => Err(SqlError::unsupported(what)),
        }
    }

    /// Changes a setting of the whole database.
    fn set_database(&self, name: &str, values: Option<&[String]>, local: bool) -> Result<StatementResult> {
        if local {
            return Err(SqlError::unsupported(
                "SET LOCAL of a setting of the whole database",
            ));
        }
        let value = match values {
            None => None,
            Some([value]) => Some(value.as_str()),
            Some(_) => {
                let message = format!("SET {name} takes only one argument");
                return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
            }
        };
        database::set(&*self.sql.options.database, name, value)?;
        Ok(StatementResult::done("SET"))
    }

    fn set(&mut self, name: &str, values: Option<&[String]>, local: bool) -> Result<StatementResult> {
        if database::is_one(name) {
            return self.set_database(name, values, local);
        }
        let mut result = StatementResult::done("SET");
        if local && self.open.is_none() {
            let message = "SET LOCAL can only be used in transaction blocks";
            result.notice = Some(Notice::warning(state::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        if let Some(mode) = transaction_mode(name, values)? {
            let modes = [mode];
            return self.set_transaction(&modes, None);
        }
        if name.eq_ignore_ascii_case("transaction_deferrable") {
            return Err(SqlError::unsupported("SET transaction_deferrable").hint("Use SET TRANSACTION."));
        }
        if name.eq_ignore_ascii_case("session_authorization") {
            let user = self.identity().user.clone();
            let same = values.is_none_or(|values| matches!(values, [one] if **one == *user));
            return if same {
                Ok(result)
            } else {
                Err(SqlError::unsupported("SET SESSION AUTHORIZATION"))
            };
        }
        let alone = self.open.is_none();
        self.context().settings(|settings| {
            let before = (local && alone).then(|| settings.point());
            match values {
                Some(values) => settings.set_list(name, values, local)?,
                None => settings.set(name, None, local)?,
            }
            // Outside a transaction SET LOCAL is over at once.
            if let Some(before) = before {
                settings.return_to(&before);
            }
            Ok::<_, SqlError>(())
        })?;
        Ok(result)
    }

    fn reset(&mut self, name: Option<&str>) -> Result<StatementResult> {
        match name {
            Some(name) if name.eq_ignore_ascii_case("session_authorization") => {}
            Some(name) if database::is_one(name) => {
                self.set_database(name, None, false)?;
            }
            Some(name) => self
                .context()
                .settings(|settings| settings.set(name, None, false))?,
            None => self.context().settings(Settings::reset_all),
        }
        Ok(StatementResult::done("RESET"))
    }

    fn show(&mut self, name: &str) -> Result<StatementResult> {
        let value = match database::is_one(name) {
            true => database::show(&*self.sql.options.database, name)?,
            false => self.context().settings(|settings| settings.show(name))?,
        };
        let rows = Rows::text(&[&Settings::spelled(name)], vec![vec![value]])?;
        Ok(StatementResult::rows("SHOW", rows))
    }

    fn show_all(&self) -> Result<StatementResult> {
        let lines = self.context().settings(|settings| settings.all());
        let lines = lines.into_iter().map(Vec::from).collect();
        let rows = Rows::text(&["name", "setting", "description"], lines)?;
        Ok(StatementResult::rows("SHOW", rows))
    }

    fn discard(&mut self, what: Discard) -> Result<StatementResult> {
        Ok(StatementResult::done(match what {
            Discard::All => {
                if self.open.is_some() {
                    let message = "DISCARD ALL cannot run inside a transaction block";
                    return Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message));
                }
                self.close_cursor(None)?;
                self.forget(None);
                let context = self.context();
                context.settings(Settings::reset_all);
                context.advisory().unlock_all();
                "DISCARD ALL"
            }
            Discard::Plans => "DISCARD PLANS",
            // There are neither temporary tables nor sequences of a session's own.
            Discard::Temp => "DISCARD TEMP",
            Discard::Sequences => "DISCARD SEQUENCES",
        }))
    }

    /// SET TRANSACTION and SET SESSION CHARACTERISTICS.
    pub(super) fn set_modes(
        &mut self,
        set: &Set,
        deferrable: Option<bool>,
        failed: bool,
    ) -> Result<StatementResult> {
        if failed {
            return Err(failed_transaction());
        }
        match set {
            Set::SetTransaction {
                modes,
                snapshot: None,
                session: false,
            } => self.set_transaction(modes, deferrable),
            Set::SetTransaction {
                modes,
                snapshot: None,
                session: true,
            } => self.set_characteristics(modes, deferrable),
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn set_characteristics(
        &mut self,
        modes: &[TransactionMode],
        deferrable: Option<bool>,
    ) -> Result<StatementResult> {
        let effects = self.effects();
        let mut how = godb_mvcc::Begin {
            isolation: effects.isolation,
            read_only: effects.read_only,
            deferrable: deferrable.unwrap_or(effects.deferrable),
            ..godb_mvcc::Begin::default()
        };
        super::control::apply(&mut how, modes)?;
        let to = Running {
            isolation: how.isolation,
            read_only: how.read_only,
            deferrable: how.deferrable,
        };
        self.context().settings(|settings| set_defaults(settings, to))?;
        Ok(StatementResult::done("SET"))
    }
}

fn set_defaults(settings: &mut Settings, to: Running) -> Result<()> {
    let word = |on| Some(if on { "on" } else { "off" });
    settings.set(
        "default_transaction_isolation",
        Some(isolation_name(to.isolation)),
        false,
    )?;
    settings.set("default_transaction_read_only", word(to.read_only), false)?;
    settings.set("default_transaction_deferrable", word(to.deferrable), false)
}

/// `SET transaction_isolation = …` and `SET transaction_read_only = …` are SET TRANSACTION in other words.
fn transaction_mode(name: &str, values: Option<&[String]>) -> Result<Option<TransactionMode>> {
    use TransactionIsolationLevel as Level;
    use sqlparser::ast::TransactionAccessMode as Access;
    let refused = |value: &str| {
        let message = format!(
            "invalid value for parameter \"{}\": \"{value}\"",
            name.to_ascii_lowercase()
        );
        Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message))
    };
    let isolation = name.eq_ignore_ascii_case("transaction_isolation");
    if !isolation && !name.eq_ignore_ascii_case("transaction_read_only") {
        return Ok(None);
    }
    let Some([value]) = values else {
        return Err(SqlError::unsupported(format!("SET {name} to its default")));
    };
    Ok(Some(match value.to_ascii_lowercase().as_str() {
        "serializable" if isolation => TransactionMode::IsolationLevel(Level::Serializable),
        "repeatable read" if isolation => TransactionMode::IsolationLevel(Level::RepeatableRead),
        "read committed" if isolation => TransactionMode::IsolationLevel(Level::ReadCommitted),
        "read uncommitted" if isolation => TransactionMode::IsolationLevel(Level::ReadUncommitted),
        "on" | "true" | "yes" | "1" if !isolation => TransactionMode::AccessMode(Access::ReadOnly),
        "off" | "false" | "no" | "0" if !isolation => TransactionMode::AccessMode(Access::ReadWrite),
        _ => return refused(value),
    }))
}
