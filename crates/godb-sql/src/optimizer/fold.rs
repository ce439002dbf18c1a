//! Constant folding: what depends on nothing is computed once, now.

use crate::expr::Expr;
use crate::functions::Volatility;
use crate::plan::walk::any;

/// The expression with its constant parts computed. What fails stays, to fail at run time, if it is ever evaluated there.
pub(crate) fn fold_expr(expr: Expr) -> Expr {
    if matches!(expr, Expr::Column(..) | Expr::Literal(..) | Expr::Parameter(..)) {
        return expr;
    }
    crate::eval::fold(expr)
}

/// Whether evaluating the expression twice may give two values.
pub(super) fn is_volatile(expr: &Expr) -> bool {
    any(
        expr,
        &|e| matches!(e, Expr::Call { function, .. } if function.volatility == Volatility::Volatile),
    )
}

/// Whether it holds a subquery.
pub(super) fn has_subquery(expr: &Expr) -> bool {
    any(expr, &|e| matches!(e, Expr::Subquery(_)))
}

/// Whether it holds a value passed in from outside.
pub(super) fn has_outer(expr: &Expr) -> bool {
    any(expr, &|e| matches!(e, Expr::Outer(..)))
}
