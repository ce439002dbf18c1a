//! Bringing an expression to a type.

use super::{Binder, Bound};
use crate::cast::{Coercion, can_cast};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::common_type;
use crate::plan::logical::{Logical, OutputColumn};
use crate::text::from_text;
use crate::types::DataType;
use crate::value::Value;
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    /// The expression as a value of type `to`. `location` is where it stands.
    pub(super) fn coerce(
        &mut self,
        expr: Expr,
        to: DataType,
        how: Coercion,
        location: Location,
    ) -> Result<Expr> {
        let from = expr.data_type();
        if from == to {
            return Ok(expr);
        }
        if from != DataType::Unknown {
            return self.convert(expr, to, how, location);
        }
        match expr {
            Expr::Literal(Value::Null, _) => Ok(Expr::Literal(Value::Null, to)),
            Expr::Literal(Value::Text(text), _) => {
                let value = from_text(&text, plain(to));
                let literal = Expr::Literal(self.located(value, location)?, plain(to));
                Ok(cast(literal, to, how))
            }
            Expr::Parameter(index, _) => {
                let decided = self.parameters.decide(index, plain(to));
                self.coerce_known(Expr::Parameter(index, decided), to, how, location)
            }
            other => self.convert(cast(other, DataType::Text, Coercion::Implicit), to, how, location),
        }
    }

    fn coerce_known(&mut self, expr: Expr, to: DataType, how: Coercion, location: Location) -> Result<Expr> {
        if expr.data_type() == to {
            return Ok(expr);
        }
        self.convert(expr, to, how, location)
    }

    fn convert(&mut self, expr: Expr, to: DataType, how: Coercion, location: Location) -> Result<Expr> {
        let from = expr.data_type();
        if from == to {
            return Ok(expr);
        }
        if can_cast(from, to, how) {
            return Ok(cast(expr, to, how));
        }
        let error = match how {
            Coercion::Explicit => SqlError::new(
                state::CANNOT_COERCE,
                format!("cannot cast type {} to {}", from.base(), to.base()),
            ),
            _ => SqlError::new(
                state::DATATYPE_MISMATCH,
                format!(
                    "expression is of type {} but must be of type {}",
                    from.base(),
                    to.base()
                ),
            )
            .hint("You will need to rewrite or cast the expression."),
        };
        Err(self.at(error, location))
    }

    /// Gives what is still untyped the type text: nothing else decided.
    pub(super) fn known(&mut self, expr: Expr) -> Result<Expr> {
        if expr.data_type() != DataType::Unknown {
            return Ok(expr);
        }
        self.coerce(expr, DataType::Text, Coercion::Implicit, Location::new(0, 0))
    }

    /// A boolean, as `WHERE` and `AND` want it.
    pub(super) fn boolean(&mut self, expr: Expr, of: &str, location: Location) -> Result<Expr> {
        let ty = expr.data_type();
        if ty != DataType::Bool && ty != DataType::Unknown {
            let message = format!("argument of {of} must be type boolean, not type {}", ty.base());
            return Err(self.at(SqlError::new(state::DATATYPE_MISMATCH, message), location));
        }
        self.coerce(expr, DataType::Bool, Coercion::Implicit, location)
    }

    /// The type that all of these can have; `what` names the construct in the error.
    pub(super) fn common(&self, types: &[DataType], what: &str, location: Location) -> Result<DataType> {
        let common = common_type(types).map_err(|error| match error.state {
            state::DATATYPE_MISMATCH => mismatch(types, what).unwrap_or(error),
            _ => error,
        });
        self.located(common, location)
    }

    /// The first of the types that has none in common with those before it.
    pub(super) fn first_misfit(&self, types: &[DataType]) -> Option<usize> {
        (2..=types.len())
            .find(|n| common_type(&types[..*n]).is_err())
            .map(|n| n - 1)
    }

    /// The query's columns as these types; literals in its select list change type in place.
    pub(super) fn coerce_columns(
        &mut self,
        bound: Bound,
        to: &[DataType],
        how: Coercion,
        location: Location,
    ) -> Result<Bound> {
        let changes = bound.columns.iter().zip(to).any(|(c, to)| c.ty != *to);
        if !changes {
            return Ok(bound);
        }
        let bound = match bound.plan {
            Logical::Values { rows, output } if output.len() == to.len() => {
                return self.coerce_values(rows, output, to, how, location);
            }
            plan => Bound { plan, ..bound },
        };
        let Bound { plan, columns } = bound;
        let (input, old) = unwrap_projection(plan, &columns);
        let mut projected = Vec::with_capacity(columns.len());
        let mut shown = Vec::with_capacity(columns.len());
        for ((expr, column), to) in old.into_iter().zip(to) {
            let changed = column.ty != *to;
            let expr = self.coerce(expr, *to, how, location)?;
            let column = if changed {
                self.new_column(column.name, *to)
            } else {
                column
            };
            shown.push(column.clone());
            projected.push((expr, column));
        }
        let plan = Logical::Project {
            input: Box::new(input),
            columns: projected,
        };
        Ok(Bound { plan, columns: shown })
    }

    fn coerce_values(
        &mut self,
        mut rows: Vec<Vec<Expr>>,
        mut output: Vec<OutputColumn>,
        to: &[DataType],
        how: Coercion,
        location: Location,
    ) -> Result<Bound> {
        for row in &mut rows {
            for (cell, to) in row.iter_mut().zip(to) {
                let taken = std::mem::replace(cell, Expr::Literal(Value::Null, *to));
                *cell = self.coerce(taken, *to, how, location)?;
            }
        }
        for (column, to) in output.iter_mut().zip(to) {
            column.ty = *to;
        }
        Ok(Bound::all(Logical::Values { rows, output }))
    }

    /// The query with untyped columns made text.
    pub(crate) fn known_columns(&mut self, bound: Bound) -> Result<Bound> {
        let types = bound.types();
        if !types.contains(&DataType::Unknown) {
            return Ok(bound);
        }
        let text = |ty| {
            if ty == DataType::Unknown {
                DataType::Text
            } else {
                ty
            }
        };
        let types: Vec<DataType> = types.into_iter().map(text).collect();
        self.coerce_columns(bound, &types, Coercion::Implicit, Location::new(0, 0))
    }
}

