//! The grammar's dialect: PostgreSQL's, with `?` as a parameter, flat `AND` and `OR`, and PostgreSQL's rank of the unary minus.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use std::any::TypeId;

/// Above `COLLATE`, `AT TIME ZONE` and `^`, below `::` and `[]`: in PostgreSQL `-2 ^ 2` is 4.
const UNARY_MINUS_RANK: u8 = 125;

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
        self.0.get_next_precedence(parser)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        self.0.prec_value(precedence)
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let op = match parser.peek_token_ref().token {
            Token::Minus => UnaryOperator::Minus,
            Token::Plus => UnaryOperator::Plus,
            _ => return None,
        };
        parser.next_token();
        let operand = parser.parse_subexpr(UNARY_MINUS_RANK);
        Some(operand.map(|expr| Expr::UnaryOp {
            op,
            expr: Box::new(expr),
        }))
    }

    /// Takes a whole chain of `AND` (or `OR`) at once and makes a balanced tree of it: as deep as the logarithm of its length.
    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        first: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let Token::Word(word) = &parser.peek_token_ref().token else {
            return None;
        };
        let (keyword, op, rank) = match word.keyword {
            Keyword::AND => (Keyword::AND, BinaryOperator::And, Precedence::And),
            Keyword::OR => (Keyword::OR, BinaryOperator::Or, Precedence::Or),
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
