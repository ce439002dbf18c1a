//! Expressions with a syntax of their own, bound to the functions behind them.

use super::Binder;
use super::expr::{place, unnested};
use super::names::{parts, start};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::array::CONSTRUCT;
use crate::types::{DataType, Element};
use crate::value::Value;
use sqlparser::ast::{self, CeilFloorKind, DateTimeField, Expr as Sql, TrimWhereField};
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    #[inline(never)]
    pub(super) fn special(&mut self, sql: &Sql) -> Result<Expr> {
        let at = place(sql);
        match sql {
            Sql::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let symbol = if *negated { "!~~" } else { "~~" };
                self.like(symbol, expr, pattern, escape_char.as_deref())
            }
            Sql::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let symbol = if *negated { "!~~*" } else { "~~*" };
                self.like(symbol, expr, pattern, escape_char.as_deref())
            }
            Sql::SimilarTo {
                negated,
                expr,
                pattern,
                escape_char,
            } => self.similar(*negated, expr, pattern, escape_char.as_deref()),
            Sql::Extract { field, expr, .. } => self.extract(field, expr, at),
            Sql::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => self.substring(expr, substring_from.as_deref(), substring_for.as_deref(), at),
            Sql::Position { expr, r#in } => self.call_on("position", &[r#in, expr], at),
            Sql::Overlay {
                expr,
                overlay_what,
                overlay_from,
                overlay_for,
            } => {
                let mut args: Vec<&Sql> = vec![expr, overlay_what, overlay_from];
                args.extend(overlay_for.as_deref());
                self.call_on("overlay", &args, at)
            }
            Sql::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters,
            } => self.trim(
                *trim_where,
                trim_what.as_deref(),
                expr,
                trim_characters.as_deref(),
                at,
            ),
            Sql::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => self.call_on("ceil", &[expr], at),
            Sql::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => self.call_on("floor", &[expr], at),
            Sql::AtTimeZone { timestamp, time_zone } => self.call_on("timezone", &[time_zone, timestamp], at),
            Sql::Array(array) => self.array(&array.elem, at),
            Sql::Collate { expr, collation } => self.collate(expr, collation),
            other => self.not_done(other, at),
        }
    }

    fn not_done(&self, sql: &Sql, at: Location) -> Result<Expr> {
        let what = match sql {
            Sql::Tuple(_) => "a row value outside of a comparison",
            Sql::CompoundFieldAccess { .. } => "an array's element",
            Sql::GroupingSets(_) | Sql::Cube(_) | Sql::Rollup(_) => "GROUPING SETS, CUBE or ROLLUP",
            Sql::JsonAccess { .. } | Sql::IsJson { .. } => "JSON",
            Sql::Wildcard(_) | Sql::QualifiedWildcard(..) => {
                return self.syntax("syntax error at or near \"*\"", at);
            }
            _ => "this expression",
        };
        self.refuse(what, at)
    }

    /// `ARRAY[a, b]`
    fn array(&mut self, items: &[Sql], at: Location) -> Result<Expr> {
        if items.is_empty() {
            let message = "cannot determine type of empty array";
            return Err(self.at(SqlError::new(state::INDETERMINATE_DATATYPE, message), at));
        }
        let mut bound = Vec::with_capacity(items.len());
        for item in items {
            bound.push((self.expr(item)?, place(item)));
        }
        let (args, ty) = self.of_one_type(bound, "ARRAY")?;
        let Some(element) = Element::of(ty) else {
            return self.refuse(&format!("an array of {}", ty.name()), at);
        };
        Ok(Expr::Call {
            function: &CONSTRUCT.function,
            args,
            ty: DataType::Array(element),
        })
    }

    /// A function called with these arguments.
    pub(super) fn call_on(&mut self, name: &str, args: &[&Sql], at: Location) -> Result<Expr> {
        let mut bound = Vec::with_capacity(args.len());
        for arg in args {
            bound.push((self.expr(arg)?, place(arg)));
        }
        self.call(name, bound, at)
    }

    fn like(
        &mut self,
        symbol: &str,
        subject: &Sql,
        pattern: &Sql,
        escape: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let left = self.expr(subject)?;
        let mut right = self.expr(pattern)?;
        if let Some(escape) = escape {
            let escape = (self.expr(escape)?, place(escape));
            right = self.call(
                "like_escape",
                vec![(right, place(pattern)), escape],
                place(pattern),
            )?;
        }
        self.compare(symbol, left, right, place(subject), place(pattern))
    }

    fn similar(&mut self, negated: bool, subject: &Sql, pattern: &Sql, escape: Option<&Sql>) -> Result<Expr> {
        let left = self.expr(subject)?;
        let mut args = vec![(self.expr(pattern)?, place(pattern))];
        if let Some(escape) = escape {
            args.push((self.expr(escape)?, place(escape)));
        }
        let regex = self.call("similar_to_escape", args, place(pattern))?;
        let symbol = if negated { "!~" } else { "~" };
        self.compare(symbol, left, regex, place(subject), place(pattern))
    }

    fn extract(&mut self, field: &DateTimeField, from: &Sql, at: Location) -> Result<Expr> {
        let name = match field {
            DateTimeField::Custom(ident) => ident.value.to_ascii_lowercase(),
            other => other.to_string().to_ascii_lowercase(),
        };
        let name = name.trim_matches('\'').to_owned();
        let field = Expr::Literal(Value::Text(name), DataType::Text);
        let from = (self.expr(from)?, place(from));
        self.call("extract", vec![(field, at), from], at)
    }

    fn substring(
        &mut self,
        text: &Sql,
        from: Option<&Sql>,
        length: Option<&Sql>,
        at: Location,
    ) -> Result<Expr> {
        let mut args = vec![(self.expr(text)?, place(text))];
        match from {
            Some(from) => args.push((self.expr(from)?, place(from))),
            None => args.push((Expr::Literal(Value::Int(1), DataType::Int4), at)),
        }
        if let Some(length) = length {
            args.push((self.expr(length)?, place(length)));
        }
        self.call("substring", args, at)
    }

    fn trim(
        &mut self,
        side: Option<TrimWhereField>,
        what: Option<&Sql>,
        text: &Sql,
        characters: Option<&[Sql]>,
        at: Location,
    ) -> Result<Expr> {
        let name = match side {
            None | Some(TrimWhereField::Both) => "btrim",
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
        };
        let mut args: Vec<&Sql> = vec![text];
        args.extend(what);
        args.extend(characters.into_iter().flatten());
        self.call_on(name, &args, at)
    }

    /// Text is compared by its bytes; collations that mean just that are taken.
    fn collate(&mut self, inner: &Sql, collation: &ast::ObjectName) -> Result<Expr> {
        let parts = parts(collation)?;
        let name = parts.last().map_or("", |ident| ident.value.as_str());
        if ["C", "POSIX", "default", "ucs_basic"].contains(&name) {
            return self.expr(inner);
        }
        let message = format!("collation \"{name}\" for encoding \"UTF8\" does not exist");
        Err(self.at(SqlError::new(state::UNDEFINED_OBJECT, message), start(collation)))
    }

    /// The arguments when an expression is a row.
    pub(super) fn as_row(sql: &Sql) -> Option<&[Sql]> {
        match unnested(sql) {
            Sql::Tuple(items) => Some(items),
            _ => None,
        }
    }
}
