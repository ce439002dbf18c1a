//! `search_path`: a list of names of schemas.
//!
//! There is one schema for tables, `public`. A name of another is passed over, as PostgreSQL passes over a schema that is not there. What would
//! take `public` itself out of sight is refused: names would have to be written with it.

use super::value::invalid;
use crate::error::{Result, SqlError};

/// The list as it was written, if it can be had.
pub(super) fn read(name: &str, text: &str) -> Result<String> {
    let names = split(text).ok_or_else(|| invalid(name, text).detail("List syntax is invalid."))?;
    if names.iter().any(|name| name == "public") {
        return Ok(text.to_owned());
    }
    let what = format!("setting {name} to \"{text}\", without the schema public,");
    Err(SqlError::unsupported(what))
}

/// The names in a list, folded to lower case unless they are quoted. `None`: it is no list.
pub(crate) fn split(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let name;
        (name, rest) = match rest.strip_prefix('"') {
            Some(quoted) => until_quote(quoted)?,
            None => {
                let end = rest.find([',', ' ', '"']).unwrap_or(rest.len());
                (rest[..end].to_ascii_lowercase(), &rest[end..])
            }
        };
        if name.is_empty() {
            return None;
        }
        names.push(name);
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(names);
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

/// What stands up to the closing quote, doubled quotes as one, and what follows it.
fn until_quote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"')?;
        name.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

/// Names as a list that [`split`] takes apart again.
pub(super) fn join(names: &[String]) -> String {
    let quoted = |name: &String| {
        let first = name.chars().next();
        let plain = first.is_some_and(|c| c.is_ascii_lowercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if plain {
            name.clone()
        } else {
            format!("\"{}\"", name.replace('"', "\"\""))
        }
    };
    names.iter().map(quoted).collect::<Vec<_>>().join(", ")
}
