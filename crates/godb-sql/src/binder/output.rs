//! The select list: stars, and the names that columns get.

use super::Binder;
use super::expr::unnested;
use super::names::{fold, parts, start};
use super::types::describe_type;
use crate::error::{Result, SqlError};
use crate::expr::Expr;
use crate::types::DataType;
use sqlparser::ast::{self, Expr as Sql, SelectItem, SelectItemQualifiedWildcardKind, SetExpr};

/// A column of the select list.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) expr: Expr,
    pub(super) name: String,
}

/// What PostgreSQL calls a column that nothing names.
const NAMELESS: &str = "?column?";

impl Binder<'_> {
    /// The select list with its stars expanded.
    pub(super) fn select_list(&mut self, items: &[SelectItem]) -> Result<Vec<Item>> {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::UnnamedExpr(sql) => list.push(Item {
                    expr: self.expr(sql)?,
                    name: column_title(sql),
                }),
                SelectItem::ExprWithAlias { expr, alias } => list.push(Item {
                    expr: self.expr(expr)?,
                    name: fold(alias),
                }),
                SelectItem::Wildcard(options) => {
                    self.check_stars(options)?;
                    self.star(&mut list, options)?;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    self.check_stars(options)?;
                    self.qualified_star(&mut list, name)?;
                }
                _ => return Err(SqlError::unsupported("this form of select item")),
            }
        }
        Ok(list)
    }

    fn check_stars(&self, options: &ast::WildcardAdditionalOptions) -> Result<()> {
        let plain = options.opt_ilike.is_none()
            && options.opt_exclude.is_none()
            && options.opt_except.is_none()
            && options.opt_replace.is_none()
            && options.opt_rename.is_none()
            && options.opt_alias.is_none();
        if plain {
            return Ok(());
        }
        self.refuse("a star with options", options.wildcard_token.0.span.start)
    }

    fn star(&mut self, list: &mut Vec<Item>, options: &ast::WildcardAdditionalOptions) -> Result<()> {
        let at = options.wildcard_token.0.span.start;
        let scope = &self.select().scope;
        if scope.relations.is_empty() {
            return self.syntax("SELECT * with no tables specified is not valid", at);
        }
        let visible = scope.visible.clone();
        for column in visible {
            self.use_star(&column.expr, at);
            list.push(Item {
                expr: column.expr,
                name: column.name,
            });
        }
        Ok(())
    }

    fn qualified_star(&mut self, list: &mut Vec<Item>, name: &ast::ObjectName) -> Result<()> {
        let at = start(name);
        let wanted = parts(name)?.last().map_or_else(String::new, |ident| fold(ident));
        let Some(relation) = self.select().scope.relation(&wanted) else {
            let error = super::scope::no_relation(&wanted, self.select().scope.relations.iter());
            return Err(self.at(error, at));
        };
        for column in relation.columns.clone() {
            self.use_star(&column.read(), at);
            list.push(Item {
                expr: column.read(),
                name: column.name,
            });
        }
        Ok(())
    }

    fn use_star(&mut self, expr: &Expr, at: sqlparser::tokenizer::Location) {
        if let Expr::Column(id, _) = expr {
            self.select().uses.push((*id, at));
        }
    }
}

/// The name that a column of the select list gets from its expression.
pub(super) fn column_title(sql: &Sql) -> String {
    title(sql).map_or_else(|| NAMELESS.to_owned(), |(name, _)| name)
}

/// A name and whether it is a strong one: a type's name gives way to what is inside, a CASE to its ELSE.
fn title(sql: &Sql) -> Option<(String, bool)> {
    let strong = |name: &str| Some((name.to_owned(), true));
    match unnested(sql) {
        Sql::Identifier(ident) => Some((fold(ident), true)),
        Sql::CompoundIdentifier(idents) => idents.last().map(|ident| (fold(ident), true)),
        Sql::Function(function) => {
            let last = parts(&function.name).ok()?;
            last.last().map(|ident| (fold(ident), true))
        }
        Sql::Cast { expr, data_type, .. } => match title(expr) {
            Some((name, true)) => Some((name, true)),
            _ => describe_type(data_type)
                .ok()
                .map(|ty| (type_title(ty).to_owned(), false)),
        },
        Sql::TypedString(typed) => describe_type(&typed.data_type)
            .ok()
            .map(|ty| (type_title(ty).to_owned(), false)),
        Sql::Value(value) if matches!(value.value, ast::Value::Boolean(_)) => {
            Some(("bool".to_owned(), false))
        }
        Sql::Interval(_) => Some(("interval".to_owned(), false)),
        Sql::Case { else_result, .. } => match else_result.as_deref().and_then(title) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".to_owned(), false)),
        },
        Sql::Exists { negated: false, .. } => strong("exists"),
        Sql::Subquery(query) => subquery_title(query),
        Sql::Extract { .. } => strong("extract"),
        Sql::Substring { .. } => strong("substring"),
        Sql::Position { .. } => strong("position"),
        Sql::Overlay { .. } => strong("overlay"),
        Sql::Ceil { .. } => strong("ceil"),
        Sql::Floor { .. } => strong("floor"),
        Sql::AtTimeZone { .. } => strong("timezone"),
        Sql::Trim { trim_where, .. } => strong(match trim_where {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Sql::Array(_) => strong("array"),
        Sql::Tuple(_) => strong("row"),
        Sql::Collate { expr, .. } => title(expr),
        _ => None,
    }
}

fn subquery_title(query: &ast::Query) -> Option<(String, bool)> {
    let SetExpr::Select(select) = &*query.body else {
        return None;
    };
    match select.projection.first()? {
        SelectItem::UnnamedExpr(sql) => title(sql),
        SelectItem::ExprWithAlias { alias, .. } => Some((fold(alias), true)),
        _ => None,
    }
}

/// PostgreSQL's internal name of a type.
fn type_title(ty: DataType) -> &'static str {
    match ty {
        DataType::Unknown | DataType::Text => "text",
        DataType::Bool => "bool",
        DataType::Int2 => "int2",
        DataType::Int4 => "int4",
        DataType::Int8 => "int8",
        DataType::Float4 => "float4",
        DataType::Float8 => "float8",
        DataType::Numeric(_) => "numeric",
        DataType::Varchar(_) => "varchar",
        DataType::Char(_) => "bpchar",
        DataType::Bytea => "bytea",
        DataType::Date => "date",
        DataType::Timestamp => "timestamp",
        DataType::TimestampTz => "timestamptz",
        DataType::Interval => "interval",
        DataType::Oid => "oid",
        DataType::Array(_) => "array",
    }
}
