//! Function calls.

use super::Binder;
use super::expr::place;
use super::names::{fold, parts, start};
use crate::cast::Coercion;
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::functions::{is_aggregate, resolve_function};
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArguments};
use sqlparser::tokenizer::Location;

/// A call's arguments, taken apart.
#[derive(Default)]
pub(super) struct Arguments<'s> {
    pub(super) exprs: Vec<&'s ast::Expr>,
    pub(super) star: bool,
    pub(super) distinct: bool,
    pub(super) order: &'s [ast::OrderByExpr],
}

impl Binder<'_> {
    #[inline(never)]
    pub(super) fn function(&mut self, function: &ast::Function) -> Result<Expr> {
        let at = start(&function.name);
        let name = self.function_name(&function.name)?;
        let args = self.arguments(function, at)?;
        if function.over.is_some() {
            return self.refuse("a window function", at);
        }
        if !function.within_group.is_empty() || function.null_treatment.is_some() {
            return self.refuse("WITHIN GROUP or IGNORE NULLS", at);
        }
        if is_aggregate(&name) {
            return self.aggregate_call(&name, &args, function.filter.as_deref(), at);
        }
        self.check_plain(&name, &args, function, at)?;
        let mut bound = Vec::with_capacity(args.exprs.len());
        for arg in &args.exprs {
            bound.push((self.expr(arg)?, place(arg)));
        }
        self.call(&name, bound, at)
    }

    fn function_name(&self, name: &ast::ObjectName) -> Result<String> {
        match parts(name)?.as_slice() {
            [name] => Ok(fold(name)),
            [schema, name] if ["pg_catalog", "public"].contains(&fold(schema).as_str()) => Ok(fold(name)),
            _ => {
                let message = format!("schema of function {name} does not exist");
                Err(self.at(SqlError::new(state::INVALID_SCHEMA_NAME, message), start(name)))
            }
        }
    }

    fn arguments<'s>(&self, function: &'s ast::Function, at: Location) -> Result<Arguments<'s>> {
        let list = match &function.args {
            FunctionArguments::None => return Ok(Arguments::default()),
            FunctionArguments::Subquery(_) => {
                return self.refuse("a query as argument without parentheses", at);
            }
            FunctionArguments::List(list) => list,
        };
        let mut args = Arguments {
            distinct: list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
            ..Arguments::default()
        };
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => args.exprs.push(expr),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => args.star = true,
                _ => return self.refuse("a named argument", at),
            }
        }
        for clause in &list.clauses {
            match clause {
                ast::FunctionArgumentClause::OrderBy(order) => args.order = order,
                _ => return self.refuse("this clause of a function call", at),
            }
        }
        Ok(args)
    }

    /// What only aggregates may have.
    fn check_plain(
        &self,
        name: &str,
        args: &Arguments<'_>,
        function: &ast::Function,
        at: Location,
    ) -> Result<()> {
        let word = if args.distinct {
            "DISTINCT"
        } else if !args.order.is_empty() {
            "ORDER BY"
        } else if function.filter.is_some() {
            "FILTER"
        } else if args.star {
            let message = format!("{name}(*) specified, but {name} is not an aggregate function");
            return Err(self.at(SqlError::new(state::WRONG_OBJECT_TYPE, message), at));
        } else {
            return Ok(());
        };
        let message = format!("{word} specified, but {name} is not an aggregate function");
        Err(self.at(SqlError::new(state::WRONG_OBJECT_TYPE, message), at))
    }

    /// A function applied to bound arguments.
    #[inline(never)]
    pub(super) fn call(&mut self, name: &str, args: Vec<(Expr, Location)>, at: Location) -> Result<Expr> {
        match name {
            "coalesce" => return self.coalesce(args, at),
            "nullif" if args.len() == 2 => return self.null_if(args),
            "greatest" | "least" if !args.is_empty() => return self.extreme(name, args, at),
            "generate_series" => return self.refuse("a set-returning function outside of FROM", at),
            _ => {}
        }
        let types: Vec<DataType> = args.iter().map(|(e, _)| e.data_type()).collect();
        let resolved = self.located(resolve_function(name, &types), at)?;
        self.apply(&resolved, args)
    }

    fn coalesce(&mut self, args: Vec<(Expr, Location)>, at: Location) -> Result<Expr> {
        if args.is_empty() {
            return self.syntax("syntax error at or near \")\"", at);
        }
        let (exprs, ty) = self.of_one_type(args, "COALESCE")?;
        Ok(Expr::Coalesce(exprs, ty))
    }

    /// `NULLIF(a, b)`: NULL where a = b, else a.
    fn null_if(&mut self, mut args: Vec<(Expr, Location)>) -> Result<Expr> {
        let (b, b_at) = args.remove(1);
        let (a, a_at) = args.remove(0);
        let (a, b) = if a.data_type() == DataType::Unknown && b.data_type() == DataType::Unknown {
            (self.known(a)?, self.known(b)?)
        } else {
            (a, b)
        };
        let equal = self.compare("=", a.clone(), b, a_at, b_at)?;
        // The first argument is what the comparison has made of it, its type with it.
        let a = match &equal {
            Expr::Call { args, .. } => args[0].clone(),
            _ => a,
        };
        // Strings of any length are compared as text.
        let a = match a.data_type() {
            DataType::Varchar(_) => self.coerce(a, DataType::Text, Coercion::Implicit, a_at)?,
            _ => a,
        };
        let ty = a.data_type();
        Ok(Expr::Case {
            branches: vec![(equal, Expr::Literal(Value::Null, ty))],
            otherwise: Some(Box::new(a)),
            ty,
        })
    }

    /// `GREATEST` and `LEAST` take any number of arguments of one type and leave NULLs out.
    fn extreme(&mut self, name: &str, args: Vec<(Expr, Location)>, at: Location) -> Result<Expr> {
        let what = if name == "greatest" { "GREATEST" } else { "LEAST" };
        let (exprs, ty) = self.of_one_type(args, what)?;
        let types = vec![ty; exprs.len()];
        let resolved = self.located(resolve_function(name, &types), at)?;
        let args = exprs.into_iter().map(|e| (e, at)).collect();
        self.apply(&resolved, args)
    }
}
