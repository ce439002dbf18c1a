//! How long files and functions are.

use proc_macro2::{Delimiter, TokenTree};

use crate::source::{Source, is_ident, is_punct, line, walk};

/// The longest file, in lines.
pub(crate) const FILE_LIMIT: usize = 600;
/// The longest function, in lines from `fn` to the closing brace.
pub(crate) const FUNCTION_LIMIT: usize = 80;

/// A length that was found. Only those over half their limit are worth carrying around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    /// `path` of a file, `path::name` of a function.
    pub(crate) what: String,
    pub(crate) lines: usize,
    pub(crate) limit: usize,
}

/// The lengths of a file and of the functions in it.
pub(crate) fn measure(source: &Source) -> Vec<Length> {
    let path = source.path.display();
    let mut found = vec![Length {
        what: path.to_string(),
        lines: source.text.lines().count(),
        limit: FILE_LIMIT,
    }];
    walk(&source.tokens, &mut |run| {
        for (at, token) in run.iter().enumerate() {
            if is_ident(token, "fn")
                && let Some((name, lines)) = function(&run[at..])
            {
                found.push(Length {
                    what: format!("{path}::{name}"),
                    lines,
                    limit: FUNCTION_LIMIT,
                });
            }
        }
    });
    found.retain(|length| length.lines > length.limit / 2);
    found
}

/// Name and length of the function whose `fn` begins `tokens`; none for a type like `fn(u8)` and for one without a body.
fn function(tokens: &[TokenTree]) -> Option<(String, usize)> {
    let [start, TokenTree::Ident(name), rest @ ..] = tokens else {
        return None;
    };
    let body = rest.iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(Some(group)),
        other if is_punct(other, ';') => Some(None),
        _ => None,
    })??;
    Some((name.to_string(), body.span_close().end().line + 1 - line(start)))
}
