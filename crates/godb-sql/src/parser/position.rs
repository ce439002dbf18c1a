//! Positions: from a token's line and column to the character position that PostgreSQL's clients show a caret at.

use sqlparser::tokenizer::Location;

/// The character position, from 1, of a line and column. A location of zeros, or beyond the end, means the end of the text.
#[must_use]
pub fn position_of(sql: &str, location: Location) -> usize {
    let end = || sql.chars().count() + 1;
    if location.line == 0 {
        return end();
    }
    let (mut line, mut column) = (1_u64, 1_u64);
    for (index, character) in sql.chars().enumerate() {
        if (line, column) == (location.line, location.column) {
            return index + 1;
        }
        if character == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    end()
}

/// The token that begins at a character position, as it is written: what "at or near" shows. `None` at the end of the text.
pub(super) fn token_at(sql: &str, position: usize) -> Option<&str> {
    let start = sql.char_indices().nth(position.checked_sub(1)?)?.0;
    let rest = &sql[start..];
    let mut characters = rest.char_indices();
    let (_, first) = characters.next()?;
    let end = match first {
        '\'' | '"' => quoted_end(rest, first),
        c if c.is_alphanumeric() || c == '_' || c == '$' => rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$' || c == '.'))
            .unwrap_or(rest.len()),
        c => c.len_utf8(),
    };
    Some(&rest[..end])
}

fn quoted_end(rest: &str, quote: char) -> usize {
    rest[1..].find(quote).map_or(rest.len(), |at| at + 2)
}

/// Splits " at Line: 3, Column: 9" off a message.
pub(super) fn split_location(message: &str) -> (&str, Option<Location>) {
    let Some((said, place)) = message.rsplit_once(" at Line: ") else {
        return (message, None);
    };
    let Some((line, column)) = place.split_once(", Column: ") else {
        return (message, None);
    };
    match (line.parse(), column.trim().parse()) {
        (Ok(line), Ok(column)) => (said, Some(Location::new(line, column))),
        _ => (message, None),
    }
}
