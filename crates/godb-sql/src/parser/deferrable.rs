//! `DEFERRABLE` and `NOT DEFERRABLE` among the modes of a transaction: the grammar lacks them, so they are taken out.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Takes the words out of a BEGIN, START TRANSACTION or SET TRANSACTION. The last one counts.
pub(super) fn take(tokens: &mut Vec<TokenWithSpan>) -> Option<bool> {
    if !has_modes(tokens) {
        return None;
    }
    let mut said = None;
    while let Some(at) = tokens.iter().position(|token| is(token, "DEFERRABLE")) {
        let negated = at > 0 && is(&tokens[at - 1], "NOT");
        let (mut from, mut to) = (at - usize::from(negated), at + 1);
        said = Some(!negated);
        // One comma beside it goes too; of the only mode of a SET TRANSACTION nothing else is left.
        if from > 0 && tokens[from - 1].token == Token::Comma {
            from -= 1;
        } else if tokens.get(to).is_some_and(|next| next.token == Token::Comma) {
            to += 1;
        }
        tokens.drain(from..to);
    }
    said
}

/// Whether this is a statement with transaction modes.
fn has_modes(tokens: &[TokenWithSpan]) -> bool {
    let words = |expected: &[&str]| {
        tokens.len() > expected.len() && expected.iter().zip(tokens).all(|(word, token)| is(token, word))
    };
    words(&["BEGIN"])
        || words(&["START", "TRANSACTION"])
        || words(&["SET", "TRANSACTION"])
        || words(&["SET", "SESSION", "CHARACTERISTICS"])
}

fn is(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.keyword != Keyword::NoKeyword && w.value.eq_ignore_ascii_case(word))
}
