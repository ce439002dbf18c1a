//! LIMIT, OFFSET, FETCH.

use super::expr::place;
use super::{Binder, Bound};
use crate::cast::Coercion;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::Logical;
use crate::plan::walk::columns_of;
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{Expr as Sql, LimitClause, Query};

impl Binder<'_> {
    #[inline(never)]
    pub(super) fn limited(&mut self, bound: Bound, query: &Query) -> Result<Bound> {
        let (limit, offset) = self.limits(query)?;
        if limit.is_none() && offset.is_none() {
            return Ok(bound);
        }
        let plan = Logical::Limit {
            input: Box::new(bound.plan),
            limit,
            offset,
        };
        Ok(Bound {
            plan,
            columns: bound.columns,
        })
    }

    /// What LIMIT or FETCH, and OFFSET, say.
    pub(super) fn limits(&mut self, query: &Query) -> Result<(Option<Expr>, Option<Expr>)> {
        let (mut limit, mut offset) = (None, None);
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset {
                limit: l,
                offset: o,
                limit_by,
            }) if limit_by.is_empty() => {
                limit = l.as_ref().map(|sql| self.count(sql, "LIMIT")).transpose()?;
                offset = o.as_ref().map(|o| self.count(&o.value, "OFFSET")).transpose()?;
            }
            Some(_) => return Err(SqlError::unsupported("this form of LIMIT")),
        }
        if let Some(fetch) = &query.fetch {
            if fetch.with_ties || fetch.percent {
                return Err(SqlError::unsupported("FETCH with TIES or PERCENT"));
            }
            limit = Some(match &fetch.quantity {
                Some(sql) => self.count(sql, "FETCH FIRST")?,
                None => Expr::Literal(Value::Int(1), DataType::Int8),
            });
        }
        Ok((limit, offset))
    }

    fn count(&mut self, sql: &Sql, clause: &str) -> Result<Expr> {
        let expr = self.in_new_level(|b| b.expr(sql))?;
        if !columns_of(&expr).is_empty() {
            let message = format!("argument of {clause} must not contain variables");
            return Err(self.at(
                SqlError::new(state::INVALID_COLUMN_REFERENCE, message),
                place(sql),
            ));
        }
        let ty = expr.data_type();
        let number = ty == DataType::Unknown || ty.is_numeric();
        if !number {
            let message = format!("argument of {clause} must be type bigint, not type {}", ty.base());
            return Err(self.at(SqlError::new(state::DATATYPE_MISMATCH, message), place(sql)));
        }
        self.coerce(expr, DataType::Int8, Coercion::Assignment, place(sql))
    }
}
