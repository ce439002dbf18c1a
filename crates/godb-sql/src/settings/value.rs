//! Reading and showing the values of settings, as PostgreSQL does.

use super::definition::{Definition, Kind, Rule, Unit};
use crate::error::{Result, SqlError, state};

/// Names of units and how many of the setting's own unit one of them is, as a fraction, from the largest.
type Units = &'static [(&'static str, f64)];

const MEMORY: Units = &[
    ("TB", 1_073_741_824.0),
    ("GB", 1_048_576.0),
    ("MB", 1024.0),
    ("kB", 1.0),
    ("B", 1.0 / 1024.0),
];
const TIME: Units = &[
    ("d", 86_400_000.0),
    ("h", 3_600_000.0),
    ("min", 60_000.0),
    ("s", 1000.0),
    ("ms", 1.0),
    ("us", 0.001),
];

fn units(unit: Unit) -> Units {
    match unit {
        Unit::None => &[],
        Unit::Millis => TIME,
        Unit::Kilobytes => MEMORY,
    }
}

/// The value in the form in which it is kept: numbers in the setting's unit, words as the table spells them.
///
/// # Errors
/// `22023` for a value that the setting cannot have, `0A000` for one that it can have in PostgreSQL only.
pub(super) fn read(definition: &Definition, text: &str) -> Result<String> {
    let value = match definition.kind {
        Kind::Bool => boolean(text)
            .map(|on| on_off(on).to_owned())
            .ok_or_else(|| not_boolean(definition.name))?,
        Kind::Int(unit, least, most) => integer(definition.name, unit, (least, most), text)?,
        Kind::Enum(words) => one_of(definition.name, words, text)?,
        Kind::Text => text.to_owned(),
        Kind::Names => super::names::read(definition.name, text)?,
        Kind::DateStyle => return super::style::read_date_style(text).map(super::style::show_date_style),
        Kind::TimeZone => super::style::read_zone(text)?,
        Kind::Encoding => encoding(definition.name, text)?,
    };
    if let Rule::Only(values) = definition.rule
        && !values.iter().any(|only| only.eq_ignore_ascii_case(&value))
    {
        let what = format!("setting {} to \"{text}\"", definition.name);
        return Err(SqlError::unsupported(what));
    }
    Ok(value)
}

/// A kept value as SHOW shows it: numbers in the largest unit that leaves no fraction.
pub(super) fn show(definition: &Definition, value: &str) -> String {
    let Kind::Int(unit, ..) = definition.kind else {
        return value.to_owned();
    };
    let number: i64 = value.parse().unwrap_or(0);
    if number <= 0 {
        return number.to_string();
    }
    let exact = |factor: f64| {
        let factor = crate::convert::whole_i64(factor);
        (factor > 0 && number % factor == 0).then(|| number / factor)
    };
    units(unit)
        .iter()
        .find_map(|(name, factor)| exact(*factor).map(|count| format!("{count}{name}")))
        .unwrap_or_else(|| number.to_string())
}

/// "on" or "off".
pub(super) fn on_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

/// PostgreSQL takes every beginning of these words that is no beginning of another.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    match text.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if begins("true", 1) || begins("yes", 1) || begins("on", 2) => Some(true),
        _ if begins("false", 1) || begins("no", 1) || begins("off", 2) => Some(false),
        _ => None,
    }
}

fn not_boolean(name: &str) -> SqlError {
    let message = format!("parameter \"{name}\" requires a Boolean value");
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

/// The error for a value that the setting cannot have.
pub(super) fn invalid(name: &str, value: &str) -> SqlError {
    let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

fn one_of(name: &str, words: &[&str], text: &str) -> Result<String> {
    match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        Some(word) => Ok((*word).to_owned()),
        None => match boolean(text) {
            // Some have "on" and "off" among their words, which can be said in other ways.
            Some(on) if words.contains(&on_off(on)) => Ok(on_off(on).to_owned()),
            _ => Err(invalid(name, text).hint(format!("Available values: {}.", words.join(", ")))),
        },
    }
}

fn integer(name: &str, unit: Unit, (least, most): (i64, i64), text: &str) -> Result<String> {
    let refused = || invalid(name, text);
    let (number, suffix) = split(text).ok_or_else(refused)?;
    let value = if suffix.is_empty() {
        number
    } else {
        let units = units(unit);
        let at = units.iter().position(|(name, _)| *name == suffix);
        let at = at.ok_or_else(|| match unit {
            Unit::None => refused(),
            Unit::Millis => refused()
                .hint("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."),
            Unit::Kilobytes => refused()
                .hint("Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."),
        })?;
        // A fraction is rounded to the next smaller unit first: 1.1 MB are whole kilobytes.
        let exact = number * units[at].1;
        match units.get(at + 1) {
            Some((_, smaller)) if number.fract() != 0.0 => (exact / smaller).round_ties_even() * smaller,
            _ => exact,
        }
    };
    let value = value.round_ties_even();
    if value.abs() > f64::from(i32::MAX) + 1.0 {
        return Err(refused().hint("Value exceeds integer range."));
    }
    let value = crate::convert::whole_i64(value);
    if (least..=most).contains(&value) {
        return Ok(value.to_string());
    }
    let shown = match unit {
        Unit::None => "",
        Unit::Millis => " ms",
        Unit::Kilobytes => " kB",
    };
    let message =
        format!("{value}{shown} is outside the valid range for parameter \"{name}\" ({least} .. {most})");
    Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message))
}

/// A number, decimal or hexadecimal, and what stands behind it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        let number = i64::from_str_radix(&hex[..end], 16).ok()?;
        return Some((sign * crate::convert::near_f64(number), hex[end..].trim()));
    }
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(digits.len());
    let number: f64 = digits[..end].parse().ok()?;
    Some((sign * number, digits[end..].trim()))
}

/// Encodings by their names, of which letters and digits count.
fn encoding(name: &str, text: &str) -> Result<String> {
    const KNOWN: &[&str] = &[
        "SQL_ASCII",
        "EUC_JP",
        "EUC_CN",
        "EUC_KR",
        "EUC_TW",
        "LATIN1",
        "LATIN2",
        "LATIN3",
        "LATIN4",
        "LATIN5",
        "LATIN6",
        "LATIN7",
        "LATIN8",
        "LATIN9",
        "LATIN10",
        "WIN1250",
        "WIN1251",
        "WIN1252",
        "WIN1253",
        "WIN1254",
        "WIN1255",
        "WIN1256",
        "WIN1257",
        "WIN1258",
        "WIN866",
        "WIN874",
        "KOI8R",
        "KOI8U",
        "ISO_8859_5",
        "ISO_8859_6",
        "ISO_8859_7",
        "ISO_8859_8",
        "SJIS",
        "BIG5",
        "GBK",
        "UHC",
        "GB18030",
        "JOHAB",
    ];
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(char::is_ascii_alphanumeric);
        kept.map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = plain(text);
    if ["utf8", "unicode"].contains(&wanted.as_str()) {
        return Ok("UTF8".to_owned());
    }
    match KNOWN.iter().find(|known| plain(known) == wanted) {
        Some(known) => Ok((*known).to_owned()),
        None => Err(invalid(name, text)),
    }
}
