//! Row values: `(a, b) = (c, d)` and its kin, expanded into comparisons of their parts.

use super::Binder;
use super::expr::{negate, place, truth_value, unnested};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use sqlparser::ast::{BinaryOperator, Expr as Sql};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    pub(super) fn compare_rows(
        &mut self,
        a: &[Sql],
        op: &BinaryOperator,
        b: &[Sql],
        at: Location,
    ) -> Result<Expr> {
        self.check_lengths(a.len(), b.len(), at)?;
        match op {
            BinaryOperator::Eq => self.rows_equal(a, b),
            BinaryOperator::NotEq => Ok(negate(self.rows_equal(a, b)?)),
            BinaryOperator::Lt => self.rows_ordered(a, b, "<", "<"),
            BinaryOperator::LtEq => self.rows_ordered(a, b, "<", "<="),
            BinaryOperator::Gt => self.rows_ordered(a, b, ">", ">"),
            _ => self.rows_ordered(a, b, ">", ">="),
        }
    }

    fn check_lengths(&self, a: usize, b: usize, at: Location) -> Result<()> {
        if a == b {
            return Ok(());
        }
        let message = "unequal number of entries in row expressions";
        Err(self.at(SqlError::new(state::SYNTAX_ERROR, message), at))
    }

    fn pair(&mut self, symbol: &str, a: &Sql, b: &Sql) -> Result<Expr> {
        let (left, right) = (self.expr(a)?, self.expr(b)?);
        self.compare(symbol, left, right, place(a), place(b))
    }

    fn rows_equal(&mut self, a: &[Sql], b: &[Sql]) -> Result<Expr> {
        let pairs = a.iter().zip(b).map(|(a, b)| self.pair("=", a, b));
        Ok(Expr::And(pairs.collect::<Result<_>>()?))
    }

    /// The first difference decides: `a < c OR (a = c AND b < d)`.
    fn rows_ordered(&mut self, a: &[Sql], b: &[Sql], strict: &str, last: &str) -> Result<Expr> {
        let (Some((a_first, a_rest)), Some((b_first, b_rest))) = (a.split_first(), b.split_first()) else {
            return Ok(truth_value(true));
        };
        if a_rest.is_empty() {
            return self.pair(last, a_first, b_first);
        }
        let before = self.pair(strict, a_first, b_first)?;
        let equal = self.pair("=", a_first, b_first)?;
        let rest = self.rows_ordered(a_rest, b_rest, strict, last)?;
        Ok(Expr::Or(vec![before, Expr::And(vec![equal, rest])]))
    }

    pub(super) fn rows_not_distinct(&mut self, a: &[Sql], b: &[Sql], at: Location) -> Result<Expr> {
        self.check_lengths(a.len(), b.len(), at)?;
        let mut parts = Vec::with_capacity(a.len());
        for (x, y) in a.iter().zip(b) {
            let (left, right) = (self.expr(x)?, self.expr(y)?);
            let (left, right) = self.comparable("=", left, right, place(x), place(y))?;
            parts.push(Expr::NotDistinct(Box::new(left), Box::new(right)));
        }
        Ok(Expr::And(parts))
    }

    /// A row is NULL when all its parts are, and not NULL when none of them is.
    pub(super) fn row_is_null(&mut self, items: &[Sql], negated: bool) -> Result<Expr> {
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            let expr = self.expr(item)?;
            parts.push(Expr::IsNull(Box::new(self.known(expr)?), negated));
        }
        Ok(Expr::And(parts))
    }

    pub(super) fn row_in_list(&mut self, row: &[Sql], list: &[Sql], negated: bool) -> Result<Expr> {
        let mut any = Vec::with_capacity(list.len());
        for item in list {
            let Sql::Tuple(parts) = unnested(item) else {
                let message = "a row can only be compared with rows";
                return self.syntax(message, place(item));
            };
            self.check_lengths(row.len(), parts.len(), place(item))?;
            any.push(self.rows_equal(row, parts)?);
        }
        let any = Expr::Or(any);
        Ok(if negated { negate(any) } else { any })
    }
}
