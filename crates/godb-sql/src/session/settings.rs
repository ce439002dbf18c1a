//! [`Settings`]: what SET changes and SHOW shows.

use crate::error::{Result, SqlError, state};
use godb_mvcc::Isolation;
use std::collections::BTreeMap;
use std::time::Duration;

/// A session's settings.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// How long a statement may run; `None` is without limit.
    pub(super) statement_timeout: Option<Duration>,
    /// Bytes of memory that one sort, join or aggregate may use.
    pub(super) work_mem: usize,
    /// What transactions see of the others, unless they say otherwise.
    pub(super) isolation: Isolation,
    /// Transactions only read, unless they say otherwise.
    pub(super) read_only: bool,
    /// Serializable transactions that only read wait for a safe snapshot, unless they say otherwise.
    pub(super) deferrable: bool,
    /// Settings that clients make and read back, and that have no other effect here: their only accepted values have none. Only those that were made are here, for
    /// every transaction of the key-value API has a session.
    other: BTreeMap<&'static str, String>,
}

/// Settings that are accepted as they are.
const FREE: &[(&str, &str)] = &[
    ("application_name", ""),
    ("search_path", "\"$user\", public"),
    ("extra_float_digits", "1"),
    ("client_min_messages", "notice"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
];

/// Settings of which only one value is supported.
const FIXED: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("server_encoding", "UTF8"),
    ("datestyle", "ISO, MDY"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("standard_conforming_strings", "on"),
    ("bytea_output", "hex"),
    ("integer_datetimes", "on"),
    ("server_version", "15.0"),
    ("server_version_num", "150000"),
    ("row_security", "on"),
    ("escape_string_warning", "on"),
    ("synchronous_commit", "on"),
];

impl Settings {
    /// The defaults.
    pub(super) fn new(work_mem: usize, isolation: Isolation) -> Self {
        Self {
            statement_timeout: None,
            work_mem,
            isolation,
            read_only: false,
            deferrable: false,
            other: BTreeMap::new(),
        }
    }

    /// Sets `name`; `None` sets it back to its default, as `defaults` has it.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>, defaults: &Self) -> Result<()> {
        let name = name.to_ascii_lowercase();
        match (name.as_str(), value) {
            ("statement_timeout", Some(value)) => {
                let time = duration(value).ok_or_else(|| invalid(&name, value))?;
                self.statement_timeout = (!time.is_zero()).then_some(time);
            }
            ("statement_timeout", None) => self.statement_timeout = defaults.statement_timeout,
            ("work_mem", Some(value)) => {
                let bytes = memory(value).filter(|&bytes| bytes >= 64 << 10);
                self.work_mem = bytes.ok_or_else(|| invalid(&name, value))?;
            }
            ("work_mem", None) => self.work_mem = defaults.work_mem,
            ("default_transaction_isolation", Some(value)) => {
                self.isolation = isolation(value).ok_or_else(|| invalid(&name, value))?;
            }
            ("default_transaction_isolation", None) => self.isolation = defaults.isolation,
            ("default_transaction_read_only", Some(value)) => {
                self.read_only = boolean(value).ok_or_else(|| invalid(&name, value))?;
            }
            ("default_transaction_read_only", None) => self.read_only = defaults.read_only,
            ("default_transaction_deferrable", Some(value)) => {
                self.deferrable = boolean(value).ok_or_else(|| invalid(&name, value))?;
            }
            ("default_transaction_deferrable", None) => self.deferrable = defaults.deferrable,
            (other, value) => return self.set_other(other, value),
        }
        Ok(())
    }

    fn set_other(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        if let Some((name, _)) = FREE.iter().find(|(free, _)| *free == name) {
            match value {
                Some(value) => self.other.insert(name, value.to_owned()),
                None => self.other.remove(name),
            };
            return Ok(());
        }
        let Some((_, only)) = FIXED.iter().find(|(fixed, _)| *fixed == name) else {
            return Err(unknown(name));
        };
        let same = |value: &str| {
            let plain = |text: &str| text.to_ascii_lowercase().replace(['-', ' '], "");
            let (value, only) = (plain(value), plain(only));
            value == only
                || value == "utf8" && only == "utf8"
                || name == "datestyle" && value == "iso"
                || only == "on" && boolean(&value) == Some(true)
        };
        match value {
            Some(value) if !same(value) => {
                Err(SqlError::unsupported(format!("setting {name} to \"{value}\"")))
            }
            _ => Ok(()),
        }
    }

    /// The value of a setting as text.
    pub(super) fn show(&self, name: &str) -> Result<String> {
        let name = name.to_ascii_lowercase();
        Ok(match name.as_str() {
            "statement_timeout" => self
                .statement_timeout
                .map_or("0".to_owned(), |time| format!("{}ms", time.as_millis())),
            "work_mem" => format!("{}kB", self.work_mem >> 10),
            "default_transaction_isolation" => isolation_name(self.isolation).to_owned(),
            "default_transaction_read_only" => on_off(self.read_only).to_owned(),
            "default_transaction_deferrable" => on_off(self.deferrable).to_owned(),
            other => match self.other.get(other) {
                Some(value) => value.clone(),
                None => default_of(other).ok_or_else(|| unknown(other))?.to_owned(),
            },
        })
    }

    /// The names of all settings, sorted.
    pub(super) fn names() -> Vec<&'static str> {
        let own = [
            "statement_timeout",
            "work_mem",
            "default_transaction_isolation",
            "default_transaction_read_only",
            "default_transaction_deferrable",
        ];
        let others = FREE.iter().chain(FIXED).map(|(name, _)| *name);
        let mut names: Vec<_> = own.into_iter().chain(others).collect();
        names.sort_unstable();
        names
    }
}

