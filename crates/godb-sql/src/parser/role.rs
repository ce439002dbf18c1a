//! `CREATE`, `ALTER` and `DROP` of a role: the grammar knows less of it than PostgreSQL, and would keep a password in a tree that is shown in errors.

use super::{dialect::GodbDialect, expect_end, parser_of, syntax_error};
use crate::ddl::fold;
use crate::error::{Result, SqlError, state};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// A statement about roles.
#[derive(Clone, Debug)]
pub enum RoleStatement {
    /// `CREATE ROLE name …`
    Create(String, RoleOptions),
    /// `ALTER ROLE name …`
    Alter(String, RoleOptions),
    /// `ALTER ROLE name RENAME TO name`
    Rename(String, String),
    /// `DROP ROLE [IF EXISTS] names`
    Drop(Vec<String>, bool),
}

/// What is said of a role; `None` is not said.
#[derive(Clone, Debug, Default)]
pub struct RoleOptions {
    /// It may log in.
    pub login: Option<bool>,
    /// Everything is allowed to it.
    pub superuser: Option<bool>,
    /// It may make databases.
    pub create_db: Option<bool>,
    /// It may make roles.
    pub create_role: Option<bool>,
    /// It has the rights of roles it is a member of.
    pub inherit: Option<bool>,
    /// It may replicate.
    pub replication: Option<bool>,
    /// Row-level security does not hold it.
    pub bypass_rls: Option<bool>,
    /// How many sessions it may have; −1 is any number.
    pub connection_limit: Option<i32>,
    /// Until when its password is good.
    pub valid_until: Option<String>,
    /// Its password; the inner `None` takes it away.
    pub password: Option<Option<Password>>,
}

/// A password as it was written. It is not shown.
#[derive(Clone)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

type Parse<T> = std::result::Result<T, ParserError>;

/// Reads a statement about roles, and takes it out of the tokens.
pub(super) fn take(tokens: &mut Vec<TokenWithSpan>, sql: &str) -> Result<Option<RoleStatement>> {
    let is = |at: usize, words: &[&str]| {
        tokens
            .get(at)
            .is_some_and(|token| words.iter().any(|word| is(token, word)))
    };
    if !is(0, &["CREATE", "ALTER", "DROP"]) || !is(1, &["ROLE", "USER", "GROUP"]) || is(2, &["MAPPING"]) {
        return Ok(None);
    }
    let logs_in = is(1, &["USER"]);
    let verb = tokens[0].token.to_string().to_ascii_uppercase();
    let dialect = GodbDialect::default();
    let mut parser = parser_of(&dialect, tokens[2..].to_vec());
    let statement = statement(&verb, logs_in, &mut parser).map_err(|error| refusal(sql, &error))?;
    while parser.consume_token(&Token::SemiColon) {}
    expect_end(sql, &mut parser)?;
    super::command::nothing_left(tokens);
    Ok(Some(statement))
}

/// What is refused by name comes through the parser's error, between these.
const UNSUPPORTED: &str = "unsupported: ";

fn refusal(sql: &str, error: &ParserError) -> SqlError {
    if let ParserError::ParserError(message) = error {
        if let Some(what) = message.strip_prefix(UNSUPPORTED) {
            return SqlError::unsupported(what);
        }
        if message == CONFLICTING {
            return SqlError::new(state::SYNTAX_ERROR, CONFLICTING);
        }
    }
    syntax_error(sql, error)
}

const CONFLICTING: &str = "conflicting or redundant options";

fn unsupported<T>(what: &str) -> Parse<T> {
    Err(ParserError::ParserError(format!("{UNSUPPORTED}{what}")))
}

