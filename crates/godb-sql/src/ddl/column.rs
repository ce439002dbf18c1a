//! Column definitions of CREATE TABLE and ADD COLUMN.

use super::names::new_name;
use crate::binder::{bind_default, describe_type};
use crate::catalog::TableColumn;
use crate::error::{Result, SqlError, state};
use crate::types::DataType;
use crate::value::Value;
use sqlparser::ast::{ColumnDef, ColumnOption, ColumnOptionDef, TableConstraint};

/// A column and the constraints that were written with it.
pub(super) struct Defined {
    pub(super) column: TableColumn,
    pub(super) constraints: Vec<Constraint>,
}

/// A constraint of a table, before it has got a name.
pub(super) enum Constraint {
    PrimaryKey {
        name: Option<String>,
        columns: Vec<String>,
    },
    Unique {
        name: Option<String>,
        columns: Vec<String>,
    },
    Check {
        name: Option<String>,
        text: String,
        column: Option<String>,
    },
}

/// Reads a column definition.
pub(super) fn define(definition: &ColumnDef) -> Result<Defined> {
    let name = new_name(&definition.name)?;
    let column = TableColumn {
        id: 0,
        ty: describe_type(&definition.data_type).map_err(|error| serial(error, &definition.data_type))?,
        name,
        not_null: false,
        default: None,
        missing: Value::Null,
    };
    refuse_array(column.ty)?;
    let mut defined = Defined {
        column,
        constraints: Vec::new(),
    };
    let mut nullable = false;
    for option in &definition.options {
        nullable |= matches!(option.option, ColumnOption::Null);
        defined.option(option)?;
    }
    if nullable && defined.column.not_null {
        let message = format!(
            "conflicting NULL/NOT NULL declarations for column \"{}\"",
            defined.column.name
        );
        return Err(SqlError::new(state::SYNTAX_ERROR, message));
    }
    Ok(defined)
}

/// Arrays come and go, and are not stored.
pub(super) fn refuse_array(ty: DataType) -> Result<()> {
    match ty {
        DataType::Array(_) => Err(SqlError::unsupported(format!("a column of type {ty}"))),
        _ => Ok(()),
    }
}

/// Whoever writes `serial` is told what to write instead.
fn serial(error: SqlError, ty: &sqlparser::ast::DataType) -> SqlError {
    if ty.to_string().to_lowercase().contains("serial") {
        return error
            .hint("Use an integer column and give its values, or read max(…) + 1 in the same transaction.");
    }
    error
}

impl Defined {
    fn option(&mut self, option: &ColumnOptionDef) -> Result<()> {
        let name = option.name.as_ref().map(new_name).transpose()?;
        let columns = vec![self.column.name.clone()];
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => self.column.not_null = true,
            ColumnOption::Default(expr) => {
                let text = expr.to_string();
                bind_default(&text, self.column.ty)?;
                self.column.default = Some(text);
            }
            ColumnOption::PrimaryKey(key) => {
                plain_key(key.characteristics.is_some())?;
                self.constraints.push(Constraint::PrimaryKey { name, columns });
            }
            ColumnOption::Unique(key) => {
                unique_key(key)?;
                self.constraints.push(Constraint::Unique { name, columns });
            }
            ColumnOption::Check(check) => {
                let text = check_text(check)?;
                let column = Some(self.column.name.clone());
                self.constraints.push(Constraint::Check { name, text, column });
            }
            ColumnOption::ForeignKey(_) => return Err(foreign_key()),
            ColumnOption::Generated { .. } | ColumnOption::Identity(_) => {
                return Err(SqlError::unsupported("a generated column"));
            }
            other => return Err(SqlError::unsupported(format!("{other} in a column definition"))),
        }
        Ok(())
    }
}

/// Reads a table constraint.
pub(super) fn table_constraint(constraint: &TableConstraint) -> Result<Constraint> {
    let names = |columns: &[sqlparser::ast::IndexColumn]| -> Result<Vec<String>> {
        Ok(super::names::key_columns(columns)?
            .into_iter()
            .map(|(name, _)| name)
            .collect())
    };
    match constraint {
        TableConstraint::PrimaryKey(key) => {
            plain_key(key.characteristics.is_some() || !key.include.is_empty())?;
            let name = key.name.as_ref().map(new_name).transpose()?;
            Ok(Constraint::PrimaryKey {
                name,
                columns: names(&key.columns)?,
            })
        }
        TableConstraint::Unique(key) => {
            unique_key(key)?;
            let name = key.name.as_ref().map(new_name).transpose()?;
            Ok(Constraint::Unique {
                name,
                columns: names(&key.columns)?,
            })
        }
        TableConstraint::Check(check) => {
            let name = check.name.as_ref().map(new_name).transpose()?;
            Ok(Constraint::Check {
                name,
                text: check_text(check)?,
                column: None,
            })
        }
        TableConstraint::ForeignKey(_) => Err(foreign_key()),
        other => Err(SqlError::unsupported(format!("the constraint {other}"))),
    }
}

fn foreign_key() -> SqlError {
    SqlError::unsupported("a foreign key")
}

fn plain_key(more: bool) -> Result<()> {
    if more {
        Err(SqlError::unsupported("a deferrable or covering key"))
    } else {
        Ok(())
    }
}

fn unique_key(key: &sqlparser::ast::UniqueConstraint) -> Result<()> {
    if matches!(
        key.nulls_distinct,
        sqlparser::ast::NullsDistinctOption::NotDistinct
    ) {
        return Err(SqlError::unsupported("UNIQUE NULLS NOT DISTINCT"));
    }
    plain_key(key.characteristics.is_some() || !key.include.is_empty())
}

fn check_text(check: &sqlparser::ast::CheckConstraint) -> Result<String> {
    if check.enforced == Some(false) {
        return Err(SqlError::unsupported("a check that is not enforced"));
    }
    Ok(check.expr.to_string())
}
