//! Whole queries: WITH, body, ORDER BY, LIMIT.

use super::expr::place;
use super::subquery::query_place;
use super::{Binder, Bound};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{Logical, OutputColumn};
use sqlparser::ast::{self, OrderByExpr, Query, SetExpr};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    /// Binds a query. Its columns may still be untyped.
    pub(crate) fn query(&mut self, query: &Query) -> Result<Bound> {
        self.check_query(query)?;
        let outside = self.ctes.len();
        if let Some(with) = &query.with {
            self.with(with)?;
        }
        let result = self.query_body(query);
        self.ctes.truncate(outside);
        result
    }

    #[inline(never)]
    fn query_body(&mut self, query: &Query) -> Result<Bound> {
        let order = self.order_items(query.order_by.as_ref())?;
        let bound = self.ordered(&query.body, order)?;
        self.limited(bound, query)
    }

    fn check_query(&self, query: &Query) -> Result<()> {
        let foreign = [
            (!query.locks.is_empty(), "FOR UPDATE or SHARE in a subquery"),
            (query.for_clause.is_some(), "a FOR clause"),
            (query.settings.is_some(), "SETTINGS"),
            (query.format_clause.is_some(), "FORMAT"),
            (!query.pipe_operators.is_empty(), "the pipe operator"),
        ];
        match foreign.iter().find(|(given, _)| *given) {
            Some((_, what)) => self.refuse(what, query_place(query)),
            None => Ok(()),
        }
    }

    /// A query's body in an order. A plain SELECT can be ordered by what it does not show.
    #[inline(never)]
    fn ordered(&mut self, body: &SetExpr, order: &[OrderByExpr]) -> Result<Bound> {
        match body {
            SetExpr::Select(select) => return self.select_query(select, order),
            SetExpr::Query(inner) if is_bare(inner) => return self.ordered(&inner.body, order),
            _ => {}
        }
        let bound = self.body(body)?;
        if order.is_empty() {
            return Ok(bound);
        }
        let bound = self.known_columns(bound)?;
        let keys = self.order_of_output(order, &bound.columns)?;
        let plan = Logical::Sort {
            input: Box::new(bound.plan),
            keys,
        };
        Ok(Bound {
            plan,
            columns: bound.columns,
        })
    }

    pub(super) fn body(&mut self, body: &SetExpr) -> Result<Bound> {
        match body {
            SetExpr::Select(select) => self.select_query(select, &[]),
            SetExpr::Query(inner) => self.query(inner),
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => self.set_operation(left, *op, *set_quantifier, right),
            SetExpr::Values(values) => self.values(values),
            SetExpr::Table(table) => self.table_command(table),
            _ => Err(SqlError::unsupported("a data-modifying statement inside a query")),
        }
    }

    /// `TABLE t`
    #[inline(never)]
    fn table_command(&mut self, table: &ast::Table) -> Result<Bound> {
        let Some(name) = &table.table_name else {
            return Err(SqlError::new(state::SYNTAX_ERROR, "TABLE without a name"));
        };
        let mut idents = vec![ast::Ident::new(name.clone())];
        if let Some(schema) = &table.schema_name {
            idents.insert(0, ast::Ident::new(schema.clone()));
        }
        let select = ast::TableFactor::Table {
            name: ast::ObjectName::from(idents),
            alias: None,
            args: None,
            with_hints: Vec::new(),
            version: None,
            with_ordinality: false,
            partitions: Vec::new(),
            json_path: None,
            sample: None,
            index_hints: Vec::new(),
        };
        let item = self.table_factor(&select)?;
        Ok(Bound::all(item.plan))
    }

    /// `VALUES (1, 'a'), (2, 'b')`
    #[inline(never)]
    pub(super) fn values(&mut self, values: &ast::Values) -> Result<Bound> {
        let mut rows: Vec<Vec<(Expr, Location)>> = Vec::with_capacity(values.rows.len());
        let width = values.rows.first().map_or(0, |row| row.content.len());
        for row in &values.rows {
            if row.content.len() != width {
                let at = row.content.first().map_or(Location::new(0, 0), place);
                return self.syntax("VALUES lists must all be the same length", at);
            }
            let cells = row.content.iter().map(|sql| {
                let aggregates = super::scope::Aggregates::Refused("VALUES");
                let cell = self.with_aggregates(aggregates, |b| b.expr(sql))?;
                Ok((cell, place(sql)))
            });
            rows.push(cells.collect::<Result<_>>()?);
        }
        self.values_of(rows, width)
    }

    fn values_of(&mut self, rows: Vec<Vec<(Expr, Location)>>, width: usize) -> Result<Bound> {
        let mut types = Vec::with_capacity(width);
        for column in 0..width {
            let column_types: Vec<_> = rows.iter().map(|row| row[column].0.data_type()).collect();
            let at = rows.first().map_or(Location::new(0, 0), |row| row[column].1);
            types.push(self.common(&column_types, "VALUES", at)?);
        }
        let mut coerced = Vec::with_capacity(rows.len());
        for row in rows {
            let cells = row.into_iter().zip(&types);
            let cells = cells.map(|((e, at), to)| self.coerce(e, *to, crate::cast::Coercion::Implicit, at));
            coerced.push(cells.collect::<Result<Vec<_>>>()?);
        }
        let named = types.iter().enumerate();
        let output: Vec<OutputColumn> = named
            .map(|(index, ty)| self.new_column(format!("column{}", index + 1), *ty))
            .collect();
        Ok(Bound::all(Logical::Values {
            rows: coerced,
            output,
        }))
    }
}

/// A query that is nothing but its body in parentheses.
fn is_bare(query: &Query) -> bool {
    query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none()
}
