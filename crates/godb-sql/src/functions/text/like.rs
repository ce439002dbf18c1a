//! `LIKE` and `ILIKE`.
//!
//! A pattern is cut at its percent signs into segments. The first must match where the text begins, the last where it ends, and
//! each of the others is looked for from where the one before ended: the first place is always the best one, so nothing is ever
//! tried twice and the time is bounded by the product of both lengths, whatever the pattern. A constant pattern is cut up once a batch.

use super::case::to_lower;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::vector::Column;

/// One character of a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// This byte.
    Byte(u8),
    /// Any one character.
    Any,
}

/// A run without percent signs.
enum Segment {
    /// Just bytes.
    Plain(Vec<u8>),
    /// With underscores.
    Wild(Vec<Unit>),
}

/// A pattern, cut up.
struct Pattern {
    segments: Vec<Segment>,
    /// Characters are single bytes.
    bytes: bool,
    /// It ends in an escape character. That is an error only for a text that gets so far.
    dangling: bool,
}

impl Pattern {
    fn new(pattern: &[u8], bytes: bool) -> Self {
        let mut segments = Vec::new();
        let mut dangling = false;
        let mut units = Vec::new();
        let mut rest = pattern.iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'%' => segments.push(Segment::new(std::mem::take(&mut units))),
                b'_' => units.push(Unit::Any),
                b'\\' => match rest.next() {
                    Some(byte) => units.push(Unit::Byte(*byte)),
                    None => dangling = true,
                },
                byte => units.push(Unit::Byte(*byte)),
            }
        }
        segments.push(Segment::new(units));
        Self {
            segments,
            bytes,
            dangling,
        }
    }

    fn matches(&self, text: &[u8]) -> Result<bool> {
        let (first, rest) = self.segments.split_first().expect("at least one segment");
        let Some((last, middle)) = rest.split_last() else {
            return match first.at_start(text, self.bytes) {
                Some(end) if self.dangling && end < text.len() => Err(ends_in_escape()),
                end => Ok(!self.dangling && end == Some(text.len())),
            };
        };
        let Some(mut at) = first.at_start(text, self.bytes) else {
            return Ok(false);
        };
        for segment in middle {
            match segment.find(&text[at..], self.bytes) {
                Some(end) => at += end,
                None => return Ok(false),
            }
        }
        let rest = &text[at..];
        if self.dangling {
            return match last.find(rest, self.bytes) {
                Some(end) if end < rest.len() || last.is_any() => Err(ends_in_escape()),
                _ => Ok(false),
            };
        }
        Ok(last.at_end(rest, self.bytes))
    }
}

impl Segment {
    fn new(units: Vec<Unit>) -> Self {
        if units.contains(&Unit::Any) {
            return Self::Wild(units);
        }
        let byte = |unit: &Unit| match unit {
            Unit::Byte(byte) => Some(*byte),
            Unit::Any => None,
        };
        Self::Plain(units.iter().filter_map(byte).collect())
    }

    /// Whether it is nothing but characters of any kind.
    fn is_any(&self) -> bool {
        match self {
            Self::Plain(part) => part.is_empty(),
            Self::Wild(units) => units.iter().all(|unit| *unit == Unit::Any),
        }
    }

    /// How long the match at the beginning is.
    fn at_start(&self, text: &[u8], bytes: bool) -> Option<usize> {
        match self {
            Self::Plain(part) => text.starts_with(part).then_some(part.len()),
            Self::Wild(units) => match_wild(units, text, bytes),
        }
    }

    /// Where the first match ends.
    fn find(&self, text: &[u8], bytes: bool) -> Option<usize> {
        match self {
            Self::Plain(part) => find_plain(text, part).map(|at| at + part.len()),
            Self::Wild(units) => {
                let starts = (0..=text.len()).filter(|at| bytes || is_start(text, *at));
                let mut ends =
                    starts.filter_map(|at| match_wild(units, &text[at..], bytes).map(|end| at + end));
                ends.next()
            }
        }
    }

