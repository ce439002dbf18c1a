//! DECLARE, FETCH, MOVE, PREPARE and EXECUTE: statements with another statement in them, or about its rows.

use super::command::{Command, is};
use crate::binder::describe_type;
use crate::ddl::fold;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token};

/// A FETCH or MOVE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Which cursor.
    pub cursor: String,
    /// Which rows.
    pub count: FetchCount,
    /// It is a FETCH, which shows the rows.
    pub shows: bool,
}

/// Which rows from where a cursor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchCount {
    /// So many.
    Next(u64),
    /// All that are left.
    All,
    /// The one so many ahead.
    Relative(u64),
    /// Some that were there already.
    Backward,
}

type Parse<T> = Result<T, ParserError>;

/// The text from a place on, with blanks before it, so that positions in it are positions in the whole.
fn text_from(sql: &str, from: Location) -> String {
    let characters = super::position_of(sql, from) - 1;
    let start = sql.char_indices().nth(characters).map_or(sql.len(), |(at, _)| at);
    let blanks = sql[..start].chars().map(|c| if c == '\n' { '\n' } else { ' ' });
    blanks.chain(sql[start..].chars()).collect()
}

/// Takes the rest of the statement as text.
fn rest(parser: &mut Parser<'_>, sql: &str) -> Parse<String> {
    let first = parser.peek_token();
    if matches!(first.token, Token::EOF | Token::SemiColon) {
        return parser.expected("a statement", first);
    }
    while parser.next_token().token != Token::EOF {}
    Ok(text_from(sql, first.span.start))
}

fn word(parser: &mut Parser<'_>, word: &str) -> bool {
    let found = is(parser.peek_token_ref(), word);
    if found {
        parser.next_token();
    }
    found
}

/// `DECLARE name … CURSOR … FOR query`
pub(super) fn declare(parser: &mut Parser<'_>, sql: &str) -> Parse<Command> {
    let name = fold(&parser.parse_identifier()?);
    while !word(parser, "CURSOR") {
        if word(parser, "BINARY") {
            return Ok(unsupported(parser, "a binary cursor"));
        }
        if word(parser, "SCROLL") {
            return Ok(unsupported(parser, "a scroll cursor"));
        }
        let known = word(parser, "INSENSITIVE")
            || word(parser, "ASENSITIVE")
            || word(parser, "NO") && word(parser, "SCROLL");
        if !known {
            let found = parser.peek_token();
            return parser.expected("CURSOR", found);
        }
    }
    let hold = word(parser, "WITH");
    if hold || word(parser, "WITHOUT") {
        parser.expect_keyword(Keyword::HOLD)?;
    }
    parser.expect_keyword(Keyword::FOR)?;
    let query = rest(parser, sql)?;
    Ok(Command::Declare { name, hold, query })
}

fn unsupported(parser: &mut Parser<'_>, what: &'static str) -> Command {
    while parser.next_token().token != Token::EOF {}
    Command::Unsupported(what)
}

/// `FETCH [direction] [FROM | IN] name`
pub(super) fn fetch(parser: &mut Parser<'_>, shows: bool) -> Parse<Command> {
    let (count, named) = if word(parser, "NEXT") {
        (FetchCount::Next(1), true)
    } else if word(parser, "FORWARD") {
        match count(parser)? {
            Some(count) => (count, true),
            None => (FetchCount::Next(1), true),
        }
    } else if word(parser, "RELATIVE") {
        match count(parser)? {
            Some(FetchCount::Next(count)) => (FetchCount::Relative(count), true),
            _ => (FetchCount::Backward, true),
        }
    } else if ["PRIOR", "FIRST", "LAST", "ABSOLUTE", "BACKWARD"]
        .iter()
        .any(|back| word(parser, back))
    {
        count(parser)?;
        (FetchCount::Backward, true)
    } else {
        match count(parser)? {
            Some(count) => (count, true),
            None => (FetchCount::Next(1), false),
        }
    };
    if !word(parser, "FROM")
        && !word(parser, "IN")
        && named
        && matches!(parser.peek_token_ref().token, Token::EOF)
    {
        let found = parser.peek_token();
        return parser.expected("a cursor", found);
    }
    let cursor = fold(&parser.parse_identifier()?);
    // The row where the cursor stands is not kept.
    if matches!(count, FetchCount::Next(0) | FetchCount::Relative(0)) {
        return Ok(Command::Unsupported("FETCH of the row where the cursor stands"));
    }
    Ok(Command::Fetch(Fetch { cursor, count, shows }))
}

/// A number of rows, or ALL.
fn count(parser: &mut Parser<'_>) -> Parse<Option<FetchCount>> {
    if parser.consume_token(&Token::Minus) {
        parser.parse_literal_uint()?;
        return Ok(Some(FetchCount::Backward));
    }
    if word(parser, "ALL") {
        return Ok(Some(FetchCount::All));
    }
    if matches!(parser.peek_token_ref().token, Token::Number(..)) {
        return Ok(Some(FetchCount::Next(parser.parse_literal_uint()?)));
    }
    Ok(None)
}

/// `PREPARE name [(types)] AS statement`
pub(super) fn prepare(parser: &mut Parser<'_>, sql: &str) -> Parse<Command> {
    let name = fold(&parser.parse_identifier()?);
    let mut types = Vec::new();
    if parser.consume_token(&Token::LParen) {
        let names = parser.parse_comma_separated(Parser::parse_data_type)?;
        parser.expect_token(&Token::RParen)?;
        for name in names {
            match describe_type(&name) {
                Ok(ty) => types.push(ty),
                Err(_) => return Ok(unsupported(parser, "a parameter of this type")),
            }
        }
    }
    parser.expect_keyword(Keyword::AS)?;
    let text = rest(parser, sql)?;
    Ok(Command::Prepare { name, types, text })
}

/// `EXECUTE name [(values)]`
pub(super) fn execute(parser: &mut Parser<'_>) -> Parse<Command> {
    let name = fold(&parser.parse_identifier()?);
    let mut arguments = None;
    if parser.consume_token(&Token::LParen) {
        let values = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RParen)?;
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        arguments = Some(format!("SELECT {}", values.join(", ")));
    }
    Ok(Command::Execute { name, arguments })
}

/// `DEALLOCATE [PREPARE] name | ALL`
pub(super) fn deallocate(parser: &mut Parser<'_>) -> Parse<Command> {
    let _ = parser.parse_keyword(Keyword::PREPARE);
    if parser.parse_keyword(Keyword::ALL) {
        return Ok(Command::Deallocate(None));
    }
    Ok(Command::Deallocate(Some(fold(&parser.parse_identifier()?))))
}
