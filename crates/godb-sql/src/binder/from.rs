//! FROM: tables, subqueries, common table expressions, `generate_series`.

use super::expr::place;
use super::names::{fold, parts, start, table_name};
use super::scope::{Relation, Scope};
use super::subquery::shown_only;
use super::view::Named;
use super::{Binder, Bound};
use crate::cast::Coercion;
use crate::catalog::Table;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::common_type;
use crate::plan::logical::{JoinKind, Logical, OutputColumn};
use crate::system::SystemTable;
use crate::types::DataType;
use crate::value::Value;
use godb_mvcc::Moment;
use sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, ObjectName, TableAlias, TableFactor, TableWithJoins,
};
use sqlparser::tokenizer::Location;
use std::sync::Arc;

/// The most tables of one FROM clause.
const MAX_RELATIONS: usize = 200;

/// Something to read from, and the names in it.
pub(super) struct FromItem {
    pub(super) plan: Logical,
    pub(super) scope: Scope,
}

impl Binder<'_> {
    /// The FROM clause; its names become the scope. Without one: a row without columns.
    pub(super) fn from(&mut self, tables: &[TableWithJoins]) -> Result<Logical> {
        let mut whole: Option<FromItem> = None;
        for table in tables {
            whole = Some(self.table_with_joins(table, whole)?);
        }
        let Some(item) = whole else { return Ok(one_row()) };
        self.select().scope = item.scope;
        Ok(item.plan)
    }

    /// Two items side by side.
    pub(super) fn cross(&mut self, left: FromItem, right: FromItem) -> Result<FromItem> {
        self.check_names(&left.scope, &right.scope)?;
        Ok(FromItem {
            plan: Logical::Join {
                kind: JoinKind::Inner,
                left: Box::new(left.plan),
                right: Box::new(right.plan),
                on: None,
            },
            scope: left.scope.beside(right.scope),
        })
    }

    /// No name may come twice.
    pub(super) fn check_names(&self, left: &Scope, right: &Scope) -> Result<()> {
        if left.relations.len() + right.relations.len() > MAX_RELATIONS {
            let message = format!("more than {MAX_RELATIONS} tables in FROM");
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, message));
        }
        for relation in &right.relations {
            if left.relation(&relation.name).is_some() {
                let message = format!("table name \"{}\" specified more than once", relation.name);
                return Err(SqlError::new(state::DUPLICATE_ALIAS, message));
            }
        }
        Ok(())
    }

    pub(super) fn table_factor(&mut self, factor: &TableFactor) -> Result<FromItem> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_ordinality: false,
                sample: None,
                ..
            } => self.named(name, alias.as_ref()),
            TableFactor::Table {
                name,
                alias,
                args: Some(args),
                with_ordinality: false,
                ..
            } => self.function_in_from(name, &args.args, alias.as_ref()),
            TableFactor::Function {
                name,
                args,
                with_ordinality: false,
                alias,
                ..
            } => self.function_in_from(name, args, alias.as_ref()),
            TableFactor::Derived {
                subquery,
                alias,
                sample: None,
                ..
            } => self.derived(subquery, alias.as_ref()),
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.table_with_joins(table_with_joins, None),
            TableFactor::NestedJoin {
                table_with_joins,
                alias: Some(alias),
            } => {
                let item = self.table_with_joins(table_with_joins, None)?;
                self.aliased_join(item, alias)
            }
            TableFactor::Table { name, .. } => self.refuse("TABLESAMPLE or WITH ORDINALITY", start(name)),
            _ => Err(SqlError::unsupported("this form of FROM")),
        }
    }

    #[inline(never)]
    fn named(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Result<FromItem> {
        if let [ident] = parts(name)?.as_slice()
            && let Some(bound) = self.reference(&fold(ident))?
        {
            return self.relation(bound, &fold(ident), alias, None);
        }
        let (found, moment) = self.find_relation(name)?;
        let called = parts(name)?.last().map_or_else(String::new, |ident| fold(ident));
        let table = match found {
            Named::Table(table) => table,
            Named::View(view) => {
                let shown = alias.map_or_else(|| called.clone(), |alias| fold(&alias.name));
                self.refuse_lock(&shown, "a view", start(name))?;
                return self.view(view, &called, moment, alias);
            }
            Named::System(relation) => return self.system(relation, &called, alias),
        };
        let shown = alias.map_or_else(|| called.clone(), |alias| fold(&alias.name));
        if self.inside_view() {
            let (bound, table) = self.table_of_then(&table, shown, moment)?;
            return self.relation(bound, &called, alias, Some(table));
        }
        let bound = self.scan_or_lock(&table, shown, moment)?;
        self.relation(bound, &called, alias, Some(table))
    }

    /// The table whose rows are to be changed, and the moment that was asked for with it.
    pub(super) fn table(&mut self, name: &ObjectName) -> Result<(Arc<Table>, Option<Moment>)> {
        match self.find_relation(name)? {
            (Named::Table(table), moment) => Ok((table, moment)),
            (Named::View(_), _) => self.refuse("changing rows through a view", start(name)),
            (Named::System(relation), _) => {
                let message = format!("cannot change system relation \"{}\"", relation.name());
                Err(self.at(SqlError::new(state::WRONG_OBJECT_TYPE, message), start(name)))
            }
        }
    }

    /// Reads all columns of a table, and with `key` each row's key.
    #[inline(never)]
    pub(super) fn scan(
        &mut self,
        table: &Arc<Table>,
        alias: String,
        as_of: Option<Moment>,
        key: bool,
    ) -> Logical {
        let columns = table.columns.iter().enumerate();
        let columns = columns.map(|(position, c)| (position, self.new_column(c.name.clone(), c.ty)));
        Logical::Scan {
            columns: columns.collect(),
            key: key.then(|| self.new_column("", DataType::Bytea)),
            table: Arc::clone(table),
            alias,
            filter: None,
            as_of,
        }
    }

    /// A system relation in FROM.
    fn system(
        &mut self,
        relation: SystemTable,
        called: &str,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let columns = relation.0.columns().iter();
        let output = columns.map(|(name, ty)| self.new_column(*name, *ty)).collect();
        let plan = Logical::System { relation, output };
        self.relation(Bound::all(plan), called, alias, None)
    }

    #[inline(never)]
    fn derived(&mut self, query: &ast::Query, alias: Option<&TableAlias>) -> Result<FromItem> {
        let Some(alias) = alias else {
            let at = super::subquery::query_place(query);
            let error = SqlError::new(state::SYNTAX_ERROR, "subquery in FROM must have an alias")
                .hint("For example, FROM (SELECT ...) [AS] foo.");
            return Err(self.at(error, at));
        };
        self.refuse_lock(
            &fold(&alias.name),
            "a subquery in FROM",
            super::subquery::query_place(query),
        )?;
        let bound = self.in_new_level(|b| b.query(query))?;
        let bound = self.known_columns(bound)?;
        self.relation(bound, "", Some(alias), None)
    }

    /// A join under one name: its relations cannot be named any more.
    fn aliased_join(&mut self, item: FromItem, alias: &TableAlias) -> Result<FromItem> {
        let mut columns = Vec::with_capacity(item.scope.visible.len());
        for visible in item.scope.visible {
            let column = self.new_column(visible.name, visible.expr.data_type());
            columns.push((visible.expr, column));
        }
        let plan = Logical::Project {
            input: Box::new(item.plan),
            columns,
        };
        self.relation(Bound::all(plan), "", Some(alias), None)
    }

    /// Names a plan's columns by its alias.
    pub(super) fn relation(
        &mut self,
        bound: Bound,
        name: &str,
        alias: Option<&TableAlias>,
        table: Option<Arc<Table>>,
    ) -> Result<FromItem> {
        let mut columns = bound.columns.clone();
        let mut name = name.to_owned();
        if let Some(alias) = alias {
            name = fold(&alias.name);
            self.check_column_aliases(alias, &name, columns.len())?;
            for (column, shown) in columns.iter_mut().zip(&alias.columns) {
                column.name = fold(&shown.name);
            }
        }
        let plan = if table.is_some() {
            bound.plan
        } else {
            shown_only(bound)
        };
        let scope = Scope::of(Relation { name, columns, table });
        Ok(FromItem { plan, scope })
    }

    fn check_column_aliases(&self, alias: &TableAlias, name: &str, available: usize) -> Result<()> {
        if let Some(typed) = alias.columns.iter().find(|c| c.data_type.is_some()) {
            return self.refuse("a column definition list", typed.name.span.start);
        }
        let given = alias.columns.len();
        if given <= available {
            return Ok(());
        }
        let message =
            format!("table \"{name}\" has {available} columns available but {given} columns specified");
        let error = SqlError::new(state::INVALID_COLUMN_REFERENCE, message);
        Err(self.at(error, alias.name.span.start))
    }

    #[inline(never)]
    fn function_in_from(
        &mut self,
        name: &ObjectName,
        args: &[FunctionArg],
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let folded = self.located(table_name(name), start(name))?;
        let folded = folded.strip_prefix("pg_catalog.").unwrap_or(&folded);
        if folded != "generate_series" {
            return self.refuse(&format!("function {folded} in FROM"), start(name));
        }
        let mut bound = Vec::with_capacity(3);
        for arg in args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(sql)) = arg else {
                return self.refuse("a named argument", start(name));
            };
            bound.push((self.in_new_level(|b| b.expr(sql))?, place(sql)));
        }
        let column_name = alias.map_or_else(|| folded.to_owned(), |alias| fold(&alias.name));
        let plan = self.series(bound, column_name, start(name))?;
        self.relation(Bound::all(plan), folded, alias, None)
    }

    fn series(&mut self, args: Vec<(Expr, Location)>, name: String, at: Location) -> Result<Logical> {
        let types: Vec<DataType> = args.iter().map(|(e, _)| e.data_type()).collect();
        let Some((ty, step)) = series_types(&types) else {
            let shown: Vec<String> = types.iter().map(|ty| ty.base().to_string()).collect();
            let message = format!("function generate_series({}) does not exist", shown.join(", "));
            let error = SqlError::new(state::UNDEFINED_FUNCTION, message).hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            );
            return Err(self.at(error, at));
        };
        let mut coerced = Vec::with_capacity(3);
        for (index, (expr, location)) in args.into_iter().enumerate() {
            let to = if index == 2 { step } else { ty };
            coerced.push(self.coerce(expr, to, Coercion::Implicit, location)?);
        }
        if coerced.len() == 2 {
            coerced.push(Expr::Literal(Value::Int(1), ty));
            if matches!(ty, DataType::Numeric(_)) {
                coerced[2] = Expr::Literal(Value::Numeric(1.into()), ty);
            }
        }
        Ok(Logical::Series {
            args: coerced,
            output: self.new_column(name, ty),
        })
    }
}

/// The type of a series' values and of its step.
fn series_types(types: &[DataType]) -> Option<(DataType, DataType)> {
    let common = common_type(types.get(..2)?).ok()?.base();
    match (common, types.get(2)) {
        (DataType::Timestamp | DataType::TimestampTz, Some(DataType::Interval | DataType::Unknown)) => {
            (types.len() == 3).then_some((common, DataType::Interval))
        }
        (DataType::Date, Some(DataType::Interval | DataType::Unknown)) => {
            (types.len() == 3).then_some((DataType::TimestampTz, DataType::Interval))
        }
        _ if types.len() > 3 => None,
        _ => match common_type(types).ok()?.base() {
            DataType::Unknown | DataType::Int2 | DataType::Int4 => Some((DataType::Int4, DataType::Int4)),
            whole @ (DataType::Int8 | DataType::Numeric(_)) => Some((whole, whole)),
            _ => None,
        },
    }
}

/// The input of a SELECT without FROM.
pub(super) fn one_row() -> Logical {
    Logical::Values {
        rows: vec![Vec::new()],
        output: Vec::<OutputColumn>::new(),
    }
}
