//! Time zones: offsets from UTC and the usual abbreviations.

use crate::error::{Result, SqlError, SqlState, state};

/// Abbreviations and their offsets in seconds east of UTC.
const ABBREVIATIONS: &[(&str, i64)] = &[
    ("z", 0),
    ("zulu", 0),
    ("utc", 0),
    ("ut", 0),
    ("uct", 0),
    ("gmt", 0),
    ("wet", 0),
    ("west", 3600),
    ("bst", 3600),
    ("cet", 3600),
    ("met", 3600),
    ("cest", 7200),
    ("eet", 7200),
    ("eest", 10_800),
    ("msk", 10_800),
    ("ist", 7200),
    ("jst", 32_400),
    ("kst", 32_400),
    ("nzst", 43_200),
    ("nzdt", 46_800),
    ("aest", 36_000),
    ("awst", 28_800),
    ("est", -18_000),
    ("edt", -14_400),
    ("cst", -21_600),
    ("cdt", -18_000),
    ("mst", -25_200),
    ("mdt", -21_600),
    ("pst", -28_800),
    ("pdt", -25_200),
    ("akst", -32_400),
    ("akdt", -28_800),
    ("hst", -36_000),
    ("ast", -14_400),
    ("adt", -10_800),
];

/// No zone is farther than this from UTC, in hours.
const MAX_HOURS: i64 = 15;

/// The offset in seconds east of UTC that an abbreviation means.
pub(crate) fn abbreviation(word: &str) -> Option<i64> {
    let known = ABBREVIATIONS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    known.map(|(_, offset)| *offset)
}

/// Reads `+05`, `-0530`, `+05:30`, `+05:30:15`: the offset in seconds east of UTC. `None`: not written so.
pub(crate) fn offset(text: &[u8]) -> Option<Result<i64>> {
    let (sign, digits) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let text = std::str::from_utf8(digits).ok()?;
    let parts: Vec<&str> = text.split(':').collect();
    let number = |part: &str| -> Option<i64> {
        let digits = !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let (hours, minutes, seconds) = match parts.as_slice() {
        [all] if all.len() > 4 => (
            number(&all[..all.len() - 4])?,
            number(&all[all.len() - 4..all.len() - 2])?,
            number(&all[all.len() - 2..])?,
        ),
        [all] if all.len() > 2 => (number(&all[..all.len() - 2])?, number(&all[all.len() - 2..])?, 0),
        [hours] => (number(hours)?, 0, 0),
        [hours, minutes] => (number(hours)?, number(minutes)?, 0),
        [hours, minutes, seconds] => (number(hours)?, number(minutes)?, number(seconds)?),
        _ => return None,
    };
    if hours > MAX_HOURS || minutes > 59 || seconds > 59 {
        return Some(Err(out_of_range()));
    }
    Some(Ok(sign * (hours * 3600 + minutes * 60 + seconds)))
}

#[cold]
fn out_of_range() -> SqlError {
    SqlError::new(SqlState("22009"), "time zone displacement out of range")
}

/// The offset in seconds east of UTC of a zone as `AT TIME ZONE` names it.
///
/// A bare offset there counts westwards, as POSIX has it.
pub(crate) fn named(name: &str) -> Result<i64> {
    let trimmed = name.trim();
    if let Some(offset) = abbreviation(trimmed) {
        return Ok(offset);
    }
    if let Some(offset) = offset(trimmed.as_bytes()) {
        return offset.map(|seconds| -seconds);
    }
    if ["etc/utc", "etc/gmt", "universal"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(trimmed))
    {
        return Ok(0);
    }
    if trimmed.contains('/') {
        return Err(SqlError::unsupported(format!(
            "time zone \"{name}\" (only offsets and abbreviations)"
        )));
    }
    Err(SqlError::new(
        state::INVALID_PARAMETER_VALUE,
        format!("time zone \"{name}\" not recognized"),
    ))
}
