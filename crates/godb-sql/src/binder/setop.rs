//! UNION, INTERSECT, EXCEPT.

use super::{Binder, Bound};
use crate::cast::Coercion;
use crate::error::{Result, SqlError};
use crate::plan::logical::{Logical, SetKind};
use crate::types::DataType;
use sqlparser::ast::{SetExpr, SetOperator, SetQuantifier};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    #[inline(never)]
    pub(super) fn set_operation(
        &mut self,
        left: &SetExpr,
        op: SetOperator,
        quantifier: SetQuantifier,
        right: &SetExpr,
    ) -> Result<Bound> {
        let (kind, word) = match op {
            SetOperator::Union => (SetKind::Union, "UNION"),
            SetOperator::Intersect => (SetKind::Intersect, "INTERSECT"),
            SetOperator::Except => (SetKind::Except, "EXCEPT"),
            SetOperator::Minus => return Err(SqlError::unsupported("MINUS")),
        };
        let all = match quantifier {
            SetQuantifier::All => true,
            SetQuantifier::Distinct | SetQuantifier::None => false,
            _ => return Err(SqlError::unsupported("a set operation BY NAME")),
        };
        if kind == SetKind::Union {
            let mut branches = vec![right];
            return self.union(chain(left, quantifier, &mut branches), branches, all);
        }
        let left_bound = self.body(left)?;
        let right_bound = self.body(right)?;
        let at = place_of(right);
        if left_bound.columns.len() != right_bound.columns.len() {
            let message = format!("each {word} query must have the same number of columns");
            return self.syntax(&message, at);
        }
        let types = self.common_columns(&left_bound, &right_bound, word, at)?;
        let left = self.coerce_columns(left_bound, &types, Coercion::Implicit, place_of(left))?;
        let right = self.coerce_columns(right_bound, &types, Coercion::Implicit, at)?;
        Ok(self.combined(kind, all, left, right))
    }

    fn combined(&mut self, kind: SetKind, all: bool, left: Bound, right: Bound) -> Bound {
        let columns = left.columns.iter();
        let output = columns.map(|c| self.new_column(c.name.clone(), c.ty)).collect();
        Bound::all(Logical::Set {
            kind,
            all,
            left: Box::new(super::subquery::shown_only(left)),
            right: Box::new(super::subquery::shown_only(right)),
            output,
        })
    }

    /// A chain of unions as a balanced tree: a thousand branches are ten levels deep. Union is associative.
    fn union<'s>(&mut self, first: &'s SetExpr, mut rest: Vec<&'s SetExpr>, all: bool) -> Result<Bound> {
        rest.push(first);
        rest.reverse();
        let mut row = Vec::with_capacity(rest.len());
        let mut types: Vec<DataType> = Vec::new();
        for body in rest {
            let (bound, at) = (self.body(body)?, place_of(body));
            types = match row.is_empty() {
                true => bound.types(),
                false if types.len() == bound.columns.len() => self.wider(&types, &bound, at)?,
                false => return self.syntax("each UNION query must have the same number of columns", at),
            };
            row.push((bound, at));
        }
        let text = |ty: &DataType| {
            if *ty == DataType::Unknown {
                DataType::Text
            } else {
                *ty
            }
        };
        let types: Vec<DataType> = types.iter().map(text).collect();
        let coerced = row
            .into_iter()
            .map(|(b, at)| self.coerce_columns(b, &types, Coercion::Implicit, at));
        let mut row = coerced.collect::<Result<Vec<_>>>()?;
        while row.len() > 1 {
            let mut below = std::mem::take(&mut row).into_iter();
            while let Some(left) = below.next() {
                row.push(match below.next() {
                    Some(right) => self.combined(SetKind::Union, all, left, right),
                    None => left,
                });
            }
        }
        Ok(row.swap_remove(0))
    }

    fn wider(&self, types: &[DataType], bound: &Bound, at: Location) -> Result<Vec<DataType>> {
        let pairs = types.iter().zip(&bound.columns);
        pairs
            .map(|(ty, column)| self.common(&[*ty, column.ty], "UNION", at))
            .collect()
    }

    fn common_columns(&self, left: &Bound, right: &Bound, word: &str, at: Location) -> Result<Vec<DataType>> {
        let pairs = left.columns.iter().zip(&right.columns);
        let common = pairs.map(|(a, b)| match self.common(&[a.ty, b.ty], word, at)? {
            DataType::Unknown => Ok(DataType::Text),
            ty => Ok(ty),
        });
        common.collect()
    }
}

/// Walks down the left side of a chain of equal unions; returns its first branch, the others come last first.
fn chain<'s>(left: &'s SetExpr, quantifier: SetQuantifier, branches: &mut Vec<&'s SetExpr>) -> &'s SetExpr {
    let mut left = left;
    while let SetExpr::SetOperation {
        left: first,
        op: SetOperator::Union,
        set_quantifier,
        right,
    } = left
        && (*set_quantifier == SetQuantifier::All) == (quantifier == SetQuantifier::All)
        && matches!(
            set_quantifier,
            SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None
        )
    {
        branches.push(right);
        left = first;
    }
    left
}

fn place_of(body: &SetExpr) -> Location {
    match body {
        SetExpr::Select(select) => match select.projection.first() {
            Some(item) => sqlparser::ast::Spanned::span(item).start,
            None => select.select_token.0.span.start,
        },
        SetExpr::SetOperation { left, .. } => place_of(left),
        SetExpr::Query(query) => place_of(&query.body),
        _ => Location::new(0, 0),
    }
}