/// The value that a setting without effect has when nobody has set it.
fn default_of(name: &str) -> Option<&'static str> {
    let setting = FREE.iter().chain(FIXED).find(|(known, _)| *known == name);
    setting.map(|(_, value)| *value)
}

fn unknown(name: &str) -> SqlError {
    SqlError::new(
        state::UNDEFINED_OBJECT,
        format!("unrecognized configuration parameter \"{name}\""),
    )
}

fn invalid(name: &str, value: &str) -> SqlError {
    SqlError::new(
        state::INVALID_PARAMETER_VALUE,
        format!("invalid value for parameter \"{name}\": \"{value}\""),
    )
}

/// "on" or "off".
pub(super) fn on_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "t" => Some(true),
        "off" | "false" | "no" | "0" | "f" => Some(false),
        _ => None,
    }
}

/// The name of an isolation level in PostgreSQL.
pub(super) fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    }
}

fn isolation(name: &str) -> Option<Isolation> {
    match name.to_ascii_lowercase().as_str() {
        "read committed" | "read uncommitted" => Some(Isolation::ReadCommitted),
        "repeatable read" => Some(Isolation::RepeatableRead),
        "serializable" => Some(Isolation::Serializable),
        _ => None,
    }
}

/// A number and the unit behind it.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..digits].parse().ok()?, text[digits..].trim()))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let millis = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

fn memory(text: &str) -> Option<usize> {
    let (number, unit) = split_unit(text)?;
    let bytes: u64 = match unit {
        "B" => 1,
        "" | "kB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    usize::try_from(number.checked_mul(bytes)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_units() {
        let defaults = Settings::new(64 << 20, Isolation::RepeatableRead);
        let mut settings = defaults.clone();
        settings.set("work_mem", Some("1MB"), &defaults).unwrap();
        settings.set("Statement_Timeout", Some("2s"), &defaults).unwrap();
        assert_eq!(
            (settings.work_mem, settings.statement_timeout),
            (1 << 20, Some(Duration::from_secs(2)))
        );
        assert_eq!(settings.show("work_mem").unwrap(), "1024kB");
        settings.set("work_mem", None, &defaults).unwrap();
        assert_eq!(settings.work_mem, 64 << 20);
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        let defaults = Settings::new(64 << 20, Isolation::RepeatableRead);
        let mut settings = defaults.clone();
        settings.set("timezone", Some("utc"), &defaults).unwrap();
        settings.set("client_encoding", Some("UTF-8"), &defaults).unwrap();
        assert_eq!(
            settings
                .set("timezone", Some("Europe/Rome"), &defaults)
                .unwrap_err()
                .state
                .0,
            "0A000"
        );
        assert_eq!(
            settings.set("fsync", Some("off"), &defaults).unwrap_err().state.0,
            "42704"
        );
    }
}
