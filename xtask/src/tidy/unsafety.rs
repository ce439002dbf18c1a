//! `unsafe` stays in the few files that ask for it.

use crate::source::{Source, children, is_ident, is_punct, line, walk};
use proc_macro2::TokenTree;

/// Each `unsafe` in a file that does not carry `#![expect(unsafe_code, reason = "…")]`.
pub(crate) fn check(source: &Source) -> Vec<String> {
    if expects(&source.tokens) {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    walk(&source.tokens, &mut |run| {
        for token in run.iter().filter(|token| is_ident(token, "unsafe")) {
            wrong.push(format!(
                "{}:{}: `unsafe` only in a file of its own that opens with `#![expect(unsafe_code, reason = \"…\")]`",
                source.path.display(),
                line(token)
            ));
        }
    });
    wrong
}

/// Whether an inner attribute of the file lifts the lint and gives a reason.
fn expects(tokens: &[TokenTree]) -> bool {
    tokens.windows(3).any(|window| {
        let [hash, bang, TokenTree::Group(attribute)] = window else {
            return false;
        };
        if !is_punct(hash, '#') || !is_punct(bang, '!') {
            return false;
        }
        let inside = children(attribute);
        let [lint, TokenTree::Group(list)] = inside.as_slice() else {
            return false;
        };
        let list = children(list);
        is_ident(lint, "expect")
            && list.iter().any(|token| is_ident(token, "unsafe_code"))
            && list.iter().any(|token| is_ident(token, "reason"))
    })
}
