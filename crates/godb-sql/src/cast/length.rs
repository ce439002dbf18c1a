//! The lengths of `varchar(n)` and `char(n)`: cutting, refusing, padding.

use crate::error::{Result, SqlError, state};
use crate::types::DataType;
use std::borrow::Cow;

/// How many characters a text has.
#[inline]
pub(crate) fn char_count(text: &[u8]) -> usize {
    // Every byte but those that continue a character begins one.
    text.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

/// The text without blanks at its end.
#[inline]
pub(crate) fn trim_blanks(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |last| last + 1);
    &text[..end]
}

/// The text as type `ty` holds it. Too long a text is cut when that is asked for explicitly; otherwise only blanks may be lost.
pub(crate) fn fit_text(text: &str, ty: DataType, explicit: bool) -> Result<Cow<'_, str>> {
    let (length, pad) = match ty {
        DataType::Varchar(Some(n)) => (n as usize, false),
        DataType::Char(n) => (n as usize, true),
        _ => return Ok(Cow::Borrowed(text)),
    };
    // No text has more characters than bytes.
    if text.len() <= length && !pad {
        return Ok(Cow::Borrowed(text));
    }
    let count = char_count(text.as_bytes());
    if count < length && pad {
        return Ok(Cow::Owned(format!("{text}{}", " ".repeat(length - count))));
    }
    if count <= length {
        return Ok(Cow::Borrowed(text));
    }
    let cut = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
    if explicit || trim_blanks(&text.as_bytes()[cut..]).is_empty() {
        return Ok(Cow::Borrowed(&text[..cut]));
    }
    Err(SqlError::new(
        state::STRING_DATA_RIGHT_TRUNCATION,
        format!("value too long for type {ty}"),
    ))
}
