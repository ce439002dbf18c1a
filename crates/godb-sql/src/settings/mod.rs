//! Settings: what SET changes and SHOW shows.
//!
//! Clients make settings that they know from PostgreSQL, most of them when they connect, and read them back. So each one here has PostgreSQL's name, values, units and errors
//! ([`table`]). What PostgreSQL has and godb does not is refused when it is *set*, never taken and forgotten: a setting either has its
//! effect, or concerns something that is not there (then every value is as good), or takes only the values that say what godb does.
//!
//! **Transactions.** SET lasts for the session, but goes when its transaction is rolled back; SET LOCAL lasts until the end of the transaction. So there are two layers of
//! values: those *in force*, and those that *stay* when the transaction commits. SET changes both, SET LOCAL the first. A commit puts the second in the place of the
//! first, a rollback puts both back to what they were when the transaction began, and a return to a savepoint to what they were then. Layers are shared until they are
//! changed, so a transaction that sets nothing pays two reference counts.

pub mod database;
mod definition;
mod effects;
mod names;
mod style;
mod table;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use effects::{Effects, isolation_name};

use crate::error::{Result, SqlError, state};
use definition::{Definition, Kind, Rule, find};
use godb_mvcc::Isolation;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use value::on_off;

/// The version of PostgreSQL whose behaviour is the reference.
pub(crate) const SERVER_VERSION: &str = "15.0";
const SERVER_VERSION_NUMBER: &str = "150000";

/// What the wiring decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wired {
    /// Bytes of memory that one sort, join or aggregate may use.
    pub(crate) work_mem: usize,
    /// What transactions see of the others.
    pub(crate) isolation: Isolation,
    /// How many sessions there may be.
    pub(crate) max_connections: usize,
    /// How long a lock is waited for.
    pub(crate) lock_timeout: Duration,
}

/// What the transaction that runs now is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    /// What it sees of the others.
    pub(crate) isolation: Isolation,
    /// It only reads.
    pub(crate) read_only: bool,
    /// It waited for a safe snapshot.
    pub(crate) deferrable: bool,
}

/// Values by name: those that are not what they are by default. A custom setting is here under its lower-case name.
type Values = BTreeMap<String, String>;
type Layer = Option<Arc<Values>>;

/// What there was at a moment, to return to.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingsPoint {
    in_force: Layer,
    stay: Layer,
}

/// A session's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    wired: Wired,
    /// The user of the session, and whether everything is allowed to it.
    user: Arc<str>,
    superuser: bool,
    /// What the client asked for when it connected: what RESET goes back to.
    at_start: Layer,
    in_force: Layer,
    stay: Layer,
    /// When the open transaction began.
    began: Option<SettingsPoint>,
    running: Option<Running>,
    effects: Effects,
    changes: u64,
}

impl Settings {
    /// The defaults.
    pub(crate) fn new(wired: Wired) -> Self {
        Self {
            wired,
            user: Arc::from("godb"),
            superuser: true,
            at_start: None,
            in_force: None,
            stay: None,
            began: None,
            running: None,
            effects: Effects::new(&wired),
            changes: 0,
        }
    }

    /// The session belongs to this user.
    pub(crate) fn set_user(&mut self, user: &str, superuser: bool) {
        (self.user, self.superuser) = (Arc::from(user), superuser);
        self.changes += 1;
    }

    /// What those values that the engine heeds come to.
    pub(crate) fn effects(&self) -> &Effects {
        &self.effects
    }

