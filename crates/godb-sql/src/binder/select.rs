//! One SELECT: FROM, WHERE, GROUP BY, HAVING, the select list, DISTINCT and ORDER BY, in the order in which they take effect.

use super::expr::{place, unnested};
use super::names::fold;
use super::output::Item;
use super::scope::Aggregates;
use super::{Binder, Bound};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{Logical, OutputColumn, Projection, SortKey};
use crate::plan::walk::same;
use sqlparser::ast::{self, Distinct, Expr as Sql, GroupByExpr, OrderByExpr, Select};

/// The clauses of a SELECT above WHERE, bound.
pub(super) struct Clauses {
    pub(super) items: Vec<Item>,
    pub(super) groups: Vec<Expr>,
    pub(super) having: Option<Expr>,
    pub(super) order: Vec<SortKey>,
    pub(super) distinct_on: Vec<Expr>,
}

impl Clauses {
    /// All expressions over what comes out of the aggregation.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let items = self.items.iter_mut().map(|item| &mut item.expr);
        let order = self.order.iter_mut().map(|key| &mut key.expr);
        items
            .chain(&mut self.having)
            .chain(order)
            .chain(&mut self.distinct_on)
    }
}

impl Binder<'_> {
    /// A SELECT with the ORDER BY of its query.
    #[inline(never)]
    pub(super) fn select_query(&mut self, select: &Select, order: &[OrderByExpr]) -> Result<Bound> {
        check_select(select)?;
        self.in_new_level(|b| b.select_level(select, order))
    }

    #[inline(never)]
    fn select_level(&mut self, select: &Select, order: &[OrderByExpr]) -> Result<Bound> {
        let mut plan = self.locked_from(select)?;
        let locks = self.locking.is_at(&plan);
        if let Some(sql) = &select.selection {
            let predicate = self.predicate(sql, "WHERE")?;
            plan = Logical::Filter {
                input: Box::new(plan),
                predicate,
            };
        }
        self.select().aggregates = Aggregates::Allowed;
        let mut clauses = self.clauses(select, order)?;
        let aggregates = std::mem::take(&mut self.select().calls);
        let grouped = !clauses.groups.is_empty() || !aggregates.is_empty() || clauses.having.is_some();
        if grouped {
            if locks {
                return Err(SqlError::new(
                    state::FEATURE_NOT_SUPPORTED,
                    "FOR UPDATE or SHARE is not allowed with aggregate functions",
                ));
            }
            plan = self.group(plan, &mut clauses, aggregates)?;
        }
        self.shape(
            plan,
            clauses,
            matches!(select.distinct, Some(Distinct::Distinct)),
            order,
        )
    }

    /// A condition in a clause without aggregates.
    pub(super) fn predicate(&mut self, sql: &Sql, clause: &'static str) -> Result<Expr> {
        self.with_aggregates(Aggregates::Refused(clause), |b| {
            let expr = b.expr(sql)?;
            b.boolean(expr, clause, place(sql))
        })
    }

    fn clauses(&mut self, select: &Select, order: &[OrderByExpr]) -> Result<Clauses> {
        let items = self.select_list(&select.projection)?;
        let groups = self.group_by(&select.group_by, &items)?;
        let having = match &select.having {
            Some(sql) => {
                let expr = self.expr(sql)?;
                Some(self.boolean(expr, "HAVING", place(sql))?)
            }
            None => None,
        };
        let mut keys = Vec::with_capacity(order.len());
        for item in order {
            let expr = self.item_or_expr(&item.expr, &items, "ORDER BY")?;
            keys.push(super::order::sort_key(expr, &item.options));
        }
        let mut distinct_on = Vec::new();
        if let Some(Distinct::On(exprs)) = &select.distinct {
            for sql in exprs {
                distinct_on.push(self.item_or_expr(sql, &items, "SELECT DISTINCT ON")?);
            }
        }
        Ok(Clauses {
            items,
            groups,
            having,
            order: keys,
            distinct_on,
        })
    }

    /// A number or a name of the select list, or else an expression over the input.
    fn item_or_expr(&mut self, sql: &Sql, items: &[Item], clause: &str) -> Result<Expr> {
        let position = match self.ordinal(sql, items.len(), clause)? {
            Some(position) => Some(position),
            None => {
                let named = items.iter().map(|item| (item.name.as_str(), &item.expr));
                self.output_name(sql, named, clause)?
            }
        };
        match position {
            Some(position) => Ok(items[position].expr.clone()),
            None => {
                let expr = self.expr(sql)?;
                self.known(expr)
            }
        }
    }

    fn group_by(&mut self, group_by: &GroupByExpr, items: &[Item]) -> Result<Vec<Expr>> {
        let GroupByExpr::Expressions(exprs, modifiers) = group_by else {
            return Err(SqlError::unsupported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(SqlError::unsupported("a GROUP BY modifier"));
        }
        let mut groups: Vec<Expr> = Vec::with_capacity(exprs.len());
        for sql in exprs {
            if let Some(row) = Self::as_row(sql) {
                for part in row {
                    let expr = self.grouping(part, items)?;
                    groups.push(expr);
                }
                continue;
            }
            let expr = self.grouping(sql, items)?;
            groups.push(expr);
        }
        let mut different: Vec<Expr> = Vec::with_capacity(groups.len());
        for group in groups {
            if !different.iter().any(|known| same(known, &group)) {
                different.push(group);
            }
        }
        Ok(different)
    }

    /// One item of GROUP BY: a number, an input column, a name of the select list, or an expression, tried in that order.
    fn grouping(&mut self, sql: &Sql, items: &[Item]) -> Result<Expr> {
        if let Some(position) = self.ordinal(sql, items.len(), "GROUP BY")? {
            let expr = items[position].expr.clone();
            self.check_group(&expr, sql)?;
            return self.known(expr);
        }
        let is_input = match unnested(sql) {
            Sql::Identifier(ident) => {
                let name = fold(ident);
                self.select().scope.visible.iter().any(|v| v.name == name)
            }
            _ => true,
        };
        if !is_input {
            let named = items.iter().map(|item| (item.name.as_str(), &item.expr));
            if let Some(position) = self.output_name(sql, named, "GROUP BY")? {
                let expr = items[position].expr.clone();
                self.check_group(&expr, sql)?;
                return self.known(expr);
            }
        }
        let expr = self.with_aggregates(Aggregates::Refused("GROUP BY"), |b| b.expr(sql))?;
        self.known(expr)
    }

    fn check_group(&mut self, expr: &Expr, sql: &Sql) -> Result<()> {
        let columns = crate::plan::walk::columns_of(expr);
        let aggregated = self
            .select()
            .calls
            .iter()
            .any(|call| columns.contains(call.output.id));
        if !aggregated {
            return Ok(());
        }
        let message = "aggregate functions are not allowed in GROUP BY";
        Err(self.at(SqlError::new(state::GROUPING_ERROR, message), place(sql)))
    }

    /// HAVING, the select list, DISTINCT and ORDER BY over the (grouped) input.
    fn shape(
        &mut self,
        plan: Logical,
        clauses: Clauses,
        distinct: bool,
        order_sql: &[OrderByExpr],
    ) -> Result<Bound> {
        let mut plan = plan;
        if let Some(predicate) = clauses.having {
            plan = Logical::Filter {
                input: Box::new(plan),
                predicate,
            };
        }
        let mut projected: Vec<Projection> = Vec::with_capacity(clauses.items.len());
        for item in clauses.items {
            let column = self.new_column(item.name, item.expr.data_type());
            projected.push((item.expr, column));
        }
        let columns: Vec<OutputColumn> = projected.iter().map(|(_, c)| c.clone()).collect();
        let shown = projected.len();
        let on = clauses
            .distinct_on
            .into_iter()
            .map(|e| self.projected(&mut projected, e));
        let on: Vec<Expr> = on.collect();
        let mut keys = Vec::with_capacity(clauses.order.len());
        for (key, sql) in clauses.order.into_iter().zip(order_sql) {
            let expr = self.projected(&mut projected, key.expr);
            if distinct && projected.len() > shown {
                let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
                let error = SqlError::new(state::INVALID_COLUMN_REFERENCE, message);
                return Err(self.at(error, place(&sql.expr)));
            }
            keys.push(SortKey { expr, ..key });
        }
        check_distinct_on(&on, &keys).map_err(|e| match order_sql.first() {
            Some(sql) => self.at(e, place(&sql.expr)),
            None => e,
        })?;
        self.project_keys(&plan, &mut projected);
        plan = Logical::Project {
            input: Box::new(plan),
            columns: projected,
        };
        Ok(Bound {
            plan: distinct_and_sort(plan, distinct, on, keys),
            columns,
        })
    }

    /// The projected column of an expression, added if it is not there yet.
    fn projected(&mut self, projected: &mut Vec<Projection>, expr: Expr) -> Expr {
        if let Some((_, column)) = projected.iter().find(|(known, _)| same(known, &expr)) {
            return column.read();
        }
        let column = self.new_column("", expr.data_type());
        let read = column.read();
        projected.push((expr, column));
        read
    }
}

