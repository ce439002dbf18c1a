//! Expressions: one case of syntax after the other.

use super::Binder;
use super::types::describe_type;
use crate::cast::Coercion;
use crate::error::{Result, SqlError, state};
use crate::expr::{Expr, Subquery};
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{self, CastKind, Expr as Sql, Spanned, UnaryOperator};
use sqlparser::tokenizer::Location;

/// Where an expression stands.
pub(super) fn place(expr: &Sql) -> Location {
    expr.span().start
}

impl Binder<'_> {
    /// Binds an expression. Literals and undecided parameters come out untyped.
    pub(super) fn expr(&mut self, sql: &Sql) -> Result<Expr> {
        match sql {
            Sql::Identifier(ident) => self.identifier(ident),
            Sql::CompoundIdentifier(idents) => self.column(idents),
            Sql::Value(value) => self.literal(value),
            Sql::Nested(inner) => self.expr(inner),
            Sql::BinaryOp { left, op, right } => self.binary(left, op, right),
            Sql::UnaryOp { op, expr } => self.unary(*op, expr),
            Sql::Function(function) => self.function(function),
            Sql::Cast {
                kind,
                expr,
                data_type,
                ..
            } => self.cast(kind, expr, data_type),
            Sql::TypedString(typed) => self.typed_string(typed),
            Sql::Interval(interval) => self.interval(interval),
            Sql::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(operand.as_deref(), conditions, else_result.as_deref()),
            Sql::IsNull(expr) => self.is_null(expr, false),
            Sql::IsNotNull(expr) => self.is_null(expr, true),
            Sql::IsTrue(expr) => self.is_truth(expr, true, false),
            Sql::IsNotTrue(expr) => self.is_truth(expr, true, true),
            Sql::IsFalse(expr) => self.is_truth(expr, false, false),
            Sql::IsNotFalse(expr) => self.is_truth(expr, false, true),
            Sql::IsUnknown(expr) => self.is_unknown(expr, false),
            Sql::IsNotUnknown(expr) => self.is_unknown(expr, true),
            Sql::IsDistinctFrom(left, right) => Ok(Expr::Not(Box::new(self.not_distinct(left, right)?))),
            Sql::IsNotDistinctFrom(left, right) => self.not_distinct(left, right),
            Sql::Between {
                expr,
                negated,
                low,
                high,
            } => self.between(expr, low, high, *negated),
            Sql::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Sql::InSubquery {
                expr,
                subquery,
                negated,
            } => self.in_subquery(expr, subquery, *negated),
            Sql::Exists { subquery, negated } => self.exists(subquery, *negated),
            Sql::Subquery(query) => self.scalar_subquery(query),
            Sql::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => self.quantified(left, compare_op, right, true),
            Sql::AllOp {
                left,
                compare_op,
                right,
            } => self.quantified(left, compare_op, right, false),
            other => self.special(other),
        }
    }

    /// A bare name: a column, or one of the words that are called without parentheses.
    fn identifier(&mut self, ident: &ast::Ident) -> Result<Expr> {
        self.column(std::slice::from_ref(ident))
    }

    #[inline(never)]
    fn cast(&mut self, kind: &CastKind, inner: &Sql, to: &ast::DataType) -> Result<Expr> {
        let location = place(inner);
        if matches!(kind, CastKind::TryCast | CastKind::SafeCast) {
            return Err(self.at(SqlError::unsupported("TRY_CAST"), location));
        }
        let to = self.located(describe_type(to), location)?;
        let expr = self.expr(inner)?;
        self.coerce(expr, to, Coercion::Explicit, location)
    }

    #[inline(never)]
    fn unary(&mut self, op: UnaryOperator, inner: &Sql) -> Result<Expr> {
        let location = place(inner);
        if op == UnaryOperator::Not {
            let expr = self.expr(inner)?;
            return Ok(negate(self.boolean(expr, "NOT", location)?));
        }
        let expr = self.expr(inner)?;
        if let (UnaryOperator::Minus, Expr::Literal(value, ty)) = (op, &expr)
            && let Some(negated) = negative(value, *ty)
        {
            return Ok(negated);
        }
        let symbol = op.to_string();
        self.unary_operator(&symbol, expr, location)
    }

    #[inline(never)]
    fn is_null(&mut self, inner: &Sql, negated: bool) -> Result<Expr> {
        if let Sql::Tuple(items) = unnested(inner) {
            return self.row_is_null(items, negated);
        }
        let expr = self.expr(inner)?;
        Ok(Expr::IsNull(Box::new(self.known(expr)?), negated))
    }

    /// `IS [NOT] TRUE` and `IS [NOT] FALSE`: NULL counts as the other truth.
    #[inline(never)]
    fn is_truth(&mut self, inner: &Sql, truth: bool, negated: bool) -> Result<Expr> {
        let word = match (truth, negated) {
            (true, false) => "IS TRUE",
            (true, true) => "IS NOT TRUE",
            (false, false) => "IS FALSE",
            (false, true) => "IS NOT FALSE",
        };
        let expr = self.expr(inner)?;
        let expr = self.boolean(expr, word, place(inner))?;
        let certain = Expr::Coalesce(vec![expr, truth_value(!truth)], DataType::Bool);
        Ok(if truth == negated {
            Expr::Not(Box::new(certain))
        } else {
            certain
        })
    }

    fn is_unknown(&mut self, inner: &Sql, negated: bool) -> Result<Expr> {
        let expr = self.expr(inner)?;
        let word = if negated { "IS NOT UNKNOWN" } else { "IS UNKNOWN" };
        let expr = self.boolean(expr, word, place(inner))?;
        Ok(Expr::IsNull(Box::new(expr), negated))
    }

    fn not_distinct(&mut self, left: &Sql, right: &Sql) -> Result<Expr> {
        if let (Sql::Tuple(a), Sql::Tuple(b)) = (unnested(left), unnested(right)) {
            return self.rows_not_distinct(a, b, place(left));
        }
        let (a, b) = (self.expr(left)?, self.expr(right)?);
        let (a, b) = self.comparable("=", a, b, place(left), place(right))?;
        Ok(Expr::NotDistinct(Box::new(a), Box::new(b)))
    }

    #[inline(never)]
    fn between(&mut self, inner: &Sql, low: &Sql, high: &Sql, negated: bool) -> Result<Expr> {
        let expr = self.expr(inner)?;
        let (from, to) = (self.expr(low)?, self.expr(high)?);
        let at = place(inner);
        let above = self.compare(">=", expr.clone(), from, at, place(low))?;
        let below = self.compare("<=", expr, to, at, place(high))?;
        let both = Expr::And(vec![above, below]);
        Ok(if negated { negate(both) } else { both })
    }

    #[inline(never)]
    fn in_list(&mut self, inner: &Sql, list: &[Sql], negated: bool) -> Result<Expr> {
        if let Sql::Tuple(items) = unnested(inner) {
            return self.row_in_list(items, list, negated);
        }
        let mut bound = vec![self.expr(inner)?];
        for item in list {
            bound.push(self.expr(item)?);
        }
        let types: Vec<DataType> = bound.iter().map(Expr::data_type).collect();
        let Ok(common) = self.common(&types, "IN", place(inner)) else {
            return self.in_mixed_list(bound, inner, list, negated);
        };
        let common = if common == DataType::Unknown {
            DataType::Text
        } else {
            common
        };
        let places = std::iter::once(inner).chain(list).map(place);
        let coerced = bound.into_iter().zip(places);
        let mut coerced = coerced
            .map(|(expr, at)| self.coerce(expr, common, Coercion::Implicit, at))
            .collect::<Result<Vec<_>>>()?;
        let list = coerced.split_off(1);
        let expr = Box::new(coerced.swap_remove(0));
        Ok(Expr::InList { expr, list, negated })
    }

    /// Types without a common one may still be comparable one by one.
    fn in_mixed_list(
        &mut self,
        mut bound: Vec<Expr>,
        inner: &Sql,
        list: &[Sql],
        negated: bool,
    ) -> Result<Expr> {
        let items = bound.split_off(1);
        let left = bound.swap_remove(0);
        let mut equal = Vec::with_capacity(items.len());
        for (item, sql) in items.into_iter().zip(list) {
            equal.push(self.compare("=", left.clone(), item, place(inner), place(sql))?);
        }
        let any = Expr::Or(equal);
        Ok(if negated { negate(any) } else { any })
    }

    #[inline(never)]
    fn case(
        &mut self,
        operand: Option<&Sql>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&Sql>,
    ) -> Result<Expr> {
        let subject = operand.map(|sql| self.expr(sql)).transpose()?;
        let mut whens = Vec::with_capacity(conditions.len());
        let mut results = Vec::with_capacity(conditions.len() + 1);
        for branch in conditions {
            let when = self.expr(&branch.condition)?;
            let at = place(&branch.condition);
            whens.push(match (&subject, operand) {
                (Some(subject), Some(sql)) => self.compare("=", subject.clone(), when, place(sql), at)?,
                _ => self.boolean(when, "CASE/WHEN", at)?,
            });
            results.push((self.expr(&branch.result)?, place(&branch.result)));
        }
        if let Some(sql) = otherwise {
            // PostgreSQL counts the last branch first when it looks for the common type.
            results.insert(0, (self.expr(sql)?, place(sql)));
        }
        let (mut results, ty) = self.of_one_type(results, "CASE")?;
        let otherwise = otherwise.map(|_| Box::new(results.remove(0)));
        let branches = whens.into_iter().zip(results).collect();
        Ok(Expr::Case {
            branches,
            otherwise,
            ty,
        })
    }

    /// Expressions brought to their common type.
    pub(super) fn of_one_type(
        &mut self,
        exprs: Vec<(Expr, Location)>,
        what: &str,
    ) -> Result<(Vec<Expr>, DataType)> {
        let types: Vec<DataType> = exprs.iter().map(|(e, _)| e.data_type()).collect();
        let at = exprs.first().map_or(Location::new(0, 0), |(_, at)| *at);
        let at = self.first_misfit(&types).map_or(at, |index| exprs[index].1);
        let common = self.common(&types, what, at)?;
        let common = if common == DataType::Unknown {
            DataType::Text
        } else {
            common
        };
        let coerced = exprs
            .into_iter()
            .map(|(e, at)| self.coerce(e, common, Coercion::Implicit, at));
        Ok((coerced.collect::<Result<_>>()?, common))
    }

    /// Refuses syntax that is understood but not done.
    pub(super) fn refuse<T>(&self, what: &str, location: Location) -> Result<T> {
        Err(self.at(SqlError::unsupported(what), location))
    }

    /// A syntax error at a place.
    pub(super) fn syntax<T>(&self, message: &str, location: Location) -> Result<T> {
        Err(self.at(SqlError::new(state::SYNTAX_ERROR, message), location))
    }
}

