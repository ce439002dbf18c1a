//! SET, RESET, SHOW.

use super::rows::{Rows, StatementResult};
use super::settings::{Settings, isolation_name, on_off};
use super::{Session, failed_transaction};
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{
    ContextModifier, Expr, Ident, Reset, Set, Statement, TransactionMode, UnaryOperator, Value as SqlValue,
};

impl Session {
    /// Runs the statement if it is about settings.
    pub(super) fn variables(
        &mut self,
        statement: &Statement,
        deferrable: Option<bool>,
        failed: bool,
    ) -> Result<Option<StatementResult>> {
        let result = match statement {
            Statement::Set(_) | Statement::ShowVariable { .. } | Statement::Reset(_) if failed => {
                Err(failed_transaction())
            }
            Statement::Set(set) => self.set(set, deferrable),
            Statement::Reset(reset) => self.reset(&reset.reset),
            Statement::ShowVariable { variable } => self.show(variable),
            Statement::Discard { .. } => {
                self.settings = self.defaults.clone();
                Ok(StatementResult::done("DISCARD ALL"))
            }
            _ => return Ok(None),
        };
        result.map(Some)
    }

    fn set(&mut self, set: &Set, deferrable: Option<bool>) -> Result<StatementResult> {
        match set {
            Set::SingleAssignment {
                scope,
                hivevar: false,
                variable,
                values,
            } => {
                if *scope == Some(ContextModifier::Local) {
                    return Err(SqlError::unsupported("SET LOCAL"));
                }
                let name = variable.to_string().to_ascii_lowercase();
                self.set_one(&name, values)
            }
            Set::SetTimeZone { local: false, value } => self.set_one("timezone", std::slice::from_ref(value)),
            Set::SetNames {
                charset_name,
                collation_name: None,
            } => self.set_text("client_encoding", Some(&charset_name.to_string())),
            Set::SetNamesDefault {} => Ok(StatementResult::done("SET")),
            Set::SetTransaction {
                modes,
                snapshot: None,
                session: false,
            } => self.set_transaction(modes, deferrable),
            Set::SetTransaction {
                modes,
                snapshot: None,
                session: true,
            } => self.set_characteristics(modes, deferrable),
            other => Err(SqlError::unsupported(format!("{other}"))),
        }
    }

    fn set_one(&mut self, name: &str, values: &[Expr]) -> Result<StatementResult> {
        let texts = values.iter().map(text_of).collect::<Result<Vec<_>>>()?;
        let text = texts.join(", ");
        if name == "transaction_isolation" {
            let mut settings = self.settings.clone();
            settings.set("default_transaction_isolation", Some(&text), &self.defaults)?;
            let level = isolation_level(settings.isolation);
            return self.set_transaction(&[TransactionMode::IsolationLevel(level)], None);
        }
        let default = matches!(values, [Expr::Identifier(ident)] if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"));
        self.set_text(name, (!default).then_some(text.as_str()))
    }

    fn set_text(&mut self, name: &str, value: Option<&str>) -> Result<StatementResult> {
        self.settings.set(name, value, &self.defaults)?;
        Ok(StatementResult::done("SET"))
    }

    fn set_characteristics(
        &mut self,
        modes: &[TransactionMode],
        deferrable: Option<bool>,
    ) -> Result<StatementResult> {
        let mut how = godb_mvcc::Begin {
            isolation: self.settings.isolation,
            read_only: self.settings.read_only,
            deferrable: deferrable.unwrap_or(self.settings.deferrable),
            ..godb_mvcc::Begin::default()
        };
        super::control::apply(&mut how, modes)?;
        self.settings.isolation = how.isolation;
        self.settings.read_only = how.read_only;
        self.settings.deferrable = how.deferrable;
        Ok(StatementResult::done("SET"))
    }

    fn reset(&mut self, reset: &Reset) -> Result<StatementResult> {
        match reset {
            Reset::ALL => self.settings = self.defaults.clone(),
            Reset::ConfigurationParameter(name) => {
                self.settings.set(&name.to_string(), None, &self.defaults)?;
            }
            Reset::SessionAuthorization => return Err(SqlError::unsupported("RESET SESSION AUTHORIZATION")),
        }
        Ok(StatementResult::done("RESET"))
    }

    fn show(&mut self, variable: &[Ident]) -> Result<StatementResult> {
        let words: Vec<_> = variable
            .iter()
            .map(|ident| ident.value.to_ascii_lowercase())
            .collect();
        let name = match words.join(" ").as_str() {
            "all" => return self.show_all(),
            "transaction isolation level" => "transaction_isolation".to_owned(),
            "time zone" => "timezone".to_owned(),
            name => name.to_owned(),
        };
        let value = match (name.as_str(), &self.open) {
            ("transaction_isolation", Some(open)) => isolation_name(open.how.isolation).to_owned(),
            ("transaction_isolation", None) => isolation_name(self.settings.isolation).to_owned(),
            ("transaction_read_only", Some(open)) => {
                on_off(open.how.read_only || open.how.as_of.is_some()).to_owned()
            }
            ("transaction_deferrable", open) => {
                let deferrable = open.as_ref().map(|open| open.how.deferrable);
                on_off(deferrable.unwrap_or(self.settings.deferrable)).to_owned()
            }
            ("transaction_read_only", None) => on_off(self.settings.read_only).to_owned(),
            (name, _) => self.settings.show(name)?,
        };
        Ok(StatementResult::rows(
            "SHOW",
            Rows::text(&[&name], vec![vec![value]])?,
        ))
    }

    fn show_all(&self) -> Result<StatementResult> {
        let names = Settings::names();
        let lines = names
            .into_iter()
            .map(|name| Ok(vec![name.to_owned(), self.settings.show(name)?]));
        let lines = lines.collect::<Result<_>>()?;
        Ok(StatementResult::rows(
            "SHOW",
            Rows::text(&["name", "setting"], lines)?,
        ))
    }
}

fn isolation_level(isolation: godb_mvcc::Isolation) -> sqlparser::ast::TransactionIsolationLevel {
    use sqlparser::ast::TransactionIsolationLevel as Level;
    match isolation {
        godb_mvcc::Isolation::ReadCommitted => Level::ReadCommitted,
        godb_mvcc::Isolation::RepeatableRead => Level::RepeatableRead,
        godb_mvcc::Isolation::Serializable => Level::Serializable,
    }
}

/// A setting's value as written: a word, a number or a string.
fn text_of(value: &Expr) -> Result<String> {
    match value {
        Expr::Identifier(ident) => Ok(ident.value.clone()),
        Expr::Value(value) => match &value.value {
            SqlValue::SingleQuotedString(text) | SqlValue::DoubleQuotedString(text) => Ok(text.clone()),
            SqlValue::Number(number, _) => Ok(number.clone()),
            SqlValue::Boolean(value) => Ok(value.to_string()),
            other => Err(not_a_value(other)),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => Ok(format!("-{}", text_of(expr)?)),
        other => Err(not_a_value(other)),
    }
}

fn not_a_value(what: impl std::fmt::Display) -> SqlError {
    SqlError::new(state::SYNTAX_ERROR, format!("a setting's value cannot be {what}"))
}
