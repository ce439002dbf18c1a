//! Functions.
use super::cast::rank;
use crate::error::*;
use crate::functions::*;
use crate::types::DataType;
use crate::vector::Column;
use DataType as T;
use std::sync::Arc;
fn k(_c: &Call<'_>) -> Result<Column> {
    unreachable!()
}
macro_rules! f {
    ($n:expr) => {
        Function {
            name: $n,
            volatility: Volatility::Immutable,
            strict: true,
            kernel: k,
        }
    };
}
static FS: &[Function] = &[
    f!("="),
    f!("<>"),
    f!("<"),
    f!("<="),
    f!(">"),
    f!(">="),
    f!("+"),
    f!("-"),
    f!("*"),
    f!("/"),
    f!("%"),
    f!("||"),
    f!("~~"),
    f!("!~~"),
    f!("lower"),
    f!("abs"),
    f!("extract"),
    f!("substring"),
    f!("btrim"),
    f!("position"),
    f!("like_escape"),
    Function {
        name: "random",
        volatility: Volatility::Volatile,
        strict: true,
        kernel: k,
    },
    Function {
        name: "now",
        volatility: Volatility::Stable,
        strict: true,
        kernel: k,
    },
];
pub fn common_type(ts: &[T]) -> Result<T> {
    let mut c = T::Unknown;
    for t in ts {
        let t = *t;
        if t == T::Unknown {
            continue;
        }
        if c == T::Unknown {
            c = t
        } else if c == t {
        } else if c.is_numeric() && t.is_numeric() {
            c = if rank(c) >= rank(t) { c } else { t }
        } else if c.is_text() && t.is_text() {
            c = T::Text
        } else {
            return Err(SqlError::new(
                state::DATATYPE_MISMATCH,
                format!("types {c} and {t} cannot be matched"),
            ));
        }
    }
    Ok(c)
}
fn get(n: &str) -> Option<&'static Function> {
    FS.iter().find(|f| f.name == n)
}
pub fn resolve_binary(op: &str, a: T, b: T) -> Result<Resolved> {
    if op == "||" {
        return Ok(Resolved {
            function: get(op).unwrap(),
            takes: vec![T::Text, T::Text],
            returns: T::Text,
        });
    }
    let no = || {
        SqlError::new(state::UNDEFINED_FUNCTION, format!("operator does not exist: {} {op} {}", a.base(), b.base())).hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
    };
    let cmp = ["=", "<>", "<", "<=", ">", ">="].contains(&op);
    let mut c = common_type(&[a, b]).map_err(|_| no())?.base();
    if c == T::Unknown || matches!(c, T::Varchar(_)) {
        c = T::Text
    }
    let function = get(op).ok_or_else(no)?;
    if !cmp && !c.is_numeric() && !["||", "~~", "!~~"].contains(&op) {
        return Err(no());
    }
    Ok(Resolved {
        function,
        takes: vec![c, c],
        returns: if cmp || op.contains('~') { T::Bool } else { c },
    })
}
pub fn resolve_unary(op: &str, a: T) -> Result<Resolved> {
    Ok(Resolved {
        function: get(op).unwrap(),
        takes: vec![a],
        returns: a,
    })
}
pub fn resolve_function(n: &str, ts: &[T]) -> Result<Resolved> {
    let f = get(n).ok_or_else(|| {
        SqlError::new(
            state::UNDEFINED_FUNCTION,
            format!(
                "function {n}({}) does not exist",
                ts.iter().map(|t| t.to_string()).collect::<Vec<_>>().join(", ")
            ),
        )
    })?;
    let r = match n {
        "random" => T::Float8,
        "now" => T::TimestampTz,
        "abs" => ts[0],
        "position" => T::Int4,
        "extract" => T::Numeric(None),
        _ => T::Text,
    };
    let takes = match n {
        "lower" | "btrim" | "like_escape" | "position" => vec![T::Text; ts.len()],
        _ => ts.to_vec(),
    };
    Ok(Resolved {
        function: f,
        takes,
        returns: r,
    })
}
macro_rules! a {
    ($n:expr) => {
        Aggregate {
            name: $n,
            accumulator: |t, r| {
                Box::new(crate::standin::execution::eval::Acc {
                    name: $n,
                    takes: t.to_vec(),
                    returns: r,
                    v: Vec::new(),
                })
            },
        }
    };
}
static AS: &[Aggregate] = &[
    a!("count"),
    a!("sum"),
    a!("min"),
    a!("max"),
    a!("avg"),
    a!("string_agg"),
    a!("bool_and"),
    a!("bool_or"),
];
pub fn is_aggregate(n: &str) -> bool {
    AS.iter().any(|a| a.name == n)
}
pub fn resolve_aggregate(n: &str, ts: &[T]) -> Result<ResolvedAggregate> {
    let r = match n {
        "count" => T::Int8,
        "sum" => T::Int8,
        "avg" => T::Numeric(None),
        _ => ts[0],
    };
    Ok(ResolvedAggregate {
        aggregate: AS.iter().find(|a| a.name == n).unwrap(),
        takes: ts.to_vec(),
        returns: r,
    })
}
