//! Subqueries in expressions.

use super::expr::{negate, place, truth_value, unnested};
use super::operator::symbol;
use super::{Binder, Bound, Frame};
use crate::cast::Coercion;
use crate::error::{Result, SqlError, state};
use crate::expr::{Asking, Expr, Subquery};
use crate::functions::array::{DIFFERS_FROM_ALL, EQUALS_ANY};
use crate::functions::resolve_binary;
use crate::plan::logical::Logical;
use crate::types::{DataType, Element};
use crate::value::Value;
use sqlparser::ast::{self, BinaryOperator, Expr as Sql, Query};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    /// Binds a query in a frame of its own; what it needs from this frame comes out beside it.
    fn in_new_frame(&mut self, bind: impl FnOnce(&mut Self) -> Result<Bound>) -> Result<(Bound, Vec<Expr>)> {
        self.frames.push(Frame::default());
        let bound = bind(self);
        let frame = self.frames.pop().expect("the frame pushed above");
        Ok((bound?, frame.outer))
    }

    pub(super) fn subplan(&mut self, plan: Logical) -> usize {
        self.subplans.push(plan);
        self.subplans.len() - 1
    }

    fn ask(&mut self, asking: Asking, plan: Logical, outer: Vec<Expr>) -> Expr {
        let plan = self.subplan(plan);
        Expr::Subquery(Box::new(Subquery { asking, plan, outer }))
    }

    #[inline(never)]
    pub(super) fn exists(&mut self, query: &Query, negated: bool) -> Result<Expr> {
        let (bound, outer) = self.in_new_frame(|b| b.query(query))?;
        Ok(self.ask(Asking::Exists { negated }, bound.plan, outer))
    }

    #[inline(never)]
    pub(super) fn scalar_subquery(&mut self, query: &Query) -> Result<Expr> {
        let (bound, outer) = self.in_new_frame(|b| {
            let bound = b.query(query)?;
            b.known_columns(bound)
        })?;
        let ty = self.only_column(&bound, query)?;
        let plan = shown_only(bound);
        Ok(self.ask(Asking::Value(ty), plan, outer))
    }

    fn only_column(&self, bound: &Bound, query: &Query) -> Result<DataType> {
        match bound.columns.as_slice() {
            [column] => Ok(column.ty),
            _ => self.syntax("subquery must return only one column", query_place(query)),
        }
    }

    /// `expr IN (SELECT …)`
    #[inline(never)]
    pub(super) fn in_subquery(&mut self, left: &Sql, query: &Query, negated: bool) -> Result<Expr> {
        let any = if let Sql::Tuple(row) = unnested(left) {
            self.row_in_subquery(row, query, place(left))?
        } else {
            self.compare_with_query(left, "=", query, true)?
        };
        Ok(if negated { negate(any) } else { any })
    }

    /// `expr op ANY (SELECT …)`, `expr op ALL (ARRAY[…])`
    #[inline(never)]
    pub(super) fn quantified(
        &mut self,
        left: &Sql,
        op: &BinaryOperator,
        right: &Sql,
        any: bool,
    ) -> Result<Expr> {
        let Some(symbol) = symbol(op) else {
            return self.refuse(&format!("operator {op} with ANY or ALL"), place(left));
        };
        match unnested(right) {
            Sql::Subquery(query) => self.compare_with_query(left, symbol, query, any),
            Sql::Array(array) => self.quantified_list(left, symbol, &array.elem, any),
            other => self.quantified_array(left, symbol, other, any),
        }
    }

    /// `expr = ANY (array)`, `expr <> ALL (array)`
    fn quantified_array(&mut self, left: &Sql, symbol: &str, array: &Sql, any: bool) -> Result<Expr> {
        let function = match (symbol, any) {
            ("=", true) => &EQUALS_ANY.function,
            ("<>", false) => &DIFFERS_FROM_ALL.function,
            _ => return self.refuse("ANY or ALL over an array with this operator", place(left)),
        };
        let (element, array_at) = (self.expr(left)?, place(array));
        let array = self.expr(array)?;
        let of = match array.data_type() {
            DataType::Array(of) => of,
            // A literal or a parameter is an array of what it is compared with.
            DataType::Unknown => match Element::of(element.data_type()) {
                Some(of) => of,
                None => return self.refuse("an array of this type", array_at),
            },
            _ => {
                let message = "op ANY/ALL (array) requires array on right side";
                return Err(self.at(SqlError::new(state::WRONG_OBJECT_TYPE, message), place(left)));
            }
        };
        let element = self.coerce(element, of.data_type(), Coercion::Implicit, place(left))?;
        let array = self.coerce(array, DataType::Array(of), Coercion::Implicit, array_at)?;
        Ok(Expr::Call {
            function,
            args: vec![element, array],
            ty: DataType::Bool,
        })
    }

    fn quantified_list(&mut self, left: &Sql, symbol: &str, items: &[Sql], any: bool) -> Result<Expr> {
        let bound = self.expr(left)?;
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            let right = self.expr(item)?;
            parts.push(self.compare(symbol, bound.clone(), right, place(left), place(item))?);
        }
        Ok(if any { Expr::Or(parts) } else { Expr::And(parts) })
    }

    fn compare_with_query(&mut self, left: &Sql, symbol: &str, query: &Query, any: bool) -> Result<Expr> {
        let expr = self.expr(left)?;
        let (bound, outer) = self.in_new_frame(|b| b.query(query))?;
        if bound.columns.len() != 1 {
            let message = if bound.columns.len() > 1 {
                "subquery has too many columns"
            } else {
                "subquery has too few columns"
            };
            return self.syntax(message, place(left));
        }
        let right = bound.columns[0].ty;
        let resolved = resolve_binary(symbol, expr.data_type(), right);
        let resolved = self.located(resolved, place(left))?;
        if resolved.returns != DataType::Bool {
            let message = "op ANY/ALL (array) requires operator to yield boolean";
            return Err(self.at(SqlError::new(state::WRONG_OBJECT_TYPE, message), place(left)));
        }
        let expr = self.coerce(expr, resolved.takes[0], Coercion::Implicit, place(left))?;
        let to = [resolved.takes[1]];
        let bound = self.coerce_columns(bound, &to, Coercion::Implicit, query_place(query))?;
        let compare = resolved.function;
        let asking = if any {
            Asking::Any { left: expr, compare }
        } else {
            Asking::All { left: expr, compare }
        };
        let plan = shown_only(bound);
        Ok(self.ask(asking, plan, outer))
    }

    /// `(a, b) IN (SELECT …)`: true if a row is equal, else unknown if one might be, else false.
    fn row_in_subquery(&mut self, row: &[Sql], query: &Query, at: Location) -> Result<Expr> {
        let left = row
            .iter()
            .map(|item| self.expr(item))
            .collect::<Result<Vec<_>>>()?;
        let equal = self.row_exists(&left, query, at, false)?;
        let unknown = self.row_exists(&left, query, at, true)?;
        let branches = vec![
            (equal, truth_value(true)),
            (unknown, Expr::Literal(Value::Null, DataType::Bool)),
        ];
        let otherwise = Some(Box::new(truth_value(false)));
        Ok(Expr::Case {
            branches,
            otherwise,
            ty: DataType::Bool,
        })
    }

    /// `EXISTS (SELECT … WHERE row = its columns)`, or where that is unknown.
    fn row_exists(&mut self, left: &[Expr], query: &Query, at: Location, unknown: bool) -> Result<Expr> {
        let (bound, outer) = self.in_new_frame(|b| {
            let bound = b.query(query)?;
            let bound = b.known_columns(bound)?;
            if bound.columns.len() != left.len() {
                let many = bound.columns.len() > left.len();
                return b.syntax(
                    if many {
                        "subquery has too many columns"
                    } else {
                        "subquery has too few columns"
                    },
                    at,
                );
            }
            let mut equal = Vec::with_capacity(left.len());
            for (expr, column) in left.iter().zip(&bound.columns) {
                let expr = match expr {
                    Expr::Literal(..) | Expr::Parameter(..) => expr.clone(),
                    other => b.frame().pass_in(other.clone()),
                };
                equal.push(b.compare("=", expr, column.read(), at, at)?);
            }
            let predicate = Expr::And(equal);
            let predicate = if unknown {
                Expr::IsNull(Box::new(predicate), false)
            } else {
                predicate
            };
            let plan = Logical::Filter {
                input: Box::new(bound.plan),
                predicate,
            };
            Ok(Bound {
                plan,
                columns: bound.columns,
            })
        })?;
        Ok(self.ask(Asking::Exists { negated: false }, bound.plan, outer))
    }
}

/// The plan with exactly the columns that are shown.
pub(crate) fn shown_only(bound: Bound) -> Logical {
    let output = bound.plan.output();
    let exact =
        output.len() == bound.columns.len() && output.iter().zip(&bound.columns).all(|(a, b)| a.id == b.id);
    if exact {
        return bound.plan;
    }
    let columns = bound.columns.into_iter().map(|c| (c.read(), c)).collect();
    Logical::Project {
        input: Box::new(bound.plan),
        columns,
    }
}

/// Where a query begins.
pub(super) fn query_place(query: &Query) -> Location {
    match &*query.body {
        ast::SetExpr::Select(select) => select.select_token.0.span.start,
        ast::SetExpr::Query(inner) => query_place(inner),
        _ => Location::new(0, 0),
    }
}
