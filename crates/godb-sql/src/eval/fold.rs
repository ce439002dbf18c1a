//! [`fold`]: what depends on nothing is computed once.

use crate::context::{Canceller, Evaluating, Subqueries};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::Volatility;
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Column;
use std::sync::Arc;

/// The expression with its constant parts computed: calls of immutable functions, casts, logic, and strict functions of NULL.
///
/// What fails stays as it is, since it may never be reached at run time. `AND`, `OR`, `CASE` and `COALESCE` lose the parts that
/// cannot matter.
#[must_use]
pub fn fold(mut expr: Expr) -> Expr {
    for child in expr.children_mut() {
        let taken = std::mem::replace(child, Expr::Literal(Value::Null, DataType::Unknown));
        *child = fold(taken);
    }
    let expr = simplify(expr);
    if !is_computable(&expr) {
        return expr;
    }
    let ty = expr.data_type();
    match compute(&expr) {
        Ok(value) => Expr::Literal(value, ty),
        Err(_) => expr,
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..))
}

fn is_null_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Value::Null, _))
}

/// Whether the value depends on nothing but literals right below.
fn is_computable(expr: &Expr) -> bool {
    let inner = match expr {
        Expr::Call { function, .. } => function.volatility == Volatility::Immutable,
        Expr::Cast { .. }
        | Expr::And(_)
        | Expr::Or(_)
        | Expr::Not(_)
        | Expr::IsNull(..)
        | Expr::NotDistinct(..)
        | Expr::Case { .. }
        | Expr::Coalesce(..)
        | Expr::InList { .. } => true,
        _ => false,
    };
    inner && expr.children().into_iter().all(is_literal)
}

fn truth(expr: &Expr) -> Option<Option<bool>> {
    match expr {
        Expr::Literal(Value::Bool(truth), _) => Some(Some(*truth)),
        Expr::Literal(Value::Null, _) => Some(None),
        _ => None,
    }
}

/// Leaves out what cannot matter.
fn simplify(expr: Expr) -> Expr {
    match expr {
        Expr::Call {
            function,
            ref args,
            ty,
        } if function.strict && args.iter().any(is_null_literal) => Expr::Literal(Value::Null, ty),
        // What is in a list is found by equality, which is strict.
        Expr::InList {
            ref expr, ref list, ..
        } if is_null_literal(expr) && !list.is_empty() => Expr::Literal(Value::Null, DataType::Bool),
        Expr::And(parts) => connected(parts, false, Expr::And),
        Expr::Or(parts) => connected(parts, true, Expr::Or),
        Expr::Case {
            branches,
            otherwise,
            ty,
        } => chosen(branches, otherwise, ty),
        Expr::Coalesce(parts, ty) => first_present(parts, ty),
        other => other,
    }
}

/// `AND` and `OR`: a part that decides makes the rest pointless, one that never does is left out.
fn connected(parts: Vec<Expr>, decides: bool, connect: fn(Vec<Expr>) -> Expr) -> Expr {
    if parts.iter().any(|part| truth(part) == Some(Some(decides))) {
        return Expr::Literal(Value::Bool(decides), DataType::Bool);
    }
    let mut left: Vec<Expr> = parts
        .into_iter()
        .filter(|part| truth(part) != Some(Some(!decides)))
        .collect();
    match left.len() {
        0 => Expr::Literal(Value::Bool(!decides), DataType::Bool),
        1 => left.swap_remove(0),
        _ => connect(left),
    }
}

fn chosen(branches: Vec<(Expr, Expr)>, otherwise: Option<Box<Expr>>, ty: DataType) -> Expr {
    let mut left = Vec::with_capacity(branches.len());
    let mut otherwise = otherwise;
    for (when, then) in branches {
        match truth(&when) {
            Some(Some(true)) => {
                otherwise = Some(Box::new(then));
                break;
            }
            Some(_) => {}
            None => left.push((when, then)),
        }
    }
    if left.is_empty() {
        return otherwise.map_or(Expr::Literal(Value::Null, ty), |expr| *expr);
    }
    Expr::Case {
        branches: left,
        otherwise,
        ty,
    }
}

fn first_present(parts: Vec<Expr>, ty: DataType) -> Expr {
    let mut left = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Expr::Literal(Value::Null, _) => {}
            Expr::Literal(..) => {
                left.push(part);
                break;
            }
            other => left.push(other),
        }
    }
    match left.len() {
        0 => Expr::Literal(Value::Null, ty),
        1 => left.swap_remove(0),
        _ => Expr::Coalesce(left, ty),
    }
}

struct NoSubqueries;

impl Subqueries for NoSubqueries {
    fn column(&self, _plan: usize, _outer: &[Value]) -> Result<(Arc<Column>, DataType)> {
        Err(SqlError::new(
            state::INTERNAL_ERROR,
            "a constant holds a subquery",
        ))
    }

    fn exists(&self, _plan: usize, _outer: &[Value]) -> Result<bool> {
        Err(SqlError::new(
            state::INTERNAL_ERROR,
            "a constant holds a subquery",
        ))
    }
}

fn compute(expr: &Expr) -> Result<Value> {
    super::evaluate_constant(
        expr,
        &Evaluating {
            parameters: &[],
            outer: &[],
            transaction_micros: 0,
            statement_micros: 0,
            subqueries: &NoSubqueries,
            canceller: &Canceller::default(),
            random: &|| 0,
            rest: &|_| Ok(()),
            session: None,
        },
    )
}
