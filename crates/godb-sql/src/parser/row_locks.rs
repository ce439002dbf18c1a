//! `FOR NO KEY UPDATE` and `FOR KEY SHARE`: the grammar knows only UPDATE and SHARE, so the words between are taken out and remembered.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Takes the words out. Tells for every `FOR … UPDATE` and `FOR … SHARE` of the text, in order, whether they were there.
pub(super) fn take(tokens: &mut Vec<TokenWithSpan>) -> Vec<bool> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let follows = |words: &[&str]| {
            words
                .iter()
                .enumerate()
                .all(|(i, word)| tokens.get(at + i).is_some_and(|token| is(token, word)))
        };
        let between = if follows(&["FOR", "NO", "KEY", "UPDATE"]) {
            Some(2)
        } else if follows(&["FOR", "KEY", "SHARE"]) {
            Some(1)
        } else if follows(&["FOR", "UPDATE"]) || follows(&["FOR", "SHARE"]) {
            Some(0)
        } else {
            None
        };
        if let Some(words) = between {
            tokens.drain(at + 1..at + 1 + words);
            found.push(words > 0);
        }
        at += 1;
    }
    found
}

fn is(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}
