//! From text to a syntax tree.
//!
//! The grammar is the `sqlparser` crate's, in PostgreSQL's dialect. This module surrounds it with what an engine must add:
//!
//! * **Positions.** Tokens carry line and column; every error is given as PostgreSQL gives it, a character position from 1 in
//!   the text the user wrote. Words are taken out of the token list ([`as_of`]) or renamed in it ([`parameters`]), never in
//!   the text, so positions cannot drift.
//! * **Limits.** A recursive parser, and every recursive walk over the tree it returns (dropping it included), is as deep as
//!   the statement is nested. [`depth`] measures that before the parser starts and refuses what would not fit the stack:
//!   a stack overflow kills the whole process, an error kills a statement.
//! * **Reading the past.** `AS OF SYSTEM TIME` is not in the grammar. [`as_of`] recognises it between tokens.
//! * **DEFERRABLE.** The grammar's transaction modes lack it; [`deferrable`] takes it out.
//! * **Splitting.** [`split()`] finds where statements end in a script without parsing them.

mod as_of;
mod command;
mod cursor;
mod deferrable;
mod depth;
mod dialect;
mod parameters;
mod position;
mod role;
mod row_locks;
mod split;
#[cfg(test)]
mod tests;
mod vacuum;

pub use as_of::{AsOf, AsOfKind};
pub use command::{Command, Discard};
pub use cursor::{Fetch, FetchCount};
pub use depth::MAX_DEPTH;
pub(crate) use depth::too_deep;
pub use position::position_of;
pub use role::{Password, RoleOptions, RoleStatement};
pub use split::{Splitter, split};
pub use vacuum::Vacuum;

use crate::error::{Result, SqlError, state};
use dialect::GodbDialect;
use sqlparser::ast::Statement;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// The longest text of one statement, in bytes.
pub const MAX_TEXT: usize = 64 << 20;

/// One statement, parsed.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The syntax tree, without the `AS OF` clauses.
    pub statement: Statement,
    /// `AS OF SYSTEM TIME` for the whole statement, or of a `BEGIN`.
    pub as_of: Option<AsOf>,
    /// `AS OF SYSTEM TIME` for single tables: where the table's name begins, and the moment.
    pub table_as_of: Vec<(Location, AsOf)>,
    /// What a BEGIN or SET TRANSACTION says of DEFERRABLE.
    pub deferrable: Option<bool>,
    /// Of every `FOR … UPDATE` and `FOR … SHARE`, in order: whether it is NO KEY UPDATE or KEY SHARE.
    pub weak_locks: Vec<bool>,
    /// How many parameters it has: the highest number named.
    pub parameters: usize,
    /// What a VACUUM asks for.
    pub vacuum: Option<Vacuum>,
    /// What it asks of the session.
    pub command: Option<Command>,
    /// What it says of roles.
    pub role: Option<RoleStatement>,
    /// A function in it may change the session's settings or locks.
    pub changes_session: bool,
    /// The text.
    pub text: String,
}

/// Parses exactly one statement; semicolons after it are fine.
///
/// # Errors
/// `42601` with a position when the text is not one statement, `54001` when it is nested too deeply, `54000` when it is too long.
pub fn parse_one(sql: &str) -> Result<Parsed> {
    if sql.len() > MAX_TEXT {
        let message = format!("statement is longer than {MAX_TEXT} bytes");
        return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message));
    }
    depth::check_parentheses(sql)?;
    let mut tokens = tokenize(sql)?;
    let parameters = parameters::number(&mut tokens, sql)?;
    let clauses = as_of::take(&mut tokens, sql)?;
    let deferrable = deferrable::take(&mut tokens);
    let weak_locks = row_locks::take(&mut tokens);
    let vacuum = vacuum::take(&mut tokens, sql)?;
    let command = command::take(&mut tokens, sql)?;
    let role = role::take(&mut tokens, sql)?;
    let changes_session = command::changes_session(&tokens);
    depth::check_tokens(&tokens)?;
    spell_out_table(&mut tokens);
    alter_view(&mut tokens);
    let statement = parse_tokens(sql, tokens)?;
    Ok(Parsed {
        statement,
        as_of: clauses.statement,
        table_as_of: clauses.tables,
        deferrable,
        weak_locks,
        parameters,
        vacuum,
        command,
        role,
        changes_session,
        text: sql.to_owned(),
    })
}

/// `TABLE t` as a statement is short for `SELECT * FROM t`, and the grammar knows only the long form. The new tokens stand where
/// the old one stood.
fn spell_out_table(tokens: &mut Vec<TokenWithSpan>) {
    let is_table = |t: &TokenWithSpan| matches!(&t.token, Token::Word(w) if w.keyword == Keyword::TABLE && w.quote_style.is_none());
    if !tokens.first().is_some_and(is_table) {
        return;
    }
    let span = tokens[0].span;
    let long = [
        Token::make_keyword("SELECT"),
        Token::Mul,
        Token::make_keyword("FROM"),
    ];
    tokens.splice(0..1, long.map(|token| TokenWithSpan { token, span }));
}

