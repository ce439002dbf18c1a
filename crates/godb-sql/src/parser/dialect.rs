//! The grammar's dialect: PostgreSQL's, with `?` as a parameter, flat `AND` and `OR`, and PostgreSQL's rank of the unary minus.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use std::any::TypeId;

/// Above `COLLATE`, `AT TIME ZONE` and `^`, below `::` and `[]`: in PostgreSQL `-2 ^ 2` is 4.
const UNARY_MINUS_RANK: u8 = 125;

/// Words that never begin an expression. The grammar would take them for names.
const ENDS_EXPRESSIONS: &[Keyword] = &[
    Keyword::FROM,
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::ORDER,
    Keyword::LIMIT,
    Keyword::OFFSET,
    Keyword::FETCH,
    Keyword::UNION,
    Keyword::INTERSECT,
    Keyword::EXCEPT,
    Keyword::AS,
    Keyword::ON,
    Keyword::USING,
    Keyword::INTO,
    Keyword::WHEN,
    Keyword::THEN,
    Keyword::ELSE,
    Keyword::AND,
    Keyword::OR,
];

/// PostgreSQL's dialect, changed where the engine needs it.
#[derive(Debug, Default)]
pub(super) struct GodbDialect(PostgreSqlDialect);

/// Methods that answer as PostgreSQL's dialect does.
macro_rules! as_in_postgres {
    ($($method:ident),* $(,)?) => {
        $(fn $method(&self) -> bool { self.0.$method() })*
    };
}

impl Dialect for GodbDialect {
    /// The parser asks for PostgreSQL by type in places; it is answered yes.
    fn dialect(&self) -> TypeId {
        self.0.dialect()
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        self.0.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        self.0.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        self.0.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.0.is_identifier_part(ch)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        self.0.is_reserved_for_identifier(keyword)
    }

    fn is_table_alias(&self, keyword: &Keyword, parser: &mut Parser<'_>) -> bool {
        self.0.is_table_alias(keyword, parser)
    }

    /// `?` is a parameter, never part of an operator.
    fn is_custom_operator_part(&self, ch: char) -> bool {
        ch != '?' && self.0.is_custom_operator_part(ch)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        if is_word(&parser.peek_token_ref().token, "ISNULL") {
            return Some(Ok(self.prec_value(Precedence::Is)));
        }
        self.0.get_next_precedence(parser)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        self.0.prec_value(precedence)
    }

    /// The unary minus by PostgreSQL's rank, and `ROW (1, 2)` as `(1, 2)`.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let op = match &parser.peek_token_ref().token {
            Token::Minus => UnaryOperator::Minus,
            Token::Plus => UnaryOperator::Plus,
            Token::Word(word) if word.keyword == Keyword::ROW && word.quote_style.is_none() => {
                return (parser.peek_nth_token_ref(1).token == Token::LParen).then(|| row(parser));
            }
            Token::Word(word) if word.quote_style.is_none() && ENDS_EXPRESSIONS.contains(&word.keyword) => {
                let found = parser.peek_token();
                return Some(parser.expected("an expression", found));
            }
            _ => return None,
        };
        parser.next_token();
        let operand = parser.parse_subexpr(UNARY_MINUS_RANK);
        Some(operand.map(|expr| Expr::UnaryOp {
            op,
            expr: Box::new(expr),
        }))
    }

    /// Takes a whole chain of `AND` (or `OR`) at once and makes a balanced tree of it: as deep as the logarithm of its length. Also reads
    /// what the grammar leaves out: `ISNULL` and `BETWEEN SYMMETRIC`.
    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        first: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let token = parser.peek_token_ref();
        if is_word(&token.token, "ISNULL") {
            parser.next_token();
            return Some(Ok(Expr::IsNull(Box::new(first.clone()))));
        }
        let Token::Word(word) = &token.token else {
            return None;
        };
        let (keyword, op, rank) = match word.keyword {
            Keyword::AND => (Keyword::AND, BinaryOperator::And, Precedence::And),
            Keyword::OR => (Keyword::OR, BinaryOperator::Or, Precedence::Or),
            Keyword::NOT | Keyword::BETWEEN => return self.symmetric(parser, first),
            _ => return None,
        };
        let mut operands = vec![first.clone()];
        while parser.parse_keyword(keyword) {
            match parser.parse_subexpr(self.prec_value(rank)) {
                Ok(operand) => operands.push(operand),
                Err(error) => return Some(Err(error)),
            }
        }
        balanced(operands, &op).map(Ok)
    }

    as_in_postgres!(
        supports_unicode_string_literal,
        supports_filter_during_aggregation,
        supports_group_by_expr,
        supports_alter_user_as_alter_role,
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_create_index_with_clause,
        supports_explain_with_utility_options,
        supports_listen_notify,
        supports_exclude_constraint,
        supports_bitwise_shift_operators,
        supports_comment_on,
        supports_empty_projections,
        supports_nested_comments,
        supports_string_escape_constant,
        supports_array_typedef_with_brackets,
        supports_set_names,
        supports_alter_column_type_using,
        supports_left_associative_joins_without_parens,
        supports_notnull_operator,
        supports_interval_options,
        supports_insert_table_alias,
        supports_create_table_like_parenthesized,
        supports_comma_separated_trim,
    );
}

impl GodbDialect {
    /// `x BETWEEN SYMMETRIC a AND b`: between them, whichever is the smaller.
    fn symmetric(&self, parser: &mut Parser<'_>, subject: &Expr) -> Option<Result<Expr, ParserError>> {
        let negated = is_word(&parser.peek_token_ref().token, "NOT");
        let skipped = usize::from(negated);
        let between = is_word(&parser.peek_nth_token_ref(skipped).token, "BETWEEN");
        if !between || !is_word(&parser.peek_nth_token_ref(skipped + 1).token, "SYMMETRIC") {
            return None;
        }
        for _ in 0..skipped + 2 {
            parser.next_token();
        }
        Some(self.bounds(parser).map(|(low, high)| {
            let within = |low: &Expr, high: &Expr| Expr::Between {
                expr: Box::new(subject.clone()),
                negated,
                low: Box::new(low.clone()),
                high: Box::new(high.clone()),
            };
            let (left, right) = (Box::new(within(&low, &high)), Box::new(within(&high, &low)));
            let op = if negated {
                BinaryOperator::And
            } else {
                BinaryOperator::Or
            };
            Expr::Nested(Box::new(Expr::BinaryOp { left, op, right }))
        }))
    }

    fn bounds(&self, parser: &mut Parser<'_>) -> Result<(Expr, Expr), ParserError> {
        let rank = self.prec_value(Precedence::Between);
        let low = parser.parse_subexpr(rank)?;
        parser.expect_keyword(Keyword::AND)?;
        Ok((low, parser.parse_subexpr(rank)?))
    }
}

/// `ROW (…)`
fn row(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let parts = if parser.peek_token_ref().token == Token::RParen {
        Vec::new()
    } else {
        parser.parse_comma_separated(Parser::parse_expr)?
    };
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Tuple(parts))
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

/// A tree over the operands, in their order.
fn balanced(operands: Vec<Expr>, op: &BinaryOperator) -> Option<Expr> {
    let mut row = operands;
    while row.len() > 1 {
        let mut above = Vec::with_capacity(row.len().div_ceil(2));
        let mut below = row.into_iter();
        while let Some(left) = below.next() {
            above.push(match below.next() {
                Some(right) => Expr::BinaryOp {
                    left: Box::new(left),
                    op: op.clone(),
                    right: Box::new(right),
                },
                None => left,
            });
        }
        row = above;
    }
    row.pop()
}
