//! UNION, INTERSECT, EXCEPT.

use super::{Binder, Bound};
use crate::error::{Result, SqlError};
use crate::plan::logical::{Logical, SetKind};
use crate::standin::cast::Coercion;
use crate::types::DataType;
use sqlparser::ast::{SetExpr, SetOperator, SetQuantifier};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
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
        let columns = left.columns.iter().zip(&types);
        let output = columns
            .map(|(c, ty)| self.new_column(c.name.clone(), *ty))
            .collect();
        Ok(Bound::all(Logical::Set {
            kind,
            all,
            left: Box::new(super::subquery::shown_only(left)),
            right: Box::new(super::subquery::shown_only(right)),
            output,
        }))
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