fn is(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

/// Whether the next token is that word; it is taken then.
fn word(parser: &mut Parser<'_>, word: &str) -> bool {
    let found = is(parser.peek_token_ref(), word);
    if found {
        parser.next_token();
    }
    found
}

fn statement(verb: &str, logs_in: bool, parser: &mut Parser<'_>) -> Parse<RoleStatement> {
    if verb == "DROP" {
        let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
        let names = parser.parse_comma_separated(name)?;
        return Ok(RoleStatement::Drop(names, if_exists));
    }
    let name = name(parser)?;
    if verb == "ALTER" && parser.parse_keywords(&[Keyword::RENAME, Keyword::TO]) {
        return Ok(RoleStatement::Rename(name, self::name(parser)?));
    }
    if verb == "ALTER"
        && (is(parser.peek_token_ref(), "SET")
            || is(parser.peek_token_ref(), "RESET")
            || is(parser.peek_token_ref(), "IN"))
    {
        return unsupported("a setting of a role");
    }
    word(parser, "WITH");
    let options = options(parser)?;
    if verb == "ALTER" {
        return Ok(RoleStatement::Alter(name, options));
    }
    let login = options.login.or(logs_in.then_some(true));
    Ok(RoleStatement::Create(name, RoleOptions { login, ..options }))
}

fn name(parser: &mut Parser<'_>) -> Parse<String> {
    Ok(fold(&parser.parse_identifier()?))
}

fn options(parser: &mut Parser<'_>) -> Parse<RoleOptions> {
    let mut options = RoleOptions::default();
    while let Token::Word(found) = &parser.peek_token_ref().token {
        let found = found.value.to_ascii_uppercase();
        let token = parser.next_token();
        let (name, on) = match found.strip_prefix("NO") {
            Some(rest) => (rest, false),
            None => (found.as_str(), true),
        };
        match name {
            "LOGIN" => set(&mut options.login, on)?,
            "SUPERUSER" => set(&mut options.superuser, on)?,
            "CREATEDB" => set(&mut options.create_db, on)?,
            "CREATEROLE" => set(&mut options.create_role, on)?,
            "INHERIT" => set(&mut options.inherit, on)?,
            "REPLICATION" => set(&mut options.replication, on)?,
            "BYPASSRLS" => set(&mut options.bypass_rls, on)?,
            "ENCRYPTED" if on && is(parser.peek_token_ref(), "PASSWORD") => {}
            "PASSWORD" if on => {
                let given = if parser.parse_keyword(Keyword::NULL) {
                    None
                } else {
                    Some(Password(parser.parse_literal_string()?))
                };
                set(&mut options.password, given)?;
            }
            "CONNECTION" if on && word(parser, "LIMIT") => {
                let limit = connection_limit(parser)?;
                set(&mut options.connection_limit, limit)?;
            }
            "VALID" if on && word(parser, "UNTIL") => {
                let until = parser.parse_literal_string()?;
                set(&mut options.valid_until, until)?;
            }
            "IN" | "ROLE" | "ADMIN" | "USER" if on => return unsupported("membership of roles"),
            _ => return parser.expected("an option of a role", token),
        }
    }
    Ok(options)
}

fn connection_limit(parser: &mut Parser<'_>) -> Parse<i32> {
    let negative = parser.consume_token(&Token::Minus);
    let token = parser.peek_token();
    let limit = i32::try_from(parser.parse_literal_uint()?);
    match (limit, negative) {
        (Ok(limit), false) => Ok(limit),
        (Ok(1), true) => Ok(-1),
        _ => parser.expected("a number of connections, or -1", token),
    }
}

fn set<T>(option: &mut Option<T>, value: T) -> Parse<()> {
    match option.replace(value) {
        None => Ok(()),
        Some(_) => Err(ParserError::ParserError(CONFLICTING.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::parse_one;

    #[test]
    fn passwords_are_not_shown() {
        let parsed =
            parse_one("CREATE USER ada WITH ENCRYPTED PASSWORD 'secret' CONNECTION LIMIT 5").unwrap();
        let Some(RoleStatement::Create(name, options)) = &parsed.role else {
            panic!("{:?}", parsed.role);
        };
        assert_eq!(
            (name.as_str(), options.login, options.connection_limit),
            ("ada", Some(true), Some(5))
        );
        assert!(!format!("{:?}", parsed.role).contains("secret"));
    }

    #[test]
    fn what_makes_no_sense_is_a_syntax_error() {
        for wrong in [
            "CREATE ROLE",
            "CREATE ROLE a LOGIN NOLOGIN",
            "CREATE ROLE a PASSWORD",
            "CREATE ROLE a CONNECTION LIMIT -2",
            "CREATE ROLE a nonsense",
            "DROP ROLE a b",
        ] {
            assert_eq!(parse_one(wrong).unwrap_err().state.0, "42601", "{wrong}");
        }
        assert_eq!(parse_one("CREATE ROLE a IN ROLE b").unwrap_err().state.0, "0A000");
    }
}