    fn at_end(&self, text: &[u8], bytes: bool) -> bool {
        match self {
            Self::Plain(part) => text.ends_with(part),
            Self::Wild(units) => {
                let starts = (0..=text.len()).filter(|at| bytes || is_start(text, *at));
                let mut matches =
                    starts.filter(|at| match_wild(units, &text[*at..], bytes) == Some(text.len() - at));
                matches.next().is_some()
            }
        }
    }
}

/// Whether a character begins there.
fn is_start(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| byte & 0xC0 != 0x80)
}

/// How long the match at the beginning is.
fn match_wild(units: &[Unit], text: &[u8], bytes: bool) -> Option<usize> {
    let mut at = 0;
    for unit in units {
        let byte = *text.get(at)?;
        at += match unit {
            Unit::Byte(wanted) if *wanted == byte => 1,
            Unit::Byte(_) => return None,
            Unit::Any if bytes => 1,
            Unit::Any => {
                1 + text[at + 1..]
                    .iter()
                    .take_while(|byte| *byte & 0xC0 == 0x80)
                    .count()
            }
        };
    }
    Some(at)
}

fn find_plain(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some((first, rest)) = part.split_first() else {
        return Some(0);
    };
    let last_start = text.len().checked_sub(part.len())?;
    let mut from = 0;
    while from <= last_start {
        let found = text[from..=last_start].iter().position(|byte| byte == first)?;
        let at = from + found;
        if text[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cold]
fn ends_in_escape() -> SqlError {
    SqlError::new(
        state::INVALID_ESCAPE_SEQUENCE,
        "LIKE pattern must not end with escape character",
    )
}

fn run(call: &Call<'_>, negated: bool, bytes: bool) -> Result<Column> {
    let (strings, patterns) = (call.strings(0), call.strings(1));
    if !patterns.constant {
        return call.each_bool(|row| {
            let pattern = Pattern::new(patterns.bytes(row), bytes);
            Ok(pattern.matches(strings.bytes(row))? != negated)
        });
    }
    let pattern = Pattern::new(patterns.bytes(0), bytes);
    call.each_bool(|row| Ok(pattern.matches(strings.bytes(row))? != negated))
}

pub(super) fn like(call: &Call<'_>) -> Result<Column> {
    run(call, false, false)
}

pub(super) fn not_like(call: &Call<'_>) -> Result<Column> {
    run(call, true, false)
}

pub(super) fn like_bytes(call: &Call<'_>) -> Result<Column> {
    run(call, false, true)
}

pub(super) fn not_like_bytes(call: &Call<'_>) -> Result<Column> {
    run(call, true, true)
}

fn lowered(text: &str) -> String {
    text.chars().map(to_lower).collect()
}

fn run_ignoring_case(call: &Call<'_>, negated: bool) -> Result<Column> {
    let (strings, patterns) = (call.strings(0), call.strings(1));
    let lower = |row| Ok::<_, SqlError>(Pattern::new(lowered(patterns.text(row)?).as_bytes(), false));
    let constant = patterns.constant.then(|| lower(0)).transpose()?;
    call.each_bool(|row| {
        let text = lowered(strings.text(row)?);
        let matches = match &constant {
            Some(pattern) => pattern.matches(text.as_bytes())?,
            None => lower(row)?.matches(text.as_bytes())?,
        };
        Ok(matches != negated)
    })
}

pub(super) fn ilike(call: &Call<'_>) -> Result<Column> {
    run_ignoring_case(call, false)
}

pub(super) fn not_ilike(call: &Call<'_>) -> Result<Column> {
    run_ignoring_case(call, true)
}

/// A pattern with another escape character, as one with backslashes.
pub(super) fn escape(call: &Call<'_>) -> Result<Column> {
    let (patterns, escapes) = (call.strings(0), call.strings(1));
    call.each_string(|row, out| {
        let mut escape = escapes.text(row)?.chars();
        let (escape, more) = (escape.next(), escape.next());
        if more.is_some() {
            return Err(
                SqlError::new(state::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
                    .hint("Escape string must be empty or one character."),
            );
        }
        let mut after_escape = false;
        for character in patterns.text(row)?.chars() {
            if Some(character) == escape && !after_escape {
                out.push(b'\\');
                after_escape = true;
                continue;
            }
            if character == '\\' && !after_escape {
                out.push(b'\\');
            }
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            after_escape = false;
        }
        Ok(())
    })
}
