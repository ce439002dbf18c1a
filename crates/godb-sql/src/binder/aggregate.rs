//! Aggregate calls: collected while expressions are bound, each replaced by the column it will become.

use super::Binder;
use super::call::Arguments;
use super::expr::place;
use super::scope::Aggregates;
use crate::cast::Coercion;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::resolve_aggregate;
use crate::plan::logical::{AggregateCall, SortKey};
use crate::plan::walk::same;
use crate::types::DataType;
use sqlparser::ast;
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    #[inline(never)]
    pub(super) fn aggregate_call(
        &mut self,
        name: &str,
        args: &Arguments<'_>,
        filter: Option<&ast::Expr>,
        at: Location,
    ) -> Result<Expr> {
        self.check_allowed(at)?;
        self.check_star(name, args, at)?;
        let call = self.with_aggregates(Aggregates::Within, |b| b.bind_call(name, args, filter, at))?;
        Ok(self.collect(call))
    }

    fn check_allowed(&mut self, at: Location) -> Result<()> {
        let message = match self.select().aggregates {
            Aggregates::Allowed => return Ok(()),
            Aggregates::Within => "aggregate function calls cannot be nested".to_owned(),
            Aggregates::Refused(clause) => format!("aggregate functions are not allowed in {clause}"),
            Aggregates::Nowhere => "aggregate functions are not allowed here".to_owned(),
        };
        Err(self.at(SqlError::new(state::GROUPING_ERROR, message), at))
    }

    fn check_star(&self, name: &str, args: &Arguments<'_>, at: Location) -> Result<()> {
        let message = if args.star && name != "count" {
            format!("function {name}() does not exist")
        } else if args.star && args.distinct {
            "DISTINCT specified, but no argument given".to_owned()
        } else if !args.star && args.exprs.is_empty() && name == "count" {
            "count(*) must be used to call a parameterless aggregate function".to_owned()
        } else {
            return Ok(());
        };
        let code = if args.star {
            state::UNDEFINED_FUNCTION
        } else {
            state::WRONG_OBJECT_TYPE
        };
        Err(self.at(SqlError::new(code, message), at))
    }

    fn bind_call(
        &mut self,
        name: &str,
        args: &Arguments<'_>,
        filter: Option<&ast::Expr>,
        at: Location,
    ) -> Result<AggregateCall> {
        let mut bound = Vec::with_capacity(args.exprs.len());
        for arg in &args.exprs {
            bound.push((self.expr(arg)?, place(arg)));
        }
        let types: Vec<DataType> = bound.iter().map(|(e, _)| e.data_type()).collect();
        let function = self.located(resolve_aggregate(name, &types), at)?;
        let mut coerced = Vec::with_capacity(bound.len());
        for ((expr, location), to) in bound.into_iter().zip(&function.takes) {
            coerced.push(self.coerce(expr, *to, Coercion::Implicit, location)?);
        }
        let filter = filter.map(|sql| self.filter(sql)).transpose()?;
        let order = self.aggregate_order(args, &coerced)?;
        let output = self.new_column(name, function.returns);
        Ok(AggregateCall {
            function,
            args: coerced,
            distinct: args.distinct,
            filter,
            order,
            output,
        })
    }

    fn filter(&mut self, sql: &ast::Expr) -> Result<Expr> {
        let expr = self.expr(sql)?;
        self.boolean(expr, "FILTER", place(sql))
    }

    fn aggregate_order(&mut self, args: &Arguments<'_>, bound: &[Expr]) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(args.order.len());
        for item in args.order {
            let expr = self.expr(&item.expr)?;
            let expr = self.known(expr)?;
            if args.distinct && !bound.iter().any(|arg| same(arg, &expr)) {
                let message =
                    "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
                let error = SqlError::new(state::INVALID_COLUMN_REFERENCE, message);
                return Err(self.at(error, place(&item.expr)));
            }
            keys.push(super::order::sort_key(expr, &item.options));
        }
        Ok(keys)
    }

    /// The column of a call: that of an equal call, if there is one.
    fn collect(&mut self, call: AggregateCall) -> Expr {
        let calls = &mut self.select().calls;
        if let Some(known) = calls.iter().find(|known| same_call(known, &call)) {
            return known.output.read();
        }
        let column = call.output.read();
        calls.push(call);
        column
    }
}

fn same_call(a: &AggregateCall, b: &AggregateCall) -> bool {
    let (left, right) = (a.exprs(), b.exprs());
    std::ptr::eq(a.function.aggregate, b.function.aggregate)
        && a.distinct == b.distinct
        && a.args.len() == b.args.len()
        && a.filter.is_some() == b.filter.is_some()
        && left.len() == right.len()
        && left.into_iter().zip(right).all(|(x, y)| same(x, y))
        && a.order
            .iter()
            .zip(&b.order)
            .all(|(x, y)| x.descending == y.descending && x.nulls_first == y.nulls_first)
}
