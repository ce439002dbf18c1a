//! The comparison that is true exactly when another is false: `NOT a < b` is `a >= b`, with NULLs too.

use crate::expr::Expr;
use crate::functions::resolve_binary;
use crate::types::DataType;

/// The opposite comparison's symbol.
fn opposite(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "=" => "<>",
        "<>" => "=",
        "<" => ">=",
        ">=" => "<",
        ">" => "<=",
        "<=" => ">",
        _ => return None,
    })
}

/// The symbol of the comparison with its sides exchanged.
pub(super) fn mirrored(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "=" => "=",
        "<>" => "<>",
        "<" => ">",
        ">=" => "<=",
        ">" => "<",
        "<=" => ">=",
        _ => return None,
    })
}

/// `left symbol right`, if there is such an operator for exactly these types.
pub(super) fn compare(symbol: &str, left: Expr, right: Expr) -> Option<Expr> {
    let (a, b) = (left.data_type(), right.data_type());
    let resolved = resolve_binary(symbol, a, b).ok()?;
    let exact = resolved.takes.as_slice() == [a, b] || same_base(&resolved.takes, &[a, b]);
    exact.then(|| Expr::Call {
        function: resolved.function,
        args: vec![left, right],
        ty: resolved.returns,
    })
}

fn same_base(takes: &[DataType], given: &[DataType]) -> bool {
    takes.len() == given.len() && takes.iter().zip(given).all(|(t, g)| t.base() == g.base())
}

/// The opposite of a comparison.
pub(super) fn opposite_of(expr: &Expr) -> Option<Expr> {
    let Expr::Call { function, args, .. } = expr else {
        return None;
    };
    let [left, right] = args.as_slice() else {
        return None;
    };
    compare(opposite(function.name)?, left.clone(), right.clone())
}

/// A comparison taken apart: symbol, left, right.
pub(super) fn comparison(expr: &Expr) -> Option<(&'static str, &Expr, &Expr)> {
    let Expr::Call { function, args, .. } = expr else {
        return None;
    };
    let [left, right] = args.as_slice() else {
        return None;
    };
    mirrored(function.name)?;
    Some((function.name, left, right))
}