    /// Counts up whenever any value may have changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Sets a value; `None` sets it back to what it was when the session began. `local` is until the end of the transaction.
    ///
    /// # Errors
    /// `42704` when there is no such setting, `22023` when it cannot have that value, `0A000` when only PostgreSQL has it, `55P02` when it cannot be changed.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        let (name, value) = match find(name) {
            Some(definition) => {
                refuse_fixed(definition)?;
                let value = value.map(|value| value::read(definition, value)).transpose()?;
                (definition.name.to_owned(), value)
            }
            None => (self.custom(name, value.is_some())?, value.map(str::to_owned)),
        };
        let value = value.or_else(|| get(&self.at_start, &name).map(str::to_owned));
        put(&mut self.in_force, &name, value.clone());
        if !local {
            put(&mut self.stay, &name, value);
        }
        self.changed();
        Ok(())
    }

    /// Sets what a list of values comes to.
    ///
    /// # Errors
    /// As [`set`](Self::set); `22023` for several values of a setting that takes one.
    pub(crate) fn set_list(&mut self, name: &str, values: &[String], local: bool) -> Result<()> {
        match find(name).map(|definition| definition.kind) {
            Some(Kind::Names) => self.set(name, Some(&names::join(values)), local),
            Some(Kind::DateStyle) => self.set(name, Some(&values.join(", ")), local),
            _ => match values {
                [value] => self.set(name, Some(value), local),
                _ => {
                    let message = format!("SET {name} takes only one argument");
                    Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message))
                }
            },
        }
    }

    /// What a client asks for when it connects: a value that RESET goes back to.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub(crate) fn start_with(&mut self, name: &str, value: &str) -> Result<()> {
        self.set(name, Some(value), false)?;
        let name = find(name).map_or_else(|| name.to_ascii_lowercase(), |found| found.name.to_owned());
        let kept = get(&self.stay, &name).map(str::to_owned);
        put(&mut self.at_start, &name, kept);
        Ok(())
    }

    /// Sets every value back to what it was when the session began.
    pub(crate) fn reset_all(&mut self) {
        let at_start = self.at_start.as_deref().cloned().unwrap_or_default();
        let mut values = at_start.clone();
        // A setting of the client's own stays known, without a value.
        let custom = self.in_force.iter().flat_map(|layer| layer.keys());
        for name in custom.filter(|name| name.contains('.') && !at_start.contains_key(*name)) {
            values.insert(name.clone(), String::new());
        }
        let values = (!values.is_empty()).then(|| Arc::new(values));
        self.in_force.clone_from(&values);
        self.stay = values;
        self.changed();
    }

    /// The value of a setting as text.
    ///
    /// # Errors
    /// `42704` when there is none of that name.
    pub(crate) fn show(&self, name: &str) -> Result<String> {
        self.value(name).ok_or_else(|| unknown(name))
    }

    /// The value of a setting as text; `None` when there is none of that name.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        match find(name) {
            Some(definition) => Some(value::show(definition, &self.kept(definition))),
            None => get(&self.in_force, &name.to_ascii_lowercase()).map(str::to_owned),
        }
    }

    /// The name of a setting as it is spelled, for the column of SHOW.
    pub(crate) fn spelled(name: &str) -> String {
        find(name).map_or_else(|| name.to_ascii_lowercase(), |found| found.name.to_owned())
    }

    /// Name, value and purpose of all settings.
    pub(crate) fn all(&self) -> Vec<[String; 3]> {
        let known = table::TABLE.iter().map(|definition| {
            let value = value::show(definition, &self.kept(definition));
            [definition.name.to_owned(), value, definition.about.to_owned()]
        });
        let mut all: Vec<_> = known.collect();
        let custom = self.in_force.iter().flat_map(|values| values.iter());
        let custom = custom.filter(|(name, _)| name.contains('.'));
        all.extend(custom.map(|(name, value)| [name.clone(), value.clone(), String::new()]));
        all.sort_by_key(|row| row[0].to_ascii_lowercase());
        all
    }

    /// Name and value of those settings that clients are told of.
    pub(crate) fn reported(&self) -> Vec<(&'static str, String)> {
        let reported = table::TABLE.iter().filter(|definition| definition.reported);
        reported
            .map(|one| (one.name, value::show(one, &self.kept(one))))
            .collect()
    }

    /// The value as it is kept.
    fn kept(&self, definition: &Definition) -> String {
        if let Some(value) = get(&self.in_force, definition.name) {
            return value.to_owned();
        }
        let effects = &self.effects;
        let running = self.running.unwrap_or(Running {
            isolation: effects.isolation,
            read_only: effects.read_only,
            deferrable: effects.deferrable,
        });
        match definition.name {
            "default_transaction_isolation" => isolation_name(self.wired.isolation).to_owned(),
            "transaction_isolation" => isolation_name(running.isolation).to_owned(),
            "transaction_read_only" => on_off(running.read_only).to_owned(),
            "transaction_deferrable" => on_off(running.deferrable).to_owned(),
            "lock_timeout" => self.wired.lock_timeout.as_millis().to_string(),
            "work_mem" => (self.wired.work_mem >> 10).to_string(),
            "max_connections" => self.wired.max_connections.to_string(),
            "session_authorization" => self.user.to_string(),
            "is_superuser" => on_off(self.superuser).to_owned(),
            _ => definition.default.to_owned(),
        }
    }

    /// The name of a custom setting, which has a point in it.
    fn custom(&self, name: &str, setting: bool) -> Result<String> {
        let folded = name.to_ascii_lowercase();
        if !folded.contains('.') || !setting && get(&self.in_force, &folded).is_none() {
            return Err(unknown(name));
        }
        let part = |part: &str| {
            let mut characters = part.chars();
            let first = characters.next();
            first.is_some_and(|c| c.is_alphabetic() || c == '_')
                && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '$')
        };
        if folded.split('.').all(part) {
            return Ok(folded);
        }
        let message = format!("invalid configuration parameter name \"{name}\"");
        let detail = "Custom parameter names must be two or more simple identifiers separated by dots.";
        Err(SqlError::new(state::INVALID_NAME, message).detail(detail))
    }

    /// A transaction begins.
    pub(crate) fn begin(&mut self, running: Running) {
        self.began = Some(self.point());
        self.running = Some(running);
    }

    /// The transaction that is open is another now.
    pub(crate) fn runs(&mut self, running: Running) {
        self.running = Some(running);
    }

    /// The transaction has ended.
    pub(crate) fn end(&mut self, committed: bool) {
        self.running = None;
        let Some(began) = self.began.take() else { return };
        if !committed {
            self.return_to(&began);
        } else if !same(&self.in_force, &self.stay) {
            self.in_force.clone_from(&self.stay);
            self.changed();
        }
    }

    /// What there is now.
    pub(crate) fn point(&self) -> SettingsPoint {
        SettingsPoint {
            in_force: self.in_force.clone(),
            stay: self.stay.clone(),
        }
    }

    /// Returns to what there was.
    pub(crate) fn return_to(&mut self, point: &SettingsPoint) {
        if !same(&self.in_force, &point.in_force) || !same(&self.stay, &point.stay) {
            self.in_force.clone_from(&point.in_force);
            self.stay.clone_from(&point.stay);
            self.changed();
        }
    }

    fn changed(&mut self) {
        self.changes += 1;
        self.effects = Effects::of(&self.wired, &self.in_force);
    }
}

fn same(a: &Layer, b: &Layer) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

fn get<'a>(layer: &'a Layer, name: &str) -> Option<&'a str> {
    layer.as_ref()?.get(name).map(String::as_str)
}

fn put(layer: &mut Layer, name: &str, value: Option<String>) {
    let values = Arc::make_mut(layer.get_or_insert_default());
    match value {
        Some(value) => values.insert(name.to_owned(), value),
        None => values.remove(name),
    };
}

/// Refuses what cannot be set.
fn refuse_fixed(definition: &Definition) -> Result<()> {
    let name = definition.name;
    let message = match definition.rule {
        Rule::Fixed => format!("parameter \"{name}\" cannot be changed"),
        Rule::AtStart => format!("parameter \"{name}\" cannot be changed without restarting the server"),
        _ => return Ok(()),
    };
    Err(SqlError::new(state::CANT_CHANGE_RUNTIME_PARAM, message))
}

/// The error for a setting that there is not.
pub(crate) fn unknown(name: &str) -> SqlError {
    let message = format!("unrecognized configuration parameter \"{name}\"");
    SqlError::new(state::UNDEFINED_OBJECT, message)
}
