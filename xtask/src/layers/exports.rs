//! `pub use` and `pub extern crate`, taken apart: what a crate hands upward, and whether it lists it.

use proc_macro2::{Delimiter, TokenTree};

use crate::source::{children, is_ident, is_punct, line};

/// One path of a `pub use`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Export {
    /// The line the path begins on.
    pub(crate) line: usize,
    /// `["godb_page", "sync"]` in `pub use godb_page::sync::*`.
    pub(crate) path: Vec<String>,
    /// Whether a `*` ends it.
    pub(crate) glob: bool,
}

/// Every export among sibling tokens. Private `use` is nobody else's business and left out.
pub(crate) fn exports(tokens: &[TokenTree]) -> Vec<Export> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if !is_ident(token, "pub") {
            continue;
        }
        let mut rest = &tokens[at + 1..];
        if matches!(rest.first(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
        {
            rest = &rest[1..];
        }
        let length = rest
            .iter()
            .position(|token| is_punct(token, ';'))
            .unwrap_or(rest.len());
        match rest.first() {
            Some(first) if is_ident(first, "use") => tree(&rest[1..length], &[], &mut found),
            Some(first) if is_ident(first, "extern") && length > 2 => tree(&rest[2..length], &[], &mut found),
            _ => {}
        }
    }
    found
}

/// Reads one use tree: `a::b`, `a::*`, `a::{…}`, `a as b`.
fn tree(tokens: &[TokenTree], prefix: &[String], found: &mut Vec<Export>) {
    let mut path = prefix.to_vec();
    let mut glob = false;
    let mut grouped = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if ident == "as" => break,
            TokenTree::Ident(ident) => path.push(ident.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == '*' => glob = true,
            TokenTree::Group(group) => {
                grouped = true;
                for branch in children(group).split(|token| is_punct(token, ',')) {
                    tree(branch, &path, found);
                }
            }
            _ => {}
        }
    }
    if !grouped && let Some(first) = tokens.first() {
        found.push(Export {
            line: line(first),
            path,
            glob,
        });
    }
}