/// Without the parentheses around it.
pub(super) fn unnested(mut sql: &Sql) -> &Sql {
    while let Sql::Nested(inner) = sql {
        sql = inner;
    }
    sql
}

/// The negation, written so that later stages see through it.
pub(super) fn negate(expr: Expr) -> Expr {
    match expr {
        Expr::InList { expr, list, negated } => Expr::InList {
            expr,
            list,
            negated: !negated,
        },
        Expr::IsNull(expr, negated) => Expr::IsNull(expr, !negated),
        Expr::Subquery(subquery) => negate_subquery(*subquery),
        other => Expr::Not(Box::new(other)),
    }
}

fn negate_subquery(mut subquery: Subquery) -> Expr {
    if let crate::expr::Asking::Exists { negated } = &mut subquery.asking {
        *negated = !*negated;
        return Expr::Subquery(Box::new(subquery));
    }
    Expr::Not(Box::new(Expr::Subquery(Box::new(subquery))))
}

/// A constant truth value.
pub(super) fn truth_value(truth: bool) -> Expr {
    Expr::Literal(Value::Bool(truth), DataType::Bool)
}

/// The negative of a literal number, in the smallest type that holds it: `-2147483648` is an integer though `2147483648` is not.
fn negative(value: &Value, ty: DataType) -> Option<Expr> {
    let integer = match value {
        Value::Int(integer) => integer.checked_neg(),
        Value::Numeric(numeric) if numeric.scale() == 0 => (-numeric).to_i64(),
        _ => None,
    };
    match (integer, value) {
        (Some(integer), _) if i32::try_from(integer).is_ok() => {
            Some(Expr::Literal(Value::Int(integer), DataType::Int4))
        }
        (Some(integer), _) => Some(Expr::Literal(Value::Int(integer), DataType::Int8)),
        (None, Value::Numeric(numeric)) => Some(Expr::Literal(Value::Numeric(-numeric), ty)),
        (None, _) => None,
    }
}
