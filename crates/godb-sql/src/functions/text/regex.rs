//! Regular expressions, and `SIMILAR TO`, which is translated into them.
//!
//! Matching takes time linear in the text, whatever the pattern: the `regex` crate builds automata. That is why references back to
//! groups, which PostgreSQL has, are refused.

use crate::cast::char_count;
use crate::convert::length_i64;
use crate::error::{Result, SqlError, SqlState, state};
use crate::functions::Call;
use crate::functions::call::Strings;
use crate::vector::Column;
use regex::{Captures, Regex, RegexBuilder};

/// An automaton may take this many bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// Groups may be nested this deep.
const DEPTH_LIMIT: u32 = 100;

fn compile(pattern: &str, ignore_case: bool) -> Result<Regex> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .dot_matches_new_line(true)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .nest_limit(DEPTH_LIMIT)
        .build()
        .map_err(|error| invalid(&error))
}

#[cold]
fn invalid(error: &regex::Error) -> SqlError {
    let shown = error.to_string();
    let reason = shown
        .lines()
        .last()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    SqlError::new(SqlState("2201B"), format!("invalid regular expression: {reason}"))
}

/// Compiles patterns, the same one only once.
struct Compiler {
    ignore_case: bool,
    last: Option<(String, Regex)>,
}

impl Compiler {
    fn new(ignore_case: bool) -> Self {
        Self {
            ignore_case,
            last: None,
        }
    }

    fn get(&mut self, pattern: &str) -> Result<&Regex> {
        if self.last.as_ref().is_none_or(|(known, _)| known != pattern) {
            self.last = Some((pattern.to_owned(), compile(pattern, self.ignore_case)?));
        }
        Ok(&self.last.as_ref().expect("compiled above").1)
    }
}

fn test(call: &Call<'_>, ignore_case: bool, negated: bool) -> Result<Column> {
    let (strings, patterns) = (call.strings(0), call.strings(1));
    let mut compiler = Compiler::new(ignore_case);
    call.each_bool(|row| {
        let regex = compiler.get(patterns.text(row)?)?;
        Ok(regex.is_match(strings.text(row)?) != negated)
    })
}

pub(super) fn matches(call: &Call<'_>) -> Result<Column> {
    test(call, false, false)
}

pub(super) fn not_matches(call: &Call<'_>) -> Result<Column> {
    test(call, false, true)
}

pub(super) fn imatches(call: &Call<'_>) -> Result<Column> {
    test(call, true, false)
}

pub(super) fn not_imatches(call: &Call<'_>) -> Result<Column> {
    test(call, true, true)
}

/// What the flags of a call ask for: all matches, and no difference between capitals and small letters.
fn flags(flags: Option<Strings<'_>>, row: usize) -> Result<(bool, bool)> {
    let Some(flags) = flags else {
        return Ok((false, false));
    };
    let text = flags.text(row)?;
    if let Some(unknown) = text.chars().find(|flag| !"gic".contains(*flag)) {
        let message = format!("invalid regular expression option: \"{unknown}\"");
        return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    }
    Ok((text.contains('g'), text.contains('i')))
}

pub(super) fn like(call: &Call<'_>) -> Result<Column> {
    let (strings, patterns, options) = (call.strings(0), call.strings(1), call.strings(2));
    call.each_bool(|row| {
        let (_, ignore_case) = flags(Some(options), row)?;
        Ok(compile(patterns.text(row)?, ignore_case)?.is_match(strings.text(row)?))
    })
}

pub(super) fn replace(call: &Call<'_>) -> Result<Column> {
    let (strings, patterns, news) = (call.strings(0), call.strings(1), call.strings(2));
    let options = call.has(3).then(|| call.strings(3));
    let mut compilers = [Compiler::new(false), Compiler::new(true)];
    call.each_string(|row, out| {
        let (all, ignore_case) = flags(options, row)?;
        let regex = compilers[usize::from(ignore_case)].get(patterns.text(row)?)?;
        let new = news.text(row)?;
        let limit = usize::from(!all);
        let replaced = regex.replacen(strings.text(row)?, limit, |groups: &Captures<'_>| {
            expand(new, groups)
        });
        super::pad::check_size(Some(replaced.len()))?;
        out.extend_from_slice(replaced.as_bytes());
        Ok(())
    })
}

/// The replacement: `\1` stands for a group, `\&` for the whole match.
fn expand(new: &str, groups: &Captures<'_>) -> String {
    let mut expanded = String::with_capacity(new.len());
    let group = |at: usize| groups.get(at).map_or("", |found| found.as_str());
    let mut characters = new.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            expanded.push(character);
            continue;
        }
        match characters.next() {
            Some('&') => expanded.push_str(group(0)),
            Some(digit @ '1'..='9') => expanded.push_str(group(digit as usize - '0' as usize)),
            Some('\\') => expanded.push('\\'),
            Some(other) => expanded.extend(['\\', other]),
            None => expanded.push('\\'),
        }
    }
    expanded
}

pub(super) fn count(call: &Call<'_>) -> Result<Column> {
    let (strings, patterns) = (call.strings(0), call.strings(1));
    let mut compiler = Compiler::new(false);
    call.each_int(|row| {
        let regex = compiler.get(patterns.text(row)?)?;
        Ok(length_i64(regex.find_iter(strings.text(row)?).count()))
    })
}

pub(super) fn first(call: &Call<'_>) -> Result<Column> {
    found(call, |groups| {
        groups.get(0).map(|found| found.as_str().to_owned())
    })
}

/// `substring(text from pattern)`: what the first group matched, or the whole if there is none.
pub(super) fn substring(call: &Call<'_>) -> Result<Column> {
    found(call, |groups| {
        groups
            .get(usize::from(groups.len() > 1))
            .map(|found| found.as_str().to_owned())
    })
}

fn found(call: &Call<'_>, pick: fn(&Captures<'_>) -> Option<String>) -> Result<Column> {
    let (strings, patterns) = (call.strings(0), call.strings(1));
    let mut compiler = Compiler::new(false);
    call.each_string_or_null(|row, out| {
        let regex = compiler.get(patterns.text(row)?)?;
        let part = regex
            .captures(strings.text(row)?)
            .and_then(|groups| pick(&groups));
        out.extend_from_slice(part.as_deref().unwrap_or_default().as_bytes());
        Ok(part.is_some())
    })
}

/// A pattern of `SIMILAR TO` as a regular expression.
pub(super) fn similar(call: &Call<'_>) -> Result<Column> {
    let patterns = call.strings(0);
    let escapes = call.has(1).then(|| call.strings(1));
    call.each_string(|row, out| {
        let escape = match escapes {
            Some(escapes) => escapes.text(row)?,
            None => "\\",
        };
        if char_count(escape.as_bytes()) > 1 {
            return Err(
                SqlError::new(state::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
                    .hint("Escape string must be empty or one character."),
            );
        }
        out.extend_from_slice(translate(patterns.text(row)?, escape.chars().next()).as_bytes());
        Ok(())
    })
}

fn translate(pattern: &str, escape: Option<char>) -> String {
    let mut regex = String::from("^(?:");
    let mut characters = pattern.chars();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            _ if Some(character) == escape => {
                let next = characters.next().unwrap_or('\\');
                regex.push_str(&regex::escape(&next.to_string()));
            }
            ']' if in_class => {
                in_class = false;
                regex.push(']');
            }
            _ if in_class => regex.push(character),
            '[' => {
                in_class = true;
                regex.push('[');
            }
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '.' | '^' | '$' | '\\' => regex.extend(['\\', character]),
            other => regex.push(other),
        }
    }
    regex.push_str(")$");
    regex
}