/// The projection on top of a plan, taken apart; of another plan, one that changes nothing.
fn unwrap_projection(plan: Logical, shown: &[OutputColumn]) -> (Logical, Vec<(Expr, OutputColumn)>) {
    match plan {
        Logical::Project { input, columns }
            if columns.len() == shown.len() && columns.iter().zip(shown).all(|((_, c), s)| c.id == s.id) =>
        {
            (*input, columns)
        }
        plan => (plan, shown.iter().map(|c| (c.read(), c.clone())).collect()),
    }
}

/// The type without a limit on length or digits: what a literal is read as, before the limit is applied.
fn plain(ty: DataType) -> DataType {
    match ty {
        DataType::Char(_) => DataType::Text,
        other => other.base(),
    }
}

fn cast(expr: Expr, to: DataType, how: Coercion) -> Expr {
    if expr.data_type() == to {
        return expr;
    }
    Expr::Cast {
        expr: Box::new(expr),
        to,
        explicit: how == Coercion::Explicit,
    }
}

/// "CASE types integer and text cannot be matched", of the first two types that differ.
fn mismatch(types: &[DataType], what: &str) -> Option<SqlError> {
    let known: Vec<DataType> = types
        .iter()
        .copied()
        .filter(|t| *t != DataType::Unknown)
        .collect();
    let first = *known.first()?;
    let (mut so_far, mut other) = (first, None);
    for ty in known.iter().skip(1) {
        match common_type(&[so_far, *ty]) {
            Ok(common) => so_far = common,
            Err(_) => {
                other = Some(*ty);
                break;
            }
        }
    }
    let message = format!(
        "{what} types {} and {} cannot be matched",
        so_far.base(),
        other?.base()
    );
    Some(SqlError::new(state::DATATYPE_MISMATCH, message))
}
