//! Operators: comparison, arithmetic, logic.

use super::Binder;
use super::expr::{place, unnested};
use crate::cast::Coercion;
use crate::error::Result;
use crate::expr::Expr;
use crate::functions::Resolved;
use crate::functions::{resolve_binary, resolve_unary};
use sqlparser::ast::{BinaryOperator, Expr as Sql, Spanned};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    #[inline(never)]
    pub(super) fn binary(&mut self, left: &Sql, op: &BinaryOperator, right: &Sql) -> Result<Expr> {
        if matches!(op, BinaryOperator::And | BinaryOperator::Or) {
            return self.logic(left, op, right);
        }
        if let Some(rows) = self.row_comparison(left, op, right)? {
            return Ok(rows);
        }
        let Some(symbol) = symbol(op) else {
            return self.refuse(&format!("operator {op}"), self.between_operands(left, right));
        };
        let (a, b) = (self.expr(left)?, self.expr(right)?);
        let resolved = self.resolve_operator(symbol, &a, &b, || (left, right))?;
        self.apply(&resolved, vec![(a, place(left)), (b, place(right))])
    }

    /// `AND` and `OR`, flat.
    fn logic(&mut self, left: &Sql, op: &BinaryOperator, right: &Sql) -> Result<Expr> {
        let and = *op == BinaryOperator::And;
        let mut parts = Vec::new();
        for side in [left, right] {
            let expr = self.expr(side)?;
            match self.boolean(expr, if and { "AND" } else { "OR" }, place(side))? {
                Expr::And(inner) if and => parts.extend(inner),
                Expr::Or(inner) if !and => parts.extend(inner),
                other => parts.push(other),
            }
        }
        Ok(if and { Expr::And(parts) } else { Expr::Or(parts) })
    }

    fn resolve_operator<'s>(
        &self,
        symbol: &str,
        a: &Expr,
        b: &Expr,
        operands: impl FnOnce() -> (&'s Sql, &'s Sql),
    ) -> Result<Resolved> {
        resolve_binary(symbol, a.data_type(), b.data_type()).map_err(|error| {
            let (left, right) = operands();
            self.at(error, self.between_operands(left, right))
        })
    }

    /// An operator on two bound expressions.
    pub(super) fn compare(
        &mut self,
        symbol: &str,
        left: Expr,
        right: Expr,
        left_at: Location,
        right_at: Location,
    ) -> Result<Expr> {
        let resolved = resolve_binary(symbol, left.data_type(), right.data_type());
        let resolved = self.located(resolved, left_at)?;
        self.apply(&resolved, vec![(left, left_at), (right, right_at)])
    }

    /// Both sides brought to the types that a comparison of them takes.
    pub(super) fn comparable(
        &mut self,
        symbol: &str,
        left: Expr,
        right: Expr,
        left_at: Location,
        right_at: Location,
    ) -> Result<(Expr, Expr)> {
        let resolved = resolve_binary(symbol, left.data_type(), right.data_type());
        let resolved = self.located(resolved, left_at)?;
        let left = self.coerce(left, resolved.takes[0], Coercion::Implicit, left_at)?;
        let right = self.coerce(right, resolved.takes[1], Coercion::Implicit, right_at)?;
        Ok((left, right))
    }

    pub(super) fn unary_operator(&mut self, symbol: &str, operand: Expr, location: Location) -> Result<Expr> {
        let resolved = self.located(resolve_unary(symbol, operand.data_type()), location)?;
        self.apply(&resolved, vec![(operand, location)])
    }

    /// The call of what was chosen, its arguments brought to what it takes.
    pub(super) fn apply(&mut self, resolved: &Resolved, args: Vec<(Expr, Location)>) -> Result<Expr> {
        let mut coerced = Vec::with_capacity(args.len());
        for (index, (arg, location)) in args.into_iter().enumerate() {
            let to = resolved.takes.get(index).copied().unwrap_or(arg.data_type());
            coerced.push(self.coerce(arg, to, Coercion::Implicit, location)?);
        }
        Ok(Expr::Call {
            function: resolved.function,
            args: coerced,
            ty: resolved.returns,
        })
    }

    /// Where the operator between two operands stands: the first thing after the left one that is no blank and no parenthesis.
    pub(super) fn between_operands(&self, left: &Sql, right: &Sql) -> Location {
        let end = left.span().end;
        let from = crate::parser::position_of(self.text, end);
        let skipped = self.text.chars().skip(from - 1);
        let blank = skipped.take_while(|c| c.is_ascii_whitespace() || *c == ')');
        let mut at = end;
        for character in blank {
            if character == '\n' {
                at = Location::new(at.line + 1, 1);
            } else {
                at.column += 1;
            }
        }
        if end.line == 0 { right.span().start } else { at }
    }
}

/// The operators that functions implement, by their symbols.
pub(super) fn symbol(op: &BinaryOperator) -> Option<&str> {
    Some(match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::StringConcat => "||",
        BinaryOperator::Gt => ">",
        BinaryOperator::Lt => "<",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "<>",
        BinaryOperator::BitwiseOr => "|",
        BinaryOperator::BitwiseAnd => "&",
        BinaryOperator::BitwiseXor | BinaryOperator::PGBitwiseXor => "#",
        BinaryOperator::PGExp => "^",
        BinaryOperator::PGBitwiseShiftLeft => "<<",
        BinaryOperator::PGBitwiseShiftRight => ">>",
        BinaryOperator::PGRegexMatch => "~",
        BinaryOperator::PGRegexIMatch => "~*",
        BinaryOperator::PGRegexNotMatch => "!~",
        BinaryOperator::PGRegexNotIMatch => "!~*",
        BinaryOperator::PGLikeMatch => "~~",
        BinaryOperator::PGILikeMatch => "~~*",
        BinaryOperator::PGNotLikeMatch => "!~~",
        BinaryOperator::PGNotILikeMatch => "!~~*",
        BinaryOperator::PGStartsWith => "^@",
        _ => return None,
    })
}

/// Whether an operator compares.
pub(super) fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Gt
            | BinaryOperator::Lt
            | BinaryOperator::GtEq
            | BinaryOperator::LtEq
            | BinaryOperator::Eq
            | BinaryOperator::NotEq
    )
}

impl Binder<'_> {
    /// `(a, b) < (c, d)`, when both sides are rows.
    fn row_comparison(&mut self, left: &Sql, op: &BinaryOperator, right: &Sql) -> Result<Option<Expr>> {
        match (unnested(left), unnested(right)) {
            (Sql::Tuple(a), Sql::Tuple(b)) if is_comparison(op) => {
                self.compare_rows(a, op, b, place(left)).map(Some)
            }
            (Sql::Tuple(_), Sql::Subquery(query)) if *op == BinaryOperator::Eq => {
                self.in_subquery(left, query, false).map(Some)
            }
            _ => Ok(None),
        }
    }
}