/// The grammar knows ALTER VIEW only with a new query. What PostgreSQL can alter of a view is written as for a table.
fn alter_view(tokens: &mut [TokenWithSpan]) {
    let is = |t: &TokenWithSpan, keyword| matches!(&t.token, Token::Word(w) if w.keyword == keyword && w.quote_style.is_none());
    if let [alter, view, ..] = tokens
        && is(alter, Keyword::ALTER)
        && is(view, Keyword::VIEW)
    {
        view.token = Token::make_keyword("TABLE");
    }
}

/// Parses the text of one expression: a stored DEFAULT or CHECK.
///
/// # Errors
/// As [`parse_one`].
pub fn parse_expression(text: &str) -> Result<sqlparser::ast::Expr> {
    depth::check_parentheses(text)?;
    let tokens = tokenize(text)?;
    depth::check_tokens(&tokens)?;
    let dialect = GodbDialect::default();
    let mut parser = parser_of(&dialect, tokens);
    let expr = parser.parse_expr().map_err(|error| syntax_error(text, &error))?;
    expect_end(text, &mut parser)?;
    Ok(expr)
}

/// How deeply the expressions and queries of a statement are nested.
pub(crate) fn depth_of(text: &str) -> Result<usize> {
    depth::measure(&tokenize(text)?)
}

/// What follows the first AS that stands outside of parentheses: the query of a CREATE VIEW, as it was written.
pub(crate) fn text_after_as(text: &str) -> Result<Option<&str>> {
    let mut open = 0_usize;
    for token in tokenize(text)? {
        match &token.token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            Token::Word(word) if open == 0 && word.quote_style.is_none() && word.keyword == Keyword::AS => {
                let start = position_of(text, token.span.end) - 1;
                let start = text.char_indices().nth(start).map_or(text.len(), |(at, _)| at);
                return Ok(Some(text[start..].trim().trim_end_matches(';').trim_end()));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn parse_tokens(sql: &str, tokens: Vec<TokenWithSpan>) -> Result<Statement> {
    let dialect = GodbDialect::default();
    let mut parser = parser_of(&dialect, tokens);
    let statement = parser
        .parse_statement()
        .map_err(|error| syntax_error(sql, &error))?;
    while parser.consume_token(&Token::SemiColon) {}
    expect_end(sql, &mut parser)?;
    Ok(statement)
}

fn parser_of<'a>(dialect: &'a GodbDialect, tokens: Vec<TokenWithSpan>) -> Parser<'a> {
    Parser::new(dialect)
        .with_options(ParserOptions::new().with_unescape(true))
        .with_recursion_limit(depth::PARSER_RECURSION)
        .with_tokens_with_locations(tokens)
}

fn expect_end(sql: &str, parser: &mut Parser<'_>) -> Result<()> {
    let token = parser.peek_token();
    if token.token == Token::EOF {
        return Ok(());
    }
    Err(near(sql, token.span.start))
}

/// The tokens of a text, without blanks and comments.
fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>> {
    let dialect = GodbDialect::default();
    let mut tokens = Vec::with_capacity(sql.len() / 6 + 4);
    let mut tokenizer = Tokenizer::new(&dialect, sql);
    if let Err(error) = tokenizer.tokenize_with_location_into_buf(&mut tokens) {
        let message = match error.message.as_str() {
            m if m.starts_with("Unterminated string") => "unterminated quoted string".to_owned(),
            m if m.contains("multi-line comment") => "unterminated /* comment".to_owned(),
            m if m.contains("Unterminated dollar") => "unterminated dollar-quoted string".to_owned(),
            m => format!("syntax error: {}", m.trim().to_lowercase()),
        };
        let position = position_of(sql, error.location);
        return Err(SqlError::new(state::SYNTAX_ERROR, message).at(position));
    }
    tokens.retain(|t| !matches!(t.token, Token::Whitespace(_)));
    Ok(tokens)
}

/// "syntax error at or near …" at a place in the text.
fn near(sql: &str, location: Location) -> SqlError {
    let position = position_of(sql, location);
    let message = match position::token_at(sql, position) {
        Some(token) => format!("syntax error at or near \"{token}\""),
        None => "syntax error at end of input".to_owned(),
    };
    SqlError::new(state::SYNTAX_ERROR, message).at(position)
}

/// The parser's error in PostgreSQL's words; what was expected becomes the hint.
fn syntax_error(sql: &str, error: &ParserError) -> SqlError {
    let message = match error {
        ParserError::RecursionLimitExceeded => return too_deep(),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let (said, location) = position::split_location(message);
    let mut refused = near(sql, location.unwrap_or(Location::new(0, 0)));
    if let Some(expected) = said.strip_prefix("Expected: ") {
        let what = expected.split(", found").next().unwrap_or(expected);
        refused = refused.hint(format!("Expected {what}."));
    } else if !said.is_empty() {
        refused = refused.detail(format!("{said}."));
    }
    refused
}
