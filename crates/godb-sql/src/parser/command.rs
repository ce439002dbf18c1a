//! Statements about the session: the grammar knows some of them otherwise than PostgreSQL and others not at all, so they are read here. What is
//! left for the grammar is a word that stands for nothing.

use super::cursor::{self, Fetch};
use super::{dialect::GodbDialect, expect_end, parser_of, syntax_error};
use crate::error::Result;
use crate::types::DataType;
use sqlparser::ast::{Ident, Value};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// A statement about the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `SET [LOCAL] name = values`; without values to the default.
    Set {
        /// The setting.
        name: String,
        /// What it is set to.
        values: Option<Vec<String>>,
        /// Until the end of the transaction only.
        local: bool,
    },
    /// `RESET name`, `RESET ALL`.
    Reset(Option<String>),
    /// `SHOW name`, `SHOW ALL`.
    Show(Option<String>),
    /// `DISCARD …`.
    Discard(Discard),
    /// `CLOSE name`, `CLOSE ALL`.
    Close(Option<String>),
    /// `PREPARE name (types) AS text`.
    Prepare {
        /// What it is called.
        name: String,
        /// The types of its parameters, as far as they are given.
        types: Vec<DataType>,
        /// The statement, where it stands in the whole text.
        text: String,
    },
    /// `EXECUTE name (…)`.
    Execute {
        /// Which statement.
        name: String,
        /// A query that gives the values of its parameters.
        arguments: Option<String>,
    },
    /// `DEALLOCATE name`, `DEALLOCATE ALL`.
    Deallocate(Option<String>),
    /// `DECLARE name CURSOR FOR query`.
    Declare {
        /// What it is called.
        name: String,
        /// It outlives its transaction.
        hold: bool,
        /// The query, where it stands in the whole text.
        query: String,
    },
    /// `FETCH …`, `MOVE …`.
    Fetch(Fetch),
    /// `UNLISTEN name`, `UNLISTEN *`.
    Unlisten,
    /// Something that there is not.
    Unsupported(&'static str),
}

/// What `DISCARD` throws away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// Everything that the session has gathered.
    All,
    /// Plans.
    Plans,
    /// Temporary tables.
    Temp,
    /// What is known of sequences.
    Sequences,
}

type Parse<T> = std::result::Result<T, ParserError>;

/// Reads a statement about the session, and takes it out of the tokens.
pub(super) fn take(tokens: &mut Vec<TokenWithSpan>, sql: &str) -> Result<Option<Command>> {
    if !begins(tokens) {
        return Ok(None);
    }
    let dialect = GodbDialect::default();
    let mut parser = parser_of(&dialect, tokens[1..].to_vec());
    let word = tokens[0].token.to_string().to_ascii_uppercase();
    let command = command(&word, &mut parser, sql).map_err(|error| syntax_error(sql, &error))?;
    while parser.consume_token(&Token::SemiColon) {}
    expect_end(sql, &mut parser)?;
    nothing_left(tokens);
    Ok(Some(command))
}

/// What is left for the grammar of a statement that was read: one that nobody looks at.
pub(super) fn nothing_left(tokens: &mut Vec<TokenWithSpan>) {
    let span = tokens[0].span;
    let nothing = [Token::make_keyword("RESET"), Token::make_keyword("ALL")];
    *tokens = nothing.map(|token| TokenWithSpan { token, span }).to_vec();
}

/// What statements about the session begin with, beside SET.
const FIRST_WORDS: &[&str] = &[
    "RESET",
    "SHOW",
    "DISCARD",
    "CLOSE",
    "LISTEN",
    "UNLISTEN",
    "NOTIFY",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "DECLARE",
    "FETCH",
    "MOVE",
];

/// Whether the statement is one of these. What SET says of transactions is the grammar's.
fn begins(tokens: &[TokenWithSpan]) -> bool {
    let is = |at: usize, words: &[&str]| {
        tokens
            .get(at)
            .is_some_and(|token| words.iter().any(|word| is(token, word)))
    };
    if is(0, &["SET"]) {
        let at = 1 + usize::from(is(1, &["SESSION", "LOCAL"]));
        return !is(at, &["TRANSACTION", "CHARACTERISTICS"]);
    }
    is(0, FIRST_WORDS)
}

/// Whether a function's name in the statement is one of those that change the session. It may be something else of that name; then the statement is run with
/// more care than it needs.
pub(super) fn changes_session(tokens: &[TokenWithSpan]) -> bool {
    let changes = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) => {
            let name = word.value.to_ascii_lowercase();
            name == "set_config" || name.starts_with("pg_advisory_") || name.starts_with("pg_try_advisory_")
        }
        _ => false,
    };
    tokens.iter().any(changes)
}

