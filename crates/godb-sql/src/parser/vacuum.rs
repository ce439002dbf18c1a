//! `VACUUM`: the grammar knows another system's, so PostgreSQL's is read here, and what is left for the grammar is the bare word.

use super::{dialect::GodbDialect, expect_end, parser_of, syntax_error};
use crate::error::{Result, SqlError};
use sqlparser::ast::ObjectName;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// What a VACUUM asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vacuum {
    /// Count rows afterwards, as ANALYZE does.
    pub analyze: bool,
    /// Do nothing but that: it is an ANALYZE.
    pub only_analyze: bool,
    /// Tell what came of it.
    pub verbose: bool,
    /// The tables; none for all.
    pub tables: Vec<ObjectName>,
    /// An option that there is not.
    pub unknown: Option<String>,
}

impl Vacuum {
    /// Switches an option. FULL asks for what every VACUUM does here: rows packed, and the file shortened.
    fn set(&mut self, name: &str, on: bool) {
        match name.to_ascii_lowercase().as_str() {
            "full" | "freeze" if !self.only_analyze => {}
            "analyze" | "analyse" if !self.only_analyze => self.analyze = on,
            // Counting waits for nobody, so there is nothing to skip.
            "skip_locked" if self.only_analyze => {}
            "verbose" => self.verbose = on,
            _ => self.unknown = Some(name.to_ascii_uppercase()),
        }
    }

    /// Refuses what there is not.
    ///
    /// # Errors
    /// `0A000` for an option that PostgreSQL has and godb does not.
    pub fn check(&self) -> Result<()> {
        match &self.unknown {
            Some(option) => Err(SqlError::unsupported(format!(
                "{} option {option}",
                if self.only_analyze { "ANALYZE" } else { "VACUUM" }
            ))),
            None => Ok(()),
        }
    }
}

/// Reads what follows the word, and takes it out of the tokens.
pub(super) fn take(tokens: &mut Vec<TokenWithSpan>, sql: &str) -> Result<Option<Vacuum>> {
    let word = match tokens.first().map(|first| &first.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        _ => return Ok(None),
    };
    let only_analyze = matches!(word.as_str(), "ANALYZE" | "ANALYSE");
    if !only_analyze && word != "VACUUM" {
        return Ok(None);
    }
    let dialect = GodbDialect::default();
    let mut parser = parser_of(&dialect, tokens.split_off(1));
    let vacuum = parse(&mut parser, only_analyze).map_err(|error| syntax_error(sql, &error))?;
    while parser.consume_token(&Token::SemiColon) {}
    expect_end(sql, &mut parser)?;
    // What is left is a word of the grammar's.
    tokens[0].token = Token::make_keyword("VACUUM");
    Ok(Some(vacuum))
}

fn parse(parser: &mut Parser<'_>, only_analyze: bool) -> std::result::Result<Vacuum, ParserError> {
    let mut vacuum = Vacuum {
        analyze: only_analyze,
        only_analyze,
        ..Vacuum::default()
    };
    if parser.consume_token(&Token::LParen) {
        for (name, on) in parser.parse_comma_separated(option)? {
            vacuum.set(&name, on);
        }
        parser.expect_token(&Token::RParen)?;
    } else {
        // In this order, as PostgreSQL has it from of old.
        for keyword in [Keyword::FULL, Keyword::FREEZE, Keyword::VERBOSE, Keyword::ANALYZE] {
            let may = !only_analyze || keyword == Keyword::VERBOSE;
            if may && parser.parse_keyword(keyword) {
                vacuum.set(&format!("{keyword:?}"), true);
            }
        }
    }
    let ends = |token: &Token| matches!(token, Token::EOF | Token::SemiColon);
    if !ends(&parser.peek_token().token) {
        vacuum.tables = parser.parse_comma_separated(|parser| parser.parse_object_name(false))?;
    }
    Ok(vacuum)
}

/// One option in parentheses, with what it is set to.
fn option(parser: &mut Parser<'_>) -> std::result::Result<(String, bool), ParserError> {
    let name = parser.parse_identifier()?.value;
    let token = parser.peek_token();
    let on = match &token.token {
        Token::Comma | Token::RParen => return Ok((name, true)),
        Token::Word(word) => word.value.to_ascii_lowercase(),
        Token::Number(number, _) => number.clone(),
        _ => String::new(),
    };
    let on = match on.as_str() {
        "true" | "on" | "1" => true,
        "false" | "off" | "0" => false,
        _ => return parser.expected("a Boolean value", token),
    };
    parser.next_token();
    Ok((name, on))
}

#[cfg(test)]
mod tests {
    use crate::parser::parse_one;

    fn read(sql: &str) -> (bool, bool, Vec<String>) {
        let vacuum = parse_one(sql).unwrap().vacuum.unwrap();
        vacuum.check().unwrap();
        let tables = vacuum.tables.iter().map(ToString::to_string).collect();
        (vacuum.analyze, vacuum.verbose, tables)
    }

    #[test]
    fn old_and_new_spellings_say_the_same() {
        assert_eq!(read("VACUUM"), (false, false, vec![]));
        assert_eq!(
            read("vacuum full verbose analyze t;"),
            (true, true, vec!["t".to_owned()])
        );
        let two = vec!["t".to_owned(), "\"U\"".to_owned()];
        assert_eq!(
            read("VACUUM (FULL, ANALYZE ON, VERBOSE false) t, \"U\""),
            (true, false, two)
        );
        assert!(parse_one("SELECT vacuum FROM t").unwrap().vacuum.is_none());
        for wrong in [
            "VACUUM (",
            "VACUUM (FULL maybe)",
            "VACUUM t t",
            "VACUUM ()",
            "VACUUM 1",
        ] {
            assert!(parse_one(wrong).is_err(), "{wrong}");
        }
        let unknown = parse_one("VACUUM (PARALLEL 1)").unwrap().vacuum.unwrap();
        assert!(unknown.check().is_err());
    }
}