/// `DISTINCT ON` takes the first row of each group in the order asked for, so it needs that order before it.
fn distinct_and_sort(plan: Logical, distinct: bool, on: Vec<Expr>, keys: Vec<SortKey>) -> Logical {
    let by_value = distinct && on.is_empty();
    let plan = if by_value {
        distinct_of(plan, Vec::new())
    } else {
        plan
    };
    let plan = if keys.is_empty() {
        plan
    } else {
        Logical::Sort {
            input: Box::new(plan),
            keys,
        }
    };
    if on.is_empty() {
        plan
    } else {
        distinct_of(plan, on)
    }
}

fn distinct_of(plan: Logical, on: Vec<Expr>) -> Logical {
    Logical::Distinct {
        input: Box::new(plan),
        on,
    }
}

/// The leading ORDER BY items must be the `DISTINCT ON` ones, in any order.
fn check_distinct_on(on: &[Expr], keys: &[SortKey]) -> Result<()> {
    let leading = keys.iter().take(on.len());
    let matches = leading.clone().all(|key| on.iter().any(|e| same(e, &key.expr)));
    if on.is_empty() || keys.is_empty() || matches {
        return Ok(());
    }
    Err(SqlError::new(
        state::INVALID_COLUMN_REFERENCE,
        "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
    ))
}

/// Refuses the clauses of other systems that the grammar lets pass.
fn check_select(select: &Select) -> Result<()> {
    let foreign = [
        (select.into.is_some(), "SELECT INTO"),
        (select.top.is_some(), "TOP"),
        (select.qualify.is_some(), "QUALIFY"),
        (select.prewhere.is_some(), "PREWHERE"),
        (!select.named_window.is_empty(), "WINDOW"),
        (!select.lateral_views.is_empty(), "LATERAL VIEW"),
        (!select.cluster_by.is_empty(), "CLUSTER BY"),
        (!select.distribute_by.is_empty(), "DISTRIBUTE BY"),
        (!select.sort_by.is_empty(), "SORT BY"),
        (!select.connect_by.is_empty(), "CONNECT BY"),
        (select.value_table_mode.is_some(), "SELECT AS VALUE"),
        (select.exclude.is_some(), "EXCLUDE"),
        (select.select_modifiers.is_some(), "a SELECT modifier"),
        (
            !matches!(select.flavor, ast::SelectFlavor::Standard),
            "FROM before SELECT",
        ),
    ];
    match foreign.iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(SqlError::unsupported(what)),
        None => Ok(()),
    }
}
