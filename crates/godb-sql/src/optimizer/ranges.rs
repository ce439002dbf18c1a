//! What a predicate says about a key: `column = value`, `column < value`, `column IN (values)`, `column LIKE 'prefix%'`.

use super::negate::{comparison, mirrored};
use crate::expr::Expr;
use crate::types::{DataType, Physical};
use crate::value::Value;

/// A predicate about one column that a search in a tree can answer.
#[derive(Clone, Debug)]
pub(super) struct Searchable {
    /// The id of the column.
    pub(super) column: u32,
    pub(super) search: Search,
    /// The search finds rows that the predicate may still refuse.
    pub(super) inexact: bool,
}

/// What is searched for.
#[derive(Clone, Debug)]
pub(super) enum Search {
    Equal(Expr),
    OneOf(Vec<Expr>),
    /// From here on; whether the value itself belongs.
    From(Expr, bool),
    /// Up to here.
    To(Expr, bool),
    /// From the first up to but not including the second.
    Within(Expr, Expr),
}

/// The searches that a predicate allows, given which expressions are known before the search begins.
pub(super) fn searchable(predicate: &Expr, known: &dyn Fn(&Expr) -> bool) -> Option<Searchable> {
    match predicate {
        Expr::InList {
            expr,
            list,
            negated: false,
        } => {
            let (column, ty) = column_of(expr)?;
            let fits = list
                .iter()
                .all(|value| known(value) && comparable(ty, value.data_type()));
            let search = Search::OneOf(list.clone());
            fits.then_some(Searchable {
                column,
                search,
                inexact: false,
            })
        }
        Expr::Call { function, args, .. } if function.name == "~~" => like(args),
        _ => compared(predicate, known),
    }
}

fn compared(predicate: &Expr, known: &dyn Fn(&Expr) -> bool) -> Option<Searchable> {
    let (symbol, left, right) = comparison(predicate)?;
    let straight = column_of(left)
        .filter(|_| known(right))
        .map(|c| (c, symbol, right));
    let turned = || {
        column_of(right)
            .filter(|_| known(left))
            .and_then(|c| Some((c, mirrored(symbol)?, left)))
    };
    let ((column, ty), symbol, value) = straight.or_else(turned)?;
    if !comparable(ty, value.data_type()) {
        return None;
    }
    let value = value.clone();
    let search = match symbol {
        "=" => Search::Equal(value),
        "<" => Search::To(value, false),
        "<=" => Search::To(value, true),
        ">" => Search::From(value, false),
        ">=" => Search::From(value, true),
        _ => return None,
    };
    Some(Searchable {
        column,
        search,
        inexact: false,
    })
}

/// A column, also below a cast that changes no value: keys hold values, not widths.
fn column_of(expr: &Expr) -> Option<(u32, DataType)> {
    match expr {
        Expr::Column(id, ty) => Some((*id, *ty)),
        Expr::Cast { expr, to, .. } => {
            let (id, ty) = column_of(expr)?;
            let widened = comparable(ty, *to) && to.base() == *to && ty != DataType::Float4;
            widened.then_some((id, ty))
        }
        _ => None,
    }
}

/// Whether equal values of these types lie alike, in columns and in keys: all integers do.
pub(super) fn comparable(column: DataType, value: DataType) -> bool {
    match (column, value) {
        (DataType::Char(_), DataType::Char(_)) => true,
        (DataType::Char(_), _) | (_, DataType::Char(_)) => false,
        (a, b) if a.is_integer() && b.is_integer() => true,
        (a, b) if a.is_text() && b.is_text() => true,
        (DataType::Float4 | DataType::Float8, DataType::Float4 | DataType::Float8) => true,
        (a, b) => a.base() == b.base(),
    }
}

/// The strings that begin like a pattern form a range.
fn like(args: &[Expr]) -> Option<Searchable> {
    let [subject, Expr::Literal(Value::Text(pattern), _)] = args else {
        return None;
    };
    let (column, ty) = column_of(subject)?;
    if ty.physical() != Physical::Bytes || matches!(ty, DataType::Char(_) | DataType::Bytea) {
        return None;
    }
    let plain = pattern.find(['%', '_', '\\'])?;
    let prefix = &pattern[..plain];
    let end = after(prefix)?;
    let text = |s: &str| Expr::Literal(Value::Text(s.to_owned()), DataType::Text);
    Some(Searchable {
        column,
        search: Search::Within(text(prefix), text(&end)),
        inexact: true,
    })
}

/// The smallest string above all that begin with this one.
fn after(prefix: &str) -> Option<String> {
    let last = prefix.chars().next_back()?;
    let next = char::from_u32(u32::from(last) + 1)?;
    Some(format!("{}{next}", &prefix[..prefix.len() - last.len_utf8()]))
}
