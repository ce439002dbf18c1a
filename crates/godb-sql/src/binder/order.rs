//! ORDER BY, and the rule by which its items, those of GROUP BY and DISTINCT ON name columns of the select list.

use super::Binder;
use super::expr::{place, unnested};
use super::names::fold;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{OutputColumn, SortKey};
use sqlparser::ast::{self, Expr as Sql, OrderBy, OrderByKind, OrderByOptions, OrderBySort};

/// A key with PostgreSQL's default for NULLs: they count as larger than everything.
pub(super) fn sort_key(expr: Expr, options: &OrderByOptions) -> SortKey {
    let descending = matches!(options.sort, Some(OrderBySort::Desc));
    SortKey {
        expr,
        descending,
        nulls_first: options.nulls_first.unwrap_or(descending),
    }
}

impl Binder<'_> {
    /// The items of an ORDER BY.
    pub(super) fn order_items<'s>(&self, order: Option<&'s OrderBy>) -> Result<&'s [ast::OrderByExpr]> {
        let Some(order) = order else { return Ok(&[]) };
        match &order.kind {
            OrderByKind::Expressions(items) if order.interpolate.is_none() => {
                for item in items {
                    if item.with_fill.is_some() || matches!(item.options.sort, Some(OrderBySort::Using(_))) {
                        return self.refuse("this form of ORDER BY", place(&item.expr));
                    }
                }
                Ok(items)
            }
            _ => Err(SqlError::unsupported("ORDER BY ALL")),
        }
    }

    /// The position in the select list that a bare number names.
    pub(super) fn ordinal(&self, sql: &Sql, columns: usize, clause: &str) -> Result<Option<usize>> {
        let Sql::Value(value) = unnested(sql) else {
            return Ok(None);
        };
        let number = match &value.value {
            ast::Value::Number(digits, _) => digits.parse::<usize>().ok(),
            ast::Value::Placeholder(_) | ast::Value::Null => return Ok(None),
            _ => None,
        };
        let message = match number {
            Some(number) if (1..=columns).contains(&number) => return Ok(Some(number - 1)),
            Some(number) => format!("{clause} position {number} is not in select list"),
            None => return self.syntax(&format!("non-integer constant in {clause}"), place(sql)),
        };
        Err(self.at(
            SqlError::new(state::INVALID_COLUMN_REFERENCE, message),
            place(sql),
        ))
    }

    /// The position in the select list of the column with the name written, if it is a bare name of one.
    pub(super) fn output_name<'c>(
        &self,
        sql: &Sql,
        columns: impl Iterator<Item = (&'c str, &'c Expr)>,
        clause: &str,
    ) -> Result<Option<usize>> {
        let Sql::Identifier(ident) = unnested(sql) else {
            return Ok(None);
        };
        let name = fold(ident);
        let mut found: Option<(usize, &Expr)> = None;
        for (position, (column, expr)) in columns.enumerate() {
            if column != name {
                continue;
            }
            if found.is_some_and(|(_, other)| !crate::plan::walk::same(other, expr)) {
                let message = format!("{clause} \"{name}\" is ambiguous");
                return Err(self.at(SqlError::new(state::AMBIGUOUS_COLUMN, message), ident.span.start));
            }
            found.get_or_insert((position, expr));
        }
        Ok(found.map(|(position, _)| position))
    }

    /// ORDER BY over a query's output alone: names and numbers.
    pub(super) fn order_of_output(
        &mut self,
        items: &[ast::OrderByExpr],
        columns: &[OutputColumn],
    ) -> Result<Vec<SortKey>> {
        let reads: Vec<Expr> = columns.iter().map(OutputColumn::read).collect();
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let named = || columns.iter().map(|c| c.name.as_str()).zip(&reads);
            let position = match self.ordinal(&item.expr, columns.len(), "ORDER BY")? {
                Some(position) => Some(position),
                None => self.output_name(&item.expr, named(), "ORDER BY")?,
            };
            let Some(position) = position else {
                return Err(self.not_an_output(&item.expr, columns));
            };
            keys.push(sort_key(reads[position].clone(), &item.options));
        }
        Ok(keys)
    }

    fn not_an_output(&self, sql: &Sql, _columns: &[OutputColumn]) -> SqlError {
        let error = match unnested(sql) {
            Sql::Identifier(ident) => {
                let message = format!("column \"{}\" does not exist", fold(ident));
                SqlError::new(state::UNDEFINED_COLUMN, message)
            }
            _ => SqlError::new(
                state::FEATURE_NOT_SUPPORTED,
                "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
            )
            .detail("Only result column names can be used, not expressions or functions.")
            .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."),
        };
        self.at(error, place(sql))
    }
}
