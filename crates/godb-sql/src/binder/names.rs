//! Names: folding, qualification, and the errors about names that are not there.

use super::Binder;
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::tokenizer::Location;

/// A name as the catalog knows it: lower case unless it was quoted.
pub(crate) fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_ascii_lowercase()
    }
}

/// The parts of a dotted name.
pub(crate) fn parts(name: &ObjectName) -> Result<Vec<&Ident>> {
    fn ident(part: &ObjectNamePart) -> Result<&Ident> {
        match part {
            ObjectNamePart::Identifier(ident) => Ok(ident),
            ObjectNamePart::Function(_) => Err(SqlError::unsupported("a function call in a name")),
        }
    }
    name.0.iter().map(ident).collect()
}

/// Where a dotted name begins.
pub(crate) fn start(name: &ObjectName) -> Location {
    match name.0.first() {
        Some(ObjectNamePart::Identifier(ident)) => ident.span.start,
        _ => Location::new(0, 0),
    }
}

/// The name of a table as the catalog knows it: without `public`, with any other schema before it.
pub(crate) fn table_name(name: &ObjectName) -> Result<String> {
    let folded: Vec<String> = parts(name)?.into_iter().map(fold).collect();
    match folded.as_slice() {
        [name] => Ok(name.clone()),
        [schema, name] if schema == "public" => Ok(name.clone()),
        [schema, name] => Ok(format!("{schema}.{name}")),
        [_, schema, name] if schema == "public" => Ok(name.clone()),
        _ => {
            let message = format!("improper relation name (too many dotted names): {name}");
            Err(SqlError::new(state::SYNTAX_ERROR, message))
        }
    }
}

/// The last part of a dotted name that names a column of the statement's only table.
pub(crate) fn column_name(name: &ObjectName) -> Result<&Ident> {
    match parts(name)?.as_slice() {
        [column] => Ok(column),
        [first, ..] => {
            let message = format!("cannot assign to field of column \"{}\"", fold(first));
            Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message))
        }
        [] => Err(SqlError::new(state::SYNTAX_ERROR, "a name has no parts")),
    }
}

impl Binder<'_> {
    /// The error for a table that is not there, with the nearest name as a hint.
    pub(super) fn no_table(&self, name: &str, ident: &Ident) -> SqlError {
        if let Some(error) = self.reserved(ident) {
            return error;
        }
        let message = format!("relation \"{name}\" does not exist");
        let mut error = SqlError::new(state::UNDEFINED_TABLE, message);
        let known = self.planning.catalog.tables().unwrap_or_default();
        if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
            error = error.hint(format!("Perhaps you meant to reference the table \"{near}\"."));
        }
        self.at(error, ident.span.start)
    }

    /// A reserved word where a name should stand is a syntax error, though the grammar lets it pass.
    pub(super) fn reserved(&self, ident: &Ident) -> Option<SqlError> {
        let name = ident.value.to_ascii_lowercase();
        let is = ident.quote_style.is_none() && RESERVED.binary_search(&name.as_str()).is_ok();
        is.then(|| {
            let message = format!("syntax error at or near \"{}\"", ident.value);
            self.at(SqlError::new(state::SYNTAX_ERROR, message), ident.span.start)
        })
    }
}

/// PostgreSQL's reserved words that can never name a table or column, sorted.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

/// The known name nearest to a misspelt one, if one is near: PostgreSQL's rule, at most half of the letters differ and at most three.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = 3.min(name.chars().count().div_ceil(2));
    known
        .take(10_000)
        .map(|candidate| (distance(name, candidate, limit), candidate))
        .filter(|(far, _)| *far <= limit)
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// The edit distance, or more than `limit` when it is more.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    if a.len().abs_diff(b.len()) > 4 * limit || a.len() > 256 || b.len() > 256 {
        return limit + 1;
    }
    let right: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in right.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[right.len()]
}