pub(super) fn is(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

fn command(word: &str, parser: &mut Parser<'_>, sql: &str) -> Parse<Command> {
    match word {
        "SET" => set(parser),
        "RESET" => Ok(Command::Reset(setting_or_all(parser)?)),
        "SHOW" => Ok(Command::Show(setting_or_all(parser)?)),
        "PREPARE" => cursor::prepare(parser, sql),
        "EXECUTE" => cursor::execute(parser),
        "DEALLOCATE" => cursor::deallocate(parser),
        "DECLARE" => cursor::declare(parser, sql),
        "FETCH" => cursor::fetch(parser, true),
        "MOVE" => cursor::fetch(parser, false),
        "DISCARD" => discard(parser).map(Command::Discard),
        "CLOSE" => {
            if parser.parse_keyword(Keyword::ALL) {
                return Ok(Command::Close(None));
            }
            Ok(Command::Close(Some(folded(&parser.parse_identifier()?))))
        }
        "UNLISTEN" => {
            if !parser.consume_token(&Token::Mul) {
                parser.parse_identifier()?;
            }
            Ok(Command::Unlisten)
        }
        other => {
            parser.parse_identifier()?;
            if parser.consume_token(&Token::Comma) {
                parser.parse_literal_string()?;
            }
            Ok(Command::Unsupported(if other == "LISTEN" {
                "LISTEN"
            } else {
                "NOTIFY"
            }))
        }
    }
}

fn folded(ident: &Ident) -> String {
    crate::ddl::fold(ident)
}

/// `name`, `a.b`
fn setting(parser: &mut Parser<'_>) -> Parse<String> {
    let mut name = parser.parse_identifier()?.value;
    while parser.consume_token(&Token::Period) {
        name.push('.');
        name.push_str(&parser.parse_identifier()?.value);
    }
    Ok(name)
}

/// Settings that have a name of several words as well.
fn setting_or_all(parser: &mut Parser<'_>) -> Parse<Option<String>> {
    let long: [(&[Keyword], &str); 3] = [
        (&[Keyword::TIME, Keyword::ZONE], "TimeZone"),
        (
            &[Keyword::TRANSACTION, Keyword::ISOLATION, Keyword::LEVEL],
            "transaction_isolation",
        ),
        (
            &[Keyword::SESSION, Keyword::AUTHORIZATION],
            "session_authorization",
        ),
    ];
    for (words, name) in long {
        if parser.parse_keywords(words) {
            return Ok(Some(name.to_owned()));
        }
    }
    if parser.parse_keyword(Keyword::ALL) {
        return Ok(None);
    }
    setting(parser).map(Some)
}

fn set(parser: &mut Parser<'_>) -> Parse<Command> {
    let local = match parser.parse_one_of_keywords(&[Keyword::SESSION, Keyword::LOCAL]) {
        // SET SESSION AUTHORIZATION
        Some(Keyword::SESSION) if parser.peek_keyword(Keyword::AUTHORIZATION) => {
            parser.prev_token();
            false
        }
        word => word == Some(Keyword::LOCAL),
    };
    let (name, values) = if parser.parse_keywords(&[Keyword::TIME, Keyword::ZONE]) {
        ("TimeZone".to_owned(), zone(parser)?)
    } else if parser.parse_keywords(&[Keyword::SESSION, Keyword::AUTHORIZATION]) {
        ("session_authorization".to_owned(), default_or_value(parser)?)
    } else if parser.parse_keyword(Keyword::ROLE) {
        ("role".to_owned(), default_or_value(parser)?)
    } else if parser.parse_keyword(Keyword::NAMES) {
        ("client_encoding".to_owned(), default_or_value(parser)?)
    } else if parser.parse_keyword(Keyword::SCHEMA) {
        ("search_path".to_owned(), default_or_value(parser)?)
    } else if is(parser.peek_token_ref(), "CONSTRAINTS") {
        while !matches!(parser.next_token().token, Token::EOF | Token::SemiColon) {}
        return Ok(Command::Unsupported("SET CONSTRAINTS"));
    } else {
        let name = setting(parser)?;
        if !parser.consume_token(&Token::Eq) && !parser.parse_keyword(Keyword::TO) {
            let found = parser.peek_token();
            return parser.expected("TO or =", found);
        }
        (name, values(parser)?)
    };
    Ok(Command::Set { name, values, local })
}

/// `DEFAULT`, or values with commas.
fn values(parser: &mut Parser<'_>) -> Parse<Option<Vec<String>>> {
    if parser.parse_keyword(Keyword::DEFAULT) {
        return Ok(None);
    }
    parser.parse_comma_separated(value).map(Some)
}

fn default_or_value(parser: &mut Parser<'_>) -> Parse<Option<Vec<String>>> {
    if parser.parse_keyword(Keyword::DEFAULT) {
        return Ok(None);
    }
    Ok(Some(vec![value(parser)?]))
}

/// A word, a number or a string.
fn value(parser: &mut Parser<'_>) -> Parse<String> {
    let sign = match &parser.peek_token_ref().token {
        Token::Minus => "-",
        Token::Plus => "+",
        _ => "",
    };
    if !sign.is_empty() {
        parser.next_token();
    }
    let token = parser.peek_token();
    if sign.is_empty()
        && let Token::Word(_) = &token.token
    {
        return Ok(folded(&parser.parse_identifier()?));
    }
    match parser.parse_value()?.value {
        Value::Number(digits, _) => Ok(format!("{sign}{digits}").trim_start_matches('+').to_owned()),
        other if sign.is_empty() => match other.into_string() {
            Some(text) => Ok(text),
            None => parser.expected("a value", token),
        },
        _ => parser.expected("a number", token),
    }
}

/// A time zone: also LOCAL, and an interval.
fn zone(parser: &mut Parser<'_>) -> Parse<Option<Vec<String>>> {
    if parser
        .parse_one_of_keywords(&[Keyword::DEFAULT, Keyword::LOCAL])
        .is_some()
    {
        return Ok(None);
    }
    if parser.parse_keyword(Keyword::INTERVAL) {
        let span = parser.parse_literal_string()?;
        let _fields = parser.parse_keywords(&[Keyword::HOUR, Keyword::TO, Keyword::MINUTE]);
        return Ok(Some(vec![format!("INTERVAL '{span}'")]));
    }
    Ok(Some(vec![value(parser)?]))
}

fn discard(parser: &mut Parser<'_>) -> Parse<Discard> {
    let words = [
        (Keyword::ALL, Discard::All),
        (Keyword::PLANS, Discard::Plans),
        (Keyword::TEMP, Discard::Temp),
        (Keyword::TEMPORARY, Discard::Temp),
        (Keyword::SEQUENCES, Discard::Sequences),
    ];
    for (word, what) in words {
        if parser.parse_keyword(word) {
            return Ok(what);
        }
    }
    let found = parser.peek_token();
    parser.expected("ALL, PLANS, SEQUENCES, TEMP or TEMPORARY", found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::parse_one;

    fn set(sql: &str) -> (String, Option<Vec<String>>, bool) {
        match parse_one(sql).unwrap().command {
            Some(Command::Set { name, values, local }) => (name, values, local),
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn set_takes_words_numbers_and_strings() {
        let one = |name: &str, value: &str, local| (name.to_owned(), Some(vec![value.to_owned()]), local);
        assert_eq!(set("SET jit = on"), one("jit", "on", false));
        assert_eq!(set("set local Work_Mem to '1MB';"), one("Work_Mem", "1MB", true));
        assert_eq!(set("SET SESSION x.y = -5"), one("x.y", "-5", false));
        assert_eq!(set("SET TIME ZONE 'UTC'"), one("TimeZone", "UTC", false));
        assert_eq!(set("SET TIME ZONE LOCAL"), ("TimeZone".to_owned(), None, false));
        assert_eq!(set("SET NAMES 'utf8'"), one("client_encoding", "utf8", false));
        let two = vec!["public".to_owned(), "Own".to_owned()];
        assert_eq!(
            set("SET search_path TO Public, \"Own\""),
            ("search_path".to_owned(), Some(two), false)
        );
        assert_eq!(set("SET x TO DEFAULT"), ("x".to_owned(), None, false));
        for wrong in [
            "SET x",
            "SET x =",
            "SET x 1",
            "SET = 1",
            "SET x = 1 2",
            "SHOW",
            "DISCARD",
            "SET x = -'a'",
        ] {
            assert!(parse_one(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn transactions_are_left_to_the_grammar() {
        for sql in [
            "SET TRANSACTION READ ONLY",
            "SET LOCAL TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SELECT 1",
        ] {
            assert!(
                parse_one(sql).is_ok_and(|parsed| parsed.command.is_none()),
                "{sql}"
            );
        }
    }
}
