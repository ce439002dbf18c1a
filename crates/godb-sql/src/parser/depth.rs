//! How deeply a statement is nested, measured before the parser runs.
//!
//! A statement's syntax tree is as deep as its parentheses, plus, at each level, its operators: `1 + 1 + 1` leans to the left,
//! one level for each `+`. Lists between commas stand side by side, and so do the operands of `AND` and `OR`, because the dialect builds
//! balanced trees of those. The measure is an upper bound: it may refuse a statement that would just fit, never the reverse.

use super::split::Lexer;
use crate::error::{Result, SqlError, state};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// The deepest nesting of a statement.
pub const MAX_DEPTH: usize = 500;

/// A query inside a query takes the stack of so many levels of expressions.
const QUERY: usize = 4;

/// What the parser may recurse: several of its functions for each level. It grows its own stack.
pub(super) const PARSER_RECURSION: usize = 4 * MAX_DEPTH + 64;

/// The most words and signs of a statement. The parser takes some 400 bytes for each of them.
const MAX_WORDS: usize = 1_000_000;

fn too_many_words() -> SqlError {
    let message = format!("statement has more than {MAX_WORDS} words and signs");
    SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message).hint("Use COPY, or several statements.")
}

/// The deepest nesting of parentheses, and how many words there are. Cheaper than tokens.
pub(super) fn check_parentheses(sql: &str) -> Result<()> {
    if sql.len() <= MAX_DEPTH {
        return Ok(());
    }
    let mut open = 0_usize;
    let (mut words, mut in_word) = (0_usize, false);
    let mut lexer = Lexer::new(sql);
    while let Some(byte) = lexer.next_plain() {
        let of_word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | 0x80..);
        words += usize::from(!(byte.is_ascii_whitespace() || of_word && in_word));
        in_word = of_word;
        if words > MAX_WORDS {
            return Err(too_many_words());
        }
        match byte {
            b'(' | b'[' => open += 1,
            b')' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_DEPTH {
            return Err(too_deep());
        }
    }
    Ok(())
}

/// One open parenthesis, bracket or CASE.
#[derive(Default)]
struct Level {
    /// The deepest of the list items that have ended.
    deepest: usize,
    /// Operators in the current item.
    operators: usize,
    /// The deepest parenthesis in the current item.
    inner: usize,
    /// A BETWEEN waits for its AND.
    between: bool,
    /// What the query that stands here adds.
    query: usize,
}

impl Level {
    fn end_item(&mut self) {
        self.deepest = self.deepest.max(self.operators + self.inner);
        (self.operators, self.inner) = (0, 0);
    }

    fn depth(&self) -> usize {
        self.deepest.max(self.operators + self.inner) + self.query
    }
}

/// Fails when the tree of these tokens could be deeper than [`MAX_DEPTH`].
pub(super) fn check_tokens(tokens: &[TokenWithSpan]) -> Result<()> {
    if tokens.len() <= MAX_DEPTH {
        return Ok(());
    }
    measure(tokens).map(drop)
}

/// The depth of the tree of these tokens, at most [`MAX_DEPTH`].
pub(super) fn measure(tokens: &[TokenWithSpan]) -> Result<usize> {
    let mut levels = vec![Level::default()];
    let mut deepest = 0;
    for token in tokens {
        step(&mut levels, &token.token);
        let open: usize = levels.len();
        let whole = levels.last().map_or(0, Level::depth);
        deepest = deepest.max(open + whole);
        if deepest > MAX_DEPTH {
            return Err(too_deep());
        }
    }
    Ok(deepest)
}

fn step(levels: &mut Vec<Level>, token: &Token) {
    match token {
        Token::LParen => return levels.push(Level::default()),
        Token::LBracket => {
            add_operator(levels);
            return levels.push(Level::default());
        }
        Token::RParen | Token::RBracket => return close(levels),
        Token::Word(word) if word.quote_style.is_none() => match word.keyword {
            Keyword::CASE => return levels.push(Level::default()),
            Keyword::END => return close(levels),
            _ => {}
        },
        _ => {}
    }
    let Some(level) = levels.last_mut() else { return };
    match token {
        Token::Comma => level.end_item(),
        Token::Word(word) if word.quote_style.is_none() => keyword(level, word.keyword),
        Token::Word(_)
        | Token::Number(..)
        | Token::Period
        | Token::SemiColon
        | Token::Placeholder(_)
        | Token::SingleQuotedString(_)
        | Token::EscapedStringLiteral(_) => {}
        _ => level.operators += 1,
    }
}

fn keyword(level: &mut Level, keyword: Keyword) {
    match keyword {
        Keyword::AND if level.between => level.between = false,
        Keyword::AND | Keyword::OR | Keyword::WHEN | Keyword::THEN | Keyword::ELSE => level.end_item(),
        Keyword::BETWEEN => {
            level.between = true;
            level.operators += 1;
        }
        Keyword::NOT
        | Keyword::IS
        | Keyword::NOTNULL
        | Keyword::LIKE
        | Keyword::ILIKE
        | Keyword::SIMILAR
        | Keyword::IN
        | Keyword::COLLATE
        | Keyword::AT
        | Keyword::UNION
        | Keyword::INTERSECT
        | Keyword::EXCEPT
        | Keyword::JOIN
        | Keyword::INTERVAL
        | Keyword::EXPLAIN => level.operators += 1,
        Keyword::SELECT => level.query = QUERY,
        _ => {}
    }
}

fn add_operator(levels: &mut [Level]) {
    if let Some(level) = levels.last_mut() {
        level.operators += 1;
    }
}

fn close(levels: &mut Vec<Level>) {
    if levels.len() < 2 {
        return;
    }
    let Some(done) = levels.pop() else { return };
    if let Some(level) = levels.last_mut() {
        level.inner = level.inner.max(done.depth() + 1);
    }
}

/// The refusal of a statement that would need too much stack.
pub(crate) fn too_deep() -> SqlError {
    SqlError::new(state::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(format!(
        "The statement nests expressions or queries more than {MAX_DEPTH} levels deep."
    ))
}
