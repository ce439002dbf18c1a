//! Settings of the whole database that can be changed while it is open: `SET godb.checkpoint_interval = '30s'`.
//!
//! They belong to nobody's session. A change counts at once, for everybody, and until the database is closed; it is no part of a transaction, so ROLLBACK leaves it.
//! What they mean is known above and below this crate; here is how they are written. Whoever wires the layers gives a [`DatabaseSettings`] that keeps the numbers.

use super::definition::Kind::Int;
use super::definition::Rule::Acts;
use super::definition::Unit::{Kilobytes, Millis, None as Plain};
use super::definition::{Definition, Kind};
use super::value;
use crate::error::{Result, SqlError, state};

/// What the names of all of them begin with.
const PREFIX: &str = "godb.";

/// Which setting is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatabaseSetting {
    /// Milliseconds between checkpoints while there are changes.
    CheckpointInterval,
    /// Units of 1024 bytes of log between checkpoints.
    CheckpointLogSize,
    /// The share of free pages, in percent, at which the file is compacted; zero is never.
    CompactionThreshold,
    /// Milliseconds that a lock is waited for.
    LockTimeout,
    /// Units of 1024 bytes a second that are read in search of rotten pages; zero is never.
    ScrubRate,
}

/// Keeps the numbers of an open database.
pub trait DatabaseSettings: Send + Sync {
    /// The value now; `None` when this database has no such setting.
    fn get(&self, setting: DatabaseSetting) -> Option<i64>;
    /// The value that it was opened with.
    fn opened_with(&self, setting: DatabaseSetting) -> Option<i64>;
    /// Changes it, with immediate effect. The value is within its bounds.
    ///
    /// # Errors
    /// Why this database cannot have that value.
    fn set(&self, setting: DatabaseSetting, value: i64) -> Result<()>;
}

/// A setting as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSetting {
    /// Its name, without what all begin with.
    pub name: &'static str,
    /// Its value, with a unit.
    pub value: String,
    /// The value that the database was opened with.
    pub opened_with: String,
    /// The unit of numbers without one; none for a plain number.
    pub unit: Option<&'static str>,
    /// The least and the greatest value, in that unit.
    pub bounds: (i64, i64),
    /// What it does.
    pub about: &'static str,
}

const MAX: i64 = i32::MAX as i64;

const fn d(name: &'static str, kind: Kind, about: &'static str) -> Definition {
    Definition::new(name, kind, Acts, "", about)
}

#[rustfmt::skip]
static TABLE: &[(DatabaseSetting, Definition)] = &[
    (DatabaseSetting::CheckpointInterval, d("checkpoint_interval", Int(Millis, 10, MAX), "The most time between checkpoints while there are changes.")),
    (DatabaseSetting::CheckpointLogSize, d("checkpoint_log_size", Int(Kilobytes, 64, MAX), "The most log between checkpoints: what a restart after a crash may have to read.")),
    (DatabaseSetting::CompactionThreshold, d("compaction_threshold", Int(Plain, 0, 100), "The share of free pages, in percent, at which the file is compacted; 0 is never, and 1 to 19 are refused.")),
    (DatabaseSetting::LockTimeout, d("lock_timeout", Int(Millis, 0, MAX), "How long a lock is waited for where the session does not say.")),
    (DatabaseSetting::ScrubRate, d("scrub_rate", Int(Kilobytes, 0, MAX), "How much is read each second in search of pages that rotted unnoticed; 0 is nothing.")),
];

/// Whether a name is one of these, known or not: they all begin alike.
pub(crate) fn is_one(name: &str) -> bool {
    name.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn find(name: &str) -> Option<&'static (DatabaseSetting, Definition)> {
    let name = if is_one(name) { &name[PREFIX.len()..] } else { name };
    TABLE.iter().find(|(_, one)| one.name.eq_ignore_ascii_case(name))
}

fn unknown(name: &str) -> SqlError {
    let message = format!("unrecognized configuration parameter \"{name}\"");
    let names: Vec<&str> = TABLE.iter().map(|(_, one)| one.name).collect();
    SqlError::new(state::UNDEFINED_OBJECT, message)
        .hint(format!("Settings of the database are: {}.", names.join(", ")))
}

/// Changes a setting of an open database; `None` goes back to the value that it was opened with. The name may begin with `godb.`; a number may have a unit.
///
/// # Errors
/// `42704` when there is no such setting, `22023` when it cannot have that value.
pub fn set(database: &dyn DatabaseSettings, name: &str, text: Option<&str>) -> Result<()> {
    let (setting, definition) = find(name).ok_or_else(|| unknown(name))?;
    let value = match text {
        None => database.opened_with(*setting).ok_or_else(|| unknown(name))?,
        Some(text) => {
            let invalid = || value::invalid(definition.name, text);
            value::read(definition, text)?.parse().map_err(|_| invalid())?
        }
    };
    database.set(*setting, value)
}

/// The value of a setting as text, with its unit.
///
/// # Errors
/// `42704` when there is no such setting.
pub fn show(database: &dyn DatabaseSettings, name: &str) -> Result<String> {
    let found = find(name).and_then(|(setting, definition)| Some((database.get(*setting)?, definition)));
    let (number, definition) = found.ok_or_else(|| unknown(name))?;
    Ok(value::show(definition, &number.to_string()))
}

/// All that a database has.
pub fn all(database: &dyn DatabaseSettings) -> Vec<ShownSetting> {
    let shown = |(setting, definition): &'static (DatabaseSetting, Definition)| {
        let text = |number: i64| value::show(definition, &number.to_string());
        let (unit, bounds) = match definition.kind {
            Int(Millis, least, most) => (Some("ms"), (least, most)),
            Int(Kilobytes, least, most) => (Some("kB"), (least, most)),
            Int(Plain, least, most) => (None, (least, most)),
            _ => return None,
        };
        Some(ShownSetting {
            name: definition.name,
            value: text(database.get(*setting)?),
            opened_with: text(database.opened_with(*setting)?),
            unit,
            bounds,
            about: definition.about,
        })
    };
    TABLE.iter().filter_map(shown).collect()
}

/// A database without any: an engine of somebody else's.
pub(crate) struct NoSettings;

impl DatabaseSettings for NoSettings {
    fn get(&self, _setting: DatabaseSetting) -> Option<i64> {
        None
    }

    fn opened_with(&self, _setting: DatabaseSetting) -> Option<i64> {
        None
    }

    fn set(&self, _setting: DatabaseSetting, _value: i64) -> Result<()> {
        Err(SqlError::unsupported(
            "changing this setting of an engine that is not godb's own",
        ))
    }
}
