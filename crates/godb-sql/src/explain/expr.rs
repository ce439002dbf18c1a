//! Expressions as text.

use crate::expr::{Asking, Expr, Subquery};
use crate::types::DataType;
use crate::value::Value;

/// A name as SQL writes it: quoted where it must be.
pub(super) fn name(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain || name.is_empty() {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// What columns are called.
pub(super) type Naming<'a> = &'a dyn Fn(u32) -> String;

/// The text of an expression over columns with these names, by position.
pub(super) fn text(expr: &Expr, names: &[String]) -> String {
    text_with(expr, &|position| by_position(names, position))
}

/// Expressions side by side.
pub(super) fn joined(parts: &[Expr], between: &str, names: &[String]) -> String {
    joined_with(parts, between, &|position| by_position(names, position))
}

fn by_position(names: &[String], position: u32) -> String {
    names
        .get(position as usize)
        .cloned()
        .unwrap_or_else(|| format!("#{position}"))
}

/// The text of an expression.
pub(super) fn text_with(expr: &Expr, names: Naming<'_>) -> String {
    let of = |e: &Expr| text_with(e, names);
    match expr {
        Expr::Literal(value, ty) => literal(value, *ty),
        Expr::Column(column, _) => names(*column),
        Expr::Outer(index, _) => format!("outer{index}"),
        Expr::Parameter(index, _) => format!("${}", index + 1),
        Expr::Call { function, args, .. } => call(function.name, args, names),
        Expr::Cast { expr, to, .. } => format!("({})::{to}", of(expr)),
        Expr::And(parts) => listed(parts, " AND ", names),
        Expr::Or(parts) => listed(parts, " OR ", names),
        Expr::Not(inner) => format!("(NOT {})", of(inner)),
        Expr::IsNull(inner, false) => format!("({} IS NULL)", of(inner)),
        Expr::IsNull(inner, true) => format!("({} IS NOT NULL)", of(inner)),
        Expr::NotDistinct(a, b) => format!("({} IS NOT DISTINCT FROM {})", of(a), of(b)),
        Expr::Case {
            branches, otherwise, ..
        } => {
            let branches = branches
                .iter()
                .map(|(when, then)| format!(" WHEN {} THEN {}", of(when), of(then)));
            let otherwise = otherwise.iter().map(|e| format!(" ELSE {}", of(e)));
            format!("CASE{} END", branches.chain(otherwise).collect::<String>())
        }
        Expr::Coalesce(parts, _) => format!("COALESCE({})", joined_with(parts, ", ", names)),
        Expr::InList { expr, list, negated } => {
            let not = if *negated { "NOT " } else { "" };
            format!("({} {not}IN ({}))", of(expr), joined_with(list, ", ", names))
        }
        Expr::Subquery(subquery) => asked(subquery, names),
    }
}

fn asked(subquery: &Subquery, names: Naming<'_>) -> String {
    let plan = subquery.plan + 1;
    let plan = if subquery.outer.is_empty() {
        format!("(SubPlan {plan})")
    } else {
        format!(
            "(SubPlan {plan} for {})",
            joined_with(&subquery.outer, ", ", names)
        )
    };
    match &subquery.asking {
        Asking::Value(_) => plan,
        Asking::Exists { negated: false } => format!("EXISTS{plan}"),
        Asking::Exists { negated: true } => format!("(NOT EXISTS{plan})"),
        Asking::Any { left, compare } => format!("({} {} ANY {plan})", text_with(left, names), compare.name),
        Asking::All { left, compare } => format!("({} {} ALL {plan})", text_with(left, names), compare.name),
    }
}

fn call(function: &str, args: &[Expr], names: Naming<'_>) -> String {
    let symbol = !function.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    match args {
        [only] if symbol => format!("({function} {})", text_with(only, names)),
        [left, right] if symbol => format!(
            "({} {function} {})",
            text_with(left, names),
            text_with(right, names)
        ),
        _ => format!("{function}({})", joined_with(args, ", ", names)),
    }
}

/// Expressions side by side.
pub(super) fn joined_with(parts: &[Expr], between: &str, names: Naming<'_>) -> String {
    parts
        .iter()
        .map(|e| text_with(e, names))
        .collect::<Vec<_>>()
        .join(between)
}

fn listed(parts: &[Expr], between: &str, names: Naming<'_>) -> String {
    format!("({})", joined_with(parts, between, names))
}

fn literal(value: &Value, ty: DataType) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(integer) if ty.is_integer() => integer.to_string(),
        Value::Numeric(numeric) => numeric.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Text(text) => quoted(text),
        other => format!("{}::{ty}", quoted(&crate::text::to_text(other, ty))),
    }
}
