//! Arrays as text: `{a,"b c",NULL}`. It is also how they lie in columns, each value written in one way only, so that equal arrays are equal bytes.

use super::{from_text, invalid_syntax, to_text};
use crate::error::{Result, SqlError, state};
use crate::types::{DataType, Element};

/// The array as it is written in one way only.
///
/// # Errors
/// `22P02` for what is no array of one dimension, and what an element is refused with.
pub(crate) fn canonical(text: &str, element: Element) -> Result<String> {
    let ty = element.data_type();
    let items = items(text, DataType::Array(element))?;
    let items = items.into_iter().map(|item| match item {
        None => Ok(None),
        Some(item) => Ok(Some(to_text(&from_text(&item, ty)?, ty))),
    });
    Ok(write(&items.collect::<Result<Vec<_>>>()?))
}

/// Writes an array of these elements.
pub(crate) fn write(items: &[Option<String>]) -> String {
    let shown = items.iter().map(|item| match item {
        None => "NULL".to_owned(),
        Some(item) if is_plain(item) => item.clone(),
        Some(item) => format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\"")),
    });
    format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
}

/// Whether an element needs no quotes.
fn is_plain(item: &str) -> bool {
    let special = |c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_whitespace();
    !item.is_empty() && !item.contains(special) && !item.eq_ignore_ascii_case("null")
}

/// The elements of an array, each as text.
///
/// # Errors
/// `22P02`
pub(crate) fn items(text: &str, ty: DataType) -> Result<Vec<Option<String>>> {
    let wrong = || malformed(text);
    let inner = text.trim();
    let inner = inner
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(wrong)?;
    let mut found = Vec::new();
    let mut rest = inner.trim();
    if rest.is_empty() {
        return Ok(found);
    }
    loop {
        let item;
        (item, rest) = element(rest).ok_or_else(wrong)?;
        found.push(item);
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None if rest.is_empty() => return Ok(found),
            None if rest.starts_with('{') => return Err(invalid_syntax(ty, text.as_bytes())),
            None => return Err(wrong()),
        }
    }
}

/// The first element of a list, and what follows it.
fn element(text: &str) -> Option<(Option<String>, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let item = text[..end].trim_end();
        let broken = item.is_empty() || item.contains(['{', '}', '"', '\\']);
        let item = (!item.eq_ignore_ascii_case("null")).then(|| item.to_owned());
        return (!broken).then_some((item, &text[end..]));
    };
    let mut item = String::new();
    loop {
        let at = rest.find(['"', '\\'])?;
        item.push_str(&rest[..at]);
        let escaped = rest[at..].starts_with('\\');
        rest = &rest[at + 1..];
        if !escaped {
            return Some((Some(item), rest));
        }
        let next = rest.chars().next()?;
        item.push(next);
        rest = &rest[next.len_utf8()..];
    }
}

fn malformed(text: &str) -> SqlError {
    SqlError::new(
        state::INVALID_TEXT_REPRESENTATION,
        format!("malformed array literal: \"{text}\""),
    )
}
