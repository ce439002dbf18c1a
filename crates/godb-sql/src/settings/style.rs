//! `DateStyle` and `TimeZone`: settings about how times are written.

use super::value::invalid;
use crate::error::{Result, SqlError};

/// The output format and the order of day and month.
pub(super) type DateStyle = (&'static str, &'static str);

/// Reads a date style. What it does not say stays as it is by default.
pub(super) fn read_date_style(text: &str) -> Result<DateStyle> {
    let (mut format, mut order) = ("ISO", "MDY");
    let words = super::names::split(text)
        .ok_or_else(|| invalid("DateStyle", text).detail("List syntax is invalid."))?;
    for word in words {
        let begins = |name: &str, least: usize| word.len() >= least && name.starts_with(word.as_str());
        match word.as_str() {
            "iso" => format = "ISO",
            "sql" => format = "SQL",
            "german" => format = "German",
            word if word.starts_with("postgres") => format = "Postgres",
            "ymd" => order = "YMD",
            "dmy" => order = "DMY",
            "mdy" | "us" => order = "MDY",
            _ if begins("european", 4) => order = "DMY",
            _ if begins("noneuropean", 5) => order = "MDY",
            "default" => (format, order) = ("ISO", "MDY"),
            other => {
                return Err(invalid("DateStyle", text).detail(format!("Unrecognized key word: \"{other}\".")));
            }
        }
    }
    if (format, order) != ("ISO", "MDY") {
        return Err(SqlError::unsupported(format!("setting DateStyle to \"{text}\"")));
    }
    Ok((format, order))
}

/// As SHOW shows it.
pub(super) fn show_date_style((format, order): DateStyle) -> String {
    format!("{format}, {order}")
}

/// Reads a time zone: UTC by any of its names.
pub(super) fn read_zone(text: &str) -> Result<String> {
    const UTC: &[&str] = &[
        "UTC",
        "GMT",
        "Etc/UTC",
        "Etc/GMT",
        "UCT",
        "Universal",
        "Zulu",
        "Etc/Universal",
        "Etc/Zulu",
    ];
    match UTC.iter().find(|name| name.eq_ignore_ascii_case(text)) {
        Some(name) => Ok((*name).to_owned()),
        None if ["0", "+0", "+00", "+00:00", "-0", "00:00:00"].contains(&text) => Ok("UTC".to_owned()),
        None => Err(SqlError::unsupported(format!("setting TimeZone to \"{text}\""))),
    }
}
