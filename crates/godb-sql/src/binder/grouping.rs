//! What may stand above an aggregation: grouping expressions, aggregates, and what follows from them.

use super::Binder;
use super::scope::Relation;
use super::select::Clauses;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, Logical, OutputColumn, Projection};
use crate::plan::walk::{IdSet, same};

impl Binder<'_> {
    /// Puts an aggregation on top of a plan and makes the clauses above it read its columns.
    pub(super) fn group(
        &mut self,
        plan: Logical,
        clauses: &mut Clauses,
        aggregates: Vec<AggregateCall>,
    ) -> Result<Logical> {
        let input = plan.output_ids();
        let mut groups: Vec<Projection> = Vec::new();
        for expr in std::mem::take(&mut clauses.groups) {
            let column = self.new_column(self.group_name(&expr), expr.data_type());
            groups.push((expr, column));
        }
        for expr in clauses.exprs_mut() {
            self.regroup(expr, &mut groups, &input)?;
        }
        Ok(Logical::Aggregate {
            input: Box::new(plan),
            groups,
            aggregates,
        })
    }

    fn group_name(&self, expr: &Expr) -> String {
        let Expr::Column(id, _) = expr else {
            return String::new();
        };
        self.input_column(*id)
            .map_or_else(String::new, |(_, column)| column.name.clone())
    }

    fn input_column(&self, id: u32) -> Option<(&Relation, &OutputColumn)> {
        let scope = &self.frames.last()?.select.scope;
        let columns = scope
            .relations
            .iter()
            .flat_map(|r| r.columns.iter().map(move |c| (r, c)));
        columns.into_iter().find(|(_, c)| c.id == id)
    }

    /// Replaces what equals a grouping expression by its column.
    fn regroup(&mut self, expr: &mut Expr, groups: &mut Vec<Projection>, input: &IdSet) -> Result<()> {
        if let Some((_, column)) = groups.iter().find(|(group, _)| same(group, expr)) {
            *expr = column.read();
            return Ok(());
        }
        if let Expr::Column(id, _) = expr
            && input.contains(*id)
        {
            return self.depends_on_groups(expr, groups);
        }
        for child in expr.children_mut() {
            self.regroup(child, groups, input)?;
        }
        Ok(())
    }

    /// A column may stand ungrouped when its table's whole primary key is grouped by: then there is one value a group.
    fn depends_on_groups(&mut self, expr: &mut Expr, groups: &mut Vec<Projection>) -> Result<()> {
        let Expr::Column(id, ty) = *expr else {
            return Ok(());
        };
        let Some((relation, column)) = self.input_column(id) else {
            return Err(self.ungrouped("?column?", id));
        };
        let shown = format!("{}.{}", relation.name, column.name);
        let name = column.name.clone();
        let determined = relation.table.as_ref().is_some_and(|table| {
            let key = table
                .primary_key
                .iter()
                .map(|position| relation.columns[*position].id);
            let grouped = |id| {
                groups
                    .iter()
                    .any(|(e, _)| matches!(e, Expr::Column(c, _) if *c == id))
            };
            !table.primary_key.is_empty() && key.into_iter().all(grouped)
        });
        if !determined {
            return Err(self.ungrouped(&shown, id));
        }
        let output = self.new_column(name, ty);
        groups.push((expr.clone(), output.clone()));
        *expr = output.read();
        Ok(())
    }

    fn ungrouped(&mut self, shown: &str, id: u32) -> SqlError {
        let used = self.select().uses.iter().find(|(used, _)| *used == id).copied();
        let message = format!(
            "column \"{shown}\" must appear in the GROUP BY clause or be used in an aggregate function"
        );
        let error = SqlError::new(state::GROUPING_ERROR, message);
        match used {
            Some((_, location)) => self.at(error, location),
            None => error,
        }
    }
}
